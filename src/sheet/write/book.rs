//! XLSX: the table, a sheet that says what it is, and one that explains its codes.

use std::fs::File;

use rust_xlsxwriter::{DataValidation, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::{Cell, temporary};
use crate::{
    error::{Error, Result, Violation},
    language::Bilingual,
    sheet::Column,
};

/// Most rows of a worksheet, the head included.
const MOST_ROWS: u32 = 1_048_576;
/// Decimal places that a number may show.
const MOST_PLACES: usize = 15;
/// Rows with lists to choose from, where a table is to be filled in.
const TO_FILL: u32 = 10_000;

/// What a workbook says of its table.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The name of the table.
    pub title: &'static str,
    /// What is to be said of it, by head: its source, its licence.
    pub facts: Vec<(&'static str, String)>,
    /// What the codes of its columns mean.
    pub codes: Vec<CodeList>,
    /// Whether it is to be filled in: then the cells with codes offer these.
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
pub(super) struct Book {
    workbook: Workbook,
    columns: &'static [Column],
    named: bool,
    about: About,
    /// The next row, from 0.
    row: u32,
    day: Format,
    /// Number formats by decimal places.
    places: Vec<Format>,
}

impl Book {
    pub(super) fn new(columns: &'static [Column], named: bool, about: About) -> Result<Self> {
        let mut workbook = Workbook::new();
        // The same table is the same file, whenever it is made.
        let made = ExcelDateTime::from_ymd(2024, 4, 1).map_err(Error::internal)?;
        workbook.set_properties(&DocProperties::new().set_title(about.title).set_creation_datetime(&made));
        let bold = Format::new().set_bold();
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(Error::internal)?;
        sheet.set_name(about.title).map_err(Error::internal)?;
        sheet.set_freeze_panes(1, 0).map_err(Error::internal)?;
        for (place, (code, head)) in (0..).zip(columns) {
            let wide = matches!(
                *code,
                "name" | "target_text" | "text" | "result_text" | "comment" | "source"
            );
            sheet
                .set_column_width(place, if wide { 40 } else { 16 })
                .map_err(Error::internal)?;
            let head = if named { *head } else { *code };
            sheet
                .write_string_with_format(0, place, head, &bold)
                .map_err(Error::internal)?;
        }
        Ok(Self {
            workbook,
            columns,
            named,
            about,
            row: 1,
            day: Format::new().set_num_format("yyyy-mm-dd"),
            places: (0..=MOST_PLACES).map(shown).collect(),
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<()> {
        if self.row >= MOST_ROWS {
            let detail = Bilingual::new(
                format!("ワークシートの上限（{MOST_ROWS}行）を超えます。csv か ndjson で取得してください"),
                format!("is more than the {MOST_ROWS} rows of a worksheet; take csv or ndjson"),
            );
            return Err(Error::malformed(Violation::of("format", "too_many_rows", detail)));
        }
        let sheet = self.workbook.worksheet_from_index(0).map_err(Error::internal)?;
        for (place, cell) in (0..).zip(cells) {
            write(sheet, (self.row, place), cell, self.named, &self.day, &self.places)?;
        }
        self.row += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<File> {
        self.explain().map_err(Error::internal)?;
        let out = temporary()?;
        let copy = out.try_clone().map_err(Error::internal)?;
        self.workbook.save_to_writer(copy).map_err(Error::internal)?;
        Ok(out)
    }

    fn explain(&mut self) -> Result<(), XlsxError> {
        if self.about.to_fill {
            let sheet = self.workbook.worksheet_from_index(0)?;
            for list in &self.about.codes {
                let place = self.columns.iter().position(|(code, _)| *code == list.column);
                let Some(place) = place.and_then(|place| u16::try_from(place).ok()) else {
                    continue;
                };
                let names = list.codes.iter();
                let names: Vec<&str> = names
                    .map(|(code, label)| if self.named { &label.ja } else { *code })
                    .collect();
                let choice = DataValidation::new().allow_list_strings(&names)?;
                sheet.add_data_validation(1, place, TO_FILL, place, &choice)?;
            }
        }
        let bold = Format::new().set_bold();
        let sheet = self.workbook.add_worksheet().set_name("この表について")?;
        sheet.set_column_width(0, 24)?.set_column_width(1, 100)?;
        for (row, (head, words)) in (0..).zip(&self.about.facts) {
            sheet.write_string_with_format(row, 0, *head, &bold)?;
            sheet.write_string(row, 1, words)?;
        }
        let sheet = self.workbook.add_worksheet().set_name("コード一覧")?;
        sheet.set_column_width(0, 24)?.set_column_width(1, 24)?;
        sheet.set_column_width(2, 32)?.set_column_width(3, 40)?;
        for (place, head) in (0..).zip(["列", "コード", "日本語", "English"]) {
            sheet.write_string_with_format(0, place, head, &bold)?;
        }
        let head = |column| self.columns.iter().find(|(code, _)| *code == column);
        let lines = self.about.codes.iter().flat_map(|list| {
            let head = head(list.column).map_or(list.column, |(_, head)| *head);
            list.codes.iter().map(move |(code, label)| (head, *code, label))
        });
        for (row, (head, code, label)) in (1..).zip(lines) {
            for (place, text) in (0..).zip([head, code, &label.ja, &label.en]) {
                sheet.write_string(row, place, text)?;
            }
        }
        Ok(())
    }
}

fn write(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    cell: &Cell,
    named: bool,
    day: &Format,
    places: &[Format],
) -> Result<()> {
    let written = match cell {
        Cell::Empty => return Ok(()),
        // A text cell is no formula; only an apostrophe of the text's own must not be taken for a guard.
        Cell::Text(text) if text.starts_with('\'') => sheet.write_string(row, place, format!("'{text}")),
        Cell::Text(text) => sheet.write_string(row, place, &**text),
        Cell::Code(..) => sheet.write_string(row, place, cell.text(named)),
        Cell::Flag(flag) => sheet.write_boolean(row, place, *flag),
        Cell::Day(date) => sheet.write_date_with_format(row, place, date.0, day),
        Cell::Number(digits) => {
            // At most 15 digits: a spreadsheet's number holds them all.
            let number: f64 = digits.parse().map_err(Error::internal)?;
            let shown = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            match places.get(shown) {
                Some(format) => sheet.write_number_with_format(row, place, number, format),
                None => sheet.write_number(row, place, number),
            }
        }
    };
    written.map(|_| ()).map_err(Error::internal)
}

/// The format that shows so many decimal places.
fn shown(places: usize) -> Format {
    let format = if places == 0 {
        "0".to_owned()
    } else {
        format!("0.{}", "0".repeat(places))
    };
    Format::new().set_num_format(format)
}
