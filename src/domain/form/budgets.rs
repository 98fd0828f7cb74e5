//! The cells of a goal's budgets: 4決算額 77百万円, in one cell or two, or the amounts below their heads.

use std::ops::Range;

use super::{
    FormBudget,
    labels::label_of,
    layout::{Cell, Row},
    notes::Place,
    width::bare,
};
use crate::domain::kinds::BudgetKind;

/// A head of an amount, as printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BudgetHead {
    /// The year as printed: 4, 令和6年度; nothing where the head has none.
    pub(super) year: Option<String>,
    pub(super) kind: BudgetKind,
    pub(super) unit: Option<String>,
}

/// A figure of a goal: its head, and its text where the box is not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawBudget {
    pub(super) head: BudgetHead,
    pub(super) text: Option<String>,
    pub(super) place: Place,
    /// The columns of its head.
    pub(super) columns: Range<usize>,
}

/// The most figures a row may have.
const MOST: usize = 60;

const KINDS: &[(&str, BudgetKind)] = &[
    ("決算見込額", BudgetKind::Expected),
    ("決算見込", BudgetKind::Expected),
    ("決算額", BudgetKind::Actual),
    ("決算", BudgetKind::Actual),
    ("当初予算額", BudgetKind::Initial),
    ("当初予算", BudgetKind::Initial),
    ("補正後予算額", BudgetKind::Revised),
    ("補正後予算", BudgetKind::Revised),
    ("予算額", BudgetKind::Initial),
    ("予算案", BudgetKind::Initial),
    ("予算", BudgetKind::Initial),
];

const UNITS: [&str; 5] = ["百万円", "千円", "億円", "万円", "円"];

/// Texts of boxes without an amount.
const WORDS: [&str; 8] = [
    "該当なし",
    "なし",
    "無し",
    "予算なし",
    "調整中",
    "未定",
    "集計中",
    "未確定",
];

/// The head at the start of a text and the amount behind it, if the text holds nothing else.
pub(super) fn head(text: &str) -> Option<(BudgetHead, String)> {
    if text.len() > 240 {
        return None;
    }
    let bare = bare(text);
    let bare = bare.trim_start_matches(['・', '■', '【', '[']);
    let (at, word, kind) = KINDS
        .iter()
        .filter_map(|(word, kind)| Some((bare.find(word)?, *word, *kind)))
        .min_by_key(|(at, word, _)| (*at, std::cmp::Reverse(word.len())))?;
    let year = bare.get(..at)?.trim_end_matches('の');
    let year = year.strip_suffix("年度").or(year.strip_suffix('年')).unwrap_or(year);
    let is_year = year.chars().count() <= 6
        && year
            .chars()
            .all(|c| c.is_ascii_digit() || "令和平成昭RHSrhs元一二三四五六七八九十".contains(c));
    if !is_year {
        return None;
    }
    let mut rest = bare.get(at + word.len()..)?.trim_start_matches(['】', ']']);
    let mut unit = None;
    while let Some((remark, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
        if let Some(stated) = UNITS.into_iter().find(|unit| remark.ends_with(unit)) {
            unit = Some(stated.to_owned());
        } else if remark.chars().count() > 12 {
            return None;
        }
        rest = after;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let is_amount = rest.is_empty()
        || WORDS.contains(&rest)
        || rest.starts_with(|c: char| c.is_ascii_digit() || "▲△-ー約一二三四五六七八九十百千".contains(c));
    let head = BudgetHead {
        year: (!year.is_empty()).then(|| year.to_owned()),
        kind,
        unit,
    };
    (is_amount && rest.chars().count() <= 40).then(|| (head, as_printed(text, rest)))
}

/// The amount as printed: the end of the text that reads as this amount in one width.
fn as_printed(text: &str, amount: &str) -> String {
    // Conversion to one width keeps the number of characters, blanks apart.
    let Some(before) = amount.chars().count().checked_sub(1) else {
        return String::new();
    };
    text.char_indices()
        .rev()
        .filter(|(_, c)| !c.is_whitespace())
        .nth(before)
        .and_then(|(at, _)| text.get(at..))
        .unwrap_or_default()
        .trim_end()
        .to_owned()
}

/// The figures of a row from a cell on: amounts stand behind their heads.
pub(super) fn of_row(row: &Row, from: usize) -> Vec<RawBudget> {
    let mut figures: Vec<RawBudget> = Vec::new();
    // The column of the cell that holds the text of the last figure.
    let mut text_in = usize::MAX;
    for cell in row.cells.iter().skip(from) {
        for item in &cell.items {
            if figures.len() >= MOST {
                return figures;
            }
            if let Some(amount) = item.exact.first() {
                let last = figures.last_mut().filter(|last| last.text.is_none());
                if let Some(last) = last.filter(|_| !amount.is_empty()) {
                    last.text = Some(amount.clone());
                }
            } else if let Some((head, amount)) = head(&item.text) {
                let text = (!amount.is_empty()).then_some(amount);
                if text.is_some() {
                    text_in = cell.column;
                }
                figures.push(RawBudget {
                    head,
                    text,
                    place: item.place(),
                    columns: cell.column..cell.end,
                });
            } else if let Some(last) = figures.last_mut() {
                match &mut last.text {
                    // (千円) in a line of its own below its head.
                    None if last.head.unit.is_none() && unit_in_brackets(&item.text).is_some() => {
                        last.head.unit = unit_in_brackets(&item.text);
                    }
                    None => (last.text, text_in) = (Some(item.text.clone()), cell.column),
                    // The rest of an amount over several lines.
                    Some(text) if text_in == cell.column => {
                        text.push(' ');
                        text.push_str(&item.text);
                    }
                    Some(_) => {}
                }
            }
        }
    }
    // 予算額（千円） before heads with years is the label of their row.
    let is_label = |figure: &RawBudget| figure.head.year.is_none() && figure.text.is_none();
    if figures.len() > 1 && figures.first().is_some_and(is_label) {
        let label = figures.remove(0);
        for figure in &mut figures {
            figure.head.unit = figure.head.unit.take().or_else(|| label.head.unit.clone());
        }
    }
    figures
}

/// The unit that stands in brackets, and nothing else: （千円）, （単位：千円）.
fn unit_in_brackets(text: &str) -> Option<String> {
    let bare = bare(text.get(..text.len().min(60)).unwrap_or_default());
    let inner = bare.strip_prefix('(')?.strip_suffix(')')?;
    let unit = inner
        .strip_prefix("単位")
        .map_or(inner, |rest| rest.trim_start_matches(':'));
    UNITS.into_iter().find(|known| *known == unit).map(str::to_owned)
}

/// Takes the units that stand in a row of their own below their heads: （千円）. Returns whether the row held them.
pub(super) fn take_units(figures: &mut [RawBudget], row: &Row) -> bool {
    let units: Option<Vec<(usize, String)>> = row
        .filled()
        .map(|cell| Some((cell.column, unit_in_brackets(&cell.text())?)))
        .collect();
    let Some(units) = units.filter(|units| !units.is_empty()) else {
        return false;
    };
    for figure in figures {
        let unit = units.iter().find(|(column, _)| figure.columns.contains(column));
        figure.head.unit = figure.head.unit.take().or(unit.map(|(_, unit)| unit.clone()));
    }
    true
}

/// Reads amounts that stand in a row below their heads, behind a label of their row at most: 金額（千円）. Returns whether
/// the row held them.
pub(super) fn fill_from_below(figures: &mut [RawBudget], row: &Row) -> bool {
    if figures.iter().any(|figure| figure.text.is_some()) || row.items().any(|item| !item.exact.is_empty()) {
        return false;
    }
    let mut cells: Vec<&Cell> = row.filled().collect();
    let mut unit = None;
    if let Some(label) = cells.first().filter(|cell| !is_below(figures, cell))
        && let Some(stated) = label_of_amounts(label)
    {
        unit = stated;
        cells.remove(0);
    }
    let is_amount = |text: &str| {
        let bare = bare(text.get(..text.len().min(80)).unwrap_or_default());
        bare.starts_with(|c: char| c.is_ascii_digit() || "▲△-ー約".contains(c)) || WORDS.contains(&bare.as_str())
    };
    let any = cells.iter().any(|cell| is_amount(&cell.text()));
    let others = cells
        .iter()
        .any(|cell| label_of(cell).is_some() || head(&cell.text()).is_some());
    if !any || others {
        return false;
    }
    if cells.iter().all(|cell| is_below(figures, cell)) {
        for figure in figures.iter_mut() {
            let below: Vec<String> = cells
                .iter()
                .filter(|cell| figure.columns.contains(&cell.column))
                .map(|cell| cell.text())
                .collect();
            figure.text = (!below.is_empty()).then(|| below.join(" "));
        }
    } else if cells.len() == figures.len() && cells.iter().all(|cell| is_amount(&cell.text())) {
        // Under cells that span others only order tells amounts apart: it takes one for each head.
        for (figure, cell) in figures.iter_mut().zip(cells) {
            figure.text = Some(cell.text());
        }
    } else {
        return false;
    }
    for figure in figures {
        figure.head.unit = figure.head.unit.take().or_else(|| unit.clone());
    }
    true
}

/// Whether a cell stands below the head of a figure.
fn is_below(figures: &[RawBudget], cell: &Cell) -> bool {
    figures.iter().any(|figure| figure.columns.contains(&cell.column))
}

/// Whether a cell is the label of a row of amounts, and the unit it states: 金額（千円）, 予算額.
#[expect(clippy::option_option, reason = "a label of amounts may state no unit")]
fn label_of_amounts(cell: &Cell) -> Option<Option<String>> {
    let text = bare(&cell.text());
    let word = ["金額", "予算額", "決算額", "予算・決算額", "事業費", "合計", "計"]
        .into_iter()
        .filter_map(|word| text.strip_prefix(word))
        .min_by_key(|rest| rest.len())?;
    match word {
        "" => Some(None),
        rest => unit_in_brackets(rest).map(Some),
    }
}

/// Whether two figures have one fiscal year and kind.
pub(super) fn same(one: &FormBudget, other: &FormBudget) -> bool {
    (one.fiscal_year, one.kind) == (other.fiscal_year, other.kind)
}

#[cfg(test)]
mod tests {
    use super::{BudgetKind, head};

    #[test]
    fn heads_of_amounts_have_a_year_and_a_kind() {
        for (text, year, kind, unit, amount) in [
            ("4決算額", Some("4"), BudgetKind::Actual, None, ""),
            ("4 決算額", Some("4"), BudgetKind::Actual, None, ""),
            ("4決算額 12百万円", Some("4"), BudgetKind::Actual, None, "12百万円"),
            ("６予算額：－", Some("6"), BudgetKind::Initial, None, "－"),
            ("令和6年度当初予算額", Some("令和6"), BudgetKind::Initial, None, ""),
            ("R6予算額（千円）", Some("R6"), BudgetKind::Initial, Some("千円"), ""),
            (
                "元年度決算額（見込）▲10千円",
                Some("元"),
                BudgetKind::Actual,
                None,
                "▲10千円",
            ),
            ("5補正後予算額", Some("5"), BudgetKind::Revised, None, ""),
            ("予算額", None, BudgetKind::Initial, None, ""),
        ] {
            let (read, rest) = head(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (read.year.as_deref(), read.kind, read.unit.as_deref(), rest.as_str()),
                (year, kind, unit, amount),
                "{text}"
            );
        }
        for text in [
            "次年度の予算に活かす。",
            "令和6年度予算を活用する",
            "予算要求",
            "区担当教育次長枠予算",
        ] {
            assert_eq!(head(text), None, "{text}");
        }
    }
}
