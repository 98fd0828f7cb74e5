//! Examples of explanations.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    evaluation::{Facts, evaluate},
    fixtures::{
        any_case, by_end_of, case, case_of, cumulative, date, number, reported, said, target, target_on_previous, year,
    },
    kinds::{Direction, ObservationStatus, Rating, ValueStatus},
    target::{Comparator, Reference, ReferenceKind, Target},
};

#[track_caller]
fn assert_told(case: &Case<'_>, ja: &str, en: &str) {
    assert_eq!(evaluate(case).explanation, Bilingual::new(ja, en));
}

#[test]
fn a_threshold_is_told_with_the_gap() {
    let at_least = target(Comparator::Gte, "81.2");
    let at_most = target(Comparator::Lte, "5");
    let more = target(Comparator::Gt, "81.2");
    let less = target(Comparator::Lt, "5");
    let exactly = target(Comparator::Eq, "100");
    for (target, value, ja, en) in [
        (
            &at_least,
            "81.0",
            "実績81.0%は目標81.2%以上に0.2ポイント届かないためB（未達成）。",
            "The result of 81.0% misses the target of at least 81.2% by 0.2 percentage points: B (not achieved).",
        ),
        (
            &at_least,
            "82.2",
            "実績82.2%は目標81.2%以上を1.0ポイントの差で満たすためA（達成）。",
            "The result of 82.2% meets the target of at least 81.2% by 1.0 percentage points: A (achieved).",
        ),
        (
            &at_least,
            "81.2",
            "実績81.2%は目標81.2%以上をちょうど満たすためA（達成）。",
            "The result of 81.2% just meets the target of at least 81.2%: A (achieved).",
        ),
        (
            &more,
            "81.2",
            "実績81.2%は目標81.2%超の境と同じ値で、それを超えないためB（未達成）。",
            "The result of 81.2% only reaches the limit of the target of more than 81.2%: B (not achieved).",
        ),
        (
            &at_most,
            "6",
            "実績6%は目標5%以下を1ポイント上回るためB（未達成）。",
            "The result of 6% misses the target of at most 5% by 1 percentage point: B (not achieved).",
        ),
        (
            &less,
            "5",
            "実績5%は目標5%未満の境と同じ値で、それを下回らないためB（未達成）。",
            "The result of 5% only reaches the limit of the target of less than 5%: B (not achieved).",
        ),
        (
            &exactly,
            "98",
            "実績98%は目標100%と2ポイント異なるためB（未達成）。",
            "The result of 98% misses the target of exactly 100% by 2 percentage points: B (not achieved).",
        ),
        (
            &exactly,
            "100",
            "実績100%は目標100%を満たすためA（達成）。",
            "The result of 100% meets the target of exactly 100%: A (achieved).",
        ),
    ] {
        assert_told(&case_of(target, value), ja, en);
    }
}

#[test]
fn zero_is_told_like_any_other_number() {
    let target = target(Comparator::Lte, "0");
    assert_told(
        &Case {
            unit: Some("件"),
            ..case_of(&target, "0")
        },
        "実績0件は目標0件以下をちょうど満たすためA（達成）。",
        "The result of 0 件 just meets the target of at most 0 件: A (achieved).",
    );
}

#[test]
fn a_range_is_told_with_both_its_ends() {
    let target = Target {
        upper: Some(number("60")),
        ..target(Comparator::Between, "40")
    };
    assert_told(
        &case_of(&target, "62"),
        "実績62%は目標40%以上60%以下の範囲を2ポイント外れるためB（未達成）。",
        "The result of 62% misses the target of 40% to 60% by 2 percentage points: B (not achieved).",
    );
}

#[test]
fn rounding_is_told_where_it_would_turn_the_answer() {
    let target = target(Comparator::Gte, "81.2");
    assert_told(
        &case_of(&target, "81.15"),
        "実績81.15%は目標81.2%以上に0.05ポイント届かないためB（未達成）。小数第1位に四捨五入すると81.2%となり判定が変わるが、四捨五入前の81.15%で判定している。",
        "The result of 81.15% misses the target of at least 81.2% by 0.05 percentage points: B (not achieved). Rounded to 1 decimal place it would be 81.2%, which would turn the answer; the unrounded 81.15% counts.",
    );
}

#[test]
fn a_relative_target_is_told_with_its_reference() {
    let at_least = target_on_previous(Comparator::Gte);
    let increase = target_on_previous(Comparator::Increase);
    let decrease = target_on_previous(Comparator::Decrease);
    let maintain = target_on_previous(Comparator::Maintain);
    let by_two = Target {
        value: Some(number("2")),
        ..target_on_previous(Comparator::IncreaseBy)
    };
    let down_by_two = Target {
        value: Some(number("2")),
        ..target_on_previous(Comparator::DecreaseBy)
    };
    for (target, ja, en) in [
        (
            &at_least,
            "実績81.0%は目標「前年度実績80.0%以上」を1.0ポイントの差で満たすためA（達成）。",
            "The result of 81.0% meets the target of at least the previous year's result of 80.0% by 1.0 percentage points: A (achieved).",
        ),
        (
            &increase,
            "実績81.0%は目標「前年度実績80.0%より増加」を1.0ポイントの差で満たすためA（達成）。",
            "The result of 81.0% meets the target of an increase on the previous year's result of 80.0% by 1.0 percentage points: A (achieved).",
        ),
        (
            &decrease,
            "実績81.0%は目標「前年度実績80.0%より減少」を1.0ポイント上回るためB（未達成）。",
            "The result of 81.0% misses the target of a decrease from the previous year's result of 80.0% by 1.0 percentage points: B (not achieved).",
        ),
        (
            &maintain,
            "実績81.0%は目標「前年度実績80.0%の維持」を1.0ポイントの差で満たすためA（達成）。",
            "The result of 81.0% meets the target of keeping up with the previous year's result of 80.0% by 1.0 percentage points: A (achieved).",
        ),
        (
            &by_two,
            "実績81.0%は目標「前年度実績80.0%から2ポイント以上増加（82.0%以上）」に1.0ポイント届かないためB（未達成）。",
            "The result of 81.0% misses the target of at least 2 percentage points above the previous year's result of 80.0% (at least 82.0%) by 1.0 percentage points: B (not achieved).",
        ),
        (
            &down_by_two,
            "実績81.0%は目標「前年度実績80.0%から2ポイント以上減少（78.0%以下）」を3.0ポイント上回るためB（未達成）。",
            "The result of 81.0% misses the target of at least 2 percentage points below the previous year's result of 80.0% (at most 78.0%) by 3.0 percentage points: B (not achieved).",
        ),
    ] {
        assert_told(
            &Case {
                recorded_previous: Some(number("80.0")),
                ..case_of(target, "81.0")
            },
            ja,
            en,
        );
    }
}

#[test]
fn a_reference_to_another_year_or_to_a_number_is_named() {
    let reference = |kind, fiscal_year| Target {
        reference: Reference {
            kind,
            fiscal_year,
            value: Some(number("80")),
            name: None,
        },
        ..target_on_previous(Comparator::Lt)
    };
    let of_2019 = reference(ReferenceKind::FiscalYear, Some(year(2019)));
    let constant = reference(ReferenceKind::Constant, None);
    assert_told(
        &case_of(&of_2019, "79"),
        "実績79%は目標「令和元年度実績80%未満」を1ポイントの差で満たすためA（達成）。",
        "The result of 79% meets the target of less than the FY2019 result of 80% by 1 percentage point: A (achieved).",
    );
    assert_told(
        &case_of(&constant, "79"),
        "実績79%は目標「基準値80%未満」を1ポイントの差で満たすためA（達成）。",
        "The result of 79% meets the target of less than the baseline of 80% by 1 percentage point: A (achieved).",
    );
}

#[test]
fn a_sum_is_told_with_its_years() {
    let target = Target {
        period: cumulative(2021, 2023),
        ..target(Comparator::Gte, "10000")
    };
    let facts = Facts {
        cumulative_value: Some(number("10488")),
        ..reported("4722")
    };
    let konohana = Case {
        fiscal_year: year(2023),
        unit: Some("世帯"),
        decimals: Some(0),
        result: Some(facts),
        ..case(&target)
    };
    assert_told(
        &konohana,
        "累計10,488世帯（令和3年度から令和5年度まで）は目標10,000世帯以上を488世帯の差で満たすためA（達成）。",
        "The sum of 10,488 世帯 (FY2021 to FY2023) meets the target of at least 10,000 世帯 by 488 世帯: A (achieved).",
    );
    assert_told(
        &Case {
            fiscal_year: year(2022),
            ..konohana
        },
        "累計10,488世帯（令和3年度から令和5年度まで）は目標10,000世帯以上を488世帯の差で満たすため、期間の終わり（令和5年度）を待たずにA（達成）。",
        "The sum of 10,488 世帯 (FY2021 to FY2023) meets the target of at least 10,000 世帯 by 488 世帯 before the period ends (FY2023): A (achieved).",
    );
}

#[test]
fn a_period_that_goes_on_is_told_with_its_last_year() {
    let target = Target {
        period: by_end_of(2025),
        ..target(Comparator::Gte, "50")
    };
    assert_told(
        &case_of(&target, "48"),
        "実績48%は目標50%以上に2ポイント届かないが、期間が令和7年度まで続いているため、判定はまだ出ない。",
        "The result of 48% misses the target of at least 50% by 2 percentage points, but the period goes on to FY2025: in progress.",
    );
}

#[test]
fn a_sum_and_its_upper_bound_are_told_before_the_period_ends() {
    let target = Target {
        period: cumulative(2024, 2026),
        ..target(Comparator::Lte, "300")
    };
    let so_far = Case {
        unit: Some("件"),
        ..case_of(&target, "250")
    };
    assert_told(
        &so_far,
        "実績250件は目標300件以下を50件の差で満たすが、期間が令和8年度まで続いているため、判定はまだ出ない。",
        "The result of 250 件 meets the target of at most 300 件 by 50 件, but the period goes on to FY2026: in progress.",
    );
    assert_told(
        &Case {
            result: Some(reported("310")),
            ..so_far
        },
        "実績310件は目標300件以下を10件上回るため、期間の終わり（令和8年度）を待たずにB（未達成）。",
        "The result of 310 件 misses the target of at most 300 件 by 10 件 before the period ends (FY2026): B (not achieved).",
    );
}

#[test]
fn a_provisional_number_is_told_as_one_before_its_year_is_over() {
    let target = target(Comparator::Gte, "50");
    let provisional = |value| Case {
        result: Some(Facts {
            observation_status: ObservationStatus::Provisional,
            ..reported(value)
        }),
        on: date("2025-03-31"),
        ..case(&target)
    };
    assert_told(
        &provisional("48"),
        "実績48%は目標50%以上に2ポイント届かないが、令和6年度の途中の速報値であるため、判定はまだ出ない。",
        "The result of 48% misses the target of at least 50% by 2 percentage points, but this is a provisional figure and FY2024 is not over: in progress.",
    );
    assert_told(
        &provisional("52"),
        "実績52%は目標50%以上を2ポイントの差で満たすため、令和6年度の終わりを待たずに速報値でA（達成）。",
        "The result of 52% meets the target of at least 50% by 2 percentage points, by a provisional figure before FY2024 is over: A (achieved).",
    );
}

#[test]
fn the_organizations_rating_is_told_where_the_answer_does_not_say_it() {
    let target = target(Comparator::Gte, "50");
    let agreed = Facts {
        declared_rating: Some(Rating::A),
        ..reported("50")
    };
    let differing = Facts {
        declared_rating: Some(Rating::A),
        ..reported("49")
    };
    let alone = Facts {
        declared_rating: Some(Rating::B),
        ..said(ValueStatus::NotMeasured)
    };
    assert_told(
        &Case {
            result: Some(agreed),
            ..case(&target)
        },
        "実績50%は目標50%以上をちょうど満たすためA（達成）。",
        "The result of 50% just meets the target of at least 50%: A (achieved).",
    );
    assert_told(
        &Case {
            result: Some(differing),
            ..case(&target)
        },
        "実績49%は目標50%以上に1ポイント届かないためB（未達成）。所属の判定はA（達成）で、計算によるB（未達成）と異なる。",
        "The result of 49% misses the target of at least 50% by 1 percentage point: B (not achieved). The organization declared A (achieved), where the rule gives B (not achieved).",
    );
    assert_told(
        &Case {
            result: Some(alone),
            ..case(&target)
        },
        "実績の把握が困難とされているため判定できない。所属の判定はB（未達成）。",
        "The result could not be measured and cannot be judged. The organization declared B (not achieved).",
    );
}

#[test]
fn maintaining_is_told_by_the_direction() {
    let target = target_on_previous(Comparator::Maintain);
    assert_told(
        &Case {
            direction: Direction::LowerIsBetter,
            unit: None,
            recorded_previous: Some(number("1200")),
            ..case_of(&target, "1201")
        },
        "実績1,201は目標「前年度実績1,200の維持」を1上回るためB（未達成）。",
        "The result of 1,201 misses the target of keeping up with the previous year's result of 1,200 by 1: B (not achieved).",
    );
}

proptest! {
    #[test]
    fn every_answer_is_told_in_whole_sentences_of_both_languages(owned in any_case()) {
        let told = evaluate(&owned.case()).explanation;
        prop_assert!(told.ja.ends_with('。') && !told.ja.contains("。。"), "{}", told.ja);
        prop_assert!(told.en.ends_with('.') && !told.en.contains(".."), "{}", told.en);
        prop_assert!(told.ja.chars().count() < 4000 && told.en.chars().count() < 4000);
    }

    #[test]
    fn what_is_told_is_what_was_found(owned in any_case()) {
        let it = evaluate(&owned.case());
        if let Some(rating) = it.ratings.computed {
            let rating = lettered(rating);
            prop_assert!(it.explanation.ja.contains(&rating.ja), "{}", it.explanation.ja);
            prop_assert!(it.explanation.en.contains(&rating.en), "{}", it.explanation.en);
        }
        prop_assert_eq!(it.rounding_sensitive && it.outcome != Outcome::NotEvaluable, it.explanation.ja.contains("四捨五入"));
    }
}
