//! The command line.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    pin::pin,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use actix_web::{
    HttpServer,
    dev::Server,
    rt::{
        System,
        signal::unix::{SignalKind, signal},
        spawn,
    },
};
use clap::{Parser, Subcommand};
use futures_util::future::select;
use ward_policy::{
    app,
    backup_command::{self, BackupCommand},
    cache::Cache,
    config::{Config, LogFormat},
    connection::Connections,
    db::{self, Database, embedded::Embedded},
    generate_command::{self, GenerateCommand},
    import_command::{self, ImportCommand},
    listening::Listening,
    logging, metrics, openapi,
    rate::Rate,
    sample,
    token_command::{self, TokenCommand},
    verify::{self, Head},
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
    /// Make, list and revoke tokens, on `DATABASE_URL` or on the embedded database.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Import official forms (text, HTML) and policies as `/v1/policies/…/tree` gives them (JSON), on `DATABASE_URL` or on
    /// the embedded database.
    Import(ImportCommand),
    /// Generate plausible data to measure on, the same each time, on `DATABASE_URL` or on the embedded database.
    Generate(GenerateCommand),
    /// Copy the whole database, history and all, into a directory: `DATABASE_URL` or the embedded database, served or not.
    Backup(BackupCommand),
    /// Bring a backup into an empty database, and check that everything is there.
    Restore(BackupCommand),
    /// Check that nothing was removed from the history or altered, on `DATABASE_URL` or on the embedded database.
    Verify {
        /// A head noted at an earlier time (`seq:hash`, as printed): it must still be there.
        #[arg(long)]
        known: Option<Head>,
    },
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let format = LogFormat::from_env();
    logging::start(*format.as_ref().unwrap_or(&LogFormat::Text));
    let cli = Cli::parse();
    let done = format.map_err(Failure::from).and_then(|_| run(cli));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(!cli.no_sample),
        Command::Migrate => migrate(),
        Command::Openapi => print_contract(),
        Command::Healthcheck => healthcheck(),
        Command::Token { command } => token_command::run(&command),
        Command::Import(command) => import_command::run(&command),
        Command::Generate(command) => generate_command::run(&command),
        Command::Backup(command) => backup_command::backup(&command),
        Command::Restore(command) => backup_command::restore(&command),
        Command::Verify { known } => verify::run(known.as_ref()),
    }
}

fn serve(with_sample: bool) -> Result<(), Failure> {
    let config = Config::from_env()?;
    let cannot_listen = |e| format!("cannot listen on {} (WARD_POLICY_BIND): {e}", config.bind);
    // Only to find out: a start that cannot serve must not touch a database. The server binds when there is one.
    drop(Listening::on(&config.bind).map_err(cannot_listen)?);
    let metrics_bind = config.metrics_bind.as_deref();
    let cannot_show = |e| {
        let bind = metrics_bind.unwrap_or_default();
        format!("cannot listen on {bind} (WARD_POLICY_METRICS_BIND): {e}")
    };
    metrics_bind.map(TcpListener::bind).transpose().map_err(cannot_show)?;
    let (url, embedded) = if let Some(url) = config.database_url {
        (url, None)
    } else {
        let embedded = Embedded::start(&config.data)?;
        (embedded.url("ward_policy"), Some(embedded))
    };
    db::set_up(&url, |tx| if with_sample { sample::fill(tx) } else { Ok(()) })?;
    if embedded.is_some() {
        token_command::first(&url, &config.data)?;
    }
    let database = Database::new(&url, &config.standbys, config.bounds);
    let slow = Duration::from_millis(config.slow_query_ms);
    database.metrics().queries.call_slow(slow);
    // A turn needs a thread, whoever serves it: none shall wait for one behind others' turns.
    let turns: u32 = database.lanes().iter().map(|(_, lane)| lane.size).sum();
    let threads = usize::try_from(turns)?;
    System::new().block_on(async {
        let (cache, limits) = (Cache::new(config.cache_bytes), config.limits);
        let rate = Rate::new(config.rate, config.proxies);
        let outside = metrics_bind.map(|bind| metrics::server(database.clone(), bind));
        let outside = outside.transpose().map_err(cannot_show)?;
        let shown = outside.as_ref().map(Server::handle);
        let connections = Connections::new(config.patience);
        let listening = Listening::on(&config.bind).map_err(cannot_listen)?;
        let sockets = listening.sockets()?;
        let (asked, waiting, open) = (stop_asked()?, database.clone(), Arc::clone(&connections));
        let stop = async move {
            asked.await;
            // From here on every answer is the last one of its connection; who waits for changes gets one now.
            open.stop();
            waiting.stop_waiting();
            listening.cease().await;
        };
        let mut server = HttpServer::new(move || app::build(database.clone(), cache.clone(), rate.clone(), limits))
            .workers(config.workers)
            .max_connections(config.connections.div_ceil(config.workers))
            .client_request_timeout(config.patience.head)
            .on_connect(move |io, data| connections.take(io, data))
            .worker_max_blocking_threads(threads)
            .shutdown_signal(stop)
            .shutdown_timeout(8);
        for socket in sockets {
            server = server.listen(socket)?;
        }
        for address in server.addrs() {
            log::info!("API http://{address}/v1  documentation http://{address}/docs/");
        }
        outside.map(spawn);
        server.run().await?;
        if let Some(shown) = shown {
            shown.stop(false).await;
        }
        Ok::<_, Failure>(())
    })?;
    if let Some(embedded) = embedded {
        embedded.stop();
    }
    Ok(())
}

/// Waits for a signal to stop, whichever comes; left to itself, actix cuts requests off at Ctrl-C.
fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
    })
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

fn print_contract() -> Result<(), Failure> {
    let document = openapi::json(&app::spec());
    io::stdout()
        .write_all(document.as_bytes())
        .map_err(|e| format!("cannot print the document: {e}").into())
}

/// Asks `/healthz`, for containers without another client.
fn healthcheck() -> Result<(), Failure> {
    // What listens everywhere is reached here.
    let address = Config::from_env()?.bind.replace("0.0.0.0", "127.0.0.1");
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
