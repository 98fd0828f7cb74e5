//! Merges the policy of a file into the stored one: what the file leaves out stays.

use crate::{
    resources::{
        changes::ChangeType,
        policy_trees::{PolicyTree, TreeBudget, TreeGoal, TreeIndicator},
    },
    value::{FiscalYear, GoalCode, Line, composed},
};

/// Something that is stored and not in the file.
#[derive(Debug, PartialEq)]
pub(super) struct Unmentioned {
    pub(super) kind: ChangeType,
    pub(super) goal: GoalCode,
    pub(super) indicator: Option<Line<500>>,
    pub(super) fiscal_year: Option<FiscalYear>,
}

/// Adds to `said` what is stored and missing in it, indicators in their stored places; gives what was added.
pub(super) fn merge_over(said: &mut PolicyTree, stored: PolicyTree) -> Vec<Unmentioned> {
    let mut left = Vec::new();
    let mut kept = Vec::new();
    // A tree that the public read lacks the self-evaluation until it is published: a missing field is kept.
    keep(&mut said.head_name, stored.head_name);
    keep(&mut said.head_title, stored.head_title);
    keep(&mut said.vision, stored.vision);
    keep(&mut said.mission, stored.mission);
    keep(&mut said.basic_approach, stored.basic_approach);
    keep(&mut said.self_evaluation, stored.self_evaluation);
    keep(&mut said.future_policy, stored.future_policy);
    keep(&mut said.results_due_on, stored.results_due_on);
    keep(&mut said.source, stored.source);
    let anywhere: Vec<_> = said.goals.iter().flat_map(|goal| &goal.indicators).collect();
    let moved: Vec<_> = anywhere.iter().filter_map(|indicator| indicator.id).collect();
    for mut goal in stored.goals {
        // An indicator that the file has under another goal has moved there.
        let code = goal.code.clone();
        let Some(same) = said.goals.iter_mut().find(|said| said.code == code) else {
            goal.indicators
                .retain(|indicator| indicator.id.is_none_or(|id| !moved.contains(&id)));
            left.push(Unmentioned::of(ChangeType::Goal, &code, None, None));
            kept.push(goal);
            continue;
        };
        keep_budgets(same, &goal, &mut left);
        keep(&mut same.issue_recognition, goal.issue_recognition);
        keep(&mut same.strategies, goal.strategies);
        for (place, indicator) in goal.indicators.into_iter().enumerate() {
            match same.indicators.iter_mut().find(|said| is_same(said, &indicator)) {
                Some(said) => keep_results(said, &indicator, &code, &mut left),
                None if indicator.id.is_some_and(|id| moved.contains(&id)) => {}
                None => {
                    left.push(Unmentioned::of(
                        ChangeType::Indicator,
                        &code,
                        Some(indicator.name.clone()),
                        None,
                    ));
                    same.indicators.insert(place.min(same.indicators.len()), indicator);
                }
            }
        }
    }
    said.goals.extend(kept);
    left
}

/// Keeps what is stored if nothing is said.
fn keep<T>(said: &mut Option<T>, stored: Option<T>) {
    if said.is_none() {
        *said = stored;
    }
}

/// Compares by identifier if the file has one, else by name within the goal.
fn is_same(said: &TreeIndicator, stored: &TreeIndicator) -> bool {
    match said.id {
        Some(id) => stored.id == Some(id),
        None => composed(&said.name.0) == composed(&stored.name.0),
    }
}

fn keep_budgets(said: &mut TreeGoal, stored: &TreeGoal, left: &mut Vec<Unmentioned>) {
    for budget in &stored.budgets {
        let same = |said: &TreeBudget| (said.fiscal_year, said.kind) == (budget.fiscal_year, budget.kind);
        if !said.budgets.iter().any(same) {
            left.push(Unmentioned::of(
                ChangeType::Budget,
                &stored.code,
                None,
                Some(budget.fiscal_year),
            ));
            said.budgets.push(budget.clone());
        }
    }
}

fn keep_results(said: &mut TreeIndicator, stored: &TreeIndicator, goal: &GoalCode, left: &mut Vec<Unmentioned>) {
    for result in &stored.results {
        if !said.results.iter().any(|said| said.fiscal_year == result.fiscal_year) {
            left.push(Unmentioned::of(
                ChangeType::Result,
                goal,
                Some(stored.name.clone()),
                Some(result.fiscal_year),
            ));
            said.results.push(result.clone());
        }
    }
}

impl Unmentioned {
    fn of(kind: ChangeType, goal: &GoalCode, indicator: Option<Line<500>>, fiscal_year: Option<FiscalYear>) -> Self {
        Self {
            kind,
            goal: goal.clone(),
            indicator,
            fiscal_year,
        }
    }
}
