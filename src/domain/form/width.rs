//! Texts in one width: full-width letters, digits and signs as ASCII, every blank as a space.

use crate::value::work;

/// A character in one width.
pub(super) fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => u32::from(c).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(c),
        // Word's bullets, and those of the symbol fonts that it writes with.
        '･' | '•' | '‣' | '·' | '\u{f020}'..='\u{f0ff}' => '・',
        '−' | '‐' | '‑' | '–' | '—' | '―' | '─' => '-',
        _ if c.is_whitespace() => ' ',
        _ => c,
    }
}

/// Whether a character is a part of a figure: between two of them a blank that is lost would make another figure.
pub(super) fn is_figure(c: char) -> bool {
    c.is_numeric() || matches!(narrow(c), '.' | ',') || "〇一二三四五六七八九十百千万億兆".contains(c)
}

/// A text in one width, with the place of each of its bytes in the printed text.
pub(super) struct Narrow {
    pub(super) text: String,
    /// For each byte of `text`, and for its end, where its character starts in the printed text.
    places: Vec<usize>,
}

impl Narrow {
    /// Converts a text to one width. The result takes nine times the memory: only starts of texts are converted.
    pub(super) fn of(printed: &str) -> Self {
        work::spend(printed.len());
        let mut narrowed = Self {
            text: String::with_capacity(printed.len()),
            places: Vec::new(),
        };
        for (at, c) in printed.char_indices() {
            narrowed.text.push(narrow(c));
            narrowed.places.resize(narrowed.text.len(), at);
        }
        narrowed.places.push(printed.len());
        narrowed
    }

    /// The place in the printed text where the last `bytes` bytes of this text start.
    pub(super) fn place_from_end(&self, bytes: usize) -> usize {
        let place = self.text.len().saturating_sub(bytes);
        self.places.get(place).copied().unwrap_or_default()
    }
}

/// The most bytes of a label with its explanation.
const LONGEST: usize = 480;

/// The start of a text, cut at a character.
pub(super) fn start(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    (0..=LONGEST).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// The rest of a text after a word that blanks may break; nothing if the text does not start with the word.
pub(super) fn strip_broken<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let mut rest = text;
    for (n, c) in word.chars().enumerate() {
        let trimmed = if n == 0 { rest } else { rest.trim_start() };
        rest = trimmed.strip_prefix(c)?;
    }
    Some(rest)
}

/// A short text in one width without blanks, for comparing.
pub(super) fn bare(text: &str) -> String {
    work::spend(text.len());
    text.chars().map(narrow).filter(|c| *c != ' ').collect()
}
