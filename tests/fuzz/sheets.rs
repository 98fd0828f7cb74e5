//! What holds of every spreadsheet that was read.

use ward_policy::{
    domain::form::Note,
    http::validation::{Rules as _, violations},
    resources::{
        imports::results_table::{self, KnownIndicator, MOST_NOTES},
        results::ResultInput,
    },
    sheet::table::{MOST_COLUMNS, Table},
    value::FiscalYear,
};

/// Holds a table, and the results read from it, against what is promised of them.
pub fn hold(table: Result<Table, Note>) {
    let table = match table {
        Ok(table) => table,
        Err(note) => {
            assert!(note.line >= 1 && note.column >= 1, "{note:?}");
            return;
        }
    };
    assert!(table.rows.is_sorted_by(|a, b| a.number < b.number));
    for row in &table.rows {
        assert!(row.cells.is_sorted_by(|a, b| a.column < b.column));
        assert!(row.cells.iter().all(|cell| (1..=MOST_COLUMNS).contains(&cell.column)));
    }
    for (year, unit) in [(None, None), (FiscalYear::new(2024), Some("%"))] {
        let known = || KnownIndicator {
            name: "満足している区民の割合".to_owned(),
            unit: unit.map(str::to_owned),
        };
        let sheet = results_table::read(&table, year, |_| Some(known()));
        assert!(sheet.notes.len() <= MOST_NOTES);
        assert!(sheet.notes.is_sorted_by_key(|note| (note.line, note.column)));
        let whole = sheet.heads.has("value") && !sheet.is_refused();
        for entry in sheet.entries.iter().filter(|_| whole) {
            // What a table says is what a request could have said; one without values speaks of those that are stored.
            let document = serde_json::to_value(&entry.result).unwrap_or_default();
            let broken = violations::<ResultInput>(&document);
            assert!(
                broken.is_empty() && entry.result.broken().is_empty(),
                "{document}: {broken:?}"
            );
        }
    }
}
