//! Findings: published values that do not fit together. A finding is shown; it repairs nothing.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    evaluation::{rating::Ratings, wording::year},
    kinds::{BudgetKind, Rating},
    quantity::{quantity, rounded},
    succession::{BreakKind, Terms, breaks},
};
use crate::{
    text_enum,
    value::{Codes as _, Decimal, FiscalYear, Yen, language::Bilingual},
};

mod checks;
mod parts;
mod targets;
#[cfg(test)]
mod tests;

use checks::{count_with_decimals, negative_count, percent_beyond_100};
use parts::{ratio_differs, sample_below_denominator, text_differs};
use targets::{target_already_met, target_lowered, target_unread};

pub use parts::{Parts, printed_otherwise};

text_enum! {
    /// What does not fit.
    pub enum FindingKind in "finding_kind" {
        /// The previous year's result as printed here is not what last year's policy has on record.
        PreviousValueDiffers = "previous_value_differs" ("前年度実績の相違", "previous value differs"),
        /// The organization's rating is not the one the rule gives.
        RatingDiffers = "rating_differs" ("達成状況の相違", "rating differs"),
        /// The name is another than last year's.
        Reworded = "reworded" ("名称の変更", "reworded"),
        /// The unit is another than last year's.
        UnitChanged = "unit_changed" ("単位の変更", "unit changed"),
        /// Who or what is counted is another than last year's.
        PopulationChanged = "population_changed" ("対象の変更", "population changed"),
        /// The previous year's result meets the target already.
        TargetAlreadyMet = "target_already_met" ("設定時に達成済みの目標", "target already met"),
        /// The target asks for less than last year's.
        TargetLowered = "target_lowered" ("目標の引下げ", "target lowered"),
        /// Last year's indicator was rated B, and this year's policy goes on without it.
        DroppedAfterB = "dropped_after_b" ("未達成後の廃止", "dropped after a B"),
        /// The text of the target was not understood whole: somebody who knows has to say what it means.
        TargetUnread = "target_unread" ("目標未読取", "target unread"),
        /// A share is less than 0 % or more than 100 %: to be checked.
        PercentBeyond100 = "percent_beyond_100" ("0〜100%を外れた割合", "share beyond 0 to 100 %"),
        /// What is counted in wholes has decimals: to be checked.
        CountWithDecimals = "count_with_decimals" ("小数のある件数", "count with decimals"),
        /// Fewer than none were counted: to be checked.
        NegativeCount = "negative_count" ("負の件数", "negative count"),
        /// A share is not 100 × its numerator / its denominator.
        RatioDiffers = "ratio_differs" ("分子÷分母との相違", "ratio differs"),
        /// Fewer were asked or counted than the denominator says.
        SampleBelowDenominator = "sample_below_denominator" ("分母より小さい標本数", "sample below denominator"),
        /// A value is not the number in its own printed text.
        TextDiffers = "text_differs" ("原文との相違", "text differs"),
        /// A budget figure is not the one that last year's policy has for the same goal, fiscal year and kind.
        BudgetDiffers = "budget_differs" ("金額の相違", "budget differs"),
    }
}

text_enum! {
    /// Which member of a resource a value is from.
    pub enum FindingField in "finding_field" {
        /// The name of an indicator.
        Name = "name" ("名称", "name"),
        /// The unit of an indicator.
        Unit = "unit" ("単位", "unit"),
        /// Who or what an indicator counts.
        Population = "population" ("対象", "population"),
        /// The value of an indicator's target.
        TargetValue = "target_value" ("目標値", "target value"),
        /// The value of a result.
        Value = "value" ("実績値", "result"),
        /// The numerator of a result over its denominator.
        Ratio = "ratio" ("分子÷分母", "numerator over denominator"),
        /// The denominator of a result.
        Denominator = "denominator" ("分母", "denominator"),
        /// How many were asked or counted for a result.
        SampleSize = "sample_size" ("標本数", "sample size"),
        /// A result as printed.
        Text = "text" ("実績（原文）", "result as printed"),
        /// The previous year's result as printed beside a result.
        StatedPreviousValue = "stated_previous_value" ("前年度実績（記載）", "stated previous value"),
        /// The organization's rating.
        DeclaredRating = "declared_rating" ("達成状況（所属）", "declared rating"),
        /// The rating the rule gives.
        ComputedRating = "computed_rating" ("達成状況（計算）", "computed rating"),
        /// The official rating.
        OfficialRating = "official_rating" ("達成状況", "official rating"),
        /// The series an indicator belongs to.
        SeriesId = "series_id" ("系列", "series"),
        /// The amount of a budget figure.
        AmountYen = "amount_yen" ("金額", "amount"),
        /// None: the rule itself sets the value.
        Rule = "rule" ("規則", "the rule"),
    }
}

/// One of the two values that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingValue {
    /// Which member it is.
    pub field: FindingField,
    /// The value as people read it; null where there is none.
    #[schema(required = true, max_length = 1000, example = "57%")]
    pub text: Option<String>,
    /// The value as a number, if it is one; amounts are in yen.
    #[schema(required = true)]
    pub value: Option<Decimal>,
}

/// Two values that do not fit, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The kind of misfit.
    pub kind: FindingKind,
    /// The value found.
    pub found: FindingValue,
    /// The value that `found` does not fit.
    pub against: FindingValue,
    /// Whether `against` is of the policy before; else it is of this policy, or the rule's.
    pub is_earlier: bool,
    /// The misfit as a sentence.
    pub sentence: Bilingual,
}

/// An indicator as one policy has it, with its result.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The indicator's terms.
    pub terms: Terms<'a>,
    /// The value of the fiscal year.
    pub value: Option<Decimal>,
    /// What the value was made from, and how it was printed.
    pub parts: Parts<'a>,
    /// The previous year's result as printed beside the value.
    pub stated_previous: Option<Decimal>,
    /// Declared, computed and official rating.
    pub ratings: Ratings,
}

/// The misfits of an indicator, by itself and beside the indicator it continues, in the order of the code list.
#[must_use]
pub fn misfits(now: &Seen<'_>, before: Option<&Seen<'_>>) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if let Some(before) = before {
        misfits.extend(previous_value_differs(now, before));
        misfits.extend(changed_terms(now, before));
        misfits.extend(target_already_met(now, before));
        misfits.extend(target_lowered(now, before));
    }
    misfits.extend(rating_differs(now));
    misfits.extend(target_unread(now));
    misfits.extend(percent_beyond_100(now));
    misfits.extend(count_with_decimals(now));
    misfits.extend(negative_count(now));
    misfits.extend(ratio_differs(now));
    misfits.extend(sample_below_denominator(now));
    misfits.extend(text_differs(now));
    misfits.sort_by_key(|misfit| misfit.kind);
    misfits
}

/// Compares to the printed decimal places: a record of 81.15 fits a printed 81.2.
fn previous_value_differs(now: &Seen<'_>, before: &Seen<'_>) -> Option<Misfit> {
    let (stated, recorded) = (now.stated_previous?, before.value?);
    if rounded(recorded.0, stated.0.scale()) == stated.0 {
        return None;
    }
    let (is, was) = (number(stated, now.terms.unit), number(recorded, before.terms.unit));
    let (this, last) = (year(now.terms.fiscal_year), year(before.terms.fiscal_year));
    let sentence = Bilingual::new(
        format!(
            "{}の運営方針にある前年度実績{}は、{}の実績{}と異なる。",
            this.ja, is.ja, last.ja, was.ja
        ),
        format!(
            "The {} policy states a previous result of {}; the {} record is {}.",
            this.en, is.en, last.en, was.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::PreviousValueDiffers,
        found: valued(FindingField::StatedPreviousValue, stated, now.terms.unit),
        against: valued(FindingField::Value, recorded, before.terms.unit),
        is_earlier: true,
        sentence,
    })
}

fn changed_terms(now: &Seen<'_>, before: &Seen<'_>) -> Vec<Misfit> {
    let found = breaks(now.terms, before.terms).into_iter().filter_map(|found| {
        let (kind, field) = match found.kind {
            BreakKind::Reworded => (FindingKind::Reworded, FindingField::Name),
            BreakKind::UnitChanged => (FindingKind::UnitChanged, FindingField::Unit),
            BreakKind::PopulationChanged => (FindingKind::PopulationChanged, FindingField::Population),
            _ => return None,
        };
        let (this, last) = (year(now.terms.fiscal_year), year(before.terms.fiscal_year));
        Some(Misfit {
            kind,
            found: FindingValue {
                field,
                text: found.after,
                value: None,
            },
            against: FindingValue {
                field,
                text: found.before,
                value: None,
            },
            is_earlier: true,
            sentence: Bilingual::new(
                format!("{}から{}にかけて、{}", last.ja, this.ja, found.sentence.ja),
                format!("From {} to {}: {}", last.en, this.en, found.sentence.en),
            ),
        })
    });
    found.collect()
}

fn rating_differs(now: &Seen<'_>) -> Option<Misfit> {
    let (declared, computed) = (now.ratings.declared?, now.ratings.computed?);
    if declared == computed {
        return None;
    }
    let this = year(now.terms.fiscal_year);
    let (said, ours) = (declared.label(), computed.label());
    let sentence = Bilingual::new(
        format!(
            "{}の達成状況は{declared}（{}）とされているが、計算では{computed}（{}）になる。",
            this.ja, said.ja, ours.ja
        ),
        format!(
            "{} is declared {declared} ({}); by the rule it is {computed} ({}).",
            this.en, said.en, ours.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::RatingDiffers,
        found: rated(FindingField::DeclaredRating, declared),
        against: rated(FindingField::ComputedRating, computed),
        is_earlier: false,
        sentence,
    })
}

/// The misfit of a policy that drops an indicator rated B the year before.
#[must_use]
pub fn dropped_after_b(before: &Seen<'_>, next: FiscalYear) -> Option<Misfit> {
    let rating = before.ratings.official.filter(|rating| *rating == Rating::B)?;
    let (this, last) = (year(next), year(before.terms.fiscal_year));
    let sentence = Bilingual::new(
        format!(
            "{}に{rating}（未達成）だった指標を、{}の運営方針は引き継いでいない。",
            last.ja, this.ja
        ),
        format!(
            "The indicator was rated {rating} (not achieved) for {}; the {} policy does not go on with it.",
            last.en, this.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::DroppedAfterB,
        found: FindingValue {
            field: FindingField::SeriesId,
            text: None,
            value: None,
        },
        against: rated(FindingField::OfficialRating, rating),
        is_earlier: true,
        sentence,
    })
}

/// An amount a policy prints.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// Fiscal year of the policy.
    pub policy_year: FiscalYear,
    /// Fiscal year of the amount.
    pub fiscal_year: FiscalYear,
    /// The kind of budget figure.
    pub kind: BudgetKind,
    /// The amount.
    pub yen: Yen,
    /// The unit the amount is rounded to, in yen.
    pub precision: i64,
}

/// Two amounts of one goal, fiscal year and kind, printed a year apart, differ. Amounts of different precisions differ
/// only if they are apart by the coarser one.
#[must_use]
pub fn budget_differs(now: &Amount, before: &Amount) -> Option<Misfit> {
    let apart = now.yen.0.abs_diff(before.yen.0);
    let coarser = now.precision.max(before.precision).unsigned_abs();
    let differs = if now.precision == before.precision {
        apart > 0
    } else {
        apart >= coarser
    };
    if !differs {
        return None;
    }
    let yen = |amount: &Amount| Decimal(amount.yen.0.into());
    let (is, was) = (number(yen(now), Some("円")), number(yen(before), Some("円")));
    let (this, last, of) = (year(now.policy_year), year(before.policy_year), year(now.fiscal_year));
    let kind = now.kind.label();
    let sentence = Bilingual::new(
        format!(
            "{}の{}が、{}の運営方針では{}、{}の運営方針では{}である。",
            of.ja, kind.ja, this.ja, is.ja, last.ja, was.ja
        ),
        format!(
            "The {} {} is {} in the {} policy and {} in the {} policy.",
            of.en, kind.en, is.en, this.en, was.en, last.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::BudgetDiffers,
        found: valued(FindingField::AmountYen, yen(now), Some("円")),
        against: valued(FindingField::AmountYen, yen(before), Some("円")),
        is_earlier: true,
        sentence,
    })
}

fn number(value: Decimal, unit: Option<&str>) -> Bilingual {
    quantity(value.0, unit)
}

fn valued(field: FindingField, value: Decimal, unit: Option<&str>) -> FindingValue {
    FindingValue {
        field,
        text: Some(number(value, unit).ja),
        value: Some(value),
    }
}

fn rated(field: FindingField, rating: Rating) -> FindingValue {
    FindingValue {
        field,
        text: Some(rating.code().to_owned()),
        value: None,
    }
}
