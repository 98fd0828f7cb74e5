//! Comparing one number with what a target asks: exact, unrounded, inclusive only where the words are.

use rust_decimal::Decimal as Number;

use super::{
    evaluation::{Case, Reason},
    kinds::Direction,
    quantity::{ratio, rounded},
    target::{Comparator, PeriodKind, ReferenceKind, Target},
};
use crate::{text_enum, value::Decimal};

text_enum! {
    /// Which number of a result was compared with the target.
    pub enum ComparedField in "compared_field" {
        /// The result of the fiscal year.
        Value = "value" ("単年度の実績", "the fiscal year's value"),
        /// The sum since the period began.
        CumulativeValue = "cumulative_value" ("累計", "the cumulative value"),
    }
}

text_enum! {
    /// Where the number of a reference comes from.
    pub enum ReferenceSource in "reference_source" {
        /// This policy printed the previous year's result beside its own.
        Stated = "stated" ("この運営方針に記載の前年度実績", "the previous-year result stated here"),
        /// The result recorded for that fiscal year, found through the indicator's series.
        Recorded = "recorded" ("記録された実績", "the recorded result"),
        /// The target printed that fiscal year's result.
        Printed = "printed" ("目標に記載の実績", "the result printed with the target"),
        /// The target states the number itself.
        Constant = "constant" ("基準値", "the constant"),
    }
}

text_enum! {
    /// Why there is no attainment.
    pub enum AttainmentReason in "attainment_reason" {
        /// There is no number to compare.
        NoValue = "no_value" ("実績の数値なし", "no value"),
        /// Only targets of the kind "at least a number" or "more than a number" have an attainment.
        OtherComparator = "other_comparator" ("達成度を計算しない目標", "another kind of target"),
        /// The value or the target is 0 or less.
        NotPositive = "not_positive" ("0以下の数値", "not positive"),
        /// It would need more than 15 significant digits.
        TooLarge = "too_large" ("桁数超過", "too large"),
    }
}

/// What a value has to pass, once the reference is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    AtLeast(Number),
    Above(Number),
    AtMost(Number),
    Below(Number),
    Exactly(Number),
    Within(Number, Number),
}

impl Bar {
    /// The bar a target sets; or why it sets none.
    pub(super) fn of(target: &Target, reference: Option<Decimal>, direction: Direction) -> Result<Self, Reason> {
        let stated = target.value.map(|v| v.0).ok_or(Reason::NoTarget);
        let upper = target.upper.map(|v| v.0).ok_or(Reason::NoTarget);
        let reference = reference.map(|v| v.0).ok_or(match target.reference.kind {
            ReferenceKind::None => Reason::NoTarget,
            _ => Reason::ReferenceMissing,
        });
        let threshold = stated.or(reference);

        // Sums are safe: two numbers of 15 digits fit many times into the 28 of a decimal.
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
            Comparator::Maintain => match direction {
                Direction::HigherIsBetter => Self::AtLeast(reference?),
                Direction::LowerIsBetter => Self::AtMost(reference?),
                Direction::TargetIsBest | Direction::Unknown => Self::Exactly(reference?),
            },
            Comparator::Qualitative => return Err(Reason::Qualitative),
            Comparator::Undecided => return Err(Reason::NoTarget),
        })
    }

    /// How far a value is beyond the bar; negative when it falls short.
    pub(super) fn gap(self, value: Number) -> Number {
        match self {
            Self::AtLeast(bar) | Self::Above(bar) => value - bar,
            Self::AtMost(bar) | Self::Below(bar) => bar - value,
            Self::Exactly(bar) => (value - bar).min(bar - value),
            Self::Within(low, high) => (value - low).min(high - value),
        }
    }

    /// Whether a value passes. Standing on the bar passes unless the words say more or less than it.
    pub(super) fn met_by(self, value: Number) -> bool {
        match self {
            Self::Above(_) | Self::Below(_) => self.gap(value) > Number::ZERO,
            _ => self.gap(value) >= Number::ZERO,
        }
    }

    /// Whether rounding the value would turn the answer.
    pub(super) fn turned_by_rounding(self, value: Number, decimals: Option<u32>) -> bool {
        decimals.is_some_and(|places| self.met_by(value) != self.met_by(rounded(value, places)))
    }

    /// The one number to pass, if it is one.
    pub(super) fn threshold(self) -> Option<Number> {
        match self {
            Self::AtLeast(bar) | Self::Above(bar) | Self::AtMost(bar) | Self::Below(bar) | Self::Exactly(bar) => {
                Some(bar)
            }
            Self::Within(..) => None,
        }
    }
}

/// The number a relative target refers to, and where it comes from.
pub(super) fn reference(case: &Case<'_>) -> Option<(Decimal, ReferenceSource)> {
    let reference = case.target.reference;
    let stated = case.result.and_then(|facts| facts.stated_previous_value);
    let comparable = case.comparable_with_previous != Some(false);
    let from = |value: Option<Decimal>, source| value.map(|value| (value, source));
    match reference.kind {
        ReferenceKind::None => None,
        ReferenceKind::Constant => from(reference.value, ReferenceSource::Constant),
        ReferenceKind::FiscalYear => {
            from(reference.value, ReferenceSource::Printed).or(from(case.recorded_reference, ReferenceSource::Recorded))
        }
        // What the policy printed is what the target was meant against, whatever was recorded since.
        ReferenceKind::PreviousYear => from(stated, ReferenceSource::Stated).or(from(
            case.recorded_previous.filter(|_| comparable),
            ReferenceSource::Recorded,
        )),
    }
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
            // In its first year a sum is that year's own value.
            .or(value.filter(|_| period.from == Some(case.fiscal_year))),
        PeriodKind::SingleYear | PeriodKind::ByEndOf => value,
    }
}

/// The value as a part of the target; or why there is no such thing.
pub(super) fn attainment(target: &Target, compared: Option<Decimal>) -> Result<Decimal, AttainmentReason> {
    let (Comparator::Gte | Comparator::Gt, Some(asked)) = (target.comparator, target.value) else {
        return Err(AttainmentReason::OtherComparator);
    };
    let reached = compared.ok_or(AttainmentReason::NoValue)?;
    if reached <= Decimal::ZERO || asked <= Decimal::ZERO {
        return Err(AttainmentReason::NotPositive);
    }
    ratio(reached.0, asked.0).ok_or(AttainmentReason::TooLarge)
}
