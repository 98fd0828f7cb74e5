//! The answer of an evaluation, before the explanation is written.

use super::{
    comparison::Bar,
    outcome::{Outcome, Reason},
    rating::Ratings,
};
use crate::{
    domain::{kinds::ValueStatus, quantity::carried},
    text_enum,
    value::Decimal,
};

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
        /// Somebody gave the figure, which comes from outside the policy.
        External = "external" ("入力された外部の値", "the outside figure as given"),
    }
}

/// The answer, before the explanation is written.
pub(in crate::domain) struct Finding {
    pub(in crate::domain) status: ValueStatus,
    pub(in crate::domain) outcome: Outcome,
    pub(in crate::domain) reason: Option<Reason>,
    pub(in crate::domain) ratings: Ratings,
    /// The number that was compared; nothing unless there is a bar.
    pub(in crate::domain) compared: Option<(Decimal, ComparedField)>,
    pub(in crate::domain) reference: Option<(Decimal, ReferenceSource)>,
    pub(in crate::domain) bar: Result<Bar, Reason>,
    pub(in crate::domain) rounding_sensitive: bool,
}

impl Finding {
    /// How far the compared number is beyond the bar.
    pub(super) fn gap(&self) -> Option<Decimal> {
        let compared = self.bar.ok().zip(self.compared);
        compared.and_then(|(bar, (value, _))| carried(bar.gap(value.0)))
    }
}
