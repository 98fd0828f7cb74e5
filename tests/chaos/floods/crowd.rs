//! Those who flood: many connections that ask again as soon as they were answered, or hold on to what they were given.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{spawn, wire::Connection};
use crate::Outcome;

/// How long one of them waits for an answer.
const CLIENT: Duration = Duration::from_secs(30);
/// How long one of them waits before it holds on anew.
const PAUSE: Duration = Duration::from_millis(100);
/// What of an answer one reads on at a time, and how often.
const SIP: usize = 4096;
const SIPS: Duration = Duration::from_millis(250);

/// Gives the bytes of the request with a number.
pub(crate) type Requests = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// What came of their requests.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) by_status: BTreeMap<u16, u32>,
    /// Those that got no answer.
    pub(crate) unanswered: u32,
    /// Why, of one of them.
    pub(crate) why: String,
    /// What a 429 or 503 did not say.
    pub(crate) without_retry_after: u32,
    /// The numbers of the requests that succeeded.
    pub(crate) succeeded: Vec<usize>,
}

impl Tally {
    pub(crate) fn of(&self, wanted: impl Fn(u16) -> bool) -> u32 {
        let these = self.by_status.iter().filter(|(status, _)| wanted(**status));
        these.map(|(_, count)| *count).sum()
    }
}

/// They, until they are told to stop.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
    members: Vec<JoinHandle<()>>,
}

/// Where one of them comes from, and where it goes.
#[derive(Clone)]
struct Member {
    from: Ipv4Addr,
    to: SocketAddr,
    requests: Requests,
    next: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tally: Arc<Mutex<Tally>>,
}

impl Crowd {
    /// So many connections, from these addresses in turn; `holding` on to what they are given, or asking again.
    pub(crate) fn begin(
        connections: usize,
        from: &[Ipv4Addr],
        to: SocketAddr,
        requests: &Requests,
        holding: bool,
    ) -> Outcome<Self> {
        let (stop, tally) = (Arc::default(), Arc::default());
        let next = Arc::new(AtomicUsize::new(0));
        let mut members = Vec::new();
        for from in from.iter().cycle().take(connections) {
            let member = Member {
                from: *from,
                to,
                requests: Arc::clone(requests),
                next: Arc::clone(&next),
                stop: Arc::clone(&stop),
                tally: Arc::clone(&tally),
            };
            members.push(spawn(move || if holding { member.hold() } else { member.ask() })?);
        }
        Ok(Self { stop, tally, members })
    }

    /// What came of it; what has not been answered yet does not count, and is not waited for.
    pub(crate) fn end(self) -> Tally {
        self.stop.store(true, Ordering::Release);
        thread::sleep(Duration::from_millis(300));
        std::mem::take(&mut *locked(&self.tally))
    }

    /// How many still wait for an answer, or hold on to one.
    pub(crate) fn open(&self) -> usize {
        self.members.iter().filter(|member| !member.is_finished()).count()
    }
}

impl Member {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Acquire)
    }

    /// Asks again and again.
    fn ask(&self) {
        let mut kept = None;
        while self.goes_on() {
            let number = self.next.fetch_add(1, Ordering::AcqRel);
            let request = (self.requests)(number);
            let asked = kept
                .take()
                .map_or_else(|| Connection::open(self.from, self.to, CLIENT, None), Ok)
                .and_then(|mut connection| connection.ask(&request).map(|head| (connection, head)));
            let head = asked.map(|(connection, head)| {
                kept = Some(connection).filter(|connection| !connection.is_over());
                (head.status, head.retry_after)
            });
            self.count(number, head);
        }
    }

    /// Holds on to an answer as long as it can, reading slowly.
    fn hold(&self) {
        while self.goes_on() {
            let number = self.next.fetch_add(1, Ordering::AcqRel);
            let request = (self.requests)(number);
            let opened = Connection::open(self.from, self.to, CLIENT, Some(SIP))
                .and_then(|mut connection| connection.begin(&request).map(|head| (connection, head)));
            let mut held = None;
            let head = opened.map(|(connection, head)| {
                held = Some(connection).filter(|_| head.status == 200);
                (head.status, head.retry_after)
            });
            self.count(number, head);
            let Some(mut held) = held else {
                thread::sleep(PAUSE);
                continue;
            };
            let mut sip = vec![0; SIP];
            while self.goes_on() && held.read_on(&mut sip).unwrap_or(false) {
                thread::sleep(SIPS);
            }
        }
    }

    fn count(&self, number: usize, head: Outcome<(u16, bool)>) {
        if !self.goes_on() {
            return;
        }
        let mut tally = locked(&self.tally);
        match head {
            Ok((status, retry_after)) => {
                *tally.by_status.entry(status).or_default() += 1;
                tally.without_retry_after += u32::from([429, 503].contains(&status) && !retry_after);
                if status < 300 {
                    tally.succeeded.push(number);
                }
            }
            Err(e) => {
                tally.unanswered += 1;
                tally.why = e.to_string();
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
