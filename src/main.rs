//! The command line.

use std::process::ExitCode;

use actix_web::{HttpServer, rt::System};
use clap::{Parser, Subcommand};
use env_logger::Env;
use ward_policy::{
    app,
    config::Config,
    db::{self, Db, embedded::Embedded},
    openapi, sample,
};

/// The system of record for what Osaka City's wards and bureaus promise each year, and whether they kept it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Leave an empty database empty.
    #[arg(long, global = true)]
    no_sample: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default).
    Serve,
    /// Run pending migrations on `DATABASE_URL`.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// Ask a running service whether it is well.
    Healthcheck,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    env_logger::Builder::from_env(Env::default().default_filter_or("info")).init();
    let cli = Cli::parse();
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(!cli.no_sample),
        Command::Migrate => migrate(),
        Command::Openapi => {
            print_contract();
            Ok(())
        }
        Command::Healthcheck => healthcheck(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn serve(with_sample: bool) -> Result<(), Failure> {
    let config = Config::from_env()?;
    let embedded = match config.database_url {
        Some(_) => None,
        None => Some(Embedded::start(&config.data)?),
    };
    let url = match (&config.database_url, &embedded) {
        (Some(url), _) => url.clone(),
        (None, Some(embedded)) => embedded.url("ward_policy"),
        (None, None) => unreachable!("without a URL there is an embedded database"),
    };
    db::set_up(&url, |conn| if with_sample { sample::fill(conn) } else { Ok(()) })?;
    let db = Db::new(&url, config.pool);
    let threads = usize::try_from(config.pool)?;
    System::new().block_on(async move {
        let limits = config.limits;
        let server = HttpServer::new(move || app::build(db.clone(), limits))
            .workers(config.workers)
            .worker_max_blocking_threads(threads.div_ceil(config.workers).max(2))
            .shutdown_timeout(8)
            .bind(&config.bind)
            .map_err(|e| format!("cannot listen on {} (WARD_POLICY_BIND): {e}", config.bind))?;
        for address in server.addrs() {
            log::info!("API http://{address}/v1  documentation http://{address}/docs/");
        }
        server.run().await.map_err(Failure::from)
    })?;
    if let Some(embedded) = embedded {
        embedded.stop();
    }
    Ok(())
}

fn migrate() -> Result<(), Failure> {
    let config = Config::from_env()?;
    let url = config
        .database_url
        .ok_or("DATABASE_URL says which database to migrate; the embedded one is migrated by `serve`")?;
    db::set_up(&url, |_| Ok(()))?;
    log::info!("the database has every migration");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the document is what the command is for")]
fn print_contract() {
    print!("{}", openapi::json(&app::spec()));
}

/// Asks `/healthz`, for containers without another client.
fn healthcheck() -> Result<(), Failure> {
    use std::{
        io::{Read, Write},
        net::TcpStream,
        time::Duration,
    };
    let config = Config::from_env()?;
    let address = config.bind.replace("0.0.0.0", "127.0.0.1");
    let mut stream = TcpStream::connect(&address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        Ok(())
    } else {
        Err("the service does not answer as it should".into())
    }
}
