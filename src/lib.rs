//! The system of record for what Osaka City's wards and bureaus promise each year, and whether they kept it.
//!
//! Ten rooms, in one direction: a file imports only what stands to the left of its room (`tests/layers.rs`).
//!
//! `value` ← `error` ← `domain`, `auth` ← `sheet`, `db` ← `http` ← `resources` ← `server` ← `cli` ← `main.rs`
//!
//! Who may see what, at which moment, and what becomes history, is decided in the database (`migrations/`): readers look
//! through views, writers leave their traces by triggers.

pub mod auth;
pub mod cli;
pub mod db;
pub mod domain;
pub mod error;
pub mod http;
pub mod resources;
pub mod server;
pub mod sheet;
pub mod value;
