//! Counts work while it is done, so that work is bounded: it ends at its budget, at its deadline, or when nobody waits.
//!
//! Every reader of outside data calls [`spend`] in its loops. When the budget of [`within`] is used up, `spend` unwinds
//! the stack, without a panic message, and `within` returns the reason. Nobody sees half-read data.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Instant,
};

/// The limits of a piece of work.
pub struct Budget {
    /// Most units of work.
    pub most: u64,
    /// The deadline.
    pub until: Instant,
    /// Whether nobody waits for the work any more.
    pub is_left: Box<dyn Fn() -> bool>,
}

/// Why work was ended before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The units were used up.
    TooMuch,
    /// The deadline passed.
    TooLate,
    /// Nobody waits for the work.
    Left,
}

/// Units between two looks at clock and caller: some tenths of a millisecond.
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

/// Counts work that is about to be done; a unit is about a byte looked at. Does not return when the budget is used up.
pub fn spend(units: usize) {
    let ended = UNDER_WAY.with_borrow_mut(|under_way| {
        let ended = under_way.as_mut()?.spend(units)?;
        // Code that unwinding runs (`drop`) has no budget to keep.
        *under_way = None;
        Some(ended)
    });
    if let Some(ended) = ended {
        resume_unwind(Box::new(ended));
    }
}

/// Works within a budget: to the end, or until the budget is used up.
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

    /// Runs work without an end of its own, and returns how much of it was done.
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
