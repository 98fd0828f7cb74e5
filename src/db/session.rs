//! The database as one caller has it: what the caller may see, at a moment; and what a handler says of its reads, so that they
//! take the right way and answers are kept for as long as they hold.

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

/// The database as one caller has it.
#[derive(Clone)]
pub struct Db {
    pub(super) database: Database,
    pub(super) context: Context,
    pub(super) moment: PointInTime,
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

impl Db {
    pub(super) const fn new(database: Database, context: Context) -> Self {
        Self {
            database,
            context,
            moment: PointInTime::Now,
            single: false,
            broad: false,
            primary: false,
        }
    }

    /// The same, in the past.
    #[must_use]
    pub fn at(self, moment: PointInTime) -> Self {
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
        if matches!(self.moment, PointInTime::Now) {
            self.context.shows(CacheTag::of(organization));
        }
    }

    /// Who calls, and for which request.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// The same, on the primary: where places in the history are compared, and what is not yet there would seem to be gone.
    #[must_use]
    pub fn on_primary(self) -> Self {
        Self { primary: true, ..self }
    }

    /// A standby to read from, if one has all there is to be seen. The past is read on the primary: what a standby lacks of it today it
    /// would have tomorrow, and the answer would be another.
    pub(super) fn standby(&self) -> Option<&Pool> {
        let database = &self.database;
        if self.primary || !matches!(self.moment, PointInTime::Now) {
            return None;
        }
        database
            .standbys
            .pool(&database.listener.present(), self.context.consistency.wanted())
    }

    /// Whether it is the present as everybody sees it.
    pub(crate) fn is_public(&self) -> bool {
        self.context.drafts().is_empty() && matches!(self.moment, PointInTime::Now)
    }

    /// The state of what the public sees, where that is all that is read, and it is known.
    pub(crate) fn public_state(&self) -> Option<PublicVersion> {
        self.database.public_state().filter(|_| self.is_public())
    }

    /// Whether what the public sees has not changed since.
    pub(crate) fn is_still(&self, state: PublicVersion) -> bool {
        self.database.is_still(state, None)
    }

    /// Where to read much.
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
                // It said nothing, was stopped, or had to go on with what readers still looked at.
                Err(e @ (Error::Unavailable(_) | Error::Undone(_))) => log::warn!("on a standby: {}", in_one_line(&e)),
                done => return done,
            }
        }
        let Database { readers, broad, .. } = &self.database;
        // The past is put together from the history.
        let is_past = !matches!(self.moment, PointInTime::Now);
        let pool = if self.broad || is_past { broad } else { readers };
        let permit = pool.acquire(&self.context).await?;
        self.read_in(pool, permit, self.database.bounds.read, work).await
    }

    /// The same, in a permit that one has, with a deadline of one's own.
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

    /// Work on one state of the database, as far as the caller may see it.
    pub(super) fn reading<T, W>(
        &self,
        work: W,
    ) -> impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static + use<T, W>
    where
        W: FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    {
        let (drafts, moment, public) = (self.context.drafts(), self.moment.clone(), self.is_public());
        let request = Arc::clone(&self.context.request_id);
        let single = public && self.single;
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

    /// Runs statements that change something: all of them, or none; in the caller's name, at one place in the history.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Clone + Send + 'static,
    ) -> Result<T> {
        self.write_after(|_| Ok(()), work).await
    }

    /// Runs statements that change something, after something that comes before they have their place in the history: whoever waits
    /// for that place has done it already.
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
