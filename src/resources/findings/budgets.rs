//! Findings about budgets: the same figure in two policies.

use std::collections::HashMap;

use diesel::{PgConnection, prelude::*};

use super::{
    Finding, FindingFilter, FindingSide, FindingSource,
    place::{BUDGETS, FindingPosition},
};
use crate::{
    db::schema::{budgets as b, goals as g, organizations as o, policies as p},
    domain::{
        finding::{Amount, FindingValue, budget_differs},
        kinds::BudgetKind,
    },
    error::{Error, Result},
    narrow,
    resources::{budgets::links::Links, evaluations::case::BATCH},
    value::{FiscalYear, Id, Line, Slug, Yen},
};

/// A stated figure, and where it stands.
#[derive(Debug, HasQuery)]
#[diesel(table_name = b, base_query = b::table.inner_join(g::table.inner_join(p::table.inner_join(o::table))))]
struct Figure {
    id: Id,
    goal_id: Id,
    #[diesel(select_expression = g::title)]
    title: Line<500>,
    #[diesel(select_expression = p::id)]
    policy_id: Id,
    #[diesel(select_expression = p::organization_id)]
    organization_id: Id,
    #[diesel(select_expression = o::slug)]
    organization: Slug,
    #[diesel(select_expression = p::fiscal_year)]
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    kind: BudgetKind,
    amount_yen: Option<Yen>,
    precision_yen: Option<i64>,
}

/// Hands over the findings about figures, by id after `from`, until `take` has had enough.
pub(super) fn each(
    conn: &mut PgConnection,
    filter: &FindingFilter,
    mut from: Option<Id>,
    take: &mut impl FnMut(FindingPosition, Finding) -> bool,
) -> Result<()> {
    let batch = i64::try_from(BATCH).map_err(Error::internal)?;
    loop {
        let mut query = Figure::query().filter(b::amount_yen.is_not_null()).into_boxed();
        narrow!(query, organization in filter.organization);
        narrow!(query, p::fiscal_year, filter.fiscal_year);
        if let Some(id) = from {
            // A figure has one finding at most, and the finding of the cursor has been shown.
            query = query.filter(b::id.gt(id));
        }
        let figures: Vec<Figure> = query.order(b::id).limit(batch).load(conn)?;
        from = figures.last().map(|figure| figure.id);
        let before = earlier(conn, &figures)?;
        for figure in &figures {
            let earlier = before.get(&figure.id);
            if let Some(finding) = earlier.and_then(|earlier| finding(figure, earlier))
                && !take((BUDGETS, figure.id, finding.kind), finding)
            {
                return Ok(());
            }
        }
        if figures.len() < BATCH {
            return Ok(());
        }
    }
}

/// By this year's figures, those of the same money in the policies of the year before: two queries.
fn earlier(conn: &mut PgConnection, figures: &[Figure]) -> Result<HashMap<Id, Figure>> {
    let organizations: Vec<Id> = figures.iter().map(|figure| figure.organization_id).collect();
    let mut years: Vec<FiscalYear> = figures
        .iter()
        .flat_map(|figure| [Some(figure.policy_year), figure.policy_year.previous()])
        .flatten()
        .collect();
    years.sort_unstable();
    years.dedup();
    let links = Links::of(conn, &organizations, Some(&years))?;
    let goals: Vec<Id> = figures
        .iter()
        .filter_map(|figure| links.before(figure.goal_id))
        .collect();
    let rows: Vec<Figure> = Figure::query()
        .filter(b::amount_yen.is_not_null())
        .filter(b::goal_id.eq_any(goals))
        .load(conn)?;
    let mut by_place: HashMap<_, Figure> = rows
        .into_iter()
        .map(|row| ((row.goal_id, row.fiscal_year, row.kind), row))
        .collect();
    let earlier = figures.iter().filter_map(|figure| {
        let goal = links.before(figure.goal_id)?;
        let same = by_place.remove(&(goal, figure.fiscal_year, figure.kind))?;
        Some((figure.id, same))
    });
    Ok(earlier.collect())
}

fn finding(figure: &Figure, earlier: &Figure) -> Option<Finding> {
    let misfit = budget_differs(&figure.amount()?, &earlier.amount()?)?;
    Some(Finding {
        kind: misfit.kind,
        organization: figure.organization.clone(),
        fiscal_year: figure.policy_year,
        name: figure.title.clone(),
        indicator_id: None,
        series_id: None,
        found: figure.side(misfit.found),
        against: earlier.side(misfit.against),
        sentence: misfit.sentence,
    })
}

impl Figure {
    fn amount(&self) -> Option<Amount> {
        Some(Amount {
            policy_year: self.policy_year,
            fiscal_year: self.fiscal_year,
            kind: self.kind,
            yen: self.amount_yen?,
            precision: self.precision_yen?,
        })
    }

    fn side(&self, value: FindingValue) -> FindingSide {
        FindingSide {
            value,
            source: FindingSource {
                policy_year: self.policy_year,
                policy_id: self.policy_id,
                revision: None,
                goal_id: Some(self.goal_id),
                indicator_id: None,
                budget_id: Some(self.id),
                href: format!("/v1/budgets/{}", self.id),
            },
        }
    }
}
