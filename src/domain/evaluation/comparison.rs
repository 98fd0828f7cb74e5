//! Compares a number with a target: exact, unrounded, and inclusive only where the target's words are (以上, not 超).

use rust_decimal::Decimal as Number;

use super::outcome::Reason;
use crate::{
    domain::{
        kinds::Direction,
        quantity::ratio,
        target::{Comparator, ReferenceKind, Target},
    },
    text_enum,
    value::Decimal,
};

text_enum! {
    /// Why there is no attainment.
    pub enum AttainmentReason in "attainment_reason" {
        /// There is no number to compare.
        NoValue = "no_value" ("実績の数値なし", "no value"),
        /// Only targets of the kind "at least a number" or "more than a number" have an attainment.
        OtherComparator = "other_comparator" ("達成度を計算しない目標", "another kind of target"),
        /// The target is 0 or less, or the value less than 0.
        NotPositive = "not_positive" ("0以下の目標か負の数値", "not positive"),
        /// It would need more than 15 significant digits.
        TooLarge = "too_large" ("桁数超過", "too large"),
    }
}

/// The bar: the number or range that a value has to pass, the reference resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Bar {
    AtLeast(Number),
    Above(Number),
    AtMost(Number),
    Below(Number),
    Exactly(Number),
    Within(Number, Number),
}

impl Bar {
    /// The bar a target sets, or why the target sets none.
    pub(in crate::domain) fn of(
        target: &Target,
        reference: Option<Decimal>,
        direction: Direction,
    ) -> Result<Self, Reason> {
        let stated = target.value.map(|v| v.0).ok_or(Reason::NoTarget);
        let upper = target.upper.map(|v| v.0).ok_or(Reason::NoTarget);
        let reference = reference.map(|v| v.0).ok_or(match target.reference.kind {
            ReferenceKind::None => Reason::NoTarget,
            _ => Reason::ReferenceMissing,
        });
        let threshold = stated.or(reference);

        // Sums cannot overflow: the numbers have 15 digits, a decimal has 28.
        Ok(match target.comparator {
            Comparator::Gte => Self::AtLeast(threshold?),
            Comparator::Gt => Self::Above(threshold?),
            Comparator::Lte => Self::AtMost(threshold?),
            Comparator::Lt => Self::Below(threshold?),
            Comparator::Eq => Self::Exactly(threshold?),
            Comparator::Between => Self::Within(stated?, upper?),
            Comparator::Increase => Self::Above(reference?),
            Comparator::Decrease => Self::Below(reference?),
            Comparator::IncreaseBy => Self::AtLeast(reference? + stated?),
            Comparator::DecreaseBy => Self::AtMost(reference? - stated?),
            Comparator::IncreaseByPercent => Self::AtLeast(percentage(reference?, Number::ONE_HUNDRED + stated?)?),
            Comparator::DecreaseByPercent => Self::AtMost(percentage(reference?, Number::ONE_HUNDRED - stated?)?),
            Comparator::Maintain => match direction {
                Direction::HigherIsBetter => Self::AtLeast(reference?),
                Direction::LowerIsBetter => Self::AtMost(reference?),
                Direction::TargetIsBest | Direction::Unknown => Self::Exactly(reference?),
            },
            Comparator::Qualitative => return Err(Reason::Qualitative),
            Comparator::Undecided => return Err(Reason::NoTarget),
            Comparator::Unread => return Err(Reason::TargetUnread),
        })
    }

    /// How far a value is beyond the bar; negative when it falls short.
    pub(in crate::domain) fn gap(self, value: Number) -> Number {
        match self {
            Self::AtLeast(bar) | Self::Above(bar) => value - bar,
            Self::AtMost(bar) | Self::Below(bar) => bar - value,
            Self::Exactly(bar) => (value - bar).min(bar - value),
            Self::Within(low, high) => (value - low).min(high - value),
        }
    }

    /// Whether a value passes. One equal to the bar passes, except where the words say more or less than the number.
    pub(in crate::domain) fn met_by(self, value: Number) -> bool {
        match self {
            Self::Above(_) | Self::Below(_) => self.gap(value) > Number::ZERO,
            _ => self.gap(value) >= Number::ZERO,
        }
    }

    /// The most that a value may be; nothing where more is never too much.
    pub(super) fn most(self) -> Option<Number> {
        match self {
            Self::AtLeast(_) | Self::Above(_) => None,
            Self::AtMost(most) | Self::Below(most) | Self::Exactly(most) | Self::Within(_, most) => Some(most),
        }
    }

    /// How far a value is from the number or the range, on either side; 0 within the range.
    pub(super) fn distance(self, value: Number) -> Number {
        match self {
            Self::AtLeast(bar) | Self::Above(bar) | Self::AtMost(bar) | Self::Below(bar) | Self::Exactly(bar) => {
                (value - bar).abs()
            }
            Self::Within(low, high) => (low - value).max(value - high).max(Number::ZERO),
        }
    }

    /// The number to pass; nothing for a range.
    pub(in crate::domain) fn threshold(self) -> Option<Number> {
        match self {
            Self::AtLeast(bar) | Self::Above(bar) | Self::AtMost(bar) | Self::Below(bar) | Self::Exactly(bar) => {
                Some(bar)
            }
            Self::Within(..) => None,
        }
    }
}

/// So many percent of a reference. Of 0 they are 0, and of a negative number more of them are less: a change in percent of
/// either means nothing.
fn percentage(reference: Number, percent: Number) -> Result<Number, Reason> {
    if reference <= Number::ZERO {
        return Err(Reason::ReferenceMissing);
    }
    // Percentages have few digits (`Target::faults`), so that the product is exact.
    let product = reference.checked_mul(percent * Number::new(1, 2));
    Ok(product.ok_or(Reason::NoTarget)?.normalize())
}

/// The value as a part of the target (attainment), or the reason why there is none.
pub(super) fn attainment(target: &Target, compared: Option<Decimal>) -> Result<Decimal, AttainmentReason> {
    let (Comparator::Gte | Comparator::Gt, Some(asked)) = (target.comparator, target.value) else {
        return Err(AttainmentReason::OtherComparator);
    };
    let reached = compared.ok_or(AttainmentReason::NoValue)?;
    if reached < Decimal::ZERO || asked <= Decimal::ZERO {
        return Err(AttainmentReason::NotPositive);
    }
    ratio(reached.0, asked.0).ok_or(AttainmentReason::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixtures::{any_number, number, target, target_on_previous};

    fn met(target: &Target, reference: Option<&str>, direction: Direction, value: &str) -> bool {
        Bar::of(target, reference.map(number), direction).is_ok_and(|bar| bar.met_by(number(value).0))
    }

    fn gap(target: &Target, reference: Option<&str>, direction: Direction, value: &str) -> Option<Decimal> {
        let bar = Bar::of(target, reference.map(number), direction).ok()?;
        Some(Decimal(bar.gap(number(value).0)))
    }

    #[test]
    fn each_comparator_decides_below_at_and_above_its_threshold() {
        use Comparator::{Eq, Gt, Gte, Lt, Lte};
        for (comparator, below, at, above) in [
            (Gte, false, true, true),
            (Gt, false, false, true),
            (Lte, true, true, false),
            (Lt, true, false, false),
            (Eq, false, true, false),
        ] {
            for (threshold, values) in [
                ("81.2", ["81.1", "81.20", "81.3"]),
                ("0", ["-1", "0", "1"]),
                ("-5", ["-5.1", "-5", "-4.9"]),
            ] {
                let by_value = target(comparator, threshold);
                let by_reference = target_on_previous(comparator);
                for (value, expected) in values.into_iter().zip([below, at, above]) {
                    let direction = Direction::HigherIsBetter;
                    assert_eq!(
                        met(&by_value, None, direction, value),
                        expected,
                        "{value} {comparator} {threshold}"
                    );
                    assert_eq!(
                        met(&by_reference, Some(threshold), direction, value),
                        expected,
                        "{value} {comparator} last year's {threshold}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_range_includes_both_its_ends() {
        let range = Target {
            upper: Some(number("60")),
            ..target(Comparator::Between, "40")
        };
        for (value, expected, distance) in [
            ("39.9", false, "-0.1"),
            ("40", true, "0"),
            ("45", true, "5"),
            ("60", true, "0"),
            ("60.1", false, "-0.1"),
        ] {
            assert_eq!(met(&range, None, Direction::Unknown, value), expected, "{value}");
            assert_eq!(
                gap(&range, None, Direction::Unknown, value),
                Some(number(distance)),
                "{value}"
            );
        }
    }

    #[test]
    fn an_increase_is_more_and_a_decrease_less_than_the_reference() {
        for (comparator, below, at, above) in [
            (Comparator::Increase, false, false, true),
            (Comparator::Decrease, true, false, false),
        ] {
            for (reference, values) in [("80", ["79", "80", "81"]), ("0", ["-1", "0", "1"])] {
                for (value, expected) in values.into_iter().zip([below, at, above]) {
                    let target = target_on_previous(comparator);
                    assert_eq!(
                        met(&target, Some(reference), Direction::Unknown, value),
                        expected,
                        "{value} {comparator} {reference}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_increase_or_decrease_by_a_difference_includes_the_difference_itself() {
        for (comparator, by, value, expected) in [
            (Comparator::IncreaseBy, "2", "81.9", false),
            (Comparator::IncreaseBy, "2", "82", true),
            (Comparator::IncreaseBy, "2", "82.1", true),
            (Comparator::IncreaseBy, "0", "80", true),
            (Comparator::DecreaseBy, "2", "78.1", false),
            (Comparator::DecreaseBy, "2", "78", true),
            (Comparator::DecreaseBy, "2", "77.9", true),
            (Comparator::DecreaseBy, "0", "80", true),
        ] {
            let target = Target {
                value: Some(number(by)),
                ..target_on_previous(comparator)
            };
            assert_eq!(
                met(&target, Some("80"), Direction::Unknown, value),
                expected,
                "{value} {comparator} {by}"
            );
        }
    }

    #[test]
    fn a_change_in_percent_of_the_reference_includes_the_percentage_itself() {
        use Comparator::{DecreaseByPercent, IncreaseByPercent};
        for (comparator, by, of, value, expected) in [
            (IncreaseByPercent, "5", "200", "209.9", false),
            (IncreaseByPercent, "5", "200", "210", true),
            (IncreaseByPercent, "0", "200", "200", true),
            (IncreaseByPercent, "0", "200", "199.9", false),
            (IncreaseByPercent, "2.5", "80.5", "82.5125", true),
            (IncreaseByPercent, "2.5", "80.5", "82.5124", false),
            (IncreaseByPercent, "100", "3", "6", true),
            (DecreaseByPercent, "5", "200", "190.1", false),
            (DecreaseByPercent, "5", "200", "190", true),
            (DecreaseByPercent, "0", "200", "200", true),
            (DecreaseByPercent, "100", "200", "0", true),
            (DecreaseByPercent, "100", "200", "0.1", false),
        ] {
            let target = Target {
                value: Some(number(by)),
                ..target_on_previous(comparator)
            };
            assert_eq!(
                met(&target, Some(of), Direction::Unknown, value),
                expected,
                "{value} {comparator} {by} of {of}"
            );
        }
    }

    #[test]
    fn to_maintain_is_to_be_no_worse_by_the_direction() {
        for (direction, below, at, above) in [
            (Direction::HigherIsBetter, false, true, true),
            (Direction::LowerIsBetter, true, true, false),
            (Direction::TargetIsBest, false, true, false),
            (Direction::Unknown, false, true, false),
        ] {
            for (value, expected) in [("79", below), ("80", at), ("81", above)] {
                let target = target_on_previous(Comparator::Maintain);
                assert_eq!(
                    met(&target, Some("80"), direction, value),
                    expected,
                    "{value} {direction}"
                );
            }
        }
    }

    #[test]
    fn a_gap_says_how_far_beyond_the_target_a_value_is() {
        for (comparator, value, expected) in [
            (Comparator::Gte, "81.0", "-0.2"),
            (Comparator::Gte, "81.5", "0.3"),
            (Comparator::Gt, "81.2", "0"),
            (Comparator::Lte, "81.0", "0.2"),
            (Comparator::Lte, "81.5", "-0.3"),
            (Comparator::Lt, "81.2", "0"),
            (Comparator::Eq, "81.0", "-0.2"),
            (Comparator::Eq, "81.5", "-0.3"),
            (Comparator::Eq, "81.2", "0"),
        ] {
            let target = target(comparator, "81.2");
            assert_eq!(
                gap(&target, None, Direction::Unknown, value),
                Some(number(expected)),
                "{value} {comparator}"
            );
        }
    }

    #[test]
    fn attainment_is_for_at_least_and_more_than_and_nothing_is_nothing() {
        use AttainmentReason::{NoValue, NotPositive, OtherComparator, TooLarge};
        for (comparator, asked, value, expected) in [
            (Comparator::Gte, "81.2", Some("81.0"), Ok("0.9975")),
            (Comparator::Gt, "80", Some("100"), Ok("1.25")),
            (Comparator::Gte, "3", Some("3"), Ok("1")),
            (Comparator::Gte, "60", Some("0"), Ok("0")),
            (Comparator::Gt, "60", Some("0.0"), Ok("0")),
            (Comparator::Gte, "60", Some("-1"), Err(NotPositive)),
            (Comparator::Gte, "0", Some("3"), Err(NotPositive)),
            (Comparator::Gte, "0", Some("0"), Err(NotPositive)),
            (Comparator::Gte, "-3", Some("-3"), Err(NotPositive)),
            (Comparator::Gte, "3", None, Err(NoValue)),
            (Comparator::Gte, "0.000000001", Some("999999999999999"), Err(TooLarge)),
            (Comparator::Lte, "3", Some("3"), Err(OtherComparator)),
            (Comparator::Eq, "3", Some("3"), Err(OtherComparator)),
        ] {
            assert_eq!(
                attainment(&target(comparator, asked), value.map(number)),
                expected.map(number),
                "{value:?} {comparator} {asked}"
            );
        }
        assert_eq!(
            attainment(&target_on_previous(Comparator::Gte), Some(number("3"))),
            Err(OtherComparator)
        );
    }

    fn bar(comparator: Comparator, threshold: Decimal) -> Bar {
        let target = Target {
            comparator,
            value: Some(threshold),
            ..Target::default()
        };
        Bar::of(&target, None, Direction::Unknown).unwrap_or_else(|reason| panic!("{reason}"))
    }

    proptest! {
        #[test]
        fn a_percentage_of_any_number_is_exact(of in any_number(), millionths in 0..=1_000_000_000_000_i64) {
            let target = Target {
                value: Some(Decimal(Number::new(millionths, 6))),
                ..target_on_previous(Comparator::IncreaseByPercent)
            };
            prop_assert_eq!(target.faults(), []);
            let expected = if of > Decimal::ZERO {
                let exact = of.0.mantissa() * (100_000_000 + i128::from(millionths));
                Ok(Some(Number::from_i128_with_scale(exact, of.0.scale() + 8)))
            } else {
                Err(Reason::ReferenceMissing)
            };
            prop_assert_eq!(Bar::of(&target, Some(of), Direction::Unknown).map(Bar::threshold), expected);
        }

        #[test]
        fn a_value_is_at_least_or_less_and_at_most_or_more_but_never_both(value in any_number(), threshold in any_number()) {
            let met = |comparator| bar(comparator, threshold).met_by(value.0);
            prop_assert_ne!(met(Comparator::Gte), met(Comparator::Lt));
            prop_assert_ne!(met(Comparator::Gt), met(Comparator::Lte));
            prop_assert_eq!(met(Comparator::Eq), met(Comparator::Gte) && met(Comparator::Lte));
        }

        #[test]
        fn the_sign_of_the_gap_is_the_answer(value in any_number(), threshold in any_number(), upper in any_number()) {
            use Comparator::{Eq, Gt, Gte, Lt, Lte};
            for comparator in [Gte, Gt, Lte, Lt, Eq] {
                let bar = bar(comparator, threshold);
                let gap = bar.gap(value.0);
                let strict = matches!(comparator, Gt | Lt);
                prop_assert_eq!(bar.met_by(value.0), gap > Number::ZERO || (gap == Number::ZERO && !strict));
            }
            let within = Bar::Within(threshold.0, upper.0);
            prop_assert_eq!(within.met_by(value.0), threshold <= value && value <= upper);
        }
    }
}
