//! Targets that refer to a number, in percent of it or from outside the policy, as they are judged and explained.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use crate::{
    domain::{
        evaluation::{
            Case, Evaluation, Facts, ReferenceSource, evaluate,
            inputs::ComparedReference,
            outcome::{Outcome, Reason},
            previous::ChangeReason,
        },
        fixtures::{case, case_of, number, reported, target_on_previous},
        kinds::{Direction, Rating},
        target::{Comparator, Reference, ReferenceKind, Target},
    },
    value::{Line, language::Bilingual},
};

const MISSING: (Outcome, Option<Reason>) = (Outcome::NotEvaluable, Some(Reason::ReferenceMissing));
const MET: (Outcome, Option<Reason>) = (Outcome::Achieved, None);
const MISSED: (Outcome, Option<Reason>) = (Outcome::NotAchieved, None);

fn by_percent(comparator: Comparator, percent: &str) -> Target {
    Target {
        value: Some(number(percent)),
        ..target_on_previous(comparator)
    }
}

/// A target on the average of the city.
fn on_average(comparator: Comparator, by: Option<&str>, average: Option<&str>) -> Target {
    Target {
        comparator,
        value: by.map(number),
        reference: Reference {
            kind: ReferenceKind::External,
            value: average.map(number),
            name: Some(Line("市平均".to_owned())),
            ..Reference::default()
        },
        ..Target::default()
    }
}

/// A count of 件, with last year's.
fn counted<'a>(target: &'a Target, before: &str, now: &str) -> Case<'a> {
    Case {
        unit: Some("件"),
        recorded_previous: Some(number(before)),
        ..case_of(target, now)
    }
}

fn outcome(it: &Evaluation) -> (Outcome, Option<Reason>) {
    (it.outcome, it.reason)
}

#[track_caller]
fn assert_told(case: &Case<'_>, ja: &str, en: &str) {
    assert_eq!(evaluate(case).explanation, Bilingual::new(ja, en));
}

#[test]
fn a_change_in_percent_is_told_with_its_reference_its_percentage_and_its_threshold() {
    let less = by_percent(Comparator::DecreaseByPercent, "5");
    assert_told(
        &counted(&less, "200", "190"),
        "実績190件は目標「前年度実績200件から5%以上減少（200件の95%で190件以下）」をちょうど満たすためA（達成）。",
        "The result of 190 件 just meets the target of at least 5% below the previous year's result of 200 件 (95% of 200 件: at most 190 件): A (achieved).",
    );
    assert_told(
        &counted(&less, "200", "191"),
        "実績191件は目標「前年度実績200件から5%以上減少（200件の95%で190件以下）」を1件上回るためB（未達成）。",
        "The result of 191 件 misses the target of at least 5% below the previous year's result of 200 件 (95% of 200 件: at most 190 件) by 1 件: B (not achieved).",
    );
    let more = by_percent(Comparator::IncreaseByPercent, "2.5");
    assert_told(
        &Case {
            recorded_previous: Some(number("80.0")),
            ..case_of(&more, "81.0")
        },
        "実績81.0%は目標「前年度実績80.0%から2.5%以上増加（80.0%の102.5%で82%以上）」に1.0ポイント届かないためB（未達成）。",
        "The result of 81.0% misses the target of at least 2.5% above the previous year's result of 80.0% (102.5% of 80.0%: at least 82%) by 1.0 percentage points: B (not achieved).",
    );
}

#[test]
fn a_change_in_percent_is_no_change_in_points() {
    let (percent, points) = (
        by_percent(Comparator::IncreaseByPercent, "5"),
        by_percent(Comparator::IncreaseBy, "5"),
    );
    // 80 % and 5 % of it are 84 %, 80 % and 5 points are 85 %.
    for (target, threshold) in [(&percent, "84"), (&points, "85")] {
        let it = evaluate(&Case {
            recorded_previous: Some(number("80")),
            ..case(target)
        });
        assert_eq!(it.inputs.threshold, Some(number(threshold)));
    }
}

#[test]
fn a_percentage_of_nothing_or_less_judges_nothing_and_the_reason_is_told() {
    for comparator in [Comparator::IncreaseByPercent, Comparator::DecreaseByPercent] {
        let target = by_percent(comparator, "5");
        for before in ["0", "0.0", "-5"] {
            let it = evaluate(&counted(&target, before, "0"));
            assert_eq!(outcome(&it), MISSING, "{comparator} of {before}");
            assert_eq!((it.inputs.threshold, it.gap, it.ratings.computed), (None, None, None));
            assert_eq!(it.inputs.reference.value, Some(number(before)), "the proof shows it");
        }
    }
    assert_told(
        &counted(&by_percent(Comparator::DecreaseByPercent, "5"), "0", "0"),
        "目標「前年度実績0件から5%以上減少」のもとになる前年度実績0件が0以下で、増減の率を計算できないため判定できない。",
        "The target of at least 5% below the previous year's result of 0 件 cannot be judged: the previous year's result of 0 件 is not above 0, and a percentage of it means nothing.",
    );
}

#[test]
fn a_change_in_percent_needs_a_year_that_is_known_and_comparable() {
    let target = by_percent(Comparator::IncreaseByPercent, "5");
    let known = counted(&target, "100", "105");
    assert_eq!(outcome(&evaluate(&known)), MET);
    let unknown = Case {
        recorded_previous: None,
        ..known
    };
    assert_eq!(outcome(&evaluate(&unknown)), MISSING);
    let stated = Facts {
        stated_previous_value: Some(number("100")),
        ..reported("105")
    };
    let not_comparable = Case {
        result: Some(stated),
        comparable_with_previous: Some(false),
        ..known
    };
    assert_eq!(outcome(&evaluate(&not_comparable)), MISSING);
}

#[test]
fn where_the_target_is_best_its_threshold_is_and_not_the_change() {
    let target = by_percent(Comparator::IncreaseByPercent, "5");
    for (now, expected) in [
        ("104", Ok(true)),
        ("112", Ok(false)),
        ("110", Err(ChangeReason::NoChange)),
    ] {
        let target = Target {
            reference: Reference {
                kind: ReferenceKind::Constant,
                value: Some(number("100")),
                ..Reference::default()
            },
            ..target.clone()
        };
        let change = evaluate(&Case {
            direction: Direction::TargetIsBest,
            ..counted(&target, "100", now)
        })
        .previous
        .change;
        assert_eq!(
            change.favourable.ok_or_else(|| change.reason.unwrap()),
            expected,
            "{now}"
        );
    }
}

#[test]
fn a_figure_from_outside_counts_once_somebody_has_given_it() {
    let unknown = on_average(Comparator::Gte, None, None);
    let it = evaluate(&case_of(&unknown, "60"));
    assert_eq!(outcome(&it), MISSING);
    assert_eq!(
        it.explanation,
        Bilingual::new(
            "目標「市平均以上」のもとになる市平均が分からないため判定できない。",
            "The target of at least the outside figure 市平均 cannot be judged: the outside figure 市平均 is not known.",
        )
    );
    let known = on_average(Comparator::Gte, None, Some("58.3"));
    let it = evaluate(&Case {
        comparable_with_previous: Some(false),
        ..case_of(&known, "60")
    });
    assert_eq!((outcome(&it), it.ratings.computed), (MET, Some(Rating::A)));
    assert_eq!(
        it.inputs.reference,
        ComparedReference {
            kind: ReferenceKind::External,
            fiscal_year: None,
            value: Some(number("58.3")),
            source: Some(ReferenceSource::External),
            name: Some("市平均".to_owned()),
        }
    );
    assert_eq!(
        it.explanation,
        Bilingual::new(
            "実績60%は目標「市平均58.3%以上」を1.7ポイントの差で満たすためA（達成）。",
            "The result of 60% meets the target of at least the outside figure 市平均 of 58.3% by 1.7 percentage points: A (achieved).",
        )
    );
}

#[test]
fn a_figure_from_outside_compares_as_a_constant_does() {
    use Comparator as C;
    for (comparator, by, below, at, above) in [
        (C::Gte, None, MISSED, MET, MET),
        (C::Gt, None, MISSED, MISSED, MET),
        (C::Lte, None, MET, MET, MISSED),
        (C::Lt, None, MET, MISSED, MISSED),
        (C::Eq, None, MISSED, MET, MISSED),
        (C::Increase, None, MISSED, MISSED, MET),
        (C::Decrease, None, MET, MISSED, MISSED),
        (C::Maintain, None, MISSED, MET, MET),
        (C::IncreaseBy, Some("1"), MISSED, MISSED, MET),
        (C::DecreaseBy, Some("1"), MET, MISSED, MISSED),
        (C::IncreaseByPercent, Some("2"), MISSED, MISSED, MET),
        (C::DecreaseByPercent, Some("2"), MET, MISSED, MISSED),
    ] {
        let external = on_average(comparator, by, Some("50"));
        assert_eq!(external.faults(), [], "{comparator}");
        let constant = Target {
            reference: Reference {
                kind: ReferenceKind::Constant,
                value: Some(number("50")),
                ..Reference::default()
            },
            ..external.clone()
        };
        for (value, expected) in [("49", below), ("50", at), ("51", above)] {
            let judged = [&external, &constant].map(|target| outcome(&evaluate(&case_of(target, value))));
            assert_eq!(judged, [expected; 2], "{value} {comparator}");
        }
        let unknown = on_average(comparator, by, None);
        assert_eq!(unknown.faults(), [], "{comparator}");
        assert_eq!(outcome(&evaluate(&case_of(&unknown, "50"))), MISSING, "{comparator}");
    }
}
