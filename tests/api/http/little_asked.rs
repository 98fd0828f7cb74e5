//! Little is asked: what follows from the rest of a body, or from its path, may be left out, and the answer has it.

use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{Nishi, indicator, new_id, with},
};

/// The members of an answer at these pointers.
#[track_caller]
fn shows(answer: &Value, members: &[(&str, Value)]) {
    for (pointer, expected) in members {
        let shown = answer.pointer(pointer);
        // Numbers as people compare them.
        let same = match (shown.and_then(Value::as_f64), expected.as_f64()) {
            (Some(shown), Some(expected)) => shown.to_string() == expected.to_string(),
            _ => shown == Some(expected),
        };
        assert!(same, "{pointer}: {shown:?} is not {expected} in {answer:#}");
    }
}

async fn preview(api: &Api, case: Value) -> Answer {
    let call = Call::new("POST", "/v1/evaluations/preview").anonymous();
    api.send(call.json(&case)).await
}

#[actix_web::test]
async fn a_text_and_a_value_are_enough_to_be_evaluated() {
    let api = Api::new().await;
    let case = json!({ "target": { "text": "81.2%以上" }, "result": { "value": 81.15 } });
    let evaluated = preview(&api, case).await.must_be(200).body;
    shows(
        &evaluated,
        &[
            ("/outcome", json!("not_achieved")),
            ("/rounding_sensitive", json!(true)),
            ("/value_status", json!("reported")),
            ("/inputs/comparator", json!("gte")),
            ("/inputs/target_value", json!(81.2)),
            ("/inputs/unit", json!("%")),
            ("/inputs/decimals", json!(1)),
            ("/inputs/direction", json!("higher_is_better")),
            ("/inputs/period/kind", json!("single_year")),
            ("/inputs/observation_status", json!("final")),
        ],
    );
    for (case, outcome) in [
        (
            json!({ "target": { "text": "5件以下" }, "result": { "value": 5 } }),
            "achieved",
        ),
        (
            json!({ "target": { "comparator": "lt", "value": 5 }, "result": { "value": 5 } }),
            "not_achieved",
        ),
        // What is not read is not judged.
        (
            json!({ "target": { "text": "80%" }, "result": { "value": 90 } }),
            "not_evaluable",
        ),
        (json!({ "target": {}, "result": { "value": 90 } }), "not_evaluable"),
        (
            json!({ "target": { "text": "80%以上" }, "result": { "text": "集計中" } }),
            "not_evaluable",
        ),
    ] {
        let evaluated = preview(&api, case.clone()).await.must_be(200).body;
        // Of a year that runs, a result that is being compiled is not late.
        let is_open = evaluated["outcome"] == "pending" && case["result"]["text"] == "集計中";
        assert!(evaluated["outcome"] == outcome || is_open, "{case}: {evaluated}");
    }
    let of_year = json!({ "target": { "text": "前年度実績以上" }, "result": { "value": 3, "fiscal_year": 2020, "stated_previous_value": 2 } });
    let evaluated = preview(&api, of_year).await.must_be(200).body;
    shows(
        &evaluated,
        &[("/fiscal_year", json!(2020)), ("/outcome", json!("achieved"))],
    );
}

#[actix_web::test]
async fn a_goal_a_name_and_a_target_make_an_indicator() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let body = |name: &str, text: &str| json!({ "goal_id": goal, "name": name, "target": { "text": text } });
    let first = api
        .post("/v1/indicators", &body("認知度", "令和7年度末までに81.2%以上"))
        .await
        .must_be(201);
    shows(
        &first.body,
        &[
            ("/position", json!(1)),
            ("/kind", json!("outcome")),
            ("/unit", json!("%")),
            ("/decimals", json!(1)),
            ("/direction", json!("higher_is_better")),
            ("/target/comparator", json!("gte")),
            ("/target/value", json!(81.2)),
            ("/target/reference/kind", json!("none")),
            (
                "/target/period",
                json!({ "kind": "by_end_of", "from": null, "to": 2025 }),
            ),
        ],
    );
    let second = api
        .post("/v1/indicators", &body("事故件数", "4年度比10件減少"))
        .await
        .must_be(201);
    shows(
        &second.body,
        &[
            ("/position", json!(2)),
            ("/direction", json!("lower_is_better")),
            ("/target/comparator", json!("decrease_by")),
            ("/target/reference/fiscal_year", json!(2022)),
        ],
    );
    // A name tells what is counted, as it does to an import.
    let counted = api
        .post("/v1/indicators", &body("参加者数", "前年度比5%増"))
        .await
        .must_be(201);
    shows(
        &counted.body,
        &[
            ("/target/comparator", json!("increase_by_percent")),
            ("/position", json!(3)),
        ],
    );
    let unread = api.post("/v1/indicators", &body("満足度", "80%")).await.must_be(201);
    shows(
        &unread.body,
        &[
            ("/target/comparator", json!("unread")),
            ("/target/text", json!("80%")),
            ("/target/value", Value::Null),
            ("/unit", json!("%")),
            ("/direction", json!("unknown")),
        ],
    );
    let bare = json!({ "goal_id": goal, "name": "目標なし" });
    let bare = api.post("/v1/indicators", &bare).await.must_be(201);
    shows(
        &bare.body,
        &[
            ("/target/comparator", json!("undecided")),
            ("/decimals", json!(0)),
            ("/unit", Value::Null),
        ],
    );
    let spoken =
        json!({ "goal_id": goal, "name": "言明", "target": { "text": "80%", "comparator": "gte", "value": 80.5 } });
    let spoken = api.post("/v1/indicators", &spoken).await.must_be(201);
    shows(
        &spoken.body,
        &[
            ("/target/value", json!(80.5)),
            ("/direction", json!("higher_is_better")),
        ],
    );
}

#[actix_web::test]
async fn what_is_written_beside_a_text_is_what_the_text_says_or_all() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let post = async |n: usize, target: Value| {
        let body = json!({ "goal_id": goal, "name": format!("指標{n}"), "target": target });
        api.post("/v1/indicators", &body).await
    };
    for (n, (target, faults)) in [
        (
            json!({ "text": "48%以上", "comparator": "lte" }),
            &[("/target/comparator", "text_differs")][..],
        ),
        (
            json!({ "text": "48%以上", "comparator": "gt", "value": 50 }),
            &[
                ("/target/comparator", "text_differs"),
                ("/target/value", "text_differs"),
            ],
        ),
        (
            json!({ "text": "48%以上", "value": null }),
            &[("/target/value", "text_differs")],
        ),
        (
            json!({ "text": "48%以上", "reference": { "kind": "previous_year" } }),
            &[("/target/reference", "text_differs")],
        ),
        (json!({ "value": 5 }), &[("/target/comparator", "required")]),
        (
            json!({ "text": "80%", "value": 80 }),
            &[("/target/comparator", "required")],
        ),
        (json!({ "comparator": "gte" }), &[("/target/value", "target")]),
    ]
    .into_iter()
    .enumerate()
    {
        post(n, target).await.must_refuse(422, faults);
    }
    for (n, target) in [
        json!({ "text": "48%以上", "comparator": "gte" }),
        json!({ "text": "48%以上", "value": 48.0, "upper": null }),
        json!({ "text": "48%以上", "period": { "kind": "single_year" } }),
    ]
    .into_iter()
    .enumerate()
    {
        let created = post(n, target).await.must_be(201);
        shows(
            &created.body,
            &[("/target/comparator", json!("gte")), ("/target/value", json!(48))],
        );
    }
    // Who says all is believed.
    let whole = json!({ "text": "48%以上", "comparator": "gte", "value": 50,
        "reference": { "kind": "none" }, "period": { "kind": "single_year" } });
    let created = post(9, whole).await.must_be(201);
    shows(&created.body, &[("/target/value", json!(50))]);
}

#[actix_web::test]
async fn what_a_put_leaves_out_is_its_default_and_not_what_was_stored() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let goal = nishi.goal.id();
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    let changed = json!({ "kind": "output", "decimals": 3, "position": 7, "direction": "unknown" });
    api.patch(&path, "*", &changed).await.must_be(200);
    let body = json!({ "goal_id": goal, "name": "指標", "target": { "text": "5件以下" } });
    let put = api.put(&path, "*", &body).await.must_be(200);
    shows(
        &put.body,
        &[
            ("/position", json!(1)),
            ("/kind", json!("outcome")),
            ("/unit", json!("件")),
            ("/decimals", json!(0)),
            ("/direction", json!("lower_is_better")),
            ("/population", Value::Null),
            ("/series_id", nishi.indicator.body["series_id"].clone()),
        ],
    );
    // A null is said: this indicator has no unit, whatever its target says.
    let put = api
        .put(&path, "*", &with(body, json!({ "unit": null })))
        .await
        .must_be(200);
    shows(&put.body, &[("/unit", Value::Null)]);
    // A PATCH leaves everything else as it is.
    let patched = api
        .patch(&path, "*", &json!({ "target": { "text": "9件以下" } }))
        .await
        .must_be(200);
    shows(
        &patched.body,
        &[("/target/value", json!(5)), ("/target/text", json!("9件以下"))],
    );
}

#[actix_web::test]
async fn a_result_is_of_the_year_of_its_path_or_of_its_policy() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let path = format!("/v1/indicators/{}/results/2022", nishi.indicator.id());
    let created = api.create(&path, &json!({ "value": 41.3 })).await.must_be(201);
    shows(
        &created.body,
        &[
            ("/fiscal_year", json!(2022)),
            ("/value_status", json!("reported")),
            ("/observation_status", json!("final")),
        ],
    );
    for (text, status) in [
        ("－", "not_applicable"),
        ("集計中", "being_compiled"),
        ("概ね達成", "text_only"),
    ] {
        let put = api.put(&path, "*", &json!({ "text": text })).await.must_be(200);
        shows(&put.body, &[("/value_status", json!(status)), ("/text", json!(text))]);
    }
    let put = api.put(&path, "*", &json!({})).await.must_be(200);
    shows(&put.body, &[("/value_status", json!("not_reported"))]);
    // A number in words is not taken for a value, nor for a reason to have none.
    let answer = api.put(&path, "*", &json!({ "text": "57.0%" })).await;
    answer.must_refuse(422, &[("/value", "required")]);
    assert_eq!(answer.suggestion("/value").as_deref(), Some("57.0"));

    let entry =
        |more: Value| json!({ "indicator_id": nishi.indicator.id(), "result": with(json!({ "value": 5 }), more) });
    let items = json!({ "items": [entry(json!({})), entry(json!({ "fiscal_year": 2021 }))] });
    let stored = api
        .send(Call::new("POST", "/v1/results").because("試験").json(&items))
        .await
        .must_be(200);
    shows(
        &stored.body,
        &[
            ("/items/0/fiscal_year", json!(2024)),
            ("/items/1/fiscal_year", json!(2021)),
            ("/items/1/value_status", json!("reported")),
        ],
    );
    let twice = json!({ "items": [entry(json!({})), entry(json!({ "fiscal_year": 2024 }))] });
    api.post("/v1/results", &twice)
        .await
        .must_refuse(422, &[("/items/1", "repeated")]);
    let unknown = json!({ "items": [{ "indicator_id": new_id(), "result": { "value": 1 } }] });
    api.post("/v1/results", &unknown)
        .await
        .must_refuse(409, &[("/items/0/indicator_id", "missing")]);
}

#[actix_web::test]
async fn results_come_back_in_bulk_as_they_were_read() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let read = api.get(&nishi.result_path).await.body;
    let entry =
        |result: Value| json!({ "items": [{ "indicator_id": nishi.indicator.id(), "version": 1, "result": result }] });
    let same = api.post("/v1/results", &entry(read.clone())).await.must_be(200);
    shows(&same.body, &[("/unchanged", json!(1))]);
    let other = with(
        read.clone(),
        json!({ "organization": "kita", "version": 9, "value": 1 }),
    );
    let answer = api.post("/v1/results", &entry(other)).await;
    answer.must_refuse(
        422,
        &[
            ("/items/0/result/organization", "read_only"),
            ("/items/0/result/version", "read_only"),
        ],
    );
    let changed = api
        .post("/v1/results", &entry(with(read, json!({ "value": 58 }))))
        .await
        .must_be(200);
    shows(
        &changed.body,
        &[
            ("/changed", json!(1)),
            ("/items/0/value", json!(58)),
            ("/items/0/version", json!(2)),
        ],
    );
}

#[actix_web::test]
async fn a_figure_is_its_amount_or_its_text() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for (year, said, shown) in [
        (
            2020,
            json!({ "text": "85百万円" }),
            json!(["stated", 85_000_000, 1_000_000]),
        ),
        (
            2021,
            json!({ "amount_yen": 77_800_000 }),
            json!(["stated", 77_800_000, 1_000]),
        ),
        (2022, json!({ "text": "－" }), json!(["none", null, null])),
        (2023, json!({ "text": "調整中" }), json!(["unread", null, null])),
        (2024, json!({}), json!(["blank", null, null])),
    ] {
        let body = with(said, json!({ "goal_id": goal, "fiscal_year": year, "kind": "initial" }));
        let created = api.post("/v1/budgets", &body).await.must_be(201).body;
        assert_eq!(
            json!([created["status"], created["amount_yen"], created["precision_yen"]]),
            shown,
            "{body}"
        );
    }
    let other = json!({ "goal_id": goal, "fiscal_year": 2025, "kind": "initial", "amount_yen": 1, "text": "85百万円" });
    api.post("/v1/budgets", &other)
        .await
        .must_refuse(422, &[("/amount_yen", "text_differs")]);
}

#[actix_web::test]
async fn a_tree_needs_titles_names_and_texts() {
    let api = Api::new().await;
    api.organization().await;
    let tree = json!({ "goals": [
        { "code": "1", "title": "題", "budgets": [{ "fiscal_year": 2024, "kind": "initial", "text": "85百万円" }],
            "indicators": [
                { "name": "認知度", "target": { "text": "48%以上" }, "results": [{ "value": 50 }] },
                { "name": "事故件数", "target": { "text": "4年度比10件減少" }, "results": [] }
            ] },
        { "code": "2", "title": "別の題", "budgets": [], "indicators": [] }
    ] });
    let path = "/v1/policies/nishi/2024/tree";
    let created = api.create(path, &tree).await.must_be(201);
    shows(
        &created.body,
        &[
            ("/organization", json!("nishi")),
            ("/fiscal_year", json!(2024)),
            ("/goals/0/budgets/0/amount_yen", json!(85_000_000)),
            ("/goals/0/indicators/0/target/value", json!(48)),
            ("/goals/0/indicators/0/results/0/fiscal_year", json!(2024)),
            ("/goals/0/indicators/0/results/0/value_status", json!("reported")),
            ("/goals/0/indicators/1/target/reference/fiscal_year", json!(2022)),
            ("/goals/0/indicators/1/direction", json!("lower_is_better")),
            ("/goals/1/indicators", json!([])),
        ],
    );
    let same = api.put(path, &created.etag(), &tree).await.must_be(200);
    assert_eq!(same.etag(), created.etag());
    let same = api.put(path, &created.etag(), &created.body).await.must_be(200);
    assert_eq!(same.etag(), created.etag());
    api.put(path, "*", &json!({}))
        .await
        .must_refuse(422, &[("/goals", "required")]);
    // What a list leaves out goes. So no list is left out.
    let lists = json!({ "goals": [{ "code": "1", "title": "題", "indicators": [{ "name": "認知度" }] }] });
    api.put(path, "*", &lists).await.must_refuse(
        422,
        &[
            ("/goals/0/budgets", "required"),
            ("/goals/0/indicators/0/results", "required"),
        ],
    );
}

#[actix_web::test]
async fn a_file_does_not_replace_what_it_leaves_out_by_defaults() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let tree = api.get("/v1/policies/nishi/2024/tree").await.must_be(200);
    let (goal, indicator) = (&tree.body["goals"][0], &tree.body["goals"][0]["indicators"][0]);
    let file = json!({
        "organization": "nishi",
        "fiscal_year": 2024,
        "goals": [{
            "code": goal["code"],
            "title": goal["title"],
            "budgets": [{ "fiscal_year": 2024, "kind": "initial" }],
            "indicators": [{ "name": indicator["name"], "results": [{ "value": 57 }] }],
        }],
    });
    let at = |name: &str| format!("/goals/0/indicators/0/{name}");
    api.send(Call::new("POST", "/v1/imports/policies").because("試験").json(&file))
        .await
        .must_refuse(
            422,
            &[
                ("/goals/0/budgets/0/status", "required"),
                (&at("kind"), "required"),
                (&at("target"), "required"),
                (&at("decimals"), "required"),
                (&at("direction"), "required"),
            ],
        );
    let stored = api
        .get(format!("/v1/indicators/{}", nishi.indicator.id()))
        .await
        .must_be(200);
    assert_eq!(stored.etag(), nishi.indicator.etag());
}

#[actix_web::test]
async fn the_same_request_is_repeated_however_much_it_leaves_out() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let ask = |body: Value| {
        Call::new("POST", "/v1/indicators")
            .header("idempotency-key", "k")
            .json(&body)
    };
    let little = json!({ "goal_id": goal, "name": "認知度", "target": { "text": "48%以上" } });
    let first = api.send(ask(little.clone())).await.must_be(201);
    let again = api.send(ask(little.clone())).await.must_be(201);
    assert_eq!((again.header("idempotency-replayed"), again.id()), ("true", first.id()));
    let other = with(little, json!({ "position": 5 }));
    api.send(ask(other))
        .await
        .must_refuse(422, &[("Idempotency-Key", "reused")]);
    // A whole body is one request, however it is written.
    let whole = |body: Value| {
        Call::new("POST", "/v1/indicators")
            .header("idempotency-key", "w")
            .json(&body)
    };
    let body = indicator(&goal, "別の指標");
    api.send(whole(body.clone())).await.must_be(201);
    let mut shorter = body;
    shorter.as_object_mut().unwrap().remove("series_id");
    api.send(whole(shorter)).await.must_be(201);
}
