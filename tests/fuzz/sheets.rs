//! What holds of every spreadsheet that was read.

use ward_policy::{
    domain::form::Note,
    http::validation::{Rules as _, violations},
    resources::{
        imports::results_table::{self, KnownIndicator, MOST_NOTES},
        results::ResultInput,
    },
    sheet::table::{MOST_COLUMNS, Tables},
    value::FiscalYear,
};

/// Holds the tables of a file, and the results read from them, against what is promised of them.
pub fn hold(file: Result<Tables, Note>) {
    let file = match file {
        Ok(file) => file,
        Err(note) => {
            assert!(note.line >= 1 && note.column >= 1, "{note:?}");
            return;
        }
    };
    for table in &file.tables {
        assert!(table.rows.is_sorted_by(|a, b| a.number < b.number));
        for row in &table.rows {
            assert!(row.cells.is_sorted_by(|a, b| a.column < b.column));
            assert!(row.cells.iter().all(|cell| (1..=MOST_COLUMNS).contains(&cell.column)));
        }
    }
    for (year, unit) in [(None, None), (FiscalYear::new(2024), Some("%"))] {
        let known = || KnownIndicator {
            name: "満足している区民の割合".to_owned(),
            unit: unit.map(str::to_owned),
            target_text: None,
            goal_code: "1-1".to_owned(),
            organization: ["nishi".to_owned(), "西区".to_owned()],
            policy_year: FiscalYear::new(2024).expect("a fiscal year"),
        };
        let sheet = results_table::read(&file, year, |_| Some(known()));
        assert!(sheet.notes.len() <= MOST_NOTES);
        let by_table = sheet.notes.chunk_by(|a, b| a.sheet == b.sheet);
        for notes in by_table {
            assert!(file.tables.len() > 1 || notes.is_sorted_by_key(|note| (note.line, note.column)));
        }
        let whole = |table: usize| sheet.heads.get(table).is_some_and(|heads| heads.has("value"));
        let entries = sheet.entries.iter().filter(|entry| whole(entry.table));
        for entry in entries.filter(|_| !sheet.is_refused()) {
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
