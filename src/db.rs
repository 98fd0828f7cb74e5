//! The database, as handlers see it: two verbs, `read` and `write`, each in a caller's name.
//!
//! Diesel blocks, so queries run on blocking threads, behind an admission queue as wide as the connection pool. Requests wait as
//! futures, not threads. One that waits too long gets 503 with `Retry-After`; a hung query keeps its permit until the database
//! lets go. Readers and writers have pools of their own (bulkheads): readers look through views that show what their caller may
//! see, writers go one after the other.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, dsl::max, prelude::*};
use tokio::time::sleep;

use crate::error::{Error, Result};
use quota::Quota;
use schema::change_log;

use admission::AdmissionQueue;
use batch_loader::BatchLoader;
use instrumentation::RequestScope;
use moment::{PUBLISHED, TABLES};
use notifications::Listener;
use pool::{Plan, Pool};
use replicas::Replicas;
use running::Running;

pub mod address;
pub(crate) mod admission;
mod batch_loader;
mod bounds;
mod columns;
pub mod consistency;
mod constraints;
mod context;
mod definitions;
pub mod embedded;
mod feed_position;
mod former_names;
mod instrumentation;
mod liveness;
mod metrics;
mod migrations;
mod moment;
mod notifications;
mod pool;
mod public_version;
mod published;
pub mod quota;
mod reach;
mod replicas;
mod running;
pub mod schema;
mod session;
pub mod stream_tickets;
mod streaming;
mod subquery;
mod token_directory;
mod transaction;
mod trial;

pub use batch_loader::{FindById, find_by_id, unnest};
pub use bounds::Bounds;
pub use columns::WrittenColumns;
pub use constraints::{known_constraints, reason_required};
pub use context::{Context, IdempotencyKey};
pub use feed_position::FeedPosition;
pub use former_names::Names;
pub use metrics::{Label, Queries};
pub use migrations::{
    MIGRATIONS, Migrations, OLDEST_POSTGRESQL, SetupError, claim, count_anew, is_defined, known_migrations, migrate,
    migrations, note_migrations, release, run_migrations, server_major, set_up, set_up_when_there, setting,
};
pub use moment::{PointInTime, RevisionOf, as_published, published_as, seconds_ahead};
pub use notifications::{FeedProgress, Said};
pub use pool::Use;
pub use public_version::{CacheTag, Invalidation, PublicVersion};
pub use published::{Affected, is_organization};
pub use replicas::ReplicaStatus;
pub use session::{Db, Read, Workload};
pub use streaming::{ChunkSender, ChunkStream};
pub use subquery::{NestedRows, RowsOf, Subquery, Text};
pub use token_directory::{Token, TokenDirectory};
pub use transaction::{Hooks, Tx, write};
use transaction::{Written, with_retries};
pub use trial::try_out;

/// Connections for writers. One writes, and one waits for the writers' lock, as writers of other processes do. Where both belong to
/// one caller, the third is left for other callers.
const WRITERS: u32 = 3;
/// Connections for trials. One caller has one trial at a time.
const TRIALS: u32 = 2;
/// One caller may have this part of all requests that may wait for changes at a time.
const FOLLOWERS_SHARE: usize = 8;
/// How old the last status of the database may be, and how long a request waits for a newer one.
const RECENT: Duration = Duration::from_secs(1);
/// So many writers may wait for each reader that may.
const WRITERS_WAIT: usize = 4;

/// The database.
#[derive(Clone)]
pub struct Database {
    readers: Pool,
    /// Readers whose query may scan much of the database: short queries do not wait behind them.
    broad: Pool,
    standbys: Replicas,
    writers: Pool,
    /// Connections of trials, which are writes that are rolled back.
    trials: Pool,
    /// A connection that looks whether a trial blocks a writer.
    watch: Pool,
    /// Admits readers that a change has woken. There may be thousands, and they leave room for all other readers.
    followers: AdmissionQueue,
    /// Requests that wait for changes or follow them.
    following: Quota,
    /// Connections for long reads, which nobody else waits for.
    long: Pool,
    /// Admits long reads that are sent while they are read.
    streams: AdmissionQueue,
    /// Admits long reads that are sent as a finished file.
    gatherers: AdmissionQueue,
    loader: BatchLoader,
    listener: Arc<Listener>,
    former: former_names::Kept,
    /// Set once the database is ready.
    ready: Arc<OnceLock<()>>,
    bounds: Bounds,
    hooks: Hooks,
    queries: Queries,
}

/// The words of an error in one line: libpq writes several, and a log is read line by line.
pub(crate) fn in_one_line(words: &impl ToString) -> String {
    words.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Database {
    /// Pools whose connections are opened when they are needed, one connection that listens, and a pool for readers of each
    /// replica. Nothing connects before [`Self::set_ready`].
    #[must_use]
    pub fn new(url: &str, standbys: &[String], bounds: Bounds, hooks: Hooks) -> Self {
        let ready = Arc::new(OnceLock::new());
        let listener = Arc::new(Listener::new(url, &ready));
        let queries = Queries::default();
        let readers = Plan {
            name: "readers",
            connections: bounds.pool,
            room: bounds.queue,
            patience: bounds.wait,
            // Each transaction of a caller who may see drafts says so.
            path: PUBLISHED,
        };
        let writers = Plan {
            name: "writers",
            connections: WRITERS,
            // Writers go one after the other, and wait longer than readers.
            room: bounds.queue * WRITERS_WAIT,
            patience: bounds.lock,
            // Each write checks what its caller may do with the rows that it finds.
            path: TABLES,
        };
        let trials = Plan {
            name: "trials",
            connections: TRIALS,
            ..writers
        };
        let watch = Plan {
            name: "watch",
            connections: 1,
            ..writers
        };
        let broad = Plan {
            name: "broad",
            ..readers
        };
        let on_standbys = Plan {
            name: "standbys",
            // As many as `readers` and `broad` have together.
            connections: 2 * bounds.pool,
            ..readers
        };
        let long = Plan {
            name: "long",
            connections: u32::try_from(2 * bounds.streams).unwrap_or(u32::MAX),
            ..readers
        };
        let pool = |plan: &Plan| Pool::new(url, plan, &bounds, listener.life(), &queries);
        Self {
            readers: pool(&readers),
            broad: pool(&broad),
            standbys: Replicas::new(url, standbys, &on_standbys, &bounds, &listener, &queries, &ready),
            writers: pool(&writers),
            trials: pool(&trials),
            watch: pool(&watch),
            followers: AdmissionQueue::new(usize::try_from(bounds.pool / 2).unwrap_or(1).max(1), bounds.queue),
            following: Quota::new(bounds.followers, bounds.followers / FOLLOWERS_SHARE),
            long: pool(&long),
            streams: AdmissionQueue::new(bounds.streams, bounds.queue),
            gatherers: AdmissionQueue::new(bounds.streams, bounds.queue),
            loader: BatchLoader::default(),
            listener,
            former: former_names::Kept::default(),
            ready,
            bounds,
            hooks,
            queries,
        }
    }

    /// Notes that the database has every migration: from now on it is used.
    pub fn set_ready(&self) {
        // The database has just answered the thread that prepared it, so it does not count as silent.
        self.listener.life().answered();
        // A second call changes nothing.
        let _ = self.ready.set(());
    }

    /// Whether the database is known to have every migration.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.get().is_some()
    }

    /// The counters of its statements, connections and permits.
    #[must_use]
    pub const fn queries(&self) -> &Queries {
        &self.queries
    }

    /// The use of each pool at this moment, by its name.
    #[must_use]
    pub fn pools(&self) -> [(&'static str, Use); 7] {
        [
            ("readers", self.readers.now()),
            ("broad", self.broad.now()),
            ("long", self.long.now()),
            ("standbys", self.standbys.now()),
            ("writers", self.writers.now()),
            ("trials", self.trials.now()),
            ("watch", self.watch.now()),
        ]
    }

    /// The status of the replicas.
    #[must_use]
    pub fn replica_status(&self) -> ReplicaStatus {
        self.standbys.replica_status(&self.listener.present())
    }

    /// How far this process has followed the changes.
    #[must_use]
    pub fn heard(&self) -> FeedProgress {
        self.listener.heard()
    }

    /// The valid tokens that this process knows.
    #[must_use]
    pub fn tokens(&self) -> &TokenDirectory {
        self.listener.tokens()
    }

    /// Waits until this process knows every token that was there two seconds ago. 503 while the database is silent.
    pub async fn tokens_known(&self) -> Result<()> {
        self.heard_within(notifications::FRESH, self.bounds.wait).await
    }

    /// Waits until this process knows a token that was made just before the call. It costs no connection.
    pub async fn look_for_tokens(&self) {
        self.listener.look().await;
    }

    /// The status of the database, at most a second old. It costs no connection, however often it is called.
    pub async fn said(&self) -> Result<Said> {
        self.heard_within(RECENT, RECENT).await?;
        self.listener.said().ok_or_else(no_answer)
    }

    /// Waits until the last notification or probe is no older than `age`.
    async fn heard_within(&self, age: Duration, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        while self.listener.heard().silence.is_none_or(|silence| silence > age) {
            if Instant::now() >= end {
                return Err(no_answer());
            }
            sleep(notifications::PULSE).await;
        }
        Ok(())
    }

    /// How many requests wait for changes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.listener.waiting()
    }

    /// Releases every request that waits for changes: the service is about to stop.
    pub fn stop_waiting(&self) {
        self.listener.stop();
    }

    /// The version of all public data, as this process knows it. `None` while the process has not heard from the database for
    /// two seconds, or has only just connected.
    #[must_use]
    pub fn public_state(&self) -> Option<PublicVersion> {
        self.listener.public_state()
    }

    /// Whether public data is unchanged since a version: the data under one cache tag, or all of it.
    #[must_use]
    pub fn is_still(&self, then: PublicVersion, part: Option<CacheTag>) -> bool {
        self.listener.is_still(then, part)
    }

    /// The database for one request of one caller.
    #[must_use]
    pub fn of(&self, context: Context) -> Db {
        Db::new(self.clone(), context)
    }

    /// Runs a write, and invalidates the cached responses that it makes wrong before its own response is sent.
    async fn write<T: Send + 'static>(
        &self,
        context: &Context,
        work: impl FnOnce(&mut PgConnection, &Context) -> Result<Written<T>> + Clone + Send + 'static,
    ) -> Result<T> {
        let permit = self.writers.acquire(context).await?;
        let (listener, context) = (Arc::clone(&self.listener), context.clone());
        let run = move |conn: &mut PgConnection, running: &Running| {
            let _for = RequestScope::request(Arc::clone(&context.request_id));
            let done = with_retries(|| {
                conn.transaction(|conn| {
                    running.begin()?;
                    let written = work.clone()(conn, &context)?;
                    running.commit()?;
                    Ok(written)
                })
            });
            let done = done.and_then(|written| {
                if written.tokens_changed {
                    listener.tokens().load(conn)?;
                }
                let at = consistency::reached(conn)?;
                listener.wrote(at);
                context.consistency.wrote(at);
                Ok(written)
            });
            // A write whose commit failed on the way may have been committed all the same.
            let done = done.map_err(|e| {
                if e.is_failure() && running.was_committing() {
                    Error::OutcomeUnknown(e.to_string())
                } else {
                    e
                }
            });
            match &done {
                Ok(written) => listener.changed(&written.changed),
                Err(e) if e.is_failure() => listener.changed(&Invalidation::Everything),
                Err(_) => {}
            }
            done.map(|written| written.given)
        };
        // A write goes on when its caller hangs up: the caller may come back for the outcome.
        self.writers.run(permit, self.bounds.write, None, run).await
    }
}

fn no_answer() -> Error {
    Error::Unavailable("the database does not answer".to_owned())
}

/// The number of the last change in the history that the caller may see; 0 if there is none.
pub fn last_change(conn: &mut PgConnection) -> QueryResult<i64> {
    let last: Option<i64> = change_log::table.select(max(change_log::seq)).first(conn)?;
    Ok(last.unwrap_or(0))
}
