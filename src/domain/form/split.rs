//! Splits a box into items: at bullets, at numbers, after sentences, and at blanks if a list lost its bullets.

use super::{
    headings::circled,
    layout::{Item, Mark, number},
    notes::Place,
    width::narrow,
};
use crate::value::work;

/// The kind of the items of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Sentences.
    Prose,
    /// Indicators, each with its target.
    Indicators,
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
    /// Whether the item was put together from lines, or split at a mere blank.
    pub(super) doubtful: bool,
    /// The target or rating after `text`, if the page marks both as values; empty if there is none.
    pub(super) exact: Option<String>,
}

/// The signs that separate the items of a box: the first sign found decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signs {
    Bullets,
    Numbers,
}

/// The items of a box.
pub(super) fn parts(items: &[Item], content: Content) -> Vec<Part> {
    let mut splitter = Splitter {
        content,
        signs: None,
        next: 1,
        parts: Vec::new(),
    };
    for item in items {
        splitter.item(item);
    }
    // A marked value keeps its place among the others even if it is empty.
    splitter
        .parts
        .retain(|part| !part.text.is_empty() || content == Content::Values && part.exact.is_some());
    splitter.parts
}

struct Splitter {
    content: Content,
    signs: Option<Signs>,
    /// The number expected next.
    next: u32,
    parts: Vec<Part>,
}

/// A sign at the start of an item.
struct Sign {
    /// The length of the sign in bytes.
    length: usize,
    number: Option<u32>,
}

impl Splitter {
    fn item(&mut self, item: &Item) {
        if let [text, after @ ..] = item.exact.as_slice() {
            return self.parts.push(Part {
                text: text.clone(),
                place: item.place(),
                number: None,
                doubtful: false,
                exact: Some(after.first().cloned().unwrap_or_default()),
            });
        }
        if item.mark == Mark::Listed {
            let sign = self.sign(&item.text, true);
            return self.push(item, 0, &item.text, sign, false);
        }
        let starts = self.starts(&item.text);
        if starts.is_empty() {
            return self.without_signs(item);
        }
        let first = starts.first().map_or(0, |(at, _)| *at);
        let before = item.text.get(..first).unwrap_or_default();
        if !before.trim().is_empty() {
            self.add_unsigned(item, 0, before, false);
        }
        let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([item.text.len()]);
        let mut column = Columns::default();
        for ((at, sign), end) in starts.iter().zip(ends) {
            let text = item.text.get(*at..end).unwrap_or_default();
            let sign = Sign {
                length: sign.length,
                number: sign.number,
            };
            let chars = column.at(&item.text, *at);
            self.push(item, chars, text, Some(sign), false);
        }
    }

    /// Where items start in a text, each with its sign.
    fn starts(&mut self, text: &str) -> Vec<(usize, Sign)> {
        work::spend(text.len());
        let mut starts = Vec::new();
        let mut before = None;
        for (at, c) in text.char_indices() {
            let boundary = before.is_none_or(|b: char| b.is_whitespace() || b == '。');
            // Circled numbers need no blank before them; but one that a sentence mentions is no sign.
            let close =
                circled(c).is_some() && self.next > 1 && before.is_none_or(|b| !"（(、・「とや及び～~-".contains(b));
            if (boundary || close)
                && let Some(sign) = text.get(at..).and_then(|from| self.sign(from, boundary))
            {
                starts.push((at, sign));
            }
            before = Some(c);
        }
        starts
    }

    /// The sign that a text starts with, if signs of this kind separate the items of this box.
    fn sign(&mut self, text: &str, boundary: bool) -> Option<Sign> {
        let c = text.chars().next()?;
        let bullet = match narrow(c) {
            '・' | '●' | '■' | '◆' | '◇' | '□' | '▪' | '➢' | '►' | '✓' => boundary,
            // ○○区 stands for a name, not for an item.
            '○' | '◯' => boundary && !text.chars().nth(1).is_some_and(|c| "○◯".contains(c)),
            _ => false,
        };
        if bullet && self.signs != Some(Signs::Numbers) {
            self.signs = Some(Signs::Bullets);
            return Some(Sign {
                length: c.len_utf8(),
                number: None,
            });
        }
        if self.signs == Some(Signs::Bullets) {
            return None;
        }
        let (number, length) = match circled(c) {
            Some(number) => (number, c.len_utf8()),
            None if boundary => bracketed(text)?,
            None => return None,
        };
        // Numbers come in order. Values may skip some: they may belong to some of the indicators only.
        let expected = number == self.next || self.content == Content::Values && number > self.next;
        expected.then(|| {
            self.signs = Some(Signs::Numbers);
            self.next = number + 1;
            Sign {
                length,
                number: Some(number),
            }
        })
    }

    fn push(&mut self, item: &Item, chars: usize, text: &str, sign: Option<Sign>, doubtful: bool) {
        let number_of = sign.as_ref().and_then(|sign| sign.number);
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
            doubtful,
            exact: None,
        });
    }

    fn without_signs(&mut self, item: &Item) {
        match (item.mark, self.signs) {
            (Mark::Run, _) => self.run(item),
            (_, Some(_)) => self.add_unsigned(item, 0, &item.text, item.mark == Mark::Line || item.goes_on),
            (_, None) => {
                let mut column = Columns::default();
                for (at, text) in sentences(&item.text, self.content) {
                    let chars = column.at(&item.text, at);
                    self.add_unsigned(item, chars, text, false);
                }
            }
        }
    }

    /// Adds a text without a sign: it continues a broken line, or is an item of its own.
    fn add_unsigned(&mut self, item: &Item, chars: usize, text: &str, may_go_on: bool) {
        let text = text.trim();
        let content = self.content;
        if let Some(last) = self.parts.last_mut() {
            let ended = last.text.ends_with(['。', '」']);
            let broken = item.mark == Mark::Line && content == Content::Prose && last.text.chars().nth(25).is_some();
            let joint = match content {
                // A rating in its own cell, for a result that has none yet.
                Content::Values if matches!(text, "A" | "B" | "Ａ" | "Ｂ") && !has_rating(&last.text) => Some("："),
                Content::Values if text.starts_with(['(', '（', '※']) => Some(""),
                Content::Indicators if text.starts_with([':', '：']) => Some(""),
                _ => None,
            };
            if let Some(joint) = joint {
                last.text.push_str(joint);
                last.text.push_str(text);
                return;
            }
            if chars == 0 && !ended && (may_go_on && content != Content::Values || broken) {
                let apart = last.text.ends_with(|c: char| c.is_ascii()) && text.starts_with(|c: char| c.is_ascii());
                if apart {
                    last.text.push(' ');
                }
                last.text.push_str(text);
                last.doubtful = true;
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
            words(text).collect()
        };
        let content = self.content;
        let complete = |text: &str| match content {
            Content::Indicators => has_target(text),
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

/// The number in (2) or （２）, and its length in bytes.
fn bracketed(text: &str) -> Option<(u32, usize)> {
    let mut chars = text.char_indices().map(|(at, c)| (at + c.len_utf8(), narrow(c)));
    chars.next().filter(|(_, c)| *c == '(')?;
    let mut number = 0;
    for (end, c) in chars.take(3) {
        match c.to_digit(10) {
            Some(digit) => number = number * 10 + digit,
            None => return (c == ')' && number > 0).then_some((number, end)),
        }
    }
    None
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
                    Content::Indicators => false,
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

/// The words of a text, with their places.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(' ').filter_map(move |word| {
        let start = at;
        at += word.len() + 1;
        (!word.is_empty()).then_some((start, word))
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

#[cfg(test)]
mod tests {
    use super::{Content, Item, Mark, parts};

    fn texts(lines: &[(&str, Mark)], content: Content) -> Vec<String> {
        let items: Vec<Item> = lines
            .iter()
            .map(|(text, mark)| Item {
                text: (*text).to_owned(),
                line: 1,
                column: 1,
                mark: *mark,
                goes_on: false,
                exact: vec![],
            })
            .collect();
        parts(&items, content).into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn prose_is_parted_at_bullets_numbers_and_sentences() {
        for (text, mark, expected) in [
            ("・a・b。 ・c", Mark::Line, vec!["a・b。", "c"]),
            ("「a」 ・b", Mark::Line, vec!["「a」", "b"]),
            ("①a ②b", Mark::Line, vec!["①a", "②b"]),
            ("①a②b（①を除く）", Mark::Line, vec!["①a", "②b（①を除く）"]),
            ("（１）a （２）b", Mark::Line, vec!["（１）a", "（２）b"]),
            ("a。 b。そのため、c。", Mark::Line, vec!["a。", "b。そのため、c。"]),
            ("a。 b。", Mark::Run, vec!["a。", "b。"]),
            ("a b", Mark::Run, vec!["a", "b"]),
            ("a b", Mark::Line, vec!["a b"]),
            ("・a b ・c", Mark::Listed, vec!["a b ・c"]),
            ("○○区の○○", Mark::Line, vec!["○○区の○○"]),
            ("・a ①b ②c", Mark::Line, vec!["a ①b ②c"]),
        ] {
            assert_eq!(texts(&[(text, mark)], Content::Prose), expected, "{text}");
        }
    }

    #[test]
    fn a_line_that_broke_off_goes_on() {
        let lines = [
            ("・災害に強い", Mark::Line),
            ("まち。", Mark::Line),
            ("・犯罪", Mark::Line),
        ];
        assert_eq!(texts(&lines, Content::Prose), ["災害に強いまち。", "犯罪"]);
        let lines = [("「誇り」", Mark::Line), ("まち", Mark::Line)];
        assert_eq!(texts(&lines, Content::Prose), ["「誇り」", "まち"]);
    }

    #[test]
    fn indicators_in_a_list_without_bullets_end_with_their_targets() {
        for (text, expected) in [
            ("a：57%以上 b：80%以上", vec!["a：57%以上", "b：80%以上"]),
            (
                "a 40%以上 ICT を使う人：30%以上",
                vec!["a 40%以上", "ICT を使う人：30%以上"],
            ),
            ("・a b：60%以上 ・c 40%以上", vec!["a b：60%以上", "c 40%以上"]),
        ] {
            assert_eq!(texts(&[(text, Mark::Run)], Content::Indicators), expected, "{text}");
        }
    }

    #[test]
    fn results_are_parted_after_ratings_and_take_a_rating_that_stands_apart() {
        for (text, expected) in [
            ("57.0%：A 84.96%：Ｂ", vec!["57.0%：A", "84.96%：Ｂ"]),
            ("①57.0%：A②81%：B", vec!["57.0%：A", "81%：B"]),
            ("22分 30秒", vec!["22分 30秒"]),
        ] {
            assert_eq!(texts(&[(text, Mark::Line)], Content::Values), expected, "{text}");
        }
        assert_eq!(
            texts(&[("57%", Mark::Block), ("Ａ", Mark::Block)], Content::Values),
            ["57%：Ａ"]
        );
    }
}
