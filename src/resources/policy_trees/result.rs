//! A result in a tree: as callers write it, with the version of the stored one.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Type,
        schema::{ObjectBuilder, Schema},
    },
};

use super::PolicyTree;
use crate::resources::results::ResultInput;

/// A result in a tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TreeResult {
    #[serde(flatten)]
    result: ResultInput,
    /// The version of the stored result, or the one that what was sent was made from; none in the documents of revisions.
    pub version: Option<i64>,
}

/// Under this key the version stands.
const VERSION: &str = "version";

impl From<ResultInput> for TreeResult {
    fn from(result: ResultInput) -> Self {
        Self { result, version: None }
    }
}

impl TreeResult {
    /// A stored result, with its version.
    #[must_use]
    pub const fn stored(result: ResultInput, version: i64) -> Self {
        Self {
            result,
            version: Some(version),
        }
    }
}

impl Deref for TreeResult {
    type Target = ResultInput;

    fn deref(&self) -> &ResultInput {
        &self.result
    }
}
impl DerefMut for TreeResult {
    fn deref_mut(&mut self) -> &mut ResultInput {
        &mut self.result
    }
}

/// By hand, since serde lets no flattened struct refuse unknown members.
impl<'de> Deserialize<'de> for TreeResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = Map::<String, Value>::deserialize(deserializer)?;
        let version = members.remove(VERSION).unwrap_or_default();
        Ok(Self {
            result: serde_json::from_value(members.into()).map_err(D::Error::custom)?,
            version: serde_json::from_value(version).map_err(D::Error::custom)?,
        })
    }
}

impl PartialSchema for TreeResult {
    fn schema() -> RefOr<Schema> {
        let mut schema = ResultInput::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let words = "The version of the stored result; null in the document of a revision. A result that was sent with one \
                         and would change something is refused (409, `version`) unless that is the stored version, 0 meaning \
                         that there is none; with null it changes whatever is there.";
            let version = ObjectBuilder::new()
                .schema_type(utoipa::openapi::schema::SchemaType::from_iter([
                    Type::Integer,
                    Type::Null,
                ]))
                .minimum(Some(0))
                .maximum(Some(999_999_999_999_999_i64))
                .description(Some(words));
            object.properties.insert(VERSION.to_owned(), version.into());
            if let Some(Value::Object(example)) = &mut object.example {
                example.insert(VERSION.to_owned(), 1.into());
            }
        }
        schema
    }
}
impl ToSchema for TreeResult {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ResultInput::schemas(schemas);
    }
}

impl PolicyTree {
    /// The tree without the versions of its results: the document of a revision says what was published, and no more.
    #[must_use]
    pub fn without_versions(mut self) -> Self {
        let indicators = self.goals.iter_mut().flat_map(|goal| &mut goal.indicators);
        for result in indicators.flat_map(|indicator| &mut indicator.results) {
            result.version = None;
        }
        self
    }
}
