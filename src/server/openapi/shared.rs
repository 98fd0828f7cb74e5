//! What operations have in common: parameters, headers and answers stand once, under `components`, and are referred to.
//!
//! A parameter is named after itself (`Limit`, `IfMatch`), one of a path as `OrganizationInPath`. Filters, and parameters
//! that share a name with others, are named after the set they are declared in too (`BudgetFilterGoal`). An answer is named
//! after its schema: `GoalAnswer`, `StoredGoal`, `CreatedGoal`.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::openapi::{
    Components, OpenApi, Ref, RefOr, Response, Schema,
    path::{Operation, Parameter, ParameterIn},
    schema::ArrayItems,
};

use super::{operations, schema_of};
use crate::http::query::SET;

/// Replaces parameters, headers and answers by references.
pub(super) fn share(spec: &mut OpenApi) {
    let components = spec.components.get_or_insert_default();
    let mut all: Vec<_> = spec.paths.paths.values_mut().flat_map(operations).collect();
    share_parameters(&mut all, components);
    share_headers(&mut all, components);
    share_answers(&mut all, components);
}

type Operations<'a> = [(&'static str, &'a mut Operation)];

fn parameters<'a>(all: &'a mut Operations<'_>) -> impl Iterator<Item = &'a mut RefOr<Parameter>> {
    let each = all.iter_mut().map(|(_, operation)| operation.parameters.iter_mut());
    each.flatten().flatten()
}

fn share_parameters(all: &mut Operations<'_>, components: &mut Components) {
    // Each parameter as it stands, and the sets it is declared in.
    let mut known: Vec<(Parameter, BTreeSet<String>)> = Vec::new();
    for parameter in parameters(all) {
        let RefOr::T(given) = parameter else { continue };
        if let Some(schema) = &mut given.schema {
            refer(schema, &components.schemas);
        }
        let extensions = given.extensions.take();
        let set = extensions.as_ref().and_then(|extensions| extensions.get(SET)?.as_str());
        let set = set.unwrap_or_default().to_owned();
        match known.iter_mut().find(|(known, _)| known == given) {
            Some((_, sets)) => _ = sets.insert(set),
            None => known.push((given.clone(), BTreeSet::from([set]))),
        }
    }
    for parameter in parameters(all) {
        let RefOr::T(given) = parameter else { continue };
        let plain = plain_name(given);
        let alike = known.iter().filter(|(known, _)| plain_name(known) == plain);
        let is_one_of_several = alike.count() > 1;
        let sets = known.iter().find(|(known, _)| known == given).map(|(_, sets)| sets);
        // Of the sets that have it, that with the shortest name is the plainest.
        let set = sets.and_then(|sets| sets.iter().min_by_key(|set| set.len()));
        let mut name = match set {
            Some(set) if is_one_of_several || set.ends_with("Filter") => format!("{}{plain}", capitalized(set)),
            _ => plain,
        };
        if components.schemas.contains_key(&name) {
            name.push_str("Parameter");
        }
        let shared = components.parameters.entry(name.clone());
        if *shared.or_insert_with(|| given.clone().into()) == *parameter {
            *parameter = RefOr::Ref(Ref::new(format!("#/components/parameters/{name}")));
        }
    }
}

/// The name of a parameter without that of its set.
fn plain_name(parameter: &Parameter) -> String {
    let name = capitalized(&parameter.name);
    match parameter.parameter_in {
        ParameterIn::Path => format!("{name}InPath"),
        _ => name,
    }
}

/// `include_total` and `If-Match` as names of components.
fn capitalized(name: &str) -> String {
    let mut words = String::with_capacity(name.len());
    for word in name.split(['_', '-']) {
        let mut letters = word.chars();
        words.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        words.push_str(letters.as_str());
    }
    words
}

/// Refers a value, or the items of a list, to the schema under `components` that they repeat.
fn refer(schema: &mut RefOr<Schema>, known: &BTreeMap<String, RefOr<Schema>>) {
    if let RefOr::T(Schema::Array(list)) = schema
        && let ArrayItems::RefOrSchema(items) = &mut list.items
    {
        refer(items, known);
    } else if let Some((name, _)) = known.iter().find(|(_, known)| *known == schema) {
        *schema = Ref::from_schema_name(name).into();
    }
}

fn share_headers(all: &mut Operations<'_>, components: &mut Components) {
    let of_operations = all
        .iter_mut()
        .flat_map(|(_, operation)| operation.responses.responses.values_mut());
    for response in of_operations.chain(components.responses.values_mut()) {
        let RefOr::T(response) = response else { continue };
        for (name, header) in &mut response.headers {
            let name = capitalized(name);
            let known = components.headers.entry(name.clone());
            if *known.or_insert_with(|| header.clone()) == *header {
                *header = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
            }
        }
    }
}

fn share_answers(all: &mut Operations<'_>, components: &mut Components) {
    let mut by_name = BTreeMap::<String, Vec<(Response, usize)>>::new();
    for (method, operation) in &*all {
        for (status, response) in &operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            let alike = by_name.entry(answer_name(method, status, response)).or_default();
            match alike.iter_mut().find(|(known, _)| known == response) {
                Some((_, uses)) => *uses += 1,
                None => alike.push((response.clone(), 1)),
            }
        }
    }
    for (name, alike) in by_name {
        // Where answers that differ would have one name, it is that of the one several operations give.
        let is_only = alike.len() == 1;
        let shared = alike.into_iter().find(|(_, uses)| is_only || *uses > 1);
        components
            .responses
            .extend(shared.map(|(response, _)| (name, response.into())));
    }
    for (method, operation) in all {
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(given) = response else { continue };
            let name = answer_name(method, status, given);
            if components.responses.get(&name) == Some(response) {
                *response = Ref::from_response_name(name).into();
            }
        }
    }
}

fn answer_name(method: &str, status: &str, response: &Response) -> String {
    let schema = response.content.values().find_map(schema_of).unwrap_or_default();
    match (status, method) {
        ("201", _) => format!("Created{schema}"),
        ("204", _) => "Removed".to_owned(),
        ("304", _) => "NotModified".to_owned(),
        (_, "put" | "patch") => format!("Stored{schema}"),
        _ => format!("{schema}Answer"),
    }
}
