//! The records of many series, for the year before each exported result.

use std::collections::{HashMap, HashSet};

use diesel::{PgConnection, prelude::*};

use crate::{
    db::schema::{indicators as i, latest, policies as p, results as r},
    error::Result,
    resources::evaluations::record::Recorded,
    value::{Decimal, FiscalYear, Id, Time},
};

/// Records by series and organization: no organization's record counts for another.
pub(super) type Records = HashMap<(Id, Id), Vec<Recorded>>;

/// A record as stored, without its policy.
#[derive(HasQuery)]
#[diesel(table_name = r, base_query = r::table.inner_join(i::table))]
struct StoredRecord {
    indicator_id: Id,
    #[diesel(select_expression = i::series_id)]
    series: Id,
    policy_id: Id,
    fiscal_year: FiscalYear,
    value: Option<Decimal>,
    /// When the result last changed, or its indicator.
    #[diesel(select_expression = latest(r::updated_at, i::updated_at.nullable()))]
    updated_at: Time,
}

/// The records of some series in some years.
pub(super) fn of(conn: &mut PgConnection, series: HashSet<Id>, years: HashSet<FiscalYear>) -> Result<Records> {
    let rows: Vec<StoredRecord> = StoredRecord::query()
        .filter(i::series_id.eq_any(series))
        .filter(r::fiscal_year.eq_any(years))
        .load(conn)?;
    // Many results are of few policies, and a join would look a policy up for each result.
    let policies: HashSet<Id> = rows.iter().map(|row| row.policy_id).collect();
    let policies: Vec<(Id, (Id, FiscalYear, Time))> = p::table
        .filter(p::id.eq_any(policies))
        .select((p::id, (p::organization_id, p::fiscal_year, p::updated_at)))
        .load(conn)?;
    let policies: HashMap<_, _> = policies.into_iter().collect();
    let mut records = Records::new();
    for row in rows {
        // Whoever may not see the policy sees no result of it.
        let Some(&(organization, policy_year, updated_at)) = policies.get(&row.policy_id) else {
            continue;
        };
        records.entry((row.series, organization)).or_default().push(Recorded {
            indicator: row.indicator_id,
            policy_year,
            fiscal_year: row.fiscal_year,
            value: row.value,
            updated_at: updated_at.max(row.updated_at),
        });
    }
    Ok(records)
}
