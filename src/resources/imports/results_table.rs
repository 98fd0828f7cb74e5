//! Reads a table of results: a cell is read rightly, or refused by its address.
//!
//! A spreadsheet alters what people type. An alteration is undone where it can be (0.57 shown as 57% is 57 where the
//! unit is %), and refused where it cannot (3-1 that became a date). An empty cell is never a number: 0 is.

use std::collections::HashMap;

use crate::{
    domain::{form::Severity, kinds::ValueStatus},
    resources::results::ResultInput,
    sheet::{
        table::{Table, Tables},
        write::EXPLANATIONS,
    },
    value::{FiscalYear, Id, language::Bilingual, work},
};
use notes::Notes;
use rows::Reading;

pub use heads::{Heads, is_header, is_key};
pub use notes::{MOST_NOTES, SheetNames, TableNote};

mod cells;
pub mod heads;
mod notes;
mod remarks;
mod rows;
#[cfg(test)]
mod tests;

/// Most results a file may hold.
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
    /// Its target, as printed.
    pub target_text: Option<String>,
    /// The code of its goal.
    pub goal_code: String,
    /// The slug of its organization, and the organization's name.
    pub organization: [String; 2],
    /// The fiscal year of its policy.
    pub policy_year: FiscalYear,
}

/// The results of a file, as read.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// The results, in the order of the tables and their rows. Rows with errors are left out.
    pub entries: Vec<Entry>,
    /// Which columns each table has.
    pub heads: Vec<Heads>,
    /// The names of the tables.
    pub names: SheetNames,
    /// Errors and warnings by table and place; every detail about a cell begins with the cell's address.
    /// At most [`MOST_NOTES`]: reading ends where there are as many errors.
    pub notes: Vec<TableNote>,
}

/// A result of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The number of its table, from 0.
    pub table: usize,
    /// Its row.
    pub row: u32,
    /// The indicator.
    pub indicator_id: Id,
    /// The fiscal year.
    pub fiscal_year: FiscalYear,
    /// The version of the stored result that the row was made from: 0 of none. Null where the row does not say.
    pub version: Option<i64>,
    /// The result in the row; null where the table has no such column.
    pub result: ResultInput,
}

impl Sheet {
    /// Whether there is an error, so that nothing may be stored.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Error)
    }

    /// Whether the table of an entry has a column of this code.
    fn has(&self, entry: &Entry, code: &str) -> bool {
        self.heads.get(entry.table).is_some_and(|heads| heads.has(code))
    }

    /// Row, column and address of an entry's cell below this code.
    #[must_use]
    pub fn place(&self, entry: &Entry, code: &str) -> ((u32, u32), String) {
        let heads = self.heads.get(entry.table);
        let at = heads.map_or((entry.row, 1), |heads| heads.place(entry.row, code));
        (at, self.names.address(entry.table, at))
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
                    observation_status: if self.has(entry, "observation_status") || new.value_status != old.value_status {
                        new.observation_status
                    } else {
                        old.observation_status
                    },
                    $($field: if self.has(entry, stringify!($field)) { new.$field } else { old.$field },)+
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

/// Reads the tables of results in a file.
///
/// `lookup` finds the indicator with an id. Rows without a fiscal year are of `year`, and a bare 6 is the year of the
/// era nearest to `year`. Defaults: with a value `value_status` is `reported`; without one it must be stated.
/// `observation_status` is `final`, but `provisional` where the value is still to come (`not_yet_due`, `not_reported`,
/// `being_compiled`).
pub fn read(file: &Tables, year: Option<FiscalYear>, lookup: impl FnMut(Id) -> Option<KnownIndicator>) -> Sheet {
    let names = SheetNames::of(file);
    let mut reading = Reading {
        heads: Heads::default(),
        notes: Notes::of(names.clone()),
        year,
        lookup,
        seen: HashMap::new(),
        entries: Vec::new(),
    };
    if file.tables.is_empty() {
        heads::missing(&mut reading.notes);
    }
    let mut heads = Vec::new();
    for table in &file.tables {
        reading.table(table);
        heads.push(std::mem::take(&mut reading.heads));
        reading.notes.table += 1;
    }
    unread_sheets(file, &mut reading.notes);
    Sheet {
        entries: reading.entries,
        heads,
        names,
        notes: reading.notes.done(),
    }
}

/// Warns of worksheets that are not read. Those that explain an exported table hold nothing to read.
fn unread_sheets(file: &Tables, notes: &mut Notes) {
    let is_explained = |name: &&String| EXPLANATIONS.contains(&name.as_str());
    // Where there is no table at all, that is said already.
    let unread = file
        .unread
        .iter()
        .filter(|name| !file.tables.is_empty() && !is_explained(name));
    for name in unread {
        let detail = Bilingual::new(
            format!("シート「{name}」には「指標ID」の見出しがないため、読んでいません"),
            format!("the worksheet '{name}' has no head 指標ID (indicator_id), and was not read"),
        );
        notes.warn_of_sheet(name, "sheet_unread", detail);
    }
    for name in &file.hidden {
        let detail = Bilingual::new(
            format!("非表示のシート「{name}」は読んでいません"),
            format!("the worksheet '{name}' is hidden, and was not read"),
        );
        notes.warn_of_sheet(name, "hidden_sheet", detail);
    }
}

impl<L: FnMut(Id) -> Option<KnownIndicator>> Reading<L> {
    /// Reads a table.
    fn table(&mut self, table: &Table) {
        let Some(heads) = heads::find(table, &mut self.notes) else {
            return;
        };
        self.heads = heads;
        self.required_columns();
        self.layout(table);
        self.struck(table);
        let header = self.heads.row;
        for row in table.rows.iter().filter(|row| row.number > header) {
            if self.notes.full() {
                break;
            }
            work::spend(row.cells.len() * CELL);
            if !row.cells.iter().all(cells::is_blank) {
                self.row(row);
            }
        }
    }
}

/// The part of a text that a message repeats.
fn quoted(text: &str) -> String {
    text.chars().take(60).collect()
}
