//! Metrics of the database as this process sees it: permits and waiting, errors by kind, slow statements.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::result::{DatabaseErrorKind as Kind, Error as DieselError};
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// One label, and its value.
pub type Label = [(&'static str, &'static str); 1];

/// Buckets of waiting times: up to the patience of a reader, of a writer, of a woken request.
const WAITED: [f64; 9] = [0.001, 0.005, 0.025, 0.1, 0.5, 1.5, 4.0, 15.0, 60.0];
/// From when on a statement is slow, by default.
const SLOW: Duration = Duration::from_millis(500);

/// Counters of statements, connections and permits.
#[derive(Debug, Clone)]
pub struct Queries {
    errors: Family<Label, Counter>,
    slow: Counter,
    slow_from: Arc<AtomicU64>,
    taken: Family<Label, Counter>,
    refused: Family<Label, Counter>,
    waiting: Family<Label, Gauge>,
    waited: Family<Label, Histogram>,
}

impl Default for Queries {
    fn default() -> Self {
        let queries = Self {
            errors: Family::default(),
            slow: Counter::default(),
            slow_from: Arc::default(),
            taken: Family::default(),
            refused: Family::default(),
            waiting: Family::default(),
            waited: Family::new_with_constructor(|| Histogram::new(WAITED)),
        };
        queries.call_slow(SLOW);
        queries
    }
}

impl Queries {
    /// Registers all counters.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "database_errors",
            "Failures of statements and connections, expected ones (a unique name that is taken) included",
            self.errors.clone(),
        );
        registry.register(
            "slow_queries",
            "Statements that took longer than WARD_POLICY_SLOW_QUERY_MS",
            self.slow.clone(),
        );
        registry.register("pool_turns", "Permits asked for", self.taken.clone());
        registry.register(
            "pool_refused",
            "Permits that did not come in time: 503",
            self.refused.clone(),
        );
        registry.register("pool_waiting", "Requests that wait for a permit", self.waiting.clone());
        registry.register(
            "pool_wait_seconds",
            "Waiting time of requests that had to wait for a permit",
            self.waited.clone(),
        );
    }

    /// Sets from when on a statement is slow; with zero none is.
    pub fn call_slow(&self, from: Duration) {
        let micros = u64::try_from(from.as_micros()).unwrap_or(u64::MAX);
        self.slow_from.store(micros, Ordering::Relaxed);
    }

    /// Whether a statement that took so long is slow; counts it if so.
    pub(crate) fn is_slow(&self, took: Duration) -> bool {
        let from = Duration::from_micros(self.slow_from.load(Ordering::Relaxed));
        let slow = !from.is_zero() && took >= from;
        if slow {
            self.slow.inc();
        }
        slow
    }

    /// Counts a failure of this kind.
    pub(crate) fn failed(&self, kind: &'static str) {
        self.errors.get_or_create(&[("kind", kind)]).inc();
    }

    /// Counts the failure of a statement.
    pub(crate) fn statement_failed(&self, error: &DieselError) {
        self.failed(match error {
            DieselError::DatabaseError(kind, _) => match kind {
                Kind::UniqueViolation => "unique_violation",
                Kind::ForeignKeyViolation => "foreign_key_violation",
                Kind::NotNullViolation => "not_null_violation",
                Kind::CheckViolation => "check_violation",
                Kind::RestrictViolation => "restrict_violation",
                Kind::ExclusionViolation => "exclusion_violation",
                Kind::UnableToSendCommand => "unable_to_send_command",
                Kind::SerializationFailure => "serialization_failure",
                Kind::ReadOnlyTransaction => "read_only_transaction",
                Kind::ClosedConnection => "closed_connection",
                // Deadlocks, timeouts, a server that shuts down: diesel does not tell them apart.
                _ => "unknown",
            },
            _ => "other",
        });
    }

    /// The counters of one pool's permits.
    pub(crate) fn permits(&self, pool: &'static str) -> PermitMetrics {
        let label = [("lane", pool)];
        PermitMetrics {
            taken: self.taken.get_or_create_owned(&label),
            refused: self.refused.get_or_create_owned(&label),
            waiting: self.waiting.get_or_create_owned(&label),
            waited: self.waited.get_or_create_owned(&label),
        }
    }
}

/// The counters of one pool's permits.
#[derive(Debug, Clone)]
pub(crate) struct PermitMetrics {
    pub(crate) taken: Counter,
    pub(crate) refused: Counter,
    waiting: Gauge,
    waited: Histogram,
}

impl PermitMetrics {
    /// Counts a waiting request, until the result is dropped.
    pub(crate) fn wait(&self) -> WaitTimer<'_> {
        self.waiting.inc();
        WaitTimer {
            permits: self,
            since: Instant::now(),
        }
    }
}

/// A request that waits for a permit.
pub(crate) struct WaitTimer<'a> {
    permits: &'a PermitMetrics,
    since: Instant,
}

impl Drop for WaitTimer<'_> {
    fn drop(&mut self) {
        self.permits.waiting.dec();
        self.permits.waited.observe(self.since.elapsed().as_secs_f64());
    }
}
