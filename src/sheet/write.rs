//! Tables as files: CSV, XLSX, NDJSON. Row by row, so that no table is held in memory.
//!
//! The files follow the rules for machine-readable tables: one head, one row for each thing, one value in each cell,
//! numbers as numbers, nothing merged. A cell is empty where nothing is known; 0 is a value.

use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, BufWriter, Seek, Write},
};

use super::Column;
use crate::{
    error::{Error, Result},
    value::{Codes, Date, Decimal, FiscalYear, GoalCode, Id, Line, Prose, Slug, Time, Yen},
};

mod blank;
mod book;
mod cp932;
mod csv;

pub(in crate::sheet) use blank::MADE;
pub use blank::{About, CodeList, EXPLANATIONS};
pub use csv::Encoding;

/// The content of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(Cow<'static, str>),
    /// A number, in digits.
    Number(String),
    /// A number of an indicator, in digits, and the decimal places that the indicator is stated with.
    Measure(String, usize),
    /// An amount in yen, in digits.
    Amount(String),
    /// A day.
    Day(Date),
    /// Yes or no.
    Flag(bool),
    /// A code, and its label.
    Code(&'static str, &'static str),
}

impl Cell {
    /// A number of an indicator that is stated with so many decimal places.
    #[must_use]
    pub fn measure(value: Option<Decimal>, decimals: i32) -> Self {
        let places = usize::try_from(decimals).unwrap_or(0);
        value.map_or(Self::Empty, |value| Self::Measure(written(value), places))
    }

    /// The cell as text, for people if `named`, else for programs.
    fn text(&self, named: bool) -> Cow<'_, str> {
        match self {
            Self::Empty => "".into(),
            Self::Text(text) => text.as_ref().into(),
            Self::Number(digits) | Self::Measure(digits, _) | Self::Amount(digits) => digits.into(),
            Self::Day(day) => day.0.to_string().into(),
            Self::Flag(true) => "true".into(),
            Self::Flag(false) => "false".into(),
            Self::Code(_, label) if named => (*label).into(),
            Self::Code(code, _) => (*code).into(),
        }
    }
}

impl<T: Codes> From<T> for Cell {
    fn from(item: T) -> Self {
        Self::Code(item.code(), item.japanese())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// Makes cells of values by their written form.
macro_rules! cells {
    ($kind:ident: $($type:ty),+) => { $(
        impl From<$type> for Cell {
            fn from(value: $type) -> Self {
                Self::$kind(written(value).into())
            }
        }
    )+ };
}
cells!(Number: Decimal, FiscalYear, i32, i64);
cells!(Text: String, Id, Slug, GoalCode, Time);

fn written(value: impl Display) -> String {
    value.to_string()
}

impl From<Yen> for Cell {
    fn from(Yen(amount): Yen) -> Self {
        Self::Amount(written(amount))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Date> for Cell {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl<const MAX: usize> From<Line<MAX>> for Cell {
    fn from(Line(text): Line<MAX>) -> Self {
        Self::Text(text.into())
    }
}

impl<const MAX: usize> From<Prose<MAX>> for Cell {
    fn from(Prose(text): Prose<MAX>) -> Self {
        Self::Text(text.into())
    }
}

/// The file format of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values (RFC 4180).
    Csv(Encoding),
    /// A workbook.
    Xlsx,
    /// One JSON object a line, its keys the codes of the columns.
    Lines,
}

/// A table as it is written.
pub struct Writer<W: Write + Seek> {
    columns: Vec<Column>,
    /// The places of these columns in the table; none where they are the table's own.
    chosen: Option<Vec<usize>>,
    /// Whether heads and codes are written as labels.
    named: bool,
    to: To<W>,
}

enum To<W: Write + Seek> {
    Csv(Box<csv::Csv<W>>),
    Xlsx(Box<book::Book<W>>),
    Lines(BufWriter<W>),
}

impl<W: Write + Seek> Writer<W> {
    /// Begins a table in a file, with its head. Of the table's columns the file has those at the chosen places, or all.
    pub fn new(
        form: &Form,
        table: &[Column],
        chosen: Option<Vec<usize>>,
        named: bool,
        about: &About,
        out: W,
    ) -> Result<Self> {
        let columns: Vec<Column> = match &chosen {
            None => table.to_vec(),
            Some(places) => places.iter().filter_map(|place| table.get(*place).copied()).collect(),
        };
        let heads = columns.iter().map(|(code, head)| if named { *head } else { *code });
        let to = match form {
            Form::Csv(encoding) => To::Csv(Box::new(csv::Csv::new(*encoding, heads, out)?)),
            Form::Xlsx => To::Xlsx(Box::new(book::Book::new(&columns, named, about, out)?)),
            Form::Lines => To::Lines(BufWriter::new(out)),
        };
        Ok(Self {
            columns,
            chosen,
            named,
            to,
        })
    }

    /// Writes a row: a cell for each column of the table.
    pub fn row(&mut self, cells: &[Cell]) -> Result<()> {
        let some: Vec<Cell>;
        let cells = match &self.chosen {
            None => cells,
            Some(places) => {
                some = places.iter().filter_map(|place| cells.get(*place).cloned()).collect();
                &some
            }
        };
        match &mut self.to {
            To::Csv(csv) => csv.row(cells, self.named),
            To::Xlsx(book) => book.row(cells),
            To::Lines(out) => write_line(out, &self.columns, cells).map_err(Error::unwritten),
        }
    }

    /// The finished file.
    pub fn finish(self) -> Result<W> {
        match self.to {
            To::Csv(csv) => csv.finish(),
            To::Xlsx(book) => book.finish(),
            To::Lines(out) => out.into_inner().map_err(|e| Error::unwritten(e.into_error())),
        }
    }
}

/// Writes a row as an object, on a line.
fn write_line(out: &mut impl Write, columns: &[Column], cells: &[Cell]) -> io::Result<()> {
    let mut before = "{\"";
    for ((code, _), cell) in columns.iter().zip(cells) {
        for part in [before, code, "\":"] {
            out.write_all(part.as_bytes())?;
        }
        before = ",\"";
        let text = cell.text(false);
        match cell {
            Cell::Empty => out.write_all(b"null")?,
            Cell::Number(_) | Cell::Measure(..) | Cell::Amount(_) | Cell::Flag(_) => out.write_all(text.as_bytes())?,
            Cell::Text(_) | Cell::Day(_) | Cell::Code(..) => serde_json::to_writer(&mut *out, &text)?,
        }
    }
    out.write_all(b"}\n")
}
