//! The feed position: how far the changes have come that each group of callers sees.

use std::collections::HashMap;

use crate::{auth::Caller, value::Id};

/// The last change of the feed, for each group of callers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// The last change that any caller sees.
    pub(super) head: i64,
    /// The last change that the public sees.
    pub(super) public: i64,
    /// The last change of each organization that this process has heard of.
    organizations: HashMap<Id, i64>,
}

impl FeedPosition {
    /// The last change that this caller may see, or a later one that it may not.
    #[must_use]
    pub fn last_for(&self, caller: &Caller) -> i64 {
        if caller.drafts() == "*" {
            return self.head;
        }
        let own = self.organizations.iter().filter(|(id, _)| caller.sees_drafts(**id));
        own.map(|(_, seq)| *seq).fold(self.public, i64::max)
    }

    /// Takes a notification.
    pub(super) fn hear(&mut self, notice: &Notice) {
        if notice.is_public {
            self.public = self.public.max(notice.seq);
        }
        if let Some(organization) = notice.organization {
            let last = self.organizations.entry(organization).or_default();
            *last = notice.seq.max(*last);
        }
        if !notice.is_of_tokens() {
            self.head = self.head.max(notice.seq);
        }
    }

    /// Takes the number of the last change after a reconnect. A promoted server may lack changes that were heard of before.
    pub(super) fn begin(&mut self, seq: i64) {
        if seq < self.head {
            *self = Self::default();
        }
        self.reach(seq);
    }

    /// Takes an end of the history, when it is unknown who may see the last changes.
    pub(super) fn reach(&mut self, seq: i64) {
        if seq > self.head {
            self.head = seq;
            self.public = seq;
        }
    }
}

/// A notification: some changes of one statement.
pub(super) struct Notice {
    /// The number of the last one.
    pub(super) seq: i64,
    /// Whether the public sees it.
    is_public: bool,
    /// The organization that it belongs to.
    organization: Option<Id>,
}

impl Notice {
    pub(super) fn parse(payload: &str) -> Option<Self> {
        let mut words = payload.split(' ');
        let (seq, public, whose) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            seq: seq.parse().ok()?,
            is_public: public == "t",
            organization: whose.parse().ok(),
        })
    }

    /// Whether the changes are about tokens, which no feed shows.
    pub(super) const fn is_of_tokens(&self) -> bool {
        !self.is_public && self.organization.is_none()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::auth::{Permission, Scope};

    #[test]
    fn everybody_hears_of_what_they_may_see_and_of_nothing_else() {
        let (own, other) = (Id::generate(), Id::generate());
        let ward = Caller::new("ward".to_owned(), None, [Scope::On(Permission::Edit, Some(own))].into());
        let (anybody, all) = (Caller::anonymous(), Caller::service());
        let mut tail = FeedPosition::default();
        let mut hear = |payload: &str| {
            if let Some(notice) = Notice::parse(payload) {
                tail.hear(&notice);
            }
            [&anybody, &ward, &all].map(|caller| tail.last_for(caller))
        };
        assert_eq!(hear(&format!("3 t {other}")), [3, 3, 3]);
        assert_eq!(hear(&format!("5 f {own}")), [3, 5, 5]);
        assert_eq!(hear(&format!("7 f {other}")), [3, 5, 7]);
        assert_eq!(hear("9 f -"), [3, 5, 7]);
        assert_eq!(hear(&format!("10 t {own}")), [10, 10, 10]);
        assert_eq!(hear("nonsense"), [10, 10, 10]);
        tail.reach(8);
        assert_eq!(tail.last_for(&anybody), 10);
        tail.reach(12);
        assert_eq!(
            [&anybody, &ward, &all].map(|caller| tail.last_for(caller)),
            [12, 12, 12]
        );
        assert_eq!(tail.organizations.get(&own).copied().unwrap(), 10);
    }
}
