//! Where in a file the fields of a policy were read.

use crate::{
    domain::{
        form::{Confidence, Field},
        kinds::BudgetKind,
    },
    resources::policy_trees::PolicyTree,
    value::{FiscalYear, GoalCode, Line},
};

/// A thing in a policy, by what people call it: its place in a document changes when others are put before it.
#[derive(Debug, Clone)]
pub(super) enum FieldRef {
    Policy(&'static str),
    Goal(GoalCode, &'static str),
    Budget(GoalCode, FiscalYear, BudgetKind),
    Indicator(GoalCode, Line<500>),
    Result(GoalCode, Line<500>, FiscalYear),
}

impl FieldRef {
    /// Its JSON pointer in a policy, if it is there.
    pub(super) fn pointer(&self, tree: &PolicyTree) -> Option<String> {
        let goal = |code: &GoalCode| {
            let n = tree.goals.iter().position(|goal| goal.code == *code)?;
            Some((format!("/goals/{n}"), tree.goals.get(n)?))
        };
        let indicator = |code, name: &Line<500>| {
            let (at, goal) = goal(code)?;
            let n = goal.indicators.iter().position(|it| it.name == *name)?;
            Some((format!("{at}/indicators/{n}"), goal.indicators.get(n)?))
        };
        match self {
            Self::Policy(field) => Some(format!("/{field}")),
            Self::Goal(code, field) => goal(code).map(|(at, _)| format!("{at}/{field}")),
            Self::Budget(code, year, kind) => {
                let (at, goal) = goal(code)?;
                let mut budgets = goal.budgets.iter();
                let n = budgets.position(|it| (it.fiscal_year, it.kind) == (*year, *kind))?;
                Some(format!("{at}/budgets/{n}"))
            }
            Self::Indicator(code, name) => indicator(code, name).map(|(at, _)| at),
            Self::Result(code, name, year) => {
                let (at, indicator) = indicator(code, name)?;
                let n = indicator.results.iter().position(|it| it.fiscal_year == *year)?;
                Some(format!("{at}/results/{n}"))
            }
        }
    }
}

/// Where a field was read.
pub(super) fn place<T>(field: &Field<T>) -> (u32, Confidence) {
    (field.line, field.confidence)
}
