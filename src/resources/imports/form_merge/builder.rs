//! How a form is merged into a stored policy: what the form says is taken, what it cannot say is kept.

use std::collections::HashSet;

use crate::{
    domain::{
        fiscal_year::label,
        form::{Confidence, Field, Form, FormBudget, FormGoal, FormIndicator, Severity},
        kinds::{Direction, ObservationStatus, ValueStatus},
        likeness::{Traits, likeness, plain, same_text},
        reading::{Parse, result::ReadResult},
        target::Target,
    },
    resources::{
        imports::{
            Rewording,
            report::ImportNote,
            source_map::{FieldRef, place},
        },
        policy_forms::printed,
        policy_trees::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator},
        results::ResultInput,
    },
    value::{FiscalYear, GoalCode, Line, OrganizationKey, Prose, TextBox, language::Bilingual},
};

/// A goal's indicators: those that are stored, and the names of those in the form.
struct KnownIndicators<'a> {
    stored: Vec<(&'a TreeIndicator, Traits<'a>)>,
    said: HashSet<String>,
}

impl<'a> KnownIndicators<'a> {
    fn of(goal: &FormGoal, stored: Option<&'a TreeGoal>) -> Self {
        let stored = stored.into_iter().flat_map(|goal| &goal.indicators);
        let traits = |it: &'a TreeIndicator| {
            let population = it.population.as_ref().map(|population| population.0.as_str());
            let unit = it.unit.as_ref().map(|unit| unit.0.as_str());
            Traits::of(&it.name.0, unit, population, it.kind, &it.target)
        };
        Self {
            stored: stored.map(|it| (it, traits(it))).collect(),
            said: goal.indicators.iter().map(|it| plain(&it.read.value.name)).collect(),
        }
    }
}

/// The merge of a form.
pub(super) struct FormMerge<'a> {
    pub(super) year: FiscalYear,
    pub(super) rewording: Rewording,
    pub(super) stored: Option<&'a PolicyTree>,
    pub(super) places: Vec<(FieldRef, u32, Confidence)>,
    pub(super) notes: Vec<ImportNote>,
}

impl FormMerge<'_> {
    pub(super) fn policy(&mut self, form: &Form, organization: OrganizationKey) -> PolicyTree {
        let line = |field: &Option<Field<String>>| field.as_ref().map(|field| Line(field.value.clone()));
        let goals = form.goals.iter().filter_map(|goal| self.goal(goal)).collect();
        for (name, found) in [
            ("organization", form.organization.as_ref().map(place)),
            ("fiscal_year", form.fiscal_year.as_ref().map(place)),
            ("head_name", form.head_name.as_ref().map(place)),
            ("head_title", form.head_title.as_ref().map(place)),
            ("vision", form.vision.as_ref().map(place)),
            ("mission", form.mission.as_ref().map(place)),
            ("basic_approach", form.basic_approach.as_ref().map(place)),
            ("self_evaluation", form.self_evaluation.as_ref().map(place)),
            ("future_policy", form.future_policy.as_ref().map(place)),
        ] {
            self.at(FieldRef::Policy(name), found);
        }
        PolicyTree {
            id: None,
            organization,
            organization_name: None,
            fiscal_year: self.year,
            revision: None,
            head_name: line(&form.head_name),
            head_title: line(&form.head_title),
            vision: text_box(form.vision.as_ref()),
            mission: text_box(form.mission.as_ref()),
            basic_approach: text_box(form.basic_approach.as_ref()),
            self_evaluation: text_box(form.self_evaluation.as_ref()),
            future_policy: text_box(form.future_policy.as_ref()),
            results_due_on: None,
            source: self
                .stored
                .is_none_or(|stored| stored.source.is_none())
                .then(|| Prose(source(form, self.year))),
            goals,
        }
    }

    fn at(&mut self, spot: FieldRef, found: Option<(u32, Confidence)>) {
        self.places
            .extend(found.map(|(line, confidence)| (spot, line, confidence)));
    }

    fn goal(&mut self, goal: &FormGoal) -> Option<TreeGoal> {
        let code: GoalCode = match goal.code.value.parse() {
            Ok(code) => code,
            Err(detail) => {
                self.notes.push(ImportNote {
                    severity: Severity::Error,
                    code: "goal_code".to_owned(),
                    sheet: None,
                    line: Some(goal.code.line),
                    column: None,
                    pointer: None,
                    detail,
                });
                return None;
            }
        };
        for (name, found) in [
            ("code", Some(place(&goal.code))),
            ("title", Some(place(&goal.title))),
            ("issue_recognition", goal.issue_recognition.as_ref().map(place)),
            ("strategies", goal.strategies.as_ref().map(place)),
        ] {
            self.at(FieldRef::Goal(code.clone(), name), found);
        }
        let stored = self
            .stored
            .and_then(|tree| tree.goals.iter().find(|goal| goal.code == code));
        let budgets = goal.budgets.iter().map(|budget| self.budget(&code, budget, stored));
        let budgets = budgets.collect();
        let known = KnownIndicators::of(goal, stored);
        let indicators = goal.indicators.iter();
        let indicators = indicators.map(|it| self.indicator(&code, it, &known)).collect();
        Some(TreeGoal {
            id: stored.and_then(|stored| stored.id),
            title: Line(goal.title.value.clone()),
            issue_recognition: text_box(goal.issue_recognition.as_ref()),
            strategies: text_box(goal.strategies.as_ref()),
            code,
            budgets,
            indicators,
        })
    }

    /// A figure; one that could not be read has its text alone.
    fn budget(&mut self, goal: &GoalCode, field: &Field<FormBudget>, stored: Option<&TreeGoal>) -> TreeBudget {
        let (figure, money) = (&field.value, &field.value.money);
        self.at(
            FieldRef::Budget(goal.clone(), figure.fiscal_year, figure.kind),
            Some(place(field)),
        );
        let text = figure.text.clone().map(Line);
        let mut budgets = stored.into_iter().flat_map(|goal| &goal.budgets);
        let same = budgets.find(|it| (it.fiscal_year, it.kind) == (figure.fiscal_year, figure.kind));
        if let Some(same) = same.filter(|same| printed::budget(same) == text && same.status == money.status) {
            return same.clone();
        }
        TreeBudget {
            id: same.and_then(|same| same.id),
            fiscal_year: figure.fiscal_year,
            kind: figure.kind,
            status: money.status,
            amount_yen: money.amount_yen,
            precision_yen: money.precision_yen,
            text,
        }
    }

    fn indicator(&mut self, code: &GoalCode, indicator: &FormIndicator, known: &KnownIndicators<'_>) -> TreeIndicator {
        let read = &indicator.read.value;
        let same = self.same(indicator, known);
        let mut tree = same.cloned().unwrap_or_else(|| TreeIndicator {
            id: None,
            kind: indicator.kind,
            name: Line(read.name.clone()),
            population: read.population.clone().map(Line),
            unit: None,
            decimals: 0,
            direction: Direction::Unknown,
            series_id: None,
            comparable_with_previous: None,
            comparable_reason: None,
            target: Target::default(),
            results: vec![],
        });
        tree.kind = indicator.kind;
        if !same_text(&tree.name.0, &read.name) {
            tree.name = Line(read.name.clone());
        }
        // A target that is printed as before stays as stored, whatever else is known of it.
        if let Some(read) = read.target.as_ref().filter(|read| {
            let stored = same.and_then(|same| printed::target(&same.target, same.unit.as_ref()));
            same.is_none() || read.target.text != stored
        }) {
            tree.target = read.target.clone();
            tree.unit = read.unit.clone().map(Line).or(tree.unit);
            tree.decimals = i32::try_from(read.decimals).unwrap_or_default();
            tree.direction = if read.parse == Parse::Full {
                read.direction
            } else {
                Direction::Unknown
            };
        }
        // A target that refers to another year has no unit of its own.
        if let (None, Some(printed)) = (&tree.unit, indicator.result.as_ref().map(|field| &field.value)) {
            tree.unit = printed.unit.clone().map(Line);
            let places = printed.value.map_or(0, |value| value.0.scale());
            tree.decimals = tree.decimals.max(places.try_into().unwrap_or_default());
        }
        self.at(
            FieldRef::Indicator(code.clone(), tree.name.clone()),
            Some(place(&indicator.read)),
        );
        self.result(code, indicator, &mut tree);
        tree
    }

    /// The stored indicator that this one is: of the same name but for widths and blanks; or of nearly the same name,
    /// if a person said that these are the same.
    fn same<'t>(&mut self, indicator: &FormIndicator, known: &KnownIndicators<'t>) -> Option<&'t TreeIndicator> {
        let read = &indicator.read.value;
        let unit = read.target.as_ref().and_then(|target| target.unit.as_deref());
        let none = Target::default();
        let target = read.target.as_ref().map_or(&none, |read| &read.target);
        let traits = Traits::of(&read.name, unit, read.population.as_deref(), indicator.kind, target);
        let stored = || known.stored.iter();
        if let Some((same, _)) = stored().find(|(_, other)| other.name() == traits.name()) {
            return Some(same);
        }
        let mut unsaid = stored().filter(|(_, other)| !known.said.contains(other.name()));
        let (near, _) = unsaid.find(|(_, other)| likeness(&traits, other).is_close())?;
        match self.rewording {
            Rewording::Rename => Some(near),
            Rewording::Add => None,
            Rewording::Refuse => {
                let (old, new) = (&near.name.0, &read.name);
                self.notes.push(ImportNote {
                    severity: Severity::Error,
                    code: "rewording".to_owned(),
                    sheet: None,
                    line: Some(indicator.read.line),
                    column: None,
                    pointer: None,
                    detail: Bilingual::new(
                        format!("「{new}」は登録済みの「{old}」の表現を変えたものかもしれません。同じ指標ならrewording=rename、新しい指標ならrewording=addを指定してください"),
                        format!("'{new}' may be the stored '{old}' in other words: say rewording=rename if it is, rewording=add if it is a new one"),
                    ),
                });
                None
            }
        }
    }

    /// Merges the result in the form into the stored result.
    fn result(&mut self, goal: &GoalCode, indicator: &FormIndicator, tree: &mut TreeIndicator) {
        let said = indicator.result.as_ref().filter(|field| {
            let read = &field.value;
            read.value_status.is_some() || read.declared_rating.is_some()
        });
        if said.is_none() && indicator.previous.is_none() {
            return;
        }
        let found = said.map(place).or_else(|| indicator.previous.as_ref().map(place));
        self.at(FieldRef::Result(goal.clone(), tree.name.clone(), self.year), found);
        let stored = tree.results.iter().position(|result| result.fiscal_year == self.year);
        let mut result = stored.map_or_else(|| ResultInput::nothing_yet(self.year), |at| tree.results.remove(at));
        if let Some(read) = said.map(|field| &field.value) {
            report(&mut result, read, tree.unit.as_ref());
        }
        if let Some((text, read)) = indicator.previous.as_ref().map(|field| &field.value)
            && printed::previous(&result, tree.unit.as_ref()).is_none_or(|stored| stored.0 != *text)
        {
            result.stated_previous_text = Some(Line(text.clone()));
            result.stated_previous_value = read.value;
        }
        tree.results.insert(stored.unwrap_or(tree.results.len()), result);
    }
}

/// Merges what a form says into a result; a result that is printed as before stays as stored.
fn report(result: &mut ResultInput, read: &ReadResult, unit: Option<&Line<20>>) {
    result.declared_rating = read.declared_rating;
    let text = read.text.clone().map(Prose);
    let stored = printed::result(result, unit);
    let Some(status) = read.value_status.filter(|_| stored != text) else {
        return;
    };
    result.text = text;
    result.value = read.value;
    result.cumulative_value = read.cumulative_value.filter(|_| status == ValueStatus::Reported);
    result.value_status = status;
    result.observation_status = match status {
        ValueStatus::Reported => read.observation_status,
        _ => ObservationStatus::Provisional,
    };
}

/// Where the data comes from, and what was corrected on the way.
fn source(form: &Form, year: FiscalYear) -> String {
    let name = form
        .organization
        .as_ref()
        .map(|field| field.value.trim_start_matches("大阪市"));
    let name = name.unwrap_or_default();
    let reported = form
        .goals
        .iter()
        .flat_map(|goal| &goal.indicators)
        .any(|it| it.result.is_some());
    let stage = if reported { "実績公表時" } else { "計画公表時" };
    let mut source = format!(
        "大阪市{name}「{} {name}運営方針」【共通様式】（{stage}）。",
        label(year)
    );
    for (place, found, corrected) in &form.corrections {
        source.extend([
            "転記の際、",
            place,
            "にある文字認識の誤り「",
            found,
            "」を「",
            corrected,
            "」に訂正した。",
        ]);
    }
    source
}

fn text_box(field: Option<&Field<Vec<String>>>) -> Option<TextBox> {
    let items = &field?.value;
    Some(TextBox(items.iter().cloned().map(Prose).collect()))
}
