//! Budgets added up, never silently past a figure that is not known.

use std::collections::BTreeMap;

use actix_web::get;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{BudgetFilter, matching};
use crate::{
    db::{
        Db, Read, Workload,
        schema::{budgets, goals as g, organizations as o, policies as p},
    },
    domain::{
        budget_sum::{BudgetSum, Figure},
        kinds::{BudgetKind, BudgetStatus},
    },
    error::Result,
    http::{
        as_of::{AsOfParam, Since, only},
        pagination::{Continued, GroupPaging, Linked},
        query::{AnyOf, On, Query},
    },
    query, text_enum,
    value::{Date, FiscalYear, GoalCode, Id, Slug, Yen},
};

/// The summary's route.
pub fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.service(summarize_budgets);
}

text_enum! {
    /// By what budgets are added up.
    pub enum BudgetGroup in "budget_group" {
        /// By organization.
        Organization = "organization" ("所属別", "by organization"),
        /// By the fiscal year of the policy.
        PolicyYear = "policy_year" ("運営方針の年度別", "by fiscal year of the policy"),
        /// By the fiscal year of the figure.
        FiscalYear = "fiscal_year" ("金額の年度別", "by fiscal year of the figure"),
        /// By the kind of figure.
        Kind = "kind" ("種類別", "by kind of figure"),
        /// By goal.
        Goal = "goal" ("経営課題別", "by goal"),
    }
}

query! {
    /// How to add up.
    pub struct BudgetGrouping {
        /// By what else to add up. Always by fiscal year and kind: what was spent and what was planned are never one sum.
        pub group_by: AnyOf<BudgetGroup>,
        /// The date, as everywhere among the evaluations; figures do not depend on it, and it comes back in the answer.
        pub on: On,
    }
}

/// A sum, and what it is the sum of; keys it is not grouped by are null.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetSummary {
    /// Slug of the organization.
    pub organization: Option<Slug>,
    /// Fiscal year of the policies.
    pub policy_year: Option<FiscalYear>,
    /// Fiscal year of the figures.
    pub fiscal_year: FiscalYear,
    /// Kind of the figures.
    pub kind: BudgetKind,
    /// The goal.
    pub goal_id: Option<Id>,
    /// Code of the goal.
    pub goal_code: Option<GoalCode>,
    /// The sum.
    pub sum: BudgetSum,
}

/// Sums of budgets.
#[derive(Debug, Serialize, ToSchema)]
pub struct BudgetSummaries {
    /// The day asked for; today in Japan by default.
    pub on: Date,
    /// One per group that has any figure, in the order of the group's keys.
    #[schema(max_items = 1000)]
    pub items: Vec<BudgetSummary>,
    /// Pass it as `cursor` for the next page; null on the last one.
    #[schema(max_length = 2000)]
    pub next_cursor: Option<String>,
    /// How many groups there are in all; null without `include_total=true`.
    #[schema(minimum = 0)]
    pub total: Option<i64>,
}

impl Continued for BudgetSummaries {
    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    organization: Option<Slug>,
    policy_year: Option<FiscalYear>,
    fiscal_year: FiscalYear,
    kind: BudgetKind,
    goal: Option<(Id, GoalCode)>,
}

#[derive(HasQuery)]
#[diesel(table_name = budgets, base_query = budgets::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct SummedBudget {
    id: Id,
    goal_id: Id,
    #[diesel(select_expression = g::code)]
    goal_code: GoalCode,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    kind: BudgetKind,
    status: BudgetStatus,
    amount_yen: Option<Yen>,
}

/// Adds up budgets.
///
/// One sum per fiscal year and kind, and per whatever else is asked for. `complete` is false where a figure is a dash or
/// blank, and `missing` names it: a sum never passes over what is not known in silence.
#[utoipa::path(tag = "budgets", params(BudgetFilter, BudgetGrouping, AsOfParam, GroupPaging))]
#[get("/budgets/summary")]
async fn summarize_budgets(
    db: Db,
    Query((filter, grouping, past, paging)): Query<(BudgetFilter, BudgetGrouping, AsOfParam, GroupPaging)>,
) -> Result<Linked<BudgetSummaries>> {
    let moment = past.of_any(only(&filter.organization, &filter.policy_year))?;
    db.at(moment)
        .workload(Workload::Scan)
        .read(move |conn| summarize(conn, &filter, &grouping, &paging).map(Linked))
        .await
}

fn summarize(
    conn: &mut Read<'_>,
    filter: &BudgetFilter,
    by: &BudgetGrouping,
    paging: &GroupPaging,
) -> Result<BudgetSummaries> {
    let rows: Vec<SummedBudget> = matching(filter, &Since::default())
        .select(SummedBudget::as_select())
        .order(budgets::id)
        .load(conn.conn)?;
    let grouped = |group| by.group_by.0.contains(&group);
    let mut groups: BTreeMap<Key, Vec<&SummedBudget>> = BTreeMap::new();
    for row in &rows {
        let key = Key {
            organization: grouped(BudgetGroup::Organization).then(|| row.organization.clone()),
            policy_year: grouped(BudgetGroup::PolicyYear).then_some(row.policy_year),
            fiscal_year: row.fiscal_year,
            kind: row.kind,
            goal: grouped(BudgetGroup::Goal).then(|| (row.goal_id, row.goal_code.clone())),
        };
        groups.entry(key).or_default().push(row);
    }
    let page = paging.cut_groups(groups)?.map(|(key, rows)| {
        let (goal_id, goal_code) = key.goal.unzip();
        BudgetSummary {
            organization: key.organization,
            policy_year: key.policy_year,
            fiscal_year: key.fiscal_year,
            kind: key.kind,
            goal_id,
            goal_code,
            sum: rows.into_iter().map(SummedBudget::figure).collect(),
        }
    });
    Ok(BudgetSummaries {
        on: Date(by.on.or(conn.today)),
        items: page.items,
        next_cursor: page.next_cursor,
        total: page.total,
    })
}

impl SummedBudget {
    fn figure(&self) -> Figure<'_> {
        Figure {
            id: self.id,
            goal_code: self.goal_code.as_str(),
            status: self.status,
            amount_yen: self.amount_yen,
        }
    }
}
