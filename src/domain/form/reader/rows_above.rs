//! The rows above boxes: the head of the form, and the headings and budgets of its goals.

use super::{Confidence, RawGoal, Reader};
use crate::domain::form::{
    budgets, headings,
    labels::{self, Label, label_of},
    layout::{Cell, Item, Row},
    notes::{Place, quoted},
    width::start,
};

impl Reader {
    /// A title. The first one names the organization and year of the form; a second one begins another form.
    pub(super) fn title(&mut self, row: &Row, item: &Item) -> bool {
        let whole: String = row
            .items()
            .take(4)
            .filter(|other| other.exact.is_empty() || *other == item)
            .map(|item| start(&item.text))
            .collect::<Vec<_>>()
            .join(" ");
        let Some(mut title) = headings::title(&whole) else {
            return false;
        };
        if let [organization] = item.exact.as_slice() {
            title.organization = Some(organization.clone());
        }
        let known = |field: &Option<(String, Place, Confidence)>| field.as_ref().map(|(text, ..)| text.clone());
        if self.raw.titled || !self.raw.goals.is_empty() {
            let (Some(year), Some(name)) = (&title.year, &title.organization) else {
                return false;
            };
            let same =
                known(&self.raw.year).as_ref() == Some(year) && known(&self.raw.organization).as_ref() == Some(name);
            if !same {
                self.second_form(item.place());
            }
            return true;
        }
        if self.started() && (title.year.is_none() || title.organization.is_none()) {
            return false;
        }
        self.raw.titled = true;
        let confidence = if self.started() {
            Confidence::Medium
        } else {
            Confidence::High
        };
        if let Some(year) = title.year {
            self.raw.year = Some((year, item.place(), confidence));
        }
        if let Some(name) = title.organization {
            self.raw.organization = Some((name, item.place(), confidence));
        }
        true
    }

    pub(super) fn second_form(&mut self, place: Place) {
        self.raw.notes.error(
            "two_forms",
            place,
            "ここから別の様式が始まっています。1つのファイルには1つの様式だけを入れてください",
            "another form begins here: a file may hold only one",
        );
        self.finished = true;
    }

    /// The lines above the first box: organization, year, head and unit.
    pub(super) fn header(&mut self, row: &Row) {
        let mut items = row.items();
        while let Some(item) = items.next() {
            let place = item.place();
            if let Some(year) = headings::year_alone(&item.text) {
                self.raw.year.get_or_insert((year, place, Confidence::High));
            } else if let Some(unit) = headings::unit(&item.text) {
                self.unit = Some(unit);
            } else if let Some(mut name) = headings::organization(&item.text) {
                if name.is_empty() {
                    let next = items.next().map_or("", |next| start(&next.text));
                    next.clone_into(&mut name);
                }
                if !name.is_empty() {
                    self.raw.organization.get_or_insert((name, place, Confidence::High));
                }
            } else if let Some((mut title, mut name)) = headings::head(&item.text) {
                if let [said, named] = item.exact.as_slice() {
                    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
                    (title, name) = (some(said), some(named));
                } else if name.is_none()
                    && let Some(next) = items.next()
                {
                    let together = format!("{} {}", title.as_deref().unwrap_or("所属長"), start(&next.text));
                    (title, name) = headings::head(&together).unwrap_or((title, name));
                }
                if self.raw.head_name.is_none() && (name.is_some() || !item.exact.is_empty()) {
                    self.raw.head_name = name.map(|name| (name, place));
                    self.raw.head_title = title.map(|title| (title, place));
                }
            } else {
                let (_, _, lines) = self.unread.get_or_insert_with(|| (quoted(&item.text), place, 0));
                *lines += 1;
            }
        }
    }

    /// Warns of texts above the first box that belong nowhere.
    pub(super) fn note_unread(&mut self) {
        if let Some((text, place, lines)) = self.unread.take() {
            let (ja, en) = match lines {
                1 => (String::new(), String::new()),
                _ => (format!("など{lines}行"), format!(" and so on, {lines} lines,")),
            };
            self.raw.notes.warning(
                "text_unplaced",
                place,
                format!("最初の欄より上にある「{text}」{ja}は、どの欄のものでもないため、取り込みません"),
                format!("'{text}'{en} above the first box belongs to none and is left out"),
            );
        }
    }

    pub(super) fn goal_heading(&mut self, row: &Row, first: usize, cell: &Cell) -> bool {
        let Some(item) = cell.items.first() else { return false };
        let Some(heading) = headings::goal_of(item) else {
            return false;
        };
        // The policy's evaluation mentions a goal; the mention is no new goal.
        let evaluated = self
            .current
            .and_then(|at| self.raw.boxes.get(at))
            .is_some_and(|open| matches!(open.label, Label::SelfEvaluation | Label::FuturePolicy));
        if evaluated && self.codes.contains(&heading.code) {
            return false;
        }
        self.codes.insert(heading.code.clone());
        // Within a table of results a bare number is no heading.
        if self.table.is_some() && !heading.named {
            return false;
        }
        let mut title = (!heading.title.is_empty()).then(|| (heading.title.to_owned(), item.place(), Confidence::High));
        let mut from = first + 1;
        if title.is_none() {
            let next = row
                .cells
                .iter()
                .enumerate()
                .flat_map(|(column, cell)| cell.items.iter().map(move |item| (column, item)));
            if let Some((column, next)) = next.skip_while(|(_, next)| *next != item).nth(1)
                && budgets::head(&next.text).is_none()
                && labels::find(&next.text).is_none()
            {
                title = Some((next.text.clone(), next.place(), Confidence::High));
                from = column + 1;
            }
        }
        let figures = budgets::of_row(row, from);
        let unit = row.items().find_map(|item| headings::unit(&item.text));
        let no_figures = figures.is_empty();
        self.close();
        self.in_goal = true;
        self.below = figures.len();
        self.raw.goals.push(RawGoal {
            code: heading.code,
            named: heading.named,
            title,
            place: item.place(),
            budgets: figures,
            unit: unit.or_else(|| self.unit.clone()),
            groups: 0,
            boxes: 0,
        });
        // A merged cell with the goal stands beside its boxes.
        let rest = Row {
            cells: row.cells.get(from..).unwrap_or_default().to_vec(),
            table: row.table,
        };
        if no_figures && rest.filled().next().is_some_and(|cell| label_of(cell).is_some()) {
            self.content(&rest);
        }
        true
    }

    /// The rows of a goal's budgets: above its boxes, or in a row of their own below.
    pub(super) fn budgets(&mut self, row: &Row, item: &Item) -> bool {
        // Amounts stand right below their heads or nowhere.
        let below = std::mem::take(&mut self.below);
        let Some(goal) = self.raw.goals.last_mut() else {
            return false;
        };
        let is_head = budgets::head(&item.text).is_some_and(|(head, _)| head.year.is_some() || head.unit.is_some());
        let start = goal.budgets.len().saturating_sub(below);
        if below > 0
            && let Some(figures) = goal.budgets.get_mut(start..)
        {
            if budgets::take_units(figures, row) {
                self.below = below;
                return true;
            }
            if budgets::fill_from_below(figures, row) {
                return true;
            }
        }
        if goal.boxes > 0 && !(row.table && is_head) {
            return false;
        }
        let unit = row.items().find_map(|item| headings::unit(&item.text));
        let stated = unit.is_some();
        goal.unit = unit.or(goal.unit.take());
        let figures = budgets::of_row(row, 0);
        if figures.is_empty() {
            return stated && !row.table;
        }
        if goal.budgets.len() > 200 {
            return false;
        }
        self.below = figures.len();
        goal.budgets.extend(figures);
        true
    }

    /// The title of a goal on the line after its number.
    pub(super) fn title_below(&mut self, row: &Row, cell: &Cell) -> bool {
        let Some(goal) = self
            .raw
            .goals
            .last_mut()
            .filter(|goal| goal.boxes == 0 && goal.title.is_none())
        else {
            return false;
        };
        let Some(item) = cell
            .items
            .first()
            .filter(|item| label_of(cell).is_none() && !item.text.ends_with('。'))
        else {
            return false;
        };
        goal.title = Some((item.text.clone(), item.place(), Confidence::Medium));
        goal.budgets.extend(budgets::of_row(row, 0));
        true
    }
}
