//! The lines and cells of a form, the same for text and for HTML: rows of cells of items, each with its place.

use super::notes::Place;

pub(super) mod builder;

/// The most bytes of a file: the longest known form has a hundredth of them.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most cells and items that are looked at. A cell counts once for each row that it spans.
pub(super) const MOST_PARTS: usize = 100_000;

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

impl Item {
    pub(super) const fn place(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
        }
    }
}

/// A cell: its items, none where it is blank.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Cell {
    /// Whether the page marks the cell as a head.
    pub(super) head: bool,
    /// Whether a merged cell of a row above covers this place.
    pub(super) covered: bool,
    /// The first column of the cell in its table, from 0.
    pub(super) column: usize,
    /// The column behind the cell.
    pub(super) end: usize,
    pub(super) items: Vec<Item>,
}

impl Cell {
    /// The texts of the cell, with blanks between them.
    pub(super) fn text(&self) -> String {
        let texts: Vec<&str> = self.items.iter().map(|item| item.text.as_str()).collect();
        texts.join(" ")
    }
}

/// A row of cells, at least one of which is not blank.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
    /// Whether the row is one of a table rather than a line by itself.
    pub(super) table: bool,
}

impl Row {
    /// The cells that are not blank.
    pub(super) fn filled(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| !cell.items.is_empty())
    }

    /// The items of all cells.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.cells.iter().flat_map(|cell| &cell.items)
    }

    /// The column behind the last cell.
    pub(super) fn end(&self) -> usize {
        self.cells.iter().map(|cell| cell.end).max().unwrap_or(0)
    }

    /// The only item of a row that has one.
    pub(super) fn lone_item(&self) -> Option<&Item> {
        let mut items = self.items();
        items.next().filter(|_| items.next().is_none())
    }
}

/// The limit that a file exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Cells and items.
    Parts,
    /// Attributes of a tag.
    Attributes,
}

/// Why words of a page are no text of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// They are struck out.
    Struck,
    /// They belong to the page: its navigation, its footer, whom to ask about it.
    Furniture,
}

/// A file as rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    /// Whether the file is plain text: its places have columns, and its rows may leave out blank cells at their ends.
    pub(super) plain_text: bool,
    /// The line at which reading stopped, and the limit exceeded there.
    pub(super) overflow: Option<(u32, Bound)>,
    /// The last line.
    pub(super) last_line: u32,
    /// The words that are no text of the form, with their lines.
    pub(super) left_out: Vec<(LeftOut, u32, String)>,
}

/// A count as the number of a line or column.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX / 4)
}
