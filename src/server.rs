//! The running service: its routes and layers, its document, its metrics.

pub mod app;
pub mod descriptors;
mod docs;
pub mod listening;
pub mod metrics;
pub mod openapi;
mod page;
mod site;
pub mod state;
