//! The database, as handlers see it: two verbs.
//!
//! Diesel blocks, so work runs on the blocking pool. A semaphore as wide as the connection pool
//! stands in front of it: requests queue as futures, not as threads; one that waits too long is
//! told to come back; stuck work keeps its place.

use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use diesel::{
    Connection, PgConnection,
    connection::SimpleConnection,
    migration::MigrationSource,
    pg::Pg,
    prelude::*,
    r2d2::{ConnectionManager, CustomizeConnection, Pool},
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use r2d2::HandleError;
use tokio::{sync::Semaphore, time::timeout};

use crate::error::{Error, Result};

pub mod embedded;

/// The migrations, embedded.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// How long a request may wait for its turn.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long a turn may wait for a connection.
const CONNECT: Duration = Duration::from_millis(1500);
/// How long queries may take, all in all.
const READ: Duration = Duration::from_secs(4);
/// How long a write may take, all in all; a whole policy is a large one.
const WRITE: Duration = Duration::from_secs(10);
/// What every connection of the pool is set to.
const SESSION: &str = "set statement_timeout = '5s'; set lock_timeout = '2s'; \
                       set idle_in_transaction_session_timeout = '10s'; set timezone = 'UTC'";

/// A handle on the database.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<PgConnection>>,
    gate: Arc<Semaphore>,
}

#[derive(Debug)]
struct Session;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Session {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(SESSION).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Says why a connection failed.
#[derive(Debug)]
struct LogInOneLine;

impl<E: std::error::Error> HandleError<E> for LogInOneLine {
    fn handle_error(&self, error: E) {
        log::warn!("database connection: {}", in_one_line(&error));
    }
}

/// libpq speaks in several lines; a log is read line by line.
pub(crate) fn in_one_line(words: &impl ToString) -> String {
    words.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Db {
    /// A pool of at most `size` connections, opened as they are needed.
    #[must_use]
    pub fn new(url: &str, size: u32) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(CONNECT)
            .connection_customizer(Box::new(Session))
            .error_handler(Box::new(LogInOneLine))
            .build_unchecked(ConnectionManager::new(url));
        let gate = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Self { pool, gate }
    }

    /// Runs queries, all of which see one state of the database.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(READ, |conn| {
            conn.build_transaction().repeatable_read().read_only().run(work)
        })
        .await
    }

    /// Runs statements that change something: all of them, or none.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.run(WRITE, |conn| conn.transaction(work)).await
    }

    /// Waits for a turn, then works on a blocking thread; past the deadline the caller is told to come back, while the
    /// work keeps its turn until the database has let go of it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that runs blocking work, behind the gate"
    )]
    async fn run<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = timeout(PATIENCE, Arc::clone(&self.gate).acquire_owned())
            .await
            .map_err(|_elapsed| Error::Unavailable("every connection is busy".to_owned()))?
            .map_err(Error::internal)?;
        let pool = self.pool.clone();
        let done = web::block(move || {
            let _turn = turn;
            let mut conn = pool
                .get()
                .map_err(|e| Error::Unavailable(format!("no database connection: {}", in_one_line(&e))))?;
            work(&mut conn)
        });
        timeout(deadline, done)
            .await
            .map_err(|_elapsed| Error::Unavailable("the database does not answer".to_owned()))?
            .map_err(Error::internal)?
    }
}

impl FromRequest for Db {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            req.app_data::<web::Data<Self>>()
                .map(|db| db.get_ref().clone())
                .ok_or_else(|| Error::internal("no database configured")),
        )
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
pub fn set_up(url: &str, fill: impl FnOnce(&mut PgConnection) -> Result<()>) -> Result<(), SetupError> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute("set lock_timeout = '60s'; select pg_advisory_lock(8617420240401)")?;
    conn.run_pending_migrations(MIGRATIONS).map_err(SetupError::Migration)?;
    conn.transaction(fill)?;
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

/// Whether the database has every migration this program knows.
pub fn is_migrated(conn: &mut PgConnection) -> Result<bool> {
    use __diesel_schema_migrations::{table, version};
    let run: Vec<String> = table.select(version).load(conn)?;
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::Internal)?;
    Ok(known
        .iter()
        .all(|migration| run.contains(&migration.name().version().to_string())))
}
