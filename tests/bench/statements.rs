//! The statements that the service sends, as its database saw them: what `pgbench` repeats.

use std::path::PathBuf;

use crate::{
    Outcome,
    place::{Answer, Place, Process},
};

/// As many scripts: each client of `pgbench` prepares the statements of each.
const SCRIPTS: usize = 8;

/// A service whose every statement is logged.
pub(crate) struct Watched<'a> {
    place: &'a Place,
    pub(crate) service: Process,
}

impl<'a> Watched<'a> {
    pub(crate) fn new(place: &'a Place) -> Outcome<Self> {
        let url = format!("{}&options=-c%20log_statement%3Dall", place.url());
        let settings = [("DATABASE_URL", url.as_str()), ("WARD_POLICY_CACHE_BYTES", "0")];
        Ok(Self {
            place,
            service: place.serve("watched", &settings)?,
        })
    }

    /// A script for `pgbench` of each path: what it makes the service send to ask for that.
    pub(crate) fn scripts(
        &self,
        name: &str,
        paths: &[String],
        ask: impl Fn(&Process, &str) -> Outcome<Answer>,
    ) -> Outcome<Scripts> {
        let mut scripts = Scripts::default();
        for (n, path) in paths.iter().take(SCRIPTS).enumerate() {
            self.script(&format!("{name} {n}"), &mut scripts, |service| ask(service, path))?;
        }
        Ok(scripts)
    }

    fn script(&self, name: &str, scripts: &mut Scripts, ask: impl Fn(&Process) -> Outcome<Answer>) -> Outcome<()> {
        self.place.empty_log()?;
        let answer = ask(&self.service)?;
        if answer.status >= 300 {
            return Err(format!("{name}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
        }
        let log = self.place.log()?;
        let script = script(&String::from_utf8_lossy(&log), &mut scripts.values);
        if script.is_empty() {
            return Err(format!("{name}: no statement was logged").into());
        }
        scripts
            .files
            .push(self.place.folder.write(&format!("{name}.sql"), script)?);
        Ok(())
    }
}

/// Scripts, and the values that their variables have: parameters stay parameters.
#[derive(Default)]
pub(crate) struct Scripts {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) values: Vec<String>,
}

/// What a log says was run, its parameters as variables of these values.
fn script(log: &str, variables: &mut Vec<String>) -> String {
    let mut statements: Vec<String> = Vec::new();
    for entry in entries(log) {
        if let Some(parameters) = entry.strip_prefix("DETAIL:  ") {
            let (_, parameters) = parameters.split_once("arameters: ").unwrap_or_default();
            if let Some(statement) = statements.last_mut() {
                *statement = filled(statement, parameters, variables);
            }
        } else if let Some(statement) = entry.strip_prefix("LOG:  statement: ") {
            statements.push(statement.to_owned());
        } else if let Some((_, statement)) = entry
            .strip_prefix("LOG:  execute ")
            .and_then(|rest| rest.split_once(": "))
        {
            statements.push(statement.to_owned());
        }
    }
    statements
        .iter()
        .map(|statement| format!("{};\n", statement.replace('\n', " ").trim_end_matches(';')))
        .collect()
}

/// The entries of a log, each of one or several lines, without what stands before them.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        let begun = ["LOG:  ", "DETAIL:  ", "ERROR:  ", "WARNING:  ", "STATEMENT:  "]
            .iter()
            .filter_map(|kind| line.find(kind))
            .min();
        match (begun, entries.last_mut()) {
            (Some(at), _) => entries.push(line.get(at..).unwrap_or_default().to_owned()),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => {}
        }
    }
    entries
}

/// The most variables that a statement of `pgbench` may have.
const MOST: usize = 255;
/// The longest value that an argument may have.
const LONGEST: usize = 100_000;

/// A statement with variables for its parameters, which are listed as `$1 = 'one', $2 = NULL`. What no variable can be stands
/// there itself.
fn filled(statement: &str, parameters: &str, variables: &mut Vec<String>) -> String {
    let mut values = Vec::new();
    let mut rest = parameters;
    while let Some((_, after)) = rest.split_once(" = ") {
        let end = if after.starts_with('\'') {
            quoted(after)
        } else {
            after.find(',').unwrap_or(after.len())
        };
        let (value, left) = after.split_at(end);
        values.push(value);
        rest = left;
    }
    let may_vary = values.len() <= MOST;
    let mut filled = statement.to_owned();
    // The last first: $1 begins $10.
    for (n, value) in (1..).zip(&values).collect::<Vec<_>>().into_iter().rev() {
        let text = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        let text = text.filter(|text| may_vary && (1..LONGEST).contains(&text.len()));
        let variable = text.map(|text| {
            variables.push(text.replace("''", "'"));
            format!(":v{}", variables.len())
        });
        filled = filled.replace(&format!("${n}"), variable.as_deref().unwrap_or(value));
    }
    filled
}

/// How long the quoted text is that this begins with.
fn quoted(text: &str) -> usize {
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if c == '\'' {
            inside = !inside;
        } else if !inside {
            return at;
        }
    }
    text.len()
}
