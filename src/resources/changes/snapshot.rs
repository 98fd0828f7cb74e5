//! Everything the caller may see, at one place in the history: where a copy begins.

use std::{collections::BTreeMap, fmt::Write};

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, get, http::header};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Jsonb, Uuid},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response},
};

use super::{ChangeType, reading, state::put_in_words};
use crate::{
    db::{ChunkSender, ChunkStream, Db, Read, schema::change_log},
    error::{Error, Result},
    http::{media_type::NDJSON, query::NoQuery},
    value::{Id, Time},
};

/// Rows read at a time.
const STRETCH: i64 = 200;
/// The tables, parents before children: type, table, and the column that the history keeps as the version.
const TABLES: [(ChangeType, &str, &str); 8] = [
    (ChangeType::Organization, "organizations", "t.version"),
    (ChangeType::Policy, "policies", "t.version"),
    (ChangeType::SelfEvaluation, "self_evaluations", "t.version"),
    (ChangeType::Goal, "goals", "t.version"),
    (ChangeType::Budget, "budgets", "t.version"),
    (ChangeType::Indicator, "indicators", "t.version"),
    (ChangeType::Result, "results", "t.version"),
    (ChangeType::Revision, "revisions", "t.number::bigint"),
];

/// The first line of a snapshot: the place in the history at which it is true.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotHead {
    /// From here on, `/v1/changes` tells what comes after it.
    #[schema(max_length = 100)]
    pub cursor: String,
    /// The number of the last change it shows.
    #[schema(minimum = 0)]
    pub seq: i64,
    /// When that happened; null where nothing ever did.
    pub at: Option<Time>,
    /// Which history this is.
    #[schema(max_length = 100)]
    pub epoch: String,
}

/// A thing, as it is stored.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotRow {
    /// What it is.
    pub r#type: ChangeType,
    /// Its identifier.
    pub id: Id,
    /// Its version.
    #[schema(minimum = 1)]
    pub version: i64,
    /// The thing, by its columns: the same as the `after` of the last change of it.
    #[schema(value_type = Object)]
    pub state: Value,
}

/// The last line of a snapshot; one without it has broken off.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotEnd {
    /// True.
    pub end: bool,
    /// How many things there were.
    #[schema(minimum = 0)]
    pub rows: i64,
}

/// A line of a snapshot: its head, a thing, or its end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SnapshotLine {
    /// The first line.
    Head(SnapshotHead),
    /// One line for each thing.
    Row(SnapshotRow),
    /// The last line.
    End(SnapshotEnd),
}

/// Reads everything.
///
/// One JSON object on each line: first the place in the history at which all of it is true, then every thing the caller may
/// see, organizations first and what belongs to something after it, and last how many there were; without that last line the
/// answer has broken off. Go on from `cursor` with `/v1/changes`: nothing is lost, nothing comes twice. Two at a time are
/// served, the next is told to come back (503); who does not read on for 30 seconds, or takes more than ten minutes, is let go.
#[utoipa::path(tag = "changes")]
#[get("/snapshot")]
pub(super) async fn read_snapshot(db: Db, _: NoQuery) -> Result<Snapshot> {
    db.stream(write).await.map(Snapshot)
}

fn write(conn: &mut Read<'_>, out: &ChunkSender) -> Result<()> {
    let place = reading::head(conn)?;
    let head = SnapshotHead {
        cursor: place.text(),
        seq: place.seq,
        at: time_of(conn, place.seq)?,
        epoch: place.epoch,
    };
    out.send(line(&head)?)?;
    let mut rows = 0;
    for (kind, table, version) in TABLES {
        let mut after = Id(uuid::Uuid::nil());
        loop {
            let mut stretch = stretch(conn, table, version, after)?;
            put_in_words(conn, stretch.iter_mut().map(|row| (kind, &mut row.state)))?;
            let Some(last) = stretch.last() else { break };
            after = last.id;
            let mut text = String::new();
            for row in &stretch {
                writeln!(
                    text,
                    r#"{{"type":"{kind}","id":"{}","version":{},"state":{}}}"#,
                    row.id, row.version, row.state
                )
                .map_err(Error::internal)?;
                rows += 1;
            }
            out.send(text)?;
        }
    }
    out.send(line(&SnapshotEnd { end: true, rows })?)
}

fn line<T: Serialize>(of: &T) -> Result<String> {
    serde_json::to_string(of)
        .map(|line| line + "\n")
        .map_err(Error::internal)
}

fn time_of(conn: &mut PgConnection, seq: i64) -> Result<Option<Time>> {
    use diesel::prelude::*;
    Ok(change_log::table
        .find(seq)
        .select(change_log::at)
        .first(conn)
        .optional()?)
}

#[derive(QueryableByName)]
struct StoredRow {
    #[diesel(sql_type = Uuid)]
    id: Id,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Jsonb)]
    state: Value,
}

/// The next rows of a table, as the history keeps them.
#[expect(
    clippy::disallowed_methods,
    reason = "a whole row as JSON is nothing the query DSL can say"
)]
fn stretch(conn: &mut PgConnection, table: &str, version: &str, after: Id) -> Result<Vec<StoredRow>> {
    let query = format!(
        "select t.id, {version} as version, to_jsonb(t) - 'document' as state \
         from {table} t where t.id > $1 order by t.id limit {STRETCH}"
    );
    Ok(sql_query(query).bind::<Uuid, _>(after).load(conn)?)
}

/// Lines, as they are read.
pub(super) struct Snapshot(ChunkStream);

impl Responder for Snapshot {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(NDJSON)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .streaming(self.0)
    }
}

impl IntoResponses for Snapshot {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = Content::new(Some(Ref::from_schema_name(SnapshotLine::name())));
        let response = Response::builder()
            .description("Everything, one JSON object on each line.")
            .content(NDJSON, content);
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}
