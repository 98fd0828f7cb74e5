//! What follows a write: what it changed of what is public gets its revision, and is counted.

use super::{evaluations::tally, revisions};
use crate::{
    db::{Changed, Hooks, Tx},
    error::Result,
};

/// What follows every write of the service.
pub const HOOKS: Hooks = Hooks {
    after_write,
    catch_up: tally::catch_up,
};

fn after_write(tx: &mut Tx<'_>) -> Result<Changed> {
    let changed = revisions::follow(tx)?;
    if !changed.is_nothing() {
        tally::renew(tx)?;
    }
    Ok(changed)
}
