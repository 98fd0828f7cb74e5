//! Budget vintages: what one goal's money of one fiscal year was in policy after policy, from budget to actual.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::links::Links;
use crate::{
    db::Db,
    domain::{
        budget_sum::{BudgetSum, Figure},
        execution::{Execution, execution},
        kinds::{BudgetKind, BudgetStatus},
    },
    error::Result,
    extract::Answer,
    narrow,
    past::Past,
    query,
    query::{AnyOf, Query, Years},
    schema::{budgets as b, goals as g, organizations as o, policies as p},
    value::{FiscalYear, GoalCode, Id, Line, OrganizationKey, Slug, Yen},
};

/// The route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list_vintages);
}

query! {
    /// Which vintages to list.
    pub struct VintageFilter {
        /// Only goals of these organizations, by slug or municipality code.
        pub organization: AnyOf<OrganizationKey>,
        /// Only money of these fiscal years.
        pub fiscal_year: Years,
        /// Only goals that are one with these.
        pub goal: AnyOf<Id>,
    }
}

/// What the money of one goal and one fiscal year was, from policy to policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetVintage {
    /// Slug of the organization.
    pub organization: Slug,
    /// The goal over the years: goals of different years are one where their indicators share a series, directly or through
    /// others. Earliest first.
    #[schema(max_items = 10_000)]
    pub goals: Vec<VintageGoal>,
    /// Fiscal year of the money.
    pub fiscal_year: FiscalYear,
    /// The budget the year started with, as each policy states it; earliest first.
    #[schema(max_items = 200)]
    pub initial: Vec<VintageFigure>,
    /// The budget after supplementary budgets.
    #[schema(max_items = 200)]
    pub revised: Vec<VintageFigure>,
    /// What was spent.
    #[schema(max_items = 200)]
    pub actual: Vec<VintageFigure>,
    /// What was spent of the budget.
    pub execution: Execution,
}

/// A goal as one policy has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct VintageGoal {
    /// Fiscal year of the policy.
    pub policy_year: FiscalYear,
    /// Its code in that policy.
    pub code: GoalCode,
    /// The goal.
    pub goal_id: Id,
    /// Its title in that policy.
    #[schema(max_length = 300)]
    pub title: String,
}

/// A figure as one policy states it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VintageFigure {
    /// Fiscal year of the policy.
    pub policy_year: FiscalYear,
    /// The figure; the sum where the policy has several goals that are one in other years.
    pub sum: BudgetSum,
    /// What was printed, where it is one figure.
    pub text: Option<Line<200>>,
}

/// Budget vintages.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetVintages {
    /// One per goal over the years and fiscal year of money, in the order of the goals' creation, earliest year first.
    #[schema(max_items = 100_000)]
    pub items: Vec<BudgetVintage>,
}

#[derive(Debug, HasQuery)]
#[diesel(table_name = b, base_query = b::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct Row {
    id: Id,
    goal_id: Id,
    #[diesel(select_expression = g::code)]
    goal_code: GoalCode,
    #[diesel(select_expression = g::title)]
    title: Line<300>,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = p::organization_id)]
    organization_id: Id,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    kind: BudgetKind,
    status: BudgetStatus,
    amount_yen: Option<Yen>,
    text: Option<Line<200>>,
}

/// Lists budget vintages: from budget to actual, per goal and fiscal year.
///
/// The same money is printed in up to three policies: as this year's budget, as last year's, and as what was spent two years
/// ago. Here they stand together, with what was spent of the budget. Goals are one over the years where their indicators share
/// a series, never where they share a code: link the indicators, and the goals follow. A goal without a link stands alone.
/// `as_of` takes a time here.
#[utoipa::path(tag = "budgets", params(VintageFilter, Past))]
#[get("/budgets/vintages")]
async fn list_vintages(db: Db, Query((filter, past)): Query<(VintageFilter, Past)>) -> Result<Answer<BudgetVintages>> {
    let moment = past.of_any(None)?;
    db.at(moment)
        .broad(true)
        .read(move |conn| list(conn, &filter).map(Answer))
        .await
}

/// Two queries, however much there is.
fn list(conn: &mut PgConnection, filter: &VintageFilter) -> Result<BudgetVintages> {
    let mut query = Row::query().into_boxed();
    narrow!(query, organization in filter.organization);
    let rows: Vec<Row> = query.order((p::fiscal_year, b::id)).load(conn)?;
    let mut organizations: Vec<Id> = rows.iter().map(|row| row.organization_id).collect();
    organizations.sort_unstable();
    organizations.dedup();
    let groups = Links::of(conn, &organizations, None)?.groups();
    let group = |goal: Id| groups.get(&goal).copied().unwrap_or(goal);
    let asked: Option<BTreeSet<Id>> = filter
        .goal
        .some()
        .map(|goals| goals.iter().map(|it| group(*it)).collect());

    let mut goals: HashMap<Id, BTreeSet<VintageGoal>> = HashMap::new();
    let mut money: BTreeMap<(Id, FiscalYear), Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        let group = group(row.goal_id);
        if asked.as_ref().is_some_and(|asked| !asked.contains(&group)) {
            continue;
        }
        goals.entry(group).or_default().insert(row.goal());
        if filter.fiscal_year.hold(row.fiscal_year) {
            money.entry((group, row.fiscal_year)).or_default().push(row);
        }
    }
    let items = money.into_iter().filter_map(|((group, fiscal_year), rows)| {
        let organization = rows.first()?.organization.clone();
        let goals = goals.get(&group).into_iter().flatten().cloned().collect();
        Some(vintage(organization, goals, fiscal_year, &rows))
    });
    Ok(BudgetVintages { items: items.collect() })
}

fn vintage(organization: Slug, goals: Vec<VintageGoal>, fiscal_year: FiscalYear, rows: &[&Row]) -> BudgetVintage {
    let stated = |kind| figures(rows, kind);
    let (initial, revised, actual) = (
        stated(BudgetKind::Initial),
        stated(BudgetKind::Revised),
        stated(BudgetKind::Actual),
    );
    let latest = |figures: &[VintageFigure]| {
        figures
            .last()
            .map(|figure| (figure.sum.amount_yen, figure.sum.complete))
    };
    BudgetVintage {
        execution: execution(latest(&initial), latest(&revised), latest(&actual)),
        organization,
        goals,
        fiscal_year,
        initial,
        revised,
        actual,
    }
}

/// The figures of a kind, one per policy; earliest first.
fn figures(rows: &[&Row], kind: BudgetKind) -> Vec<VintageFigure> {
    let mut by_policy: BTreeMap<FiscalYear, Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.kind == kind) {
        by_policy.entry(row.policy_year).or_default().push(row);
    }
    let figures = by_policy.into_iter().map(|(policy_year, rows)| VintageFigure {
        policy_year,
        sum: rows.iter().map(|row| row.figure()).collect(),
        text: match rows[..] {
            [only] => only.text.clone(),
            _ => None,
        },
    });
    figures.collect()
}

impl Row {
    fn goal(&self) -> VintageGoal {
        VintageGoal {
            policy_year: self.policy_year,
            code: self.goal_code.clone(),
            goal_id: self.goal_id,
            title: self.title.0.clone(),
        }
    }

    fn figure(&self) -> Figure<'_> {
        Figure {
            id: self.id,
            goal_code: self.goal_code.as_str(),
            status: self.status,
            amount_yen: self.amount_yen,
        }
    }
}
