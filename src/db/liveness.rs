//! The liveness of a database server.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long after its last work a connection is used without a test.
const TRUSTED: Duration = Duration::from_secs(1);

/// When a server last answered.
#[derive(Debug)]
pub(super) struct Liveness {
    begun: Instant,
    /// The last answer, in milliseconds since `begun`; 0 for never.
    last: AtomicU64,
    /// The last loss of a connection, in milliseconds since `begun`.
    lost: AtomicU64,
    patience: Duration,
}

impl Liveness {
    /// A server that is asked often and may be silent for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            begun: Instant::now(),
            last: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            patience,
        }
    }

    /// This moment, in milliseconds since `begun`.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Notes an answer.
    pub(super) fn answered(&self) {
        self.last.fetch_max(self.now(), Ordering::AcqRel);
    }

    /// Notes a lost connection: other connections may be lost too.
    pub(super) fn lost(&self) {
        self.lost.fetch_max(self.now(), Ordering::AcqRel);
    }

    /// Whether a connection that worked at this moment is used without a test.
    pub(super) fn is_trusted(&self, worked: u64) -> bool {
        let since = self.now().saturating_sub(worked);
        u128::from(since) < TRUSTED.as_millis() && worked > self.lost.load(Ordering::Acquire)
    }

    /// Whether the server has been silent for longer than `patience`.
    pub(super) fn is_silent(&self) -> bool {
        let silence = self.now().saturating_sub(self.last.load(Ordering::Acquire));
        u128::from(silence) > self.patience.as_millis()
    }
}
