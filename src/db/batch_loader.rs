//! Batches concurrent reads by id of one type into one `select … where id = any`.
//!
//! A round trip to the database costs more than one row. One statement of a type is under way at a time; a reader that comes
//! meanwhile waits for the next one, which reads the rows of all waiting readers. It begins after they asked, so nobody gets a row
//! that was already out of date.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    mem::take,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::rt::spawn;
use chrono::NaiveDate;
use diesel::{PgConnection, QueryResult};
use parking_lot::Mutex;
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::{Db, Workload, context::Context, in_one_line, pool::Pool, running::Running};
use crate::{
    error::{Error, Result},
    value::{Id, Slug, today},
};

/// Most readers that wait for one batch.
const MOST: usize = 1000;
/// A batch that failed within this time is tried again, each row alone.
const SOON: Duration = Duration::from_secs(1);

/// A row that is read by its id.
pub trait FindById: Clone + Send + Sized + 'static {
    /// Its name in a 404.
    const TYPE: &'static str;

    /// The row with this id, if a reader sees it.
    fn one(conn: &mut PgConnection, id: Id) -> QueryResult<Option<Self>>;

    /// The rows with these ids that a reader sees, in any order.
    fn all(conn: &mut PgConnection, ids: &[Id]) -> QueryResult<Vec<Self>>;

    /// Its id.
    fn id(&self) -> Id;

    /// The organization that the row, and everything it shows, belongs to.
    fn organization(&self) -> &Slug;
}

diesel::define_sql_function! {
    /// The elements of an array, a row each. Collected again, they are an array of which PostgreSQL expects the same number whatever
    /// it is, and so keeps its plan.
    fn unnest(ids: diesel::sql_types::Array<diesel::sql_types::Uuid>) -> diesel::sql_types::Uuid;
}

/// Implements [`FindById`] for the row type of a table.
#[macro_export]
macro_rules! read_by_id {
    ($type:ty, $table:ident, $name:literal) => {
        impl $crate::db::FindById for $type {
            const TYPE: &'static str = $name;

            fn one(conn: &mut PgConnection, id: Id) -> QueryResult<Option<Self>> {
                Self::query().filter($table::id.eq(id)).first(conn).optional()
            }

            fn all(conn: &mut PgConnection, ids: &[Id]) -> QueryResult<Vec<Self>> {
                let ids = diesel::dsl::array(diesel::select($crate::db::unnest(ids)));
                Self::query().filter($table::id.eq_any(ids)).load(conn)
            }

            fn id(&self) -> Id {
                self.id
            }

            fn organization(&self) -> &Slug {
                &self.organization
            }
        }
    };
}

/// The row with this id. 404 if the reader sees none.
pub fn find_by_id<T: FindById>(conn: &mut PgConnection, id: Id) -> Result<T> {
    T::one(conn, id)?.ok_or(Error::NotFound(T::TYPE))
}

impl Db {
    /// The row with this id, read in one batch with the rows that other requests ask for at this moment.
    pub async fn row<T: FindById>(self, id: Id) -> Result<T> {
        Ok(self.row_and_day(id).await?.0)
    }

    /// The row with this id, read like [`Db::row`], and the day of its state: today, or a day of the past.
    pub async fn row_and_day<T: FindById>(self, id: Id) -> Result<(T, NaiveDate)> {
        let (row, day) = self.clone().found::<T>(id).await?;
        self.depends_on_slug(row.organization());
        Ok((row, day))
    }

    async fn found<T: FindById>(self, id: Id) -> Result<(T, NaiveDate)> {
        let (begun, readers) = (Instant::now(), &self.database.readers);
        if self.is_public() && self.standby().is_none() {
            let together = self.database.loader.of::<T>();
            if let Some(answer) = together.ask(id, readers) {
                if let Ok(found) = readers
                    .patiently(self.database.bounds.read, Some(&self.context), answer)
                    .await?
                {
                    return found.map(|row| (row, today())).ok_or(Error::NotFound(T::TYPE));
                }
                if begun.elapsed() > SOON {
                    return Err(readers.unanswered());
                }
            }
        }
        // The batch failed: read this row alone.
        self.workload(Workload::Point)
            .read(move |conn| Ok((find_by_id(conn, id)?, conn.today)))
            .await
    }
}

/// The waiting readers, by the type of their rows.
#[derive(Clone, Default)]
pub(super) struct BatchLoader(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl BatchLoader {
    fn of<T: FindById>(&self) -> Arc<WaitingReaders<T>> {
        let mut all = self.0.lock();
        let waiting = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(WaitingReaders::<T>::default()));
        // The key is the type, so the downcast succeeds.
        Arc::clone(waiting).downcast().unwrap_or_default()
    }
}

/// The readers that wait for rows of one type.
struct WaitingReaders<T>(Mutex<Asked<T>>);

struct Asked<T> {
    callers: Vec<(Id, Sender<Option<T>>)>,
    /// Whether a batch is under way.
    under_way: bool,
}

impl<T> Default for WaitingReaders<T> {
    fn default() -> Self {
        Self(Mutex::new(Asked {
            callers: Vec::new(),
            under_way: false,
        }))
    }
}

impl<T: FindById> WaitingReaders<T> {
    /// Asks for one more row. `None` where too many readers wait; the sender is dropped where the batch fails.
    fn ask(self: Arc<Self>, id: Id, pool: &Pool) -> Option<Receiver<Option<T>>> {
        let (sender, receiver) = channel();
        {
            let mut asked = self.0.lock();
            if asked.callers.len() >= MOST {
                return None;
            }
            asked.callers.push((id, sender));
            if asked.under_way {
                return Some(receiver);
            }
            asked.under_way = true;
        }
        let (batch, pool) = (Batch(Some(self)), pool.clone());
        // A task of its own, since the reader that came first may leave.
        spawn(async move {
            if let Ok(permit) = pool.acquire(&Context::service()).await {
                pool.detached(permit, move |pool| {
                    if let Err(e) = pool.work(&Running::new(), |conn| batch.run(conn)) {
                        log::warn!("what was asked for together: {}", in_one_line(&e));
                    }
                });
            }
        });
        Some(receiver)
    }

    /// The readers that wait now. If there are none, no batch is under way any more.
    fn next(&self) -> Vec<(Id, Sender<Option<T>>)> {
        let mut asked = self.0.lock();
        asked.under_way = !asked.callers.is_empty();
        take(&mut asked.callers)
    }
}

/// One batch after the other, until no reader waits. If it ends before, the waiting readers get nothing.
struct Batch<T: FindById>(Option<Arc<WaitingReaders<T>>>);

impl<T: FindById> Batch<T> {
    fn run(mut self, conn: &mut PgConnection) -> Result<()> {
        while let Some(waiting) = &self.0 {
            let callers = waiting.next();
            if callers.is_empty() {
                self.0 = None;
                break;
            }
            let ids: Vec<Id> = callers.iter().map(|(id, _)| *id).collect();
            // A single id has a statement of its own, which PostgreSQL plans once.
            let found: Vec<T> = match ids[..] {
                [id] => T::one(conn, id)?.into_iter().collect(),
                _ => T::all(conn, &ids)?,
            };
            let found: HashMap<Id, T> = found.into_iter().map(|row| (row.id(), row)).collect();
            for (id, caller) in callers {
                // A reader that has left needs nothing.
                let _ = caller.send(found.get(&id).cloned());
            }
        }
        Ok(())
    }
}

impl<T: FindById> Drop for Batch<T> {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0 {
            let mut asked = waiting.0.lock();
            asked.callers.clear();
            asked.under_way = false;
        }
    }
}
