//! What the city's forms mean: pure code, no HTTP, no SQL, no clock.
pub mod budget_sum;
pub mod comparison;
pub mod difference;
pub mod evaluation;
pub mod execution;
mod explanation;
pub mod finding;
pub mod fiscal_year;
#[cfg(test)]
mod given;
pub mod inputs;
pub mod kinds;
pub mod likeness;
pub mod municipality_code;
pub mod outcome;
pub mod previous;
mod quantity;
pub mod rating;
pub mod reading;
pub mod reporting;
pub mod roll_up;
pub mod succession;
pub mod target;
mod unanswered;
mod wording;
