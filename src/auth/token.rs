//! Tokens: how they look, how they are made, and how one that is given is found.
//!
//! `wardpolicy_<handle>_<secret>`: the handle finds the row and may be seen, the secret is 256 random bits of which only
//! the SHA-256 is kept.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::http::header::HeaderValue;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Caller, Scope};
use crate::{
    connection::Connection,
    db::Database,
    error::{Error, Result},
    schema::{token_uses, tokens},
    value::{Id, Time, hex},
};

/// What every token begins with, so that people and programs that look for leaked secrets recognize one.
pub const PREFIX: &str = "wardpolicy_";
/// How often the use of a token is noted.
const NOTED: Duration = Duration::from_secs(60);

/// A new token, whole; shown once and kept nowhere.
pub struct Secret {
    /// What the holder keeps.
    pub token: String,
    /// The part that may be seen.
    pub handle: String,
    /// What is kept of the rest.
    pub hash: Vec<u8>,
}

impl Secret {
    /// A new one.
    pub fn generate() -> Result<Self> {
        let (mut handle, mut secret) = ([0; 6], [0; 32]);
        getrandom::fill(&mut handle).map_err(Error::internal)?;
        getrandom::fill(&mut secret).map_err(Error::internal)?;
        let handle = hex(&handle);
        let secret = BASE64_URL_SAFE_NO_PAD.encode(secret);
        Ok(Self {
            token: format!("{PREFIX}{handle}_{secret}"),
            hash: hash(&secret),
            handle,
        })
    }
}

fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// A token as a caller gives it. It has no `Debug`: no log may show it.
pub struct Given {
    handle: String,
    hash: Vec<u8>,
}

impl Given {
    /// Reads `Bearer wardpolicy_…`.
    #[must_use]
    pub fn read(authorization: &HeaderValue) -> Option<Self> {
        let (scheme, token) = authorization.to_str().ok()?.trim().split_once(' ')?;
        let (handle, secret) = token.trim().strip_prefix(PREFIX)?.split_once('_')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Self {
            handle: handle.to_owned(),
            hash: hash(secret),
        })
    }
}

#[derive(HasQuery)]
#[diesel(table_name = tokens)]
struct Row {
    id: Id,
    name: String,
    hash: Vec<u8>,
    scopes: Vec<String>,
    expires_at: Option<Time>,
    revoked_at: Option<Time>,
}

/// Who holds this token. One that is unknown, wrong, expired or revoked is nobody's, and all of these look alike.
pub async fn find(database: &Database, given: Given, connection: Option<Arc<Connection>>) -> Result<Caller> {
    let row = database
        .of(Caller::anonymous().on(connection))
        .on_primary()
        .read(move |conn| {
            let row = Row::query()
                .filter(tokens::handle.eq(&given.handle))
                .first(conn.conn)
                .optional()?;
            // Compared even where there is nothing to compare with, and in constant time.
            let kept = row.as_ref().map_or_else(|| vec![0; 32], |row| row.hash.clone());
            let same = bool::from(kept.ct_eq(&given.hash));
            Ok(row.filter(|_| same))
        })
        .await?;
    let now = Time::now();
    let row = row.filter(|row| row.revoked_at.is_none() && row.expires_at.is_none_or(|end| end > now));
    let row = row.ok_or(Error::InvalidToken)?;
    note_use(database, row.id).await;
    let scopes = row.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect();
    Ok(Caller::new(row.name, Some(row.id), scopes))
}

/// Notes that a token is used; at most once a minute by each process, and a failure to note it is no failure.
async fn note_use(database: &Database, id: Id) {
    static NOTES: LazyLock<Mutex<HashMap<Id, Instant>>> = LazyLock::new(Mutex::default);
    let fresh = {
        let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
        let due = notes.get(&id).is_none_or(|noted| noted.elapsed() > NOTED);
        if due {
            notes.insert(id, Instant::now());
        }
        due
    };
    if !fresh {
        return;
    }
    let noted = database
        .note(move |conn| {
            let now = token_uses::last_used_at.eq(Time::now());
            diesel::insert_into(token_uses::table)
                .values((token_uses::token_id.eq(id), now))
                .on_conflict(token_uses::token_id)
                .do_update()
                .set(now)
                .execute(conn)?;
            Ok(())
        })
        .await;
    if let Err(e) = noted {
        log::warn!("the use of a token is not noted: {e}");
    }
}
