//! What every request shares: how requests are read, checked, answered and limited.

pub mod address;
pub mod as_of;
pub mod conditional_writes;
pub mod connection;
mod database;
pub mod etag;
pub mod extract;
pub mod files;
pub mod html;
pub mod idempotency;
pub mod json;
pub mod limits;
pub mod media_type;
pub mod metrics;
pub mod middleware;
pub mod negotiation;
pub mod origins;
pub mod pagination;
pub mod problem;
pub mod public_address;
pub mod query;
pub(crate) mod request_id;
pub mod required_permissions;
pub mod respond;
pub mod trace_context;
pub mod validation;
pub mod workshop;
