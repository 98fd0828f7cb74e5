//! Notes about a file: errors and warnings with their places, no more of them than anybody reads.

use super::{Note, Severity};
use crate::value::language::Bilingual;

/// The most notes about one file.
const MOST: usize = 200;

/// A place in a file: line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    /// The start of a line.
    pub(super) const fn line(line: u32) -> Self {
        Self { line, column: 1 }
    }
}

/// Collects notes.
#[derive(Debug, Default)]
pub(super) struct Notes {
    made: Vec<Note>,
    /// Notes beyond the limit: the place of the first, and the worst severity.
    beyond: Option<(Place, Severity)>,
    left_out: usize,
}

impl Notes {
    /// Adds an error.
    pub(super) fn error(&mut self, code: &'static str, place: Place, ja: impl Into<String>, en: impl Into<String>) {
        self.add(Severity::Error, code, place, Bilingual::new(ja, en));
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, code: &'static str, place: Place, ja: impl Into<String>, en: impl Into<String>) {
        self.add(Severity::Warning, code, place, Bilingual::new(ja, en));
    }

    fn add(&mut self, severity: Severity, code: &'static str, place: Place, detail: Bilingual) {
        if self.made.len() < MOST - 1 {
            let Place { line, column } = place;
            self.made.push(Note {
                severity,
                code,
                line,
                column,
                detail,
            });
            return;
        }
        self.left_out += 1;
        let (_, worst) = self.beyond.get_or_insert((place, severity));
        if severity == Severity::Error {
            *worst = Severity::Error;
        }
    }

    /// The errors alone.
    pub(super) fn without_warnings(mut self) -> Self {
        self.made.retain(|note| note.severity == Severity::Error);
        self
    }

    /// All notes in the order of the lines; the last one says how many were left out.
    pub(super) fn finish(mut self) -> Vec<Note> {
        self.made.sort_by_key(|note| (note.line, note.column));
        if let Some((Place { line, column }, severity)) = self.beyond {
            let count = self.left_out;
            self.made.push(Note {
                severity,
                code: "more_notes",
                line,
                column,
                detail: Bilingual::new(
                    format!("ほかに{count}件の指摘がありますが、省略しました"),
                    format!("{count} more notes were left out"),
                ),
            });
        }
        self.made
    }
}

/// The start of a text for a note.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
