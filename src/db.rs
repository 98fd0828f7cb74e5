//! The database, as handlers see it: two verbs, each in a caller's name.
//!
//! Diesel blocks, so work runs on the blocking pool. A semaphore as wide as the connection pool
//! stands in front of it: requests queue as futures, not as threads; one that waits too long is
//! told to come back; stuck work keeps its place. Readers and writers have lanes of their own:
//! readers look through views that show what their caller may see, writers go one after the other.

use std::{
    future::{Ready, ready},
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::NaiveDate;
use diesel::{
    Connection, PgConnection,
    connection::SimpleConnection,
    dsl::max,
    migration::MigrationSource,
    pg::Pg,
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Pool, PooledConnection},
    sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use r2d2::HandleError;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    auth::{self, Caller, Verb},
    error::{Error, Result},
    extract::IntoReply,
    idempotency::{Claim, Once},
    metrics::{Metrics, Queries, Turns},
    past::{Moment, set_config},
    resources::revisions,
    schema::change_log,
    value::{Id, today},
};

use listener::Listener;
use watched::{For, Watch};

pub mod embedded;
mod listener;
mod stream;
mod watched;

pub use listener::{Heard, Tail};
pub use stream::{Chunks, Out};

/// The migrations, embedded.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// How long a reader may wait for its turn.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a writer may wait for its turn: writers go one after the other.
const WRITERS_PATIENCE: Duration = Duration::from_secs(4);
/// How long a turn may wait for a connection.
const CONNECT: Duration = Duration::from_millis(1500);
/// How long queries may take, all in all.
const READ: Duration = Duration::from_secs(4);
/// How long a write may take, all in all; a whole policy is a large one.
const WRITE: Duration = Duration::from_secs(10);
/// Connections for writers: one writes, one waits for its turn in the database, as do those of other processes.
const WRITERS: u32 = 2;
/// How many may read everything at a time: each keeps a connection for as long as it reads.
const STREAMS: usize = 2;
/// What every connection is set to.
const SESSION: &str = "set statement_timeout = '5s'; set lock_timeout = '4s'; \
                       set idle_in_transaction_session_timeout = '10s'; set timezone = 'UTC'";
/// Readers see the tables through the views that ask what a caller may see; unset, that is what everybody may.
const READER: &str = "set search_path = visible, public";
/// Writers see the tables themselves; each asks what its caller may do with what it finds.
const WRITER: &str = "set search_path = public";

/// The database.
#[derive(Clone)]
pub struct Database {
    readers: Lane,
    writers: Lane,
    /// Of the readers, those who were woken, perhaps by the thousand: they leave room for everybody else.
    followers: Arc<Semaphore>,
    /// Of the readers, those who read everything.
    streams: Arc<Semaphore>,
    listener: Arc<Listener>,
    metrics: Metrics,
}

/// Connections, and a gate as wide as there are connections.
#[derive(Clone)]
struct Lane {
    pool: Pool<ConnectionManager<PgConnection>>,
    gate: Arc<Semaphore>,
    deadline: Duration,
    queries: Queries,
    turns: Turns,
}

/// How a lane is used at a moment, in connections.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// That it may have.
    pub size: u32,
    /// That it has.
    pub connections: u32,
    /// That somebody's turn is about.
    pub in_use: u32,
}

/// The database as one caller has it.
#[derive(Clone)]
pub struct Db {
    database: Database,
    caller: Caller,
    moment: Moment,
}

/// What queries run on: one state of the database, as far as the caller may see it.
pub struct Read<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// The day of that state: today, unless it is one of the past.
    pub today: NaiveDate,
}

/// What statements run on that change something: they have an actor, and a place in the history.
///
/// There is no other way to one than [`Db::write`] or [`write()`], and functions that change something take one.
pub struct Tx<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// Who writes.
    pub caller: &'a Caller,
    /// Why.
    pub reason: Option<String>,
    /// The last change before this transaction's own.
    pub before: i64,
    /// The day of all it does.
    pub today: NaiveDate,
}

#[derive(Debug)]
struct Session {
    settings: &'static str,
    queries: Queries,
}

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.set_instrumentation(Watch::new(self.queries.clone()));
        conn.batch_execute(SESSION)
            .and_then(|()| conn.batch_execute(self.settings))
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Says why a connection failed.
#[derive(Debug)]
struct LogInOneLine(Queries);

impl HandleError<diesel::r2d2::Error> for LogInOneLine {
    fn handle_error(&self, error: diesel::r2d2::Error) {
        // Statements are counted where they are watched.
        if matches!(error, diesel::r2d2::Error::ConnectionError(_)) {
            self.0.failed("connection_failed");
        }
        log::warn!("database connection: {}", in_one_line(&error));
    }
}

/// libpq speaks in several lines; a log is read line by line.
pub(crate) fn in_one_line(words: &impl ToString) -> String {
    words.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Lane {
    fn new(url: &str, size: u32, settings: &'static str, deadline: Duration, queries: &Queries, turns: Turns) -> Self {
        let queries = queries.clone();
        let session = Session {
            settings,
            queries: queries.clone(),
        };
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(CONNECT)
            .connection_customizer(Box::new(session))
            .error_handler(Box::new(LogInOneLine(queries.clone())))
            .build_unchecked(ConnectionManager::new(url));
        let gate = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Self {
            pool,
            gate,
            deadline,
            queries,
            turns,
        }
    }

    fn now(&self) -> Use {
        let size = self.pool.max_size();
        let free = u32::try_from(self.gate.available_permits()).unwrap_or(size);
        Use {
            size,
            connections: self.pool.state().connections,
            in_use: size.saturating_sub(free),
        }
    }

    async fn turn(&self, patience: Duration) -> Result<OwnedSemaphorePermit> {
        self.turns.taken.inc();
        // Nobody is overtaken: while somebody waits, none is free.
        if let Ok(turn) = Arc::clone(&self.gate).try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = self.turns.wait();
        timeout(patience, Arc::clone(&self.gate).acquire_owned())
            .await
            .map_err(|_elapsed| {
                self.turns.refused.inc();
                Error::Unavailable("every connection is busy".to_owned())
            })?
            .map_err(Error::internal)
    }

    /// A connection, for whoever has a turn.
    fn connect(&self) -> Result<PooledConnection<ConnectionManager<PgConnection>>> {
        self.pool.get().map_err(|e| {
            self.queries.failed("no_connection");
            Error::Unavailable(format!("no database connection: {}", in_one_line(&e)))
        })
    }

    /// Waits for a turn, then works on a blocking thread; past the deadline the caller is told to come back, while the
    /// work keeps its turn until the database has let go of it.
    async fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run_until(patience, self.deadline, work).await
    }

    /// The same, with a deadline of its own.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that runs blocking work, behind the gate"
    )]
    async fn run_until<T: Send + 'static>(
        &self,
        patience: Duration,
        deadline: Duration,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = self.turn(patience).await?;
        let lane = self.clone();
        let done = web::block(move || {
            let _turn = turn;
            work(&mut *lane.connect()?)
        });
        timeout(deadline, done)
            .await
            .map_err(|_elapsed| self.unanswered())?
            .map_err(Error::internal)?
    }

    fn unanswered(&self) -> Error {
        self.queries.failed("no_answer");
        Error::Unavailable("the database does not answer".to_owned())
    }
}

impl Database {
    /// Readers' pool of at most `size` connections, and a small one for writers; opened as they are needed.
    #[must_use]
    pub fn new(url: &str, size: u32) -> Self {
        let metrics = Metrics::default();
        let queries = &metrics.queries;
        Self {
            readers: Lane::new(url, size, READER, READ, queries, queries.turns("readers")),
            writers: Lane::new(url, WRITERS, WRITER, WRITE, queries, queries.turns("writers")),
            followers: Arc::new(Semaphore::new(usize::try_from(size / 2).unwrap_or(1).max(1))),
            streams: Arc::new(Semaphore::new(STREAMS)),
            listener: Arc::new(Listener::new(url)),
            metrics,
        }
    }

    /// What is counted, here and by everybody else.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How its lanes are used at this moment, by their names.
    #[must_use]
    pub fn lanes(&self) -> [(&'static str, Use); 2] {
        [("readers", self.readers.now()), ("writers", self.writers.now())]
    }

    /// How far this process has heard of changes; none before anybody waited for one.
    #[must_use]
    pub fn heard(&self) -> Option<Heard> {
        self.listener.heard()
    }

    /// How many wait for changes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.listener.waiting()
    }

    /// Lets go of everybody who waits for changes: the service is about to stop.
    pub fn stop_waiting(&self) {
        self.listener.stop();
    }

    /// The database as this caller has it.
    #[must_use]
    pub fn of(&self, caller: Caller) -> Db {
        Db {
            database: self.clone(),
            caller,
            moment: Moment::Now,
        }
    }

    /// Keeps books that are not history: when a token was last used.
    pub(crate) async fn note(&self, work: impl FnOnce(&mut PgConnection) -> Result<()> + Send + 'static) -> Result<()> {
        self.readers.run(PATIENCE, |conn| conn.transaction(work)).await
    }
}

impl Db {
    /// The same, in the past.
    #[must_use]
    pub fn at(self, moment: Moment) -> Self {
        Self { moment, ..self }
    }

    /// Who calls.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Runs queries, all of which see one state of the database, as far as the caller may see it.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_within(PATIENCE, READ, work).await
    }

    async fn read_within<T: Send + 'static>(
        &self,
        patience: Duration,
        deadline: Duration,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (drafts, moment) = (self.caller.drafts(), self.moment.clone());
        let request = Arc::clone(self.caller.request_id());
        self.database
            .readers
            .run_until(patience, deadline, move |conn| {
                let _for = For::request(request);
                conn.build_transaction().repeatable_read().read_only().run(|conn| {
                    let today = moment.enter(conn, &drafts)?;
                    work(&mut Read { conn, today })
                })
            })
            .await
    }

    /// Works on something that needs no database but takes its time, on a blocking thread, in a reader's turn.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits at the gate like everything else, and needs no connection"
    )]
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let turn = self.database.readers.turn(PATIENCE).await?;
        web::block(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(Error::internal)?
    }

    /// Runs statements that change something: all of them, or none; in the caller's name, at one place in the history.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let caller = self.caller.clone();
        self.database
            .writers
            .run(WRITERS_PATIENCE, move |conn| {
                let _for = For::request(Arc::clone(caller.request_id()));
                write(conn, &caller, work)
            })
            .await
    }

    /// The same, for a request that its caller may repeat under an `Idempotency-Key`: the answer is kept with what it
    /// answers to.
    pub async fn once<R: IntoReply>(
        &self,
        request: &impl Serialize,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R> + Send + 'static,
    ) -> Result<Once<R>> {
        let caller = self.caller.clone();
        let claim = Claim::of(&caller, request)?;
        let run = move |conn: &mut PgConnection| {
            let _for = For::request(Arc::clone(caller.request_id()));
            conn.transaction(|conn| {
                if let Some(claim) = &claim {
                    claim.begin(conn)?;
                }
                write_in(conn, &caller, |tx| match &claim {
                    None => Once::now(&work(tx)?),
                    Some(claim) => claim.answer(tx, work),
                })
            })
        };
        self.database.writers.run(WRITERS_PATIENCE, run).await
    }
}

/// Runs statements that change something on a connection of one's own.
pub fn write<T>(conn: &mut PgConnection, caller: &Caller, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    conn.transaction(|conn| write_in(conn, caller, work))
}

diesel::define_sql_function! {
    /// Takes the place of a write in the history; gives the last change before it.
    fn begin_write(actor: Text, token: Text, request: Text, reason: Text) -> BigInt;
}

/// Within a transaction: takes its place, works, and lets what changed of what is public have its revision.
fn write_in<T>(conn: &mut PgConnection, caller: &Caller, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
    let token = caller.token().map(|id| id.to_string()).unwrap_or_default();
    let reason = caller.reason().unwrap_or_default();
    let begun = begin_write(caller.name(), token, &**caller.request_id(), reason);
    let before = diesel::select(begun).get_result(conn)?;
    let mut tx = Tx {
        conn,
        caller,
        reason: caller.reason().map(str::to_owned),
        before,
        today: today(),
    };
    let done = work(&mut tx)?;
    revisions::follow(&mut tx)?;
    Ok(done)
}

impl Tx<'_> {
    /// Fails unless the caller may do this to something that was looked for: to whom it belongs, and whether it is public,
    /// if it is there. What the caller does not see is not there.
    pub fn permit(&self, verb: Verb, thing: &'static str, found: Option<(Id, bool)>) -> Result<()> {
        match found {
            Some((organization, _)) if self.caller.may(verb, Some(organization)) => Ok(()),
            Some((organization, public)) if public || self.caller.sees_drafts(organization) => Err(Error::Forbidden),
            _ => Err(Error::NotFound(thing)),
        }
    }

    /// Works on trial: what it does is undone, after everything that would follow from it. What it gives stays.
    pub fn on_trial<T>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        let (caller, before, today) = (self.caller, self.before, self.today);
        let reason = self.reason.clone();
        let mut done = None;
        let undone: Result<()> = self.conn.transaction(|conn| {
            let mut tx = Tx {
                conn,
                caller,
                reason,
                before,
                today,
            };
            let given = work(&mut tx)?;
            revisions::follow(&mut tx)?;
            done = Some(given);
            Err(diesel::result::Error::RollbackTransaction.into())
        });
        done.ok_or_else(|| undone.err().unwrap_or_else(|| Error::internal("a trial gave nothing")))
    }

    /// Says why something changes, where the request says it in its body.
    pub fn because(&mut self, reason: &str) -> Result<()> {
        diesel::select(set_config("ward_policy.reason", reason, true)).execute(self.conn)?;
        self.reason = Some(reason.to_owned());
        Ok(())
    }
}

impl Deref for Read<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.conn
    }
}
impl DerefMut for Read<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.conn
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

impl FromRequest for Db {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = auth::caller(req);
        ready(auth::admit(req, &caller).and_then(|()| {
            req.app_data::<web::Data<Database>>()
                .map(|database| database.of(caller))
                .ok_or_else(|| Error::internal("no database configured"))
        }))
    }
}

/// Why a database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It cannot be reached.
    #[error("the database cannot be reached (DATABASE_URL): {}", in_one_line(.0))]
    Connect(#[from] ConnectionError),
    /// It refused a statement.
    #[error("the database cannot be prepared: {0}")]
    Query(#[from] diesel::result::Error),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// The sample does not fit.
    #[error("the sample data cannot be stored: {0}")]
    Sample(#[from] Error),
}

/// Runs pending migrations, then `fill`, under one advisory lock: several instances may start at once.
pub fn set_up(url: &str, fill: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<(), SetupError> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute("set lock_timeout = '60s'; select pg_advisory_lock(8617420240401)")?;
    conn.run_pending_migrations(MIGRATIONS).map_err(SetupError::Migration)?;
    write(&mut conn, &Caller::service(), fill)?;
    conn.batch_execute("select pg_advisory_unlock_all()")?;
    Ok(())
}

diesel::table! {
    /// What diesel keeps of the migrations that ran.
    __diesel_schema_migrations (version) {
        /// The version of a migration.
        version -> Text,
    }
}

/// The migrations this program knows.
#[derive(Debug, Clone, Copy)]
pub struct Migrations {
    /// All of them.
    pub known: u32,
    /// Those that the database lacks.
    pub missing: u32,
}

/// What the database has of the migrations this program knows.
pub fn migrations(conn: &mut PgConnection) -> Result<Migrations> {
    use __diesel_schema_migrations::{table, version};
    let run: Vec<String> = table.select(version).load(conn)?;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::Internal)?;
    let missing = known
        .iter()
        .filter(|migration| !run.contains(&migration.name().version().to_string()));
    Ok(Migrations {
        missing: missing.count().try_into().map_err(Error::internal)?,
        known: known.len().try_into().map_err(Error::internal)?,
    })
}

/// Whether the database has every migration this program knows.
pub fn is_migrated(conn: &mut PgConnection) -> Result<bool> {
    Ok(migrations(conn)?.missing == 0)
}

/// The last change in the history, as far as the caller may see it; 0 where there is none.
pub fn last_change(conn: &mut PgConnection) -> Result<i64> {
    let last: Option<i64> = change_log::table.select(max(change_log::seq)).first(conn)?;
    Ok(last.unwrap_or(0))
}
