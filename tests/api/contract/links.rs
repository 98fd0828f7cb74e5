//! The links of the contract lead where they say.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::openapi::CONTRACT;
use crate::support::{Api, factories::Nishi};

/// What a link says of an answer to a request at this path.
fn followed(expression: &str, template: &str, path: &str, body: &Value) -> String {
    if let Some(pointer) = expression.strip_prefix("$response.body#") {
        let value = body
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{path} has no {pointer}"));
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    }
    let name = expression.strip_prefix("$request.path.").expect(expression);
    let place = template.split('/').position(|part| part == format!("{{{name}}}"));
    path.split('/').nth(place.expect(name)).unwrap().to_owned()
}

#[actix_web::test]
async fn what_a_list_names_is_found_where_its_links_lead() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    // There is something to compare with.
    let indicator = format!("/v1/indicators/{}", nishi.indicator.id());
    api.patch(&indicator, "*", &json!({ "name": "別の名前" }))
        .await
        .must_be(200);
    let mut followed_links = 0;
    for list in CONTRACT.operations().filter(|operation| operation.method == "get") {
        let Some(links) = list.is["responses"]["200"]["links"].as_object() else {
            continue;
        };
        let path = list
            .path
            .replace("{organization}/{fiscal_year}", "nishi/2024")
            .replace("{id}", &nishi.indicator.id());
        let answer = api.get(&path).await.must_be(200);
        for link in links.values() {
            let wanted =
                |target: &&crate::contract::openapi::Operation<'_>| target.is["operationId"] == link["operationId"];
            let targets: Vec<_> = CONTRACT.operations().filter(|target| wanted(&target)).collect();
            let [target] = &targets[..] else { panic!("{link}") };
            let mut at = target.path.to_owned();
            for (name, expression) in link["parameters"].as_object().unwrap() {
                let value = followed(expression.as_str().unwrap(), list.path, &path, &answer.body);
                assert!(at.contains(&format!("{{{name}}}")), "{at} has no {name}");
                at = at.replace(&format!("{{{name}}}"), &value);
            }
            assert!(!at.contains('{'), "{link} does not say all of {at}");
            if target.method == "get" {
                api.get(&at).await.must_be(200);
                followed_links += 1;
            }
        }
    }
    assert!(followed_links >= 20, "{followed_links}");
}

#[test]
fn what_is_new_has_the_links_of_its_list_and_they_name_what_is_there() {
    for operation in CONTRACT.operations() {
        for (status, response) in operation.is["responses"].as_object().unwrap() {
            let example = &response["content"]["application/json"]["example"];
            for link in response["links"]
                .as_object()
                .into_iter()
                .flat_map(|links| links.values())
            {
                for from in link["parameters"].as_object().unwrap().values() {
                    let pointer = from.as_str().unwrap().strip_prefix("$response.body#");
                    let named = pointer.is_none_or(|pointer| example.pointer(pointer).is_some());
                    assert!(named, "{} {status}: {from}", operation.name());
                }
            }
        }
    }
    for list in CONTRACT.operations().filter(|operation| operation.method == "get") {
        let post = CONTRACT
            .operations()
            .find(|other| other.method == "post" && other.path == list.path);
        let links = |operation: &Value, status: &str| {
            let links = operation["responses"][status]["links"].as_object();
            links
                .into_iter()
                .flat_map(|links| links.keys().cloned())
                .collect::<BTreeSet<_>>()
        };
        if let Some(post) = post.filter(|post| post.is["responses"]["201"].is_object()) {
            assert!(
                links(post.is, "201").is_superset(&links(list.is, "200")),
                "{}",
                list.path
            );
        }
    }
}
