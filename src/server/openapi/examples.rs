//! Examples of answers. One stands at its schema; that of a page is made of its items'.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::{OpenApi, RefOr, Schema};

use super::{operations, schema_of};
use crate::resources::exports;

/// Answers of a service with the sample and two results, by schema, shortened; ids, times and cursors as they happened to be.
fn examples() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("examples.json")).unwrap_or_default()
}

/// Gives the schemas of answers their examples, and each export that of its table.
pub(super) fn add(spec: &mut OpenApi) {
    let examples = examples();
    let components = spec.components.get_or_insert_default();
    for (name, example) in &examples {
        match components.schemas.get_mut(name) {
            Some(RefOr::T(Schema::Object(object))) => object.example = Some(example.clone()),
            Some(RefOr::T(Schema::OneOf(one))) => one.example = Some(example.clone()),
            _ => {}
        }
    }
    for (path, item) in &mut spec.paths.paths {
        let rows = path
            .strip_prefix("/v1/exports/")
            .and_then(|table| Some((table, examples.get(path)?)));
        let Some((table, row)) = rows else { continue };
        for response in operations(item).flat_map(|(_, operation)| operation.responses.responses.values_mut()) {
            let RefOr::T(response) = response else { continue };
            for content in response.content.values_mut() {
                let example = schema_of(content).and_then(|schema| exports::example(table, schema, row));
                if let RefOr::T(content) = content {
                    content.example = example;
                }
            }
        }
    }
}
