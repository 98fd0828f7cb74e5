//! Stored tickets: each opens one stream, on whichever instance it is presented first.
//!
//! A ticket is a row. Whoever deletes the row may open the stream: PostgreSQL lets one transaction delete it, however many
//! instances try. These statements belong to no history and do not wait for its writers.

use std::sync::Arc;

use diesel::{
    PgConnection,
    dsl::{IntervalDsl, count_star, now},
    prelude::*,
    sql_types::{BigInt, Text, Timestamptz},
};

use super::{Db, FOLLOWERS_SHARE, instrumentation::RequestScope, schema::stream_tickets};
use crate::{
    auth::CallerKey,
    error::{Error, Result},
    value::{Id, Time},
};

/// How long a ticket is good for, in seconds.
pub const LIFETIME: i32 = 60;

diesel::define_sql_function! {
    /// Takes a lock until the end of the transaction.
    fn pg_advisory_xact_lock(key: BigInt);
}
diesel::define_sql_function! {
    /// A hash of a text.
    fn hashtextextended(text: Text, seed: BigInt) -> BigInt;
}

impl Db {
    /// Stores a ticket of the caller, and tells when it expires. A caller may have as many as it may open streams, and so
    /// may all callers together.
    pub async fn store_ticket(&self, hash: Vec<u8>) -> Result<Time> {
        let token = self.context.caller.token().ok_or(Error::Unauthenticated)?;
        let most = i64::try_from(self.database.bounds.followers).unwrap_or(i64::MAX);
        self.on_tickets(move |conn| conn.transaction(|conn| store(conn, token, &hash, most)))
            .await
    }

    /// Takes a ticket of the caller away; `false` if it is not there any more.
    pub async fn take_ticket(&self, hash: Vec<u8>) -> Result<bool> {
        let token = self.context.caller.token().ok_or(Error::Unauthenticated)?;
        self.on_tickets(move |conn| {
            let there = stream_tickets::table
                .find(hash)
                .filter(stream_tickets::token_id.eq(token))
                .filter(stream_tickets::expires_at.gt(now));
            Ok(diesel::delete(there).execute(conn)? == 1)
        })
        .await
    }

    async fn on_tickets<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let readers = &self.database.readers;
        let permit = readers.acquire(&self.context).await?;
        let request = Arc::clone(&self.context.request_id);
        let run = move |conn: &mut PgConnection, _: &_| {
            let _for = RequestScope::request(request);
            work(conn)
        };
        readers
            .run(permit, self.database.bounds.read, Some(&self.context), run)
            .await
    }
}

fn store(conn: &mut PgConnection, token: Id, hash: &[u8], most: i64) -> Result<Time> {
    // One after the other, so that the count is right.
    diesel::select(pg_advisory_xact_lock(hashtextextended("stream_tickets", 0))).execute(conn)?;
    diesel::delete(stream_tickets::table.filter(stream_tickets::expires_at.le(now))).execute(conn)?;
    let all = stream_tickets::table.select(count_star());
    let own: i64 = all.filter(stream_tickets::token_id.eq(token)).first(conn)?;
    if own >= most / i64::try_from(FOLLOWERS_SHARE).unwrap_or(1) {
        return Err(Error::TooMany {
            seconds: u64::try_from(LIFETIME).unwrap_or_default(),
            whose: CallerKey::Token(token).kind(),
        });
    }
    let all: i64 = all.first(conn)?;
    if all >= most {
        return Err(Error::Unavailable("there are too many tickets".to_owned()));
    }
    let ticket = (
        stream_tickets::hash.eq(hash),
        stream_tickets::token_id.eq(token),
        stream_tickets::expires_at.eq(now.into_sql::<Timestamptz>() + LIFETIME.seconds()),
    );
    let stored = diesel::insert_into(stream_tickets::table).values(ticket);
    Ok(stored.returning(stream_tickets::expires_at).get_result(conn)?)
}
