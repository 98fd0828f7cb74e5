//! Writes on a condition: the steps of PUT, PATCH and DELETE, in the one order that they have.
//!
//! The permission comes first: without it a caller learns nothing. Then comes the tag, then the change, all in one
//! transaction.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{
    etag::{Condition, Match},
    extract::{Json, Patch, Path},
    idempotency::Idempotent,
    query::NoQuery,
    respond::{Answer, Created, NoContent, Stored},
    validation::Rules,
};
use crate::{
    db::{Db, Tx},
    error::{Error, Result},
};

/// A write of what the path names by a key, on a condition: [`Condition`] for PUT, [`Match`] for PATCH and DELETE.
pub struct ConditionalWrite<K, C> {
    db: Db,
    /// What the path names.
    pub key: K,
    condition: C,
}

impl<K, C> FromRequest for ConditionalWrite<K, C>
where
    K: DeserializeOwned + 'static,
    C: FromRequest<Error = Error, Future = Ready<Result<C>>>,
{
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut read = || {
            let db = Db::from_request(req, payload).into_inner()?;
            NoQuery::from_request(req, payload).into_inner()?;
            let Path(key) = Path::from_request(req, payload).into_inner()?;
            let condition = C::from_request(req, payload).into_inner()?;
            Ok(Self { db, key, condition })
        };
        ready(read())
    }
}

/// Finds the state that a key names, if the caller may change it. A row that the caller may not see is not found.
type Permitted<K, S> = fn(&mut Tx<'_>, &K) -> Result<S>;

impl<K: Clone + Send + 'static> ConditionalWrite<K, Condition> {
    /// Replaces the state that the caller read, or creates what the key names. Whether the caller may create it depends
    /// on the body, so `create` has that step too. What the body says of members that the server sets must be what was read, or
    /// what is created.
    pub async fn replace_or_create<S: Serialize + 'static, I: Serialize + Clone + Send + 'static, T>(
        self,
        Json(input, shown): Json<I>,
        permitted: Permitted<K, S>,
        replace: impl FnOnce(&mut Tx<'_>, &S, &I) -> Result<T> + Clone + Send + 'static,
        create: fn(&mut Tx<'_>, &K, &I) -> Result<Created<T>>,
    ) -> Result<Idempotent<Stored<T>>>
    where
        T: Serialize + Send + 'static,
    {
        let Self { db, key, condition } = self;
        db.once(&input.clone(), move |tx| match condition {
            Condition::Replace(read) => {
                let stored = permitted(tx, &key)?;
                read.check(&stored)?;
                shown.check(&stored)?;
                replace(tx, &stored, &input).map(Stored::Replaced)
            }
            Condition::Create => {
                let created = create(tx, &key, &input)?;
                shown.check(&created.body)?;
                Ok(Stored::Created(created))
            }
        })
        .await
    }
}

impl<K: Clone + Send + 'static> ConditionalWrite<K, Match> {
    /// Merges a patch into the state that the caller read. What it says of members that the server sets must be what was read.
    pub async fn patch<S: Serialize + Clone + 'static, I, T: Serialize + Send + 'static>(
        self,
        mut patch: Patch,
        permitted: Permitted<K, S>,
        change: fn(&mut Tx<'_>, &S, &I) -> Result<T>,
    ) -> Result<Idempotent<Answer<T>>>
    where
        I: From<S> + Serialize + DeserializeOwned + ToSchema + Rules + 'static,
    {
        let Self { db, key, condition } = self;
        let request = patch.clone();
        let shown = patch.read_only::<I>();
        db.once(&request, move |tx| {
            let stored = permitted(tx, &key)?;
            condition.check(&stored)?;
            let input = patch.apply(&I::from(stored.clone()));
            let input = Error::all(input, shown.check(&stored))?;
            change(tx, &stored, &input).map(Answer)
        })
        .await
    }

    /// Removes the state that the caller read.
    pub async fn remove<S: Serialize + 'static>(
        self,
        permitted: Permitted<K, S>,
        remove: fn(&mut Tx<'_>, &S) -> Result<()>,
    ) -> Result<Idempotent<NoContent>> {
        let Self { db, key, condition } = self;
        db.once(&(), move |tx| {
            let stored = permitted(tx, &key)?;
            condition.check(&stored)?;
            remove(tx, &stored).map(|()| NoContent)
        })
        .await
    }
}
