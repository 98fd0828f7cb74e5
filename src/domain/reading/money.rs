//! Money as forms print it: 77百万円, 77,800千円, 6千2百万円, ▲927億円, －, blank.

use super::Parse;
use crate::{domain::kinds::BudgetStatus, value::Yen};

/// A printed amount, as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMoney {
    /// What the box holds.
    pub status: BudgetStatus,
    /// The amount in yen; nothing unless stated.
    pub amount_yen: Option<Yen>,
    /// What it is rounded to, in yen: 1,000,000 for 百万円.
    pub precision_yen: Option<i64>,
    /// How much of it was understood.
    pub parse: Parse,
}

/// Reads an amount as printed; `unit` is the unit the head of its table states (百万円), where the amount has none.
#[must_use]
pub fn read(_text: &str, _unit: Option<&str>) -> ReadMoney {
    unimplemented!()
}

/// Prints an amount in the largest unit of its precision: 77百万円, 77,800千円.
#[must_use]
pub fn print(_amount: Yen, _precision_yen: i64) -> String {
    unimplemented!()
}
