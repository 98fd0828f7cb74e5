//! What evaluations come to as everybody sees them, counted beforehand: a summary of everything adds up counts, instead of
//! evaluating everything.
//!
//! The database marks an organization whenever something public of it changes that an evaluation looks at, and the write that
//! changed it counts it anew, whole. Nobody evaluates across organizations, so no other's counts turn with it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::{PgConnection, dsl::exists, prelude::*};

use super::{
    EvaluationFilter, EvaluationGroup,
    case::{Subject, judge},
};
use crate::{
    db::{
        Context, Hooks, Read, Tx, as_everybody,
        schema::{counted, organizations as o, policies as p, tallied, tallies},
        write,
    },
    domain::{
        evaluation::{
            RULES, Verdict,
            outcome::{Outcome, Reason},
        },
        kinds::{IndicatorKind, Rating},
    },
    error::{Error, Result},
    http::query::{AnyOf, Years},
    resources::organizations::is_any_of,
    value::{Date, FiscalYear, Id, Slug},
};

/// Organizations that are counted anew at a time.
const BATCH: i64 = 50;
/// Most counts in one statement: PostgreSQL takes 65,535 parameters, and a count has 11.
const ROWS: usize = 5000;

/// What evaluations have in common that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Insertable)]
#[diesel(table_name = tallies)]
struct Common {
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    kind: IndicatorKind,
    due_on: Date,
    /// Whether this is so after the day on which results are due, or up to it; nothing where it is so on any day.
    late: Option<bool>,
    outcome: Outcome,
    reason: Option<Reason>,
    rating: Option<Rating>,
    inconsistent: bool,
}

/// So many evaluations that come to the same.
#[derive(Debug)]
pub struct Tally {
    /// The organization, where they are counted by it.
    pub organization: Option<Slug>,
    /// The fiscal year they are for.
    pub fiscal_year: FiscalYear,
    /// What they come to.
    pub verdict: Verdict,
    /// How many.
    pub count: u32,
}

/// A tally as it is stored, with the name of its organization.
type Row = (
    Option<Slug>,
    FiscalYear,
    (Outcome, Option<Reason>, Option<Rating>, bool),
    i32,
);

/// Counts anew what this transaction has marked, by what everybody sees after it. Of what others have left marked, an older
/// service perhaps that counts by other rules, so much that a write does not become a long one.
pub fn renew(tx: &mut Tx<'_>) -> Result<()> {
    renew_some(tx).map(|_some| ())
}

/// The same outside of any other write, a few organizations at a time, between others' writes.
pub fn catch_up(conn: &mut PgConnection) -> Result<()> {
    while !hold(conn)? {
        write(conn, Hooks::NONE, &Context::service(), renew_some)?;
    }
    Ok(())
}

/// Counts a few organizations anew; tells whether there were any.
fn renew_some(tx: &mut Tx<'_>) -> Result<bool> {
    // Those that were marked have no rules, and come before those of others.
    let some: Vec<Id> = stale()
        .select(tallied::organization_id)
        .order(tallied::rules)
        .limit(BATCH)
        .load(tx.conn)?;
    if some.is_empty() {
        return Ok(false);
    }
    let counts = as_everybody(tx, |conn| count(conn, &some))?;
    let rows: Vec<_> = counts
        .iter()
        .map(|((organization, common), count)| {
            (
                tallies::organization_id.eq(*organization),
                common,
                tallies::count.eq(count),
            )
        })
        .collect();
    diesel::delete(tallies::table.filter(tallies::organization_id.eq_any(&some))).execute(tx.conn)?;
    for rows in rows.chunks(ROWS) {
        diesel::insert_into(tallies::table)
            .values(rows.to_vec())
            .execute(tx.conn)?;
    }
    diesel::update(tallied::table.filter(tallied::organization_id.eq_any(&some)))
        .set(tallied::rules.eq(RULES))
        .execute(tx.conn)?;
    Ok(true)
}

/// The counts that do not hold, or are by other rules.
#[diesel::dsl::auto_type(no_type_alias)]
fn stale() -> _ {
    let ours: i32 = RULES;
    // Not `ne`: no index answers that.
    tallied::table.filter(tallied::rules.lt(ours).or(tallied::rules.gt(ours)))
}

/// Whether every count is by these rules, of what everybody sees.
fn hold(conn: &mut PgConnection) -> Result<bool> {
    let any: bool = diesel::select(exists(stale())).get_result(conn)?;
    Ok(!any)
}

fn count(conn: &mut PgConnection, organizations: &[Id]) -> Result<BTreeMap<(Id, Common), i32>> {
    let subjects = Subject::query()
        .filter(p::organization_id.eq_any(organizations))
        .load(conn)?;
    let mut counts = BTreeMap::new();
    for judged in judge(conn, subjects, &Years::default(), NaiveDate::MIN)? {
        let mut add = |late, verdict: Verdict| {
            let common = Common {
                policy_year: judged.subject.indicator.policy_year,
                fiscal_year: judged.fiscal_year,
                kind: judged.subject.indicator.kind,
                due_on: judged.subject.due_on,
                late,
                outcome: verdict.outcome,
                reason: verdict.reason,
                rating: verdict.rating,
                inconsistent: verdict.inconsistent,
            };
            *counts.entry((judged.subject.organization_id, common)).or_default() += 1;
        };
        let (in_time, after) = judged.verdicts();
        if in_time == after {
            add(None, in_time);
        } else {
            add(Some(false), in_time);
            add(Some(true), after);
        }
    }
    Ok(counts)
}

/// Whether more is asked for than counts can say.
#[must_use]
pub fn is_finer(filter: &EvaluationFilter, by: &AnyOf<EvaluationGroup>) -> bool {
    let EvaluationFilter {
        organization: _,
        policy_year: _,
        fiscal_year: _,
        goal,
        kind: _,
        unit,
        indicator,
        series,
        q,
        outcome: _,
        rating: _,
    } = filter;
    [goal.0.len(), unit.0.len(), indicator.0.len(), series.0.len()] != [0; 4]
        || q.is_some()
        || by.0.contains(&EvaluationGroup::Goal)
}

/// The counts of what is asked for, on a day; nothing where that cannot be said by counts, or they do not hold.
pub fn counted(
    conn: &mut Read<'_>,
    filter: &EvaluationFilter,
    by: &AnyOf<EvaluationGroup>,
    on: NaiveDate,
) -> Result<Option<Vec<Tally>>> {
    use counted as c;
    let EvaluationFilter {
        organization,
        policy_year,
        fiscal_year,
        kind,
        ..
    } = filter;
    if is_finer(filter, by) || !conn.public || !hold(conn)? {
        return Ok(None);
    }
    let mut query = c::table
        .left_join(o::table.on(c::organization_id.eq(o::id.nullable())))
        .filter(c::late.is_null().or(c::late.eq(c::due_on.lt(on).nullable())))
        .filter(c::count.gt(0))
        .into_boxed();
    query = match organization.some() {
        Some(keys) => query.filter(is_any_of(keys.to_vec()).assume_not_null()),
        None if by.0.contains(&EvaluationGroup::Organization) => query.filter(c::organization_id.is_not_null()),
        None => query.filter(c::organization_id.is_null()),
    };
    if let Some(years) = policy_year.some() {
        query = query.filter(c::policy_year.eq_any(years));
    }
    if let Some(years) = fiscal_year.some() {
        query = query.filter(c::fiscal_year.eq_any(years));
    }
    if let Some(kinds) = kind.some() {
        query = query.filter(c::kind.eq_any(kinds));
    }
    let columns = (
        o::slug.nullable(),
        c::fiscal_year,
        (c::outcome, c::reason, c::rating, c::inconsistent),
        c::count,
    );
    let rows: Vec<Row> = query.select(columns).load(conn.conn)?;
    let mut tallies = Vec::new();
    for (organization, fiscal_year, (outcome, reason, rating, inconsistent), count) in rows {
        let verdict = Verdict {
            outcome,
            reason,
            rating,
            inconsistent,
        };
        if filter.admits_verdict(verdict) {
            tallies.push(Tally {
                organization,
                fiscal_year,
                verdict,
                count: count.try_into().map_err(Error::internal)?,
            });
        }
    }
    Ok(Some(tallies))
}
