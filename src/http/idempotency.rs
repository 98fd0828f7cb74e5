//! Idempotency keys: the first answer to a request is stored for a day, in the transaction of its changes.
//!
//! If the request changed nothing, or its token has no room left, only the digest of the answer is stored. Repeating
//! such a request does a dry run. If the dry run gives that answer, the caller gets it; else 409 says that the request
//! was carried out. No request is carried out twice.

use std::{collections::BTreeMap, marker::PhantomData};

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    PgConnection,
    dsl::min,
    prelude::*,
    sql_types::{BigInt, Bool, Text},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};
use uuid::Uuid;

use super::respond::{Render, Rendered};
use crate::{
    auth::IDEMPOTENCY_KEY,
    db::{
        Context, Tx, last_change,
        schema::{idempotency_keys, kept_answers},
    },
    error::{Error, Place, Result, Violation},
    value::{Id, language::Bilingual},
};

/// How long answers are stored, in hours.
const KEPT: i64 = 24;
/// About how many old answers one request deletes; at its token's limits, as many again of that token.
const SWEPT: i64 = 100;
/// Most keys of one token within a day.
pub const MOST_KEYS: i64 = 100_000;
/// Most bytes of answers that are stored whole for one token.
pub const MOST_BYTES: i64 = 16 << 20;

/// An answer to this request now, or a stored answer to an earlier one with its idempotency key.
#[derive(Debug)]
pub struct Idempotent<R> {
    reply: Rendered,
    replayed: bool,
    kind: PhantomData<R>,
}

impl<R: Render> Idempotent<R> {
    /// An answer to this request now.
    pub fn now(answer: &R) -> Result<Self> {
        Ok(Self::of(answer.reply()?, false))
    }

    fn of(reply: Rendered, replayed: bool) -> Self {
        Self {
            reply,
            replayed,
            kind: PhantomData,
        }
    }
}

impl<R> Responder for Idempotent<R> {
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

impl<R: IntoResponses> IntoResponses for Idempotent<R> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        R::responses()
    }
}

/// A caller's claim to an idempotency key.
#[derive(Debug, Clone)]
pub struct Claim {
    token: Id,
    key: String,
    request: Vec<u8>,
}

#[derive(HasQuery)]
#[diesel(table_name = idempotency_keys)]
struct StoredAnswer {
    request: Vec<u8>,
    status: i32,
    location: Option<String>,
    body: Vec<u8>,
    digest: Option<Vec<u8>>,
}

diesel::define_sql_function! {
    /// Takes a lock until the end of the transaction, if nobody holds it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}
diesel::define_sql_function! {
    /// A hash of a text.
    fn hashtextextended(text: Text, seed: BigInt) -> BigInt;
}

impl Claim {
    /// The caller's claim, if the request has an idempotency key.
    pub fn of(context: &Context, request: &impl Serialize) -> Result<Option<Self>> {
        let (Some(token), Some(repeatable)) = (context.caller.token(), &context.repeatable) else {
            return Ok(None);
        };
        let body = serde_json::to_vec(request).map_err(Error::internal)?;
        Ok(Some(Self {
            token,
            key: repeatable.key.clone(),
            request: repeatable.digest(&body),
        }))
    }

    /// Fails while another request with this key is running. This check comes before the wait for a place in the
    /// history: a request that waits there is running too.
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

    /// The stored answer to this request, else its answer now. Fails if the key was used for another request.
    pub fn answer<R: Render>(
        &self,
        tx: &mut Tx<'_>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R>,
    ) -> Result<Idempotent<R>> {
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
        sweep(tx.conn, None)?;
        let kept = StoredAnswer::query()
            .filter(mine.0)
            .filter(mine.1)
            .first(tx.conn)
            .optional()?;
        if let Some(kept) = kept {
            if kept.request != self.request {
                let detail = Bilingual::new(
                    "このキーは別のリクエストで使われています",
                    "this key was used for another request",
                );
                return Err(Error::Invalid(vec![about("reused", detail)]));
            }
            return kept.again(tx, work);
        }
        let room = self.room(tx)?;
        let reply = work(tx)?.reply()?;
        let can_be_given_again = last_change(tx)? == tx.before;
        let digest = (can_be_given_again || reply.body.len() > room).then(|| digest(&reply));
        let body = if digest.is_some() { &[][..] } else { &reply.body };
        diesel::insert_into(idempotency_keys::table)
            .values((
                mine,
                idempotency_keys::request.eq(&self.request),
                idempotency_keys::status.eq(i32::from(reply.status.as_u16())),
                idempotency_keys::location.eq(&reply.location),
                idempotency_keys::body.eq(body),
                idempotency_keys::digest.eq(digest),
            ))
            .execute(tx.conn)?;
        Ok(Idempotent::of(reply, false))
    }

    /// How many bytes of an answer may be stored for this token. Fails if the token has all the keys it may have.
    fn room(&self, conn: &mut PgConnection) -> Result<usize> {
        let (mut keys, mut bytes) = self.used(conn)?;
        if keys >= MOST_KEYS || bytes >= MOST_BYTES {
            sweep(conn, Some(self.token))?;
            (keys, bytes) = self.used(conn)?;
        }
        if keys < MOST_KEYS {
            return Ok(usize::try_from(MOST_BYTES - bytes).unwrap_or_default());
        }
        let first: Option<DateTime<Utc>> = idempotency_keys::table
            .filter(idempotency_keys::token_id.eq(self.token))
            .select(min(idempotency_keys::created_at))
            .first(conn)?;
        let wait = first.map_or(1, |first| (first - oldest()).num_seconds());
        Err(Error::TooMany {
            seconds: u64::try_from(wait).unwrap_or_default().max(1),
            whose: "token",
        })
    }

    /// How many keys this token has, and how many bytes of answers are stored whole for it.
    fn used(&self, conn: &mut PgConnection) -> Result<(i64, i64)> {
        let used = kept_answers::table
            .find(self.token)
            .select((kept_answers::keys, kept_answers::bytes))
            .first(conn)
            .optional()?;
        Ok(used.unwrap_or_default())
    }
}

/// The time of the oldest answers that are still valid.
fn oldest() -> DateTime<Utc> {
    Utc::now() - TimeDelta::hours(KEPT)
}

/// Deletes expired answers, the oldest first: those of `token`, or of all tokens.
fn sweep(conn: &mut PgConnection, token: Option<Id>) -> Result<()> {
    let whose = || {
        idempotency_keys::token_id
            .eq(token.unwrap_or(Id(Uuid::nil())))
            .or(token.is_none().into_sql::<Bool>())
    };
    let old = idempotency_keys::table
        .filter(idempotency_keys::created_at.lt(oldest()))
        .filter(whose());
    let last: Option<DateTime<Utc>> = old
        .order(idempotency_keys::created_at)
        .offset(SWEPT - 1)
        .select(idempotency_keys::created_at)
        .first(conn)
        .optional()?;
    let until = last.unwrap_or_else(oldest);
    let swept = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(until))
        .filter(whose());
    diesel::delete(swept).execute(conn)?;
    Ok(())
}

/// The digest of an answer.
fn digest(reply: &Rendered) -> Vec<u8> {
    let location = reply.location.as_deref().unwrap_or_default();
    let head = format!("{} {location}\n", reply.status.as_u16());
    Sha256::new()
        .chain_update(head)
        .chain_update(&reply.body)
        .finalize()
        .to_vec()
}

impl StoredAnswer {
    /// The answer once more: as stored or, if only its digest is stored, by a dry run of the request. The dry run's
    /// answer may differ if it changes nothing, as when the request itself asks for a dry run.
    fn again<R: Render>(self, tx: &mut Tx<'_>, work: impl FnOnce(&mut Tx<'_>) -> Result<R>) -> Result<Idempotent<R>> {
        let Some(kept) = &self.digest else {
            return Ok(Idempotent::of(self.reply()?, true));
        };
        let trial = tx.on_trial(|tx| {
            let reply = work(tx)?.reply()?;
            Ok((reply, last_change(tx)? == tx.before))
        });
        match trial {
            Ok((reply, _)) if digest(&reply) == *kept => Ok(Idempotent::of(reply, true)),
            Ok((reply, true)) => Ok(Idempotent::of(reply, false)),
            Err(e) if e.is_failure() => Err(e),
            Ok(_) | Err(_) => {
                let (status, at) = (self.status, self.location.unwrap_or_default());
                let detail = Bilingual::new(
                    format!(
                        "このリクエストは処理済みです（{status} {at}）。回答の全文は保存していないため、内容は読み直してください"
                    ),
                    format!(
                        "this request was carried out ({status} {at}); its answer is not kept, read what came of it"
                    ),
                );
                Err(Error::Conflict(vec![about("carried_out", detail)]))
            }
        }
    }

    fn reply(self) -> Result<Rendered> {
        let status = u16::try_from(self.status).map_err(Error::internal)?;
        Ok(Rendered {
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
