//! `ward-policy upgrade`: the embedded database, brought to the newest PostgreSQL installed here.
//!
//! The database is dumped from the old server into a new one and compared row by row, as a backup is. `pg_upgrade`
//! would be faster on many gigabytes, but proves nothing, and wants both servers built alike.

use super::{
    backup,
    config::Config,
    database::{Failure, print},
};
use crate::db::{
    self,
    embedded::{Embedded, Upgrade},
};

/// Runs the command.
pub fn run(config: &Config) -> Result<(), Failure> {
    if config.database.url.is_some() {
        return Err("DATABASE_URL names a PostgreSQL that is not ward-policy's to upgrade: unset it to upgrade the embedded one".into());
    }
    let upgrade = Embedded::upgrade(&config.database.data()?, |from, to, place| {
        // As any start does, so that the copy has every migration.
        db::set_up(from, |_| Ok(()))?;
        backup::copy(from, to, place)
    })?;
    print(vec![match upgrade {
        Upgrade::Newest { major } => {
            format!("the data is PostgreSQL {major}'s, the newest installed here: nothing to do")
        }
        Upgrade::Done { from, to, kept } => format!(
            "the data is PostgreSQL {to}'s now and was found whole; what was PostgreSQL {from}'s is kept in {}: remove it when you \
             miss nothing",
            kept.display()
        ),
    }])
}
