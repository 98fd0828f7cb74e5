//! The plan of the house: ten rooms in a row. A file imports only what stands to the left of its room, and nothing that leads back to
//! itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The rooms from left to right. Those of one place know nothing of each other.
const ROOMS: [&[&str]; 9] = [
    &["value"],
    &["error"],
    &["domain", "auth"],
    &["sheet", "db"],
    &["http"],
    &["resources"],
    &["server"],
    &["cli"],
    &["main"],
];

/// A module, by its path from the root of the crate; empty for the root.
type Module = Vec<String>;

/// The modules that each module imports, with what it imports of them.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module(file: &Path) -> Module {
    let path = file.strip_prefix(root()).unwrap().with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().to_owned());
    parts.filter(|part| part != "lib").collect()
}

/// Whether a module is there for tests alone.
fn is_of_tests(module: &Module) -> bool {
    module.iter().any(|part| part == "tests" || part == "fixtures")
}

/// A file without comments, texts and its inner module of tests.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let mut code = String::new();
    for line in text.lines() {
        let line = line.split("//").next().unwrap();
        // What stands between quotes.
        let outside: Vec<&str> = line.split('"').step_by(2).collect();
        code.push_str(&outside.join(" "));
        code.push('\n');
    }
    code
}

/// The paths of a `use` tree.
fn paths(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else {
        return vec![tree.trim().to_owned()];
    };
    let (before, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let (mut depth, mut begin, mut parts) = (0, 0, vec![]);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[begin..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(paths)
        .map(|path| format!("{}{path}", before.trim()))
        .collect()
}

/// What of this crate a file names: in `use`, and by whole paths.
fn named(code: &str) -> Vec<String> {
    let mut named = vec![];
    let mut rest = String::new();
    for (n, statement) in code.split("use ").enumerate() {
        let is_ours = ["crate::", "super::", "self::"]
            .iter()
            .any(|start| statement.starts_with(start));
        if n > 0 && is_ours {
            let (tree, after) = statement.split_once(';').unwrap();
            named.extend(paths(tree));
            rest.push_str(after);
        } else {
            rest.push_str(statement);
        }
    }
    for start in ["crate::", "super::"] {
        for (at, _) in rest.match_indices(start) {
            let path = &rest[at..];
            let end = path
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .unwrap_or(path.len());
            named.push(path[..end].trim_end_matches(':').to_owned());
        }
    }
    named
}

/// The module that a path leads to, from where it is named.
fn target(from: &Module, path: &str, modules: &BTreeSet<Module>) -> Option<Module> {
    let mut at = from.clone();
    let mut parts = path.split("::").map(str::trim).peekable();
    if parts.peek() == Some(&"crate") {
        at.clear();
        parts.next();
    } else if parts.peek() == Some(&"self") {
        parts.next();
    }
    while parts.next_if_eq(&"super").is_some() {
        at.pop();
    }
    for part in parts {
        at.push(part.to_owned());
        if !modules.contains(&at) {
            at.pop();
            break;
        }
    }
    // A macro stands in the root.
    Some(at).filter(|at| !at.is_empty())
}

fn imports() -> Imports {
    let mut found = vec![];
    files(&root(), &mut found);
    let sources: BTreeMap<Module, String> = found
        .iter()
        .map(|file| (module(file), code(&fs::read_to_string(file).unwrap())))
        .filter(|(module, _)| !is_of_tests(module))
        .collect();
    let modules: BTreeSet<Module> = sources.keys().cloned().collect();
    let imports = sources.iter().map(|(from, code)| {
        let targets = named(code).into_iter().filter_map(|path| target(from, &path, &modules));
        // What is within a module is no other.
        let others = targets.filter(|target| !target.starts_with(from) && !from.is_empty());
        (from.clone(), others.collect())
    });
    imports.collect()
}

fn place(module: &Module) -> usize {
    let room = &module[0];
    let place = ROOMS.iter().position(|rooms| rooms.contains(&room.as_str()));
    place.unwrap_or_else(|| panic!("{room} is no room of the plan"))
}

fn name(module: &Module) -> String {
    format!("src/{}.rs", module.join("/"))
}

#[test]
fn a_file_imports_only_what_stands_to_the_left_of_its_room() {
    let mut wrong = vec![];
    for (from, targets) in imports().iter().filter(|(from, _)| !from.is_empty()) {
        for to in targets {
            let is_left = from[0] == to[0] || place(to) < place(from);
            if !is_left {
                wrong.push(format!("{} imports {}", name(from), name(to)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_imports_lead_in_a_circle() {
    let mut left = imports();
    // Whatever imports nothing that is left is in no circle.
    loop {
        let modules: BTreeSet<Module> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, targets| targets.iter().any(|to| modules.contains(to)));
        if left.len() == before {
            break;
        }
    }
    let arrows: Vec<String> = left
        .iter()
        .flat_map(|(from, targets)| targets.iter().map(move |to| (from, to)))
        .filter(|(_, to)| left.contains_key(*to))
        .map(|(from, to)| format!("{} imports {}", name(from), name(to)))
        .collect();
    assert!(arrows.is_empty(), "a circle is among these: {arrows:#?}");
}

#[test]
fn imports_are_found_however_they_are_written() {
    let modules: BTreeSet<Module> = ["value", "error", "db", "db/pool", "db/session"]
        .map(|path| path.split('/').map(str::to_owned).collect())
        .into();
    let from: Module = vec!["db".to_owned(), "session".to_owned()];
    let text = "use std::fmt;\n\
        use super::{\n    pool::{Pool, self}, // crate::http is not meant\n};\n\
        use crate::{\n    error::{Error, Result}, value::Id as Other,\n};\n\
        fn of() { crate::value::today(); let _ = \"crate::http::page\"; }\n\
        #[cfg(test)]\nmod tests {\n    use crate::http::limits;\n}\n";
    let found: BTreeSet<String> = named(&code(text))
        .iter()
        .filter_map(|path| target(&from, path, &modules))
        .map(|module| module.join("/"))
        .collect();
    assert_eq!(found, ["db/pool", "error", "value"].map(str::to_owned).into());
}

#[test]
fn names_of_tests_can_be_read() {
    let mut found = vec![];
    for folder in ["src", "tests"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    }
    for file in found {
        let text = fs::read_to_string(&file).unwrap();
        for (_, after) in text
            .match_indices("fn ")
            .map(|(at, found)| (at, &text[at + found.len()..]))
        {
            let end = after
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(after.len());
            assert!(
                end <= 80,
                "{}: {} has more than 80 characters",
                file.display(),
                &after[..end]
            );
        }
    }
}
