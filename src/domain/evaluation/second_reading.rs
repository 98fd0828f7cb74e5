//! The rules once more, read from their description alone: whole numbers in place of decimals, an interval in place of a bar,
//! codes in place of types. Random cases come out the same both ways.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};

mod cases;

use cases::{Dice, by_the_service};

/// A number in billionths.
type Billionths = i128;

const ONE: Billionths = 1_000_000_000;

/// The fiscal year of every case.
const YEAR: i32 = 2024;

/// Everything that a case holds, as plain as it can be.
#[derive(Debug, Clone)]
struct Plain {
    comparator: &'static str,
    value: Option<Billionths>,
    upper: Option<Billionths>,
    reference: &'static str,
    reference_value: Option<Billionths>,
    period: &'static str,
    from: i32,
    to: i32,
    direction: &'static str,
    percent: bool,
    decimals: Option<u32>,
    result: bool,
    reached: Option<Billionths>,
    sum: Option<Billionths>,
    said: Option<&'static str>,
    settled: &'static str,
    declared: Option<&'static str>,
    stated_previous: Option<Billionths>,
    recorded_previous: Option<Billionths>,
    recorded_reference: Option<Billionths>,
    comparable: Option<bool>,
    policy_year: i32,
    on: NaiveDate,
}

/// What comes of a case.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    due_on: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    computed: Option<&'static str>,
    official: Option<&'static str>,
    consistent: Option<bool>,
    rounding_sensitive: bool,
    gap: Option<Billionths>,
    attainment: Option<Billionths>,
    favourable: Result<bool, &'static str>,
}

/// The values that a target asks for: from and to, each with whether the end itself is one of them.
#[derive(Clone, Copy)]
struct Interval {
    low: Option<(Billionths, bool)>,
    high: Option<(Billionths, bool)>,
}

impl Interval {
    fn holds(self, number: Billionths) -> bool {
        let above = self.low.is_none_or(|(low, own)| number > low || (own && number == low));
        above && !self.is_passed(number)
    }

    fn is_passed(self, number: Billionths) -> bool {
        self.high
            .is_some_and(|(high, own)| number > high || (!own && number == high))
    }
}

impl Plain {
    fn due_on(&self) -> String {
        // The policy's day is 30 June of the year after its own.
        format!("{}-06-30", self.policy_year + 1 + (YEAR - self.policy_year))
    }

    fn status(&self) -> &'static str {
        if self.result && (self.reached.is_some() || self.sum.is_some()) {
            return "reported";
        }
        match self.said {
            Some(said) if self.result && !["reported", "not_yet_due", "not_reported"].contains(&said) => said,
            _ if self.on.to_string() <= self.due_on() => "not_yet_due",
            _ => "not_reported",
        }
    }

    fn base(&self) -> Option<Billionths> {
        match self.reference {
            // A figure from outside counts once somebody has given it.
            "constant" | "external" => self.reference_value,
            "fiscal_year" => self.reference_value.or(self.recorded_reference),
            "previous_year" if self.comparable == Some(false) => None,
            "previous_year" => self.stated().or(self.recorded_previous),
            _ => None,
        }
    }

    fn stated(&self) -> Option<Billionths> {
        self.stated_previous.filter(|_| self.result)
    }

    fn interval(&self) -> Option<Interval> {
        let number = if self.reference == "none" {
            self.value
        } else {
            self.base()
        }?;
        let by = self.value.unwrap_or(0);
        let (low, high) = match self.comparator {
            "gte" => (Some((number, true)), None),
            "gt" | "increase" => (Some((number, false)), None),
            "lte" => (None, Some((number, true))),
            "lt" | "decrease" => (None, Some((number, false))),
            "eq" => (Some((number, true)), Some((number, true))),
            "between" => (Some((number, true)), Some((self.upper?, true))),
            "increase_by" => (Some((number + by, true)), None),
            "decrease_by" => (None, Some((number - by, true))),
            // Percent of nothing, or of less than nothing, means nothing.
            "increase_by_percent" | "decrease_by_percent" if number <= 0 => return None,
            "increase_by_percent" => (Some((number * (100 * ONE + by) / (100 * ONE), true)), None),
            "decrease_by_percent" => (None, Some((number * (100 * ONE - by) / (100 * ONE), true))),
            "maintain" => match self.direction {
                "higher_is_better" => (Some((number, true)), None),
                "lower_is_better" => (None, Some((number, true))),
                _ => (Some((number, true)), Some((number, true))),
            },
            _ => return None,
        };
        Some(Interval { low, high })
    }

    /// The number that the target is about.
    fn compared(&self) -> Option<Billionths> {
        match self.period {
            _ if !self.result => None,
            "cumulative" if self.from == YEAR => self.sum.or(self.reached),
            "cumulative" => self.sum,
            _ => self.reached,
        }
    }

    /// The rows for a reported number.
    fn of_number(&self, number: Billionths, asked: Interval) -> (&'static str, Option<&'static str>) {
        let later = self.period != "single_year" && self.to > YEAR;
        let in_its_year = (self.on.year(), self.on.month()) < (YEAR + 1, 4);
        let running = later || (self.settled == "provisional" && in_its_year);
        if !running {
            let outcome = if asked.holds(number) {
                "achieved"
            } else {
                "not_achieved"
            };
            return (outcome, None);
        }
        if let (Some((most, _)), "cumulative") = (asked.high, self.period) {
            let negative = number < 0 || most < 0 || self.reached.is_some_and(|reached| reached < 0);
            let undone = self.percent || negative;
            return if asked.is_passed(number) && !undone {
                ("not_achieved", None)
            } else {
                ("in_progress", Some("period_running"))
            };
        }
        if asked.holds(number) {
            ("achieved", Some("early"))
        } else {
            ("in_progress", Some("period_running"))
        }
    }

    fn outcome(&self) -> (&'static str, Option<&'static str>) {
        let status = self.status();
        match (self.comparator, status) {
            ("undecided", _) => ("not_evaluable", Some("no_target")),
            ("unread", _) => ("not_evaluable", Some("target_unread")),
            ("qualitative", "reported" | "text_only") => match self.declared {
                Some("A") => ("achieved", Some("qualitative")),
                Some(_) => ("not_achieved", Some("qualitative")),
                None => ("not_evaluable", Some("qualitative")),
            },
            (_, "not_yet_due" | "being_compiled") => ("pending", Some(status)),
            (_, "not_reported") => ("overdue", None),
            (_, "reported") => match (self.interval(), self.compared()) {
                (None, _) => ("not_evaluable", Some("reference_missing")),
                (_, None) => ("not_evaluable", Some("value_missing")),
                (Some(asked), Some(number)) => self.of_number(number, asked),
            },
            _ => ("not_evaluable", Some(status)),
        }
    }

    fn favourable(&self) -> Result<bool, &'static str> {
        let now = self.reached.filter(|_| self.result).ok_or("no_value")?;
        let before = self.stated().or(self.recorded_previous).ok_or("no_previous")?;
        if self.comparable == Some(false) {
            return Err("not_comparable");
        }
        let better = match self.direction {
            _ if now == before => return Err("no_change"),
            "higher_is_better" => now - before,
            "lower_is_better" => before - now,
            "unknown" => return Err("direction_unknown"),
            _ => {
                let asked = self
                    .interval()
                    .filter(|_| !["increase", "decrease"].contains(&self.comparator));
                let Interval { low, high } = asked.ok_or("no_target")?;
                let (low, high) = (low.or(high).unwrap().0, high.or(low).unwrap().0);
                let away = |number: Billionths| [low - number, number - high, 0].into_iter().max().unwrap();
                away(before) - away(now)
            }
        };
        if better == 0 { Err("no_change") } else { Ok(better > 0) }
    }

    fn answer(&self) -> Answer {
        let (outcome, reason) = self.outcome();
        let computed = match outcome {
            "achieved" if reason != Some("qualitative") => Some("A"),
            "not_achieved" if reason != Some("qualitative") => Some("B"),
            _ => None,
        };
        let declared = self.declared.filter(|_| self.result);
        let numbers = self.interval().zip(self.compared());
        let gap = numbers.map(|(asked, number)| {
            let short = asked.low.map(|(low, _)| number - low);
            let over = asked.high.map(|(high, _)| high - number);
            short.into_iter().chain(over).min().unwrap()
        });
        let attainment = match (numbers, self.value) {
            (Some((_, number)), Some(asked))
                if number >= 0 && asked > 0 && ["gte", "gt"].contains(&self.comparator) =>
            {
                // to four places, a half upwards
                Some((2 * number * 10_000 + asked) / (2 * asked) * (ONE / 10_000))
            }
            _ => None,
        };
        let rounding_sensitive = numbers.zip(self.decimals).is_some_and(|((asked, number), places)| {
            let step = ONE / 10_i128.pow(places);
            let size = (number.abs() + step / 2) / step * step;
            self.of_number(number, asked).0 != self.of_number(size * number.signum(), asked).0
        });
        Answer {
            due_on: self.due_on(),
            outcome,
            reason,
            computed,
            official: declared.or(computed),
            consistent: declared.and_then(|declared| computed.map(|computed| declared == computed)),
            rounding_sensitive,
            gap,
            attainment,
            favourable: self.favourable(),
        }
    }
}

#[test]
fn a_hundred_thousand_random_cases_come_out_the_same_both_ways() {
    let mut dice = Dice::default();
    let mut seen: BTreeMap<_, u32> = BTreeMap::new();
    for _ in 0..100_000 {
        let plain = dice.plain();
        let (ours, theirs) = (by_the_service(&plain), plain.answer());
        assert_eq!(ours, theirs, "{plain:?}");
        *seen.entry((ours.outcome, ours.reason)).or_default() += 1;
    }
    // Every row of the table, and every reason, came up often.
    assert_eq!(seen.len(), 19, "{seen:?}");
    assert!(seen.values().all(|times| *times > 100), "{seen:?}");
}
