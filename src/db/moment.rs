//! Points in time: the present state of the database, or an earlier place in the history.

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

/// A point in time to read at.
#[derive(Debug, Clone, Default)]
pub enum PointInTime {
    /// The present.
    #[default]
    Now,
    /// The state at this time.
    Time(Time),
    /// The state when this revision was made.
    Revision(i32, RevisionOf),
}

/// The policy that a revision number belongs to.
#[derive(Debug, Clone)]
pub enum RevisionOf {
    /// The policy with this key when the revision was made, or else the policy with this key today.
    Policy(OrganizationKey, FiscalYear),
    /// The policy with this key when the revision was made: a list shows the names of its time.
    Listed(OrganizationKey, FiscalYear),
    /// The policy that a row of this type belongs to.
    Row(&'static str, Id),
}

diesel::define_sql_function! {
    /// Sets a setting, for the rest of the transaction.
    fn set_config(name: Text, value: Text, local: Bool) -> Text;
}

/// The search path in which a table's name means its public rows.
pub(crate) const PUBLISHED: &str = "published_view, public";
/// The search path in which a table's name means the rows that a caller with `ward_policy.drafts` sees.
const VISIBLE: &str = "visible, public";
/// The search path in which a table's name means the rows at the place `ward_policy.as_of` in the history.
const AS_OF: &str = "as_of, public";
/// The search path of the tables themselves.
pub(crate) const TABLES: &str = "public";

diesel::define_sql_function! {
    /// A setting.
    fn current_setting(name: Text) -> Text;
}
/// Reads public rows in the middle of a write.
pub fn as_published<T>(conn: &mut PgConnection, read: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    let (before, _): (String, String) = diesel::select((
        current_setting("search_path"),
        set_config("search_path", PUBLISHED, true),
    ))
    .get_result(conn)?;
    let given = read(conn)?;
    diesel::select(set_config("search_path", before, true)).execute(conn)?;
    Ok(given)
}

/// For the rest of the transaction, makes a table's name mean the rows that a caller with these drafts sees.
pub(crate) fn as_seen(conn: &mut PgConnection, drafts: &str) -> Result<()> {
    let allowed = set_config("ward_policy.drafts", drafts, true);
    diesel::select((allowed, set_config("search_path", VISIBLE, true))).execute(conn)?;
    Ok(())
}

impl PointInTime {
    /// Waits, before the transaction that reads, until the moment is settled.
    pub(crate) fn settle(&self, conn: &mut PgConnection) -> Result<()> {
        match self {
            Self::Time(time) => settle(conn, *time),
            Self::Now | Self::Revision(..) => Ok(()),
        }
    }

    /// Sets a transaction to this moment, as a caller with these drafts sees it. Gives the day of the moment.
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
            "set local ward_policy.as_of = '{seq}'; set local search_path = {AS_OF}"
        ))?;
        Ok(day)
    }
}

diesel::define_sql_function! {
    /// The last moment at which no write can take its place any more.
    fn settled() -> Timestamptz;
}

/// How long a read waits for a moment to be settled, and how often it checks.
const PATIENCE: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_millis(10);
/// How far the database's clock may be ahead of this process's.
const SKEW: TimeDelta = TimeDelta::seconds(2);

/// Waits until a moment is settled: every write with this or an earlier time is committed. A transaction that begins afterwards
/// sees all changes there will ever be until that moment.
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
    /// The database's clock.
    fn clock_timestamp() -> Timestamptz;
}

/// By how many whole seconds the time of the last change lies ahead of the database's clock; `None` if it does not. If it does,
/// a clock was ahead.
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
                // A row that the caller may not see looks like a row that never was.
                (place.optional()?, *kind)
            }
        };
        place.ok_or(Error::NotFound(missing))
    }
}

/// The revisions whose policy had this key when they were made, as the history notes it.
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

/// The policy with this key today, if it was ever published.
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
