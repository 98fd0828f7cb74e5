//! Targets (目標値) as forms print them: 81.2%以上, 令和3年度末より4ポイント増加, 0人を維持.

use super::{
    MOST, Parse,
    lexer::lex,
    plain::{Plain, one_line},
    token::Token,
};
use crate::{
    domain::{
        kinds::Direction,
        target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
    },
    value::{Decimal, FiscalYear, Line},
};

mod amount;
mod assembly;
mod clause;
mod grammar;
mod parser;
mod print;
mod reference;
mod relative;
mod share;
#[cfg(test)]
mod tests;
mod time;

pub use assembly::direction;
pub use print::print;

/// The most characters a target keeps as its text.
const MOST_TEXT: usize = 500;

/// A printed target, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTarget {
    /// The target. One that is not understood whole is `unread`: nothing but its text is kept, up to 500 characters.
    pub target: Target,
    /// How results would be compared, as far as the text was understood; nothing where no rule was found.
    pub comparator: Option<Comparator>,
    /// How much of the text was understood.
    pub parse: Parse,
    /// The unit, as printed; 割 is given as %.
    pub unit: Option<String>,
    /// The decimal places of its number.
    pub decimals: u32,
    /// Which way is better, as far as the target tells.
    pub direction: Direction,
    /// The number that was understood, even where it makes no target: 80 of a bare 80%.
    pub value: Option<Decimal>,
    /// The reference, even where it makes no target, or is only mentioned beside one.
    pub reference: Reference,
    /// The period, even where it makes no target.
    pub period: Period,
    /// The parts that were not understood, in one width, in their order.
    pub rest: Vec<String>,
    /// Where each of these parts stands in the text: its first character, and the one after its last.
    pub rest_spans: Vec<(usize, usize)>,
}

impl ReadTarget {
    /// What a text that was not understood whole seems to ask for: for a person to confirm.
    #[must_use]
    pub fn understood(&self) -> Option<Target> {
        let target = Target {
            text: None,
            comparator: self.comparator.filter(|_| self.parse == Parse::Partial)?,
            value: self.value,
            upper: None,
            reference: self.reference.clone(),
            period: self.period,
        };
        target.faults().is_empty().then_some(target)
    }

    /// The target of a line that says more than the target does: nothing is judged by it.
    pub(super) fn in_doubt(mut self, more: String, span: (usize, usize)) -> Self {
        if self.parse == Parse::Full {
            self.parse = Parse::Partial;
            self.target = Target {
                text: self.target.text,
                comparator: Comparator::Unread,
                ..Target::default()
            };
        }
        self.rest.insert(0, more);
        self.rest_spans.insert(0, span);
        self
    }
}

/// What a name says about the numbers of its indicator: 5% of a count is a share of it, 5% of a percentage may be points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// They are counts: 件数.
    Yes,
    /// Nothing, or that they are percentages.
    Unknown,
}

/// Reads a target as printed in the policy of a fiscal year.
///
/// Only the printed words count. A text is read in full only if every token of it went into a field or is a filler; an
/// ambiguous text is read in part, and kept: a number without a word of comparison, a change in percent of something that may be
/// a percentage itself, two conditions in one.
#[must_use]
pub fn read(text: &str, year: FiscalYear) -> ReadTarget {
    read_of(Counted::Unknown, text, year)
}

/// Reads the target of an indicator whose name is known.
pub(super) fn read_of(counted: Counted, text: &str, year: FiscalYear) -> ReadTarget {
    let line = one_line(text);
    if text.chars().nth(MOST).is_some() || line.chars().nth(MOST_TEXT).is_some() {
        return too_long(text);
    }
    let plain = Plain::of(text);
    let tokens = lex(&plain, Some(year));
    let tokens: Vec<&Token<'_>> = tokens.iter().collect();
    read_tokens(counted, &tokens, &plain, line, year)
}

/// Reads the target that tokens make; `line` is its text.
pub(super) fn read_tokens(
    counted: Counted,
    tokens: &[&Token<'_>],
    plain: &Plain<'_>,
    line: String,
    year: FiscalYear,
) -> ReadTarget {
    let text = Some(line).filter(|line| !line.is_empty() && line.chars().nth(MOST_TEXT).is_none());
    let mut parser = parser::Parser::new(tokens, year);
    let found = parser.target();
    let read = assembly::put_together(counted, &found, &mut parser, plain, text.clone().map(Line));
    if is_read_from_its_print(&read, year) {
        return read;
    }
    parser.leave_units();
    assembly::put_together(counted, &found, &mut parser, plain, text.map(Line))
}

/// Whether the print of a target is read as this target. A unit whose end makes another word with what is printed behind it is read
/// otherwise: 17BS下位 with 以上.
fn is_read_from_its_print(read: &ReadTarget, year: FiscalYear) -> bool {
    if read.parse != Parse::Full {
        return true;
    }
    let printed = print(&read.target, read.unit.as_deref());
    let plain = Plain::of(&printed);
    let tokens = lex(&plain, Some(year));
    let tokens: Vec<&Token<'_>> = tokens.iter().collect();
    let mut parser = parser::Parser::new(&tokens, year);
    let found = parser.target();
    // 前年度比5%増 is printed for a change in percent of a count.
    let again = assembly::put_together(Counted::Yes, &found, &mut parser, &plain, read.target.text.clone());
    again.target == read.target
}

/// How many tokens at the beginning say when a target is to be met.
pub(super) fn time(tokens: &[&Token<'_>], year: FiscalYear) -> usize {
    let mut parser = parser::Parser::new(tokens, year);
    parser.when().map_or(0, |_| parser.at)
}

/// A text that is no target, for its length.
fn too_long(text: &str) -> ReadTarget {
    let part: String = text.chars().take(MOST_TEXT).collect();
    let end = part.chars().count();
    ReadTarget {
        target: Target {
            comparator: Comparator::Unread,
            ..Target::default()
        },
        comparator: None,
        parse: Parse::Unparsed,
        unit: None,
        decimals: 0,
        direction: Direction::Unknown,
        value: None,
        reference: Reference::default(),
        period: Period::default(),
        rest: vec![part],
        rest_spans: vec![(0, end)],
    }
}
