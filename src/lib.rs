//! The system of record for what Osaka City's wards and bureaus promise each year, and whether they kept it.
//!
//! `resources/` holds one file per resource: its routes, types, handlers and queries. `domain/` holds what the
//! city's forms mean, as pure code. Everything else is the kernel: small files, none of which knows a resource, but for
//! one thing: what a write changes of what is public gets its revision before the write ends (`db`, `resources::revisions`).
//!
//! Who may see what, at which moment, and what becomes history, is decided in the database (`migrations/`): readers look
//! through views, writers leave their traces by triggers.

pub mod address;
pub mod app;
pub mod auth;
pub mod authentication;
pub mod backup_command;
pub mod browser;
pub mod cache;
pub mod coding;
pub mod command;
pub mod conditions;
pub mod config;
pub mod connection;
pub mod consistency;
pub mod contract;
mod database;
pub mod db;
pub mod descriptors;
pub mod domain;
pub mod error;
pub mod etag;
pub mod extract;
pub mod files;
pub mod former;
pub mod generate_command;
pub mod html;
pub mod idempotency;
pub mod import_command;
pub mod json;
pub mod language;
pub mod limits;
pub mod listening;
pub mod logging;
pub mod media_type;
pub mod metrics;
pub mod needs;
pub mod negotiation;
pub mod openapi;
pub mod page;
pub mod past;
pub mod problem;
pub mod query;
pub mod quota;
pub mod rate;
pub mod request;
mod request_id;
pub mod requests;
pub mod resources;
pub mod respond;
pub mod sample;
pub mod schema;
pub mod serve_command;
pub mod sheet;
pub mod state;
pub mod token_command;
pub mod trace;
pub mod upgrade_command;
pub mod value;
pub mod verify;
pub mod work;
pub mod workshop;
