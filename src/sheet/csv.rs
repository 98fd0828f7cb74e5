//! CSV (RFC 4180), as spreadsheets and people write it: `,`, `;` or a tab between cells, any line end, line breaks in
//! quotes.
//!
//! By hand, since messages name cells: the reader of the `csv` crate neither counts empty lines nor reports an unclosed
//! quote. Tests compare this reader with that crate's reader and writer.

use super::{
    decode::decode,
    table::{Builder, Cell, Content, HEADER_ROWS, Row, Table, address, refused},
};
use crate::{
    domain::form::Note,
    value::{composed, work},
};

/// The head is looked for in the first cells of a line.
const HEADER_CELLS: usize = 128;

/// Reads a table from the bytes of a CSV file. `is_key` knows the head that every table of its kind needs: the
/// separator is the one that sets this head apart. The error says why the file is no table.
pub fn read(bytes: &[u8], is_key: impl Fn(&str) -> bool) -> Result<Table, Note> {
    let text = decode(bytes)?;
    let mut reader = Reader::default();
    let separator = separator(&text, is_key);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match (reader.state, c) {
            (State::Quoted, '"') if characters.next_if_eq(&'"').is_some() => reader.cell.push('"'),
            (State::Quoted, '"') => reader.state = State::Closed,
            (State::Quoted, c) => reader.cell.push(c),
            (_, c) if c == separator => reader.end_cell()?,
            (_, '\n' | '\r') => {
                if c == '\r' {
                    characters.next_if_eq(&'\n');
                }
                reader.end_row()?;
            }
            (State::Begin, '"') => reader.state = State::Quoted,
            (State::Closed, c) if c.is_whitespace() => {}
            (State::Closed, _) => {
                return Err(reader.broken(
                    "読み終えた引用符の後に文字があります",
                    "has text behind its closing quote",
                ));
            }
            (_, c) => {
                reader.state = State::Bare;
                reader.cell.push(c);
            }
        }
    }
    if reader.state == State::Quoted {
        return Err(reader.broken("引用符が閉じられていません", "opens a quote that is never closed"));
    }
    reader.end_row()?;
    Ok(reader.builder.table())
}

/// Where in a cell the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Before the cell's first character.
    #[default]
    Begin,
    /// Past a first character that is no quote.
    Bare,
    /// Between quotes.
    Quoted,
    /// Past the closing quote.
    Closed,
}

#[derive(Debug, Default)]
struct Reader {
    builder: Builder,
    /// How many rows are read.
    rows: u32,
    cells: Vec<Cell>,
    /// How many cells of the row are read.
    columns: u32,
    cell: String,
    state: State,
}

impl Reader {
    fn at(&self) -> (u32, u32) {
        (self.rows.saturating_add(1), self.columns.saturating_add(1))
    }

    fn end_cell(&mut self) -> Result<(), Note> {
        let (row, column) = self.at();
        work::spend(self.cell.len() + 1);
        if !self.cell.is_empty() {
            let cell = Cell {
                column,
                formula: false,
                content: Content::Text(composed(&self.cell).into()),
                struck: false,
            };
            self.builder.cell(row, &mut self.cells, cell)?;
        }
        self.cell.clear();
        self.columns = column;
        self.state = State::Begin;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Note> {
        self.end_cell()?;
        self.rows = self.rows.saturating_add(1);
        self.columns = 0;
        self.builder.row(Row {
            number: self.rows,
            hidden: false,
            cells: std::mem::take(&mut self.cells),
        })
    }

    fn broken(&self, ja: &str, en: &str) -> Note {
        let (row, column) = self.at();
        let at = address(row, column);
        refused("quote", (row, column), &format!("{at}: {ja}"), &format!("{at}: {en}"))
    }
}

/// The separator of the cells: the one that sets the needed head apart; else the most frequent one.
fn separator(text: &str, is_key: impl Fn(&str) -> bool) -> char {
    const CANDIDATES: [char; 3] = [',', ';', '\t'];
    let mut most = (1, ',');
    let lines = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty());
    for (_, line) in (0..HEADER_ROWS).zip(lines) {
        for candidate in CANDIDATES {
            // No more cells than a header may have.
            let pieces = || {
                line.split(candidate)
                    .take(HEADER_CELLS)
                    .map(|piece| piece.trim().trim_matches('"'))
            };
            let count = pieces().inspect(|piece| work::spend(piece.len() + 1)).count();
            if count > 1 && pieces().any(&is_key) {
                return candidate;
            }
            if count > most.0 {
                most = (count, candidate);
            }
        }
    }
    most.1
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use proptest::prelude::*;

    /// The head that the tables of these tests need.
    fn is_key(text: &str) -> bool {
        ["indicator_id", "指標ID"].contains(&text)
    }

    fn shown(bytes: &[u8]) -> Vec<(String, String)> {
        let table = read(bytes, is_key).unwrap();
        let cell = |row: &Row, cell: &Cell| match &cell.content {
            Content::Text(text) => (address(row.number, cell.column), text.to_string()),
            other => panic!("{other:?}"),
        };
        table
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().map(move |it| cell(row, it)))
            .collect()
    }

    #[test]
    fn cells_stand_where_a_spreadsheet_shows_them() {
        for text in [
            "指標ID,年度,値\n\na,2024,1\n",
            "指標ID,年度,値\r\n\r\na,2024,1\r\n",
            "指標ID,年度,値\r\ra,2024,1",
            "指標ID;年度;値\n;;\na;2024;1;;;\n",
            "指標ID\t年度\t値\n\na\t2024\t1\n",
            "\"指標ID\" ,\"年度\",\"値\"\n\n\"a\",2024,\"1\"",
        ] {
            let cells = shown(text.as_bytes());
            let cells: Vec<_> = cells.iter().map(|(at, text)| (at.as_str(), text.as_str())).collect();
            let expected = [
                ("A1", "指標ID"),
                ("B1", "年度"),
                ("C1", "値"),
                ("A3", "a"),
                ("B3", "2024"),
                ("C3", "1"),
            ];
            assert_eq!(cells, expected, "{text:?}");
        }
    }

    #[test]
    fn quotes_hold_anything() {
        let cells = shown(b"a,\"x \"\"y\"\"\r\nz,\",5\" pipe\nb");
        let cells: Vec<_> = cells.iter().map(|(at, text)| (at.as_str(), text.as_str())).collect();
        assert_eq!(
            cells,
            [("A1", "a"), ("B1", "x \"y\"\r\nz,"), ("C1", "5\" pipe"), ("A2", "b")]
        );
    }

    #[test]
    fn what_is_broken_is_refused_by_address() {
        for (text, code, at) in [
            ("a,b\nc,\"d\ne,f", "quote", (2, 2)),
            ("a,b\n\"c\"d,e", "quote", (2, 1)),
            (&format!("a\n{}x", ",".repeat(64)), "too_many_columns", (2, 65)),
            (&"a\n".repeat(200_001), "too_many_rows", (200_001, 1)),
        ] {
            let note = read(text.as_bytes(), is_key).unwrap_err();
            assert_eq!((note.code, (note.line, note.column)), (code, at));
        }
        assert!(read(format!("a\n{}", ",".repeat(1000)).as_bytes(), is_key).is_ok());
    }

    #[test]
    fn twice_the_file_is_twice_the_work() {
        for part in [",", "a,", "\n", "\"a\"\n", ";a;\n", "\"", "a"] {
            let work = |count| work::counted(|| read(part.repeat(count).as_bytes(), is_key)).1;
            let (one, two) = (work(20_000), work(40_000));
            assert!((one..=one * 21 / 10).contains(&two), "{part:?}: {one}, {two}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = read(&bytes, is_key);
        }

        #[test]
        fn no_text_makes_reading_panic(text in "([\",;\t\r\n '=ａ指]|\\PC)*") {
            let _ = read(text.as_bytes(), is_key);
        }

        #[test]
        fn what_the_csv_crate_writes_is_read_as_it_reads_it(rows in prop::collection::vec(prop::collection::vec("[a\",\r\n ;']{0,6}", 1..5), 1..6)) {
            let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            writer.write_record(["indicator_id", "value"]).unwrap();
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let written = writer.into_inner().unwrap();
            let mut theirs = Vec::new();
            for (number, row) in ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(written.as_slice()).records().enumerate() {
                for (column, text) in row.unwrap().iter().enumerate().filter(|(_, text)| !text.is_empty()) {
                    theirs.push((address(u32::try_from(number).unwrap() + 1, u32::try_from(column).unwrap() + 1), text.to_owned()));
                }
            }
            prop_assert_eq!(shown(&written), theirs);
        }
    }
}
