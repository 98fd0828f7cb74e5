//! What is true of every request, whatever it is for.

use actix_web::rt::System;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Number, Value, json};
use ward_policy::http::{json::Most, limits::Limits};

use crate::{
    contract::openapi::CONTRACT,
    support::{
        Api, Call,
        factories::{self, Nishi, new_id, with},
    },
};

/// A path for a template: well formed, and of nothing that is stored.
fn filled(template: &str) -> String {
    template
        .replace("{id}", "018e9a2c-5b00-7000-8000-000000000611")
        .replace("{series_id}", "018e9a2c-5b00-7000-8000-000000000612")
        .replace("{organization}", "nishi")
        .replace("{fiscal_year}", "2024")
        .replace("{number}", "1")
}

/// The operations that `/v1` has.
fn operations() -> Vec<(String, String, Vec<String>)> {
    let versioned = CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"));
    versioned
        .map(|operation| {
            assert!(
                !filled(operation.path).contains('{'),
                "{}: say in `filled` what stands there",
                operation.path
            );
            let of_query = operation
                .parameters()
                .iter()
                .filter(|parameter| parameter["in"] == "query");
            let names = of_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
            (operation.method.to_uppercase(), filled(operation.path), names.collect())
        })
        .collect()
}

/// Whether an operation takes a body.
fn takes_body(method: &str, path: &str) -> bool {
    let operation = CONTRACT.operation(method, path);
    operation.is_some_and(|operation| !operation.is["requestBody"].is_null())
}

/// A request over whatever is stored, where that is asked.
fn of_any_state(method: &str, path: &str) -> Call {
    let call = Call::new(method, path);
    let conditional = CONTRACT
        .operation(method, path)
        .is_some_and(|operation| operation.takes("If-Match"));
    if conditional {
        call.header("if-match", "*")
    } else {
        call
    }
}

/// A request with what a write needs to be read at all.
fn call(method: &str, path: &str) -> Call {
    let call = of_any_state(method, path);
    match method {
        "POST" | "PUT" | "PATCH" => call.json(&json!({})),
        _ => call,
    }
}

#[actix_web::test]
async fn a_path_that_does_not_exist_is_not_found() {
    let api = Api::new().await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/goal",
        "/v1/goals/",
        "/v2/goals",
        "/v1//goals",
        "/V1/goals",
        "/v1/goals/a/b",
        "/.env",
        "/v1/組織",
        "/v1/%00",
        "/v1/%FF%FE",
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS"] {
            let answer = api.send(Call::new(method, path)).await.must_be(404);
            assert_eq!(answer.body["type"], "/problems/not-found", "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn an_identifier_in_another_form_names_nothing() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let ids = [
        ("goals", nishi.goal.id()),
        ("budgets", nishi.budget.id()),
        ("indicators", nishi.indicator.id()),
    ];
    for (list, id) in ids {
        for other in [
            id.replace('-', ""),
            format!("%7B{id}%7D"),
            format!("urn:uuid:{id}"),
            format!("{id}%00"),
            format!("{id}%20"),
            "1".to_owned(),
            "%E8%A5%BF".to_owned(),
            new_id(),
        ] {
            let path = format!("/v1/{list}/{other}");
            for method in ["GET", "PUT", "PATCH", "DELETE"] {
                let body = with(json!({}), json!({}));
                let call = of_any_state(method, &path);
                let call = if ["PUT", "PATCH"].contains(&method) {
                    call.json(&body)
                } else {
                    call
                };
                let status = api.send(call).await.status;
                // A body that breaks rules may be named before a resource that does not exist.
                assert!(
                    status == 404 || (status == 422 && method == "PUT"),
                    "{method} {path}: {status}"
                );
            }
        }
    }
}

#[actix_web::test]
async fn a_method_that_a_path_has_not_is_refused_with_those_it_has() {
    let api = Api::new().await;
    let operations = operations();
    for (_, path, _) in &operations {
        let has: Vec<&str> = operations
            .iter()
            .filter(|(_, other, _)| other == path)
            .map(|(method, ..)| method.as_str())
            .collect();
        let mut allowed: Vec<&str> = has
            .iter()
            .flat_map(|method| {
                if *method == "GET" {
                    vec!["GET", "HEAD"]
                } else {
                    vec![*method]
                }
            })
            .chain(["OPTIONS"])
            .collect();
        allowed.sort_unstable();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "OPTIONS"] {
            if has.contains(&method) {
                continue;
            }
            let status = if method == "OPTIONS" { 204 } else { 405 };
            let answer = api.send(call(method, path)).await.must_be(status);
            let mut allow: Vec<&str> = answer.header("allow").split(", ").collect();
            allow.sort_unstable();
            assert_eq!(allow, allowed, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn a_parameter_that_an_operation_has_not_is_refused() {
    let api = Api::new().await;
    for (method, path, names) in operations() {
        let answer = api.send(call(&method, &format!("{path}?nonsense=1&Limit=2"))).await;
        assert_eq!(answer.status, 400, "{method} {path}");
        let named: Vec<_> = answer.faults();
        assert!(
            named.contains(&("nonsense".to_owned(), "unknown_parameter".to_owned())),
            "{method} {path}: {named:?}"
        );
        for name in names {
            let mistyped = format!("{name}x");
            let answer = api.send(call(&method, &format!("{path}?{mistyped}=1"))).await;
            answer.must_refuse(400, &[(&mistyped, "unknown_parameter")]);
            assert_eq!(answer.suggestion(&mistyped), Some(name), "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn a_parameter_is_given_once_unless_it_is_a_list() {
    let api = Api::new().await;
    let mut lists = 0;
    for operation in CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"))
    {
        let (method, path) = (operation.method.to_uppercase(), filled(operation.path));
        let of_query = operation
            .parameters()
            .iter()
            .filter(|parameter| parameter["in"] == "query");
        for parameter in of_query {
            let name = parameter["name"].as_str().unwrap();
            // A value that no parameter takes: a stream that is let in does not end.
            let repeated = api.send(call(&method, &format!("{path}?{name}=%07&{name}=%07"))).await;
            let fault = (name.to_owned(), "repeated".to_owned());
            let is_list = parameter["schema"]["type"] == "array";
            assert_eq!(
                !repeated.faults().contains(&fault),
                is_list,
                "{path} {name}: {repeated:?}"
            );
            if is_list {
                lists += 1;
                // Whatever the values are, they are those of one list.
                let once = api.send(call(&method, &format!("{path}?{name}=%07,%07"))).await;
                assert_eq!(once.status, repeated.status, "{path} {name}");
                assert_eq!(once.body["errors"], repeated.body["errors"], "{path} {name}");
            } else {
                assert_eq!(repeated.status, 400, "{path} {name}");
            }
        }
    }
    assert!(lists > 50, "{lists}");
}

#[actix_web::test]
async fn no_value_of_a_parameter_is_a_failure_of_the_service() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let long = "9".repeat(5000);
    let many = "2024,".repeat(300);
    for (method, path, names) in operations() {
        // A stream that is let in does not end.
        let method = if path.ends_with("/stream") { "HEAD" } else { &method };
        for name in names {
            for value in [
                "",
                "%00",
                "%FF",
                "%",
                "%zz",
                "-1",
                "1e400",
                "NaN",
                "null",
                "'",
                "\"",
                "..",
                ",",
                "2024..99999999999999999999",
                "R0",
                "令和",
                "%F0%9F%98%80",
                "1;drop table goals",
                &long,
                &many,
            ] {
                let status = api.send(call(method, &format!("{path}?{name}={value}"))).await.status;
                assert!(status < 500, "{path}?{name}={value}: {status}");
            }
        }
    }
}

/// Whether an operation takes JSON, and not a file of another kind.
fn takes_json(path: &str) -> bool {
    !["/v1/imports/forms", "/v1/imports/results"].contains(&path)
}

#[actix_web::test]
async fn a_body_that_is_not_json_is_refused() {
    let api = Api::new().await;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{\"a\":1}x",
        b"{'a':1}",
        b"{\"a\":NaN}",
        b"{\"a\":01}",
        b"{\"a\":1,\"a\":2}",
        b"{\"a\":{\"b\":1,\"b\":1}}",
        b"\xff\xfe",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"\"\\ud800\"",
        b"{\"a\":\"\\udc00\\ud800\"}",
        b"\"\x00\"",
        deep.as_bytes(),
    ] {
        for (method, path, _) in operations()
            .into_iter()
            .filter(|(method, path, _)| takes_body(method, path) && takes_json(path))
        {
            let media_type = if method == "PATCH" {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            let call = of_any_state(&method, &path).body(media_type, body.to_vec());
            let answer = api.send(call).await;
            answer.must_refuse(400, &[("", "json")]);
        }
    }
}

#[actix_web::test]
async fn a_body_of_another_type_or_coding_is_refused() {
    let api = Api::new().await;
    for (method, path, _) in operations()
        .into_iter()
        .filter(|(method, path, _)| method != "PATCH" && takes_body(method, path))
    {
        for media_type in [
            "text/markdown",
            "application/merge-patch+json",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "",
            "json",
        ] {
            let call = of_any_state(&method, &path).body(media_type, "{}");
            api.send(call).await.must_be(415);
        }
        for coding in ["gzip", "br", "identity"] {
            let call = of_any_state(&method, &path)
                .header("content-encoding", coding)
                .json(&json!({}));
            api.send(call).await.must_be(415);
        }
        for media_type in ["application/json; charset=utf-8", "Application/JSON"] {
            let call = of_any_state(&method, &path).body(media_type, "{}");
            assert_eq!(api.send(call).await.status != 415, takes_json(&path), "{path}");
        }
    }
}

#[actix_web::test]
async fn a_body_may_have_as_many_bytes_as_the_limit_says() {
    let limits = Limits {
        body_bytes: 2000,
        ..Limits::default()
    };
    let api = Api::with_limits(limits).await;
    let ward = factories::ward().to_string();
    let of_length = |length: usize| format!("{ward}{}", " ".repeat(length - ward.len()));
    for (length, status) in [(2001, 413), (100_000, 413), (2000, 201)] {
        let call = Call::new("POST", "/v1/organizations").body("application/json", of_length(length));
        api.send(call).await.must_be(status);
    }
}

#[actix_web::test]
async fn a_document_is_as_deep_and_holds_as_much_as_the_settings_say() {
    let json = Most { values: 1000, depth: 8 };
    let api = Api::with_limits(Limits {
        json,
        ..Limits::default()
    })
    .await;
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let many = |values: usize| format!("[{}1]", "1,".repeat(values - 1));
    for (body, status, word) in [
        (deep(8), 422, ""),
        (deep(9), 400, "8"),
        (many(999), 422, ""),
        (many(1000), 400, "1000"),
    ] {
        for path in ["/v1/goals", "/v1/imports/policies"] {
            let call = Call::new("POST", path).body("application/json", body.clone());
            let answer = api.send(call).await.must_be(status);
            assert!(answer.text("detail").contains(word), "{}", answer.text("detail"));
        }
    }
}

#[actix_web::test]
async fn pages_and_batches_are_as_long_as_the_settings_say() {
    let api = Api::with_limits(Limits {
        page_items: 100,
        batch_items: 1,
        ..Limits::default()
    })
    .await;
    for list in ["/v1/indicators", "/v1/changes"] {
        api.get(&format!("{list}?limit=100")).await.must_be(200);
        for more in [101, 1001] {
            let answer = api.get(&format!("{list}?limit={more}")).await.must_be(400);
            assert_eq!(answer.body["errors"][0]["parameter"], "limit");
        }
        let answer = api.get(&format!("{list}?limit=101")).await;
        assert_eq!(answer.body["errors"][0]["detail"], "1から100までにしてください");
    }
    let entry = |year: u16| {
        json!({ "indicator_id": "018e9a2c-5b00-7000-8000-000000000611", "result": {
            "fiscal_year": year, "value": null, "value_status": "not_yet_due", "observation_status": "final" } })
    };
    for (items, status) in [(vec![entry(2024), entry(2025)], 422), (vec![entry(2024)], 409)] {
        let answer = api.post("/v1/results", &json!({ "items": items })).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        if status == 422 {
            assert_eq!(answer.body["errors"][0]["code"], "too_many");
            assert_eq!(answer.body["errors"][0]["pointer"], "/items");
        }
    }
}

#[actix_web::test]
async fn a_body_over_the_limit_of_a_service_is_told_the_limit() {
    let api = Api::new().await;
    let limit = Limits::default().body_bytes;
    let call = Call::new("POST", "/v1/goals").body("application/json", " ".repeat(limit + 1));
    let answer = api.send(call).await.must_be(413);
    assert!(answer.text("detail").contains(&limit.to_string()));
}

#[actix_web::test]
async fn a_body_of_more_values_than_anyone_means_is_refused_in_few_words() {
    let api = Api::new().await;
    let list = |values: usize| format!("[{}1]", "1,".repeat(values - 1));
    let keys = |keys: usize| (0..keys).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",");
    let strategies = |values: &str| format!("{{\"strategies\":{values}}}");
    for (body, status, word) in [
        (strategies(&list(300_000)), 400, "200000"),
        (
            strategies(&format!("[{}]", vec!["[]"; 300_000].join(","))),
            400,
            "200000",
        ),
        (strategies(&list(150_000)), 422, ""),
        (format!("{{{}}}", keys(150_000)), 400, "200000"),
        (format!("{{{}}}", keys(90_000)), 422, ""),
        (strategies(&"[".repeat(100_000)), 400, ""),
        (
            strategies(&format!("{}1{}", "[".repeat(500), "]".repeat(500))),
            400,
            "deeper",
        ),
    ] {
        for (method, path, media_type) in [
            ("POST", "/v1/goals", "application/json"),
            ("PUT", "/v1/policies/nishi/2024/tree", "application/json"),
        ] {
            let call = of_any_state(method, path).body(media_type, body.clone());
            let answer = api.send(call).await.must_be(status);
            let errors = answer.body["errors"].as_array().unwrap().len();
            assert!((1..=100).contains(&errors), "{path}: {errors}");
            let detail = answer.text("detail");
            assert!(!detail.is_empty() && detail.contains(word), "{path}: {detail}");
        }
    }
    let nishi = Nishi::of(&api).await;
    for body in [strategies(&list(150_000)), format!("{{{}}}", keys(90_000))] {
        let call = Call::new("PATCH", format!("/v1/goals/{}", nishi.goal.id()))
            .header("if-match", "*")
            .body("application/merge-patch+json", body);
        api.send(call).await.must_refuse(400, &[("", "json")]);
    }
}

#[actix_web::test]
async fn a_year_in_a_path_has_one_form() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    for year in [
        "%2B2024", "+2024", "-2024", "02024", "002024", "2024.0", "2024.", "%202024", "2024%20", "R0", "0x7e8",
        "2_024", "1949", "2101", "24",
    ] {
        for path in [
            format!("/v1/policies/nishi/{year}"),
            format!("/v1/policies/nishi/{year}/tree"),
            format!("/v1/policies/nishi/{year}/evaluation"),
            nishi.result_path.replace("2024", year),
        ] {
            let answer = api.get(&path).await.must_be(404);
            assert_eq!(answer.body["type"], "/problems/not-found", "{path}");
        }
    }
}

#[actix_web::test]
async fn a_date_in_a_query_has_one_form_and_lies_in_our_times() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    for date in [
        "%2B262142-12-31",
        "+262142-12-31",
        "-0001-01-01",
        "0000-01-01",
        "1899-12-31",
        "2024-2-1",
        "2024-02-30",
        "20240201",
        "2024-02-01T00:00:00Z",
        "%202024-02-01",
        "２０２４-02-01",
        "10000-01-01",
        "",
    ] {
        let answer = api.get(format!("/v1/policies/nishi/2024/evaluation?on={date}")).await;
        assert_eq!(answer.status, 400, "{date}");
        assert!(answer.faults().iter().all(|(place, _)| place == "on"), "{date}");
    }
}

#[actix_web::test]
async fn nothing_that_nobody_sees_gets_into_a_text() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    for unseen in [
        '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{200b}', '\u{200d}', '\u{200e}', '\u{2028}', '\u{2029}', '\u{202e}',
        '\u{2060}', '\u{2066}', '\u{2069}', '\u{feff}',
    ] {
        for text in [
            format!("西{unseen}区"),
            format!("{unseen}西区"),
            format!("西区{unseen}"),
        ] {
            let name = json!({ "name": text });
            api.patch("/v1/organizations/nishi", "*", &name)
                .await
                .must_refuse(422, &[("/name", "control_character")]);
            api.post("/v1/organizations", &with(factories::bureau("kyoku"), name))
                .await
                .must_refuse(422, &[("/name", "control_character")]);
            api.patch(&goal, "*", &json!({ "strategies": [text] }))
                .await
                .must_refuse(422, &[("/strategies/0", "control_character")]);
        }
    }
}

#[actix_web::test]
async fn what_people_see_comes_back_as_it_was_given() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    for seen in [
        "葛\u{e0100}城市",
        "辻\u{fe00}",
        "🌸",
        "❤\u{fe0f}",
        "🇯🇵",
        "が",
        "㈱ Ａ",
        "𠮷野家",
        "ｶﾞ",
        "中\u{3000}央",
    ] {
        let change = json!({ "title": seen, "strategies": [seen, format!("一行目\n\t{seen}")] });
        let stored = api.patch(&goal, "*", &change).await.must_be(200);
        let read = api.get(&goal).await.must_be(200);
        assert_eq!(stored.bytes, read.bytes);
        for key in ["title", "strategies"] {
            assert_eq!(read.body[key], change[key]);
        }
    }
}

#[actix_web::test]
async fn an_answer_is_of_a_type_that_the_caller_accepts() {
    let api = Api::new().await;
    for (accept, status) in [
        (&[][..], 200),
        (&[""], 200),
        (&["*/*"], 200),
        (&["application/*;q=0.5"], 200),
        (&["application/json"], 200),
        (&["APPLICATION/JSON; charset=utf-8"], 200),
        (&["text/html, application/xhtml+xml, */*;q=0.8"], 200),
        (&["text/csv", "application/json"], 200),
        (&["text/csv;q=0.9", "text/html", "*/*;q=0.1"], 200),
        (&["*/*;q=0, application/json"], 200),
        (&["text/csv"], 406),
        (&["text/csv", "text/*"], 406),
        (&["application/json;q=0, */*"], 406),
        (&["*/*", "application/json;q=0"], 406),
        (&["application/*; q=0.0, */*"], 406),
        (&["*/*;q=0"], 406),
    ] {
        let mut call = Call::new("GET", "/v1/organizations");
        for ranges in accept {
            call = call.header("accept", *ranges);
        }
        let answer = api.send(call).await;
        assert_eq!(answer.status, status, "{accept:?}");
        if status == 406 {
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.body["type"], "/problems/not-acceptable");
        }
    }
}

#[actix_web::test]
async fn problems_are_in_the_language_asked_for() {
    let api = Api::new().await;
    for (languages, expected, title) in [
        (None, "ja", "見つかりません"),
        (Some("ja"), "ja", "見つかりません"),
        (Some("en"), "en", "Not found"),
        (Some("en-GB, ja;q=0.9"), "en", "Not found"),
        (Some("en;q=0.5, ja;q=0.9"), "ja", "見つかりません"),
        (Some("fr"), "ja", "見つかりません"),
        (Some(";;,=q"), "ja", "見つかりません"),
    ] {
        let mut call = Call::new("GET", "/v1/organizations/kita");
        if let Some(languages) = languages {
            call = call.header("accept-language", languages);
        }
        let answer = api.send(call).await.must_be(404);
        assert_eq!(
            (answer.header("content-language"), answer.text("title").as_str()),
            (expected, title)
        );
    }
    let english = api
        .send(
            Call::new("POST", "/v1/goals")
                .header("accept-language", "en")
                .json(&json!({})),
        )
        .await;
    let details: Vec<_> = english.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["detail"].clone())
        .collect();
    assert_eq!(details, ["is required", "is required", "is required"]);
    assert_eq!(english.text("detail"), "3 rules are broken");
}

#[actix_web::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let api = Api::new().await;
    for path in ["/healthz", "/v1/goals", "/v1/none"] {
        let answer = api
            .send(Call::new("GET", path).header("x-request-id", "mirror-2024.11_22"))
            .await;
        assert_eq!(answer.header("x-request-id"), "mirror-2024.11_22");
        for bad in ["", "a b", "a\"b", &"a".repeat(65)] {
            let answer = api.send(Call::new("GET", path).header("x-request-id", bad)).await;
            let id = answer.header("x-request-id");
            assert!(id != bad && id.len() == 32, "{id}");
        }
        let (one, other) = (api.get(path).await, api.get(path).await);
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
    }
}

#[actix_web::test]
async fn a_problem_repeats_no_more_of_a_request_than_it_documents() {
    let api = Api::new().await;
    let name = "x".repeat(5000);
    let answer = api.get(format!("/v1/goals?{name}=1")).await.must_be(400);
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 1);
    api.get(format!("/v1/{}", "x".repeat(20_000))).await.must_be(404);
    let mut body = json!({});
    for n in 0..12_000 {
        body[format!("unknown{n}")] = json!(1);
    }
    let answer = api.post("/v1/goals", &body).await.must_be(422);
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 100);
    assert_eq!(answer.body["more_errors"], 9_900);
    let long = json!({ ("あ".repeat(200_000)): 1 });
    api.post("/v1/goals", &long).await.must_be(422);
}

#[actix_web::test]
async fn numbers_in_odd_forms_are_refused_or_read_right() {
    let api = Api::new().await;
    api.organization().await;
    let big = "9".repeat(100);
    for year in [
        "2024.5",
        "1e400",
        "-2024",
        "1e-400",
        "20240",
        "9223372036854775808",
        &big,
        "0.0",
        "2024.0",
        "2.024e3",
    ] {
        let number: Number = year.parse().unwrap();
        let answer = api
            .post(
                "/v1/policies",
                &with(factories::policy("nishi", 2024), json!({ "fiscal_year": number })),
            )
            .await;
        assert_eq!(answer.status, 422, "{year}");
        assert!(
            answer.faults().iter().all(|(place, _)| place == "/fiscal_year"),
            "{year}: {:?}",
            answer.faults()
        );
    }
}

#[actix_web::test]
async fn the_contract_is_served_with_its_pages() {
    let api = Api::new().await;
    let answer = api.get("/openapi.json").await.must_be(200);
    assert_eq!(
        (answer.header("content-type"), &answer.body["openapi"]),
        ("application/json", &json!("3.1.0"))
    );
    for path in ["/", "/docs"] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status / 100, answer.header("location")),
            (3, "/docs/"),
            "{path}"
        );
    }
    for path in ["/", "/docs", "/openapi.json"] {
        for (method, status) in [("OPTIONS", 204), ("DELETE", 405), ("POST", 405)] {
            let answer = api.send(Call::new(method, path)).await.must_be(status);
            assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS", "{method} {path}");
        }
    }
}

// What a fuzzer finds.

/// Places in a document where something else may stand.
fn places(document: &Value, at: String, found: &mut Vec<String>) {
    match document {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            places(value, format!("{at}/{key}"), found);
        }),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(n, value)| places(value, format!("{at}/{n}"), found)),
        _ => {}
    }
    found.push(at);
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        Just("0".to_owned()),
        Just("-0".to_owned()),
        Just("1e400".to_owned()),
        Just("-1e-400".to_owned()),
        Just("0.1".to_owned()),
        Just("9223372036854775808".to_owned()),
        Just("9".repeat(10_000)),
        any::<i64>().prop_map(|n| n.to_string()),
        (1900_i32..2200).prop_map(|n| n.to_string()),
        (any::<i32>(), 0_u8..20).prop_map(|(n, e)| format!("{n}e-{e}")),
    ];
    let text = prop_oneof![
        any::<String>(),
        Just(String::new()),
        Just("\u{0}".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("あ".repeat(5000)),
        Just("2025-02-30".to_owned()),
        Just("018e9a2c-5b00-7000-8000-000000000611".to_owned()),
        "[a-z]{1,10}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|text| Value::Number(text.parse().unwrap())),
        text.prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The tree of Nishi Ward's policy, as that of the year before.
async fn tree_without_ids(api: &Api) -> Value {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(entries) => {
                entries.retain(|key, _| key != "id" && key != "series_id" && key != "organization_name");
                entries.values_mut().for_each(forget);
            }
            Value::Array(items) => items.iter_mut().for_each(forget),
            _ => {}
        }
    }
    let mut tree = api.get("/v1/policies/nishi/2024/tree").await.must_be(200).body;
    forget(&mut tree);
    with(tree, json!({ "fiscal_year": 2023, "results_due_on": null }))
}

#[test]
fn no_body_is_a_failure_of_the_service() {
    let system = System::new();
    let (api, writes) = system.block_on(async {
        let api = Api::new().await;
        let nishi = Nishi::of(&api).await;
        let (policy, goal, indicator) = (nishi.policy.id(), nishi.goal.id(), nishi.indicator.id());
        let bodies = [
            (
                "/v1/organizations",
                "/v1/organizations/nishi".to_owned(),
                factories::ward(),
            ),
            (
                "/v1/policies",
                "/v1/policies/nishi/2024".to_owned(),
                factories::policy("nishi", 2024),
            ),
            (
                "/v1/goals",
                format!("/v1/goals/{goal}"),
                factories::goal(&policy, "1-1"),
            ),
            (
                "/v1/budgets",
                format!("/v1/budgets/{}", nishi.budget.id()),
                factories::budget(&goal, 2024, "initial"),
            ),
            (
                "/v1/indicators",
                format!("/v1/indicators/{indicator}"),
                factories::indicator(&goal, "指標"),
            ),
            ("", nishi.result_path.clone(), factories::result(2024)),
        ];
        let many =
            json!({ "items": [{ "indicator_id": indicator, "version": null, "result": factories::result(2023) }] });
        let preview = json!({
            "unit": "%", "decimals": 1, "direction": "higher_is_better", "target": factories::at_least(&json!(48)),
            "result": factories::result(2024), "recorded_previous": 51.5, "recorded_reference": null,
            "comparable_with_previous": true, "comparable_reason": "同じ調査", "due_on": "2025-06-30"
        });
        let tree_path = "/v1/policies/nishi/2023/tree".to_owned();
        let tree = tree_without_ids(&api).await;
        api.create(&tree_path, &tree).await.must_be(201);
        let mut writes = vec![
            ("POST", "/v1/results".to_owned(), many),
            ("POST", "/v1/evaluations/preview".to_owned(), preview),
            ("PUT", tree_path, tree),
        ];
        for (list, item, body) in bodies {
            if !list.is_empty() {
                writes.push(("POST", list.to_owned(), body.clone()));
            }
            writes.push(("PUT", item.clone(), body.clone()));
            writes.push(("PATCH", item, body));
        }
        (api, writes)
    });
    let change = (any::<prop::sample::Index>(), any_value());
    let changes = prop::collection::vec(change, 1..4);
    let case = (any::<prop::sample::Index>(), changes, prop::bool::weighted(0.2));
    let mut runner = TestRunner::new(Config {
        cases: 350,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&case, |(which, changes, creates)| {
        let (method, path, original) = which.get(writes.as_slice());
        let mut body = original.clone();
        for (at, value) in changes {
            let mut found = Vec::new();
            places(&body, String::new(), &mut found);
            *body.pointer_mut(at.get::<String>(&found)).unwrap() = value;
        }
        let is_new = creates && *method == "PUT";
        let condition = if is_new { "if-none-match" } else { "if-match" };
        let status = system.block_on(async {
            let call = Call::new(method, path).header(condition, "*").json(&body);
            let answer = api.send(call).await;
            // What was moved goes back, so that the next change finds it.
            if answer.status == 200 && *method != "POST" {
                let at = match path.as_str() {
                    "/v1/organizations/nishi" => format!("/v1/organizations/{}", answer.text("slug")),
                    "/v1/policies/nishi/2024" => format!(
                        "/v1/policies/{}/{}",
                        answer.text("organization"),
                        answer.body["fiscal_year"]
                    ),
                    path => match path.strip_suffix("/results/2024") {
                        Some(indicator) => format!("{indicator}/results/{}", answer.body["fiscal_year"]),
                        None => path.to_owned(),
                    },
                };
                api.put(at, "*", original).await;
            }
            answer.status
        });
        prop_assert!(status < 500, "{method} {path} {body}: {status}");
        Ok(())
    });
    drop(api);
    outcome.unwrap();
}

#[actix_web::test]
async fn the_documentation_comes_out_of_the_binary() {
    let api = Api::new().await;
    let page = api.get("/docs/").await.must_be(200);
    let page = String::from_utf8_lossy(&page.bytes).into_owned();
    let own: Vec<&str> = page.split('"').filter(|part| part.contains("?v=")).collect();
    assert!(
        own.len() == 4 && !page.contains("https://"),
        "the page needs nothing from outside: {page}"
    );
    for asset in own {
        api.get(format!("/docs/{asset}")).await.must_be(200);
    }
    assert_eq!(api.get("/openapi.json").await.must_be(200).body["openapi"], "3.1.0");
}
