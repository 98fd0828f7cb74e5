//! Sorts the rows of a form into its boxes, before the content of any box is read.

use std::collections::{HashMap, HashSet};

use super::{
    Confidence,
    budgets::RawBudget,
    headings,
    labels::{Label, label_of, start},
    layout::{Cell, Item, Layout, Mark, Row},
    notes::{Notes, Place, quoted},
    split::has_target,
    table::{RawRecord, Table},
    width::bare,
};

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

/// Sorts rows into boxes.
pub(super) fn sort(layout: &Layout) -> Raw {
    let mut reader = Reader {
        raw: Raw::default(),
        aligned: layout.aligned,
        current: None,
        in_goal: false,
        codes: HashSet::new(),
        prose: HashMap::new(),
        heads: Vec::new(),
        heads_length: 0,
        table: None,
        label_column: None,
        below: 0,
        unit: None,
        finished: false,
    };
    for row in &layout.rows {
        reader.row(row);
        if reader.finished {
            break;
        }
    }
    reader.raw
}

struct Reader {
    raw: Raw,
    aligned: bool,
    /// The box that is open.
    current: Option<usize>,
    in_goal: bool,
    /// The codes of the goals so far.
    codes: HashSet<String>,
    /// The boxes of prose by goal and label.
    prose: HashMap<(Option<usize>, std::mem::Discriminant<Label>), usize>,
    /// The heads of the latest row of heads: their columns and boxes.
    heads: Vec<(usize, usize)>,
    heads_length: usize,
    table: Option<Table>,
    /// The column the latest label stood in, if it was in a table.
    label_column: Option<usize>,
    /// How many of the goal's last figures may have their amounts in the row below.
    below: usize,
    /// The unit the head of the form states.
    unit: Option<String>,
    finished: bool,
}

impl Item {
    pub(super) const fn place(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }
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
        let alone = row.cells.iter().map(|cell| cell.items.len()).sum::<usize>() == 1;
        if alone && (headings::is_mark(&item.text) || !row.table && headings::is_page_number(&item.text)) {
            return;
        }
        if self.title(row, item) || self.goal_heading(row, first, cell) {
            return;
        }
        if !self.started() && label_of(cell).is_none() {
            return self.header(row);
        }
        if self.in_goal && (self.budgets(row, item) || self.title_below(row, cell)) {
            return;
        }
        if !self.table(row) {
            self.cells(row, first);
        }
    }

    fn close(&mut self) {
        self.current = None;
        self.table = None;
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
            self.table = Some(table);
            return true;
        }
        let Some(table) = &mut self.table else { return false };
        let ends = row
            .cells
            .iter()
            .find(|cell| !cell.items.is_empty())
            .is_some_and(|cell| label_of(cell).is_some());
        if ends || !row.table {
            self.table = None;
            return false;
        }
        if let Some(record) = table.record(row, goal, self.aligned, &mut self.raw.notes) {
            self.raw.records.push(record);
        }
        true
    }

    /// The cells of a row: labels that open boxes, and content of boxes.
    fn cells(&mut self, row: &Row, first: usize) {
        let mut heads = Vec::new();
        let mut labelled = false;
        let mut filled: Option<usize> = None;
        for (column, cell) in row.cells.iter().enumerate().filter(|(_, cell)| !cell.items.is_empty()) {
            let found = label_of(cell).filter(|(found, used)| {
                let whole = found.rest.is_empty() && *used == cell.items.len();
                let prose = self
                    .current
                    .is_some_and(|at| self.raw.boxes.get(at).is_some_and(|open| !open.label.is_head()));
                column == first || whole || found.label.is_head() && !prose
            });
            let Some((found, used)) = found else {
                if !labelled && self.is_unknown_label(row, column, cell) {
                    labelled = true;
                    self.unknown_label(cell);
                    continue;
                }
                if !labelled && !self.heads.is_empty() {
                    self.by_head(row, column);
                }
                self.add(cell, filled.is_some_and(|before| before != column));
                filled = Some(column);
                continue;
            };
            if !labelled {
                self.heads.clear();
            }
            labelled = true;
            filled = None;
            if column == first {
                self.label_column = row.table.then_some(column);
            }
            let Some(item) = cell.items.first() else { continue };
            let label = self.in_context(found.label, &item.text);
            self.open(label, found.year, item.place(), found.confidence);
            if self.finished {
                return;
            }
            if label.is_head()
                && let Some(at) = self.current
            {
                heads.push((column, at));
            }
            let rest = (!found.rest.is_empty()).then(|| {
                let skipped = item
                    .text
                    .get(..item.text.len() - found.rest.len())
                    .map_or(0, |part| part.chars().count());
                let column = if self.aligned {
                    item.column + super::layout::number(skipped)
                } else {
                    item.column
                };
                Item {
                    text: found.rest.to_owned(),
                    column,
                    ..item.clone()
                }
            });
            let content = rest.into_iter().chain(cell.items.iter().skip(used).cloned());
            if let Some(open) = self.current.and_then(|at| self.raw.boxes.get_mut(at)) {
                open.items.extend(content);
            }
        }
        if labelled && (2..=MOST_HEADS).contains(&heads.len()) {
            self.heads = heads;
            self.heads_length = row.cells.len();
        }
    }

    /// Whether a cell is at the place of a label, but is no known label.
    fn is_unknown_label(&self, row: &Row, column: usize, cell: &Cell) -> bool {
        let [item] = cell.items.as_slice() else { return false };
        if !item.exact.is_empty() {
            return false;
        }
        let there = cell.head || self.aligned && row.table && self.label_column == Some(column);
        let short = item.text.chars().nth(30).is_none();
        let bulleted = item.text.starts_with(['・', '･', '●', '■', '①', '②', '③', '(', '（']);
        let under_head = self.heads.iter().any(|(at, _)| *at == column);
        there && short && !bulleted && !under_head && !item.text.ends_with('。') && item.mark == Mark::Block
    }

    fn unknown_label(&mut self, cell: &Cell) {
        self.current = None;
        self.heads.clear();
        if let Some(item) = cell.items.first() {
            let text = quoted(&item.text);
            self.raw.notes.warning(
                "label_unknown",
                item.place(),
                format!("「{text}」という欄は分からないため、取り込みません"),
                format!("the box '{text}' is not known and is left out"),
            );
        }
    }

    /// 目標 within a goal is the head of its targets.
    fn in_context(&self, label: Label, text: &str) -> Label {
        let plain = bare(start(text));
        let is_target =
            label == Label::Vision && self.in_goal && plain.trim_start_matches(['【', '[', '■']).starts_with("目標");
        if is_target { Label::Targets } else { label }
    }

    /// Opens the box whose head is above a cell.
    fn by_head(&mut self, row: &Row, column: usize) {
        let length = row.cells.len();
        let starts = self.heads.first().map_or(0, |(at, _)| *at);
        let in_order = length == self.heads.len() && (column < starts || !self.aligned && length < self.heads_length);
        let found = if in_order {
            self.heads.get(column)
        } else {
            self.heads.iter().rev().find(|(at, _)| *at <= column)
        };
        match found {
            Some((_, at)) => self.current = Some(*at),
            None => self.current = None,
        }
    }

    /// Adds a cell to the open box; `beside` if the cell follows another one of its row.
    fn add(&mut self, cell: &Cell, beside: bool) {
        let Some(open) = self.current.and_then(|at| self.raw.boxes.get_mut(at)) else {
            if let Some(item) = cell.items.first().filter(|_| self.in_goal) {
                let text = quoted(&item.text);
                self.raw.notes.warning(
                    "text_unplaced",
                    item.place(),
                    format!("「{text}」がどの欄のものか分からないため、取り込みません"),
                    format!("'{text}' stands in no known box and is left out"),
                );
            }
            return;
        };
        // A target in a cell of its own beside the name of its indicator.
        if beside
            && cell.items.iter().all(|item| item.exact.is_empty())
            && matches!(open.label, Label::Indicators(_))
            && let ([target], Some(name)) = (cell.items.as_slice(), open.items.last_mut())
            && !has_target(&name.text)
            && (has_target(&target.text)
                || target
                    .text
                    .starts_with(|c: char| super::width::narrow(c).is_ascii_digit()))
        {
            name.text = format!("{}：{}", name.text, target.text);
            return;
        }
        open.items.extend(cell.items.iter().cloned());
    }

    fn open(&mut self, label: Label, year: Option<String>, place: Place, confidence: Confidence) {
        self.current = None;
        if label == Label::Goals {
            self.in_goal = false;
            return;
        }
        if label.is_of_policy() {
            self.in_goal = false;
        }
        let goal = self.raw.goals.len().checked_sub(1).filter(|_| self.in_goal);
        let prose = !label.is_head() && label != Label::ResultTable;
        let key = (goal, std::mem::discriminant(&label));
        if prose && let Some(at) = self.prose.get(&key) {
            let again = matches!(label, Label::Vision | Label::Mission | Label::BasicApproach);
            if again && !self.raw.goals.is_empty() {
                self.second_form(place);
                return;
            }
            self.current = Some(*at);
            self.raw.notes.warning(
                "box_repeated",
                place,
                "同じ欄が2度あります。続きとして読みました",
                "a box occurs twice: it was read as going on",
            );
            return;
        }
        let results = matches!(
            label,
            Label::ResultTable | Label::Results | Label::Previous | Label::Ratings
        );
        // The heads of the results come after the label of their table.
        if results
            && let Some(last) = self.raw.boxes.last_mut()
            && last.label == Label::ResultTable
            && last.goal == goal
            && last.items.is_empty()
        {
            if label == Label::ResultTable {
                self.current = self.raw.boxes.len().checked_sub(1);
                return;
            }
            self.raw.boxes.pop();
        }
        let group = self.group(label, goal);
        let at = self.raw.boxes.len();
        if prose {
            self.prose.insert(key, at);
        }
        self.raw.boxes.push(RawBox {
            label,
            year,
            goal,
            group,
            place,
            confidence,
            items: Vec::new(),
        });
        self.current = Some(at);
    }

    /// The group of a box: indicators after results begin a new group.
    fn group(&mut self, label: Label, goal: Option<usize>) -> usize {
        let after_results = self.raw.boxes.last().is_none_or(|last| {
            last.goal != goal
                || matches!(
                    last.label,
                    Label::ResultTable | Label::Results | Label::Previous | Label::Ratings
                )
        });
        let Some(goal) = goal.and_then(|at| self.raw.goals.get_mut(at)) else {
            return 0;
        };
        goal.boxes += 1;
        if goal.groups == 0 || matches!(label, Label::Indicators(_)) && after_results {
            goal.groups += 1;
        }
        goal.groups - 1
    }
}
