//! Printed text in one width: full-width letters, digits and signs as ASCII, half-width kana as full width.

use std::ops::Range;

use unicode_normalization::char::{compose, decompose_compatible};

use super::number;
use crate::value::work;

/// A printed text, the text in one width, and for each place of the latter its place in the former.
#[derive(Debug, Clone)]
pub(crate) struct Plain<'a> {
    printed: &'a str,
    /// The text in one width; every kind of blank is a space.
    pub(crate) text: String,
    /// For each byte of `text`, and for its end, where its character starts in `printed`.
    origin: Vec<usize>,
}

impl<'a> Plain<'a> {
    /// Puts a text into one width.
    pub(crate) fn of(printed: &'a str) -> Self {
        work::spend(printed.len());
        let mut plain = Self {
            printed,
            text: String::with_capacity(printed.len()),
            origin: Vec::with_capacity(printed.len() + 1),
        };
        for (at, c) in printed.char_indices() {
            if is_unseen(c) {
                continue;
            }
            let c = narrow(c);
            match voiced(plain.text.chars().next_back(), c) {
                Some(sound) => plain.replace_last(sound),
                None => plain.push(c, at),
            }
        }
        plain.origin.push(printed.len());
        plain
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.origin.resize(self.text.len(), at);
    }

    fn replace_last(&mut self, c: char) {
        self.text.pop();
        let at = self.origin.get(self.text.len()).copied().unwrap_or_default();
        self.origin.truncate(self.text.len());
        self.push(c, at);
    }

    /// Where a place of the text is in the text as printed.
    pub(crate) fn place(&self, at: usize) -> usize {
        self.origin.get(at).copied().unwrap_or(self.printed.len())
    }

    /// A part of the text as printed, without blanks at its ends.
    pub(crate) fn printed(&self, part: Range<usize>) -> &'a str {
        let place = self.place(part.start)..self.place(part.end);
        self.printed.get(place).unwrap_or_default().trim()
    }

    /// The place of a part of the text in the text as printed: its first character, and the one after its last.
    pub(crate) fn span(&self, part: Range<usize>) -> (usize, usize) {
        let characters = |at: usize| self.printed.get(..self.place(at)).unwrap_or_default().chars().count();
        (characters(part.start), characters(part.end))
    }
}

/// A text in one width, without blanks at its ends.
pub(crate) fn plain(text: &str) -> String {
    Plain::of(text).text.trim().to_owned()
}

/// A text in one width without blanks, but for those that keep figures apart: 51 52 is not 5152, and - 66.4 is not −66.4.
pub(crate) fn unspaced(text: &str) -> String {
    let plain = plain(text);
    let mut joined = String::with_capacity(plain.len());
    for part in plain.split(' ').filter(|part| !part.is_empty()) {
        if keeps_apart(joined.chars().next_back(), part.chars().next()) {
            joined.push(' ');
        }
        joined.push_str(part);
    }
    joined
}

/// Whether a text in one width holds a digit.
pub(crate) fn has_digit(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// Whether a blank between two characters keeps figures apart, or a figure and a mark that is no sign of it.
fn keeps_apart(before: Option<char>, after: Option<char>) -> bool {
    let is_figure = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let is_sign = |c: char| matches!(c, '-' | '+' | '▲' | '△');
    match (before, after) {
        (Some(before), Some(after)) => {
            is_figure(after) && (is_figure(before) || is_sign(before))
                || number::is_kanji(before) && number::is_kanji(after)
        }
        _ => false,
    }
}

/// A printed text as one line: no controls, no invisible characters, blanks trimmed. A text that is one line is kept.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut broken = false;
    for c in text.trim().chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            broken = true;
        } else if !is_unseen(c) {
            if std::mem::take(&mut broken) && !line.ends_with(char::is_whitespace) && !c.is_whitespace() {
                line.push(' ');
            }
            line.push(c);
        }
    }
    line.trim().to_owned()
}

/// Zero-width and direction marks.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn narrow(c: char) -> char {
    const OFFSET: u32 = 0xfee0;
    match c {
        '！'..='～' => match char::from_u32(u32::from(c) - OFFSET) {
            Some('[') => '(',
            Some(']') => ')',
            Some(ascii) => ascii,
            None => c,
        },
        '[' | '〔' | '【' => '(',
        ']' | '〕' | '】' => ')',
        '\u{ff61}'..='\u{ff9f}' => kana(c),
        '〜' | '∼' => '~',
        '−' | '‐' | '‑' | '–' => '-',
        '⇒' | '➡' | '➔' | '⇨' => '→',
        '﹪' => '%',
        _ if c.is_whitespace() || c.is_control() => ' ',
        _ => c,
    }
}

/// Half-width kana as full width; the marks of voiced sounds as marks that can be joined to the character before.
fn kana(c: char) -> char {
    let mut full = c;
    decompose_compatible(c, |part| full = part);
    full
}

/// A sound and the mark that makes it a voiced one, as one character.
fn voiced(sound: Option<char>, mark: char) -> Option<char> {
    matches!(mark, '\u{3099}' | '\u{309a}').then(|| compose(sound?, mark))?
}
