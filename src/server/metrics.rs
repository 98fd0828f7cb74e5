//! The metrics, for Prometheus. Counters live where something is counted; here they get their names.

use std::{
    fs, io,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, http::header::ContentType, web};
use prometheus_client::{
    encoding::prometheus_text::{CONTENT_TYPE, encode},
    metrics::{family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use super::state::AppState;
use crate::{
    db::{self, Database, Label, ReplicaStatus, Said},
    error::{Error, Result},
};

/// All metrics in the text format of Prometheus, with those measured on demand: the pools, the feed, the process.
///
/// It always answers, within little more than a second: metrics from the database are missing while it is away.
pub async fn text(state: &AppState) -> Result<String> {
    let (database, mut all) = (&state.database, Registry::default());
    let registry = all.sub_registry_with_prefix("ward_policy");
    let version = vec![("version", env!("CARGO_PKG_VERSION"))];
    registry.register("build", "The program", Info::new(version));
    counted(registry, state);
    pools(registry, database);
    standbys(registry, database);
    feed(registry, database);
    migrations(registry, database).await;
    process(&mut all, state);
    let mut text = String::new();
    encode(&mut text, &all).map_err(Error::internal)?;
    Ok(text)
}

/// The metrics that are counted as things happen.
fn counted(registry: &mut Registry, state: &AppState) {
    registry.register_collector(Box::new(Arc::clone(&state.requests)));
    let under_way = state.requests.under_way.clone();
    registry.register("requests_in_flight", "Requests under way", under_way);
    state.database.queries().register(registry);
    let (hits, misses) = (state.cache.hits.clone(), state.cache.misses.clone());
    registry.register("cache_hits", "Answers to the public that were given again", hits);
    registry.register("cache_misses", "Answers to the public that had to be made", misses);
}

fn show(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn show_seconds(registry: &mut Registry, name: &str, help: &str, value: Duration) {
    let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
    gauge.set(value.as_secs_f64());
    registry.register(name, help, gauge);
}

fn show_each(registry: &mut Registry, name: &str, help: &str, values: impl IntoIterator<Item = (Label, u32)>) {
    let family = Family::<Label, Gauge>::default();
    for (label, value) in values {
        family.get_or_create(&label).set(value.into());
    }
    registry.register(name, help, family);
}

/// How the pools of connections are used at this moment.
fn pools(registry: &mut Registry, database: &Database) {
    let pools = database.pools();
    let mut each = |name, help, value: fn(&db::Use) -> u32| {
        let values = pools.iter().map(|(pool, now)| ([("lane", *pool)], value(now)));
        show_each(registry, name, help, values);
    };
    each("pool_size", "Connections a lane may have", |now| now.size);
    each("pool_connections", "Connections a lane has", |now| now.connections);
    each("pool_in_use", "Turns that are taken, each of a connection", |now| {
        now.in_use
    });
}

/// How far the replicas are caught up.
fn standbys(registry: &mut Registry, database: &Database) {
    let ReplicaStatus { in_step, behind, away } = database.replica_status();
    show_each(
        registry,
        "standbys",
        "Replicas that readers are sent to, those that have not come so far, and those that do not answer or hold another history",
        [
            ([("state", "in_step")], in_step),
            ([("state", "behind")], behind),
            ([("state", "away")], away),
        ],
    );
}

/// How many clients wait for changes, and how well this process hears of changes.
fn feed(registry: &mut Registry, database: &Database) {
    let waiting = i64::try_from(database.waiting()).unwrap_or(i64::MAX);
    show(registry, "feed_waiting", "Callers who wait for changes", waiting);
    let heard = database.heard();
    show(
        registry,
        "feed_heard_seq",
        "The last change that this process heard of",
        heard.last,
    );
    if let Some(silence) = heard.silence {
        let help =
            "Time since this process last heard from the database that it hears everything; twice a second when well";
        show_seconds(registry, "feed_silence_seconds", help, silence);
    }
}

/// The metrics that the database is asked for.
async fn migrations(registry: &mut Registry, database: &Database) {
    let said = database.said().await.ok();
    let help = "Whether the database answered within a second";
    show(registry, "database_up", help, i64::from(said.is_some()));
    let Some(Said { migrations, last, .. }) = said else {
        return;
    };
    show(registry, "feed_last_seq", "The last change there is", last);
    show_each(
        registry,
        "migrations",
        "Migrations this program knows, those of them that the database lacks, and newer ones that it has",
        [
            ([("state", "known")], migrations.known),
            ([("state", "missing")], migrations.missing),
            (
                [("state", "newer")],
                migrations.newer.len().try_into().unwrap_or(u32::MAX),
            ),
        ],
    );
}

/// The process, by the names that every exporter uses.
fn process(registry: &mut Registry, state: &AppState) {
    let started = state.started.duration_since(UNIX_EPOCH).unwrap_or_default();
    show_seconds(
        registry,
        "process_start_time_seconds",
        "When the process started, in seconds since 1970",
        started,
    );
    if let Some(bytes) = resident() {
        show(registry, "process_resident_memory_bytes", "Resident memory", bytes);
    }
}

/// Resident memory in bytes, where the system tells.
fn resident() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib * 1024)
}

/// A server of `/metrics` on an address of its own, which asks nobody for a token: whoever reaches it may read.
pub fn server(state: AppState, bind: &str) -> io::Result<Server> {
    let state = web::Data::new(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .route("/metrics", web::get().to(answer))
    })
    .workers(1)
    .worker_max_blocking_threads(2)
    .disable_signals()
    .shutdown_timeout(1)
    .bind(bind)?;
    for address in server.addrs() {
        log::info!("metrics http://{address}/metrics");
    }
    Ok(server.run())
}

async fn answer(state: web::Data<AppState>) -> HttpResponse {
    match text(&state).await {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(e) => HttpResponse::InternalServerError()
            .content_type(ContentType::plaintext())
            .body(e.to_string()),
    }
}
