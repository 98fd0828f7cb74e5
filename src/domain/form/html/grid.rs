//! The grid of a table: the columns in which cells stand beside and below merged ones (`colspan`, `rowspan`).
//!
//! Only cells are stored, never the places that they span, so that a large number costs nothing.

use std::ops::Range;

use crate::value::work;

/// Most columns of a table, as browsers have it. Cells beyond them share one more column.
const MOST_COLUMNS: usize = 1_000;

/// The grid of one table, row by row.
#[derive(Debug, Default)]
pub(super) struct Grid {
    row: usize,
    /// Whether a row is open.
    open: bool,
    /// The column behind the last cell of the row.
    next: usize,
    /// The cells of rows above that reach into this row, by column.
    from_above: Vec<Span>,
    /// How many of them stand before `next`.
    passed: usize,
    /// The cells of this row that reach into rows below.
    to_below: Vec<Span>,
}

#[derive(Debug)]
struct Span {
    columns: Range<usize>,
    /// The row behind its last one.
    until: usize,
}

impl Grid {
    /// Begins a row.
    pub(super) fn begin_row(&mut self) {
        self.row += 1;
        (self.open, self.next, self.passed) = (true, 0, 0);
        self.from_above.append(&mut self.to_below);
        self.from_above.retain(|span| span.until > self.row);
        self.from_above.sort_by_key(|span| span.columns.start);
        work::spend(self.from_above.len());
    }

    /// Ends the row. Gives the places behind its last cell that cells of rows above cover.
    pub(super) fn end_row(&mut self) -> Vec<Range<usize>> {
        if !std::mem::take(&mut self.open) {
            return Vec::new();
        }
        let rest = self.from_above.iter().skip(self.passed);
        rest.map(|span| span.columns.clone()).collect()
    }

    /// Ends a part of the table: no merged cell reaches beyond it.
    pub(super) fn end_section(&mut self) {
        self.from_above.clear();
        self.to_below.clear();
        self.passed = 0;
    }

    /// Places the next cell, which spans so many columns and rows. Gives the places before it that cells of rows above
    /// cover, and its own.
    pub(super) fn place(&mut self, columns: usize, rows: usize) -> (Vec<Range<usize>>, Range<usize>) {
        if !self.open {
            self.begin_row();
        }
        let mut covered = Vec::new();
        while let Some(span) = self.from_above.get(self.passed)
            && span.columns.start <= self.next
        {
            covered.push(span.columns.clone());
            self.next = self.next.max(span.columns.end);
            self.passed += 1;
        }
        let start = self.next.min(MOST_COLUMNS);
        let place = start..start.saturating_add(columns.max(1)).min(MOST_COLUMNS).max(start + 1);
        self.next = place.end;
        if rows > 1 && start < MOST_COLUMNS {
            self.to_below.push(Span {
                columns: place.clone(),
                until: self.row.saturating_add(rows),
            });
        }
        (covered, place)
    }
}

/// The number of columns that a `colspan` states, or of rows that a `rowspan` states: 0 rows are all that follow.
pub(super) fn spanned(attribute: Option<&str>) -> usize {
    let Some(text) = attribute.map(str::trim) else { return 1 };
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    match text.get(..end).unwrap_or_default() {
        "" => 1,
        digits => digits.parse().unwrap_or(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::{Grid, MOST_COLUMNS, spanned};
    use crate::value::work::counted;

    /// The first columns of cells with these spans, row by row.
    fn columns(rows: &[&[(usize, usize)]]) -> Vec<Vec<usize>> {
        let mut grid = Grid::default();
        rows.iter()
            .map(|row| {
                grid.begin_row();
                let places = row.iter().map(|(columns, rows)| grid.place(*columns, *rows).1.start);
                let places = places.collect();
                grid.end_row();
                places
            })
            .collect()
    }

    #[test]
    fn cells_stand_beside_and_below_merged_ones() {
        for (rows, expected) in [
            (
                vec![&[(1, 2), (2, 1), (1, 1)][..], &[(1, 1), (1, 1), (1, 1)]],
                vec![vec![0, 1, 3], vec![1, 2, 3]],
            ),
            (
                vec![
                    &[(1, 1), (1, 3), (1, 1)],
                    &[(1, 1), (1, 1)],
                    &[(1, 1), (1, 1)],
                    &[(1, 1), (1, 1)],
                ],
                vec![vec![0, 1, 2], vec![0, 2], vec![0, 2], vec![0, 1]],
            ),
            (vec![&[(1, 2), (1, 2)], &[(1, 1)]], vec![vec![0, 1], vec![2]]),
            (
                vec![&[(usize::MAX, usize::MAX)], &[(1, 1)]],
                vec![vec![0], vec![MOST_COLUMNS]],
            ),
        ] {
            assert_eq!(columns(&rows), expected);
        }
    }

    #[test]
    fn rows_tell_which_of_their_places_are_covered() {
        let mut grid = Grid::default();
        for _ in 0..3 {
            grid.place(1, 2);
        }
        assert!(grid.end_row().is_empty());
        grid.begin_row();
        grid.end_section();
        assert_eq!(grid.place(1, 3), (vec![], 0..1));
        grid.place(1, 1);
        grid.place(2, 3);
        grid.end_row();
        let (covered, place) = grid.place(1, 1);
        assert_eq!((covered.first(), place), (Some(&(0..1)), 1..2));
        assert_eq!(grid.end_row().first(), Some(&(2..4)));
    }

    #[test]
    fn a_large_span_costs_as_much_as_a_small_one() {
        let work = |span: usize| counted(|| columns(&[&[(span, span)], &[(1, 1)], &[(1, 1)]])).1;
        assert_eq!(work(3), work(1_000_000_000));
        for (text, expected) in [
            (None, 1),
            (Some("2"), 2),
            (Some(" 3 "), 3),
            (Some("4px"), 4),
            (Some("x"), 1),
            (Some("-1"), 1),
            (Some("99999999999999999999999"), usize::MAX),
        ] {
            assert_eq!(spanned(text), expected);
        }
    }
}
