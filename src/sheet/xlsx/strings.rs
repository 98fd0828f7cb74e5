//! Texts of an XLSX file: the shared ones, the runs of one look that texts consist of, and the escapes of characters that
//! XML cannot hold.

use std::sync::Arc;

use super::{
    Note,
    package::{Element, Package, Step, unreadable},
};
use crate::value::composed;

/// Most shared texts: five for each row of the largest table.
const MOST_STRINGS: usize = 1_000_000;

/// What a font makes of a text beyond its looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Marks {
    /// The text is struck out.
    pub(super) struck: bool,
    /// The text stands above or below the line.
    pub(super) raised: Option<Raised>,
}

/// Where a text stands that is not on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raised {
    /// Above: 51².
    Superscript,
    /// Below: CO₂.
    Subscript,
}

impl Marks {
    /// Takes over a property of a font.
    pub(super) fn take(&mut self, property: &Element<'_>) -> Result<(), Note> {
        match property.name() {
            "strike" => {
                let value = property.attribute("val")?;
                self.struck = !matches!(value.as_deref(), Some("0" | "false"));
            }
            "vertAlign" => {
                self.raised = match property.attribute("val")?.as_deref() {
                    Some("superscript") => Some(Raised::Superscript),
                    Some("subscript") => Some(Raised::Subscript),
                    _ => None,
                };
            }
            _ => {}
        }
        Ok(())
    }
}

impl Raised {
    /// A text with the characters that stand there by themselves: a mark never becomes a digit.
    pub(super) fn text(self, text: &str) -> String {
        const LINE: &str = "0123456789+-=()";
        let those = match self {
            Self::Superscript => "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾",
            Self::Subscript => "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎",
        };
        let moved = |c: char| {
            let c = match c {
                '０'..='９' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
                '−' => '-',
                c => c,
            };
            LINE.chars()
                .zip(those.chars())
                .find_map(|(on, off)| (on == c).then_some(off))
        };
        text.chars().map(|c| moved(c).unwrap_or(c)).collect()
    }
}

/// A text of a cell.
#[derive(Debug, Clone)]
pub(super) enum CellText {
    /// A text of one look.
    One(Run),
    /// A text of several.
    Many(Box<[Run]>),
}

/// A text of one look: the cell's where it has none of its own.
#[derive(Debug, Clone)]
pub(super) struct Run {
    text: Arc<str>,
    marks: Option<Marks>,
}

impl CellText {
    /// A text without a look of its own.
    pub(super) fn plain(text: &str) -> Self {
        Self::One(Run {
            text: text.into(),
            marks: None,
        })
    }

    /// The text that counts in a cell whose font has these marks, and the text that is struck out in it.
    pub(super) fn seen(&self, font: Marks) -> (Arc<str>, Option<Arc<str>>) {
        let look = |run: &Run| run.marks.unwrap_or(font);
        if let Self::One(run) = self
            && look(run) == Marks::default()
        {
            return (Arc::clone(&run.text), None);
        }
        let runs = match self {
            Self::One(run) => std::slice::from_ref(run),
            Self::Many(runs) => runs,
        };
        let (mut text, mut struck) = (String::new(), String::new());
        for run in runs {
            let Marks {
                struck: is_struck,
                raised,
            } = look(run);
            let to = if is_struck { &mut struck } else { &mut text };
            match raised {
                Some(raised) => to.push_str(&raised.text(&run.text)),
                None => to.push_str(&run.text),
            }
        }
        let struck = (!struck.trim().is_empty()).then(|| struck.into());
        (composed(&text).into(), struck)
    }
}

/// Reads the texts that cells share by number. Readings of kanji (furigana) are no part of them.
pub(super) fn shared(package: &mut Package<'_>, part: &str) -> Result<Vec<CellText>, Note> {
    let mut strings = Vec::new();
    let mut text = Runs::default();
    package.walk(part, |step| {
        match &step {
            Step::Open(element) if element.name() == "si" => text = Runs::default(),
            Step::Close("si") => {
                if strings.len() == MOST_STRINGS {
                    return Err(unreadable(part));
                }
                strings.push(text.done());
            }
            _ => text.step(&step)?,
        }
        Ok(())
    })?;
    Ok(strings)
}

/// The runs of a text, as they are read.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// The runs so far; neighbours of one look are put together.
    read: Vec<(String, Option<Marks>)>,
    /// The look of the run that is read.
    marks: Option<Marks>,
    in_properties: bool,
    in_text: bool,
    in_reading: bool,
}

impl Runs {
    pub(super) fn step(&mut self, step: &Step<'_>) -> Result<(), Note> {
        match step {
            Step::Open(element) => match element.name() {
                "rPh" => self.in_reading = true,
                "t" => self.in_text = true,
                "r" => self.marks = None,
                "rPr" => {
                    self.marks = Some(Marks::default());
                    self.in_properties = true;
                }
                _ if self.in_properties => {
                    if let Some(marks) = &mut self.marks {
                        marks.take(element)?;
                    }
                }
                _ => {}
            },
            Step::Close("rPh") => self.in_reading = false,
            Step::Close("t") => self.in_text = false,
            Step::Close("r") => self.marks = None,
            Step::Close("rPr") => self.in_properties = false,
            Step::Text(text) if self.in_text && !self.in_reading => match self.read.last_mut() {
                Some((last, marks)) if *marks == self.marks => last.push_str(text),
                _ => self.read.push(((*text).to_owned(), self.marks)),
            },
            _ => {}
        }
        Ok(())
    }

    /// The text.
    pub(super) fn done(&self) -> CellText {
        let mut runs = self.read.iter().map(|(text, marks)| Run {
            text: unescaped(text).into(),
            marks: *marks,
        });
        match (runs.next(), runs.len()) {
            (None, _) => CellText::plain(""),
            (Some(only), 0) => CellText::One(only),
            (Some(first), _) => CellText::Many(std::iter::once(first).chain(runs).collect()),
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
