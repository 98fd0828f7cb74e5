//! Times: fiscal years, dates and moments.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, SubsecRound, Timelike, Utc};
use diesel::{
    deserialize::FromSqlRow,
    expression::AsExpression,
    sql_types::{Date as SqlDate, Integer, Timestamptz},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, SchemaFormat, Type, schema::Schema},
};

/// A fiscal year, as the Gregorian year in which it starts on 1 April: 1950 to 2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Integer)]
#[serde(transparent)]
pub struct FiscalYear(i32);

column!(FiscalYear: Integer = i32);

impl FiscalYear {
    /// The first fiscal year the service knows.
    pub const MIN: i32 = 1950;
    /// The last fiscal year the service knows.
    pub const MAX: i32 = 2100;

    /// The fiscal year that starts in April of `year`, if the service knows it.
    #[must_use]
    pub const fn new(year: i32) -> Option<Self> {
        if year >= Self::MIN && year <= Self::MAX {
            Some(Self(year))
        } else {
            None
        }
    }

    /// The Gregorian year of its 1 April.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// The fiscal year before, if the service knows it.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        Self::new(self.0 - 1)
    }

    /// The fiscal year after, if the service knows it.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0 + 1)
    }
}
impl fmt::Display for FiscalYear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<'de> Deserialize<'de> for FiscalYear {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(i32::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom("must be a fiscal year from 1950 to 2100"))
    }
}
impl PartialSchema for FiscalYear {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .minimum(Some(Self::MIN))
            .maximum(Some(Self::MAX))
            .description(Some(
                "A fiscal year (年度), as the Gregorian year in which it starts on 1 April: 2024 is 令和6年度.",
            ))
            .examples([json!(2024)])
            .into()
    }
}
impl ToSchema for FiscalYear {}

/// A moment, to the microsecond; RFC 3339 with the offset of Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
#[serde(try_from = "DateTime<Utc>")]
pub struct Time(pub DateTime<Utc>);

impl TryFrom<DateTime<Utc>> for Time {
    type Error = &'static str;

    /// Takes only years of four digits: the database does not know all others.
    fn try_from(moment: DateTime<Utc>) -> Result<Self, Self::Error> {
        let known = (1..=9999).contains(&moment.year());
        known.then_some(Self(moment)).ok_or("must be of the years 1 to 9999")
    }
}

column!(Time: Timestamptz = DateTime<Utc>);

impl Time {
    /// Now, to the microsecond. Called where a request comes in, as [`today`] is.
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now().trunc_subsecs(6))
    }

    /// The moment at which a day begins in Japan.
    #[must_use]
    pub fn beginning_of(day: NaiveDate) -> Self {
        let midnight = day.and_time(NaiveTime::MIN) - japan();
        Self(midnight.and_utc())
    }

    /// The moment's day in Japan.
    #[must_use]
    pub fn day(self) -> NaiveDate {
        self.0.with_timezone(&japan()).date_naive()
    }

    /// Reads RFC 3339.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Self::try_from(moment.with_timezone(&Utc)).ok()
    }
}

/// Japan's offset from UTC; the country has no summer time.
#[must_use]
pub fn japan() -> FixedOffset {
    const NINE_HOURS: i32 = 9 * 3600;
    FixedOffset::east_opt(NINE_HOURS).unwrap_or_else(|| unreachable!("nine hours are less than a day"))
}

/// Today in Japan. Called where a request comes in, and nowhere deeper: rules take the date as an argument.
#[must_use]
pub fn today() -> NaiveDate {
    Utc::now().with_timezone(&japan()).date_naive()
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.with_timezone(&japan()).naive_local();
        // By hand, in one pass: moments are the most frequent values of a response.
        let mut text = *b"0000-00-00T00:00:00.000000+09:00";
        for (at, number) in [
            (0..4, local.year().unsigned_abs()),
            (5..7, local.month()),
            (8..10, local.day()),
            (11..13, local.hour()),
            (14..16, local.minute()),
            (17..19, local.second()),
            (20..26, local.nanosecond() / 1000),
        ] {
            let mut left = number;
            for digit in text.get_mut(at).into_iter().flatten().rev() {
                *digit += u8::try_from(left % 10).unwrap_or(0);
                left /= 10;
            }
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .max_length(Some(40))
            .description(Some("A moment (RFC 3339), with the offset of Japan."))
            .examples([json!("2024-04-01T09:00:00.000000+09:00")])
            .into()
    }
}
impl ToSchema for Time {}

const DAY: &str = "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$";

/// How a date is written.
pub(super) const DATE_WRITTEN: super::key::Written = (
    DAY,
    "1900年から2199年までの日付を YYYY-MM-DD の形で指定してください（例 2025-06-30）",
    "must be a date from 1900 to 2199, written YYYY-MM-DD, like 2025-06-30",
);

/// A calendar date, from 1900 to 2199.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlDate)]
#[serde(transparent)]
pub struct Date(pub NaiveDate);

column!(Date: SqlDate = NaiveDate);

impl PartialSchema for Date {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .pattern(Some(DAY))
            .max_length(Some(10))
            .description(Some("A calendar date, YYYY-MM-DD."))
            .examples([json!("2025-06-30")])
            .into()
    }
}
// `Date` is a type of JavaScript's: clients that are generated would take the one for the other.
impl ToSchema for Date {
    fn name() -> Cow<'static, str> {
        "CalendarDate".into()
    }
}
