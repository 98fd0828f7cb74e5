//! The command line.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    process::ExitCode,
    time::Duration,
};

use clap::{CommandFactory as _, Parser, Subcommand};
use ward_policy::{
    cli::{
        backup::{self, BackupCommand},
        config::{self, Config, LogFormat},
        database::Failure,
        import::{self, ImportCommand},
        logging,
        sample::Sample,
        serve,
        token::{self, TokenCommand},
        upgrade,
        verify::{self, Head},
    },
    db,
    resources::HOOKS,
    server::{app, openapi},
};

/// The system of record for what Osaka City's wards and bureaus promise each year, and whether they kept it.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// What an empty database gets.
    #[arg(long, global = true, value_enum, default_value_t = Sample::Nishi)]
    sample: Sample,
    /// Leave an empty database empty.
    #[arg(long, global = true, conflicts_with = "sample")]
    no_sample: bool,
    #[command(flatten)]
    config: Config,
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
    /// Make, list and revoke tokens, on `DATABASE_URL` or on the embedded database.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Import official forms (text, HTML) and policies as `/v1/policies/…/tree` gives them (JSON), on `DATABASE_URL` or on
    /// the embedded database.
    Import(ImportCommand),
    /// Copy the whole database, history and all, into a directory: `DATABASE_URL` or the embedded database, served or not.
    Backup(BackupCommand),
    /// Bring a backup into an empty database, and check that everything is there.
    Restore(BackupCommand),
    /// Bring the embedded database to the newest PostgreSQL that is installed here; the old files are kept.
    Upgrade,
    /// Check that nothing was removed from the history or altered, on `DATABASE_URL` or on the embedded database.
    Verify {
        /// A head noted at an earlier time (`seq:hash`, as printed): it must still be there.
        #[arg(long)]
        known: Option<Head>,
    },
}

fn main() -> ExitCode {
    let cli = config::parse::<Cli>();
    let format = cli.as_ref().map(|cli| cli.config.log_format);
    logging::start(format.unwrap_or_else(|_| LogFormat::from_env()));
    let done = match cli {
        Ok(cli) => run(cli),
        Err(_) if is_for_contract() => print_contract(),
        Err(e) => Err(e.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the contract is asked for: it is the same whatever the settings are.
fn is_for_contract() -> bool {
    let matches = Cli::command().mut_args(|arg| arg.env(None::<&str>)).try_get_matches();
    matches.is_ok_and(|matches| matches.subcommand_name() == Some("openapi"))
}

fn run(cli: Cli) -> Result<(), Failure> {
    let config = &cli.config;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(config, (!cli.no_sample).then_some(cli.sample)),
        Command::Migrate => migrate(config),
        Command::Openapi => print_contract(),
        Command::Healthcheck => healthcheck(config),
        Command::Token { command } => token::run(config, &command),
        Command::Import(command) => import::run(config, &command),
        Command::Backup(command) => backup::backup(config, &command),
        Command::Restore(command) => backup::restore(config, &command),
        Command::Upgrade => upgrade::run(config),
        Command::Verify { known } => verify::run(config, known.as_ref()),
    }
}

fn migrate(config: &Config) -> Result<(), Failure> {
    let url = config.database.url.as_ref();
    let url = url.ok_or("DATABASE_URL says which database to migrate; the embedded one is migrated by `serve`")?;
    db::set_up(url, |_| Ok(()))?;
    db::count_anew(url, HOOKS);
    log::info!("the database has every migration");
    Ok(())
}

fn print_contract() -> Result<(), Failure> {
    let document = openapi::json(&app::spec());
    io::stdout()
        .write_all(document.as_bytes())
        .map_err(|e| format!("cannot print the document: {e}").into())
}

/// Asks `/healthz`, for containers without another client.
fn healthcheck(config: &Config) -> Result<(), Failure> {
    // A service that listens on every address is asked on the local one.
    let address = config.bind.replace("0.0.0.0", "127.0.0.1");
    let answer = ask(&address).map_err(|e| format!("no service answers on {address} (WARD_POLICY_BIND): {e}"))?;
    if answer.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        let status = answer.lines().next().unwrap_or_default();
        Err(format!("what answers on {address} (WARD_POLICY_BIND) is not well: {status}").into())
    }
}

fn ask(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
