//! Migrations: a database is set up, with its functions and views, and its state is checked.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::{PgConnection, connection::SimpleConnection, migration::MigrationSource, pg::Pg, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{
    definitions, in_one_line,
    moment::current_setting,
    reach::{Unreached, connect},
    transaction::Hooks,
};
use crate::error::{Error, Result};

/// The migrations, embedded.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// The oldest major version of PostgreSQL that the migrations are written for.
pub const OLDEST_POSTGRESQL: u32 = 15;

/// The pauses between two attempts to set up a database that is not there yet, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How often the log repeats that a start still waits.
const REMINDER: Duration = Duration::from_secs(60);

/// Why a database could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The database is not there yet, or went away meanwhile: a later attempt may succeed.
    #[error("the database is not there (DATABASE_URL): {0}")]
    Away(String),
    /// Its address cannot be right.
    #[error("the database cannot be reached (DATABASE_URL): {}", in_one_line(.0))]
    Connect(#[from] ConnectionError),
    /// Its server is too old.
    #[error("the database (DATABASE_URL) is PostgreSQL {0}: version {OLDEST_POSTGRESQL} or newer is needed")]
    TooOld(u32),
    /// It refused a statement.
    #[error("the database cannot be prepared: {}", in_one_line(.0))]
    Query(#[from] diesel::result::Error),
    /// It has migrations that this program does not know.
    #[error(
        "the database was migrated by a newer ward-policy ({0} is unknown to this one): what this one knows of the tables may not \
         be so any more. Start the newer one"
    )]
    Newer(String),
    /// A migration failed.
    #[error("a migration failed: {}", in_one_line(.0))]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// Its functions and views could not be defined.
    #[error("the functions and views of the database cannot be defined: {}", in_one_line(.0))]
    Definitions(Error),
    /// The sample does not fit.
    #[error("the sample data cannot be stored: {0}")]
    Sample(Error),
}

impl SetupError {
    /// Whether a later attempt may succeed.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    fn away(why: &impl ToString) -> Self {
        Self::Away(in_one_line(why))
    }
}

impl From<Unreached> for SetupError {
    fn from(unreached: Unreached) -> Self {
        match unreached {
            Unreached::NotYet(error) => Self::away(&error),
            Unreached::Never(error) => Self::Connect(error),
        }
    }
}

/// Runs pending migrations, defines functions and views, then runs `fill`, under one advisory lock: several instances may start at once.
pub fn set_up(url: &str, fill: impl FnOnce(&mut PgConnection) -> Result<()>) -> Result<(), SetupError> {
    let mut conn = connect(url)?;
    let done = prepare(&mut conn, fill);
    // A server that went away meanwhile fails in many ways.
    match done {
        Err(e) if conn.batch_execute("select 1").is_err() => Err(SetupError::away(&e)),
        done => done,
    }
}

fn prepare(conn: &mut PgConnection, fill: impl FnOnce(&mut PgConnection) -> Result<()>) -> Result<(), SetupError> {
    let major = server_major(conn)?;
    if major < OLDEST_POSTGRESQL {
        return Err(SetupError::TooOld(major));
    }
    if diesel::select(pg_is_in_recovery()).get_result(conn)? {
        return Err(SetupError::Away(
            "its server is in recovery and takes no writes".to_owned(),
        ));
    }
    // Another instance may be setting it up for longer than a lock is waited for.
    claim(conn).map_err(|e| SetupError::away(&e))?;
    // Creates diesel's own table, if there is none.
    conn.applied_migrations().map_err(SetupError::Migration)?;
    let known = migrations(conn).map_err(|e| SetupError::Migration(e.into()))?;
    if let Some(version) = known.newer.into_iter().next_back() {
        return Err(SetupError::Newer(version));
    }
    migrate(conn)?;
    fill(conn).map_err(|e| match e {
        Error::Unavailable(why) | Error::Undone(why) => SetupError::away(&why),
        e => SetupError::Sample(e),
    })?;
    Ok(release(conn)?)
}

/// Runs pending migrations, then defines functions and views.
pub fn migrate(conn: &mut PgConnection) -> Result<(), SetupError> {
    conn.run_pending_migrations(MIGRATIONS).map_err(SetupError::Migration)?;
    run_migrations(conn)
        .and_then(|versions| definitions::define(conn, &versions))
        .map_err(SetupError::Definitions)
}

/// Sets up a database as soon as it is there, however long that takes. `waits` is called, and the log says why, after each failed
/// attempt.
pub fn set_up_when_there(
    url: &str,
    fill: impl Fn(&mut PgConnection) -> Result<()>,
    mut waits: impl FnMut(),
) -> Result<(), SetupError> {
    let mut pause = PAUSES.0;
    let mut logged: Option<(String, Instant)> = None;
    loop {
        let why = match set_up(url, &fill) {
            Err(e) if e.may_pass() => e.to_string(),
            done => return done,
        };
        waits();
        if !logged
            .as_ref()
            .is_some_and(|(last, at)| *last == why && at.elapsed() < REMINDER)
        {
            log::warn!("{why}; trying again until it is");
            logged = Some((why, Instant::now()));
        }
        thread::sleep(pause);
        pause = PAUSES.1.min(pause * 2);
    }
}

/// Runs the hook that catches up, beside the serving. Tries again while the database is away.
pub fn count_anew(url: &str, hooks: Hooks) {
    loop {
        let counted = connect(url)
            .map_err(|e| Error::Unavailable(SetupError::from(e).to_string()))
            .and_then(|mut conn| (hooks.catch_up)(&mut conn));
        match counted {
            Ok(()) => return,
            Err(e @ (Error::Unavailable(_) | Error::Undone(_))) => {
                log::warn!("summaries are not counted yet: {}", in_one_line(&e));
            }
            Err(e) => return log::error!("summaries cannot be counted: {}", in_one_line(&e)),
        }
        thread::sleep(PAUSES.1);
    }
}

diesel::define_sql_function! {
    /// Whether a server is a standby, or recovers after a crash.
    fn pg_is_in_recovery() -> Bool;
}
/// A setting of the server.
pub fn setting(conn: &mut PgConnection, name: &str) -> QueryResult<String> {
    diesel::select(current_setting(name)).get_result(conn)
}

/// The major version of the server.
pub fn server_major(conn: &mut PgConnection) -> QueryResult<u32> {
    let version = setting(conn, "server_version_num")?;
    Ok(version.parse::<u32>().unwrap_or_default() / 10_000)
}

/// Takes the advisory lock of setting up, for which others then wait.
pub fn claim(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("set lock_timeout = '60s'; select pg_advisory_lock(8617420240401)")
}

/// Releases the advisory lock of setting up.
pub fn release(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("select pg_advisory_unlock_all()")
}

diesel::table! {
    /// Diesel's own table of the migrations that ran.
    __diesel_schema_migrations (version) {
        /// The version of a migration.
        version -> Text,
    }
}

/// The migrations of a database, compared with those of this program.
#[derive(Debug, Clone)]
pub struct Migrations {
    /// Migrations that this program knows.
    pub known: u32,
    /// Known migrations that the database lacks.
    pub missing: u32,
    /// Versions that the database has and this program does not know.
    pub newer: Vec<String>,
}

impl Migrations {
    /// Fails unless the database has exactly the migrations that this program knows.
    pub fn must_be_whole(&self) -> Result<()> {
        let lacking = if self.missing > 0 {
            "the database lacks migrations"
        } else if self.newer.is_empty() {
            return Ok(());
        } else {
            "the database was migrated by a newer ward-policy"
        };
        Err(Error::Unavailable(lacking.to_owned()))
    }
}

/// The versions that this program knows.
pub fn known_migrations() -> Result<Vec<String>> {
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::Internal)?;
    Ok(known.iter().map(|one| one.name().version().to_string()).collect())
}

/// The versions that the database has, in order.
pub fn run_migrations(conn: &mut PgConnection) -> Result<Vec<String>> {
    use __diesel_schema_migrations::{table, version};
    Ok(table.select(version).order(version).load(conn)?)
}

/// Notes migrations as run, in a database that was restored with all their changes.
pub fn note_migrations(conn: &mut PgConnection, versions: &[String]) -> Result<()> {
    use __diesel_schema_migrations::{table, version};
    let rows: Vec<_> = versions.iter().map(|one| version.eq(one)).collect();
    diesel::insert_into(table).values(rows).execute(conn)?;
    Ok(())
}

/// Whether a database with every migration has the functions and views of this program too.
pub fn is_defined(conn: &mut PgConnection) -> Result<bool> {
    let run = run_migrations(conn)?;
    Ok(definitions::are_known(conn, &run)?)
}

/// Compares the migrations of a database with those of this program.
pub fn migrations(conn: &mut PgConnection) -> Result<Migrations> {
    let (run, known) = (run_migrations(conn)?, known_migrations()?);
    let missing = known.iter().filter(|one| !run.contains(one)).count();
    Ok(Migrations {
        known: known.len().try_into().map_err(Error::internal)?,
        missing: missing.try_into().map_err(Error::internal)?,
        newer: run.into_iter().filter(|one| !known.contains(one)).collect(),
    })
}
