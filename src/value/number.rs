//! Numbers: exact decimals and whole yen.

use std::{fmt, str::FromStr};

use diesel::{
    deserialize::FromSqlRow,
    expression::AsExpression,
    sql_types::{BigInt, Numeric},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, SchemaFormat, Type, extensions::ExtensionsBuilder, schema::Schema},
};

use super::language::Bilingual;

/// Most significant digits a decimal may have: as many as survive a double in any client.
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

    /// The message for a number with too many digits.
    #[must_use]
    pub fn too_many_digits() -> Bilingual {
        Bilingual::new(
            format!("有効数字{SIGNIFICANT_DIGITS}桁、小数点以下{DECIMAL_PLACES}桁までの数値にしてください"),
            format!(
                "must be a number of at most {SIGNIFICANT_DIGITS} significant digits and {DECIMAL_PLACES} decimal places"
            ),
        )
    }
}

impl FromStr for Decimal {
    type Err = Bilingual;

    /// Reads a number as JSON writes it.
    fn from_str(text: &str) -> Result<Self, Bilingual> {
        if text.len() > 40 {
            return Err(Self::too_many_digits());
        }
        let number = if text.contains(['e', 'E']) {
            rust_decimal::Decimal::from_scientific(text)
        } else {
            rust_decimal::Decimal::from_str_exact(text)
        }
        .map_err(|_unreadable| Self::too_many_digits())?;
        let bare = number.normalize();
        let digits = bare.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        let fits = digits <= SIGNIFICANT_DIGITS && bare.scale() <= DECIMAL_PLACES;
        let kept = if number.scale() > DECIMAL_PLACES { bare } else { number };
        fits.then_some(Self(kept)).ok_or_else(Self::too_many_digits)
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
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
            .minimum(Some(-999_999_999_999_999_i64))
            .maximum(Some(999_999_999_999_999_i64))
            .description(Some(
                "An exact decimal: at most 15 significant digits and 9 decimal places, which a double holds and gives back unchanged.",
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
