//! What an operator does with the program.

pub mod backup;
pub mod config;
pub mod database;
pub mod import;
pub mod logging;
pub mod sample;
pub mod serve;
pub mod token;
pub mod upgrade;
pub mod verify;
