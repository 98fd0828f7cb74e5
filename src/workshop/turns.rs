//! Turns in the workshop.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::Who;

/// Turns, so many at a time, of which each caller has one; who waits is served caller by caller.
#[derive(Clone)]
pub(super) struct Turns {
    room: usize,
    room_of_one: usize,
    state: Arc<Mutex<State>>,
}

struct State {
    free: usize,
    /// Those who have their turn.
    at_work: HashSet<Who>,
    next: u64,
    /// Those who wait, by caller; the first lane is the next.
    lanes: VecDeque<(Who, VecDeque<(u64, Sender<Turn>)>)>,
}

/// A turn, until it is dropped: then it is somebody else's.
pub(super) struct Turn {
    turns: Turns,
    who: Who,
}

/// A place in the queue, until it is dropped.
pub(super) struct Place {
    turns: Turns,
    who: Who,
    number: u64,
    turn: Receiver<Turn>,
}

impl Turns {
    pub(super) fn new(width: usize, room: usize, room_of_one: usize) -> Self {
        let state = State {
            free: width,
            at_work: HashSet::new(),
            next: 0,
            lanes: VecDeque::new(),
        };
        Self {
            room,
            room_of_one,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A place, if there is room.
    pub(super) fn place(&self, who: &Who) -> Option<Place> {
        let mut state = self.state();
        let (sender, turn) = channel();
        let number = state.next;
        state.next += 1;
        let at_once = state.free > 0 && !state.at_work.contains(who);
        let waiting: usize = state.lanes.iter().map(|(_, lane)| lane.len()).sum();
        let has_room = at_once || waiting < self.room;
        match state.lanes.iter_mut().find(|(other, _)| other == who) {
            Some((_, lane)) if has_room && lane.len() < self.room_of_one => lane.push_back((number, sender)),
            None if has_room => state.lanes.push_back((who.clone(), VecDeque::from([(number, sender)]))),
            _ => return None,
        }
        self.go_on(state);
        Some(Place {
            turns: self.clone(),
            who: who.clone(),
            number,
            turn,
        })
    }

    /// Gives free turns to those who wait and have none.
    fn go_on(&self, mut state: MutexGuard<'_, State>) {
        let mut given = Vec::new();
        while state.free > 0 {
            let idle = state.lanes.iter().position(|(who, _)| !state.at_work.contains(who));
            let Some((who, mut lane)) = idle.and_then(|at| state.lanes.remove(at)) else {
                break;
            };
            if let Some((_, sender)) = lane.pop_front() {
                state.free -= 1;
                state.at_work.insert(who.clone());
                let turns = self.clone();
                given.push((sender, Turn { turns, who: who.clone() }));
            }
            if !lane.is_empty() {
                state.lanes.push_back((who, lane));
            }
        }
        drop(state);
        for (sender, turn) in given {
            // Where they have left meanwhile the turn is dropped at once, and goes on.
            drop(sender.send(turn));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits for the turn.
    pub(super) async fn turn(&mut self) -> Option<Turn> {
        (&mut self.turn).await.ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        for (who, lane) in &mut state.lanes {
            if *who == self.who {
                lane.retain(|(number, _)| *number != self.number);
            }
        }
        state.lanes.retain(|(_, lane)| !lane.is_empty());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.free += 1;
        state.at_work.remove(&self.who);
        self.turns.go_on(state);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt;

    use super::*;

    fn who(name: char) -> Who {
        Who::Address([127, 0, 0, u8::try_from(name).unwrap()].into())
    }

    fn waits(place: &mut Place) -> bool {
        place.turn().now_or_never().is_none()
    }

    fn turn_of(place: &mut Place) -> Turn {
        place.turn().now_or_never().flatten().unwrap()
    }

    #[test]
    fn a_caller_has_one_turn_and_others_have_theirs() {
        let turns = Turns::new(2, 10, 10);
        let [mut first, mut second] = [(); 2].map(|()| turns.place(&who('a')).unwrap());
        let turn = turn_of(&mut first);
        assert!(waits(&mut second), "a turn is free, and not for the same caller");
        drop(turn_of(&mut turns.place(&who('b')).unwrap()));
        drop(turn);
        drop(turn_of(&mut second));
        assert_eq!(turns.state().free, 2);
    }

    #[test]
    fn who_waits_is_served_caller_by_caller() {
        let turns = Turns::new(1, 10, 10);
        let mut turn = turn_of(&mut turns.place(&who('a')).unwrap());
        let mut places: Vec<(char, Place)> = "bbbcbd"
            .chars()
            .map(|name| (name, turns.place(&who(name)).unwrap()))
            .collect();
        let mut served = String::new();
        for _ in 0..6 {
            drop(turn);
            let mut given = places
                .iter_mut()
                .enumerate()
                .filter_map(|(at, (_, place))| Some((at, place.turn().now_or_never()??)));
            let at;
            (at, turn) = given.next().unwrap();
            assert!(given.next().is_none());
            drop(given);
            served.push(places.remove(at).0);
        }
        assert_eq!(served, "bcdbbb");
    }

    #[test]
    fn there_is_room_for_so_many_and_less_for_one() {
        let turns = Turns::new(1, 3, 2);
        let turn = turn_of(&mut turns.place(&who('a')).unwrap());
        let waiting: Vec<_> = "bbc".chars().map(|name| turns.place(&who(name)).unwrap()).collect();
        assert!(turns.place(&who('b')).is_none() && turns.place(&who('d')).is_none());
        // Who leaves makes room.
        drop(waiting);
        let mut place = turns.place(&who('d')).unwrap();
        drop(turn);
        drop(turn_of(&mut place));
        assert!(turns.state().lanes.is_empty());
    }

    #[test]
    fn a_turn_that_comes_to_somebody_who_has_left_goes_on() {
        let turns = Turns::new(1, 10, 10);
        let turn = turn_of(&mut turns.place(&who('a')).unwrap());
        let left = turns.place(&who('b')).unwrap();
        let mut stays = turns.place(&who('c')).unwrap();
        drop(turn);
        drop(left);
        drop(turn_of(&mut stays));
        assert_eq!(turns.state().free, 1);
    }
}
