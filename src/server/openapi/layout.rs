//! The document as text: short, and yet a line for everything that changes by itself.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// How many objects and lists within each other stand on one line.
const DEEPEST: usize = 3;
/// The keys of objects and lists whose members have a line each.
const OPEN: [&str; 5] = ["paths", "parameters", "properties", "responses", "links"];

/// The document, indented by tabs, with a line for each property, parameter and answer.
pub(super) fn text(document: &impl Serialize) -> String {
    let mut indented = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut indented, PrettyFormatter::with_indent(b"\t"));
    if document.serialize(&mut serializer).is_err() {
        return String::new();
    }
    folded(&String::from_utf8_lossy(&indented))
}

/// An object or a list that has begun.
struct Group {
    /// Its first line.
    line: usize,
    /// How many others are within each other in it.
    depth: usize,
    /// Whether its members have a line each, or those of one in it.
    is_open: bool,
}

/// Puts objects and lists on one line where they are neither open nor deep.
fn folded(indented: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut begun: Vec<Group> = Vec::new();
    for line in indented.lines() {
        lines.push(line.to_owned());
        let text = line.trim_start();
        if text.ends_with(['{', '[']) {
            let key = text.strip_prefix('"').and_then(|text| text.split_once('"'));
            begun.push(Group {
                line: lines.len() - 1,
                depth: 1,
                is_open: key.is_some_and(|(key, _)| OPEN.contains(&key)),
            });
        } else if text.starts_with(['}', ']'])
            && let Some(ended) = begun.pop()
        {
            if let Some(around) = begun.last_mut() {
                around.depth = around.depth.max(ended.depth + 1);
                around.is_open |= ended.is_open;
            }
            if !ended.is_open && ended.depth <= DEEPEST {
                let whole = joined(lines.drain(ended.line..));
                lines.push(whole);
            }
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Lines as one: a blank between members, none at the brackets.
fn joined(lines: impl Iterator<Item = String>) -> String {
    let mut whole = String::new();
    for line in lines {
        if whole.is_empty() {
            whole = line;
            continue;
        }
        let text = line.trim_start();
        if whole.ends_with(',') {
            whole.push(' ');
        }
        whole.push_str(text);
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::text;

    #[test]
    fn what_changes_by_itself_has_a_line() {
        let document = json!({
            "properties": { "a": { "oneOf": [{ "$ref": "#/A" }, { "type": "null" }] }, "b": {} },
            "required": ["a, [", "} b"],
            "tree": [[[[1, 2]]]],
        });
        let text = text(&document);
        let expected = [
            "{",
            "\t\"properties\": {",
            "\t\t\"a\": {\"oneOf\": [{\"$ref\": \"#/A\"}, {\"type\": \"null\"}]},",
            "\t\t\"b\": {}",
            "\t},",
            "\t\"required\": [\"a, [\", \"} b\"],",
            "\t\"tree\": [",
            "\t\t[[[1, 2]]]",
            "\t]",
            "}",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
