//! Texts of an XLSX file: the shared ones, and the escapes of characters that XML cannot hold.

use std::sync::Arc;

use super::{
    Note,
    package::{Package, Step, unreadable},
};
use crate::value::composed;

/// Most shared texts: five for each row of the largest table.
const MOST_STRINGS: usize = 1_000_000;

/// Reads the texts that cells share by number. Readings of kanji (furigana) are no part of them.
pub(super) fn shared(package: &mut Package<'_>, part: &str) -> Result<Vec<Arc<str>>, Note> {
    let mut strings = Vec::new();
    let mut text = Runs::default();
    package.walk(part, |step| {
        match &step {
            Step::Open(element) if element.name() == "si" => text = Runs::default(),
            Step::Close("si") => {
                if strings.len() == MOST_STRINGS {
                    return Err(unreadable(part));
                }
                strings.push(unescaped(&text.text).into());
            }
            _ => text.step(&step),
        }
        Ok(())
    })?;
    Ok(strings)
}

/// The runs of a text, put together.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) text: String,
    in_text: bool,
    in_reading: bool,
}

impl Runs {
    pub(super) fn step(&mut self, step: &Step<'_>) {
        match step {
            Step::Open(element) if element.name() == "rPh" => self.in_reading = true,
            Step::Close("rPh") => self.in_reading = false,
            Step::Open(element) if element.name() == "t" => self.in_text = true,
            Step::Close("t") => self.in_text = false,
            Step::Text(text) if self.in_text && !self.in_reading => self.text.push_str(text),
            _ => {}
        }
    }
}

/// A text, composed, with its escapes resolved: `_x000D_` is a carriage return; `_x005F_` is an underscore that begins no escape.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("_x") {
        out.push_str(before);
        let character = behind
            .split_at_checked(4)
            .filter(|(digits, _)| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|(digits, tail)| {
                Some((
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?,
                    tail.strip_prefix('_')?,
                ))
            });
        if let Some((c, tail)) = character {
            out.push(c);
            rest = tail;
        } else {
            out.push_str("_x");
            rest = behind;
        }
    }
    out.push_str(rest);
    composed(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_are_read_once() {
        for (text, read) in [
            ("a_x000D_b", "a\rb"),
            ("_x005F_x000D_", "_x000D_"),
            ("_x00_", "_x00_"),
            ("_x", "_x"),
            ("_xあ000_", "_xあ000_"),
            ("_x_x0041_", "_xA"),
            ("_xD800_", "_xD800_"),
        ] {
            assert_eq!(unescaped(text), read);
        }
    }
}
