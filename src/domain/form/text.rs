//! A form in plain text as rows of cells: a line is a row, with tabs between its cells.
//!
//! A spreadsheet puts quotes around a cell that holds a line end, a tab or a quote, and doubles the quotes in it. A word
//! processor puts a tab behind the mark of a list's item.

use super::{
    layout::{Layout, Mark, builder::Builder, number},
    split::signs::is_list_mark,
};
use crate::value::work;

/// The rows of a text.
pub(super) fn layout(text: &str) -> Layout {
    let mut rows = Rows {
        builder: Builder::new(Mark::Line),
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 0,
        column: 1,
    };
    while !rows.rest.is_empty() && !rows.builder.is_full() {
        rows.row();
    }
    rows.builder.finish(rows.line)
}

/// The characters that end a line within a cell, where they are not the end of a line of the file: those of old programs,
/// of word processors and of pages.
fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

struct Rows<'a> {
    builder: Builder,
    /// The part of the text that is not read yet.
    rest: &'a str,
    /// The line and the column at which that part begins.
    line: u32,
    column: u32,
}

impl Rows<'_> {
    fn row(&mut self) {
        (self.line, self.column) = (self.line + 1, 1);
        // Quotes around a whole line are the text's own.
        let mut cell = quoted(self.rest).filter(|(_, after)| after.starts_with('\t'));
        let printed = self.rest.split('\n').next().unwrap_or_default();
        if cell.is_none()
            && let Some(marked) = listed(printed)
        {
            return self.listed(printed, marked);
        }
        let table = cell.is_some() || printed.contains('\t');
        loop {
            self.builder.cell(self.line, table);
            if self.builder.is_full() {
                return;
            }
            match cell {
                Some((content, after)) => {
                    self.quoted_cell(content);
                    self.rest = after.strip_prefix('\r').unwrap_or(after);
                }
                None => self.plain_cell(table),
            }
            let Some(next) = self.rest.strip_prefix('\t') else {
                break;
            };
            (self.rest, self.column) = (next, self.column + 1);
            cell = quoted(next);
        }
        self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
        self.builder.end_row();
    }

    /// A line with the item of a list: no table, though there is a tab behind its mark.
    fn listed(&mut self, printed: &str, marked: usize) {
        self.builder.cell(self.line, false);
        let start = printed.get(..marked).map_or(0, |before| before.chars().count());
        let text = printed.get(marked..).unwrap_or_default();
        self.builder.text(text, self.line, self.column + number(start));
        self.rest = self.rest.get(printed.len()..).unwrap_or_default();
        self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
        self.builder.end_row();
    }

    fn plain_cell(&mut self, table: bool) {
        let end = self.rest.find(['\t', '\n']).unwrap_or(self.rest.len());
        let (cell, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let cell = cell.strip_suffix('\r').unwrap_or(cell);
        for (n, line) in cell.split(is_line_end).enumerate() {
            if n > 0 && table {
                self.builder.end_line();
            } else if n > 0 {
                self.builder.end_row();
                self.builder.cell(self.line, false);
            }
            self.builder.text(line, self.line, self.column);
            self.column += number(line.chars().count()) + 1;
        }
        self.column -= 1;
        self.rest = after;
    }

    /// A cell in quotes: its lines are those that the spreadsheet shows in it.
    fn quoted_cell(&mut self, content: &str) {
        self.column += 1;
        for (n, shown) in content.split('\n').enumerate() {
            if n > 0 {
                self.builder.end_line();
                (self.line, self.column) = (self.line + 1, 1);
            }
            self.builder.text(&shown.replace("\"\"", "\""), self.line, self.column);
            self.column += number(shown.chars().count());
        }
        self.column += 1;
    }
}

/// Where the item of a list begins in a line that holds nothing else, but has a tab behind its mark: `・\t備え`.
fn listed(line: &str) -> Option<usize> {
    let text = line.trim();
    let (mark, item) = text.split_once('\t')?;
    let start = line.len() - line.trim_start().len();
    (is_list_mark(mark) && !item.trim().contains('\t')).then_some(start)
}

/// The content of a cell in quotes that a text begins with, and the text behind the cell. Quotes that the content does not
/// need are no spreadsheet's.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let (mut from, mut doubled) = (0, false);
    loop {
        let looked_at = inner.get(from..)?;
        let found = looked_at.find('"');
        work::spend(found.unwrap_or(looked_at.len()));
        let at = from + found?;
        let after = inner.get(at + 1..)?;
        if after.starts_with('"') {
            (from, doubled) = (at + 2, true);
            continue;
        }
        let content = inner.get(..at)?;
        let ends = after.is_empty() || after.starts_with(['\t', '\n']) || after.starts_with("\r\n");
        let needed = doubled || content.contains(['\t', '\n']);
        return (ends && needed).then_some((content, after));
    }
}

#[cfg(test)]
mod tests {
    use super::{layout, quoted};
    use crate::value::work::counted;

    /// The texts of each cell with their lines, row by row.
    fn cells(text: &str) -> Vec<Vec<Vec<(u32, String)>>> {
        let rows = layout(text).rows.into_iter();
        rows.map(|row| {
            let cells = row.cells.into_iter();
            cells
                .map(|cell| cell.items.into_iter().map(|item| (item.line, item.text)).collect())
                .collect()
        })
        .collect()
    }

    #[test]
    fn cells_that_a_spreadsheet_quotes_are_read_as_it_shows_them() {
        for (text, first) in [
            (
                "課題\t\"・a\n・\"\"b\"\"\"\nc",
                vec![vec!["課題"], vec!["・a", "・\"b\""]],
            ),
            ("課題\t\"・a\r\n・b\"\r\nc", vec![vec!["課題"], vec!["・a", "・b"]]),
            ("\"課題\n認識\"\ta\n", vec![vec!["課題", "認識"], vec!["a"]]),
            (
                "a\t\"\"\"b\"\"\"\t\"c\td\"",
                vec![vec!["a"], vec!["\"b\""], vec!["c d"]],
            ),
            ("a\t\"b\"\tc", vec![vec!["a"], vec!["\"b\""], vec!["c"]]),
            ("a\t\"b\"と\"c\"", vec![vec!["a"], vec!["\"b\"と\"c\""]]),
            ("a\t\"b\nc", vec![vec!["a"], vec!["\"b"]]),
            ("\"a\nb\"\n", vec![vec!["\"a"]]),
        ] {
            let read: Vec<Vec<String>> = cells(text)
                .swap_remove(0)
                .into_iter()
                .map(|cell| cell.into_iter().map(|(_, text)| text).collect())
                .collect();
            assert_eq!(read, first, "{text:?}");
        }
    }

    #[test]
    fn lines_within_a_cell_count() {
        let lines: Vec<Vec<u32>> = cells("a\t\"b\n\nc\"\td\ne")
            .into_iter()
            .map(|row| row.into_iter().flatten().map(|(line, _)| line).collect())
            .collect();
        assert_eq!(lines, [vec![1, 1, 3, 3], vec![4]]);
        assert_eq!(layout("a\t\"b\nc\"\nd\n").last_line, 3);
        assert_eq!(layout("a\nb").last_line, 2);
    }

    #[test]
    fn twice_the_quotes_are_twice_the_work() {
        for part in [
            "\t\"",
            "\t\"\"",
            "\t\"\"\"",
            "\t\"\"\"\"",
            "\t\"a",
            "\"\n",
            "\"\"\"a\n",
            "\t\"\n\"",
        ] {
            let work = |count| counted(|| layout(&part.repeat(count))).1;
            let (one, two) = (work(10_000), work(20_000));
            assert!(two <= one * 21 / 10, "{part:?}: {one}, {two}");
        }
        assert!(quoted("\"").is_none() && quoted("").is_none());
    }
}
