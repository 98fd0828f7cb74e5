//! Evaluations: whether targets were met, as flat rows that other systems pull and as proofs that people check.

use actix_web::get;
use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{goals, policies};
use crate::{
    db::{Db, RevisionOf, Workload, find_by_id, schema as s},
    domain::{
        evaluation::{Evaluation, outcome::Outcome},
        kinds::{IndicatorKind, Rating},
        roll_up::RollUp,
        target::Target,
    },
    error::{Error, Result},
    http::{
        as_of::{AsOfParam, Since, only},
        extract::Path,
        pagination::{Page, Paging},
        query::{AnyOf, On, Query, SearchText, Years},
        respond::Answer,
    },
    query, text_enum,
    value::{Date, FiscalYear, GoalCode, Id, Line, OrganizationKey, Slug, TextBox, Time},
};

pub mod case;
mod changed;
mod order;
pub mod preview;
pub mod record;
pub mod result_change;
pub mod row;
pub mod summary;
pub mod summary_counts;

use case::{Judged, Subject, judge};
pub use order::EvaluationSort;
use row::EvaluationRow;

/// Routes under `/evaluations`, and the evaluations of single things.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_evaluations)
        .service(read_indicator_evaluation)
        .service(read_goal_evaluation)
        .service(read_policy_evaluation)
        .configure(summary::routes)
        .configure(preview::routes);
}

text_enum! {
    /// By what evaluations are counted.
    pub enum EvaluationGroup in "evaluation_group" {
        /// By organization.
        Organization = "organization" ("所属別", "by organization"),
        /// By the fiscal year of the evaluation.
        FiscalYear = "fiscal_year" ("年度別", "by fiscal year"),
        /// By goal.
        Goal = "goal" ("経営課題別", "by goal"),
    }
}

query! {
    /// Which evaluations to list or to count.
    pub struct EvaluationFilter {
        /// Only indicators of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only indicators of policies of these fiscal years.
        pub policy_year: Years,
        /// Only evaluations of these fiscal years.
        pub fiscal_year: Years,
        /// Only indicators of these goals.
        pub goal: AnyOf<Id>,
        /// Only indicators of these kinds.
        pub kind: AnyOf<IndicatorKind>,
        /// Only indicators in these units, as printed.
        pub unit: AnyOf<SearchText>,
        /// Only these indicators.
        pub indicator: AnyOf<Id>,
        /// Only indicators of these series.
        pub series: AnyOf<Id>,
        /// Only indicators whose name holds each of these words, as in the list of indicators.
        pub q: Option<SearchText>,
        /// Only evaluations with these outcomes.
        pub outcome: AnyOf<Outcome>,
        /// Only evaluations with these official ratings.
        pub rating: AnyOf<Rating>,
    }
}

query! {
    /// What changed since.
    pub struct EvaluationSince {
        /// Only rows that changed at this moment (RFC 3339) or later, by their `updated_at`: in their target, result, previous
        /// year's result, declared rating, or in anything else that a row shows or rests on; publishing is a change too, and
        /// so is that something which a row may have rested on was deleted or withdrawn. The latest `updated_at` seen is a safe next value.
        /// A row that is gone does not show here. Neither does that a day has passed: by `due_on`, and by the end of the
        /// fiscal year, rows turn by themselves.
        pub updated_since: Option<Time>,
    }
}

impl From<EvaluationSince> for Since {
    fn from(EvaluationSince { updated_since }: EvaluationSince) -> Self {
        Self { updated_since }
    }
}

query! {
    /// When to judge.
    pub struct Judging {
        /// The date to judge by: results not in by their due date are overdue after it. By default today in Japan, or
        /// the day of `as_of`.
        pub on: On,
    }
}

query! {
    /// When to judge, and which fiscal year.
    pub struct IndicatorJudging {
        /// The date to judge by: results not in by their due date are overdue after it. By default today in Japan, or
        /// the day of `as_of`.
        pub on: On,
        /// The fiscal year to judge; that of the policy by default.
        pub fiscal_year: Option<FiscalYear>,
    }
}

/// Some evaluations.
pub type EvaluationRowPage = Page<EvaluationRow>;

/// The evaluation of one indicator and fiscal year, with its proof.
#[derive(Debug, Serialize, ToSchema)]
pub struct IndicatorEvaluation {
    /// The indicator.
    pub indicator_id: Id,
    /// Name of the indicator.
    pub name: Line<500>,
    /// Its target.
    pub target: Target,
    /// The answer, and what it rests on.
    pub evaluation: Evaluation,
}

/// The evaluation of a goal: its indicators counted, then one by one.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoalEvaluation {
    /// The goal.
    pub goal_id: Id,
    /// Its code.
    pub code: GoalCode,
    /// Its title.
    pub title: Line<300>,
    /// Its indicators, counted by outcome.
    pub roll_up: RollUp,
    /// Its indicators, in the order of the form.
    #[schema(max_items = 10_000)]
    pub indicators: Vec<IndicatorEvaluation>,
}

/// The evaluation of a policy: what its organization says, and its indicators counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyEvaluation {
    /// The policy.
    pub policy_id: Id,
    /// Slug of the organization.
    pub organization: Slug,
    /// Fiscal year.
    pub fiscal_year: FiscalYear,
    /// The day by which results are due.
    pub results_due_on: Date,
    /// The day of the evaluation.
    pub on: Date,
    /// How the organization judges the year (自己評価).
    pub self_evaluation: Option<TextBox>,
    /// What it will do next (今後の方針).
    pub future_policy: Option<TextBox>,
    /// All indicators, counted by outcome.
    pub roll_up: RollUp,
    /// The goals, in the order of their codes.
    #[schema(max_items = 10_000)]
    pub goals: Vec<GoalEvaluation>,
}

/// Lists evaluations.
///
/// One row per indicator and fiscal year: that of its policy, and any other it has a result for. For systems that pull:
/// flat, in a stable order, with an ETag that follows the content and the day it was judged by. `sort` also gives the order
/// in which people look at them; a row without the figure comes last.
#[utoipa::path(tag = "evaluations", params(EvaluationFilter, Judging, AsOfParam, EvaluationSince, Paging<EvaluationSort>))]
#[get("/evaluations")]
async fn list_evaluations(
    db: Db,
    Query((filter, judging, past, since, paging)): Query<(
        EvaluationFilter,
        Judging,
        AsOfParam,
        EvaluationSince,
        Paging<EvaluationSort>,
    )>,
) -> Result<EvaluationRowPage> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    let broad = paging.include_total || !paging.is_usual() || since.updated_since.is_some() || filter.is_computed();
    db.at(moment)
        .workload(if broad { Workload::Scan } else { Workload::Point })
        .depends_on(&filter.organization.0)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            list(conn, &filter, &since.into(), on, &paging)
        })
        .await
}

/// Evaluates an indicator, with the proof in full.
///
/// Outcome, ratings, gap, previous year and an explanation in both languages, with exactly what was compared. 404 for a
/// fiscal year that is neither the policy's nor one with a result.
#[utoipa::path(tag = "evaluations", params(IndicatorJudging, AsOfParam))]
#[get("/indicators/{id}/evaluation")]
async fn read_indicator_evaluation(
    db: Db,
    Path(id): Path<Id>,
    Query((judging, past)): Query<(IndicatorJudging, AsOfParam)>,
) -> Result<Answer<IndicatorEvaluation>> {
    let moment = past.of(RevisionOf::Row("indicator", id));
    let (subject, today) = db.at(moment).row_and_day::<Subject>(id).await?;
    let on = judging.on.or(today);
    let year = judging.fiscal_year.unwrap_or(subject.indicator.policy_year);
    judge(vec![subject], &Years(vec![year]), on)
        .pop()
        .map(|judged| Answer(judged.proof()))
        .ok_or(Error::NotFound("evaluation"))
}

/// Evaluates a goal: its indicators counted, then one by one.
///
/// For the fiscal year of its policy. Counts first; values of different indicators are never averaged.
#[utoipa::path(tag = "evaluations", params(Judging, AsOfParam))]
#[get("/goals/{id}/evaluation")]
async fn read_goal_evaluation(
    db: Db,
    Path(id): Path<Id>,
    Query((judging, past)): Query<(Judging, AsOfParam)>,
) -> Result<Answer<GoalEvaluation>> {
    let moment = past.of(RevisionOf::Row("goal", id));
    db.at(moment)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            let goal: goals::Goal = find_by_id(conn.conn, id)?;
            let subjects = Subject::query().filter(s::indicators::goal_id.eq(id)).load(conn.conn)?;
            let judged = judge(subjects, &Years(vec![goal.policy_year]), on);
            Ok(Answer(of_goal(goal, judged)))
        })
        .await
}

/// Evaluates a policy: what its organization says, and its indicators counted.
///
/// For its fiscal year, goal by goal, beside the self-evaluation and the future policy.
#[utoipa::path(tag = "evaluations", params(Judging, AsOfParam))]
#[get("/policies/{organization}/{fiscal_year}/evaluation")]
async fn read_policy_evaluation(
    db: Db,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    Query((judging, past)): Query<(Judging, AsOfParam)>,
) -> Result<Answer<PolicyEvaluation>> {
    let moment = past.of(RevisionOf::Policy(key.0.clone(), key.1));
    db.at(moment)
        .depends_on([&key.0])
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            let policy = policies::find(conn, &key)?;
            let goals: Vec<goals::Goal> = goals::Goal::query()
                .filter(s::goals::policy_id.eq(policy.id))
                .order((s::goal_code_order(s::goals::code), s::goals::id))
                .load(conn.conn)?;
            let subjects = Subject::query()
                .filter(s::goals::policy_id.eq(policy.id))
                .load(conn.conn)?;
            let judged = judge(subjects, &Years(vec![policy.fiscal_year]), on);
            Ok(Answer(of_policy(policy, goals, judged, on)))
        })
        .await
}

fn list(
    conn: &mut PgConnection,
    filter: &EvaluationFilter,
    since: &Since,
    on: NaiveDate,
    paging: &Paging<EvaluationSort>,
) -> Result<EvaluationRowPage> {
    let total = paging.total(conn, |conn| {
        let mut total = 0;
        case::each(conn, filter, since, on, case::Walk::ALL, |_| {
            total += 1;
            Ok(true)
        })?;
        Ok(total)
    })?;
    let rows = order::page(conn, filter, since, on, paging)?;
    let page = paging.cut(rows, total, |(key, judged)| (key.clone(), judged.subject.indicator.id))?;
    Ok(page.map(|(_, judged)| judged.row(on)))
}

fn of_goal(goal: goals::Goal, mut judged: Vec<Judged>) -> GoalEvaluation {
    judged.sort_by_key(|judged| (judged.subject.indicator.position, judged.subject.indicator.id));
    GoalEvaluation {
        goal_id: goal.id,
        code: goal.code,
        title: goal.title,
        roll_up: judged.iter().map(Judged::verdict).collect(),
        indicators: judged.into_iter().map(Judged::proof).collect(),
    }
}

fn of_policy(
    policy: policies::Policy,
    goals: Vec<goals::Goal>,
    mut judged: Vec<Judged>,
    on: NaiveDate,
) -> PolicyEvaluation {
    let roll_up = judged.iter().map(Judged::verdict).collect();
    let mut of_goals = Vec::new();
    for goal in goals {
        let (own, others) = judged
            .into_iter()
            .partition(|judged| judged.subject.indicator.goal_id == goal.id);
        judged = others;
        of_goals.push(of_goal(goal, own));
    }
    PolicyEvaluation {
        policy_id: policy.id,
        organization: policy.organization,
        fiscal_year: policy.fiscal_year,
        results_due_on: policy.results_due_on,
        on: Date(on),
        self_evaluation: policy.self_evaluation,
        future_policy: policy.future_policy,
        roll_up,
        goals: of_goals,
    }
}

impl Judged {
    fn proof(self) -> IndicatorEvaluation {
        IndicatorEvaluation {
            indicator_id: self.subject.indicator.id,
            name: self.subject.indicator.name.clone(),
            evaluation: self.evaluation(),
            target: self.target,
        }
    }
}
