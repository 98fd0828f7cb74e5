//! Those who ask for little beside a flood: a token, somebody without one, a writer, and whoever looks after the service.
//!
//! Each begins a request every quarter of a second, whether the last one was answered or not.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::{
    QUIET_TOKEN, spawn,
    wire::{self, Connection},
};
use crate::{
    Outcome, PATIENCE,
    storm::{self, TOKEN},
};

/// Between one request and the next of each.
const PACE: Duration = Duration::from_millis(250);
/// How long each waits for an answer.
const CLIENT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Token,
    Anonymous,
    Writer,
    Health,
    Ready,
}

pub(crate) const ROLES: [(Role, &str); 5] = [
    (Role::Token, "token"),
    (Role::Anonymous, "anonymous"),
    (Role::Writer, "writer"),
    (Role::Health, "healthz"),
    (Role::Ready, "readyz"),
];

/// How one of them fared: how long each answer took, and whether it was a success.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fared(Vec<(Duration, bool)>);

impl Fared {
    pub(crate) fn asked(&self) -> usize {
        self.0.len()
    }

    /// How many of a hundred succeeded.
    pub(crate) fn succeeded(&self) -> usize {
        let succeeded = self.0.iter().filter(|(_, well)| *well).count();
        (succeeded * 100).checked_div(self.0.len()).unwrap_or(0)
    }

    /// What one of a hundred, at least one, took longer than.
    pub(crate) fn p99(&self) -> Duration {
        let mut took: Vec<Duration> = self.0.iter().map(|(took, _)| *took).collect();
        took.sort();
        let place = took.len().saturating_sub(1) * 99 / 100;
        took.get(place).copied().unwrap_or(CLIENT)
    }
}

/// They, until they are told to stop.
pub(crate) struct Quiet {
    stop: Arc<AtomicBool>,
    pacer: JoinHandle<Vec<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    slots: Vec<String>,
    next: AtomicUsize,
    fared: Mutex<[Fared; 5]>,
    /// Writes that nobody acknowledged yet.
    open: Mutex<Vec<usize>>,
}

impl Quiet {
    pub(crate) fn begin(address: SocketAddr, slots: Vec<String>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let shared = Arc::new(Shared {
            address,
            slots,
            next: AtomicUsize::new(0),
            fared: Mutex::default(),
            open: Mutex::default(),
        });
        let pacer = {
            let (stop, shared) = (Arc::clone(&stop), Arc::clone(&shared));
            thread::spawn(move || pace(&stop, &shared))
        };
        Self { stop, pacer, shared }
    }

    /// Lets everybody end what they do, and repeats what was not acknowledged; gives how each fared, the slots of all writes, and how
    /// many of them nobody acknowledges for a minute.
    pub(crate) fn end(self) -> Outcome<([Fared; 5], Vec<(String, usize)>, usize)> {
        self.stop.store(true, Ordering::Release);
        let begun = self.pacer.join().map_err(|_panic| "the pacer panicked")?;
        for one in begun {
            one.join().map_err(|_panic| "a quiet caller panicked")?;
        }
        let shared = &self.shared;
        let (ended, mut open) = (Instant::now(), std::mem::take(&mut *locked(&shared.open)));
        while let Some(slot) = open.pop() {
            if !shared.ask(Role::Writer, slot, CLIENT).is_ok_and(|status| status == 200) {
                open.push(slot);
                if ended.elapsed() > PATIENCE {
                    break;
                }
                thread::sleep(Duration::from_millis(200));
            }
        }
        let made = shared.next.load(Ordering::Acquire);
        let slots = shared.slots.iter().take(made).cloned().zip(0..);
        let written = slots.filter(|(_, slot)| !open.contains(slot)).collect();
        Ok((locked(&shared.fared).clone(), written, open.len()))
    }
}

fn pace(stop: &AtomicBool, shared: &Arc<Shared>) -> Vec<JoinHandle<()>> {
    let (begun, mut requests) = (Instant::now(), Vec::new());
    for n in 0.. {
        for (role, _) in ROLES {
            if stop.load(Ordering::Acquire) {
                return requests;
            }
            let shared = Arc::clone(shared);
            let number = if role == Role::Writer {
                shared.next.fetch_add(1, Ordering::AcqRel)
            } else {
                n
            };
            requests.extend(spawn(move || shared.meet(role, number)).ok());
            thread::sleep(PACE / 8);
        }
        let next = PACE * u32::try_from(n + 1).unwrap_or(u32::MAX);
        thread::sleep(next.saturating_sub(begun.elapsed()));
    }
    requests
}

impl Shared {
    fn meet(&self, role: Role, number: usize) {
        let begun = Instant::now();
        let status = self.ask(role, number, CLIENT);
        let well = status.is_ok_and(|status| status == 200);
        let took = begun.elapsed();
        if let Some(fared) = locked(&self.fared)
            .iter_mut()
            .zip(ROLES)
            .find_map(|(fared, (this, _))| (this == role).then_some(fared))
        {
            fared.0.push((took, well));
        }
        if role == Role::Writer && !well {
            locked(&self.open).push(number);
        }
    }

    fn ask(&self, role: Role, number: usize, patience: Duration) -> Outcome<u16> {
        let request = match role {
            Role::Token => wire::get(Some(QUIET_TOKEN), "/v1/policies/nishi/2024/tree"),
            Role::Anonymous => wire::get(
                None,
                &format!("/v1/goals?organization=nishi&limit={}", number % 1000 + 1),
            ),
            Role::Writer => {
                let path = self.slots.get(number).ok_or("no slot left")?;
                let key = format!("slot-{number}");
                wire::request(
                    "POST",
                    "/v1/results",
                    Some(TOKEN),
                    &[("Content-Type", "application/json"), ("Idempotency-Key", &key)],
                    storm::result(number, path).as_bytes(),
                )
            }
            Role::Health => wire::get(None, "/healthz"),
            Role::Ready => wire::get(None, "/readyz"),
        };
        let mut connection = Connection::open(Ipv4Addr::LOCALHOST, self.address, patience, None)?;
        Ok(connection.ask(&request)?.status)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
