//! Tables with an indicator in each row: 指標, 目標値, 実績, 達成状況 and 前年度実績 beside one another.

use super::{
    labels::{Label, label_of},
    layout::{Item, Mark, Row},
    notes::{Notes, Place},
};
use crate::domain::kinds::IndicatorKind;

/// The most columns of a table.
const MOST_COLUMNS: usize = 30;

/// The columns of a table, from its row of heads.
#[derive(Debug)]
pub(super) struct Table {
    /// The columns of the heads, and their labels.
    columns: Vec<(usize, Label)>,
    /// The years the heads state, as printed.
    years: Vec<Option<String>>,
    length: usize,
    kind: IndicatorKind,
    group: usize,
}

/// A row of a table: an indicator with its target and results.
#[derive(Debug)]
pub(super) struct RawRecord {
    pub(super) goal: usize,
    pub(super) group: usize,
    pub(super) kind: IndicatorKind,
    pub(super) place: Place,
    pub(super) name: Item,
    pub(super) target: Option<String>,
    /// The result, the year in the head of its column, and its place.
    pub(super) result: Option<(String, Option<String>, Place)>,
    pub(super) rating: Option<String>,
    pub(super) previous: Option<(String, Place)>,
}

impl Table {
    /// The table below a row, if every cell is a head: one of indicators, and at least one of another kind.
    pub(super) fn of_heads(row: &Row, group: usize) -> Option<Self> {
        let mut columns = Vec::new();
        let mut years = Vec::new();
        let mut kind = None;
        for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.items.is_empty()) {
            let (found, used) = label_of(cell)?;
            let label = if found.label == Label::Vision {
                Label::Targets
            } else {
                found.label
            };
            if !(found.rest.is_empty() && used == cell.items.len() && (label.is_head() || label == Label::ResultTable))
            {
                return None;
            }
            if let Label::Indicators(of) = label {
                kind.get_or_insert(of);
            }
            if label != Label::ResultTable {
                columns.push((column, label));
                years.push(found.year);
            }
        }
        let others = columns.iter().any(|(_, label)| !matches!(label, Label::Indicators(_)));
        let kind = kind.filter(|_| others && columns.len() <= MOST_COLUMNS)?;
        Some(Self {
            columns,
            years,
            length: row.cells.len(),
            kind,
            group,
        })
    }

    /// A row below the heads. If its cells do not fit the heads, the row is an error: nothing tells the cells apart.
    pub(super) fn record(&mut self, row: &Row, goal: usize, aligned: bool, notes: &mut Notes) -> Option<RawRecord> {
        let place = row
            .cells
            .iter()
            .find_map(|cell| cell.items.first())
            .map_or(Place::line(1), Item::place);
        let shift = if aligned || row.cells.len() == self.length {
            0
        } else {
            self.length
                .checked_sub(row.cells.len())
                .filter(|missing| *missing == self.before_names())
                .unwrap_or(usize::MAX)
        };
        let text_at = |column: usize| {
            let cell = row.cells.get(column.checked_sub(shift)?)?;
            let texts: Vec<&str> = cell.items.iter().map(|item| item.text.as_str()).collect();
            let place = cell.items.first().map(Item::place)?;
            Some((texts.join(" "), place))
        };
        let mut record = RawRecord {
            goal,
            group: self.group,
            kind: self.kind,
            place,
            name: Item {
                text: String::new(),
                line: place.line,
                column: place.column,
                mark: Mark::Listed,
                goes_on: false,
                exact: vec![],
            },
            target: None,
            result: None,
            rating: None,
            previous: None,
        };
        let mut used = 0;
        for ((column, label), year) in self.columns.iter().zip(&self.years) {
            let Some((text, place)) = text_at(*column) else {
                continue;
            };
            used += 1;
            match label {
                Label::Indicators(_) => {
                    let Place { line, column } = place;
                    record.name = Item {
                        text,
                        line,
                        column,
                        ..record.name
                    };
                }
                Label::Targets => record.target = Some(text),
                Label::Results => record.result = Some((text, year.clone(), place)),
                Label::Ratings => record.rating = Some(text),
                Label::Previous => record.previous = Some((text, place)),
                _ => {}
            }
        }
        let filled = row.cells.iter().filter(|cell| !cell.items.is_empty()).count();
        if record.name.text.is_empty() || used != filled {
            notes.error(
                "table_row",
                place,
                "この行のセルが表の見出しと合わないため、どの指標のものか分かりません",
                "the cells of this row do not fit the heads of its table: which indicator they belong to is unknown",
            );
            return None;
        }
        Some(record)
    }

    /// The number of heads before the column of names: cells below them may span rows.
    fn before_names(&self) -> usize {
        let names = self
            .columns
            .iter()
            .filter(|(_, label)| matches!(label, Label::Indicators(_)))
            .map(|(column, _)| *column);
        names.max().unwrap_or(0)
    }
}
