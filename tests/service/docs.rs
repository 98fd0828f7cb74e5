//! The documents: what their examples answer, where their links lead, and that each sentence stands once.
//! CONTRIBUTING.md, "Documents", says what the marks of fenced blocks mean.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
};

use chrono::DateTime;
use serde_json::{Deserializer, Value};
use uuid::Uuid;

use crate::{
    Outcome,
    process::{Place, Process, Service, eventually},
};

/// Directories that hold no documents of ours.
const ELSEWHERE: [&str; 4] = ["target", "data", "corpus", "artifacts"];
/// The address that examples name.
const ADDRESS: &str = "127.0.0.1:8080";
const MOST_LINES: usize = 150;
const MOST_BYTES: u64 = 150_000;

/// A document, taken apart.
struct Page {
    /// Its path from the root of the repository.
    path: PathBuf,
    text: String,
    /// Its lines outside of fenced blocks.
    prose: Vec<String>,
    examples: Vec<Example>,
}

/// A block of commands, and the answer that is shown below it.
#[derive(PartialEq, Eq)]
struct Example {
    commands: String,
    answer: Option<Shown>,
}

#[derive(PartialEq, Eq)]
struct Shown {
    mark: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Page {
    fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path)?;
        let mut page = Self {
            path: path.strip_prefix(root())?.to_owned(),
            prose: Vec::new(),
            examples: Vec::new(),
            text,
        };
        let mut lines = page.text.lines();
        // Whether the last thing was a block of commands, to which an answer belongs.
        let mut was_commands = false;
        while let Some(line) = lines.next() {
            let Some(mark) = line.strip_prefix("```") else {
                assert!(
                    !line.contains("```"),
                    "{}: a fence that is indented: {line}",
                    page.path.display()
                );
                was_commands &= line.is_empty();
                page.prose.push(line.to_owned());
                continue;
            };
            let block: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
            let text = block.join("\n");
            match (mark, page.examples.last_mut()) {
                ("sh", _) => page.examples.push(Example {
                    commands: text,
                    answer: None,
                }),
                ("json" | "text" | "csv", Some(example)) if was_commands => {
                    example.answer = Some(Shown {
                        mark: mark.to_owned(),
                        text,
                    });
                }
                ("console" | "sql" | "ts" | "python" | "powerquery" | "", _) => {}
                _ => return Err(format!("{}: a block of {mark} stands where none may", page.path.display()).into()),
            }
            was_commands = mark == "sh";
            // What stands before and after a block is not one paragraph.
            page.prose.push(String::new());
        }
        Ok(page)
    }

    /// Where its links lead that stay in the repository: the file, and the heading.
    fn links(&self) -> impl Iterator<Item = (PathBuf, Option<&str>)> {
        let targets = self.prose.iter().flat_map(|line| line.split("](").skip(1));
        targets
            .filter_map(|rest| rest.split_once(')'))
            .filter(|(target, _)| !target.contains("://"))
            .map(|(target, _)| {
                let (file, heading) = match target.split_once('#') {
                    Some((file, heading)) => (file, Some(heading)),
                    None => (target, None),
                };
                let file = match file {
                    "" => root().join(&self.path),
                    file => root().join(&self.path).with_file_name("").join(file),
                };
                (file, heading)
            })
    }

    /// The names by which its headings are linked to.
    fn headings(&self) -> BTreeSet<String> {
        let headings = self.prose.iter().filter_map(|line| {
            line.trim_start_matches('#')
                .strip_prefix(' ')
                .filter(|_| line.starts_with('#'))
        });
        headings
            .map(|heading| {
                let kept = heading.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
                kept.collect::<String>().to_lowercase().replace(' ', "-")
            })
            .collect()
    }

    /// Its sentences, and the cells of its tables.
    fn sentences(&self) -> Vec<String> {
        let (mut parts, mut paragraph) = (Vec::new(), String::new());
        for line in self.prose.iter().map(|line| line.trim()).chain([""]) {
            if line.is_empty() || line.starts_with(['|', '#']) || line.starts_with("- ") {
                parts.push(std::mem::take(&mut paragraph));
            }
            if line.starts_with('|') {
                parts.extend(line.split('|').map(str::to_owned));
            } else {
                paragraph.push(' ');
                paragraph.push_str(line);
            }
        }
        let ends = ['.', ':', ';'].map(|end| format!("{end} "));
        let mut sentences = Vec::new();
        for part in parts {
            let part = ends
                .iter()
                .fold(part.replace("**", "").replace('。', "\n"), |part, end| {
                    part.replace(end, "\n")
                });
            sentences.extend(
                part.lines()
                    .map(|one| one.trim_matches([' ', '-', '.', '#']).to_owned()),
            );
        }
        sentences
    }

    /// Runs its examples in order against a fresh service; what was not as shown.
    fn run(&self) -> Outcome<Vec<String>> {
        let name = self.path.file_stem().ok_or("no name")?.to_string_lossy();
        let place = Place::new(&format!("docs-{name}"))?;
        let service = place.serve(&[])?;
        let shell = place.data().with_file_name("shell");
        fs::create_dir(&shell)?;
        symlink(root().join("tests"), shell.join("tests"))?;
        shell_session(&self.examples, &shell, &place, &service)?;

        let mut wrong = Vec::new();
        for (n, example) in self.examples.iter().enumerate() {
            let read = |kind| fs::read_to_string(shell.join(format!(".{n}.{kind}"))).unwrap_or_default();
            let given = read("out").replace(&service.address.to_string(), ADDRESS);
            let (complaints, status) = (read("err"), read("status"));
            let agrees = match &example.answer {
                None => given.is_empty() && status.trim() == "0",
                Some(shown) => shown.agrees(&given),
            };
            if !agrees || !complaints.is_empty() {
                let commands = &example.commands;
                wrong.push(format!(
                    "{}\n{commands}\n---- gave\n{given}{complaints}",
                    self.path.display()
                ));
            }
        }
        Ok(wrong)
    }
}

/// Runs the commands of all examples in one shell; what each printed is in a file of its own.
fn shell_session(examples: &[Example], shell: &Path, place: &Place, service: &Service) -> Outcome {
    let blocks = examples.iter().enumerate().map(|(n, example)| {
        let commands = example.commands.replace(ADDRESS, &service.address.to_string());
        format!("{{\n{commands}\n}} >.{n}.out 2>.{n}.err; echo $? >.{n}.status\n")
    });
    fs::write(shell.join(".commands"), blocks.collect::<String>())?;
    let programs = Path::new(env!("CARGO_BIN_EXE_ward-policy"))
        .parent()
        .ok_or("no directory")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let mut command = place.command_of(Path::new("bash"), &[".commands"]);
    command
        .current_dir(shell)
        .env(
            "PATH",
            env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&path)))?,
        )
        .env("TOKEN", place.token()?)
        .stdout(Stdio::null());
    let mut process = Process(command.spawn()?);
    eventually(|| Ok(process.0.try_wait()?))?;
    Ok(())
}

impl Shown {
    fn agrees(&self, given: &str) -> bool {
        let (shown, given) = (normalized(&self.text), normalized(given));
        if self.mark == "json"
            && let (Some(shown), Some(given)) = (values(&shown), values(&given))
        {
            return same(&Value::Array(shown), &Value::Array(given));
        }
        let lines = |text: &str| {
            text.trim()
                .lines()
                .map(|line| line.trim_end().to_owned())
                .collect::<Vec<_>>()
        };
        let (shown, given) = (lines(&shown), lines(&given));
        shown.len() == given.len() && shown.iter().zip(&given).all(|(shown, given)| fits(shown, given))
    }
}

/// A text in which all identifiers, hashes and times are alike.
fn normalized(text: &str) -> String {
    let mut normalized = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || "-:+.".contains(c) {
            word.push(c);
        } else {
            normalized.push_str(&kind(&word));
            normalized.push(c);
            word.clear();
        }
    }
    normalized
}

fn kind(word: &str) -> String {
    if word.len() == 36 && Uuid::try_parse(word).is_ok() {
        "<id>".to_owned()
    } else if word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit()) {
        "<hash>".to_owned()
    } else if DateTime::parse_from_rfc3339(word).is_ok() {
        "<time>".to_owned()
    } else if let Some((number, hash)) = word.split_once(':') {
        format!("{number}:{}", kind(hash))
    } else {
        word.to_owned()
    }
}

/// The JSON values that a text consists of, unless something else is in it.
fn values(text: &str) -> Option<Vec<Value>> {
    Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .ok()
}

fn same(shown: &Value, given: &Value) -> bool {
    match (shown, given) {
        (Value::String(shown), Value::String(given)) => fits(shown, given),
        (Value::Array(shown), Value::Array(given)) => {
            shown.len() == given.len() && shown.iter().zip(given).all(|(shown, given)| same(shown, given))
        }
        (Value::Object(shown), Value::Object(given)) => {
            let is_there = |(key, shown): (&String, &Value)| given.get(key).is_some_and(|given| same(shown, given));
            shown.len() == given.len() && shown.iter().all(is_there)
        }
        _ => shown == given,
    }
}

/// Whether a text is the one shown, in which `…` stands for any characters.
fn fits(shown: &str, given: &str) -> bool {
    let Some((first, others)) = shown.split_once('…') else {
        return shown == given;
    };
    let Some(mut rest) = given.strip_prefix(first) else {
        return false;
    };
    let mut others: Vec<_> = others.split('…').collect();
    let last = others.pop().unwrap_or_default();
    for part in others {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// All documents of the repository.
fn pages() -> Outcome<Vec<Page>> {
    let (mut pages, mut directories) = (Vec::new(), vec![root().to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                if !name.starts_with('.') && !ELSEWHERE.contains(&&*name) {
                    directories.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(Page::read(&path)?);
            }
        }
    }
    pages.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(pages)
}

fn page(path: &str) -> Outcome<Page> {
    Page::read(&root().join(path))
}

/// The page in English that a page is in Japanese.
fn in_english(page: &Page) -> Option<PathBuf> {
    let path = page.path.to_str()?.strip_suffix(".ja.md")?;
    Some(root().join(format!("{path}.md")))
}

#[test]
fn the_examples_are_answered_as_shown() -> Outcome {
    let mut wrong = Vec::new();
    for page in pages()? {
        if !page.examples.is_empty() && in_english(&page).is_none() {
            wrong.extend(page.run()?);
        }
    }
    assert!(wrong.is_empty(), "not as shown:\n\n{}", wrong.join("\n\n"));
    Ok(())
}

#[test]
fn japanese_pages_have_the_examples_of_the_english_ones() -> Outcome {
    for page in pages()? {
        if let Some(english) = in_english(&page) {
            assert!(
                page.examples == Page::read(&english)?.examples,
                "{}",
                page.path.display()
            );
        }
    }
    Ok(())
}

#[test]
fn an_answer_is_compared_by_a_few_rules() {
    let agrees = |mark: &str, shown: &str, given: &str| {
        let (mark, text) = (mark.to_owned(), shown.to_owned());
        Shown { mark, text }.agrees(given)
    };
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    assert!(agrees(
        "json",
        &format!(r#"{{"a": 1, "id": "{one}"}}"#),
        &format!(r#"{{"id":"{other}","a":1}}"#)
    ));
    assert!(agrees("json", r#"["a…c…e"] [1]"#, "[\"abcde\"]\n[1]\n"));
    assert!(agrees(
        "text",
        "at 2026-11-24T07:46:12+09:00 …",
        "at 2025-01-01T00:00:00.5+09:00 and so on\n"
    ));
    assert!(agrees(
        "text",
        &format!("head 84:{:064}", 1),
        &format!("head 84:{:064}", 2)
    ));
    for (mark, shown, given) in [
        ("json", "[1]", "[1] [2]"),
        ("json", r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#),
        ("json", "81.2", "81.20"),
        ("json", r#""a…c""#, r#""abd""#),
        ("text", "one", "one\ntwo"),
        ("text", "head 84:0", "head 85:0"),
    ] {
        assert!(!agrees(mark, shown, given), "{shown} for {given}");
    }
}

#[test]
fn a_readme_is_short_and_pictures_are_small() -> Outcome {
    for name in ["README.md", "README.ja.md"] {
        let lines = page(name)?.text.lines().count();
        assert!(lines <= MOST_LINES, "{name} has {lines} lines");
    }
    // The browser tests make pictures of the same pages.
    for picture in fs::read_dir(root().join("docs/images"))? {
        let picture = picture?;
        assert!(picture.metadata()?.len() < MOST_BYTES, "{}", picture.path().display());
    }
    Ok(())
}

#[test]
fn every_link_leads_somewhere() -> Outcome {
    let mut wrong = Vec::new();
    for page in pages()? {
        for (file, heading) in page.links() {
            let is_there = match heading {
                None => file.exists(),
                Some(heading) => file.is_file() && Page::read(&file.canonicalize()?)?.headings().contains(heading),
            };
            if !is_there {
                wrong.push(format!("{}: {} {heading:?}", page.path.display(), file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_page_is_linked_from_where_readers_begin() -> Outcome {
    let mut linked = BTreeSet::new();
    for name in ["README.md", "docs/README.md"] {
        linked.extend(page(name)?.links().filter_map(|(file, _)| file.canonicalize().ok()));
    }
    for page in pages()? {
        let file = root().join(&page.path).canonicalize()?;
        assert!(
            !page.path.starts_with("docs") || linked.contains(&file),
            "{}",
            page.path.display()
        );
    }
    Ok(())
}

#[test]
fn no_sentence_stands_on_two_pages() -> Outcome {
    let mut sentences: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    // The changelog says anew what a page says, on the day it becomes true.
    for page in pages()?.into_iter().filter(|page| !page.path.ends_with("CHANGELOG.md")) {
        // Names of things are no sentences, and Japanese takes fewer characters.
        let is_long = |sentence: &String| sentence.chars().count() >= if sentence.is_ascii() { 35 } else { 20 };
        for sentence in page.sentences().into_iter().filter(is_long) {
            sentences.entry(sentence).or_default().insert(page.path.clone());
        }
    }
    let twice: Vec<_> = sentences.iter().filter(|(_, pages)| pages.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:#?}");
    Ok(())
}

/// The table of settings has the names and defaults that `--help` shows.
#[test]
fn the_settings_are_those_of_the_program() -> Outcome {
    let processors = thread::available_parallelism()?.get();
    let pool = (processors + 1).clamp(3, 100).to_string();
    let operate = page("docs/operate.md")?.text.replace('`', "");
    let rows = operate
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let described: BTreeMap<_, _> = rows
        .filter(|(name, _)| name.starts_with("WARD_POLICY_") || name.starts_with("DATABASE_"))
        .filter_map(|(name, rest)| Some((name.to_owned(), rest.split_once(" | ")?.0)))
        .map(|(name, default)| (name, default.replace("1 more than processors, at least 3", &pool)))
        .collect();
    let help = Place::new("help")?.run(&["--help"], &[])?.printed.replace('`', "");
    let between = |text: &str, mark| Some(text.split_once(mark)?.1.split_once(']')?.0.to_owned());
    let shown: BTreeMap<_, _> = help
        .split("\n      --")
        .filter_map(|setting| Some((between(setting, "[env: ")?, between(setting, "[default: "))))
        .map(|(name, default)| (name, default.unwrap_or_else(|| "–".to_owned())))
        .collect();
    assert_eq!(described, shown);
    Ok(())
}
