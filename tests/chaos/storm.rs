//! A storm of writes and reads, and the account of it.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, BufReader, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Outcome, PATIENCE, http::Answer, process::eventually};

/// A token that may do everything.
pub(crate) const TOKEN: &str = "wardpolicy_000000000000_secret";

/// Whoever writes, and whoever reads.
const WRITERS: u32 = 6;
const READERS: u32 = 6;
/// How long a client waits for an answer.
const CLIENT: Duration = Duration::from_secs(30);

pub(crate) const HEAD: &str =
    "case                        requests 50x  other  none slowest ms back ms  acknowledged found  lost doubled";

/// What every answer is counted as, and how long the slowest took.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) by_status: BTreeMap<u16, u32>,
    /// Those that got no answer, though somebody listened.
    pub(crate) none: u32,
    pub(crate) slowest: Duration,
    /// What a 503 or 504 did not say.
    pub(crate) without_retry_after: u32,
    /// When a write last succeeded.
    pub(crate) written: Vec<Instant>,
}

/// Clients that go on until they are told to stop.
pub(crate) struct Storm {
    stop: Arc<AtomicBool>,
    counts: Arc<Mutex<Counts>>,
    clients: Vec<JoinHandle<Vec<(usize, bool)>>>,
    slots: Vec<String>,
    pub(crate) health: Arc<Health>,
}

/// What the probes saw.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// Those of liveness that failed or took longer than a second.
    pub(crate) not_alive: AtomicU32,
    /// Those of readiness that were answered with 503.
    pub(crate) not_ready: AtomicU32,
}

/// A request on a connection of its own, and how it ended.
fn ask(address: SocketAddr, head: &str, body: &str) -> Outcome<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, CLIENT)?;
    stream.set_read_timeout(Some(CLIENT))?;
    let request = format!(
        "{head}Host: it\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    Answer::read(&mut BufReader::new(stream))
}

/// A result to store where there is none yet.
pub(crate) fn result(slot: usize, path: &str) -> String {
    let indicator = path.split('/').nth(3);
    json!({ "items": [{ "indicator_id": indicator, "version": 0, "result": written(slot, path) }] }).to_string()
}

/// A result with a value, of the fiscal year of its path.
pub(crate) fn written(value: impl Serialize, path: &str) -> Value {
    let year = path.rsplit('/').next().and_then(|year| year.parse::<u32>().ok());
    json!({ "fiscal_year": year, "value": value, "value_status": "reported", "observation_status": "final" })
}

/// A draft of an organization with indicators, and a path for each result that can be written.
pub(crate) fn prepare(address: SocketAddr, organization: &str, year: u32) -> Outcome<Vec<String>> {
    let indicators: Vec<Value> = (0..60)
        .map(|n| {
            json!({ "name": format!("指標{n}"), "kind": "outcome", "unit": "%", "decimals": 1, "direction": "higher_is_better",
                "results": [], "target": { "text": "50%以上", "comparator": "gte", "value": 50,
                    "reference": { "kind": "none" }, "period": { "kind": "single_year" } } })
        })
        .collect();
    let tree = json!({ "organization": organization, "fiscal_year": year, "goals": [
        { "code": "1", "title": "課題", "budgets": [], "indicators": indicators }] });
    let at = format!("/v1/policies/{organization}/{year}/tree");
    let put = format!("PUT {at} HTTP/1.1\r\nIf-None-Match: *\r\n");
    // A token that was made behind the service's back is known to it soon.
    let made = eventually(|| Ok(Some(ask(address, &put, &tree.to_string())?).filter(|made| made.status != 401)))?;
    if made.status != 201 {
        return Err(format!("{}: {}", made.status, made.body).into());
    }
    let tree = ask(address, &format!("GET {at} HTTP/1.1\r\n"), "")?.body;
    let indicators = tree["goals"][0]["indicators"].as_array().cloned().unwrap_or_default();
    let mut slots = Vec::new();
    for year in 1950..2100 {
        let ids = indicators.iter().filter_map(|indicator| indicator["id"].as_str());
        slots.extend(ids.map(|id| format!("/v1/indicators/{id}/results/{year}")));
    }
    Ok(slots)
}

impl Storm {
    pub(crate) fn begin(address: &Arc<Mutex<SocketAddr>>, slots: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let counts = Arc::new(Mutex::new(Counts::default()));
        let health = Arc::new(Health::default());
        let next = Arc::new(AtomicU32::new(0));
        let mut clients = Vec::new();
        for _ in 0..WRITERS {
            let (stop, counts, next) = (Arc::clone(&stop), Arc::clone(&counts), Arc::clone(&next));
            let (address, slots) = (Arc::clone(address), slots.clone());
            clients.push(thread::spawn(move || write(&stop, &counts, &next, &address, &slots)));
        }
        for n in 0..READERS {
            let (stop, counts, address) = (Arc::clone(&stop), Arc::clone(&counts), Arc::clone(address));
            let slot = slots.get(usize::try_from(n).unwrap_or(0)).cloned().unwrap_or_default();
            let path = slot.split("/results").next().unwrap_or_default().to_owned();
            clients.push(thread::spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    count(&counts, &address, &format!("GET {path} HTTP/1.1\r\n"), "");
                    thread::sleep(Duration::from_millis(3));
                }
                Vec::new()
            }));
        }
        let (ended, probed, at) = (Arc::clone(&stop), Arc::clone(&health), Arc::clone(address));
        clients.push(thread::spawn(move || {
            probe(&ended, &probed, &at);
            Vec::new()
        }));
        Self {
            stop,
            counts,
            clients,
            slots,
            health,
        }
    }

    /// Lets everybody end what they do; every write is repeated until it is acknowledged.
    pub(crate) fn end(self) -> Outcome<(Counts, Vec<(String, usize)>)> {
        self.stop.store(true, Ordering::Release);
        let mut written = Vec::new();
        for client in self.clients {
            for (slot, acknowledged) in client.join().map_err(|_panic| "a client panicked")? {
                if !acknowledged {
                    let counts = locked(&self.counts);
                    return Err(format!("write {slot} was never acknowledged: {:?}", counts.by_status).into());
                }
                written.push((self.slots[slot].clone(), slot));
            }
        }
        let counts = Arc::try_unwrap(self.counts).map_err(|_shared| "somebody still counts")?;
        Ok((counts.into_inner().unwrap_or_else(PoisonError::into_inner), written))
    }
}

/// Whether an answer says that the service or its database is away, or what became of a write is not known: it is sent again.
pub(crate) fn is_away(status: u16) -> bool {
    matches!(status, 503 | 504)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks once and counts what came of it: the status, if there was an answer.
fn count(counts: &Mutex<Counts>, address: &Mutex<SocketAddr>, head: &str, body: &str) -> Option<u16> {
    let begun = Instant::now();
    let at = *locked(address);
    let answer = ask(at, head, body);
    let took = begun.elapsed();
    let mut counts = locked(counts);
    counts.slowest = counts.slowest.max(took);
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) => {
            let nobody = e.downcast_ref::<io::Error>().map(io::Error::kind) == Some(io::ErrorKind::ConnectionRefused);
            counts.none += u32::from(!nobody);
            return None;
        }
    };
    *counts.by_status.entry(answer.status).or_default() += 1;
    if is_away(answer.status) && !answer.retry_after {
        counts.without_retry_after += 1;
    }
    if head.starts_with("POST") && answer.status < 300 {
        counts.written.push(Instant::now());
    }
    Some(answer.status)
}

/// Writes one result after the other, each under a key of its own, until it is acknowledged.
fn write(
    stop: &AtomicBool,
    counts: &Mutex<Counts>,
    next: &AtomicU32,
    address: &Mutex<SocketAddr>,
    slots: &[String],
) -> Vec<(usize, bool)> {
    let mut written = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let slot = usize::try_from(next.fetch_add(1, Ordering::AcqRel)).unwrap_or(usize::MAX);
        let Some(path) = slots.get(slot) else { break };
        let head = format!("POST /v1/results HTTP/1.1\r\nIdempotency-Key: slot-{slot}\r\n");
        let begun = Instant::now();
        let mut acknowledged = false;
        while !acknowledged && begun.elapsed() < PATIENCE {
            acknowledged = count(counts, address, &head, &result(slot, path)) == Some(200);
            if !acknowledged {
                thread::sleep(Duration::from_millis(100));
            }
        }
        written.push((slot, acknowledged));
        thread::sleep(Duration::from_millis(2));
    }
    written
}

fn probe(stop: &AtomicBool, health: &Health, address: &Mutex<SocketAddr>) {
    while !stop.load(Ordering::Acquire) {
        let at = *locked(address);
        let begun = Instant::now();
        let alive = ask(at, "GET /healthz HTTP/1.1\r\n", "").is_ok_and(|answer| answer.status == 200);
        if !alive || begun.elapsed() > Duration::from_secs(1) {
            health.not_alive.fetch_add(1, Ordering::AcqRel);
        }
        if ask(at, "GET /readyz HTTP/1.1\r\n", "").is_ok_and(|answer| answer.status == 503) {
            health.not_ready.fetch_add(1, Ordering::AcqRel);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = sql_types::Text)]
    path: String,
    #[diesel(sql_type = sql_types::BigInt)]
    value: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    changes: i64,
}

/// What became of writes to the policies of a year: how many are found as they were written, how many are not, how many were made
/// twice; and how many results there are.
pub(crate) fn found(conn: &mut PgConnection, year: i32, written: &[(String, usize)]) -> Outcome<[usize; 4]> {
    let rows: Vec<Found> = sql_query(
        "select '/v1/indicators/' || r.indicator_id || '/results/' || r.fiscal_year as path, r.value::bigint as value,
            (select count(*) from change_log c where c.type = 'result' and c.row_id = r.id) as changes
         from results r join policies p on p.id = r.policy_id where p.fiscal_year = $1",
    )
    .bind::<sql_types::Integer, _>(year)
    .load(conn)?;
    let by_path: HashMap<&str, &Found> = rows.iter().map(|row| (row.path.as_str(), row)).collect();
    let mut account = [0, 0, 0, rows.len()];
    for (path, slot) in written {
        match by_path.get(path.as_str()) {
            Some(row) if row.value == i64::try_from(*slot)? => account[0] += 1,
            _ => account[1] += 1,
        }
        if by_path.get(path.as_str()).is_some_and(|row| row.changes != 1) {
            account[2] += 1;
        }
    }
    Ok(account)
}
