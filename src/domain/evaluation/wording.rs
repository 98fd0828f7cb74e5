//! Targets, references, periods and days in words of both languages.

use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal as Number;

use super::{case::Case, comparison::Bar, finding::Finding};
use crate::{
    domain::{
        fiscal_year,
        kinds::Rating,
        quantity::{difference, quantity},
        target::{Comparator, Period, PeriodKind, ReferenceKind},
    },
    value::{Codes as _, Decimal, FiscalYear, language::Bilingual},
};

/// A（達成）
pub(super) fn lettered(rating: Rating) -> Bilingual {
    let label = rating.label();
    Bilingual::new(format!("{rating}（{}）", label.ja), format!("{rating} ({})", label.en))
}

/// A day: 2025年6月30日, 30 June 2025.
pub(super) fn day(date: NaiveDate) -> Bilingual {
    Bilingual::new(
        format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        date.format("%-d %B %Y").to_string(),
    )
}

/// A fiscal year: 令和6年度, FY2024.
pub(in crate::domain) fn year(year: FiscalYear) -> Bilingual {
    Bilingual::new(fiscal_year::label(year), format!("FY{year}"))
}

/// The fiscal years a cumulative value covers: 令和3年度から令和5年度まで.
pub(super) fn years(period: Period) -> Option<Bilingual> {
    let (from, to) = (year(period.from?), year(period.to?));
    (period.kind == PeriodKind::Cumulative).then(|| {
        Bilingual::new(
            format!("{}から{}まで", from.ja, to.ja),
            format!("{} to {}", from.en, to.en),
        )
    })
}

/// What a target refers to, with its number if it is known: 前年度実績80.0%.
pub(super) fn reference(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let reference = &case.target.reference;
    let name = match (reference.kind, reference.fiscal_year.map(year)) {
        (ReferenceKind::PreviousYear, _) => Bilingual::new("前年度実績", "the previous year's result"),
        (ReferenceKind::FiscalYear, Some(of)) => {
            Bilingual::new(format!("{}実績", of.ja), format!("the {} result", of.en))
        }
        (ReferenceKind::External, _) => {
            let name = reference.name.as_ref().map(|name| name.0.as_str()).unwrap_or_default();
            Bilingual::new(name, format!("the outside figure {name}"))
        }
        _ => Bilingual::new("基準値", "the baseline"),
    };
    match finding.reference {
        None => name,
        Some((value, _)) => {
            let value = quantity(value.0, case.unit);
            Bilingual::new(
                format!("{}{}", name.ja, value.ja),
                format!("{} of {}", name.en, value.en),
            )
        }
    }
}

/// A target as the rule reads it: 81.2%以上, 「前年度実績80.0%以上」.
pub(super) fn target(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let target = case.target;
    let reference = reference(case, finding);
    let number = |number: Option<Decimal>| number.map(|it| quantity(it.0, case.unit));
    let threshold = number(target.value).unwrap_or_else(|| reference.clone());
    let (ja, en) = (threshold.ja, threshold.en);
    let (ja, en) = match target.comparator {
        Comparator::Gte => (format!("{ja}以上"), format!("at least {en}")),
        Comparator::Gt => (format!("{ja}超"), format!("more than {en}")),
        Comparator::Lte => (format!("{ja}以下"), format!("at most {en}")),
        Comparator::Lt => (format!("{ja}未満"), format!("less than {en}")),
        Comparator::Eq => (ja, format!("exactly {en}")),
        Comparator::Between => {
            let upper = number(target.upper).unwrap_or_else(nothing);
            (format!("{ja}以上{}以下", upper.ja), format!("{en} to {}", upper.en))
        }
        Comparator::Increase => (format!("{ja}より増加"), format!("an increase on {en}")),
        Comparator::Decrease => (format!("{ja}より減少"), format!("a decrease from {en}")),
        Comparator::Maintain => (format!("{ja}の維持"), format!("keeping up with {en}")),
        Comparator::IncreaseBy | Comparator::IncreaseByPercent => {
            let (by, bound) = (by(case), bound(case, finding));
            (
                format!("{}から{}以上増加{}", reference.ja, by.ja, bound.ja),
                format!("at least {} above {}{}", by.en, reference.en, bound.en),
            )
        }
        Comparator::DecreaseBy | Comparator::DecreaseByPercent => {
            let (by, bound) = (by(case), bound(case, finding));
            (
                format!("{}から{}以上減少{}", reference.ja, by.ja, bound.ja),
                format!("at least {} below {}{}", by.en, reference.en, bound.en),
            )
        }
        Comparator::Qualitative => ("（文章）".into(), "a state described in words".into()),
        Comparator::Undecided => ("（未定）".into(), "something undecided".into()),
        Comparator::Unread => ("（未読取）".into(), "something that was not understood".into()),
    };
    match target.reference.kind {
        ReferenceKind::None => Bilingual::new(ja, en),
        _ => Bilingual::new(format!("「{ja}」"), en),
    }
}

/// By how much a target asks for a change.
fn by(case: &Case<'_>) -> Bilingual {
    let target = case.target;
    target.value.map_or_else(nothing, |by| match target.comparator {
        Comparator::IncreaseByPercent | Comparator::DecreaseByPercent => quantity(by.0, Some("%")),
        _ => difference(by.0, case.unit),
    })
}

/// The bar that reference and difference make: （82.0%以上）, （200件の95%で190件以下）.
fn bound(case: &Case<'_>, finding: &Finding) -> Bilingual {
    let number = |bar| quantity(bar, case.unit);
    let part = part(case, finding).unwrap_or_else(nothing);
    match finding.bar.map(|bar| (bar, bar.threshold().map(number))) {
        Ok((Bar::AtLeast(_), Some(it))) => Bilingual::new(
            format!("（{}{}以上）", part.ja, it.ja),
            format!(" ({}at least {})", part.en, it.en),
        ),
        Ok((Bar::AtMost(_), Some(it))) => Bilingual::new(
            format!("（{}{}以下）", part.ja, it.ja),
            format!(" ({}at most {})", part.en, it.en),
        ),
        _ => nothing(),
    }
}

/// The part of its reference that a target in percent asks for: 200件の95%で.
fn part(case: &Case<'_>, finding: &Finding) -> Option<Bilingual> {
    let by = case.target.value?.0;
    let percent = match case.target.comparator {
        Comparator::IncreaseByPercent => Number::ONE_HUNDRED + by,
        Comparator::DecreaseByPercent => Number::ONE_HUNDRED - by,
        _ => return None,
    };
    let (of, _) = finding.reference?;
    let (of, percent) = (quantity(of.0, case.unit), quantity(percent, Some("%")));
    Some(Bilingual::new(
        format!("{}の{}で", of.ja, percent.ja),
        format!("{} of {}: ", percent.en, of.en),
    ))
}

fn nothing() -> Bilingual {
    Bilingual::new("", "")
}
