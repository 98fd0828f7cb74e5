//! The rules that are broken beside mistakes which keep a body from being read: all mistakes come in one answer.
//!
//! A rule is broken for certain only if it is broken whatever stands in the place of a member that cannot be read. So the body
//! is read several times, each time with other values there. What is broken each time is broken.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Checker, Known, Members, Rules, filled};
use crate::{
    error::{Place, Violation},
    value::work,
};

/// Most mistakes beside which rules are looked at: a problem names no more.
const MOST_MISTAKES: usize = 100;
/// Most keys and values that are read in all.
const MOST_VALUES: usize = 1_000_000;
/// The work of reading one of them, in units of about one byte looked at.
const VALUE: usize = 64;
/// How deep a made-up value may be.
const DEEPEST: usize = 8;

/// The rules that a document breaks beside these mistakes.
pub(super) fn broken_beside<T: DeserializeOwned + Rules>(
    checker: &Checker,
    document: &Value,
    known: &Known,
    mistakes: &[Violation],
) -> Vec<Violation> {
    if mistakes.len() > MOST_MISTAKES || !document.is_object() {
        return Vec::new();
    }
    let Some(holes) = holes(checker, mistakes) else {
        return Vec::new();
    };
    let times = holes.iter().map(|hole| hole.values.len()).max().unwrap_or(1);
    let values = count(document);
    if times * values > MOST_VALUES {
        return Vec::new();
    }
    let mut broken: Option<Vec<Violation>> = None;
    for time in 0..times {
        work::spend(VALUE * values);
        let mut document = document.clone();
        for hole in &holes {
            hole.fill(&mut document, time);
        }
        let found = match filled::<T>(&mut document, known) {
            Ok(body) => {
                let mut found = body.broken();
                found.extend(body.contradictions(known));
                found
            }
            Err(missing) => missing,
        };
        let known: HashSet<_> = found.iter().map(|it| (it.place.clone(), it.code)).collect();
        let is_found = |one: &Violation| known.contains(&(one.place.clone(), one.code));
        match &mut broken {
            None => broken = Some(found),
            Some(broken) => broken.retain(is_found),
        }
        if broken.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    let is_new = |one: &Violation| match &one.place {
        Place::Body(at) => !holes.iter().any(|hole| is_within(at, &hole.at)) && one.code != "invalid",
        _ => true,
    };
    broken.unwrap_or_default().into_iter().filter(is_new).collect()
}

/// A place in a document where nothing stands that can be read, and the values that may stand there instead; without any,
/// nothing may.
struct Hole {
    at: String,
    values: Vec<Value>,
}

/// The holes that mistakes make in a document; none where it is the whole document that cannot be read.
fn holes(checker: &Checker, mistakes: &[Violation]) -> Option<Vec<Hole>> {
    let mut holes: Vec<Hole> = Vec::new();
    for mistake in mistakes {
        let Place::Body(at) = &mistake.place else { continue };
        if at.is_empty() {
            return None;
        }
        let schema = checker.schema_at(at);
        if !holes.iter().any(|hole| hole.at == *at) {
            holes.push(Hole {
                at: at.clone(),
                values: schema.map(|schema| values(checker, schema, 0)).unwrap_or_default(),
            });
        }
    }
    let all: Vec<String> = holes.iter().map(|hole| hole.at.clone()).collect();
    holes.retain(|hole| !all.iter().any(|at| *at != hole.at && is_within(&hole.at, at)));
    Some(holes)
}

fn is_within(pointer: &str, place: &str) -> bool {
    pointer
        .strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Hole {
    fn fill(&self, document: &mut Value, time: usize) {
        let Some((parent, name)) = self.at.rsplit_once('/') else {
            return;
        };
        let value = self.values.get(time % self.values.len().max(1));
        match (document.pointer_mut(parent), value) {
            (Some(Value::Object(members)), value) => {
                let name = name.replace("~1", "/").replace("~0", "~");
                match value {
                    Some(value) => drop(members.insert(name, value.clone())),
                    None => drop(members.remove(&name)),
                }
            }
            (Some(Value::Array(items)), Some(value)) => {
                if let Some(item) = name.parse::<usize>().ok().and_then(|n| items.get_mut(n)) {
                    *item = value.clone();
                }
            }
            _ => {}
        }
    }
}

/// How many keys and values a document has.
fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|value| 1 + count(value)).sum::<usize>() + 1,
        Value::Array(items) => items.iter().map(count).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Values that keep a schema, as different as rules may tell them apart: every code, both ends of a range, none.
fn values(checker: &Checker, schema: &Value, depth: usize) -> Vec<Value> {
    let schema = checker.resolved(schema);
    if depth > DEEPEST {
        return vec![];
    }
    if let Some(several) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array()) {
        return several.iter().flat_map(|one| values(checker, one, depth + 1)).collect();
    }
    if let Some(codes) = schema.get("enum").and_then(Value::as_array) {
        return codes.clone();
    }
    match schema.get("type") {
        Some(Value::Array(types)) => {
            let kinds = types.iter().filter_map(Value::as_str);
            kinds.flat_map(|kind| of_type(checker, schema, kind, depth)).collect()
        }
        Some(Value::String(kind)) => of_type(checker, schema, kind, depth),
        _ => vec![],
    }
}

fn of_type(checker: &Checker, schema: &Value, kind: &str, depth: usize) -> Vec<Value> {
    let given = |key: &str| schema.get(key).cloned();
    match kind {
        "null" => vec![Value::Null],
        "boolean" => vec![json!(false), json!(true)],
        "integer" | "number" => {
            let ends = [given("minimum"), given("maximum")].into_iter().flatten();
            let mut numbers: Vec<Value> = ends.collect();
            numbers.extend(numbers.is_empty().then(|| json!(0)));
            numbers
        }
        "array" => vec![json!([])],
        "object" => {
            let required = schema.get("required").and_then(Value::as_array);
            let mut members: Members = Map::new();
            for name in required.into_iter().flatten().filter_map(Value::as_str) {
                let member = schema.pointer(&format!("/properties/{name}"));
                let member = member.and_then(|schema| values(checker, schema, depth + 1).into_iter().next());
                if let Some(value) = member {
                    members.insert(name.to_owned(), value);
                }
            }
            vec![members.into()]
        }
        _ => {
            let shown = schema.pointer("/examples/0").cloned().or_else(|| given("example"));
            vec![shown.unwrap_or_else(|| json!("A"))]
        }
    }
}

impl Checker {
    /// The schema of what stands at a place in a body.
    fn schema_at(&self, pointer: &str) -> Option<&Value> {
        let mut schema = self.resolved(&self.document);
        for name in pointer.split('/').skip(1) {
            schema = self.resolved(meant(self, schema));
            schema = match schema.get("properties") {
                Some(properties) => properties.get(name)?,
                None => schema.get("items")?,
            };
        }
        Some(schema)
    }
}

/// Of a schema that allows null or something else, the something else.
fn meant<'a>(checker: &'a Checker, schema: &'a Value) -> &'a Value {
    let several = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    let is_null = |one: &&Value| checker.resolved(one).get("type").is_some_and(|kind| kind == "null");
    several
        .and_then(|several| several.iter().find(|one| !is_null(one)))
        .unwrap_or(schema)
}
