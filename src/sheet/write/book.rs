//! XLSX: the table, a sheet about the table, and one that explains its codes.
//!
//! A library makes the workbook without rows, in memory. The rows are compressed into it as they come, so that no file
//! is needed but the finished one. (The library's own way to write row by row takes a temporary file, and panics when
//! the disk is full.)

use std::{
    fmt::{self, Write as _},
    io::{Cursor, Read as _, Seek, Write},
};

use chrono::NaiveDate;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{
    Cell,
    blank::{About, STYLES, Styles, blank, breaks_at, height, lines, taken_apart},
};
use crate::{
    error::{Error, Result, Violation},
    sheet::{Column, table::column_name},
    value::language::Bilingual,
};

/// Most rows of a worksheet, the head included.
const MOST_ROWS: u32 = 1_048_576;
/// Most bytes of a worksheet before compression: a plain zip has no place for parts of 4 GiB.
const MOST_BYTES: usize = 4_000_000_000;
/// The part that holds the table.
const TABLE: &str = "xl/worksheets/sheet1.xml";
/// The part that says how far the table's filter and its printed pages reach.
const EXTENTS: &str = "xl/workbook.xml";
/// Day 0 of spreadsheets, by their count of days since March 1900.
const DAY_0: NaiveDate = match NaiveDate::from_ymd_opt(1899, 12, 30) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// Bytes gathered before they are compressed and written.
const LARGE: usize = 1 << 16;

/// A table in a workbook.
pub(super) struct Book<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// Rows not written yet.
    gathered: String,
    /// Bytes of the table that are written, before compression.
    written: usize,
    /// The XML that follows the rows.
    end: String,
    /// The part [`EXTENTS`], which is written when the number of rows is known.
    extents: String,
    names: Vec<String>,
    /// At which width columns break lines.
    breaks: Vec<Option<u16>>,
    named: bool,
    /// The next row, from 1.
    row: u32,
    styles: Styles,
}

impl<W: Write + Seek> Book<W> {
    pub(super) fn new(columns: &[Column], named: bool, about: &About, out: W) -> Result<Self> {
        let bytes = blank(columns, named, about).map_err(Error::internal)?;
        let mut blank = ZipArchive::new(Cursor::new(bytes)).map_err(Error::internal)?;
        let mut text = |name| -> Result<String> {
            let mut text = String::new();
            let mut part = blank.by_name(name).map_err(Error::internal)?;
            part.read_to_string(&mut text).map_err(Error::internal)?;
            Ok(text)
        };
        let (table, extents) = (text(TABLE)?, text(EXTENTS)?);
        let (before, styles, end) = taken_apart(&table).ok_or_else(|| Error::internal("a workbook has no rows"))?;

        let mut zip = ZipWriter::new(out);
        for place in 0..blank.len() {
            let part = blank.by_index_raw(place).map_err(Error::internal)?;
            let name = part.name().map_err(Error::internal)?;
            if name != TABLE && name != EXTENTS {
                zip.raw_copy_file(part).map_err(Error::unwritten)?;
            }
        }
        // Not as a part of a zip64, which some versions of LibreOffice do not open.
        zip.start_file(TABLE, SimpleFileOptions::default())
            .map_err(Error::unwritten)?;
        Ok(Self {
            zip,
            gathered: before,
            written: 0,
            end: end.to_owned(),
            extents,
            names: (1..).take(columns.len()).map(column_name).collect(),
            breaks: columns.iter().map(|(code, _)| breaks_at(code)).collect(),
            named,
            row: STYLES,
            styles,
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        if self.row > MOST_ROWS || self.written > MOST_BYTES {
            let detail = Bilingual::new(
                format!("ワークシートの上限（{MOST_ROWS}行、圧縮前4GB）を超えます。csv か ndjson で取得してください"),
                format!(
                    "is more than the {MOST_ROWS} rows, or 4 GB before compression, of a worksheet; take csv or ndjson"
                ),
            );
            return Err(Error::malformed(Violation::of("format", "too_many_rows", detail)));
        }
        let row = self.row;
        let of_cell = |(cell, width): (&Cell, &Option<u16>)| match (cell, width) {
            (Cell::Text(text), Some(width)) => lines(text, *width),
            _ => 1,
        };
        let most = cells.iter().zip(&self.breaks).map(of_cell).max().unwrap_or(1);
        let height = height(most);
        write!(self.gathered, "<row r=\"{row}\" ht=\"{height}\" customHeight=\"1\">").map_err(Error::internal)?;
        for ((name, breaks), cell) in self.names.iter().zip(&self.breaks).zip(cells) {
            let text = breaks.map_or(&self.styles.text, |_| &self.styles.broken);
            let at = format_args!("r=\"{name}{row}\"");
            write(&mut self.gathered, at, cell, self.named, text, &self.styles)?;
        }
        self.gathered.push_str("</row>");
        self.row += 1;
        if self.gathered.len() > LARGE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.zip.write_all(self.gathered.as_bytes()).map_err(Error::unwritten)?;
        self.written += self.gathered.len();
        self.gathered.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W> {
        // Filter and pages reach to the last row, where the blank workbook has the row of styles.
        let last = self.row - 1;
        for name in &self.names {
            self.end = self
                .end
                .replace(&format!(":{name}{STYLES}\""), &format!(":{name}{last}\""));
            self.extents = self
                .extents
                .replace(&format!(":${name}${STYLES}<"), &format!(":${name}${last}<"));
        }
        self.gathered.push_str(&self.end);
        self.write()?;
        self.zip
            .start_file(EXTENTS, SimpleFileOptions::default())
            .map_err(Error::unwritten)?;
        self.gathered.push_str(&self.extents);
        self.write()?;
        self.zip.finish().map_err(Error::unwritten)
    }
}

/// Writes a cell at its address; an empty one is left out. `text` is the style of texts in its column.
fn write(
    out: &mut String,
    at: fmt::Arguments<'_>,
    cell: &Cell,
    named: bool,
    text: &str,
    styles: &Styles,
) -> Result<()> {
    let written = match cell {
        Cell::Empty => return Ok(()),
        // A text cell is no formula. Only an apostrophe of its own needs a guard, or reading would take it for one.
        Cell::Text(words) if words.starts_with('\'') => text_cell(out, at, text, &format!("'{words}")),
        Cell::Text(words) => text_cell(out, at, text, words),
        Cell::Code(..) => text_cell(out, at, text, &cell.text(named)),
        Cell::Flag(flag) => write!(out, "<c {at} s=\"{text}\" t=\"b\"><v>{}</v></c>", u8::from(*flag)),
        Cell::Day(date) => {
            let days = (date.0 - DAY_0).num_days();
            write!(out, "<c {at} s=\"{}\"><v>{days}</v></c>", styles.day)
        }
        Cell::Number(digits) => number_cell(out, at, styles.numbers.get(places(digits)), digits)?,
        // A value with more places than its indicator is stated with shows all of them: a reader sees what the cell holds.
        Cell::Measure(digits, stated) => {
            let style = styles.measures.get(places(digits).max(*stated));
            number_cell(out, at, style, digits)?
        }
        Cell::Amount(digits) => number_cell(out, at, Some(&styles.amount), digits)?,
    };
    written.map_err(Error::internal)
}

/// The decimal places that digits have.
fn places(digits: &str) -> usize {
    digits.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

fn number_cell(out: &mut String, at: fmt::Arguments<'_>, style: Option<&String>, digits: &str) -> Result<fmt::Result> {
    // At most 15 digits: a spreadsheet's number holds them all.
    let number: f64 = digits.parse().map_err(Error::internal)?;
    Ok(match style {
        Some(style) => write!(out, "<c {at} s=\"{style}\"><v>{number}</v></c>"),
        None => write!(out, "<c {at}><v>{number}</v></c>"),
    })
}

fn text_cell(out: &mut String, at: fmt::Arguments<'_>, style: &str, text: &str) -> fmt::Result {
    // Without this attribute blanks at the ends are lost.
    let space = if text.trim() == text {
        ""
    } else {
        " xml:space=\"preserve\""
    };
    write!(out, "<c {at} s=\"{style}\" t=\"inlineStr\"><is><t{space}>")?;
    let mut rest = text;
    while let Some(place) = rest.find(['&', '<', '>', '_', '\r']) {
        let (plain, special) = rest.split_at(place);
        out.push_str(plain);
        let escaped = match special.as_bytes().get(..7).unwrap_or(special.as_bytes()) {
            [b'&', ..] => "&amp;",
            [b'<', ..] => "&lt;",
            [b'>', ..] => "&gt;",
            [b'\r', ..] => "_x000D_",
            // Spreadsheets read _x0041_ as A.
            [b'_', b'x', code @ .., b'_'] if code.iter().all(u8::is_ascii_hexdigit) => "_x005F_",
            _ => "_",
        };
        out.push_str(escaped);
        rest = special.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push_str("</t></is></c>");
    Ok(())
}
