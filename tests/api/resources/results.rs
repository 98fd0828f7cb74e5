//! `/v1/results` and `/v1/indicators/{id}/results`

use serde_json::{Value, json};
use ward_policy::server::app;

use crate::support::{
    Answer, Api,
    factories::{new_id, result, with},
};

/// A result without a value, of this status.
fn without_value(year: i32, status: &str) -> Value {
    with(
        result(year),
        json!({ "value": null, "value_status": status, "declared_rating": null, "text": null }),
    )
}

/// One row of many.
fn entry(indicator_id: &str, version: Option<i64>, result: &Value) -> Value {
    json!({ "indicator_id": indicator_id, "version": version, "result": result })
}

async fn store(api: &Api, entries: &[Value]) -> Answer {
    api.post("/v1/results", &json!({ "items": entries })).await
}

#[actix_web::test]
async fn a_reported_result_has_a_value_which_may_be_nought() {
    let api = Api::new().await;
    let path = format!("/v1/indicators/{}/results/2024", api.nishi_indicator().await.id());
    let answer = api.create(&path, &with(result(2024), json!({ "value": null }))).await;
    answer.must_refuse(422, &[("/value", "value_status")]);
    let nought = api
        .create(&path, &with(result(2024), json!({ "value": 0 })))
        .await
        .must_be(201);
    assert_eq!(
        (&nought.body["value"], &nought.body["value_status"]),
        (&json!(0), &json!("reported"))
    );
    let cumulative = with(result(2024), json!({ "value": null, "cumulative_value": 12.5 }));
    let replaced = api.put(&path, "*", &cumulative).await.must_be(200);
    assert_eq!(replaced.body["value_status"], "reported");
}

#[actix_web::test]
async fn a_value_and_a_reason_for_having_none_exclude_each_other() {
    let api = Api::new().await;
    let path = format!("/v1/indicators/{}/results/2024", api.nishi_indicator().await.id());
    for status in [
        "not_yet_due",
        "not_reported",
        "being_compiled",
        "not_measured",
        "not_applicable",
        "withheld",
        "discontinued",
    ] {
        let answer = api
            .create(&path, &with(result(2024), json!({ "value_status": status })))
            .await;
        answer.must_refuse(422, &[("/value_status", "value_status")]);
    }
}

#[actix_web::test]
async fn a_result_in_words_needs_its_words() {
    let api = Api::new().await;
    let path = format!("/v1/indicators/{}/results/2024", api.nishi_indicator().await.id());
    let answer = api.create(&path, &without_value(2024, "text_only")).await;
    answer.must_refuse(422, &[("/text", "value_status")]);
    let words = with(without_value(2024, "text_only"), json!({ "text": "概ね達成" }));
    let created = api.create(&path, &words).await.must_be(201);
    assert_eq!(created.body["value_status"], "text_only");
}

#[actix_web::test]
async fn a_reason_is_kept_and_its_absence_follows_from_the_date() {
    let api = Api::new().await;
    api.organization().await;
    // Results for 2020 were due long ago, those for 2099 are not due for long.
    for (year, expected) in [(2020, "not_reported"), (2099, "not_yet_due")] {
        let policy = api.policy("nishi", year).await.id();
        let goal = api.goal(&policy, "1-1").await.id();
        let path = format!(
            "/v1/indicators/{}/results/{year}",
            api.indicator(&goal, "指標").await.id()
        );
        let created = api
            .create(&path, &without_value(year, "not_reported"))
            .await
            .must_be(201);
        assert_eq!(created.body["value_status"], expected);
        let same = api
            .put(&path, &created.etag(), &without_value(year, "not_yet_due"))
            .await
            .must_be(200);
        assert_eq!(
            (&same.body["value_status"], &same.body["version"]),
            (&json!(expected), &json!(1))
        );
        for reason in [
            "being_compiled",
            "not_measured",
            "not_applicable",
            "withheld",
            "discontinued",
        ] {
            let said = api.put(&path, "*", &without_value(year, reason)).await.must_be(200);
            assert_eq!(said.body["value_status"], reason);
        }
    }
}

#[actix_web::test]
async fn denominators_are_positive_and_samples_not_negative() {
    let api = Api::new().await;
    let path = format!("/v1/indicators/{}/results/2024", api.nishi_indicator().await.id());
    for denominator in [json!(0), json!(-1), json!(0.0)] {
        let answer = api
            .create(&path, &with(result(2024), json!({ "denominator": denominator })))
            .await;
        answer.must_refuse(422, &[("/denominator", "positive")]);
    }
    let answer = api
        .create(&path, &with(result(2024), json!({ "sample_size": -1 })))
        .await;
    answer.must_refuse(422, &[("/sample_size", "minimum")]);
    let least = with(
        result(2024),
        json!({ "numerator": 0, "denominator": 0.000_000_001, "sample_size": 0 }),
    );
    api.create(&path, &least).await.must_be(201);
}

#[actix_web::test]
async fn every_broken_rule_is_named_at_once() {
    let api = Api::new().await;
    let path = format!("/v1/indicators/{}/results/2024", api.nishi_indicator().await.id());
    let body = json!({
        "fiscal_year": "R6", "value": "81.2", "value_status": "reporte", "observation_status": "final ", "measured_on": "2025-02-29",
        "declared_rating": "a", "comment": "\u{0}", "rating": "A"
    });
    let answer = api.create(&path, &body).await;
    let faults = answer.faults();
    assert_eq!(answer.status, 422);
    for (pointer, code) in [
        ("/fiscal_year", "type"),
        ("/value", "type"),
        ("/value_status", "unknown_code"),
        ("/observation_status", "unknown_code"),
        ("/measured_on", "format"),
        ("/declared_rating", "unknown_code"),
        ("/comment", "control_character"),
        ("/rating", "unknown_field"),
    ] {
        assert!(
            faults.contains(&(pointer.to_owned(), code.to_owned())),
            "{pointer} {code}: {faults:?}"
        );
    }
    assert_eq!(answer.suggestion("/value_status").as_deref(), Some("reported"));
    assert_eq!(answer.suggestion("/observation_status").as_deref(), Some("final"));
}

#[actix_web::test]
async fn put_creates_the_result_of_the_path_and_no_other() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let answer = api
        .create(format!("/v1/indicators/{indicator}/results/2023"), &result(2024))
        .await;
    answer.must_refuse(422, &[("/fiscal_year", "path_mismatch")]);
    api.create(format!("/v1/indicators/{}/results/2024", new_id()), &result(2024))
        .await
        .must_be(404);
    let created = api
        .create(format!("/v1/indicators/{indicator}/results/2024"), &result(2024))
        .await
        .must_be(201);
    assert_eq!(
        created.header("location"),
        format!("/v1/indicators/{indicator}/results/2024")
    );
}

#[actix_web::test]
async fn a_result_moves_to_a_year_that_has_none() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    api.result(&indicator, 2022).await;
    let created = api.result(&indicator, 2024).await;
    let path = created.header("location").to_owned();
    let answer = api.patch(&path, "*", &json!({ "fiscal_year": 2022 })).await;
    answer.must_refuse(409, &[("/fiscal_year", "constraint")]);
    let moved = api
        .patch(&path, "*", &json!({ "fiscal_year": 2023 }))
        .await
        .must_be(200);
    assert_eq!((moved.id(), &moved.body["fiscal_year"]), (created.id(), &json!(2023)));
    api.get(&path).await.must_be(404);
}

#[actix_web::test]
async fn results_are_listed_and_exported_by_everything_there_is_a_filter_for() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    let (nishi, keikaku) = (
        api.policy("nishi", 2024).await.id(),
        api.policy("keikaku", 2023).await.id(),
    );
    let (first, second) = (api.goal(&nishi, "1-1").await.id(), api.goal(&keikaku, "1-1").await.id());
    let a = api.indicator(&first, "指標").await.id();
    let b = api
        .post(
            "/v1/indicators",
            &with(
                crate::support::factories::indicator(&second, "指標"),
                json!({ "kind": "output" }),
            ),
        )
        .await
        .id();
    for (indicator, year) in [(&a, 2022), (&a, 2023), (&a, 2024), (&b, 2023), (&b, 2022)] {
        api.result(indicator, year).await;
    }
    for (query, expected) in [
        (String::new(), 5),
        ("organization=nishi".into(), 3),
        ("organization=271063,keikaku".into(), 5),
        ("organization=kita".into(), 0),
        ("policy_year=R5".into(), 2),
        ("policy_year=2022".into(), 0),
        ("fiscal_year=2022".into(), 2),
        ("fiscal_year=R5..令和6".into(), 3),
        ("fiscal_year=1950".into(), 0),
        ("kind=outcome".into(), 3),
        ("kind=output,outcome".into(), 5),
        ("kind=process".into(), 0),
        (format!("goal={second}"), 2),
        (format!("goal={}", new_id()), 0),
        (format!("indicator={a}"), 3),
        (format!("indicator={a},{b}"), 5),
        (format!("indicator={}", new_id()), 0),
        (format!("indicator={b}&fiscal_year=2022"), 1),
    ] {
        let listed = api.list(format!("/v1/results?{query}")).await;
        assert_eq!(listed.len(), expected, "{query}");
        let exported = api.get(format!("/v1/exports/results?format=ndjson&{query}")).await;
        assert_eq!(exported.lines().len(), expected, "the export: {query}");
    }
    let years: Vec<_> = api
        .list(format!("/v1/indicators/{a}/results?sort=fiscal_year"))
        .await
        .iter()
        .map(|row| row["fiscal_year"].clone())
        .collect();
    assert_eq!(years, [2022, 2023, 2024]);
    api.get(format!("/v1/indicators/{}/results", new_id()))
        .await
        .must_be(404);
    let answer = api.get(format!("/v1/indicators/{a}/results?fiscal_year=2022")).await;
    answer.must_refuse(400, &[("fiscal_year", "unknown_parameter")]);
}

#[actix_web::test]
async fn what_is_stored_over_a_result_takes_over_all_of_it() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let full = |n: i32| {
        json!({ "fiscal_year": 2024, "value": n, "cumulative_value": n + 1, "numerator": n + 2, "denominator": n + 3, "sample_size": n + 4,
            "value_status": "reported", "observation_status": if n == 1 { "provisional" } else { "revised" },
            "text": format!("{n}%"), "comment": format!("備考{n}"), "measured_on": format!("2025-03-0{n}"),
            "declared_rating": if n == 1 { "A" } else { "B" }, "stated_previous_value": n + 5, "stated_previous_text": format!("前年{n}") })
    };
    let without = with(
        full(3),
        json!({ "value": null, "cumulative_value": null, "value_status": "text_only" }),
    );
    let contract = serde_json::to_value(app::spec()).unwrap();
    let keys = contract["components"]["schemas"]["ResultInput"]["properties"]
        .as_object()
        .unwrap();
    for key in keys.keys().filter(|key| *key != "fiscal_year") {
        assert!(
            full(1)[key] != full(2)[key] || full(2)[key] != without[key],
            "{key} does not change"
        );
    }
    for (version, body) in (1..).zip([full(1), full(2), without]) {
        store(&api, &[entry(&indicator, None, &body)]).await.must_be(200);
        let read = api
            .get(format!("/v1/indicators/{indicator}/results/2024"))
            .await
            .must_be(200)
            .body;
        for key in keys.keys() {
            assert_eq!(read[key], body[key], "{key}");
        }
        assert_eq!(read["version"], json!(version));
    }
}

#[actix_web::test]
async fn many_results_are_stored_at_once() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    api.result(&indicator, 2022).await;
    api.result(&indicator, 2023).await;
    let entries = [
        entry(&indicator, Some(0), &result(2024)),
        entry(&indicator, Some(1), &with(result(2022), json!({ "value": 81.20 }))),
        entry(&indicator, None, &result(2023)),
    ];
    let stored = store(&api, &entries).await.must_be(200);
    assert_eq!(
        (
            &stored.body["created"],
            &stored.body["changed"],
            &stored.body["unchanged"]
        ),
        (&json!(1), &json!(1), &json!(1))
    );
    let rows: Vec<_> = stored.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["fiscal_year"].clone(), row["version"].clone()))
        .collect();
    assert_eq!(
        rows,
        [
            (json!(2024), json!(1)),
            (json!(2022), json!(2)),
            (json!(2023), json!(1))
        ]
    );
    let read = api.get(format!("/v1/indicators/{indicator}/results/2022")).await;
    assert_eq!(read.body, stored.body["items"][1]);
}

#[actix_web::test]
async fn storing_the_same_again_changes_nothing() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let entries = [
        entry(&indicator, None, &result(2024)),
        entry(&indicator, None, &without_value(2023, "not_reported")),
        entry(&indicator, None, &without_value(2022, "withheld")),
        entry(&indicator, None, &without_value(2021, "not_yet_due")),
    ];
    let first = store(&api, &entries).await.must_be(200);
    let second = store(&api, &entries).await.must_be(200);
    assert_eq!(
        (
            &second.body["created"],
            &second.body["changed"],
            &second.body["unchanged"]
        ),
        (&json!(0), &json!(0), &json!(4))
    );
    assert_eq!(second.body["items"], first.body["items"]);
}

#[actix_web::test]
async fn of_many_results_all_are_stored_or_none() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    api.result(&indicator, 2022).await;
    let entries = [
        entry(&indicator, Some(0), &result(2024)),
        entry(&new_id(), None, &result(2024)),
        entry(&indicator, Some(7), &result(2022)),
        entry(&indicator, Some(1), &result(2023)),
    ];
    let answer = store(&api, &entries).await;
    answer.must_refuse(
        409,
        &[
            ("/items/1/indicator_id", "missing"),
            ("/items/2/version", "version"),
            ("/items/3/version", "version"),
        ],
    );
    assert_eq!(api.list("/v1/results").await.len(), 1);
}

#[actix_web::test]
async fn the_errors_of_every_row_are_reported_by_its_position() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    let rules = [
        entry(&indicator, None, &result(2020)),
        entry(&indicator, None, &with(result(2021), json!({ "value": null }))),
        entry(&indicator, None, &with(result(2022), json!({ "denominator": 0 }))),
        entry(&indicator, None, &result(2020)),
    ];
    store(&api, &rules).await.must_refuse(
        422,
        &[
            ("/items/1/result/value", "value_status"),
            ("/items/2/result/denominator", "positive"),
            ("/items/3", "repeated"),
        ],
    );
    let shapes = [
        entry(&indicator, Some(-1), &result(2020)),
        entry(
            "x",
            None,
            &with(result(2021), json!({ "value_status": "reprted", "valu": 1 })),
        ),
        json!({}),
        json!(1),
    ];
    let answer = store(&api, &shapes).await;
    let faults = answer.faults();
    assert_eq!(answer.status, 422);
    for (pointer, code) in [
        ("/items/0/version", "minimum"),
        ("/items/1/indicator_id", "format"),
        ("/items/1/result/value_status", "unknown_code"),
        ("/items/1/result/valu", "unknown_field"),
        ("/items/2/indicator_id", "required"),
        ("/items/2/result", "required"),
        ("/items/3", "type"),
    ] {
        assert!(
            faults.contains(&(pointer.to_owned(), code.to_owned())),
            "{pointer} {code}: {faults:?}"
        );
    }
    assert!(api.list("/v1/results").await.is_empty());
}

#[actix_web::test]
async fn a_thousand_results_are_stored_at_once_and_no_more() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let mut indicators = Vec::new();
    for n in 0..10 {
        indicators.push(api.indicator(&goal, &format!("指標{n}")).await.id());
    }
    let mut entries: Vec<Value> = Vec::new();
    for indicator in &indicators {
        entries.extend((1950..2050).map(|year| entry(indicator, Some(0), &result(year))));
    }
    let stored = store(&api, &entries).await.must_be(200);
    assert_eq!(stored.body["created"], 1000);
    entries.push(entry(&indicators[0], Some(0), &result(2050)));
    store(&api, &entries).await.must_refuse(422, &[("/items", "too_many")]);
    store(&api, &[]).await.must_refuse(422, &[("/items", "too_few")]);
    let counted = api.get("/v1/results?include_total=true&limit=1000").await.must_be(200);
    assert_eq!(
        (&counted.body["total"], &counted.body["next_cursor"]),
        (&json!(1000), &Value::Null)
    );
}
