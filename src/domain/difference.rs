//! The differences between two documents of one policy, named as people name them.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::kinds::BudgetKind;
use crate::{
    text_enum,
    value::{Codes, language::Bilingual},
};

text_enum! {
    /// How something differs from what it was.
    pub enum Difference in "difference" {
        /// It was not there before.
        Added = "added" ("追加", "added"),
        /// It is no longer there.
        Removed = "removed" ("削除", "removed"),
        /// It is there in both, and not the same.
        Changed = "changed" ("変更", "changed"),
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The place (JSON Pointer) in the later document; of something removed, in the earlier one.
    pub pointer: String,
    /// The place in words.
    pub place: Bilingual,
    /// The kind of difference.
    pub what: Difference,
    /// The earlier value; null where there is none.
    pub before: Value,
    /// The later value; null where there is none.
    pub after: Value,
}

/// The labels of a document's fields, in the words of the form.
const LABELS: &[(&str, &str, &str)] = &[
    ("amount_yen", "金額", "amount"),
    ("basic_approach", "所属運営の基本的な考え方", "basic approach"),
    ("budgets", "予算額・決算額", "budgets"),
    ("code", "番号", "code"),
    ("comment", "備考", "comment"),
    (
        "comparable_reason",
        "前年度との比較についての理由",
        "reason for comparability",
    ),
    (
        "comparable_with_previous",
        "前年度との比較の可否",
        "comparability with the year before",
    ),
    ("cumulative_value", "累計値", "cumulative value"),
    ("decimals", "小数点以下の桁数", "decimals"),
    ("declared_rating", "達成状況", "declared rating"),
    ("denominator", "分母", "denominator"),
    ("direction", "望ましい方向", "direction"),
    ("fiscal_year", "年度", "fiscal year"),
    ("future_policy", "今後の方針", "future policy"),
    ("goals", "重点的に取り組む経営課題", "goals"),
    ("head_name", "所属長の氏名", "name of the head"),
    ("head_title", "所属長の職名", "title of the head"),
    ("id", "識別子", "identifier"),
    ("indicators", "指標", "indicators"),
    ("issue_recognition", "課題認識", "issue recognition"),
    ("kind", "種類", "kind"),
    ("measured_on", "測定日", "day of measurement"),
    ("mission", "使命", "mission"),
    ("name", "名称", "name"),
    ("numerator", "分子", "numerator"),
    ("observation_status", "値の確定状況", "observation status"),
    ("organization", "所属", "organization"),
    ("organization_name", "所属の名称", "name of the organization"),
    ("population", "対象", "population"),
    ("precision_yen", "金額の単位", "precision"),
    ("results", "実績", "results"),
    ("results_due_on", "実績の公表期限", "day results are due"),
    ("revision", "改訂番号", "revision"),
    ("sample_size", "標本数", "sample size"),
    ("self_evaluation", "自己評価", "self-evaluation"),
    ("series_id", "系列", "series"),
    ("source", "出典", "source"),
    ("stated_previous_text", "前年度実績（記載）", "previous year as printed"),
    ("stated_previous_value", "前年度実績", "stated previous value"),
    ("status", "記載の有無", "status"),
    ("strategies", "主な戦略", "strategies"),
    ("target", "目標値", "target"),
    ("text", "記載", "text as printed"),
    ("title", "名称", "title"),
    ("unit", "単位", "unit"),
    ("value", "値", "value"),
    ("value_status", "値の状況", "value status"),
    ("vision", "目標", "vision"),
];

/// What a missing member means.
const NULL: &Value = &Value::Null;

/// Whether two documents, or parts of them, say the same. A member that came with a later version of this service is missing in
/// a document from before, and means null.
#[must_use]
pub fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys = one.keys().chain(other.keys());
            keys.all(|key| same(one.get(key).unwrap_or(NULL), other.get(key).unwrap_or(NULL)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => one == other,
    }
}

/// The label of a document's field.
#[must_use]
pub fn label(field: &str) -> Option<Bilingual> {
    LABELS
        .iter()
        .find(|(key, ..)| *key == field)
        .map(|(_, ja, en)| Bilingual::new(*ja, *en))
}

/// A part of a document.
#[derive(Debug, Clone)]
struct Part<'a> {
    pointer: String,
    place: Bilingual,
    value: &'a Value,
}

/// Parts of two documents: the pairs of an earlier and a later part, and the parts of one document only.
struct Pairs<'a> {
    both: Vec<(Part<'a>, Part<'a>)>,
    removed: Vec<Part<'a>>,
    added: Vec<Part<'a>>,
}

/// An indicator, and the place of its goal among the goals.
type Placed<'a> = (usize, Part<'a>);

/// All differences, in the order of the later document; removed parts come after their neighbours. The number of the
/// revision is not compared. Apart from it, documents without a difference are equal.
///
/// Goals are matched by their ids, else by their codes; indicators by their ids, in any goal; budgets by fiscal year
/// and kind; results by fiscal year.
#[must_use]
pub fn between(from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let whole = |value| Part {
        pointer: String::new(),
        place: Bilingual::new("", ""),
        value,
    };
    let (from, to) = (whole(from), whole(to));
    fields(&mut changes, &from, &to, &["revision", "goals"]);

    let (old, new) = (from.items("goals", goal_words), to.items("goals", goal_words));
    // For each goal of the later document its place in the earlier one.
    let earlier = matched(&old, &new, &[|goal| key(goal, "id"), |goal| key(goal, "code")]);
    let mut indicators = indicators(&old, &new);
    for (n, goal) in new.iter().enumerate() {
        let was = earlier.get(n).copied().flatten();
        let before = was.and_then(|m| old.get(m));
        match before {
            None => changes.push(goal.added()),
            Some(before) => {
                fields(&mut changes, before, goal, &["budgets", "indicators"]);
                let budgets = Pairs::of(before, goal, "budgets", budget_words, |budget| {
                    Some(format!("{} {}", shown(budget, "fiscal_year"), shown(budget, "kind")))
                });
                budgets.compare(&mut changes);
            }
        }
        in_goal(&mut changes, &mut indicators, (before, was), (goal, n));
    }
    for (m, goal) in old.iter().enumerate() {
        if !earlier.contains(&Some(m)) {
            changes.push(goal.removed());
        }
    }
    changes
}

/// The indicators of both documents: the later ones, each with its earlier state, and the removed ones.
struct Indicators<'a> {
    new: HashMap<usize, Vec<(Option<Placed<'a>>, Part<'a>)>>,
    gone: HashMap<usize, Vec<Part<'a>>>,
    order: HashMap<usize, Vec<&'a Value>>,
    /// The goals of the earlier document.
    goals: Vec<&'a Value>,
}

fn indicators<'a>(old: &[Part<'a>], new: &[Part<'a>]) -> Indicators<'a> {
    let all = |goals: &[Part<'a>]| -> Vec<Placed<'a>> {
        let placed = goals.iter().enumerate();
        placed
            .flat_map(|(n, goal)| {
                goal.items("indicators", indicator_words)
                    .into_iter()
                    .map(move |part| (n, part))
            })
            .collect()
    };
    let mut before: HashMap<String, Placed<'a>> = HashMap::new();
    let mut order: HashMap<usize, Vec<&'a Value>> = HashMap::new();
    for (m, part) in all(old) {
        order.entry(m).or_default().push(part.value);
        before.insert(identity(part.value), (m, part));
    }
    let mut found: HashMap<usize, Vec<(Option<Placed<'a>>, Part<'a>)>> = HashMap::new();
    for (n, part) in all(new) {
        found
            .entry(n)
            .or_default()
            .push((before.remove(&identity(part.value)), part));
    }
    let mut gone: HashMap<usize, Vec<Part<'a>>> = HashMap::new();
    for (m, part) in before.into_values() {
        gone.entry(m).or_default().push(part);
    }
    for parts in gone.values_mut() {
        // In the order of the document: /9 before /10.
        parts.sort_by_key(|part| (part.pointer.len(), part.pointer.clone()));
    }
    Indicators {
        new: found,
        gone,
        order,
        goals: old.iter().map(|goal| goal.value).collect(),
    }
}

/// The differences among the indicators of one goal. Indicators added or removed with their goal are not named again.
fn in_goal<'a>(
    changes: &mut Vec<Change>,
    indicators: &mut Indicators<'a>,
    (before, was): (Option<&Part<'a>>, Option<usize>),
    (goal, n): (&Part<'a>, usize),
) {
    let now = indicators.new.remove(&n).unwrap_or_default();
    let stayed = |place: &Option<Placed<'a>>| place.as_ref().is_some_and(|(m, _)| Some(*m) == was);
    let kept: Vec<&Value> = now
        .iter()
        .filter(|(place, _)| stayed(place))
        .map(|(_, part)| part.value)
        .collect();
    let order = was.and_then(|m| indicators.order.remove(&m)).unwrap_or_default();
    let kept_before: Vec<&Value> = order
        .into_iter()
        .filter(|value| kept.iter().any(|other| identity(other) == identity(value)))
        .collect();
    if kept_before
        .iter()
        .map(|v| identity(v))
        .ne(kept.iter().map(|v| identity(v)))
    {
        let names = |of: &[&Value]| of.iter().filter_map(|v| v.get("name").cloned()).collect();
        changes.push(Change {
            pointer: format!("{}/indicators", goal.pointer),
            place: then(&goal.place, "指標の順序", "order of the indicators"),
            what: Difference::Changed,
            before: names(&kept_before),
            after: names(&kept),
        });
    }
    for (place, part) in now {
        let Some((_, old)) = &place else {
            if before.is_some() {
                changes.push(part.added());
            }
            continue;
        };
        if let Some((m, _)) = place.as_ref().filter(|_| !stayed(&place)) {
            changes.push(Change {
                pointer: part.pointer.clone(),
                place: then(&part.place, "経営課題", "goal"),
                what: Difference::Changed,
                before: indicators.goals.get(*m).copied().map(brief).unwrap_or_default(),
                after: brief(goal.value),
            });
        }
        fields(changes, old, &part, &["results"]);
        let results = Pairs::of(old, &part, "results", result_words, |result| key(result, "fiscal_year"));
        results.compare(changes);
    }
    let gone = was.and_then(|m| indicators.gone.remove(&m)).unwrap_or_default();
    changes.extend(gone.iter().map(Part::removed));
}

/// A goal in short: id, code and title.
fn brief(goal: &Value) -> Value {
    let members = ["id", "code", "title"].map(|key| (key.to_owned(), goal.get(key).cloned().unwrap_or_default()));
    members.into_iter().collect()
}

impl Part<'_> {
    /// The items of one of the part's lists.
    fn items(&self, list: &str, words: fn(&Value) -> (String, String)) -> Vec<Self> {
        let items = self.value.get(list).and_then(Value::as_array).into_iter().flatten();
        items
            .enumerate()
            .map(|(n, value)| {
                let (ja, en) = words(value);
                Part {
                    pointer: format!("{}/{list}/{n}", self.pointer),
                    place: then(&self.place, &ja, &en),
                    value,
                }
            })
            .collect()
    }

    fn added(&self) -> Change {
        Change {
            pointer: self.pointer.clone(),
            place: self.place.clone(),
            what: Difference::Added,
            before: Value::Null,
            after: self.value.clone(),
        }
    }

    fn removed(&self) -> Change {
        Change {
            what: Difference::Removed,
            before: self.value.clone(),
            after: Value::Null,
            ..self.added()
        }
    }
}

impl<'a> Pairs<'a> {
    fn of(
        from: &Part<'a>,
        to: &Part<'a>,
        list: &str,
        words: fn(&Value) -> (String, String),
        by: fn(&Value) -> Option<String>,
    ) -> Self {
        let (old, new) = (from.items(list, words), to.items(list, words));
        let found = matched(&old, &new, &[by]);
        let removed = old.iter().enumerate().filter(|(m, _)| !found.contains(&Some(*m)));
        let removed = removed.map(|(_, part)| part.clone()).collect();
        let (mut both, mut added) = (Vec::new(), Vec::new());
        for (part, place) in new.into_iter().zip(found) {
            match place.and_then(|m| old.get(m)) {
                Some(before) => both.push((before.clone(), part)),
                None => added.push(part),
            }
        }
        Self { both, removed, added }
    }

    fn compare(&self, changes: &mut Vec<Change>) {
        for (before, after) in &self.both {
            fields(changes, before, after, &[]);
        }
        changes.extend(self.added.iter().map(Part::added));
        changes.extend(self.removed.iter().map(Part::removed));
    }
}

/// Matches each new part to an old one, by the first key that finds one. An old part is matched only once.
fn matched(old: &[Part<'_>], new: &[Part<'_>], keys: &[fn(&Value) -> Option<String>]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; new.len()];
    for by in keys {
        let mut left: HashMap<String, usize> = old
            .iter()
            .enumerate()
            .filter(|(m, _)| !found.contains(&Some(*m)))
            .filter_map(|(m, part)| Some((by(part.value)?, m)))
            .collect();
        for (place, part) in found.iter_mut().zip(new).filter(|(place, _)| place.is_none()) {
            *place = by(part.value).and_then(|key| left.remove(&key));
        }
    }
    found
}

/// Adds the fields that differ, except `but`.
fn fields(changes: &mut Vec<Change>, from: &Part<'_>, to: &Part<'_>, but: &[&str]) {
    let none = Map::new();
    let (old, new) = (
        from.value.as_object().unwrap_or(&none),
        to.value.as_object().unwrap_or(&none),
    );
    let keys = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)));
    for key in keys.filter(|key| !but.contains(&key.as_str())) {
        let (before, after) = (old.get(key), new.get(key));
        if same(before.unwrap_or(NULL), after.unwrap_or(NULL)) {
            continue;
        }
        let words = label(key).unwrap_or_else(|| Bilingual::new(key, key));
        let (what, at) = match (before, after) {
            (None, _) => (Difference::Added, to),
            (_, None) => (Difference::Removed, from),
            _ => (Difference::Changed, to),
        };
        changes.push(Change {
            pointer: format!("{}/{key}", at.pointer),
            place: then(&at.place, &words.ja, &words.en),
            what,
            before: before.cloned().unwrap_or_default(),
            after: after.cloned().unwrap_or_default(),
        });
    }
}

fn then(place: &Bilingual, ja: &str, en: &str) -> Bilingual {
    let join = |place: &str, next: &str| match place {
        "" => next.to_owned(),
        place => format!("{place} › {next}"),
    };
    Bilingual::new(join(&place.ja, ja), join(&place.en, en))
}

fn goal_words(goal: &Value) -> (String, String) {
    let code = shown(goal, "code");
    (format!("経営課題{code}"), format!("goal {code}"))
}

fn budget_words(budget: &Value) -> (String, String) {
    let (year, kind) = (shown(budget, "fiscal_year"), shown(budget, "kind"));
    let kind =
        BudgetKind::from_code(&kind).map_or_else(|| Bilingual::new(kind.as_str(), kind.as_str()), BudgetKind::label);
    (format!("{year}年度{}", kind.ja), format!("FY{year} {}", kind.en))
}

fn indicator_words(indicator: &Value) -> (String, String) {
    let name = shown(indicator, "name");
    (format!("指標「{name}」"), format!("indicator “{name}”"))
}

fn result_words(result: &Value) -> (String, String) {
    let year = shown(result, "fiscal_year");
    (format!("{year}年度の実績"), format!("result for FY{year}"))
}

/// An indicator's id; its name in a document without ids.
fn identity(indicator: &Value) -> String {
    key(indicator, "id").unwrap_or_else(|| shown(indicator, "name"))
}

fn key(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn shown(value: &Value, field: &str) -> String {
    key(value, field).unwrap_or_default()
}

#[cfg(test)]
mod tests;
