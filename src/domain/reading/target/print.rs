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
    let percent = said(target.value, Some("%"));
    let against = compared(&target.reference);
    let body = match target.comparator {
        Comparator::Gte => bar("以上"),
        Comparator::Gt => bar("を上回る"),
        // The third place or below would be another target.
        Comparator::Lte if unit.is_some_and(|unit| unit.ends_with(['位', '級', '等'])) => bar("以内"),
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
        // Of the number itself: points are said with より.
        Comparator::IncreaseByPercent => format!("{against}{percent}増"),
        Comparator::DecreaseByPercent => format!("{against}{percent}減"),
        Comparator::Qualitative | Comparator::Unread => {
            return target.text.as_ref().map(|text| text.0.clone()).unwrap_or_default();
        }
        Comparator::Undecided => return "未定".to_owned(),
    };
    let is_said = target.comparator == Comparator::Maintain && target.reference.kind == ReferenceKind::Constant;
    let known = target
        .reference
        .value
        .filter(|_| !is_said)
        .map(|it| format!("（{}）", quantity(it.0, unit).ja))
        .unwrap_or_default();
    let (before, after) = period(target.period);
    format!("{before}{body}{known}{after}")
}

fn reference(reference: &Reference) -> String {
    match (reference.kind, reference.fiscal_year) {
        (ReferenceKind::FiscalYear, Some(year)) => format!("{}実績", label(year)),
        (ReferenceKind::PreviousYear, _) => "前年度実績".to_owned(),
        _ => other(reference),
    }
}

/// A reference before a change in percent of it: 前年度比, 令和4年度比, 市平均比.
fn compared(reference: &Reference) -> String {
    match (reference.kind, reference.fiscal_year) {
        (ReferenceKind::FiscalYear, Some(year)) => format!("{}比", label(year)),
        (ReferenceKind::PreviousYear, _) => "前年度比".to_owned(),
        _ => format!("{}比", other(reference)),
    }
}

/// A reference that is no result.
fn other(reference: &Reference) -> String {
    match (reference.kind, &reference.name) {
        (ReferenceKind::External, Some(name)) => name.0.clone(),
        (ReferenceKind::Constant, _) => "基準値".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::fixtures::{cumulative, number, year},
        value::Line,
    };

    fn printed(comparator: Comparator, value: Option<&str>, reference: Reference, unit: Option<&str>) -> String {
        let target = Target {
            comparator,
            value: value.map(number),
            reference,
            ..Target::default()
        };
        assert_eq!(target.faults(), [], "{target:?}");
        print(&target, unit)
    }

    fn reference(kind: ReferenceKind, of: Option<i32>, value: Option<&str>) -> Reference {
        Reference {
            kind,
            fiscal_year: of.map(year),
            value: value.map(number),
            name: (kind == ReferenceKind::External).then(|| Line("市平均".to_owned())),
        }
    }

    #[test]
    fn a_change_in_percent_of_a_number_is_not_printed_as_one_in_points() {
        use Comparator::{DecreaseBy, DecreaseByPercent, IncreaseByPercent};
        use ReferenceKind::{Constant, External, FiscalYear, PreviousYear};
        for (comparator, reference, unit, expected) in [
            (
                IncreaseByPercent,
                reference(PreviousYear, None, None),
                Some("件"),
                "前年度比5%増",
            ),
            (
                DecreaseByPercent,
                reference(PreviousYear, None, None),
                Some("%"),
                "前年度比5%減",
            ),
            (
                DecreaseBy,
                reference(PreviousYear, None, None),
                Some("%"),
                "前年度実績より5ポイント減少",
            ),
            (
                DecreaseByPercent,
                reference(FiscalYear, Some(2019), None),
                Some("件"),
                "令和元年度比5%減",
            ),
            (
                DecreaseByPercent,
                reference(FiscalYear, Some(2022), Some("1020")),
                Some("件"),
                "令和4年度比5%減（1,020件）",
            ),
            (
                IncreaseByPercent,
                reference(Constant, None, Some("80")),
                None,
                "基準値比5%増（80）",
            ),
            (
                IncreaseByPercent,
                reference(External, None, None),
                Some("人"),
                "市平均比5%増",
            ),
        ] {
            assert_eq!(printed(comparator, Some("5"), reference, unit), expected);
        }
    }

    #[test]
    fn a_figure_from_outside_is_printed_by_its_name_with_its_number_if_it_has_one() {
        use Comparator::{Gt, Gte, Increase, IncreaseBy, Lte, Maintain};
        let external = |value| reference(ReferenceKind::External, None, value);
        for (comparator, by, value, expected) in [
            (Gte, None, None, "市平均以上"),
            (Gte, None, Some("58.3"), "市平均以上（58.3%）"),
            (Gt, None, Some("58.3"), "市平均を上回る（58.3%）"),
            (Lte, None, None, "市平均以下"),
            (Increase, None, None, "市平均より増加"),
            (Maintain, None, None, "市平均を維持"),
            (IncreaseBy, Some("2"), None, "市平均より2ポイント増加"),
        ] {
            assert_eq!(printed(comparator, by, external(value), Some("%")), expected);
        }
    }

    #[test]
    fn a_number_that_is_referred_to_is_printed_once() {
        let constant = || reference(ReferenceKind::Constant, None, Some("80"));
        assert_eq!(printed(Comparator::Maintain, None, constant(), Some("%")), "80%を維持");
        assert_eq!(
            printed(Comparator::Gt, None, constant(), Some("%")),
            "基準値を上回る（80%）"
        );
        let target = Target {
            comparator: Comparator::DecreaseByPercent,
            value: Some(number("2.5")),
            reference: constant(),
            period: cumulative(2024, 2026),
            ..Target::default()
        };
        assert_eq!(
            print(&target, Some("件")),
            "基準値比2.5%減（80件）（令和6年度～令和8年度合計）"
        );
    }
}
