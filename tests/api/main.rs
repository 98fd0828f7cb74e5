//! The service, seen from outside: every request goes through the whole application over a database of its own.
//!
//! Every answer is held against the contract on its way (see `support`), so a test says only what it is about.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a missing key of a JSON value is null"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read TEST_DATABASE_URL and UPDATE_OPENAPI, and look past the query DSL at what the database keeps"
)]

mod contract;
mod history;
mod http;
#[path = "../bench/generate/load.rs"]
mod load;
#[path = "../bench/generate/plausible.rs"]
mod plausible;
mod resources;
mod support;
