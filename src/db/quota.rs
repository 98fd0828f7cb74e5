//! Quotas: how much of a resource each caller may hold at a time, and all callers together.

use std::{collections::HashMap, sync::Arc};

use crate::{
    auth::CallerKey,
    error::{Error, Result},
};
use parking_lot::Mutex;

/// Seconds until a caller who holds its share may try again.
const AGAIN: u64 = 5;

/// A resource that callers hold: streams, files, bytes.
#[derive(Debug, Clone)]
pub struct Quota {
    in_all: usize,
    each: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    in_all: usize,
    by_caller: HashMap<CallerKey, usize>,
}

/// What a caller holds, until it is dropped.
#[derive(Debug)]
pub struct Holding {
    caller: CallerKey,
    amount: usize,
    quota: Quota,
}

impl Quota {
    /// With `in_all` units, of which each caller may hold `each`.
    #[must_use]
    pub fn new(in_all: usize, each: usize) -> Self {
        Self {
            in_all,
            each: each.min(in_all),
            held: Arc::default(),
        }
    }

    /// Lets a caller hold `amount` units more. 429 if that exceeds its share, 503 if other callers hold the rest.
    pub fn take(&self, caller: CallerKey, amount: usize) -> Result<Holding> {
        let mut held = self.held.lock();
        let own = held.by_caller.get(&caller).copied().unwrap_or(0);
        if own.saturating_add(amount) > self.each {
            return Err(Error::TooMany {
                seconds: AGAIN,
                whose: caller.kind(),
            });
        }
        if held.in_all.saturating_add(amount) > self.in_all {
            return Err(Error::Unavailable("others hold all there is".to_owned()));
        }
        held.in_all += amount;
        held.by_caller.insert(caller, own + amount);
        Ok(Holding {
            caller,
            amount,
            quota: self.clone(),
        })
    }

    /// Units that are held in all.
    #[must_use]
    pub fn in_use(&self) -> usize {
        self.held.lock().in_all
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut held = self.quota.held.lock();
        held.in_all -= self.amount;
        let left = held.by_caller.get(&self.caller).map_or(0, |own| own - self.amount);
        if left == 0 {
            held.by_caller.remove(&self.caller);
        } else {
            held.by_caller.insert(self.caller, left);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_caller_holds_its_share_and_all_callers_hold_what_there_is() {
        let [one, other, third] =
            ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|at| CallerKey::Address(at.parse().unwrap()));
        let quota = Quota::new(5, 2);
        let first = quota.take(one, 2).unwrap();
        assert!(matches!(
            quota.take(one, 1),
            Err(Error::TooMany { whose: "address", .. })
        ));
        let _second = quota.take(other, 2).unwrap();
        assert!(matches!(quota.take(third, 2), Err(Error::Unavailable(_))));
        let _third = quota.take(third, 1).unwrap();
        assert_eq!(quota.in_use(), 5);
        drop(first);
        let _again = quota.take(one, 1).unwrap();
        assert_eq!(quota.in_use(), 4);
        assert!(quota.take(one, 2).is_err() && quota.take(one, 1).is_ok());
    }
}
