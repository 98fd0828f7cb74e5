//! Indicators: what is measured for a goal, and the target it is measured against.

use actix_web::{delete, get, patch, post, put};
use diesel::{PgConnection, dsl::max, prelude::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::goals;
use crate::{
    auth::Permission,
    db::{
        Db, RevisionOf, Tx, find_by_id,
        schema::{goals as g, indicators, latest, organizations as o, policies as p, results},
    },
    domain::{
        kinds::{Direction, IndicatorKind},
        target::Target,
    },
    error::{Error, Result, Violation},
    http::{
        as_of::AsOfParam,
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match},
        extract::{Json, Patch, PatchOf, Path, check_new},
        idempotency::Idempotent,
        pagination::Page,
        query::{NoQuery, Query},
        respond::{Answer, Created, Dated, Item, NoContent, Stored},
        validation::{Draft, Known, Members, Rules, set_by_server},
    },
    read_by_id,
    value::{FiscalYear, GoalCode, Id, Line, Prose, Slug, Time},
};

pub mod defaults;
mod list;
pub mod predecessors;
pub mod sharing;
pub mod target;

pub use list::{IndicatorFilter, IndicatorSort, changed, matching};
use sharing::check_alone;
use target::TargetColumns;

/// Routes under `/indicators`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(list::routes)
        .service(create_indicator)
        .service(read_indicator)
        .service(replace_indicator)
        .service(patch_indicator)
        .service(remove_indicator)
        .configure(predecessors::routes);
}

/// The last place that an indicator may have.
const LAST_POSITION: i32 = 999;

/// An indicator of a goal (アウトカム指標), with its target.
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = indicators, base_query = indicators::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
pub struct Indicator {
    /// Identifier; it survives rewording.
    pub id: Id,
    /// The goal it belongs to.
    pub goal_id: Id,
    /// Code of the goal.
    #[diesel(select_expression = g::code)]
    pub goal_code: GoalCode,
    /// Slug of the organization.
    #[diesel(select_expression = o::slug)]
    pub organization: Slug,
    /// Fiscal year of the policy.
    #[diesel(select_expression = p::fiscal_year)]
    pub policy_year: FiscalYear,
    /// Place among the goal's indicators, from 1.
    #[schema(minimum = 1, maximum = 999, example = 1)]
    pub position: i32,
    /// What sort of indicator it is.
    pub kind: IndicatorKind,
    /// Name.
    #[schema(example = "地域活動協議会を知っている区民アンケート回答者の割合")]
    pub name: Line<500>,
    /// Who or what is counted; null where it is not said.
    #[schema(example = "区民アンケート回答者")]
    pub population: Option<Line<300>>,
    /// Unit as printed; percents are 48 for 48 %. Null where there is none.
    #[schema(example = "%")]
    pub unit: Option<Line<20>>,
    /// Decimal places the indicator is stated with.
    #[schema(minimum = 0, maximum = 9, example = 0)]
    pub decimals: i32,
    /// Which way is better.
    pub direction: Direction,
    /// The same indicator over the years.
    pub series_id: Id,
    /// Whether its results can be compared with the year before; null where nobody said.
    pub comparable_with_previous: Option<bool>,
    /// Why, or why not.
    pub comparable_reason: Option<Prose<1000>>,
    /// What is aimed for.
    #[diesel(embed)]
    #[schema(value_type = Target)]
    pub target: TargetColumns,
    /// 1 when created, one more with each change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it or what it shows of others last changed.
    #[serde(skip)]
    #[diesel(select_expression = latest(latest(indicators::updated_at, g::updated_at.nullable()), latest(p::updated_at, o::updated_at.nullable()).nullable()))]
    pub(crate) changed_at: Time,
}

impl Dated for Indicator {
    fn changed_at(&self) -> Time {
        self.changed_at
    }
}

/// Some indicators.
pub type IndicatorPage = Page<Indicator>;

/// What a caller says about an indicator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Insertable, AsChangeset)]
#[diesel(table_name = indicators, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "goal_id": "018e9a2c-5b00-7000-8000-000000000611", "position": 2, "kind": "outcome",
    "name": "地域活動協議会を知っている区民アンケート回答者の割合", "population": "区民アンケート回答者", "unit": "%", "decimals": 0,
    "direction": "higher_is_better",
    "target": { "text": "40%以上", "comparator": "gte", "value": 40, "upper": null,
        "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null }, "period": { "kind": "single_year", "from": null, "to": null } }
}))]
pub struct IndicatorInput {
    /// The goal it belongs to.
    pub goal_id: Id,
    /// Place among the goal's indicators, from 1. Left out, it is behind the last one.
    #[schema(minimum = 1, maximum = 999, required = false)]
    pub position: i32,
    /// What sort of indicator it is; `outcome` if left out.
    #[schema(required = false)]
    pub kind: IndicatorKind,
    /// Name, unique within the goal.
    pub name: Line<500>,
    /// Who or what is counted.
    pub population: Option<Line<300>>,
    /// Unit as printed. Left out, it is read from the text of the target.
    pub unit: Option<Line<20>>,
    /// Decimal places the indicator is stated with. Left out, they are those of the target.
    #[schema(minimum = 0, maximum = 9, required = false)]
    pub decimals: i32,
    /// Which way is better. Left out, it follows from the target.
    #[schema(required = false)]
    pub direction: Direction,
    /// The series it continues. Absent or null: a new indicator starts one of its own, a stored one stays where it is. A
    /// policy has one indicator in a series at most: 409 for a second one.
    #[diesel(skip_insertion, skip_update)]
    pub series_id: Option<Id>,
    /// Whether its results can be compared with the year before.
    pub comparable_with_previous: Option<bool>,
    /// Why, or why not.
    pub comparable_reason: Option<Prose<1000>>,
    /// What is aimed for; its text is enough. No target is the comparator `undecided`.
    #[diesel(skip_insertion, skip_update)]
    #[schema(required = false)]
    pub target: Target,
}

impl Rules for IndicatorInput {
    fn broken(&self) -> Vec<Violation> {
        target_faults(&self.target)
    }

    fn fill_in(body: &mut Members, known: &Known) -> Vec<Violation> {
        defaults::fill_in(body, known)
    }

    fn read_only() -> Vec<String> {
        set_by_server::<Indicator, Self>()
    }
}

/// An indicator before its place and the fiscal year are known in which its target is read.
pub type IndicatorDraft = Draft<IndicatorInput>;

/// The values of a target that do not fit together.
#[must_use]
pub fn target_faults(target: &Target) -> Vec<Violation> {
    let faults = target.faults().into_iter();
    faults
        .map(|(at, detail)| Violation::at(format!("/target{at}"), "target", detail))
        .collect()
}

impl From<Indicator> for IndicatorInput {
    fn from(stored: Indicator) -> Self {
        Self {
            goal_id: stored.goal_id,
            position: stored.position,
            kind: stored.kind,
            name: stored.name,
            population: stored.population,
            unit: stored.unit,
            decimals: stored.decimals,
            direction: stored.direction,
            series_id: Some(stored.series_id),
            comparable_with_previous: stored.comparable_with_previous,
            comparable_reason: stored.comparable_reason,
            target: stored.target.into(),
        }
    }
}

/// A merge patch of an indicator.
pub type IndicatorPatch = PatchOf<IndicatorInput>;

/// Creates an indicator.
///
/// 409 when the goal already has an indicator of this name, or does not exist, and when the policy has another indicator in
/// the series. Without `series_id` it starts a series.
#[utoipa::path(tag = "indicators", security(("token" = ["edit"])))]
#[post("/indicators")]
async fn create_indicator(db: Db, _: NoQuery, body: Json<IndicatorDraft>) -> Result<Idempotent<Created<Indicator>>> {
    db.create(body, |tx, draft| {
        let input = complete(tx, draft, None)?;
        create(tx, Id::generate(), &input)
    })
    .await
}

/// Reads an indicator.
///
/// With its target; results are below it, evaluations beside them.
#[utoipa::path(tag = "indicators", params(AsOfParam))]
#[get("/indicators/{id}")]
async fn read_indicator(db: Db, Path(id): Path<Id>, Query(past): Query<AsOfParam>) -> Result<Item<Indicator>> {
    let moment = past.of(RevisionOf::Row("indicator", id));
    db.at(moment).row(id).await.map(Item)
}

/// Replaces an indicator, or creates it.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else, under an id (UUID version 7)
/// of the caller's. An indicator keeps its identity and its results when it is reworded.
#[utoipa::path(tag = "indicators", security(("token" = ["edit"])), params(Condition))]
#[put("/indicators/{id}")]
async fn replace_indicator(
    row: ConditionalWrite<Id, Condition>,
    body: Json<IndicatorDraft>,
) -> Result<Idempotent<Stored<Indicator>>> {
    let replace = |tx: &mut Tx<'_>, stored: &Indicator, draft: &IndicatorDraft| {
        let input = complete(tx, draft, Some(stored.id))?;
        change(tx, stored, &input)
    };
    row.replace_or_create(body, permitted, replace, |tx, id, draft| {
        let input = complete(tx, draft, None)?;
        check_new(*id, find_by_id::<Indicator>(tx, *id))?;
        create(tx, *id, &input)
    })
    .await
}

/// Changes parts of an indicator.
///
/// A JSON Merge Patch, nested in the target: `{"target": {"value": 50}}` changes its value alone. Another `goal_id` moves the
/// indicator with its results.
#[utoipa::path(tag = "indicators", security(("token" = ["edit"])), params(Match), request_body(content = IndicatorPatch, content_type = "application/merge-patch+json"))]
#[patch("/indicators/{id}")]
async fn patch_indicator(row: ConditionalWrite<Id, Match>, patch: Patch) -> Result<Idempotent<Answer<Indicator>>> {
    row.patch(patch, permitted, change).await
}

/// Removes an indicator with its results.
///
/// To reword it, change its name instead: what was measured stays.
#[utoipa::path(tag = "indicators", security(("token" = ["edit"])), params(Match))]
#[delete("/indicators/{id}")]
async fn remove_indicator(row: ConditionalWrite<Id, Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted, |tx, indicator| {
        diesel::delete(results::table.filter(results::indicator_id.eq(indicator.id))).execute(tx.conn)?;
        diesel::delete(indicators::table.find(indicator.id)).execute(tx.conn)?;
        Ok(())
    })
    .await
}

read_by_id!(Indicator, indicators, "indicator");

/// The indicator with this id, if the caller may change it.
fn permitted(tx: &mut Tx<'_>, id: &Id) -> Result<Indicator> {
    permit(tx, *id)?;
    find_by_id(tx, *id)
}

/// Fails unless the caller may change this indicator.
pub fn permit(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let found = indicators::table
        .inner_join(g::table.inner_join(p::table))
        .filter(indicators::id.eq(id))
        .select(p::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(Permission::Edit, "indicator", found)
}

/// A missing goal is a conflict (409), not a 404: the body names it.
fn no_goal(e: Error) -> Error {
    e.about("indicators_goal_exists")
}

/// The whole indicator, where the caller may change its goal. `replaced` is the stored one in whose place it comes.
fn complete(tx: &mut Tx<'_>, draft: &IndicatorDraft, replaced: Option<Id>) -> Result<IndicatorInput> {
    let goal: Option<Id> = draft.said("/goal_id");
    let Some(goal) = goal else {
        return draft.complete(&Known::default());
    };
    goals::permit(tx, goal).map_err(no_goal)?;
    let year = g::table
        .inner_join(p::table)
        .filter(g::id.eq(goal))
        .select(p::fiscal_year);
    let others = indicators::table.filter(indicators::goal_id.eq(goal));
    let others = others.filter(indicators::id.ne(replaced.unwrap_or(Id(Uuid::nil()))));
    let last: Option<i32> = others.select(max(indicators::position)).first(tx.conn)?;
    draft.complete(&Known {
        fiscal_year: year.first(tx.conn).optional()?,
        position: Some((last.unwrap_or(0) + 1).min(LAST_POSITION)),
        ..Known::default()
    })
}

fn create(tx: &mut Tx<'_>, id: Id, input: &IndicatorInput) -> Result<Created<Indicator>> {
    goals::permit(tx, input.goal_id).map_err(no_goal)?;
    insert(tx, &[(id, input.clone())])?;
    check_alone(tx, id)?;
    Ok(Created {
        at: format!("/v1/indicators/{id}"),
        body: find_by_id(tx, id)?,
    })
}

fn change(tx: &mut Tx<'_>, stored: &Indicator, input: &IndicatorInput) -> Result<Indicator> {
    goals::permit(tx, input.goal_id).map_err(no_goal)?;
    update(tx, stored.id, input)?;
    check_alone(tx, stored.id)?;
    find_by_id(tx, stored.id)
}

/// Stores new indicators.
pub fn insert(tx: &mut Tx<'_>, new: &[(Id, IndicatorInput)]) -> Result<()> {
    let row = |(id, input): &'_ (Id, IndicatorInput)| {
        let series = indicators::series_id.eq(input.series_id.unwrap_or_else(Id::generate));
        let target = TargetColumns::from(input.target.clone());
        (indicators::id.eq(*id), series, input.clone(), target)
    };
    let rows: Vec<_> = new.iter().map(row).collect();
    diesel::insert_into(indicators::table).values(rows).execute(tx.conn)?;
    Ok(())
}

/// Stores a changed indicator.
pub fn update(tx: &mut Tx<'_>, id: Id, input: &IndicatorInput) -> Result<()> {
    let series = input.series_id.map(|series| indicators::series_id.eq(series));
    let target = TargetColumns::from(input.target.clone());
    diesel::update(indicators::table.find(id))
        .set((series, input, target))
        .execute(tx.conn)?;
    Ok(())
}
