//! A gate that a few may pass at a time, and room for a few more to wait before it. Whoever comes when there is no room takes the
//! place of who has waited longest, and the next turn goes to who came last: under more than can be done, those who get what they
//! want have come lately then, instead of having waited as long as the room is deep. While nobody is sent away, who came first
//! goes first; and so does, in any crowd, who has waited elsewhere.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot::{Receiver, Sender, channel};

/// A gate.
#[derive(Clone)]
pub(super) struct Gate {
    room: usize,
    state: Arc<Mutex<State>>,
}

struct State {
    /// Turns that nobody has. None while somebody waits.
    free: usize,
    /// Whether somebody was sent away since a turn came to its end.
    crowded: bool,
    next: u64,
    /// By their numbers, the first who came first.
    waiting: VecDeque<Waiting>,
}

struct Waiting {
    number: u64,
    /// Whether nobody may take the place.
    stays: bool,
    turn: Sender<Turn>,
}

/// A turn, until it is dropped: then it is somebody else's.
pub(super) struct Turn(Gate);

/// A place before the gate, until it is dropped.
pub(super) struct Place {
    number: u64,
    gate: Gate,
    turn: Receiver<Turn>,
}

impl Gate {
    /// One that so many may pass at a time, while so many may wait.
    pub(super) fn new(width: usize, room: usize) -> Self {
        let state = State {
            free: width,
            crowded: false,
            next: 0,
            waiting: VecDeque::new(),
        };
        Self {
            room,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How many could pass at once.
    pub(super) fn free(&self) -> usize {
        self.state().free
    }

    /// A turn, if nobody has to wait. Nobody is overtaken.
    pub(super) fn turn(&self) -> Option<Turn> {
        let mut state = self.state();
        state.free = state.free.checked_sub(1)?;
        Some(Turn(self.clone()))
    }

    /// A place, if need be another's.
    pub(super) fn place(&self) -> Option<Place> {
        let mut state = self.state();
        if state.waiting.iter().filter(|one| !one.stays).count() >= self.room {
            let longest = state.waiting.iter().position(|one| !one.stays)?;
            state.waiting.remove(longest);
            state.crowded = true;
        }
        Some(self.enter(state, false))
    }

    /// A place that nobody can take, for somebody who has waited elsewhere.
    pub(super) fn lasting_place(&self) -> Place {
        self.enter(self.state(), true)
    }

    fn enter(&self, mut state: MutexGuard<'_, State>, stays: bool) -> Place {
        let (sender, turn) = channel();
        let number = state.next;
        state.next += 1;
        if state.free > 0 {
            state.free -= 1;
            // Whoever is to get it is still here.
            drop(sender.send(Turn(self.clone())));
        } else {
            let turn = sender;
            state.waiting.push_back(Waiting { number, stays, turn });
        }
        Place {
            number,
            gate: self.clone(),
            turn,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the turn; there is none if somebody else takes the place.
    pub(super) async fn turn(&mut self) -> Option<Turn> {
        (&mut self.turn).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        if let Ok(at) = state.waiting.binary_search_by_key(&self.number, |one| one.number) {
            state.waiting.remove(at);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.state();
        let crowded = mem::take(&mut state.crowded);
        // Whoever stays would wait until there is no crowd.
        let next = if crowded && state.waiting.front().is_some_and(|first| !first.stays) {
            state.waiting.pop_back()
        } else {
            state.waiting.pop_front()
        };
        match next {
            None => state.free += 1,
            Some(next) => {
                drop(state);
                // Where they have left meanwhile the turn is dropped at once, and goes on.
                drop(next.turn.send(Turn(self.0.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt;

    use super::*;

    fn waits(place: &mut Place) -> bool {
        place.turn().now_or_never().is_none()
    }

    fn was_sent_away(place: &mut Place) -> bool {
        place.turn().now_or_never().is_some_and(|turn| turn.is_none())
    }

    fn turn_of(place: &mut Place) -> Turn {
        place.turn().now_or_never().flatten().unwrap()
    }

    #[test]
    fn who_came_first_goes_first() {
        let gate = Gate::new(2, 8);
        let (one, two) = (gate.turn().unwrap(), gate.turn().unwrap());
        assert!(gate.turn().is_none() && gate.free() == 0);
        let mut places = [(); 3].map(|()| gate.place().unwrap());
        drop(one);
        let first = turn_of(&mut places[0]);
        assert!(places[1..].iter_mut().all(waits));
        drop((first, two));
        assert!(gate.turn().is_none());
        drop([turn_of(&mut places[1]), turn_of(&mut places[2])]);
        assert_eq!(gate.free(), 2);
    }

    #[test]
    fn where_there_is_no_room_who_has_waited_longest_is_sent_away_and_who_came_last_goes_next() {
        let gate = Gate::new(1, 2);
        let turn = gate.turn().unwrap();
        let [mut first, mut second] = [(); 2].map(|()| gate.place().unwrap());
        let mut third = gate.place().unwrap();
        assert!(was_sent_away(&mut first) && waits(&mut second));
        drop(turn);
        let turn = turn_of(&mut third);
        // Nobody was sent away since: the first again.
        let mut fourth = gate.place().unwrap();
        drop(turn);
        let turn = turn_of(&mut second);
        assert!(waits(&mut fourth));
        drop(turn);
        drop(turn_of(&mut fourth));
        assert_eq!(gate.free(), 1);
    }

    #[test]
    fn who_leaves_gives_up_the_place_and_even_a_turn_that_came() {
        let gate = Gate::new(1, 2);
        let turn = gate.turn().unwrap();
        let [first, mut second] = [(); 2].map(|()| gate.place().unwrap());
        drop(first);
        let third = gate.place().unwrap();
        assert!(waits(&mut second), "there was room");
        drop(turn);
        let turn = turn_of(&mut second);
        drop(turn);
        drop(third);
        assert_eq!(gate.free(), 1);
    }

    #[test]
    fn a_lasting_place_is_nobody_elses_and_takes_nobodys() {
        let gate = Gate::new(1, 1);
        let turn = gate.turn().unwrap();
        let mut lasting = gate.lasting_place();
        let mut first = gate.place().unwrap();
        assert!(waits(&mut first));
        let mut second = gate.place().unwrap();
        assert!(was_sent_away(&mut first) && waits(&mut lasting));
        // Nor is it overtaken in a crowd.
        drop(turn);
        let turn = turn_of(&mut lasting);
        assert!(waits(&mut second));
        drop(turn);
        drop(turn_of(&mut second));
    }

    #[test]
    fn a_turn_that_became_free_meanwhile_comes_at_once() {
        let gate = Gate::new(1, 0);
        drop(turn_of(&mut gate.lasting_place()));
        assert_eq!(gate.free(), 1);
    }

    #[test]
    fn where_there_is_no_room_at_all_nobody_waits() {
        let gate = Gate::new(1, 0);
        let _turn = gate.turn().unwrap();
        assert!(gate.place().is_none());
    }
}
