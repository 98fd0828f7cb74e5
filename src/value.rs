//! Values that carry their own rules: one type is the JSON schema, the check and the column.
//!
//! A body is checked against the schemas of its types before it is read (see [`crate::http::validation`]),
//! so a rule stated in a schema here is enforced, documented and tested at once.

use language::Bilingual;
use utoipa::openapi::{RefOr, schema::Schema};

/// A closed list of codes, each with its label in both languages.
pub trait Codes: Sized + Copy + 'static {
    /// The list's name in JSON, SQL and the code lists.
    const NAME: &'static str;
    /// The purpose of the list.
    const MEANING: &'static str;
    /// Every code, in the order in which people list them.
    const ALL: &'static [Self];
    /// The code as written in JSON and in the database.
    fn code(self) -> &'static str;
    /// The code's label for people.
    fn label(self) -> Bilingual;
    /// The label in Japanese alone.
    fn japanese(self) -> &'static str;
    /// The meaning of the code, in one sentence.
    fn meaning(self) -> &'static str;
    /// Every code with its label.
    #[must_use]
    fn labels() -> Vec<(&'static str, Bilingual)> {
        Self::ALL.iter().map(|item| (item.code(), item.label())).collect()
    }
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
            fn label(self) -> $crate::value::language::Bilingual {
                match self { $(Self::$item => $crate::value::language::Bilingual::new($ja, $en)),+ }
            }
            fn japanese(self) -> &'static str {
                match self { $(Self::$item => $ja),+ }
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
                    .extensions(Some(
                        utoipa::openapi::extensions::ExtensionsBuilder::new()
                            .add($crate::value::LABELS, serde_json::json!([$([$ja, $en]),+]))
                            .build(),
                    ))
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

/// The keyword of a schema with the labels of its codes, in Japanese and English. The contract does without it.
pub const LABELS: &str = "x-labels";

/// Takes the labels of its codes out of a schema.
pub fn forget_labels(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema {
        if let Some(extensions) = &mut object.extensions {
            extensions.remove(LABELS);
        }
        object.extensions.take_if(|extensions| extensions.is_empty());
    }
}

/// How a text of this pattern of the contract is written, in words: no message shows a pattern.
#[must_use]
pub fn written(pattern: &str) -> Option<Bilingual> {
    let mut all = key::WRITTEN.iter().chain([&text::WRITTEN, &time::DATE_WRITTEN]);
    all.find(|(known, ..)| *known == pattern)
        .map(|(_, ja, en)| Bilingual::new(*ja, *en))
}

/// Makes a newtype a column: `column!(FiscalYear: Integer = i32)`.
macro_rules! column {
    ($name:ident $(<const $max:ident: usize>)?: $sql:ty = $inner:ty) => {
        impl $(<const $max: usize>)? diesel::serialize::ToSql<$sql, diesel::pg::Pg> for $name $(<$max>)? {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                <$inner as diesel::serialize::ToSql<$sql, diesel::pg::Pg>>::to_sql(&self.0, out)
            }
        }
        impl $(<const $max: usize>)? diesel::deserialize::FromSql<$sql, diesel::pg::Pg> for $name $(<$max>)? {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                <$inner as diesel::deserialize::FromSql<$sql, diesel::pg::Pg>>::from_sql(bytes).map(Self)
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

mod key;
pub mod language;
mod number;
pub mod text;
mod time;
pub mod work;

pub use key::{GoalCode, Id, MunicipalityCode, OrganizationKey, Slug};
pub use number::{DECIMAL_PLACES, Decimal, SIGNIFICANT_DIGITS, Yen};
pub use text::{Line, Prose, TextBox, composed, hex};
pub use time::{Date, FiscalYear, Time, japan, today};

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
    fn identifiers_are_written_in_one_form_and_read_in_any_case() {
        let id = "018e9a2c-5b00-7000-8000-000000000611";
        for read in [
            id,
            "018E9A2C-5B00-7000-8000-000000000611",
            "018e9A2C-5b00-7000-8000-000000000611",
        ] {
            assert_eq!(read.parse::<Id>().unwrap().to_string(), id);
        }
        for other in [
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
