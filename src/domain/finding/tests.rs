//! For every kind of finding a table of examples, with cases that are no finding.

use super::*;
use crate::domain::{
    fixtures::{cumulative, number as decimal, target, target_on_previous, year as fiscal_year},
    kinds::Direction,
    target::{Comparator, Target},
};

pub(super) fn seen(target: &Target, year: i32) -> Seen<'_> {
    Seen {
        terms: Terms {
            fiscal_year: fiscal_year(year),
            organization: "nishi",
            name: "満足している区民の割合",
            population: Some("区民"),
            unit: Some("%"),
            direction: Direction::HigherIsBetter,
            target,
            comparable: None,
            comparable_reason: None,
        },
        value: None,
        parts: Parts::default(),
        stated_previous: None,
        ratings: ratings(None, None),
    }
}

fn ratings(declared: Option<Rating>, computed: Option<Rating>) -> Ratings {
    Ratings {
        declared,
        computed,
        official: declared.or(computed),
        consistent: declared.zip(computed).map(|(a, b)| a == b),
    }
}

fn kinds(now: &Seen<'_>, before: &Seen<'_>) -> Vec<FindingKind> {
    misfits(now, Some(before)).iter().map(|misfit| misfit.kind).collect()
}

#[test]
fn what_fits_is_no_finding() {
    let (one, higher) = (target(Comparator::Gte, "48"), target(Comparator::Gte, "50"));
    let before = Seen {
        value: Some(decimal("47.9")),
        ratings: ratings(Some(Rating::B), Some(Rating::B)),
        ..seen(&one, 2024)
    };
    let now = Seen {
        value: Some(decimal("100")),
        stated_previous: Some(decimal("47.9")),
        ..seen(&higher, 2025)
    };
    assert_eq!(misfits(&now, Some(&before)), []);
    assert_eq!(misfits(&now, None), []);
}

#[test]
fn the_previous_value_is_compared_as_exactly_as_it_is_printed() {
    let of = target(Comparator::Gte, "90");
    for (stated, recorded, differs) in [
        ("57", "57.0", false),
        ("81.2", "81.15", false),
        ("81", "81.2", false),
        ("81.1", "81.15", true),
        ("57.0", "56.8", true),
        ("0", "56.8", true),
    ] {
        let before = Seen {
            value: Some(decimal(recorded)),
            ..seen(&of, 2024)
        };
        let now = Seen {
            stated_previous: Some(decimal(stated)),
            ..seen(&of, 2025)
        };
        let found = kinds(&now, &before).contains(&FindingKind::PreviousValueDiffers);
        assert_eq!(found, differs, "{stated} {recorded}");
    }
}

#[test]
fn a_finding_says_both_values_and_a_sentence() {
    let of = target(Comparator::Gte, "90");
    let before = Seen {
        value: Some(decimal("56.8")),
        ..seen(&of, 2024)
    };
    let now = Seen {
        stated_previous: Some(decimal("57.0")),
        ..seen(&of, 2025)
    };
    let found = misfits(&now, Some(&before));
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        only.sentence,
        Bilingual::new(
            "令和7年度の運営方針にある前年度実績57.0%は、令和6年度の実績56.8%と異なる。",
            "The FY2025 policy states a previous result of 57.0%; the FY2024 record is 56.8%."
        )
    );
    assert_eq!(
        (only.found.value, only.against.value),
        (Some(decimal("57.0")), Some(decimal("56.8")))
    );
    assert!(only.is_earlier);
}

#[test]
fn changed_terms_are_findings() {
    let of = target(Comparator::Gte, "90");
    let (now, before) = (seen(&of, 2025), seen(&of, 2024));
    for (terms, kind) in [
        (
            Terms {
                name: "満足している人の割合",
                ..now.terms
            },
            FindingKind::Reworded,
        ),
        (
            Terms {
                unit: Some("件"),
                ..now.terms
            },
            FindingKind::UnitChanged,
        ),
        (
            Terms {
                population: Some("回答者"),
                ..now.terms
            },
            FindingKind::PopulationChanged,
        ),
    ] {
        assert_eq!(kinds(&Seen { terms, ..now }, &before), [kind]);
    }
}

#[test]
fn a_target_may_be_met_before_it_is_set() {
    let met = FindingKind::TargetAlreadyMet;
    for (target, value, expected) in [
        (target(Comparator::Gte, "50"), "50", true),
        (target(Comparator::Gte, "50"), "49.9", false),
        (target(Comparator::Gt, "50"), "50", false),
        (target(Comparator::Lte, "50"), "50", true),
        (target(Comparator::Lte, "50"), "51", false),
        (target_on_previous(Comparator::Maintain), "50", false),
        (target_on_previous(Comparator::Gte), "50", false),
        (
            Target {
                period: cumulative(2024, 2026),
                ..target(Comparator::Gte, "50")
            },
            "60",
            false,
        ),
        (Target::default(), "60", false),
    ] {
        let before = Seen {
            value: Some(decimal(value)),
            ..seen(&target, 2024)
        };
        assert_eq!(
            kinds(&seen(&target, 2025), &before).contains(&met),
            expected,
            "{target:?} {value}"
        );
    }
    let between = Target {
        upper: Some(decimal("60")),
        ..target(Comparator::Between, "50")
    };
    let before = Seen {
        value: Some(decimal("55")),
        ..seen(&between, 2024)
    };
    let found = misfits(&seen(&between, 2025), Some(&before));
    let sentences: Vec<_> = found.iter().map(|it| it.sentence.en.as_str()).collect();
    assert_eq!(
        sentences,
        ["The FY2025 target of 50% to 60% is met already by the FY2024 result of 55%."]
    );

    let of = target(Comparator::Gte, "50");
    let before = Seen {
        value: Some(decimal("60")),
        ..seen(&of, 2024)
    };
    let now = seen(&of, 2025);
    let not_comparable = Seen {
        terms: Terms {
            comparable: Some(false),
            ..now.terms
        },
        ..now
    };
    let in_other_units = Seen {
        terms: Terms {
            unit: Some("件"),
            ..now.terms
        },
        ..now
    };
    for now in [not_comparable, in_other_units] {
        assert!(!kinds(&now, &before).contains(&met));
    }
}

#[test]
fn a_target_is_lowered_by_its_direction() {
    for (was, is, lowered) in [
        (target(Comparator::Gte, "50"), target(Comparator::Gte, "49"), true),
        (target(Comparator::Gte, "50"), target(Comparator::Gte, "50"), false),
        (target(Comparator::Gte, "50"), target(Comparator::Gte, "51"), false),
        (target(Comparator::Gt, "50"), target(Comparator::Gte, "49"), true),
        (target(Comparator::Lte, "20"), target(Comparator::Lte, "30"), true),
        (target(Comparator::Lte, "20"), target(Comparator::Lt, "10"), false),
        (target(Comparator::Gte, "50"), target(Comparator::Lte, "10"), false),
        (target(Comparator::Eq, "50"), target(Comparator::Eq, "10"), false),
    ] {
        let found = kinds(&seen(&is, 2025), &seen(&was, 2024)).contains(&FindingKind::TargetLowered);
        assert_eq!(found, lowered, "{was:?} {is:?}");
    }
}

#[test]
fn a_declared_rating_may_differ_from_the_computed_one() {
    use Rating::{A, B};
    let of = target(Comparator::Gte, "90");
    for (declared, computed, differs) in [
        (Some(A), Some(B), true),
        (Some(B), Some(A), true),
        (Some(A), Some(A), false),
        (Some(A), None, false),
        (None, Some(B), false),
    ] {
        let now = Seen {
            ratings: ratings(declared, computed),
            ..seen(&of, 2025)
        };
        assert_eq!(
            misfits(&now, None).len(),
            usize::from(differs),
            "{declared:?} {computed:?}"
        );
    }
}

#[test]
fn a_share_is_between_0_and_100() {
    let of = target(Comparator::Gte, "90");
    for (name, unit, value, beyond) in [
        ("満足している区民の割合", "%", "100.1", true),
        ("満足している区民の割合", "％", "-0.1", true),
        ("満足している区民の割合（年度末）", "%", "101", true),
        ("受診率", "%", "100", false),
        ("受診率", "%", "0", false),
        ("受診率", "%", "140", true),
        ("受講者の増加率", "%", "140", false),
        ("受講者数の前年度比", "%", "140", false),
        ("計画の達成率", "%", "-5", false),
        ("受診率", "ポイント", "140", false),
        ("来庁者数", "%", "140", false),
        ("受診率", "件", "140", false),
    ] {
        let now = seen(&of, 2025);
        let terms = Terms {
            name,
            unit: Some(unit),
            ..now.terms
        };
        let found = misfits(
            &Seen {
                terms,
                value: Some(decimal(value)),
                ..now
            },
            None,
        );
        assert_eq!(found.len(), usize::from(beyond), "{name} {unit} {value}");
    }
    let of = target(Comparator::Gte, "120");
    assert_eq!(misfits(&seen(&of, 2025), None).len(), 1);
}

#[test]
fn what_is_counted_has_no_decimals() {
    let of = target(Comparator::Gte, "90");
    for (name, unit, value, broken) in [
        ("参加者数", "人", "12.5", true),
        ("参加者数", "人", "12.0", false),
        ("参加者数", "千人", "12.5", false),
        ("満足度", "点", "12.5", false),
        ("1回当たりの参加者数", "人", "12.5", false),
        ("平均参加者数", "人", "12.5", false),
    ] {
        let now = seen(&of, 2025);
        let terms = Terms {
            name,
            unit: Some(unit),
            ..now.terms
        };
        let found = misfits(
            &Seen {
                terms,
                value: Some(decimal(value)),
                ..now
            },
            None,
        );
        assert_eq!(found.len(), usize::from(broken), "{name} {unit} {value}");
    }
}

#[test]
fn what_is_counted_is_not_negative() {
    let of = target(Comparator::Gte, "90");
    let found = |name, unit, value| {
        let now = seen(&of, 2025);
        let terms = Terms {
            name,
            unit: Some(unit),
            ..now.terms
        };
        let value = Some(decimal(value));
        let found = misfits(&Seen { terms, value, ..now }, None);
        found
            .into_iter()
            .map(|it| (it.kind, it.sentence.ja))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("参加者数", "人", "-3"),
        [(
            FindingKind::NegativeCount,
            "数えるはずの実績値が負の-3人である。確認が必要。".to_owned()
        )]
    );
    let both = found("相談", "件", "-0.5").into_iter().map(|(kind, _)| kind);
    assert!(both.eq([FindingKind::CountWithDecimals, FindingKind::NegativeCount]));
    for (name, unit, value) in [
        ("参加者数", "人", "0"),
        ("参加者数の増減", "人", "-3"),
        ("転入と転出の差", "人", "-3"),
        ("平均気温", "度", "-3"),
    ] {
        assert_eq!(found(name, unit, value), [], "{name} {unit} {value}");
    }
}

#[test]
fn a_percentage_of_a_reference_is_neither_a_share_nor_a_count() {
    for (comparator, doubted) in [
        (Comparator::Gte, true),
        (Comparator::IncreaseByPercent, false),
        (Comparator::DecreaseByPercent, false),
    ] {
        let of = |value| match comparator {
            Comparator::Gte => target(comparator, value),
            _ => Target {
                value: Some(decimal(value)),
                ..target_on_previous(comparator)
            },
        };
        for (name, unit, value) in [("参加者数", "人", "2.5"), ("参加者の割合", "%", "150")] {
            let of = of(value);
            let now = seen(&of, 2025);
            let terms = Terms {
                name,
                unit: Some(unit),
                ..now.terms
            };
            let found = misfits(&Seen { terms, ..now }, None);
            assert_eq!(!found.is_empty(), doubted, "{name} {comparator} {value}{unit}");
        }
    }
}

#[test]
fn only_what_was_rated_b_is_missed() {
    let of = target(Comparator::Gte, "90");
    for (rating, missed) in [(Some(Rating::B), true), (Some(Rating::A), false), (None, false)] {
        let before = Seen {
            ratings: ratings(None, rating),
            ..seen(&of, 2024)
        };
        assert_eq!(
            dropped_after_b(&before, fiscal_year(2025)).is_some(),
            missed,
            "{rating:?}"
        );
    }
}

#[test]
fn amounts_differ_by_what_they_are_printed_to() {
    let amount = |policy, yen, precision| Amount {
        policy_year: fiscal_year(policy),
        fiscal_year: fiscal_year(2024),
        kind: BudgetKind::Initial,
        yen: Yen(yen),
        precision,
    };
    for (is, was, differs) in [
        ((85_000_000, 1_000_000), (85_000_000, 1_000_000), false),
        ((86_000_000, 1_000_000), (85_000_000, 1_000_000), true),
        ((85_400_000, 1000), (85_000_000, 1_000_000), false),
        ((85_000_000, 1_000_000), (84_600_000, 1000), false),
        ((86_000_000, 1_000_000), (84_600_000, 1000), true),
        ((-5_000, 1000), (5_000, 1000), true),
        ((0, 1000), (1_000, 1000), true),
    ] {
        let found = budget_differs(&amount(2025, is.0, is.1), &amount(2024, was.0, was.1));
        assert_eq!(found.is_some(), differs, "{is:?} {was:?}");
    }
    let found = budget_differs(&amount(2025, 86_000_000, 1), &amount(2024, 85_000_000, 1)).map(|it| it.sentence.ja);
    let expected =
        "令和6年度の当初予算額が、令和7年度の運営方針では86,000,000円、令和6年度の運営方針では85,000,000円である。";
    assert_eq!(found.as_deref(), Some(expected));
}
