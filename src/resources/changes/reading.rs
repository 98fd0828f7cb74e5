//! Reads the history from a place on, a stretch at a time, so that no filter makes a read long or large.

use std::time::{Duration, Instant};

use diesel::{PgConnection, dsl::max, prelude::*};

use super::{
    change::{Change, ChangeType, Row},
    cursor::Cursor,
    filter::Filter,
};
use crate::{
    db::Read,
    error::{Error, Result},
    schema::{change_epoch, change_log, changes},
    value::{Id, OrganizationKey},
};

/// Changes looked at with one query.
const STRETCH: i64 = 5_000;
/// Changes taken with one query: each holds two states of a thing, and one such state may be large.
const CHUNK: usize = 100;
/// Bytes of states after which a page is full.
const LARGE: usize = 4 << 20;
/// How long a page may take before it is given with what it has.
const LONG: Duration = Duration::from_millis(1500);

/// Some changes, and the place after them.
pub(super) struct Page {
    pub(super) items: Vec<Change>,
    pub(super) place: Cursor,
}

/// The last place there is.
pub(super) fn head(conn: &mut PgConnection) -> Result<Cursor> {
    let last: Option<i64> = change_log::table.select(max(change_log::seq)).first(conn)?;
    Ok(Cursor {
        epoch: change_epoch::table.select(change_epoch::epoch).first(conn)?,
        seq: last.unwrap_or(0),
    })
}

/// What comes after a place, or from the beginning on, at most so much.
pub(super) fn read(conn: &mut Read<'_>, after: Option<&Cursor>, filter: &Filter, limit: i64) -> Result<Page> {
    let begun = Instant::now();
    let head = head(conn)?;
    let mut at = match after {
        None => 0,
        Some(after) if after.epoch == head.epoch && after.seq <= head.seq => after.seq,
        Some(_) => return Err(Error::Gone),
    };
    let owners = owners(conn, &filter.organizations)?;
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    while at < head.seq && items.len() < limit && bytes < LARGE && begun.elapsed() < LONG {
        let end = at.saturating_add(STRETCH).min(head.seq);
        let wanted = CHUNK.min(limit - items.len());
        let mut query = Row::query()
            .filter(changes::seq.gt(at))
            .filter(changes::seq.le(end))
            .order(changes::seq)
            .limit(i64::try_from(wanted).map_err(Error::internal)?)
            .into_boxed();
        if !filter.types.is_empty() {
            query = query.filter(changes::type_.eq_any(&filter.types));
        }
        if let Some(owners) = &owners {
            query = query.filter(changes::organization_id.eq_any(owners));
        }
        let rows: Vec<Row> = query.load(conn.conn)?;
        at = match rows.last() {
            Some(last) if rows.len() == wanted => last.seq,
            _ => end,
        };
        items.extend(rows.into_iter().map(Change::from));
        let taken = items.iter().rev().take(wanted);
        bytes += taken.map(Change::size).sum::<usize>();
    }
    Ok(Page {
        items,
        place: Cursor { seq: at, ..head },
    })
}

/// The organizations that go, or ever went, by these keys: a copy follows one that is renamed or removed to its end.
fn owners(conn: &mut PgConnection, keys: &[OrganizationKey]) -> Result<Option<Vec<Id>>> {
    if keys.is_empty() {
        return Ok(None);
    }
    let keys: Vec<&str> = keys.iter().map(OrganizationKey::as_str).collect();
    let slug = change_log::key.retrieve_as_text("organization");
    let code = change_log::after.retrieve_as_text("municipality_code");
    let ids = change_log::table
        .filter(change_log::type_.eq(ChangeType::Organization))
        .filter(slug.eq_any(keys.clone()).nullable().or(code.eq_any(keys)))
        .select(change_log::row_id)
        .distinct()
        .load(conn)?;
    Ok(Some(ids))
}
