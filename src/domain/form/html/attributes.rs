//! Counts the attributes of a tag before the tokenizer does, which compares each with every other one of the tag.
//!
//! The tokenizer gets the page in parts that end where a tag may begin or end. Within a tag this module follows the
//! tokenizer's states that tell one attribute from the next (HTML, 13.2.5.32 to 39).

/// Most attributes of a tag.
pub(in crate::domain::form) const MOST: usize = 100;

/// The parts of a page: each `<` begins one, each `>` ends one.
pub(super) fn parts(page: &str) -> impl Iterator<Item = &str> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let end = rest
            .bytes()
            .enumerate()
            .find_map(|(at, byte)| match byte {
                b'<' if at > 0 => Some(at),
                b'>' => Some(at + 1),
                _ => None,
            })
            .unwrap_or(rest.len());
        let part = rest.get(..end).filter(|part| !part.is_empty())?;
        rest = rest.get(end..)?;
        Some(part)
    })
}

/// The construct that the tokenizer is in, not yet ended.
#[derive(Debug, Default)]
pub(super) enum Open {
    /// Nothing, or text.
    #[default]
    Nothing,
    /// A tag.
    Tag(Attributes),
    /// A comment, or a construct that counts as one.
    Comment,
}

impl Open {
    /// Looks at the next part. `raw` is the element whose text holds no tag but its own end tag.
    pub(super) fn look(&mut self, part: &str, raw: Option<&str>) {
        match self {
            Self::Tag(attributes) => attributes.look(part),
            Self::Comment => {}
            Self::Nothing => {
                let Some(tag) = part.strip_prefix('<') else { return };
                let end = tag.strip_prefix('/');
                let name = end.unwrap_or(tag);
                let begins = |element: &str| {
                    let start = name.as_bytes().get(..element.len());
                    end.is_some() && start.is_some_and(|start| start.eq_ignore_ascii_case(element.as_bytes()))
                };
                if raw.is_some_and(|element| !begins(element)) {
                    return;
                }
                if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    let mut attributes = Attributes::default();
                    attributes.look(name);
                    *self = Self::Tag(attributes);
                } else if end.is_some() || tag.starts_with(['!', '?']) {
                    *self = Self::Comment;
                }
            }
        }
    }

    /// How many attributes the tag has so far.
    pub(super) fn attributes(&self) -> usize {
        match self {
            Self::Tag(attributes) => attributes.count,
            Self::Nothing | Self::Comment => 0,
        }
    }
}

/// The attributes in the part of a tag looked at so far.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    count: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, Default)]
enum State {
    /// In the name of the tag.
    #[default]
    TagName,
    /// Where the next attribute may begin.
    Before,
    /// In the name of an attribute.
    Name,
    /// Behind the name of an attribute.
    AfterName,
    /// Behind the `=` of an attribute.
    BeforeValue,
    /// In a value, between these quotes.
    Quoted(u8),
    /// In a value without quotes.
    Unquoted,
}

impl Attributes {
    fn look(&mut self, part: &str) {
        use State::{AfterName, Before, BeforeValue, Name, Quoted, TagName, Unquoted};
        for byte in part.bytes() {
            let blank = matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b' ');
            self.state = match (self.state, byte) {
                (Quoted(quote), byte) if byte == quote => Before,
                (quoted @ Quoted(_), _) => quoted,
                (TagName | Unquoted, _) if blank => Before,
                (Name, _) if blank => AfterName,
                (before @ (Before | AfterName | BeforeValue), _) if blank => before,
                (TagName | Before | Name | AfterName, b'/') => Before,
                (before @ (Before | AfterName), b'>') => before,
                (Name | AfterName, b'=') => BeforeValue,
                (BeforeValue, b'"' | b'\'') => Quoted(byte),
                (Before | AfterName, _) => {
                    self.count += 1;
                    Name
                }
                (BeforeValue, _) => Unquoted,
                (within @ (TagName | Name | Unquoted), _) => within,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attributes counted in a tag: as many in one part as in many.
    fn count(tag: &str) -> usize {
        let mut open = Open::default();
        parts(tag).for_each(|part| open.look(part, None));
        open.attributes()
    }

    #[test]
    fn parts_begin_and_end_where_tags_may() {
        let page = "a<b c='<d>'>e > f<g";
        let expected = ["a", "<b c='", "<d>", "'>", "e >", " f", "<g"];
        assert_eq!(parts(page).collect::<Vec<_>>(), expected);
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn attributes_are_counted_as_the_tokenizer_tells_them_apart() {
        for (tag, expected) in [
            ("<a", 0),
            ("<a b", 1),
            ("</a b", 1),
            ("<a b c=d e='f g h' i=\"j k\" ", 4),
            ("<a b='c'd='e'f", 3),
            ("<a/b/c", 2),
            ("<a =\"b c\" d", 3),
            ("<a b='c' d />", 2),
            ("<a b==\"c d\" e", 3),
            ("<a b = 'c d' e", 2),
            ("<a b=c/d e", 2),
            ("<a b='c <d e> f' g <h", 3),
            ("a b c", 0),
            ("<!a b c", 0),
            ("<!-- <a b c", 0),
            ("<5 b c", 0),
        ] {
            assert_eq!(count(tag), expected, "{tag}");
        }
    }

    #[test]
    fn what_stands_in_a_script_is_no_tag_but_its_end() {
        for (part, expected) in [("<a b c", 0), ("</a b c", 0), ("</SCRIPT b c", 2)] {
            let mut open = Open::default();
            open.look(part, Some("script"));
            assert_eq!(open.attributes(), expected, "{part}");
        }
    }
}
