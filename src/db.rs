//! The database, as handlers see it: two verbs, each in a caller's name.
//!
//! Diesel blocks, so work runs on the blocking pool. A semaphore as wide as the connection pool
//! stands in front of it: requests queue as futures, not as threads; one that waits too long is
//! told to come back; stuck work keeps its place. Readers and writers have lanes of their own:
//! readers look through views that show what their caller may see, writers go one after the other.

use std::{
    future::{Ready, ready},
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chrono::NaiveDate;
use diesel::{Connection, PgConnection, dsl::max, prelude::*};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::{
    auth::{self, Caller},
    config::Bounds,
    consistency,
    error::{Error, Result},
    extract::IntoReply,
    idempotency::{Claim, Once},
    metrics::Metrics,
    page::Paging,
    past::{EVERYBODY, Moment, TABLES},
    schema::change_log,
    value::{Codes, OrganizationKey, Slug, today},
};

use gate::Turn;
use lane::{Lane, Plan};
use listener::Listener;
use public::Changed;
use standby::Standbys;
use together::Together;
use watched::For;

pub mod embedded;
mod gate;
mod lane;
mod life;
mod listener;
mod public;
mod readiness;
mod standby;
mod stream;
mod together;
mod watched;
mod write;

pub use lane::Use;
pub use listener::{Heard, Tail};
pub use public::{Part, PublicState};
pub use readiness::{
    MIGRATIONS, Migrations, SetupError, check_migrated, claim, known_migrations, migrations, note_migrations, release,
    run_migrations, set_up,
};
pub use standby::Standing;
pub use stream::{Chunks, Out};
pub use together::{ById, by_id};
pub use write::{Tx, write};
use write::{Written, until_it_stays, write_in};

/// Connections for writers: one writes, one waits for its turn in the database, as do those of other processes.
const WRITERS: u32 = 2;
/// For each reader that may wait, so many writers may.
const WRITERS_WAIT: usize = 4;

/// The database.
#[derive(Clone)]
pub struct Database {
    readers: Lane,
    /// Readers whose question may go through much of the database: whoever asks for little does not wait behind them.
    broad: Lane,
    standbys: Standbys,
    writers: Lane,
    /// Of the readers, those who were woken, perhaps by the thousand: they leave room for everybody else.
    followers: Arc<Semaphore>,
    /// Those who read much, on connections that nobody else waits for.
    long: Lane,
    /// Of these, those who send it as they read it.
    streams: Arc<Semaphore>,
    /// And those who send it when they have it all.
    gatherers: Arc<Semaphore>,
    together: Together,
    listener: Arc<Listener>,
    bounds: Bounds,
    metrics: Metrics,
}

/// The database as one caller has it.
#[derive(Clone)]
pub struct Db {
    database: Database,
    caller: Caller,
    moment: Moment,
    single: bool,
    broad: bool,
    primary: bool,
}

/// What queries run on: one state of the database, as far as the caller may see it.
pub struct Read<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// The day of that state: today, unless it is one of the past.
    pub today: NaiveDate,
    /// Whether it is the present as everybody sees it.
    pub public: bool,
}

/// libpq speaks in several lines; a log is read line by line.
pub(crate) fn in_one_line(words: &impl ToString) -> String {
    words.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Database {
    /// A pool for readers and a small one for writers, opened as they are needed, and one connection that listens; and another
    /// pool for readers of each standby.
    #[must_use]
    pub fn new(url: &str, standbys: &[String], bounds: Bounds) -> Self {
        let listener = Arc::new(Listener::new(url));
        let metrics = Metrics::default();
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
        let lane = |plan: &Plan| Lane::new(url, plan, &bounds, listener.life(), &metrics.queries);
        Self {
            readers: lane(&readers),
            broad: lane(&broad),
            standbys: Standbys::new(url, standbys, &on_standbys, &bounds, &listener, &metrics.queries),
            writers: lane(&writers),
            followers: Arc::new(Semaphore::new(usize::try_from(bounds.pool / 2).unwrap_or(1).max(1))),
            long: lane(&long),
            streams: Arc::new(Semaphore::new(bounds.streams)),
            gatherers: Arc::new(Semaphore::new(bounds.streams)),
            together: Together::default(),
            listener,
            bounds,
            metrics,
        }
    }

    /// What is counted, here and by everybody else.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How its lanes are used at this moment, by their names.
    #[must_use]
    pub fn lanes(&self) -> [(&'static str, Use); 5] {
        [
            ("readers", self.readers.now()),
            ("broad", self.broad.now()),
            ("long", self.long.now()),
            ("standbys", self.standbys.now()),
            ("writers", self.writers.now()),
        ]
    }

    /// How the standbys are.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standbys.standing(&self.listener.present())
    }

    /// How far this process has heard of changes.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.listener.heard()
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
    pub fn public_state(&self) -> Option<PublicState> {
        self.listener.public_state()
    }

    /// Whether what the public saw at a state is still so: of a part, or of everything.
    #[must_use]
    pub fn is_still(&self, then: PublicState, part: Option<Part>) -> bool {
        self.listener.is_still(then, part)
    }

    /// The database as this caller has it.
    #[must_use]
    pub fn of(&self, caller: Caller) -> Db {
        Db {
            database: self.clone(),
            caller,
            moment: Moment::Now,
            single: false,
            broad: false,
            primary: false,
        }
    }

    /// Writes, and sees to it that no answer from before is given after this one's.
    async fn write<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<Written<T>> + Clone + Send + 'static,
    ) -> Result<T> {
        let turn = self.writers.turn(caller).await?;
        let (listener, caller) = (Arc::clone(&self.listener), caller.clone());
        let run = move |conn: &mut PgConnection| {
            let _for = For::request(Arc::clone(caller.request_id()));
            let done = until_it_stays(|| conn.transaction(|conn| work.clone()(conn, &caller)));
            let done = done.and_then(|written| {
                let at = consistency::reached(conn)?;
                listener.wrote(at);
                caller.consistency().wrote(at);
                Ok(written)
            });
            // What failed on its way may have been committed all the same.
            match &done {
                Ok(written) => listener.changed(&written.changed),
                Err(e) if e.is_failure() => listener.changed(&Changed::Everything),
                Err(_) => {}
            }
            done.map(|written| written.given)
        };
        self.writers.run(turn, self.bounds.write, run).await
    }

    /// Keeps books that are not history: when a token was last used.
    pub(crate) async fn note(&self, work: impl FnOnce(&mut PgConnection) -> Result<()> + Send + 'static) -> Result<()> {
        let turn = self.readers.turn(&Caller::service()).await?;
        self.readers
            .run(turn, self.bounds.read, |conn| conn.transaction(work))
            .await
    }
}

impl Db {
    /// The same, in the past.
    #[must_use]
    pub fn at(self, moment: Moment) -> Self {
        Self { moment, ..self }
    }

    /// The same, where what is read takes a single statement: it sees one state of the database by itself, and for the public
    /// there is no other, so that no transaction has to be begun and ended around it.
    #[must_use]
    pub fn single(self, single: bool) -> Self {
        Self { single, ..self }
    }

    /// The same, where what is read may be found only by going through much of the database.
    #[must_use]
    pub fn broad(self, broad: bool) -> Self {
        Self { broad, ..self }
    }

    /// The same, for a page of a list: two statements where its rows are counted; and no index has an order but the usual one.
    #[must_use]
    pub fn page<S: Codes>(self, paging: &Paging<S>) -> Self {
        self.single(!paging.include_total)
            .broad(paging.include_total || !paging.is_usual())
    }

    /// The same, where all that is read is what one of these organizations has, if they are one and it goes by its slug: the
    /// answer then holds until that changes.
    #[must_use]
    pub fn about<'a>(self, organizations: impl IntoIterator<Item = &'a OrganizationKey>) -> Self {
        let mut organizations = organizations.into_iter();
        if let (Some(one), None) = (organizations.next(), organizations.next())
            && let Ok(slug) = one.to_string().parse()
        {
            self.shows(&slug);
        }
        self
    }

    /// Notes that what was read, all of it, is what this organization has.
    pub fn shows(&self, organization: &Slug) {
        if matches!(self.moment, Moment::Now) {
            self.caller.shows(Part::of(organization));
        }
    }

    /// Who calls.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The same, on the primary: where places in the history are compared, and what is not yet there would seem to be gone.
    #[must_use]
    pub fn on_primary(self) -> Self {
        Self { primary: true, ..self }
    }

    /// A standby to read from, if one has all there is to be seen. The past is read on the primary: what a standby lacks of it today it
    /// would have tomorrow, and the answer would be another.
    fn standby(&self) -> Option<&Lane> {
        let database = &self.database;
        if self.primary || !matches!(self.moment, Moment::Now) {
            return None;
        }
        database
            .standbys
            .lane(&database.listener.present(), self.caller.consistency().wanted())
    }

    /// Whether it is the present as everybody sees it.
    pub(crate) fn is_public(&self) -> bool {
        self.caller.drafts().is_empty() && matches!(self.moment, Moment::Now)
    }

    /// Where to read much.
    fn long(&self) -> &Lane {
        self.standby().unwrap_or(&self.database.long)
    }

    /// Runs queries, all of which see one state of the database, as far as the caller may see it.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        if let Some(standby) = self.standby() {
            let turn = standby.turn(&self.caller).await?;
            let work = work.clone();
            match self.read_in(standby, turn, self.database.bounds.read, work).await {
                // It was stopped, or had to go on with what readers still looked at.
                Err(e @ (Error::Unavailable(_) | Error::Undone(_))) => log::warn!("on a standby: {}", in_one_line(&e)),
                done => return done,
            }
        }
        let Database { readers, broad, .. } = &self.database;
        // The past is put together from the history.
        let is_past = !matches!(self.moment, Moment::Now);
        let lane = if self.broad || is_past { broad } else { readers };
        let turn = lane.turn(&self.caller).await?;
        self.read_in(lane, turn, self.database.bounds.read, work).await
    }

    /// The same, in a turn that one has, with a deadline of one's own.
    async fn read_in<T: Send + 'static>(
        &self,
        lane: &Lane,
        turn: Turn,
        deadline: Duration,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        lane.run(turn, deadline, self.reading(work)).await
    }

    /// Work on one state of the database, as far as the caller may see it.
    fn reading<T, W>(&self, work: W) -> impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static + use<T, W>
    where
        W: FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    {
        let (drafts, moment, public) = (self.caller.drafts(), self.moment.clone(), self.is_public());
        let request = Arc::clone(self.caller.request_id());
        let single = public && self.single;
        move |conn| {
            let _for = For::request(request);
            if single {
                let today = today();
                return work(&mut Read { conn, today, public });
            }
            conn.build_transaction().repeatable_read().read_only().run(|conn| {
                let today = moment.enter(conn, &drafts)?;
                work(&mut Read { conn, today, public })
            })
        }
    }

    /// Works on something that needs no database but takes its time, on a blocking thread, in a reader's turn.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits at the gate like everything else, and needs no connection"
    )]
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let turn = self.database.readers.turn(&self.caller).await?;
        web::block(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(Error::internal)?
    }

    /// Runs statements that change something: all of them, or none; in the caller's name, at one place in the history.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let run = |conn: &mut PgConnection, caller: &Caller| write_in(conn, caller, work);
        self.database.write(&self.caller, run).await
    }

    /// The same, for a request that its caller may repeat under an `Idempotency-Key`: the answer is kept with what it
    /// answers to.
    pub async fn once<R: IntoReply>(
        &self,
        request: &impl Serialize,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R> + Clone + Send + 'static,
    ) -> Result<Once<R>> {
        let claim = Claim::of(&self.caller, request)?;
        let run = move |conn: &mut PgConnection, caller: &Caller| {
            if let Some(claim) = &claim {
                claim.begin(conn)?;
            }
            write_in(conn, caller, |tx| match &claim {
                None => Once::now(&work(tx)?),
                Some(claim) => claim.answer(tx, work),
            })
        };
        self.database.write(&self.caller, run).await
    }
}

impl Deref for Read<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.conn
    }
}
impl DerefMut for Read<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.conn
    }
}
impl FromRequest for Db {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = auth::caller(req);
        ready(auth::admit(req, &caller).and_then(|()| {
            req.app_data::<web::Data<Database>>()
                .map(|database| database.of(caller))
                .ok_or_else(|| Error::internal("no database configured"))
        }))
    }
}

/// The last change in the history, as far as the caller may see it; 0 where there is none.
pub fn last_change(conn: &mut PgConnection) -> QueryResult<i64> {
    let last: Option<i64> = change_log::table.select(max(change_log::seq)).first(conn)?;
    Ok(last.unwrap_or(0))
}
