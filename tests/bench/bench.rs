//! `make bench`: how near the service comes to what the machine can do, as ratios within one run.
//!
//! Each workload goes in alternating rounds through the service and through its limit: a bare handler that answers with the
//! same bytes, `pgbench` with the statements that the service was seen to send, or `COPY`. Medians are compared.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a table is what it is for, and BENCH_… say what to measure"
)]
#![expect(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::naive_bytecount,
    reason = "nothing here is what is measured; a missing key of a JSON value is null"
)]

mod bare;
mod files;
mod load;
mod overload;
mod place;
mod statements;
mod steady;
mod table;
mod workloads;
mod writes;

use std::{env, error::Error, process::ExitCode};

/// What may go wrong, in words.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What to measure: `BENCH_SIZES` (indicators), `BENCH_SECONDS` a round, `BENCH_ROUNDS`, `BENCH_ONLY` (parts of names).
struct Plan {
    sizes: Vec<u32>,
    seconds: u32,
    rounds: usize,
    only: Vec<String>,
}

impl Plan {
    fn from_env() -> Outcome<Self> {
        let or = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
        Ok(Self {
            sizes: or("BENCH_SIZES", "10000 100000")
                .split_whitespace()
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            seconds: or("BENCH_SECONDS", "4").parse()?,
            rounds: or("BENCH_ROUNDS", "3").parse()?,
            only: or("BENCH_ONLY", "").split_whitespace().map(str::to_owned).collect(),
        })
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("bare") => bare::serve(arguments.get(1..).unwrap_or_default()),
        _ => Plan::from_env().and_then(|plan| measure(&plan)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn measure(plan: &Plan) -> Outcome<()> {
    println!("{}\n", table::machine()?);
    for size in &plan.sizes {
        let place = place::Place::with(*size)?;
        table::head(*size);
        workloads::run(plan, &place)?;
        println!();
    }
    Ok(())
}
