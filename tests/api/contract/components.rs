//! The contract as code generators read it: short, each thing said once, and nothing that one of them cannot compile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use ward_policy::server::{app, openapi};

use super::openapi::{CONTRACT, each, none_wrong, wrong};

/// Names that languages have types or words of their own for.
const TAKEN: &[&str] = &[
    "Any",
    "Array",
    "Blob",
    "Boolean",
    "Box",
    "Bytes",
    "Class",
    "Date",
    "Default",
    "Dict",
    "Err",
    "Error",
    "Event",
    "Exception",
    "Self",
    "False",
    "File",
    "Float",
    "Function",
    "Headers",
    "Int",
    "Integer",
    "Iterator",
    "List",
    "Map",
    "None",
    "Null",
    "Number",
    "Object",
    "Ok",
    "Option",
    "Partial",
    "Pick",
    "Promise",
    "Record",
    "Request",
    "Response",
    "Result",
    "Set",
    "Some",
    "String",
    "Symbol",
    "True",
    "Tuple",
    "Type",
    "Undefined",
    "Unknown",
    "Vec",
    "Void",
];

fn components() -> impl Iterator<Item = (&'static String, &'static String, &'static Value)> {
    let kinds = CONTRACT.spec["components"].as_object().unwrap().iter();
    kinds.flat_map(|(kind, named)| {
        named
            .as_object()
            .unwrap()
            .iter()
            .map(move |(name, is)| (kind, name, is))
    })
}

#[test]
fn the_document_is_short() {
    let length = openapi::json(&app::spec()).len();
    assert!(length < 450_000, "{length} bytes");
}

#[test]
fn the_document_has_a_line_for_each_thing() {
    let text = openapi::json(&app::spec());
    for line in [
        "{\"$ref\":\"#/components/parameters/Limit\"},",
        "\"404\": {\"$ref\":\"#/components/responses/NotFound\"},",
        "\"code\": {\"$ref\":\"#/components/schemas/GoalCode\",\"description\":\"Code, unique within the policy.\"},",
    ] {
        assert!(text.lines().any(|it| it.trim_start() == line), "{line}");
    }
}

#[test]
fn parameters_headers_and_answers_stand_once() {
    let mut said = BTreeMap::<String, Vec<String>>::new();
    for (path, item) in CONTRACT.spec["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let responses = operation["responses"].as_object().unwrap().values();
            for part in parameters.chain(responses.clone()) {
                said.entry(part.to_string())
                    .or_default()
                    .push(format!("{method} {path}"));
            }
            for header in responses
                .filter_map(|response| response["headers"].as_object())
                .flat_map(|headers| headers.values())
            {
                assert!(header["$ref"].is_string(), "{method} {path}: {header}");
            }
        }
    }
    for (kind, name, is) in components() {
        if kind == "parameters" || kind == "responses" {
            said.entry(is.to_string()).or_default().push(name.clone());
        }
    }
    said.retain(|part, places| places.len() > 1 && !part.starts_with("{\"$ref\""));
    assert!(said.is_empty(), "{said:#?}");
    // What every request may have is described once, in words.
    let info = CONTRACT.spec["info"]["description"].as_str().unwrap();
    for header in ["X-Consistency-Token", "traceparent", "Accept-Language", "X-Request-Id"] {
        assert!(info.contains(header), "{header}");
        assert!(
            CONTRACT.operations().all(|operation| !operation.takes(header)),
            "{header}"
        );
    }
}

#[test]
fn every_component_is_used_and_has_a_name_of_its_own() {
    let text = CONTRACT.spec.to_string();
    let mut names = BTreeSet::new();
    for (kind, name, _) in components() {
        if kind == "securitySchemes" {
            continue;
        }
        let reference = format!("\"#/components/{kind}/{name}\"");
        assert!(text.contains(&reference), "nothing refers to {kind}/{name}");
        assert!(kind == "headers" || names.insert(name), "{name} is two things");
        assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
        assert!(!TAKEN.contains(&name.as_str()), "{name} is a word of some language");
    }
}

#[test]
fn no_schema_holds_itself() {
    let mut holds = BTreeMap::new();
    for (kind, name, is) in components().filter(|(kind, ..)| *kind == "schemas") {
        let mut held = BTreeSet::new();
        each(is, kind, &mut |_, object| {
            held.extend(
                object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|to| to.rsplit('/').next()),
            );
        });
        holds.insert(name.as_str(), held);
    }
    for (name, held) in &holds {
        let (mut below, mut todo) = (BTreeSet::new(), held.iter().copied().collect::<Vec<_>>());
        while let Some(next) = todo.pop() {
            if below.insert(next) {
                todo.extend(&holds[next]);
            }
        }
        assert!(!below.contains(name), "{name} holds itself");
    }
}

#[test]
fn no_pattern_has_control_characters() {
    none_wrong(&wrong(|object| {
        let pattern = object.get("pattern")?.as_str()?;
        let escaped = ["\\u00", "\\x", "\\c", "\\0"]
            .iter()
            .any(|escape| pattern.contains(escape));
        (escaped || !pattern.bytes().all(|b| (b' '..=b'~').contains(&b))).then(|| pattern.to_owned())
    }));
}

#[test]
fn every_integer_says_its_size_and_every_free_object_that_it_is_one() {
    let is = |object: &serde_json::Map<String, Value>, name: &str| {
        let kind = object.get("type");
        let several = kind
            .and_then(Value::as_array)
            .is_some_and(|kinds| kinds.contains(&name.into()));
        several || kind.is_some_and(|kind| kind == name)
    };
    none_wrong(&wrong(|object| {
        let format = object.get("format").and_then(Value::as_str);
        (is(object, "integer") && !matches!(format, Some("int32" | "int64")))
            .then(|| "an integer of no size".to_owned())
    }));
    none_wrong(&wrong(|object| {
        let says = ["properties", "additionalProperties"]
            .iter()
            .any(|key| object.contains_key(*key));
        (is(object, "object") && !says).then(|| "an object of nothing".to_owned())
    }));
}

#[test]
fn every_body_has_one_media_type() {
    for operation in CONTRACT.operations() {
        // Each kind of file is to have an address of its own.
        if operation.path == "/v1/imports" {
            continue;
        }
        let types = operation.is["requestBody"]["content"]
            .as_object()
            .map_or(0, serde_json::Map::len);
        assert!(types <= 1, "{} takes {types}", operation.name());
    }
}

/// What a body may leave out is always in an answer: they are two schemas.
#[test]
fn no_schema_is_of_bodies_and_of_answers_if_they_differ() {
    let reached = |parts: Vec<&'static Value>| {
        let (mut names, mut todo) = (BTreeSet::new(), parts);
        while let Some(part) = todo.pop() {
            each(part, "", &mut |_, object| {
                if let Some(to) = object.get("$ref").and_then(Value::as_str)
                    && names.insert(to)
                {
                    todo.push(CONTRACT.spec.pointer(to.trim_start_matches('#')).unwrap());
                }
            });
        }
        names
    };
    let taken = reached(
        CONTRACT
            .operations()
            .map(|operation| &operation.is["requestBody"])
            .collect(),
    );
    let answered = reached(
        CONTRACT
            .operations()
            .map(|operation| &operation.is["responses"])
            .collect(),
    );
    for both in taken.intersection(&answered) {
        let schema = CONTRACT.spec.pointer(both.trim_start_matches('#')).unwrap();
        let keys = schema["properties"].as_object().map_or(0, serde_json::Map::len);
        let required = schema["required"].as_array().map_or(0, Vec::len);
        assert_eq!(keys, required, "{both}");
    }
    for (answer, body) in [("PolicyTree", "PolicyTreeInput"), ("Target", "TargetInput")] {
        let schema = |name: &str| format!("#/components/schemas/{name}");
        assert!(answered.contains(schema(answer).as_str()) && !taken.contains(schema(answer).as_str()));
        assert!(taken.contains(schema(body).as_str()) && !answered.contains(schema(body).as_str()));
    }
    let tree = &CONTRACT.spec["components"]["schemas"];
    for (schema, key) in [
        ("PolicyTree", "id"),
        ("PolicyTree", "organization_name"),
        ("TreeGoal", "id"),
        ("TreeBudget", "id"),
        ("TreeIndicator", "id"),
        ("TreeIndicator", "series_id"),
    ] {
        assert!(
            tree[schema]["properties"][key]["$ref"].is_string(),
            "{schema}.{key} may be null"
        );
    }
}
