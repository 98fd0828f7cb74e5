//! Making a database ready, and finding out whether it is: its migrations.

use diesel::{Connection, PgConnection, connection::SimpleConnection, migration::MigrationSource, pg::Pg, prelude::*};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Tx, in_one_line, write};
use crate::{
    auth::Caller,
    error::{Error, Result},
    resources::evaluations::tally,
};

/// The migrations, embedded.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!();

/// Why a database could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// It cannot be reached.
    #[error("the database cannot be reached (DATABASE_URL): {}", in_one_line(.0))]
    Connect(#[from] ConnectionError),
    /// It refused a statement.
    #[error("the database cannot be prepared: {0}")]
    Query(#[from] diesel::result::Error),
    /// It has migrations that this program does not know.
    #[error(
        "the database was migrated by a newer ward-policy ({0} is unknown to this one): what this one knows of the tables may not \
         be so any more. Start the newer one"
    )]
    Newer(String),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migration(Box<dyn std::error::Error + Send + Sync>),
    /// The sample does not fit.
    #[error("the sample data cannot be stored: {0}")]
    Sample(#[from] Error),
}

/// Runs pending migrations, then `fill`, under one advisory lock: several instances may start at once. Then counts what has to be
/// counted anew.
pub fn set_up(url: &str, fill: impl FnOnce(&mut Tx<'_>) -> Result<()>) -> Result<(), SetupError> {
    let mut conn = PgConnection::establish(url)?;
    claim(&mut conn)?;
    // Makes their table, where there is none.
    conn.applied_migrations().map_err(SetupError::Migration)?;
    if let Some(version) = migrations(&mut conn)?.newer.pop() {
        return Err(SetupError::Newer(version));
    }
    conn.run_pending_migrations(MIGRATIONS).map_err(SetupError::Migration)?;
    write(&mut conn, &Caller::service(), fill)?;
    release(&mut conn)?;
    tally::catch_up(&mut conn)?;
    Ok(())
}

/// Waits until nobody else prepares the database, and keeps others waiting.
pub fn claim(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("set lock_timeout = '60s'; select pg_advisory_lock(8617420240401)")
}

/// Lets others prepare it.
pub fn release(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("select pg_advisory_unlock_all()")
}

diesel::table! {
    /// What diesel keeps of the migrations that ran.
    __diesel_schema_migrations (version) {
        /// The version of a migration.
        version -> Text,
    }
}

/// What a database has of the migrations this program knows.
#[derive(Debug, Clone)]
pub struct Migrations {
    /// Those this program knows.
    pub known: u32,
    /// Those of them that the database lacks.
    pub missing: u32,
    /// Versions of those that the database has and this program does not know.
    pub newer: Vec<String>,
}

/// The versions of the migrations this program knows.
pub fn known_migrations() -> Result<Vec<String>> {
    let known = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(Error::Internal)?;
    Ok(known.iter().map(|one| one.name().version().to_string()).collect())
}

/// The versions of those that the database has, in order.
pub fn run_migrations(conn: &mut PgConnection) -> Result<Vec<String>> {
    use __diesel_schema_migrations::{table, version};
    Ok(table.select(version).order(version).load(conn)?)
}

/// Notes that migrations ran, in a database that came with all they do.
pub fn note_migrations(conn: &mut PgConnection, versions: &[String]) -> Result<()> {
    use __diesel_schema_migrations::{table, version};
    let rows: Vec<_> = versions.iter().map(|one| version.eq(one)).collect();
    diesel::insert_into(table).values(rows).execute(conn)?;
    Ok(())
}

/// What the database has of the migrations this program knows.
pub fn migrations(conn: &mut PgConnection) -> Result<Migrations> {
    let (run, known) = (run_migrations(conn)?, known_migrations()?);
    let missing = known.iter().filter(|one| !run.contains(one)).count();
    Ok(Migrations {
        known: known.len().try_into().map_err(Error::internal)?,
        missing: missing.try_into().map_err(Error::internal)?,
        newer: run.into_iter().filter(|one| !known.contains(one)).collect(),
    })
}

/// Fails unless the database has every migration this program knows, and no other.
pub fn check_migrated(conn: &mut PgConnection) -> Result<()> {
    let migrations = migrations(conn)?;
    let lacking = if migrations.missing > 0 {
        "the database lacks migrations"
    } else if migrations.newer.is_empty() {
        return Ok(());
    } else {
        "the database was migrated by a newer ward-policy"
    };
    Err(Error::Unavailable(lacking.to_owned()))
}
