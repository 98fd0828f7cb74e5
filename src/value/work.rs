//! Work that is counted while it is done, so that it is bounded, and ends: at its deadline, and when nobody waits for it.
//!
//! Whatever reads what comes from outside says [`spend`] in its loops. Where it works [`within`] a budget, that does not return
//! when the budget is used up: the stack is unwound, without a panic and its message, and `within` says why. Nobody has seen
//! anything yet of what was being read.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

/// What work may take.
pub struct Budget {
    /// How much may be done, in units.
    pub most: u64,
    /// When it ends.
    pub until: Instant,
    /// Whether nobody waits for it any more.
    pub is_left: Box<dyn Fn() -> bool>,
}

/// Why work came to its end before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was more than it may be.
    TooMuch,
    /// It took too long.
    TooLate,
    /// Nobody waits for it.
    Left,
}

/// Clock and caller are looked at each time so much has been done: some tenths of a millisecond.
const GLANCE: u64 = 1 << 16;

/// Work that is being done on this thread.
struct UnderWay {
    budget: Option<Budget>,
    done: u64,
    /// How much was done when clock and caller were last looked at.
    seen: u64,
}

thread_local! {
    static UNDER_WAY: RefCell<Option<UnderWay>> = const { RefCell::new(None) };
}

impl UnderWay {
    fn spend(&mut self, units: usize) -> Option<Ended> {
        self.done = self.done.saturating_add(u64::try_from(units).unwrap_or(u64::MAX));
        let budget = self.budget.as_ref()?;
        if self.done > budget.most {
            return Some(Ended::TooMuch);
        }
        if self.done - self.seen < GLANCE {
            return None;
        }
        self.seen = self.done;
        if Instant::now() >= budget.until {
            return Some(Ended::TooLate);
        }
        (budget.is_left)().then_some(Ended::Left)
    }
}

/// Counts work that is about to be done, in units of about a byte that is looked at. Does not return when there is no budget
/// left for it.
pub fn spend(units: usize) {
    let ended = UNDER_WAY.with_borrow_mut(|under_way| {
        let ended = under_way.as_mut()?.spend(units)?;
        // What is dropped on the way out has no budget to keep.
        *under_way = None;
        Some(ended)
    });
    if let Some(ended) = ended {
        resume_unwind(Box::new(ended));
    }
}

/// Works within a budget, to the end or until it is used up.
pub fn within<T>(budget: Budget, work: impl FnOnce() -> T) -> Result<T, Ended> {
    begin(Some(budget));
    let done = catch_unwind(AssertUnwindSafe(work));
    UNDER_WAY.set(None);
    done.map_err(|why| match why.downcast() {
        Ok(ended) => *ended,
        Err(panic) => resume_unwind(panic),
    })
}

/// Works without a budget, and tells how much was done.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    begin(None);
    let given = work();
    let done = UNDER_WAY.take().map_or(0, |under_way| under_way.done);
    (given, done)
}

fn begin(budget: Option<Budget>) {
    UNDER_WAY.set(Some(UnderWay {
        budget,
        done: 0,
        seen: 0,
    }));
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use super::*;

    fn budget(most: u64) -> Budget {
        Budget {
            most,
            until: Instant::now() + Duration::from_secs(3600),
            is_left: Box::new(|| false),
        }
    }

    /// Work that has no end of its own, and how much of it was done.
    fn endless(budget: Budget) -> (Result<(), Ended>, usize) {
        let done = Cell::new(0);
        let ended = within(budget, || {
            loop {
                spend(100);
                done.set(done.get() + 100);
            }
        });
        (ended, done.get())
    }

    #[test]
    fn work_ends_where_its_budget_does() {
        assert_eq!(endless(budget(100_000)), (Err(Ended::TooMuch), 100_000));
        assert_eq!(within(budget(100), || spend(100)), Ok(()));
    }

    #[test]
    fn work_ends_at_its_deadline_and_when_nobody_waits_for_it() {
        let late = Budget {
            until: Instant::now(),
            ..budget(u64::MAX)
        };
        let (ended, done) = endless(late);
        assert_eq!(ended, Err(Ended::TooLate));
        assert!(done <= 1 << 16, "{done}");
        let asked = Rc::new(Cell::new(0));
        let counted = Rc::clone(&asked);
        let left = Budget {
            is_left: Box::new(move || {
                counted.set(counted.get() + 1);
                counted.get() > 3
            }),
            ..budget(u64::MAX)
        };
        let (ended, done) = endless(left);
        assert_eq!((ended, asked.get()), (Err(Ended::Left), 4));
        assert!(done <= 5 << 16, "{done}");
    }

    #[test]
    fn what_is_worked_on_next_has_its_own_budget() {
        assert!(endless(budget(1)).0.is_err());
        spend(1_000_000);
        assert_eq!(counted(|| spend(7)), ((), 7));
        assert_eq!(within(budget(10), || spend(7)), Ok(()));
        assert_eq!(counted(|| spend(7)), ((), 7));
    }

    #[test]
    fn a_panic_stays_one() {
        let panicked = catch_unwind(|| within(budget(1), || resume_unwind(Box::new("a bug"))));
        assert_eq!(panicked.map_err(|why| why.downcast_ref().copied()), Err(Some("a bug")));
    }
}
