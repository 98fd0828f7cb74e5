//! An answer in whole sentences of both languages. It only tells what was found, and never decides anything.

use rust_decimal::Decimal as Number;

use super::{
    comparison::{Bar, ComparedField},
    evaluation::{Case, Finding},
    kinds::Rating,
    outcome::{Outcome, Reason},
    quantity::{difference, quantity, rounded},
    target::ReferenceKind,
    wording::{day, reference, target, year, years},
};
use crate::{
    language::Bilingual,
    value::{Codes as _, Decimal},
};

/// Tells why the answer is what it is.
pub(super) fn explain(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let sentences = [
        Some(answer(case, finding)),
        rounding(case, finding),
        declaration(finding),
    ];
    sentences
        .into_iter()
        .flatten()
        .fold(Bilingual::new("", ""), |told, next| {
            let blank = if told.en.is_empty() { "" } else { " " };
            Bilingual::new(
                format!("{}{}。", told.ja, next.ja),
                format!("{}{blank}{}.", told.en, next.en),
            )
        })
}

fn answer(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let compared = finding.bar.ok().zip(finding.compared);
    match (finding.outcome, finding.reason, compared) {
        (_, Some(Reason::Qualitative), _) => qualitative(finding),
        (Outcome::Achieved, Some(Reason::Early), Some((bar, (value, _)))) => {
            let subject = subject(case, finding);
            let clause = met(case, finding, bar, value);
            let last = last_year(case);
            Bilingual::new(
                format!(
                    "{}は{}ため、期間の終わり（{}）を待たずにA（達成）",
                    subject.ja, clause.ja, last.ja
                ),
                format!(
                    "{} {} before the period ends ({}): A (achieved)",
                    subject.en, clause.en, last.en
                ),
            )
        }
        (Outcome::Achieved, _, Some((bar, (value, _)))) => {
            let subject = subject(case, finding);
            let clause = met(case, finding, bar, value);
            Bilingual::new(
                format!("{}は{}ためA（達成）", subject.ja, clause.ja),
                format!("{} {}: A (achieved)", subject.en, clause.en),
            )
        }
        (Outcome::InProgress, _, Some((bar, (value, _)))) => {
            let subject = subject(case, finding);
            let clause = missed(case, finding, bar, value);
            let last = last_year(case);
            Bilingual::new(
                format!(
                    "{}は{}が、期間が{}まで続いているため、判定はまだ出ない",
                    subject.ja, clause.ja, last.ja
                ),
                format!(
                    "{} {}, but the period goes on to {}: in progress",
                    subject.en, clause.en, last.en
                ),
            )
        }
        (Outcome::NotAchieved, _, Some((bar, (value, _)))) => {
            let subject = subject(case, finding);
            let clause = missed(case, finding, bar, value);
            Bilingual::new(
                format!("{}は{}ためB（未達成）", subject.ja, clause.ja),
                format!("{} {}: B (not achieved)", subject.en, clause.en),
            )
        }
        (Outcome::Overdue, ..) => {
            let due = day(case.due_on);
            Bilingual::new(
                format!("期限の{}を過ぎたが、実績が報告されていない", due.ja),
                format!("The result was due on {} and has not been reported", due.en),
            )
        }
        (_, reason, _) => unanswered(case, finding, reason),
    }
}

/// Why there is no answer, or none yet.
fn unanswered(case: &Case<'_>, finding: &Finding, reason: Option<Reason>) -> Bilingual {
    let due = day(case.due_on);
    let target = target(case, finding);
    let told = |ja: &str, en: &str| Bilingual::new(ja, en);
    match reason {
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
        Some(Reason::ReferenceMissing) => {
            let reference = reference(case, finding);
            let not_comparable = case.recorded_previous.is_some()
                && case.comparable_with_previous == Some(false)
                && case.target.reference.kind == ReferenceKind::PreviousYear;
            let (ja, en) = if not_comparable {
                ("比較できないとされている", "is said not to be comparable")
            } else {
                ("分からない", "is not known")
            };
            Bilingual::new(
                format!("目標{}のもとになる{}が{ja}ため判定できない", target.ja, reference.ja),
                format!("The target of {} cannot be judged: {} {en}", target.en, reference.en),
            )
        }
        Some(Reason::ValueMissing) => match years(case.target.period) {
            Some(years) => Bilingual::new(
                format!(
                    "目標{}は{}の累計で見るが、累計が報告されていないため判定できない",
                    target.ja, years.ja
                ),
                format!(
                    "The target of {} is for the sum of {}, and no sum has been reported: it cannot be judged",
                    target.en, years.en
                ),
            ),
            None => Bilingual::new(
                format!(
                    "目標{}は年度の実績で見るが、累計だけが報告されているため判定できない",
                    target.ja
                ),
                format!(
                    "The target of {} is for the fiscal year's own value, and only a sum has been reported: it cannot be judged",
                    target.en
                ),
            ),
        },
        Some(Reason::NoTarget) => match case.result.and_then(|facts| facts.value) {
            Some(value) => {
                let value = quantity(value.0, case.unit);
                Bilingual::new(
                    format!("実績は{}だが、比べる目標がないため判定できない", value.ja),
                    format!("The result is {}, but there is no target to judge it by", value.en),
                )
            }
            None => told(
                "比べる目標がないため判定できない",
                "There is no target to judge a result by",
            ),
        },
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
        Some(Reason::NotMeasured) => told(
            "実績の把握が困難とされているため判定できない",
            "The result could not be measured and cannot be judged",
        ),
        Some(Reason::NotApplicable) => told(
            "この年度は評価の対象外とされているため判定しない",
            "The indicator does not apply to this fiscal year and is not judged",
        ),
        Some(Reason::Withheld) => told(
            "実績が公表されていないため判定できない",
            "The result is withheld and cannot be judged",
        ),
        Some(Reason::Discontinued) => told(
            "指標が廃止されたため判定しない",
            "The indicator was discontinued and is not judged",
        ),
        _ => told("判定できない", "The result cannot be judged"),
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

/// Says so where rounding would have turned the answer.
fn rounding(case: &Case<'_>, finding: &Finding) -> Option<Bilingual> {
    let (value, _) = finding.compared.filter(|_| finding.rounding_sensitive)?;
    let places = case.decimals?;
    let (value, round) = (
        quantity(value.0, case.unit),
        quantity(rounded(value.0, places), case.unit),
    );
    let to = match places {
        0 => Bilingual::new("整数", "a whole number"),
        1 => Bilingual::new("小数第1位", "1 decimal place"),
        _ => Bilingual::new(format!("小数第{places}位"), format!("{places} decimal places")),
    };
    Some(Bilingual::new(
        format!(
            "{}に四捨五入すると{}となり判定が変わるが、四捨五入前の{}で判定している",
            to.ja, round.ja, value.ja
        ),
        format!(
            "Rounded to {} it would be {}, which would turn the answer; the unrounded {} counts",
            to.en, round.en, value.en
        ),
    ))
}

/// Repeats the organization's own rating where the answer does not say it already.
fn declaration(finding: &Finding) -> Option<Bilingual> {
    let declared = lettered(finding.ratings.declared?);
    match (finding.reason, finding.ratings.consistent) {
        (Some(Reason::Qualitative), _) | (_, Some(true)) => None,
        (_, Some(false)) => Some(Bilingual::new(
            format!("所属の判定は{}で、これと異なる", declared.ja),
            format!("The organization declared {}, which differs", declared.en),
        )),
        (_, None) => Some(Bilingual::new(
            format!("所属の判定は{}", declared.ja),
            format!("The organization declared {}", declared.en),
        )),
    }
}

/// A（達成）
fn lettered(rating: Rating) -> Bilingual {
    let label = rating.label();
    Bilingual::new(format!("{rating}（{}）", label.ja), format!("{rating} ({})", label.en))
}

/// The compared number: 実績81.0%, 累計10,488世帯（令和3年度から令和5年度まで）.
fn subject(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let Some((value, field)) = finding.compared else {
        return Bilingual::new("実績", "The result");
    };
    let value = quantity(value.0, case.unit);
    match (field, years(case.target.period)) {
        (ComparedField::CumulativeValue, Some(years)) => Bilingual::new(
            format!("累計{}（{}）", value.ja, years.ja),
            format!("The sum of {} ({})", value.en, years.en),
        ),
        _ => Bilingual::new(format!("実績{}", value.ja), format!("The result of {}", value.en)),
    }
}

/// 目標81.2%以上を0.3ポイントの差で満たす
fn met(case: &Case<'_>, finding: &Finding, bar: Bar, value: Decimal) -> Bilingual {
    let target = target(case, finding);
    let gap = bar.gap(value.0);
    let by = difference(gap, case.unit);
    match bar {
        Bar::Exactly(_) | Bar::Within(..) => Bilingual::new(
            format!("目標{}を満たす", target.ja),
            format!("meets the target of {}", target.en),
        ),
        _ if gap == Number::ZERO => Bilingual::new(
            format!("目標{}をちょうど満たす", target.ja),
            format!("just meets the target of {}", target.en),
        ),
        _ => Bilingual::new(
            format!("目標{}を{}の差で満たす", target.ja, by.ja),
            format!("meets the target of {} by {}", target.en, by.en),
        ),
    }
}

/// 目標81.2%以上に0.2ポイント届かない
fn missed(case: &Case<'_>, finding: &Finding, bar: Bar, value: Decimal) -> Bilingual {
    let target = target(case, finding);
    let gap = bar.gap(value.0);
    let by = difference(gap, case.unit);
    let misses = format!("misses the target of {} by {}", target.en, by.en);
    match bar {
        Bar::Above(_) if gap == Number::ZERO => Bilingual::new(
            format!("目標{}の境と同じ値で、それを超えていない", target.ja),
            format!("stands on the limit of the target of {} and is not above it", target.en),
        ),
        Bar::Below(_) if gap == Number::ZERO => Bilingual::new(
            format!("目標{}の境と同じ値で、それを下回っていない", target.ja),
            format!("stands on the limit of the target of {} and is not below it", target.en),
        ),
        Bar::AtLeast(_) | Bar::Above(_) => Bilingual::new(format!("目標{}に{}届かない", target.ja, by.ja), misses),
        Bar::AtMost(_) | Bar::Below(_) => Bilingual::new(format!("目標{}を{}上回る", target.ja, by.ja), misses),
        Bar::Exactly(_) => Bilingual::new(format!("目標{}と{}異なる", target.ja, by.ja), misses),
        Bar::Within(..) => Bilingual::new(format!("目標{}の範囲を{}外れる", target.ja, by.ja), misses),
    }
}

/// The last fiscal year of the target's period.
fn last_year(case: &Case<'_>) -> Bilingual {
    year(case.target.period.to.unwrap_or(case.fiscal_year))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        evaluation::{Facts, evaluate},
        given::{
            any_case, by_end_of, case, case_of, cumulative, date, number, reported, said, target, target_on_previous,
            year,
        },
        kinds::{Direction, ValueStatus},
        target::{Comparator, Reference, Target},
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
                "実績81.2%は目標81.2%超の境と同じ値で、それを超えていないためB（未達成）。",
                "The result of 81.2% stands on the limit of the target of more than 81.2% and is not above it: B (not achieved).",
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
                "実績5%は目標5%未満の境と同じ値で、それを下回っていないためB（未達成）。",
                "The result of 5% stands on the limit of the target of less than 5% and is not below it: B (not achieved).",
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
        assert_told(
            &Case {
                result: Some(reported("4722")),
                ..konohana
            },
            "目標10,000世帯以上は令和3年度から令和5年度までの累計で見るが、累計が報告されていないため判定できない。",
            "The target of at least 10,000 世帯 is for the sum of FY2021 to FY2023, and no sum has been reported: it cannot be judged.",
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
            "目標50%以上は年度の実績で見るが、累計だけが報告されているため判定できない。",
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
            "実績49%は目標50%以上に1ポイント届かないためB（未達成）。所属の判定はA（達成）で、これと異なる。",
            "The result of 49% misses the target of at least 50% by 1 percentage point: B (not achieved). The organization declared A (achieved), which differs.",
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
}
