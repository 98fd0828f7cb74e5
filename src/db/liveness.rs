//! Signs of life of a database server.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How long a connection that worked is taken to be there.
const TRUSTED: Duration = Duration::from_secs(1);

/// When a server last had anything to say.
#[derive(Debug)]
pub(super) struct Liveness {
    begun: Instant,
    /// In milliseconds from the beginning; 0 for never.
    last: AtomicU64,
    /// When a connection to it was last lost, as `last`.
    lost: AtomicU64,
    patience: Duration,
}

impl Liveness {
    /// That of one that is asked often, and may say nothing for so long.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            begun: Instant::now(),
            last: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            patience,
        }
    }

    /// This moment, in milliseconds from the beginning.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// That it has just done some work.
    pub(super) fn answered(&self) {
        self.last.fetch_max(self.now(), Ordering::AcqRel);
    }

    /// That a connection to it was lost: others may be too.
    pub(super) fn lost(&self) {
        self.lost.fetch_max(self.now(), Ordering::AcqRel);
    }

    /// Whether a connection that worked at this moment is taken to work still, without asking it.
    pub(super) fn is_trusted(&self, worked: u64) -> bool {
        let since = self.now().saturating_sub(worked);
        u128::from(since) < TRUSTED.as_millis() && worked > self.lost.load(Ordering::Acquire)
    }

    /// Whether it has said nothing for so long that nothing more is to be waited for, though it was asked.
    pub(super) fn is_silent(&self) -> bool {
        let silence = self.now().saturating_sub(self.last.load(Ordering::Acquire));
        u128::from(silence) > self.patience.as_millis()
    }
}
