//! Which moment a caller reads: now, or an earlier place in the history; and what changed since one.

use std::{
    thread,
    time::{Duration, Instant},
};

use chrono::{NaiveDate, SecondsFormat, TimeDelta};
use diesel::{
    PgConnection,
    connection::SimpleConnection,
    prelude::*,
    sql_types::{Bool, Text},
};
use utoipa::openapi::{
    RefOr, Type,
    path::ParameterBuilder,
    schema::{ObjectBuilder, Schema},
};

use crate::{
    error::{Error, Result, Violation},
    language::Bilingual,
    query,
    query::{AnyOf, Fault, Field, Years},
    resources::revisions::published_as,
    schema::{change_log, published, revisions},
    value::{Date, FiscalYear, Id, OrganizationKey, Time, today},
};

query! {
    /// Which moment to read.
    pub struct Past {
        /// Reads the past: a moment (RFC 3339), or `revision:` and the number of one of the policy's revisions; a list takes
        /// that where its filters name one organization and one policy's year. The answer is what the caller would have
        /// got then: things go by the names they had, the public sees what was public, and what is judged by a date is
        /// judged by that moment's. The same moment gives the same answer for ever: one that a write under way may still have
        /// is waited for, shortly; then 503 says which moment is settled. Times are those of the changes, by the database's
        /// clock. 400 for a moment to come, 404 for a revision that is not there.
        pub as_of: AsOf,
    }
}

query! {
    /// What changed since.
    pub struct Since {
        /// Only what changed at this moment (RFC 3339) or later, by its `updated_at`; publishing is a change too. Changes
        /// take their places in the order of these times, so the latest `updated_at` seen is a safe next value. What was
        /// deleted or withdrawn does not show here, nor does a new name of what an item belongs to.
        pub updated_since: Option<Time>,
    }
}

/// A moment of the past, as a caller names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AsOf {
    /// None: now.
    #[default]
    Now,
    /// A time.
    Time(Time),
    /// A revision of the policy that is read, or that what is read belongs to.
    Revision(i32),
}

impl AsOf {
    /// The same as the end of an address; empty for now.
    #[must_use]
    pub fn query(self) -> String {
        match self {
            Self::Now => String::new(),
            Self::Time(Time(time)) => format!("?as_of={}", time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Revision(number) => format!("?as_of=revision:{number}"),
        }
    }
}

impl Field for AsOf {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self::Now) };
        if let Some(number) = text.strip_prefix("revision:") {
            let number = number.parse().ok().filter(|n: &i32| *n > 0 && n.to_string() == number);
            if let Some(number) = number {
                return Ok(Self::Revision(number));
            }
        } else if let Some(time) = Time::read(text) {
            return Ok(Self::Time(time));
        }
        Err(Fault::new(
            "as_of",
            Bilingual::new(
                "2024-04-01T09:00:00+09:00 の形の日時（+ は %2B）か revision:1 の形にしてください",
                "must be a moment like 2024-04-01T09:00:00+09:00 (the + as %2B), or like revision:1",
            ),
        ))
    }
    fn document(parameter: ParameterBuilder) -> ParameterBuilder {
        let schema: RefOr<Schema> = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(40))
            .examples([serde_json::json!("revision:1")])
            .into();
        parameter.schema(Some(schema))
    }
}

/// A place in the history to read at.
#[derive(Debug, Clone, Default)]
pub enum Moment {
    /// The present.
    #[default]
    Now,
    /// As it was at this time.
    Time(Time),
    /// As it was when this revision was made.
    Revision(i32, Of),
}

/// Whose revision is meant.
#[derive(Debug, Clone)]
pub enum Of {
    /// That of the policy that went by this name when the revision was made, else of the one that does today.
    Policy(OrganizationKey, FiscalYear),
    /// That of the policy that went by this name when the revision was made: rows are listed by the names they had.
    Listed(OrganizationKey, FiscalYear),
    /// That of the policy a row of this type belongs to.
    Row(&'static str, Id),
}

impl Past {
    /// The moment, where what is read is a policy or belongs to one.
    #[must_use]
    pub fn of(&self, of: Of) -> Moment {
        match self.as_of {
            AsOf::Now => Moment::Now,
            AsOf::Time(time) => Moment::Time(time),
            AsOf::Revision(number) => Moment::Revision(number, of),
        }
    }

    /// The moment, where what is read belongs to one policy only if the caller has said which.
    pub fn of_any(&self, of: Option<Of>) -> Result<Moment> {
        match (self.as_of, of) {
            (AsOf::Now, _) => Ok(Moment::Now),
            (AsOf::Time(time), _) => Ok(Moment::Time(time)),
            (AsOf::Revision(number), Some(of)) => Ok(Moment::Revision(number, of)),
            (AsOf::Revision(_), None) => {
                let detail = Bilingual::new(
                    "revision は一つの運営方針のものです。所属と運営方針の年度を一つずつ指定できる場合だけ使えます",
                    "a revision is one of a policy: only where filters name one organization and one policy's fiscal year",
                );
                Err(Error::malformed(Violation::of("as_of", "as_of", detail)))
            }
        }
    }
}

/// Of the policy that a filter's organizations and years come down to, if that is one.
#[must_use]
pub fn only(organizations: &AnyOf<OrganizationKey>, years: &Years) -> Option<Of> {
    match (&organizations.0[..], &years.0[..]) {
        ([organization], [year]) => Some(Of::Listed(organization.clone(), *year)),
        _ => None,
    }
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

impl Moment {
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

impl Of {
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
