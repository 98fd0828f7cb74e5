//! Every setting, as `ward-policy --help` shows it: its environment variable, meaning, range and default. Nothing else
//! reads the environment.

use std::{
    env::{self, VarError},
    error::Error as _,
    fmt::Debug,
    ops::RangeInclusive,
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use clap::{
    Arg, Args, Command, Parser,
    builder::{StringValueParser, TypedValueParser as _},
    error::{ContextKind, ErrorKind},
};

use crate::{
    db::{self, Bounds},
    http::{
        connection::Patience,
        json::Most,
        limits::{Limits, MAX_BATCH, MAX_LIMIT},
        origins::Origins,
        public_address::PublicUrl,
    },
};

/// The longest time that a setting may ask for, in seconds.
const HOUR: u64 = 3600;
const LOG_FORMAT: &str = "WARD_POLICY_LOG_FORMAT";

/// Addresses of databases: of one value, where clap would take a `Vec` for many.
type Addresses = Vec<String>;

/// The settings of a service.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Service")]
pub struct Config {
    /// Address and port to listen on.
    #[arg(long, env = "WARD_POLICY_BIND", default_value = "127.0.0.1:8080")]
    pub bind: String,
    /// The address under which callers reach the service, such as `https://www.example.jp/policies`; without it, the one
    /// that a request names.
    #[arg(long, env = "WARD_POLICY_PUBLIC_URL", value_name = "URL", value_parser = PublicUrl::read)]
    pub public_url: Option<PublicUrl>,
    /// Threads that serve connections, 1 to 64.
    #[arg(long, env = "WARD_POLICY_WORKERS", default_value_t = 2, value_parser = number(1..=64_usize))]
    pub workers: usize,
    /// Bytes of the response cache for finished public answers, up to 1 GiB; 0 for none.
    #[arg(long, env = "WARD_POLICY_CACHE_BYTES", default_value_t = 32 << 20, value_parser = number(0..=1_usize << 30))]
    pub cache_bytes: usize,
    /// Address and port of `/metrics`, which asks for no token; not served without it.
    #[arg(long, env = "WARD_POLICY_METRICS_BIND")]
    pub metrics_bind: Option<String>,
    /// How the log is written: text, or json with an object a line.
    #[arg(long, env = LOG_FORMAT, default_value = "text", value_parser = log_format)]
    pub log_format: LogFormat,
    /// A statement that takes so many milliseconds is logged, up to an hour; 0 logs none.
    #[arg(long, env = "WARD_POLICY_SLOW_QUERY_MS", default_value_t = 500, value_parser = number(0..=HOUR * 1000))]
    pub slow_query_ms: u64,
    /// Which database, and how much of it.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// What callers may take.
    #[command(flatten)]
    pub callers: CallerSettings,
}

/// Settings of the database.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseSettings {
    /// The PostgreSQL to use; without it the service starts an embedded one.
    #[arg(long = "database-url", env = "DATABASE_URL", value_name = "URL", value_parser = address)]
    pub url: Option<String>,
    /// Replicas that readers are sent to while they are caught up, separated by spaces.
    #[arg(long = "database-replica-urls", env = "DATABASE_REPLICA_URLS", value_name = "URLS", value_parser = addresses)]
    #[arg(default_value = "", hide_default_value = true)]
    pub standbys: Addresses,
    /// Where the embedded PostgreSQL keeps its data
    ///
    /// [default: as root `/var/lib/ward-policy`, else `$XDG_DATA_HOME/ward-policy` or `~/.local/share/ward-policy`]
    #[arg(long, env = "WARD_POLICY_DATA", value_parser = StringValueParser::new().map(PathBuf::from))]
    data: Option<PathBuf>,
    /// Connections of the readers' pool, 1 to 100; by default 1 more than processors, at least 3.
    #[arg(long, env = "WARD_POLICY_POOL", default_value_t = Bounds::default().pool, value_parser = number(1..=100_u32))]
    pool: u32,
    /// Reads of one caller that may wait for a connection, and four times as many writes, 0 to 10,000.
    #[arg(long, env = "WARD_POLICY_QUEUE", value_parser = number(0..=10_000_usize))]
    #[arg(default_value_t = Bounds::default().queue)]
    queue: usize,
    /// Longest wait of a request for a permit, and for a connection, up to an hour.
    #[arg(long, env = "WARD_POLICY_WAIT_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Bounds::default().wait))]
    wait_ms: u64,
    /// Longest time for a whole read, up to an hour; exports and streams take the time they need.
    #[arg(long, env = "WARD_POLICY_READ_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Bounds::default().read))]
    read_ms: u64,
    /// Longest time for a whole write, up to an hour; a large import is one write.
    #[arg(long, env = "WARD_POLICY_WRITE_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Bounds::default().write))]
    write_ms: u64,
    /// PostgreSQL's `statement_timeout`, up to an hour.
    #[arg(long, env = "WARD_POLICY_STATEMENT_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Bounds::default().statement))]
    statement_ms: u64,
    /// PostgreSQL's `lock_timeout`, and the longest wait of a writer for its turn, up to an hour.
    #[arg(long, env = "WARD_POLICY_LOCK_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Bounds::default().lock))]
    lock_ms: u64,
    /// Reads of everything that may be streamed at a time, and exports that may be written, 1 to 100.
    #[arg(long, env = "WARD_POLICY_STREAMS", value_parser = number(1..=100_usize))]
    #[arg(default_value_t = Bounds::default().streams)]
    streams: usize,
    /// Callers that may wait for changes or follow them at a time, 8 to 100,000; an eighth of them by one caller.
    #[arg(long, env = "WARD_POLICY_FOLLOWERS", value_parser = number(8..=100_000_usize))]
    #[arg(default_value_t = Bounds::default().followers)]
    followers: usize,
}

/// Settings of what callers may take.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Callers")]
pub struct CallerSettings {
    /// Requests a second of a token, or of an address without one, and twice as many at once, up to 1,000,000; 0 for any
    /// number. Conditional requests answered 304 from the cache do not count.
    #[arg(long, env = "WARD_POLICY_RATE", default_value_t = 1000, value_parser = number(0..=1_000_000_u32))]
    pub rate: u32,
    /// Connections served at a time, 16 to 100,000, but at most half of the file descriptors allowed; a quarter to one
    /// address. On a few more only health is answered.
    #[arg(long, env = "WARD_POLICY_CONNECTIONS", default_value_t = 10_000, value_parser = number(16..=100_000_usize))]
    pub connections: usize,
    /// Proxies in front that append to `X-Forwarded-For`, up to 10.
    #[arg(long, env = "WARD_POLICY_PROXIES", value_parser = number(0..=10_usize))]
    #[arg(default_value_t = Limits::default().proxies)]
    proxies: usize,
    /// Origins whose pages may write and may frame the form, separated by commas, such as `https://www.example.jp`.
    #[arg(long, env = "WARD_POLICY_CORS_ORIGINS", value_name = "ORIGINS", value_parser = Origins::read)]
    #[arg(default_value = "", hide_default_value = true)]
    pub cors_origins: Origins,
    /// Longest time for the head of a request to arrive, up to an hour.
    #[arg(long, env = "WARD_POLICY_HEAD_SECONDS", value_parser = number(1..=HOUR))]
    #[arg(default_value_t = Patience::default().head.as_secs())]
    head_seconds: u64,
    /// Longest time for a client to read on in a long answer, up to an hour.
    #[arg(long, env = "WARD_POLICY_IDLE_SECONDS", value_parser = number(1..=HOUR))]
    #[arg(default_value_t = Patience::default().idle.as_secs())]
    idle_seconds: u64,
    /// Longest time for a body to arrive, up to an hour.
    #[arg(long, env = "WARD_POLICY_BODY_SECONDS", value_parser = number(1..=HOUR))]
    #[arg(default_value_t = Limits::default().body_seconds)]
    body_seconds: u64,
    /// Longest time for reading and checking one body, up to an hour.
    #[arg(long, env = "WARD_POLICY_WORK_MS", value_parser = number(1..=HOUR * 1000))]
    #[arg(default_value_t = millis(Limits::default().work))]
    work_ms: u64,
    /// Longest request body, 1 KiB to 1 GiB.
    #[arg(long, env = "WARD_POLICY_BODY_BYTES", value_parser = number(1024..=1_usize << 30))]
    #[arg(default_value_t = Limits::default().body_bytes)]
    body_bytes: usize,
    /// Longest file to import, 1 KiB to 1 GiB.
    #[arg(long, env = "WARD_POLICY_IMPORT_BYTES", value_parser = number(1024..=1_usize << 30))]
    #[arg(default_value_t = Limits::default().import_bytes)]
    pub import_bytes: usize,
    /// Most keys and values of a JSON document, 1,000 to 10,000,000.
    #[arg(long, env = "WARD_POLICY_JSON_VALUES", value_parser = number(1000..=10_000_000_usize))]
    #[arg(default_value_t = Most::default().values)]
    json_values: usize,
    /// Most lists and objects within one another, 8 to 100.
    #[arg(long, env = "WARD_POLICY_JSON_DEPTH", value_parser = number(8..=100_usize))]
    #[arg(default_value_t = Most::default().depth)]
    json_depth: usize,
    /// Most items on a page, 100 to 1,000.
    #[arg(long, env = "WARD_POLICY_PAGE_ITEMS", value_parser = number(100..=MAX_LIMIT))]
    #[arg(default_value_t = Limits::default().page_items)]
    page_items: i64,
    /// Most results written together, 1 to 1,000.
    #[arg(long, env = "WARD_POLICY_BATCH_ITEMS", value_parser = number(1..=MAX_BATCH))]
    #[arg(default_value_t = Limits::default().batch_items)]
    batch_items: usize,
    /// Exports that are made and sent at a time, 1 to 10,000; a quarter of them for one caller.
    #[arg(long, env = "WARD_POLICY_EXPORTS", value_parser = number(1..=10_000_usize))]
    #[arg(default_value_t = Limits::default().exports)]
    exports: usize,
    /// Bytes of exports on disk while they are made and sent, 1 MiB to 1 TiB; half of them for one caller.
    #[arg(long, env = "WARD_POLICY_EXPORT_BYTES", value_parser = number(1 << 20..=1_usize << 40))]
    #[arg(default_value_t = Limits::default().export_bytes)]
    export_bytes: usize,
}

impl DatabaseSettings {
    /// Where the embedded PostgreSQL keeps its data.
    pub fn data(&self) -> Result<PathBuf, ConfigError> {
        self.data.clone().map_or_else(default_data, Ok)
    }

    /// Bounds on the use of the database.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds {
            pool: self.pool,
            queue: self.queue,
            wait: Duration::from_millis(self.wait_ms),
            statement: Duration::from_millis(self.statement_ms),
            lock: Duration::from_millis(self.lock_ms),
            read: Duration::from_millis(self.read_ms),
            write: Duration::from_millis(self.write_ms),
            streams: self.streams,
            followers: self.followers,
        }
    }
}

impl CallerSettings {
    /// Limits on what one request may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            body_bytes: self.body_bytes,
            import_bytes: self.import_bytes,
            body_seconds: self.body_seconds,
            work: Duration::from_millis(self.work_ms),
            json: Most {
                values: self.json_values,
                depth: self.json_depth,
            },
            page_items: self.page_items,
            batch_items: self.batch_items,
            export_bytes: self.export_bytes,
            exports: self.exports,
            proxies: self.proxies,
        }
    }

    /// How long a client may take.
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience {
            head: Duration::from_secs(self.head_seconds),
            idle: Duration::from_secs(self.idle_seconds),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

impl LogFormat {
    /// The format that the environment asks for, where another setting is wrong: that is logged too.
    #[must_use]
    pub fn from_env() -> Self {
        let asked = text(LOG_FORMAT).ok().flatten();
        asked.and_then(|format| log_format(&format).ok()).unwrap_or_default()
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value} cannot be used: {why}")]
pub struct ConfigError {
    name: String,
    value: String,
    why: String,
}

/// Reads the command line with its settings. Ends the program where the command line itself is wrong, or asks for help.
pub fn parse<C: Parser>() -> Result<C, ConfigError> {
    let matches = C::command().mut_args(setting).try_get_matches();
    let read = matches.and_then(|matches| C::from_arg_matches(&matches));
    read.map_err(|e| refused(C::command(), &e).unwrap_or_else(|| e.exit()))
}

/// An argument that is a setting stands in `--help` without its value, and is absent where its variable is blank.
fn setting(arg: Arg) -> Arg {
    let Some(name) = arg.get_env() else { return arg };
    let is_blank = env::var_os(name).is_some_and(|value| value.to_string_lossy().trim().is_empty());
    let arg = arg.hide_env_values(true).hide_short_help(true);
    if is_blank { arg.env(None::<&str>) } else { arg }
}

/// Which setting an error is about, if it is about one.
fn refused(mut command: Command, e: &clap::Error) -> Option<ConfigError> {
    // Arguments are written as in errors once they are built.
    command.build();
    let arguments = command.get_arguments();
    let mut settings = arguments.filter_map(|arg| Some((arg.to_string(), arg.get_env()?.to_str()?)));
    match e.kind() {
        // clap does not say which one.
        ErrorKind::InvalidUtf8 => settings.find_map(|(_, name)| text(name).err()),
        ErrorKind::ValueValidation => {
            let refused = e.get(ContextKind::InvalidArg)?.to_string();
            let (_, name) = settings.find(|(setting, _)| *setting == refused)?;
            // An address is not shown: a part of it may be a password.
            let value = e
                .get(ContextKind::InvalidValue)
                .filter(|_| !name.starts_with("DATABASE_"));
            Some(ConfigError {
                name: name.to_owned(),
                value: value.map_or_else(|| "…".to_owned(), ToString::to_string),
                why: e.source()?.to_string(),
            })
        }
        _ => None,
    }
}

fn number<T>(allowed: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String> + Clone
where
    T: Clone + Debug + FromStr + PartialOrd,
{
    move |value: &str| {
        let number = value.parse().ok().filter(|number| allowed.contains(number));
        number.ok_or_else(|| format!("it must be a number in {allowed:?}"))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn log_format(format: &str) -> Result<LogFormat, &'static str> {
    match format {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("it must be text or json"),
    }
}

fn address(url: &str) -> Result<String, &'static str> {
    db::address::check(url).map(|()| url.to_owned())
}

fn addresses(urls: &str) -> Result<Addresses, &'static str> {
    urls.split_whitespace().map(address).collect()
}

/// The value of a variable, none if it is blank. A variable that cannot be read must not pass for an absent one.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn text(name: &str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ConfigError {
            name: name.to_owned(),
            // The value is not shown: half of it may be a password.
            value: "…".to_owned(),
            why: "it must be UTF-8".to_owned(),
        }),
    }
}

fn default_data() -> Result<PathBuf, ConfigError> {
    if nix::unistd::geteuid().is_root() {
        return Ok("/var/lib/ward-policy".into());
    }
    let parent = match (text("XDG_DATA_HOME")?, text("HOME")?) {
        (Some(data), _) => data.into(),
        (None, Some(home)) => PathBuf::from(home).join(".local/share"),
        (None, None) => env::temp_dir(),
    };
    Ok(parent.join("ward-policy"))
}
