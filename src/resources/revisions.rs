//! Revisions: what was published, as it was, under numbers that never change their meaning.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    get,
    http::{
        StatusCode,
        header::{self, EntityTag},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::NaiveDate;
use diesel::{
    PgConnection,
    dsl::max,
    prelude::*,
    sql_types::{BigInt, Nullable},
};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::policy_trees::{PolicyTree, store::Rows};
use crate::{
    db::{
        Db, Invalidation, Tx, as_published, published_as,
        schema::{change_log, organizations, policies, public_changes, published, revisions},
    },
    domain::difference::same,
    error::{Error, Result, found},
    http::{
        etag,
        extract::Path,
        media_type::JSON,
        middleware::compression::REPR_DIGEST,
        pagination::{Page, Paging},
        query::{NoQuery, Query},
        respond::Answer,
    },
    keyset, text_enum,
    value::{Date, FiscalYear, Id, OrganizationKey, Prose, Slug, Time, hex},
};

pub mod diff;
pub mod publications;

/// What caches may do with a document that never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Routes under `/policies/{organization}/{fiscal_year}/revisions` and `…/publications`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_revisions)
        .service(read_revision)
        .configure(diff::routes)
        .configure(publications::routes);
}

text_enum! {
    /// How revisions are ordered.
    pub enum RevisionSort in "revision_sort" {
        /// Latest first.
        Latest = "-number" ("新しい順", "latest first"),
        /// First first.
        Earliest = "number" ("古い順", "earliest first"),
    }
}

text_enum! {
    /// Why there is a revision.
    pub enum RevisionKind in "revision_kind" {
        /// The plan was published.
        Plan = "plan" ("計画の公表", "the plan was published"),
        /// The results were published.
        Results = "results" ("実績の公表", "the results were published"),
        /// Something public was corrected.
        Correction = "correction" ("訂正", "something public was corrected"),
        /// The policy was withdrawn.
        Withdrawal = "withdrawal" ("取下げ", "the policy was withdrawn"),
    }
}

/// A revision of a policy (改訂履歴). What it says is at `revisions/{number}`.
#[derive(Debug, Clone, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = revisions, base_query = revisions::table.inner_join(published::table.on(published::policy_id.eq(revisions::policy_id))))]
pub struct Revision {
    /// Identifier.
    pub id: Id,
    /// The policy.
    pub policy_id: Id,
    /// Slug of the organization.
    #[diesel(select_expression = published::slug)]
    pub organization: Slug,
    /// Fiscal year of the policy.
    #[diesel(select_expression = published::fiscal_year)]
    pub fiscal_year: FiscalYear,
    /// Its number, from 1.
    #[schema(minimum = 1, maximum = 1_000_000, example = 1)]
    pub number: i32,
    /// Why it is there.
    pub kind: RevisionKind,
    /// The reason, in words.
    pub reason: Option<Prose<1000>>,
    /// When it was published.
    pub published_on: Date,
    /// Whether that day is assumed, since nobody noted it.
    pub assumed: bool,
    /// SHA-256 of the document at `revisions/{number}`, byte for byte.
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// When it was made.
    pub created_at: Time,
}

/// Some revisions.
pub type RevisionPage = Page<Revision>;

/// Lists the revisions of a policy.
///
/// Every publication, correction and withdrawal, with its reason; those of a withdrawn policy stay. Latest first.
#[utoipa::path(tag = "revisions", params(Paging<RevisionSort>))]
#[get("/policies/{organization}/{fiscal_year}/revisions")]
async fn list_revisions(
    db: Db,
    Path(key): Path<(OrganizationKey, FiscalYear)>,
    Query(paging): Query<Paging<RevisionSort>>,
) -> Result<RevisionPage> {
    db.read(move |conn| {
        let policy = find_published(conn, &key)?;
        let matching = || revisions::table.filter(revisions::policy_id.eq(policy));
        let total = paging.total(conn, |conn| Ok(matching().count().get_result(conn)?))?;
        let query = Revision::query().filter(revisions::policy_id.eq(policy)).into_boxed();
        let rows = match paging.sort {
            RevisionSort::Latest => keyset!(query, paging, revisions::id, desc revisions::number, i32),
            RevisionSort::Earliest => keyset!(query, paging, revisions::id, asc revisions::number, i32),
        };
        let rows: Vec<Revision> = paging.load(conn.conn, rows)?;
        paging.cut(rows, total, |row| (json!(row.number), row.id))
    })
    .await
}

/// Reads a revision: the whole policy as it was published.
///
/// A permalink: these bytes never change, and caches may keep them for ever. They are canonical JSON (RFC 8785); their
/// SHA-256 is in the list of revisions, and in `Repr-Digest`.
#[utoipa::path(tag = "revisions")]
#[get("/policies/{organization}/{fiscal_year}/revisions/{number}")]
async fn read_revision(
    db: Db,
    _: NoQuery,
    Path((organization, year, number)): Path<(OrganizationKey, FiscalYear, i32)>,
) -> Result<Permanent> {
    db.read(move |conn| {
        let policy = find_published(conn, &(organization, year))?;
        revisions::table
            .filter(revisions::policy_id.eq(policy))
            .filter(revisions::number.eq(number))
            .select(revisions::document)
            .first(conn.conn)
            .optional()?
            .map(Permanent)
            .ok_or(Error::NotFound("revision"))
    })
    .await
}

/// A document that never changes.
struct Permanent(String);

impl Responder for Permanent {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let digest = Sha256::digest(self.0.as_bytes());
        let tag = EntityTag::new_strong(sha256(&self.0));
        let mut response = HttpResponse::Ok();
        response
            .insert_header(header::ETag(tag.clone()))
            .insert_header((header::CACHE_CONTROL, FOR_EVER))
            .insert_header((REPR_DIGEST, format!("sha-256=:{}:", BASE64_STANDARD.encode(digest))));
        if etag::known(req, &tag, None).is_some() {
            return response.status(StatusCode::NOT_MODIFIED).finish();
        }
        response.content_type(JSON).body(self.0)
    }
}

impl IntoResponses for Permanent {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        Answer::<PolicyTree>::responses()
    }
}

fn sha256(document: &str) -> String {
    hex(&Sha256::digest(document.as_bytes()))
}

/// The policy of this organization for this fiscal year, if it was ever published.
fn find_published(conn: &mut PgConnection, key: &(OrganizationKey, FiscalYear)) -> Result<Id> {
    published_as(key)
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("policy"))
}

/// The last revision of a policy.
#[derive(HasQuery)]
#[diesel(table_name = revisions)]
struct Last {
    number: i32,
    shown_on: Date,
    sha256: String,
}

impl Last {
    /// Whether the policy, which everybody sees like this, still says what it said then. As of the day of the revision: that a
    /// due date has passed meanwhile is no correction.
    fn holds(&self, conn: &mut PgConnection, policy: Id, seen: &Rows) -> Result<bool> {
        let now = document(seen.clone(), self.number, self.shown_on.0)?;
        if sha256(&now) == self.sha256 {
            return Ok(true);
        }
        let then: String = revisions::table
            .filter(revisions::policy_id.eq(policy))
            .filter(revisions::number.eq(self.number))
            .select(revisions::document)
            .first(conn)?;
        let read = |document: &str| serde_json::from_str(document).map_err(Error::internal);
        Ok(same(&read(&then)?, &read(&now)?))
    }
}

fn last(conn: &mut PgConnection, policy: Id) -> Result<Option<Last>> {
    Ok(Last::query()
        .filter(revisions::policy_id.eq(policy))
        .order(revisions::number.desc())
        .first(conn)
        .optional()?)
}

/// A revision to be made.
struct Draft<'a> {
    kind: RevisionKind,
    reason: Option<&'a str>,
    published_on: Date,
    assumed: bool,
    document: String,
}

diesel::define_sql_function! {
    /// The number, or the other where there is none.
    fn coalesce(number: Nullable<BigInt>, other: BigInt) -> BigInt;
}

/// Makes the next revision, which shows the state after all that was written so far.
fn add(tx: &mut Tx<'_>, policy: Id, number: i32, draft: &Draft<'_>) -> Result<Id> {
    let id = Id::generate();
    let head = change_log::table.select(max(change_log::seq)).single_value();
    diesel::insert_into(revisions::table)
        .values((
            revisions::id.eq(id),
            revisions::policy_id.eq(policy),
            revisions::number.eq(number),
            revisions::kind.eq(draft.kind),
            revisions::reason.eq(draft.reason),
            revisions::published_on.eq(draft.published_on),
            revisions::assumed.eq(draft.assumed),
            revisions::seq.eq(coalesce(head, 0)),
            revisions::shown_on.eq(Date(tx.today)),
            revisions::document.eq(&draft.document),
            revisions::sha256.eq(sha256(&draft.document)),
        ))
        .execute(tx.conn)?;
    Ok(id)
}

/// A policy as everybody sees it; none if it is not public.
fn published_rows(conn: &mut PgConnection, policy: Id) -> Result<Option<Rows>> {
    as_published(conn, |conn| found(Rows::of(conn, policy)))
}

/// The canonical JSON of a policy, for the revision with this number.
fn document(seen: Rows, number: i32, on: NaiveDate) -> Result<String> {
    let mut tree = seen.tree(on).without_versions();
    tree.revision = Some(number);
    serde_json_canonicalizer::to_string(&tree).map_err(Error::internal)
}

/// Makes the first revision of a policy that was stored as a published one.
pub fn begin(tx: &mut Tx<'_>, policy: Id, kind: RevisionKind, published_on: Date) -> Result<()> {
    let on = tx.today;
    let seen = published_rows(tx, policy)?.ok_or(Error::NotFound("policy"))?;
    let draft = Draft {
        kind,
        reason: None,
        published_on,
        assumed: false,
        document: document(seen, 1, on)?,
    };
    add(tx, policy, 1, &draft).map(|_| ())
}

/// Gives every policy whose public data this transaction has changed a new revision: a correction. Tells which public
/// data the transaction has changed.
pub(crate) fn follow(tx: &mut Tx<'_>) -> Result<Invalidation> {
    let whose = public_changes::organization_id.eq(organizations::id.nullable());
    let changed: Vec<(String, Id, Option<Id>, Option<Slug>)> = public_changes::table
        .left_join(organizations::table.on(whose))
        .select((
            public_changes::type_,
            public_changes::row_id,
            public_changes::policy_id,
            organizations::slug.nullable(),
        ))
        .distinct()
        .load(tx.conn)?;
    if changed.is_empty() {
        return Ok(Invalidation::NOTHING);
    }
    let themselves: Vec<Id> = changed
        .iter()
        .filter(|row| row.0 == "organization")
        .map(|row| row.1)
        .collect();
    let touched: BTreeSet<Id> = changed.iter().filter_map(|row| row.2).collect();
    let touched = Vec::from_iter(touched);
    let all = policies::table
        .filter(policies::public)
        .select(policies::id)
        .order(policies::id);
    // One is compared by `=`, for which PostgreSQL keeps its plan.
    let public: Vec<Id> = if let ([], [one]) = (&*themselves, &*touched) {
        all.filter(policies::id.eq(*one)).load(tx.conn)?
    } else {
        let of = (policies::id.eq_any(touched)).or(policies::organization_id.eq_any(themselves));
        all.filter(of).load(tx.conn)?
    };
    for policy in public {
        correct(tx, policy)?;
    }
    Ok(Invalidation::of(
        changed
            .into_iter()
            .map(|(what, _, _, whose)| (what == "organization", whose)),
    ))
}

fn correct(tx: &mut Tx<'_>, policy: Id) -> Result<()> {
    let Some(last) = last(tx, policy)? else { return Ok(()) };
    let Some(seen) = published_rows(tx, policy)? else {
        return Ok(());
    };
    if last.holds(tx, policy, &seen)? {
        return Ok(());
    }
    let number = last.number + 1;
    let on = tx.today;
    let reason = tx.reason.clone();
    let draft = Draft {
        kind: RevisionKind::Correction,
        reason: reason.as_deref(),
        published_on: Date(on),
        assumed: false,
        document: document(seen, number, on)?,
    };
    add(tx, policy, number, &draft).map(|_| ())
}

/// The public policies that differ from their last revision, or have none: changed by other ways than ours.
pub fn unrevised(conn: &mut PgConnection) -> Result<Vec<String>> {
    let public: Vec<(Id, String, FiscalYear)> = policies::table
        .inner_join(organizations::table.on(organizations::id.eq(policies::organization_id)))
        .filter(policies::public)
        .order((organizations::slug, policies::fiscal_year))
        .select((policies::id, organizations::slug, policies::fiscal_year))
        .load(conn)?;
    let mut unrevised = Vec::new();
    for (policy, organization, year) in public {
        let same = match (last(conn, policy)?, published_rows(conn, policy)?) {
            (Some(last), Some(seen)) => last.holds(conn, policy, &seen)?,
            _ => false,
        };
        if !same {
            unrevised.push(format!("{organization}/{year}"));
        }
    }
    Ok(unrevised)
}
