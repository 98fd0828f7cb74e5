//! The database, as handlers see it: two verbs, each in a caller's name.
//!
//! Diesel blocks, so work runs on the blocking pool. A queue as wide as the connection pool
//! stands in front of it: requests queue as futures, not as threads; one that waits too long is
//! told to come back; stuck work keeps its place. Readers and writers have pools of their own:
//! readers look through views that show what their caller may see, writers go one after the other.

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
use moment::{EVERYBODY, TABLES};
use notifications::Listener;
use pool::{Plan, Pool};
use replicas::Replicas;
use running::Running;

pub mod address;
pub(crate) mod admission;
mod batch_loader;
mod bounds;
pub mod consistency;
mod constraints;
mod context;
pub mod embedded;
mod former_names;
mod instrumentation;
mod liveness;
mod metrics;
mod migrations;
mod moment;
mod notifications;
mod pool;
mod public_version;
pub mod quota;
mod reach;
mod replicas;
mod running;
pub mod schema;
mod session;
mod streaming;
mod token_directory;
mod transaction;
mod trial;

pub use batch_loader::{FindById, find_by_id};
pub use bounds::Bounds;
pub use constraints::known_constraints;
pub use context::{Context, IdempotencyKey};
pub use metrics::{Label, Queries};
pub use migrations::{
    MIGRATIONS, Migrations, OLDEST_POSTGRESQL, SetupError, claim, count_anew, known_migrations, migrations,
    note_migrations, release, run_migrations, server_major, set_up, set_up_when_there, setting,
};
pub use moment::{PointInTime, RevisionOf, as_everybody, published_as, seconds_ahead};
pub use notifications::{FeedPosition, FeedProgress, Said};
pub use pool::Use;
pub use public_version::{CacheTag, Invalidation, PublicVersion};
pub use replicas::ReplicaStatus;
pub use session::{Db, Read};
pub use streaming::{ChunkSender, ChunkStream};
pub use token_directory::{Token, TokenDirectory};
pub use transaction::{Hooks, Tx, write};
use transaction::{Written, with_retries};
pub use trial::try_out;

/// Connections for writers: one writes, one waits for its permit in the database, as do those of other processes; and one is left
/// for other callers, where both are of one.
const WRITERS: u32 = 3;
/// Connections for trials: of one caller one is tried at a time.
const TRIALS: u32 = 2;
/// Of all who may wait for changes at a time, one caller may be this part.
const FOLLOWERS_SHARE: usize = 8;
/// How old may be what the database says of itself, and how long it is waited for.
const RECENT: Duration = Duration::from_secs(1);
/// For each reader that may wait, so many writers may.
const WRITERS_WAIT: usize = 4;

/// The database.
#[derive(Clone)]
pub struct Database {
    readers: Pool,
    /// Readers whose question may go through much of the database: whoever asks for little does not wait behind them.
    broad: Pool,
    standbys: Replicas,
    writers: Pool,
    /// The connections of trials: writes that are undone.
    trials: Pool,
    /// Where it is looked whether a trial is in somebody's way.
    watch: Pool,
    /// Of the readers, those who were woken, perhaps by the thousand: they leave room for everybody else.
    followers: AdmissionQueue,
    /// Who waits for changes or follows them.
    following: Quota,
    /// Those who read much, on connections that nobody else waits for.
    long: Pool,
    /// Of these, those who send it as they read it.
    streams: AdmissionQueue,
    /// And those who send it when they have it all.
    gatherers: AdmissionQueue,
    loader: BatchLoader,
    listener: Arc<Listener>,
    former: former_names::Kept,
    /// Set once it is ready.
    ready: Arc<OnceLock<()>>,
    bounds: Bounds,
    hooks: Hooks,
    queries: Queries,
}

/// libpq speaks in several lines; a log is read line by line.
pub(crate) fn in_one_line(words: &impl ToString) -> String {
    words.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Database {
    /// A pool for readers and a small one for writers, opened as they are needed, and one connection that listens; and another
    /// pool for readers of each standby. Nothing connects before [`Self::set_ready`].
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
            // Who may see more says so in each transaction.
            path: EVERYBODY,
        };
        let writers = Plan {
            name: "writers",
            connections: WRITERS,
            // They go one after the other, and wait longer.
            room: bounds.queue * WRITERS_WAIT,
            patience: bounds.lock,
            // Each asks what its caller may do with what it finds.
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
            // Of both sorts.
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

    /// Takes that the database has every migration: from now on it is used.
    pub fn set_ready(&self) {
        // The database has just answered the thread that prepared it, so it does not count as silent.
        self.listener.life().answered();
        // To say it again changes nothing.
        let _ = self.ready.set(());
    }

    /// Whether the database is known to have every migration.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.get().is_some()
    }

    /// What is counted of its statements, connections and permits.
    #[must_use]
    pub const fn queries(&self) -> &Queries {
        &self.queries
    }

    /// How its pools are used at this moment, by their names.
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

    /// How the standbys are.
    #[must_use]
    pub fn replica_status(&self) -> ReplicaStatus {
        self.standbys.replica_status(&self.listener.present())
    }

    /// How far this process has heard of changes.
    #[must_use]
    pub fn heard(&self) -> FeedProgress {
        self.listener.heard()
    }

    /// The valid tokens, as far as this process has heard of them.
    #[must_use]
    pub fn tokens(&self) -> &TokenDirectory {
        self.listener.tokens()
    }

    /// Waits until every token is known that there was two seconds ago. 503 while the database says nothing.
    pub async fn tokens_known(&self) -> Result<()> {
        self.heard_within(notifications::FRESH, self.bounds.wait).await
    }

    /// Waits until a token is known that was made just before now. It costs no connection.
    pub async fn look_for_tokens(&self) {
        self.listener.look().await;
    }

    /// What the database says of itself, at most a second ago. It costs no connection, however often it is asked.
    pub async fn said(&self) -> Result<Said> {
        self.heard_within(RECENT, RECENT).await?;
        self.listener.said().ok_or_else(no_answer)
    }

    /// Waits until the last word from the database is no older than this.
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

    /// How many wait for changes.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.listener.waiting()
    }

    /// Lets go of everybody who waits for changes: the service is about to stop.
    pub fn stop_waiting(&self) {
        self.listener.stop();
    }

    /// The state of what the public sees, as far as it is known for sure: nothing where it is some time since anything was heard
    /// of the database, or where that has only just begun.
    #[must_use]
    pub fn public_state(&self) -> Option<PublicVersion> {
        self.listener.public_state()
    }

    /// Whether what the public saw at a state is still so: of a part, or of everything.
    #[must_use]
    pub fn is_still(&self, then: PublicVersion, part: Option<CacheTag>) -> bool {
        self.listener.is_still(then, part)
    }

    /// The database as this caller has it.
    #[must_use]
    pub fn of(&self, context: Context) -> Db {
        Db::new(self.clone(), context)
    }

    /// Writes, and sees to it that no answer from before is given after this one's.
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
            // What failed on its way may have been committed all the same.
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
        // Whoever has sent a write and left may come back for its outcome.
        self.writers.run(permit, self.bounds.write, None, run).await
    }
}

fn no_answer() -> Error {
    Error::Unavailable("the database does not answer".to_owned())
}

/// The last change in the history, as far as the caller may see it; 0 where there is none.
pub fn last_change(conn: &mut PgConnection) -> QueryResult<i64> {
    let last: Option<i64> = change_log::table.select(max(change_log::seq)).first(conn)?;
    Ok(last.unwrap_or(0))
}
