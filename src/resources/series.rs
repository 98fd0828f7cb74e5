//! Series: one indicator over the years, with its breaks.

use actix_web::get;
use chrono::NaiveDate;
use diesel::{PgConnection, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    evaluations::{
        Judging,
        case::{Subject, judge},
    },
    results::stored::Columns,
};
use crate::{
    db::{
        Db,
        schema::{indicators as i, policies as p},
    },
    domain::{
        evaluation::{
            outcome::{Outcome, Reason},
            previous::Previous,
            rating::Ratings,
        },
        kinds::{Direction, IndicatorKind, ObservationStatus, Rating, ValueStatus},
        succession::{Break, breaks},
        target::Target,
    },
    error::{Error, Result},
    http::{
        as_of::AsOfParam,
        extract::Path,
        query::{Query, Years},
        respond::Answer,
    },
    value::{Date, Decimal, FiscalYear, GoalCode, Id, Line, Prose, Slug, language::Bilingual},
};

pub mod list;
pub mod pair;

use pair::Entry;

/// Routes under `/series`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_series).configure(list::routes);
}

/// One indicator over the years.
#[derive(Debug, Serialize, ToSchema)]
pub struct Series {
    /// The series.
    pub series_id: Id,
    /// Its name in the latest policy.
    pub name: Line<500>,
    /// The day of the evaluations.
    pub on: Date,
    /// Its years, earliest first; two policies that say something of one fiscal year have an entry each.
    #[schema(max_items = 10_000)]
    pub years: Vec<SeriesYear>,
}

/// A series in one fiscal year: the indicator as its policy has it, what it came to, and what changed since the policy
/// before.
#[derive(Debug, Serialize, ToSchema)]
pub struct SeriesYear {
    /// The fiscal year of the result.
    pub fiscal_year: FiscalYear,
    /// Fiscal year of the policy; another one where a policy reports on a year that is not its own.
    pub policy_year: FiscalYear,
    /// Slug of the organization.
    pub organization: Slug,
    /// The policy.
    pub policy_id: Id,
    /// The goal.
    pub goal_id: Id,
    /// Code of the goal; codes do not chain across years.
    pub goal_code: GoalCode,
    /// The indicator.
    pub indicator_id: Id,
    /// What sort of indicator it is.
    pub kind: IndicatorKind,
    /// Name in this policy.
    pub name: Line<500>,
    /// Who or what is counted.
    pub population: Option<Line<300>>,
    /// Unit as printed.
    #[schema(example = "%")]
    pub unit: Option<Line<20>>,
    /// Decimal places the indicator is stated with.
    #[schema(minimum = 0, maximum = 9)]
    pub decimals: i32,
    /// Which way is better.
    pub direction: Direction,
    /// The target: as printed in `text`, and as it is compared.
    pub target: Target,
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
    /// What became of the target.
    pub outcome: Outcome,
    /// Why, where the outcome does not say it; one of the code list `reason`.
    pub reason: Option<Reason>,
    /// The official rating: `A`, `B` or null.
    pub rating: Option<Rating>,
    /// Whose rating it is.
    pub ratings: Ratings,
    /// The year before, as stated here and as recorded there, and the change since.
    pub previous: Previous,
    /// Whether the organization says that the year before is comparable; null where it did not say.
    pub comparable_with_previous: Option<bool>,
    /// Why, or why not.
    pub comparable_reason: Option<Prose<1000>>,
    /// The indicator this one is set beside for `breaks`: that of the latest earlier policy. Null for the first, where there
    /// are several in that policy's year, and where the fiscal year is not the policy's own.
    pub compared_with: Option<Id>,
    /// What changed since, in the order of the code list.
    #[schema(max_items = 20)]
    pub breaks: Vec<Break>,
    /// The evaluation in whole sentences.
    pub explanation: Bilingual,
}

/// Reads a series: one indicator over the years.
///
/// Targets, results, outcomes, wording and comparability per fiscal year, and every break by name: a series says that its
/// indicators are the same, not that their numbers can be compared. An indicator joins a series by `series_id` in a PATCH.
/// 404 where the caller sees no indicator in it. `as_of` takes a time here; a revision is one of a single policy.
#[utoipa::path(tag = "series", params(Judging, AsOfParam))]
#[get("/series/{series_id}")]
async fn read_series(
    db: Db,
    Path(series_id): Path<Id>,
    Query((judging, past)): Query<(Judging, AsOfParam)>,
) -> Result<Answer<Series>> {
    let moment = past.of_any(None)?;
    db.at(moment)
        .read(move |conn| {
            let on = judging.on.or(conn.today);
            find(conn, series_id, on).map(Answer)
        })
        .await
}

fn find(conn: &mut PgConnection, series_id: Id, on: NaiveDate) -> Result<Series> {
    let subjects: Vec<Subject> = Subject::query()
        .filter(i::series_id.eq(series_id))
        .order((p::fiscal_year, i::id))
        .load(conn)?;
    let mut entries: Vec<Entry> = judge(subjects, &Years::default(), on)
        .into_iter()
        .map(|judged| Entry { judged })
        .collect();
    entries.sort_by_key(|entry| (entry.fiscal_year(), entry.policy_year(), entry.id()));
    let name = entries
        .iter()
        .max_by_key(|entry| (entry.policy_year(), entry.id()))
        .map(|entry| entry.indicator().name.clone())
        .ok_or(Error::NotFound("series"))?;
    let own: Vec<&Entry> = entries.iter().filter(|entry| entry.is_own()).collect();
    let years = entries.iter().map(|entry| year(entry, before(entry, &own))).collect();
    Ok(Series {
        series_id,
        name,
        on: Date(on),
        years,
    })
}

/// The indicator of the latest earlier policy: of the same organization if there is one, else of another; none if there
/// are several.
fn before<'a>(entry: &Entry, own: &[&'a Entry]) -> Option<&'a Entry> {
    let earlier = || {
        own.iter()
            .filter(|it| entry.is_own() && it.policy_year() < entry.policy_year())
    };
    let latest = |rows: Vec<&&'a Entry>| {
        let year = rows.iter().map(|it| it.policy_year()).max()?;
        let mut of_it = rows.into_iter().filter(|it| it.policy_year() == year);
        of_it.next().filter(|_| of_it.next().is_none()).copied()
    };
    let same: Vec<_> = earlier()
        .filter(|it| it.organization() == entry.organization())
        .collect();
    if same.is_empty() {
        latest(earlier().collect())
    } else {
        latest(same)
    }
}

fn year(entry: &Entry, before: Option<&Entry>) -> SeriesYear {
    let (indicator, result, evaluation) = (entry.indicator(), &entry.judged.result, entry.judged.evaluation());
    SeriesYear {
        fiscal_year: entry.fiscal_year(),
        policy_year: entry.policy_year(),
        organization: indicator.organization.clone(),
        policy_id: entry.judged.subject.policy_id,
        goal_id: indicator.goal_id,
        goal_code: indicator.goal_code.clone(),
        indicator_id: indicator.id,
        kind: indicator.kind,
        name: indicator.name.clone(),
        population: indicator.population.clone(),
        unit: indicator.unit.clone(),
        decimals: indicator.decimals,
        direction: indicator.direction,
        target: entry.judged.target.clone(),
        value: entry.value(),
        cumulative_value: result.as_ref().and_then(|result| result.facts().cumulative_value),
        value_status: evaluation.value_status,
        observation_status: result.as_ref().map(Columns::observation_status),
        result_text: result.as_ref().and_then(|result| result.text().cloned()),
        outcome: evaluation.outcome,
        reason: evaluation.reason,
        rating: evaluation.rating,
        ratings: evaluation.ratings,
        previous: evaluation.previous,
        comparable_with_previous: indicator.comparable_with_previous,
        comparable_reason: indicator.comparable_reason.clone(),
        compared_with: before.map(Entry::id),
        breaks: before.map_or_else(Vec::new, |before| breaks(entry.terms(), before.terms())),
        explanation: evaluation.explanation,
    }
}
