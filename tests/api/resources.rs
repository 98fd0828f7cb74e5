//! Each resource over HTTP, in the files that `src/resources` has.

pub(crate) mod audit;
pub(crate) mod budgets;
pub(crate) mod catalog;
pub(crate) mod changes;
pub(crate) mod codelists;
pub(crate) mod coverage;
pub(crate) mod evaluations;
pub(crate) mod exports;
pub(crate) mod findings;
pub(crate) mod goals;
pub(crate) mod imports;
pub(crate) mod indicators;
pub(crate) mod items;
mod me;
pub(crate) mod organizations;
mod plans;
pub(crate) mod policies;
pub(crate) mod policy_forms;
pub(crate) mod policy_trees;
pub(crate) mod publications;
pub(crate) mod results;
pub(crate) mod searches;
pub(crate) mod series;
pub(crate) mod targets;
mod tickets;
pub(crate) mod tokens;
pub(crate) mod transitions;
