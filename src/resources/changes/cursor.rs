//! Cursors of the feed: a place in a history, and which history that is.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use utoipa::openapi::{
    RefOr, Type,
    schema::{ObjectBuilder, Schema},
};

use crate::{
    language::Bilingual,
    query::{Fault, Param},
};

/// Most characters of a cursor.
pub const LONGEST: usize = 100;

/// A place in a history: after the change with this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which history.
    pub epoch: String,
    /// The number of the last change before the place; 0 is its beginning.
    pub seq: i64,
}

impl Cursor {
    /// The cursor, as callers hold it.
    #[must_use]
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}.{}", self.epoch, self.seq))
    }

    /// Reads it.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (epoch, seq) = std::str::from_utf8(&bytes).ok()?.split_once('.')?;
        let cursor = Self {
            epoch: epoch.to_owned(),
            seq: seq.parse().ok()?,
        };
        // A place has one cursor.
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
            .examples([serde_json::json!("NGYwYzJhOWU3YjEyLjQyMA")])
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(epoch in "[0-9a-f]{12}", seq in 0..i64::MAX) {
            let cursor = Cursor { epoch, seq };
            prop_assert_eq!(Cursor::of(&cursor.text()), Some(cursor));
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,120}") {
            prop_assert!(Cursor::of(&text).is_none_or(|cursor| cursor.text() == text));
        }
    }
}
