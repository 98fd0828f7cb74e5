//! Targets that were not understood, and targets beside the year before: met already, or lowered.

use super::{FindingField, FindingKind, FindingValue, Misfit, Seen, number, valued};
use crate::{
    domain::{
        evaluation::{comparison::Bar, wording::year},
        likeness::same_unit,
        target::{Comparator, PeriodKind, ReferenceKind, Target},
    },
    value::{Codes as _, language::Bilingual},
};

/// A target that last year's result meets asks for nothing new; relative targets and sums over years always do.
pub(super) fn target_already_met(now: &Seen<'_>, before: &Seen<'_>) -> Option<Misfit> {
    let target = now.terms.target;
    let absolute = matches!(target.reference.kind, ReferenceKind::None) && target.period.kind != PeriodKind::Cumulative;
    let comparable = now.terms.comparable != Some(false) && same_unit(now.terms.unit, before.terms.unit);
    let previous = before.value?;
    let bar = Bar::of(target, None, now.terms.direction).ok()?;
    if !absolute || !comparable || !bar.met_by(previous.0) {
        return None;
    }
    let was = number(previous, before.terms.unit);
    let is = printed(target, now.terms.unit);
    let (this, last) = (year(now.terms.fiscal_year), year(before.terms.fiscal_year));
    let sentence = Bilingual::new(
        format!(
            "{}の目標{}は、{}の実績{}ですでに満たされている。",
            this.ja, is.ja, last.ja, was.ja
        ),
        format!(
            "The {} target of {} is met already by the {} result of {}.",
            this.en, is.en, last.en, was.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::TargetAlreadyMet,
        found: FindingValue {
            field: FindingField::TargetValue,
            text: Some(is.ja),
            value: target.value,
        },
        against: valued(FindingField::Value, previous, before.terms.unit),
        is_earlier: true,
        sentence,
    })
}

/// A text that was not understood whole is not judged.
pub(super) fn target_unread(now: &Seen<'_>) -> Option<Misfit> {
    let target = now.terms.target;
    let text = target.text.as_ref().map(|text| text.0.as_str()).unwrap_or_default();
    (target.comparator == Comparator::Unread).then(|| Misfit {
        kind: FindingKind::TargetUnread,
        found: FindingValue {
            field: FindingField::TargetValue,
            text: (!text.is_empty()).then(|| text.to_owned()),
            value: None,
        },
        against: FindingValue {
            field: FindingField::Rule,
            text: None,
            value: None,
        },
        is_earlier: false,
        sentence: Bilingual::new(
            format!("目標「{text}」を全部は読み取れていない。意味の確認が必要。"),
            format!("The target '{text}' was not understood whole; its meaning is to be confirmed."),
        ),
    })
}

/// The threshold is easier than last year's. The comparators tell whether a higher or a lower number is easier.
pub(super) fn target_lowered(now: &Seen<'_>, before: &Seen<'_>) -> Option<Misfit> {
    use Comparator::{Gt, Gte, Lt, Lte};
    let (is, was) = (now.terms.target, before.terms.target);
    let (new, old) = (is.value?, was.value?);
    let alike = is.period.kind == was.period.kind && same_unit(now.terms.unit, before.terms.unit);
    let easier = match (is.comparator, was.comparator) {
        (Gte | Gt, Gte | Gt) => new < old,
        (Lte | Lt, Lte | Lt) => new > old,
        _ => false,
    };
    if !alike || !easier {
        return None;
    }
    let (asks, asked) = (printed(is, now.terms.unit), printed(was, before.terms.unit));
    let (this, last) = (year(now.terms.fiscal_year), year(before.terms.fiscal_year));
    let sentence = Bilingual::new(
        format!(
            "{}の目標{}は、{}の目標{}より低い水準である。",
            this.ja, asks.ja, last.ja, asked.ja
        ),
        format!(
            "The {} target of {} asks for less than the {} target of {}.",
            this.en, asks.en, last.en, asked.en
        ),
    );
    Some(Misfit {
        kind: FindingKind::TargetLowered,
        found: FindingValue {
            field: FindingField::TargetValue,
            text: Some(asks.ja),
            value: Some(new),
        },
        against: FindingValue {
            field: FindingField::TargetValue,
            text: Some(asked.ja),
            value: Some(old),
        },
        is_earlier: true,
        sentence,
    })
}

/// A target as printed; without a text, by comparator and value: 48%以上.
fn printed(target: &Target, unit: Option<&str>) -> Bilingual {
    let value = target.value.map(|value| number(value, unit));
    let upper = target.upper.map(|upper| number(upper, unit));
    let label = target.comparator.label();
    let read = match (value, upper) {
        (Some(value), Some(upper)) => Bilingual::new(
            format!("{}以上{}以下", value.ja, upper.ja),
            format!("{} to {}", value.en, upper.en),
        ),
        (Some(value), None) => Bilingual::new(
            format!("{}{}", value.ja, label.ja),
            format!("{} {}", label.en, value.en),
        ),
        (None, _) => label,
    };
    match &target.text {
        Some(text) => Bilingual::new(text.0.as_str(), read.en),
        None => read,
    }
}
