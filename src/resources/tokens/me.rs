//! Who calls: the token of a request, as far as its holder is concerned.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    get,
    http::header::{CACHE_CONTROL, HeaderValue},
};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{RefOr, Response},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    auth::{Caller, Permission, Scope},
    db::{Db, schema::organizations},
    error::Result,
    http::{
        query::NoQuery,
        respond::{Answer, PRIVATE},
    },
    value::{Id, Line, Slug, Time},
};

/// The route of the caller.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(read_me);
}

/// The holder of a token, and what it may do.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Me {
    /// Identifier of the token; null without one.
    pub id: Option<Id>,
    /// Name of the system that holds the token; null without one.
    pub name: Option<Line<100>>,
    /// What the token allows, as in `/v1/tokens`; empty without one.
    #[schema(max_items = 100, example = json!(["edit:nishi"]))]
    pub scopes: Vec<Line<80>>,
    /// From when on the token is worth nothing; null where it does not expire, and without one.
    pub expires_at: Option<Time>,
    /// Whether the token allows everything.
    pub admin: bool,
    /// The organizations that the caller may write for, by their slugs.
    #[schema(max_items = 100_000)]
    pub edit: Vec<Slug>,
    /// The organizations that the caller may publish for.
    #[schema(max_items = 100_000)]
    pub publish: Vec<Slug>,
    /// The organizations whose drafts the caller sees.
    #[schema(max_items = 100_000)]
    pub read_drafts: Vec<Slug>,
}

/// Tells whose token this is, and what it may do.
///
/// For pages that show what their user may do, and for whoever sets up a system. Without a token nobody in particular calls, and may
/// read what is public: 200 with nulls and empty lists. A token that is unknown, expired or revoked is 401, as everywhere.
#[utoipa::path(tag = "tokens", security((), ("token" = [])))]
#[get("/me")]
async fn read_me(db: Db, _: NoQuery) -> Result<Private<Me>> {
    let (caller, token) = (db.context().caller.clone(), db.context().token.clone());
    let Some(token) = token else {
        return Ok(Private(Answer(Me::default())));
    };
    let places: Vec<(Id, Slug)> = db
        .read(|conn| {
            let slugs = organizations::table.select((organizations::id, organizations::slug));
            Ok(slugs
                .order(organizations::display_order)
                .then_order_by(organizations::slug)
                .load(conn.conn)?)
        })
        .await?;
    let me = Me {
        id: Some(token.id),
        name: Some(Line(token.name.clone())),
        expires_at: token.expires_at,
        ..Me::of(&caller, &places)
    };
    Ok(Private(Answer(me)))
}

impl Me {
    /// What a caller may do in these organizations.
    fn of(caller: &Caller, places: &[(Id, Slug)]) -> Self {
        let those = |may: &dyn Fn(Id) -> bool| {
            let those = places.iter().filter(|(id, _)| may(*id));
            those.map(|(_, slug)| slug.clone()).collect()
        };
        let scope = |scope: &Scope| match scope {
            Scope::On(permission, Some(id)) => {
                let slug = places.iter().find(|(place, _)| place == id);
                // A removed organization is shown by its id: the scope can be told from others, and allows nothing.
                slug.map_or_else(
                    || scope.to_string(),
                    |(_, slug)| format!("{}:{slug}", permission.code()),
                )
            }
            Scope::On(_, None) | Scope::Admin => scope.to_string(),
        };
        Self {
            scopes: caller.scopes().iter().map(|it| Line(scope(it))).collect(),
            admin: caller.is_admin(),
            edit: those(&|id| caller.may(Permission::Edit, Some(id))),
            publish: those(&|id| caller.may(Permission::Publish, Some(id))),
            read_drafts: those(&|id| caller.sees_drafts(id)),
            ..Self::default()
        }
    }
}

/// An answer that is for its caller alone: no cache keeps it.
struct Private<T>(Answer<T>);

impl<T: Serialize + Send + 'static> Responder for Private<T> {
    type Body = BoxBody;

    fn respond_to(self, req: &HttpRequest) -> HttpResponse {
        let mut response = self.0.respond_to(req);
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static(PRIVATE));
        response
    }
}

impl<T: ToSchema> IntoResponses for Private<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        Answer::<T>::responses()
    }
}
