//! Transitions: indicators whose rating turned from one year to the next.

use actix_web::get;
use chrono::NaiveDate;
use diesel::PgConnection;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    evaluations::Judging,
    indicators::IndicatorFilter,
    series::pair::{self, Entry},
};
use crate::{
    db::{Db, Workload},
    domain::{
        evaluation::{outcome::Outcome, rating::Ratings},
        kinds::Rating,
        succession::{Break, breaks},
        target::Target,
    },
    error::{Error, Result},
    http::{
        as_of::{AsOfParam, only},
        pagination::{Page, Paging},
        query::{AnyOf, Query, Years},
    },
    query, text_enum,
    value::{Decimal, FiscalYear, GoalCode, Id, Line, OrganizationKey, Slug, language::Bilingual},
};

/// Routes under `/transitions`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_transitions);
}

text_enum! {
    /// How transitions are ordered.
    pub enum TransitionSort in "transition_sort" {
        /// In the order in which the later indicators were created.
        Indicator = "indicator" ("指標の登録順", "order of the indicators' creation"),
    }
}

query! {
    /// Which transitions to list.
    pub struct TransitionFilter {
        /// Only from these ratings; from any by default.
        pub from: AnyOf<Rating>,
        /// Only to these ratings; to any other by default.
        pub to: AnyOf<Rating>,
        /// Only indicators of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only turns into these fiscal years: the later of the two.
        pub fiscal_year: Years,
        /// Only indicators of these series.
        pub series: AnyOf<Id>,
    }
}

/// An indicator whose official rating turned between two consecutive fiscal years.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transition {
    /// Slug of the organization.
    pub organization: Slug,
    /// The series that links the two indicators.
    pub series_id: Id,
    /// The later of the two fiscal years.
    pub fiscal_year: FiscalYear,
    /// The year before.
    pub from: RatedYear,
    /// The year in which the rating is another.
    pub to: RatedYear,
    /// Whether the organization says that the two years are comparable; null where it did not say.
    pub comparable_with_previous: Option<bool>,
    /// What else changed: a rating that turned with its target or its wording is another matter.
    #[schema(max_items = 20)]
    pub breaks: Vec<Break>,
}

/// One year of a transition.
#[derive(Debug, Serialize, ToSchema)]
pub struct RatedYear {
    /// Fiscal year of the policy and the result.
    pub fiscal_year: FiscalYear,
    /// The indicator.
    pub indicator_id: Id,
    /// The goal.
    pub goal_id: Id,
    /// Code of the goal; codes do not chain across years.
    pub goal_code: GoalCode,
    /// Name of the indicator.
    pub name: Line<500>,
    /// Unit as printed.
    pub unit: Option<Line<20>>,
    /// The target.
    pub target: Target,
    /// The result's value.
    pub value: Option<Decimal>,
    /// The result's cumulative value.
    pub cumulative_value: Option<Decimal>,
    /// What became of the target.
    pub outcome: Outcome,
    /// The official rating.
    pub rating: Rating,
    /// Whose rating it is.
    pub ratings: Ratings,
    /// How far beyond the target, in `gap_unit`; less than 0 is short of it.
    pub gap: Option<Decimal>,
    /// The unit of the gap.
    #[schema(max_length = 100, example = "ポイント")]
    pub gap_unit: Option<String>,
    /// The evaluation in whole sentences.
    pub explanation: Bilingual,
}

/// Some transitions.
pub type TransitionPage = Page<Transition>;

/// Lists indicators whose rating turned.
///
/// Official ratings of consecutive fiscal years in the policies of one organization, linked by a series; `from=B&to=A` finds
/// those that improved. Years between which an indicator is missing, or of which one has no rating, are no transition.
#[utoipa::path(tag = "series", params(TransitionFilter, Judging, AsOfParam, Paging<TransitionSort>))]
#[get("/transitions")]
async fn list_transitions(
    db: Db,
    Query((filter, judging, past, paging)): Query<(TransitionFilter, Judging, AsOfParam, Paging<TransitionSort>)>,
) -> Result<TransitionPage> {
    let moment = past.of_any(only(&filter.organization, &filter.fiscal_year))?;
    db.at(moment)
        .workload(Workload::Scan)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            list(conn, &filter, on, &paging)
        })
        .await
}

fn list(
    conn: &mut PgConnection,
    filter: &TransitionFilter,
    on: NaiveDate,
    paging: &Paging<TransitionSort>,
) -> Result<TransitionPage> {
    let total = paging.total(conn, |conn| {
        let mut total = 0;
        each(conn, filter, on, None, |_| {
            total += 1;
            true
        })?;
        Ok(total)
    })?;
    let full = usize::try_from(paging.fetch()).map_err(Error::internal)?;
    let mut rows = Vec::new();
    let after = paging.after::<Id>()?.map(|(_, id)| id);
    each(conn, filter, on, after, |transition| {
        rows.push(transition);
        rows.len() < full
    })?;
    paging.cut(rows, total, |row| (json!(row.to.indicator_id), row.to.indicator_id))
}

/// Hands over transition after transition, by the later indicator, until `take` has had enough.
fn each(
    conn: &mut PgConnection,
    filter: &TransitionFilter,
    on: NaiveDate,
    after: Option<Id>,
    mut take: impl FnMut(Transition) -> bool,
) -> Result<()> {
    let wanted = IndicatorFilter {
        organization: filter.organization.clone(),
        fiscal_year: filter.fiscal_year.clone(),
        series: filter.series.clone(),
        ..IndicatorFilter::default()
    };
    pair::each_batch(conn, &wanted, on, after, |_, some| {
        for entry in some.entries.iter().filter(|entry| Some(entry.id()) > after) {
            let turned = some.before(entry).and_then(|before| turned(filter, before, entry));
            if turned.is_some_and(|transition| !take(transition)) {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn turned(filter: &TransitionFilter, before: &Entry, now: &Entry) -> Option<Transition> {
    let (from, to) = (before.judged.verdict().rating?, now.judged.verdict().rating?);
    let asked = |ratings: &AnyOf<Rating>, rating| ratings.some().is_none_or(|some| some.contains(&rating));
    let wanted = from != to && asked(&filter.from, from) && asked(&filter.to, to);
    wanted.then(|| Transition {
        organization: now.organization().clone(),
        series_id: now.indicator().series_id,
        fiscal_year: now.policy_year(),
        from: rated(before, from),
        to: rated(now, to),
        comparable_with_previous: now.indicator().comparable_with_previous,
        breaks: breaks(now.terms(), before.terms()),
    })
}

fn rated(entry: &Entry, rating: Rating) -> RatedYear {
    let (indicator, evaluation) = (entry.indicator(), entry.judged.evaluation());
    RatedYear {
        fiscal_year: entry.policy_year(),
        indicator_id: indicator.id,
        goal_id: indicator.goal_id,
        goal_code: indicator.goal_code.clone(),
        name: indicator.name.clone(),
        unit: indicator.unit.clone(),
        target: entry.judged.target.clone(),
        value: entry.value(),
        cumulative_value: entry
            .judged
            .result
            .as_ref()
            .and_then(|result| result.facts().cumulative_value),
        outcome: evaluation.outcome,
        rating,
        ratings: evaluation.ratings,
        gap: evaluation.gap,
        gap_unit: evaluation.gap_unit,
        explanation: evaluation.explanation,
    }
}
