//! Trials: what a write would do is done, and undone, by nobody's leave and in nobody's way.
//!
//! A trial is a transaction of its own, on connections of its own, that is never committed: the database sees to that. It does not
//! queue with the writers, and takes no place in the history, so that it holds no lock for which every writer waits. It holds those of
//! any transaction that changes rows: on the rows it changes, and on those above them against their removal. Only who writes to
//! these waits for it, holding up all other writers meanwhile; and no longer than about [`LOOK`] and [`GRACE`], since a trial that is
//! in somebody's way is ended. It waits itself for whoever writes to what it tries, as long as a writer would.

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

/// How long a trial may be in somebody's way before anybody looks.
const GRACE: Duration = Duration::from_millis(100);
/// How often it is looked whether one is.
const LOOK: Duration = Duration::from_millis(100);
/// How long looking may take.
const LOOKED: Duration = Duration::from_secs(1);

diesel::define_sql_function! {
    /// Begins a trial.
    fn begin_trial(actor: Text, token: Text, request: Text, reason: Text);
}
diesel::define_sql_function! {
    /// Whether anybody waits for a lock that this process holds.
    fn is_in_the_way(process: Integer) -> Bool;
}

/// Runs statements that would change something, on a connection of one's own, and undoes them. What they give stays.
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
        // Before the trial begins, so that its own log is looked for first.
        as_caller_sees(conn, context)?;
        let begun = begin_trial(context.name(), token, &*context.request_id, reason);
        diesel::select(begun).execute(conn)?;
        let mut tx = Tx {
            conn,
            caller: context,
            reason: context.reason.clone(),
            hooks,
            // Its log holds nothing but its own changes.
            before: 0,
            today: today(),
            tokens_changed: false,
        };
        done = Some(work(&mut tx)?);
        Err(RollbackTransaction.into())
    });
    done.ok_or_else(|| undone.err().unwrap_or_else(|| Error::internal("a trial gave nothing")))
}

impl Db {
    /// Runs statements that would change something, in the caller's name, and undoes them. What they give stays.
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
            // It is said once of each trial.
            let _ = theirs.set(backend_pid(conn)?);
            let tried = with_retries(|| {
                running.begin()?;
                try_out(conn, hooks, &context, work.clone())
            })?;
            // What it was tried on is there to be read.
            context.consistency.wrote(consistency::reached(conn)?);
            Ok(tried)
        };
        let tried = pin!(trials.run(permit, bounds.write, Some(&self.context), run));
        match select(tried, pin!(self.database.in_the_way(&process))).await {
            Either::Left((done, _)) => done,
            // Who does not wait for it any more ends it.
            Either::Right(((), _tried)) => Err(Error::Unavailable("somebody writes to what is being tried".to_owned())),
        }
    }
}

impl Database {
    /// Waits until somebody waits for a lock of this process.
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
