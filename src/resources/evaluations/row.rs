//! An evaluation as one flat row, for systems that pull.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::case::Judged;
use crate::{
    domain::{
        evaluation::{
            comparison::AttainmentReason,
            outcome::{Outcome, Reason},
        },
        kinds::{Direction, IndicatorKind, ObservationStatus, Rating, ValueStatus},
        target::Comparator,
    },
    resources::results::stored::Columns,
    value::{Date, Decimal, FiscalYear, GoalCode, Id, Line, Prose, Slug, Time, language::Bilingual},
};

/// Indicator, target, result, previous year, outcome and rating of one fiscal year, flat.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationRow {
    /// The indicator.
    pub indicator_id: Id,
    /// The same indicator over the years.
    pub series_id: Id,
    /// Slug of the organization.
    pub organization: Slug,
    /// Fiscal year of the policy.
    pub policy_year: FiscalYear,
    /// The goal.
    pub goal_id: Id,
    /// Code of the goal.
    pub goal_code: GoalCode,
    /// What sort of indicator it is.
    pub kind: IndicatorKind,
    /// Name of the indicator.
    #[schema(example = "地域活動協議会を知っている区民アンケート回答者の割合")]
    pub name: Line<500>,
    /// Unit as printed.
    #[schema(example = "%")]
    pub unit: Option<Line<20>>,
    /// Which way is better.
    pub direction: Direction,
    /// The target as printed.
    #[schema(example = "40%以上")]
    pub target_text: Option<Line<500>>,
    /// How the result is compared.
    pub comparator: Comparator,
    /// The target's value.
    pub target_value: Option<Decimal>,
    /// The target's upper bound.
    pub target_upper: Option<Decimal>,
    /// Fiscal year of the result.
    pub fiscal_year: FiscalYear,
    /// The result's value; null with the reason in `value_status`, never 0 for what is not known.
    pub value: Option<Decimal>,
    /// The result's cumulative value.
    pub cumulative_value: Option<Decimal>,
    /// What there is of the value.
    pub value_status: ValueStatus,
    /// How final the value is: `provisional`, `final` or `revised`; null without a result.
    pub observation_status: Option<ObservationStatus>,
    /// The result as printed.
    pub result_text: Option<Prose<2000>>,
    /// The previous year's result as printed beside this one.
    pub stated_previous_value: Option<Decimal>,
    /// The previous year's result of its own record.
    pub recorded_previous_value: Option<Decimal>,
    /// What became of the target.
    pub outcome: Outcome,
    /// Why, where the outcome does not say it; one of the code list `reason`.
    pub reason: Option<Reason>,
    /// The official rating: `A`, `B` or null.
    pub rating: Option<Rating>,
    /// The organization's rating.
    pub declared_rating: Option<Rating>,
    /// Our rating.
    pub computed_rating: Option<Rating>,
    /// Whether the two agree; null unless there are both.
    pub consistent: Option<bool>,
    /// Whether rounding the value would turn the answer.
    pub rounding_sensitive: bool,
    /// How far beyond the target, in `gap_unit`; less than 0 is short of it.
    pub gap: Option<Decimal>,
    /// The unit of the gap.
    #[schema(max_length = 100, example = "ポイント")]
    pub gap_unit: Option<String>,
    /// Value over target.
    pub attainment: Option<Decimal>,
    /// Why there is no attainment.
    pub attainment_reason: Option<AttainmentReason>,
    /// The last day on which the result is in time.
    pub due_on: Date,
    /// The day of the evaluation.
    pub on: Date,
    /// Name of the organization.
    #[schema(example = "西区")]
    pub organization_name: Line<100>,
    /// Title of the goal.
    #[schema(example = "地域コミュニティの活性化")]
    pub goal_title: Line<300>,
    /// Decimal places the indicator is stated with.
    #[schema(minimum = 0, maximum = 9, example = 0)]
    pub decimals: i32,
    /// The number to pass, in `unit`, with the reference resolved; null for `between`, which has two, and where it is not known.
    pub threshold: Option<Decimal>,
    /// The evaluation in whole sentences.
    pub explanation: Bilingual,
    /// When anything last changed that the row shows or rests on, but for the day: see `updated_since`.
    pub updated_at: Time,
}

impl Judged {
    /// The flat row.
    #[must_use]
    pub fn row(self, on: NaiveDate) -> EvaluationRow {
        let (evaluation, due_on) = (self.evaluation(), self.due_on());
        let (subject, target, result) = (&*self.subject, self.target, self.result);
        let indicator = &subject.indicator;
        let facts = result.as_ref().map(Columns::facts);
        EvaluationRow {
            indicator_id: indicator.id,
            series_id: indicator.series_id,
            organization: indicator.organization.clone(),
            policy_year: indicator.policy_year,
            goal_id: indicator.goal_id,
            goal_code: indicator.goal_code.clone(),
            kind: indicator.kind,
            name: indicator.name.clone(),
            unit: indicator.unit.clone(),
            direction: indicator.direction,
            target_text: target.text,
            comparator: target.comparator,
            target_value: target.value,
            target_upper: target.upper,
            fiscal_year: evaluation.fiscal_year,
            value: facts.as_ref().and_then(|facts| facts.value),
            cumulative_value: facts.as_ref().and_then(|facts| facts.cumulative_value),
            value_status: evaluation.value_status,
            observation_status: result.as_ref().map(Columns::observation_status),
            result_text: result.as_ref().and_then(|result| result.text().cloned()),
            stated_previous_value: evaluation.previous.stated,
            recorded_previous_value: evaluation.previous.recorded,
            outcome: evaluation.outcome,
            reason: evaluation.reason,
            rating: evaluation.rating,
            declared_rating: evaluation.ratings.declared,
            computed_rating: evaluation.ratings.computed,
            consistent: evaluation.ratings.consistent,
            rounding_sensitive: evaluation.rounding_sensitive,
            gap: evaluation.gap,
            gap_unit: evaluation.gap_unit,
            attainment: evaluation.attainment,
            attainment_reason: evaluation.attainment_reason,
            due_on: Date(due_on),
            on: Date(on),
            organization_name: subject.organization_name.clone(),
            goal_title: subject.goal_title.clone(),
            decimals: indicator.decimals,
            threshold: evaluation.inputs.threshold,
            explanation: evaluation.explanation,
            updated_at: self.updated_at,
        }
    }
}
