//! Organizations with plausible data, stored as if callers had written them.

use diesel::{PgConnection, pg::CopyFormat, prelude::*};
use ward_policy::{
    cli::{database::write, sample},
    db::{
        Tx,
        schema::{budgets as b, goals as g, indicators as i, organizations as o, policies as p, results as r},
    },
    error::{Error, Result},
    resources::{
        organizations,
        revisions::{self, RevisionKind},
    },
    value::{Date, Id},
};

use crate::plausible::Made;

/// The reason with which generated data is published.
const REASON: &str = "計測用に生成したデータ (generated)";

/// Stores the generated organization with this number, with history and revisions as if callers had written it.
pub(crate) fn load(conn: &mut PgConnection, n: u32) -> Result<()> {
    write(conn, |tx| {
        tx.set_reason(REASON)?;
        let made = Made::of(n, ward(tx, n)?).map_err(Error::internal)?;
        let published = made.published.clone();
        store(tx, made)?;
        for (policy, published_on) in published {
            revisions::begin(tx, policy, RevisionKind::Results, Date(published_on))?;
        }
        Ok(())
    })
}

/// The ward with this number, if there is one: bureaus follow after the wards.
fn ward(tx: &mut Tx<'_>, n: u32) -> Result<Option<Id>> {
    let wards = sample::wards()?;
    let Some(ward) = usize::try_from(n).ok().and_then(|n| wards.get(n)) else {
        return Ok(None);
    };
    let stored = o::table.filter(o::slug.eq(&ward.slug)).select(o::id);
    match stored.first(tx.conn).optional()? {
        Some(id) => Ok(Some(id)),
        None => organizations::insert(tx, ward).map(|created| Some(created.body.id)),
    }
}

/// A `COPY` of lines of CSV into some columns of a table.
macro_rules! copy {
    ($tx:ident, $lines:expr, $table:expr, ($($column:expr),+ $(,)?)) => {
        let lines = $lines.bytes().map_err(Error::internal)?;
        diesel::copy_from($table)
            .from_raw_data(($($column),+), |copy| {
                copy.write_all(&lines).map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
            })
            .with_format(CopyFormat::Csv)
            .execute($tx.conn)?;
    };
}

fn store(tx: &mut Tx<'_>, made: Made) -> Result<()> {
    copy!(
        tx,
        made.organizations,
        o::table,
        (o::id, o::slug, o::kind, o::name, o::display_order)
    );
    copy!(
        tx,
        made.policies,
        p::table,
        (
            p::id,
            p::organization_id,
            p::fiscal_year,
            p::head_name,
            p::head_title,
            p::vision,
            p::mission,
            p::results_due_on,
            p::stage,
            p::plan_published_on,
            p::results_published_on,
        )
    );
    copy!(
        tx,
        made.goals,
        g::table,
        (
            g::id,
            g::policy_id,
            g::code,
            g::title,
            g::issue_recognition,
            g::strategies
        )
    );
    copy!(
        tx,
        made.budgets,
        b::table,
        (
            b::id,
            b::goal_id,
            b::fiscal_year,
            b::kind,
            b::status,
            b::amount_yen,
            b::precision_yen,
            b::text
        )
    );
    copy!(
        tx,
        made.indicators,
        i::table,
        (
            i::id,
            i::goal_id,
            i::position,
            i::kind,
            i::name,
            i::unit,
            i::decimals,
            i::direction,
            i::series_id,
            i::target_text,
            i::target_comparator,
            i::target_value,
            i::target_reference,
            i::target_period,
        )
    );
    copy!(
        tx,
        made.results,
        r::table,
        (
            r::id,
            r::indicator_id,
            r::fiscal_year,
            r::value,
            r::value_status,
            r::observation_status,
            r::text,
            r::comment,
            r::measured_on,
            r::declared_rating,
        )
    );
    Ok(())
}
