//! `make chaos`: things break while a storm of writes goes on; then it is counted what was acknowledged, found, lost, doubled. And
//! floods come while others ask for little. `make soak`: a mixed load for a long time, which ends as it began.
//!
//! `CHAOS_ONLY` says which cases and floods, `cases` and `floods` being all of these; `CHAOS_SERVICE` names another build of the program.
//!
//! Everything listens on loopback and sockets of its own, ends by itself, and is bounded in number and time.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    dead_code,
    reason = "it prints tables; CHAOS_ONLY says which cases; a missing key of a JSON value is null; it shares files with the tests"
)]

#[path = "../service/http.rs"]
mod http;
#[path = "../service/process.rs"]
mod process;
#[path = "../service/replica.rs"]
mod replica;

mod cases;
mod floods;
mod postgres;
mod slow;
mod soak;
mod storm;
mod usage;

use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Far longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program that is served.
fn program() -> PathBuf {
    env::var_os("CHAOS_SERVICE").map_or_else(|| env!("CARGO_BIN_EXE_ward-policy").into(), PathBuf::from)
}

fn main() -> ExitCode {
    let ended = match env::var("SOAK_MINUTES") {
        Ok(minutes) => soak::run(&minutes).map(|()| 0),
        Err(_) => break_things(),
    };
    match ended {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(e) => {
            println!("FAILED: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the cases and floods that are chosen: how many failed.
fn break_things() -> Outcome<u32> {
    let only = env::var("CHAOS_ONLY").unwrap_or_default();
    let only: Vec<&str> = only.split_whitespace().collect();
    let chosen = |name: &str, all: &str| only.is_empty() || only.contains(&name) || only.contains(&all);
    let mut failed = 0;
    let mut cases = cases::ALL.iter().filter(|case| chosen(case.name, "cases")).peekable();
    if cases.peek().is_some() {
        println!("{}", storm::HEAD);
    }
    for case in cases {
        match cases::run(case) {
            Ok(Some(line)) => println!("{line}"),
            Ok(None) => println!("{:<26} not possible on this machine", case.name),
            Err(e) => {
                failed += 1;
                println!("{:<26} FAILED: {e}", case.name);
            }
        }
    }
    Ok(failed + floods::run(|name| chosen(name, "floods"))?)
}
