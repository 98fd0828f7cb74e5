//! Budget vintages: the figures of one goal and one fiscal year in policy after policy, from budget to actual.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::get;
use diesel::{PgConnection, prelude::*};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::links::Links;
use crate::{
    db::{
        Db, Workload,
        schema::{budgets as b, goals as g, organizations as o, policies as p},
    },
    domain::{
        budget_sum::{BudgetSum, Figure},
        execution::{Execution, execution},
        kinds::{BudgetKind, BudgetStatus},
    },
    error::{Error, Result},
    http::{
        as_of::AsOfParam,
        pagination::{Page, Paging},
        query::{AnyOf, Query, Years},
    },
    narrow, query, text_enum,
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
    /// What was expected to have been spent, before the accounts were closed.
    #[schema(max_items = 200)]
    pub expected: Vec<VintageFigure>,
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

/// Some budget vintages.
pub type BudgetVintagePage = Page<BudgetVintage>;

text_enum! {
    /// How budget vintages are ordered.
    pub enum VintageSort in "vintage_sort" {
        /// Organization by organization, goal by goal, earliest year of the money first.
        Goal = "goal" ("所属・経営課題の登録順", "order of the organizations' and the goals' creation"),
    }
}

#[derive(Debug, HasQuery)]
#[diesel(table_name = b, base_query = b::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct StatedBudget {
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
#[utoipa::path(tag = "budgets", params(VintageFilter, AsOfParam, Paging<VintageSort>))]
#[get("/budgets/vintages")]
async fn list_vintages(
    db: Db,
    Query((filter, past, paging)): Query<(VintageFilter, AsOfParam, Paging<VintageSort>)>,
) -> Result<BudgetVintagePage> {
    let moment = past.of_any(None)?;
    db.at(moment)
        .workload(Workload::Scan)
        .read(move |conn| list(conn, &filter, &paging))
        .await
}

/// Where a vintage stands in the list: its organization, its goal over the years, its year.
type VintageKey = (Id, Id, FiscalYear);

/// Organizations that are read together.
const BATCH: i64 = 5;

fn list(conn: &mut PgConnection, filter: &VintageFilter, paging: &Paging<VintageSort>) -> Result<BudgetVintagePage> {
    let total = paging.total(conn, |conn| {
        let mut total = 0;
        each(conn, filter, None, |_, _| {
            total += 1;
            true
        })?;
        Ok(total)
    })?;
    let full = usize::try_from(paging.fetch()).map_err(Error::internal)?;
    let after = paging.after::<(Id, FiscalYear)>()?;
    let after: Option<VintageKey> = after.map(|((organization, year), goal)| (organization, goal, year));
    let mut items = Vec::new();
    each(conn, filter, after, |place, vintage| {
        items.push((place, vintage));
        items.len() < full
    })?;
    let page = paging.cut(items, total, |((organization, goal, year), _)| {
        ((*organization, *year), *goal)
    })?;
    Ok(page.map(|(_, vintage)| vintage))
}

/// Hands over vintage after vintage, until `take` has had enough: three queries for each batch of organizations.
fn each(
    conn: &mut PgConnection,
    filter: &VintageFilter,
    after: Option<VintageKey>,
    mut take: impl FnMut(VintageKey, BudgetVintage) -> bool,
) -> Result<()> {
    let mut from = after.map(|(organization, ..)| organization);
    loop {
        let mut query = o::table.into_boxed();
        narrow!(query, organization in filter.organization);
        if let Some(goals) = filter.goal.some() {
            let whose = g::table.inner_join(p::table).filter(g::id.eq_any(goals));
            query = query.filter(o::id.eq_any(whose.select(p::organization_id)));
        }
        if let Some(from) = from {
            query = query.filter(o::id.ge(from));
        }
        // One organization more, with which the next batch begins.
        let mut organizations: Vec<Id> = query.order(o::id).limit(BATCH + 1).select(o::id).load(conn)?;
        from = match usize::try_from(BATCH) {
            Ok(batch) if organizations.len() > batch => organizations.pop(),
            _ => None,
        };
        for (place, vintage) in of_some(conn, filter, &organizations)? {
            if Some(place) > after && !take(place, vintage) {
                return Ok(());
            }
        }
        if from.is_none() {
            return Ok(());
        }
    }
}

/// All vintages of some organizations that a filter asks for, in order.
fn of_some(
    conn: &mut PgConnection,
    filter: &VintageFilter,
    organizations: &[Id],
) -> Result<BTreeMap<VintageKey, BudgetVintage>> {
    let rows: Vec<StatedBudget> = StatedBudget::query()
        .filter(p::organization_id.eq_any(organizations))
        .order((p::fiscal_year, b::id))
        .load(conn)?;
    let groups = Links::of(conn, organizations, None)?.groups();
    let group = |goal: Id| groups.get(&goal).copied().unwrap_or(goal);
    let asked: Option<BTreeSet<Id>> = filter
        .goal
        .some()
        .map(|goals| goals.iter().map(|it| group(*it)).collect());

    let mut goals: HashMap<Id, BTreeSet<VintageGoal>> = HashMap::new();
    let mut money: BTreeMap<VintageKey, Vec<&StatedBudget>> = BTreeMap::new();
    for row in &rows {
        let group = group(row.goal_id);
        if asked.as_ref().is_some_and(|asked| !asked.contains(&group)) {
            continue;
        }
        goals.entry(group).or_default().insert(row.goal());
        if filter.fiscal_year.hold(row.fiscal_year) {
            let place = (row.organization_id, group, row.fiscal_year);
            money.entry(place).or_default().push(row);
        }
    }
    let vintages = money.into_iter().filter_map(|(place @ (_, group, fiscal_year), rows)| {
        let organization = rows.first()?.organization.clone();
        let goals = goals.get(&group).into_iter().flatten().cloned().collect();
        Some((place, vintage(organization, goals, fiscal_year, &rows)))
    });
    Ok(vintages.collect())
}

fn vintage(
    organization: Slug,
    goals: Vec<VintageGoal>,
    fiscal_year: FiscalYear,
    rows: &[&StatedBudget],
) -> BudgetVintage {
    let stated = |kind| figures(rows, kind);
    let (initial, revised, expected, actual) = (
        stated(BudgetKind::Initial),
        stated(BudgetKind::Revised),
        stated(BudgetKind::Expected),
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
        expected,
        actual,
    }
}

/// The figures of a kind, one per policy; earliest first.
fn figures(rows: &[&StatedBudget], kind: BudgetKind) -> Vec<VintageFigure> {
    let mut by_policy: BTreeMap<FiscalYear, Vec<&StatedBudget>> = BTreeMap::new();
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

impl StatedBudget {
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
