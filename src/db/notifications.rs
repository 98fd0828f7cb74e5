//! The notification listener: one connection of the process listens, and requests that wait for changes watch the feed position
//! that it has reached.
//!
//! A waiting request is a future. It holds no thread and no connection, and a change that its caller may not see does not wake it.

use std::{
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use futures_util::future::{Either, pending, select};
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Db, Migrations,
    consistency::{self, Lsn},
    feed_position::{FeedPosition, Notice},
    in_one_line, last_change,
    liveness::Liveness,
    migrations,
    moment::seconds_ahead,
    public_version::{CacheTag, Invalidation, PublicVersion, VersionCounters},
    token_directory::TokenDirectory,
};
use crate::error::Result;

/// Subscribes to the notifications of the triggers.
const LISTEN: &str = "set statement_timeout = '5s'; listen ward_policy_changes";
/// How often the connection is polled for notifications.
pub(super) const PULSE: Duration = Duration::from_millis(20);
/// How often the connection is probed with a query.
const PROBE: Duration = Duration::from_millis(500);
/// How long the last notification or probe counts as the present.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// How long the database may be silent before requests stop waiting for it.
const SILENT: Duration = Duration::from_secs(3);
/// Pauses before a reconnect, at first and at most.
const BACK: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What the process knows of the primary and of its public data.
struct Public {
    changes: VersionCounters,
    /// When the listener last heard from the database, in milliseconds of [`Liveness`]; 0 for never.
    heard: AtomicU64,
    life: Arc<Liveness>,
    /// A position in the write-ahead log that covers everything this process has heard of or written.
    reached: AtomicU64,
    /// How often the listener has connected to a primary, perhaps to a different one.
    meets: AtomicU64,
    /// When the listener last began to poll for notifications, in milliseconds of [`Liveness`].
    looked: AtomicU64,
    /// The number of the last change heard of.
    seen: AtomicI64,
    tokens: TokenDirectory,
    said: Mutex<Option<Said>>,
}

impl Public {
    /// Notes that every change until this moment is known.
    fn hear(&self, at: u64) {
        self.heard.store(at.max(1), Ordering::Release);
        self.life.answered();
    }

    fn log_reached(&self, at: Lsn) {
        self.reached.fetch_max(at.0, Ordering::AcqRel);
    }

    /// Notes a connection to a primary whose log ends here. A promoted one's log may end before that of the last primary.
    fn meet(&self, before: u64, at: Lsn) {
        if at.0 < before {
            // Unless this process has written meanwhile.
            let _ = self
                .reached
                .compare_exchange(before, at.0, Ordering::AcqRel, Ordering::Acquire);
        }
        self.log_reached(at);
        self.meets.fetch_add(1, Ordering::AcqRel);
    }

    /// Reads the status of the database.
    fn ask(&self, conn: &mut PgConnection, last: i64) -> Result<()> {
        let said = Said {
            migrations: migrations(conn)?,
            last,
            seconds_ahead: seconds_ahead(conn)?,
        };
        *self.said.lock() = Some(said);
        Ok(())
    }

    fn state(&self) -> Option<PublicVersion> {
        let heard = self.heard.load(Ordering::Acquire);
        let fresh = heard > 0 && u128::from(self.life.now().saturating_sub(heard)) < FRESH.as_millis();
        fresh.then(|| self.changes.state())
    }
}

/// What a replica must have before it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Present {
    /// A position in the write-ahead log that covers everything this process has heard of or written.
    pub(super) reached: Lsn,
    /// The number of the last change heard of.
    pub(super) seq: i64,
    /// The primary that this is about, by the number of connections so far; 0 before any.
    pub(super) meets: u64,
}

/// The status of the database, read twice a second.
#[derive(Debug, Clone)]
pub struct Said {
    /// The migrations it has.
    pub migrations: Migrations,
    /// The last change in its history.
    pub last: i64,
    /// By how many seconds the time of that change lies ahead of the database's clock, if by any.
    pub seconds_ahead: Option<i64>,
}

/// How far this process has followed the changes.
#[derive(Debug, Clone, Copy)]
pub struct FeedProgress {
    /// The number of the last change heard of; 0 before any.
    pub last: i64,
    /// Time since the last notification or probe; `None` before any. The database is probed twice a second.
    pub silence: Option<Duration>,
}

/// The listening thread, which ends when nobody can wait for it any more.
pub(super) struct Listener {
    tail: watch::Receiver<FeedPosition>,
    public: Arc<Public>,
    stopping: watch::Sender<bool>,
}

impl Listener {
    /// Starts listening when the database is ready.
    pub(super) fn new(url: &str, ready: &Arc<OnceLock<()>>) -> Self {
        let (sender, tail) = watch::channel(FeedPosition::default());
        let public = Arc::new(Public {
            changes: VersionCounters::default(),
            heard: AtomicU64::new(0),
            life: Arc::new(Liveness::new(SILENT)),
            reached: AtomicU64::new(0),
            meets: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            seen: AtomicI64::new(0),
            tokens: TokenDirectory::default(),
            said: Mutex::default(),
        });
        let (url, heard, ready) = (url.to_owned(), Arc::clone(&public), Arc::clone(ready));
        let begun = thread::Builder::new().name("listener".to_owned()).spawn(move || {
            ready.wait();
            listen(&url, &sender, &heard);
        });
        if let Err(e) = begun {
            log::error!("nobody listens for changes: {e}");
        }
        Self {
            tail,
            public,
            stopping: watch::Sender::new(false),
        }
    }

    /// Releases every waiting request, now and from now on.
    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) fn waiting(&self) -> usize {
        self.stopping.receiver_count()
    }

    pub(super) fn heard(&self) -> FeedProgress {
        let heard = self.public.heard.load(Ordering::Acquire);
        let silence = Duration::from_millis(self.public.life.now().saturating_sub(heard));
        FeedProgress {
            last: self.public.seen.load(Ordering::Acquire),
            silence: (heard > 0).then_some(silence),
        }
    }

    /// Notes a change that this process has made, without waiting for its notification.
    pub(super) fn changed(&self, changed: &Invalidation) {
        self.public.changes.add(changed);
    }

    /// Whether public data is unchanged since a version: that under one cache tag, or all of it.
    pub(super) fn is_still(&self, then: PublicVersion, part: Option<CacheTag>) -> bool {
        self.public.changes.is_still(then, part)
    }

    /// Whether no organization has been renamed since a version.
    pub(super) fn are_names_still(&self, then: PublicVersion) -> bool {
        self.public.changes.are_names_still(then)
    }

    /// The version of public data; `None` if the database was last heard from too long ago.
    pub(super) fn public_state(&self) -> Option<PublicVersion> {
        self.public.state()
    }

    /// Waits, half a second at most, for a poll that receives the notification of everything committed before the call.
    pub(super) async fn look(&self) {
        let life = self.life();
        let (end, now) = (Instant::now() + PULSE * 25, life.now());
        let notified = now + u64::try_from(PULSE.as_millis()).unwrap_or(0);
        while self.public.looked.load(Ordering::Acquire) <= notified && Instant::now() < end {
            sleep(PULSE).await;
        }
    }

    /// The valid tokens that this process knows.
    pub(super) fn tokens(&self) -> &TokenDirectory {
        &self.public.tokens
    }

    /// The last status of the database; `None` before any.
    pub(super) fn said(&self) -> Option<Said> {
        self.public.said.lock().clone()
    }

    /// The liveness of the primary.
    pub(super) fn life(&self) -> &Arc<Liveness> {
        &self.public.life
    }

    /// Notes a write of this process, which the write-ahead log holds from this position on.
    pub(super) fn wrote(&self, at: Lsn) {
        self.public.log_reached(at);
    }

    pub(super) fn present(&self) -> Present {
        Present {
            reached: Lsn(self.public.reached.load(Ordering::Acquire)),
            seq: self.tail.borrow().head,
            meets: self.public.meets.load(Ordering::Acquire),
        }
    }
}

/// Listens until nobody watches, and reconnects after outages.
fn listen(url: &str, tail: &watch::Sender<FeedPosition>, public: &Public) {
    let mut wait = BACK.0;
    while !tail.is_closed() {
        let since = Instant::now();
        if let Err(e) = hear(url, tail, public) {
            public.life.lost();
            log::warn!("listening for changes: {}", in_one_line(&e));
        }
        wait = if since.elapsed() > BACK.1 {
            BACK.0
        } else {
            BACK.1.min(wait * 2)
        };
        let again = Instant::now() + wait;
        while !tail.is_closed() && Instant::now() < again {
            thread::sleep(PULSE);
        }
    }
}

/// Listens until the connection fails.
fn hear(url: &str, tail: &watch::Sender<FeedPosition>, public: &Public) -> Result<(), Box<dyn std::error::Error>> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute(LISTEN)?;
    // The changes that were written while nobody listened.
    let (asked, before) = (public.life.now(), public.reached.load(Ordering::Acquire));
    let begun = last_change(&mut conn)?;
    public.meet(before, consistency::reached(&mut conn)?);
    public.tokens.load(&mut conn)?;
    public.ask(&mut conn, begun)?;
    tail.send_modify(|tail| tail.begin(begun));
    public.changes.add(&Invalidation::Everything);
    public.hear(asked);
    public.seen.store(begun, Ordering::Release);
    let mut probed = Instant::now();
    while !tail.is_closed() {
        // The notifications are those until this moment, not until the moment they are read.
        let asked = public.life.now();
        let notified: Vec<_> = conn.notifications_iter().collect::<Result<_, _>>()?;
        if !notified.is_empty() {
            // The position in the log comes first: a woken request may read on a replica.
            public.log_reached(consistency::reached(&mut conn)?);
            let before = tail.borrow().public;
            public.changes.add(&Invalidation::since(&mut conn, before)?);
            let notices: Vec<_> = notified.iter().filter_map(|one| Notice::parse(&one.payload)).collect();
            if notices.iter().any(Notice::is_of_tokens) {
                public.tokens.load(&mut conn)?;
            }
            tail.send_modify(|tail| notices.iter().for_each(|notice| tail.hear(notice)));
            let last = notices.iter().map(|notice| notice.seq).max();
            public.seen.fetch_max(last.unwrap_or(0), Ordering::AcqRel);
            public.hear(asked);
        }
        if probed.elapsed() > PROBE {
            let last = last_change(&mut conn)?;
            let is_news = last > public.seen.fetch_max(last, Ordering::AcqRel);
            if is_news {
                // A change without a notification.
                public.tokens.load(&mut conn)?;
                public.log_reached(consistency::reached(&mut conn)?);
                let before = tail.borrow().public;
                public.changes.add(&Invalidation::since(&mut conn, before)?);
            }
            tail.send_if_modified(|tail| {
                let before = tail.head;
                if is_news {
                    tail.reach(last);
                }
                tail.head != before
            });
            public.tokens.note_uses(&mut conn)?;
            public.ask(&mut conn, last)?;
            public.hear(asked);
            probed = Instant::now();
        }
        public.looked.store(asked, Ordering::Release);
        thread::sleep(PULSE);
    }
    Ok(())
}

impl Db {
    /// Waits until there is a change after this one that the caller may see. `false` when the time is up, the caller's token has
    /// ended, or the service is about to stop.
    pub async fn changed(&self, seq: i64, patience: Duration) -> bool {
        let listener = &self.database.listener;
        let (mut tail, mut stopping) = (listener.tail.clone(), listener.stopping.subscribe());
        let heard = pin!(async {
            if tail.wait_for(|tail| tail.last_for(&self.context) > seq).await.is_err() {
                pending::<()>().await;
            }
        });
        let stopped = pin!(stopping.wait_for(|stopping| *stopping));
        let ended = pin!(self.context.token_ended());
        let let_go = select(stopped, ended);
        matches!(timeout(patience, select(heard, let_go)).await, Ok(Either::Left(_)))
    }

    /// Whether the service is about to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.database.listener.stopping.borrow()
    }
}
