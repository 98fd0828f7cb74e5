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
use rust_xlsxwriter::{DataValidation, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::Cell;
use crate::{
    error::{Error, Result, Violation},
    sheet::{Column, table::column_name},
    value::language::Bilingual,
};

/// When every workbook was made, as it says: a fixed moment, so that equal tables make equal files.
pub(in crate::sheet) const MADE: &str = "2024-04-01T00:00:00Z";
/// The worksheets beside the table: about the table, and what its codes mean.
pub const EXPLANATIONS: [&str; 2] = ["この表について", "コード一覧"];
/// Most rows of a worksheet, the head included.
const MOST_ROWS: u32 = 1_048_576;
/// Decimal places that a number may show.
const MOST_PLACES: u16 = 15;
/// Rows that offer lists of codes, in a table to fill in.
const TO_FILL: u32 = 10_000;
/// The part that holds the table.
const TABLE: &str = "xl/worksheets/sheet1.xml";
/// The row of the blank workbook, from 1, with a cell in each style; the table's own rows replace it.
const STYLES: u32 = 2;
/// Day 0 of spreadsheets, by their count of days since March 1900.
const DAY_0: NaiveDate = match NaiveDate::from_ymd_opt(1899, 12, 30) {
    Some(day) => day,
    None => NaiveDate::MIN,
};
/// Bytes gathered before they are compressed and written.
const LARGE: usize = 1 << 16;

/// What a workbook says about its table.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The name of the table.
    pub title: &'static str,
    /// Facts about the table, by head: its source, its licence.
    pub facts: Vec<(&'static str, String)>,
    /// The meanings of the codes in its columns.
    pub codes: Vec<CodeList>,
    /// Whether people are to fill the table in: then cells for codes offer the list of them.
    pub to_fill: bool,
}

/// The codes of a column.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// The code of the column.
    pub column: &'static str,
    /// Codes with their labels.
    pub codes: Vec<(&'static str, Bilingual)>,
}

/// A table in a workbook.
pub(super) struct Book<W: Write + Seek> {
    zip: ZipWriter<W>,
    /// Rows not written yet.
    gathered: String,
    /// The XML that follows the rows.
    end: String,
    names: Vec<String>,
    named: bool,
    /// The next row, from 1.
    row: u32,
    styles: Styles,
}

/// The numbers of styles.
struct Styles {
    day: String,
    /// Styles of numbers, by decimal places.
    places: Vec<String>,
}

impl<W: Write + Seek> Book<W> {
    pub(super) fn new(columns: &[Column], named: bool, about: &About, out: W) -> Result<Self> {
        let bytes = blank(columns, named, about).map_err(Error::internal)?;
        let mut blank = ZipArchive::new(Cursor::new(bytes)).map_err(Error::internal)?;
        let mut table = String::new();
        let mut part = blank.by_name(TABLE).map_err(Error::internal)?;
        part.read_to_string(&mut table).map_err(Error::internal)?;
        drop(part);
        let (before, styles, end) = taken_apart(&table).ok_or_else(|| Error::internal("a workbook has no rows"))?;

        let mut zip = ZipWriter::new(out);
        for place in 0..blank.len() {
            let part = blank.by_index_raw(place).map_err(Error::internal)?;
            let is_table = part.name().map_err(Error::internal)? == TABLE;
            if !is_table {
                zip.raw_copy_file(part).map_err(Error::unwritten)?;
            }
        }
        // The part may grow beyond the 4 GiB of a plain zip.
        let options = SimpleFileOptions::default().large_file(true);
        zip.start_file(TABLE, options).map_err(Error::unwritten)?;
        Ok(Self {
            zip,
            gathered: before,
            end: end.to_owned(),
            names: (1..).take(columns.len()).map(column_name).collect(),
            named,
            row: STYLES,
            styles,
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        if self.row > MOST_ROWS {
            let detail = Bilingual::new(
                format!("ワークシートの上限（{MOST_ROWS}行）を超えます。csv か ndjson で取得してください"),
                format!("is more than the {MOST_ROWS} rows of a worksheet; take csv or ndjson"),
            );
            return Err(Error::malformed(Violation::of("format", "too_many_rows", detail)));
        }
        let row = self.row;
        write!(self.gathered, "<row r=\"{row}\">").map_err(Error::internal)?;
        for (name, cell) in self.names.iter().zip(cells) {
            let at = format_args!("r=\"{name}{row}\"");
            write(&mut self.gathered, at, cell, self.named, &self.styles)?;
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
        self.gathered.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<W> {
        self.gathered.push_str(&self.end);
        self.write()?;
        self.zip.finish().map_err(Error::unwritten)
    }
}

/// The workbook without the table's rows, but with one row that has a cell in each style they need.
fn blank(columns: &[Column], named: bool, about: &About) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::parse_from_str(MADE)?;
    workbook.set_properties(&DocProperties::new().set_title(about.title).set_creation_datetime(&made));
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet();
    sheet.set_name(about.title)?.set_freeze_panes(1, 0)?;
    for (place, (code, head)) in (0..).zip(columns) {
        let wide = matches!(
            *code,
            "name"
                | "target_text"
                | "text"
                | "result_text"
                | "comment"
                | "source"
                | "goal_title"
                | "explanation_ja"
                | "explanation_en"
        );
        sheet.set_column_width(place, if wide { 40 } else { 16 })?;
        sheet.write_string_with_format(0, place, if named { *head } else { *code }, &bold)?;
    }
    let day = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_blank(STYLES - 1, 0, &day)?;
    for places in 0..=MOST_PLACES {
        sheet.write_blank(STYLES - 1, 1 + places, &shown(places))?;
    }
    if about.to_fill {
        offer(sheet, columns, named, about)?;
    }
    explain(&mut workbook, columns, about)?;
    workbook.save_to_buffer()
}

/// The XML of a table before its rows, the styles, and the XML after the rows.
fn taken_apart(table: &str) -> Option<(String, Styles, &str)> {
    let (before, rest) = table.split_once(&format!("<row r=\"{STYLES}\""))?;
    let (row, end) = rest.split_once("</row>")?;
    let mut styles = row
        .split(" s=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .map(|(style, _)| style.to_owned());
    let styles = Styles {
        day: styles.next()?,
        places: styles.collect(),
    };
    // The extent of the table is not known yet; the file need not state it.
    let (first, rest) = before.split_once("<dimension ")?;
    let (_, rest) = rest.split_once("/>")?;
    let is_whole = styles.places.len() == usize::from(MOST_PLACES) + 1;
    is_whole.then(|| (format!("{first}{rest}"), styles, end))
}

/// Lets cells for codes offer the list of them.
fn offer(sheet: &mut Worksheet, columns: &[Column], named: bool, about: &About) -> Result<(), XlsxError> {
    for list in &about.codes {
        let place = columns.iter().position(|(code, _)| *code == list.column);
        let Some(place) = place.and_then(|place| u16::try_from(place).ok()) else {
            continue;
        };
        let choices: Vec<&str> = list
            .codes
            .iter()
            .map(|(code, label)| if named { &label.ja } else { *code })
            .collect();
        let choice = DataValidation::new().allow_list_strings(&choices)?;
        sheet.add_data_validation(1, place, TO_FILL, place, &choice)?;
    }
    Ok(())
}

/// Adds the sheets about the table and the meanings of its codes.
fn explain(workbook: &mut Workbook, columns: &[Column], about: &About) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    let [facts, codes] = EXPLANATIONS;
    let sheet = workbook.add_worksheet().set_name(facts)?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 100)?;
    for (row, (head, words)) in (0..).zip(&about.facts) {
        sheet.write_string_with_format(row, 0, *head, &bold)?;
        sheet.write_string(row, 1, words)?;
    }
    let sheet = workbook.add_worksheet().set_name(codes)?;
    sheet.set_column_width(0, 24)?.set_column_width(1, 24)?;
    sheet.set_column_width(2, 32)?.set_column_width(3, 40)?;
    for (place, head) in (0..).zip(["列", "コード", "日本語", "English"]) {
        sheet.write_string_with_format(0, place, head, &bold)?;
    }
    let head = |column| columns.iter().find(|(code, _)| *code == column);
    let lines = about.codes.iter().flat_map(|list| {
        let codes = list
            .codes
            .iter()
            .filter_map(|(code, label)| Some((head(list.column)?.1, *code, label)));
        codes.collect::<Vec<_>>()
    });
    for (row, (head, code, label)) in (1..).zip(lines) {
        for (place, text) in (0..).zip([head, code, &label.ja, &label.en]) {
            sheet.write_string(row, place, text)?;
        }
    }
    Ok(())
}

/// Writes a cell at its address; an empty one is left out.
fn write(out: &mut String, at: fmt::Arguments<'_>, cell: &Cell, named: bool, styles: &Styles) -> Result<()> {
    let written = match cell {
        Cell::Empty => return Ok(()),
        // A text cell is no formula. Only an apostrophe of its own needs a guard, or reading would take it for one.
        Cell::Text(text) if text.starts_with('\'') => text_cell(out, at, &format!("'{text}")),
        Cell::Text(text) => text_cell(out, at, text),
        Cell::Code(..) => text_cell(out, at, &cell.text(named)),
        Cell::Flag(flag) => write!(out, "<c {at} t=\"b\"><v>{}</v></c>", u8::from(*flag)),
        Cell::Day(date) => {
            let days = (date.0 - DAY_0).num_days();
            write!(out, "<c {at} s=\"{}\"><v>{days}</v></c>", styles.day)
        }
        Cell::Number(digits) => {
            // At most 15 digits: a spreadsheet's number holds them all.
            let number: f64 = digits.parse().map_err(Error::internal)?;
            let shown = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            match styles.places.get(shown) {
                Some(style) => write!(out, "<c {at} s=\"{style}\"><v>{number}</v></c>"),
                None => write!(out, "<c {at}><v>{number}</v></c>"),
            }
        }
    };
    written.map_err(Error::internal)
}

fn text_cell(out: &mut String, at: fmt::Arguments<'_>, text: &str) -> fmt::Result {
    // Without this attribute blanks at the ends are lost.
    let space = if text.trim() == text {
        ""
    } else {
        " xml:space=\"preserve\""
    };
    write!(out, "<c {at} t=\"inlineStr\"><is><t{space}>")?;
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

/// The format that shows so many decimal places.
fn shown(places: u16) -> Format {
    let format = match usize::from(places) {
        0 => "0".to_owned(),
        places => format!("0.{}", "0".repeat(places)),
    };
    Format::new().set_num_format(format)
}
