//! Values that carry their own rules: one type is the JSON schema, the check and the column.
//!
//! A body is checked against the schemas of its types before it is read (see [`crate::contract`]),
//! so a rule stated in a schema here is enforced, documented and tested at once.

use std::{borrow::Cow, fmt, str::FromStr};

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::{Array, BigInt, Date as SqlDate, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ArrayBuilder, KnownFormat, ObjectBuilder, Ref, RefOr, SchemaFormat, Type, extensions::ExtensionsBuilder,
        schema::Schema,
    },
};
use uuid::Uuid;

use crate::{
    error::{Error, Violation},
    language::Bilingual,
};

/// A closed list of codes, each with its label in both languages.
pub trait Codes: Sized + Copy + 'static {
    /// What the list is called in JSON, SQL and the code lists.
    const NAME: &'static str;
    /// What the list is for.
    const MEANING: &'static str;
    /// Every code, in the order in which people list them.
    const ALL: &'static [Self];
    /// The code as written in JSON and in the database.
    fn code(self) -> &'static str;
    /// The code for people.
    fn label(self) -> Bilingual;
    /// What the code says, in one sentence.
    fn meaning(self) -> &'static str;
    /// The value with this code.
    #[must_use]
    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|item| item.code() == code)
    }
}

/// Declares an enum once for Rust, JSON, OpenAPI, its text column and the code lists.
#[macro_export]
macro_rules! text_enum {
    ($(#[doc = $doc:literal])+ $(#[derive($($derive:path),*)])? pub enum $name:ident in $list:literal {
        $(#[doc = $meaning:literal] $item:ident = $code:literal ($ja:literal, $en:literal),)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, $($($derive,)*)? serde::Serialize, serde::Deserialize,
                 diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $(#[doc = $meaning] #[serde(rename = $code)] $item,)+ }

        impl $crate::value::Codes for $name {
            const NAME: &'static str = $list;
            const MEANING: &'static str = concat!($($doc),+).trim_ascii();
            const ALL: &'static [Self] = &[$(Self::$item),+];
            fn code(self) -> &'static str {
                match self { $(Self::$item => $code),+ }
            }
            fn label(self) -> $crate::language::Bilingual {
                match self { $(Self::$item => $crate::language::Bilingual::new($ja, $en)),+ }
            }
            fn meaning(self) -> &'static str {
                match self { $(Self::$item => $meaning.trim_ascii()),+ }
            }
        }
        // By hand: utoipa does not see names that a macro passes to serde.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some([$($code),+]))
                    .description(Some(concat!($($doc, "\n",)+ $("\n- `", $code, "` (", $ja, "):", $meaning),+).trim_ascii()))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::value::Codes::code(*self))
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg>>::to_sql($crate::value::Codes::code(*self), out)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                let code = std::str::from_utf8(bytes.as_bytes())?;
                <Self as $crate::value::Codes>::from_code(code)
                    .ok_or_else(|| format!("unknown {}: {code}", $list).into())
            }
        }
    };
}

/// Makes a newtype a column: `column!(FiscalYear: Integer = i32)`.
macro_rules! column {
    ($name:ident $(<const $max:ident: usize>)?: $sql:ty = $inner:ty) => {
        impl $(<const $max: usize>)? ToSql<$sql, Pg> for $name $(<$max>)? {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <$inner as ToSql<$sql, Pg>>::to_sql(&self.0, out)
            }
        }
        impl $(<const $max: usize>)? FromSql<$sql, Pg> for $name $(<$max>)? {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                <$inner as FromSql<$sql, Pg>>::from_sql(bytes).map(Self)
            }
        }
    };
}

/// Serializes a value as its text, and reads it from its text by [`FromStr`].
macro_rules! as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|e: Bilingual| D::Error::custom(e.en))
            }
        }
    };
}

/// One line of text: 1 to `MAX` characters, not blank, without blanks at either end or control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(pub String);

column!(Line<const MAX: usize>: Text = String);

impl<const MAX: usize> PartialSchema for Line<MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .pattern(Some(
                r"^[^\s\u0000-\u001f\u007f]([^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$",
            ))
            .description(Some(format!(
                "One line of text, at most {MAX} characters, without blanks at either end."
            )))
            .into()
    }
}
impl<const MAX: usize> ToSchema for Line<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Line{MAX}").into()
    }
}

/// Text of one or more lines: 1 to `MAX` characters, without blanks at either end; line feed and tab are the only control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct Prose<const MAX: usize>(pub String);

column!(Prose<const MAX: usize>: Text = String);

impl<const MAX: usize> PartialSchema for Prose<MAX> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX))
            .pattern(Some(
                r"^[^\s\u0000-\u001f\u007f]([^\u0000-\u0008\u000b-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$",
            ))
            .description(Some(format!(
                "Text, at most {MAX} characters, line feeds included, without blanks at either end."
            )))
            .into()
    }
}
impl<const MAX: usize> ToSchema for Prose<MAX> {
    fn name() -> Cow<'static, str> {
        format!("Prose{MAX}").into()
    }
}

/// A text box of the form: its items in order, without bullets. An empty box is `[]`; one the form does not have is `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Array<Text>)]
#[serde(transparent)]
pub struct TextBox(pub Vec<Prose<4000>>);

column!(TextBox: Array<Text> = Vec<Prose<4000>>);

impl PartialSchema for TextBox {
    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new()
            .items(Ref::from_schema_name(Prose::<4000>::name()))
            .max_items(Some(100))
            .description(Some(
                "A text box of the form: its items in order, without bullets. Empty is `[]`.",
            ))
            .into()
    }
}
impl ToSchema for TextBox {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Prose::<4000>::name().into(), Prose::<4000>::schema()));
    }
}

/// Most significant digits a decimal may have: what survives a double in any client.
pub const SIGNIFICANT_DIGITS: u32 = 15;
/// Most decimal places a decimal may have.
pub const DECIMAL_PLACES: u32 = 9;

/// An exact decimal: at most 15 significant digits, at most 9 decimal places; a JSON number, never a float in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Numeric)]
pub struct Decimal(pub rust_decimal::Decimal);

column!(Decimal: Numeric = rust_decimal::Decimal);

impl Decimal {
    /// Zero, a number like any other.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);
}

impl FromStr for Decimal {
    type Err = Bilingual;

    /// Reads a number as JSON writes it.
    fn from_str(text: &str) -> Result<Self, Bilingual> {
        let refuse = || {
            Bilingual::new(
                format!("有効数字{SIGNIFICANT_DIGITS}桁、小数点以下{DECIMAL_PLACES}桁までの数値にしてください"),
                format!(
                    "must be a number of at most {SIGNIFICANT_DIGITS} significant digits and {DECIMAL_PLACES} decimal places"
                ),
            )
        };
        if text.len() > 40 {
            return Err(refuse());
        }
        let number = if text.contains(['e', 'E']) {
            rust_decimal::Decimal::from_scientific(text)
        } else {
            rust_decimal::Decimal::from_str_exact(text)
        }
        .map_err(|_unreadable| refuse())?;
        let bare = number.normalize();
        let digits = bare.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        let fits = digits <= SIGNIFICANT_DIGITS && bare.scale() <= DECIMAL_PLACES;
        let kept = if number.scale() > DECIMAL_PLACES { bare } else { number };
        fits.then_some(Self(kept)).ok_or_else(refuse)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        serde_json::Number::from_str(&self.0.to_string())
            .map_err(S::Error::custom)?
            .serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Number::deserialize(deserializer)?
            .as_str()
            .parse()
            .map_err(|e: Bilingual| D::Error::custom(e.en))
    }
}
impl PartialSchema for Decimal {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .minimum(Some(-999_999_999_999_999_i64))
            .maximum(Some(999_999_999_999_999_i64))
            .description(Some(
                "An exact decimal: at most 15 significant digits and 9 decimal places.",
            ))
            .extensions(Some(
                ExtensionsBuilder::new()
                    .add(
                        "x-decimal",
                        json!({ "significant_digits": SIGNIFICANT_DIGITS, "decimal_places": DECIMAL_PLACES }),
                    )
                    .build(),
            ))
            .into()
    }
}
impl ToSchema for Decimal {}

/// Whole yen, negative where the form prints ▲ or △; at most 15 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = BigInt)]
#[serde(transparent)]
pub struct Yen(pub i64);

column!(Yen: BigInt = i64);

impl PartialSchema for Yen {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .minimum(Some(-999_999_999_999_999_i64))
            .maximum(Some(999_999_999_999_999_i64))
            .description(Some("Whole yen (円)."))
            .examples([json!(85_000_000)])
            .into()
    }
}
impl ToSchema for Yen {}

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

/// An identifier: a UUID in its canonical form (lower case, hyphens), made by the server, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlUuid)]
pub struct Id(pub Uuid);

column!(Id: SqlUuid = Uuid);
as_text!(Id);

impl Id {
    /// A new one (UUID version 7).
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// Fails unless a caller may create something under this id.
    pub fn check_new(self, exists: bool) -> Result<(), Error> {
        if exists {
            return Err(Error::PreconditionFailed);
        }
        if self.0.get_version_num() != 7 {
            let detail = Bilingual::new(
                "新しい識別子はUUIDv7にしてください",
                "a new identifier must be a UUID of version 7",
            );
            return Err(Error::Invalid(vec![Violation::at("", "uuid_version", detail)]));
        }
        Ok(())
    }
}
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl FromStr for Id {
    type Err = Bilingual;

    fn from_str(text: &str) -> Result<Self, Bilingual> {
        Uuid::try_parse(text)
            .ok()
            .map(Self)
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| {
                Bilingual::new(
                    "識別子（小文字とハイフンのUUID）にしてください",
                    "must be an identifier: a UUID in lower case with hyphens",
                )
            })
    }
}
impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".into())))
            .pattern(Some("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"))
            .max_length(Some(36))
            .description(Some("An identifier: a UUID in lower case with hyphens."))
            .examples([json!("018e9a2c-5b00-7000-8000-000000000611")])
            .into()
    }
}
impl ToSchema for Id {}

/// A moment, to the microsecond; RFC 3339 with the offset of Japan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
#[serde(try_from = "DateTime<Utc>")]
pub struct Time(pub DateTime<Utc>);

impl TryFrom<DateTime<Utc>> for Time {
    type Error = &'static str;

    /// Only of years with four digits: the database does not know all others.
    fn try_from(moment: DateTime<Utc>) -> Result<Self, Self::Error> {
        let known = (1..=9999).contains(&moment.year());
        known.then_some(Self(moment)).ok_or("must be of the years 1 to 9999")
    }
}

column!(Time: Timestamptz = DateTime<Utc>);

/// Japan's offset from UTC; the country has no summer time.
#[must_use]
pub fn japan() -> FixedOffset {
    const NINE_HOURS: i32 = 9 * 3600;
    FixedOffset::east_opt(NINE_HOURS).unwrap_or_else(|| unreachable!("nine hours are less than a day"))
}

/// Today in Japan. Called where a request comes in, and nowhere deeper: what is judged by a date is given it.
#[must_use]
pub fn today() -> NaiveDate {
    Utc::now().with_timezone(&japan()).date_naive()
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.with_timezone(&japan()).format("%Y-%m-%dT%H:%M:%S%.6f%:z"))
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
            .pattern(Some("^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"))
            .max_length(Some(10))
            .description(Some("A calendar date, YYYY-MM-DD."))
            .examples([json!("2025-06-30")])
            .into()
    }
}
impl ToSchema for Date {}

/// Declares a text type whose only rule is a pattern that a function checks.
macro_rules! patterned {
    ($(#[doc = $doc:literal])+ $name:ident, max $max:literal, $pattern:literal, $example:literal, $check:expr, $ja:literal, $en:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
        #[diesel(sql_type = Text)]
        pub struct $name(String);

        column!($name: Text = String);
        as_text!($name);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = Bilingual;

            fn from_str(text: &str) -> Result<Self, Bilingual> {
                let check: fn(&str) -> bool = $check;
                if text.len() <= $max && check(text) { Ok(Self(text.to_owned())) } else { Err(Bilingual::new($ja, $en)) }
            }
        }
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .pattern(Some($pattern))
                    .description(Some(concat!($($doc),+).trim()))
                    .examples([json!($example)])
                    .into()
            }
        }
        impl ToSchema for $name {}
    };
}

patterned! {
    /// The short name of an organization in paths: lower-case letters, digits and single hyphens, beginning with a letter.
    Slug, max 63, "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "nishi", is_slug,
    "英小文字で始まる英数字とハイフンにしてください", "must be lower-case letters, digits and single hyphens, beginning with a letter"
}
patterned! {
    /// An organization: its slug, or its six-digit municipality code.
    OrganizationKey, max 63, "^([a-z][a-z0-9]*(-[a-z0-9]+)*|[0-9]{6})$", "nishi", |text| is_slug(text) || is_six_digits(text),
    "所属のスラッグか6桁の団体コードにしてください", "must be the slug or the six-digit municipality code of an organization"
}
patterned! {
    /// The code of a goal within its policy, as in 経営課題1-(1).
    GoalCode, max 8, "^[1-9][0-9]?(-[1-9][0-9]?){0,2}$", "1-1", is_goal_code,
    "番号は 1-1 の形にしてください", "must look like 1-1"
}

impl From<Slug> for OrganizationKey {
    fn from(slug: Slug) -> Self {
        Self(slug.0)
    }
}

fn is_slug(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

fn is_six_digits(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_goal_code(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() <= 3
        && parts.iter().all(|part| {
            (1..=2).contains(&part.len()) && !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
        })
}

/// A six-digit municipality code (全国地方公共団体コード); its last digit checks the others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
#[serde(transparent)]
pub struct MunicipalityCode(pub String);

column!(MunicipalityCode: Text = String);

impl PartialSchema for MunicipalityCode {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("municipality-code".into())))
            .pattern(Some("^[0-9]{6}$"))
            .max_length(Some(6))
            .description(Some(
                "Six-digit municipality code (全国地方公共団体コード) with its check digit.",
            ))
            .examples([json!("271063")])
            .into()
    }
}
impl ToSchema for MunicipalityCode {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::{Decimal, GoalCode, Id, OrganizationKey, Slug, Time};
    use proptest::prelude::*;

    #[test]
    fn decimals_are_exact_and_bounded() {
        for (text, kept) in [
            ("81.2", "81.2"),
            ("81.20", "81.20"),
            ("0", "0"),
            ("-0.5", "-0.5"),
            ("1e3", "1000"),
            ("4.8E1", "48"),
            ("999999999999999", "999999999999999"),
            ("0.000000001", "0.000000001"),
            ("123456.789012345", "123456.789012345"),
        ] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), kept);
        }
        for text in [
            "1e400",
            "1e-400",
            "1e15",
            "9999999999999999",
            "0.0000000001",
            "1234567.890123456",
            "NaN",
            "",
            "1e99999999999",
        ] {
            assert!(text.parse::<Decimal>().is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_have_one_form() {
        let id = "018e9a2c-5b00-7000-8000-000000000611";
        assert_eq!(id.parse::<Id>().unwrap().to_string(), id);
        for other in [
            "018E9A2C-5B00-7000-8000-000000000611",
            "018e9a2c5b0070008000000000000611",
            "{018e9a2c-5b00-7000-8000-000000000611}",
            "urn:uuid:018e9a2c-5b00-7000-8000-000000000611",
            "x",
            "",
        ] {
            assert!(other.parse::<Id>().is_err(), "{other}");
        }
    }

    #[test]
    fn keys_are_what_their_patterns_say() {
        for good in ["nishi", "a", "city-planning", "b2"] {
            assert!(
                good.parse::<Slug>().is_ok() && good.parse::<OrganizationKey>().is_ok(),
                "{good}"
            );
        }
        for bad in ["", "Nishi", "-a", "a-", "a--b", "2b", "西", "a b"] {
            assert!(
                bad.parse::<Slug>().is_err() && bad.parse::<OrganizationKey>().is_err(),
                "{bad}"
            );
        }
        assert!("271063".parse::<OrganizationKey>().is_ok() && "271063".parse::<Slug>().is_err());
        for good in ["1", "1-1", "12-3", "1-10-99"] {
            assert!(good.parse::<GoalCode>().is_ok(), "{good}");
        }
        for bad in ["", "0", "1-0", "01", "1-", "1-1-1-1", "100", "1-(1)", "１-１"] {
            assert!(bad.parse::<GoalCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_carry_the_offset_of_japan() {
        let time = Time("2024-03-31T15:00:00.000001Z".parse().unwrap());
        assert_eq!(
            serde_json::to_string(&time).unwrap(),
            r#""2024-04-01T00:00:00.000001+09:00""#
        );
    }

    proptest! {
        #[test]
        fn a_decimal_survives_json(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=9) {
            let text = rust_decimal::Decimal::new(mantissa, scale).to_string();
            let decimal: Decimal = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(serde_json::to_string(&decimal).unwrap(), text);
        }

        #[test]
        fn no_text_makes_a_value_panic(text in "\\PC*") {
            let _ = (text.parse::<Decimal>(), text.parse::<Id>(), text.parse::<GoalCode>(), text.parse::<OrganizationKey>());
        }
    }
}
