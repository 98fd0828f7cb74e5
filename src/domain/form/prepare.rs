//! Prepares the rows of a file for reading: page furniture is taken out and noted, labels that are broken over lines and
//! marks that stand in cells of their own are joined with what they belong to.

use super::{
    furniture::Furniture,
    labels::{self, Found, is_explanation, is_words},
    layout::{Cell, Layout, LeftOut, Row},
    notes::{Notes, Place, quoted},
    split::signs::is_list_mark,
};

/// The most lines over which a label is broken, and the most bytes of one of them.
const MOST_LINES: usize = 6;
const LONGEST: usize = 120;
/// The most lines of furniture that a note quotes.
const MOST_QUOTED: usize = 3;

/// Prepares the rows.
pub(super) fn prepare(layout: &mut Layout, notes: &mut Notes) {
    for (why, line, words) in &layout.left_out {
        let (place, words) = (Place::line(*line), quoted(words));
        match why {
            LeftOut::Struck => notes.warning(
                "struck_out",
                place,
                format!("取り消し線のある「{words}」は取り込みません"),
                format!("'{words}' is struck out and left out"),
            ),
            LeftOut::Furniture => note_furniture(notes, place, 1, &words),
        }
    }
    take_furniture_out(layout, notes);
    for row in &mut layout.rows {
        join_mark(row);
    }
    join_labels(&mut layout.rows);
}

/// Lines of furniture that follow one another.
struct Run {
    place: Place,
    lines: usize,
    words: Vec<String>,
}

impl Run {
    fn note(self, notes: &mut Notes) {
        note_furniture(notes, self.place, self.lines, &self.words.join("」「"));
    }
}

fn note_furniture(notes: &mut Notes, place: Place, lines: usize, words: &str) {
    let (ja, en) = if lines > MOST_QUOTED {
        (format!("」など{lines}行"), format!(" and so on, {lines} lines,"))
    } else {
        ("」".to_owned(), String::new())
    };
    notes.warning(
        "page_furniture",
        place,
        format!("「{words}{ja}は、様式の内容ではなくページの付属部分（ページ番号、更新日、問合せ先など）と見なし、取り込みません"),
        format!("'{words}'{en} was taken for a part of the page (its number, its date, whom to ask) and is left out"),
    );
}

/// Takes page furniture out; lines of it that follow one another have one note.
fn take_furniture_out(layout: &mut Layout, notes: &mut Notes) {
    let mut furniture = Furniture::default();
    let mut run: Option<Run> = None;
    layout.rows.retain_mut(|row| {
        let alone = !row.table && row.lone_item().is_some();
        for cell in &mut row.cells {
            cell.items.retain(|item| {
                let is = item.exact.is_empty() && furniture.is(&item.text, alone);
                if is {
                    let run = run.get_or_insert_with(|| Run {
                        place: item.place(),
                        lines: 0,
                        words: Vec::new(),
                    });
                    run.lines += 1;
                    if run.words.len() < MOST_QUOTED {
                        run.words.push(quoted(&item.text));
                    }
                } else if let Some(run) = run.take() {
                    run.note(notes);
                }
                !is
            });
        }
        row.filled().next().is_some()
    });
    if let Some(run) = run {
        run.note(notes);
    }
}

/// Joins the marks of a list's items in cells of their own with the items in the next cells.
fn join_mark(row: &mut Row) {
    let mut before: Option<&mut Cell> = None;
    for cell in &mut row.cells {
        if let Some(marked) = before.take()
            && let [mark] = marked.items.as_slice()
            && mark.exact.is_empty()
            && is_list_mark(&mark.text)
            && let Some(item) = cell.items.first_mut().filter(|item| item.exact.is_empty())
        {
            item.text = format!("{} {}", mark.text, item.text);
            marked.items.clear();
        }
        before = Some(cell);
    }
}

/// Joins the lines of a label that is broken over lines: アウトカ, ム指標, (経営課題の解決に, 向けた進捗度合を示した指標).
fn join_labels(rows: &mut Vec<Row>) {
    let mut at = 0;
    while let Some(rest) = rows.get(at..).filter(|rest| !rest.is_empty()) {
        let lines = label_lines(rest);
        let whole = text_of(rest, lines).filter(|_| lines > 1);
        let mut joined = rows.iter_mut().skip(at).take(lines.max(1));
        if let Some(text) = whole
            && let Some(item) = joined
                .next()
                .and_then(|row| row.cells.iter_mut().find_map(|cell| cell.items.first_mut()))
        {
            item.text = text;
            joined.for_each(|row| row.cells.clear());
        }
        at += lines.max(1);
    }
    rows.retain(|row| row.filled().next().is_some());
}

/// How many of the first rows are one label: 0 if they are none.
fn label_lines(rows: &[Row]) -> usize {
    let Some(first) = rows.first().and_then(broken_line) else {
        return 0;
    };
    let label = labels::find(first).filter(|found| found.rest.is_empty());
    if label.is_none() && !labels::may_begin(first) {
        return 0;
    }
    let mut found = 0;
    for lines in 2..=MOST_LINES {
        let Some(text) = text_of(rows, lines) else { break };
        let more = text.get(first.len()..).unwrap_or_default();
        let explains = label.is_some() && more.trim_start().starts_with(['(', '（']);
        if !explains && !labels::may_begin(&text) && labels::find(&text).is_none() {
            break;
        }
        let whole = labels::find(&text).filter(|found| found.rest.is_empty());
        let is_label = |whole: &Found<'_>| {
            label.as_ref().is_none_or(|label| label.label != whole.label) || is_explanation(more) || is_words(&text)
        };
        if whole.as_ref().is_some_and(is_label) {
            found = lines;
        }
    }
    found
}

/// The lines of the first rows without line ends, if each is a short line by itself.
fn text_of(rows: &[Row], lines: usize) -> Option<String> {
    let lines: Option<Vec<&str>> = rows.get(..lines)?.iter().map(broken_line).collect();
    lines.map(|lines| lines.concat())
}

fn broken_line(row: &Row) -> Option<&str> {
    let item = row.lone_item().filter(|item| !row.table && item.exact.is_empty())?;
    (item.text.len() <= LONGEST).then_some(item.text.as_str())
}
