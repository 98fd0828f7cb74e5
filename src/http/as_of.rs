//! The point in time that a caller reads: now, or earlier (`as_of`); and the filter for what changed since a moment.

use chrono::SecondsFormat;
use utoipa::openapi::{
    RefOr, Type,
    path::ParameterBuilder,
    schema::{ObjectBuilder, Schema},
};

use super::query::{AnyOf, Fault, Field, Years};
use crate::{
    db::{PointInTime, RevisionOf},
    error::{Error, Result, Violation},
    query,
    value::{OrganizationKey, Time, language::Bilingual},
};

query! {
    /// Which moment to read.
    pub struct AsOfParam {
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

/// A point in time, as a caller names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AsOf {
    /// None: now.
    #[default]
    Now,
    /// A time.
    Time(Time),
    /// A revision of the policy that is read, or that the thing read belongs to.
    Revision(i32),
}

impl AsOf {
    /// The query string that reads this point in time; empty for now.
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

impl AsOfParam {
    /// The point in time, if the thing read is a policy or belongs to one.
    #[must_use]
    pub fn of(&self, of: RevisionOf) -> PointInTime {
        match self.as_of {
            AsOf::Now => PointInTime::Now,
            AsOf::Time(time) => PointInTime::Time(time),
            AsOf::Revision(number) => PointInTime::Revision(number, of),
        }
    }

    /// The point in time, if the thing read belongs to one policy only when the caller has said which.
    pub fn of_any(&self, of: Option<RevisionOf>) -> Result<PointInTime> {
        match (self.as_of, of) {
            (AsOf::Now, _) => Ok(PointInTime::Now),
            (AsOf::Time(time), _) => Ok(PointInTime::Time(time)),
            (AsOf::Revision(number), Some(of)) => Ok(PointInTime::Revision(number, of)),
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

/// The policy that a filter's organizations and years come down to, if they name just one.
#[must_use]
pub fn only(organizations: &AnyOf<OrganizationKey>, years: &Years) -> Option<RevisionOf> {
    match (&organizations.0[..], &years.0[..]) {
        ([organization], [year]) => Some(RevisionOf::Listed(organization.clone(), *year)),
        _ => None,
    }
}
