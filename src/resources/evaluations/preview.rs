//! Evaluations of targets and results that are not stored: for forms that people fill in, and for checking ours.

use actix_web::post;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::Judging;
use crate::{
    domain::{
        evaluation::{Case, Evaluation, evaluate},
        fiscal_year,
        kinds::Direction,
        target::Target,
    },
    error::{Result, Violation},
    http::{
        extract::Json,
        query::Query,
        respond::Answer,
        validation::{Known, Members, Rules, said},
    },
    resources::{
        indicators::{self, target_faults},
        results::{self, ResultInput},
    },
    value::{Date, Decimal, Line, Prose, today},
};

/// The preview's route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(preview_evaluation);
}

/// A target and a result to evaluate.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "unit": "%", "decimals": 1, "direction": "higher_is_better",
    "target": { "text": "81.2%以上", "comparator": "gte", "value": 81.2, "upper": null,
        "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
        "period": { "kind": "single_year", "from": null, "to": null } },
    "result": { "fiscal_year": 2024, "value": 81.15, "cumulative_value": null, "numerator": null, "denominator": null,
        "sample_size": null, "value_status": "reported", "observation_status": "final", "text": "81.2%", "comment": null,
        "measured_on": null, "declared_rating": "A", "stated_previous_value": 80.4, "stated_previous_text": "80.4%" }
}))]
pub struct EvaluationPreview {
    /// Unit as printed. Left out, it is read from the text of the target.
    pub unit: Option<Line<20>>,
    /// Decimal places the indicator is stated with. Left out, they are those of the target.
    #[schema(minimum = 0, maximum = 9, required = false)]
    pub decimals: u32,
    /// Which way is better. Left out, it follows from the target.
    #[schema(required = false)]
    pub direction: Direction,
    /// The target; its text is enough.
    pub target: Target,
    /// The result. Without a `fiscal_year` it is one of the fiscal year of today.
    pub result: ResultInput,
    /// Last year's own result.
    pub recorded_previous: Option<Decimal>,
    /// The result of the fiscal year the target refers to.
    pub recorded_reference: Option<Decimal>,
    /// Whether the year before is comparable.
    pub comparable_with_previous: Option<bool>,
    /// Why, or why not.
    pub comparable_reason: Option<Prose<1000>>,
    /// The last day on which the result is in time; 30 June after the fiscal year by default.
    pub due_on: Option<Date>,
}

impl Rules for EvaluationPreview {
    fn broken(&self) -> Vec<Violation> {
        let mut broken = target_faults(&self.target);
        broken.extend(
            self.result
                .broken()
                .into_iter()
                .map(|violation| violation.under("/result")),
        );
        broken
    }

    /// A preview is about the fiscal year of today, unless it says which.
    fn fill_in(body: &mut Members, known: &Known) -> Vec<Violation> {
        let result = body.get_mut("result").and_then(Value::as_object_mut);
        let year = fiscal_year::containing(known.today);
        let year = result
            .as_deref()
            .and_then(|result| said(result, "fiscal_year"))
            .or(year);
        let missing = result
            .map(|result| results::defaults::fill_in(result, year))
            .unwrap_or_default();
        let missing = missing.into_iter().map(|violation| violation.under("/result"));
        missing
            .chain(indicators::defaults::fill_in_target(body, year, false))
            .collect()
    }

    fn read_only() -> Vec<String> {
        let of_result = ResultInput::read_only().into_iter();
        of_result.map(|member| format!("/result{member}")).collect()
    }
}

/// Evaluates a target and a result, and stores nothing.
///
/// For forms that people fill in, and for checking ours. The same rules as everywhere, with the same proof. The text of a target and a
/// value are enough: what was read and filled in is in `inputs`.
#[utoipa::path(tag = "evaluations", security((), ("token" = [])), params(Judging))]
#[post("/evaluations/preview")]
async fn preview_evaluation(
    Query(judging): Query<Judging>,
    Json(case, _): Json<EvaluationPreview>,
) -> Result<Answer<Evaluation>> {
    let year = case.result.fiscal_year;
    Ok(Answer(evaluate(&Case {
        fiscal_year: year,
        target: &case.target,
        unit: case.unit.as_ref().map(|unit| unit.0.as_str()),
        decimals: Some(case.decimals),
        direction: case.direction,
        result: Some(case.result.facts()),
        recorded_previous: case.recorded_previous,
        recorded_reference: case.recorded_reference,
        comparable_with_previous: case.comparable_with_previous,
        comparable_reason: case.comparable_reason.as_ref().map(|reason| reason.0.as_str()),
        due_on: case
            .due_on
            .map_or_else(|| fiscal_year::results_due_on(year), |due| due.0),
        on: judging.on.or(today()),
    })))
}
