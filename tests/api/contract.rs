//! The contract, and what every operation of it keeps.

pub(crate) mod asking;
pub(crate) mod asks;
pub(crate) mod components;
pub(crate) mod examples;
pub(crate) mod exercised;
pub(crate) mod hidden;
pub(crate) mod leaks;
pub(crate) mod links;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod scopes;
