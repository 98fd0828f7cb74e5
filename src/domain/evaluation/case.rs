//! The input of an evaluation.

use chrono::NaiveDate;

use crate::{
    domain::{
        fiscal_year::last_day,
        kinds::{Direction, ObservationStatus, Rating, ValueStatus},
        target::Target,
    },
    value::{Decimal, FiscalYear},
};

/// Everything an evaluation looks at; the day is an argument like any other.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The fiscal year the result is for.
    pub fiscal_year: FiscalYear,
    /// The indicator's target.
    pub target: &'a Target,
    /// The indicator's unit as printed.
    pub unit: Option<&'a str>,
    /// The decimal places the indicator is stated with.
    pub decimals: Option<u32>,
    /// Which way the indicator gets better.
    pub direction: Direction,
    /// The recorded facts about the result, if any.
    pub result: Option<Facts>,
    /// Last year's own result, through the series.
    pub recorded_previous: Option<Decimal>,
    /// The result of the fiscal year the target refers to, through the series.
    pub recorded_reference: Option<Decimal>,
    /// Whether the organization says that the year before is comparable.
    pub comparable_with_previous: Option<bool>,
    /// The organization's reason for saying so.
    pub comparable_reason: Option<&'a str>,
    /// The last day on which the result is in time.
    pub due_on: NaiveDate,
    /// The day of the evaluation.
    pub on: NaiveDate,
}

impl Case<'_> {
    /// The one day on which the answer may turn: it is the same on all days up to it, and on all days after it. Without a
    /// number that is the day it is due, with one the last day of the fiscal year, after which a provisional number counts.
    #[must_use]
    pub fn turns_after(&self) -> NaiveDate {
        let has_number = |facts: Facts| facts.value.is_some() || facts.cumulative_value.is_some();
        match self.result {
            Some(facts) if has_number(facts) => last_day(self.fiscal_year),
            _ => self.due_on,
        }
    }
}

/// The recorded facts about a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// The value of the fiscal year.
    pub value: Option<Decimal>,
    /// The sum since the target's period began.
    pub cumulative_value: Option<Decimal>,
    /// The stated status of the value, if any.
    pub value_status: Option<ValueStatus>,
    /// How settled the value is.
    pub observation_status: ObservationStatus,
    /// The organization's own rating.
    pub declared_rating: Option<Rating>,
    /// The previous year's result as stated beside this one.
    pub stated_previous_value: Option<Decimal>,
}
