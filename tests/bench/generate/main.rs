//! `generate`: as much plausible data as one likes, the same each time, to measure and to try things on. It stores it on
//! `DATABASE_URL` or on the embedded database.

mod load;
mod plausible;

use std::process::ExitCode;

use clap::Parser;
use diesel::connection::SimpleConnection;
use ward_policy::cli::{
    config::{self, Config, LogFormat},
    database::{self, Failure, in_words},
    logging,
};

/// Indicators of one organization: twenty a year, over ten years.
const PER_ORGANIZATION: u32 = 200;

/// Generates plausible data to measure on, the same each time, on `DATABASE_URL` or on the embedded database.
#[derive(Parser)]
struct Arguments {
    /// Indicators, rounded up to whole organizations of 200: twenty a year, over ten years.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    indicators: u32,
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    logging::start(LogFormat::Text);
    let arguments = config::parse::<Arguments>();
    match arguments
        .map_err(Failure::from)
        .and_then(|arguments| generate(&arguments))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Stores organizations with so many indicators: each organization whole or not at all, one after the other.
fn generate(arguments: &Arguments) -> Result<(), Failure> {
    let organizations = arguments.indicators.div_ceil(PER_ORGANIZATION);
    database::run(&arguments.config, |conn| {
        for n in 0..organizations {
            load::load(conn, n).map_err(|e| in_words(&e))?;
            if (n + 1) % 100 == 0 {
                log::info!("{} of {organizations} organizations", n + 1);
            }
        }
        // PostgreSQL has no statistics on the new tables yet; the first request shall not pay for that.
        conn.batch_execute("vacuum analyze")?;
        Ok(vec![format!(
            "{organizations} organizations with {} indicators",
            organizations * PER_ORGANIZATION
        )])
    })
}
