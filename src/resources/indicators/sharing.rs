//! Series are shared over the years, never within a policy.

use diesel::prelude::*;

use crate::{
    db::{Tx, schema::indicators},
    error::{Error, Result, Violation},
    value::{Id, language::Bilingual},
};

/// Fails if another indicator of the policy is in this one's series: a year has one record.
pub fn check_alone(tx: &mut Tx<'_>, id: Id) -> Result<()> {
    let (policy, series): (Id, Id) = indicators::table
        .find(id)
        .select((indicators::policy_id, indicators::series_id))
        .first(tx.conn)?;
    check_series(tx, policy, Some(series))
}

/// Fails if two indicators of a policy are in one series; checks `series` alone if it is given.
pub fn check_series(tx: &mut Tx<'_>, policy: Id, series: Option<Id>) -> Result<()> {
    let held: Vec<Id> = indicators::table
        .filter(indicators::policy_id.eq(policy))
        .order(indicators::series_id)
        .select(indicators::series_id)
        .load(tx.conn)?;
    let mut pairs = held.iter().zip(held.iter().skip(1));
    let shared = pairs.any(|(one, other)| one == other && series.is_none_or(|series| series == *one));
    if !shared {
        return Ok(());
    }
    let detail = Bilingual::new(
        "この運営方針の別の指標がすでにこの系列に入っています",
        "another indicator of this policy is in this series already",
    );
    Err(Error::Conflict(vec![Violation::at(
        "/series_id",
        "series_taken",
        detail,
    )]))
}
