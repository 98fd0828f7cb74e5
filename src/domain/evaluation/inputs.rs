//! The numbers of a comparison: the result's, the reference's, and the record of both.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    case::Case,
    comparison::Bar,
    finding::{ComparedField, Finding, ReferenceSource},
    outcome::Reason,
};
use crate::{
    domain::{
        kinds::{Direction, ObservationStatus},
        quantity::carried,
        target::{Comparator, Period, PeriodKind, ReferenceKind, Target},
    },
    value::{Decimal, FiscalYear},
};

/// Exactly what was compared, with what, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Inputs {
    /// How the target compares.
    pub comparator: Comparator,
    /// The number of the result that was compared; null when nothing was.
    #[schema(required = true)]
    pub compared_value: Option<Decimal>,
    /// Which number that is: `value` or `cumulative_value`; null when nothing was compared.
    #[schema(required = true)]
    pub compared_field: Option<ComparedField>,
    /// How settled that number is: `provisional`, `final` or `revised`; null when nothing was compared. A provisional one is
    /// not the last word before its fiscal year is over.
    #[schema(required = true)]
    pub observation_status: Option<ObservationStatus>,
    /// The target's value.
    #[schema(required = true)]
    pub target_value: Option<Decimal>,
    /// The target's upper bound (`between`).
    #[schema(required = true)]
    pub target_upper: Option<Decimal>,
    /// The number to pass, the reference resolved: the target's value, the reference, or the reference plus or minus
    /// the value, or plus or minus so many percent of it. Given as soon as it is known, result or not; null for `between`, which
    /// has two, and when it would need more than 15 significant digits.
    #[schema(required = true)]
    pub threshold: Option<Decimal>,
    /// What the target refers to.
    pub reference: ComparedReference,
    /// The indicator's unit.
    #[schema(required = true, max_length = 100, example = "%")]
    pub unit: Option<String>,
    /// The decimal places the indicator is stated with.
    #[schema(required = true, maximum = 9)]
    pub decimals: Option<u32>,
    /// Which way the indicator gets better.
    pub direction: Direction,
    /// Over which time the target is to be met.
    pub period: Period,
    /// The last day on which the result is in time.
    #[schema(value_type = crate::value::Date)]
    pub due_on: NaiveDate,
    /// The day of the evaluation.
    #[schema(value_type = crate::value::Date)]
    pub on: NaiveDate,
}

/// What a target refers to, with the number found for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComparedReference {
    /// Which kind of reference it is.
    pub kind: ReferenceKind,
    /// The fiscal year whose result it is; null for `none`, `constant` and `external`.
    #[schema(required = true)]
    pub fiscal_year: Option<FiscalYear>,
    /// Its number; null when it is missing.
    #[schema(required = true)]
    pub value: Option<Decimal>,
    /// Where the number comes from: `stated` (printed in this policy), `recorded` (through the indicator's series),
    /// `printed` (with the target), `constant` or `external` (a figure from outside, as somebody gave it); null when it is
    /// missing.
    #[schema(required = true)]
    pub source: Option<ReferenceSource>,
    /// What the figure of the kind `external` is called; null otherwise.
    #[schema(required = true, max_length = 100, example = "市平均")]
    pub name: Option<String>,
}

/// The number a relative target refers to, and its source.
pub(super) fn reference(case: &Case<'_>) -> Option<(Decimal, ReferenceSource)> {
    let reference = &case.target.reference;
    let stated = case.result.and_then(|facts| facts.stated_previous_value);
    let from = |value: Option<Decimal>, source| value.map(|value| (value, source));
    match reference.kind {
        ReferenceKind::None => None,
        ReferenceKind::Constant => from(reference.value, ReferenceSource::Constant),
        ReferenceKind::External => from(reference.value, ReferenceSource::External),
        ReferenceKind::FiscalYear => {
            from(reference.value, ReferenceSource::Printed).or(from(case.recorded_reference, ReferenceSource::Recorded))
        }
        ReferenceKind::PreviousYear if case.comparable_with_previous == Some(false) => None,
        // The target was set against the printed number, whatever was recorded since.
        ReferenceKind::PreviousYear => {
            from(stated, ReferenceSource::Stated).or(from(case.recorded_previous, ReferenceSource::Recorded))
        }
    }
}

/// The bar that the case's target sets, or why it sets none.
pub(super) fn bar(case: &Case<'_>) -> Result<Bar, Reason> {
    let reference = reference(case).map(|(value, _)| value);
    Bar::of(case.target, reference, case.direction)
}

/// The number of the result that the target is about.
pub(super) fn compared(case: &Case<'_>) -> Option<(Decimal, ComparedField)> {
    let facts = case.result?;
    let period = case.target.period;
    let value = facts.value.map(|value| (value, ComparedField::Value));
    match period.kind {
        PeriodKind::Cumulative => facts
            .cumulative_value
            .map(|sum| (sum, ComparedField::CumulativeValue))
            // In the first year of a period the sum is the year's own value.
            .or(value.filter(|_| period.from == Some(case.fiscal_year))),
        PeriodKind::SingleYear | PeriodKind::ByEndOf => value,
    }
}

pub(super) fn inputs(case: &Case<'_>, finding: &Finding) -> Inputs {
    let Target {
        comparator,
        value,
        upper,
        reference,
        period,
        ..
    } = case.target;
    Inputs {
        comparator: *comparator,
        compared_value: finding.compared.map(|(value, _)| value),
        compared_field: finding.compared.map(|(_, field)| field),
        observation_status: case
            .result
            .filter(|_| finding.compared.is_some())
            .map(|facts| facts.observation_status),
        target_value: *value,
        target_upper: *upper,
        threshold: finding.bar.ok().and_then(Bar::threshold).and_then(carried),
        reference: ComparedReference {
            kind: reference.kind,
            fiscal_year: match reference.kind {
                ReferenceKind::PreviousYear => case.fiscal_year.previous(),
                _ => reference.fiscal_year,
            },
            value: finding.reference.map(|(value, _)| value),
            source: finding.reference.map(|(_, source)| source),
            name: reference.name.as_ref().map(|name| name.0.clone()),
        },
        unit: case.unit.map(Into::into),
        decimals: case.decimals,
        direction: case.direction,
        period: *period,
        due_on: case.due_on,
        on: case.on,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        evaluation::{Facts, evaluate},
        fixtures::{case, case_of, cumulative, number, reported, target, target_on_previous, year},
        target::Reference,
    };

    #[test]
    fn what_the_policy_printed_comes_before_what_was_recorded() {
        let target = target_on_previous(Comparator::Gte);
        let stated = Facts {
            stated_previous_value: Some(number("0")),
            ..reported("81")
        };
        let recorded = case_of(&target, "81");
        let recorded = Case {
            recorded_previous: Some(number("79")),
            ..recorded
        };
        assert_eq!(
            reference(&Case {
                result: Some(stated),
                ..recorded
            }),
            Some((number("0"), ReferenceSource::Stated))
        );
        assert_eq!(reference(&recorded), Some((number("79"), ReferenceSource::Recorded)));
        assert_eq!(
            reference(&Case {
                comparable_with_previous: Some(true),
                ..recorded
            }),
            Some((number("79"), ReferenceSource::Recorded))
        );
        assert_eq!(
            reference(&Case {
                comparable_with_previous: Some(false),
                ..recorded
            }),
            None
        );
        assert_eq!(
            reference(&Case {
                result: Some(stated),
                comparable_with_previous: Some(false),
                ..recorded
            }),
            None,
            "printed or not: who says so says that the two cannot be compared"
        );
        assert_eq!(reference(&case_of(&target, "81")), None);
    }

    #[test]
    fn a_reference_to_a_fiscal_year_is_printed_or_recorded() {
        let reference_year = |value: Option<&str>| Target {
            reference: Reference {
                kind: ReferenceKind::FiscalYear,
                fiscal_year: Some(year(2022)),
                value: value.map(number),
                ..Reference::default()
            },
            ..target_on_previous(Comparator::Gte)
        };
        let (printed, blank) = (reference_year(Some("70")), reference_year(None));
        let recorded_reference = Some(number("71"));
        assert_eq!(
            reference(&Case {
                recorded_reference,
                ..case(&printed)
            }),
            Some((number("70"), ReferenceSource::Printed))
        );
        assert_eq!(
            reference(&Case {
                recorded_reference,
                ..case(&blank)
            }),
            Some((number("71"), ReferenceSource::Recorded))
        );
        assert_eq!(reference(&case(&blank)), None);
    }

    #[test]
    fn a_constant_refers_to_itself_and_nothing_to_nothing() {
        let constant = Target {
            reference: Reference {
                kind: ReferenceKind::Constant,
                fiscal_year: None,
                value: Some(number("0")),
                ..Reference::default()
            },
            ..target_on_previous(Comparator::Increase)
        };
        assert_eq!(
            reference(&case(&constant)),
            Some((number("0"), ReferenceSource::Constant))
        );
        let plain = target(Comparator::Gte, "1");
        let recorded = Case {
            recorded_previous: Some(number("2")),
            ..case(&plain)
        };
        assert_eq!(reference(&recorded), None);
    }

    #[test]
    fn a_sum_is_compared_where_the_period_is_cumulative() {
        let both = Facts {
            cumulative_value: Some(number("10488")),
            ..reported("4722")
        };
        let value_only = reported("4722");
        let sum_only = Facts { value: None, ..both };
        let single = target(Comparator::Gte, "10000");
        let over_three = Target {
            period: cumulative(2022, 2024),
            ..single.clone()
        };
        let from_now_on = Target {
            period: cumulative(2024, 2026),
            ..single.clone()
        };
        let value = Some((number("4722"), ComparedField::Value));
        let sum = Some((number("10488"), ComparedField::CumulativeValue));
        for (target, facts, expected) in [
            (&single, both, value),
            (&single, value_only, value),
            (&single, sum_only, None),
            (&over_three, both, sum),
            (&over_three, sum_only, sum),
            (&over_three, value_only, None),
            (&from_now_on, both, sum),
            (&from_now_on, value_only, value),
        ] {
            let case = Case {
                result: Some(facts),
                ..case(target)
            };
            assert_eq!(compared(&case), expected, "{facts:?} {:?}", target.period);
        }
        assert_eq!(compared(&case(&single)), None);
    }

    #[test]
    fn the_inputs_name_the_reference_and_the_threshold_it_gives() {
        let target = Target {
            value: Some(number("2")),
            ..target_on_previous(Comparator::IncreaseBy)
        };
        let known = Case {
            recorded_previous: Some(number("80.0")),
            ..case(&target)
        };
        let inputs = evaluate(&known).inputs;
        assert_eq!(inputs.threshold, Some(number("82.0")), "known before there is a result");
        assert_eq!((inputs.compared_value, inputs.compared_field), (None, None));
        assert_eq!(inputs.observation_status, None);
        assert_eq!(
            inputs.reference,
            ComparedReference {
                kind: ReferenceKind::PreviousYear,
                fiscal_year: Some(year(2023)),
                value: Some(number("80.0")),
                source: Some(ReferenceSource::Recorded),
                name: None,
            }
        );
    }
}
