//! Streams the cells of a worksheet. Type, style and formula of a cell together tell its kind.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};

use super::{
    Note, Workbook,
    package::{Element, Package, Step, unreadable},
    strings::{Runs, unescaped},
    styles::Shown,
};
use crate::sheet::table::{Builder, Cell, Content, Merged, Number, Row, Table, place};

/// Most merged ranges and runs of hidden columns to remember: more than messages name.
const MOST_RANGES: usize = 1_000;
/// The last row of the largest spreadsheet there is.
const LAST_ROW: u32 = 1_048_576;
/// Significant digits of a number in a spreadsheet: further stored digits come from binary fractions.
const DIGITS: u32 = 15;

/// Reads a worksheet.
pub(super) fn read(package: &mut Package<'_>, part: &str, workbook: &Workbook) -> Result<Table, Note> {
    let mut reader = Reader {
        workbook,
        part,
        builder: Builder::default(),
        in_data: false,
        row: None,
        last_row: 0,
        last_column: 0,
        cell: None,
    };
    let found = package.walk(part, |step| reader.step(&step))?;
    // A stream that ends early is no worksheet, even if its beginning can be read.
    if !found || reader.in_data {
        return Err(unreadable(part));
    }
    Ok(reader.builder.table())
}

struct Reader<'w> {
    workbook: &'w Workbook,
    part: &'w str,
    builder: Builder,
    in_data: bool,
    row: Option<Row>,
    last_row: u32,
    last_column: u32,
    cell: Option<Open>,
}

/// A cell that is being read.
struct Open {
    column: u32,
    kind: String,
    style: Option<usize>,
    formula: bool,
    /// The text of the element `v`, if the cell has one.
    value: Option<String>,
    in_value: bool,
    inline: Runs,
}

impl Reader<'_> {
    fn step(&mut self, step: &Step<'_>) -> Result<(), Note> {
        match step {
            Step::Open(element) => self.open(element)?,
            Step::Close("sheetData") => self.in_data = false,
            Step::Close("row") if self.in_data => {
                if let Some(row) = self.row.take() {
                    self.builder.row(row)?;
                }
            }
            Step::Close("c") => self.close_cell()?,
            _ => {}
        }
        if let Some(cell) = &mut self.cell {
            match step {
                Step::Open(element) if element.name() == "v" => {
                    cell.in_value = true;
                    cell.value.get_or_insert_default();
                }
                Step::Open(element) if element.name() == "f" => cell.formula = true,
                Step::Close("v") => cell.in_value = false,
                Step::Text(text) if cell.in_value => cell.value.get_or_insert_default().push_str(text),
                step => cell.inline.step(step),
            }
        }
        Ok(())
    }

    fn open(&mut self, element: &Element<'_>) -> Result<(), Note> {
        let table = self.builder.table_mut();
        match element.name() {
            "sheetData" => self.in_data = true,
            "row" if self.in_data => self.open_row(element)?,
            "c" if self.in_data => self.open_cell(element)?,
            "col" if !self.in_data && element.flag("hidden")? && table.hidden_columns.len() < MOST_RANGES => {
                let column = |it: Option<std::borrow::Cow<'_, str>>| it.and_then(|it| it.parse().ok());
                let run = column(element.attribute("min")?).zip(column(element.attribute("max")?));
                table.hidden_columns.extend(run);
            }
            "mergeCell" if !self.in_data && table.merged.len() < MOST_RANGES => {
                let range = element.attribute("ref")?.unwrap_or_default();
                if let Some((first, last)) = range.split_once(':') {
                    let ends = place(first).zip(place(last));
                    table.merged.extend(ends.map(|(first, last)| Merged { first, last }));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn open_row(&mut self, element: &Element<'_>) -> Result<(), Note> {
        let number = match element.attribute("r")? {
            Some(number) => number.parse().ok(),
            None => self.last_row.checked_add(1),
        };
        let number = number.filter(|number| *number > self.last_row && *number <= LAST_ROW && self.row.is_none());
        let number = number.ok_or_else(|| unreadable(self.part))?;
        self.last_row = number;
        self.last_column = 0;
        self.row = Some(Row {
            number,
            hidden: element.flag("hidden")?,
            cells: Vec::new(),
        });
        Ok(())
    }

    fn open_cell(&mut self, element: &Element<'_>) -> Result<(), Note> {
        let column = match element.attribute("r")? {
            Some(address) => place(&address)
                .filter(|(row, _)| *row == self.last_row)
                .map(|(_, column)| column),
            None => self.last_column.checked_add(1),
        };
        let in_row = self.row.is_some() && self.cell.is_none();
        let column = column.filter(|column| *column > self.last_column && in_row);
        let column = column.ok_or_else(|| unreadable(self.part))?;
        self.last_column = column;
        self.cell = Some(Open {
            column,
            kind: element.attribute("t")?.unwrap_or_default().into_owned(),
            style: element.attribute("s")?.and_then(|style| style.parse().ok()),
            formula: false,
            value: None,
            in_value: false,
            inline: Runs::default(),
        });
        Ok(())
    }

    fn close_cell(&mut self) -> Result<(), Note> {
        let (Some(open), Some(row)) = (self.cell.take(), &mut self.row) else {
            return Ok(());
        };
        let Some(content) = content(&open, self.workbook).map_err(|Malformed| unreadable(self.part))? else {
            return self.builder.count(row.number, open.column);
        };
        let cell = Cell {
            column: open.column,
            formula: open.formula,
            content,
        };
        self.builder.cell(row.number, &mut row.cells, cell)
    }
}

/// A cell that breaks the rules of XLSX.
struct Malformed;

/// The content of a cell, if any.
fn content(open: &Open, workbook: &Workbook) -> Result<Option<Content>, Malformed> {
    if open.formula && (open.value.is_none() || workbook.is_uncomputed) {
        return Ok(Some(Content::Uncomputed));
    }
    let value = open.value.as_deref().unwrap_or_default();
    let text = |text: Arc<str>| (!text.is_empty()).then_some(Content::Text(text));
    Ok(match open.kind.as_str() {
        "inlineStr" => text(unescaped(&open.inline.text).into()),
        "str" => text(unescaped(value).into()),
        _ if value.trim().is_empty() => None,
        "s" => {
            let number = value.trim().parse::<usize>().ok();
            let shared = number.and_then(|number| workbook.strings.get(number));
            text(Arc::clone(shared.ok_or(Malformed)?))
        }
        "b" => Some(Content::Boolean(matches!(value.trim(), "1" | "true"))),
        "e" => Some(Content::Error(value.into())),
        "d" => Some(iso_day(value)),
        "" | "n" => Some(number(value.trim(), workbook.formats.of(open.style), workbook.is_1904)),
        _ => return Err(Malformed),
    })
}

fn number(stored: &str, shown: Shown, is_1904: bool) -> Content {
    let digits = as_kept(stored);
    let (percent, places) = match shown {
        Shown::Number(places) => (false, places),
        Shown::Percent(places) => (true, places),
        Shown::Date => return day(&digits, is_1904).map_or(Content::Time, Content::Date),
        Shown::Time => return Content::Time,
    };
    Content::Number(Number {
        digits: digits.into(),
        percent,
        places,
    })
}

/// A number to the digits that a spreadsheet keeps: 81.2 for 81.200000000000003.
fn as_kept(stored: &str) -> String {
    // No program writes longer numbers; a longer text stays as it is, and is refused where a number is needed.
    let number = (stored.len() <= 40).then(|| stored.parse().or_else(|_| Decimal::from_scientific(stored)));
    let kept = number
        .and_then(Result::ok)
        .and_then(|number| number.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero));
    kept.map_or_else(|| stored.to_owned(), |number| number.normalize().to_string())
}

/// The day of a serial number; nothing where no calendar has it.
fn day(serial: &str, is_1904: bool) -> Option<NaiveDate> {
    let serial = serial.parse::<Decimal>().ok()?.floor().to_u64()?;
    let (year, month, first) = match serial {
        _ if is_1904 => (1904, 1, 1),
        // Spreadsheets know a 29 February 1900, which never was: days before it count from another day.
        0 | 60 => return None,
        1..60 => (1899, 12, 31),
        _ => (1899, 12, 30),
    };
    let last = NaiveDate::from_ymd_opt(9999, 12, 31)?;
    NaiveDate::from_ymd_opt(year, month, first)?
        .checked_add_days(Days::new(serial))
        .filter(|day| *day <= last)
}

fn iso_day(value: &str) -> Content {
    let day = value.get(..10).and_then(|day| day.parse().ok());
    day.map_or(Content::Time, Content::Date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_to_fifteen_digits() {
        for (stored, kept) in [
            ("81.200000000000003", "81.2"),
            ("5.7000000000000002E-2", "0.057"),
            ("0.56999999999999995", "0.57"),
            ("0.1", "0.1"),
            ("1E-3", "0.001"),
            ("1e3", "1000"),
            ("0", "0"),
            ("-0.30000000000000004", "-0.3"),
            ("1.23456789012346E+18", "1234567890123460000"),
            ("0.33333333333333331", "0.333333333333333"),
            ("1E+400", "1E+400"),
            ("x", "x"),
            ("", ""),
        ] {
            assert_eq!(as_kept(stored), kept);
        }
    }

    #[test]
    fn serial_numbers_are_days() {
        for (serial, is_1904, expected) in [
            ("1", false, Some("1900-01-01")),
            ("59", false, Some("1900-02-28")),
            ("60", false, None),
            ("61", false, Some("1900-03-01")),
            ("45747", false, Some("2025-03-31")),
            ("45747.75", false, Some("2025-03-31")),
            ("44285", true, Some("2025-03-31")),
            ("0", true, Some("1904-01-01")),
            ("0.5", false, None),
            ("-1", false, None),
            ("2958465", false, Some("9999-12-31")),
            ("2958466", false, None),
            ("99999999999999999999", false, None),
        ] {
            assert_eq!(
                day(serial, is_1904).map(|day| day.to_string()).as_deref(),
                expected,
                "{serial}"
            );
        }
    }
}
