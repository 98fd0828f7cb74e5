//! Elements whose text is no text of the form: left out up to their ends.

use html5ever::tokenizer::Tag;

use super::elements::{is_block, is_furniture, is_hidden, is_silent, is_struck};
use crate::domain::form::layout::LeftOut;

/// The most bytes of the words that are kept for the note.
const MOST_WORDS: usize = 600;

/// An element that is left out.
pub(super) struct LeftOutElement {
    name: String,
    /// How many elements of this name are open within it.
    depth: usize,
    /// How many tables are open within it.
    tables: usize,
    /// Why it is left out; nothing where the page does not show it.
    pub(super) why: Option<LeftOut>,
    pub(super) line: u32,
    /// Its first words.
    pub(super) words: String,
}

impl LeftOutElement {
    /// The element that a tag begins, if it is left out.
    pub(super) fn begin(tag: &Tag, line: u32) -> Option<Self> {
        let why = if is_silent(&tag.name) || is_hidden(tag) {
            None
        } else if is_struck(tag) {
            Some(LeftOut::Struck)
        } else if is_furniture(tag) {
            Some(LeftOut::Furniture)
        } else {
            return None;
        };
        Some(Self {
            name: tag.name.to_string(),
            depth: 0,
            tables: 0,
            why,
            line,
            words: String::new(),
        })
    }

    /// Keeps words for the note.
    pub(super) fn text(&mut self, text: &str) {
        if self.why.is_some() && self.words.len() < MOST_WORDS {
            self.words.extend(text.chars().take(MOST_WORDS));
        }
    }

    /// `Some` if this tag ends the element; true if the tag is the element's own end tag.
    pub(super) fn ends_at(&mut self, name: &str, closes: bool) -> Option<bool> {
        if is_block(name) {
            self.text(" ");
        }
        if self.tables == 0 {
            let ends = match (self.name.as_str(), closes) {
                ("p", false) => is_block(name),
                ("p" | "li", true) => matches!(name, "td" | "th" | "tr" | "table" | "ul" | "ol" | "div" | "body"),
                ("li", false) => name == "li" && self.depth == 0,
                ("td" | "th", false) => matches!(name, "td" | "th" | "tr" | "tbody"),
                ("td" | "th", true) => matches!(name, "tr" | "tbody" | "table"),
                ("tr", false) => matches!(name, "tr" | "tbody"),
                ("tr", true) => matches!(name, "tbody" | "thead" | "table"),
                // A word in a cell ends with the cell, whether its own tag is closed or not.
                ("s" | "del" | "strike" | "span" | "font" | "b" | "i" | "u" | "em" | "strong" | "a", _) => {
                    matches!(name, "td" | "th" | "tr") || closes && name == "table"
                }
                _ => false,
            };
            if ends && (name != self.name || !closes) {
                return Some(false);
            }
        }
        if name == "table" && self.name != "table" {
            self.tables = if closes {
                self.tables.saturating_sub(1)
            } else {
                self.tables + 1
            };
        }
        if name == self.name {
            match (closes, self.depth) {
                (true, 0) => return Some(true),
                (true, _) => self.depth -= 1,
                (false, _) => self.depth += 1,
            }
        }
        None
    }
}
