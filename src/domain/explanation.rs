//! An answer in whole sentences of both languages. It only tells what was found, and never decides anything.

use rust_decimal::Decimal as Number;

use super::{
    comparison::{Bar, ComparedField},
    evaluation::{Case, Finding, Outcome, Reason},
    kinds::Rating,
    quantity::{difference, quantity, rounded},
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
                && case.target.reference.kind == super::target::ReferenceKind::PreviousYear;
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
    let ja = match places {
        0 => "整数".to_owned(),
        places => format!("小数第{places}位"),
    };
    Some(Bilingual::new(
        format!(
            "{ja}に四捨五入すると{}となり判定が変わるが、四捨五入前の{}で判定している",
            round.ja, value.ja
        ),
        format!(
            "Rounded to {places} decimal places it would be {}, which would turn the answer; the unrounded {} counts",
            round.en, value.en
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
