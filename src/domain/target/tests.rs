//! Targets that are coherent, and targets that are not.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;
use crate::{
    domain::fixtures::{any_target, by_end_of, cumulative, number, year},
    value::Codes as _,
};

fn places(target: &Target) -> Vec<&'static str> {
    target.faults().into_iter().map(|(at, _)| at).collect()
}

fn with(comparator: Comparator, value: Option<&str>, upper: Option<&str>, reference: Reference) -> Target {
    Target {
        comparator,
        value: value.map(number),
        upper: upper.map(number),
        reference,
        ..Target::default()
    }
}

const NONE: Reference = Reference {
    kind: ReferenceKind::None,
    fiscal_year: None,
    value: None,
    name: None,
};
const PREVIOUS: Reference = Reference {
    kind: ReferenceKind::PreviousYear,
    fiscal_year: None,
    value: None,
    name: None,
};

#[test]
fn every_comparator_takes_its_own_members_and_no_others() {
    use Comparator as C;
    let threshold = [C::Gte, C::Gt, C::Lte, C::Lt, C::Eq];
    let relative = [C::Increase, C::Decrease, C::Maintain];
    let relative_by = [C::IncreaseBy, C::DecreaseBy, C::IncreaseByPercent, C::DecreaseByPercent];
    let wordy = [C::Qualitative, C::Undecided];
    for (comparators, value, upper, reference, faults) in [
        (&threshold[..], Some("0"), None, NONE, &[][..]),
        (&threshold, None, None, PREVIOUS, &[]),
        (&threshold, None, None, NONE, &["/value"]),
        (&threshold, Some("1"), None, PREVIOUS, &["/value"]),
        (&threshold, Some("1"), Some("2"), NONE, &["/upper"]),
        (&[C::Between], Some("1"), Some("2"), NONE, &[]),
        (&[C::Between], Some("2"), Some("2"), NONE, &[]),
        (&[C::Between], Some("3"), Some("2"), NONE, &["/upper"]),
        (&[C::Between], Some("1"), None, NONE, &["/upper"]),
        (&[C::Between], None, Some("2"), NONE, &["/value"]),
        (
            &[C::Between],
            None,
            None,
            PREVIOUS,
            &["/value", "/upper", "/reference/kind"],
        ),
        (&relative, None, None, PREVIOUS, &[]),
        (&relative, None, None, NONE, &["/reference/kind"]),
        (&relative, Some("1"), None, PREVIOUS, &["/value"]),
        (&relative_by, Some("0"), None, PREVIOUS, &[]),
        (&relative_by, Some("-1"), None, PREVIOUS, &["/value"]),
        (&relative_by, None, None, PREVIOUS, &["/value"]),
        (&relative_by, Some("1"), None, NONE, &["/reference/kind"]),
        (&wordy, None, None, NONE, &[]),
        (
            &wordy,
            Some("1"),
            Some("2"),
            PREVIOUS,
            &["/value", "/upper", "/reference/kind"],
        ),
    ] {
        for comparator in comparators {
            let target = with(*comparator, value, upper, reference.clone());
            assert_eq!(places(&target), faults, "{target:?}");
        }
    }
}

#[test]
fn a_percentage_has_bounds_and_few_decimals() {
    for comparator in [Comparator::IncreaseByPercent, Comparator::DecreaseByPercent] {
        for (percent, faults) in [
            ("0", &[][..]),
            ("5", &[]),
            ("2.500000000", &[]),
            ("0.000001", &[]),
            ("1000000", &[]),
            ("-5", &["/value"]),
            ("1000000.1", &["/value"]),
            ("0.0000001", &["/value"]),
        ] {
            let target = with(comparator, Some(percent), None, PREVIOUS);
            assert_eq!(places(&target), faults, "{percent} {comparator}");
        }
    }
}

#[test]
fn a_figure_from_outside_has_a_name_and_no_other_reference_has() {
    let name = || Some(Line("市平均".to_owned()));
    for kind in ReferenceKind::ALL {
        let external = *kind == ReferenceKind::External;
        let named = Reference {
            kind: *kind,
            name: name(),
            ..Reference::default()
        };
        let unnamed = Reference {
            name: None,
            ..named.clone()
        };
        let is_fault = |reference| places(&with(Comparator::Gte, None, None, reference)).contains(&"/reference/name");
        assert_eq!((is_fault(named), is_fault(unnamed)), (!external, external), "{kind}");
    }
    for value in [None, Some(number("58.3"))] {
        let reference = Reference {
            kind: ReferenceKind::External,
            fiscal_year: None,
            value,
            name: name(),
        };
        assert_eq!(places(&with(Comparator::Gte, None, None, reference)), [""; 0]);
    }
}

#[test]
fn every_kind_of_reference_has_its_own_members() {
    use ReferenceKind as K;
    let (value, fiscal_year) = (Some(number("0")), Some(year(2022)));
    for (kind, fiscal_year, value, faults) in [
        (K::PreviousYear, None, None, &[][..]),
        (
            K::PreviousYear,
            fiscal_year,
            value,
            &["/reference/fiscal_year", "/reference/value"],
        ),
        (K::FiscalYear, fiscal_year, None, &[]),
        (K::FiscalYear, fiscal_year, value, &[]),
        (K::FiscalYear, None, value, &["/reference/fiscal_year"]),
        (K::Constant, None, value, &[]),
        (K::Constant, None, None, &["/reference/value"]),
        (K::Constant, fiscal_year, value, &["/reference/fiscal_year"]),
    ] {
        let target = with(
            Comparator::Gte,
            None,
            None,
            Reference {
                kind,
                fiscal_year,
                value,
                name: None,
            },
        );
        assert_eq!(places(&target), faults, "{target:?}");
    }
    let nothing = Reference {
        kind: K::None,
        fiscal_year,
        value,
        name: None,
    };
    assert_eq!(
        places(&with(Comparator::Gte, Some("1"), None, nothing)),
        ["/reference/fiscal_year", "/reference/value"]
    );
}

#[test]
fn every_kind_of_period_has_its_own_members() {
    let (single, sum, by) = (PeriodKind::SingleYear, PeriodKind::Cumulative, PeriodKind::ByEndOf);
    for (kind, from, to, faults) in [
        (single, None, None, &[][..]),
        (single, Some(2021), Some(2023), &["/period/from", "/period/to"]),
        (sum, Some(2021), Some(2023), &[]),
        (sum, Some(2021), Some(2021), &[]),
        (sum, Some(2023), Some(2021), &["/period/to"]),
        (sum, None, None, &["/period/from", "/period/to"]),
        (by, None, Some(2023), &[]),
        (by, Some(2021), Some(2023), &["/period/from"]),
        (by, None, None, &["/period/to"]),
    ] {
        let period = Period {
            kind,
            from: from.map(year),
            to: to.map(year),
        };
        let target = Target {
            period,
            ..Target::default()
        };
        assert_eq!(places(&target), faults, "{period:?}");
    }
}

#[test]
fn a_period_runs_on_until_its_last_year() {
    assert_eq!(cumulative(2021, 2023).runs_on_to(year(2022)), Some(year(2023)));
    assert_eq!(cumulative(2021, 2023).runs_on_to(year(2023)), None);
    assert_eq!(by_end_of(2025).runs_on_to(year(2024)), Some(year(2025)));
    assert_eq!(by_end_of(2025).runs_on_to(year(2026)), None);
    assert_eq!(Period::default().runs_on_to(year(2024)), None);
}

#[test]
fn no_target_is_a_sound_target() {
    assert_eq!(Target::default().comparator, Comparator::Undecided);
    assert_eq!(Target::default().faults(), []);
}

#[test]
fn a_target_is_written_with_every_key_and_reads_back() {
    let json = serde_json::json!({
        "text": "48%以上",
        "comparator": "gte",
        "value": 48,
        "upper": null,
        "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
        "period": { "kind": "single_year", "from": null, "to": null },
    });
    let target: Target = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&target).unwrap(), json);
    assert_eq!(target.faults(), []);
}

#[test]
fn a_key_a_target_does_not_have_is_refused() {
    let json = serde_json::json!({ "comparator": "gte", "values": 48 });
    serde_json::from_value::<Target>(json).unwrap_err();
}

#[test]
fn every_comparator_is_found_by_its_code() {
    for comparator in Comparator::ALL {
        assert_eq!(Comparator::from_code(comparator.code()), Some(*comparator));
    }
}

proptest! {
    #[test]
    fn every_fault_is_somewhere_and_said_in_both_languages(target in any_target()) {
        for (at, sentence) in target.faults() {
            prop_assert!(at.starts_with('/'));
            prop_assert!(!sentence.ja.is_empty() && !sentence.en.is_empty());
        }
    }
}
