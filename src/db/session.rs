//! The database for one request: what its caller may see, and at which moment. A handler says what kind of work its reads are, so
//! that they use the right pool, and what the response depends on, so that the response is cached as long as it is valid.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};

use chrono::NaiveDate;
use diesel::PgConnection;

use super::{
    CacheTag, Database, PublicVersion,
    admission::Permit,
    context::Context,
    in_one_line,
    instrumentation::RequestScope,
    moment::PointInTime,
    pool::Pool,
    transaction::{Tx, write_in},
};
use crate::{
    error::{Error, Result},
    value::{OrganizationKey, Slug, today},
};

/// The database for one request.
#[derive(Clone)]
pub struct Db {
    pub(super) database: Database,
    pub(super) context: Context,
    pub(super) moment: PointInTime,
    workload: Workload,
    primary: bool,
}

/// What kind of work a read is. It decides which pool serves the read, and whether a transaction is opened for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Exactly one short statement, so an anonymous read needs no `begin` and `commit`. Two statements might see two states.
    Point,
    /// A few short statements, in one read transaction.
    Query,
    /// May scan much of the database: in a pool of its own, so that short reads do not wait behind it.
    Scan,
}

/// A read transaction: one state of the database, as far as the caller may see it.
pub struct Read<'a> {
    /// The connection.
    pub conn: &'a mut PgConnection,
    /// The day of that state: today, or a day of the past.
    pub today: NaiveDate,
    /// Whether the state is the present one, as the public sees it.
    pub public: bool,
}

impl Db {
    pub(super) const fn new(database: Database, context: Context) -> Self {
        Self {
            database,
            context,
            moment: PointInTime::Now,
            workload: Workload::Query,
            primary: false,
        }
    }

    /// Reads at this moment of the past.
    #[must_use]
    pub fn at(self, moment: PointInTime) -> Self {
        Self { moment, ..self }
    }

    /// Declares what kind of work the reads are.
    #[must_use]
    pub fn workload(self, workload: Workload) -> Self {
        Self { workload, ..self }
    }

    /// Declares that the response depends on one organization alone, if these keys are one slug. The response is then cached until
    /// that organization's data changes.
    #[must_use]
    pub fn depends_on<'a>(self, organizations: impl IntoIterator<Item = &'a OrganizationKey>) -> Self {
        let mut organizations = organizations.into_iter();
        if let (Some(one), None) = (organizations.next(), organizations.next())
            && let Ok(slug) = one.to_string().parse()
        {
            self.depends_on_slug(&slug);
        }
        self
    }

    /// Declares that the response depends on this organization alone.
    pub fn depends_on_slug(&self, organization: &Slug) {
        if matches!(self.moment, PointInTime::Now) {
            self.context.shows(CacheTag::of(organization));
        }
    }

    /// Who calls, and for which request.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Reads on the primary: on a replica, a change that is not there yet would seem to be gone.
    #[must_use]
    pub fn on_primary(self) -> Self {
        Self { primary: true, ..self }
    }

    /// The pool of a replica that has caught up, if there is one. The past is read on the primary, since a replica might still lack a
    /// part of it and give another answer tomorrow.
    pub(super) fn standby(&self) -> Option<&Pool> {
        let database = &self.database;
        if self.primary || !matches!(self.moment, PointInTime::Now) {
            return None;
        }
        database
            .standbys
            .pool(&database.listener.present(), self.context.consistency.wanted())
    }

    /// Whether the present is read, as the public sees it.
    pub(crate) fn is_public(&self) -> bool {
        self.context.drafts().is_empty() && matches!(self.moment, PointInTime::Now)
    }

    /// The version of public data, if only public data is read and the version is known.
    pub(crate) fn public_state(&self) -> Option<PublicVersion> {
        self.database.public_state().filter(|_| self.is_public())
    }

    /// Whether public data is unchanged since a version.
    pub(crate) fn is_still(&self, state: PublicVersion) -> bool {
        self.database.is_still(state, None)
    }

    /// The pool for long reads.
    pub(super) fn long(&self) -> &Pool {
        self.standby().unwrap_or(&self.database.long)
    }

    /// Runs queries, all of which see one state of the database, as far as the caller may see it.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        if let Some(standby) = self.standby() {
            let (work, deadline) = (work.clone(), self.database.bounds.read);
            let done = match standby.acquire(&self.context).await {
                Ok(permit) => self.read_in(standby, permit, deadline, work).await,
                Err(e) => Err(e),
            };
            match done {
                // The replica was silent, was stopped, or replayed over rows that the query still needed.
                Err(e @ (Error::Unavailable(_) | Error::Undone(_))) => log::warn!("on a standby: {}", in_one_line(&e)),
                done => return done,
            }
        }
        let Database { readers, broad, .. } = &self.database;
        // Reading the past may scan much of the history.
        let is_past = !matches!(self.moment, PointInTime::Now);
        let pool = if self.workload == Workload::Scan || is_past {
            broad
        } else {
            readers
        };
        let permit = pool.acquire(&self.context).await?;
        self.read_in(pool, permit, self.database.bounds.read, work).await
    }

    /// Runs queries under a permit that the caller has already, with a deadline of its own.
    pub(super) async fn read_in<T: Send + 'static>(
        &self,
        pool: &Pool,
        permit: Permit,
        deadline: Duration,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let reading = self.reading(work);
        pool.run(permit, deadline, Some(&self.context), |conn, _| reading(conn))
            .await
    }

    /// Wraps work in a read transaction, as far as the caller may see it.
    pub(super) fn reading<T, W>(
        &self,
        work: W,
    ) -> impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static + use<T, W>
    where
        W: FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    {
        let (drafts, moment, public) = (self.context.drafts(), self.moment.clone(), self.is_public());
        let request = Arc::clone(&self.context.request_id);
        let single = public && self.workload == Workload::Point;
        move |conn| {
            let _for = RequestScope::request(request);
            if single {
                let today = today();
                return work(&mut Read { conn, today, public });
            }
            moment.settle(conn)?;
            conn.build_transaction().repeatable_read().read_only().run(|conn| {
                let today = moment.enter(conn, &drafts)?;
                work(&mut Read { conn, today, public })
            })
        }
    }

    /// Runs a transaction that writes, in the caller's name, at one place in the history.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        self.write_after(|_| Ok(()), work).await
    }

    /// Runs a transaction that writes. `before` runs before the transaction waits for its place in the history.
    pub(crate) async fn write_after<T: Send + 'static>(
        &self,
        before: impl FnOnce(&mut PgConnection) -> Result<()> + Clone + Send + 'static,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        let hooks = self.database.hooks;
        let run = move |conn: &mut PgConnection, context: &Context| {
            before(conn)?;
            write_in(conn, hooks, context, work)
        };
        self.database.write(&self.context, run).await
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
