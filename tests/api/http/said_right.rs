//! Refusals say all that is wrong at once, in words, and what to send instead.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contract::openapi::CONTRACT,
    support::{
        Answer, Api, Call,
        factories::{self, Nishi, with},
    },
};

#[actix_web::test]
async fn mistakes_of_all_layers_come_in_one_answer() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    // Of the schema, of the rules, and against the path.
    let body = with(
        factories::result(2023),
        json!({ "declared_rating": "C", "value": null, "sample_size": "1200", "nonsense": 1 }),
    );
    let answer = api.put(&nishi.result_path, "*", &body).await;
    answer.must_refuse(
        422,
        &[
            ("/declared_rating", "unknown_code"),
            ("/sample_size", "type"),
            ("/nonsense", "unknown_field"),
            ("/value", "value_status"),
            ("/fiscal_year", "path_mismatch"),
        ],
    );
    // A rule that needs what cannot be read is left out; the others are not.
    let body = with(
        factories::result(2023),
        json!({ "value": "81.2", "denominator": 0, "comment": 5 }),
    );
    let answer = api.put(&nishi.result_path, "*", &body).await;
    answer.must_refuse(
        422,
        &[
            ("/value", "type"),
            ("/comment", "type"),
            ("/denominator", "positive"),
            ("/fiscal_year", "path_mismatch"),
        ],
    );
    let body = with(
        factories::result(2024),
        json!({ "value_status": "reporte", "fiscal_year": "R6" }),
    );
    let answer = api.put(&nishi.result_path, "*", &body).await;
    answer.must_refuse(422, &[("/value_status", "unknown_code"), ("/fiscal_year", "type")]);
    // A rule that is broken whatever stands there is broken.
    let body = with(
        factories::result(2024),
        json!({ "value": null, "text": null, "value_status": "text_only", "observation_status": "x" }),
    );
    let answer = api.put(&nishi.result_path, "*", &body).await;
    answer.must_refuse(
        422,
        &[("/text", "value_status"), ("/observation_status", "unknown_code")],
    );
}

#[actix_web::test]
async fn a_reason_that_lacks_is_told_beside_all_other_mistakes() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let reason = ("Change-Reason", "required");
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    let send = async |method: &str, path: &str, body: &Value| {
        let call = Call::new(method, path);
        let call = if method == "POST" {
            call
        } else {
            call.header("if-match", "*")
        };
        api.send(call.json(body)).await
    };
    // Of what is no plan yet, and of what is none at all, nobody asks for a reason.
    let untitled = json!({ "title": "" });
    send("PATCH", &goal, &untitled)
        .await
        .must_refuse(422, &[("/title", "blank")]);
    let texts = json!({ "self_evaluation": ["良"], "future_policy": ["続ける"] });
    api.patch("/v1/policies/nishi/2024", "*", &texts).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let elsewhere = format!("/v1/goals/{}", factories::new_id());
    send("PATCH", &elsewhere, &untitled).await.must_be(404);
    let unnamed = with(factories::goal(&nishi.policy.id(), "1-2"), untitled.clone());
    send("PUT", &elsewhere, &unnamed)
        .await
        .must_refuse(422, &[("/title", "blank")]);

    // Of the layers that a body meets: it is no JSON, breaks the schema, its rules, those of what a patch makes of the stored row.
    let call = Call::new("PUT", &goal).header("if-match", "*");
    let unreadable = call.body("application/json", "{");
    api.send(unreadable).await.must_refuse(400, &[("", "json"), reason]);
    send("PATCH", &goal, &untitled)
        .await
        .must_refuse(422, &[("/title", "blank"), reason]);
    send("PUT", &goal, &unnamed)
        .await
        .must_refuse(422, &[("/title", "blank"), reason]);
    send("POST", "/v1/goals", &unnamed)
        .await
        .must_refuse(422, &[("/title", "blank"), reason]);
    let shown = with(api.get(&goal).await.body, json!({ "version": 7 }));
    send("PUT", &goal, &shown)
        .await
        .must_refuse(422, &[("/version", "read_only"), reason]);
    let ward = with(nishi.organization.body.clone(), json!({ "version": 7 }));
    let path = "/v1/organizations/271063";
    send("PUT", path, &ward)
        .await
        .must_refuse(422, &[("/version", "read_only"), reason]);
    let policy = json!({ "fiscal_year": 1 });
    let found = send("PATCH", "/v1/policies/nishi/2024", &policy).await;
    found.must_refuse(422, &[("/fiscal_year", "minimum"), reason]);
    let indicator = with(factories::indicator(&nishi.goal.id(), "別"), json!({ "decimals": 10 }));
    let found = send("POST", "/v1/indicators", &indicator).await;
    found.must_refuse(422, &[("/decimals", "maximum"), reason]);
    let budget = format!("/v1/budgets/{}", nishi.budget.id());
    let found = send("PATCH", &budget, &json!({ "kind": "initia" })).await;
    found.must_refuse(422, &[("/kind", "unknown_code"), reason]);
    let mut tree = api.get("/v1/policies/nishi/2024/tree").await.body;
    tree["goals"][0]["title"] = json!("");
    let title = ("/goals/0/title", "blank");
    send("PUT", "/v1/policies/nishi/2024/tree", &tree)
        .await
        .must_refuse(422, &[title, reason]);
    send("POST", "/v1/imports/policies", &tree)
        .await
        .must_refuse(422, &[title, reason]);

    // Results are public later than the plan.
    let result = json!({ "declared_rating": "C" });
    let wrong = ("/declared_rating", "unknown_code");
    let many = json!({ "items": [{ "indicator_id": nishi.indicator.id(), "result": with(factories::result(2024), result.clone()) }] });
    let wrong_item = ("/items/0/result/declared_rating", "unknown_code");
    send("PATCH", &nishi.result_path, &result)
        .await
        .must_refuse(422, &[wrong]);
    send("POST", "/v1/results", &many).await.must_refuse(422, &[wrong_item]);
    let table = format!("indicator_id,fiscal_year,value\n{},2024,多い\n", nishi.indicator.id());
    let import = async || {
        api.send(Call::new("POST", "/v1/imports/results").body("text/csv", table.clone()))
            .await
    };
    let of_import = import().await.must_be(422).faults();
    assert!(
        !of_import.contains(&(reason.0.to_owned(), reason.1.to_owned())),
        "{of_import:?}"
    );
    api.publish("nishi/2024", "results").await.must_be(201);
    send("PATCH", &nishi.result_path, &result)
        .await
        .must_refuse(422, &[wrong, reason]);
    send("POST", "/v1/results", &many)
        .await
        .must_refuse(422, &[wrong_item, reason]);
    let with_reason = with(many.clone(), json!({ "reason": "訂正" }));
    send("POST", "/v1/results", &with_reason)
        .await
        .must_refuse(422, &[wrong_item]);
    let faults = import().await.must_be(422).faults();
    assert_eq!(faults.len(), of_import.len() + 1);
    assert!(
        faults.contains(&(reason.0.to_owned(), reason.1.to_owned())),
        "{faults:?}"
    );

    // It is told once, and not to who gave one.
    api.patch(&nishi.result_path, "*", &result)
        .await
        .must_refuse(422, &[wrong]);
    let right = json!({ "declared_rating": "B" });
    send("PATCH", &nishi.result_path, &right)
        .await
        .must_refuse(422, &[reason]);
}

#[actix_web::test]
async fn a_tree_and_a_batch_say_all_of_their_mistakes_at_once() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let path = "/v1/policies/nishi/2024/tree";
    let mut tree = api.get(path).await.body;
    tree["fiscal_year"] = json!(2025);
    tree["results_due_on"] = json!("2020-01-01");
    let goal = &mut tree["goals"][0];
    goal["title"] = json!("");
    goal["budgets"][0]["precision_yen"] = json!(7_000_000);
    goal["indicators"][0]["kind"] = json!("outcom");
    goal["indicators"][0]["target"]["upper"] = json!(99);
    let answer = api.put(path, "*", &tree).await;
    answer.must_refuse(
        422,
        &[
            ("/fiscal_year", "path_mismatch"),
            ("/results_due_on", "order"),
            ("/goals/0/title", "blank"),
            ("/goals/0/budgets/0/amount_yen", "precision"),
            ("/goals/0/indicators/0/kind", "unknown_code"),
            ("/goals/0/indicators/0/target/upper", "target"),
        ],
    );
    let entry = |changes: Value| json!({ "indicator_id": nishi.indicator.id(), "result": with(factories::result(2024), changes) });
    let items = json!({ "items": [entry(json!({ "declared_rating": "C" })), entry(json!({ "value": null })), entry(json!({}))] });
    let answer = api.post("/v1/results", &items).await;
    answer.must_refuse(
        422,
        &[
            ("/items/0/result/declared_rating", "unknown_code"),
            ("/items/1/result/value", "value_status"),
            ("/items/1", "repeated"),
            ("/items/2", "repeated"),
        ],
    );
}

fn detail(answer: &Answer, place: &str) -> String {
    let errors = answer.body["errors"].as_array().unwrap();
    let error = errors
        .iter()
        .find(|e| e["pointer"] == place || e["parameter"] == place || e["header"] == place);
    error.unwrap_or_else(|| panic!("{place}: {errors:?}"))["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[actix_web::test]
async fn codes_are_named_with_their_labels() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let ask = async |language: &str, changes: Value| {
        let call = Call::new("PUT", &nishi.result_path)
            .header("if-match", "*")
            .header("accept-language", language);
        api.send(call.json(&with(factories::result(2024), changes)))
            .await
            .must_be(422)
    };
    let rating = json!({ "declared_rating": "C" });
    let place = "/declared_rating";
    assert_eq!(
        detail(&ask("ja", rating.clone()).await, place),
        "A か B にしてください（達成／未達成）"
    );
    assert_eq!(
        detail(&ask("en", rating).await, place),
        "must be A or B (achieved / not achieved)"
    );
    let status = json!({ "observation_status": "last" });
    let place = "/observation_status";
    assert_eq!(
        detail(&ask("ja", status.clone()).await, place),
        "次のいずれかにしてください: provisional（速報値）, final（確定値）, revised（訂正値）"
    );
    assert_eq!(
        detail(&ask("en", status).await, place),
        "must be one of: provisional, final, revised"
    );
    let answer = api.get("/v1/budgets?kind=x").await.must_be(400);
    assert!(detail(&answer, "kind").contains("actual（決算額）"), "{answer:?}");
}

/// Whether a sentence shows a regular expression.
fn shows_pattern(text: &str) -> bool {
    ["^", "\\", "[a", "[0", "[A", "{1", "{2", ")*", ")?", "]+"]
        .iter()
        .any(|part| text.contains(part))
}

/// Every pattern and every code of the contract, broken in every body that has an example: the sentences are words.
#[actix_web::test]
async fn no_message_shows_a_pattern() {
    let api = Api::new().await;
    let (mut patterns, mut seen) = (BTreeSet::new(), 0);
    for operation in CONTRACT
        .operations()
        .filter(|operation| ["post", "put"].contains(&operation.method))
    {
        let content = &operation.is["requestBody"]["content"]["application/json"]["schema"];
        let body = &CONTRACT.resolved(content)["example"];
        if !body.is_object() {
            continue;
        }
        let path = operation
            .path
            .replace("{id}", "018e9a2c-5b00-7000-8000-000000000611")
            .replace("{organization}", "nishi")
            .replace("{fiscal_year}", "2024");
        let mut places = Vec::new();
        texts(body, String::new(), &mut places);
        for place in places {
            for wrong in ["!?", "改\n行", "\u{3042}", "2025-02-30", "NISHI", "01"] {
                let mut body = body.clone();
                *body.pointer_mut(&place).unwrap() = json!(wrong);
                for language in ["ja", "en"] {
                    let call = Call::new(&operation.method.to_uppercase(), &path)
                        .header("accept-language", language)
                        .json(&body);
                    let call = if operation.takes("If-Match") {
                        call.header("if-match", "*")
                    } else {
                        call
                    };
                    let answer = api.send(call).await;
                    for error in answer.body["errors"].as_array().into_iter().flatten() {
                        let detail = error["detail"].as_str().unwrap();
                        assert!(
                            !shows_pattern(detail),
                            "{} {place} {wrong:?}: {detail}",
                            operation.name()
                        );
                        seen += 1;
                        if error["code"] == "pattern" {
                            patterns.insert(detail.to_owned());
                        }
                    }
                }
            }
        }
    }
    assert!(seen > 500 && patterns.len() >= 10, "{seen} {patterns:#?}");
}

/// The places of texts in a document.
fn texts(document: &Value, at: String, found: &mut Vec<String>) {
    match document {
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, value)| texts(value, format!("{at}/{key}"), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, value)| texts(value, format!("{at}/{n}"), found));
        }
        Value::String(_) => found.push(at),
        _ => {}
    }
}

#[actix_web::test]
async fn every_pattern_of_a_body_has_its_words() {
    let spec = serde_json::to_value(ward_policy::server::app::spec()).unwrap();
    let mut unknown = BTreeSet::new();
    let mut todo: Vec<&Value> = CONTRACT
        .operations()
        .map(|operation| &operation.is["requestBody"])
        .collect();
    let mut done = BTreeSet::new();
    while let Some(part) = todo.pop() {
        match part {
            Value::Object(entries) => {
                if let Some(to) = entries.get("$ref").and_then(Value::as_str)
                    && done.insert(to.to_owned())
                {
                    todo.push(spec.pointer(to.trim_start_matches('#')).unwrap());
                }
                if let Some(pattern) = entries.get("pattern").and_then(Value::as_str)
                    && ward_policy::value::written(pattern).is_none()
                {
                    unknown.insert(pattern.to_owned());
                }
                todo.extend(entries.values());
            }
            Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    assert!(
        unknown.is_empty(),
        "say in `written` how these are written: {unknown:#?}"
    );
    assert!(done.len() > 20, "{done:?}");
}

#[actix_web::test]
async fn a_list_may_be_given_by_several_parameters() {
    let api = Api::new().await;
    api.organization().await;
    for (slug, year) in [("kita", 2023), ("minato", 2022)] {
        api.bureau(slug).await;
        api.policy(slug, year).await;
    }
    api.policy("nishi", 2024).await;
    let listed = async |query: &str| {
        let policies = api.list(format!("/v1/policies?{query}")).await;
        let names: BTreeSet<String> = policies
            .iter()
            .map(|it| it["organization"].as_str().unwrap().to_owned())
            .collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    for (query, names) in [
        ("organization=nishi&organization=kita", "kita nishi"),
        ("organization=nishi,kita", "kita nishi"),
        ("organization=nishi,minato&organization=kita", "kita minato nishi"),
        ("fiscal_year=2022&fiscal_year=R5", "kita minato"),
        (
            "fiscal_year=2022..2023&organization=nishi&organization=minato&fiscal_year=2024",
            "minato nishi",
        ),
    ] {
        assert_eq!(listed(query).await, names, "{query}");
    }
    let many = "organization=nishi&".repeat(201);
    api.get(format!("/v1/policies?{many}"))
        .await
        .must_refuse(400, &[("organization", "too_many")]);
    let twice = api.get("/v1/policies?limit=1&limit=2").await;
    twice.must_refuse(400, &[("limit", "repeated")]);
    // A former name among them leads to the name of today, as it does alone.
    api.patch("/v1/organizations/nishi", "*", &json!({ "slug": "west" }))
        .await
        .must_be(200);
    api.until_heard();
    let answer = api
        .get("/v1/policies?organization=kita&limit=5&organization=nishi")
        .await
        .must_be(308);
    assert_eq!(answer.header("location"), "/v1/policies?limit=5&organization=kita,west");
}

#[actix_web::test]
async fn a_patch_may_bring_back_what_the_server_sets() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let paths = [
        "/v1/organizations/nishi".to_owned(),
        "/v1/policies/nishi/2024".to_owned(),
        format!("/v1/goals/{}", nishi.goal.id()),
        format!("/v1/budgets/{}", nishi.budget.id()),
        format!("/v1/indicators/{}", nishi.indicator.id()),
        nishi.result_path.clone(),
    ];
    for path in paths {
        let read = api.get(&path).await.must_be(200);
        let same = api.patch(&path, &read.etag(), &read.body).await.must_be(200);
        assert_eq!(same.body, read.body, "{path}");
        // Beside whatever else is wrong.
        let other = json!({ "version": 9, "id": null, "nonsense": 1 });
        api.patch(&path, &read.etag(), &other).await.must_refuse(
            422,
            &[
                ("/version", "read_only"),
                ("/id", "read_only"),
                ("/nonsense", "unknown_field"),
            ],
        );
    }
}

#[actix_web::test]
async fn a_label_in_the_place_of_its_code_has_the_code_as_suggestion() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let suggested = async |path: &str, member: &str, label: &str| {
        let answer = api.patch(path, "*", &json!({ member: label })).await.must_be(422);
        answer.suggestion(&format!("/{member}"))
    };
    let budget = format!("/v1/budgets/{}", nishi.budget.id());
    assert_eq!(
        suggested(&nishi.result_path, "declared_rating", "未達成")
            .await
            .as_deref(),
        Some("B")
    );
    assert_eq!(
        suggested(&nishi.result_path, "observation_status", "確定値")
            .await
            .as_deref(),
        Some("final")
    );
    assert_eq!(
        suggested(&budget, "kind", "決算見込額").await.as_deref(),
        Some("expected")
    );
    assert_eq!(
        suggested("/v1/organizations/nishi", "kind", "局").await.as_deref(),
        Some("bureau")
    );
    let query = api.get("/v1/evaluations?outcome=%E9%81%94%E6%88%90").await.must_be(400);
    assert_eq!(query.suggestion("outcome").as_deref(), Some("achieved"));
}

#[actix_web::test]
async fn every_path_says_its_methods() {
    let api = Api::new().await;
    for path in ["/docs/", "/docs/swagger-ui.css", "/openapi.json", "/", "/site/site.js"] {
        let answer = api.send(Call::new("OPTIONS", path)).await.must_be(204);
        assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS", "{path}");
        api.send(Call::new("PUT", path)).await.must_be(405);
    }
    api.get("/docs/none").await.must_be(404);
}

#[actix_web::test]
async fn a_scope_that_lacks_is_that_of_the_organization_in_the_path() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let editor = api.token("editor", &["edit:nishi"]).await;
    for (path, scope) in [
        ("/v1/policies/nishi/2024/publications", "publish:nishi"),
        ("/v1/policies/271063/2024/publications", "publish:271063"),
    ] {
        let call = Call::new("POST", path).by(&editor).header("if-match", "*");
        let answer = api.send(call.json(&json!({ "kind": "plan" }))).await.must_be(403);
        assert_eq!(answer.body["errors"][0]["suggestion"], scope);
    }
}
