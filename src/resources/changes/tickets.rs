//! Tickets for the stream of changes: for callers that cannot send a token, as `EventSource` of browsers cannot.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header::CACHE_CONTROL, post};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response},
};

use crate::{
    db::Db,
    error::{Error, Result},
    http::{media_type::JSON, query::NoQuery},
    value::Time,
};

// It has no `Debug`: no log may show it.
/// A ticket, which opens one stream for its caller.
#[derive(Serialize, ToSchema)]
pub struct StreamTicket {
    /// The ticket, for `/v1/changes/stream?ticket=…`.
    #[schema(
        max_length = 100,
        example = "wardticket_3f0a9c51d27e_000000000000000000000000000000000000000000000000000000000000000000000000"
    )]
    pub ticket: String,
    /// From when on it is worth nothing.
    pub expires_at: Time,
}

/// Makes a ticket for the stream.
///
/// It opens `/v1/changes/stream` once, within a minute, with the rights of the token, for browsers' `EventSource`, which
/// cannot send a token. The stream ends when the token does. Takes no `Idempotency-Key` (400): the answer would have to be
/// kept, and with it the ticket. 429 where the token has as many unused tickets as it may have streams.
#[utoipa::path(tag = "changes", security(("token" = [])))]
#[post("/changes/tickets")]
pub(super) async fn create_ticket(db: Db, _: NoQuery) -> Result<StreamTicket> {
    let token = db.context().token.clone().ok_or(Error::Unauthenticated)?;
    let made = token.ticket()?;
    Ok(StreamTicket {
        expires_at: db.store_ticket(made.hash).await?,
        ticket: made.ticket,
    })
}

impl Responder for StreamTicket {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Created()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(self)
    }
}

impl IntoResponses for StreamTicket {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = Content::new(Some(Ref::from_schema_name(Self::name())));
        let response = Response::builder()
            .description("The ticket, shown this once.")
            .content(JSON, content);
        BTreeMap::from([("201".to_owned(), response.build().into())])
    }
}
