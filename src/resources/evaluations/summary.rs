//! Counts of evaluations.

use std::collections::BTreeMap;

use actix_web::get;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    EvaluationFilter, EvaluationGroup, Judging, case,
    summary_counts::{self, Tally},
};
use crate::{
    db::{Db, Read, Workload},
    domain::roll_up::RollUp,
    error::Result,
    http::{
        as_of::{AsOfParam, Since, only},
        pagination::{Continued, GroupPaging, Linked},
        query::{AnyOf, Query},
    },
    query,
    value::{Date, FiscalYear, GoalCode, Id, Slug},
};

/// The summary's route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(summarize_evaluations);
}

query! {
    /// How to count.
    pub struct EvaluationGrouping {
        /// By what to count; everything together where absent.
        pub group_by: AnyOf<EvaluationGroup>,
    }
}

/// A count, and of what; keys it is not grouped by are null.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationSummary {
    /// Slug of the organization.
    pub organization: Option<Slug>,
    /// Fiscal year of the evaluations.
    pub fiscal_year: Option<FiscalYear>,
    /// The goal.
    pub goal_id: Option<Id>,
    /// Code of the goal.
    pub goal_code: Option<GoalCode>,
    /// The counts.
    pub roll_up: RollUp,
}

/// Counts of evaluations.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationSummaries {
    /// The day of the evaluations.
    pub on: Date,
    /// One per group that has any evaluation, in the order of the group's keys.
    #[schema(max_items = 1000)]
    pub items: Vec<EvaluationSummary>,
    /// Pass it as `cursor` for the next page; null on the last one.
    #[schema(max_length = 2000)]
    pub next_cursor: Option<String>,
    /// How many groups there are in all; null without `include_total=true`.
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

impl Continued for EvaluationSummaries {
    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

/// Counts evaluations by outcome.
///
/// An indicator counts once for every fiscal year it is evaluated for: that of its policy, and any other it has a result
/// for; `fiscal_year` limits them. Values of different indicators are never averaged.
#[utoipa::path(
    tag = "evaluations",
    params(EvaluationFilter, EvaluationGrouping, Judging, AsOfParam, GroupPaging)
)]
#[get("/evaluations/summary")]
async fn summarize_evaluations(
    db: Db,
    Query((filter, grouping, judging, past, paging)): Query<(
        EvaluationFilter,
        EvaluationGrouping,
        Judging,
        AsOfParam,
        GroupPaging,
    )>,
) -> Result<Linked<EvaluationSummaries>> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let db = db.at(moment).depends_on(&filter.organization.0);
    // Public evaluations are counted beforehand; right after a migration or a restore the counts may be missing.
    if db.is_public() && !summary_counts::is_finer(&filter, &grouping.group_by) {
        let (filter, grouping, judging, paging) = (filter.clone(), grouping.clone(), judging.clone(), paging.clone());
        let counted = db.read(move |conn| {
            let on = judging.on.or(conn.today);
            let counted = summary_counts::counted(conn, &filter, &grouping.group_by, on)?;
            let summed = counted.map(|counted| summaries(on, &paging, add_up(counted, &grouping.group_by)));
            summed.transpose()
        });
        if let Some(counted) = counted.await? {
            return Ok(Linked(counted));
        }
    }
    db.workload(Workload::Scan)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            summaries(on, &paging, evaluate(conn, &filter, &grouping.group_by, on)?).map(Linked)
        })
        .await
}

/// What a group has in common.
type Key = (Option<Slug>, Option<FiscalYear>, Option<(Id, GoalCode)>);

type Groups = BTreeMap<Key, RollUp>;

/// Adds the stored counts up by group.
fn add_up(counted: Vec<Tally>, by: &AnyOf<EvaluationGroup>) -> Groups {
    let grouped = |group| by.0.contains(&group);
    let mut groups = Groups::new();
    for tally in counted {
        let organization = tally.organization.filter(|_| grouped(EvaluationGroup::Organization));
        let fiscal_year = grouped(EvaluationGroup::FiscalYear).then_some(tally.fiscal_year);
        let group = groups.entry((organization, fiscal_year, None)).or_default();
        group.add(tally.verdict, tally.count);
    }
    groups
}

/// Evaluates everything that matches, and counts it by group.
fn evaluate(
    conn: &mut Read<'_>,
    filter: &EvaluationFilter,
    by: &AnyOf<EvaluationGroup>,
    on: NaiveDate,
) -> Result<Groups> {
    let grouped = |group| by.0.contains(&group);
    let mut groups = Groups::new();
    case::each(conn, filter, &Since::default(), on, case::Walk::ALL, |judged| {
        let indicator = &judged.subject.indicator;
        let key = (
            grouped(EvaluationGroup::Organization).then(|| indicator.organization.clone()),
            grouped(EvaluationGroup::FiscalYear).then_some(judged.fiscal_year),
            grouped(EvaluationGroup::Goal).then(|| (indicator.goal_id, indicator.goal_code.clone())),
        );
        groups.entry(key).or_default().add(judged.verdict(), 1);
        Ok(true)
    })?;
    Ok(groups)
}

fn summaries(on: NaiveDate, paging: &GroupPaging, groups: Groups) -> Result<EvaluationSummaries> {
    let page = paging
        .cut_groups(groups)?
        .map(|((organization, fiscal_year, goal), roll_up)| {
            let (goal_id, goal_code) = goal.unzip();
            EvaluationSummary {
                organization,
                fiscal_year,
                goal_id,
                goal_code,
                roll_up,
            }
        });
    Ok(EvaluationSummaries {
        on: Date(on),
        items: page.items,
        next_cursor: page.next_cursor,
        total: page.total,
    })
}
