//! The history, the past, and the schema that keeps them.

pub(crate) mod chain;
pub(crate) mod concurrency;
pub(crate) mod definitions;
pub(crate) mod earlier_revisions;
pub(crate) mod past;
pub(crate) mod past_cost;
pub(crate) mod racing;
pub(crate) mod random_kept;
pub(crate) mod random_past;
pub(crate) mod schema;
pub(crate) mod settled;
pub(crate) mod upgrade;
