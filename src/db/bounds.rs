//! Bounds on the use of the database.

use std::{num::NonZero, thread, time::Duration};

/// Bounds on the use of the database.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// `WARD_POLICY_POOL`: connections for readers, 1 to 100 (one more than there are processors here, at least 3), and as many for
    /// reads that may scan much of the database; three more are for writers, twice `WARD_POLICY_STREAMS` for long
    /// reads, and one listens. One caller has all but one of each at most. A database elsewhere bears more.
    pub pool: u32,
    /// `WARD_POLICY_QUEUE`: reads of one caller that may wait for a connection, and four times as many writes, 0 to 10,000 (16); with one
    /// more, the request that has waited longest gets 503. Sixteen times as many wait in all. A longer queue makes an overloaded
    /// caller's responses later.
    pub queue: usize,
    /// `WARD_POLICY_WAIT_MS`: how long a request may wait for a permit, and for a connection, in milliseconds (1500).
    pub wait: Duration,
    /// `WARD_POLICY_STATEMENT_MS`: `statement_timeout` (5000).
    pub statement: Duration,
    /// `WARD_POLICY_LOCK_MS`: `lock_timeout`, and how long a writer may wait for its permit (4000).
    pub lock: Duration,
    /// `WARD_POLICY_READ_MS`: how long a read may take, all in all (4000); exports and streams take the time they need.
    pub read: Duration,
    /// `WARD_POLICY_WRITE_MS`: how long a write may take, all in all (30000); a large import is one.
    pub write: Duration,
    /// `WARD_POLICY_STREAMS`: how many may stream everything at a time, and how many files may be written, each on a connection of its
    /// own, 1 to 100 (3); one caller may have all but one of them.
    pub streams: usize,
    /// `WARD_POLICY_FOLLOWERS`: how many may wait for changes or follow them at a time, 8 to 100,000 (2000), an eighth of them by one
    /// caller.
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
