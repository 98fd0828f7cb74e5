//! What every request shares.

pub(crate) mod bounds;
pub(crate) mod browsers;
pub(crate) mod callers;
pub(crate) mod compression;
pub(crate) mod cors;
pub(crate) mod deadlines;
mod documentation;
mod encodings;
pub(crate) mod hostile;
pub(crate) mod idempotency;
mod last_modified;
mod links;
mod little_asked;
pub(crate) mod pagination;
pub(crate) mod preconditions;
pub(crate) mod requests;
pub(crate) mod response_cache;
mod said_instead;
mod said_right;
mod site;
pub(crate) mod wire;
