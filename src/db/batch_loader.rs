//! Rows that several callers ask for at about the same time come by one statement.
//!
//! A journey to the database and back costs more than the row that it brings. So one statement at a time brings rows of a type to
//! the public, and whoever asks meanwhile waits for the next one, which brings all of theirs. It begins after they asked, so that
//! nobody gets what was no longer so.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    mem::take,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::rt::spawn;
use diesel::{PgConnection, QueryResult};
use tokio::sync::oneshot::{Receiver, Sender, channel};

use super::{Db, context::Context, in_one_line, pool::Pool, running::Running};
use crate::{
    error::{Error, Result},
    value::{Id, Slug},
};

/// More than these do not wait together.
const MOST: usize = 1000;
/// What went wrong later than this is not tried again.
const SOON: Duration = Duration::from_secs(1);

/// What is read by its id.
pub trait FindById: Clone + Send + Sized + 'static {
    /// What it is called.
    const TYPE: &'static str;

    /// What has this id, if a reader sees it.
    fn one(conn: &mut PgConnection, id: Id) -> QueryResult<Option<Self>>;

    /// Those of these that a reader sees, in any order.
    fn all(conn: &mut PgConnection, ids: &[Id]) -> QueryResult<Vec<Self>>;

    /// Its id.
    fn id(&self) -> Id;

    /// The organization that has it, and all it shows.
    fn organization(&self) -> &Slug;
}

/// Says how a type of rows, a table's, is read by its ids, and what it is called.
#[macro_export]
macro_rules! read_by_id {
    ($type:ty, $table:ident, $name:literal) => {
        impl $crate::db::FindById for $type {
            const TYPE: &'static str = $name;

            fn one(conn: &mut PgConnection, id: Id) -> QueryResult<Option<Self>> {
                Self::query().filter($table::id.eq(id)).first(conn).optional()
            }

            fn all(conn: &mut PgConnection, ids: &[Id]) -> QueryResult<Vec<Self>> {
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

/// What has this id. 404 where a reader sees nothing.
pub fn find_by_id<T: FindById>(conn: &mut PgConnection, id: Id) -> Result<T> {
    T::one(conn, id)?.ok_or(Error::NotFound(T::TYPE))
}

impl Db {
    /// The same as [`by_id`], with whatever else is asked for at this moment.
    pub async fn row<T: FindById>(self, id: Id) -> Result<T> {
        let row: T = self.clone().found(id).await?;
        self.shows(row.organization());
        Ok(row)
    }

    async fn found<T: FindById>(self, id: Id) -> Result<T> {
        let (begun, readers) = (Instant::now(), &self.database.readers);
        if self.is_public() && self.standby().is_none() {
            let together = self.database.loader.of::<T>();
            if let Some(answer) = together.ask(id, readers) {
                if let Ok(found) = readers
                    .patiently(self.database.bounds.read, Some(&self.context), answer)
                    .await?
                {
                    return found.ok_or(Error::NotFound(T::TYPE));
                }
                if begun.elapsed() > SOON {
                    return Err(readers.unanswered());
                }
            }
        }
        // What went wrong for many is looked at alone.
        self.single(true).read(move |conn| find_by_id(conn, id)).await
    }
}

/// Those who wait, by the type of what they wait for.
#[derive(Clone, Default)]
pub(super) struct BatchLoader(Arc<Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>>);

impl BatchLoader {
    fn of<T: FindById>(&self) -> Arc<Waiting<T>> {
        let mut all = locked(&self.0);
        let waiting = all
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(Waiting::<T>::default()));
        // It is of the type it is kept under.
        Arc::clone(waiting).downcast().unwrap_or_default()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who waits for things of a type.
struct Waiting<T>(Mutex<Asked<T>>);

struct Asked<T> {
    callers: Vec<(Id, Sender<Option<T>>)>,
    /// Whether somebody brings what is asked for.
    under_way: bool,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Mutex::new(Asked {
            callers: Vec::new(),
            under_way: false,
        }))
    }
}

impl<T: FindById> Waiting<T> {
    /// Asks for one more. Nothing comes where too many wait; and the sender is dropped where what is asked for cannot be had.
    fn ask(self: Arc<Self>, id: Id, pool: &Pool) -> Option<Receiver<Option<T>>> {
        let (sender, receiver) = channel();
        {
            let mut asked = locked(&self.0);
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
        // On its own: whoever asked first may leave.
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

    /// Those who wait now; when there are none, nobody is under way any more.
    fn next(&self) -> Vec<(Id, Sender<Option<T>>)> {
        let mut asked = locked(&self.0);
        asked.under_way = !asked.callers.is_empty();
        take(&mut asked.callers)
    }
}

/// The way to the database and back, until nobody waits any more. Where it ends before, those who wait get nothing.
struct Batch<T: FindById>(Option<Arc<Waiting<T>>>);

impl<T: FindById> Batch<T> {
    fn run(mut self, conn: &mut PgConnection) -> Result<()> {
        while let Some(waiting) = &self.0 {
            let callers = waiting.next();
            if callers.is_empty() {
                self.0 = None;
                break;
            }
            let ids: Vec<Id> = callers.iter().map(|(id, _)| *id).collect();
            // One by itself is a statement of its own, which PostgreSQL plans once.
            let found: Vec<T> = match ids[..] {
                [id] => T::one(conn, id)?.into_iter().collect(),
                _ => T::all(conn, &ids)?,
            };
            let found: HashMap<Id, T> = found.into_iter().map(|row| (row.id(), row)).collect();
            for (id, caller) in callers {
                // Who has left needs nothing.
                let _ = caller.send(found.get(&id).cloned());
            }
        }
        Ok(())
    }
}

impl<T: FindById> Drop for Batch<T> {
    fn drop(&mut self) {
        if let Some(waiting) = &self.0 {
            let mut asked = locked(&waiting.0);
            asked.callers.clear();
            asked.under_way = false;
        }
    }
}
