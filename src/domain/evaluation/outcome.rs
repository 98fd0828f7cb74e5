//! The table of outcomes: the outcome of a target for each state of its result.

use chrono::NaiveDate;

use super::case::Facts;
use crate::{
    domain::{
        kinds::{Rating, ValueStatus},
        target::Comparator,
    },
    text_enum,
};

text_enum! {
    /// What became of a target.
    pub enum Outcome in "outcome" {
        /// The result meets the target.
        Achieved = "achieved" ("達成", "achieved"),
        /// The result does not meet the target.
        NotAchieved = "not_achieved" ("未達成", "not achieved"),
        /// Results still to come in the target's period decide the outcome.
        InProgress = "in_progress" ("継続中", "in progress"),
        /// The result is still to come.
        Pending = "pending" ("結果待ち", "pending"),
        /// The result should be there and is not.
        Overdue = "overdue" ("期限超過", "overdue"),
        /// The result and the target cannot be compared; the reason says why.
        NotEvaluable = "not_evaluable" ("判定不能", "not evaluable"),
    }
}

text_enum! {
    /// What else there is to say about an outcome.
    pub enum Reason in "reason" {
        /// Met before its period is over, or by a provisional number before its fiscal year is.
        Early = "early" ("期間途中で達成", "met early"),
        /// Not decided so far: the period goes on, or the number is provisional and its fiscal year not over.
        PeriodRunning = "period_running" ("期間継続中", "period running"),
        /// The target refers to a number that is not known, not comparable, or, where the target is in percent of it, not above 0.
        ReferenceMissing = "reference_missing" ("基準値なし", "reference missing"),
        /// The number the target is about is missing, though another one is reported.
        ValueMissing = "value_missing" ("対象の数値なし", "value missing"),
        /// The target is a state described in words: only the organization can say whether it was reached.
        Qualitative = "qualitative" ("定性的な目標", "qualitative target"),
        /// There is no target, or none yet.
        NoTarget = "no_target" ("目標なし", "no target"),
        /// The text of the target was not understood whole.
        TargetUnread = "target_unread" ("目標未読取", "target unread"),
        /// The result is not due yet.
        NotYetDue = "not_yet_due" ("期限前", "not yet due"),
        /// The result is being compiled.
        BeingCompiled = "being_compiled" ("集計中", "being compiled"),
        /// The result could not be measured.
        NotMeasured = "not_measured" ("把握困難", "not measured"),
        /// The indicator does not apply to the fiscal year.
        NotApplicable = "not_applicable" ("評価対象外", "not applicable"),
        /// The result is not published.
        Withheld = "withheld" ("非公表", "withheld"),
        /// The result is words, the target a number.
        TextOnly = "text_only" ("文章のみ", "text only"),
        /// The indicator was given up.
        Discontinued = "discontinued" ("廃止", "discontinued"),
    }
}

/// How a value stands against a bar on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It meets the bar or does not, and nothing to come can change that.
    Settled(bool),
    /// It meets the bar, and its period goes on.
    Early,
    /// Results still to come decide it.
    Open,
}

/// The value status of a result on a day. A number is `reported`; else the stated status counts. Three states are never
/// taken as stated, since number and date decide them.
#[must_use]
pub fn value_status(facts: Option<&Facts>, due_on: NaiveDate, on: NaiveDate) -> ValueStatus {
    use ValueStatus::{NotReported, NotYetDue, Reported};
    let number = facts.and_then(|facts| facts.value.or(facts.cumulative_value));
    let said = facts
        .and_then(|facts| facts.value_status)
        .filter(|said| !matches!(said, Reported | NotYetDue | NotReported));
    match (number, said) {
        (Some(_), _) => Reported,
        (None, Some(said)) => said,
        (None, None) if on <= due_on => NotYetDue,
        (None, None) => NotReported,
    }
}

/// The table, row by row.
pub(super) fn outcome(
    status: ValueStatus,
    comparator: Comparator,
    declared: Option<Rating>,
    standing: Result<Standing, Reason>,
) -> (Outcome, Option<Reason>) {
    use ValueStatus as Is;
    match (status, comparator) {
        // reported or text_only | qualitative: only the organization can say
        (Is::Reported | Is::TextOnly, Comparator::Qualitative) => match declared {
            Some(Rating::A) => (Outcome::Achieved, Some(Reason::Qualitative)),
            Some(Rating::B) => (Outcome::NotAchieved, Some(Reason::Qualitative)),
            None => (Outcome::NotEvaluable, Some(Reason::Qualitative)),
        },
        // any | undecided or none, even before the result is due
        (_, Comparator::Undecided) => (Outcome::NotEvaluable, Some(Reason::NoTarget)),
        // any | unread
        (_, Comparator::Unread) => (Outcome::NotEvaluable, Some(Reason::TargetUnread)),
        // reported | numeric
        (Is::Reported, _) => match standing {
            // its period over, or a single year; or a sum beyond its upper bound
            Ok(Standing::Settled(true)) => (Outcome::Achieved, None),
            Ok(Standing::Settled(false)) => (Outcome::NotAchieved, None),
            // cumulative or by_end_of, still running; or provisional, its fiscal year still running
            Ok(Standing::Early) => (Outcome::Achieved, Some(Reason::Early)),
            Ok(Standing::Open) => (Outcome::InProgress, Some(Reason::PeriodRunning)),
            // relative, and its reference is missing; or the compared number is missing
            Err(reason) => (Outcome::NotEvaluable, Some(reason)),
        },
        // not_yet_due, being_compiled | any
        (Is::NotYetDue, _) => (Outcome::Pending, Some(Reason::NotYetDue)),
        (Is::BeingCompiled, _) => (Outcome::Pending, Some(Reason::BeingCompiled)),
        // not_reported | any
        (Is::NotReported, _) => (Outcome::Overdue, None),
        // not_measured, not_applicable, withheld, discontinued | any; text_only | numeric
        (Is::NotMeasured, _) => (Outcome::NotEvaluable, Some(Reason::NotMeasured)),
        (Is::NotApplicable, _) => (Outcome::NotEvaluable, Some(Reason::NotApplicable)),
        (Is::Withheld, _) => (Outcome::NotEvaluable, Some(Reason::Withheld)),
        (Is::Discontinued, _) => (Outcome::NotEvaluable, Some(Reason::Discontinued)),
        (Is::TextOnly, _) => (Outcome::NotEvaluable, Some(Reason::TextOnly)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{
            evaluation::{Case, evaluate},
            fixtures::{
                any_facts, case, case_of, cumulative, date, number, reported, said, target, target_on_previous, year,
            },
            target::Target,
        },
        value::Codes as _,
    };

    #[track_caller]
    fn assert_outcome(case: &Case<'_>, outcome: Outcome, reason: Option<Reason>) {
        let evaluation = evaluate(case);
        assert_eq!((evaluation.outcome, evaluation.reason), (outcome, reason), "{case:?}");
    }

    fn qualitative() -> Target {
        Target {
            comparator: Comparator::Qualitative,
            ..Target::default()
        }
    }

    #[test]
    fn a_reported_value_meets_its_target_or_does_not() {
        let at_least = target(Comparator::Gte, "81.2");
        let at_most = target(Comparator::Lte, "0");
        assert_outcome(&case_of(&at_least, "81.2"), Outcome::Achieved, None);
        assert_outcome(&case_of(&at_least, "81.0"), Outcome::NotAchieved, None);
        assert_outcome(&case_of(&at_least, "81.15"), Outcome::NotAchieved, None);
        assert_outcome(&case_of(&at_least, "0"), Outcome::NotAchieved, None);
        assert_outcome(&case_of(&at_most, "0"), Outcome::Achieved, None);
    }

    #[test]
    fn konohana_reached_ten_thousand_households_over_three_years() {
        let over_three = Target {
            period: cumulative(2021, 2023),
            ..target(Comparator::Gte, "10000")
        };
        let facts = Facts {
            cumulative_value: Some(number("10488")),
            ..reported("4722")
        };
        let in_2023 = Case {
            fiscal_year: year(2023),
            result: Some(facts),
            ..case(&over_three)
        };
        assert_outcome(&in_2023, Outcome::Achieved, None);
        assert_eq!(evaluate(&in_2023).rating, Some(Rating::A));
    }

    #[test]
    fn a_sum_that_is_missing_cannot_be_compared_after_its_first_year() {
        let target = Target {
            period: cumulative(2023, 2024),
            ..target(Comparator::Gte, "100")
        };
        let second_year = case_of(&target, "100");
        assert_outcome(&second_year, Outcome::NotEvaluable, Some(Reason::ValueMissing));
        let first_year = Case {
            fiscal_year: year(2023),
            ..second_year
        };
        assert_outcome(&first_year, Outcome::Achieved, Some(Reason::Early));
    }

    #[test]
    fn a_sum_alone_cannot_be_compared_with_a_single_year_target() {
        let target = target(Comparator::Gte, "100");
        let sum_only = Facts {
            cumulative_value: Some(number("100")),
            ..Facts::default()
        };
        let case = Case {
            result: Some(sum_only),
            ..case(&target)
        };
        assert_outcome(&case, Outcome::NotEvaluable, Some(Reason::ValueMissing));
    }

    #[test]
    fn a_relative_target_needs_its_reference() {
        for comparator in [Comparator::Gte, Comparator::Increase, Comparator::Maintain] {
            let target = target_on_previous(comparator);
            let unknown = case_of(&target, "81");
            assert_outcome(&unknown, Outcome::NotEvaluable, Some(Reason::ReferenceMissing));
            let known = Case {
                recorded_previous: Some(number("0")),
                ..unknown
            };
            assert_outcome(&known, Outcome::Achieved, None);
            let not_comparable = Case {
                comparable_with_previous: Some(false),
                ..known
            };
            assert_outcome(&not_comparable, Outcome::NotEvaluable, Some(Reason::ReferenceMissing));
        }
    }

    #[test]
    fn only_the_organization_can_judge_a_qualitative_target() {
        let target = qualitative();
        for facts in [reported("81"), said(ValueStatus::TextOnly)] {
            for (declared_rating, outcome) in [
                (None, Outcome::NotEvaluable),
                (Some(Rating::A), Outcome::Achieved),
                (Some(Rating::B), Outcome::NotAchieved),
            ] {
                let case = Case {
                    result: Some(Facts {
                        declared_rating,
                        ..facts
                    }),
                    ..case(&target)
                };
                assert_outcome(&case, outcome, Some(Reason::Qualitative));
                assert_eq!(evaluate(&case).ratings.computed, None);
                assert_eq!(evaluate(&case).ratings.official, declared_rating);
            }
        }
    }

    #[test]
    fn without_a_target_nothing_is_evaluable_not_even_before_it_is_due() {
        let none = Target::default();
        assert_outcome(&case(&none), Outcome::NotEvaluable, Some(Reason::NoTarget));
        for status in ValueStatus::ALL {
            let case = Case {
                result: Some(said(*status)),
                on: date("2025-07-01"),
                ..case(&none)
            };
            assert_outcome(&case, Outcome::NotEvaluable, Some(Reason::NoTarget));
        }
        assert_outcome(&case_of(&none, "81"), Outcome::NotEvaluable, Some(Reason::NoTarget));
    }

    #[test]
    fn a_result_is_pending_through_the_day_it_is_due_and_overdue_from_the_next() {
        for target in [
            target(Comparator::Gte, "81.2"),
            target_on_previous(Comparator::Gte),
            qualitative(),
        ] {
            for (on, outcome, reason) in [
                ("2024-04-01", Outcome::Pending, Some(Reason::NotYetDue)),
                ("2025-06-30", Outcome::Pending, Some(Reason::NotYetDue)),
                ("2025-07-01", Outcome::Overdue, None),
            ] {
                assert_outcome(
                    &Case {
                        on: date(on),
                        ..case(&target)
                    },
                    outcome,
                    reason,
                );
                let empty = Case {
                    on: date(on),
                    result: Some(Facts::default()),
                    ..case(&target)
                };
                assert_outcome(&empty, outcome, reason);
            }
        }
    }

    #[test]
    fn what_the_organization_says_instead_of_a_number_is_the_reason() {
        let target = target(Comparator::Gte, "81.2");
        for (status, outcome, reason) in [
            (ValueStatus::BeingCompiled, Outcome::Pending, Reason::BeingCompiled),
            (ValueStatus::NotMeasured, Outcome::NotEvaluable, Reason::NotMeasured),
            (ValueStatus::NotApplicable, Outcome::NotEvaluable, Reason::NotApplicable),
            (ValueStatus::Withheld, Outcome::NotEvaluable, Reason::Withheld),
            (ValueStatus::TextOnly, Outcome::NotEvaluable, Reason::TextOnly),
            (ValueStatus::Discontinued, Outcome::NotEvaluable, Reason::Discontinued),
        ] {
            for on in ["2025-06-30", "2025-07-01"] {
                let case = Case {
                    result: Some(said(status)),
                    on: date(on),
                    ..case(&target)
                };
                assert_outcome(&case, outcome, Some(reason));
            }
        }
    }

    #[test]
    fn a_number_speaks_for_itself_and_the_first_three_states_follow_from_the_date() {
        let (due_on, late) = (date("2025-06-30"), date("2025-07-01"));
        for (facts, on, expected) in [
            (None, due_on, ValueStatus::NotYetDue),
            (None, late, ValueStatus::NotReported),
            (Some(said(ValueStatus::Reported)), due_on, ValueStatus::NotYetDue),
            (Some(said(ValueStatus::NotYetDue)), late, ValueStatus::NotReported),
            (Some(said(ValueStatus::NotReported)), due_on, ValueStatus::NotYetDue),
            (Some(said(ValueStatus::Withheld)), late, ValueStatus::Withheld),
            (Some(reported("0")), due_on, ValueStatus::Reported),
            (
                Some(Facts {
                    value_status: Some(ValueStatus::Withheld),
                    ..reported("0")
                }),
                late,
                ValueStatus::Reported,
            ),
            (
                Some(Facts {
                    cumulative_value: Some(number("0")),
                    ..Facts::default()
                }),
                late,
                ValueStatus::Reported,
            ),
        ] {
            assert_eq!(value_status(facts.as_ref(), due_on, on), expected, "{facts:?} on {on}");
        }
    }

    proptest! {
        #[test]
        fn a_result_is_reported_exactly_when_it_has_a_number(facts in any_facts()) {
            let due_on = date("2025-06-30");
            let status = value_status(Some(&facts), due_on, due_on);
            let number = facts.value.is_some() || facts.cumulative_value.is_some();
            prop_assert_eq!(status == ValueStatus::Reported, number);
        }
    }
}
