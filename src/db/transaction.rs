//! What changes something: in somebody's name, at one place in the history, followed by all that follows from it.

use std::{
    ops::{Deref, DerefMut},
    thread,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_types::Text};

use super::{
    context::Context,
    in_one_line,
    moment::{as_seen, set_config},
    public_version::Invalidation,
};
use crate::{
    auth::{Caller, EVERY_DRAFT, Permission},
    error::{Error, Result},
    value::{Id, today},
};

/// What follows a write, and a start.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Does, at the end of a transaction, all that follows from what it changed. Tells what that was of what the public sees.
    pub after_write: fn(&mut Tx<'_>) -> Result<Invalidation>,
    /// Brings up to date, a piece at a time, what an older program or somebody with SQL has left behind.
    pub catch_up: fn(&mut PgConnection) -> Result<()>,
}

impl Hooks {
    /// Nothing follows.
    pub const NONE: Self = Self {
        after_write: |_| Ok(Invalidation::NOTHING),
        catch_up: |_| Ok(()),
    };
}

/// What statements run on that change something: they have an actor, and a place in the history.
///
/// There is no other way to one than [`super::Db::write`] or [`write()`], and functions that change something take one.
pub struct Tx<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// Who writes.
    pub caller: &'a Caller,
    /// Why.
    pub reason: Option<String>,
    /// What follows a write.
    pub(super) hooks: Hooks,
    /// The last change before this transaction's own.
    pub before: i64,
    /// The day of all it does.
    pub today: NaiveDate,
    /// Whether it changes a token.
    pub tokens_changed: bool,
}

/// Runs statements that change something on a connection of one's own.
pub fn write<T>(
    conn: &mut PgConnection,
    hooks: Hooks,
    context: &Context,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    conn.transaction(|conn| write_in(conn, hooks, context, work))
        .map(|written| written.given)
}

/// How often, and how long after it began, a transaction that the database undid is tried again.
const TRIES: u32 = 3;
const SOON: Duration = Duration::from_secs(2);

/// Runs a transaction, and again where the database undid it soon after it began, as it does in a deadlock. What took longer
/// was not undone for that, but because it took too long. On a connection that is lost it just fails again.
pub(super) fn with_retries<T>(mut run: impl FnMut() -> Result<T>) -> Result<T> {
    for n in 1..TRIES {
        let begun = Instant::now();
        match run() {
            Err(Error::Undone(why)) if begun.elapsed() < SOON => {
                log::warn!("a transaction was undone, and is tried again: {}", in_one_line(&why));
                // Whoever was in its way goes first.
                thread::sleep(Duration::from_millis(20) * n);
            }
            done => return done,
        }
    }
    run()
}

/// What a transaction gave, and what it changed of what the public sees.
pub(super) struct Written<T> {
    pub(super) given: T,
    pub(super) changed: Invalidation,
    pub(super) tokens_changed: bool,
}

diesel::define_sql_function! {
    /// Takes the place of a write in the history; gives the last change before it.
    fn begin_write(actor: Text, token: Text, request: Text, reason: Text) -> BigInt;
}

/// Within a transaction: takes its place, works, and lets what changed of what is public have its revision and be counted.
pub(super) fn write_in<T>(
    conn: &mut PgConnection,
    hooks: Hooks,
    context: &Context,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<Written<T>> {
    let token = context.caller.token().map(|id| id.to_string()).unwrap_or_default();
    let reason = context.reason.as_deref().unwrap_or_default();
    let begun = begin_write(context.name(), token, &*context.request_id, reason);
    let before = diesel::select(begun).get_result(conn)?;
    as_caller_sees(conn, context)?;
    let mut tx = Tx {
        conn,
        caller: context,
        reason: context.reason.clone(),
        hooks,
        before,
        today: today(),
        tokens_changed: false,
    };
    let given = work(&mut tx)?;
    let changed = (hooks.after_write)(&mut tx)?;
    Ok(Written {
        given,
        changed,
        tokens_changed: tx.tokens_changed,
    })
}

/// For the rest of a transaction that writes, lets what its caller does not see be not there: it is not found, named, compared or
/// changed. Whoever sees everything needs no views for that.
pub(super) fn as_caller_sees(conn: &mut PgConnection, caller: &Caller) -> Result<()> {
    let drafts = caller.drafts();
    if drafts != EVERY_DRAFT {
        as_seen(conn, &drafts)?;
    }
    Ok(())
}

impl Tx<'_> {
    /// Fails unless the caller may do this to something that was looked for: to whom it belongs, if it is there. What the
    /// caller does not see was not found.
    pub fn permit(&self, verb: Permission, thing: &'static str, found: Option<Id>) -> Result<()> {
        match found {
            Some(organization) if self.caller.may(verb, Some(organization)) => Ok(()),
            Some(_) => Err(Error::Forbidden),
            None => Err(Error::NotFound(thing)),
        }
    }

    /// Works on trial: what it does is undone, after everything that would follow from it. What it gives stays.
    pub fn on_trial<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (caller, hooks, before, today) = (self.caller, self.hooks, self.before, self.today);
        let reason = self.reason.clone();
        let mut done = None;
        let undone: Result<()> = self.conn.transaction(|conn| {
            let mut tx = Tx {
                conn,
                caller,
                hooks,
                reason,
                before,
                today,
                tokens_changed: false,
            };
            let given = work(&mut tx)?;
            (hooks.after_write)(&mut tx)?;
            done = Some(given);
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        done.ok_or_else(|| undone.err().unwrap_or_else(|| Error::internal("a trial gave nothing")))
    }

    /// Says why something changes, where the request says it in its body.
    pub fn set_reason(&mut self, reason: &str) -> Result<()> {
        diesel::select(set_config("ward_policy.reason", reason, true)).execute(self.conn)?;
        self.reason = Some(reason.to_owned());
        Ok(())
    }
}

impl Deref for Tx<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.conn
    }
}
impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.conn
    }
}
