//! Values that carry their own rules: one type is the JSON schema, the check and the column.
//!
//! A body is checked against the schemas of its types before it is read (see `contract`),
//! so a rule stated in a schema here is enforced, documented and tested at once.

use std::{borrow::Cow, fmt, str::FromStr};

use chrono::{DateTime, FixedOffset, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
    sql_types::{Array, BigInt, Integer, Numeric, Text, Timestamptz, Uuid as SqlUuid},
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

use crate::language::Bilingual;

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
                 utoipa::ToSchema, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
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
        .map_err(|_| refuse())?;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
pub struct Time(pub DateTime<Utc>);

column!(Time: Timestamptz = DateTime<Utc>);

/// Japan's offset from UTC; the country has no summer time.
#[must_use]
pub fn japan() -> FixedOffset {
    const NINE_HOURS: i32 = 9 * 3600;
    FixedOffset::east_opt(NINE_HOURS).unwrap_or_else(|| unreachable!("nine hours are less than a day"))
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
