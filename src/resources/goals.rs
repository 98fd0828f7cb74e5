//! Goals: the few things a policy concentrates on.

use actix_web::{delete, get, patch, post, put};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::policies;
use crate::{
    auth::Permission,
    db::{
        Db, RevisionOf, Tx, find_by_id,
        schema::{
            budgets, goal_code_order, goal_text, goals, indicators, latest, organizations as o, policies as p, results,
        },
    },
    error::{Error, Result},
    http::{
        as_of::{AsOfParam, Since, only},
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match},
        extract::{Json, Patch, PatchOf, Path, check_new},
        idempotency::Idempotent,
        pagination::{Page, Paging},
        query::{AnyOf, NoQuery, Query, SearchText, Years},
        respond::{Answer, Created, Dated, Item, NoContent, Stored},
        validation::{Rules, set_by_server},
    },
    keyset, narrow, query, read_by_id, text_enum,
    value::{FiscalYear, GoalCode, Id, Line, OrganizationKey, Slug, TextBox, Time},
};

/// Routes under `/goals`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_goals)
        .service(create_goal)
        .service(read_goal)
        .service(replace_goal)
        .service(patch_goal)
        .service(remove_goal);
}

text_enum! {
    /// How goals are ordered.
    pub enum GoalSort in "goal_sort" {
        /// By code, as numbers: 1-2 before 1-10.
        Code = "code" ("番号順", "code"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

/// A goal of a policy (重点的に取り組む経営課題).
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = goals, base_query = goals::table.inner_join(p::table.inner_join(o::table)))]
pub struct Goal {
    /// Identifier.
    pub id: Id,
    /// The policy it belongs to.
    pub policy_id: Id,
    /// Slug of the organization.
    #[diesel(select_expression = o::slug)]
    pub organization: Slug,
    /// Fiscal year of the policy.
    #[diesel(select_expression = p::fiscal_year)]
    pub policy_year: FiscalYear,
    /// Code within the policy; codes do not chain across years.
    pub code: GoalCode,
    /// Title.
    #[schema(example = "地域コミュニティの活性化")]
    pub title: Line<300>,
    /// What needs doing (課題認識); null where the form has no such box.
    pub issue_recognition: Option<TextBox>,
    /// How it will be done (主な戦略); null where the form has no such box.
    pub strategies: Option<TextBox>,
    /// 1 when created, one more with each change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it or what it shows of others last changed.
    #[serde(skip)]
    #[diesel(select_expression = latest(latest(goals::updated_at, p::updated_at.nullable()), o::updated_at.nullable()))]
    pub(crate) changed_at: Time,
}

impl Dated for Goal {
    fn changed_at(&self) -> Time {
        self.changed_at
    }
}

/// Some goals.
pub type GoalPage = Page<Goal>;

/// What a caller says about a goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Insertable, AsChangeset)]
#[diesel(table_name = goals, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "policy_id": "018e9a2c-5b00-7000-8000-000000000611", "code": "1-1", "title": "地域コミュニティの活性化", "issue_recognition": ["町会加入の促進をはじめ、人と人とのつながりづくりの活動を支援する必要がある。"], "strategies": [] }))]
pub struct GoalInput {
    /// The policy it belongs to.
    pub policy_id: Id,
    /// Code, unique within the policy.
    pub code: GoalCode,
    /// Title.
    pub title: Line<300>,
    /// What needs doing (課題認識).
    pub issue_recognition: Option<TextBox>,
    /// How it will be done (主な戦略).
    pub strategies: Option<TextBox>,
}

impl Rules for GoalInput {
    fn read_only() -> Vec<String> {
        set_by_server::<Goal, Self>()
    }
}

impl From<Goal> for GoalInput {
    fn from(stored: Goal) -> Self {
        Self {
            policy_id: stored.policy_id,
            code: stored.code,
            title: stored.title,
            issue_recognition: stored.issue_recognition,
            strategies: stored.strategies,
        }
    }
}

/// A merge patch of a goal.
pub type GoalPatch = PatchOf<GoalInput>;

query! {
    /// Which goals to list.
    pub struct GoalFilter {
        /// Only goals of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only goals of policies of these fiscal years.
        pub policy_year: Years,
        /// Only goals with these codes.
        pub code: AnyOf<GoalCode>,
        /// Only goals that hold each of these words in title, issues or strategies, as in the list of indicators.
        pub q: Option<SearchText>,
    }
}

/// Lists goals.
///
/// In the order of their codes, 1-2 before 1-10. Codes do not chain across years: the same code may be another goal.
#[utoipa::path(tag = "goals", params(GoalFilter, AsOfParam, Since, Paging<GoalSort>))]
#[get("/goals")]
async fn list_goals(
    db: Db,
    Query((filter, past, since, paging)): Query<(GoalFilter, AsOfParam, Since, Paging<GoalSort>)>,
) -> Result<GoalPage> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    db.at(moment)
        .page(&paging)
        .searching(filter.q.as_ref())
        .depends_on(&filter.organization.0)
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

/// Creates a goal.
///
/// 409 when the policy already has a goal with this code, or does not exist.
#[utoipa::path(tag = "goals", security(("token" = ["edit"])))]
#[post("/goals")]
async fn create_goal(db: Db, _: NoQuery, body: Json<GoalInput>) -> Result<Idempotent<Created<Goal>>> {
    db.create(body, |tx, input| create(tx, Id::generate(), input)).await
}

/// Reads a goal.
///
/// With the organization and the fiscal year of its policy.
#[utoipa::path(tag = "goals", params(AsOfParam))]
#[get("/goals/{id}")]
async fn read_goal(db: Db, Path(id): Path<Id>, Query(past): Query<AsOfParam>) -> Result<Item<Goal>> {
    let moment = past.of(RevisionOf::Row("goal", id));
    db.at(moment).row(id).await.map(Item)
}

/// Replaces a goal, or creates it.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else, under an id (UUID version 7)
/// of the caller's. What is below it stays.
#[utoipa::path(tag = "goals", security(("token" = ["edit"])), params(Condition))]
#[put("/goals/{id}")]
async fn replace_goal(row: ConditionalWrite<Id, Condition>, body: Json<GoalInput>) -> Result<Idempotent<Stored<Goal>>> {
    row.replace_or_create(body, permitted, change, |tx, id, input| {
        policies::permit(tx, Permission::Edit, input.policy_id).map_err(no_policy)?;
        check_new(*id, find_by_id::<Goal>(tx, *id))?;
        create(tx, *id, input)
    })
    .await
}

/// Changes parts of a goal.
///
/// A JSON Merge Patch. Another `code` renumbers the goal; it stays with its policy: 409 for another `policy_id`.
#[utoipa::path(tag = "goals", security(("token" = ["edit"])), params(Match), request_body(content = GoalPatch, content_type = "application/merge-patch+json"))]
#[patch("/goals/{id}")]
async fn patch_goal(row: ConditionalWrite<Id, Match>, patch: Patch) -> Result<Idempotent<Answer<Goal>>> {
    row.patch(patch, permitted, change).await
}

/// Removes a goal with everything below it.
///
/// Its budgets, indicators and results go with it, in one transaction.
#[utoipa::path(tag = "goals", security(("token" = ["edit"])), params(Match))]
#[delete("/goals/{id}")]
async fn remove_goal(row: ConditionalWrite<Id, Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted, |tx, goal| {
        let below = indicators::table
            .filter(indicators::goal_id.eq(goal.id))
            .select(indicators::id);
        diesel::delete(results::table.filter(results::indicator_id.eq_any(below))).execute(tx.conn)?;
        diesel::delete(indicators::table.filter(indicators::goal_id.eq(goal.id))).execute(tx.conn)?;
        diesel::delete(budgets::table.filter(budgets::goal_id.eq(goal.id))).execute(tx.conn)?;
        diesel::delete(goals::table.find(goal.id)).execute(tx.conn)?;
        Ok(())
    })
    .await
}

fn list(conn: &mut PgConnection, filter: &GoalFilter, since: &Since, paging: &Paging<GoalSort>) -> Result<GoalPage> {
    let matching = || {
        let mut query = goals::table.inner_join(p::table.inner_join(o::table)).into_boxed();
        narrow!(query, organization in filter.organization);
        narrow!(query, p::fiscal_year, filter.policy_year);
        narrow!(query, goals::code, filter.code);
        narrow!(query, words of goal_text(goals::title, goals::issue_recognition, goals::strategies), in filter.q);
        if let Some(time) = since.updated_since {
            query = query.filter(goals::updated_at.ge(time));
        }
        query
    };
    let total = paging.total(conn, |conn| Ok(matching().count().get_result(conn)?))?;
    let query = matching().select(Goal::as_select());
    let rows = match paging.sort {
        GoalSort::Code => match paging.after::<String>()? {
            None => query.order((goal_code_order(goals::code), goals::id)),
            Some((code, id)) => query
                .filter(goal_code_order(goals::code).ge(goal_code_order(code.clone())))
                .filter(
                    goal_code_order(goals::code)
                        .gt(goal_code_order(code))
                        .or(goals::id.gt(id)),
                )
                .order((goal_code_order(goals::code), goals::id)),
        },
        GoalSort::UpdatedAt => keyset!(query, paging, goals::id, desc goals::updated_at, Time),
    };
    let rows: Vec<Goal> = paging.load(conn, rows)?;
    paging.cut(rows, total, |row| match paging.sort {
        GoalSort::Code => (json!(row.code), row.id),
        GoalSort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}

read_by_id!(Goal, goals, "goal");

/// The goal with this id, if the caller may change it.
fn permitted(tx: &mut Tx<'_>, id: &Id) -> Result<Goal> {
    permit(tx, *id)?;
    find_by_id(tx, *id)
}

/// Fails unless the caller may change this goal and the rows below it.
pub fn permit(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let found = goals::table
        .inner_join(p::table)
        .filter(goals::id.eq(id))
        .select(p::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(Permission::Edit, "goal", found)
}

/// A missing policy is a conflict (409), not a 404: the body names it.
fn no_policy(e: Error) -> Error {
    e.about("goals_policy_exists")
}

fn create(tx: &mut Tx<'_>, id: Id, input: &GoalInput) -> Result<Created<Goal>> {
    policies::permit(tx, Permission::Edit, input.policy_id).map_err(no_policy)?;
    insert(tx, id, input)?;
    Ok(Created {
        at: format!("/v1/goals/{id}"),
        body: find_by_id(tx, id)?,
    })
}

fn change(tx: &mut Tx<'_>, stored: &Goal, input: &GoalInput) -> Result<Goal> {
    policies::permit(tx, Permission::Edit, input.policy_id).map_err(no_policy)?;
    update(tx, stored.id, input)?;
    find_by_id(tx, stored.id)
}

/// Stores a new goal.
pub fn insert(tx: &mut Tx<'_>, id: Id, input: &GoalInput) -> Result<()> {
    diesel::insert_into(goals::table)
        .values((goals::id.eq(id), input))
        .execute(tx.conn)?;
    Ok(())
}

/// Stores a changed goal.
pub fn update(tx: &mut Tx<'_>, id: Id, input: &GoalInput) -> Result<()> {
    diesel::update(goals::table.find(id)).set(input).execute(tx.conn)?;
    Ok(())
}
