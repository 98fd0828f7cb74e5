//! Bodies that are completed in their transaction, by what only the database knows.

use std::{borrow::Cow, marker::PhantomData};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::{Known, Rules, read_knowing};
use crate::error::{Error, Result, Violation};

/// A body that is completed in its transaction, by what only the database knows. Its schema and rules have been checked as far as
/// they do not depend on that.
#[derive(Debug)]
pub struct Draft<T> {
    document: Value,
    whole: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + ToSchema + Rules + 'static> Draft<T> {
    /// The whole body.
    pub fn complete(&self, known: &Known) -> Result<T> {
        read_knowing(self.document.clone(), known)
    }
}

impl<T> Draft<T> {
    /// A member, if the body has it and it has the type that it should have.
    #[must_use]
    pub fn said<V: DeserializeOwned>(&self, pointer: &str) -> Option<V> {
        V::deserialize(self.document.pointer(pointer)?).ok()
    }
}

impl<T> Clone for Draft<T> {
    fn clone(&self) -> Self {
        Self {
            document: self.document.clone(),
            whole: PhantomData,
        }
    }
}

impl<'de, T> Deserialize<'de> for Draft<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = Value::deserialize(deserializer)?;
        Ok(Self {
            document,
            whole: PhantomData,
        })
    }
}

/// As the whole body, where nothing is left out of it: so two ways to write one body are one request.
impl<T: DeserializeOwned + Serialize> Serialize for Draft<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match T::deserialize(&self.document) {
            Ok(whole) => whole.serialize(serializer),
            Err(_) => self.document.serialize(serializer),
        }
    }
}

impl<T: DeserializeOwned + ToSchema + Rules + 'static> Rules for Draft<T> {
    fn broken(&self) -> Vec<Violation> {
        let known = Known {
            is_draft: true,
            position: Some(1),
            ..Known::default()
        };
        match self.complete(&known) {
            Err(Error::Invalid(broken)) => broken,
            _ => Vec::new(),
        }
    }

    fn read_only() -> Vec<String> {
        T::read_only()
    }
}

impl<T: PartialSchema> PartialSchema for Draft<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}
impl<T: ToSchema> ToSchema for Draft<T> {
    fn name() -> Cow<'static, str> {
        T::name()
    }
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
