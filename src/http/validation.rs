//! The published schemas, enforced: a body is checked against the schema of its type before it is read.
//!
//! So every limit in the contract holds, all broken limits are reported at once, and no limit is written twice.

use std::{
    any::TypeId,
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use jsonschema::{Keyword, ValidationError, Validator, error::ValidationErrorKind as Broken};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Type,
        schema::{ObjectBuilder, Schema, SchemaType},
    },
};

use crate::{
    domain::municipality_code,
    error::{Error, MOST_SUGGESTIONS, MOST_VIOLATIONS, Result, Violation},
    value::{
        Decimal,
        language::Bilingual,
        text::{CHARACTERS, LINES, is_unseen},
        work,
    },
};

pub use draft::Draft;
pub use known::{Known, fill_in_each, leave_to, missing, required, said};
use messages::{is_about_null, sentence, unknown_code, unknown_field};
pub use messages::{meant, one_of, too_many};
pub use read_only::{ReadOnly, set_by_server};

mod draft;
mod known;
mod messages;
mod others;
mod read_only;

/// The members of a JSON object.
pub type Members = Map<String, Value>;

/// What a body must keep beyond its schema, and what follows from it.
pub trait Rules {
    /// Every broken rule between members.
    fn broken(&self) -> Vec<Violation> {
        Vec::new()
    }

    /// Every contradiction to the path that the body was sent to.
    fn contradictions(&self, _path: &Known) -> Vec<Violation> {
        Vec::new()
    }

    /// Fills in what a body leaves out and what follows from the rest of it, or from what is known beside it. Returns the
    /// members from which it does not follow.
    fn fill_in(_body: &mut Members, _known: &Known) -> Vec<Violation> {
        Vec::new()
    }

    /// The members that the server sets and that answers show: pointers, in which `*` stands for each item of a list. They
    /// may come back as they were read.
    #[must_use]
    fn read_only() -> Vec<String> {
        Vec::new()
    }
}

/// Reads the body of a request, of which its path is known, and what it says of members that the server sets.
pub fn read_body<T: DeserializeOwned + ToSchema + Rules + 'static>(
    mut document: Value,
    known: &Known,
) -> Result<(T, ReadOnly)> {
    let shown = read_only::<T>(&mut document);
    read_knowing(document, known).map(|body| (body, shown))
}

/// Takes out of a body what it says of members that the server sets.
pub fn read_only<T: ToSchema + Rules + 'static>(document: &mut Value) -> ReadOnly {
    ReadOnly::taken_out(document, &checker::<T>().read_only)
}

/// Reads a body that keeps its schema and its rules, or names everything it breaks.
pub fn read<T: DeserializeOwned + ToSchema + Rules + 'static>(document: Value) -> Result<T> {
    read_knowing(document, &Known::default())
}

/// Reads a body of which something is known beside it.
pub fn read_knowing<T: DeserializeOwned + ToSchema + Rules + 'static>(mut document: Value, known: &Known) -> Result<T> {
    let mut broken = violations::<T>(&document);
    if broken.is_empty() {
        match filled::<T>(&mut document, known) {
            Ok(body) => {
                broken = body.broken();
                broken.extend(body.contradictions(known));
                return Error::refuse(broken).map(|()| body);
            }
            Err(missing) => broken = missing,
        }
    }
    broken.extend(others::broken_beside::<T>(&checker::<T>(), &document, known, &broken));
    Err(Error::Invalid(broken))
}

/// The body of a document that keeps its schema, with what it leaves out.
fn filled<T: DeserializeOwned + Rules>(document: &mut Value, known: &Known) -> Result<T, Vec<Violation>> {
    let missing = document.as_object_mut().map(|body| T::fill_in(body, known));
    let missing = missing.unwrap_or_default();
    if !missing.is_empty() {
        return Err(missing);
    }
    T::deserialize(&*document).map_err(|e| {
        let detail = Bilingual::new(format!("読み取れません: {e}"), e.to_string());
        vec![Violation::at("", "invalid", detail)]
    })
}

/// The rules of the schema of `T` that a document breaks.
#[must_use]
pub fn violations<T: ToSchema + Rules + 'static>(document: &Value) -> Vec<Violation> {
    let checker = checker::<T>();
    let mut found = Vec::new();
    for error in checker.validator.iter_errors(document) {
        checker.explain(&error, &mut found);
        if found.len() >= MOST_VIOLATIONS {
            break;
        }
    }
    found.dedup_by(|a, b| a.place == b.place && a.code == b.code);
    found
}

/// The schema of a JSON Merge Patch for the schema `input`: no key is required.
#[must_use]
pub fn patch_schema(input: RefOr<Schema>, known: &BTreeMap<String, RefOr<Schema>>) -> RefOr<Schema> {
    let object = match input {
        RefOr::T(Schema::Object(object)) if !object.properties.is_empty() => object,
        RefOr::Ref(to) => {
            let name = to.ref_location.rsplit('/').next().unwrap_or_default();
            return match known.get(name) {
                Some(RefOr::T(Schema::Object(object))) if !object.properties.is_empty() => {
                    patch_schema(Schema::Object(object.clone()).into(), known)
                }
                _ => to.into(),
            };
        }
        other @ RefOr::T(_) => return other,
    };
    let mut patch = object;
    patch.required.clear();
    patch.example = None;
    patch.description =
        Some("A JSON Merge Patch (RFC 7396): keys left out stay as they are, null takes a value away.".to_owned());
    for property in patch.properties.values_mut() {
        *property = patch_schema(property.clone(), known);
    }
    Schema::Object(patch).into()
}

/// The schema of a request body: a key whose value may be null may be left out as well, and one that only answers have may have
/// any value.
#[must_use]
pub fn input_schema(schema: RefOr<Schema>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = schema else {
        return schema;
    };
    let nullable = |schema: &RefOr<Schema>| match schema {
        RefOr::T(Schema::Object(object)) => allows_null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => allows_null(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one
            .items
            .iter()
            .any(|item| matches!(item, RefOr::T(Schema::Object(object)) if allows_null(&object.schema_type))),
        _ => false,
    };
    for property in object.properties.values_mut().filter(|schema| is_of_answers(schema)) {
        *property = ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some(
                "Any JSON value: answers have this, and in a body it is not looked at.",
            ))
            .into();
    }
    let properties = &object.properties;
    object.required.retain(|key| !properties.get(key).is_some_and(nullable));
    Schema::Object(object).into()
}

/// Whether a member is marked as one that only answers have: in a body it is not looked at.
fn is_of_answers(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => object.read_only == Some(true),
        RefOr::T(Schema::OneOf(one)) => one.read_only == Some(true),
        _ => false,
    }
}

fn allows_null(kind: &SchemaType) -> bool {
    match kind {
        SchemaType::Type(one) => *one == Type::Null,
        SchemaType::Array(several) => several.contains(&Type::Null),
        SchemaType::AnyValue => true,
    }
}

/// A compiled schema, and the document it came from.
struct Checker {
    validator: Validator,
    document: Value,
    read_only: Vec<String>,
}

fn checker<T: ToSchema + Rules + 'static>() -> Arc<Checker> {
    static CHECKERS: LazyLock<RwLock<HashMap<TypeId, Arc<Checker>>>> = LazyLock::new(RwLock::default);
    let key = TypeId::of::<T>();
    if let Some(checker) = CHECKERS.read().get(&key) {
        return Arc::clone(checker);
    }
    let checker = Arc::new(Checker::of::<T>());
    let mut checkers = CHECKERS.write();
    Arc::clone(checkers.entry(key).or_insert(checker))
}

impl Checker {
    #[expect(
        clippy::expect_used,
        reason = "a schema that does not compile is a bug in this program, which every test of its body finds"
    )]
    fn of<T: ToSchema + Rules>() -> Self {
        let mut schemas = vec![(T::name().into_owned(), <T as PartialSchema>::schema())];
        T::schemas(&mut schemas);
        let schemas: BTreeMap<_, _> = schemas
            .into_iter()
            .map(|(name, schema)| (name, input_schema(schema)))
            .collect();
        let mut document = json!({
            "$ref": format!("#/components/schemas/{}", T::name()),
            "components": { "schemas": schemas },
        });
        mark_integers(&mut document);
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .with_format("municipality-code", municipality_code::is_valid)
            .with_keyword("x-decimal", |_, _, _| Ok(Box::new(DecimalDigits)))
            .with_keyword(CHARACTERS, |_, kind, _| Ok(Box::new(Characters::of(kind))))
            .with_keyword(INTEGER, |_, _, _| Ok(Box::new(PlainInteger)))
            .build(&document)
            .expect("every schema compiles");
        Self {
            validator,
            document,
            read_only: T::read_only(),
        }
    }

    /// Turns one error of the validator into violations a person understands.
    fn explain(&self, error: &ValidationError<'_>, found: &mut Vec<Violation>) {
        if found.len() >= MOST_VIOLATIONS {
            return;
        }
        work::spend(1);
        let pointer = error.instance_path().as_str();
        match error.kind() {
            // An optional value: of its alternatives, the one that is not null was meant.
            Broken::OneOfNotValid { context } | Broken::AnyOf { context } => {
                let meant = context
                    .iter()
                    .find(|alternative| !alternative.iter().all(is_about_null));
                meant.into_iter().flatten().for_each(|inner| self.explain(inner, found));
            }
            Broken::AdditionalProperties { unexpected } => {
                let known = self.properties_beside(error.schema_path().as_str());
                for key in unexpected.iter().take(MOST_VIOLATIONS - found.len()) {
                    let meant = if found.len() < MOST_SUGGESTIONS {
                        known.as_slice()
                    } else {
                        &[]
                    };
                    found.push(if read_only::is_among(&self.read_only, pointer, key) {
                        read_only::not_as_stored(&format!("{pointer}/{key}"))
                    } else {
                        unknown_field(pointer, key, meant)
                    });
                }
            }
            Broken::Required { property } => {
                found.push(required(format!("{pointer}/{}", property.as_str().unwrap_or_default())));
            }
            // A value that is no string is reported for its type already.
            Broken::Enum { .. } if !error.instance().is_string() => {}
            Broken::Enum { .. } => {
                let suggest = found.len() < MOST_SUGGESTIONS;
                let schema = self.schema_with(error.schema_path().as_str());
                found.push(unknown_code(pointer, error.instance(), schema, suggest));
            }
            _ => {
                let (code, detail) = sentence(error);
                found.push(Violation::at(pointer, code, detail));
            }
        }
    }

    /// The schema with the keyword at this path.
    fn schema_with(&self, path: &str) -> &Value {
        let schema = path.rsplit_once('/').map_or("", |(schema, _)| schema);
        self.document.pointer(schema).unwrap_or(&Value::Null)
    }

    /// What a schema refers to; one that refers to nothing is itself.
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let to = schema.get("$ref").and_then(Value::as_str);
        let to = to.and_then(|to| self.document.pointer(to.strip_prefix('#')?));
        to.unwrap_or(schema)
    }

    /// The names an object may have, found beside the keyword at `path` that refused another name.
    fn properties_beside(&self, path: &str) -> Vec<&str> {
        self.schema_with(path)
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default()
    }
}

/// The keyword `x-decimal`: as many digits as an exact decimal may have.
struct DecimalDigits;

impl<'i> Keyword<'i> for DecimalDigits {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("has too many digits"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance
            .as_number()
            .is_none_or(|number| number.as_str().parse::<Decimal>().is_ok())
    }
}

/// The keyword [`CHARACTERS`]: characters that people see.
struct Characters {
    /// Whether line feeds and tabs are among them.
    of_lines: bool,
}

impl Characters {
    fn of(kind: &Value) -> Self {
        Self {
            of_lines: kind == LINES,
        }
    }
}

impl<'i> Keyword<'i> for Characters {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("has characters that nobody sees"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        let is_taken = |c| !is_unseen(c) || self.of_lines && matches!(c, '\n' | '\t');
        instance.as_str().is_none_or(|text| text.chars().all(is_taken))
    }
}

/// The keyword that [`mark_integers`] puts beside the type.
const INTEGER: &str = "x-integer";

/// Marks integers: JSON Schema takes 2024.0 for an integer, but the Rust types do not.
fn mark_integers(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            keywords.values_mut().for_each(mark_integers);
            let integer = match keywords.get("type") {
                Some(Value::String(kind)) => kind == "integer",
                Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "integer"),
                _ => false,
            };
            if integer {
                keywords.insert(INTEGER.to_owned(), Value::Bool(true));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mark_integers),
        _ => {}
    }
}

/// The keyword `x-integer`: digits only.
struct PlainInteger;

impl<'i> Keyword<'i> for PlainInteger {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("is not written as an integer"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        instance
            .as_number()
            .is_none_or(|number| !number.as_str().contains(['.', 'e', 'E']))
    }
}
