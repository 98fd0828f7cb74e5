//! The feed: every change the caller may see, in the order in which it happened, for those who keep a copy.

use std::time::{Duration, Instant};

use actix_web::get;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    db::{Db, Read},
    error::Result,
    http::{limits::MAX_LIMIT, query::Query, respond::Answer},
};

pub mod change;
pub mod cursor;
pub mod filter;
pub mod head;
mod reading;
pub mod snapshot;
pub mod stream;
pub mod tickets;

pub use change::{Change, ChangeOp, ChangeType};
use filter::Feed;

/// Routes under `/changes`, and `/snapshot`.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_changes)
        .service(stream::stream_changes)
        .service(tickets::create_ticket)
        .service(head::read_head)
        .service(snapshot::read_snapshot);
}

/// Some changes, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangePage {
    /// The changes, in the order in which they happened.
    #[schema(max_items = 1000)]
    pub items: Vec<Change>,
    /// Pass it as `cursor` the next time. Always there; the same as the `cursor` given when there is nothing after it that the
    /// caller may see.
    #[schema(max_length = 100)]
    pub next: String,
}

const _: () = assert!(MAX_LIMIT == 1000, "what the schema says of `items`");

/// Lists what has changed.
///
/// Every change the caller may see, in the order in which it happened: what comes later has a higher `seq`, for ever. Ask
/// again with `next`; with `wait`, the answer comes as soon as there is something. To keep a copy, begin with
/// `/v1/snapshot` and go on from its `cursor`; for each item, drop (`type`, `id`) where `after` is null, else store `after`
/// under it. An item may come twice after a failure, and says the same each time. Publication brings what it makes visible
/// (`publish`), withdrawal takes it back (`withdraw`); what the public does not see changes unseen. A page may hold fewer
/// items than `limit`, or none, while there are more: only `next` tells. 410 when the cursor is of a history that is no
/// more, as after the database was restored: begin anew from `/v1/snapshot`.
#[utoipa::path(tag = "changes", params(Feed))]
#[get("/changes")]
async fn list_changes(db: Db, Query(feed): Query<Feed>) -> Result<Answer<ChangePage>> {
    let db = db.on_primary();
    let until = Instant::now() + Duration::from_secs(feed.wait);
    let Feed {
        cursor,
        filter,
        limit,
        wait,
    } = feed;
    let wanted = filter.clone();
    let first = move |conn: &mut Read<'_>| reading::read(conn, cursor.as_ref(), 0, &wanted, limit);
    // Clients that wait come back all at once when something has happened.
    let (_follower, mut page) = if wait == 0 {
        (None, db.read(first).await?)
    } else {
        (Some(db.follower()?), db.follow(first).await?)
    };
    while page.items.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || !db.changed(page.at, left).await {
            break;
        }
        let wanted = filter.clone();
        page = db
            .follow(move |conn| reading::read(conn, Some(&page.place), page.at, &wanted, limit))
            .await?;
    }
    db.context().must_be_valid()?;
    Ok(Answer(ChangePage {
        next: page.place.text(),
        items: page.items,
    }))
}
