//! The audit: who did what, when, from which request, and what was there before and after.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    get,
    http::header::{CACHE_CONTROL, VARY},
    web::Bytes,
};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    helper_types::IntoBoxed,
    pg::{Pg, PgValue},
    prelude::*,
    sql_types::Bytea,
};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response},
};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{
    changes::{ChangeOp, ChangeType},
    organizations::is_any_of,
};
use crate::{
    db::{
        Db, Read, Workload,
        schema::{change_log, organizations as o},
    },
    error::{Error, Result},
    http::{
        media_type::NDJSON,
        negotiation,
        pagination::{Page, Paging},
        query::{AnyOf, Query, SearchText},
    },
    keyset, narrow, query, text_enum,
    value::{Id, Line, OrganizationKey, Time, hex},
};

/// Changes an export holds in memory at a time.
const AT_A_TIME: i64 = 250;

/// Routes under `/audit`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_audit);
}

text_enum! {
    /// How the audit is ordered.
    pub enum AuditSort in "audit_sort" {
        /// Latest first.
        Latest = "-seq" ("新しい順", "latest first"),
        /// First first.
        Earliest = "seq" ("古い順", "earliest first"),
    }
}

text_enum! {
    /// The form of a list.
    pub enum ListFormat in "list_format" {
        /// Pages of JSON.
        Json = "json" ("JSON（ページごと）", "JSON, by pages"),
        /// All of it, one JSON object a line.
        Lines = "ndjson" ("NDJSON（全件）", "NDJSON, all of it"),
    }
}

/// A hash, in hexadecimal digits.
#[derive(Debug, Serialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Bytea)]
#[serde(transparent)]
pub struct Hash(String);

impl FromSql<Bytea, Pg> for Hash {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(hex(bytes.as_bytes())))
    }
}

/// A change, with everything that is known of it.
#[derive(Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = change_log)]
pub struct AuditEntry {
    /// Its place in the history: from 1, without gaps, in the order of commits.
    #[schema(minimum = 1)]
    pub seq: i64,
    /// When.
    pub at: Time,
    /// Who: the name of a token, or `ward-policy` for the service itself and whoever commands its machine.
    #[schema(max_length = 100, example = "西区 運営方針システム")]
    pub actor: String,
    /// The token; null where there was none.
    pub token_id: Option<Id>,
    /// The request, by the id in its answer and in the log; null where there was none.
    #[schema(max_length = 64)]
    pub request_id: Option<String>,
    /// What was done.
    pub op: ChangeOp,
    /// To what sort of thing.
    #[serde(rename = "type")]
    pub type_: ChangeType,
    /// Its identifier.
    #[diesel(select_expression = change_log::row_id)]
    pub id: Id,
    /// The organization it belongs to; null where it belongs to none.
    pub organization_id: Option<Id>,
    /// The policy it belongs to; null where it belongs to none.
    pub policy_id: Option<Id>,
    /// The names people know it by, as they were after the change.
    #[schema(value_type = Object)]
    pub key: Value,
    /// The same before the change, where it gave it other ones; else null.
    #[schema(value_type = Option<Object>)]
    pub previous_key: Option<Value>,
    /// Its version after the change.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The columns that changed.
    #[schema(max_items = 100, value_type = Vec<Line<100>>)]
    pub fields: Vec<String>,
    /// Why; null where no reason was given.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
    /// The stored row before the change; null where there was none.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The stored row after the change; null where there is none.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// Whether the public saw it before.
    pub was_public: bool,
    /// Whether the public sees it after.
    pub is_public: bool,
    /// SHA-256 of the hash of the change before and of this change: who keeps it can tell whether history was altered.
    #[schema(value_type = String, min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: Hash,
}

/// Some of the audit.
pub type AuditEntryPage = Page<AuditEntry>;

query! {
    /// Which changes to list.
    pub struct AuditFilter {
        /// Only changes by this actor: the name of a token, or `ward-policy`.
        pub actor: Option<SearchText>,
        /// Only changes of these organizations and what belongs to them, by present slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only changes of these sorts of things.
        pub r#type: AnyOf<ChangeType>,
        /// Only changes that did one of these.
        pub op: AnyOf<ChangeOp>,
        /// Only changes of the things with these identifiers.
        pub id: AnyOf<Id>,
        /// Only changes by this request.
        pub request_id: Option<SearchText>,
        /// Only changes at this moment or later.
        pub since: Option<Time>,
        /// Only changes before this moment.
        pub until: Option<Time>,
    }
}

query! {
    /// In which form.
    pub struct AuditForm {
        /// `ndjson` gives everything from `cursor` on in one answer, whatever `limit` says; as `Accept` does.
        pub format: Option<ListFormat>,
    }
}

/// Lists who did what.
///
/// Every change of everything, drafts and tokens included, in the order of commits: who, when, from which request, why, and
/// what was there before and after. Latest first, unless asked for otherwise. NDJSON has one entry a line; an answer that
/// breaks off is not whole.
#[utoipa::path(tag = "audit", security(("token" = ["admin"])), params(AuditFilter, Paging<AuditSort>, AuditForm))]
#[get("/audit")]
async fn list_audit(
    req: HttpRequest,
    db: Db,
    Query((filter, paging, form)): Query<(AuditFilter, Paging<AuditSort>, AuditForm)>,
) -> Result<Audit> {
    let lines = form
        .format
        .map_or_else(|| negotiation::prefers(&req, NDJSON), |form| form == ListFormat::Lines);
    if !lines {
        let read = move |conn: &mut Read<'_>| list(conn, &filter, &paging);
        return db.workload(Workload::Scan).read(read).await.map(Audit::Page);
    }
    let after = paging.after::<i64>()?.map(|(seq, _)| seq);
    let (sort, over, ready) = (paging.sort, false, None);
    let mut export = Export {
        db,
        filter,
        sort,
        after,
        over,
        ready,
    };
    // The first part is read now: a failure can still become a problem.
    export.ready = Some(export.read().await?);
    Ok(Audit::Lines(Box::new(export)))
}

/// The answer: a page, or all of it.
enum Audit {
    Page(AuditEntryPage),
    Lines(Box<Export>),
}

impl Responder for Audit {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        match self {
            Self::Page(page) => page.respond_to(req),
            Self::Lines(export) => HttpResponse::Ok()
                .insert_header((CACHE_CONTROL, "private, no-store"))
                .insert_header((VARY, "Accept, Authorization"))
                .content_type(NDJSON)
                .streaming(stream::unfold(*export, Export::next)),
        }
    }
}

impl IntoResponses for Audit {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let schema = |name: &str| Content::new(Some(Ref::from_schema_name(name)));
        let response = Response::builder()
            .description("What was asked for: a page, or one entry a line.")
            .content("application/json", schema("AuditEntryPage"))
            .content(NDJSON, schema("AuditEntry"));
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}

/// An export under way. It needs no transaction, since history is never changed: each part is a short read of its own.
struct Export {
    db: Db,
    filter: AuditFilter,
    sort: AuditSort,
    after: Option<i64>,
    over: bool,
    ready: Option<Vec<AuditEntry>>,
}

impl Export {
    /// The next part, and the export of those after it.
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        if self.over {
            return None;
        }
        let part = match self.ready.take() {
            Some(rows) => Ok(rows),
            None => self.read().await,
        };
        let part = part.and_then(|rows| {
            self.after = rows.last().map(|row| row.seq).or(self.after);
            self.over = i64::try_from(rows.len()).map_err(Error::internal)? < AT_A_TIME;
            lines(&rows)
        });
        if let Err(e) = &part {
            log::error!(
                "{} the export of the audit breaks off: {e}",
                self.db.context().request_id
            );
            self.over = true;
        }
        Some((part, self))
    }

    async fn read(&self) -> Result<Vec<AuditEntry>> {
        let (filter, sort, after) = (self.filter.clone(), self.sort, self.after);
        let read = move |conn: &mut Read<'_>| {
            let query = matching(&filter).select(AuditEntry::as_select());
            let query = match (sort, after) {
                (AuditSort::Latest, None) => query.order(change_log::seq.desc()),
                (AuditSort::Latest, Some(seq)) => query.order(change_log::seq.desc()).filter(change_log::seq.lt(seq)),
                (AuditSort::Earliest, None) => query.order(change_log::seq.asc()),
                (AuditSort::Earliest, Some(seq)) => query.order(change_log::seq.asc()).filter(change_log::seq.gt(seq)),
            };
            Ok(query.limit(AT_A_TIME).load(conn.conn)?)
        };
        self.db.read(read).await
    }
}

fn lines(rows: &[AuditEntry]) -> Result<Bytes> {
    let mut text = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut text, row).map_err(Error::internal)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

fn list(conn: &mut Read<'_>, filter: &AuditFilter, paging: &Paging<AuditSort>) -> Result<AuditEntryPage> {
    let total = paging.total(conn, |conn| Ok(matching(filter).count().get_result(conn)?))?;
    let query = matching(filter).select(AuditEntry::as_select());
    let rows = match paging.sort {
        AuditSort::Latest => keyset!(query, paging, change_log::row_id, desc change_log::seq, i64),
        AuditSort::Earliest => keyset!(query, paging, change_log::row_id, asc change_log::seq, i64),
    };
    let rows: Vec<AuditEntry> = paging.load(conn.conn, rows)?;
    paging.cut(rows, total, |row| (json!(row.seq), row.id))
}

/// The changes that a caller asks for.
fn matching(filter: &AuditFilter) -> IntoBoxed<'_, change_log::table, Pg> {
    let mut query = change_log::table.into_boxed();
    if let Some(SearchText(actor)) = &filter.actor {
        query = query.filter(change_log::actor.eq(actor));
    }
    if let Some(keys) = filter.organization.some() {
        let organizations = o::table.filter(is_any_of(keys.to_vec())).select(o::id.nullable());
        query = query.filter(change_log::organization_id.eq_any(organizations));
    }
    narrow!(query, change_log::type_, filter.r#type);
    narrow!(query, change_log::op, filter.op);
    narrow!(query, change_log::row_id, filter.id);
    if let Some(SearchText(request)) = &filter.request_id {
        query = query.filter(change_log::request_id.eq(request));
    }
    if let Some(since) = filter.since {
        query = query.filter(change_log::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(change_log::at.lt(until));
    }
    query
}
