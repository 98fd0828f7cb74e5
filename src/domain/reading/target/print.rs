//! Prints targets the way forms do: a printed target is read as the target it was.

use super::{Comparator, Period, PeriodKind, Reference, ReferenceKind, Target};
use crate::{
    domain::{
        fiscal_year::label,
        quantity::{quantity, unit_of_difference},
    },
    value::Decimal,
};

/// Prints a target the way forms do; reading the text gives this target again.
///
/// A target that forms have no words for (`maintain` against a year, with a sum over several) is printed in the nearest
/// ones; the text on the form is in `text`.
#[must_use]
pub fn print(target: &Target, unit: Option<&str>) -> String {
    let said = |value: Option<Decimal>, unit| value.map(|it| quantity(it.0, unit).ja).unwrap_or_default();
    let value = said(target.value, unit);
    let than = reference(&target.reference);
    let bar = |word: &str| match target.reference.kind {
        ReferenceKind::None => format!("{value}{word}"),
        _ => format!("{than}{word}"),
    };
    let by = said(target.value, unit_of_difference(unit));
    let body = match target.comparator {
        Comparator::Gte => bar("以上"),
        Comparator::Gt => bar("を上回る"),
        Comparator::Lte => bar("以下"),
        Comparator::Lt => bar("を下回る"),
        Comparator::Eq => bar(""),
        Comparator::Between => format!("{value}～{}", said(target.upper, unit)),
        Comparator::Increase => format!("{than}より増加"),
        Comparator::Decrease => format!("{than}より減少"),
        Comparator::Maintain if target.reference.kind == ReferenceKind::Constant => {
            format!("{}を維持", said(target.reference.value, unit))
        }
        Comparator::Maintain => format!("{than}を維持"),
        Comparator::IncreaseBy => format!("{than}より{by}増加"),
        Comparator::DecreaseBy => format!("{than}より{by}減少"),
        Comparator::Qualitative | Comparator::Unread => {
            return target.text.as_ref().map(|text| text.0.clone()).unwrap_or_default();
        }
        Comparator::Undecided => return "未定".to_owned(),
    };
    let known = match target.reference.kind {
        ReferenceKind::FiscalYear => target.reference.value,
        _ => None,
    };
    let known = known
        .map(|it| format!("（{}）", quantity(it.0, unit).ja))
        .unwrap_or_default();
    let (before, after) = period(target.period);
    format!("{before}{body}{known}{after}")
}

fn reference(reference: &Reference) -> String {
    match (reference.kind, reference.fiscal_year) {
        (ReferenceKind::FiscalYear, Some(year)) => format!("{}実績", label(year)),
        (ReferenceKind::PreviousYear, _) => "前年度実績".to_owned(),
        _ => String::new(),
    }
}

/// The words before and after a target for its period.
fn period(period: Period) -> (String, String) {
    match (period.kind, period.from, period.to) {
        (PeriodKind::Cumulative, Some(from), Some(to)) => {
            (String::new(), format!("（{}～{}合計）", label(from), label(to)))
        }
        (PeriodKind::ByEndOf, _, Some(to)) => (format!("{}末までに", label(to)), String::new()),
        _ => (String::new(), String::new()),
    }
}
