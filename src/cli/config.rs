//! Every setting: its environment variable, default and meaning. Nothing else reads the environment.

use std::{
    env::{self, VarError},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use crate::{
    db::{self, Bounds},
    http::{
        connection::Patience,
        json::Most,
        limits::{Limits, MAX_BATCH, MAX_LIMIT},
    },
};

/// The settings of a service.
#[derive(Debug, Clone)]
pub struct Config {
    /// `WARD_POLICY_BIND`: address and port to listen on (127.0.0.1:8080).
    pub bind: String,
    /// `DATABASE_URL`: the PostgreSQL to use; without it the service starts an embedded one.
    pub database_url: Option<String>,
    /// `DATABASE_REPLICA_URLS`: replicas that readers are sent to while they are caught up, separated by spaces (none).
    pub standbys: Vec<String>,
    /// `WARD_POLICY_DATA`: where the embedded PostgreSQL keeps its data
    /// (as root `/var/lib/ward-policy`, else `$XDG_DATA_HOME/ward-policy` or `~/.local/share/ward-policy`).
    pub data: PathBuf,
    /// `WARD_POLICY_WORKERS`: threads that serve connections, 1 to 64 (2).
    pub workers: usize,
    /// `WARD_POLICY_CACHE_BYTES`: size of the response cache, at most 1 GiB; 0 for none (32 MiB).
    pub cache_bytes: usize,
    /// `WARD_POLICY_METRICS_BIND`: address and port of `/metrics`, which asks for no token; not served without it.
    pub metrics_bind: Option<String>,
    /// `WARD_POLICY_LOG_FORMAT`: how the log is written, `text` or `json` (text).
    pub log_format: LogFormat,
    /// `WARD_POLICY_SLOW_QUERY_MS`: statements of so many milliseconds are logged, up to an hour; 0 logs none (500).
    pub slow_query_ms: u64,
    /// Limits on what one request may take.
    pub limits: Limits,
    /// Bounds on the use of the database.
    pub bounds: Bounds,
    /// `WARD_POLICY_CONNECTIONS`: connections served at a time, 16 to 100,000 (10,000, or as many as the process has
    /// descriptors for). One address may have a quarter of them. On a few more only health is answered.
    pub connections: usize,
    /// `WARD_POLICY_RATE`: requests a second of a token, or of an address without one, and twice as many at once; up to
    /// 1,000,000, 0 for any number (1000). Conditional requests answered 304 from the cache do not count.
    pub rate: u32,
    /// How long a client may take.
    pub patience: Patience,
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
    /// Reads the format from the environment, before all other settings: their errors are logged too.
    pub fn from_env() -> Result<Self, ConfigError> {
        let name = "WARD_POLICY_LOG_FORMAT";
        match text(name)? {
            None => Ok(Self::default()),
            Some(value) if value == "text" => Ok(Self::Text),
            Some(value) if value == "json" => Ok(Self::Json),
            Some(value) => Err(ConfigError {
                name,
                value,
                why: "it must be text or json".to_owned(),
            }),
        }
    }
}

/// A variable that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{name}={value} cannot be used: {why}")]
pub struct ConfigError {
    name: &'static str,
    value: String,
    why: String,
}

impl Config {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (defaults, bounds, patience) = (Limits::default(), Bounds::default(), Patience::default());
        Ok(Self {
            bind: text("WARD_POLICY_BIND")?.unwrap_or_else(|| "127.0.0.1:8080".to_owned()),
            database_url: text("DATABASE_URL")?
                .map(|url| address("DATABASE_URL", &url))
                .transpose()?,
            standbys: text("DATABASE_REPLICA_URLS")?
                .unwrap_or_default()
                .split_whitespace()
                .map(|url| address("DATABASE_REPLICA_URLS", url))
                .collect::<Result<_, _>>()?,
            data: text("WARD_POLICY_DATA")?.map_or_else(default_data, |data| Ok(data.into()))?,
            workers: number("WARD_POLICY_WORKERS", 2, 1..=64)?,
            cache_bytes: number("WARD_POLICY_CACHE_BYTES", 32 << 20, 0..=1 << 30)?,
            metrics_bind: text("WARD_POLICY_METRICS_BIND")?,
            log_format: LogFormat::from_env()?,
            slow_query_ms: number("WARD_POLICY_SLOW_QUERY_MS", 500, 0..=3_600_000)?,
            limits: Limits {
                body_bytes: number("WARD_POLICY_BODY_BYTES", defaults.body_bytes, 1024..=1 << 30)?,
                import_bytes: number("WARD_POLICY_IMPORT_BYTES", defaults.import_bytes, 1024..=1 << 30)?,
                body_seconds: number("WARD_POLICY_BODY_SECONDS", defaults.body_seconds, 1..=3600)?,
                work: millis("WARD_POLICY_WORK_MS", defaults.work)?,
                json: Most {
                    values: number("WARD_POLICY_JSON_VALUES", defaults.json.values, 1000..=10_000_000)?,
                    depth: number("WARD_POLICY_JSON_DEPTH", defaults.json.depth, 8..=100)?,
                },
                page_items: number("WARD_POLICY_PAGE_ITEMS", defaults.page_items, 100..=MAX_LIMIT)?,
                batch_items: number("WARD_POLICY_BATCH_ITEMS", defaults.batch_items, 1..=MAX_BATCH)?,
                export_bytes: number("WARD_POLICY_EXPORT_BYTES", defaults.export_bytes, 1 << 20..=1 << 40)?,
                exports: number("WARD_POLICY_EXPORTS", defaults.exports, 1..=10_000)?,
                proxies: number("WARD_POLICY_PROXIES", defaults.proxies, 0..=10)?,
            },
            bounds: Bounds {
                pool: number("WARD_POLICY_POOL", bounds.pool, 1..=100)?,
                queue: number("WARD_POLICY_QUEUE", bounds.queue, 0..=10_000)?,
                wait: millis("WARD_POLICY_WAIT_MS", bounds.wait)?,
                statement: millis("WARD_POLICY_STATEMENT_MS", bounds.statement)?,
                lock: millis("WARD_POLICY_LOCK_MS", bounds.lock)?,
                read: millis("WARD_POLICY_READ_MS", bounds.read)?,
                write: millis("WARD_POLICY_WRITE_MS", bounds.write)?,
                streams: number("WARD_POLICY_STREAMS", bounds.streams, 1..=100)?,
                followers: number("WARD_POLICY_FOLLOWERS", bounds.followers, 8..=100_000)?,
            },
            connections: number("WARD_POLICY_CONNECTIONS", 10_000, 16..=100_000)?,
            rate: number("WARD_POLICY_RATE", 1000, 0..=1_000_000)?,
            patience: Patience {
                head: seconds("WARD_POLICY_HEAD_SECONDS", patience.head)?,
                idle: seconds("WARD_POLICY_IDLE_SECONDS", patience.idle)?,
            },
        })
    }
}

/// The address of a database.
fn address(name: &'static str, url: &str) -> Result<String, ConfigError> {
    match db::address::check(url) {
        Ok(()) => Ok(url.to_owned()),
        Err(why) => Err(ConfigError {
            name,
            // The value is not shown: a part of it may be a password.
            value: "…".to_owned(),
            why: why.to_owned(),
        }),
    }
}

/// A time in seconds, up to an hour.
fn seconds(name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
    number(name, default.as_secs(), 1..=3600).map(Duration::from_secs)
}

/// A time in milliseconds, up to an hour.
fn millis(name: &'static str, default: Duration) -> Result<Duration, ConfigError> {
    let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
    number(name, default, 1..=3_600_000).map(Duration::from_millis)
}

/// The value of a variable, none if it is blank. A variable that cannot be read must not pass for an absent one.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn text(name: &'static str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.trim().is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(ConfigError {
            name,
            // The value is not shown: half of it may be a password.
            value: "…".to_owned(),
            why: "it must be UTF-8".to_owned(),
        }),
    }
}

fn number<T>(name: &'static str, default: T, allowed: std::ops::RangeInclusive<T>) -> Result<T, ConfigError>
where
    T: FromStr + PartialOrd + std::fmt::Debug,
{
    let Some(value) = text(name)? else { return Ok(default) };
    value
        .parse()
        .ok()
        .filter(|n| allowed.contains(n))
        .ok_or_else(|| ConfigError {
            name,
            value,
            why: format!("it must be a number in {allowed:?}"),
        })
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
