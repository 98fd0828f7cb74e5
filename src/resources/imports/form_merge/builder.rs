//! How a form is merged into a stored policy: what the form says is taken, what it cannot say is kept.

use crate::{
    domain::{
        fiscal_year::label,
        form::{Confidence, Field, Form, FormBudget, FormGoal, FormIndicator, Severity},
        kinds::{Direction, ObservationStatus, ValueStatus},
        likeness::{Traits, same_text},
        reading::{Parse, result::ReadResult},
        target::Target,
    },
    resources::{
        imports::{
            Rewording,
            report::ImportNote,
            rewording::{self, Stored},
            source_map::{FieldRef, place},
        },
        policy_forms::printed,
        policy_trees::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator},
        results::ResultInput,
    },
    value::{FiscalYear, GoalCode, Line, OrganizationKey, Prose, TextBox},
};

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
            on: None,
            roll_up: None,
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
        let none = Target::default();
        let known: Vec<_> = goal.indicators.iter().map(|it| traits(it, &none)).collect();
        let known = rewording::find(&known, stored.map_or(&[], |goal| &goal.indicators));
        let indicators = goal.indicators.iter().zip(known);
        let indicators = indicators.map(|(it, known)| self.indicator(&code, it, known)).collect();
        Some(TreeGoal {
            id: stored.and_then(|stored| stored.id),
            title: Line(goal.title.value.clone()),
            issue_recognition: text_box(goal.issue_recognition.as_ref()),
            strategies: text_box(goal.strategies.as_ref()),
            code,
            budgets,
            indicators,
            roll_up: None,
            budgets_by_year: None,
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

    fn indicator(&mut self, code: &GoalCode, indicator: &FormIndicator, known: Stored<'_>) -> TreeIndicator {
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
            evaluation: None,
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

    /// The stored indicator that this one is.
    fn same<'t>(&mut self, indicator: &FormIndicator, known: Stored<'t>) -> Option<&'t TreeIndicator> {
        match (known, self.rewording) {
            (Stored::Named(same), _) | (Stored::Reworded(same), Rewording::Rename) => Some(same),
            (Stored::Nothing, _) | (Stored::Reworded(_), Rewording::Add) => None,
            (Stored::Reworded(gone), Rewording::Refuse) => {
                self.notes.push(ImportNote {
                    line: Some(indicator.read.line),
                    ..rewording::undecided(&gone.name.0, &indicator.read.value.name)
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
        let mut result = stored.map_or_else(
            || ResultInput::nothing_yet(self.year).into(),
            |at| tree.results.remove(at),
        );
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

/// The traits of an indicator of a form; `none` is its target where the form has none. A target that refers to another year has the
/// unit of the results.
fn traits<'a>(indicator: &'a FormIndicator, none: &'a Target) -> Traits<'a> {
    let read = &indicator.read.value;
    let target = read.target.as_ref();
    let printed = || {
        indicator
            .result
            .as_ref()
            .and_then(|result| result.value.unit.as_deref())
    };
    let unit = target.and_then(|target| target.unit.as_deref()).or_else(printed);
    let target = target.map_or(none, |read| &read.target);
    Traits::of(&read.name, unit, read.population.as_deref(), indicator.kind, target)
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
