//! All valid tokens, in memory: a caller is known without a query, whatever the caller sends.
//!
//! The notification listener loads the directory, and loads it again whenever a token changes. The instance that changes a token
//! loads the directory before it responds.

use std::{
    collections::HashMap,
    fmt,
    future::pending,
    mem::take,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{PgConnection, prelude::*};
use futures_util::future::select;
use parking_lot::{Mutex, RwLock};
use subtle::ConstantTimeEq;
use tokio::{sync::watch, time::sleep};

use super::schema::{token_uses, tokens};
use crate::{
    auth::{
        Scope,
        ticket::{GeneratedTicket, PresentedTicket},
        token::PresentedToken,
    },
    error::Result,
    value::{Id, Time},
};

/// How often the use of a token is noted.
const NOTED: Duration = Duration::from_secs(60);

/// The valid tokens by their handles.
#[derive(Default)]
pub struct TokenDirectory {
    tokens: RwLock<HashMap<String, Arc<Token>>>,
    /// Held from the query to the end of the update, so that no older state replaces a newer one.
    loading: Mutex<()>,
}

/// A token that was valid when it was loaded.
pub struct Token {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) scopes: Arc<[Scope]>,
    handle: String,
    hash: Vec<u8>,
    expires_at: Option<Time>,
    revoked: watch::Sender<bool>,
    /// Whether it was used since its use was last noted.
    used: AtomicBool,
    noted: Mutex<Option<Instant>>,
}

#[derive(HasQuery)]
#[diesel(table_name = tokens)]
struct StoredToken {
    id: Id,
    name: String,
    handle: String,
    hash: Vec<u8>,
    scopes: Vec<String>,
    expires_at: Option<Time>,
}

impl TokenDirectory {
    /// The valid token that a caller presents. Unknown, wrong, expired and revoked tokens look alike.
    #[must_use]
    pub fn find(&self, presented: &PresentedToken) -> Option<Arc<Token>> {
        let token = self.tokens.read().get(&presented.handle).cloned();
        // In constant time, and also if no token has this handle.
        let kept = token.as_ref().map_or(&[0; 32][..], |token| &token.hash);
        let same = bool::from(kept.ct_eq(&presented.hash));
        token.filter(|token| same && token.is_valid())
    }

    /// The valid token that a presented ticket was made for. It does not tell whether the ticket has been used.
    #[must_use]
    pub fn find_by_ticket(&self, presented: &PresentedTicket) -> Option<Arc<Token>> {
        let token = self.tokens.read().get(&presented.handle).cloned();
        token.filter(|token| presented.is_for(&token.hash) && token.is_valid())
    }

    /// Loads the valid tokens from the database, and ends the tokens that are valid no more.
    pub fn load(&self, conn: &mut PgConnection) -> Result<()> {
        let _loading = self.loading.lock();
        let rows: Vec<StoredToken> = StoredToken::query().filter(tokens::revoked_at.is_null()).load(conn)?;
        let mut tokens = self.tokens.write();
        let mut before = take(&mut *tokens);
        for row in rows {
            let known = before.remove(&row.handle);
            let token = match known {
                Some(known) if known.is_still(&row) => known,
                replaced => {
                    if let Some(replaced) = replaced {
                        end(&replaced);
                    }
                    Arc::new(Token::from_row(&row))
                }
            };
            tokens.insert(row.handle, token);
        }
        for gone in before.into_values() {
            end(&gone);
        }
        Ok(())
    }

    /// Notes in the database which tokens were used, each at most once a minute.
    pub fn note_uses(&self, conn: &mut PgConnection) -> Result<()> {
        let due: Vec<Arc<Token>> = self
            .tokens
            .read()
            .values()
            .filter(|token| token.is_due())
            .cloned()
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let now = token_uses::last_used_at.eq(Time::now());
        let uses: Vec<_> = due
            .iter()
            .map(|token| (token_uses::token_id.eq(token.id), now))
            .collect();
        for token in &due {
            token.used.store(false, Ordering::Relaxed);
            *token.noted.lock() = Some(Instant::now());
        }
        diesel::insert_into(token_uses::table)
            .values(uses)
            .on_conflict(token_uses::token_id)
            .do_update()
            .set(now)
            .execute(conn)?;
        Ok(())
    }
}

fn end(token: &Token) {
    token.revoked.send_replace(true);
}

impl Token {
    fn from_row(row: &StoredToken) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            scopes: scopes(row),
            handle: row.handle.clone(),
            hash: row.hash.clone(),
            expires_at: row.expires_at,
            revoked: watch::Sender::new(false),
            used: AtomicBool::new(false),
            noted: Mutex::new(None),
        }
    }

    /// Whether the token is unchanged in the database.
    fn is_still(&self, row: &StoredToken) -> bool {
        self.id == row.id
            && self.name == row.name
            && self.hash == row.hash
            && self.expires_at == row.expires_at
            && self.scopes == scopes(row)
    }

    /// Whether the token has neither been revoked nor expired.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !*self.revoked.borrow() && self.expires_at.is_none_or(|end| end > Time::now())
    }

    /// Waits until the token is revoked or expires.
    pub async fn ended(&self) {
        let mut revoked = self.revoked.subscribe();
        let revocation = async {
            if revoked.wait_for(|revoked| *revoked).await.is_err() {
                pending::<()>().await;
            }
        };
        let expiry = async {
            match self.expires_at {
                Some(end) => sleep((end.0 - Time::now().0).to_std().unwrap_or_default()).await,
                None => pending().await,
            }
        };
        select(pin!(revocation), pin!(expiry)).await;
    }

    /// A new ticket that stands for the token.
    pub fn ticket(&self) -> Result<GeneratedTicket> {
        GeneratedTicket::generate(&self.handle, &self.hash)
    }

    /// Notes that a request was made with the token.
    pub fn use_now(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    fn is_due(&self) -> bool {
        self.used.load(Ordering::Relaxed) && self.noted.lock().is_none_or(|noted| noted.elapsed() > NOTED)
    }
}

/// Shows the name alone: no log may show the hash.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn scopes(row: &StoredToken) -> Arc<[Scope]> {
    row.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect()
}
