//! The notes of a report, bounded: all errors at once, but no more than somebody reads.

use std::sync::Arc;

use crate::{
    domain::form::Severity,
    sheet::table::{Tables, address},
    value::language::Bilingual,
};

/// Most notes a report holds. Errors come before warnings where there is no room for both.
pub const MOST_NOTES: usize = 200;

/// Most warnings of one kind, so that they leave room for others.
const MOST_ALIKE: usize = 50;

/// An error or warning about a file of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNote {
    /// How serious the note is.
    pub severity: Severity,
    /// The code of the note, for programs.
    ///
    /// Errors on the table: `no_header`, `unknown_column`, `repeated_column`, `missing_column`, `no_head`,
    /// `too_many_results`. On a row: `required`, `id`, `unknown_indicator`, `fiscal_year`, `repeated_result`,
    /// `value_required`, `goal_code_differs`, `organization_differs`, `policy_year_differs`, `version` (made from another
    /// version than the stored one). On a cell: `number`, `unit`, `percent`, `exponent`, `digits`, `count`, `date`, `time`,
    /// `boolean`, `text`, `error_value`, `formula`, `status_as_value`, `unknown_code`, `struck_out` (nothing else stands in
    /// it), and the rules of a result. Warnings: `hidden_column`, `hidden_row`, `hidden_sheet`, `sheet_unread`,
    /// `merged_cells`, `formula`, `number_as_text`, `shown_differs`, `struck_out`, `small_percent`, `name_differs`,
    /// `unit_differs`, `target_differs`, `text_differs`, `changed_since`.
    pub code: &'static str,
    /// The name of the worksheet; nothing for CSV.
    pub sheet: Option<Arc<str>>,
    /// The row, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The message, for people. It begins with the address of the cell, if it is about one.
    pub detail: Bilingual,
}

/// The names of the worksheets that tables stand in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SheetNames(Vec<Option<Arc<str>>>);

impl SheetNames {
    pub(super) fn of(file: &Tables) -> Self {
        let names = file.tables.iter().map(|table| table.sheet.as_deref().map(Arc::from));
        Self(names.collect())
    }

    /// The name of the worksheet of a table.
    #[must_use]
    pub fn name(&self, table: usize) -> Option<Arc<str>> {
        self.0.get(table).cloned().flatten()
    }

    /// The address of a cell: C7, or 実績!C7 where there are several tables.
    #[must_use]
    pub fn address(&self, table: usize, (row, column): (u32, u32)) -> String {
        let cell = address(row, column);
        match self.0.get(table) {
            Some(Some(name)) if self.0.len() > 1 => format!("{name}!{cell}"),
            _ => cell,
        }
    }
}

/// Errors and warnings as they are found.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) names: SheetNames,
    /// The number of the table that is read.
    pub(super) table: usize,
    /// Notes with the number of their table.
    errors: Vec<(usize, TableNote)>,
    warnings: Vec<(usize, TableNote)>,
}

impl Notes {
    pub(super) fn of(names: SheetNames) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    /// The address of a cell of the table that is read.
    pub(super) fn address(&self, at: (u32, u32)) -> String {
        self.names.address(self.table, at)
    }

    pub(super) fn add(&mut self, severity: Severity, code: &'static str, at: (u32, u32), detail: Bilingual) {
        let sheet = self.names.name(self.table);
        self.add_of(sheet, severity, code, at, detail);
    }

    /// Warns of a worksheet that is not read.
    pub(super) fn warn_of_sheet(&mut self, name: &str, code: &'static str, detail: Bilingual) {
        self.add_of(Some(name.into()), Severity::Warning, code, (1, 1), detail);
    }

    fn add_of(
        &mut self,
        sheet: Option<Arc<str>>,
        severity: Severity,
        code: &'static str,
        (line, column): (u32, u32),
        detail: Bilingual,
    ) {
        let kept = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        let alike = kept.iter().filter(|(_, note)| note.code == code).count();
        if kept.len() < MOST_NOTES && (severity == Severity::Error || alike < MOST_ALIKE) {
            let note = TableNote {
                severity,
                code,
                sheet,
                line,
                column,
                detail,
            };
            kept.push((self.table, note));
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

    /// The notes, by table and place.
    pub(super) fn done(self) -> Vec<TableNote> {
        let mut notes = self.errors;
        notes.extend(self.warnings);
        notes.truncate(MOST_NOTES);
        notes.sort_by_key(|(table, note)| (*table, note.line, note.column));
        notes.into_iter().map(|(_, note)| note).collect()
    }
}
