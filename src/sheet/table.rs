//! The content of a spreadsheet, from any file format: rows of cells with their places.

use std::sync::Arc;

use chrono::NaiveDate;

use crate::{
    domain::form::{Note, Severity},
    value::{Time, language::Bilingual},
};

/// The head of a table is one of the first rows; above it stand titles.
pub const HEADER_ROWS: u32 = 20;
/// Most rows a file may have, empty ones not counted.
pub const MOST_ROWS: usize = 200_000;
/// Most columns a table may use; a cell further to the right is refused unless it is empty.
pub const MOST_COLUMNS: u32 = 64;
/// Most cells a file may have, in a workbook the empty ones too: twice as many as the largest table of results needs.
pub const MOST_CELLS: usize = 4_400_000;
/// Most bytes of text in all cells of a file; a text that cells share counts for each of them.
pub const MOST_TEXT: usize = 128 << 20;

/// The tables of a file, and what the file says beside them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tables {
    /// The tables: of a workbook those of all worksheets that have the heads, in their order; of CSV the one.
    pub tables: Vec<Table>,
    /// The names of worksheets that hold something, but no heads.
    pub unread: Vec<String>,
    /// The names of hidden worksheets, which are not read.
    pub hidden: Vec<String>,
    /// When the file was last saved, if it says so.
    pub saved_at: Option<Time>,
}

impl From<Table> for Tables {
    fn from(table: Table) -> Self {
        Self {
            tables: vec![table],
            ..Self::default()
        }
    }
}

/// A table as read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    /// The name of the table's worksheet; nothing for CSV.
    pub sheet: Option<String>,
    /// The rows from the top. Empty rows are left out: every row knows its number.
    pub rows: Vec<Row>,
    /// The runs of hidden columns: the first and the last of each.
    pub hidden_columns: Vec<(u32, u32)>,
    /// The ranges of merged cells, of which only the first cell holds something.
    pub merged: Vec<Merged>,
    /// The texts that are struck out.
    pub struck: Vec<Struck>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's number, from 1, as a spreadsheet shows it.
    pub number: u32,
    /// Whether the spreadsheet hides the row.
    pub hidden: bool,
    /// Its cells from the left. Empty ones are left out.
    pub cells: Vec<Cell>,
}

impl Row {
    /// The cell in a column, unless it is empty.
    #[must_use]
    pub fn cell(&self, column: u32) -> Option<&Cell> {
        let found = self.cells.binary_search_by_key(&column, |cell| cell.column).ok()?;
        self.cells.get(found)
    }
}

/// A cell with something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its column, from 1: 3 is C.
    pub column: u32,
    /// Whether the cell has a formula; then the content is the value last computed.
    pub formula: bool,
    /// The content.
    pub content: Content,
    /// Whether text of the cell is struck out. It is no part of the content; if all is struck out, that is an empty text.
    pub struck: bool,
}

/// The content of a cell, by kind: a spreadsheet shows a date or 57% where the file has 45747 or 0.57.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text; in CSV every cell is text.
    Text(Arc<str>),
    /// A number.
    Number(Number),
    /// A day, whatever its time.
    Date(NaiveDate),
    /// A time of day, a duration, or a day that no calendar has.
    Time,
    /// TRUE or FALSE.
    Boolean(bool),
    /// An error: #N/A, #DIV/0!
    Error(Arc<str>),
    /// A formula that no spreadsheet has computed.
    Uncomputed,
}

/// A number as stored, and how the spreadsheet shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Its digits, to the 15 that a spreadsheet keeps.
    pub digits: Arc<str>,
    /// Whether the number is shown as a percentage: a hundred times the stored one, with a %.
    pub percent: bool,
    /// How many decimal places are always shown.
    pub places: u32,
    /// The text that the spreadsheet shows, if that is more or less than the number alone: 49 of 48.7, 49% of 0.485, 1,234 of
    /// 1234000, 57人 of 57.
    pub shown: Option<Arc<str>>,
}

/// A text that is struck out in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// Row and column of the cell.
    pub at: (u32, u32),
    /// The text.
    pub text: Arc<str>,
    /// Whether nothing else stands in the cell.
    pub alone: bool,
}

/// A range of merged cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// Row and column of its first cell.
    pub first: (u32, u32),
    /// Row and column of its last cell.
    pub last: (u32, u32),
}

/// The address of a cell as a spreadsheet shows it: C7 for row 7, column 3.
#[must_use]
pub fn address(row: u32, column: u32) -> String {
    format!("{}{row}", column_name(column))
}

/// The letters of a column: C for 3, AA for 27.
#[must_use]
pub fn column_name(column: u32) -> String {
    let (mut left, mut letters) = (column, Vec::new());
    while let Some(rest) = left.checked_sub(1) {
        letters.extend(char::from_digit(rest % 26 + 10, 36));
        left = rest / 26;
    }
    letters.iter().rev().map(char::to_ascii_uppercase).collect()
}

/// Row and column of an address: (7, 3) for C7. Nothing for an address beyond the largest spreadsheet there is.
#[must_use]
pub fn place(address: &str) -> Option<(u32, u32)> {
    let digits = address.find(|c: char| c.is_ascii_digit())?;
    let (letters, row) = address.split_at_checked(digits)?;
    if letters.is_empty() || letters.len() > 3 || row.len() > 7 || !row.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let column = letters.chars().try_fold(0, |column, letter| {
        let value = letter.is_ascii_alphabetic().then(|| letter.to_digit(36)).flatten()?;
        Some(column * 26 + value - 9)
    })?;
    let row = row.parse().ok()?;
    (row > 0).then_some((row, column))
}

/// The error that a file is no table, or one beyond the limits.
pub(super) fn refused(code: &'static str, (line, column): (u32, u32), ja: &str, en: &str) -> Note {
    Note {
        severity: Severity::Error,
        code,
        line,
        column,
        detail: Bilingual::new(ja, en),
    }
}

/// Builds the tables of a file, and counts their parts, so that all of them together stay within the limits.
#[derive(Debug, Default)]
pub(super) struct Builder {
    table: Table,
    rows: usize,
    cells: usize,
    text: usize,
}

impl Builder {
    /// Begins the table of a worksheet.
    pub(super) fn begin(&mut self, sheet: &str) {
        self.table = Table {
            sheet: Some(sheet.to_owned()),
            ..Table::default()
        };
    }

    /// Adds a cell to the row being read.
    pub(super) fn cell(&mut self, row: u32, cells: &mut Vec<Cell>, cell: Cell) -> Result<(), Note> {
        let column = cell.column;
        if column > MOST_COLUMNS {
            let at = match &self.table.sheet {
                Some(sheet) => format!("{sheet}!{}", address(row, column)),
                None => address(row, column),
            };
            return Err(refused(
                "too_many_columns",
                (row, column),
                &format!("{at}: 使える列は{MOST_COLUMNS}列までです"),
                &format!("{at}: a table has at most {MOST_COLUMNS} columns"),
            ));
        }
        self.count(row, column)?;
        let text = match &cell.content {
            Content::Text(text) => Some(text),
            Content::Number(number) => number.shown.as_ref(),
            _ => None,
        };
        self.text((row, column), text.map_or(0, |text| text.len()))?;
        cells.push(cell);
        Ok(())
    }

    /// Adds a text that is struck out.
    pub(super) fn struck(&mut self, struck: Struck) -> Result<(), Note> {
        self.text(struck.at, struck.text.len())?;
        self.table.struck.push(struck);
        Ok(())
    }

    fn text(&mut self, at: (u32, u32), bytes: usize) -> Result<(), Note> {
        self.text += bytes;
        if self.text <= MOST_TEXT {
            return Ok(());
        }
        let mebibytes = MOST_TEXT >> 20;
        Err(refused(
            "too_large",
            at,
            &format!("セルの文字は合わせて{mebibytes} MiBまでです"),
            &format!("the cells of a file hold at most {mebibytes} MiB of text"),
        ))
    }

    /// Counts an empty cell.
    pub(super) fn count(&mut self, row: u32, column: u32) -> Result<(), Note> {
        self.cells += 1;
        if self.cells > MOST_CELLS {
            return Err(refused(
                "too_many_cells",
                (row, column),
                &format!("セルは{MOST_CELLS}個までです"),
                &format!("a file has at most {MOST_CELLS} cells"),
            ));
        }
        Ok(())
    }

    /// Adds a row, unless it is empty.
    pub(super) fn row(&mut self, row: Row) -> Result<(), Note> {
        if row.cells.is_empty() {
            return Ok(());
        }
        if self.rows == MOST_ROWS {
            return Err(refused(
                "too_many_rows",
                (row.number, 1),
                &format!("行は合わせて{MOST_ROWS}行までです"),
                &format!("a file has at most {MOST_ROWS} rows"),
            ));
        }
        self.rows += 1;
        self.table.rows.push(row);
        Ok(())
    }

    /// The table that was begun last.
    pub(super) fn table(&mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    /// The table, to set everything but its rows.
    pub(super) fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_those_of_spreadsheets() {
        for (row, column, text) in [
            (7, 3, "C7"),
            (1, 1, "A1"),
            (10, 26, "Z10"),
            (2, 27, "AA2"),
            (1_048_576, 16_384, "XFD1048576"),
        ] {
            assert_eq!(address(row, column), text);
            assert_eq!(place(text), Some((row, column)));
        }
        for text in ["", "A", "7", "A0", "AAAA1", "A12345678", "あ1", "A1B", "$A$1", "A-1"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn a_table_has_so_many_cells_and_so_much_text() {
        let mut builder = Builder::default();
        for _ in 0..MOST_CELLS {
            builder.count(1, 1).unwrap();
        }
        assert_eq!(builder.count(7, 3).unwrap_err().code, "too_many_cells");
        // A text that cells share counts for each of them.
        let text: Arc<str> = "x".repeat(1 << 20).into();
        let (mut builder, mut cells) = (Builder::default(), Vec::new());
        let mut add = || {
            let content = Content::Text(Arc::clone(&text));
            let cell = Cell {
                column: 1,
                formula: false,
                content,
                struck: false,
            };
            builder.cell(1, &mut cells, cell)
        };
        for _ in 0..MOST_TEXT >> 20 {
            add().unwrap();
        }
        assert_eq!(add().unwrap_err().code, "too_large");
    }

    proptest! {
        #[test]
        fn an_address_leads_back_to_its_cell(row in 1_u32..9_999_999, column in 1_u32..18_278) {
            prop_assert_eq!(place(&address(row, column)).unwrap(), (row, column));
        }

        #[test]
        fn no_address_makes_reading_panic(text in "\\PC*") {
            let _ = place(&text);
        }
    }
}
