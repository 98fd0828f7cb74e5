//! The version of public data: of all of it, and of each organization's part (its cache tag).
//!
//! One number counts the changes of public data that this process has made or heard of. A response notes the number before its
//! data is read. The response is valid while no later change was about its cache tag.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use diesel::{PgConnection, prelude::*};

use super::schema::{change_log, organizations};
use crate::value::Slug;

/// Number of hash buckets of cache tags; bounded because callers can name any slug.
const BUCKETS: usize = 1024;

/// The public data of one organization. A few organizations may share a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheTag(usize);

impl CacheTag {
    /// The tag of the organization with this slug.
    #[must_use]
    pub fn of(organization: &Slug) -> Self {
        let mut hash = DefaultHasher::new();
        organization.hash(&mut hash);
        let [low, high, ..] = hash.finish().to_le_bytes();
        Self(usize::from(u16::from_le_bytes([low, high])) % BUCKETS)
    }
}

/// A version of public data: the number of changes that were known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PublicVersion(u64);

/// The public data that a change makes out of date.
#[derive(Debug)]
pub enum Invalidation {
    /// The data of these organizations; none, if the change was not public.
    Only(Vec<Slug>),
    /// Perhaps all of it.
    Everything,
}

impl Invalidation {
    /// Nothing.
    pub(crate) const NOTHING: Self = Self::Only(Vec::new());

    /// From changed rows: whether each is an organization itself, and the organization that it belongs to. The rows of one
    /// organization never show another's. A changed organization also invalidates responses addressed by its old and its new
    /// name, so it invalidates everything.
    pub(crate) fn of(rows: impl IntoIterator<Item = (bool, Option<Slug>)>) -> Self {
        let only = rows.into_iter().map(|(itself, whose)| whose.filter(|_| !itself));
        only.collect::<Option<_>>().map_or(Self::Everything, Self::Only)
    }

    /// What has changed since a number in the history.
    pub(super) fn since(conn: &mut PgConnection, seq: i64) -> QueryResult<Self> {
        let whose = change_log::organization_id.eq(organizations::id.nullable());
        let changed: Vec<(bool, Option<Slug>)> = change_log::table
            .left_join(organizations::table.on(whose))
            .filter(change_log::seq.gt(seq))
            .filter(change_log::was_public.or(change_log::is_public))
            .select((change_log::type_.eq("organization"), organizations::slug.nullable()))
            .distinct()
            .load(conn)?;
        Ok(Self::of(changed))
    }

    /// Whether the change was not public.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Only(organizations) if organizations.is_empty())
    }
}

/// Counters of the changes that this process knows.
#[derive(Debug)]
pub(super) struct VersionCounters {
    count: AtomicU64,
    /// The number of the last change that invalidated everything.
    everything: AtomicU64,
    /// The number of the last change of each cache tag.
    parts: [AtomicU64; BUCKETS],
}

impl Default for VersionCounters {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            everything: AtomicU64::new(0),
            parts: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }
}

impl VersionCounters {
    /// Notes a change. When the call returns, older responses are out of date.
    pub(super) fn add(&self, changed: &Invalidation) {
        if changed.is_nothing() {
            return;
        }
        let number = self.count.fetch_add(1, Ordering::AcqRel) + 1;
        match changed {
            Invalidation::Everything => {
                self.everything.fetch_max(number, Ordering::AcqRel);
            }
            Invalidation::Only(organizations) => {
                for part in organizations
                    .iter()
                    .filter_map(|organization| self.last(CacheTag::of(organization)))
                {
                    part.fetch_max(number, Ordering::AcqRel);
                }
            }
        }
    }

    pub(super) fn state(&self) -> PublicVersion {
        PublicVersion(self.count.load(Ordering::Acquire))
    }

    /// Whether data read at a version is unchanged: that under one cache tag, or all of it.
    pub(super) fn is_still(&self, PublicVersion(then): PublicVersion, part: Option<CacheTag>) -> bool {
        let last = match part.and_then(|part| self.last(part)) {
            Some(last) => last
                .load(Ordering::Acquire)
                .max(self.everything.load(Ordering::Acquire)),
            None => self.count.load(Ordering::Acquire),
        };
        last <= then
    }

    /// Whether no organization itself has changed since a version.
    pub(super) fn are_names_still(&self, PublicVersion(then): PublicVersion) -> bool {
        self.everything.load(Ordering::Acquire) <= then
    }

    fn last(&self, CacheTag(number): CacheTag) -> Option<&AtomicU64> {
        self.parts.get(number)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn slug(name: &str) -> Slug {
        name.parse().unwrap()
    }

    #[test]
    fn what_an_organization_has_is_still_so_while_others_change() {
        let changes = VersionCounters::default();
        let (nishi, kita) = (slug("nishi"), slug("kita"));
        let parts = [Some(CacheTag::of(&nishi)), Some(CacheTag::of(&kita)), None];
        let still = |then| parts.map(|part| changes.is_still(then, part));

        let first = changes.state();
        assert_eq!(still(first), [true; 3]);
        changes.add(&Invalidation::Only(vec![]));
        assert_eq!(still(first), [true; 3]);

        changes.add(&Invalidation::Only(vec![kita.clone()]));
        assert_eq!(still(first), [true, false, false]);
        let second = changes.state();
        assert_eq!(still(second), [true; 3]);

        changes.add(&Invalidation::Everything);
        assert_eq!(still(second), [false; 3]);
        let third = changes.state();
        changes.add(&Invalidation::Only(vec![nishi, kita]));
        assert_eq!(still(third), [false; 3]);
        assert_eq!(still(changes.state()), [true; 3]);
    }
}
