//! Conditions are never ignored: every operation of the contract heeds what it takes, and refuses what it does not.

use std::collections::BTreeSet;

use crate::{
    contract::openapi::CONTRACT,
    support::{Api, Call},
};

fn filled(path: &str) -> String {
    path.replace("{id}", "01900000-0000-7000-8000-000000000001")
        .replace("{series_id}", "01900000-0000-7000-8000-000000000001")
        .replace("{organization}", "nishi")
        .replace("{fiscal_year}", "2024")
        .replace("{number}", "1")
}

#[actix_web::test]
async fn a_condition_that_an_operation_does_not_take_is_refused() {
    let api = Api::new().await;
    let mut taken = BTreeSet::new();
    for operation in CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"))
    {
        let path = filled(operation.path);
        assert!(!path.contains('{'), "{path}: say in `filled` what stands there");
        for (header, value, code) in [
            ("Idempotency-Key", "k", "not_repeatable"),
            ("If-Match", "*", "not_conditional"),
            ("If-Match", "\"a\"", "not_conditional"),
            ("If-None-Match", "*", "not_conditional"),
            (
                "If-Unmodified-Since",
                "Mon, 30 Nov 2026 00:00:00 GMT",
                "not_conditional",
            ),
        ] {
            // What a reader has already is no condition where there is no tag, nor is a time where there is none.
            if ["If-None-Match", "If-Unmodified-Since"].contains(&header) && operation.method == "get" {
                continue;
            }
            if operation.takes(header) {
                taken.insert((header, operation.name()));
                continue;
            }
            let method = operation.method.to_uppercase();
            for method in [method.as_str()].into_iter().chain((method == "GET").then_some("HEAD")) {
                let call = Call::new(method, &path).header(&header.to_lowercase(), value);
                let answer = api.send(call).await;
                if method == "HEAD" {
                    assert_eq!(answer.status, 400, "{method} {path} {header}");
                } else {
                    answer.must_refuse(400, &[(header, code)]);
                }
            }
        }
    }
    // All that changes something in an organization may be repeated; no answer of a read is kept.
    let repeatable = taken.iter().filter(|(header, _)| *header == "Idempotency-Key");
    let repeatable: Vec<&str> = repeatable.map(|(_, name)| name.as_str()).collect();
    for name in CONTRACT
        .operations()
        .filter(|operation| operation.takes("Change-Reason"))
    {
        assert!(
            name.method == "get" || repeatable.contains(&name.name().as_str()),
            "{}",
            name.name()
        );
    }
    assert!(repeatable.len() >= 25, "{repeatable:?}");
    assert!(repeatable.iter().all(|name| !name.starts_with("GET ")));
    let guarded = |name: &str| taken.contains(&("If-Match", name.to_owned()));
    assert!(guarded("POST /v1/policies/{organization}/{fiscal_year}/publications"));
}

#[actix_web::test]
async fn a_request_says_one_thing() {
    let api = Api::new().await;
    let keys = Call::new("POST", "/v1/organizations")
        .header("idempotency-key", "a")
        .header("idempotency-key", "b");
    api.send(keys.json(&crate::support::factories::ward()))
        .await
        .must_refuse(400, &[("Idempotency-Key", "repeated")]);
    let call = Call::new("PUT", "/v1/organizations/nishi")
        .header("if-match", "*")
        .header("if-none-match", "*")
        .json(&crate::support::factories::ward());
    api.send(call).await.must_refuse(400, &[("If-None-Match", "both")]);
    api.get("/v1/organizations/nishi").await.must_be(404);
}

#[actix_web::test]
async fn what_is_no_text_once_it_is_decoded_is_refused() {
    let api = Api::new().await;
    for operation in CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"))
    {
        let (method, path) = (operation.method.to_uppercase(), filled(operation.path));
        let names = operation
            .parameters()
            .iter()
            .filter(|parameter| parameter["in"] == "query");
        let names: Vec<&str> = names.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        for name in names.iter().copied().chain(["nonsense"]) {
            for value in ["%ff", "%E8%A5", "%c3%28", "a%80b", "%ED%A0%80"] {
                let call = Call::new(&method, format!("{path}?{name}={value}"));
                let call = if operation.takes("If-Match") {
                    call.header("if-match", "*")
                } else {
                    call
                };
                let call = match method.as_str() {
                    "POST" | "PUT" => call.body("application/json", "{}"),
                    "PATCH" => call.body("application/merge-patch+json", "{}"),
                    _ => call,
                };
                let answer = api.send(call).await;
                assert_eq!(answer.status, 400, "{method} {path}?{name}={value}");
                assert!(
                    answer.faults().contains(&(name.to_owned(), "encoding".to_owned())),
                    "{answer:?}"
                );
            }
        }
        api.send(Call::new(&method, format!("{path}?%ff=1"))).await.must_be(400);
        // In a path it names nothing.
        for part in operation.path.split('/').filter(|part| part.starts_with('{')) {
            let broken = filled(&operation.path.replacen(part, "%FF", 1));
            let status = api.send(Call::new(&method, &broken)).await.status;
            let before = [404, 400, 405, 415, 422, 428];
            assert!(before.contains(&status), "{method} {broken}: {status}");
            if method == "GET" {
                assert_eq!(status, 404, "{method} {broken}");
            }
        }
    }
}
