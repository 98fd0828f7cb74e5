//! The sentences for results that no rule can judge, or not yet.

use super::{
    case::Case,
    finding::Finding,
    outcome::Reason,
    wording::{day, lettered, reference, target, years},
};
use crate::{
    domain::{quantity::quantity, target::ReferenceKind},
    value::language::Bilingual,
};

/// Why there is no answer, or none yet.
pub(super) fn unanswered(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let due = day(case.due_on);
    let target = target(case, finding);
    match finding.reason {
        // overdue is the one outcome that needs no reason
        None => Bilingual::new(
            format!("期限の{}を過ぎたが、実績が報告されていない", due.ja),
            format!("The result was due on {} and has not been reported", due.en),
        ),
        Some(Reason::NotYetDue) => Bilingual::new(
            format!("実績はまだ報告されていないが、期限は{}で、まだ過ぎていない", due.ja),
            format!("The result has not been reported yet; it is due on {}", due.en),
        ),
        Some(Reason::BeingCompiled) => Bilingual::new(
            format!("実績は集計中で、まだ判定できない（期限は{}）", due.ja),
            format!(
                "The result is being compiled and cannot be judged yet (due on {})",
                due.en
            ),
        ),
        Some(Reason::Qualitative) => qualitative(finding),
        Some(Reason::NoTarget) => no_target(case),
        Some(Reason::TargetUnread) => Bilingual::new(
            "目標の記載を全部は読み取れていないため、確認されるまで判定しない",
            "The text of the target was not understood whole: nothing is judged until somebody has confirmed what it means",
        ),
        Some(Reason::ReferenceMissing) => reference_missing(case, finding, &target),
        Some(Reason::ValueMissing) => value_missing(case, &target),
        Some(Reason::TextOnly) => Bilingual::new(
            format!(
                "実績が文章だけで数値がないため、目標{}に照らして判定できない",
                target.ja
            ),
            format!(
                "The result is words without a number, which cannot be judged by the target of {}",
                target.en
            ),
        ),
        Some(Reason::NotMeasured) => Bilingual::new(
            "実績の把握が困難とされているため判定できない",
            "The result could not be measured and cannot be judged",
        ),
        Some(Reason::NotApplicable) => Bilingual::new(
            "この年度は評価の対象外とされているため判定しない",
            "The indicator does not apply to this fiscal year and is not judged",
        ),
        Some(Reason::Withheld) => Bilingual::new(
            "実績が公表されていないため判定できない",
            "The result is withheld and cannot be judged",
        ),
        Some(Reason::Discontinued) => Bilingual::new(
            "指標が廃止されたため判定しない",
            "The indicator was discontinued and is not judged",
        ),
        // these reasons go with a compared number, which has its own sentence
        Some(Reason::Early | Reason::PeriodRunning) => Bilingual::new("判定できない", "The result cannot be judged"),
    }
}

fn no_target(case: &Case<'_>) -> Bilingual {
    match case.result.and_then(|facts| facts.value) {
        Some(value) => {
            let value = quantity(value.0, case.unit);
            Bilingual::new(
                format!("実績は{}だが、比べる目標がないため判定できない", value.ja),
                format!("The result is {}, but there is no target to judge it by", value.en),
            )
        }
        None => Bilingual::new(
            "比べる目標がないため判定できない",
            "There is no target to judge a result by",
        ),
    }
}

fn reference_missing(case: &Case<'_>, finding: &Finding, target: &Bilingual) -> Bilingual {
    let reference = reference(case, finding);
    let set_aside =
        case.target.reference.kind == ReferenceKind::PreviousYear && case.comparable_with_previous == Some(false);
    let (ja, en) = if set_aside {
        ("比較できないとされている", "is said not to be comparable")
    } else if finding.reference.is_some() {
        (
            "0以下で、増減の率を計算できない",
            "is not above 0, and a percentage of it means nothing",
        )
    } else {
        ("分からない", "is not known")
    };
    Bilingual::new(
        format!("目標{}のもとになる{}が{ja}ため判定できない", target.ja, reference.ja),
        format!("The target of {} cannot be judged: {} {en}", target.en, reference.en),
    )
}

fn value_missing(case: &Case<'_>, target: &Bilingual) -> Bilingual {
    match years(case.target.period) {
        Some(years) => Bilingual::new(
            format!(
                "目標{}は{}の累計で見るが、累計が報告されていないため判定できない",
                target.ja, years.ja
            ),
            format!(
                "The target of {} is for the sum of {}, which has not been reported: it cannot be judged",
                target.en, years.en
            ),
        ),
        None => Bilingual::new(
            format!(
                "目標{}は単年度の実績で見るが、累計だけが報告されているため判定できない",
                target.ja
            ),
            format!(
                "The target of {} is for the fiscal year's own value, and only a sum has been reported: it cannot be judged",
                target.en
            ),
        ),
    }
}

/// A qualitative target is for the organization to judge.
fn qualitative(finding: &Finding) -> Bilingual {
    match finding.ratings.declared {
        Some(rating) => {
            let rating = lettered(rating);
            Bilingual::new(
                format!("文章による目標のため数値では判定せず、所属の判定により{}", rating.ja),
                format!(
                    "The target is described in words, which no rule can judge; the organization declared {}",
                    rating.en
                ),
            )
        }
        None => Bilingual::new(
            "文章による目標のため数値では判定できず、所属の判定もまだない",
            "The target is described in words, which no rule can judge, and the organization has not declared a rating",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        evaluation::{Facts, evaluate},
        fixtures::{case, case_of, cumulative, date, number, reported, said, target, target_on_previous},
        kinds::{Rating, ValueStatus},
        target::{Comparator, Target},
    };

    #[track_caller]
    fn assert_told(case: &Case<'_>, ja: &str, en: &str) {
        assert_eq!(evaluate(case).explanation, Bilingual::new(ja, en));
    }

    #[test]
    fn a_missing_sum_is_told_with_its_years() {
        let target = Target {
            period: cumulative(2022, 2024),
            ..target(Comparator::Gte, "10000")
        };
        let second_year = Case {
            result: Some(reported("4722")),
            unit: Some("世帯"),
            ..case(&target)
        };
        assert_told(
            &second_year,
            "目標10,000世帯以上は令和4年度から令和6年度までの累計で見るが、累計が報告されていないため判定できない。",
            "The target of at least 10,000 世帯 is for the sum of FY2022 to FY2024, which has not been reported: it cannot be judged.",
        );
    }

    #[test]
    fn a_missing_reference_is_named_and_so_is_one_that_is_not_comparable() {
        let target = target_on_previous(Comparator::Gte);
        let missing = case_of(&target, "81");
        assert_told(
            &missing,
            "目標「前年度実績以上」のもとになる前年度実績が分からないため判定できない。",
            "The target of at least the previous year's result cannot be judged: the previous year's result is not known.",
        );
        assert_told(
            &Case {
                recorded_previous: Some(number("80")),
                comparable_with_previous: Some(false),
                ..missing
            },
            "目標「前年度実績以上」のもとになる前年度実績が比較できないとされているため判定できない。",
            "The target of at least the previous year's result cannot be judged: the previous year's result is said not to be comparable.",
        );
    }

    #[test]
    fn a_sum_reported_for_a_single_year_is_told() {
        let target = target(Comparator::Gte, "50");
        let facts = Facts {
            cumulative_value: Some(number("60")),
            ..Facts::default()
        };
        assert_told(
            &Case {
                result: Some(facts),
                ..case(&target)
            },
            "目標50%以上は単年度の実績で見るが、累計だけが報告されているため判定できない。",
            "The target of at least 50% is for the fiscal year's own value, and only a sum has been reported: it cannot be judged.",
        );
    }

    #[test]
    fn what_is_not_there_is_told_with_the_day_it_is_due() {
        let target = target(Comparator::Gte, "50");
        let waiting = case(&target);
        assert_told(
            &waiting,
            "実績はまだ報告されていないが、期限は2025年6月30日で、まだ過ぎていない。",
            "The result has not been reported yet; it is due on 30 June 2025.",
        );
        assert_told(
            &Case {
                on: date("2025-07-01"),
                ..waiting
            },
            "期限の2025年6月30日を過ぎたが、実績が報告されていない。",
            "The result was due on 30 June 2025 and has not been reported.",
        );
        assert_told(
            &Case {
                result: Some(said(ValueStatus::BeingCompiled)),
                ..waiting
            },
            "実績は集計中で、まだ判定できない（期限は2025年6月30日）。",
            "The result is being compiled and cannot be judged yet (due on 30 June 2025).",
        );
    }

    #[test]
    fn no_target_is_told_with_the_result_if_there_is_one() {
        let none = Target::default();
        assert_told(
            &case(&none),
            "比べる目標がないため判定できない。",
            "There is no target to judge a result by.",
        );
        assert_told(
            &case_of(&none, "0"),
            "実績は0%だが、比べる目標がないため判定できない。",
            "The result is 0%, but there is no target to judge it by.",
        );
    }

    #[test]
    fn a_target_in_words_is_told_with_the_organizations_rating() {
        let words = Target {
            comparator: Comparator::Qualitative,
            ..Target::default()
        };
        let undeclared = said(ValueStatus::TextOnly);
        let declared = Facts {
            declared_rating: Some(Rating::A),
            ..undeclared
        };
        assert_told(
            &Case {
                result: Some(declared),
                ..case(&words)
            },
            "文章による目標のため数値では判定せず、所属の判定によりA（達成）。",
            "The target is described in words, which no rule can judge; the organization declared A (achieved).",
        );
        assert_told(
            &Case {
                result: Some(undeclared),
                ..case(&words)
            },
            "文章による目標のため数値では判定できず、所属の判定もまだない。",
            "The target is described in words, which no rule can judge, and the organization has not declared a rating.",
        );
    }

    #[test]
    fn words_where_a_number_was_asked_for_are_told() {
        let target = target(Comparator::Gte, "50");
        assert_told(
            &Case {
                result: Some(said(ValueStatus::TextOnly)),
                ..case(&target)
            },
            "実績が文章だけで数値がないため、目標50%以上に照らして判定できない。",
            "The result is words without a number, which cannot be judged by the target of at least 50%.",
        );
    }
}
