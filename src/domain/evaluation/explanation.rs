//! The explanation: an evaluation in whole sentences of both languages. This module decides nothing.

use rust_decimal::Decimal as Number;

use super::{
    case::Case,
    comparison::Bar,
    finding::{ComparedField, Finding},
    outcome::{Outcome, Reason},
    standing::runs_on_to,
    unanswered::unanswered,
    wording::{lettered, target, year, years},
};
use crate::{
    domain::quantity::{difference, quantity, rounded},
    value::{Decimal, language::Bilingual},
};

#[cfg(test)]
mod tests;

/// Explains the answer.
pub(super) fn explain(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let mut told = answer(case, finding);
    told.ja.push('。');
    told.en.push('.');
    for more in [rounding(case, finding), declaration(finding)].into_iter().flatten() {
        told.ja.extend([&more.ja, "。"]);
        told.en.extend([" ", &more.en, "."]);
    }
    told
}

fn answer(case: &Case<'_>, finding: &Finding) -> Bilingual {
    match (finding.bar, finding.compared) {
        (Ok(bar), Some((value, field))) => {
            let subject = subject(case, value, field);
            let clause = clause(case, finding, bar, value.0);
            judged(case, finding, &subject, &clause)
        }
        _ => unanswered(case, finding),
    }
}

/// The sentence for an answer by comparison.
fn judged(case: &Case<'_>, finding: &Finding, subject: &Bilingual, clause: &Bilingual) -> Bilingual {
    let (ja, en) = match (finding.outcome, finding.reason) {
        (Outcome::Achieved, Some(Reason::Early)) => {
            let early = early(case);
            (
                format!("ため、{}A（達成）", early.ja),
                format!("{}: A (achieved)", early.en),
            )
        }
        (Outcome::Achieved, _) => ("ためA（達成）".into(), ": A (achieved)".into()),
        (Outcome::InProgress, _) => {
            let open = open(case);
            (
                format!("が、{}ため、判定はまだ出ない", open.ja),
                format!(", but {}: in progress", open.en),
            )
        }
        _ if runs_on_to(case).is_some() => {
            let early = early(case);
            (
                format!("ため、{}B（未達成）", early.ja),
                format!("{}: B (not achieved)", early.en),
            )
        }
        _ => ("ためB（未達成）".into(), ": B (not achieved)".into()),
    };
    Bilingual::new(
        format!("{}は{}{ja}", subject.ja, clause.ja),
        format!("{} {}{en}", subject.en, clause.en),
    )
}

/// The end that an answer does not wait for.
fn early(case: &Case<'_>) -> Bilingual {
    let Some(last) = case.target.period.runs_on_to(case.fiscal_year).map(year) else {
        let own = year(case.fiscal_year);
        return Bilingual::new(
            format!("{}の終わりを待たずに速報値で", own.ja),
            format!(", by a provisional figure before {} is over", own.en),
        );
    };
    Bilingual::new(
        format!("期間の終わり（{}）を待たずに", last.ja),
        format!(" before the period ends ({})", last.en),
    )
}

/// Why there is no answer yet.
fn open(case: &Case<'_>) -> Bilingual {
    let Some(last) = case.target.period.runs_on_to(case.fiscal_year).map(year) else {
        let own = year(case.fiscal_year);
        return Bilingual::new(
            format!("{}の途中の速報値である", own.ja),
            format!("this is a provisional figure and {} is not over", own.en),
        );
    };
    Bilingual::new(
        format!("期間が{}まで続いている", last.ja),
        format!("the period goes on to {}", last.en),
    )
}

/// The remark where rounding would have changed the answer.
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

/// The organization's own rating, where the answer does not state it already; where the rule gives another, both.
fn declaration(finding: &Finding) -> Option<Bilingual> {
    let declared = lettered(finding.ratings.declared?);
    match (finding.reason, finding.ratings.computed.map(lettered)) {
        (Some(Reason::Qualitative), _) => None,
        (_, Some(_)) if finding.ratings.consistent == Some(true) => None,
        (_, Some(computed)) => Some(Bilingual::new(
            format!("所属の判定は{}で、計算による{}と異なる", declared.ja, computed.ja),
            format!(
                "The organization declared {}, where the rule gives {}",
                declared.en, computed.en
            ),
        )),
        (_, None) => Some(Bilingual::new(
            format!("所属の判定は{}", declared.ja),
            format!("The organization declared {}", declared.en),
        )),
    }
}

/// The compared number: 実績81.0%, 累計10,488世帯（令和3年度から令和5年度まで）.
fn subject(case: &Case<'_>, value: Decimal, field: ComparedField) -> Bilingual {
    let value = quantity(value.0, case.unit);
    match (field, years(case.target.period)) {
        (ComparedField::CumulativeValue, Some(years)) => Bilingual::new(
            format!("累計{}（{}）", value.ja, years.ja),
            format!("The sum of {} ({})", value.en, years.en),
        ),
        _ => Bilingual::new(format!("実績{}", value.ja), format!("The result of {}", value.en)),
    }
}

/// The distance of the number from the target: 目標81.2%以上に0.2ポイント届かない.
fn clause(case: &Case<'_>, finding: &Finding, bar: Bar, value: Number) -> Bilingual {
    let target = target(case, finding);
    let gap = bar.gap(value);
    let by = difference(gap, case.unit);
    let at_the_limit = gap == Number::ZERO;
    let (ja, en) = match (bar.met_by(value), bar) {
        (true, Bar::Exactly(_) | Bar::Within(..)) => ("を満たす".into(), "meets"),
        (true, _) if at_the_limit => ("をちょうど満たす".into(), "just meets"),
        (true, _) => (format!("を{}の差で満たす", by.ja), "meets"),
        (false, Bar::Above(_)) if at_the_limit => {
            ("の境と同じ値で、それを超えない".into(), "only reaches the limit of")
        }
        (false, Bar::Below(_)) if at_the_limit => {
            ("の境と同じ値で、それを下回らない".into(), "only reaches the limit of")
        }
        (false, Bar::AtLeast(_) | Bar::Above(_)) => (format!("に{}届かない", by.ja), "misses"),
        (false, Bar::AtMost(_) | Bar::Below(_)) => (format!("を{}上回る", by.ja), "misses"),
        (false, Bar::Exactly(_)) => (format!("と{}異なる", by.ja), "misses"),
        (false, Bar::Within(..)) => (format!("の範囲を{}外れる", by.ja), "misses"),
    };
    let by = match bar {
        _ if at_the_limit => String::new(),
        Bar::Within(..) if gap > Number::ZERO => String::new(),
        _ => format!(" by {}", by.en),
    };
    Bilingual::new(
        format!("目標{}{ja}", target.ja),
        format!("{en} the target of {}{by}", target.en),
    )
}
