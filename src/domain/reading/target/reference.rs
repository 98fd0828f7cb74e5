//! What targets refer to: another year's result, a figure from outside, the number in brackets.

use super::parser::{Field, Parser};
use crate::{
    domain::reading::{measure::Measure, token::Kind},
    value::FiscalYear,
};

/// What a target refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refer {
    /// The year this many years before.
    Previous(i32),
    /// A certain fiscal year.
    Year(FiscalYear),
    /// The present state, whose number has to be printed.
    Present,
    /// A figure from outside, by its name.
    External(String),
}

/// The words before a number in brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    None,
    Previous(i32),
    Year(FiscalYear),
    Present,
}

/// The number of the reference, in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline {
    pub(super) label: Label,
    pub(super) measure: Measure,
}

impl Parser<'_> {
    /// reference := (前年度 | year | 現状 | 市平均) の? (末|時点)? (実績|値)* | 毎年
    pub(super) fn reference(&mut self) -> Option<Refer> {
        let token = self.ahead(0)?;
        let refer = match token.kind {
            Kind::Previous(back) => Refer::Previous(back),
            // A result of a year to come is none.
            Kind::Year(year) if !year.is_calendar && year.year < self.year => Refer::Year(year.year),
            Kind::Present => Refer::Present,
            Kind::External => Refer::External(token.text.to_owned()),
            _ => return None,
        };
        self.take(1, Field::Reference);
        while self.eat(Field::Reference, |token| {
            matches!(token.kind, Kind::Result | Kind::AsOf) || token.is("の")
        }) {}
        Some(refer)
    }
}
