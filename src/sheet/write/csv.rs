//! CSV: commas, quotes where needed, CRLF (RFC 4180).

use std::{collections::BTreeSet, io::Write};

use encoding_rs::SHIFT_JIS;

use super::Cell;
use crate::{
    error::{Error, Result, Violation},
    sheet::formula,
    value::language::Bilingual,
};

/// Bytes gathered before they are encoded and written.
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
    /// Windows-31J, for programs that read nothing else. A character that the encoding lacks is refused.
    Cp932,
}

/// A table in CSV.
pub(super) struct Csv<W> {
    encoding: Encoding,
    rows: csv::Writer<Vec<u8>>,
    out: W,
    /// Characters that the encoding does not have.
    foreign: BTreeSet<char>,
}

impl<W: Write> Csv<W> {
    pub(super) fn new<'a>(encoding: Encoding, heads: impl Iterator<Item = &'a str>, mut out: W) -> Result<Self> {
        if encoding == (Encoding::Utf8 { bom: true }) {
            out.write_all("\u{feff}".as_bytes()).map_err(Error::unwritten)?;
        }
        let mut rows = rows();
        rows.write_record(heads).map_err(Error::internal)?;
        Ok(Self {
            encoding,
            rows,
            out,
            foreign: BTreeSet::new(),
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell], named: bool) -> Result<()> {
        for cell in cells {
            let text = cell.text(named);
            let text = match cell {
                Cell::Text(_) => formula::guarded(&text),
                _ => text,
            };
            self.rows.write_field(text.as_bytes()).map_err(Error::internal)?;
        }
        self.rows.write_record(None::<&[u8]>).map_err(Error::internal)?;
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
        if self.encoding != Encoding::Cp932 {
            return self.out.write_all(&bytes).map_err(Error::unwritten);
        }
        let text = String::from_utf8(bytes).map_err(Error::internal)?;
        let (encoded, _, _) = SHIFT_JIS.encode(&text);
        if SHIFT_JIS.decode(&encoded).0 != text {
            self.foreign.extend(text.chars().filter(|c| !survives(*c)));
        }
        if self.foreign.len() >= NAMED {
            self.check()?;
        }
        self.out.write_all(&encoded).map_err(Error::unwritten)
    }

    fn check(&self) -> Result<()> {
        if self.foreign.is_empty() {
            return Ok(());
        }
        let list: Vec<String> = self
            .foreign
            .iter()
            .take(NAMED)
            .map(|c| format!("{c} (U+{:04X})", u32::from(*c)))
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

/// Whether a character survives encoding and decoding: the encoding turns some into others, such as ¥ into \.
fn survives(c: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = c.encode_utf8(&mut buffer);
    let (encoded, _, unmappable) = SHIFT_JIS.encode(text);
    !unmappable && SHIFT_JIS.decode(&encoded).0 == text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cp932_does_not_have_does_not_survive() {
        for c in ['西', '①', '～', '－', '髙', '㈱', 'a', '\\'] {
            assert!(survives(c), "{c}");
        }
        for c in ['〜', '−', '¥', '😀', '𠮷', 'é'] {
            assert!(!survives(c), "{c}");
        }
    }
}
