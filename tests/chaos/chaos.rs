//! `make chaos`: things break while a storm of writes goes on; then it is counted what was acknowledged, found, lost, doubled.
//!
//! Everything listens on loopback and sockets of its own, ends by itself, and is bounded in number and time.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    dead_code,
    reason = "it prints a table; CHAOS_ONLY says which cases; a missing key of a JSON value is null; it shares files with the tests"
)]

#[path = "../service/http.rs"]
mod http;
#[path = "../service/process.rs"]
mod process;
#[path = "../service/replica.rs"]
mod replica;

mod cases;
mod postgres;
mod slow;
mod storm;

use std::{env, error::Error, process::ExitCode, time::Duration};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Far longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let only = env::var("CHAOS_ONLY").unwrap_or_default();
    let only: Vec<&str> = only.split_whitespace().collect();
    println!("{}", storm::HEAD);
    let mut failed = 0;
    for case in cases::ALL {
        if !only.is_empty() && !only.contains(&case.name) {
            continue;
        }
        match cases::run(case) {
            Ok(Some(line)) => println!("{line}"),
            Ok(None) => println!("{:<26} not possible on this machine", case.name),
            Err(e) => {
                failed += 1;
                println!("{:<26} FAILED: {e}", case.name);
            }
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
