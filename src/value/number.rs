//! Numbers: exact decimals and whole yen.

use std::{fmt, str::FromStr};

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::{Pg, PgValue},
    serialize::{self, Output, ToSql},
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

impl Decimal {
    /// Zero, a number like any other.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);

    /// The number, if it has no more digits than a decimal may have.
    #[must_use]
    pub fn new(number: rust_decimal::Decimal) -> Option<Self> {
        let bare = number.normalize();
        let digits = bare.mantissa().unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        let fits = digits <= SIGNIFICANT_DIGITS && bare.scale() <= DECIMAL_PLACES;
        let kept = if number.scale() > DECIMAL_PLACES { bare } else { number };
        fits.then_some(Self(kept))
    }

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
        Self::new(number).ok_or_else(Self::too_many_digits)
    }
}

impl ToSql<Numeric, Pg> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <rust_decimal::Decimal as ToSql<Numeric, Pg>>::to_sql(&self.0, out)
    }
}

/// Reads what PostgreSQL sends, with its decimals: how many digits to the base of 10,000 follow, the power of the first, the sign,
/// the decimal places, then the digits.
impl FromSql<Numeric, Pg> for Decimal {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let mut words = value.as_bytes().chunks_exact(2).map(|word| match word {
            [high, low] => i16::from_be_bytes([*high, *low]),
            _ => 0,
        });
        let mut word = || words.next().ok_or("a number ends too early");
        let (count, power, sign, places) = (word()?, word()?, word()?, word()?);
        let mut mantissa: i128 = 0;
        for _ in 0..count {
            mantissa = (mantissa
                .checked_mul(10_000)
                .and_then(|sum| sum.checked_add(word().ok()?.into())))
            .ok_or("a number is too long")?;
        }
        // From the last digit that was sent to the last decimal place.
        let shift = 4 * (i32::from(power) - i32::from(count) + 1) + i32::from(places);
        let factor = 10_i128
            .checked_pow(shift.unsigned_abs())
            .ok_or("a number is too long")?;
        let mantissa = if shift < 0 {
            Some(mantissa / factor)
        } else {
            mantissa.checked_mul(factor)
        };
        let mantissa = mantissa.ok_or("a number is too long")?;
        let signed = match sign {
            0 => mantissa,
            0x4000 => -mantissa,
            _ => return Err("no number".into()),
        };
        Ok(Self(rust_decimal::Decimal::try_from_i128_with_scale(
            signed,
            u32::try_from(places)?,
        )?))
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
        if let (0, Ok(whole)) = (self.0.scale(), i64::try_from(self.0.mantissa())) {
            return serializer.serialize_i64(whole);
        }
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    /// What PostgreSQL sends for a number.
    fn sent(words: &[u16]) -> deserialize::Result<String> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let numeric = NonZeroU32::new(1700).ok_or("no type")?;
        Decimal::from_sql(PgValue::new(&bytes, &numeric)).map(|number| number.to_string())
    }

    #[test]
    fn a_number_is_read_as_postgresql_sends_it() {
        // The number of digits, the power of the first, the sign, the places; then the digits.
        const MINUS: u16 = 0x4000;
        for (words, expected) in [
            (&[0, 0, 0, 0][..], "0"),
            (&[0, 0, 0, 2], "0.00"),
            (&[1, 0, 0, 0, 81], "81"),
            (&[2, 0, 0, 1, 81, 2000], "81.2"),
            (&[1, 0, 0, 1, 81], "81.0"),
            (&[1, 0, MINUS, 3, 7], "-7.000"),
            (&[1, 1, 0, 0, 3], "30000"),
            (&[1, 0xffff, 0, 4, 5], "0.0005"),
            (&[1, 0xfffe, MINUS, 9, 1234], "-0.000012340"),
            (&[4, 3, 0, 0, 999, 9999, 9999, 9999], "999999999999999"),
        ] {
            assert_eq!(sent(words).ok().as_deref(), Some(expected), "{words:?}");
        }
        for broken in [&[][..], &[1, 0, 0, 0], &[0, 0, 0xc000, 0], &[1, 500, 0, 0, 1]] {
            assert!(sent(broken).is_err(), "{broken:?}");
        }
    }
}
