//! A pool of connections to one server (a bulkhead), behind an admission queue as wide as the pool.

use std::{
    iter::Sum,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::web;
use diesel::{
    Connection, PgConnection,
    connection::SimpleConnection,
    r2d2::{ConnectionManager, CustomizeConnection},
};
use r2d2::{HandleError, ManageConnection};
use tokio::time::timeout;

use super::{
    admission::{AdmissionQueue, Permit, Waiter},
    bounds::Bounds,
    context::Context,
    in_one_line,
    instrumentation::Watch,
    liveness::Liveness,
    metrics::{PermitMetrics, Queries},
    running::{Canceller, Fate, Running, backend_pid},
};
use crate::error::{Error, Result};

/// How often running work checks whether the database is silent.
const LOOK: Duration = Duration::from_millis(250);

/// Why a request gets no permit when it is evicted, or when none may wait.
const TOO_MANY: &str = "too many are waiting for the database";

/// Connections, and the requests that wait for them.
#[derive(Clone)]
pub(super) struct Pool {
    connections: r2d2::Pool<Manager>,
    queue: AdmissionQueue,
    patience: Duration,
    life: Arc<Liveness>,
    canceller: Canceller,
    queries: Queries,
    permits: PermitMetrics,
}

/// The use of a pool at a moment, in connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct Use {
    /// Connections that the pool may have.
    pub size: u32,
    /// Connections that are open.
    pub connections: u32,
    /// Connections whose permit is held.
    pub in_use: u32,
}

impl Sum for Use {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |sum, one| Self {
            size: sum.size + one.size,
            connections: sum.connections + one.connections,
            in_use: sum.in_use + one.in_use,
        })
    }
}

/// The settings of one pool.
pub(super) struct Plan {
    /// Its name in metrics.
    pub(super) name: &'static str,
    /// Connections that it may have.
    pub(super) connections: u32,
    /// Requests of one caller that may wait for a permit.
    pub(super) room: usize,
    /// How long a request may wait for a permit.
    pub(super) patience: Duration,
    /// The `search_path` of its connections.
    pub(super) path: &'static str,
}

impl Pool {
    pub(super) fn new(url: &str, plan: &Plan, bounds: &Bounds, life: &Arc<Liveness>, queries: &Queries) -> Self {
        let width = usize::try_from(plan.connections).unwrap_or(1);
        let connections = r2d2::Pool::builder()
            .max_size(plan.connections)
            .min_idle(Some(0))
            .connection_timeout(bounds.wait)
            .connection_customizer(Box::new(Session::new(plan.path, bounds, queries)))
            .error_handler(Box::new(LogInOneLine(queries.clone())))
            .build_unchecked(Manager {
                connections: ConnectionManager::new(url),
                life: Arc::clone(life),
            });
        Self {
            connections,
            queue: AdmissionQueue::new(width, plan.room),
            patience: plan.patience,
            life: Arc::clone(life),
            canceller: Canceller::new(url),
            queries: queries.clone(),
            permits: queries.permits(plan.name),
        }
    }

    pub(super) fn now(&self) -> Use {
        let size = self.connections.max_size();
        let free = u32::try_from(self.queue.free()).unwrap_or(size);
        Use {
            size,
            connections: self.connections.state().connections,
            in_use: size.saturating_sub(free),
        }
    }

    /// How many permits are free.
    pub(super) fn free(&self) -> usize {
        self.queue.free()
    }

    /// Waits for a permit, in the queue of the caller and as long as the pool lets requests wait.
    pub(super) async fn acquire(&self, caller: &Context) -> Result<Permit> {
        if let Some(permit) = self.try_acquire(caller) {
            return Ok(permit);
        }
        let waiter = self
            .queue
            .waiter(caller.caller_key())
            .ok_or_else(|| self.refused(TOO_MANY))?;
        self.wait(self.patience, caller, waiter).await
    }

    /// Waits for a permit, for a request that has waited elsewhere and is never evicted.
    pub(super) async fn acquire_within(&self, patience: Duration, caller: &Context) -> Result<Permit> {
        match self.try_acquire(caller) {
            Some(permit) => Ok(permit),
            None => {
                self.wait(patience, caller, self.queue.lasting_waiter(caller.caller_key()))
                    .await
            }
        }
    }

    fn try_acquire(&self, caller: &Context) -> Option<Permit> {
        self.permits.taken.inc();
        self.queue.try_acquire(caller.caller_key())
    }

    async fn wait(&self, patience: Duration, caller: &Context, mut waiter: Waiter) -> Result<Permit> {
        let _waiting = self.permits.wait();
        let gives_up = || {
            let is_silent = self.life.is_silent().then_some("the database does not answer");
            is_silent.or_else(|| caller.has_left().then_some("the caller has left"))
        };
        waiter
            .permit_within(patience, (TOO_MANY, "every connection is busy"), gives_up)
            .await
            .map_err(|why| self.refused(why))
    }

    fn refused(&self, why: &str) -> Error {
        self.permits.refused.inc();
        Error::Unavailable(why.to_owned())
    }

    /// Runs work on a blocking thread, under a permit. The work is ended at the deadline, when the database is silent, or when the
    /// caller in `only_for` hangs up. It keeps its permit until the database has let go of it.
    #[expect(clippy::disallowed_methods, reason = "it runs behind the gate")]
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: Permit,
        deadline: Duration,
        only_for: Option<&Context>,
        work: impl FnOnce(&mut PgConnection, &Running) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (pool, running) = (self.clone(), Running::new());
        let theirs = running.clone();
        let mut done = pin!(web::block(move || {
            let _permit = permit;
            pool.work(&theirs, |conn| work(conn, &theirs))
        }));
        // This future is dropped when the caller hangs up; then the work is ended too.
        let _ending = only_for.map(|_| self.ending(&running));
        let done = match self.patiently(deadline, only_for, &mut done).await {
            Ok(done) => done,
            Err(why) => match self.canceller.end(&running) {
                Fate::Undone => return Err(why),
                Fate::Unknown => self
                    .patiently(Bounds::COMMIT, None, done)
                    .await
                    .map_err(|e| Error::OutcomeUnknown(e.to_string()))?,
            },
        };
        done.map_err(Error::internal)?
    }

    /// A guard that ends work which is not over yet when the guard is dropped.
    pub(super) fn ending(&self, running: &Running) -> Ending {
        Ending {
            canceller: self.canceller.clone(),
            running: running.clone(),
        }
    }

    /// Runs work on a blocking thread, under a permit, without waiting for its end.
    #[expect(clippy::disallowed_methods, reason = "it runs behind the gate")]
    pub(super) fn detached(&self, permit: Permit, work: impl FnOnce(&Self) + Send + 'static) {
        let pool = self.clone();
        drop(web::block(move || {
            let _permit = permit;
            work(&pool);
        }));
    }

    /// Waits for work, until the deadline, until the database is silent, or until the caller in `only_for` hangs up.
    pub(super) async fn patiently<T>(
        &self,
        deadline: Duration,
        only_for: Option<&Context>,
        done: impl Future<Output = T>,
    ) -> Result<T> {
        let (mut done, end) = (pin!(done), Instant::now() + deadline);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if let Ok(done) = timeout(left.min(LOOK), &mut done).await {
                return Ok(done);
            }
            if left.is_zero() || self.life.is_silent() {
                return Err(self.unanswered());
            }
            if only_for.is_some_and(Context::has_left) {
                return Err(Error::Unavailable("the caller has left".to_owned()));
            }
        }
    }

    pub(super) fn unanswered(&self) -> Error {
        self.queries.failed("no_answer");
        Error::Unavailable("the database does not answer".to_owned())
    }

    /// Runs work on this thread, on a pooled connection. Another thread may end it.
    pub(super) fn work<T>(&self, running: &Running, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let mut pooled = self.connections.get().map_err(|e| {
            self.queries.failed("no_connection");
            Error::Unavailable(format!("no database connection: {}", in_one_line(&e)))
        })?;
        pooled.worked = None;
        let connected = running.on(pooled.pid)?;
        let done = work(&mut pooled.conn);
        drop(connected);
        if running.was_ended() {
            pooled.is_spent = true;
        } else if !done.as_ref().is_err_and(Error::is_failure) {
            pooled.worked = Some(self.life.now());
            self.life.answered();
        }
        done
    }
}

/// A guard that ends work when it is dropped.
pub(super) struct Ending {
    canceller: Canceller,
    running: Running,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.running.is_over() {
            self.canceller.end(&self.running);
        }
    }
}

/// A connection of the pool.
struct Pooled {
    conn: PgConnection,
    /// The server process that serves it.
    pid: i32,
    /// When it last worked, in milliseconds of the server's [`Liveness`].
    worked: Option<u64>,
    /// Whether a cancel request was sent for it, which might hit the next statement instead.
    is_spent: bool,
}

/// Makes connections, and tests those that have not worked within the last second. Testing each time would cost every request one
/// more round trip.
struct Manager {
    connections: ConnectionManager<PgConnection>,
    life: Arc<Liveness>,
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled, Self::Error> {
        let mut conn = self.connections.connect()?;
        Ok(Pooled {
            pid: backend_pid(&mut conn).map_err(diesel::r2d2::Error::QueryError)?,
            conn,
            worked: Some(self.life.now()),
            is_spent: false,
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Self::Error> {
        if pooled.worked.is_some_and(|at| self.life.is_trusted(at)) {
            return Ok(());
        }
        self.connections.is_valid(&mut pooled.conn)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.is_spent || self.connections.has_broken(&mut pooled.conn)
    }
}

/// Planner settings for many short queries: index scans cost as on an SSD, and nothing is compiled (JIT) or run in parallel
/// workers, which other queries need.
const PLANS: &str = "set random_page_cost = 1.1; set jit = off; set max_parallel_workers_per_gather = 0";

/// The settings of every connection, and its instrumentation.
#[derive(Debug)]
struct Session {
    settings: String,
    queries: Queries,
}

impl Session {
    fn new(path: &str, bounds: &Bounds, queries: &Queries) -> Self {
        let (statement, lock) = (bounds.statement.as_millis(), bounds.lock.as_millis());
        Self {
            settings: format!(
                "set statement_timeout = {statement}; set lock_timeout = {lock}; \
                 set idle_in_transaction_session_timeout = '10s'; set timezone = 'UTC'; {PLANS}; \
                 set search_path = {path}"
            ),
            queries: queries.clone(),
        }
    }
}

impl CustomizeConnection<Pooled, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, Pooled { conn, .. }: &mut Pooled) -> Result<(), diesel::r2d2::Error> {
        conn.set_instrumentation(Watch::new(self.queries.clone()));
        conn.batch_execute(&self.settings)
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Logs why a connection failed.
#[derive(Debug)]
struct LogInOneLine(Queries);

impl HandleError<diesel::r2d2::Error> for LogInOneLine {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        // The instrumentation counts failed statements.
        if matches!(error, diesel::r2d2::Error::ConnectionError(_)) {
            self.0.failed("connection_failed");
        }
        log::warn!("database connection: {}", in_one_line(&error));
    }
}
