//! The findings of a page: those about indicators, then those about budgets.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::{PgConnection, dsl::max, prelude::*};

use super::{
    Finding, FindingFilter, FindingPage, FindingSort, budgets, indicators,
    place::{BUDGETS, FindingPosition, INDICATORS},
};
use crate::{
    db::schema::revisions as v,
    domain::finding::FindingKind,
    error::{Error, Result},
    http::pagination::Paging,
    value::Id,
};

pub(super) fn list(
    conn: &mut PgConnection,
    filter: &FindingFilter,
    on: NaiveDate,
    paging: &Paging<FindingSort>,
) -> Result<FindingPage> {
    let total = paging.total(conn, |conn| {
        let mut total = 0;
        each(conn, filter, on, None, |_, _| {
            total += 1;
            true
        })?;
        Ok(total)
    })?;
    let after: Option<((u8, FindingKind), Id)> = paging.after()?;
    let after = after.map(|((part, kind), id)| (part, id, kind));
    let full = usize::try_from(paging.fetch()).map_err(Error::internal)?;
    let mut rows: Vec<(FindingPosition, Finding)> = Vec::new();
    each(conn, filter, on, after, |place, finding| {
        rows.push((place, finding));
        rows.len() < full
    })?;
    note_revisions(conn, &mut rows)?;
    let page = paging.cut(rows, total, |((part, id, kind), _)| ((*part, *kind), *id))?;
    Ok(FindingPage {
        items: page.items.into_iter().map(|(_, finding)| finding).collect(),
        next_cursor: page.next_cursor,
        total: page.total,
    })
}

/// Hands over finding after finding, in order, until `take` has had enough.
fn each(
    conn: &mut PgConnection,
    filter: &FindingFilter,
    on: NaiveDate,
    after: Option<FindingPosition>,
    mut take: impl FnMut(FindingPosition, Finding) -> bool,
) -> Result<()> {
    let mut more = true;
    let mut next = |place: FindingPosition, finding: Finding| {
        let new = after.is_none_or(|after| place > after) && filter.asks_for(finding.kind);
        more = !new || take(place, finding);
        more
    };
    let from = |part| after.filter(|after| after.0 == part).map(|after| after.1);
    if after.is_none_or(|after| after.0 == INDICATORS) {
        indicators::each(conn, filter, on, from(INDICATORS), &mut next)?;
    }
    // Findings about budgets are about no indicator.
    let of_any = filter.indicator.some().is_none() && filter.series.some().is_none();
    if more && of_any && filter.asks_for(FindingKind::BudgetDiffers) {
        budgets::each(conn, filter, from(BUDGETS), &mut |place, finding| {
            let new = after.is_none_or(|after| place > after);
            !new || take(place, finding)
        })?;
    }
    Ok(())
}

/// Notes the latest revision of every policy that the findings name: one query.
fn note_revisions(conn: &mut PgConnection, rows: &mut [(FindingPosition, Finding)]) -> Result<()> {
    let named = rows.iter().flat_map(|(_, finding)| [&finding.found, &finding.against]);
    let mut policies: Vec<Id> = named.map(|side| side.source.policy_id).collect();
    policies.sort_unstable();
    policies.dedup();
    let latest: Vec<(Id, Option<i32>)> = v::table
        .filter(v::policy_id.eq_any(policies))
        .group_by(v::policy_id)
        .select((v::policy_id, max(v::number)))
        .load(conn)?;
    let latest: HashMap<Id, Option<i32>> = latest.into_iter().collect();
    for (_, finding) in rows {
        for side in [&mut finding.found, &mut finding.against] {
            side.source.revision = latest.get(&side.source.policy_id).copied().flatten();
        }
    }
    Ok(())
}
