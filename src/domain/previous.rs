//! This year's result beside last year's: what was stated, what was recorded, and how it changed.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    evaluation::Case,
    kinds::Direction,
    quantity::{carried, is_percent, ratio, unit_of_difference},
};
use crate::{text_enum, value::Decimal};

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
        /// Nothing changed; or, where the target is the best value, both years are as near to it.
        NoChange = "no_change" ("変化なし", "no change"),
        /// Nobody has said which way is better.
        DirectionUnknown = "direction_unknown" ("良い方向が不明", "direction unknown"),
        /// The target is the best value, and it is not a number.
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
    pub change: Change,
}

/// The change of a value (never the cumulative one) since the year before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
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
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "up")]
    pub direction: Option<ChangeDirection>,
    /// Whether it went the better way; null when nobody can say, see `reason`.
    #[schema(required = true)]
    pub favourable: Option<bool>,
    /// Whether the organization says that the two years are comparable; null when it did not say.
    #[schema(required = true)]
    pub comparable: Option<bool>,
    /// Why `favourable` is null: `no_value`, `no_previous`, `not_comparable`, `no_change`, `direction_unknown` or
    /// `no_target`; null when it is not.
    #[schema(value_type = Option<String>, required = true, max_length = 40, example = "no_previous")]
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

fn change(case: &Case<'_>, previous: Option<Decimal>) -> Change {
    let value = case.result.and_then(|facts| facts.value);
    let both = value.zip(previous);
    let difference = both.map(|(value, previous)| value.0 - previous.0);
    let favourable = favourable(case, value, previous);
    Change {
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
            let best = case.target.value.ok_or(ChangeReason::NoTarget)?.0;
            let distance = (value.0 - best).abs();
            let distance_before = (previous.0 - best).abs();
            if distance == distance_before {
                return Err(ChangeReason::NoChange);
            }
            Ok(distance < distance_before)
        }
        Direction::Unknown => Err(ChangeReason::DirectionUnknown),
    }
}
