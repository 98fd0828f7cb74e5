//! Results (実績) as forms print them: 57.0%：A, 4,722世帯(R3~R5合計10,488世帯):A, 集計中（令和7年9月確定予定）, －（新規）.

use super::Parse;
use crate::{
    domain::kinds::{ObservationStatus, Rating, ValueStatus},
    value::{Decimal, FiscalYear},
};

/// A printed result, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadResult {
    /// The value of the fiscal year.
    pub value: Option<Decimal>,
    /// The sum over several fiscal years.
    pub cumulative_value: Option<Decimal>,
    /// The fiscal years the sum covers, where the text says so.
    pub cumulative_years: Option<(FiscalYear, FiscalYear)>,
    /// The unit, as printed.
    pub unit: Option<String>,
    /// What there is of the value; nothing where the text is blank.
    pub value_status: Option<ValueStatus>,
    /// How settled the value is.
    pub observation_status: ObservationStatus,
    /// The organization's own rating.
    pub declared_rating: Option<Rating>,
    /// The text as printed, without the rating.
    pub text: Option<String>,
    /// How much of it was understood.
    pub parse: Parse,
}

/// Reads a result as printed in the policy of a fiscal year, of an indicator in this unit.
#[must_use]
pub fn read(_text: &str, _unit: Option<&str>, _year: FiscalYear) -> ReadResult {
    unimplemented!()
}
