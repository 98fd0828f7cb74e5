//! Streams the cells of a worksheet. Type, style and formula of a cell together tell its kind.

use std::{ops::ControlFlow, sync::Arc};

use chrono::{Days, NaiveDate};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};

use super::{
    Note, Workbook,
    number_format::Shown,
    package::{Element, Package, Step, unreadable},
    strings::{CellText, Marks, Runs, unescaped},
    styles::Style,
};
use crate::sheet::table::{Builder, Cell, Content, HEADER_ROWS, Merged, Number, Row, Struck, Table, place};

/// Most merged ranges and runs of hidden columns to remember: more than messages name.
const MOST_RANGES: usize = 1_000;
/// The last row of the largest spreadsheet there is.
const LAST_ROW: u32 = 1_048_576;
/// Significant digits of a number in a spreadsheet: further stored digits come from binary fractions.
const DIGITS: u32 = 15;

/// What a worksheet is.
pub(super) enum Worksheet {
    /// A table: one of the first rows has the heads.
    Table(Table),
    /// Something else.
    Other,
    /// Empty.
    Empty,
}

/// Reads a worksheet, which has cells in the part. A worksheet without heads is only looked into; its size does not matter.
pub(super) fn read(
    package: &mut Package<'_>,
    (name, part): (&str, &str),
    workbook: &Workbook,
    builder: &mut Builder,
    has_heads: &impl Fn(&Row) -> bool,
) -> Result<Worksheet, Note> {
    builder.begin(name);
    let mut reader = Reader {
        workbook,
        part,
        builder,
        has_heads,
        is_table: false,
        is_empty: true,
        too_wide: None,
        in_data: false,
        row: None,
        last_row: 0,
        last_column: 0,
        cell: None,
    };
    let found = package.walk_until(part, |step| {
        reader.step(&step)?;
        let is_other = !reader.is_table && reader.last_row > HEADER_ROWS;
        Ok(if is_other {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    let ended = !reader.in_data || !reader.is_table && reader.last_row > HEADER_ROWS;
    // A stream that ends early is no worksheet, even if its beginning can be read.
    if !found || !ended {
        return Err(unreadable(part));
    }
    Ok(match (reader.is_table, reader.is_empty) {
        (true, _) => Worksheet::Table(builder.table()),
        (false, false) => Worksheet::Other,
        (false, true) => Worksheet::Empty,
    })
}

struct Reader<'w, F> {
    workbook: &'w Workbook,
    part: &'w str,
    builder: &'w mut Builder,
    has_heads: &'w F,
    /// Whether the heads were found.
    is_table: bool,
    is_empty: bool,
    /// The error of a cell too far to the right, which counts if the worksheet turns out to be a table.
    too_wide: Option<Note>,
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

impl<F: Fn(&Row) -> bool> Reader<'_, F> {
    fn step(&mut self, step: &Step<'_>) -> Result<(), Note> {
        match step {
            Step::Open(element) => self.open(element)?,
            Step::Close("sheetData") => self.in_data = false,
            Step::Close("row") if self.in_data => {
                if let Some(row) = self.row.take() {
                    self.is_empty &= row.cells.is_empty();
                    self.is_table |= row.number <= HEADER_ROWS && (self.has_heads)(&row);
                    if let (true, Some(note)) = (self.is_table, self.too_wide.take()) {
                        return Err(note);
                    }
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
                step => cell.inline.step(step)?,
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
        let style = self.workbook.styles.of(open.style);
        let read = content(&open, &style, self.workbook).map_err(|Malformed| unreadable(self.part))?;
        let Some((content, struck)) = read else {
            return self.builder.count(row.number, open.column);
        };
        let cell = Cell {
            column: open.column,
            formula: open.formula,
            content,
            struck: struck.is_some(),
        };
        if let Some(text) = struck {
            self.builder.struck(Struck {
                at: (row.number, open.column),
                text,
                alone: matches!(&cell.content, Content::Text(rest) if rest.trim().is_empty()),
            })?;
        }
        match self.builder.cell(row.number, &mut row.cells, cell) {
            Err(note) if note.code == "too_many_columns" && !self.is_table => {
                self.is_empty = false;
                self.too_wide.get_or_insert(note);
                Ok(())
            }
            done => done,
        }
    }
}

/// A cell that breaks the rules of XLSX.
struct Malformed;

/// The content of a cell, and the text that is struck out in it.
type Seen = (Content, Option<Arc<str>>);

/// What stands in a cell, if anything.
fn content(open: &Open, style: &Style, workbook: &Workbook) -> Result<Option<Seen>, Malformed> {
    if open.formula && (open.value.is_none() || workbook.is_uncomputed) {
        return Ok(Some((Content::Uncomputed, None)));
    }
    let value = open.value.as_deref().unwrap_or_default();
    let text = |text: &CellText| {
        let (text, struck) = text.seen(style.marks);
        (!text.is_empty() || struck.is_some()).then_some((Content::Text(text), struck))
    };
    let content = match open.kind.as_str() {
        "inlineStr" => return Ok(text(&open.inline.done())),
        "str" => return Ok(text(&CellText::plain(&unescaped(value)))),
        _ if value.trim().is_empty() => return Ok(None),
        "s" => {
            let number = value.trim().parse::<usize>().ok();
            let shared = number.and_then(|number| workbook.strings.get(number));
            return Ok(text(shared.ok_or(Malformed)?));
        }
        "b" => Content::Boolean(matches!(value.trim(), "1" | "true")),
        "e" => Content::Error(value.into()),
        "d" => iso_day(value),
        "" | "n" => number(value.trim(), style, workbook.is_1904),
        _ => return Err(Malformed),
    };
    // A number that is struck out or raised as a whole is none.
    Ok(if style.marks == Marks::default() {
        Some((content, None))
    } else {
        let words = match &content {
            Content::Number(number) => number.digits.to_string(),
            Content::Date(day) => day.to_string(),
            _ => value.trim().to_owned(),
        };
        text(&CellText::plain(&words))
    })
}

fn number(stored: &str, style: &Style, is_1904: bool) -> Content {
    let kept = as_kept(stored);
    let digits = kept.map_or_else(|| stored.to_owned(), |number| number.to_string());
    match style.format.show(kept) {
        Shown::Number { percent, places, text } => Content::Number(Number {
            digits: digits.into(),
            percent,
            places,
            shown: text,
        }),
        Shown::Date => day(&digits, is_1904).map_or(Content::Time, Content::Date),
        Shown::Time => Content::Time,
    }
}

/// A number to the digits that a spreadsheet keeps: 81.2 for 81.200000000000003. Nothing where it is beyond what can be held.
fn as_kept(stored: &str) -> Option<Decimal> {
    // No program writes longer numbers; a longer text stays as it is, and is refused where a number is needed.
    let number = (stored.len() <= 40).then(|| stored.parse().or_else(|_| Decimal::from_scientific(stored)));
    number
        .and_then(Result::ok)
        .and_then(|number| number.round_sf_with_strategy(DIGITS, RoundingStrategy::MidpointAwayFromZero))
        .map(|number| number.normalize())
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
            ("1E+400", ""),
            ("x", ""),
            ("", ""),
        ] {
            let read = as_kept(stored).map(|it| it.to_string());
            assert_eq!(read.unwrap_or_default(), kept);
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
