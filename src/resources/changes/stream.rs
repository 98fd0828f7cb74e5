//! The feed as server-sent events: changes come as they happen.

use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::BoxBody,
    get,
    http::header::{self, HeaderMap},
    web::Bytes,
};
use futures_util::stream::unfold;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response},
};

use super::{
    change::Change,
    cursor::{Cursor, unreadable},
    filter::{Filter, Streamed, Ticket},
    reading::{self, Page},
};
use crate::{
    db::{Db, quota::Holding},
    error::{Error, Place, Result, Violation},
    http::{media_type::EVENT_STREAM, query::Query},
};

/// The header by which a client that comes back names the last event it has.
const LAST_EVENT_ID: &str = "Last-Event-ID";
/// Changes read at a time.
const LIMIT: i64 = 100;
/// How long nothing is sent, at most: proxies close silent connections.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. Clients come back by themselves.
const LONGEST: Duration = Duration::from_secs(600);

/// Streams what has changed.
///
/// The same as `/v1/changes`, as server-sent events: each is an `event: change` with a change as its `data` and its cursor
/// as its `id`. A client that comes back says the last `id` it has as `Last-Event-ID`, which goes before `cursor`; browsers'
/// `EventSource` does so by itself. While nothing happens a comment comes every 15 seconds, with an `id` that goes on over
/// what was not asked for. The service ends a stream after ten minutes, when it stops, and when the token is
/// revoked or expires: come back. `EventSource` cannot send a token: it opens the stream with a `ticket`, and comes back with
/// a new one and the last `id` as `cursor`.
#[utoipa::path(
    tag = "changes",
    params(Streamed, Ticket, ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event the caller has.", max_length = 100))
)]
#[get("/changes/stream")]
pub(super) async fn stream_changes(
    db: Db,
    Query(given): Query<(Streamed, Ticket)>,
    req: HttpRequest,
) -> Result<Events> {
    let (wanted, ticket) = given;
    ticket.must_be_alone(req.headers())?;
    let after = last_event(req.headers())?.or(wanted.cursor);
    let follower = db.follower()?;
    let filter = wanted.filter.clone();
    let first = db
        .follow(move |conn| reading::read(conn, after.as_ref(), 0, &filter, LIMIT))
        .await?;
    Ok(Events(Following {
        db,
        filter: wanted.filter,
        place: first.place.clone(),
        at: first.at,
        first: Some(first),
        end: Instant::now() + LONGEST,
        _follower: follower,
    }))
}

fn last_event(headers: &HeaderMap) -> Result<Option<Cursor>> {
    let Some(given) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    // A client that has seen no event yet may send an empty one.
    let text = given.to_str().unwrap_or("?");
    if text.is_empty() {
        return Ok(None);
    }
    Cursor::of(text).map(Some).ok_or_else(|| {
        Error::malformed(Violation {
            place: Place::Header(LAST_EVENT_ID),
            code: "cursor",
            detail: unreadable(),
            suggestion: None,
        })
    })
}

/// A client that follows the history.
struct Following {
    db: Db,
    filter: Filter,
    place: Cursor,
    /// How far the history has been read.
    at: i64,
    /// The page that was read before the answer began.
    first: Option<Page>,
    end: Instant,
    _follower: Holding,
}

impl Following {
    /// Waits for the next changes and sends them; ends with the service, or when it is time to come back.
    async fn next(mut self) -> Option<(Result<Bytes>, Self)> {
        if let Some(first) = self.first.take() {
            let begin = "retry: 1000\n\n";
            return self.say(begin.to_owned(), first);
        }
        let left = self.end.saturating_duration_since(Instant::now());
        if self.db.is_stopping() || left.is_zero() || self.db.context().must_be_valid().is_err() {
            return None;
        }
        if !self.db.changed(self.at, HEARTBEAT.min(left)).await {
            let alive = format!(": alive\nid: {}\n\n", self.place.text());
            let goes_on = !self.db.is_stopping() && self.db.context().must_be_valid().is_ok();
            return goes_on.then(|| (Ok(alive.into()), self));
        }
        let (filter, place, at) = (self.filter.clone(), self.place.clone(), self.at);
        let read = self
            .db
            .follow(move |conn| reading::read(conn, Some(&place), at, &filter, LIMIT));
        match read.await {
            Ok(page) => self.say(String::new(), page),
            // The client comes back, and is told then if the error lasts.
            Err(e) => {
                log::warn!("a stream of changes ends: {e}");
                None
            }
        }
    }

    fn say(mut self, mut text: String, page: Page) -> Option<(Result<Bytes>, Self)> {
        for change in &page.items {
            let id = Cursor {
                epoch: page.place.epoch.clone(),
                seq: change.seq,
                mark: change.mark.clone(),
            };
            let data = serde_json::to_string(change).ok()?;
            write!(text, "id: {}\nevent: change\ndata: {data}\n\n", id.text()).ok()?;
        }
        (self.place, self.at) = (page.place, page.at);
        // Changes that the filter leaves out are passed over: an id alone is no event, and is remembered.
        if page.items.last().is_none_or(|last| last.seq < self.place.seq) {
            write!(text, "id: {}\n\n", self.place.text()).ok()?;
        }
        Some((Ok(text.into()), self))
    }
}

/// Changes as they happen.
pub(super) struct Events(Following);

impl Responder for Events {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .content_type(EVENT_STREAM)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            // nginx would hold the events back.
            .insert_header(("x-accel-buffering", "no"))
            .streaming(unfold(self.0, Following::next))
    }
}

impl IntoResponses for Events {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let words = "Events: `id` is a cursor, `event` is `change`, `data` is a change.";
        let content = Content::new(Some(Ref::from_schema_name(Change::name())));
        let response = Response::builder().description(words).content(EVENT_STREAM, content);
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}
