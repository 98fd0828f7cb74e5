//! Builds the rows of a file from its pieces, one after the other.

use std::ops::Range;

use super::{Bound, Cell, Item, Layout, LeftOut, MOST_PARTS, Mark, Row, number};
use crate::{
    domain::form::{
        tags::{self, Piece, Script},
        width::is_figure,
    },
    value::{composed, work},
};

/// Units of work for placing and reading a cell or an item: as many as for so many bytes.
const PART: usize = 256;

/// Builds rows.
#[derive(Debug)]
pub(in crate::domain::form) struct Builder {
    layout: Layout,
    row: Row,
    text: String,
    line: u32,
    column: u32,
    /// The mark of text outside lists.
    plain: Mark,
    mark: Mark,
    /// How the text stands in its line.
    script: Script,
    /// Whether something that is no text, or the end of a line, stands before the next text.
    gap: bool,
    parts: usize,
    /// The values of the item so far. In `value` the open one: as the page shows it, and as its attribute states it.
    exact: Vec<String>,
    value: Option<(String, Option<String>)>,
}

impl Builder {
    /// A builder whose text outside lists has this mark.
    pub(in crate::domain::form) fn new(plain: Mark) -> Self {
        Self {
            layout: Layout {
                plain_text: plain == Mark::Line,
                ..Layout::default()
            },
            row: Row::default(),
            text: String::new(),
            line: 1,
            column: 1,
            plain,
            mark: plain,
            script: Script::Plain,
            gap: false,
            parts: 0,
            exact: Vec::new(),
            value: None,
        }
    }

    /// Whether a limit is exceeded already.
    pub(in crate::domain::form) fn is_full(&self) -> bool {
        self.layout.overflow.is_some()
    }

    /// Whether a cell of a table is open.
    pub(in crate::domain::form) fn in_table(&self) -> bool {
        self.row.table
    }

    fn count(&mut self, line: u32) {
        work::spend(PART);
        self.parts += 1;
        if self.parts > MOST_PARTS {
            self.stop(line, Bound::Parts);
        }
    }

    /// Stops reading at a line, where this limit is exceeded.
    pub(in crate::domain::form) fn stop(&mut self, line: u32, bound: Bound) {
        self.layout.overflow.get_or_insert((line, bound));
    }

    /// Begins a cell in the next column.
    pub(in crate::domain::form) fn cell(&mut self, line: u32, table: bool) {
        let column = self.row.cells.last().map_or(0, |cell| cell.end);
        self.cell_in(column..column + 1, line, table);
    }

    /// Begins a cell in these columns.
    pub(in crate::domain::form) fn cell_in(&mut self, columns: Range<usize>, line: u32, table: bool) {
        self.end_item();
        self.plain = if table || !self.layout.plain_text {
            Mark::Block
        } else {
            Mark::Line
        };
        self.mark = self.plain;
        self.script = Script::Plain;
        self.row.table |= table;
        self.push_cell(columns, line, false);
    }

    /// Leaves the place of a merged cell of a row above.
    pub(in crate::domain::form) fn covered(&mut self, columns: Range<usize>, line: u32) {
        self.end_item();
        self.push_cell(columns, line, true);
    }

    fn push_cell(&mut self, columns: Range<usize>, line: u32, covered: bool) {
        self.count(line);
        if !self.is_full() {
            self.row.cells.push(Cell {
                column: columns.start,
                end: columns.end,
                covered,
                ..Cell::default()
            });
        }
    }

    /// Counts a table, which may stand within another.
    pub(in crate::domain::form) fn table(&mut self, line: u32) {
        self.count(line);
    }

    /// Marks the cell as a head.
    pub(in crate::domain::form) fn head(&mut self) {
        if let Some(cell) = self.row.cells.last_mut().filter(|_| self.layout.overflow.is_none()) {
            cell.head = true;
        }
    }

    /// Begins a value, which is kept as it is. If its attribute states the value, the shown text does not count.
    pub(in crate::domain::form) fn open_value(&mut self, said: Option<String>, line: u32) {
        self.close_value();
        if self.text.trim().is_empty() && self.exact.is_empty() {
            self.line = line;
        }
        self.count(line);
        if !self.is_full() {
            self.value = Some((String::new(), said));
        }
    }

    /// Ends the value.
    pub(in crate::domain::form) fn close_value(&mut self) {
        if let Some((shown, said)) = self.value.take() {
            self.exact.push(composed(said.unwrap_or(shown).trim()).into_owned());
        }
    }

    /// Says how the text from here on stands in its line.
    pub(in crate::domain::form) fn script(&mut self, script: Script) {
        self.script = script;
    }

    /// Keeps figures apart that stand before and behind something that is no text.
    pub(in crate::domain::form) fn gap(&mut self) {
        self.gap = true;
    }

    /// Notes words that are no text of the form.
    pub(in crate::domain::form) fn leave_out(&mut self, why: LeftOut, line: u32, words: &str) {
        let words = one_line(words);
        if words.is_empty() {
            return;
        }
        self.count(line);
        if !self.is_full() {
            self.layout.left_out.push((why, line, words));
        }
    }

    /// Adds text to the item.
    pub(in crate::domain::form) fn text(&mut self, text: &str, line: u32, column: u32) {
        work::spend(text.len());
        let text = &self.script.written(text);
        let gap = std::mem::take(&mut self.gap);
        if let Some((shown, _)) = &mut self.value {
            shown.push_str(text);
            return;
        }
        if self.text.trim_start().is_empty() {
            let blank = text.len() - text.trim_start().len();
            let before = text.get(..blank).unwrap_or_default();
            self.text.clear();
            self.line = line + number(before.matches('\n').count());
            self.column = column + number(before.chars().count());
            self.text.push_str(text.get(blank..).unwrap_or_default());
        } else {
            if gap && self.text.ends_with(is_figure) && text.starts_with(is_figure) {
                self.text.push(' ');
            }
            self.text.push_str(text);
        }
    }

    /// Ends a line within a cell; an item of a list continues.
    pub(in crate::domain::form) fn end_line(&mut self) {
        if let Some((shown, _)) = &mut self.value {
            shown.push('\n');
        } else if self.mark == Mark::Listed {
            // Only figures and words of Latin letters need a blank between them.
            if self.text.ends_with(|c: char| c.is_ascii()) {
                self.text.push(' ');
            }
            self.gap = true;
        } else {
            self.end_item();
        }
    }

    /// Ends the item, and sets the mark of the next one.
    pub(in crate::domain::form) fn mark(&mut self, tag: tags::List) {
        self.end_item();
        self.mark = self.after(tag);
    }

    fn after(&self, tag: tags::List) -> Mark {
        match tag {
            tags::List::Opened | tags::List::ItemClosed => Mark::Run,
            tags::List::ItemOpened => Mark::Listed,
            tags::List::Closed => self.plain,
        }
    }

    /// Ends the item. Tags in plain text split it further.
    pub(in crate::domain::form) fn end_item(&mut self) {
        self.close_value();
        self.gap = false;
        if !self.exact.is_empty() {
            let text = one_line(&std::mem::take(&mut self.text));
            let exact = std::mem::take(&mut self.exact);
            return self.push_item(text, 1, exact);
        }
        if self.text.trim().is_empty() {
            self.text.clear();
            return;
        }
        let mut text = std::mem::take(&mut self.text);
        if !self.layout.plain_text {
            // A page has its tags taken out already: what looks like one is text.
            return self.push(&mut text, 0);
        }
        let mut held = String::new();
        let (mut at, mut start) = (0, 0);
        let mut script = Script::Plain;
        for piece in tags::pieces(&text) {
            match piece {
                Piece::Text(part) => {
                    if held.trim().is_empty() {
                        let blank = part.len() - part.trim_start().len();
                        start = at + part.get(..blank).map_or(0, |blank| blank.chars().count());
                        held.clear();
                    }
                    held.push_str(&script.written(part));
                    at += part.chars().count();
                }
                Piece::Tag { length, effect } => {
                    match effect {
                        tags::Effect::None => {}
                        tags::Effect::Break => self.push(&mut held, start),
                        tags::Effect::List(list) => {
                            self.push(&mut held, start);
                            self.mark = self.after(list);
                        }
                        tags::Effect::Script(next) => script = next,
                    }
                    at += length;
                }
            }
        }
        self.push(&mut held, start);
    }

    fn push(&mut self, held: &mut String, start: usize) {
        let text = one_line(held);
        held.clear();
        let column = if self.layout.plain_text {
            self.column + number(start)
        } else {
            1
        };
        if !text.is_empty() {
            self.push_item(text, column, Vec::new());
        }
    }

    fn push_item(&mut self, text: String, column: u32, exact: Vec<String>) {
        self.count(self.line);
        if self.is_full() {
            return;
        }
        let goes_on = self.row.cells.last().is_some_and(|cell| !cell.items.is_empty());
        let item = Item {
            text,
            line: self.line,
            column,
            mark: self.mark,
            goes_on,
            exact,
        };
        match self.row.cells.last_mut() {
            Some(cell) => cell.items.push(item),
            None => self.row.cells.push(Cell {
                end: 1,
                items: vec![item],
                ..Cell::default()
            }),
        }
    }

    /// Ends the row.
    pub(in crate::domain::form) fn end_row(&mut self) {
        self.end_item();
        self.script = Script::Plain;
        let row = std::mem::take(&mut self.row);
        if row.cells.iter().any(|cell| !cell.items.is_empty()) {
            self.layout.rows.push(row);
        }
    }

    /// The rows.
    pub(in crate::domain::form) fn finish(mut self, last_line: u32) -> Layout {
        self.end_row();
        self.layout.last_line = last_line.max(1);
        self.layout
    }
}

/// A text, composed, with single blanks, no controls and nothing at its ends. A control character keeps apart what stands
/// on both sides of it, as a blank does.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !matches!(c, '\u{feff}' | '\u{200b}' | '\u{ad}') {
            line.push(c);
        }
    }
    composed(line.trim_end()).into_owned()
}
