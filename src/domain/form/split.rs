//! Splits a box into items: at bullets, at numbers, after sentences, and at blanks where what they separate is clear.

use super::{
    layout::{Item, Mark, number},
    notes::Place,
    width::{is_figure, narrow},
};
use crate::value::{FiscalYear, work};
use signs::{Sign, Signs};

pub(super) mod blanks;
pub(super) mod signs;
#[cfg(test)]
mod tests;

/// The kind of the items of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Sentences.
    Prose,
    /// Indicators, each with its target, in the policy of a year.
    Indicators(FiscalYear),
    /// Results or targets, each for an indicator.
    Values,
}

/// An item of a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The text without its bullet and, except in prose, without its number.
    pub(super) text: String,
    pub(super) place: Place,
    /// The printed number, if any: ② or (2).
    pub(super) number: Option<u32>,
    /// Whether a bullet or a number stands before the item, or it is one of a list.
    pub(super) marked: bool,
    /// Whether the item was put together from lines, or split at a mere blank.
    pub(super) doubtful: bool,
    /// Whether the item is several indicators that cannot be told apart, or parts of a figure that a line end broke.
    pub(super) run_together: bool,
    /// The target or rating after `text`, if the page marks both as values; empty if there is none.
    pub(super) exact: Option<String>,
}

/// The most bytes of a name that was put together from lines.
const LONGEST_NAME: usize = 1_500;

/// The items of a box.
pub(super) fn parts(items: &[Item], content: Content) -> Vec<Part> {
    let mut splitter = Splitter {
        content,
        signs: Signs::of(items, content),
        with_targets: items.iter().any(|item| has_target(&item.text)),
        separated: false,
        parts: Vec::new(),
    };
    for item in items {
        splitter.item(item);
    }
    splitter.doubt_broken_lines();
    // A marked value keeps its place among the others even if it is empty.
    splitter
        .parts
        .retain(|part| !part.text.is_empty() || content == Content::Values && part.exact.is_some());
    splitter.parts
}

struct Splitter {
    content: Content,
    signs: Signs,
    /// Whether any item has a target.
    with_targets: bool,
    /// Whether blanks separate indicators in any line.
    separated: bool,
    parts: Vec<Part>,
}

impl Splitter {
    fn item(&mut self, item: &Item) {
        if let [text, after @ ..] = item.exact.as_slice() {
            return self.parts.push(Part {
                text: text.clone(),
                place: item.place(),
                number: None,
                marked: true,
                doubtful: false,
                run_together: false,
                exact: Some(after.first().cloned().unwrap_or_default()),
            });
        }
        if item.mark == Mark::Listed {
            let sign = self.signs.sign(&item.text, true, true);
            return self.push(item, 0, &item.text, sign, false);
        }
        let starts = self.signs.starts(&item.text);
        if starts.is_empty() {
            return self.without_signs(item);
        }
        let first = starts.first().map_or(0, |(at, _)| *at);
        let before = item.text.get(..first).unwrap_or_default();
        if !before.trim().is_empty() {
            self.add_unsigned(item, 0, before, false);
        }
        let ends: Vec<usize> = starts
            .iter()
            .skip(1)
            .map(|(at, _)| *at)
            .chain([item.text.len()])
            .collect();
        let mut column = Columns::default();
        for ((at, sign), end) in starts.into_iter().zip(ends) {
            let text = item.text.get(at..end).unwrap_or_default();
            let chars = column.at(&item.text, at);
            self.push(item, chars, text, Some(sign), false);
        }
    }

    /// Lines of indicators that blanks separate end with a target: where one does not, a line end may stand anywhere.
    fn doubt_broken_lines(&mut self) {
        let Content::Indicators(year) = self.content else {
            return;
        };
        let mut parts = self.parts.iter_mut().filter(|part| !part.marked).peekable();
        while let Some(part) = parts.next() {
            let rests = ["以上", "以下", "以内", "未満", "%", "％"];
            let broken = rests.iter().any(|rest| part.text.starts_with(rest))
                || parts.peek().is_some() && blanks::ends_within(&part.text, year);
            part.run_together |= broken || self.separated && !blanks::is_whole(&part.text, year);
        }
    }

    fn push(&mut self, item: &Item, chars: usize, text: &str, sign: Option<Sign>, doubtful: bool) {
        let number_of = sign.as_ref().and_then(|sign| sign.number);
        let marked = sign.is_some() || item.mark == Mark::Listed;
        // The number stays in prose, which may refer to it.
        let skipped = match sign {
            Some(sign) if sign.number.is_none() || self.content != Content::Prose => sign.length,
            _ => 0,
        };
        let text = text.get(skipped..).unwrap_or_default().trim();
        self.parts.push(Part {
            text: text.to_owned(),
            place: Place {
                line: item.line,
                column: item.column
                    + if item.column > 1 || item.mark == Mark::Line {
                        number(chars)
                    } else {
                        0
                    },
            },
            number: number_of,
            marked,
            doubtful,
            run_together: false,
            exact: None,
        });
    }

    fn without_signs(&mut self, item: &Item) {
        if item.mark == Mark::Run {
            return self.run(item);
        }
        if self.signs.found() {
            return self.add_unsigned(item, 0, &item.text, item.mark == Mark::Line || item.goes_on);
        }
        let mut column = Columns::default();
        let goes_on = |last: &Part| is_broken_figure(&last.text, &item.text, self.content);
        if let Content::Indicators(year) = self.content {
            if self.parts.last().is_some_and(goes_on) {
                return self.add_unsigned(item, 0, &item.text, true);
            }
            match blanks::indicators(&item.text, year) {
                blanks::Line::One => self.add_unsigned(item, 0, &item.text, false),
                blanks::Line::Several(parts) => {
                    self.separated = true;
                    for (at, text) in parts {
                        let chars = column.at(&item.text, at);
                        self.push(item, chars, text, None, true);
                    }
                }
                blanks::Line::Unclear => {
                    self.push(item, 0, &item.text, None, true);
                    if let Some(last) = self.parts.last_mut() {
                        last.run_together = true;
                    }
                }
            }
            return;
        }
        for (at, text) in sentences(&item.text, self.content) {
            let chars = column.at(&item.text, at);
            self.add_unsigned(item, chars, text, false);
        }
    }

    /// Adds a text without a sign: it continues a broken line, or is an item of its own.
    fn add_unsigned(&mut self, item: &Item, chars: usize, text: &str, may_go_on: bool) {
        let text = text.trim();
        let content = self.content;
        if let Some(last) = self.parts.last_mut().filter(|last| last.exact.is_none()) {
            let joint = match content {
                // A rating in its own cell, for a result that has none yet.
                Content::Values if matches!(text, "A" | "B" | "Ａ" | "Ｂ") && !has_rating(&last.text) => Some("："),
                Content::Values if text.starts_with(['(', '（', '※']) => Some(""),
                Content::Indicators(_) if text.starts_with([':', '：']) => Some(""),
                _ => None,
            };
            if let Some(joint) = joint {
                last.text.push_str(joint);
                last.text.push_str(text);
                return;
            }
            let ended = last.text.ends_with(['。', '」']);
            let goes_on = match content {
                _ if is_broken_figure(&last.text, text, content) => true,
                Content::Prose => {
                    let broken = item.mark == Mark::Line && last.text.chars().nth(25).is_some();
                    !ended && (may_go_on || broken)
                }
                Content::Indicators(_) if !is_open(&last.text) => {
                    !ended && (may_go_on || self.with_targets && is_broken_name(&last.text, text))
                }
                Content::Indicators(_) => true,
                Content::Values => is_open(&last.text),
            };
            if chars == 0 && goes_on {
                let (before, after) = (last.text.chars().next_back(), text.chars().next());
                let both = |is: fn(char) -> bool| before.is_some_and(is) && after.is_some_and(is);
                if both(|c| c.is_ascii()) || both(is_figure) {
                    last.text.push(' ');
                }
                last.text.push_str(text);
                last.doubtful = true;
                last.run_together |= content == Content::Values && both(is_figure);
                return;
            }
        }
        self.push(item, chars, text, None, false);
    }

    /// Splits a list whose items lost their bullets: into sentences if there are any, else at blanks.
    fn run(&mut self, item: &Item) {
        let text = &item.text;
        let mut column = Columns::default();
        let sentences_end = text.ends_with('。') || text.contains("。 ");
        let by_sentence = self.content == Content::Prose && sentences_end;
        let parts: Vec<(usize, &str)> = if by_sentence {
            sentences(text, self.content).collect()
        } else {
            blanks::words(text).collect()
        };
        let content = self.content;
        let complete = |text: &str| match content {
            Content::Indicators(_) => has_target(text),
            _ => true,
        };
        let any = parts.iter().any(|(_, text)| complete(text));
        let doubtful = parts.len() > 1 && !by_sentence;
        let mut open = false;
        for (at, part) in parts {
            match self.parts.last_mut() {
                Some(last) if open => {
                    last.text.push(' ');
                    last.text.push_str(part);
                }
                _ => {
                    let chars = column.at(text, at);
                    self.push(item, chars, part, None, doubtful);
                }
            }
            open = any && !complete(part);
        }
    }
}

/// Whether a bracket is open at the end of a text: its line broke off.
fn is_open(text: &str) -> bool {
    let last = text.chars().rev().take(60).find(|c| matches!(narrow(*c), '(' | ')'));
    last.is_some_and(|c| narrow(c) == '(')
}

/// Whether a line end stands within a figure, or may stand there: neither part of it is a figure.
fn is_broken_figure(before: &str, after: &str, content: Content) -> bool {
    let is_digit = |c: char| c.is_numeric() || matches!(narrow(c), '.' | ',');
    let meet = before.ends_with(is_digit) && after.starts_with(is_digit);
    match content {
        Content::Prose => false,
        Content::Indicators(_) => meet,
        // Lines that are bare figures are one each.
        Content::Values => {
            let last = before.rsplit(' ').next().unwrap_or_default();
            meet && last.chars().all(is_digit) && !after.chars().all(is_digit)
        }
    }
}

/// Whether the name of an indicator goes on in the next line: it is as long as a line is, or ends or goes on as no name does.
fn is_broken_name(name: &str, next: &str) -> bool {
    let unfinished = name.ends_with(['の', 'を', 'が', 'に', 'は', 'と', 'で', 'や', 'も', 'っ', '、', '・']);
    let goes_on = next.starts_with([
        'の', 'を', 'が', 'に', 'は', 'と', '、', '」', 'る', 'っ', 'ん', 'ー', 'ゃ', 'ゅ', 'ょ',
    ]);
    name.len() < LONGEST_NAME && !has_target(name) && (unfinished || goes_on || name.chars().nth(25).is_some())
}

/// Whether a result ends with its rating.
fn has_rating(text: &str) -> bool {
    text.ends_with(['A', 'B', 'Ａ', 'Ｂ'])
}

/// Whether a line of an indicator ends with its target.
pub(super) fn has_target(text: &str) -> bool {
    work::spend(text.len());
    let after_colon = text
        .rsplit_once([':', '：'])
        .is_some_and(|(_, after)| !after.trim().is_empty());
    after_colon
        || [
            "以上",
            "以下",
            "未満",
            "以内",
            "増加",
            "減少",
            "維持",
            "上回る",
            "下回る",
            "超える",
        ]
        .iter()
        .any(|end| text.ends_with(end))
}

/// The sentences of a text, separated by blanks; for values, the texts up to each rating.
fn sentences(text: &str, content: Content) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    let mut before = [' '; 2];
    let mut ends: Vec<usize> = text
        .char_indices()
        .filter_map(|(at, c)| {
            let ends = c == ' '
                && match content {
                    Content::Prose => before.last() == Some(&'。'),
                    Content::Indicators(_) => false,
                    Content::Values => matches!(before, [':', 'A' | 'B']),
                };
            before = [before.last().copied().unwrap_or(' '), narrow(c)];
            ends.then_some(at)
        })
        .collect();
    ends.push(text.len());
    ends.into_iter().filter_map(move |end| {
        let part = text.get(start..end)?;
        let at = start;
        start = end + 1;
        (!part.trim().is_empty()).then_some((at, part))
    })
}

/// Counts characters up to a place; places only increase.
#[derive(Default)]
struct Columns {
    bytes: usize,
    chars: usize,
}

impl Columns {
    fn at(&mut self, text: &str, bytes: usize) -> usize {
        self.chars += text.get(self.bytes..bytes).map_or(0, |part| part.chars().count());
        self.bytes = self.bytes.max(bytes);
        self.chars
    }
}
