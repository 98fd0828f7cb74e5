//! Room for a few to wait. Whoever comes when it is full takes the place of who has waited longest: under more than can be done,
//! those who get what they want have come lately then, instead of having waited as long as the room is deep.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot::{Receiver, Sender, channel};

/// Room for a few.
#[derive(Clone)]
pub(super) struct Room {
    size: usize,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    /// By their numbers, the first who came first.
    places: VecDeque<(u64, Sender<()>)>,
}

/// A place in it, until it is dropped.
pub(super) struct Place {
    number: u64,
    room: Room,
    /// Comes to its end when somebody else takes the place.
    taken: Receiver<()>,
}

impl Room {
    pub(super) fn new(size: usize) -> Self {
        Self {
            size,
            waiting: Arc::default(),
        }
    }

    /// A place, if need be another's.
    pub(super) fn enter(&self) -> Option<Place> {
        let (sender, taken) = channel();
        let mut waiting = self.waiting();
        if waiting.places.len() >= self.size {
            waiting.places.pop_front()?;
        }
        let number = waiting.next;
        waiting.next += 1;
        waiting.places.push_back((number, sender));
        Some(Place {
            number,
            room: self.clone(),
            taken,
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Waits until the place is another's.
    pub(super) async fn taken(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.taken).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.room.waiting();
        if let Ok(at) = waiting.places.binary_search_by_key(&self.number, |(number, _)| *number) {
            waiting.places.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use futures_util::FutureExt;

    use super::*;

    fn is_taken(place: &mut Place) -> bool {
        place.taken().now_or_never().is_some()
    }

    #[test]
    fn who_comes_when_it_is_full_takes_the_place_of_who_came_first() {
        let room = Room::new(2);
        let mut first = room.enter().unwrap();
        let mut second = room.enter().unwrap();
        assert!(!is_taken(&mut first));
        let mut third = room.enter().unwrap();
        assert!(is_taken(&mut first) && !is_taken(&mut second));
        // Who was sent away leaves no place behind, and who leaves does.
        drop(first);
        drop(second);
        let mut fourth = room.enter().unwrap();
        assert!(!is_taken(&mut third));
        let _fifth = room.enter().unwrap();
        assert!(is_taken(&mut third) && !is_taken(&mut fourth));
    }

    #[test]
    fn where_there_is_no_room_nobody_waits() {
        assert!(Room::new(0).enter().is_none());
    }
}
