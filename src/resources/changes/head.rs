//! Where the history ends, and the hash that stands for all of it.

use actix_web::get;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    cursor::{Cursor, hex, mark},
    filter::Seq,
    reading,
};
use crate::{
    db::{
        Db,
        schema::{change_log, changes},
    },
    error::{Error, Result},
    http::{query::Query, respond::Answer},
    query,
    value::Time,
};

query! {
    /// Which place.
    pub struct At {
        /// The place after the change with this number; 0 is the beginning. Without it, the end.
        pub seq: Option<Seq>,
    }
}

/// A place in the history.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangeHead {
    /// The number of the last change before it; 0 at the beginning.
    #[schema(minimum = 0)]
    pub seq: i64,
    /// When that happened; null at the beginning, and where the caller may not see it.
    pub at: Option<Time>,
    /// Its hash, SHA-256 in hexadecimal, which holds the hash of the change before, and so all before; empty at the beginning.
    #[schema(max_length = 64, pattern = "^([0-9a-f]{64})?$")]
    pub hash: String,
    /// From here on, `/v1/changes` tells what comes after it.
    #[schema(max_length = 100)]
    pub cursor: String,
    /// Which history this is; another one after the database was restored from a copy.
    #[schema(max_length = 100)]
    pub epoch: String,
}

/// Reads where the history ends: after the last change that the caller may see.
///
/// Or, with `seq`, an earlier place. Whoever once noted `seq` and `hash` can ask later whether the history still holds the
/// same up to there: another hash, or 404, says that it was altered. 404 too for a place that the caller has not reached yet.
/// What the caller may not see moves the end only with the next change that it may: the numbers in between tell how much
/// there was of it, and nothing else.
#[utoipa::path(tag = "changes", params(At))]
#[get("/changes/head")]
pub(super) async fn read_head(db: Db, Query(wanted): Query<At>) -> Result<Answer<ChangeHead>> {
    let db = db.on_primary();
    db.read(move |conn| {
        let Cursor { epoch, seq: last, .. } = reading::head(conn)?;
        let seq = wanted.seq.map_or(last, |Seq(seq)| seq);
        if seq > last {
            return Err(Error::NotFound("change"));
        }
        let hash = change_log::table.find(seq).select(change_log::hash);
        let hash: Option<Vec<u8>> = hash.first(conn.conn).optional()?;
        if hash.is_none() && seq != 0 {
            return Err(Error::NotFound("change"));
        }
        let hash = hash.unwrap_or_default();
        let at: Option<Time> = changes::table
            .find(seq)
            .select(changes::at)
            .first(conn.conn)
            .optional()?;
        let cursor = Cursor {
            epoch,
            seq,
            mark: mark(&hash),
        };
        Ok(Answer(ChangeHead {
            seq,
            at,
            hash: hex(&hash),
            cursor: cursor.text(),
            epoch: cursor.epoch,
        }))
    })
    .await
}
