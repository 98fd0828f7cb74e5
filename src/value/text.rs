//! Texts: lines, prose and the boxes of the form.

use std::borrow::Cow;

use diesel::{
    deserialize::FromSqlRow,
    expression::AsExpression,
    sql_types::{Array, Text},
};
use serde::{Deserialize, Serialize};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Type, extensions::ExtensionsBuilder, schema::Schema},
};

/// The pattern of a text: visible at both ends. Its characters are no matter of patterns, since code that is generated from
/// one with control characters does not compile everywhere.
const VISIBLE_AT_BOTH_ENDS: &str = r"^\S([\s\S]*\S)?$";
/// The keyword of schemas that says which characters a text may have: [`ONE_LINE`] or [`LINES`].
pub const CHARACTERS: &str = "x-characters";
/// Characters that people see, and blanks.
pub const ONE_LINE: &str = "line";
/// These, line feeds and tabs.
pub const LINES: &str = "prose";

/// Whether nobody sees a character: controls, zero-width and direction marks, other line ends.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The schema of a text of at most this many characters.
fn text(most: usize, characters: &str, words: String) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(most))
        .pattern(Some(VISIBLE_AT_BOTH_ENDS))
        .description(Some(words))
        .extensions(Some(ExtensionsBuilder::new().add(CHARACTERS, characters).build()))
        .into()
}

/// How texts are written.
pub(super) const WRITTEN: super::key::Written = (
    VISIBLE_AT_BOTH_ENDS,
    "前後に空白を付けず、空白だけにもしないでください",
    "must not be blank or have blanks at either end",
);

/// One line of text: 1 to `MAX` characters, not blank, without blanks at either end or control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(pub String);

column!(Line<const MAX: usize>: Text = String);

impl<const MAX: usize> PartialSchema for Line<MAX> {
    fn schema() -> RefOr<Schema> {
        let words =
            format!("One line of text, at most {MAX} characters, without blanks at either end, or control characters.");
        text(MAX, ONE_LINE, words)
    }
}
impl<const MAX: usize> ToSchema for Line<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Line{MAX}").into()
    }
}

/// Text of one or more lines: 1 to `MAX` characters, without blanks at either end; line feed and tab are the only control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct Prose<const MAX: usize>(pub String);

column!(Prose<const MAX: usize>: Text = String);

impl<const MAX: usize> PartialSchema for Prose<MAX> {
    fn schema() -> RefOr<Schema> {
        let words = format!(
            "Text, at most {MAX} characters, without blanks at either end, or control characters but line feed and tab."
        );
        text(MAX, LINES, words)
    }
}
impl<const MAX: usize> ToSchema for Prose<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Prose{MAX}").into()
    }
}

/// A text box of the form: its items in order, without bullets. An empty box is `[]`; one the form does not have is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Array<Text>)]
#[serde(transparent)]
pub struct TextBox(pub Vec<Prose<4000>>);

column!(TextBox: Array<Text> = Vec<Prose<4000>>);

impl PartialSchema for TextBox {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(Ref::from_schema_name(Prose::<4000>::name()))
            .max_items(Some(100))
            .description(Some(
                "A text box of the form: its items in order, without bullets. Empty is `[]`.",
            ))
            .into()
    }
}
impl ToSchema for TextBox {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Prose::<4000>::name().into(), Prose::<4000>::schema()));
    }
}

/// A text in the form in which texts are stored and compared (NFC): が is one character, not か and a mark. Every text that
/// callers write comes through here, from bodies, files, parameters and headers.
///
/// The compatibility ideographs stay as they are: NFC has another letter in their place, as U+9686 for U+F9DC, and names of
/// people are written with them.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    let is_kept = |c: char| matches!(c, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
    let mut whole = String::with_capacity(text.len());
    for part in text.split_inclusive(is_kept) {
        let kept = part.chars().next_back().filter(|c| is_kept(*c));
        let others = part.strip_suffix(is_kept).unwrap_or(part);
        whole.extend(others.nfc());
        whole.extend(kept);
    }
    Cow::Owned(whole)
}

/// Bytes in lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
            text
        })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::composed;

    #[test]
    fn texts_are_composed_and_letters_of_names_stay() {
        for (text, stored) in [
            ("", ""),
            ("が", "が"),
            ("か\u{3099}は\u{309a}", "がぱ"),
            ("e\u{301}", "é"),
            ("\u{212b}", "Å"),
            ("～〜－−①㈱ｶﾞ", "～〜－−①㈱ｶﾞ"),
            ("\u{f9dc}", "\u{f9dc}"),
            ("か\u{3099}\u{fa19}か\u{3099}", "が\u{fa19}が"),
        ] {
            assert_eq!(composed(text), stored, "{text}");
            assert_eq!(composed(stored), stored, "{text}");
        }
        assert!(matches!(composed("指標"), Cow::Borrowed(_)));
    }
}
