//! This year's result beside last year's: the stated value, the recorded value, and the change.

use serde::Serialize;
use utoipa::ToSchema;

use super::{case::Case, inputs};
use crate::{
    domain::{
        kinds::Direction,
        quantity::{carried, is_percent, ratio, unit_of_difference},
        target::Comparator,
    },
    text_enum,
    value::Decimal,
};

text_enum! {
    /// Which way a value went.
    pub enum ChangeDirection in "change_direction" {
        /// It is higher than the year before.
        Up = "up" ("増加", "up"),
        /// It is lower than the year before.
        Down = "down" ("減少", "down"),
        /// It is the same as the year before.
        Flat = "flat" ("横ばい", "flat"),
    }
}

text_enum! {
    /// Why nobody can say whether a change is favourable.
    pub enum ChangeReason in "change_reason" {
        /// This year has no value.
        NoValue = "no_value" ("今年度の数値なし", "no value"),
        /// The year before has no value.
        NoPrevious = "no_previous" ("前年度の数値なし", "no previous value"),
        /// The organization says that the two years are not comparable.
        NotComparable = "not_comparable" ("前年度と比較不可", "not comparable"),
        /// Nothing changed; or, where the target is the best value, both years are as near to it, or within its range.
        NoChange = "no_change" ("変化なし", "no change"),
        /// Nobody has said which way is better.
        DirectionUnknown = "direction_unknown" ("良い方向が不明", "direction unknown"),
        /// The target is the best value, and names no number, or one that is not known.
        NoTarget = "no_target" ("目標の数値なし", "no target"),
    }
}

/// Last year's result, and the change since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Previous {
    /// The previous year's result as stated in this policy (前年度実績).
    #[schema(required = true)]
    pub stated: Option<Decimal>,
    /// The previous year's result as recorded for that year, found through the indicator's series. It may differ
    /// from what is stated.
    #[schema(required = true)]
    pub recorded: Option<Decimal>,
    /// The change since: from `stated` if there is one, else from `recorded`.
    pub change: ValueChange,
}

/// The change of a value (never the cumulative one) since the year before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ValueChange {
    /// This year's value less the previous one, in `unit`. Null when either is missing, or when it would need more
    /// than 15 significant digits.
    #[schema(required = true)]
    pub absolute: Option<Decimal>,
    /// The unit of `absolute`: ポイント between percents, else the indicator's.
    #[schema(required = true, max_length = 100, example = "ポイント")]
    pub unit: Option<String>,
    /// `absolute` as a part of the previous value, rounded half away from zero to 4 decimal places: 0.05 is 5 % more.
    /// Null for percents, and when the previous value is 0.
    #[schema(required = true)]
    pub relative: Option<Decimal>,
    /// Which way it went: `up`, `down` or `flat`; null when a value is missing.
    #[schema(required = true)]
    pub direction: Option<ChangeDirection>,
    /// Whether it went the better way; null when nobody can say, see `reason`.
    #[schema(required = true)]
    pub favourable: Option<bool>,
    /// Whether the organization says that the two years are comparable; null when it did not say.
    #[schema(required = true)]
    pub comparable: Option<bool>,
    /// Why `favourable` is null: `no_value`, `no_previous`, `not_comparable`, `no_change`, `direction_unknown` or
    /// `no_target`; null when it is not.
    #[schema(required = true)]
    pub reason: Option<ChangeReason>,
    /// What the organization says about comparing the two years.
    #[schema(required = true, max_length = 4000)]
    pub note: Option<String>,
}

/// Puts the case's value beside the previous year's.
pub(super) fn previous(case: &Case<'_>) -> Previous {
    let stated = case.result.and_then(|facts| facts.stated_previous_value);
    Previous {
        stated,
        recorded: case.recorded_previous,
        change: change(case, stated.or(case.recorded_previous)),
    }
}

fn change(case: &Case<'_>, previous: Option<Decimal>) -> ValueChange {
    let value = case.result.and_then(|facts| facts.value);
    let both = value.zip(previous);
    let difference = both.map(|(value, previous)| value.0 - previous.0);
    let favourable = favourable(case, value, previous);
    ValueChange {
        absolute: difference.and_then(carried),
        unit: unit_of_difference(case.unit).map(Into::into),
        relative: difference
            .zip(previous)
            .filter(|_| !is_percent(case.unit))
            .and_then(|(difference, previous)| ratio(difference, previous.0)),
        direction: both.map(|(value, previous)| match value.cmp(&previous) {
            std::cmp::Ordering::Greater => ChangeDirection::Up,
            std::cmp::Ordering::Less => ChangeDirection::Down,
            std::cmp::Ordering::Equal => ChangeDirection::Flat,
        }),
        favourable: favourable.ok(),
        comparable: case.comparable_with_previous,
        reason: favourable.err(),
        note: case.comparable_reason.map(Into::into),
    }
}

fn favourable(case: &Case<'_>, value: Option<Decimal>, previous: Option<Decimal>) -> Result<bool, ChangeReason> {
    let value = value.ok_or(ChangeReason::NoValue)?;
    let previous = previous.ok_or(ChangeReason::NoPrevious)?;
    if case.comparable_with_previous == Some(false) {
        return Err(ChangeReason::NotComparable);
    }
    if value == previous {
        return Err(ChangeReason::NoChange);
    }
    match case.direction {
        Direction::HigherIsBetter => Ok(value > previous),
        Direction::LowerIsBetter => Ok(value < previous),
        Direction::TargetIsBest => {
            // A target that asks for more or less than a reference names no best value. One that says how much, or keeps it, does.
            let names_none = matches!(case.target.comparator, Comparator::Increase | Comparator::Decrease);
            let best = inputs::bar(case).ok().filter(|_| !names_none);
            let best = best.ok_or(ChangeReason::NoTarget)?;
            let distance = best.distance(value.0);
            let distance_before = best.distance(previous.0);
            if distance == distance_before {
                return Err(ChangeReason::NoChange);
            }
            Ok(distance < distance_before)
        }
        Direction::Unknown => Err(ChangeReason::DirectionUnknown),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        evaluation::Facts,
        fixtures::{any_case, case, case_of, number, reported, target, target_on_previous, year},
        target::{Reference, ReferenceKind, Target},
    };

    /// A case with last year's recorded value and this year's; the rest is from `case`.
    fn changed<'a>(target: &'a Target, before: &str, now: &str, unit: &'a str, direction: Direction) -> Case<'a> {
        Case {
            recorded_previous: Some(number(before)),
            unit: Some(unit),
            direction,
            ..case_of(target, now)
        }
    }

    #[test]
    fn a_change_is_told_in_the_unit_and_as_a_part_of_the_value_before() {
        let target = target(Comparator::Gte, "50");
        for (before, now, unit, absolute, of, relative, direction) in [
            ("40", "48", "件", "8", "件", Some("0.2"), ChangeDirection::Up),
            ("48", "40", "件", "-8", "件", Some("-0.1667"), ChangeDirection::Down),
            ("40", "40.0", "件", "0", "件", Some("0"), ChangeDirection::Flat),
            ("40", "0", "件", "-40", "件", Some("-1"), ChangeDirection::Down),
            ("0", "40", "件", "40", "件", None, ChangeDirection::Up),
            ("40", "48", "%", "8", "ポイント", None, ChangeDirection::Up),
        ] {
            let change = previous(&changed(&target, before, now, unit, Direction::HigherIsBetter)).change;
            assert_eq!(change.absolute, Some(number(absolute)), "{before} to {now} {unit}");
            assert_eq!(change.unit.as_deref(), Some(of));
            assert_eq!(change.relative, relative.map(number), "{before} to {now} {unit}");
            assert_eq!(change.direction, Some(direction), "{before} to {now} {unit}");
        }
    }

    #[test]
    fn a_change_is_favourable_by_the_direction_of_the_indicator() {
        use ChangeReason::{DirectionUnknown, NoChange};
        use Direction::{HigherIsBetter, LowerIsBetter, TargetIsBest, Unknown};
        let target = target(Comparator::Eq, "50");
        for (direction, before, now, expected) in [
            (HigherIsBetter, "40", "48", Ok(true)),
            (HigherIsBetter, "48", "40", Ok(false)),
            (HigherIsBetter, "40", "40", Err(NoChange)),
            (LowerIsBetter, "40", "48", Ok(false)),
            (LowerIsBetter, "48", "0", Ok(true)),
            (LowerIsBetter, "0", "0", Err(NoChange)),
            (TargetIsBest, "40", "48", Ok(true)),
            (TargetIsBest, "48", "53", Ok(false)),
            (TargetIsBest, "60", "50", Ok(true)),
            (TargetIsBest, "48", "52", Err(NoChange)),
            (Unknown, "40", "48", Err(DirectionUnknown)),
            (Unknown, "40", "40", Err(NoChange)),
        ] {
            let change = previous(&changed(&target, before, now, "件", direction)).change;
            assert_eq!(change.favourable, expected.ok(), "{before} to {now}, {direction}");
            assert_eq!(change.reason, expected.err(), "{before} to {now}, {direction}");
        }
    }

    #[test]
    fn nearer_to_a_target_that_is_no_number_cannot_be_said() {
        let words = Target {
            comparator: Comparator::Qualitative,
            ..Target::default()
        };
        let unknown = Target {
            reference: Reference {
                kind: ReferenceKind::FiscalYear,
                fiscal_year: Some(year(2019)),
                value: None,
                ..Reference::default()
            },
            ..target_on_previous(Comparator::Maintain)
        };
        for target in [words, unknown, target_on_previous(Comparator::Increase)] {
            let change = previous(&changed(&target, "40", "48", "件", Direction::TargetIsBest)).change;
            assert_eq!(change.reason, Some(ChangeReason::NoTarget), "{target:?}");
        }
    }

    #[test]
    fn nearer_to_a_range_or_to_a_reference_that_is_changed_is_better() {
        use ChangeReason::NoChange;
        let range = Target {
            upper: Some(number("2400")),
            ..target(Comparator::Between, "2000")
        };
        let relative = |comparator, by: Option<&str>, of| Target {
            value: by.map(number),
            reference: Reference {
                kind: ReferenceKind::Constant,
                fiscal_year: None,
                value: Some(number(of)),
                ..Reference::default()
            },
            ..target_on_previous(comparator)
        };
        let more_by_5 = relative(Comparator::IncreaseBy, Some("5"), "100");
        let less_by_5 = relative(Comparator::DecreaseBy, Some("5"), "100");
        let as_before = relative(Comparator::Maintain, None, "100");
        for (target, before, now, expected) in [
            (&range, "2300", "1990", Ok(false)),
            (&range, "2500", "2400", Ok(true)),
            (&range, "1900", "2500", Err(NoChange)),
            (&range, "2000", "2400", Err(NoChange)),
            (&more_by_5, "90", "104", Ok(true)),
            (&more_by_5, "104", "107", Ok(false)),
            (&more_by_5, "104", "106", Err(NoChange)),
            (&less_by_5, "90", "94", Ok(true)),
            (&as_before, "90", "104", Ok(true)),
            (&as_before, "100", "104", Ok(false)),
        ] {
            let change = previous(&changed(target, before, now, "件", Direction::TargetIsBest)).change;
            assert_eq!(change.favourable, expected.ok(), "{before} to {now}, {target:?}");
            assert_eq!(change.reason, expected.err(), "{before} to {now}, {target:?}");
        }
    }

    #[test]
    fn what_is_stated_here_comes_before_what_was_recorded_and_both_are_shown() {
        let target = target(Comparator::Gte, "50");
        let facts = Facts {
            stated_previous_value: Some(number("0")),
            ..reported("48")
        };
        let it = previous(&Case {
            result: Some(facts),
            recorded_previous: Some(number("40")),
            ..case(&target)
        });
        assert_eq!((it.stated, it.recorded), (Some(number("0")), Some(number("40"))));
        assert_eq!(it.change.absolute, Some(number("48")));
    }

    #[test]
    fn without_both_values_there_is_no_change() {
        let target = target(Comparator::Gte, "50");
        let no_value = Case {
            recorded_previous: Some(number("40")),
            ..case(&target)
        };
        let no_previous = case_of(&target, "48");
        for (case, reason) in [
            (no_value, ChangeReason::NoValue),
            (no_previous, ChangeReason::NoPrevious),
        ] {
            let change = previous(&case).change;
            assert_eq!(change.reason, Some(reason));
            assert_eq!((change.absolute, change.relative, change.direction), (None, None, None));
        }
    }

    #[test]
    fn a_sum_is_never_set_against_the_year_before() {
        let target = target(Comparator::Gte, "50");
        let facts = Facts {
            cumulative_value: Some(number("10488")),
            ..Facts::default()
        };
        let case = Case {
            result: Some(facts),
            recorded_previous: Some(number("40")),
            ..case(&target)
        };
        assert_eq!(previous(&case).change.reason, Some(ChangeReason::NoValue));
    }

    #[test]
    fn a_change_between_years_that_are_not_comparable_is_neither_good_nor_bad() {
        let target = target(Comparator::Gte, "50");
        let change = previous(&Case {
            comparable_with_previous: Some(false),
            comparable_reason: Some("調査対象を変更したため"),
            ..changed(&target, "40", "48", "%", Direction::HigherIsBetter)
        })
        .change;
        assert_eq!(change.absolute, Some(number("8")));
        assert_eq!((change.favourable, change.comparable), (None, Some(false)));
        assert_eq!(change.reason, Some(ChangeReason::NotComparable));
        assert_eq!(change.note.as_deref(), Some("調査対象を変更したため"));
    }

    proptest! {
        #[test]
        fn either_a_change_is_judged_or_there_is_a_reason(owned in any_case()) {
            let change = previous(&owned.case()).change;
            prop_assert_ne!(change.favourable.is_some(), change.reason.is_some());
        }
    }
}
