//! The document as text: short, and yet a line for everything that changes by itself.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// The indentation of what the outermost objects hold: it is left out.
const NAMELESS: &str = "\t\t";
/// How many objects and lists within each other stand on one line.
const DEEPEST: usize = 3;
/// The keys of objects and lists whose members have a line each.
const OPEN: [&str; 6] = ["info", "paths", "parameters", "properties", "responses", "links"];
/// The key of what stands on one line, however deep it is.
const EXAMPLE: &str = "example";

/// The document, with a line for each property, parameter and answer, indented by tabs below paths and kinds of components.
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
    is_example: bool,
}

/// Puts objects and lists on one line where they are neither open nor deep.
fn folded(indented: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut begun: Vec<Group> = Vec::new();
    for line in indented.lines() {
        lines.push(line.to_owned());
        let text = line.trim_start();
        if text.ends_with(['{', '[']) {
            let key = key(text).map_or("", |(key, _)| key);
            begun.push(Group {
                line: lines.len() - 1,
                depth: 1,
                is_open: OPEN.contains(&key),
                is_example: key == EXAMPLE,
            });
        } else if text.starts_with(['}', ']'])
            && let Some(ended) = begun.pop()
        {
            let is_long = ended.is_open || ended.depth > DEEPEST;
            if let Some(around) = begun.last_mut().filter(|_| !ended.is_example) {
                around.depth = around.depth.max(ended.depth + 1);
                around.is_open |= ended.is_open;
            }
            if ended.is_example || !is_long {
                let whole = joined(lines.drain(ended.line..));
                lines.push(whole);
            }
        }
    }
    let mut text = String::with_capacity(indented.len() / 2);
    for line in &lines {
        text.push_str(line.strip_prefix(NAMELESS).unwrap_or_else(|| line.trim_start()));
        text.push('\n');
    }
    text
}

/// Lines as one, without blanks between its parts.
fn joined(lines: impl Iterator<Item = String>) -> String {
    let mut whole = String::new();
    for line in lines {
        if whole.is_empty() {
            whole = line;
            continue;
        }
        match key(line.trim_start()) {
            Some((key, value)) => whole.extend(["\"", key, "\":", value]),
            None => whole.push_str(line.trim_start()),
        }
    }
    whole
}

/// The key with which a line begins, as it is written, and the value behind it.
fn key(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    let (key, rest) = text.split_at_checked(end)?;
    Some((key, rest.strip_prefix("\": ")?))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::{Value, json};

    use super::text;

    #[test]
    fn what_changes_by_itself_has_a_line() {
        let document = json!({
            "properties": { "a": { "oneOf": [{ "$ref": "#/A" }, { "type": "null" }] }, "b": { "links": { "c": null } } },
            "required": ["a, [", "} b", "c\": {"],
            "tree": [[[[1, 2]]]],
            "x": { "example": [[[[{ "properties": { "d": 1, "e\": ": 2 } }]]]] },
        });
        let text = text(&document);
        let expected = [
            "{",
            "\"properties\": {",
            "\"a\": {\"oneOf\":[{\"$ref\":\"#/A\"},{\"type\":\"null\"}]},",
            "\"b\": {",
            "\t\"links\": {",
            "\t\t\"c\": null",
            "\t}",
            "}",
            "},",
            "\"required\": [\"a, [\",\"} b\",\"c\\\": {\"],",
            "\"tree\": [",
            "[[[1,2]]]",
            "],",
            "\"x\": {\"example\":[[[[{\"properties\":{\"d\":1,\"e\\\": \":2}}]]]]}",
            "}",
            "",
        ];
        assert_eq!(text, expected.join("\n"));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
    }
}
