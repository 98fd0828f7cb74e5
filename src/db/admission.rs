//! A queue that a few may pass at a time, and room for a few more callers' requests to wait before it.
//!
//! Every caller has a queue of its own, and the queues are served in turn: whoever sends many requests waits behind its own ones and
//! not before other callers'. Nor does one caller have all permits: one is left for the others, however long its work takes.
//!
//! A queue that is full sends away the request that has waited longest, and its next permit goes to the request that came last: the
//! requests that are served under overload have come lately then, instead of having waited as long as the queue is deep. While no
//! request is sent away, the first goes first; and so does, in any crowd, a request that has waited elsewhere.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot::{Receiver, Sender, channel};

use crate::auth::CallerKey;

/// For so many callers there is room to wait, if each has a full queue.
const CALLERS: usize = 16;

/// A queue.
#[derive(Clone)]
pub(crate) struct AdmissionQueue {
    /// PermitMetrics one caller may have at a time.
    share: usize,
    /// Requests of one caller that may wait.
    room: usize,
    state: Arc<Mutex<State>>,
}

struct State {
    /// PermitMetrics that nobody has. While there is one, only callers wait who have their share.
    free: usize,
    /// PermitMetrics that each caller has.
    held: HashMap<CallerKey, usize>,
    /// The requests that wait, by their callers.
    queues: HashMap<CallerKey, Queue>,
    /// The callers whose requests wait, in the order in which they are served next.
    order: VecDeque<CallerKey>,
    /// Requests that wait and may be sent away.
    waiting: usize,
    next: u64,
}

/// The requests of one caller, by their numbers, the first one first.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether one was sent away since the last permit.
    crowded: bool,
}

struct Waiting {
    number: u64,
    /// Whether it is never sent away.
    stays: bool,
    permit: Sender<Permit>,
}

/// A permit, until it is dropped: then it is somebody else's.
pub(crate) struct Permit {
    who: CallerKey,
    queue: AdmissionQueue,
}

/// A place in a queue, until it is dropped.
pub(crate) struct Waiter {
    number: u64,
    who: CallerKey,
    queue: AdmissionQueue,
    permit: Receiver<Permit>,
}

impl AdmissionQueue {
    /// One that so many may pass at a time, while so many requests of each caller may wait.
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

    /// How many could pass at once.
    pub(crate) fn free(&self) -> usize {
        self.state().free
    }

    /// A permit for this caller, if it does not have to wait. Nobody is overtaken.
    pub(crate) fn try_acquire(&self, who: CallerKey) -> Option<Permit> {
        self.state().take(who, self.share).then(|| self.pass(who))
    }

    /// A place in the queue of this caller; there is none where no request may wait.
    pub(crate) fn waiter(&self, who: CallerKey) -> Option<Waiter> {
        let mut state = self.state();
        if self.room == 0 {
            return None;
        }
        let own = state.queues.get(&who).map_or(0, Queue::evictable);
        if own >= self.room {
            state.send_away(who);
        } else if state.waiting >= self.room * CALLERS {
            let longest = state.queues.iter().max_by_key(|(_, queue)| queue.evictable());
            let longest = longest.map_or(who, |(who, _)| *who);
            state.send_away(longest);
        }
        Some(self.enter(state, who, false))
    }

    /// A place from which no request is sent away, for one that has waited elsewhere.
    pub(crate) fn lasting_waiter(&self, who: CallerKey) -> Waiter {
        self.enter(self.state(), who, true)
    }

    fn enter(&self, mut state: MutexGuard<'_, State>, who: CallerKey, stays: bool) -> Waiter {
        let (sender, permit) = channel();
        let number = state.next;
        state.next += 1;
        if state.take(who, self.share) {
            // The receiver is still here.
            drop(sender.send(self.pass(who)));
        } else {
            state.wait(
                who,
                Waiting {
                    number,
                    stays,
                    permit: sender,
                },
            );
        }
        Waiter {
            number,
            who,
            queue: self.clone(),
            permit,
        }
    }

    fn pass(&self, who: CallerKey) -> Permit {
        Permit {
            who,
            queue: self.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes a free permit for a caller that does not have its share yet.
    fn take(&mut self, who: CallerKey, share: usize) -> bool {
        let held = self.held.get(&who).copied().unwrap_or(0);
        let may = self.free > 0 && held < share;
        if may {
            self.free -= 1;
            self.held.insert(who, held + 1);
        }
        may
    }

    fn give_back(&mut self, who: CallerKey) {
        self.free += 1;
        if let Some(held) = self.held.get_mut(&who) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&who);
            }
        }
    }

    fn wait(&mut self, who: CallerKey, one: Waiting) {
        self.waiting += usize::from(!one.stays);
        let queue = self.queues.entry(who).or_default();
        if queue.waiting.is_empty() {
            self.order.push_back(who);
        }
        queue.waiting.push_back(one);
    }

    /// Drops the request of this caller that has waited longest.
    fn send_away(&mut self, who: CallerKey) {
        let Some(queue) = self.queues.get_mut(&who) else { return };
        if let Some(longest) = queue.waiting.iter().position(|one| !one.stays) {
            queue.crowded = true;
            let number = queue.waiting.get(longest).map_or(0, |one| one.number);
            self.leave(who, number);
        }
    }

    /// Takes a request out of its queue.
    fn leave(&mut self, who: CallerKey, number: u64) -> Option<Waiting> {
        let queue = self.queues.get_mut(&who)?;
        let at = queue.waiting.binary_search_by_key(&number, |one| one.number).ok()?;
        let one = queue.waiting.remove(at)?;
        self.waiting -= usize::from(!one.stays);
        if queue.waiting.is_empty() {
            self.queues.remove(&who);
            self.order.retain(|waits| *waits != who);
        }
        Some(one)
    }

    /// Takes the next permit for the next caller that does not have its share, and goes on to the one after it.
    fn serve(&mut self, share: usize) -> Option<(CallerKey, Waiting)> {
        let held = |who: &CallerKey| self.held.get(who).copied().unwrap_or(0);
        let at = self.order.iter().position(|who| held(who) < share)?;
        let who = *self.order.get(at)?;
        if !self.take(who, share) {
            return None;
        }
        self.order.remove(at);
        self.order.push_back(who);
        let queue = self.queues.get_mut(&who)?;
        let crowded = mem::take(&mut queue.crowded);
        // A request that stays would wait until there is no crowd.
        let next = if crowded && queue.waiting.front().is_some_and(|first| !first.stays) {
            queue.waiting.back()
        } else {
            queue.waiting.front()
        };
        let number = next.map_or(0, |one| one.number);
        self.leave(who, number).map(|one| (who, one))
    }
}

impl Queue {
    /// How many may be sent away.
    fn evictable(&self) -> usize {
        self.waiting.iter().filter(|one| !one.stays).count()
    }
}

impl Waiter {
    /// Waits for the permit; there is none if the request is sent away.
    pub(crate) async fn permit(&mut self) -> Option<Permit> {
        (&mut self.permit).await.ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.queue.state().leave(self.who, self.number);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.give_back(self.who);
        while let Some((who, next)) = state.serve(self.queue.share) {
            drop(state);
            // Where its receiver has left meanwhile, the permit is dropped at once, and goes on.
            drop(next.permit.send(self.queue.pass(who)));
            state = self.queue.state();
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

    fn was_sent_away(place: &mut Waiter) -> bool {
        place.permit().now_or_never().is_some_and(|permit| permit.is_none())
    }

    fn turn_of(place: &mut Waiter) -> Permit {
        place.permit().now_or_never().flatten().unwrap()
    }

    #[test]
    fn who_came_first_goes_first() {
        let queue = AdmissionQueue::new(3, 8);
        let (one, two) = (queue.try_acquire(FLOOD).unwrap(), queue.try_acquire(FLOOD).unwrap());
        assert!(queue.try_acquire(FLOOD).is_none() && queue.free() == 1);
        let mut places = [(); 3].map(|()| queue.waiter(FLOOD).unwrap());
        drop(one);
        let first = turn_of(&mut places[0]);
        assert!(places[1..].iter_mut().all(waits));
        drop((first, two));
        assert!(queue.try_acquire(FLOOD).is_none());
        drop([turn_of(&mut places[1]), turn_of(&mut places[2])]);
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
            permit = turn_of(flood);
            assert!(waits(quiet));
            drop(permit);
            permit = turn_of(quiet);
        }
        drop(permit);
        drop(turn_of(&mut flood[2]));
        drop(turn_of(&mut flood[3]));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_a_queue_is_full_its_longest_waiting_is_sent_away_and_its_last_goes_next() {
        let queue = AdmissionQueue::new(1, 2);
        let permit = queue.try_acquire(FLOOD).unwrap();
        let mut quiet = queue.waiter(QUIET).unwrap();
        let [mut first, mut second] = [(); 2].map(|()| queue.waiter(FLOOD).unwrap());
        let mut third = queue.waiter(FLOOD).unwrap();
        assert!(was_sent_away(&mut first) && waits(&mut second) && waits(&mut quiet));
        drop(permit);
        drop(turn_of(&mut quiet));
        let permit = turn_of(&mut third);
        // None was sent away since: the first again.
        let mut fourth = queue.waiter(FLOOD).unwrap();
        drop(permit);
        let permit = turn_of(&mut second);
        assert!(waits(&mut fourth));
        drop(permit);
        drop(turn_of(&mut fourth));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_all_room_is_taken_the_longest_queue_loses() {
        let queue = AdmissionQueue::new(1, 2);
        let _turn = queue.try_acquire(QUIET).unwrap();
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
        let permit = turn_of(&mut second);
        drop(permit);
        drop(third);
        assert_eq!(queue.free(), 1);
        let state = queue.state();
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
        assert!(was_sent_away(&mut first) && waits(&mut lasting));
        // Nor is it overtaken in a crowd.
        drop(permit);
        let permit = turn_of(&mut lasting);
        assert!(waits(&mut second));
        drop(permit);
        drop(turn_of(&mut second));
    }

    #[test]
    fn a_turn_that_became_free_meanwhile_comes_at_once() {
        let queue = AdmissionQueue::new(1, 0);
        drop(turn_of(&mut queue.lasting_waiter(FLOOD)));
        assert_eq!(queue.free(), 1);
    }

    #[test]
    fn where_there_is_no_room_at_all_nobody_waits() {
        let queue = AdmissionQueue::new(1, 0);
        let _turn = queue.try_acquire(FLOOD).unwrap();
        assert!(queue.waiter(FLOOD).is_none());
    }
}
