//! Floods: one caller, or many, ask for far more than there is, while others ask for little. These must hardly notice, and the
//! flood must be told that it is one.
//!
//! Callers have addresses of their own: all of 127.0.0.0/8 is this machine.

use std::{
    net::Ipv4Addr,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use diesel::{Connection as _, PgConnection};
use nix::sys::signal::Signal;

use crate::{Outcome, storm, usage::megabytes};

use crowd::{Crowd, Requests, Tally};
use place::Watch;
pub(crate) use place::{Prepared, command, serve, temporary};
use quiet::{Fared, Quiet, ROLES, Role};
pub(crate) use weights::form;

pub(crate) mod crowd;
mod place;
mod quiet;
mod weights;
pub(crate) mod wire;

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_secs(12);
/// What of the quiet callers' requests must succeed, of a hundred, and what ninety-nine of a hundred must take at most.
const SUCCEED: usize = 95;
const P99: Duration = Duration::from_secs(1);
/// The year whose results the quiet writer writes, and that of the flood's writers.
const QUIET_YEAR: u32 = 2030;
const FLOOD_YEAR: u32 = 2031;

/// The flood's token, and the quiet one.
const FLOOD_TOKEN: &str = "wardpolicy_0000000000f1_secret";
const QUIET_TOKEN: &str = "wardpolicy_0000000000a1_secret";
/// Who asks for too much, and how.
struct Flood {
    name: &'static str,
    connections: usize,
    /// How many addresses it comes from.
    addresses: u8,
    requests: fn(&Prepared) -> Outcome<Requests>,
    /// Whether it holds on to answers.
    holding: bool,
    /// The answers it may get beside success, 429 and 503.
    may_get: &'static [u16],
    /// Where some of it must be refused.
    refused: Refused,
}

/// Where some of a flood must be refused with 4xx or 503.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Always,
    /// Where requests are counted.
    Counted,
    /// It may be less than there is room for; and a trial that is refused is told so in a report.
    Perhaps,
}

const ALL: &[Flood] = &[
    asking("made_up_20", 20, made_up, &[401], Refused::Always),
    asking("made_up_200", 200, made_up, &[401], Refused::Always),
    asking("token_40", 40, |_| Ok(lists(Some(FLOOD_TOKEN))), &[], Refused::Counted),
    asking("token_200", 200, |_| Ok(lists(Some(FLOOD_TOKEN))), &[], Refused::Always),
    asking("anonymous_200", 200, |_| Ok(lists(None)), &[], Refused::Always),
    asking("writers_40", 40, writes, &[409], Refused::Perhaps),
    asking("writers_200", 200, writes, &[409], Refused::Always),
    asking("html_tag", 4, html_tag, &[400, 413, 422], Refused::Perhaps),
    asking("empty_cells", 4, empty_cells, &[400, 413, 422], Refused::Perhaps),
    asking("unknown_keys", 4, unknown_keys, &[400, 413, 422], Refused::Always),
    asking(
        "unknown_parameters",
        4,
        unknown_parameters,
        &[400, 413, 414, 431],
        Refused::Always,
    ),
    holding("streams_500", 500, 1, streams, Refused::Always),
    holding("streams_500_of_50", 500, 50, streams, Refused::Perhaps),
    holding("exports_12", 12, 1, exports, Refused::Perhaps),
    holding("exports_60", 60, 1, exports, Refused::Always),
    asking("trial_beyond", 1, trial_beyond, &[400, 413, 422], Refused::Perhaps),
    asking("trial_import", 1, trial, &[400, 413, 422], Refused::Perhaps),
    asking("trial_imports_8", 8, trial, &[400, 413, 422], Refused::Perhaps),
];

const fn asking(
    name: &'static str,
    connections: usize,
    requests: fn(&Prepared) -> Outcome<Requests>,
    may_get: &'static [u16],
    refused: Refused,
) -> Flood {
    Flood {
        name,
        connections,
        addresses: 1,
        requests,
        holding: false,
        may_get,
        refused,
    }
}

const fn holding(
    name: &'static str,
    connections: usize,
    addresses: u8,
    requests: fn(&Prepared) -> Outcome<Requests>,
    refused: Refused,
) -> Flood {
    Flood {
        addresses,
        holding: true,
        ..asking(name, connections, requests, &[], refused)
    }
}

/// What differs from one round of all floods to the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The flood comes from elsewhere, and requests are counted.
    Usual,
    /// They are not.
    Uncounted,
    /// Everybody comes from one address.
    OneAddress,
}

const MODES: [(Mode, &str); 3] = [
    (Mode::Usual, ""),
    (Mode::Uncounted, ".uncounted"),
    (Mode::OneAddress, ".one_address"),
];

fn made_up(_: &Prepared) -> Outcome<Requests> {
    let token = |n| format!("wardpolicy_{n:012x}_secret");
    Ok(Arc::new(move |n| {
        wire::get(Some(&token(n + (1 << 32))), "/v1/indicators?limit=100")
    }))
}

/// Lists that nobody has asked for yet.
fn lists(token: Option<&'static str>) -> Requests {
    Arc::new(move |n| {
        let path = format!("/v1/indicators?limit=100&fiscal_year={}&q=%E5%8C%BA{n}", 2015 + n % 10);
        wire::get(token, &path)
    })
}

fn writes(prepared: &Prepared) -> Outcome<Requests> {
    let slots = prepared.flood_slots().to_vec();
    Ok(Arc::new(move |n| {
        // Most are refused, so that there are enough.
        let slot = slots.get(n % slots.len()).map_or("", String::as_str);
        let body = storm::result(n, slot);
        by_flood("POST", "/v1/results", "application/json", body.as_bytes())
    }))
}

fn by_flood(method: &str, path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    wire::request(method, path, Some(FLOOD_TOKEN), &[("Content-Type", media_type)], body)
}

const TRIAL: &str = "/v1/imports/forms?dry_run=true";

fn html_tag(_: &Prepared) -> Outcome<Requests> {
    Ok(again(by_flood("POST", TRIAL, "text/html", &weights::tag(800_000))))
}

fn empty_cells(_: &Prepared) -> Outcome<Requests> {
    let media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let path = "/v1/imports/results?dry_run=true";
    Ok(again(by_flood("POST", path, media_type, &weights::workbook(150_000)?)))
}

fn unknown_keys(_: &Prepared) -> Outcome<Requests> {
    let body = weights::unknown_keys(9_900, 290);
    let head = [("Content-Type", "application/json")];
    Ok(again(wire::request(
        "POST",
        "/v1/evaluations/preview",
        None,
        &head,
        body.as_bytes(),
    )))
}

fn unknown_parameters(_: &Prepared) -> Outcome<Requests> {
    let path = format!("/v1/indicators?{}", weights::unknown_parameters(7_000));
    Ok(again(wire::get(None, &path)))
}

fn streams(_: &Prepared) -> Outcome<Requests> {
    Ok(again(wire::get(None, "/v1/changes/stream")))
}

/// Files, twelve of them different.
fn exports(_: &Prepared) -> Outcome<Requests> {
    Ok(Arc::new(|n| {
        let table = ["evaluations", "indicators", "results"][n % 3];
        let form = ["ndjson", "csv", "csv&names=code", "xlsx"][n / 3 % 4];
        wire::get(None, &format!("/v1/exports/{table}?format={form}"))
    }))
}

/// A form of more indicators than one may have.
fn trial_beyond(_: &Prepared) -> Outcome<Requests> {
    Ok(again(by_flood("POST", TRIAL, "text/plain", form(36, 200).as_bytes())))
}

/// A form of as many indicators as one may have.
fn trial(_: &Prepared) -> Outcome<Requests> {
    Ok(again(by_flood("POST", TRIAL, "text/plain", form(5, 200).as_bytes())))
}

pub(crate) fn again(request: Vec<u8>) -> Requests {
    Arc::new(move |_| request.clone())
}

/// A thread that many others may be beside.
pub(crate) fn spawn(work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    thread::Builder::new().stack_size(256 << 10).spawn(work)
}

pub(crate) const HEAD: &str = "flood                           |   token      |  anonymous   |   writer     |   healthz    |   readyz     | \
                               most MB  fds tmp MB | writes lost doubled | the flood's answers";

/// Runs those floods that are chosen, in every mode; how many failed.
pub(crate) fn run(chosen: impl Fn(&str) -> bool) -> Outcome<u32> {
    let mut prepared = None;
    let mut failed = 0;
    for (mode, ending) in MODES {
        for flood in ALL {
            let name = format!("{}{ending}", flood.name);
            // Many addresses are not one.
            if !chosen(&name) || (mode == Mode::OneAddress && flood.addresses > 1) {
                continue;
            }
            if prepared.is_none() {
                prepared = Some(Prepared::new("floods")?);
                println!("{HEAD}");
            }
            let Some(prepared) = &prepared else { continue };
            match run_one(prepared, flood, mode, &name) {
                Ok(line) => println!("{line}"),
                Err(e) => {
                    failed += 1;
                    println!("{e}");
                }
            }
        }
    }
    Ok(failed)
}

fn run_one(prepared: &Prepared, flood: &Flood, mode: Mode, name: &str) -> Outcome<String> {
    let database = format!("flood_{}", name.replace('.', "_"));
    let url = prepared.copy(&database)?;
    let rate: &[_] = match mode {
        Mode::Uncounted => &[("WARD_POLICY_RATE", "0")],
        Mode::Usual | Mode::OneAddress => &[],
    };
    let service = serve(prepared.place(), &url, rate)?;
    let from = addresses(mode, flood.addresses);
    let requests = (flood.requests)(prepared)?;
    let watch = Watch::begin(&service, prepared.place())?;
    let crowd = Crowd::begin(flood.connections, &from, service.address, &requests, flood.holding)?;
    thread::sleep(Duration::from_millis(500));
    let quiet = Quiet::begin(service.address, prepared.slots().to_vec());
    thread::sleep(FLOOD);
    let open = crowd.open();
    let tally = crowd.end();
    let ended = quiet.end().and_then(|(fared, written, open)| {
        let conn = &mut PgConnection::establish(&url)?;
        Ok((fared, account(conn, prepared, flood, &tally, &written)?, open))
    });
    let used = watch.end()?;
    let said = service.said()?;
    service.stop(Signal::SIGKILL)?;
    prepared.drop(&database)?;
    let (fared, [written, lost, doubled], unacknowledged) = ended.map_err(|e| format!("{name:<32}| FAILED: {e}"))?;

    let shown = ROLES.iter().zip(&fared);
    let shown = shown.map(|(_, fared)| format!("{:>3} % {:>5} ms", fared.succeeded(), fared.p99().as_millis()));
    let line = format!(
        "{name:<32}| {} | {:>7} {:>4} {:>6} | {written:>6} {lost:>4} {doubled:>7} | {}{} of {} connections open{}",
        shown.collect::<Vec<_>>().join(" | "),
        megabytes(used.memory),
        used.descriptors,
        megabytes(used.temporary),
        statuses(&tally),
        open,
        flood.connections,
        panics(&said),
    );
    let mut wrong = wrongs(flood, mode, &tally, &fared);
    if lost > 0 || doubled > 0 {
        wrong.push("writes were lost or doubled".to_owned());
    }
    if unacknowledged > 0 {
        wrong.push(format!("{unacknowledged} writes were not acknowledged a minute later"));
    }
    if !panics(&said).is_empty() {
        wrong.push("it panicked".to_owned());
    }
    if wrong.is_empty() {
        Ok(line)
    } else {
        Err(format!("{line}\n{:<32}| FAILED: {}", "", wrong.join("; ")).into())
    }
}

fn addresses(mode: Mode, count: u8) -> Vec<Ipv4Addr> {
    match mode {
        Mode::OneAddress => vec![Ipv4Addr::LOCALHOST],
        Mode::Usual | Mode::Uncounted => (0..count).map(|n| Ipv4Addr::new(127, 0, 0, n + 2)).collect(),
    }
}

/// Writes found, lost and doubled, the flood's too.
fn account(
    conn: &mut PgConnection,
    prepared: &Prepared,
    flood: &Flood,
    tally: &Tally,
    written: &[(String, usize)],
) -> Outcome<[usize; 3]> {
    let [found, lost, doubled, _] = storm::found(conn, QUIET_YEAR.cast_signed(), written)?;
    if !flood.name.starts_with("writers") {
        return Ok([found, lost, doubled]);
    }
    let slots = prepared.flood_slots();
    let theirs = tally
        .succeeded
        .iter()
        .filter_map(|n| Some((slots.get(n % slots.len())?.clone(), *n)));
    let theirs: Vec<_> = theirs.collect();
    let [more, gone, twice, _] = storm::found(conn, FLOOD_YEAR.cast_signed(), &theirs)?;
    Ok([found + more, lost + gone, doubled + twice])
}

fn statuses(tally: &Tally) -> String {
    let counts = tally
        .by_status
        .iter()
        .map(|(status, count)| format!("{status}×{count} "));
    let unanswered = match tally.unanswered {
        0 => String::new(),
        n => format!("none×{n} ({}) ", tally.why),
    };
    format!("{}{unanswered}", counts.collect::<String>())
}

fn panics(said: &str) -> String {
    match said.matches(" panicked at ").count() {
        0 => String::new(),
        n => format!(", {n} panics"),
    }
}

/// What is not as it must be.
fn wrongs(flood: &Flood, mode: Mode, tally: &Tally, fared: &[Fared; 5]) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((role, name), fared) in ROLES.iter().zip(fared) {
        // Who calls from the flood's address without a token is one with it.
        if mode == Mode::OneAddress && *role == Role::Anonymous {
            continue;
        }
        if fared.succeeded() < SUCCEED || fared.p99() > P99 {
            wrong.push(format!("{name} of {} requests", fared.asked()));
        }
    }
    let refusal = |status: u16| status == 429 || status == 503 || flood.may_get.contains(&status);
    if tally.of(|status| status >= 300 && !refusal(status)) > 0 {
        wrong.push("the flood got something else".to_owned());
    }
    if tally.without_retry_after > 0 {
        wrong.push(format!("{} without Retry-After", tally.without_retry_after));
    }
    if tally.unanswered > 0 {
        wrong.push("the flood got no answer".to_owned());
    }
    let must = flood.refused == Refused::Always || (flood.refused == Refused::Counted && mode != Mode::Uncounted);
    if must && tally.of(refusal) == 0 {
        wrong.push("nothing of the flood was refused".to_owned());
    }
    wrong
}
