//! CSV: commas, quotes where needed, CRLF (RFC 4180).

use std::io::Write;

use super::{Cell, cp932};
use crate::{
    error::{Error, Result, Violation},
    sheet::{formula, table::address},
    value::language::Bilingual,
};

/// Bytes gathered before they are written.
const LARGE: usize = 1 << 16;
/// Characters a refusal names.
const NAMED: usize = 20;

/// How text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, with a byte order mark or without.
    Utf8 {
        /// Whether the mark stands at the beginning.
        bom: bool,
    },
    /// Windows-31J, for programs that read nothing else. A character that the encoding has no place for is refused.
    Cp932,
}

/// A table in CSV.
pub(super) struct Csv<W> {
    encoding: Encoding,
    rows: csv::Writer<Vec<u8>>,
    /// How many rows are written, that of the heads among them.
    written: u32,
    out: W,
    /// Characters that the encoding does not have, each with the first cell that it stands in.
    foreign: Vec<(char, String)>,
}

impl<W: Write> Csv<W> {
    pub(super) fn new<'a>(encoding: Encoding, heads: impl Iterator<Item = &'a str>, mut out: W) -> Result<Self> {
        if encoding == (Encoding::Utf8 { bom: true }) {
            out.write_all("\u{feff}".as_bytes()).map_err(Error::unwritten)?;
        }
        let mut csv = Self {
            encoding,
            rows: rows(),
            written: 0,
            out,
            foreign: Vec::new(),
        };
        for (column, head) in (1..).zip(heads) {
            csv.field(column, head)?;
        }
        csv.end_row()?;
        Ok(csv)
    }

    pub(super) fn row(&mut self, cells: &[Cell], named: bool) -> Result<()> {
        for (column, cell) in (1..).zip(cells) {
            let text = cell.text(named);
            let text = match cell {
                Cell::Text(_) => formula::guarded(&text),
                _ => text,
            };
            self.field(column, &text)?;
        }
        self.end_row()
    }

    fn field(&mut self, column: u32, text: &str) -> Result<()> {
        if self.encoding != Encoding::Cp932 {
            return self.rows.write_field(text).map_err(Error::internal);
        }
        let (bytes, foreign) = cp932::encode(text);
        for c in foreign {
            if self.foreign.len() < NAMED && self.foreign.iter().all(|(other, _)| *other != c) {
                self.foreign.push((c, address(self.written + 1, column)));
            }
        }
        // In CP932 no byte of a longer character is a comma, a quote or a line end.
        self.rows.write_field(bytes).map_err(Error::internal)
    }

    fn end_row(&mut self) -> Result<()> {
        self.rows.write_record(None::<&[u8]>).map_err(Error::internal)?;
        self.written += 1;
        if self.foreign.len() >= NAMED {
            self.check()?;
        }
        if self.rows.get_ref().len() > LARGE {
            self.write()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.write()?;
        self.check()?;
        Ok(self.out)
    }

    /// Writes the gathered rows.
    fn write(&mut self) -> Result<()> {
        let gathered = std::mem::replace(&mut self.rows, rows());
        let bytes = gathered.into_inner().map_err(Error::internal)?;
        self.out.write_all(&bytes).map_err(Error::unwritten)
    }

    fn check(&self) -> Result<()> {
        if self.foreign.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = self
            .foreign
            .iter()
            .map(|(c, at)| format!("{at}: {c} (U+{:04X})", u32::from(*c)))
            .collect();
        let list = list.join(", ");
        let detail = Bilingual::new(
            format!("CP932にない文字があります（{list}）。UTF-8で取得してください"),
            format!("CP932 does not have these characters: {list}; take UTF-8"),
        );
        Err(Error::malformed(Violation::of("encoding", "encoding", detail)))
    }
}

fn rows() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new())
}
