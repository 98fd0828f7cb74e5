//! Sorts the rows of a form into its boxes, before the content of any box is read.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    Confidence,
    budgets::RawBudget,
    headings,
    labels::{Label, label_of},
    layout::{Item, Layout, Row},
    legend::without_legend,
    notes::{Notes, Place, quoted},
    table::{RawRecord, Table},
};

mod boxes;
mod rows_above;

/// The most heads of a row that cells below are told apart by.
const MOST_HEADS: usize = 30;

/// A box: its label and its content.
#[derive(Debug)]
pub(super) struct RawBox {
    pub(super) label: Label,
    /// The year its label states, as printed.
    pub(super) year: Option<String>,
    /// The goal of the box; nothing for a box of the policy.
    pub(super) goal: Option<usize>,
    /// The box's group: a goal may have several groups of indicators and their results.
    pub(super) group: usize,
    pub(super) place: Place,
    pub(super) confidence: Confidence,
    pub(super) items: Vec<Item>,
}

/// A goal: its heading and budgets.
#[derive(Debug)]
pub(super) struct RawGoal {
    pub(super) code: String,
    pub(super) named: bool,
    pub(super) title: Option<(String, Place, Confidence)>,
    pub(super) place: Place,
    pub(super) budgets: Vec<RawBudget>,
    pub(super) unit: Option<String>,
    pub(super) groups: usize,
    pub(super) boxes: usize,
}

/// A form sorted into its boxes.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) organization: Option<(String, Place, Confidence)>,
    /// The year as printed: 令和6年度.
    pub(super) year: Option<(String, Place, Confidence)>,
    pub(super) head_title: Option<(String, Place)>,
    pub(super) head_name: Option<(String, Place)>,
    /// Whether the file has the title of a policy.
    pub(super) titled: bool,
    pub(super) boxes: Vec<RawBox>,
    pub(super) goals: Vec<RawGoal>,
    pub(super) records: Vec<RawRecord>,
    pub(super) notes: Notes,
}

/// Sorts rows into boxes, and adds to the notes.
pub(super) fn sort(layout: &Layout, notes: Notes) -> Raw {
    let mut reader = Reader {
        raw: Raw {
            notes,
            ..Raw::default()
        },
        plain_text: layout.plain_text,
        current: None,
        in_goal: false,
        codes: HashSet::new(),
        prose: HashMap::new(),
        heads: Vec::new(),
        heads_end: 0,
        table: None,
        may_join: false,
        label_column: None,
        below: 0,
        unit: None,
        unread: None,
        finished: false,
    };
    let mut rows = layout.rows.iter().peekable();
    while let Some(row) = rows.next().filter(|_| !reader.finished) {
        let below = rows
            .peek()
            .and_then(|below| Table::joined_heads(row, below, layout.plain_text));
        match below {
            Some(heads) => {
                rows.next();
                reader.row(&heads);
            }
            None => reader.row(row),
        }
    }
    reader.note_unread();
    reader.raw
}

#[expect(clippy::struct_excessive_bools, reason = "each is a state by itself")]
struct Reader {
    raw: Raw,
    plain_text: bool,
    /// The box that is open.
    current: Option<usize>,
    in_goal: bool,
    /// The codes of the goals so far.
    codes: HashSet<String>,
    /// The boxes of prose by goal and label.
    prose: HashMap<(Option<usize>, std::mem::Discriminant<Label>), usize>,
    /// The heads of the latest row of heads: their columns and boxes.
    heads: Vec<(Range<usize>, usize)>,
    heads_end: usize,
    table: Option<Table>,
    /// Whether the last record is of this table, so that a merged cell may reach from it into the next row.
    may_join: bool,
    /// The column the latest label stood in, if it was in a table.
    label_column: Option<usize>,
    /// How many of the goal's last figures may have their amounts in the row below.
    below: usize,
    /// The unit the head of the form states.
    unit: Option<String>,
    /// The texts above the first box that were not read: the first of them, its place, and how many there are.
    unread: Option<(String, Place, usize)>,
    finished: bool,
}

impl Reader {
    fn started(&self) -> bool {
        !self.raw.boxes.is_empty() || !self.raw.goals.is_empty()
    }

    fn row(&mut self, row: &Row) {
        let Some((first, cell)) = row.cells.iter().enumerate().find(|(_, cell)| !cell.items.is_empty()) else {
            return;
        };
        let Some(item) = cell.items.first() else { return };
        let is_legend = |text: &str| text.contains("達成") && without_legend(text).is_empty();
        if row
            .lone_item()
            .is_some_and(|item| headings::is_mark(&item.text) || is_legend(&item.text))
        {
            return;
        }
        if self.table_of_goals(row) || self.title(row, item) || self.goal_heading(row, first, cell) {
            return;
        }
        if !self.started() && label_of(cell).is_none() {
            return self.header(row);
        }
        if self.in_goal && (self.budgets(row, item) || self.title_below(row, cell)) {
            return;
        }
        self.content(row);
    }

    /// A row of a table, or of boxes.
    fn content(&mut self, row: &Row) {
        if !self.table(row) {
            self.cells(row);
        }
    }

    fn close(&mut self) {
        self.current = None;
        self.table = None;
        self.may_join = false;
        self.heads.clear();
        self.below = 0;
    }

    /// A row, or the row of heads, of a table with an indicator in each row.
    fn table(&mut self, row: &Row) -> bool {
        let Some(goal) = self.raw.goals.len().checked_sub(1).filter(|_| self.in_goal) else {
            return false;
        };
        if let Some(table) = Table::of_heads(row, self.raw.goals.last().map_or(0, |goal| goal.groups)) {
            self.close();
            if let Some(goal) = self.raw.goals.last_mut() {
                goal.groups += 1;
                goal.boxes += 1;
            }
            table.note_others(row, &mut self.raw.notes);
            self.table = Some(table);
            return true;
        }
        if self.table.is_none() {
            return false;
        }
        if !row.table || row.filled().next().is_some_and(|cell| label_of(cell).is_some()) {
            self.table = None;
            return false;
        }
        self.record(row, goal);
        true
    }

    /// A row of the open table.
    fn record(&mut self, row: &Row, goal: usize) {
        let Some(table) = &self.table else { return };
        let goes_on = table.goes_on(row);
        let record = table.record(row, goal, self.plain_text, &mut self.raw.notes);
        match (record, self.raw.records.last_mut().filter(|_| goes_on)) {
            (Some(record), Some(last)) if self.may_join => last.join(record),
            (Some(record), None) => {
                self.raw.records.push(record);
                self.may_join = true;
            }
            // The row above does not fit its heads, and this one belongs to it.
            (Some(_), Some(_)) => {}
            (None, _) => self.may_join = false,
        }
    }

    /// A row, or the row of heads, of a table with a column of goals: each goal stands beside its indicators.
    fn table_of_goals(&mut self, row: &Row) -> bool {
        if let Some(table) = Table::of_heads_with_goals(row) {
            self.close();
            table.note_others(row, &mut self.raw.notes);
            self.table = Some(table);
            return true;
        }
        let Some(table) = self.table.as_mut().filter(|table| row.table && table.has_goals()) else {
            return false;
        };
        if row.filled().next().is_some_and(|cell| label_of(cell).is_some()) {
            return false;
        }
        let is_remark = row.lone_item().is_some_and(|item| item.text.starts_with('※'));
        if let Some(item) = table.goal(row).filter(|_| !is_remark) {
            let Some(heading) = headings::goal_of(item) else {
                self.raw.notes.error(
                    "table_row",
                    item.place(),
                    format!(
                        "経営課題の欄の「{}」に番号がありません。「経営課題1-(1) 名称」のように書いてください",
                        quoted(&item.text)
                    ),
                    format!(
                        "the goal '{}' has no number: write it as 経営課題1-(1) and its title",
                        quoted(&item.text)
                    ),
                );
                self.may_join = false;
                return true;
            };
            table.of_next_goal();
            self.in_goal = true;
            self.may_join = false;
            self.codes.insert(heading.code.clone());
            self.raw.goals.push(RawGoal {
                title: (!heading.title.is_empty()).then(|| (heading.title.to_owned(), item.place(), Confidence::High)),
                code: heading.code,
                named: heading.named,
                place: item.place(),
                budgets: Vec::new(),
                unit: self.unit.clone(),
                groups: 1,
                boxes: 1,
            });
        }
        match self.raw.goals.len().checked_sub(1).filter(|_| self.in_goal) {
            Some(goal) => self.record(row, goal),
            None => return false,
        }
        true
    }
}
