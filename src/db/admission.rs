//! Bounded admission: `width` permits, and `room` waiting requests for each caller.
//!
//! Every caller has a queue of its own, and the queues are served in turn (round robin): a caller's requests wait behind its own
//! requests and not before other callers'. One caller never holds all permits: one is left for the others.
//!
//! A full queue evicts the request that has waited longest, and after an eviction its next permit goes to the newest request
//! (LIFO). Otherwise a queue is served in the order of arrival (FIFO), and a request that has waited elsewhere always is. LIFO keeps
//! the latency of the served requests low under overload.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::oneshot::{Receiver, Sender, channel},
    time::timeout,
};

use crate::auth::CallerKey;

/// How often a waiting request asks whether there is a reason to wait no longer.
const GLANCE: Duration = Duration::from_millis(100);

/// So many callers may have a full queue at a time.
const CALLERS: usize = 16;

/// Permits, and the requests that wait for them.
#[derive(Clone)]
pub(crate) struct AdmissionQueue {
    /// Permits that one caller may hold at a time.
    share: usize,
    /// Requests that may wait of one caller.
    room: usize,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Permits that nobody holds. While there is one, only callers wait that hold their share.
    free: usize,
    /// Permits that each caller holds.
    held: HashMap<CallerKey, usize>,
    /// The requests that wait, by their callers.
    queues: HashMap<CallerKey, Queue>,
    /// The callers whose requests wait, in the order in which they are served.
    order: VecDeque<CallerKey>,
    /// Requests that wait and may be evicted.
    waiting: usize,
    next: u64,
}

/// The requests of one caller, by their numbers, the first one first.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<QueuedRequest>,
    /// Whether a request was evicted since the last permit was given.
    crowded: bool,
}

struct QueuedRequest {
    number: u64,
    /// Whether it is never evicted.
    stays: bool,
    permit: Sender<Permit>,
}

/// The right to use one connection, until it is dropped; then it goes to the next waiter.
pub(crate) struct Permit {
    caller: CallerKey,
    queue: AdmissionQueue,
}

/// A request that waits in a queue, until it is dropped.
pub(crate) struct Waiter {
    number: u64,
    caller: CallerKey,
    queue: AdmissionQueue,
    permit: Receiver<Permit>,
}

impl AdmissionQueue {
    /// With `width` permits, and `room` requests of each caller that may wait.
    pub(crate) fn new(width: usize, room: usize) -> Self {
        Self {
            share: width.saturating_sub(1).max(1),
            room,
            state: Arc::new(Mutex::new(State {
                free: width,
                held: HashMap::new(),
                queues: HashMap::new(),
                order: VecDeque::new(),
                waiting: 0,
                next: 0,
            })),
        }
    }

    /// How many permits are free.
    pub(crate) fn free(&self) -> usize {
        self.state.lock().free
    }

    /// A permit for this caller if one is free; no waiting request is overtaken.
    pub(crate) fn try_acquire(&self, caller: CallerKey) -> Option<Permit> {
        self.state.lock().take(caller, self.share).then(|| self.pass(caller))
    }

    /// Enters the queue of this caller; `None` where no request may wait.
    pub(crate) fn waiter(&self, caller: CallerKey) -> Option<Waiter> {
        let mut state = self.state.lock();
        if self.room == 0 {
            return None;
        }
        let own = state.queues.get(&caller).map_or(0, Queue::evictable);
        if own >= self.room {
            state.evict(caller);
        } else if state.waiting >= self.room * CALLERS {
            let longest = state.queues.iter().max_by_key(|(_, queue)| queue.evictable());
            let longest = longest.map_or(caller, |(caller, _)| *caller);
            state.evict(longest);
        }
        Some(self.enter(state, caller, false))
    }

    /// Enters the queue of this caller, never to be evicted: for a request that has waited elsewhere.
    pub(crate) fn lasting_waiter(&self, caller: CallerKey) -> Waiter {
        self.enter(self.state.lock(), caller, true)
    }

    fn enter(&self, mut state: MutexGuard<'_, State>, caller: CallerKey, stays: bool) -> Waiter {
        let (sender, permit) = channel();
        let number = state.next;
        state.next += 1;
        if state.take(caller, self.share) {
            // The receiver still exists.
            drop(sender.send(self.pass(caller)));
        } else {
            state.wait(
                caller,
                QueuedRequest {
                    number,
                    stays,
                    permit: sender,
                },
            );
        }
        Waiter {
            number,
            caller,
            queue: self.clone(),
            permit,
        }
    }

    fn pass(&self, caller: CallerKey) -> Permit {
        Permit {
            caller,
            queue: self.clone(),
        }
    }
}

impl State {
    /// Takes a free permit for a caller that does not hold its share yet.
    fn take(&mut self, caller: CallerKey, share: usize) -> bool {
        let held = self.held.get(&caller).copied().unwrap_or(0);
        let may = self.free > 0 && held < share;
        if may {
            self.free -= 1;
            self.held.insert(caller, held + 1);
        }
        may
    }

    fn give_back(&mut self, caller: CallerKey) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(&caller) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&caller);
            }
        }
    }

    fn wait(&mut self, caller: CallerKey, one: QueuedRequest) {
        self.waiting += usize::from(!one.stays);
        let queue = self.queues.entry(caller).or_default();
        if queue.waiting.is_empty() {
            self.order.push_back(caller);
        }
        queue.waiting.push_back(one);
    }

    /// Evicts the request of this caller that has waited longest.
    fn evict(&mut self, caller: CallerKey) {
        let Some(queue) = self.queues.get_mut(&caller) else {
            return;
        };
        if let Some(longest) = queue.waiting.iter().position(|one| !one.stays) {
            queue.crowded = true;
            let number = queue.waiting.get(longest).map_or(0, |one| one.number);
            self.leave(caller, number);
        }
    }

    /// Takes a request out of its queue.
    fn leave(&mut self, caller: CallerKey, number: u64) -> Option<QueuedRequest> {
        let queue = self.queues.get_mut(&caller)?;
        let at = queue.waiting.binary_search_by_key(&number, |one| one.number).ok()?;
        let one = queue.waiting.remove(at)?;
        self.waiting -= usize::from(!one.stays);
        if queue.waiting.is_empty() {
            self.queues.remove(&caller);
            self.order.retain(|waits| *waits != caller);
        }
        Some(one)
    }

    /// Takes a permit for the next caller in the order that does not hold its share, and moves that caller to the end.
    fn serve(&mut self, share: usize) -> Option<(CallerKey, QueuedRequest)> {
        let held = |caller: &CallerKey| self.held.get(caller).copied().unwrap_or(0);
        let at = self.order.iter().position(|caller| held(caller) < share)?;
        let caller = *self.order.get(at)?;
        if !self.take(caller, share) {
            return None;
        }
        self.order.remove(at);
        self.order.push_back(caller);
        let queue = self.queues.get_mut(&caller)?;
        let crowded = mem::take(&mut queue.crowded);
        // A request that is never evicted would otherwise wait until the overload ends.
        let next = if crowded && queue.waiting.front().is_some_and(|first| !first.stays) {
            queue.waiting.back()
        } else {
            queue.waiting.front()
        };
        let number = next.map_or(0, |one| one.number);
        self.leave(caller, number).map(|one| (caller, one))
    }
}

impl Queue {
    /// How many requests may be evicted.
    fn evictable(&self) -> usize {
        self.waiting.iter().filter(|one| !one.stays).count()
    }
}

impl Waiter {
    /// Waits for the permit; `None` if the request is evicted.
    pub(crate) async fn permit(&mut self) -> Option<Permit> {
        (&mut self.permit).await.ok()
    }

    /// Waits for the permit so long at most, and asks now and then whether there is a reason to wait no longer. Fails with that
    /// reason, with `evicted` if the request is evicted, or with `busy` when the time is up.
    pub(crate) async fn permit_within(
        &mut self,
        patience: Duration,
        (evicted, busy): (&'static str, &'static str),
        gives_up: impl Fn() -> Option<&'static str>,
    ) -> Result<Permit, &'static str> {
        let end = Instant::now() + patience;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match timeout(left.min(GLANCE), self.permit()).await {
                Ok(permit) => return permit.ok_or(evicted),
                Err(_) if left.is_zero() => return Err(busy),
                Err(_) => gives_up().map_or(Ok(()), Err)?,
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.queue.state.lock().leave(self.caller, self.number);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock();
        state.give_back(self.caller);
        while let Some((caller, next)) = state.serve(self.queue.share) {
            drop(state);
            // If the waiter has left meanwhile, the permit is dropped at once and goes to the next one.
            drop(next.permit.send(self.queue.pass(caller)));
            state = self.queue.state.lock();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::net::IpAddr;

    use futures_util::FutureExt;

    use super::*;

    const FLOOD: CallerKey = CallerKey::Service;
    const QUIET: CallerKey = CallerKey::UNKNOWN;

    fn waits(place: &mut Waiter) -> bool {
        place.permit().now_or_never().is_none()
    }

    fn was_evicted(place: &mut Waiter) -> bool {
        place.permit().now_or_never().is_some_and(|permit| permit.is_none())
    }

    fn permit_of(place: &mut Waiter) -> Permit {
        place.permit().now_or_never().flatten().unwrap()
    }

    #[test]
    fn who_came_first_goes_first() {
        let queue = AdmissionQueue::new(3, 8);
        let (one, two) = (queue.try_acquire(FLOOD).unwrap(), queue.try_acquire(FLOOD).unwrap());
        assert!(queue.try_acquire(FLOOD).is_none() && queue.free() == 1);
        let mut places = [(); 3].map(|()| queue.waiter(FLOOD).unwrap());
        drop(one);
        let first = permit_of(&mut places[0]);
        assert!(places[1..].iter_mut().all(waits));
        drop((first, two));
        assert!(queue.try_acquire(FLOOD).is_none());
        drop([permit_of(&mut places[1]), permit_of(&mut places[2])]);
        assert_eq!(queue.free(), 3);
    }

    #[test]
    fn one_turn_is_left_for_other_callers_whatever_one_of_them_asks() {
        let queue = AdmissionQueue::new(3, 8);
        let _held = [(); 2].map(|()| queue.try_acquire(FLOOD).unwrap());
        let mut more = queue.waiter(FLOOD).unwrap();
        let quiet = queue.try_acquire(QUIET).unwrap();
        assert!(waits(&mut more) && queue.free() == 0);
        drop(quiet);
        assert!(waits(&mut more), "that turn is not for it");
        drop(queue.try_acquire(QUIET).unwrap());
    }

    #[test]
    fn callers_are_served_in_turn_however_many_requests_each_has() {
        let queue = AdmissionQueue::new(1, 8);
        let mut permit = queue.try_acquire(FLOOD).unwrap();
        let mut flood = [(); 4].map(|()| queue.waiter(FLOOD).unwrap());
        let mut quiet = [(); 2].map(|()| queue.waiter(QUIET).unwrap());
        for (flood, quiet) in flood.iter_mut().zip(&mut quiet) {
            drop(permit);
            permit = permit_of(flood);
            assert!(waits(quiet));
            drop(permit);
            permit = permit_of(quiet);
        }
        drop(permit);
        drop(permit_of(&mut flood[2]));
        drop(permit_of(&mut flood[3]));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_a_queue_is_full_its_longest_waiting_is_evicted_and_its_last_goes_next() {
        let queue = AdmissionQueue::new(1, 2);
        let permit = queue.try_acquire(FLOOD).unwrap();
        let mut quiet = queue.waiter(QUIET).unwrap();
        let [mut first, mut second] = [(); 2].map(|()| queue.waiter(FLOOD).unwrap());
        let mut third = queue.waiter(FLOOD).unwrap();
        assert!(was_evicted(&mut first) && waits(&mut second) && waits(&mut quiet));
        drop(permit);
        drop(permit_of(&mut quiet));
        let permit = permit_of(&mut third);
        // None was sent away since: the first again.
        let mut fourth = queue.waiter(FLOOD).unwrap();
        drop(permit);
        let permit = permit_of(&mut second);
        assert!(waits(&mut fourth));
        drop(permit);
        drop(permit_of(&mut fourth));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_all_room_is_taken_the_longest_queue_loses() {
        let queue = AdmissionQueue::new(1, 2);
        let _permit = queue.try_acquire(QUIET).unwrap();
        let address = |n: usize| CallerKey::Address(IpAddr::from([192, 0, 2, u8::try_from(n).unwrap()]));
        let mut full: Vec<_> = (1..CALLERS)
            .flat_map(|n| [queue.waiter(address(n)).unwrap(), queue.waiter(address(n)).unwrap()])
            .collect();
        let [mut one, mut other] = [
            queue.waiter(address(0)).unwrap(),
            queue.waiter(address(CALLERS)).unwrap(),
        ];
        assert!(full.iter_mut().all(waits));
        let mut more = queue.waiter(QUIET).unwrap();
        assert_eq!(
            full.iter_mut()
                .filter_map(|place| place.permit().now_or_never())
                .count(),
            1
        );
        assert!(waits(&mut one) && waits(&mut other) && waits(&mut more));
    }

    #[test]
    fn who_leaves_gives_up_the_place_and_even_a_turn_that_came() {
        let queue = AdmissionQueue::new(1, 2);
        let permit = queue.try_acquire(FLOOD).unwrap();
        let [first, mut second] = [(); 2].map(|()| queue.waiter(FLOOD).unwrap());
        drop(first);
        let third = queue.waiter(FLOOD).unwrap();
        assert!(waits(&mut second), "there was room");
        drop(permit);
        let permit = permit_of(&mut second);
        drop(permit);
        drop(third);
        assert_eq!(queue.free(), 1);
        let state = queue.state.lock();
        assert!(state.held.is_empty() && state.queues.is_empty() && state.order.is_empty() && state.waiting == 0);
    }

    #[test]
    fn a_lasting_place_is_nobody_elses_and_takes_nobodys() {
        let queue = AdmissionQueue::new(1, 1);
        let permit = queue.try_acquire(FLOOD).unwrap();
        let mut lasting = queue.lasting_waiter(FLOOD);
        let mut first = queue.waiter(FLOOD).unwrap();
        assert!(waits(&mut first));
        let mut second = queue.waiter(FLOOD).unwrap();
        assert!(was_evicted(&mut first) && waits(&mut lasting));
        // Nor is it overtaken in a crowd.
        drop(permit);
        let permit = permit_of(&mut lasting);
        assert!(waits(&mut second));
        drop(permit);
        drop(permit_of(&mut second));
    }

    #[test]
    fn a_turn_that_became_free_meanwhile_comes_at_once() {
        let queue = AdmissionQueue::new(1, 0);
        drop(permit_of(&mut queue.lasting_waiter(FLOOD)));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_there_is_no_room_at_all_nobody_waits() {
        let queue = AdmissionQueue::new(1, 0);
        let _permit = queue.try_acquire(FLOOD).unwrap();
        assert!(queue.waiter(FLOOD).is_none());
    }
}
