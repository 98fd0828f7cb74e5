//! How a value stands against its target while the target's period goes on: settled, settled early, or still open.

use rust_decimal::Decimal as Number;

use super::{case::Case, comparison::Bar, outcome::Standing};
use crate::{
    domain::{
        fiscal_year::last_day,
        kinds::ObservationStatus,
        quantity::{is_percent, rounded},
        target::PeriodKind,
    },
    value::FiscalYear,
};

/// How a value of the case stands against the bar.
pub(super) fn standing(case: &Case<'_>, bar: Bar, value: Number) -> Standing {
    let met = bar.met_by(value);
    if runs_on_to(case).is_none() {
        return Standing::Settled(met);
    }
    match bar.most() {
        // A sum within its upper bound may still pass it; one beyond it never comes back.
        Some(most) if case.target.period.kind == PeriodKind::Cumulative => {
            let beyond = value > most || (value == most && matches!(bar, Bar::Below(_)));
            if beyond && only_grows(case, value, most) {
                Standing::Settled(false)
            } else {
                Standing::Open
            }
        }
        _ if met => Standing::Early,
        _ => Standing::Open,
    }
}

/// Whether rounding the value to the indicator's decimals would turn the answer.
pub(super) fn turned_by_rounding(case: &Case<'_>, bar: Bar, value: Number) -> bool {
    case.decimals.is_some_and(|places| {
        let alike = standing(case, bar, rounded(value, places));
        standing(case, bar, value) != alike
    })
}

/// The last fiscal year of a period that goes on after the result: that of the target, or the result's own as long as it
/// is not over and its number provisional.
pub(super) fn runs_on_to(case: &Case<'_>) -> Option<FiscalYear> {
    let later = case.target.period.runs_on_to(case.fiscal_year);
    later.or_else(|| is_early_figure(case).then_some(case.fiscal_year))
}

/// Whether the number is provisional and its fiscal year not over.
fn is_early_figure(case: &Case<'_>) -> bool {
    let provisional = case
        .result
        .is_some_and(|facts| facts.observation_status == ObservationStatus::Provisional);
    provisional && case.on <= last_day(case.fiscal_year)
}

/// Whether a sum over several years can only grow: a count does. A share may come down again, and so may a sum in which a
/// number is less than 0.
fn only_grows(case: &Case<'_>, sum: Number, most: Number) -> bool {
    let of_the_year = case.result.and_then(|facts| facts.value).map(|value| value.0);
    let negative = |number: Number| number < Number::ZERO;
    !is_percent(case.unit) && ![Some(sum), Some(most), of_the_year].into_iter().flatten().any(negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        evaluation::{
            Facts, evaluate,
            outcome::{Outcome, Reason},
        },
        fixtures::{by_end_of, case, cumulative, date, number, reported, target, target_on_previous, year},
        kinds::Rating,
        target::{Comparator, Period, Target},
    };

    const EARLY: (Outcome, Option<Reason>) = (Outcome::Achieved, Some(Reason::Early));
    const OPEN: (Outcome, Option<Reason>) = (Outcome::InProgress, Some(Reason::PeriodRunning));
    const MET: (Outcome, Option<Reason>) = (Outcome::Achieved, None);
    const MISSED: (Outcome, Option<Reason>) = (Outcome::NotAchieved, None);

    fn outcome(case: &Case<'_>) -> (Outcome, Option<Reason>) {
        let it = evaluate(case);
        (it.outcome, it.reason)
    }

    fn provisional(value: &str) -> Facts {
        Facts {
            observation_status: ObservationStatus::Provisional,
            ..reported(value)
        }
    }

    #[test]
    fn a_running_period_is_achieved_early_or_in_progress() {
        for period in [cumulative(2024, 2026), by_end_of(2026)] {
            let target = Target {
                period,
                ..target(Comparator::Gte, "100")
            };
            for (fiscal_year, value, expected) in [
                (2024, "99", OPEN),
                (2024, "100", EARLY),
                (2025, "99", OPEN),
                (2025, "100", EARLY),
                (2026, "99", MISSED),
                (2026, "100", MET),
                (2027, "99", MISSED),
            ] {
                let facts = Facts {
                    cumulative_value: Some(number(value)),
                    ..reported(value)
                };
                let case = Case {
                    fiscal_year: year(fiscal_year),
                    result: Some(facts),
                    ..case(&target)
                };
                assert_eq!(outcome(&case), expected, "{value} in {fiscal_year}, {period:?}");
            }
        }
    }

    #[test]
    fn a_provisional_number_is_not_the_last_word_before_its_year_is_over() {
        let revised = Facts {
            observation_status: ObservationStatus::Revised,
            ..reported("48")
        };
        for (facts, on, expected) in [
            (provisional("48"), "2024-10-01", OPEN),
            (provisional("50"), "2024-10-01", EARLY),
            (provisional("48"), "2025-03-31", OPEN),
            (provisional("50"), "2025-03-31", EARLY),
            (provisional("48"), "2025-04-01", MISSED),
            (provisional("50"), "2025-04-01", MET),
            (reported("48"), "2024-10-01", MISSED),
            (reported("50"), "2024-10-01", MET),
            (revised, "2024-10-01", MISSED),
        ] {
            let target = target(Comparator::Gte, "50");
            let case = Case {
                result: Some(facts),
                on: date(on),
                ..case(&target)
            };
            assert_eq!(outcome(&case), expected, "{facts:?} on {on}");
        }
    }

    #[test]
    fn a_provisional_number_without_a_rating_has_none_and_a_declared_one_stays() {
        let target = target(Comparator::Gte, "50");
        for declared_rating in [None, Some(Rating::B)] {
            let facts = Facts {
                declared_rating,
                ..provisional("48")
            };
            let ratings = evaluate(&Case {
                result: Some(facts),
                on: date("2024-10-01"),
                ..case(&target)
            })
            .ratings;
            assert_eq!((ratings.computed, ratings.consistent), (None, None));
            assert_eq!(ratings.official, declared_rating);
        }
    }

    #[test]
    fn the_last_year_of_a_period_is_not_over_before_its_end() {
        for period in [by_end_of(2024), cumulative(2022, 2024)] {
            let target = Target {
                period,
                ..target(Comparator::Gte, "100")
            };
            for (on, value, expected) in [
                ("2025-03-31", "99", OPEN),
                ("2025-03-31", "100", EARLY),
                ("2025-04-01", "99", MISSED),
                ("2025-04-01", "100", MET),
            ] {
                let facts = Facts {
                    cumulative_value: Some(number(value)),
                    ..provisional(value)
                };
                let case = Case {
                    result: Some(facts),
                    on: date(on),
                    ..case(&target)
                };
                assert_eq!(outcome(&case), expected, "{value} on {on}, {period:?}");
            }
        }
    }

    /// What comes of a sum in the first year of three.
    fn first_of_three(target: Target, sum: &str, unit: &str) -> (Outcome, Option<Reason>) {
        let target = Target {
            period: cumulative(2024, 2026),
            ..target
        };
        outcome(&Case {
            result: Some(reported(sum)),
            recorded_previous: Some(number("300")),
            unit: Some(unit),
            ..case(&target)
        })
    }

    #[test]
    fn a_sum_within_its_upper_bound_may_still_pass_it_and_never_comes_back() {
        use Comparator::{Between, Decrease, DecreaseBy, Eq, Lt, Lte};
        let of = |comparator| target(comparator, "300");
        let between = Target {
            upper: Some(number("300")),
            ..target(Between, "200")
        };
        let less_by = Target {
            value: Some(number("10")),
            ..target_on_previous(DecreaseBy)
        };
        for (target, sum, expected) in [
            (of(Lte), "250", OPEN),
            (of(Lte), "300", OPEN),
            (of(Lte), "300.1", MISSED),
            (of(Lt), "299", OPEN),
            (of(Lt), "300", MISSED),
            (of(Eq), "299", OPEN),
            (of(Eq), "300", OPEN),
            (of(Eq), "301", MISSED),
            (between.clone(), "199", OPEN),
            (between.clone(), "250", OPEN),
            (between, "301", MISSED),
            (target_on_previous(Lte), "300", OPEN),
            (target_on_previous(Lte), "301", MISSED),
            (target_on_previous(Decrease), "299", OPEN),
            (target_on_previous(Decrease), "300", MISSED),
            (less_by.clone(), "290", OPEN),
            (less_by, "291", MISSED),
        ] {
            let comparator = target.comparator;
            assert_eq!(first_of_three(target, sum, "件"), expected, "{sum} {comparator}");
        }
    }

    #[test]
    fn a_bound_is_settled_when_the_period_is_over() {
        let target = Target {
            period: cumulative(2022, 2024),
            ..target(Comparator::Lte, "300")
        };
        for (fiscal_year, sum, expected) in [(2023, "250", OPEN), (2024, "250", MET), (2024, "301", MISSED)] {
            let facts = Facts {
                cumulative_value: Some(number(sum)),
                ..Facts::default()
            };
            let case = Case {
                fiscal_year: year(fiscal_year),
                result: Some(facts),
                unit: Some("件"),
                ..case(&target)
            };
            assert_eq!(outcome(&case), expected, "{sum} in {fiscal_year}");
        }
    }

    #[test]
    fn what_may_come_down_again_is_open_beyond_its_bound_too() {
        let at_most = |value| target(Comparator::Lte, value);
        for (target, sum, unit, expected) in [
            (at_most("5"), "6", "件", MISSED),
            (at_most("5"), "6", "%", OPEN),
            (at_most("-300"), "-100", "件", OPEN),
            (at_most("-300"), "100", "件", OPEN),
            (at_most("-300"), "-400", "件", OPEN),
        ] {
            assert_eq!(
                first_of_three(target.clone(), sum, unit),
                expected,
                "{sum}{unit} {target:?}"
            );
        }
    }

    #[test]
    fn a_value_of_any_year_meets_an_upper_bound_early() {
        let target = Target {
            period: by_end_of(2026),
            ..target(Comparator::Lte, "5")
        };
        for (value, expected) in [("5", EARLY), ("6", OPEN)] {
            let case = Case {
                result: Some(reported(value)),
                ..case(&target)
            };
            assert_eq!(outcome(&case), expected, "{value}");
        }
    }

    #[test]
    fn rounding_turns_an_answer_only_at_the_last_stated_place() {
        use Comparator::{Eq, Gt, Gte, Lt, Lte};
        for (comparator, asked, value, decimals, expected) in [
            (Gte, "81.2", "81.15", Some(1), true),
            (Gte, "81.2", "81.14", Some(1), false),
            (Gte, "81.2", "81.15", Some(2), false),
            (Gte, "81.2", "81.15", None, false),
            (Gte, "81.2", "81.15", Some(0), false),
            (Gt, "81.2", "81.24", Some(1), true),
            (Lte, "81.2", "81.24", Some(1), true),
            (Lte, "81.2", "81.25", Some(1), false),
            (Lt, "81.2", "81.15", Some(1), true),
            (Eq, "81.2", "81.15", Some(1), true),
            (Lte, "-0.5", "-0.45", Some(1), true), // away from zero below zero too
        ] {
            let target = target(comparator, asked);
            let turned = evaluate(&Case {
                result: Some(reported(value)),
                decimals,
                ..case(&target)
            })
            .rounding_sensitive;
            assert_eq!(turned, expected, "{value} {comparator} {asked} at {decimals:?}");
        }
    }

    #[test]
    fn rounding_turns_no_answer_that_is_open_either_way() {
        let over_three = |period: Period| Target {
            period,
            ..target(Comparator::Eq, "81.2")
        };
        for (period, expected) in [(cumulative(2024, 2026), false), (cumulative(2022, 2024), true)] {
            let target = over_three(period);
            let facts = Facts {
                cumulative_value: Some(number("81.15")),
                ..Facts::default()
            };
            let case = Case {
                result: Some(facts),
                unit: Some("件"),
                ..case(&target)
            };
            assert_eq!(evaluate(&case).rounding_sensitive, expected, "{period:?}");
        }
    }
}
