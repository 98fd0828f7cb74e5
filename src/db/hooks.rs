//! What others have to do when the database has changed.

use diesel::PgConnection;

use super::{public::Changed, write::Tx};
use crate::error::Result;

/// What follows a write, and a start.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Does, at the end of a transaction, all that follows from what it changed. Tells what that was of what the public sees.
    pub after_write: fn(&mut Tx<'_>) -> Result<Changed>,
    /// Brings up to date, a piece at a time, what an older program or somebody with SQL has left behind.
    pub catch_up: fn(&mut PgConnection) -> Result<()>,
}

impl Hooks {
    /// Nothing follows.
    pub const NONE: Self = Self {
        after_write: |_| Ok(Changed::NOTHING),
        catch_up: |_| Ok(()),
    };
}
