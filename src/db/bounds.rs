//! Bounds on the use of the database.

use std::{num::NonZero, thread, time::Duration};

/// Bounds on the use of the database.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections for readers, and as many for reads that may scan much of the database; three more are for writers, twice
    /// `streams` for long reads, and one listens. One caller has all but one of each at most.
    pub pool: u32,
    /// Reads of one caller that may wait for a connection, and four times as many writes; with one more, the request that has
    /// waited longest gets 503. Sixteen times as many wait in all. A longer queue makes an overloaded caller's responses later.
    pub queue: usize,
    /// How long a request may wait for a permit, and for a connection.
    pub wait: Duration,
    /// `statement_timeout`.
    pub statement: Duration,
    /// `lock_timeout`, and how long a writer may wait for its permit.
    pub lock: Duration,
    /// How long a read may take, all in all; exports and streams take the time they need.
    pub read: Duration,
    /// How long a write may take, all in all; a large import is one.
    pub write: Duration,
    /// How many may stream everything at a time, and how many files may be written, each on a connection of its own; one caller
    /// may have all but one of them.
    pub streams: usize,
    /// How many may wait for changes or follow them at a time, an eighth of them by one caller.
    pub followers: usize,
}

impl Bounds {
    /// How long a commit may take that was begun within its deadline.
    pub const COMMIT: Duration = Duration::from_secs(5);

    /// How long a request other than a long read may take from its body to its response: it waits for a permit, works until its
    /// deadline, and may have to wait for a commit.
    #[must_use]
    pub fn longest_request(&self) -> Duration {
        (self.wait + self.read).max(self.lock + self.write + Self::COMMIT)
    }
}

impl Default for Bounds {
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            pool: u32::try_from(processors + 1).unwrap_or(u32::MAX).clamp(3, 100),
            queue: 16,
            wait: Duration::from_millis(1500),
            statement: Duration::from_secs(5),
            lock: Duration::from_secs(4),
            read: Duration::from_secs(4),
            write: Duration::from_secs(30),
            streams: 3,
            followers: 2000,
        }
    }
}
