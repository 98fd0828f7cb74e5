//! Which moment a caller reads: now, or an earlier place in the history.

use chrono::NaiveDate;
use diesel::{
    PgConnection,
    connection::SimpleConnection,
    dsl::max,
    prelude::*,
    sql_types::{Bool, Text},
};
use utoipa::openapi::{RefOr, Type, path::ParameterBuilder, schema::ObjectBuilder, schema::Schema};

use crate::{
    error::{Error, Result, Violation},
    language::Bilingual,
    query,
    query::{Fault, Field},
    schema::{change_log, published, revisions},
    value::{Date, FiscalYear, Id, OrganizationKey, Time, today},
};

query! {
    /// Which moment to read.
    pub struct Past {
        /// Reads the past: a moment (RFC 3339), or `revision:` and the number of one of the policy's revisions. What is
        /// judged by a date is judged by that moment's.
        pub as_of: AsOf,
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

impl Field for AsOf {
    fn read(text: Option<&str>) -> Result<Self, Fault> {
        let Some(text) = text else { return Ok(Self::Now) };
        if let Some(number) = text.strip_prefix("revision:") {
            let number = number.parse().ok().filter(|n: &i32| *n > 0 && n.to_string() == number);
            if let Some(number) = number {
                return Ok(Self::Revision(number));
            }
        } else if let Some(time) = Time::read(text) {
            if time > Time::now() {
                let detail = Bilingual::new("未来の時点は読めません", "must not lie in the future");
                return Err(Fault::new("future", detail));
            }
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
    /// A policy's.
    Policy(OrganizationKey, FiscalYear),
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
                    "revision は一つの運営方針（所属と年度を一つずつ指定）を読むときだけ使えます",
                    "a revision can be read of one policy only: name one organization and one fiscal year",
                );
                Err(Error::malformed(Violation::of("as_of", "as_of", detail)))
            }
        }
    }
}

/// Of the policy that a filter's organizations and years come down to, if that is one.
#[must_use]
pub fn only(organizations: &[OrganizationKey], years: &[FiscalYear]) -> Option<Of> {
    match (organizations, years) {
        ([organization], [year]) => Some(Of::Policy(organization.clone(), *year)),
        _ => None,
    }
}

diesel::define_sql_function! {
    /// Sets a setting, for the rest of the transaction.
    fn set_config(name: Text, value: Text, local: Bool) -> Text;
}

impl Moment {
    /// Takes a transaction to this moment, and to what a caller with these drafts sees of it. Gives the day it was.
    pub(crate) fn enter(&self, conn: &mut PgConnection, drafts: &str) -> Result<NaiveDate> {
        let place = match self {
            Self::Now => None,
            Self::Time(time) => {
                let before = change_log::table.filter(change_log::at.le(time));
                let last: Option<i64> = before.select(max(change_log::seq)).first(conn)?;
                Some((last.unwrap_or(0), time.day()))
            }
            Self::Revision(number, of) => {
                let (seq, Date(day)) = of.revision(conn, *number)?;
                Some((seq, day))
            }
        };
        if !drafts.is_empty() {
            diesel::select(set_config("ward_policy.drafts", drafts, true)).execute(conn)?;
        }
        let Some((seq, day)) = place else { return Ok(today()) };
        conn.batch_execute(&format!(
            "set local ward_policy.as_of = '{seq}'; set local search_path = past, public"
        ))?;
        Ok(day)
    }
}

impl Of {
    /// The place of a revision in the history, and its day.
    fn revision(&self, conn: &mut PgConnection, number: i32) -> Result<(i64, Date)> {
        let wanted = revisions::table
            .filter(revisions::number.eq(number))
            .select((revisions::seq, revisions::shown_on));
        let place = match self {
            Self::Policy(organization, year) => {
                let named = published::slug
                    .eq(organization.as_str())
                    .or(published::municipality_code.eq(organization.as_str()));
                let policy = published::table
                    .filter(named)
                    .filter(published::fiscal_year.eq(year))
                    .select(published::policy_id);
                wanted.filter(revisions::policy_id.eq_any(policy)).first(conn)
            }
            Self::Row(kind, id) => {
                let policy = change_log::table
                    .filter(change_log::type_.eq(kind))
                    .filter(change_log::row_id.eq(id))
                    .filter(change_log::policy_id.is_not_null())
                    .select(change_log::policy_id.assume_not_null())
                    .limit(1);
                wanted.filter(revisions::policy_id.eq_any(policy)).first(conn)
            }
        };
        place.optional()?.ok_or(Error::NotFound("revision"))
    }
}
