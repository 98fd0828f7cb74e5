//! What follows a write: every public policy it changed gets a revision, and evaluations are counted anew.

use super::{evaluations::summary_counts, revisions};
use crate::{
    db::{Hooks, Invalidation, Tx},
    error::Result,
};

/// What follows every write of the service.
pub const HOOKS: Hooks = Hooks {
    after_write,
    catch_up: summary_counts::catch_up,
};

fn after_write(tx: &mut Tx<'_>) -> Result<Invalidation> {
    let changed = revisions::follow(tx)?;
    if !changed.is_nothing() {
        summary_counts::renew(tx)?;
    }
    Ok(changed)
}
