//! Read replicas (PostgreSQL calls them standbys): servers that follow the primary.
//!
//! A replica is read only while it has caught up with everything that this process has heard of or written, and with the caller's
//! consistency token. So no response is older than an earlier one of this process, and cached responses stay valid. A thread polls
//! how far each replica has replayed. A replica whose history is not the primary's is not read.

use std::{
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection, data_types, dsl::exists, prelude::*};

use super::{
    bounds::Bounds,
    consistency::{self, Lsn},
    in_one_line, last_change,
    liveness::Liveness,
    metrics::Queries,
    migrations::pg_is_in_recovery,
    notifications::{Listener, Present},
    pool::{Plan, Pool, Use},
    schema::change_log,
};

/// How often a replica is polled.
const PULSE: Duration = Duration::from_millis(20);
/// How long a replica may be silent before readers leave it.
const SILENT: Duration = Duration::from_secs(1);
/// How long until a replica that is away is tried again.
const AGAIN: Duration = Duration::from_millis(500);

diesel::define_sql_function! {
    /// How far a replica has replayed the log.
    fn pg_last_wal_replay_lsn() -> Nullable<PgLsn>;
}

/// All replicas.
#[derive(Clone)]
pub(super) struct Replicas {
    all: Arc<[Replica]>,
}

struct Replica {
    pool: Pool,
    seen: Arc<Seen>,
}

/// What is known of a replica.
struct Seen {
    life: Arc<Liveness>,
    replayed: AtomicU64,
    /// The number of its last change.
    seq: AtomicI64,
    /// The primary whose history it holds, by the listener's count of connections; 0 for none.
    meets: AtomicU64,
}

/// The number of replicas in each state.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReplicaStatus {
    /// Caught up: readers are sent to them.
    pub in_step: u32,
    /// Lagging.
    pub behind: u32,
    /// Silent, or with another history.
    pub away: u32,
}

impl Replicas {
    pub(super) fn new(
        primary: &str,
        urls: &[String],
        plan: &Plan,
        bounds: &Bounds,
        listener: &Arc<Listener>,
        queries: &Queries,
        ready: &Arc<OnceLock<()>>,
    ) -> Self {
        let one = |url: &String| {
            let life = Arc::new(Liveness::new(SILENT));
            let seen = Arc::new(Seen {
                life: Arc::clone(&life),
                replayed: AtomicU64::new(0),
                seq: AtomicI64::new(0),
                meets: AtomicU64::new(0),
            });
            let watch = Watch {
                primary: primary.to_owned(),
                url: url.clone(),
                listener: Arc::clone(listener),
                seen: Arc::downgrade(&seen),
            };
            let ready = Arc::clone(ready);
            let begun = thread::Builder::new().name("standby".to_owned()).spawn(move || {
                ready.wait();
                watch.watch();
            });
            if let Err(e) = begun {
                log::error!("nobody watches a standby: {e}");
            }
            Replica {
                pool: Pool::new(url, plan, bounds, &life, queries),
                seen,
            }
        };
        Self {
            all: urls.iter().map(one).collect(),
        }
    }

    /// The pool with the most free permits of all replicas that have caught up with the present and with `wanted`.
    pub(super) fn pool(&self, present: &Present, wanted: Lsn) -> Option<&Pool> {
        let present = Present {
            reached: present.reached.max(wanted),
            ..*present
        };
        let fit = self.all.iter().filter(|standby| standby.seen.has(&present));
        fit.map(|standby| &standby.pool).max_by_key(|pool| pool.free())
    }

    /// The use of all pools together.
    pub(super) fn now(&self) -> Use {
        self.all.iter().map(|standby| standby.pool.now()).sum()
    }

    /// The number of replicas in each state.
    pub(super) fn replica_status(&self, present: &Present) -> ReplicaStatus {
        let mut replica_status = ReplicaStatus::default();
        for Replica { seen, .. } in &*self.all {
            if !seen.follows(present) {
                replica_status.away += 1;
            } else if seen.has(present) {
                replica_status.in_step += 1;
            } else {
                replica_status.behind += 1;
            }
        }
        replica_status
    }
}

impl Seen {
    fn follows(&self, present: &Present) -> bool {
        let meets = self.meets.load(Ordering::Acquire);
        meets > 0 && meets == present.meets && !self.life.is_silent()
    }

    fn has(&self, present: &Present) -> bool {
        self.follows(present)
            && self.replayed.load(Ordering::Acquire) >= present.reached.0
            && self.seq.load(Ordering::Acquire) >= present.seq
    }
}

/// Polls one replica.
struct Watch {
    primary: String,
    url: String,
    listener: Arc<Listener>,
    seen: Weak<Seen>,
}

impl Watch {
    /// Polls until the replica is dropped, and reconnects after outages.
    fn watch(&self) {
        while let Some(seen) = self.seen.upgrade() {
            drop(seen);
            if let Err(e) = self.follow() {
                log::warn!("a standby is not read: {}", in_one_line(&e));
            }
            if let Some(seen) = self.seen.upgrade() {
                seen.life.lost();
                seen.meets.store(0, Ordering::Release);
            }
            let again = Instant::now() + AGAIN;
            while self.seen.strong_count() > 0 && Instant::now() < again {
                thread::sleep(PULSE);
            }
        }
    }

    /// Polls until the connection fails.
    fn follow(&self) -> Result<(), Box<dyn std::error::Error>> {
        let mut conn = PgConnection::establish(&self.url)?;
        conn.batch_execute("set statement_timeout = '5s'")?;
        while let Some(seen) = self.seen.upgrade() {
            let meets = self.listener.present().meets;
            let (follows, replayed): (bool, Option<data_types::PgLsn>) =
                diesel::select((pg_is_in_recovery(), pg_last_wal_replay_lsn())).get_result(&mut conn)?;
            if !follows {
                return Err("it follows nobody: it was promoted, or is none".into());
            }
            let replayed = replayed.map(Lsn::from).unwrap_or_default();
            let seq = last_change(&mut conn)?;
            if seen.meets.load(Ordering::Acquire) != meets {
                self.compare(&mut conn, replayed)?;
            }
            seen.replayed.store(replayed.0, Ordering::Release);
            seen.seq.store(seq, Ordering::Release);
            seen.life.answered();
            seen.meets.store(meets, Ordering::Release);
            drop(seen);
            thread::sleep(PULSE);
        }
        Ok(())
    }

    /// Fails unless the primary has the last change of this replica, and the primary's log ends no earlier. A position in a log does
    /// not tell whose log it is, and a promoted primary may lack the end of the log before.
    fn compare(&self, conn: &mut PgConnection, replayed: Lsn) -> Result<(), Box<dyn std::error::Error>> {
        let mut primary = PgConnection::establish(&self.primary)?;
        let last: Option<(i64, Vec<u8>)> = change_log::table
            .select((change_log::seq, change_log::hash))
            .order(change_log::seq.desc())
            .first(conn)
            .optional()?;
        let same = last.map_or(Ok(true), |(seq, hash)| {
            let same = change_log::table.find(seq).filter(change_log::hash.eq(hash));
            diesel::select(exists(same)).get_result(&mut primary)
        })?;
        if same && replayed <= consistency::reached(&mut primary)? {
            Ok(())
        } else {
            Err("its history is not the primary's".into())
        }
    }
}
