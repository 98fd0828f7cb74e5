//! Keys: identifiers, and the names and codes by which people address things.

use std::{borrow::Cow, fmt, str::FromStr};

use diesel::{
    deserialize::FromSqlRow,
    expression::AsExpression,
    sql_types::{Text, Uuid as SqlUuid},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, SchemaFormat, Type, schema::Schema},
};
use uuid::Uuid;

use super::language::Bilingual;

/// A pattern, and how a text of it is written, in both languages.
pub(super) type Written = (&'static str, &'static str, &'static str);

/// How keys are written.
pub(super) const WRITTEN: [Written; 5] = [
    (ID, ID_JA, ID_EN),
    Slug::WRITTEN,
    OrganizationKey::WRITTEN,
    GoalCode::WRITTEN,
    (
        SIX_DIGITS,
        "6桁の数字の団体コードにしてください（例 271063）",
        "must be a municipality code of six digits, like 271063",
    ),
];

const ID: &str = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";
const ID_JA: &str = "識別子（ハイフン付きのUUID）にしてください（例 018e9a2c-5b00-7000-8000-000000000611）";
const ID_EN: &str = "must be an identifier: a UUID with hyphens, like 018e9a2c-5b00-7000-8000-000000000611";
const SIX_DIGITS: &str = "^[0-9]{6}$";

/// An identifier: a UUID with hyphens, made by the server, never changed. It is read in any case and written in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = SqlUuid)]
pub struct Id(pub Uuid);

column!(Id: SqlUuid = Uuid);
as_text!(Id);

impl Id {
    /// Makes a new identifier (UUID version 7).
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
            .filter(|id| id.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| Bilingual::new(ID_JA, ID_EN))
    }
}
impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("uuid".into())))
            .pattern(Some(ID))
            .max_length(Some(36))
            .description(Some(
                "An identifier: a UUID with hyphens; read in any case, written in lower case.",
            ))
            .examples([json!("018e9a2c-5b00-7000-8000-000000000611")])
            .into()
    }
}
impl ToSchema for Id {}

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
            pub(super) const WRITTEN: Written = ($pattern, $ja, $en);

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
    "英小文字で始まる英小文字・数字・ハイフンにしてください（例 nishi）",
    "must be lower-case letters, digits and single hyphens, beginning with a letter, like nishi"
}
patterned! {
    /// An organization: its slug, or its six-digit municipality code.
    OrganizationKey, max 63, "^([a-z][a-z0-9]*(-[a-z0-9]+)*|[0-9]{6})$", "nishi", |text| is_slug(text) || is_six_digits(text),
    "所属のスラッグか6桁の団体コードにしてください（例 nishi、271063）",
    "must be the slug or the six-digit municipality code of an organization, like nishi or 271063"
}
patterned! {
    /// The code of a goal within its policy, as in 経営課題1-(1).
    GoalCode, max 8, "^[1-9][0-9]?(-[1-9][0-9]?){0,2}$", "1-1", is_goal_code,
    "番号は 1-1 の形にしてください（例 1、1-1、2-10）", "must look like 1-1: numbers up to 99 with hyphens between, like 1 or 2-10"
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
            .pattern(Some(SIX_DIGITS))
            .max_length(Some(6))
            .description(Some(
                "Six-digit municipality code (全国地方公共団体コード) with its check digit.",
            ))
            .examples([json!("271063")])
            .into()
    }
}
impl ToSchema for MunicipalityCode {}
