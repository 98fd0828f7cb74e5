//! The database as handlers use it: extracted from the request, with the operations that only requests have.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use diesel::PgConnection;
use serde::Serialize;

use super::{
    extract::Json,
    idempotency::{Claim, Idempotent},
    middleware::authentication::context,
    pagination::Paging,
    query::SearchText,
    required_permissions::RequiredPermissions,
    respond::{Created, Render},
};
use crate::{
    auth::{Caller, RequiredPermission},
    db::{Database, Db, Tx, Workload},
    error::{Error, Result},
    value::Codes,
};

impl FromRequest for Db {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = context(req);
        ready(admit(req, &context).and_then(|()| {
            req.app_data::<web::Data<Database>>()
                .map(|database| database.of(context))
                .ok_or_else(|| Error::internal("no database configured"))
        }))
    }
}

/// Fails unless the caller has the permission that the operation requires. The authentication layer has checked the
/// path before routing; this checks the route itself, so that no other way to write a path leads around the layer.
fn admit(req: &HttpRequest, caller: &Caller) -> Result<()> {
    let needs = req.app_data::<web::Data<RequiredPermissions>>();
    let need = needs.map_or(RequiredPermission::Admin, |needs| {
        needs.get(req.method(), req.match_pattern())
    });
    caller.must_satisfy(need)
}

impl Db {
    /// This handle for a page of a list: a count is a second statement, and only the usual order has an index.
    #[must_use]
    pub fn page<S: Codes>(self, paging: &Paging<S>) -> Self {
        let is_short = !paging.include_total && paging.is_usual();
        self.workload(if is_short { Workload::Point } else { Workload::Scan })
    }

    /// This handle for a list whose texts are searched: they have no index, and every row is looked at.
    #[must_use]
    pub fn searching(self, words: Option<&SearchText>) -> Self {
        match words {
            Some(_) => self.workload(Workload::Scan),
            None => self,
        }
    }

    /// Runs statements that change something, for a request that its caller may repeat under an `Idempotency-Key`: the
    /// answer is stored in the transaction of the change.
    pub async fn once<R: Render>(
        &self,
        request: &impl Serialize,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R> + Clone + Send + 'static,
    ) -> Result<Idempotent<R>> {
        let claim = Claim::of(self.context(), request)?;
        let claimed = claim.clone();
        let begin = move |conn: &mut PgConnection| claimed.map_or(Ok(()), |claim| claim.begin(conn));
        let answer = move |tx: &mut Tx<'_>| match &claim {
            None => Idempotent::now(&work(tx)?),
            Some(claim) => claim.answer(tx, work),
        };
        self.write_after(begin, answer).await
    }

    /// Creates what a body says, for a request that its caller may repeat. What the body says of members that the server sets
    /// must be what is created.
    pub async fn create<I: Serialize + Clone + Send + 'static, T: Serialize + Send + 'static>(
        &self,
        Json(input, shown): Json<I>,
        create: fn(&mut Tx<'_>, &I) -> Result<Created<T>>,
    ) -> Result<Idempotent<Created<T>>> {
        self.once(&input.clone(), move |tx| {
            let created = create(tx, &input)?;
            shown.check(&created.body)?;
            Ok(created)
        })
        .await
    }

    /// Runs statements that would change something, as a dry run, for a request that its caller may repeat under an
    /// `Idempotency-Key`: storing the answer is a short write.
    pub async fn try_once<R: Render + Clone>(
        &self,
        request: &impl Serialize,
        work: impl FnOnce(&mut Tx<'_>) -> Result<R> + Clone + Send + 'static,
    ) -> Result<Idempotent<R>> {
        let answer = self.try_out(work).await?;
        if self.context().repeatable.is_none() {
            return Idempotent::now(&answer);
        }
        self.once(request, move |_| Ok(answer)).await
    }
}
