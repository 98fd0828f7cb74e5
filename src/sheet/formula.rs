//! Texts that a spreadsheet would take for formulas: writing puts an apostrophe before them, and reading removes it.

use std::borrow::Cow;

/// First characters of texts that a spreadsheet takes for formulas. The apostrophe is among them, so that a text's own
/// apostrophe comes back. A full-width － is not: it is the form's own dash for nothing.
const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '＠', '\''];

/// A text, with the guard if a spreadsheet would take it for a formula.
#[must_use]
pub fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(BEGINNINGS) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// A text without the guard.
#[must_use]
pub fn restored(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(BEGINNINGS) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_guarded_and_nothing_else() {
        for text in ["=1+1", "+81", "-5", "@SUM(A1)", "\tx", "＝1", "'", "'=1"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "57%", "1-1", "－", "▲5", "西区"] {
            assert_eq!(guarded(text), text);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+@\\-＝a ]{0,4}") {
            let guarded = guarded(&text);
            prop_assert_eq!(restored(&guarded), &text);
        }
    }
}
