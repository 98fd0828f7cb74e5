//! Reads a table of results: a cell is read rightly, or refused by its address.
//!
//! A spreadsheet alters what people type. An alteration is undone where it can be (0.57 shown as 57% is 57 where the
//! unit is %), and refused where it cannot (3-1 that became a date). An empty cell is never a number: 0 is.

use std::collections::HashMap;

use crate::{
    domain::{
        form::{Note, Severity},
        kinds::ValueStatus,
    },
    resources::results::ResultInput,
    sheet::table::Table,
    value::{FiscalYear, Id, work},
};
use notes::Notes;
use rows::Reading;

pub use heads::{Heads, is_key};
pub use notes::MOST_NOTES;

mod cells;
pub mod heads;
mod notes;
mod rows;
#[cfg(test)]
mod tests;

/// Most results a table may hold.
pub const MOST_RESULTS: usize = 100_000;
/// About the work of reading and checking a cell: as much as of looking at so many bytes.
const CELL: usize = 64;

/// What is known of an indicator that a table names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownIndicator {
    /// Its name.
    pub name: String,
    /// Its unit, as printed.
    pub unit: Option<String>,
}

/// A table of results, as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// The results, in the order of the rows. Rows with errors are left out.
    pub entries: Vec<Entry>,
    /// Which columns the table has.
    pub heads: Heads,
    /// Errors and warnings by their place, the line being the row; every detail begins with the cell's address.
    /// At most [`MOST_NOTES`]: reading ends where there are as many errors.
    pub notes: Vec<Note>,
}

/// A result of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its row.
    pub row: u32,
    /// The indicator.
    pub indicator_id: Id,
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// The result in the row; null where the table has no such column.
    pub result: ResultInput,
}

impl Sheet {
    /// Whether there is an error, so that nothing may be stored.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Error)
    }

    /// Merges an entry into a stored result: a column that the table lacks changes nothing.
    #[must_use]
    pub fn over(&self, entry: &Entry, stored: &ResultInput) -> ResultInput {
        let (new, old) = (entry.result.clone(), stored.clone());
        macro_rules! choose {
            ($($field:ident),+) => {
                ResultInput {
                    value_status: new.value_status,
                    // Without its column, the status follows from the value if `value_status` changes; else it stays.
                    observation_status: if self.heads.has("observation_status") || new.value_status != old.value_status {
                        new.observation_status
                    } else {
                        old.observation_status
                    },
                    $($field: if self.heads.has(stringify!($field)) { new.$field } else { old.$field },)+
                    ..old
                }
            };
        }
        let mut merged = choose!(
            value,
            cumulative_value,
            numerator,
            denominator,
            sample_size,
            text,
            comment,
            measured_on,
            declared_rating,
            stated_previous_value,
            stated_previous_text
        );
        if merged.value_status != ValueStatus::Reported {
            // A row that says that there is no value clears all values, even those without a column.
            merged.value = None;
            merged.cumulative_value = None;
        }
        merged
    }
}

/// Reads a table of results.
///
/// `lookup` finds the indicator with an id. Rows without a fiscal year are of `year`, and a bare 6 is the year of the
/// era nearest to `year`. Defaults: with a value `value_status` is `reported`; without one it must be stated.
/// `observation_status` is `final`, but `provisional` where the value is still to come (`not_yet_due`, `not_reported`,
/// `being_compiled`).
pub fn read(table: &Table, year: Option<FiscalYear>, lookup: impl FnMut(Id) -> Option<KnownIndicator>) -> Sheet {
    let mut notes = Notes::default();
    let Some(heads) = heads::find(table, &mut notes) else {
        return Sheet {
            entries: Vec::new(),
            heads: Heads::default(),
            notes: notes.done(),
        };
    };
    let mut reading = Reading {
        heads,
        notes,
        year,
        lookup,
        seen: HashMap::new(),
        entries: Vec::new(),
    };
    reading.required_columns();
    reading.layout(table);
    let header = reading.heads.row;
    for row in table.rows.iter().filter(|row| row.number > header) {
        if reading.notes.full() {
            break;
        }
        work::spend(row.cells.len() * CELL);
        if row.cells.iter().all(|cell| cells::is_blank(&cell.content)) {
            continue;
        }
        reading.row(row);
    }
    Sheet {
        entries: reading.entries,
        heads: reading.heads,
        notes: reading.notes.done(),
    }
}

/// The part of a text that a message repeats.
fn quoted(text: &str) -> String {
    text.chars().take(60).collect()
}
