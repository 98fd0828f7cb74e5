//! The tree of a policy as callers read and write it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    TreeResult, defaults,
    evaluated::{BudgetsByYear, not_looked_at},
};
use crate::{
    domain::{
        evaluation::Evaluation,
        form::MOST_INDICATORS,
        kinds::{BudgetKind, BudgetStatus, Direction, IndicatorKind},
        roll_up::RollUp,
        target::Target,
    },
    error::Violation,
    http::validation::{Known, Members, Rules},
    resources::{
        budgets::{self, BudgetInput},
        goals::GoalInput,
        indicators::{self, IndicatorInput},
        policies::{self, PolicyInput},
    },
    value::{Date, FiscalYear, GoalCode, Id, Line, OrganizationKey, Prose, TextBox, Yen, language::Bilingual},
};

/// A policy with its goals, budgets, indicators and results. What was read can be sent back as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": null, "organization": "nishi", "organization_name": "西区", "fiscal_year": 2024, "revision": null, "head_name": "三村 浩也", "head_title": null,
    "vision": ["「誰もが誇りに思える西区」"], "mission": [], "basic_approach": [], "self_evaluation": null, "future_policy": null,
    "results_due_on": "2025-06-30", "source": null, "on": null, "roll_up": null,
    "goals": [{
        "id": null, "code": "1-1", "title": "地域コミュニティの活性化", "issue_recognition": [], "strategies": [], "indicators": [],
        "roll_up": null, "budgets_by_year": null, "budgets": [{ "id": null, "fiscal_year": 2024, "kind": "initial", "status": "stated", "amount_yen": 85_000_000,
            "precision_yen": 1_000_000, "text": "85百万円" }]
    }]
}))]
pub struct PolicyTree {
    /// Identifier; when sent, that of the policy.
    pub id: Option<Id>,
    /// The organization: its slug, or its municipality code. Left out of a PUT, it is that of the path.
    #[schema(required = false)]
    pub organization: OrganizationKey,
    /// Name of the organization; when sent, the stored one.
    #[schema(example = "西区")]
    pub organization_name: Option<Line<100>>,
    /// Fiscal year. Left out of a PUT, it is that of the path.
    #[schema(required = false)]
    pub fiscal_year: FiscalYear,
    /// The number of the revision this is; null where it shows what is not published. When sent, it is not looked at.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub revision: Option<i32>,
    /// Name of the head (所属長).
    #[schema(example = "三村 浩也")]
    pub head_name: Option<Line<100>>,
    /// Title of the head.
    pub head_title: Option<Line<100>>,
    /// What the organization wants to become (目標).
    pub vision: Option<TextBox>,
    /// What it is for (使命).
    pub mission: Option<TextBox>,
    /// How it means to work this year (所属運営の基本的な考え方).
    pub basic_approach: Option<TextBox>,
    /// How it judges the year (自己評価).
    pub self_evaluation: Option<TextBox>,
    /// What it will do next (今後の方針).
    pub future_policy: Option<TextBox>,
    /// The day by which results are due; 30 June after the fiscal year by default.
    pub results_due_on: Option<Date>,
    /// Where the data comes from, and what was corrected on the way.
    pub source: Option<Prose<4000>>,
    /// The goals, in the order of their codes; at most 1,000 indicators in all of them together.
    #[schema(max_items = 100)]
    pub goals: Vec<TreeGoal>,
    /// The day of the evaluations; null without `with=evaluation`.
    #[serde(default, deserialize_with = "not_looked_at")]
    #[schema(read_only)]
    pub on: Option<Date>,
    /// All indicators, counted by outcome; null without `with=evaluation`.
    #[serde(default, deserialize_with = "not_looked_at")]
    #[schema(read_only)]
    pub roll_up: Option<RollUp>,
}

/// A goal in a tree; it is matched by its code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeGoal {
    /// Identifier; when sent, that of the stored goal with this code.
    pub id: Option<Id>,
    /// Code, unique within the policy.
    pub code: GoalCode,
    /// Title.
    #[schema(example = "地域コミュニティの活性化")]
    pub title: Line<300>,
    /// What needs doing (課題認識).
    pub issue_recognition: Option<TextBox>,
    /// How it will be done (主な戦略).
    pub strategies: Option<TextBox>,
    /// The budgets, by fiscal year.
    #[schema(max_items = 100)]
    pub budgets: Vec<TreeBudget>,
    /// The indicators, in the order of the form.
    #[schema(max_items = 200)]
    pub indicators: Vec<TreeIndicator>,
    /// Its indicators, counted by outcome; null without `with=evaluation`.
    #[serde(default, deserialize_with = "not_looked_at")]
    #[schema(read_only)]
    pub roll_up: Option<RollUp>,
    /// The amounts of its budgets, by fiscal year and kind; null without `with=evaluation`.
    #[serde(default, deserialize_with = "not_looked_at")]
    #[schema(read_only)]
    pub budgets_by_year: Option<BudgetsByYear>,
}

/// A budget in a tree; it is matched by its fiscal year and kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeBudget {
    /// Identifier; when sent, that of the stored figure for this fiscal year and kind.
    pub id: Option<Id>,
    /// Fiscal year of the figure.
    pub fiscal_year: FiscalYear,
    /// What kind of fact it is.
    pub kind: BudgetKind,
    /// Whether an amount is stated. Left out, it follows from the amount, else from the text.
    #[schema(required = false)]
    pub status: BudgetStatus,
    /// The amount; null unless stated.
    pub amount_yen: Option<Yen>,
    /// What the amount is rounded to; null unless stated.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 1_000_000)]
    pub precision_yen: Option<i64>,
    /// The figure as printed.
    #[schema(example = "85百万円")]
    pub text: Option<Line<200>>,
}

/// An indicator in a tree; it is matched by its id, else by its name within the goal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": null, "kind": "outcome", "name": "地域活動協議会を知っている区民アンケート回答者の割合", "population": "区民アンケート回答者",
    "unit": "%", "decimals": 0, "direction": "higher_is_better", "series_id": null, "comparable_with_previous": null,
    "comparable_reason": null, "results": [], "evaluation": null,
    "target": { "text": "40%以上", "comparator": "gte", "value": 40, "upper": null,
        "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
        "period": { "kind": "single_year", "from": null, "to": null } }
}))]
pub struct TreeIndicator {
    /// Identifier; null for one that is new, or known by its name.
    pub id: Option<Id>,
    /// What sort of indicator it is; `outcome` if left out.
    #[schema(required = false)]
    pub kind: IndicatorKind,
    /// Name, unique within the goal.
    #[schema(example = "地域活動協議会を知っている区民アンケート回答者の割合")]
    pub name: Line<500>,
    /// Who or what is counted.
    pub population: Option<Line<300>>,
    /// Unit as printed.
    #[schema(example = "%")]
    pub unit: Option<Line<20>>,
    /// Decimal places the indicator is stated with.
    #[schema(minimum = 0, maximum = 9, example = 0, required = false)]
    pub decimals: i32,
    /// Which way is better. Left out, it follows from the target, as unit and decimals do.
    #[schema(required = false)]
    pub direction: Direction,
    /// The series it continues; null starts a new one, or leaves a stored indicator in its own.
    pub series_id: Option<Id>,
    /// Whether its results can be compared with the year before.
    pub comparable_with_previous: Option<bool>,
    /// Why, or why not.
    pub comparable_reason: Option<Prose<1000>>,
    /// What is aimed for; its text is enough.
    #[schema(required = false)]
    pub target: Target,
    /// The results, by fiscal year.
    #[schema(max_items = 151)]
    pub results: Vec<TreeResult>,
    /// The evaluation for the policy's fiscal year; null without `with=evaluation`.
    #[serde(default, deserialize_with = "not_looked_at")]
    #[schema(read_only)]
    pub evaluation: Option<Evaluation>,
}

impl PolicyTree {
    /// The policy itself, as callers write it.
    #[must_use]
    pub fn input(&self) -> PolicyInput {
        PolicyInput {
            organization: self.organization.clone(),
            fiscal_year: self.fiscal_year,
            head_name: self.head_name.clone(),
            head_title: self.head_title.clone(),
            vision: self.vision.clone(),
            mission: self.mission.clone(),
            basic_approach: self.basic_approach.clone(),
            self_evaluation: self.self_evaluation.clone(),
            future_policy: self.future_policy.clone(),
            results_due_on: self.results_due_on,
            source: self.source.clone(),
        }
    }
}

impl TreeGoal {
    pub(super) fn input(&self, policy_id: Id) -> GoalInput {
        GoalInput {
            policy_id,
            code: self.code.clone(),
            title: self.title.clone(),
            issue_recognition: self.issue_recognition.clone(),
            strategies: self.strategies.clone(),
        }
    }
}

impl TreeBudget {
    pub(super) fn input(&self, goal_id: Id) -> BudgetInput {
        BudgetInput {
            goal_id,
            fiscal_year: self.fiscal_year,
            kind: self.kind,
            status: self.status,
            amount_yen: self.amount_yen,
            precision_yen: self.precision_yen,
            text: self.text.clone(),
        }
    }
}

impl TreeIndicator {
    pub(super) fn input(&self, goal_id: Id, position: i32, stored_series: Option<Id>) -> IndicatorInput {
        IndicatorInput {
            goal_id,
            position,
            kind: self.kind,
            name: self.name.clone(),
            population: self.population.clone(),
            unit: self.unit.clone(),
            decimals: self.decimals,
            direction: self.direction,
            series_id: self.series_id.or(stored_series),
            comparable_with_previous: self.comparable_with_previous,
            comparable_reason: self.comparable_reason.clone(),
            target: self.target.clone(),
        }
    }
}

impl Rules for PolicyTree {
    fn contradictions(&self, path: &Known) -> Vec<Violation> {
        policies::contradictions(path, &self.organization, self.fiscal_year)
    }

    fn fill_in(body: &mut Members, known: &Known) -> Vec<Violation> {
        defaults::fill_in(body, known)
    }

    fn broken(&self) -> Vec<Violation> {
        let mut broken = self.input().broken();
        let mut ids = HashSet::new();
        repeated(&mut broken, "/goals", self.goals.iter().map(|goal| &goal.code));
        if self.goals.iter().map(|goal| goal.indicators.len()).sum::<usize>() > MOST_INDICATORS {
            let detail = Bilingual::new(
                format!("指標は合わせて{MOST_INDICATORS}件までです"),
                format!("must have at most {MOST_INDICATORS} indicators in all"),
            );
            broken.push(Violation::at("/goals", "too_many", detail));
        }
        for (n, goal) in self.goals.iter().enumerate() {
            let at = format!("/goals/{n}");
            repeated(
                &mut broken,
                &format!("{at}/budgets"),
                goal.budgets.iter().map(|b| (b.fiscal_year, b.kind)),
            );
            repeated(
                &mut broken,
                &format!("{at}/indicators"),
                goal.indicators.iter().map(|i| &i.name),
            );
            for (m, budget) in goal.budgets.iter().enumerate() {
                let faults = budgets::figure_faults(
                    budget.status,
                    budget.amount_yen,
                    budget.precision_yen,
                    budget.text.as_ref(),
                );
                broken.extend(
                    faults
                        .into_iter()
                        .map(|fault| fault.under(&format!("{at}/budgets/{m}"))),
                );
            }
            for (m, indicator) in goal.indicators.iter().enumerate() {
                let at = format!("{at}/indicators/{m}");
                broken.extend(
                    indicators::target_faults(&indicator.target)
                        .into_iter()
                        .map(|fault| fault.under(&at)),
                );
                repeated(
                    &mut broken,
                    &format!("{at}/results"),
                    indicator.results.iter().map(|r| r.fiscal_year),
                );
                for (k, result) in indicator.results.iter().enumerate() {
                    let faults = result.broken().into_iter();
                    broken.extend(faults.map(|fault| fault.under(&format!("{at}/results/{k}"))));
                }
                if indicator.id.is_some_and(|id| !ids.insert(id)) {
                    broken.push(twice(format!("{at}/id")));
                }
            }
        }
        broken
    }
}

/// Reports every item of a list whose key stands further up already.
fn repeated<K: Eq + std::hash::Hash>(broken: &mut Vec<Violation>, list: &str, keys: impl Iterator<Item = K>) {
    let mut seen = HashSet::new();
    for (n, key) in keys.enumerate() {
        if !seen.insert(key) {
            broken.push(twice(format!("{list}/{n}")));
        }
    }
}

fn twice(at: String) -> Violation {
    Violation::at(
        at,
        "repeated",
        Bilingual::new("同じものが二度あります", "stands here twice"),
    )
}

impl TreeBudget {
    pub(super) fn of(row: budgets::Budget) -> Self {
        Self {
            id: Some(row.id),
            fiscal_year: row.fiscal_year,
            kind: row.kind,
            status: row.status,
            amount_yen: row.amount_yen,
            precision_yen: row.precision_yen,
            text: row.text,
        }
    }
}

impl TreeIndicator {
    pub(super) fn of(row: indicators::Indicator, results: Vec<TreeResult>) -> Self {
        Self {
            id: Some(row.id),
            kind: row.kind,
            name: row.name,
            population: row.population,
            unit: row.unit,
            decimals: row.decimals,
            direction: row.direction,
            series_id: Some(row.series_id),
            comparable_with_previous: row.comparable_with_previous,
            comparable_reason: row.comparable_reason,
            target: row.target.into(),
            results,
            evaluation: None,
        }
    }
}
