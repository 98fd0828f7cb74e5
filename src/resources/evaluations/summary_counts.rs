//! Evaluations as everybody sees them, counted beforehand: a summary of everything adds up counts, instead of
//! evaluating everything.
//!
//! When public data of an evaluation changes, the database marks the organization. The write that changed the data counts the whole
//! organization anew, or, if it changed a few results, what their series came to before it and come to now. Evaluations look at one
//! organization only: no other counts change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::{
    PgConnection,
    dsl::{exists, max},
    prelude::*,
    sql_types::{Array, Integer, Jsonb, Uuid},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    EvaluationFilter, EvaluationGroup,
    case::{Subject, judge},
    result_change::ResultChange,
};
use crate::{
    db::{
        Context, Hooks, Read, Tx, as_published,
        schema::{change_log, counted, indicators as i, organizations as o, policies as p, tallied, tallies},
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

/// Organizations that are counted anew at a time: few, for all of their evaluations are held at once.
const BATCH: i64 = 10;
/// Most counts in one statement: PostgreSQL takes 65,535 parameters, and a count has 11.
const ROWS: usize = 5000;

/// What the evaluations of one count have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Insertable, Serialize)]
#[diesel(table_name = tallies)]
struct Common {
    policy_year: FiscalYear,
    fiscal_year: FiscalYear,
    kind: IndicatorKind,
    /// The one day on which the verdict may turn: of a result without a number the day it is due, of others the last day of
    /// the fiscal year, up to which a provisional number is not the last word.
    #[diesel(column_name = due_on)]
    #[serde(rename = "due_on")]
    turns_after: Date,
    /// Whether the verdict holds after that day, or up to it; none if on any day.
    late: Option<bool>,
    outcome: Outcome,
    reason: Option<Reason>,
    rating: Option<Rating>,
    inconsistent: bool,
}

/// How many more or fewer there are of what is counted together.
#[derive(Serialize)]
struct Delta {
    organization_id: Id,
    #[serde(flatten)]
    common: Common,
    count: i32,
}

/// A count of evaluations with the same verdict.
#[derive(Debug)]
pub struct Tally {
    /// The organization, if the counts are by organization.
    pub organization: Option<Slug>,
    /// The fiscal year of the evaluations.
    pub fiscal_year: FiscalYear,
    /// The verdict of each of them.
    pub verdict: Verdict,
    /// How many evaluations.
    pub count: u32,
}

/// A tally as it is stored, with the name of its organization.
type StoredCount = (
    Option<Slug>,
    FiscalYear,
    (Outcome, Option<Reason>, Option<Rating>, bool),
    i32,
);

/// An organization whose counts do not hold, and whether they held until this transaction marked them.
type Marked = (Id, bool);

diesel::define_sql_function! {
    /// The number of this transaction.
    fn txid_current() -> BigInt;
}
diesel::define_sql_function! {
    /// Adds to counts what they have gained or lost. Says whether they could.
    #[sql_name = "derived.change_tallies"]
    fn change_tallies(organizations: Array<Uuid>, deltas: Jsonb, by_rules: Integer) -> Bool;
}

/// Brings the counts up to date that this transaction has marked, as everybody sees them after it. Of others that are marked, or were
/// made by older rules, only so many are counted anew that a write stays short. Counts by newer rules are left to the newer service.
pub fn renew(tx: &mut Tx<'_>) -> Result<()> {
    let some = marked(tx)?;
    let ours: Vec<Id> = (some.iter()).filter_map(|(id, held)| held.then_some(*id)).collect();
    let changes = match &*ours {
        [] => None,
        _ => ResultChange::since(tx.conn, tx.counted)?,
    };
    let done = match &changes {
        Some(changes) => turn(tx, &ours, changes)?,
        None => false,
    };
    let left = some.into_iter().filter(|(_, held)| !(done && *held));
    count_anew(tx, &left.map(|(id, _)| id).collect::<Vec<_>>())?;
    let last = match changes {
        Some(changes) => changes.first().map(|change| change.seq),
        None if ours.is_empty() => None,
        None => change_log::table.select(max(change_log::seq)).first(tx.conn)?,
    };
    tx.counted = last.unwrap_or(tx.counted);
    Ok(())
}

/// Counts all marked organizations anew outside of other writes, a few at a time.
pub fn catch_up(conn: &mut PgConnection) -> Result<()> {
    while !hold(conn)? {
        write(conn, Hooks::NONE, &Context::service(), |tx| {
            let some = marked(tx)?.into_iter().map(|(id, _)| id);
            let newer = by_newer_rules().select(tallied::organization_id).limit(BATCH);
            let newer: Vec<Id> = newer.load(tx.conn)?;
            count_anew(tx, &some.chain(newer).collect::<Vec<_>>())
        })?;
    }
    Ok(())
}

/// A few organizations whose counts are outdated, or made by older rules.
fn marked(tx: &mut Tx<'_>) -> Result<Vec<Marked>> {
    let ours: i32 = RULES;
    let held = tallied::marked_in.eq(txid_current()).and(tallied::held_rules.eq(ours));
    // Marked organizations have the rules 0, and come before those counted by other rules.
    let some = stale().select((tallied::organization_id, held)).order(tallied::rules);
    Ok(some.limit(BATCH).load(tx.conn)?)
}

/// Adds to the counts of organizations what the evaluations of some series have turned to by changes of their results, the last one
/// first. False, and the counts are wrong, if they were before.
fn turn(tx: &mut Tx<'_>, organizations: &[Id], changes: &[ResultChange]) -> Result<bool> {
    let series: BTreeSet<Id> = changes.iter().filter_map(|change| change.series).collect();
    let series = Vec::from_iter(series);
    let now: Vec<Subject> = as_published(tx, |conn| {
        if let ([organization], [one]) = (organizations, &*series) {
            // Most writes turn one series. Of a comparison by `=` PostgreSQL keeps the plan.
            let of = Subject::query().filter(p::organization_id.eq(*organization));
            return Ok(of.filter(i::series_id.eq(*one)).load(conn)?);
        }
        let of = Subject::query().filter(p::organization_id.eq_any(organizations));
        Ok(of.filter(i::series_id.eq_any(&series)).load(conn)?)
    })?;
    let mut then = now.clone();
    for change in changes {
        for subject in &mut then {
            subject.undo(change);
        }
    }
    let mut deltas = tally(now);
    for (key, count) in tally(then) {
        *deltas.entry(key).or_default() -= count;
    }
    deltas.retain(|_, count| *count != 0);
    let deltas: Vec<Value> = deltas
        .into_iter()
        .map(|((organization_id, common), count)| {
            json!(Delta {
                organization_id,
                common,
                count
            })
        })
        .collect();
    let changing = change_tallies(organizations, Value::from(deltas), RULES);
    Ok(diesel::select(changing).get_result(tx.conn)?)
}

/// Counts organizations anew, whole.
fn count_anew(tx: &mut Tx<'_>, some: &[Id]) -> Result<()> {
    if some.is_empty() {
        return Ok(());
    }
    let subjects = as_published(tx, |conn| {
        let of = Subject::query().filter(p::organization_id.eq_any(some));
        Ok(of.load(conn)?)
    })?;
    let counts = tally(subjects);
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
    diesel::delete(tallies::table.filter(tallies::organization_id.eq_any(some))).execute(tx.conn)?;
    for rows in rows.chunks(ROWS) {
        diesel::insert_into(tallies::table)
            .values(rows.to_vec())
            .execute(tx.conn)?;
    }
    diesel::update(tallied::table.filter(tallied::organization_id.eq_any(some)))
        .set(tallied::rules.eq(RULES))
        .execute(tx.conn)?;
    Ok(())
}

/// The organizations whose counts are outdated, or made by older rules.
#[diesel::dsl::auto_type(no_type_alias)]
fn stale() -> _ {
    let ours: i32 = RULES;
    tallied::table.filter(tallied::rules.lt(ours))
}

/// The organizations whose counts are made by newer rules.
#[diesel::dsl::auto_type(no_type_alias)]
fn by_newer_rules() -> _ {
    let ours: i32 = RULES;
    tallied::table.filter(tallied::rules.gt(ours))
}

/// Whether every count is up to date and made by these rules. By index: it serves neither `ne` nor an `or`.
fn hold(conn: &mut PgConnection) -> Result<bool> {
    let any: bool = diesel::select(exists(stale()).or(exists(by_newer_rules()))).get_result(conn)?;
    Ok(!any)
}

fn tally(subjects: Vec<Subject>) -> BTreeMap<(Id, Common), i32> {
    let mut counts = BTreeMap::new();
    for judged in judge(subjects, &Years::default(), NaiveDate::MIN) {
        let (last, until, after) = judged.verdicts();
        let mut add = |late, verdict: Verdict| {
            let common = Common {
                policy_year: judged.subject.indicator.policy_year,
                fiscal_year: judged.fiscal_year,
                kind: judged.subject.indicator.kind,
                turns_after: Date(last),
                late,
                outcome: verdict.outcome,
                reason: verdict.reason,
                rating: verdict.rating,
                inconsistent: verdict.inconsistent,
            };
            *counts.entry((judged.subject.organization_id, common)).or_default() += 1;
        };
        if until == after {
            add(None, until);
        } else {
            add(Some(false), until);
            add(Some(true), after);
        }
    }
    counts
}

/// Whether the filter or the grouping is finer than the counts.
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

/// The counts for a filter on a day; none if the filter is finer than the counts, or if some are outdated.
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
    let rows: Vec<StoredCount> = query.select(columns).load(conn.conn)?;
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
