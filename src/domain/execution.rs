//! Execution: what was spent of a budget.

use serde::Serialize;
use utoipa::ToSchema;

use super::{kinds::BudgetKind, quantity::ratio};
use crate::{
    text_enum,
    value::{Decimal, Yen},
};

text_enum! {
    /// Why there is no execution ratio.
    pub enum ExecutionReason in "execution_reason" {
        /// No policy states what was spent.
        NoActual = "no_actual" ("決算額なし", "no actual"),
        /// No policy states the budget.
        NoBudget = "no_budget" ("予算額なし", "no budget"),
        /// What was spent, or the budget, is a dash, blank, or a sum that lacks a figure.
        Incomplete = "incomplete" ("金額の不足", "incomplete"),
        /// The budget is 0.
        ZeroBudget = "zero_budget" ("予算額が0", "budget of 0"),
        /// It would need more than 15 significant digits.
        TooLarge = "too_large" ("桁数超過", "too large"),
    }
}

/// What was spent of a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Execution {
    /// What was spent over the budget, rounded half away from zero to 4 decimal places: 0.9524 is 95.24 %. From the latest
    /// policy that states each. Null with a reason.
    #[schema(required = true)]
    pub ratio: Option<Decimal>,
    /// Why there is none; null where there is.
    #[schema(required = true)]
    pub reason: Option<ExecutionReason>,
    /// Which budget it is over: `revised` where one is stated, else `initial`; null without one.
    #[schema(required = true)]
    pub budget: Option<BudgetKind>,
    /// Whether what was spent and the budget are both whole.
    pub complete: bool,
}

/// The figure of the latest policy: the amount, and whether it is complete.
type Latest = Option<(Option<Yen>, bool)>;

/// What was spent of the revised budget, else of the initial one.
#[must_use]
pub fn execution(initial: Latest, revised: Latest, actual: Latest) -> Execution {
    let stated = |figure: &Latest| figure.is_some_and(|(amount, _)| amount.is_some());
    let budget = if stated(&revised) {
        Some((BudgetKind::Revised, revised))
    } else {
        initial.or(revised).map(|_| {
            if initial.is_some() {
                (BudgetKind::Initial, initial)
            } else {
                (BudgetKind::Revised, revised)
            }
        })
    };
    let of = budget.and_then(|(_, figure)| figure);
    let (ratio, reason) = match (actual, of) {
        (None, _) => (None, Some(ExecutionReason::NoActual)),
        (_, None) => (None, Some(ExecutionReason::NoBudget)),
        (Some((Some(Yen(spent)), true)), Some((Some(Yen(budget)), true))) => match ratio(spent.into(), budget.into()) {
            _ if budget == 0 => (None, Some(ExecutionReason::ZeroBudget)),
            Some(ratio) => (Some(ratio), None),
            None => (None, Some(ExecutionReason::TooLarge)),
        },
        _ => (None, Some(ExecutionReason::Incomplete)),
    };
    let whole = |figure: Latest| figure.is_some_and(|(_, complete)| complete);
    Execution {
        ratio,
        reason,
        budget: budget.map(|(kind, _)| kind),
        complete: whole(actual) && whole(of),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::number;

    #[expect(clippy::unnecessary_wraps, reason = "it stands beside those that there are not")]
    fn of(yen: i64) -> Latest {
        Some((Some(Yen(yen)), true))
    }

    #[test]
    fn what_was_spent_is_a_part_of_the_latest_budget() {
        use BudgetKind::{Initial, Revised};
        use ExecutionReason::{Incomplete, NoActual, NoBudget, ZeroBudget};
        let dash: Latest = Some((None, false));
        let part: Latest = Some((Some(Yen(10)), false));
        for (initial, revised, actual, expected, budget) in [
            (of(84), None, of(80), Ok("0.9524"), Some(Initial)),
            (of(84), of(100), of(80), Ok("0.8"), Some(Revised)),
            (of(84), dash, of(80), Ok("0.9524"), Some(Initial)),
            (None, of(100), of(120), Ok("1.2"), Some(Revised)),
            (of(84), None, of(0), Ok("0"), Some(Initial)),
            (of(-3), None, of(1), Ok("-0.3333"), Some(Initial)),
            (of(0), None, of(80), Err(ZeroBudget), Some(Initial)),
            (of(84), None, None, Err(NoActual), Some(Initial)),
            (None, None, of(80), Err(NoBudget), None),
            (None, None, None, Err(NoActual), None),
            (dash, None, of(80), Err(Incomplete), Some(Initial)),
            (of(84), None, dash, Err(Incomplete), Some(Initial)),
            (of(84), None, part, Err(Incomplete), Some(Initial)),
            (part, None, of(80), Err(Incomplete), Some(Initial)),
        ] {
            let it = execution(initial, revised, actual);
            let expected = expected.map(number);
            assert_eq!(
                (it.ratio, it.reason, it.budget),
                (expected.ok(), expected.err(), budget),
                "{initial:?} {actual:?}"
            );
            assert!(it.complete || it.ratio.is_none());
        }
    }
}
