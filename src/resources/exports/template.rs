//! The sheet that an organization fills in.

use std::collections::HashMap;

use diesel::prelude::*;

use super::{columns::ResultColumns, results::ResultRow, rows::Source};
use crate::{
    db::{
        Read,
        schema::{goal_code_order, goals as g, results as r},
    },
    error::{Error, Result, Violation},
    http::{
        as_of::{AsOf, AsOfParam, Since},
        files::Temporary,
        query::{AnyOf, Years},
    },
    resources::{
        evaluations::{EvaluationFilter, case},
        policies,
        results::ResultFilter,
    },
    sheet::write::Writer,
    value::{FiscalYear, Id, OrganizationKey, language::Bilingual},
};

/// The organization whose sheet is to be filled in, and the fiscal year.
pub(super) fn wanted(
    filter: &ResultFilter,
    past: &AsOfParam,
    since: &Since,
    columns: &ResultColumns,
) -> Result<(OrganizationKey, FiscalYear)> {
    let nothing_else = filter.policy_year.some().is_none()
        && filter.kind.some().is_none()
        && filter.goal.some().is_none()
        && filter.indicator.some().is_none()
        && since.updated_since.is_none()
        && columns.columns.places.is_none()
        && past.as_of == AsOf::Now;
    match (&filter.organization.0[..], &filter.fiscal_year.0[..]) {
        ([organization], [year]) if nothing_else => Ok((organization.clone(), *year)),
        _ => Err(Error::malformed(Violation::of(
            "template",
            "template",
            Bilingual::new(
                "organization と fiscal_year を一つずつ指定してください。ほかの条件は指定できません",
                "needs one organization and one fiscal_year, and takes no other filter",
            ),
        ))),
    }
}

/// Writes a row for each indicator of a policy, in the order of the form.
pub(super) fn write(
    conn: &mut Read<'_>,
    organization: &OrganizationKey,
    year: FiscalYear,
    writer: &mut Writer<Temporary>,
) -> Result<()> {
    let source = Source::read(conn)?;
    let on = conn.today;
    let policy = policies::find(conn, &(organization.clone(), year))?;
    let filter = EvaluationFilter {
        organization: AnyOf(vec![organization.clone()]),
        policy_year: Years(vec![policy.fiscal_year]),
        fiscal_year: Years(vec![policy.fiscal_year]),
        ..EvaluationFilter::default()
    };
    let mut all = Vec::new();
    case::each(conn, &filter, &Since::default(), on, case::Walk::ALL, |judged| {
        all.push(judged);
        Ok(true)
    })?;
    let goals: Vec<Id> = g::table
        .filter(g::policy_id.eq(policy.id))
        .order((goal_code_order(g::code), g::id))
        .select(g::id)
        .load(conn.conn)?;
    all.sort_by_cached_key(|judged| {
        let indicator = &judged.subject.indicator;
        let goal = goals.iter().position(|goal| *goal == indicator.goal_id);
        (goal, indicator.position, indicator.id)
    });
    let indicators = all.iter().map(|judged| judged.subject.indicator.id);
    let versions = r::table
        .filter(r::indicator_id.eq_any(indicators.collect::<Vec<Id>>()))
        .filter(r::fiscal_year.eq(policy.fiscal_year))
        .select((r::indicator_id, r::version));
    let versions: HashMap<Id, i64> = versions.load(conn.conn)?.into_iter().collect();
    all.iter().try_for_each(|judged| {
        let version = versions.get(&judged.subject.indicator.id).copied().unwrap_or(0);
        writer.row(&ResultRow::of(judged, version).cells(on, &source))
    })
}
