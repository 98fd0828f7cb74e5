//! The boxes of a form: cells that are labels open them, other cells are their content.

use super::{MOST_HEADS, RawBox, Reader};
use crate::domain::form::{
    Confidence,
    labels::{Label, label_of},
    layout::{Cell, Item, Mark, Row, number},
    notes::{Place, quoted},
    numbers::without_number,
    results::rate,
    split::has_target,
    width::{bare, is_figure, narrow, start},
};

impl Reader {
    /// The cells of a row: labels that open boxes, and content of boxes.
    pub(super) fn cells(&mut self, row: &Row) {
        let mut heads = Vec::new();
        let mut labelled = false;
        let mut filled: Option<usize> = None;
        let first = row.filled().next().map_or(0, |cell| cell.column);
        for cell in row.filled() {
            let column = cell.column;
            let found = label_of(cell).filter(|(found, used)| {
                let whole = found.rest.is_empty() && *used == cell.items.len();
                let prose = self
                    .current
                    .is_some_and(|at| self.raw.boxes.get(at).is_some_and(|open| !open.label.is_head()));
                column == first || whole || found.label.is_head() && !prose
            });
            let Some((found, used)) = found else {
                if !labelled && self.is_unknown_label(row, cell) {
                    labelled = true;
                    self.unknown_label(cell);
                    continue;
                }
                if !labelled && !self.heads.is_empty() {
                    self.by_head(row, cell);
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
                heads.push((column..cell.end, at));
            }
            let rest = (!found.rest.is_empty()).then(|| {
                let skipped = item
                    .text
                    .get(..item.text.len() - found.rest.len())
                    .map_or(0, |part| part.chars().count());
                let column = if self.plain_text {
                    item.column + number(skipped)
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
            self.heads_end = row.end();
        }
    }

    /// Whether a cell is at the place of a label, but is no known label.
    fn is_unknown_label(&self, row: &Row, cell: &Cell) -> bool {
        let column = cell.column;
        let [item] = cell.items.as_slice() else { return false };
        if !item.exact.is_empty() {
            return false;
        }
        let there = cell.head || self.plain_text && row.table && self.label_column == Some(column);
        let short = item.text.chars().nth(30).is_none();
        // A figure or a target at the place of a label is the rest of a line that broke off.
        let figure = item.text.starts_with(is_figure) && without_number(&item.text).is_none() || has_target(&item.text);
        let bulleted = item.text.starts_with(['・', '･', '●', '■', '①', '②', '③', '(', '（']);
        let under_head = self.heads.iter().any(|(columns, _)| columns.contains(&column));
        there && short && !bulleted && !figure && !under_head && !item.text.ends_with('。') && item.mark == Mark::Block
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
    fn by_head(&mut self, row: &Row, cell: &Cell) {
        let starts = self.heads.first().map_or(0, |(columns, _)| columns.start);
        let short = cell.column < starts || !self.plain_text && row.end() < self.heads_end;
        let found = if short && row.cells.len() == self.heads.len() {
            let place = row.cells.iter().position(|other| other == cell);
            place.and_then(|place| self.heads.get(place))
        } else {
            self.heads
                .iter()
                .rev()
                .find(|(columns, _)| columns.start <= cell.column)
        };
        self.current = found.map(|(_, at)| *at);
    }

    /// Adds a cell to the open box; `beside` if the cell follows another one of its row.
    fn add(&mut self, cell: &Cell, beside: bool) {
        let Some(open) = self.current.and_then(|at| self.raw.boxes.get_mut(at)) else {
            if let Some(item) = cell.items.first() {
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
        // Ratings in a cell of their own beside their results.
        let before = open.items.len().saturating_sub(cell.items.len());
        if beside
            && open.label == Label::Results
            && let Some(results) = open.items.get_mut(before..)
            && rate(results, &cell.items)
        {
            return;
        }
        // A target in a cell of its own beside the name of its indicator.
        if beside
            && cell.items.iter().all(|item| item.exact.is_empty())
            && matches!(open.label, Label::Indicators(_))
            && let ([target], Some(name)) = (cell.items.as_slice(), open.items.last_mut())
            && !has_target(&name.text)
            && (has_target(&target.text) || target.text.starts_with(|c: char| narrow(c).is_ascii_digit()))
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
