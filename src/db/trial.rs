//! Trials (dry runs): a write is done and rolled back, without blocking other writers.
//!
//! A trial is a transaction on a pool of its own. A trigger keeps it from being committed. It does not take the writers' lock and
//! has no place in the history. It holds only row locks: on the rows that it changes, and on their parents against removal. A writer
//! that needs one of these rows waits for the trial, and other writers wait behind it. That takes no longer than about [`GRACE`] and
//! [`LOOK`], since a trial that blocks a writer is ended. A trial itself waits for a writer's row locks as long as a writer would.

use std::{
    pin::pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use diesel::{
    PgConnection, RunQueryDsl,
    result::Error::RollbackTransaction,
    sql_types::{Integer, Text},
};
use futures_util::future::{Either, select};
use tokio::time::sleep;

use super::{
    Database, Db, consistency,
    context::Context,
    instrumentation::RequestScope,
    running::{Running, backend_pid},
    transaction::{Hooks, Tx, as_caller_sees, with_retries},
};
use crate::{
    error::{Error, Result},
    value::today,
};

/// How long a trial may run before it is checked for the first time.
const GRACE: Duration = Duration::from_millis(100);
/// How often a trial is checked for blocking a writer.
const LOOK: Duration = Duration::from_millis(100);
/// How long one check may take.
const LOOKED: Duration = Duration::from_secs(1);

diesel::define_sql_function! {
    /// Begins a trial.
    fn begin_trial(actor: Text, token: Text, request: Text, reason: Text);
}
diesel::define_sql_function! {
    /// Whether a transaction waits for a lock that this server process holds.
    fn is_in_the_way(process: Integer) -> Bool;
}

/// Runs a write on a connection of the caller's own and rolls it back. The result is kept.
pub fn try_out<T>(
    conn: &mut PgConnection,
    hooks: Hooks,
    context: &Context,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let mut done = None;
    let undone: Result<()> = conn.build_transaction().repeatable_read().run(|conn| {
        let token = context.caller.token().map(|id| id.to_string()).unwrap_or_default();
        let reason = context.reason.as_deref().unwrap_or_default();
        // Before the trial begins, which puts its own log first in the search path.
        as_caller_sees(conn, context)?;
        let begun = begin_trial(context.name(), token, &*context.request_id, reason);
        diesel::select(begun).execute(conn)?;
        let mut tx = Tx {
            conn,
            caller: context,
            reason: context.reason.clone(),
            hooks,
            // The log of a trial holds its own changes alone.
            before: 0,
            counted: 0,
            today: today(),
            tokens_changed: false,
        };
        done = Some(work(&mut tx)?);
        Err(RollbackTransaction.into())
    });
    done.ok_or_else(|| undone.err().unwrap_or_else(|| Error::internal("a trial gave nothing")))
}

impl Db {
    /// Runs a write in the caller's name and rolls it back. The result is kept.
    pub async fn try_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let Database { trials, bounds, .. } = &self.database;
        let permit = trials.acquire(&self.context).await?;
        let (context, process) = (self.context.clone(), Arc::new(OnceLock::new()));
        let hooks = self.database.hooks;
        let theirs = Arc::clone(&process);
        let run = move |conn: &mut PgConnection, running: &Running| {
            let _for = RequestScope::request(Arc::clone(&context.request_id));
            // Every attempt has the same connection.
            let _ = theirs.set(backend_pid(conn)?);
            let tried = with_retries(|| {
                running.begin()?;
                try_out(conn, hooks, &context, work.clone())
            })?;
            // The caller may read the state that the trial was run on.
            context.consistency.wrote(consistency::reached(conn)?);
            Ok(tried)
        };
        let tried = pin!(trials.run(permit, bounds.write, Some(&self.context), run));
        match select(tried, pin!(self.database.in_the_way(&process))).await {
            Either::Left((done, _)) => done,
            // Dropping the trial ends it.
            Either::Right(((), _tried)) => Err(Error::Unavailable("somebody writes to what is being tried".to_owned())),
        }
    }
}

impl Database {
    /// Waits until a transaction waits for a lock of this server process.
    async fn in_the_way(&self, process: &OnceLock<i32>) {
        sleep(GRACE).await;
        loop {
            if let Some(process) = process.get().copied()
                && let Ok(permit) = self.watch.acquire(&Context::service()).await
            {
                let look = move |conn: &mut PgConnection, _: &Running| {
                    let found: bool = diesel::select(is_in_the_way(process)).get_result(conn)?;
                    Ok(found)
                };
                match self.watch.run(permit, LOOKED, None, look).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(e) => log::warn!("whether a trial is in the way is unknown: {}", super::in_one_line(&e)),
                }
            }
            sleep(LOOK).await;
        }
    }
}
