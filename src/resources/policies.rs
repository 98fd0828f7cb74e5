//! Policies: what an organization sets out to do in a fiscal year.

use actix_web::{delete, get, patch, post, put};
use diesel::{PgConnection, prelude::*};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::organizations;
use crate::{
    db::{
        Db, RevisionOf, Tx, is_organization, published_as,
        schema::{
            budgets, goals, indicators, latest, organizations as o, policies, results, self_evaluations as e,
            whole_version,
        },
    },
    domain::fiscal_year,
    error::{Error, Result, Violation, found, nearest},
    http::{
        as_of::AsOfParam,
        conditional_writes::ConditionalWrite,
        etag::{Condition, Match, check_absent},
        extract::{Json, Patch, PatchOf, Path},
        idempotency::Idempotent,
        pagination::Page,
        query::{NoQuery, Query},
        respond::{Answer, Created, Dated, Item, NoContent, Stored},
        validation::{Known, Rules, set_by_server},
    },
    text_enum,
    value::{Date, FiscalYear, Id, Line, OrganizationKey, Prose, Slug, TextBox, Time, language::Bilingual},
};

mod checks;
mod list;

pub use checks::{check_path, contradictions, permit, permit_key, permit_new, permitted, permitted_or_new};
pub use list::{PolicyFilter, PolicySort};

/// Routes under `/policies`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(list::routes)
        .service(create_policy)
        .service(read_policy)
        .service(replace_policy)
        .service(patch_policy)
        .service(remove_policy);
}

/// Most slugs that a name is compared with.
const MOST_SLUGS: i64 = 2_000;

text_enum! {
    /// How far a policy is published.
    pub enum PolicyStage in "policy_stage" {
        /// Nothing of it is public.
        Draft = "draft" ("下書き", "draft"),
        /// The plan is public; results, self-evaluation and future policy are not.
        Plan = "plan" ("計画公表", "plan published"),
        /// Everything is public.
        Results = "results" ("実績公表", "results published"),
        /// It was public and is no longer; its revisions are.
        Withdrawn = "withdrawn" ("取下げ", "withdrawn"),
    }
}

/// A management policy (運営方針): one organization, one fiscal year.
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = policies, base_query = policies::table.inner_join(o::table).left_join(e::table))]
pub struct Policy {
    /// Identifier.
    pub id: Id,
    /// Slug of the organization.
    #[diesel(select_expression = o::slug)]
    pub organization: Slug,
    /// Name of the organization.
    #[diesel(select_expression = o::name)]
    #[schema(example = "西区")]
    pub organization_name: Line<100>,
    /// Fiscal year.
    pub fiscal_year: FiscalYear,
    /// Name of the head (所属長) in that year.
    #[schema(example = "三村 浩也")]
    pub head_name: Option<Line<100>>,
    /// Title of the head; null where the form prints none.
    pub head_title: Option<Line<100>>,
    /// What the organization wants to become (目標).
    pub vision: Option<TextBox>,
    /// What it is for (使命).
    pub mission: Option<TextBox>,
    /// How it means to work this year (所属運営の基本的な考え方).
    pub basic_approach: Option<TextBox>,
    /// How it judges the year (自己評価); `[]` while its box is empty, null until it is published.
    #[diesel(select_expression = e::self_evaluation.nullable())]
    pub self_evaluation: Option<TextBox>,
    /// What it will do next (今後の方針); `[]` while its box is empty, null until it is published.
    #[diesel(select_expression = e::future_policy.nullable())]
    pub future_policy: Option<TextBox>,
    /// The day by which results are due; 30 June after the fiscal year unless stated otherwise.
    pub results_due_on: Date,
    /// Where the data comes from, and what was corrected on the way.
    pub source: Option<Prose<4000>>,
    /// How far it is published.
    pub stage: PolicyStage,
    /// When its plan was published.
    pub plan_published_on: Option<Date>,
    /// When its results were published.
    pub results_published_on: Option<Date>,
    /// 1 when created, one more with each change of what is seen of it.
    #[diesel(select_expression = whole_version(policies::version, e::version.nullable()))]
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was created.
    pub created_at: Time,
    /// When it last changed.
    #[diesel(select_expression = latest(policies::updated_at, e::updated_at.nullable()))]
    pub updated_at: Time,
    /// When it or what it shows of others last changed.
    #[serde(skip)]
    #[diesel(select_expression = latest(latest(policies::updated_at, e::updated_at.nullable()), o::updated_at.nullable()))]
    pub(crate) changed_at: Time,
}

impl Dated for Policy {
    fn changed_at(&self) -> Time {
        self.changed_at
    }
}

/// Some policies.
pub type PolicyPage = Page<Policy>;

/// What a caller says about a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Insertable, AsChangeset)]
#[diesel(table_name = policies, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "organization": "nishi", "fiscal_year": 2024, "head_name": "三村 浩也", "vision": ["「誰もが誇りに思える西区」"], "mission": ["こども・子育て施策の充実"] }))]
pub struct PolicyInput {
    /// The organization, by slug or municipality code.
    #[diesel(skip_insertion, skip_update)]
    pub organization: OrganizationKey,
    /// Fiscal year.
    pub fiscal_year: FiscalYear,
    /// Name of the head (所属長).
    pub head_name: Option<Line<100>>,
    /// Title of the head.
    pub head_title: Option<Line<100>>,
    /// What the organization wants to become (目標).
    pub vision: Option<TextBox>,
    /// What it is for (使命).
    pub mission: Option<TextBox>,
    /// How it means to work this year (所属運営の基本的な考え方).
    pub basic_approach: Option<TextBox>,
    /// How it judges the year (自己評価).
    #[diesel(skip_insertion, skip_update)]
    pub self_evaluation: Option<TextBox>,
    /// What it will do next (今後の方針).
    #[diesel(skip_insertion, skip_update)]
    pub future_policy: Option<TextBox>,
    /// The day by which results are due, not before the fiscal year starts; 30 June after it by default, which moves with
    /// the fiscal year.
    #[diesel(skip_insertion, skip_update)]
    pub results_due_on: Option<Date>,
    /// Where the data comes from, and what was corrected on the way.
    pub source: Option<Prose<4000>>,
}

impl Rules for PolicyInput {
    fn broken(&self) -> Vec<Violation> {
        let early = self
            .results_due_on
            .is_some_and(|due| due.0 < fiscal_year::first_day(self.fiscal_year));
        let detail = Bilingual::new(
            "年度の開始より前にはできません",
            "must not lie before the fiscal year starts",
        );
        if early {
            vec![Violation::at("/results_due_on", "order", detail)]
        } else {
            vec![]
        }
    }

    fn contradictions(&self, path: &Known) -> Vec<Violation> {
        contradictions(path, &self.organization, self.fiscal_year)
    }

    fn read_only() -> Vec<String> {
        set_by_server::<Policy, Self>()
    }
}

/// How an organization judges its year: published with the results, and so a row of its own.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = e, treat_none_as_null = true)]
struct Judged {
    self_evaluation: Option<TextBox>,
    future_policy: Option<TextBox>,
}

impl PolicyInput {
    fn judged(&self) -> Judged {
        Judged {
            self_evaluation: self.self_evaluation.clone(),
            future_policy: self.future_policy.clone(),
        }
    }

    /// The due date, stated or by default.
    fn due_date(&self) -> Date {
        self.results_due_on
            .unwrap_or_else(|| Date(fiscal_year::results_due_on(self.fiscal_year)))
    }
}

impl From<Policy> for PolicyInput {
    fn from(stored: Policy) -> Self {
        Self {
            organization: stored.organization.into(),
            fiscal_year: stored.fiscal_year,
            head_name: stored.head_name,
            head_title: stored.head_title,
            vision: stored.vision,
            mission: stored.mission,
            basic_approach: stored.basic_approach,
            self_evaluation: stored.self_evaluation,
            future_policy: stored.future_policy,
            // A due date by default stays one: it moves with the fiscal year.
            results_due_on: (stored.results_due_on.0 != fiscal_year::results_due_on(stored.fiscal_year))
                .then_some(stored.results_due_on),
            source: stored.source,
        }
    }
}

/// A merge patch of a policy.
pub type PolicyPatch = PatchOf<PolicyInput>;

/// Creates a policy.
///
/// 409 when the organization already has a policy for the fiscal year, or does not exist.
#[utoipa::path(tag = "policies", security(("token" = ["edit"])))]
#[post("/policies")]
async fn create_policy(db: Db, _: NoQuery, body: Json<PolicyInput>) -> Result<Idempotent<Created<Policy>>> {
    db.create(body, create).await
}

/// Reads a policy.
///
/// The head of the form and its text boxes; goals, budgets, indicators and results are below it, in `/tree`.
#[utoipa::path(tag = "policies", params(AsOfParam))]
#[get("/policies/{organization}/{fiscal_year}")]
async fn read_policy(
    db: Db,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    Query(past): Query<AsOfParam>,
) -> Result<Item<Policy>> {
    let moment = past.of(RevisionOf::Policy(key.0.clone(), key.1));
    db.at(moment)
        .depends_on([&key.0])
        .read(move |conn| find(conn, &key).map(Item))
        .await
}

/// Replaces a policy, or creates it; what is below it stays.
///
/// With `If-Match` it replaces what was read; with `If-None-Match: *` it creates and nothing else. The body must be about the
/// policy of the path; a PATCH moves.
#[utoipa::path(tag = "policies", security(("token" = ["edit"])), params(Condition))]
#[put("/policies/{organization}/{fiscal_year}")]
async fn replace_policy(
    row: ConditionalWrite<(OrganizationKey, FiscalYear), Condition>,
    body: Json<PolicyInput>,
) -> Result<Idempotent<Stored<Policy>>> {
    let path = row.key.clone();
    let replace = move |tx: &mut Tx<'_>, stored: &Policy, input: &PolicyInput| {
        check_path(tx, &path, input)?;
        update(tx, stored.id, input)
    };
    row.replace_or_create(body, permitted, replace, |tx, key, input| {
        permit_new(tx, &input.organization)?;
        check_path(tx, key, input)?;
        check_absent(find(tx, key))?;
        insert(tx, Id::generate(), input)
    })
    .await
}

/// Changes parts of a policy.
///
/// Another fiscal year moves it there, with everything below it; it stays with its organization: 409 for another.
#[utoipa::path(tag = "policies", security(("token" = ["edit"])), params(Match), request_body(content = PolicyPatch, content_type = "application/merge-patch+json"))]
#[patch("/policies/{organization}/{fiscal_year}")]
async fn patch_policy(
    row: ConditionalWrite<(OrganizationKey, FiscalYear), Match>,
    patch: Patch,
) -> Result<Idempotent<Answer<Policy>>> {
    row.patch(patch, permitted, |tx, stored, input| update(tx, stored.id, input))
        .await
}

/// Removes a policy with everything below it.
///
/// Goals, budgets, indicators and results go with it, in one transaction. 409 for a policy that was ever published: it can
/// be withdrawn.
#[utoipa::path(tag = "policies", security(("token" = ["edit"])), params(Match))]
#[delete("/policies/{organization}/{fiscal_year}")]
async fn remove_policy(row: ConditionalWrite<(OrganizationKey, FiscalYear), Match>) -> Result<Idempotent<NoContent>> {
    row.remove(permitted, |tx, stored| {
        let id = stored.id;
        diesel::delete(results::table.filter(results::policy_id.eq(id))).execute(tx.conn)?;
        diesel::delete(indicators::table.filter(indicators::policy_id.eq(id))).execute(tx.conn)?;
        diesel::delete(budgets::table.filter(budgets::policy_id.eq(id))).execute(tx.conn)?;
        diesel::delete(goals::table.filter(goals::policy_id.eq(id))).execute(tx.conn)?;
        diesel::delete(e::table.filter(e::policy_id.eq(id))).execute(tx.conn)?;
        diesel::delete(policies::table.find(id)).execute(tx.conn)?;
        Ok(())
    })
    .await
}

/// The policy of this organization for this fiscal year. In the past, that is the policy that went by this name then,
/// else the one that goes by it today.
pub fn find(conn: &mut PgConnection, key @ (organization, year): &(OrganizationKey, FiscalYear)) -> Result<Policy> {
    let named = Policy::query()
        .filter(is_organization(organization.as_str()))
        .filter(policies::fiscal_year.eq(year))
        .first(conn)
        .optional()?;
    let found = match named {
        Some(policy) => Some(policy),
        None => Policy::query()
            .filter(policies::id.eq_any(published_as(key)))
            .first(conn)
            .optional()?,
    };
    found.ok_or(Error::NotFound("policy"))
}

/// The organization a body names.
fn organization_of(conn: &mut PgConnection, key: &OrganizationKey) -> Result<Id> {
    if let Some(organization) = found(organizations::find(conn, key))? {
        return Ok(organization.id);
    }
    let slugs: Vec<String> = o::table.select(o::slug).limit(MOST_SLUGS).load(conn)?;
    let near = nearest(key.as_str(), slugs.iter().map(String::as_str));
    let detail = Bilingual::new("所属が存在しません", "names no organization");
    let missing = Violation::at("/organization", "missing", detail).suggesting(near);
    Err(Error::Conflict(vec![missing]))
}

fn create(tx: &mut Tx<'_>, input: &PolicyInput) -> Result<Created<Policy>> {
    permit_new(tx, &input.organization)?;
    insert(tx, Id::generate(), input)
}

/// Stores a new policy.
pub fn insert(tx: &mut Tx<'_>, id: Id, input: &PolicyInput) -> Result<Created<Policy>> {
    let organization = policies::organization_id.eq(organization_of(tx, &input.organization)?);
    let due = policies::results_due_on.eq(input.due_date());
    diesel::insert_into(policies::table)
        .values((policies::id.eq(id), organization, due, input))
        .execute(tx.conn)?;
    diesel::insert_into(e::table)
        .values((e::id.eq(Id::generate()), e::policy_id.eq(id), input.judged()))
        .execute(tx.conn)?;
    let body = Policy::query().filter(policies::id.eq(id)).first(tx.conn)?;
    Ok(Created {
        at: format!("/v1/policies/{}/{}", body.organization, body.fiscal_year),
        body,
    })
}

/// Stores a changed policy.
pub fn update(tx: &mut Tx<'_>, id: Id, input: &PolicyInput) -> Result<Policy> {
    let organization = policies::organization_id.eq(organization_of(tx, &input.organization)?);
    let due = policies::results_due_on.eq(input.due_date());
    diesel::update(policies::table.find(id))
        .set((organization, due, input))
        .execute(tx.conn)?;
    diesel::update(e::table.filter(e::policy_id.eq(id)))
        .set(input.judged())
        .execute(tx.conn)?;
    Ok(Policy::query().filter(policies::id.eq(id)).first(tx.conn)?)
}
