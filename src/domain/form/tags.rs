//! Tags written in a text, as in forms copied from web pages: `<ul style="…">`, unclosed.

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

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text between tags.
    Text(&'a str),
    /// A tag, with its length in characters and whether it ends a line.
    Tag {
        length: usize,
        list: Option<List>,
        breaks: bool,
    },
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
    let list = List::of(&name, closes);
    let breaks = matches!(
        name.as_str(),
        "br" | "p" | "div" | "tr" | "td" | "th" | "table" | "tbody"
    );
    let known = breaks
        || list.is_some()
        || matches!(
            name.as_str(),
            "span" | "b" | "i" | "u" | "strong" | "em" | "font" | "a" | "sup" | "sub" | "small"
        );
    known.then(|| {
        (
            Piece::Tag {
                length: inner.chars().count() + 2,
                list,
                breaks,
            },
            after,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{List, Piece, pieces};

    #[test]
    fn tags_of_html_part_a_text_and_other_signs_do_not() {
        let tag = |length, list, breaks| Piece::Tag { length, list, breaks };
        for (text, parts) in [
            (
                "<ul style=\"x\"> a",
                vec![tag(14, Some(List::Opened), false), Piece::Text(" a")],
            ),
            ("a<br/>b", vec![Piece::Text("a"), tag(5, None, true), Piece::Text("b")]),
            ("a<5%", vec![Piece::Text("a<5%")]),
            ("<例>", vec![Piece::Text("<例>")]),
            ("<ul", vec![Piece::Text("<ul")]),
            ("<ulx>", vec![Piece::Text("<ulx>")]),
            ("</LI >", vec![tag(6, Some(List::ItemClosed), false)]),
        ] {
            assert_eq!(pieces(text).collect::<Vec<_>>(), parts, "{text}");
        }
    }
}
