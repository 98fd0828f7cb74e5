//! Random cases, and what the service makes of them.

use super::{Answer, Billionths, ONE, Plain, YEAR};
use crate::{
    domain::{
        evaluation::{Case, Facts, evaluate},
        fixtures::{date, year},
        kinds::{Direction, ObservationStatus, Rating, ValueStatus},
        reporting,
        target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
    },
    value::{Codes, Decimal, Line},
};

/// The same case, by the rules of the service.
pub(super) fn by_the_service(plain: &Plain) -> Answer {
    let kind = |code| ReferenceKind::from_code(code).unwrap();
    let period = match plain.period {
        "cumulative" => (PeriodKind::Cumulative, Some(plain.from), Some(plain.to)),
        "by_end_of" => (PeriodKind::ByEndOf, None, Some(plain.to)),
        _ => (PeriodKind::SingleYear, None, None),
    };
    let target = Target {
        text: None,
        comparator: Comparator::from_code(plain.comparator).unwrap(),
        value: plain.value.map(decimal),
        upper: plain.upper.map(decimal),
        reference: Reference {
            kind: kind(plain.reference),
            fiscal_year: (plain.reference == "fiscal_year").then(|| year(2019)),
            value: plain.reference_value.map(decimal),
            name: (plain.reference == "external").then(|| Line("市平均".to_owned())),
        },
        period: Period {
            kind: period.0,
            from: period.1.map(year),
            to: period.2.map(year),
        },
    };
    assert_eq!(target.faults(), [], "{plain:?}");
    let facts = Facts {
        value: plain.reached.map(decimal),
        cumulative_value: plain.sum.map(decimal),
        value_status: plain.said.map(|said| ValueStatus::from_code(said).unwrap()),
        observation_status: ObservationStatus::from_code(plain.settled).unwrap(),
        declared_rating: plain.declared.map(|letter| Rating::from_code(letter).unwrap()),
        stated_previous_value: plain.stated_previous.map(decimal),
    };
    let policy_due_on = date(&format!("{}-06-30", plain.policy_year + 1));
    let it = evaluate(&Case {
        fiscal_year: year(YEAR),
        target: &target,
        unit: Some(if plain.percent { "%" } else { "件" }),
        decimals: plain.decimals,
        direction: Direction::from_code(plain.direction).unwrap(),
        result: plain.result.then_some(facts),
        recorded_previous: plain.recorded_previous.map(decimal),
        recorded_reference: plain.recorded_reference.map(decimal),
        comparable_with_previous: plain.comparable,
        comparable_reason: None,
        due_on: reporting::due_on(policy_due_on, year(plain.policy_year), year(YEAR)),
        on: plain.on,
    });
    let change = it.previous.change;
    Answer {
        due_on: it.inputs.due_on.to_string(),
        outcome: it.outcome.code(),
        reason: it.reason.map(Codes::code),
        computed: it.ratings.computed.map(Codes::code),
        official: it.rating.map(Codes::code),
        consistent: it.ratings.consistent,
        rounding_sensitive: it.rounding_sensitive,
        gap: it.gap.map(billionths),
        attainment: it.attainment.map(billionths),
        favourable: change.favourable.ok_or_else(|| change.reason.unwrap().code()),
    }
}

fn decimal(number: Billionths) -> Decimal {
    Decimal(rust_decimal::Decimal::from_i128_with_scale(number, 9).normalize())
}

fn billionths(number: Decimal) -> Billionths {
    let mut number = number.0;
    number.rescale(9);
    number.mantissa()
}

/// Random numbers, the same ones every time (`SplitMix64`).
#[derive(Default)]
pub(super) struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.roll(all.len().try_into().unwrap())).unwrap()]
    }

    /// Something in one of two throws.
    fn perhaps<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.roll(2) == 0).then(|| make(self))
    }

    /// Few numbers, so that equal ones occur: seldom below 0, with up to two decimals.
    fn number(&mut self) -> Billionths {
        let places = [ONE, ONE, ONE / 10, ONE / 20];
        let size = i128::from(self.roll(24)) * self.one_of(&places);
        if self.roll(8) == 0 { -size } else { size }
    }

    /// Any case whose target is coherent.
    pub(super) fn plain(&mut self) -> Plain {
        let comparators: Vec<&str> = Comparator::ALL.iter().map(|it| it.code()).collect();
        let comparator = self.one_of(&comparators);
        let value = self.number();
        let references = ["previous_year", "previous_year", "fiscal_year", "constant", "external"];
        let relative = match comparator {
            "gte" | "gt" | "lte" | "lt" | "eq" => self.roll(2) == 0,
            "increase" | "decrease" | "maintain" => true,
            "increase_by" | "decrease_by" | "increase_by_percent" | "decrease_by_percent" => true,
            _ => false,
        };
        let reference = if relative { self.one_of(&references) } else { "none" };
        let takes_value = match comparator {
            "between" | "increase_by" | "decrease_by" | "increase_by_percent" | "decrease_by_percent" => true,
            "qualitative" | "undecided" | "unread" => false,
            _ => !relative,
        };
        // A difference is 0 or more.
        let value = if relative { value.abs() } else { value };
        let from = YEAR - 2 + i32::try_from(self.roll(3)).unwrap();
        let days = ["2024-04-01", "2025-03-31", "2025-04-01", "2025-06-30", "2025-07-01"];
        Plain {
            comparator,
            value: takes_value.then_some(value),
            upper: (comparator == "between").then(|| value + self.number().abs()),
            reference,
            reference_value: match reference {
                "constant" => Some(self.number()),
                "fiscal_year" | "external" => self.perhaps(Self::number),
                _ => None,
            },
            period: match comparator {
                "unread" => "single_year",
                _ => self.one_of(&["single_year", "cumulative", "by_end_of"]),
            },
            from,
            to: from + i32::try_from(self.roll(4)).unwrap(),
            direction: self.one_of(&["higher_is_better", "lower_is_better", "target_is_best", "unknown"]),
            percent: self.roll(3) == 0,
            decimals: self.one_of(&[None, Some(0), Some(1), Some(2)]),
            result: self.roll(10) > 0,
            reached: (self.roll(4) > 0).then(|| self.number()),
            sum: self.perhaps(Self::number),
            said: self.perhaps(|dice| dice.one_of(ValueStatus::ALL).code()),
            settled: self.one_of(&["provisional", "final", "revised"]),
            declared: self.one_of(&[None, Some("A"), Some("B")]),
            stated_previous: self.perhaps(Self::number),
            recorded_previous: self.perhaps(Self::number),
            recorded_reference: self.perhaps(Self::number),
            comparable: self.one_of(&[None, Some(true), Some(false)]),
            policy_year: YEAR - 2 + i32::try_from(self.roll(5)).unwrap(),
            on: date(self.one_of(&days)),
        }
    }
}
