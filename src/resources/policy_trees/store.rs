//! Loading and storing a tree: rows that differ are written, rows left out go, rows that stay keep their ids.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use chrono::NaiveDate;
use diesel::{
    PgConnection,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{Integer, Nullable},
};

use super::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator, TreeResult};
use crate::{
    db::{NestedRows, RowsOf, Subquery, Tx, is_organization, schema as s},
    error::{Error, Result, Violation},
    resources::{
        budgets::{self, Budget, BudgetInput},
        goals::{self, Goal, GoalInput},
        indicators::{self, Indicator, IndicatorInput},
        policies::{self, Policy, PolicyStage, insert, update},
        results::{self, StoredResult},
    },
    subqueries,
    value::{FiscalYear, GoalCode, Id, OrganizationKey, TextBox, composed, language::Bilingual},
};

/// A policy and the rows below it, read by one statement: of what it reads, the texts below name `policies`.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = s::policies, base_query = s::policies::table.inner_join(s::organizations::table).left_join(s::self_evaluations::table))]
pub struct Rows {
    #[diesel(embed)]
    policy: Policy,
    #[diesel(select_expression = Subquery::VALUE, select_expression_type = Subquery<Nullable<Integer>, LastRevision>)]
    last_revision: Option<i32>,
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<Goal, Goals>, deserialize_as = NestedRows<Goal>)]
    goals: Vec<Goal>,
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<Budget, Budgets>, deserialize_as = NestedRows<Budget>)]
    budgets: Vec<Budget>,
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<Indicator, Indicators>, deserialize_as = NestedRows<Indicator>)]
    indicators: Vec<Indicator>,
    #[diesel(select_expression = RowsOf::all(), select_expression_type = RowsOf<StoredResult, Results>, deserialize_as = NestedRows<StoredResult>)]
    results: Vec<StoredResult>,
}

subqueries! {
    /// The number of the last revision.
    LastRevision: "select max(revisions.number) from revisions where revisions.policy_id = policies.id";
    /// In the order of the form.
    Goals: "from goals where goals.policy_id = policies.id order by public.goal_code_order(goals.code), goals.id";
    /// By fiscal year and kind.
    Budgets: "from budgets join goals on goals.id = budgets.goal_id where budgets.policy_id = policies.id \
        order by budgets.fiscal_year, budgets.kind";
    /// By position.
    Indicators: "from indicators join goals on goals.id = indicators.goal_id where indicators.policy_id = policies.id \
        order by indicators.position, indicators.id";
    /// By indicator and fiscal year.
    Results: "from results join indicators on indicators.id = results.indicator_id where results.policy_id = policies.id \
        order by results.indicator_id, results.fiscal_year";
}

impl Rows {
    /// A policy with nothing below it.
    fn only(policy: Policy) -> Self {
        Self {
            policy,
            last_revision: None,
            goals: vec![],
            budgets: vec![],
            indicators: vec![],
            results: vec![],
        }
    }

    /// The rows of the policy with this key, if the reader sees it. In the past the key is looked up as [`policies::find`] does.
    pub fn find(conn: &mut PgConnection, key @ (organization, year): &(OrganizationKey, FiscalYear)) -> Result<Self> {
        let named = Self::query()
            .filter(is_organization(organization.as_str()))
            .filter(s::policies::fiscal_year.eq(year))
            .get_result(conn)
            .optional()?;
        match named {
            Some(rows) => Ok(rows),
            None => policies::find(conn, key).and_then(|policy| Self::of(conn, policy.id)),
        }
    }

    /// The rows of this policy, if the reader sees it.
    pub fn of(conn: &mut PgConnection, policy: Id) -> Result<Self> {
        let found = Self::query().filter(s::policies::id.eq(policy)).get_result(conn);
        found.optional()?.ok_or(Error::NotFound("policy"))
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The revision that these rows are, if they are one: a plan that is seen with unpublished data is none.
    fn revision(&self) -> Option<i32> {
        let said = |texts: &Option<TextBox>| texts.as_ref().is_some_and(|texts| !texts.0.is_empty());
        let policy = &self.policy;
        let more = said(&policy.self_evaluation) || said(&policy.future_policy) || !self.results.is_empty();
        match policy.stage {
            PolicyStage::Plan if more => None,
            PolicyStage::Plan | PolicyStage::Results => self.last_revision,
            PolicyStage::Draft | PolicyStage::Withdrawn => None,
        }
    }

    /// The tree of these rows, as of a day.
    #[must_use]
    pub fn tree(self, on: NaiveDate) -> PolicyTree {
        let revision = self.revision();
        let policy = self.policy;
        let mut results: HashMap<Id, Vec<TreeResult>> = HashMap::new();
        for row in self.results {
            let (indicator, version) = (row.indicator_id, row.version);
            let result = TreeResult::stored(row.input(on), version);
            results.entry(indicator).or_default().push(result);
        }
        let mut indicators: HashMap<Id, Vec<TreeIndicator>> = HashMap::new();
        for row in self.indicators {
            let goal = row.goal_id;
            let results = results.remove(&row.id).unwrap_or_default();
            indicators
                .entry(goal)
                .or_default()
                .push(TreeIndicator::of(row, results));
        }
        let mut budgets: HashMap<Id, Vec<TreeBudget>> = HashMap::new();
        for row in self.budgets {
            budgets.entry(row.goal_id).or_default().push(TreeBudget::of(row));
        }
        let goals = self.goals.into_iter().map(|goal| TreeGoal {
            id: Some(goal.id),
            code: goal.code,
            title: goal.title,
            issue_recognition: goal.issue_recognition,
            strategies: goal.strategies,
            budgets: budgets.remove(&goal.id).unwrap_or_default(),
            indicators: indicators.remove(&goal.id).unwrap_or_default(),
            roll_up: None,
            budgets_by_year: None,
        });
        PolicyTree {
            id: Some(policy.id),
            organization: policy.organization.into(),
            organization_name: Some(policy.organization_name),
            fiscal_year: policy.fiscal_year,
            revision,
            head_name: policy.head_name,
            head_title: policy.head_title,
            vision: policy.vision,
            mission: policy.mission,
            basic_approach: policy.basic_approach,
            self_evaluation: policy.self_evaluation,
            future_policy: policy.future_policy,
            results_due_on: Some(policy.results_due_on),
            source: policy.source,
            goals: goals.collect(),
            on: None,
            roll_up: None,
        }
    }
}

/// Stores a tree whose policy does not exist yet; the tree names nothing by an identifier.
pub fn create(tx: &mut Tx<'_>, tree: &PolicyTree) -> Result<()> {
    let policy = insert(tx, Id::generate(), &tree.input())?.body;
    store(tx, Rows::only(policy), tree)
}

/// Stores a tree whose policy does not exist here yet, under the identifiers in the tree.
pub fn restore(tx: &mut Tx<'_>, tree: &PolicyTree) -> Result<()> {
    let id = tree.id.unwrap_or_else(Id::generate);
    let policy = insert(tx, id, &tree.input())?.body;
    Error::contradict(other_name(&policy, tree).into_iter().collect())?;
    write(tx, Rows::only(policy), tree)
}

/// Makes the stored rows those of the tree, touching only rows that differ.
pub fn store(tx: &mut Tx<'_>, rows: Rows, tree: &PolicyTree) -> Result<()> {
    check(&rows, tree)?;
    write(tx, rows, tree)
}

fn write(tx: &mut Tx<'_>, rows: Rows, tree: &PolicyTree) -> Result<()> {
    // Indicators may swap names on the way.
    tx.batch_execute("set constraints indicators_name_unique deferred")?;
    let policy = rows.policy.id;
    update(tx, policy, &tree.input())?;

    let same = same(&rows, tree);
    let mut old_goals: HashMap<GoalCode, Goal> = by(rows.goals, |goal| goal.code.clone());
    let mut old_budgets = by(rows.budgets, |budget| (budget.goal_id, budget.fiscal_year, budget.kind));
    let mut old_indicators = by(rows.indicators, |indicator| indicator.id);
    let mut old_results = by(rows.results, |result| (result.indicator_id, result.fiscal_year()));
    let mut other_results = Vec::new();

    for (n, goal) in tree.goals.iter().enumerate() {
        let goal_id = store_goal(tx, old_goals.remove(&goal.code), goal.id, &goal.input(policy))?;
        let mut new_budgets = Vec::new();
        for budget in &goal.budgets {
            let old = old_budgets.remove(&(goal_id, budget.fiscal_year, budget.kind));
            let input = budget.input(goal_id);
            match old {
                Some(old) => change_budget(tx, old, &input)?,
                None => new_budgets.push((budget.id.unwrap_or_else(Id::generate), input)),
            }
        }
        budgets::insert(tx, &new_budgets)?;
        let mut new_indicators = Vec::new();
        for (m, indicator) in goal.indicators.iter().enumerate() {
            let old = same.get(&(n, m)).and_then(|id| old_indicators.remove(id));
            let position = i32::try_from(m + 1).map_err(Error::internal)?;
            let input = indicator.input(goal_id, position, old.as_ref().map(|old| old.series_id));
            let indicator_id = if let Some(old) = old {
                change_indicator(tx, old, &input)?
            } else {
                let id = indicator.id.unwrap_or_else(Id::generate);
                new_indicators.push((id, input));
                id
            };
            for result in &indicator.results {
                let old = old_results.remove(&(indicator_id, result.fiscal_year));
                if old.is_none_or(|old| old.differs(result)) {
                    other_results.push((indicator_id, &**result));
                }
            }
        }
        indicators::insert(tx, &new_indicators)?;
    }

    results::put(tx, &other_results)?;

    // Rows that the tree leaves out go, children before parents; indicators with another goal have moved by now.
    let left: Vec<Id> = old_results.into_values().map(|row| row.id).collect();
    diesel::delete(s::results::table.filter(s::results::id.eq_any(left))).execute(tx.conn)?;
    let left: Vec<Id> = old_indicators.into_keys().collect();
    diesel::delete(s::indicators::table.filter(s::indicators::id.eq_any(left))).execute(tx.conn)?;
    let left: Vec<Id> = old_budgets.into_values().map(|row| row.id).collect();
    diesel::delete(s::budgets::table.filter(s::budgets::id.eq_any(left))).execute(tx.conn)?;
    let left: Vec<Id> = old_goals.into_values().map(|row| row.id).collect();
    diesel::delete(s::goals::table.filter(s::goals::id.eq_any(left))).execute(tx.conn)?;
    tx.batch_execute("set constraints indicators_name_unique immediate")?;
    indicators::sharing::check_series(tx, policy, None)
}

fn by<K: Eq + std::hash::Hash, V>(rows: Vec<V>, key: impl Fn(&V) -> K) -> HashMap<K, V> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

fn store_goal(tx: &mut Tx<'_>, old: Option<Goal>, named: Option<Id>, input: &GoalInput) -> Result<Id> {
    let Some(old) = old else {
        let id = named.unwrap_or_else(Id::generate);
        return goals::insert(tx, id, input).map(|()| id);
    };
    let id = old.id;
    if GoalInput::from(old) != *input {
        goals::update(tx, id, input)?;
    }
    Ok(id)
}

fn change_budget(tx: &mut Tx<'_>, old: Budget, input: &BudgetInput) -> Result<()> {
    let id = old.id;
    if BudgetInput::from(old) != *input {
        budgets::update(tx, id, input)?;
    }
    Ok(())
}

fn change_indicator(tx: &mut Tx<'_>, old: Indicator, input: &IndicatorInput) -> Result<Id> {
    let id = old.id;
    if IndicatorInput::from(old) != *input {
        indicators::update(tx, id, input)?;
    }
    Ok(id)
}

/// Which stored indicator each indicator of a tree is, by the place of its goal and its own.
type Same = HashMap<(usize, usize), Id>;

/// By id first, wherever in the policy it stood; then the indicators that are left, by name within the goal.
fn same(rows: &Rows, tree: &PolicyTree) -> Same {
    let places = || {
        let goals = tree.goals.iter().enumerate();
        goals.flat_map(|(n, goal)| {
            let indicators = goal.indicators.iter().enumerate();
            indicators.map(move |(m, indicator)| ((n, m), goal, indicator))
        })
    };
    let mut left: HashSet<Id> = rows.indicators.iter().map(|row| row.id).collect();
    let by_id = places().filter_map(|(place, _, indicator)| Some((place, indicator.id?)));
    let mut same: Same = by_id.filter(|(_, id)| left.remove(id)).collect();
    let goals: HashMap<&GoalCode, Id> = rows.goals.iter().map(|row| (&row.code, row.id)).collect();
    // A stored name may be older than the rule that names are composed.
    let named = rows.indicators.iter().filter(|row| left.contains(&row.id));
    let named: HashMap<(Id, Cow<'_, str>), Id> = named
        .map(|row| ((row.goal_id, composed(&row.name.0)), row.id))
        .collect();
    for (place, goal, indicator) in places().filter(|(.., indicator)| indicator.id.is_none()) {
        let name = |goal: &Id| (*goal, composed(&indicator.name.0));
        let found = goals.get(&goal.code).and_then(|goal| named.get(&name(goal)));
        if let Some(id) = found.filter(|id| left.remove(*id)) {
            same.insert(place, *id);
        }
    }
    same
}

/// Fails with everything in a tree that contradicts what is stored: ids and names that are others, and results that would change
/// another version than the one they were made from.
pub fn check(rows: &Rows, tree: &PolicyTree) -> Result<()> {
    let mut broken = other_identities(rows, tree);
    broken.extend(stale_results(rows, tree));
    Error::contradict(broken)
}

fn stale_results(rows: &Rows, tree: &PolicyTree) -> Vec<Violation> {
    let same = same(rows, tree);
    let stored = rows.results.iter();
    let stored: HashMap<_, _> = stored.map(|row| ((row.indicator_id, row.fiscal_year()), row)).collect();
    let mut stale = Vec::new();
    for (n, goal) in tree.goals.iter().enumerate() {
        for (m, indicator) in goal.indicators.iter().enumerate() {
            // What a new indicator came to, may come from elsewhere.
            let Some(id) = same.get(&(n, m)) else { continue };
            for (k, result) in indicator.results.iter().enumerate() {
                let row = stored.get(&(*id, result.fiscal_year));
                // A result that changes nothing may be as old as it likes.
                if row.is_none_or(|row| row.differs(result)) {
                    let at = format!("/goals/{n}/indicators/{m}/results/{k}/version");
                    stale.extend(results::stored::stale(at, result.version, row.copied()));
                }
            }
        }
    }
    stale
}

/// Every id or name in the tree that is not the stored one.
fn other_identities(rows: &Rows, tree: &PolicyTree) -> Vec<Violation> {
    let mut broken = Vec::new();
    let indicators: HashSet<Id> = rows.indicators.iter().map(|row| row.id).collect();
    let mut same = |at: String, sent: Option<Id>, stored: Option<Id>| {
        if sent.is_some() && sent != stored {
            let detail = Bilingual::new(
                "登録済みの識別子と一致しません",
                "is not the identifier of what is stored here",
            );
            broken.push(Violation::at(at, "identity", detail));
        }
    };
    same("/id".to_owned(), tree.id, Some(rows.policy.id));
    for (n, goal) in tree.goals.iter().enumerate() {
        let stored = rows.goals.iter().find(|row| row.code == goal.code).map(|row| row.id);
        same(format!("/goals/{n}/id"), goal.id, stored);
        for (m, budget) in goal.budgets.iter().enumerate() {
            let key = (stored, budget.fiscal_year, budget.kind);
            let row = rows
                .budgets
                .iter()
                .find(|row| (Some(row.goal_id), row.fiscal_year, row.kind) == key);
            same(format!("/goals/{n}/budgets/{m}/id"), budget.id, row.map(|row| row.id));
        }
        for (m, indicator) in goal.indicators.iter().enumerate() {
            let stored = indicator.id.filter(|id| indicators.contains(id));
            same(format!("/goals/{n}/indicators/{m}/id"), indicator.id, stored);
        }
    }
    broken.extend(other_name(&rows.policy, tree));
    broken
}

/// A tree repeats the name of its organization, and does not change it.
fn other_name(policy: &Policy, tree: &PolicyTree) -> Option<Violation> {
    let name = tree.organization_name.as_ref()?;
    let detail = Bilingual::new("所属の名称はここでは変更できません", "cannot be changed here");
    (composed(&name.0) != composed(&policy.organization_name.0))
        .then(|| Violation::at("/organization_name", "read_only", detail))
}
