//! Transactions that write: in a caller's name, at one place in the history, with the hooks that follow.

use std::{
    ops::{Deref, DerefMut},
    thread,
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use diesel::{Connection, PgConnection, QueryDsl, RunQueryDsl, sql_types::Text};

use super::{
    context::Context,
    in_one_line,
    moment::{as_seen, set_config},
    public_version::Invalidation,
    schema::organizations,
};
use crate::{
    auth::{Caller, EVERY_DRAFT, Permission},
    error::{Error, Result},
    value::{Id, today},
};

/// What others have to do after a write, and after a start.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Runs at the end of every transaction that writes. Tells which public data the transaction has changed.
    pub after_write: fn(&mut Tx<'_>) -> Result<Invalidation>,
    /// Brings derived data up to date, a piece at a time, after an older program or somebody with SQL has written.
    pub catch_up: fn(&mut PgConnection) -> Result<()>,
}

impl Hooks {
    /// No hooks: for writes that change derived data alone.
    pub const NONE: Self = Self {
        after_write: |_| Ok(Invalidation::NOTHING),
        catch_up: |_| Ok(()),
    };
}

/// A transaction that writes: it has an actor, and a place in the history.
///
/// Only [`super::Db::write`] and [`write()`] make one, and every function that changes something takes one.
pub struct Tx<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// Who writes.
    pub caller: &'a Context,
    /// Why something changes.
    pub reason: Option<String>,
    /// What follows the write.
    pub(super) hooks: Hooks,
    /// The number of the last change before the transaction.
    pub before: i64,
    /// The number of the last change that evaluations were counted with.
    pub counted: i64,
    /// The day of all that the transaction does.
    pub today: NaiveDate,
    /// Whether the transaction changes a token.
    pub tokens_changed: bool,
}

/// Runs a transaction that writes, on a connection of the caller's own.
pub fn write<T>(
    conn: &mut PgConnection,
    hooks: Hooks,
    context: &Context,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    conn.transaction(|conn| write_in(conn, hooks, context, work))
        .map(|written| written.given)
}

/// How often a transaction is tried that the database rolls back, and how long after its beginning it is tried again.
const TRIES: u32 = 3;
const SOON: Duration = Duration::from_secs(2);

/// Runs a transaction, and runs it again if the database rolled it back soon after it began, as in a deadlock. A transaction that
/// took longer ran into a timeout. On a lost connection the transaction fails again.
pub(super) fn with_retries<T>(mut run: impl FnMut() -> Result<T>) -> Result<T> {
    for n in 1..TRIES {
        let begun = Instant::now();
        match run() {
            Err(Error::Undone(why)) if begun.elapsed() < SOON => {
                log::warn!("a transaction was undone, and is tried again: {}", in_one_line(&why));
                // The transaction that it collided with goes first.
                thread::sleep(Duration::from_millis(20) * n);
            }
            done => return done,
        }
    }
    run()
}

/// A transaction's result, and which public data it changed.
pub(super) struct Written<T> {
    pub(super) given: T,
    pub(super) changed: Invalidation,
    pub(super) tokens_changed: bool,
}

diesel::define_sql_function! {
    /// Takes the place of a write in the history. Gives the number of the last change before it.
    fn begin_write(actor: Text, token: Text, request: Text, reason: Text) -> BigInt;
}

/// Within a transaction: takes its place in the history, runs the work, then the hooks.
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
        counted: before,
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

/// For the rest of a transaction that writes, hides the rows that its caller may not see: they are not found, named, compared or
/// changed. A caller who may see everything needs no views.
pub(super) fn as_caller_sees(conn: &mut PgConnection, caller: &Caller) -> Result<()> {
    let drafts = caller.drafts();
    if drafts != EVERY_DRAFT {
        as_seen(conn, &drafts)?;
    }
    Ok(())
}

impl Tx<'_> {
    /// Fails unless the caller has a permission in the organization that a row belongs to. `found` is that organization, or `None`
    /// if no row was found; a row that the caller may not see was not found.
    pub fn permit(&mut self, permission: Permission, thing: &'static str, found: Option<Id>) -> Result<()> {
        match found {
            Some(organization) if self.caller.may(permission, Some(organization)) => Ok(()),
            Some(organization) => Err(self.lacks(permission, organization)),
            None => Err(Error::NotFound(thing)),
        }
    }

    /// The error of a caller without a permission in an organization. The caller sees what belongs to it, and so its name.
    fn lacks(&mut self, permission: Permission, organization: Id) -> Error {
        let slug = organizations::table.find(organization).select(organizations::slug);
        match slug.first::<String>(self.conn) {
            Ok(slug) => Error::Forbidden(format!("{}:{slug}", permission.code())),
            Err(e) => e.into(),
        }
    }

    /// A dry run: the work and its hooks are rolled back, and the result is kept.
    pub fn on_trial<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (caller, hooks, before, counted, today) = (self.caller, self.hooks, self.before, self.counted, self.today);
        let reason = self.reason.clone();
        let mut done = None;
        let undone: Result<()> = self.conn.transaction(|conn| {
            let mut tx = Tx {
                conn,
                caller,
                hooks,
                reason,
                before,
                counted,
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

    /// Runs the hooks now, for an answer that shows what they do. They run once more at the end, and find nothing left to do.
    pub fn run_hooks(&mut self) -> Result<()> {
        (self.hooks.after_write)(self).map(drop)
    }

    /// Sets why something changes, if the request says so in its body.
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
