//! Links: the members of a list's item, or of a new thing, that make the address of other operations.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::{
    OpenApi, RefOr, Response,
    link::Link,
    path::{Operation, PathItem},
};

/// Lists, the address of an item of each, and the members that make that address.
const ITEMS: &[(&str, &str, Members)] = &[
    (
        "/v1/organizations",
        "/v1/organizations/{organization}",
        &[("organization", "slug")],
    ),
    (
        "/v1/policies",
        "/v1/policies/{organization}/{fiscal_year}",
        &[("organization", "organization"), ("fiscal_year", "fiscal_year")],
    ),
    (
        "/v1/policies/{organization}/{fiscal_year}/revisions",
        "/v1/policies/{organization}/{fiscal_year}/revisions/{number}",
        &[("number", "number")],
    ),
    ("/v1/goals", "/v1/goals/{id}", ID),
    ("/v1/budgets", "/v1/budgets/{id}", ID),
    ("/v1/indicators", "/v1/indicators/{id}", ID),
    (
        "/v1/indicators",
        "/v1/series/{series_id}",
        &[("series_id", "series_id")],
    ),
    (
        "/v1/indicators/{id}/results",
        "/v1/indicators/{id}/results/{fiscal_year}",
        &[("fiscal_year", "fiscal_year")],
    ),
    (
        "/v1/results",
        "/v1/indicators/{id}/results/{fiscal_year}",
        &[("id", "indicator_id"), ("fiscal_year", "fiscal_year")],
    ),
    ("/v1/evaluations", "/v1/indicators/{id}", &[("id", "indicator_id")]),
    ("/v1/tokens", "/v1/tokens/{id}", ID),
];
const ID: Members = &[("id", "id")];

/// Parameters of an address, each with the member of an answer that has its value.
type Members = &'static [(&'static str, &'static str)];

/// Links the answers of every list to what can be read of its items, and those of every operation that makes an item to what can
/// be done with it.
pub(super) fn add(spec: &mut OpenApi) {
    for (list, item, members) in ITEMS {
        let below = || spec.paths.paths.iter().filter(|(path, _)| is_below(path, item));
        let reads: Vec<String> = below()
            .filter_map(|(_, at)| at.get.as_ref()?.operation_id.clone())
            .collect();
        let all: Vec<String> = below().flat_map(|(_, at)| operations(at)).collect();
        let Some(list_at) = spec.paths.paths.get_mut(*list) else {
            continue;
        };
        // Parameters of the list's own address are in the request.
        let said = list
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let said: Vec<_> = said.map(|name| (name, format!("$request.path.{name}"))).collect();
        // A new token is an answer with the item under `shown`.
        let new = if *list == "/v1/tokens" { "/shown/" } else { "/" };
        for (operation, status, place, targets) in [
            (&mut list_at.get, "200", "/items/0/", &reads),
            (&mut list_at.post, "201", new, &all),
        ] {
            let responses = operation.as_mut().map(|operation| &mut operation.responses.responses);
            let Some(RefOr::T(response)) = responses.and_then(|responses| responses.get_mut(status)) else {
                continue;
            };
            let named = members
                .iter()
                .map(|(name, member)| (*name, format!("$response.body#{place}{member}")));
            let parameters: BTreeMap<String, Value> = said
                .iter()
                .cloned()
                .chain(named)
                .map(|(name, from)| (name.to_owned(), json!(from)))
                .collect();
            for target in targets {
                let mut link = Link::default();
                link.operation_id.clone_from(target);
                link.parameters.clone_from(&parameters);
                response.links.insert(target.clone(), link.into());
            }
        }
    }
    add_to_put(spec);
}

/// Links the answers of a PUT that creates an item as those of a POST that does.
fn add_to_put(spec: &mut OpenApi) {
    fn created(operation: Option<&mut Operation>) -> Option<&mut Response> {
        match operation?.responses.responses.get_mut("201")? {
            RefOr::T(response) => Some(response),
            RefOr::Ref(_) => None,
        }
    }
    for (list, item, _) in ITEMS {
        let paths = &mut spec.paths.paths;
        let posted = paths.get_mut(*list).and_then(|at| created(at.post.as_mut()));
        let links = posted.map(|response| response.links.clone());
        let put = paths.get_mut(*item).and_then(|at| created(at.put.as_mut()));
        if let (Some(links), Some(put)) = (links, put) {
            put.links = links;
        }
    }
}

/// Whether a path is that of an item, or of something about it that needs no other address.
fn is_below(path: &str, item: &str) -> bool {
    path.strip_prefix(item)
        .is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !rest.contains('{'))
}

fn operations(at: &PathItem) -> impl Iterator<Item = String> {
    let all = [&at.get, &at.post, &at.put, &at.patch, &at.delete];
    all.into_iter()
        .flatten()
        .filter_map(|operation| operation.operation_id.clone())
}
