//! What an indicator leaves out: from the text of its target, as imports read it.

use serde_json::{Map, Value};

use crate::{
    domain::{
        kinds::{Direction, IndicatorKind},
        reading::{
            Parse, indicator,
            target::{self, ReadTarget, direction},
        },
        target::{Comparator, Period, Reference, Target},
    },
    error::Violation,
    http::validation::{Known, Members, leave_to, required, said},
    value::{Codes as _, FiscalYear, Line, language::Bilingual},
};

/// The most characters of a unit.
const LONGEST_UNIT: usize = 20;
/// The members of a target without which the text says them.
const WHOLE: [&str; 3] = ["comparator", "reference", "period"];

/// Fills in everything of an indicator that follows from the rest of it.
pub fn fill_in(indicator: &mut Members, known: &Known) -> Vec<Violation> {
    leave_to(indicator, "position", || known.position);
    fill_in_kind_and_target(indicator, known.fiscal_year, known.is_draft)
}

/// Fills in everything but the place of an indicator.
pub fn fill_in_kind_and_target(indicator: &mut Members, year: Option<FiscalYear>, is_draft: bool) -> Vec<Violation> {
    leave_to(indicator, "kind", || Some(IndicatorKind::Outcome));
    fill_in_target(indicator, year, is_draft)
}

/// Fills in the target of an indicator, its unit, its decimals and its direction. As long as the fiscal year is not known in which
/// its text is read, a target that depends on its text is as good as none.
pub fn fill_in_target(indicator: &mut Members, year: Option<FiscalYear>, is_draft: bool) -> Vec<Violation> {
    let name: Option<String> = said(indicator, "name");
    leave_to(indicator, "target", || Some(Target::default()));
    let Some(Value::Object(target)) = indicator.get_mut("target") else {
        return vec![];
    };
    let text: Option<String> = said(target, "text");
    let read = text.as_deref().zip(year).and_then(|(text, year)| match &name {
        Some(name) => indicator::exact(name, text, year).target,
        None => Some(target::read(text, year)),
    });
    if is_draft && text.is_some() && !WHOLE.iter().all(|name| target.contains_key(*name)) {
        *target = members(&Target::default());
    }
    let missing = complete(target, read.as_ref());
    let whole: Option<Target> = said(indicator, "target");
    let whole = whole.unwrap_or_default();
    leave_to(indicator, "unit", || {
        let unit = read.as_ref().and_then(|read| read.unit.clone());
        Some(
            unit.filter(|unit| unit.chars().nth(LONGEST_UNIT).is_none())
                .map(Line::<LONGEST_UNIT>),
        )
    });
    leave_to(indicator, "decimals", || {
        Some(read.as_ref().map_or_else(|| places(&whole), |read| read.decimals))
    });
    leave_to(indicator, "direction", || Some(better(&whole, read.as_ref())));
    missing
        .into_iter()
        .map(|violation| violation.under("/target"))
        .collect()
}

/// Fills in what a target leaves out. Who leaves members out has them read from the text: what is written beside it must then be
/// what the text says, since half of one and half of the other is a target that nobody set. A target that says all is believed.
fn complete(target: &mut Members, read: Option<&ReadTarget>) -> Vec<Violation> {
    if WHOLE.iter().all(|name| target.contains_key(*name)) {
        return vec![];
    }
    let of_text = read.filter(|read| read.parse == Parse::Full).map(|read| &read.target);
    if let Some(of_text) = of_text {
        let others = others(target, of_text);
        if others.is_empty() {
            for (name, value) in members(of_text) {
                target.entry(name).or_insert(value);
            }
        }
        return others;
    }
    let is_alone = !["comparator", "value", "upper", "reference", "period"]
        .iter()
        .any(|name| target.get(*name).is_some_and(|value| !value.is_null()));
    let comparator = if read.is_some() {
        Comparator::Unread
    } else {
        Comparator::Undecided
    };
    leave_to(target, "comparator", || is_alone.then_some(comparator));
    leave_to(target, "reference", || Some(Reference::default()));
    leave_to(target, "period", || Some(Period::default()));
    if target.contains_key("comparator") {
        vec![]
    } else {
        vec![required("/comparator".to_owned())]
    }
}

/// The members of a target that are not what its text says.
fn others(target: &Members, of_text: &Target) -> Vec<Violation> {
    let is_other = |name: &str| match name {
        "comparator" => said(target, name).is_some_and(|it: Comparator| it != of_text.comparator),
        "value" => target.contains_key(name) && said(target, name) != of_text.value,
        "upper" => target.contains_key(name) && said(target, name) != of_text.upper,
        "reference" => said(target, name).is_some_and(|it: Reference| it != of_text.reference),
        _ => said(target, name).is_some_and(|it: Period| it != of_text.period),
    };
    let names = ["comparator", "value", "upper", "reference", "period"].into_iter();
    names
        .filter(|name| is_other(name))
        .map(|name| text_differs(name, of_text))
        .collect()
}

/// The decimal places of the numbers of a target that has no text. A percentage of a reference is no number of the indicator.
fn places(target: &Target) -> u32 {
    use Comparator::{DecreaseByPercent, IncreaseByPercent};
    let of_indicator = !matches!(target.comparator, IncreaseByPercent | DecreaseByPercent);
    let value = target.value.filter(|_| of_indicator);
    let numbers = [value, target.upper, target.reference.value].into_iter().flatten();
    numbers.map(|number| number.0.scale()).max().unwrap_or(0)
}

/// Which way is better: as the text says where it makes the target, else as the comparator does.
fn better(target: &Target, read: Option<&ReadTarget>) -> Direction {
    read.filter(|read| read.parse == Parse::Full && read.target.comparator == target.comparator)
        .map_or_else(|| direction(target.comparator), |read| read.direction)
}

fn members(target: &Target) -> Members {
    match serde_json::to_value(target) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

fn text_differs(name: &str, of_text: &Target) -> Violation {
    let comparator = of_text.comparator.label();
    let detail = Bilingual::new(
        format!(
            "目標の文言（text）は「{}」と読めます。この項目を書かずに送ると文言から読み取ります。comparator・reference・periodをすべて書けば、そのとおりに登録します",
            comparator.ja
        ),
        format!(
            "is not what the text says ({}): leave it out to have it read from the text, or state comparator, reference and period to be \
             believed",
            comparator.en
        ),
    );
    Violation::at(format!("/{name}"), "text_differs", detail)
}
