//! Requests that may be repeated: the first answer is kept, in the same transaction as what it answers to, for a day.

use std::{collections::BTreeMap, marker::PhantomData};

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    PgConnection,
    prelude::*,
    sql_types::{BigInt, Text},
};
use serde::Serialize;
use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

use crate::{
    auth::{Caller, IDEMPOTENCY_KEY},
    db::Tx,
    error::{Error, Place, Result, Violation},
    extract::{IntoReply, Reply},
    language::Bilingual,
    schema::idempotency_keys,
    value::{Id, Time},
};

/// How long answers are kept, in hours.
const KEPT: i64 = 24;
/// About how many answers one request throws away.
const SWEPT: i64 = 100;

/// An answer that was given now, or to the same request before.
#[derive(Debug)]
pub struct Once<R> {
    reply: Reply,
    replayed: bool,
    kind: PhantomData<R>,
}

impl<R: IntoReply> Once<R> {
    /// An answer that is given now.
    pub fn now(answer: &R) -> Result<Self> {
        Ok(Self::of(answer.reply()?, false))
    }

    fn of(reply: Reply, replayed: bool) -> Self {
        Self {
            reply,
            replayed,
            kind: PhantomData,
        }
    }
}

impl<R> Responder for Once<R> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = self.reply.respond_to(req);
        if self.replayed {
            let name = actix_web::http::header::HeaderName::from_static("idempotency-replayed");
            response
                .headers_mut()
                .insert(name, actix_web::http::header::HeaderValue::from_static("true"));
        }
        response
    }
}

impl<R: IntoResponses> IntoResponses for Once<R> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        R::responses()
    }
}

/// A caller's claim to a key.
#[derive(Debug, Clone)]
pub struct Claim {
    token: Id,
    key: String,
    request: Vec<u8>,
}

#[derive(HasQuery)]
#[diesel(table_name = idempotency_keys)]
struct Row {
    request: Vec<u8>,
    status: i32,
    location: Option<String>,
    body: Vec<u8>,
}

diesel::define_sql_function! {
    /// Takes a lock until the end of the transaction, if it is free.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}
diesel::define_sql_function! {
    /// A hash of a text.
    fn hashtextextended(text: Text, seed: BigInt) -> BigInt;
}

impl Claim {
    /// What the caller claims, if the request has a key.
    pub fn of(caller: &Caller, request: &impl Serialize) -> Result<Option<Self>> {
        let (Some(token), Some(repeatable)) = (caller.token(), caller.repeatable()) else {
            return Ok(None);
        };
        let body = serde_json::to_vec(request).map_err(Error::internal)?;
        Ok(Some(Self {
            token,
            key: repeatable.key.clone(),
            request: repeatable.digest(&body),
        }))
    }

    /// Fails while another request with the key is running. Comes before the wait for one's turn to write: who waits
    /// there is running too.
    pub fn begin(&self, conn: &mut PgConnection) -> Result<()> {
        let name = hashtextextended(format!("{} {}", self.token, self.key), 0);
        let mine: bool = diesel::select(pg_try_advisory_xact_lock(name)).get_result(conn)?;
        let detail = Bilingual::new(
            "同じキーのリクエストを処理中です。終わってからやり直してください",
            "a request with this key is still running; retry when it is done",
        );
        if mine {
            Ok(())
        } else {
            Err(Error::Conflict(vec![about("running", detail)]))
        }
    }

    /// The answer to the same request before, or to this one now; another request has no answer.
    pub fn answer<R: IntoReply>(
        &self,
        tx: &mut Tx<'_>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R>,
    ) -> Result<Once<R>> {
        let mine = (
            idempotency_keys::token_id.eq(self.token),
            idempotency_keys::key.eq(&self.key),
        );
        let mine_is_old = idempotency_keys::created_at.lt(oldest());
        diesel::delete(
            idempotency_keys::table
                .filter(mine.0)
                .filter(mine.1)
                .filter(mine_is_old),
        )
        .execute(tx.conn)?;
        sweep(tx.conn)?;
        let kept = Row::query().filter(mine.0).filter(mine.1).first(tx.conn).optional()?;
        if let Some(kept) = kept {
            if kept.request != self.request {
                let detail = Bilingual::new(
                    "このキーは別のリクエストで使われています",
                    "this key was used for another request",
                );
                return Err(Error::Invalid(vec![about("reused", detail)]));
            }
            return Ok(Once::of(kept.reply()?, true));
        }
        let reply = work(tx)?.reply()?;
        diesel::insert_into(idempotency_keys::table)
            .values((
                mine,
                idempotency_keys::request.eq(&self.request),
                idempotency_keys::status.eq(i32::from(reply.status.as_u16())),
                idempotency_keys::location.eq(&reply.location),
                idempotency_keys::body.eq(&reply.body),
            ))
            .execute(tx.conn)?;
        Ok(Once::of(reply, false))
    }
}

/// When the oldest answers were given that still hold.
fn oldest() -> DateTime<Utc> {
    Utc::now() - TimeDelta::hours(KEPT)
}

/// Throws old answers away, the oldest first.
fn sweep(conn: &mut PgConnection) -> Result<()> {
    let old = idempotency_keys::created_at.lt(oldest());
    let last: Option<Time> = idempotency_keys::table
        .filter(old)
        .order(idempotency_keys::created_at)
        .offset(SWEPT - 1)
        .select(idempotency_keys::created_at)
        .first(conn)
        .optional()?;
    let swept = idempotency_keys::table.filter(old);
    match last {
        Some(last) => diesel::delete(swept.filter(idempotency_keys::created_at.le(last))).execute(conn)?,
        None => diesel::delete(swept).execute(conn)?,
    };
    Ok(())
}

impl Row {
    fn reply(self) -> Result<Reply> {
        let status = u16::try_from(self.status).map_err(Error::internal)?;
        Ok(Reply {
            status: StatusCode::from_u16(status).map_err(Error::internal)?,
            location: self.location,
            body: self.body,
        })
    }
}

fn about(code: &'static str, detail: Bilingual) -> Violation {
    Violation {
        place: Place::Header(IDEMPOTENCY_KEY),
        code,
        detail,
        suggestion: None,
    }
}
