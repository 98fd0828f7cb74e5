//! The rules of the city's forms: pure code, no HTTP, no SQL, no clock.
pub mod budget_sum;
pub mod difference;
pub mod evaluation;
pub mod execution;
pub mod finding;
pub mod fiscal_year;
#[cfg(test)]
mod fixtures;
pub mod form;
pub mod kinds;
pub mod likeness;
pub mod municipality_code;
mod quantity;
pub mod reading;
pub mod reporting;
pub mod roll_up;
pub mod succession;
pub mod target;
