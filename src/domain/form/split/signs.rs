//! The signs at the starts of a box's items: bullets, numbers, letters and dashes. The first sign found decides; a sign is
//! never a part of a figure.

use super::Content;
use crate::{
    domain::form::{
        layout::Item,
        numbers::circled,
        width::{is_figure, narrow},
    },
    value::work,
};

/// The kind of the signs of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bullets,
    Numbers,
}

/// A sign at the start of an item.
#[derive(Debug)]
pub(super) struct Sign {
    /// The length of the sign in bytes.
    pub(super) length: usize,
    pub(super) number: Option<u32>,
}

/// The signs of one box.
#[derive(Debug)]
pub(super) struct Signs {
    content: Content,
    kind: Option<Kind>,
    /// The number expected next.
    next: u32,
    /// Whether numbers with a dot or a bracket behind them (1. 2.) are signs: so if at least two stand in order, or one
    /// stands before a name.
    ordinals: bool,
    /// Whether dashes are signs: so if each of several values has one, or the first of other items has one before words.
    dashes: bool,
}

impl Signs {
    /// The signs that separate these items.
    pub(super) fn of(items: &[Item], content: Content) -> Self {
        let (mut last, mut named) = (0, false);
        for item in items.iter().filter(|item| item.exact.is_empty()) {
            work::spend(item.text.len());
            for (_, from) in boundaries(&item.text) {
                if let Some((_, length)) = ordinal(from).filter(|(number, _)| *number == last + 1) {
                    last += 1;
                    named |= from
                        .get(length..)
                        .is_some_and(|item| !item.trim_start().starts_with(is_figure));
                }
            }
        }
        let dashes = match content {
            Content::Values => items.len() > 1 && items.iter().all(|item| after_dash(item).is_some()),
            // A line that broke off goes on without a dash.
            _ => items
                .first()
                .and_then(after_dash)
                .is_some_and(|item| !item.starts_with(is_figure)),
        };
        Self {
            content,
            kind: None,
            next: 1,
            ordinals: last > 1 || named && matches!(content, Content::Indicators(_)),
            dashes,
        }
    }

    /// Whether a sign was found already.
    pub(super) fn found(&self) -> bool {
        self.kind.is_some()
    }

    /// Where items start in a text, each with its sign.
    pub(super) fn starts(&mut self, text: &str) -> Vec<(usize, Sign)> {
        work::spend(text.len());
        let mut starts = Vec::new();
        let mut before = None;
        for (at, c) in text.char_indices() {
            let boundary = before.is_none_or(|b: char| b.is_whitespace() || b == '。');
            // Circled numbers need no blank before them; but one that a sentence mentions is no sign.
            let close =
                circled(c).is_some() && self.next > 1 && before.is_none_or(|b| !"（(、・「とや及び～~-".contains(b));
            if (boundary || close)
                && let Some(sign) = text.get(at..).and_then(|from| self.sign(from, boundary, at == 0))
            {
                starts.push((at, sign));
            }
            before = Some(c);
        }
        starts
    }

    /// The sign that a text starts with, if signs of this kind separate the items of this box. Dashes are signs only at
    /// the start of a line.
    pub(super) fn sign(&mut self, text: &str, boundary: bool, starts_line: bool) -> Option<Sign> {
        let length = bullet(text)
            .filter(|_| boundary)
            .or_else(|| dash(text).filter(|_| self.dashes && starts_line));
        if let Some(length) = length.filter(|_| self.kind != Some(Kind::Numbers)) {
            self.kind = Some(Kind::Bullets);
            return Some(Sign { length, number: None });
        }
        if self.kind == Some(Kind::Bullets) {
            return None;
        }
        let c = text.chars().next()?;
        let (number, length) = match circled(c) {
            Some(number) => (number, c.len_utf8()),
            None if boundary => bracketed(text).or_else(|| ordinal(text).filter(|_| self.ordinals))?,
            None => return None,
        };
        // Numbers come in order. Values may skip some: they may belong to some of the indicators only.
        let may_skip = self.content == Content::Values && !self.ordinals;
        let expected = number == self.next || may_skip && number > self.next;
        expected.then(|| {
            self.kind = Some(Kind::Numbers);
            self.next = number + 1;
            Sign {
                length,
                number: Some(number),
            }
        })
    }
}

/// Whether a text is the mark of a list's item and nothing else.
pub(in crate::domain::form) fn is_list_mark(text: &str) -> bool {
    let text = text.trim();
    let mut chars = text.chars();
    let lone = chars.next().filter(|_| chars.next().is_none());
    let is_bullet = lone.is_some_and(|c| circled(c).is_some() || "・■◆◇□▪➢►✓◦◾▫▶".contains(narrow(c)));
    let whole = |found: Option<(u32, usize)>| found.is_some_and(|(_, length)| length == text.len());
    is_bullet || whole(bracketed(text)) || text.chars().count() <= 3 && whole(ordinal(&format!("{text} ")))
}

/// The length of the bullet that a text starts with.
fn bullet(text: &str) -> Option<usize> {
    let c = text.chars().next()?;
    let after = text.get(c.len_utf8()..).unwrap_or_default();
    let is_bullet = match narrow(c) {
        '・' | '■' | '◆' | '◇' | '□' | '▪' | '➢' | '►' | '✓' | '◦' | '◾' | '▫' | '▶' => true,
        // A circle by itself is a result, and ○○区 stands for a name.
        '●' | '◎' | '★' | '☆' => !after.trim().is_empty(),
        '○' | '◯' => !after.trim().is_empty() && !after.starts_with(['○', '◯']),
        '*' => after.starts_with(char::is_whitespace),
        _ => false,
    };
    is_bullet.then_some(c.len_utf8())
}

/// The length of the dash that a text starts with, if a blank follows it: directly before a figure it is a sign.
fn dash(text: &str) -> Option<usize> {
    let c = text.chars().next().filter(|c| narrow(*c) == '-')?;
    let after = text.get(c.len_utf8()..)?;
    (after.starts_with(char::is_whitespace) && !after.trim().is_empty()).then_some(c.len_utf8())
}

/// The text of an item behind its dash.
fn after_dash(item: &Item) -> Option<&str> {
    let text = item.text.as_str();
    let length = dash(text).filter(|_| item.exact.is_empty())?;
    text.get(length..).map(str::trim_start)
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

/// The number of `1.`, `2)`, `ア.`, `(イ)` or `b)`, and its length in bytes. A dot before a figure is a decimal point.
fn ordinal(text: &str) -> Option<(u32, usize)> {
    let mut chars = text.char_indices().map(|(at, c)| (at + c.len_utf8(), c)).peekable();
    let opened = chars.next_if(|(_, c)| narrow(*c) == '(').is_some();
    let (_, first) = chars.next()?;
    let first = narrow(first);
    let mut number = match first {
        '1'..='9' => first.to_digit(10)?,
        'ア' | 'イ' | 'ウ' | 'エ' | 'オ' | 'カ' | 'キ' | 'ク' | 'ケ' | 'コ' => {
            u32::try_from("アイウエオカキクケコ".chars().position(|c| c == first)?).ok()? + 1
        }
        'a'..='j' => u32::from(first) - u32::from('a') + 1,
        _ => return None,
    };
    if first.is_ascii_digit()
        && let Some((_, digit)) = chars.next_if(|(_, c)| narrow(*c).is_ascii_digit())
    {
        number = number * 10 + narrow(digit).to_digit(10)?;
    }
    let (end, close) = chars.next()?;
    let behind = chars.next().map(|(_, c)| c);
    let closes = match narrow(close) {
        ')' => true,
        '.' | '、' => !opened && !behind.is_none_or(is_figure),
        _ => false,
    };
    (closes && (!opened || !first.is_ascii_digit())).then_some((number, end))
}

/// The places in a text where an item may begin, with the text from there on.
fn boundaries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut before = None;
    text.char_indices().filter_map(move |(at, c)| {
        let boundary = before.is_none_or(|b: char| b.is_whitespace() || b == '。');
        before = Some(c);
        boundary.then(|| text.get(at..).map(|from| (at, from))).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::{bracketed, bullet, dash, is_list_mark, ordinal};

    #[test]
    fn signs_are_told_from_figures() {
        for (text, number) in [
            ("1. 48%", Some((1, 2))),
            ("2) 48%", Some((2, 2))),
            ("２．備え", Some((2, 6))),
            ("12、備え", Some((12, 5))),
            ("ア 備え", None),
            ("ア）備え", Some((1, 6))),
            ("(ウ)備え", Some((3, 5))),
            ("b. 備え", Some((2, 2))),
            ("1.5倍", None),
            ("１．５倍", None),
            ("1 48%", None),
            ("A: 48%", None),
            ("1.", None),
            ("", None),
        ] {
            assert_eq!(ordinal(text), number, "{text}");
        }
        assert_eq!((bracketed("(2) 48%"), bracketed("(2024)")), (Some((2, 3)), None));
        assert_eq!(
            (dash("- 48%"), dash("-48%"), dash("－"), dash("- ")),
            (Some(1), None, None, None)
        );
        assert_eq!(
            (bullet("○"), bullet("○○区"), bullet("○備え"), bullet("*備え")),
            (None, None, Some(3), None)
        );
        for mark in ["・", "•", "\u{f0b7}", "■", "①", "(1)", "1.", "２）", "12."] {
            assert!(is_list_mark(mark), "{mark}");
        }
        for text in ["○", "-", "1", "A", "1.5", "48%", "備え", ""] {
            assert!(!is_list_mark(text), "{text}");
        }
    }
}
