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

mod asking;
mod asks;
mod audit;
mod bounds;
mod browsers;
mod budgets;
mod cache;
mod callers;
mod catalog;
mod changes;
mod codelists;
mod codings;
mod concurrency;
mod conditions;
mod coverage;
mod deadlines;
mod evaluations;
mod exports;
mod findings;
mod form_page;
mod forms;
mod generated;
mod given;
mod goals;
mod hidden;
mod history;
mod hostile;
mod idempotency;
mod imports;
mod indicators;
mod items;
mod leaks;
mod links;
mod metrics;
mod names;
mod openapi;
mod organizations;
mod paging;
mod past;
mod past_cost;
mod policies;
mod predecessors;
mod publications;
mod racing;
mod random_kept;
mod random_past;
mod reporting;
mod requests;
mod results;
mod rules;
mod sample;
mod scopes;
mod secrets;
mod series;
mod settled;
mod sheets;
mod support;
mod tallies;
mod targets;
mod tokens;
mod transitions;
mod trees;
mod trials;
mod upgrade;
mod vintages;
mod wire;
mod years;
