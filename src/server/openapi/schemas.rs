//! Schemas as bodies and answers need them: what a body may leave out, an answer always has.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use serde::Serialize;
use serde_json::Value;
use utoipa::{
    Number,
    openapi::{
        KnownFormat, OpenApi, Ref, RefOr, Schema, SchemaFormat, Type,
        schema::{AdditionalProperties, ArrayItems, Object, SchemaType},
    },
};

use super::operations;
use crate::{http::validation::input_schema, value::forget_labels};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Members that a body may leave out, or have as null, and an answer always has.
const NEVER_NULL: &[(&str, &[&str])] = &[
    ("PolicyTree", &["id", "organization_name"]),
    ("TreeGoal", &["id"]),
    ("TreeBudget", &["id"]),
    ("TreeIndicator", &["id", "series_id"]),
];

/// Tells the schemas of bodies and of answers apart, and says of every value what it is.
pub(super) fn complete(spec: &mut OpenApi) {
    let components = spec.components.get_or_insert_default();
    let schemas = &mut components.schemas;
    let (mut taken, mut answered) = (BTreeSet::new(), BTreeSet::new());
    names(&components.responses, &mut answered);
    for (_, operation) in spec.paths.paths.values_mut().flat_map(operations) {
        names(&operation.request_body, &mut taken);
        names(&operation.responses, &mut answered);
    }
    let bodies: Schemas = schemas
        .iter()
        .map(|(name, schema)| (name.clone(), input_schema(schema.clone())))
        .collect();
    let (taken, answered) = (reached(taken, &bodies), reached(answered, schemas));
    let twofold = twofold(schemas, &taken, &answered);
    for (_, operation) in spec.paths.paths.values_mut().flat_map(operations) {
        let Some(RefOr::T(body)) = &mut operation.request_body else {
            continue;
        };
        for content in body.content.values_mut() {
            if let RefOr::T(content) = content {
                content.schema.iter_mut().for_each(|schema| rename(schema, &twofold));
            }
        }
    }
    for name in &taken {
        let Some(mut schema) = bodies.get(name).cloned() else {
            continue;
        };
        each(&mut schema, &mut |schema| rename(schema, &twofold));
        let name = if twofold.contains(name) {
            of_body(name)
        } else {
            name.clone()
        };
        schemas.insert(name, schema);
    }
    for name in &answered {
        let Some(schema) = schemas.get_mut(name) else { continue };
        answer(name, schema);
        // The example that a type states is that of a body.
        if let RefOr::T(Schema::Object(object)) = schema
            && twofold.contains(name)
        {
            object.example = None;
        }
    }
    for schema in schemas.values_mut() {
        each(schema, &mut describe);
        each(schema, &mut forget_labels);
        lift_words(schema);
        each(schema, &mut leave_bare);
    }
    for (_, operation) in spec.paths.paths.values_mut().flat_map(operations) {
        for parameter in operation.parameters.iter_mut().flatten() {
            if let RefOr::T(parameter) = parameter
                && let Some(schema) = &mut parameter.schema
            {
                each(schema, &mut describe);
                each(schema, &mut forget_labels);
                strip_null_type(schema);
            }
        }
    }
}

/// The schemas that differ between bodies and answers, and those that hold one of them.
fn twofold(schemas: &Schemas, taken: &BTreeSet<String>, answered: &BTreeSet<String>) -> BTreeSet<String> {
    let mut differing = BTreeSet::new();
    loop {
        let more = taken.intersection(answered).filter(|name| !differing.contains(*name));
        let more: Vec<_> = more
            .filter(|name| differs(name, schemas, &differing))
            .cloned()
            .collect();
        if more.is_empty() {
            return differing;
        }
        differing.extend(more);
    }
}

fn differs(name: &str, schemas: &Schemas, differing: &BTreeSet<String>) -> bool {
    let Some(schema) = schemas.get(name) else { return false };
    let mut held = BTreeSet::new();
    names(schema, &mut held);
    let mut answered = schema.clone();
    answer(name, &mut answered);
    !held.is_disjoint(differing) || answered != input_schema(schema.clone())
}

/// The name of the schema that bodies have where answers have this one.
fn of_body(name: &str) -> String {
    format!("{name}Input")
}

fn rename(schema: &mut RefOr<Schema>, twofold: &BTreeSet<String>) {
    if let RefOr::Ref(to) = schema
        && let Some(name) = to
            .ref_location
            .rsplit('/')
            .next()
            .filter(|name| twofold.contains(*name))
    {
        to.ref_location = Ref::from_schema_name(of_body(name)).ref_location;
    }
}

/// Every key of an answer is always there, even if null; utoipa takes keys that may be null for optional.
fn answer(name: &str, schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    object.required = object.properties.keys().cloned().collect();
    for property in object.properties.values_mut() {
        // Generators would leave such a member out of bodies, and make two types of each schema that has one.
        match property {
            RefOr::T(Schema::Object(object)) => object.read_only = None,
            RefOr::T(Schema::OneOf(one)) => one.read_only = None,
            _ => {}
        }
    }
    let never_null = NEVER_NULL.iter().find(|(of, _)| *of == name);
    for key in never_null.iter().flat_map(|(_, keys)| *keys) {
        if let Some(property) = object.properties.get_mut(*key) {
            strip_null(property);
        }
    }
}

/// Leaves of a value that may be null the other alternative.
fn strip_null(property: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(one)) = property else { return };
    let words = one.description.take();
    if let Some(RefOr::Ref(mut to)) = mem::take(&mut one.items)
        .into_iter()
        .find(|item| matches!(item, RefOr::Ref(_)))
    {
        to.description = words.unwrap_or(to.description);
        *property = to.into();
    }
}

/// A parameter is left out rather than null; utoipa says both of an optional one.
fn strip_null_type(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|kind| *kind != Type::Null);
        if let [kind] = types.as_slice() {
            object.schema_type = SchemaType::Type(kind.clone());
        }
    }
}

/// Leaves the alternatives of a choice without words beside their `$ref`, which openapi-generator takes for schemas of their own.
fn leave_bare(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::OneOf(one)) = schema {
        for item in &mut one.items {
            if let RefOr::Ref(to) = item {
                to.description.clear();
            }
        }
    }
}

/// What the types do not say of a value: the size of an integer, and that an object without members may have any.
fn describe(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    if is_of(object, &Type::Integer) && object.format.is_none() {
        let fits = [object.minimum.as_ref(), object.maximum.as_ref()]
            .into_iter()
            .all(is_small);
        let size = if fits { KnownFormat::Int32 } else { KnownFormat::Int64 };
        object.format = Some(SchemaFormat::KnownFormat(size));
    }
    if is_of(object, &Type::Object) && object.properties.is_empty() && object.additional_properties.is_none() {
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
    }
}

fn is_of(object: &Object, kind: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == kind,
        SchemaType::Array(several) => several.contains(kind),
        SchemaType::AnyValue => false,
    }
}

fn is_small(bound: Option<&Number>) -> bool {
    match bound {
        Some(Number::Int(bound)) => i32::try_from(*bound).is_ok(),
        Some(Number::UInt(bound)) => i32::try_from(*bound).is_ok(),
        Some(Number::Float(bound)) => bound.abs() <= f64::from(i32::MAX),
        None => false,
    }
}

/// Moves the description of a property that may be null to the property: utoipa puts it on the alternative.
fn lift_words(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    for property in object.properties.values_mut() {
        let RefOr::T(Schema::OneOf(one)) = property else {
            continue;
        };
        let words = one.items.iter_mut().find_map(|item| match item {
            RefOr::Ref(to) if !to.description.is_empty() => Some(mem::take(&mut to.description)),
            _ => None,
        });
        one.description = one.description.take().or(words);
    }
}

/// Visits a schema and every schema in it.
fn each(schema: &mut RefOr<Schema>, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    visit(schema);
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(|within| each(within, visit)),
        Schema::Array(list) => {
            if let ArrayItems::RefOrSchema(items) = &mut list.items {
                each(items, visit);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|within| each(within, visit)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|within| each(within, visit)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|within| each(within, visit)),
        _ => {}
    }
}

/// Adds the names of the components that a part of the document refers to.
fn names(part: &impl Serialize, found: &mut BTreeSet<String>) {
    fn find(part: &Value, found: &mut BTreeSet<String>) {
        match part {
            Value::Object(entries) => {
                for (key, value) in entries {
                    match value {
                        Value::String(to) if key == "$ref" => found.extend(to.rsplit('/').next().map(str::to_owned)),
                        value => find(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| find(item, found)),
            _ => {}
        }
    }
    find(&serde_json::to_value(part).unwrap_or_default(), found);
}

/// These schemas and all that they hold.
fn reached(from: BTreeSet<String>, schemas: &Schemas) -> BTreeSet<String> {
    let mut todo: Vec<_> = from.into_iter().collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = todo.pop() {
        let Some(schema) = schemas.get(&name).filter(|_| !reached.contains(&name)) else {
            continue;
        };
        let mut held = BTreeSet::new();
        names(schema, &mut held);
        todo.extend(held);
        reached.insert(name);
    }
    reached
}
