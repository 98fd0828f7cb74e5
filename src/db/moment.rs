//! Which state of the database is read: the present one, or an earlier place in the history.

use std::{
    thread,
    time::{Duration, Instant},
};

use chrono::{NaiveDate, TimeDelta};
use diesel::{
    PgConnection,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{Bool, Text},
};

use super::schema::{change_log, published, revisions};
use crate::{
    error::{Error, Result, Violation},
    value::{Date, FiscalYear, Id, OrganizationKey, Time, language::Bilingual, today},
};

/// A place in the history to read at.
#[derive(Debug, Clone, Default)]
pub enum PointInTime {
    /// The present.
    #[default]
    Now,
    /// As it was at this time.
    Time(Time),
    /// As it was when this revision was made.
    Revision(i32, RevisionOf),
}

/// Whose revision is meant.
#[derive(Debug, Clone)]
pub enum RevisionOf {
    /// That of the policy that went by this name when the revision was made, else of the one that does today.
    Policy(OrganizationKey, FiscalYear),
    /// That of the policy that went by this name when the revision was made: rows are listed by the names they had.
    Listed(OrganizationKey, FiscalYear),
    /// That of the policy a row of this type belongs to.
    Row(&'static str, Id),
}

diesel::define_sql_function! {
    /// Sets a setting, for the rest of the transaction.
    fn set_config(name: Text, value: Text, local: Bool) -> Text;
}

/// Where names of tables mean what everybody sees of them.
pub(crate) const EVERYBODY: &str = "everybody, public";
/// Where they mean what a caller sees of them, by the drafts that `ward_policy.drafts` allows.
const VISIBLE: &str = "visible, public";
/// Where they mean the tables themselves.
pub(crate) const TABLES: &str = "public";

diesel::define_sql_function! {
    /// A setting.
    fn current_setting(name: Text) -> Text;
}

/// Reads what everybody sees, in the middle of a write.
pub fn as_everybody<T>(conn: &mut PgConnection, read: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    let (before, _): (String, String) = diesel::select((
        current_setting("search_path"),
        set_config("search_path", EVERYBODY, true),
    ))
    .get_result(conn)?;
    let given = read(conn)?;
    diesel::select(set_config("search_path", before, true)).execute(conn)?;
    Ok(given)
}

/// For the rest of the transaction, lets names of tables mean what a caller with these drafts sees of them.
pub(crate) fn as_seen(conn: &mut PgConnection, drafts: &str) -> Result<()> {
    let allowed = set_config("ward_policy.drafts", drafts, true);
    diesel::select((allowed, set_config("search_path", VISIBLE, true))).execute(conn)?;
    Ok(())
}

impl PointInTime {
    /// Waits, before the transaction that reads, until what is read will stay the same.
    pub(crate) fn settle(&self, conn: &mut PgConnection) -> Result<()> {
        match self {
            Self::Time(time) => settle(conn, *time),
            Self::Now | Self::Revision(..) => Ok(()),
        }
    }

    /// Takes a transaction to this moment, and to what a caller with these drafts sees of it. Gives the day it was.
    pub(crate) fn enter(&self, conn: &mut PgConnection, drafts: &str) -> Result<NaiveDate> {
        let place = match self {
            Self::Now => None,
            Self::Time(time) => {
                let last: Option<i64> = change_log::table
                    .filter(change_log::at.le(time))
                    .order((change_log::at.desc(), change_log::seq.desc()))
                    .select(change_log::seq)
                    .first(conn)
                    .optional()?;
                Some((last.unwrap_or(0), time.day()))
            }
            Self::Revision(number, of) => {
                let (seq, Date(day)) = of.revision(conn, *number)?;
                Some((seq, day))
            }
        };
        if !drafts.is_empty() {
            as_seen(conn, drafts)?;
        }
        let Some((seq, day)) = place else { return Ok(today()) };
        conn.batch_execute(&format!(
            "set local ward_policy.as_of = '{seq}'; set local search_path = past, public"
        ))?;
        Ok(day)
    }
}

diesel::define_sql_function! {
    /// The last moment that no write can take a place at any more.
    fn settled() -> Timestamptz;
}

/// How long a moment is waited for that is not settled yet, and how often it is looked for.
const PATIENCE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(10);
/// How far the database's clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(2);

/// Waits until a moment is settled: until every write is committed that has it or an earlier one. A transaction that begins
/// afterwards sees all there ever will be of it.
fn settle(conn: &mut PgConnection, time: Time) -> Result<()> {
    let begun = Instant::now();
    loop {
        let until: Time = diesel::select(settled()).get_result(conn)?;
        if time <= until {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE || time.0 > Time::now().0 + SKEW {
            let is_future = time > Time::now();
            return Err(if is_future { future() } else { Error::Unsettled(until) });
        }
        thread::sleep(AGAIN);
    }
}

diesel::define_sql_function! {
    /// The time by the database's clock.
    fn clock_timestamp() -> Timestamptz;
}

/// By how many whole seconds the time of the last change lies ahead of the database's clock, if by any: a clock was ahead.
pub fn seconds_ahead(conn: &mut PgConnection) -> QueryResult<Option<i64>> {
    let last: Option<(Time, Time)> = change_log::table
        .order(change_log::seq.desc())
        .select((change_log::at, clock_timestamp()))
        .first(conn)
        .optional()?;
    let ahead = last.map(|(last, now)| (last.0 - now.0).num_seconds());
    Ok(ahead.filter(|seconds| *seconds > 0))
}

fn future() -> Error {
    let detail = Bilingual::new("未来の時点は読めません", "must not lie in the future");
    Error::malformed(Violation::of("as_of", "future", detail))
}

impl RevisionOf {
    /// The place of a revision in the history, and its day.
    fn revision(&self, conn: &mut PgConnection, number: i32) -> Result<(i64, Date)> {
        let wanted = revisions::table
            .filter(revisions::number.eq(number))
            .select((revisions::seq, revisions::shown_on));
        let (place, missing) = match self {
            Self::Policy(organization, year) => {
                let key = (organization.clone(), *year);
                let then = wanted
                    .filter(revisions::id.eq_any(revisions_named(organization, *year)))
                    .order(revisions::seq.desc())
                    .first(conn)
                    .optional()?;
                let place = match then {
                    Some(place) => Some(place),
                    None => wanted
                        .filter(revisions::policy_id.eq_any(published_as(&key)))
                        .first(conn)
                        .optional()?,
                };
                (place, "revision")
            }
            Self::Listed(organization, year) => {
                let named = revisions::id.eq_any(revisions_named(organization, *year));
                let place = wanted.filter(named).order(revisions::seq.desc()).first(conn);
                (place.optional()?, "revision")
            }
            Self::Row(kind, id) => {
                let policy = change_log::table
                    .filter(change_log::type_.eq(kind))
                    .filter(change_log::row_id.eq(id))
                    .filter(change_log::policy_id.is_not_null())
                    .select(change_log::policy_id.assume_not_null())
                    .limit(1);
                let place = wanted.filter(revisions::policy_id.eq_any(policy)).first(conn);
                // A row that the caller does not see has no revision either, and says no more than one that never was.
                (place.optional()?, *kind)
            }
        };
        place.ok_or(Error::NotFound(missing))
    }
}

/// The revisions whose policy went by this name when they were made, as the history noted it.
#[diesel::dsl::auto_type(no_type_alias)]
fn revisions_named<'a>(organization: &'a OrganizationKey, year: FiscalYear) -> _ {
    let organization: &'a str = organization.as_str();
    let year: String = year.to_string();
    let coded = published::table
        .filter(published::municipality_code.eq(organization))
        .select(published::policy_id.nullable());
    change_log::table
        .filter(change_log::type_.eq("revision"))
        .filter(change_log::key.retrieve_as_text("fiscal_year").eq(year))
        .filter(
            change_log::key
                .retrieve_as_text("organization")
                .eq(organization)
                .or(change_log::policy_id.eq_any(coded)),
        )
        .select(change_log::row_id)
}

/// The policy of this organization for this fiscal year, by today's names, if it was ever published.
#[must_use]
#[diesel::dsl::auto_type(no_type_alias)]
pub fn published_as<'a>(key: &'a (OrganizationKey, FiscalYear)) -> _ {
    let organization: &'a str = key.0.as_str();
    let year: FiscalYear = key.1;
    published::table
        .filter(
            published::slug
                .eq(organization)
                .or(published::municipality_code.eq(organization)),
        )
        .filter(published::fiscal_year.eq(year))
        .select(published::policy_id)
}
