//! Tags that change how the text between them is read. In plain text, tags as copied from web pages: `<ul style="…">`,
//! unclosed.

use std::borrow::Cow;

use super::width::narrow;
use crate::value::work;

/// The effect of a tag on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// `<ul>`, `<ol>`
    Opened,
    /// `<li>`
    ItemOpened,
    /// `</li>`
    ItemClosed,
    /// `</ul>`, `</ol>`
    Closed,
}

impl List {
    /// The effect of a tag of this name on a list.
    pub(super) fn of(name: &str, closes: bool) -> Option<Self> {
        match (name, closes) {
            ("ul" | "ol" | "menu", false) => Some(Self::Opened),
            ("ul" | "ol" | "menu", true) => Some(Self::Closed),
            ("li", false) => Some(Self::ItemOpened),
            ("li", true) => Some(Self::ItemClosed),
            _ => None,
        }
    }
}

/// How text stands in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// On the line.
    Plain,
    /// `<sup>`
    Raised,
    /// `<sub>`
    Lowered,
}

impl Script {
    /// How text stands behind a tag of this name.
    pub(super) fn of(name: &str, closes: bool) -> Option<Self> {
        match (name, closes) {
            ("sup", false) => Some(Self::Raised),
            ("sub", false) => Some(Self::Lowered),
            ("sup" | "sub", true) => Some(Self::Plain),
            _ => None,
        }
    }

    /// The text as it is written here: raised and lowered digits are marks (51², CO₂), and no digits.
    pub(super) fn written(self, text: &str) -> Cow<'_, str> {
        let marks = match self {
            Self::Plain => return Cow::Borrowed(text),
            Self::Raised => "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾",
            Self::Lowered => "₀₁₂₃₄₅₆₇₈₉₊₋₍₎",
        };
        let mark = |c: char| {
            let at = "0123456789+-()".find(narrow(c));
            at.and_then(|at| marks.chars().nth(at)).unwrap_or(c)
        };
        Cow::Owned(text.chars().map(mark).collect())
    }
}

/// The effect of a tag on the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// `<b>`
    None,
    /// `<br>`, `<td>`: a line ends.
    Break,
    List(List),
    Script(Script),
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text between tags.
    Text(&'a str),
    /// A tag, with its length in characters.
    Tag { length: usize, effect: Effect },
}

/// The most bytes a tag may have: a `<` whose `>` is farther is no tag.
const LONGEST: usize = 200;

/// The texts and tags of a text, in order. Only names of HTML are tags: `<5%` is text.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((tag, after)) = leading_tag(rest) {
            rest = after;
            return Some(tag);
        }
        // No tag begins at the first byte: look for the next `<` that begins one.
        let end = rest
            .match_indices('<')
            .map(|(at, _)| at)
            .find(|at| *at > 0 && rest.get(*at..).is_some_and(|from| leading_tag(from).is_some()))
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        rest = after;
        Some(Piece::Text(part))
    })
}

fn leading_tag(text: &str) -> Option<(Piece<'_>, &str)> {
    let inner = text.strip_prefix('<')?;
    // The search ends at a `<`, since no tag holds another: a row of many `<` is read once.
    let end = inner.bytes().take(LONGEST).position(|byte| matches!(byte, b'>' | b'<'));
    work::spend(end.unwrap_or(LONGEST));
    let end = end?;
    if inner.as_bytes().get(end) != Some(&b'>') {
        return None;
    }
    let (inner, after) = (inner.get(..end)?, inner.get(end + 1..)?);
    let closes = inner.starts_with('/');
    let inner_name = inner.strip_prefix('/').unwrap_or(inner);
    let name: String = inner_name
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let goes_on = inner_name.get(name.len()..)?.chars().next();
    if !goes_on.is_none_or(|c| c.is_whitespace() || c == '/') {
        return None;
    }
    let effect = match name.as_str() {
        "br" | "p" | "div" | "tr" | "td" | "th" | "table" | "tbody" => Effect::Break,
        "span" | "b" | "i" | "u" | "strong" | "em" | "font" | "a" | "small" | "ins" => Effect::None,
        name => List::of(name, closes)
            .map(Effect::List)
            .or(Script::of(name, closes).map(Effect::Script))?,
    };
    let length = inner.chars().count() + 2;
    Some((Piece::Tag { length, effect }, after))
}

#[cfg(test)]
mod tests {
    use super::{Effect, List, Piece, Script, pieces};

    #[test]
    fn tags_of_html_part_a_text_and_other_signs_do_not() {
        let tag = |length, effect| Piece::Tag { length, effect };
        for (text, parts) in [
            (
                "<ul style=\"x\"> a",
                vec![tag(14, Effect::List(List::Opened)), Piece::Text(" a")],
            ),
            (
                "a<br/>b",
                vec![Piece::Text("a"), tag(5, Effect::Break), Piece::Text("b")],
            ),
            ("a<b>", vec![Piece::Text("a"), tag(3, Effect::None)]),
            ("a<5%", vec![Piece::Text("a<5%")]),
            ("<例>", vec![Piece::Text("<例>")]),
            ("<ul", vec![Piece::Text("<ul")]),
            ("<ulx>", vec![Piece::Text("<ulx>")]),
            ("</LI >", vec![tag(6, Effect::List(List::ItemClosed))]),
            ("</SUP>", vec![tag(6, Effect::Script(Script::Plain))]),
        ] {
            assert_eq!(pieces(text).collect::<Vec<_>>(), parts, "{text}");
        }
    }

    #[test]
    fn raised_and_lowered_digits_are_marks() {
        for (script, text, written) in [
            (Script::Raised, "2", "²"),
            (Script::Raised, "１０", "¹⁰"),
            (Script::Raised, "-3)", "⁻³⁾"),
            (Script::Raised, "※1", "※¹"),
            (Script::Lowered, "2", "₂"),
            (Script::Plain, "2", "2"),
        ] {
            assert_eq!(script.written(text), written, "{text}");
        }
    }
}
