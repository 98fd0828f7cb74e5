//! The notes of a report, bounded: all errors at once, but no more than somebody reads.

use crate::{
    domain::form::{Note, Severity},
    value::language::Bilingual,
};

/// Most notes a report holds. Errors come before warnings where there is no room for both.
pub const MOST_NOTES: usize = 200;

/// Most warnings of one kind, so that they leave room for others.
const MOST_ALIKE: usize = 50;

/// Errors and warnings as they are found.
#[derive(Debug, Default)]
pub(super) struct Notes {
    errors: Vec<Note>,
    warnings: Vec<Note>,
}

impl Notes {
    pub(super) fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        (line, column): (u32, u32),
        detail: Bilingual,
    ) {
        let kept = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        let alike = kept.iter().filter(|note| note.code == code).count();
        if kept.len() < MOST_NOTES && (severity == Severity::Error || alike < MOST_ALIKE) {
            kept.push(Note {
                severity,
                code,
                line,
                column,
                detail,
            });
        }
    }

    /// How many errors there are, up to the most that are kept.
    pub(super) fn errors(&self) -> usize {
        self.errors.len()
    }

    /// Whether there is no room for another error: reading on would be of no use.
    pub(super) fn full(&self) -> bool {
        self.errors.len() >= MOST_NOTES
    }

    /// The notes, by their place.
    pub(super) fn done(self) -> Vec<Note> {
        let mut notes = self.errors;
        notes.extend(self.warnings);
        notes.truncate(MOST_NOTES);
        notes.sort_by_key(|note| (note.line, note.column));
        notes
    }
}
