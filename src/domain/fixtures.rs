//! Fixtures for the tests of the domain: a test names only what it is about, the fixtures fill the rest.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use chrono::NaiveDate;
use proptest::{option, prelude::*, sample::select};

use super::{
    evaluation::{Case, Facts},
    kinds::{Direction, ObservationStatus, Rating, ValueStatus},
    target::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target},
};
use crate::value::{Codes as _, Decimal, FiscalYear, Line};

pub(super) fn year(gregorian: i32) -> FiscalYear {
    FiscalYear::new(gregorian).unwrap()
}

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A single-year target without a reference: 81.2以上.
pub(super) fn target(comparator: Comparator, value: &str) -> Target {
    Target {
        comparator,
        value: Some(number(value)),
        ..Target::default()
    }
}

/// A target relative to last year: 前年度実績以上.
pub(super) fn target_on_previous(comparator: Comparator) -> Target {
    Target {
        comparator,
        reference: Reference {
            kind: ReferenceKind::PreviousYear,
            ..Reference::default()
        },
        ..Target::default()
    }
}

pub(super) fn cumulative(from: i32, to: i32) -> Period {
    Period {
        kind: PeriodKind::Cumulative,
        from: Some(year(from)),
        to: Some(year(to)),
    }
}

pub(super) fn by_end_of(to: i32) -> Period {
    Period {
        kind: PeriodKind::ByEndOf,
        from: None,
        to: Some(year(to)),
    }
}

/// A reported value, and the last word.
pub(super) fn reported(value: &str) -> Facts {
    Facts {
        value: Some(number(value)),
        observation_status: ObservationStatus::Final,
        ..Facts::default()
    }
}

/// A result without a number, with its stated status.
pub(super) fn said(status: ValueStatus) -> Facts {
    Facts {
        value_status: Some(status),
        ..Facts::default()
    }
}

/// A case in percents of fiscal 2024 with one decimal, due on 30 June 2025, evaluated on 10 June.
pub(super) fn case(target: &Target) -> Case<'_> {
    Case {
        fiscal_year: year(2024),
        target,
        unit: Some("%"),
        decimals: Some(1),
        direction: Direction::HigherIsBetter,
        result: None,
        recorded_previous: None,
        recorded_reference: None,
        comparable_with_previous: None,
        comparable_reason: None,
        due_on: date("2025-06-30"),
        on: date("2025-06-10"),
    }
}

/// The case with a reported value.
pub(super) fn case_of<'a>(target: &'a Target, value: &str) -> Case<'a> {
    Case {
        result: Some(reported(value)),
        ..case(target)
    }
}

/// Any decimal the service takes; half of them small, so that equal ones occur.
pub(super) fn any_number() -> impl Strategy<Value = Decimal> {
    let wide = (-999_999_999_999_999_i64..=999_999_999_999_999, 0..=9_u32);
    let narrow = (-30..=30_i64, 0..=1_u32);
    prop_oneof![wide, narrow].prop_map(|(digits, places)| Decimal(rust_decimal::Decimal::new(digits, places)))
}

fn any_year() -> impl Strategy<Value = FiscalYear> {
    (2020..=2028).prop_map(year)
}

/// Any target, coherent or not.
pub(super) fn any_target() -> impl Strategy<Value = Target> {
    let reference = (
        select(ReferenceKind::ALL),
        option::of(any_year()),
        option::of(any_number()),
        option::of(Just(Line("市平均".to_owned()))),
    )
        .prop_map(|(kind, fiscal_year, value, name)| Reference {
            kind,
            fiscal_year,
            value,
            name,
        });
    let period = (select(PeriodKind::ALL), option::of(any_year()), option::of(any_year()))
        .prop_map(|(kind, from, to)| Period { kind, from, to });
    (
        select(Comparator::ALL),
        option::of(any_number()),
        option::of(any_number()),
        reference,
        period,
    )
        .prop_map(|(comparator, value, upper, reference, period)| Target {
            text: None,
            comparator,
            value,
            upper,
            reference,
            period,
        })
}

pub(super) fn any_facts() -> impl Strategy<Value = Facts> {
    (
        option::of(any_number()),
        option::of(any_number()),
        option::of(select(ValueStatus::ALL)),
        select(ObservationStatus::ALL),
        option::of(select(Rating::ALL)),
        option::of(any_number()),
    )
        .prop_map(
            |(value, cumulative_value, value_status, observation_status, declared_rating, stated_previous_value)| {
                Facts {
                    value,
                    cumulative_value,
                    value_status,
                    observation_status,
                    declared_rating,
                    stated_previous_value,
                }
            },
        )
}

/// A case that owns its target.
#[derive(Debug, Clone)]
pub(super) struct OwnedCase {
    pub(super) target: Target,
    unit: Option<&'static str>,
    decimals: Option<u32>,
    direction: Direction,
    result: Option<Facts>,
    recorded: (Option<Decimal>, Option<Decimal>),
    comparable: Option<bool>,
    on: NaiveDate,
}

impl OwnedCase {
    pub(super) fn case(&self) -> Case<'_> {
        Case {
            unit: self.unit,
            decimals: self.decimals,
            direction: self.direction,
            result: self.result,
            recorded_previous: self.recorded.0,
            recorded_reference: self.recorded.1,
            comparable_with_previous: self.comparable,
            on: self.on,
            ..case(&self.target)
        }
    }
}

/// Any case of fiscal 2024, coherent or not.
pub(super) fn any_case() -> impl Strategy<Value = OwnedCase> {
    (
        any_target(),
        select(&[None, Some("%"), Some("世帯")][..]),
        option::of(0..=9_u32),
        select(Direction::ALL),
        option::weighted(0.9, any_facts()),
        (option::of(any_number()), option::of(any_number())),
        option::of(any::<bool>()),
        select(
            ["2025-03-31", "2025-04-01", "2025-06-30", "2025-07-01"]
                .map(date)
                .to_vec(),
        ),
    )
        .prop_map(
            |(target, unit, decimals, direction, result, recorded, comparable, on)| OwnedCase {
                target,
                unit,
                decimals,
                direction,
                result,
                recorded,
                comparable,
                on,
            },
        )
}
