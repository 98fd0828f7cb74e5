//! Stored values as a form prints them: the text as it was printed, else the value in the words of forms.

use crate::{
    domain::{
        kinds::{BudgetStatus, ObservationStatus, ValueStatus},
        reading::{self, Parse, money, result::ReadResult},
        target::{Comparator, Target},
    },
    resources::{policy_trees::TreeBudget, results::ResultInput},
    value::{Decimal, Line, Prose},
};

/// An amount; nothing where its box is empty.
#[must_use]
pub fn budget(budget: &TreeBudget) -> Option<Line<200>> {
    let said = || match (budget.status, budget.amount_yen) {
        (BudgetStatus::Stated, Some(amount)) => Some(money::print(amount, budget.precision_yen.unwrap_or(1))),
        (BudgetStatus::None, _) => Some("－".to_owned()),
        _ => None,
    };
    budget.text.clone().or_else(|| said().map(Line))
}

/// A target; nothing where there is none yet.
#[must_use]
pub fn target(target: &Target, unit: Option<&Line<20>>) -> Option<Line<500>> {
    let none = matches!(
        target.comparator,
        Comparator::Qualitative | Comparator::Undecided | Comparator::Unread
    );
    let said = || (!none).then(|| Line(reading::target::print(target, unit.map(|unit| unit.0.as_str()))));
    target.text.clone().or_else(said)
}

/// A result without its rating; nothing where nobody has said anything yet.
#[must_use]
pub fn result(result: &ResultInput, unit: Option<&Line<20>>) -> Option<Prose<2000>> {
    let silent = matches!(
        result.value_status,
        ValueStatus::NotYetDue | ValueStatus::NotReported | ValueStatus::TextOnly
    );
    let said = || {
        let settled = match result.value_status {
            ValueStatus::Reported => result.observation_status,
            _ => ObservationStatus::Final,
        };
        (!silent).then(|| {
            value(
                result.value,
                result.cumulative_value,
                result.value_status,
                settled,
                unit,
            )
        })
    };
    let text = result.text.clone().or_else(|| said().map(Prose));
    text.filter(|text| !text.0.is_empty())
}

/// The result of the year before, as the policy states it.
#[must_use]
pub fn previous(result: &ResultInput, unit: Option<&Line<20>>) -> Option<Line<500>> {
    let said = || result.stated_previous_value.map(|value| Line(number(value, unit)));
    result.stated_previous_text.clone().or_else(said)
}

/// A final result.
#[must_use]
pub fn number(number: Decimal, unit: Option<&Line<20>>) -> String {
    let (status, settled) = (ValueStatus::Reported, ObservationStatus::Final);
    value(Some(number), None, status, settled, unit)
}

fn value(
    value: Option<Decimal>,
    cumulative_value: Option<Decimal>,
    status: ValueStatus,
    observation_status: ObservationStatus,
    unit: Option<&Line<20>>,
) -> String {
    let read = ReadResult {
        value,
        cumulative_value,
        cumulative_years: None,
        unit: None,
        value_status: Some(status),
        observation_status,
        declared_rating: None,
        text: None,
        parse: Parse::Full,
    };
    reading::result::print(&read, unit.map(|unit| unit.0.as_str()))
}
