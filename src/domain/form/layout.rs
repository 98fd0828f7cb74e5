//! The lines and cells of a form, the same for text and for HTML: rows of cells of items, each with its place.

use super::tags::{self, Piece};
use crate::value::{composed, work};

/// The most bytes of a file: the longest known form has a hundredth of them.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most cells and items that are looked at.
pub(super) const MOST_PARTS: usize = 100_000;
/// Units of work for placing and reading a cell or an item: as many as for so many bytes.
const PART: usize = 256;

/// The kind of an item, by its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line of plain text: it may continue on the next line, or hold several items.
    Line,
    /// A cell, or a paragraph of HTML: it may hold several items.
    Block,
    /// An item of a list: one item, whatever it holds.
    Listed,
    /// Text within a list whose items lost their marks: blanks separate the items.
    Run,
}

/// A piece of text with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) text: String,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) mark: Mark,
    /// Whether the cell has an item before this one.
    pub(super) goes_on: bool,
    /// The values that the page marks, each as stored; `text` is the text around them.
    pub(super) exact: Vec<String>,
}

/// A cell: its items, none where it is blank.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cell {
    /// Whether the page marks the cell as a head.
    pub(super) head: bool,
    pub(super) items: Vec<Item>,
}

/// A row of cells, at least one of which is not blank.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// Whether the row is one of a table rather than a line by itself.
    pub(super) table: bool,
}

/// The limit that a file exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Cells and items.
    Parts,
    /// Attributes of a tag.
    Attributes,
}

/// A file as rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    /// Whether cells stand under their heads by column: not so in HTML, where a cell may span several.
    pub(super) aligned: bool,
    /// The line at which reading stopped, and the limit exceeded there.
    pub(super) overflow: Option<(u32, Bound)>,
    /// The last line.
    pub(super) last_line: u32,
}

/// Builds rows from the pieces of a file, one after the other.
#[derive(Debug)]
pub(super) struct Builder {
    layout: Layout,
    row: Row,
    text: String,
    line: u32,
    column: u32,
    /// The mark of text outside lists.
    plain: Mark,
    mark: Mark,
    parts: usize,
    /// The values of the item so far. In `value` the open one: as the page shows it, and as its attribute states it.
    exact: Vec<String>,
    value: Option<(String, Option<String>)>,
}

impl Builder {
    /// A builder whose text outside lists has this mark.
    pub(super) fn new(plain: Mark) -> Self {
        Self {
            layout: Layout {
                aligned: plain == Mark::Line,
                ..Layout::default()
            },
            row: Row::default(),
            text: String::new(),
            line: 1,
            column: 1,
            plain,
            mark: plain,
            parts: 0,
            exact: Vec::new(),
            value: None,
        }
    }

    /// Whether a limit is exceeded already.
    pub(super) fn is_full(&self) -> bool {
        self.layout.overflow.is_some()
    }

    /// Whether a cell of a table is open.
    pub(super) fn in_table(&self) -> bool {
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
    pub(super) fn stop(&mut self, line: u32, bound: Bound) {
        self.layout.overflow.get_or_insert((line, bound));
    }

    /// Begins a cell.
    pub(super) fn cell(&mut self, line: u32, table: bool) {
        self.end_item();
        self.plain = if table || !self.layout.aligned {
            Mark::Block
        } else {
            Mark::Line
        };
        self.mark = self.plain;
        self.row.table |= table;
        self.count(line);
        if !self.is_full() {
            self.row.cells.push(Cell::default());
        }
    }

    /// Marks the cell as a head.
    pub(super) fn head(&mut self) {
        if let Some(cell) = self.row.cells.last_mut().filter(|_| self.layout.overflow.is_none()) {
            cell.head = true;
        }
    }

    /// Begins a value, which is kept as it is. If its attribute states the value, the shown text does not count.
    pub(super) fn open_value(&mut self, said: Option<String>, line: u32) {
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
    pub(super) fn close_value(&mut self) {
        if let Some((shown, said)) = self.value.take() {
            self.exact.push(composed(said.unwrap_or(shown).trim()).into_owned());
        }
    }

    /// Adds text to the item.
    pub(super) fn text(&mut self, text: &str, line: u32, column: u32) {
        work::spend(text.len());
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
            self.text.push_str(text);
        }
    }

    /// Ends a line within a cell; an item of a list continues.
    pub(super) fn end_line(&mut self) {
        if let Some((shown, _)) = &mut self.value {
            shown.push('\n');
        } else if self.mark == Mark::Listed {
            // Only words of Latin letters need a blank between them.
            if self.text.ends_with(|c: char| c.is_ascii()) {
                self.text.push(' ');
            }
        } else {
            self.end_item();
        }
    }

    /// Ends the item, and sets the mark of the next one.
    pub(super) fn mark(&mut self, tag: tags::List) {
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
    pub(super) fn end_item(&mut self) {
        self.close_value();
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
        if !self.layout.aligned {
            // A page has its tags taken out already: what looks like one is text.
            return self.push(&mut text, 0);
        }
        let mut held = String::new();
        let (mut at, mut start) = (0, 0);
        for piece in tags::pieces(&text) {
            match piece {
                Piece::Text(part) => {
                    if held.trim().is_empty() {
                        let blank = part.len() - part.trim_start().len();
                        start = at + part.get(..blank).map_or(0, |blank| blank.chars().count());
                        held.clear();
                    }
                    held.push_str(part);
                    at += part.chars().count();
                }
                Piece::Tag { length, list, breaks } => {
                    if breaks || list.is_some() {
                        self.push(&mut held, start);
                    }
                    if let Some(list) = list {
                        self.mark = self.after(list);
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
        let column = if self.layout.aligned {
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
                items: vec![item],
                head: false,
            }),
        }
    }

    /// Ends the row.
    pub(super) fn end_row(&mut self) {
        self.end_item();
        let row = std::mem::take(&mut self.row);
        if row.cells.iter().any(|cell| !cell.items.is_empty()) {
            self.layout.rows.push(row);
        }
    }

    /// The rows.
    pub(super) fn finish(mut self, last_line: u32) -> Layout {
        self.end_row();
        self.layout.last_line = last_line.max(1);
        self.layout
    }
}

/// A text, composed, with single blanks, no controls and nothing at its ends.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !c.is_control() && !matches!(c, '\u{feff}' | '\u{200b}' | '\u{ad}') {
            line.push(c);
        }
    }
    composed(line.trim_end()).into_owned()
}

/// A count as the number of a line or column.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX / 4)
}
