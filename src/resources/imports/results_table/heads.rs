//! The heads of a table of results: which column holds what.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization as _;

use super::notes::Notes;
use crate::{
    domain::form::Severity,
    error::nearest,
    sheet::{
        RESULT_COLUMNS,
        table::{Content, HEADER_ROWS, Row, Table},
    },
    value::language::Bilingual,
};

/// The column that makes a row the header.
const KEY: &str = "indicator_id";

/// Where the columns of a table stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heads {
    /// The row of the heads.
    pub row: u32,
    /// Columns by code: `value` stands in column 3.
    pub columns: BTreeMap<&'static str, u32>,
    /// Columns whose heads were refused.
    pub refused: BTreeSet<u32>,
}

impl Heads {
    /// Whether the table has a column of this code.
    #[must_use]
    pub fn has(&self, code: &str) -> bool {
        self.columns.contains_key(code)
    }

    /// Row and column of a row's cell below this code; without such a column, of the cell that names the indicator.
    #[must_use]
    pub fn place(&self, row: u32, code: &str) -> (u32, u32) {
        let column = self.columns.get(code).or_else(|| self.columns.get(KEY));
        (row, column.copied().unwrap_or(1))
    }
}

/// Whether a text is the head every table needs.
#[must_use]
pub fn is_key(text: &str) -> bool {
    // Heads are short: longer texts are not even compared.
    text.len() <= 100 && code_of(text) == Some(KEY)
}

/// Whether a row has the head every table needs.
#[must_use]
pub fn is_header(row: &Row) -> bool {
    let is_head = |content: &Content| matches!(content, Content::Text(text) if is_key(text));
    row.cells.iter().any(|cell| is_head(&cell.content))
}

/// Notes that no table was found.
pub(super) fn missing(notes: &mut Notes) {
    let detail = Bilingual::new(
        format!("最初の{HEADER_ROWS}行に「指標ID」（indicator_id）の見出しがありません"),
        format!("none of the first {HEADER_ROWS} rows has the head 指標ID (indicator_id)"),
    );
    notes.add(Severity::Error, "no_header", (1, 1), detail);
}

/// Finds the heads, and says what is wrong with them.
pub(super) fn find(table: &Table, notes: &mut Notes) -> Option<Heads> {
    let mut first = table.rows.iter().take_while(|row| row.number <= HEADER_ROWS);
    let Some(header) = first.find(|row| is_header(row)) else {
        missing(notes);
        return None;
    };
    let mut heads = Heads {
        row: header.number,
        ..Heads::default()
    };
    for cell in &header.cells {
        let at = (header.number, cell.column);
        let text = match &cell.content {
            Content::Text(text) => text,
            _ => "",
        };
        if text.trim().is_empty() && matches!(cell.content, Content::Text(_)) {
            continue;
        }
        let Some(code) = code_of(text) else {
            heads.refused.insert(cell.column);
            let detail = unknown(&notes.address(at), text);
            notes.add(Severity::Error, "unknown_column", at, detail);
            continue;
        };
        match heads.columns.get(code) {
            None => {
                heads.columns.insert(code, cell.column);
            }
            Some(column) => {
                heads.refused.insert(cell.column);
                let (here, there) = (notes.address(at), notes.address((at.0, *column)));
                let detail = Bilingual::new(
                    format!("{here}: {there} と同じ見出しです"),
                    format!("{here}: repeats the head of {there}"),
                );
                notes.add(Severity::Error, "repeated_column", at, detail);
            }
        }
    }
    Some(heads)
}

/// The Japanese head of a column.
pub(super) fn head(code: &str) -> &'static str {
    RESULT_COLUMNS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("", |(_, head)| head)
}

fn code_of(text: &str) -> Option<&'static str> {
    let plain = plain(text);
    RESULT_COLUMNS
        .iter()
        .find(|(code, head)| *code == plain || self::plain(head) == plain)
        .map(|(code, _)| *code)
}

fn unknown(at: &str, text: &str) -> Bilingual {
    let given = super::quoted(text);
    let known = RESULT_COLUMNS.iter().flat_map(|(code, head)| [*code, *head]);
    match nearest(text.trim(), known) {
        Some(near) => Bilingual::new(
            format!("{at}: 「{given}」という見出しはありません。「{near}」ではありませんか"),
            format!("{at}: there is no column '{given}'; did you mean '{near}'?"),
        ),
        None => Bilingual::new(
            format!("{at}: 「{given}」という見出しはありません"),
            format!("{at}: there is no column '{given}'"),
        ),
    }
}

/// A head without blanks, in half width and lower case.
fn plain(text: &str) -> String {
    text.nfkc()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .take(100)
        .collect()
}
