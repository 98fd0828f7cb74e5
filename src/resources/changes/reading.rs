//! Reads the history from a place on, a stretch at a time, so that no filter makes a read long or large.

use std::time::{Duration, Instant};

use diesel::{PgConnection, pg::Pg, prelude::*};

use super::{
    change::{Change, ChangeType, Told},
    cursor::{Cursor, mark},
    filter::Filter,
    state::put_in_words,
};
use crate::{
    db::{
        Read, last_change,
        schema::{change_epoch, change_log, changes},
    },
    error::{Error, Result},
    value::{Id, OrganizationKey},
};

/// Changes looked at with one query.
const STRETCH: i64 = 5_000;
/// Changes taken with one query: each holds two states of a thing, and one such state may be large.
const CHUNK: usize = 100;
/// Bytes of states after which a page is full.
const LARGE: usize = 4 << 20;
/// How long a page may take; then it is given with the changes found so far.
const LONG: Duration = Duration::from_millis(1500);

/// Some changes, and the place after them.
pub(super) struct Page {
    pub(super) items: Vec<Change>,
    /// The place as callers are told it: after a change that the caller sees, so that it reveals no others.
    pub(super) place: Cursor,
    /// How far the history was read.
    pub(super) at: i64,
}

/// The last place there is for the caller: after the last change that it sees.
pub(super) fn head(conn: &mut Read<'_>) -> Result<Cursor> {
    let last = last_seen(conn, i64::MAX)?;
    place(conn, last)?.ok_or_else(|| Error::internal("the history has no end"))
}

/// The changes that the caller sees. There is an index of the public ones.
fn seen(conn: &Read<'_>) -> changes::BoxedQuery<'static, Pg> {
    let query = changes::table.into_boxed();
    if conn.public {
        query.filter(changes::public)
    } else {
        query
    }
}

/// The last change up to a place that the caller sees; 0 where there is none.
fn last_seen(conn: &mut Read<'_>, until: i64) -> Result<i64> {
    let last = seen(conn).filter(changes::seq.le(until)).order(changes::seq.desc());
    let last = last.select(changes::seq).first(conn.conn).optional()?;
    Ok(last.unwrap_or(0))
}

/// The first change after a place that the caller sees.
fn next_seen(conn: &mut Read<'_>, after: i64) -> Result<Option<i64>> {
    let next = seen(conn).filter(changes::seq.gt(after)).order(changes::seq);
    Ok(next.select(changes::seq).first(conn.conn).optional()?)
}

/// The place after the change with this number, if there is one.
fn place(conn: &mut PgConnection, seq: i64) -> Result<Option<Cursor>> {
    let hash: Option<Vec<u8>> = change_log::table
        .find(seq)
        .select(change_log::hash)
        .first(conn)
        .optional()?;
    if hash.is_none() && seq != 0 {
        return Ok(None);
    }
    Ok(Some(Cursor {
        epoch: change_epoch::table.select(change_epoch::epoch).first(conn)?,
        seq,
        mark: mark(&hash.unwrap_or_default()),
    }))
}

/// The changes after a place, or from the beginning on, at most `limit`. Up to `read` it is known that there are none.
pub(super) fn read(
    conn: &mut Read<'_>,
    after: Option<&Cursor>,
    read: i64,
    filter: &Filter,
    limit: i64,
) -> Result<Page> {
    let begun = Instant::now();
    let end = last_change(conn)?;
    let from = match after {
        None => 0,
        Some(after) if place(conn, after.seq)?.as_ref() == Some(after) => after.seq,
        Some(_) => return Err(Error::Gone),
    };
    let mut at = from.max(read);
    let owners = owners(conn, &filter.organizations)?;
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let (mut items, mut bytes) = (Vec::new(), 0);
    while at < end && items.len() < limit && bytes < LARGE && begun.elapsed() < LONG {
        let stretch = at.saturating_add(STRETCH).min(end);
        let wanted = CHUNK.min(limit - items.len());
        let mut query = seen(conn)
            .select(Told::as_select())
            .filter(changes::seq.gt(at))
            .filter(changes::seq.le(stretch))
            .order(changes::seq)
            .limit(i64::try_from(wanted).map_err(Error::internal)?);
        if !filter.types.is_empty() {
            query = query.filter(changes::type_.eq_any(&filter.types));
        }
        if let Some(owners) = &owners {
            query = query.filter(changes::organization_id.eq_any(owners));
        }
        let mut rows: Vec<Told> = query.load(conn.conn)?;
        put_in_words(conn, rows.iter_mut().flat_map(Told::states))?;
        at = match rows.last() {
            Some(last) if rows.len() == wanted => last.seq,
            Some(_) => stretch,
            // Changes that the caller does not see are passed over at once, however many.
            None => next_seen(conn, stretch)?.map_or(end, |next| next - 1).min(end),
        };
        items.extend(rows.into_iter().map(Change::from));
        let taken = items.iter().rev().take(wanted);
        bytes += taken.map(Change::size).sum::<usize>();
    }
    // A page cut short before the caller saw anything moves on all the same, or the next would begin at the same place.
    let told = match last_seen(conn, at)? {
        last if last <= from && at == end => from,
        last if last <= from => at,
        last => last,
    };
    let place = place(conn, told)?.ok_or_else(|| Error::internal("the history has no such place"))?;
    Ok(Page { items, place, at })
}

/// The organizations that go, or ever went, by these keys: a copy follows a renamed or removed organization to its end.
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
