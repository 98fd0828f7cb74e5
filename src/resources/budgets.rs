//! Budgets: what a goal costs, one figure per fiscal year and kind.

use actix_web::{delete, get, patch, post, put};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::goals;
use crate::{
    auth::Permission,
    db::{
        Db, RevisionOf, Tx, find_by_id,
        schema::{budgets, goals as g, latest, organizations as o, policies as p},
    },
    domain::kinds::{BudgetKind, BudgetStatus},
    error::{Error, Result, Violation},
    http::{
        as_of::{AsOfParam, Since, only},
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match},
        extract::{Json, Patch, PatchOf, Path, check_new},
        idempotency::Idempotent,
        pagination::{Page, Paging},
        query::{AnyOf, NoQuery, Query, Years},
        respond::{Answer, Created, Dated, Item, NoContent, Stored},
        validation::{Known, Members, Rules, set_by_server},
    },
    keyset, narrow, query, read_by_id, text_enum,
    value::{FiscalYear, GoalCode, Id, Line, OrganizationKey, Slug, Time, Yen, language::Bilingual},
};

pub mod defaults;
pub mod links;
pub mod summary;
pub mod vintages;

/// Routes under `/budgets`; the summary and the vintages come before the items, whose `{id}` would match them.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(summary::routes)
        .configure(vintages::routes)
        .service(list_budgets)
        .service(create_budget)
        .service(read_budget)
        .service(replace_budget)
        .service(patch_budget)
        .service(remove_budget);
}

text_enum! {
    /// How budgets are ordered.
    pub enum BudgetSort in "budget_sort" {
        /// Earliest fiscal year first.
        Earliest = "fiscal_year" ("年度の古い順", "earliest fiscal year first"),
        /// Latest fiscal year first.
        Latest = "-fiscal_year" ("年度の新しい順", "latest fiscal year first"),
        /// Most recently changed first.
        UpdatedAt = "-updated_at" ("更新の新しい順", "latest change first"),
    }
}

/// What a goal costs in one fiscal year (決算額 or 予算額).
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = budgets, base_query = budgets::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
pub struct Budget {
    /// Identifier.
    pub id: Id,
    /// The goal it is for.
    pub goal_id: Id,
    /// Code of the goal.
    #[diesel(select_expression = g::code)]
    pub goal_code: GoalCode,
    /// Slug of the organization.
    #[diesel(select_expression = o::slug)]
    pub organization: Slug,
    /// Fiscal year of the policy that states the figure.
    #[diesel(select_expression = p::fiscal_year)]
    pub policy_year: FiscalYear,
    /// Fiscal year of the figure itself.
    pub fiscal_year: FiscalYear,
    /// What kind of fact it is.
    pub kind: BudgetKind,
    /// Whether an amount is stated; 0, － and blank are three different things.
    pub status: BudgetStatus,
    /// The amount; null unless stated.
    pub amount_yen: Option<Yen>,
    /// What the amount is rounded to: 1,000,000 where the form says 百万円; null unless stated.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 1_000_000)]
    pub precision_yen: Option<i64>,
    /// The figure as printed.
    #[schema(example = "85百万円")]
    pub text: Option<Line<200>>,
    /// 1 when created, one more with each change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it or what it shows of others last changed.
    #[serde(skip)]
    #[diesel(select_expression = latest(latest(budgets::updated_at, g::updated_at.nullable()), latest(p::updated_at, o::updated_at.nullable()).nullable()))]
    pub(crate) changed_at: Time,
}

impl Dated for Budget {
    fn changed_at(&self) -> Time {
        self.changed_at
    }
}

/// Some budgets.
pub type BudgetPage = Page<Budget>;

/// What a caller says about a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Insertable, AsChangeset)]
#[diesel(table_name = budgets, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "goal_id": "018e9a2c-5b00-7000-8000-000000000611", "fiscal_year": 2024, "kind": "initial", "status": "stated", "amount_yen": 85_000_000, "precision_yen": 1_000_000, "text": "85百万円" }))]
pub struct BudgetInput {
    /// The goal it is for.
    pub goal_id: Id,
    /// Fiscal year of the figure.
    pub fiscal_year: FiscalYear,
    /// What kind of fact it is.
    pub kind: BudgetKind,
    /// Whether an amount is stated. Left out, it follows from the amount, else from the text: `blank` without either.
    #[schema(required = false)]
    pub status: BudgetStatus,
    /// The amount: a multiple of the precision where it is stated, null otherwise. Left out, it is read from the text.
    pub amount_yen: Option<Yen>,
    /// What the amount is rounded to where it is stated, null otherwise. Left out, it is read from the text, else it is the largest of
    /// 1,000,000, 1,000 and 1 that the amount is a multiple of.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    pub precision_yen: Option<i64>,
    /// The figure as printed; required when unread.
    pub text: Option<Line<200>>,
}

impl Rules for BudgetInput {
    fn broken(&self) -> Vec<Violation> {
        figure_faults(self.status, self.amount_yen, self.precision_yen, self.text.as_ref())
    }

    fn fill_in(body: &mut Members, _: &Known) -> Vec<Violation> {
        defaults::fill_in(body)
    }

    fn read_only() -> Vec<String> {
        set_by_server::<Budget, Self>()
    }
}

/// The values of a figure that do not fit together.
#[must_use]
pub fn figure_faults(
    status: BudgetStatus,
    amount: Option<Yen>,
    precision: Option<i64>,
    text: Option<&Line<200>>,
) -> Vec<Violation> {
    let stated = status == BudgetStatus::Stated;
    let mut broken = Vec::new();
    if status == BudgetStatus::Unread && text.is_none() {
        let detail = Bilingual::new(
            "statusがunreadのときは必要です",
            "is required when the status is unread",
        );
        broken.push(Violation::at("/text", "status", detail));
    }
    for (pointer, present) in [
        ("/amount_yen", amount.is_some()),
        ("/precision_yen", precision.is_some()),
    ] {
        if present != stated {
            let detail = Bilingual::new(
                "statusがstatedのときだけ、必ず指定してください",
                "belongs to status stated, where it is required, and to no other",
            );
            broken.push(Violation::at(pointer, "status", detail));
        }
    }
    if let (Some(Yen(amount)), Some(precision)) = (amount, precision)
        && amount.checked_rem(precision) != Some(0)
    {
        let detail = Bilingual::new(
            "precision_yenの倍数にしてください",
            "must be a multiple of precision_yen",
        );
        broken.push(Violation::at("/amount_yen", "precision", detail));
    }
    broken
}

impl From<Budget> for BudgetInput {
    fn from(stored: Budget) -> Self {
        Self {
            goal_id: stored.goal_id,
            fiscal_year: stored.fiscal_year,
            kind: stored.kind,
            status: stored.status,
            amount_yen: stored.amount_yen,
            precision_yen: stored.precision_yen,
            text: stored.text,
        }
    }
}

/// A merge patch of a budget.
pub type BudgetPatch = PatchOf<BudgetInput>;

query! {
    /// Which budgets to list.
    pub struct BudgetFilter {
        /// Only budgets of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only budgets of policies of these fiscal years.
        pub policy_year: Years,
        /// Only figures of these fiscal years.
        pub fiscal_year: Years,
        /// Only figures of these kinds.
        pub kind: AnyOf<BudgetKind>,
        /// Only budgets of these goals.
        pub goal: AnyOf<Id>,
    }
}

/// Lists budgets.
///
/// `policy_year` is the fiscal year of the policy that states a figure, `fiscal_year` that of the figure itself.
#[utoipa::path(tag = "budgets", params(BudgetFilter, AsOfParam, Since, Paging<BudgetSort>))]
#[get("/budgets")]
async fn list_budgets(
    db: Db,
    Query((filter, past, since, paging)): Query<(BudgetFilter, AsOfParam, Since, Paging<BudgetSort>)>,
) -> Result<BudgetPage> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    db.at(moment)
        .page(&paging)
        .depends_on(&filter.organization.0)
        .read(move |conn| list(conn, &filter, &since, &paging))
        .await
}

/// Creates a budget.
///
/// One figure per goal, fiscal year and kind: 409 for a second one.
#[utoipa::path(tag = "budgets", security(("token" = ["edit"])))]
#[post("/budgets")]
async fn create_budget(db: Db, _: NoQuery, body: Json<BudgetInput>) -> Result<Idempotent<Created<Budget>>> {
    db.create(body, |tx, input| create(tx, Id::generate(), input)).await
}

/// Reads a budget.
///
/// With the goal, the organization and the fiscal year of its policy.
#[utoipa::path(tag = "budgets", params(AsOfParam))]
#[get("/budgets/{id}")]
async fn read_budget(db: Db, Path(id): Path<Id>, Query(past): Query<AsOfParam>) -> Result<Item<Budget>> {
    let moment = past.of(RevisionOf::Row("budget", id));
    db.at(moment).row(id).await.map(Item)
}

/// Replaces a budget, or creates it.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else, under an id (UUID version 7)
/// of the caller's.
#[utoipa::path(tag = "budgets", security(("token" = ["edit"])), params(Condition))]
#[put("/budgets/{id}")]
async fn replace_budget(
    row: ConditionalWrite<Id, Condition>,
    body: Json<BudgetInput>,
) -> Result<Idempotent<Stored<Budget>>> {
    row.replace_or_create(body, permitted, change, |tx, id, input| {
        goals::permit(tx, input.goal_id).map_err(no_goal)?;
        check_new(*id, find_by_id::<Budget>(tx, *id))?;
        create(tx, *id, input)
    })
    .await
}

/// Changes parts of a budget.
///
/// A JSON Merge Patch. A figure that is no longer stated loses its amount and precision in the same patch.
#[utoipa::path(tag = "budgets", security(("token" = ["edit"])), params(Match), request_body(content = BudgetPatch, content_type = "application/merge-patch+json"))]
#[patch("/budgets/{id}")]
async fn patch_budget(row: ConditionalWrite<Id, Match>, patch: Patch) -> Result<Idempotent<Answer<Budget>>> {
    row.patch(patch, permitted, change).await
}

/// Removes a budget.
///
/// To say that the form prints a dash or nothing, change its status instead.
#[utoipa::path(tag = "budgets", security(("token" = ["edit"])), params(Match))]
#[delete("/budgets/{id}")]
async fn remove_budget(row: ConditionalWrite<Id, Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted, |tx, budget| {
        diesel::delete(budgets::table.find(budget.id)).execute(tx.conn)?;
        Ok(())
    })
    .await
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    budgets::table.inner_join(g::table.inner_join(p::table.inner_join(o::table)))
}

/// Budgets as a boxed query, before anything is selected.
pub type Boxed<'a> = diesel::helper_types::IntoBoxed<'a, joined, diesel::pg::Pg>;

/// The budgets a filter asks for, not yet selected or ordered.
#[must_use]
pub fn matching<'a>(filter: &'a BudgetFilter, since: &Since) -> Boxed<'a> {
    let mut query = joined().into_boxed();
    narrow!(query, organization in filter.organization);
    narrow!(query, p::fiscal_year, filter.policy_year);
    narrow!(query, budgets::fiscal_year, filter.fiscal_year);
    narrow!(query, budgets::kind, filter.kind);
    narrow!(query, budgets::goal_id, filter.goal);
    if let Some(time) = since.updated_since {
        query = query.filter(budgets::updated_at.ge(time));
    }
    query
}

fn list(
    conn: &mut PgConnection,
    filter: &BudgetFilter,
    since: &Since,
    paging: &Paging<BudgetSort>,
) -> Result<BudgetPage> {
    let total = paging.total(conn, |conn| Ok(matching(filter, since).count().get_result(conn)?))?;
    let query = matching(filter, since).select(Budget::as_select());
    let rows = match paging.sort {
        BudgetSort::Earliest => keyset!(query, paging, budgets::id, asc budgets::fiscal_year, i32),
        BudgetSort::Latest => keyset!(query, paging, budgets::id, desc budgets::fiscal_year, i32),
        BudgetSort::UpdatedAt => keyset!(query, paging, budgets::id, desc budgets::updated_at, Time),
    };
    let rows: Vec<Budget> = paging.load(conn, rows)?;
    paging.cut(rows, total, |row| match paging.sort {
        BudgetSort::Earliest | BudgetSort::Latest => (json!(row.fiscal_year), row.id),
        BudgetSort::UpdatedAt => (json!(row.updated_at), row.id),
    })
}

read_by_id!(Budget, budgets, "budget");

/// The budget with this id, if the caller may change it.
fn permitted(tx: &mut Tx<'_>, id: &Id) -> Result<Budget> {
    permit(tx, *id)?;
    find_by_id(tx, *id)
}

/// Fails unless the caller may change this budget.
fn permit(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let found = budgets::table
        .inner_join(g::table.inner_join(p::table))
        .filter(budgets::id.eq(id))
        .select(p::organization_id)
        .first(tx.conn)
        .optional()?;
    tx.permit(Permission::Edit, "budget", found)
}

/// A missing goal is a conflict (409), not a 404: the body names it.
fn no_goal(e: Error) -> Error {
    e.about("budgets_goal_exists")
}

fn create(tx: &mut Tx<'_>, id: Id, input: &BudgetInput) -> Result<Created<Budget>> {
    goals::permit(tx, input.goal_id).map_err(no_goal)?;
    insert(tx, &[(id, input.clone())])?;
    Ok(Created {
        at: format!("/v1/budgets/{id}"),
        body: find_by_id(tx, id)?,
    })
}

fn change(tx: &mut Tx<'_>, stored: &Budget, input: &BudgetInput) -> Result<Budget> {
    goals::permit(tx, input.goal_id).map_err(no_goal)?;
    update(tx, stored.id, input)?;
    find_by_id(tx, stored.id)
}

/// Stores new budgets.
pub fn insert(tx: &mut Tx<'_>, new: &[(Id, BudgetInput)]) -> Result<()> {
    let rows: Vec<_> = new.iter().map(|(id, input)| (budgets::id.eq(id), input)).collect();
    diesel::insert_into(budgets::table).values(rows).execute(tx.conn)?;
    Ok(())
}

/// Stores a changed budget.
pub fn update(tx: &mut Tx<'_>, id: Id, input: &BudgetInput) -> Result<()> {
    diesel::update(budgets::table.find(id)).set(input).execute(tx.conn)?;
    Ok(())
}
