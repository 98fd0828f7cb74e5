//! `make soak`: a mixed load at half of what the service can do, for a long time. It must end as it began: with no error, and no more
//! memory, descriptors and temporary files than in the middle.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    Outcome,
    floods::{
        self, Prepared,
        crowd::Crowd,
        form, spawn, temporary,
        wire::{self, Connection, Head},
    },
    storm::{self, TOKEN},
    usage::{Usage, megabytes},
};

/// Those who ask, each on a connection that is kept.
const CALLERS: usize = 8;
/// Those who listen to changes all the time.
const LISTENERS: usize = 10;
/// How long it is measured what the service can do.
const MEASURED: Duration = Duration::from_secs(10);
/// How long a caller waits for an answer.
const CLIENT: Duration = Duration::from_secs(30);
/// How much more, of a hundred, the last third of the time may take than the one before.
const MORE: u64 = 5;

pub(crate) fn run(minutes: &str) -> Outcome {
    let minutes: u32 = minutes.parse()?;
    let prepared = Prepared::new("soak")?;
    let url = prepared.copy("soak")?;
    let place = prepared.place();
    let service = floods::serve(place, &url, &[("WARD_POLICY_RATE", "0")])?;
    let address = service.address;
    let (pid, files) = (service.pid()?, temporary(place));
    let listeners = Crowd::begin(
        LISTENERS,
        &(0..5).map(|n| Ipv4Addr::new(127, 0, 2, n + 1)).collect::<Vec<_>>(),
        address,
        &floods::again(wire::get(None, "/v1/changes/stream")),
        true,
    )?;
    let (began, load) = (Instant::now(), Load::begin(address, prepared.slots(), None)?);
    thread::sleep(MEASURED);
    let capacity = f64::from(load.end()?.asked) / began.elapsed().as_secs_f64();
    println!("it can do {capacity:.0} a second, and gets half of that for {minutes} minutes");
    println!("minute    asked  errors  memory MB  descriptors  temporary MB  data MB");

    let load = Load::begin(address, prepared.slots(), Some(capacity / 2.0))?;
    let mut seen = Vec::new();
    for minute in 1..=minutes {
        for _ in 0..60 {
            thread::sleep(Duration::from_secs(1));
            seen.push(Usage::of(pid, &files)?);
        }
        let (now, done) = (seen.last().copied().unwrap_or_default(), load.so_far());
        println!(
            "{minute:>6} {:>8} {:>7} {:>10} {:>12} {:>13} {:>8}",
            done.asked,
            done.errors,
            megabytes(now.memory),
            now.descriptors,
            megabytes(now.temporary),
            megabytes(size(&place.data())?),
        );
    }
    let done = load.end()?;
    let heard = listeners.end();
    thread::sleep(Duration::from_secs(3));
    let left = Usage::of(pid, &files)?;
    let verified = floods::command(place, &["verify"], &url).output()?;
    let ended = service.stop(Signal::SIGTERM)?;

    let mut wrong = Vec::new();
    let third = seen.len() / 3;
    let (before, last) = (&seen[third..2 * third], &seen[2 * third..]);
    let mean = |of: fn(&Usage) -> u64, these: &[Usage]| {
        these.iter().map(of).sum::<u64>() / u64::try_from(these.len().max(1)).unwrap_or(u64::MAX)
    };
    let kinds: [(&str, fn(&Usage) -> u64); 3] = [
        ("memory", |usage| usage.memory),
        ("descriptors", |usage| usage.descriptors),
        ("temporary files", |usage| usage.temporary),
    ];
    for (kind, of) in kinds {
        let (middle, end) = (mean(of, before), mean(of, last));
        // Temporary files come and go: a MB of them is none.
        if end > middle + middle * MORE / 100 + if kind == "temporary files" { 1 << 20 } else { 2 } {
            wrong.push(format!("{kind} grew from {middle} to {end}"));
        }
    }
    if left.temporary > 0 {
        wrong.push(format!("{} bytes of temporary files are left", left.temporary));
    }
    if done.errors > 0 {
        wrong.push(format!("{} errors, the last one: {}", done.errors, done.last));
    }
    if heard.unanswered > 0 || heard.of(|status| status != 200) > 0 {
        wrong.push(format!(
            "listeners got {:?}, {} no answer",
            heard.by_status, heard.unanswered
        ));
    }
    if !verified.status.success() {
        wrong.push(format!("verify: {}", String::from_utf8_lossy(&verified.stdout)));
    }
    if !ended.success() {
        wrong.push(format!("asked to stop, it ended with {ended}"));
    }
    if wrong.is_empty() {
        println!(
            "all is as it was; {}",
            String::from_utf8_lossy(&verified.stdout).trim_end()
        );
        Ok(())
    } else {
        Err(wrong.join("; ").into())
    }
}

/// Bytes of all files below a directory.
fn size(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // A server's files come and go.
        let Ok(about) = entry.metadata() else { continue };
        bytes += if about.is_dir() {
            size(&entry.path()).unwrap_or(0)
        } else {
            about.len()
        };
    }
    Ok(bytes)
}

/// What was done.
#[derive(Debug, Clone, Default)]
struct Done {
    asked: u32,
    errors: u32,
    /// What went wrong last.
    last: String,
}

/// Callers who share what there is to ask, until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<Mutex<Done>>,
    callers: Vec<JoinHandle<()>>,
}

/// One of them.
struct Caller {
    address: SocketAddr,
    /// A result of its own, and the tag of its last state.
    result: String,
    tag: String,
    kept: Option<Connection>,
    form: String,
}

impl Load {
    /// So many requests a second, or as many as can be.
    fn begin(address: SocketAddr, slots: &[String], rate: Option<f64>) -> Outcome<Self> {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Done::default())));
        let next = Arc::new(AtomicU32::new(0));
        let begun = Instant::now();
        let mut callers = Vec::new();
        for slot in slots.iter().take(CALLERS) {
            let (stop, done, next) = (Arc::clone(&stop), Arc::clone(&done), Arc::clone(&next));
            let mut caller = Caller {
                address,
                result: slot.clone(),
                tag: String::new(),
                kept: None,
                form: form(3, 5),
            };
            callers.push(spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    let number = next.fetch_add(1, Ordering::AcqRel);
                    if let Some(rate) = rate {
                        let due = Duration::from_secs_f64(f64::from(number) / rate);
                        thread::sleep(due.saturating_sub(begun.elapsed()));
                    }
                    let outcome = caller.ask(number);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.asked += 1;
                    if let Err(e) = outcome {
                        done.errors += 1;
                        done.last = e.to_string();
                    }
                }
            })?);
        }
        Ok(Self { stop, done, callers })
    }

    fn so_far(&self) -> Done {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn end(self) -> Outcome<Done> {
        self.stop.store(true, Ordering::Release);
        for caller in self.callers {
            caller.join().map_err(|_panic| "a caller panicked")?;
        }
        Ok(self.done.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Caller {
    /// The request with a number: of a hundred 40 items, 25 lists, 10 drafts, 18 writes, 3 exports, 2 imports, 2 streams.
    fn ask(&mut self, number: u32) -> Outcome {
        let (kind, round) = (number * 37 % 100, number / 100);
        let year = 2014 + round % 10;
        match kind {
            0..40 => self.get(None, &format!("/v1/policies/kita/{year}/tree")),
            40..65 => self.get(
                None,
                &format!("/v1/indicators?fiscal_year={year}&limit={}", 20 + round % 30),
            ),
            65..75 => self.get(Some(TOKEN), "/v1/policies/nishi/2030/tree"),
            75..93 => self.write(number),
            93..96 => self.get(
                None,
                &format!("/v1/exports/results?organization=kita&fiscal_year={year}"),
            ),
            96..98 => {
                let head = [("Content-Type", "text/plain")];
                let import = wire::request(
                    "POST",
                    "/v1/imports/forms?dry_run=true",
                    Some(TOKEN),
                    &head,
                    self.form.as_bytes(),
                );
                self.send(&import).map(drop)
            }
            _ => {
                let mut stream = Connection::open(Ipv4Addr::LOCALHOST, self.address, CLIENT, None)?;
                let head = stream.begin(&wire::get(None, "/v1/changes/stream"))?;
                well(head, "a stream").map(drop)
            }
        }
        .map_err(|e| format!("request {kind}: {e}").into())
    }

    fn get(&mut self, token: Option<&str>, path: &str) -> Outcome {
        self.send(&wire::get(token, path)).map(drop)
    }

    /// Gives its result another value.
    fn write(&mut self, number: u32) -> Outcome {
        if self.tag.is_empty() {
            let read = wire::get(Some(TOKEN), &self.result);
            let now = self.connected()?.ask(&read)?;
            self.tag = now.etag;
        }
        let condition = if self.tag.is_empty() {
            ("If-None-Match", "*")
        } else {
            ("If-Match", self.tag.as_str())
        };
        let body = storm::written(number, &self.result).to_string();
        let head = [("Content-Type", "application/json"), condition];
        let put = wire::request("PUT", &self.result, Some(TOKEN), &head, body.as_bytes());
        let head = self.send(&put).inspect_err(|_| self.tag.clear());
        self.tag = head?.etag;
        Ok(())
    }

    fn connected(&mut self) -> Outcome<&mut Connection> {
        let kept = self.kept.take().filter(|connection| !connection.is_over());
        let connection = match kept {
            Some(connection) => connection,
            None => Connection::open(Ipv4Addr::LOCALHOST, self.address, CLIENT, None)?,
        };
        Ok(self.kept.insert(connection))
    }

    fn send(&mut self, request: &[u8]) -> Outcome<Head> {
        let asked = self.connected()?.ask(request);
        if asked.is_err() {
            self.kept = None;
        }
        well(asked?, &String::from_utf8_lossy(&request[..request.len().min(100)]))
    }
}

fn well(head: Head, what: &str) -> Outcome<Head> {
    match head.status {
        200 | 201 => Ok(head),
        status => Err(format!("{status} for {}", what.lines().next().unwrap_or_default()).into()),
    }
}
