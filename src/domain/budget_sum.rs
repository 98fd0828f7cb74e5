//! Budgets added up: exact, and honest about the figures that are missing.

use serde::Serialize;
use utoipa::ToSchema;

use super::kinds::BudgetStatus;
use crate::value::{Id, Yen};

/// The most a sum may come to, either way: 15 digits, like any other amount.
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
    /// What its box holds instead: a dash or nothing.
    pub status: BudgetStatus,
}

/// A budget figure to add.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// The budget figure.
    pub id: Id,
    /// The code of its goal.
    pub goal_code: &'a str,
    /// What its box holds.
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
                    sum += i128::from(amount.0); // as many as memory holds stay far below the limit of i128
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
