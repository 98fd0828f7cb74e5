//! Targets (目標値) as forms print them: 81.2%以上, 令和3年度末より4ポイント増加, 0人を維持.

use super::Parse;
use crate::{
    domain::{kinds::Direction, target::Target},
    value::FiscalYear,
};

/// A printed target, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTarget {
    /// The target. One that cannot be read is `qualitative`: no rule compares it, and its text is kept.
    pub target: Target,
    /// How much of it was understood.
    pub parse: Parse,
    /// The unit, as printed.
    pub unit: Option<String>,
    /// The decimal places of its number.
    pub decimals: u32,
    /// Which way is better, as far as the target tells.
    pub direction: Direction,
    /// The parts that were not understood, as printed, in their order.
    pub rest: Vec<String>,
}

/// Reads a target as printed in the policy of a fiscal year.
#[must_use]
pub fn read(_text: &str, _year: FiscalYear) -> ReadTarget {
    unimplemented!()
}

/// Prints a target the way forms do; what is printed is read as the same target.
#[must_use]
pub fn print(_target: &Target, _unit: Option<&str>) -> String {
    unimplemented!()
}
