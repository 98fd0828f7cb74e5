//! Tables with an indicator in each row: 指標, 目標値, 実績, 達成状況 and 前年度実績 beside one another.

use super::{
    labels::{self, Label, label_of},
    layout::{Cell, Item, Row},
    legend::without_legend,
    notes::{Notes, Place, quoted},
    results::rate,
    width::bare,
};
use crate::domain::kinds::IndicatorKind;

/// The most columns of a table.
const MOST_COLUMNS: usize = 30;
/// Heads of columns that say nothing of the policy.
const OTHERS: &[&str] = &[
    "備考",
    "担当",
    "担当課",
    "所管",
    "所管課",
    "出典",
    "算出方法",
    "測定方法",
    "調査方法",
    "単位",
    "区分",
    "分類",
    "説明",
];

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Label(Label),
    /// 経営課題: the goal of the indicators in its rows.
    Goal,
    /// 番号: what only numbers the rows.
    Number,
    /// 備考: what the policy has no place for.
    Other,
}

/// A column of a table, from its head.
#[derive(Debug)]
struct Column {
    start: usize,
    end: usize,
    content: Content,
    /// The year that the head states, as printed.
    year: Option<String>,
}

/// The columns of a table, from its row of heads.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    end: usize,
    kind: IndicatorKind,
    group: usize,
}

/// A row of a table, or rows that merged cells join: indicators with their targets and results.
#[derive(Debug)]
pub(super) struct RawRecord {
    pub(super) goal: usize,
    pub(super) group: usize,
    pub(super) kind: IndicatorKind,
    pub(super) place: Place,
    /// How many rows there are.
    pub(super) rows: usize,
    /// The names: the lines of each row's cell.
    pub(super) names: Vec<Vec<Item>>,
    pub(super) targets: Vec<Item>,
    /// The results, and the year in the head of their column.
    pub(super) results: Vec<Item>,
    pub(super) year: Option<String>,
    pub(super) ratings: Vec<Item>,
    pub(super) previous: Vec<Item>,
}

impl Table {
    /// The table below a row of heads: one of indicators, at least one of another kind, and none that is no head.
    pub(super) fn of_heads(row: &Row, group: usize) -> Option<Self> {
        let mut columns = Vec::new();
        let mut kind = None;
        for cell in row.filled() {
            let column = |content, year| Column {
                start: cell.column,
                end: cell.end,
                content,
                year,
            };
            let text = bare(&cell.text());
            match text.as_str() {
                "経営課題" | "経営課題名" => columns.push(column(Content::Goal, None)),
                "番号" | "No" | "No." | "項番" | "#" => columns.push(column(Content::Number, None)),
                _ => match head(cell) {
                    Some((Label::ResultTable, _)) => {}
                    Some((label, year)) => {
                        if let Label::Indicators(of) = label {
                            kind.get_or_insert(of);
                        }
                        columns.push(column(Content::Label(label), year));
                    }
                    None if OTHERS.contains(&text.as_str()) => columns.push(column(Content::Other, None)),
                    None => return None,
                },
            }
        }
        let others = columns
            .iter()
            .any(|column| matches!(column.content, Content::Label(label) if !matches!(label, Label::Indicators(_))));
        let kind = kind.filter(|_| others && columns.len() <= MOST_COLUMNS)?;
        Some(Self {
            columns,
            end: row.end(),
            kind,
            group,
        })
    }

    /// The table below a row of heads, one of which is that of goals.
    pub(super) fn of_heads_with_goals(row: &Row) -> Option<Self> {
        let any = row.table && row.items().any(|item| item.text.contains("経営課題"));
        any.then(|| Self::of_heads(row, 0)).flatten().filter(Self::has_goals)
    }

    /// One row of heads of two, where cells in the first span rows or columns: 実績 above 6年度 and 前年度.
    pub(super) fn joined_heads(above: &Row, below: &Row, plain_text: bool) -> Option<Row> {
        let narrow = |row: &Row| row.table && row.filled().count() <= MOST_COLUMNS;
        if !narrow(above) || !narrow(below) || !above.filled().take(2).any(|cell| head(cell).is_some()) {
            return None;
        }
        let mut cells = Vec::new();
        for (n, cell) in above.filled().enumerate() {
            // In plain text a merged cell is followed by blank ones.
            let next = above
                .filled()
                .nth(n + 1)
                .map_or(above.end().max(below.end()), |next| next.column);
            let end = if plain_text { next } else { cell.end };
            let under: Vec<&Cell> = below
                .filled()
                .filter(|lower| (cell.column..end).contains(&lower.column))
                .collect();
            if under.is_empty() {
                cells.push(Cell { end, ..cell.clone() });
            }
            for lower in under {
                let (upper, own) = (cell.text(), lower.text());
                let texts = [format!("{upper}{own}"), format!("{own}{upper}"), own];
                let text = texts
                    .into_iter()
                    .find(|text| labels::find(text).is_some_and(|found| found.rest.is_empty()))?;
                let item = lower.items.first().map(|item| Item { text, ..item.clone() });
                cells.push(Cell {
                    items: item.into_iter().collect(),
                    ..lower.clone()
                });
            }
        }
        cells.sort_by_key(|cell| cell.column);
        let joined = below.filled().count() > 0 && cells.len() > above.filled().count();
        let row = Row { cells, table: true };
        let whole = below
            .filled()
            .all(|lower| row.cells.iter().any(|cell| cell.column == lower.column));
        (joined && whole && Self::of_heads(&row, 0).is_some()).then_some(row)
    }

    /// Whether the table has a column of goals.
    pub(super) fn has_goals(&self) -> bool {
        self.columns.iter().any(|column| column.content == Content::Goal)
    }

    /// Moves the table to another goal: it is that goal's first one.
    pub(super) fn of_next_goal(&mut self) {
        self.group = 0;
    }

    /// The cell with the goal of a row, where the table has a column of goals and the row names one.
    pub(super) fn goal<'a>(&self, row: &'a Row) -> Option<&'a Item> {
        let column = self.columns.iter().find(|column| column.content == Content::Goal)?;
        let mut cells = row.filled();
        cells
            .find(|cell| (column.start..column.end).contains(&cell.column))?
            .items
            .first()
    }

    /// Warns of columns that are left out.
    pub(super) fn note_others(&self, heads: &Row, notes: &mut Notes) {
        for column in self.columns.iter().filter(|column| column.content == Content::Other) {
            if let Some(item) = heads
                .filled()
                .find(|cell| cell.column == column.start)
                .and_then(|cell| cell.items.first())
            {
                let text = quoted(&item.text);
                notes.warning(
                    "label_unknown",
                    item.place(),
                    format!("「{text}」という欄は分からないため、取り込みません"),
                    format!("the box '{text}' is not known and is left out"),
                );
            }
        }
    }

    /// A row below the heads. If its cells do not fit the heads, the row is an error: nothing tells the cells apart.
    pub(super) fn record(&self, row: &Row, goal: usize, plain_text: bool, notes: &mut Notes) -> Option<RawRecord> {
        let place = row.items().next().map_or(Place::line(1), Item::place);
        if let Some(item) = row.lone_item().filter(|item| item.text.starts_with('※')) {
            if !without_legend(&item.text).is_empty() {
                note_remark(notes, place, &item.text);
            }
            return None;
        }
        let mut record = RawRecord {
            goal,
            group: self.group,
            kind: self.kind,
            place,
            rows: 1,
            names: Vec::new(),
            targets: Vec::new(),
            results: Vec::new(),
            year: None,
            ratings: Vec::new(),
            previous: Vec::new(),
        };
        let mut fits = plain_text || row.end() == self.end;
        let mut name: Vec<Item> = Vec::new();
        for column in &self.columns {
            let cells = row
                .filled()
                .filter(|cell| (column.start..column.end).contains(&cell.column));
            let cells: Vec<&Cell> = cells.collect();
            let mut items: Vec<Item> = Vec::new();
            for cell in &cells {
                if !rate(&mut items, &cell.items) {
                    items.extend(cell.items.iter().cloned());
                }
            }
            fits &= match column.content {
                Content::Label(label) => {
                    match label {
                        Label::Indicators(_) => name.extend(items),
                        Label::Targets => record.targets.extend(items),
                        Label::Results => {
                            if !items.is_empty() {
                                record.year.clone_from(&column.year);
                            }
                            record.results.extend(items);
                        }
                        Label::Ratings => record.ratings.extend(items),
                        Label::Previous => record.previous.extend(items),
                        _ => {}
                    }
                    cells.len() <= 1 || label == Label::Results && cells.len() == 2
                }
                Content::Goal | Content::Number | Content::Other => true,
            };
        }
        let within = |cell: &Cell| {
            self.columns
                .iter()
                .any(|column| (column.start..column.end).contains(&cell.column))
        };
        fits &= row.filled().all(within);
        if name.is_empty() && !self.covered(row).any(|start| start == self.names()) || !fits {
            notes.error(
                "table_row",
                place,
                "この行のセルが表の見出しと合わないため、どの指標のものか分かりません。見出しと同じ数のセルにしてください（空の欄も残してください）",
                "the cells of this row do not fit the heads of its table: which indicator they belong to is unknown. Give the row a cell for each head, blank ones too",
            );
            return None;
        }
        if !name.is_empty() {
            record.names.push(name);
        }
        Some(record)
    }

    /// The column of names; those before it span the rows of a whole group.
    fn names(&self) -> usize {
        let names = self
            .columns
            .iter()
            .filter(|column| matches!(column.content, Content::Label(Label::Indicators(_))));
        names.map(|column| column.start).max().unwrap_or(0)
    }

    /// Whether a row goes on with the row above: a merged cell with a name or values reaches into it.
    pub(super) fn goes_on(&self, row: &Row) -> bool {
        self.covered(row).any(|start| start >= self.names())
    }

    /// The columns with names and values that merged cells of rows above cover in a row.
    fn covered(&self, row: &Row) -> impl Iterator<Item = usize> {
        let labelled = self
            .columns
            .iter()
            .filter(|column| matches!(column.content, Content::Label(_)));
        labelled
            .filter(|column| {
                row.cells
                    .iter()
                    .any(|cell| cell.covered && (column.start..column.end).contains(&cell.column))
            })
            .map(|column| column.start)
    }
}

impl RawRecord {
    /// Adds a row that merged cells join with this one.
    pub(super) fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.names.extend(other.names);
        self.targets.extend(other.targets);
        self.results.extend(other.results);
        self.year = self.year.take().or(other.year);
        self.ratings.extend(other.ratings);
        self.previous.extend(other.previous);
    }
}

/// Leaves out a remark between indicators.
pub(super) fn note_remark(notes: &mut Notes, place: Place, text: &str) {
    let text = quoted(text);
    notes.warning(
        "remark_left_out",
        place,
        format!("注記「{text}」は指標ではないため、取り込みません"),
        format!("the remark '{text}' is no indicator and is left out"),
    );
}

/// The label of a cell that is a head and nothing else.
fn head(cell: &Cell) -> Option<(Label, Option<String>)> {
    let (found, used) = label_of(cell)?;
    let label = match found.label {
        Label::Vision => Label::Targets,
        label => label,
    };
    let whole = found.rest.is_empty() && used == cell.items.len();
    (whole && (label.is_head() || label == Label::ResultTable)).then_some((label, found.year))
}
