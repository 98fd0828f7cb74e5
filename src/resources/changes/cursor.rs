//! Cursors of the feed: a place in a history, and which history that is.
//!
//! A database that was restored from a copy, and then written to, has other changes under the same numbers. The hash of
//! a change covers all changes before it, so a part of that hash tells one history from another.

use std::fmt::Write;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use utoipa::openapi::{
    RefOr, Type,
    schema::{ObjectBuilder, Schema},
};

use crate::{
    http::query::{Fault, Param},
    value::language::Bilingual,
};

/// Most characters of a cursor.
pub const LONGEST: usize = 100;

/// A place in a history: after the change with this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which history.
    pub epoch: String,
    /// The number of the last change before the place; 0 at the beginning of the history.
    pub seq: i64,
    /// A part of the hash of that change.
    pub mark: String,
}

/// The part of a hash that is in a cursor.
#[must_use]
pub fn mark(hash: &[u8]) -> String {
    let mut mark = hex(hash);
    mark.truncate(12);
    mark
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Cursor {
    /// The cursor, as callers hold it.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}.{}.{}", self.epoch, self.seq, self.mark))
    }

    /// Reads a cursor.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (epoch, rest) = std::str::from_utf8(&bytes).ok()?.split_once('.')?;
        let (seq, mark) = rest.split_once('.')?;
        let cursor = Self {
            epoch: epoch.to_owned(),
            seq: seq.parse().ok()?,
            mark: mark.to_owned(),
        };
        // A place has one cursor, in one spelling.
        (cursor.seq >= 0 && text.len() <= LONGEST && cursor.text() == text).then_some(cursor)
    }
}

/// What is wrong with a text that is no cursor.
#[must_use]
pub fn unreadable() -> Bilingual {
    Bilingual::new(
        "カーソルを読み取れません。next または cursor の値をそのまま渡してください",
        "is not a cursor; pass a `next` or `cursor` as it is",
    )
}

impl Param for Cursor {
    fn read(text: &str) -> Result<Self, Fault> {
        Self::of(text).ok_or_else(|| Fault::new("cursor", unreadable()))
    }
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(LONGEST))
            .examples([serde_json::json!("MzdkOGQyNjViNDcwLjgwLjU2MjlkYmQxNWJhOA")])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(epoch in "[0-9a-f]{12}", seq in 0..i64::MAX, hash: [u8; 32]) {
            let cursor = Cursor { epoch, seq, mark: mark(&hash) };
            prop_assert!(cursor.text().len() <= LONGEST);
            prop_assert_eq!(Cursor::of(&cursor.text()), Some(cursor));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,120}") {
            prop_assert!(Cursor::of(&text).is_none_or(|cursor| cursor.text() == text));
        }
    }
}
