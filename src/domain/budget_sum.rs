//! Budgets added up: exact, and honest about the figures that are missing.

use serde::Serialize;
use utoipa::ToSchema;

use super::kinds::BudgetStatus;
use crate::value::{Id, Yen};

/// The limit of a sum, positive or negative: 15 digits, like any other amount.
const MOST: i128 = 999_999_999_999_999;

/// Budget figures of one fiscal year and kind, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BudgetSum {
    /// The sum of what is stated, in yen. Null when nothing is, or in the unheard-of case that it needs more than 15
    /// digits; a stated 0 is a sum of 0.
    #[schema(required = true)]
    pub amount_yen: Option<Yen>,
    /// Whether `amount_yen` holds every figure there is: nothing is missing, and the sum fits.
    pub complete: bool,
    /// How many figures are stated.
    pub stated: u32,
    /// The figures without an amount, in the order in which they were given.
    #[schema(max_items = 1000)]
    pub missing: Vec<Missing>,
}

/// A budget figure without an amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    /// The budget figure.
    pub id: Id,
    /// The code of its goal, such as 1-1.
    #[schema(max_length = 40, example = "1-1")]
    pub goal_code: String,
    /// What its box holds instead: a dash, nothing, or a text in which no amount can be read.
    pub status: BudgetStatus,
}

/// A budget figure to add.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// The budget figure.
    pub id: Id,
    /// The code of its goal.
    pub goal_code: &'a str,
    /// What the box of the figure holds.
    pub status: BudgetStatus,
    /// Its amount, if one is stated.
    pub amount_yen: Option<Yen>,
}

impl<'a> FromIterator<Figure<'a>> for BudgetSum {
    fn from_iter<I: IntoIterator<Item = Figure<'a>>>(figures: I) -> Self {
        let mut sum: i128 = 0;
        let mut stated = 0;
        let mut missing = Vec::new();
        for figure in figures {
            match figure.amount_yen {
                Some(amount) => {
                    sum += i128::from(amount.0); // as many amounts as memory holds stay far below the limit of i128
                    stated += 1;
                }
                None => missing.push(Missing {
                    id: figure.id,
                    goal_code: figure.goal_code.into(),
                    status: figure.status,
                }),
            }
        }
        let fitting = i64::try_from(sum)
            .ok()
            .filter(|_| (-MOST..=MOST).contains(&sum))
            .map(Yen);
        Self {
            amount_yen: fitting.filter(|_| stated > 0),
            complete: fitting.is_some() && missing.is_empty(),
            stated,
            missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(amounts: &[Option<i64>]) -> BudgetSum {
        amounts
            .iter()
            .map(|amount| Figure {
                id: Id(uuid::Uuid::nil()),
                goal_code: "1-1",
                status: if amount.is_some() {
                    BudgetStatus::Stated
                } else {
                    BudgetStatus::Blank
                },
                amount_yen: amount.map(Yen),
            })
            .collect()
    }

    #[test]
    fn stated_figures_add_up() {
        let sum = sum(&[Some(85_000_000), Some(0), Some(-1_000_000)]);
        assert_eq!(sum.amount_yen, Some(Yen(84_000_000)));
        assert_eq!((sum.complete, sum.stated), (true, 3));
    }

    #[test]
    fn a_missing_figure_is_named_and_never_skipped_silently() {
        let sum = sum(&[Some(85_000_000), None]);
        assert_eq!(sum.amount_yen, Some(Yen(85_000_000)));
        assert_eq!((sum.complete, sum.stated), (false, 1));
        assert_eq!(
            sum.missing,
            [Missing {
                id: Id(uuid::Uuid::nil()),
                goal_code: "1-1".into(),
                status: BudgetStatus::Blank
            }]
        );
    }

    #[test]
    fn a_sum_of_nothing_is_null_and_a_sum_of_zero_is_zero() {
        assert_eq!(sum(&[]).amount_yen, None);
        assert_eq!(sum(&[None, None]).amount_yen, None);
        assert_eq!(sum(&[Some(0)]).amount_yen, Some(Yen(0)));
    }

    #[test]
    fn a_sum_beyond_fifteen_digits_is_not_complete() {
        let most = 999_999_999_999_999;
        assert_eq!(sum(&[Some(most)]).amount_yen, Some(Yen(most)));
        for amounts in [
            [Some(most), Some(1)],
            [Some(-most), Some(-1)],
            [Some(i64::MAX), Some(i64::MAX)],
        ] {
            let sum = sum(&amounts);
            assert_eq!((sum.amount_yen, sum.complete, sum.stated), (None, false, 2));
        }
    }
}
