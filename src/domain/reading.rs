//! Reads the city's wording: targets, results and money as forms print them. A part that cannot be read stays as text.

use crate::text_enum;

pub mod figure;
pub mod indicator;
mod lexer;
mod measure;
pub mod money;
mod number;
mod plain;
pub mod result;
pub mod target;
mod token;
mod vocabulary;
mod years;

/// The most characters of a text to read: no target, result or amount is longer.
const MOST: usize = 2000;

text_enum! {
    /// How much of a printed text was understood.
    pub enum Parse in "parse" {
        /// All of it.
        Full = "full" ("読み取り済み", "read in full"),
        /// Some of it; the rest stays as text.
        Partial = "partial" ("一部のみ", "read in part"),
        /// None of it: it stays as text.
        Unparsed = "unparsed" ("読み取り不可", "not read"),
    }
}
