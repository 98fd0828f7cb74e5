//! `/v1/indicators`

use serde_json::{Number, Value, json};

use crate::support::{
    Api,
    factories::{at_least, indicator, new_id, with},
};

pub(crate) mod predecessors;
mod search;

/// A number as written.
fn number(text: &str) -> Value {
    Value::Number(text.parse::<Number>().unwrap())
}

/// A target that compares like this.
fn target(comparator: &str, value: Option<i32>, upper: Option<i32>, reference: Value, period: Value) -> Value {
    json!({
        "text": null, "comparator": comparator, "value": value, "upper": upper,
        "reference": with(json!({ "kind": "none", "fiscal_year": null, "value": null, "name": null }), reference),
        "period": with(json!({ "kind": "single_year", "from": null, "to": null }), period)
    })
}

#[actix_web::test]
async fn decimals_come_back_as_they_were_written() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for (n, (given, kept)) in [
        ("81.2", "81.2"),
        ("81.20", "81.20"),
        ("0", "0"),
        ("-0.50", "-0.50"),
        ("1e2", "100"),
        ("-0.5", "-0.5"),
        ("999999999999999", "999999999999999"),
        ("-999999999999999", "-999999999999999"),
        ("123456.789012345", "123456.789012345"),
        ("0.000000001", "0.000000001"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(
            indicator(&goal, &format!("指標{n}")),
            json!({ "target": at_least(&number(given)) }),
        );
        let created = api.post("/v1/indicators", &body).await.must_be(201);
        assert_eq!(created.body["target"]["value"].to_string(), kept);
        let read = api.get(created.header("location")).await;
        assert!(
            String::from_utf8_lossy(&read.bytes).contains(&format!("\"value\":{kept},")),
            "{given}"
        );
        let again = api
            .put(created.header("location"), &read.etag(), &body)
            .await
            .must_be(200);
        assert_eq!(again.body["version"], 1, "{given}");
    }
}

#[actix_web::test]
async fn decimals_with_too_many_digits_are_refused() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let long = "9".repeat(100);
    for given in [
        "1e400",
        "-1e400",
        "1e-400",
        "1e15",
        "9999999999999999",
        "0.0000000001",
        "1234567.890123456",
        &long,
    ] {
        let body = with(indicator(&goal, "指標"), json!({ "target": at_least(&number(given)) }));
        let answer = api.post("/v1/indicators", &with(body, json!({}))).await;
        assert_eq!(answer.status, 422, "{given}");
        assert!(
            answer.faults().iter().any(|(place, _)| place == "/target/value"),
            "{given}: {:?}",
            answer.faults()
        );
    }
}

#[actix_web::test]
async fn a_new_indicator_starts_a_series_and_keeps_it() {
    let api = Api::new().await;
    let created = api.nishi_indicator().await;
    let series = created.text("series_id");
    let path = created.header("location").to_owned();
    let body = indicator(&created.text("goal_id"), "地域活動協議会を知っている割合");
    let replaced = api
        .put(&path, "*", &with(body.clone(), json!({ "unit": "人" })))
        .await
        .must_be(200);
    assert_eq!(replaced.text("series_id"), series);
    let other = new_id();
    let moved = api
        .put(&path, "*", &with(body, json!({ "series_id": other })))
        .await
        .must_be(200);
    assert_eq!(moved.text("series_id"), other);
}

#[actix_web::test]
async fn names_are_unique_within_a_goal() {
    let api = Api::new().await;
    let first = api.nishi_indicator().await;
    let (goal, name) = (first.text("goal_id"), first.text("name"));
    let answer = api.post("/v1/indicators", &indicator(&goal, &name)).await;
    answer.must_refuse(409, &[("/name", "constraint")]);
    let other = api.indicator(&goal, "別の指標").await;
    let answer = api.patch(other.header("location"), "*", &json!({ "name": name })).await;
    answer.must_refuse(409, &[("/name", "constraint")]);
}

#[actix_web::test]
async fn an_indicator_needs_a_goal_that_exists() {
    let api = Api::new().await;
    let answer = api.post("/v1/indicators", &indicator(&new_id(), "指標")).await;
    answer.must_refuse(409, &[("/goal_id", "constraint")]);
}

#[actix_web::test]
async fn a_new_identifier_must_be_a_uuid_of_version_7() {
    let api = Api::new().await;
    let body = indicator(&api.nishi_goal().await.id(), "指標");
    let answer = api
        .create("/v1/indicators/9b2f0d3c-6d1f-4b2a-9c3e-0f1a2b3c4d5e", &body)
        .await;
    answer.must_refuse(422, &[("", "uuid_version")]);
    let id = new_id();
    assert_eq!(
        api.create(format!("/v1/indicators/{id}"), &body)
            .await
            .must_be(201)
            .id(),
        id
    );
}

/// What the program takes, the database takes, and what one refuses the other would.
#[actix_web::test]
async fn every_kind_of_target_can_be_stored() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let none = json!({});
    let last_year = json!({ "kind": "previous_year" });
    let year = json!({ "kind": "fiscal_year", "fiscal_year": 2019 });
    let constant = json!({ "kind": "constant", "value": 81.2 });
    let outside = json!({ "kind": "external", "name": "市平均" });
    let cumulative = json!({ "kind": "cumulative", "from": 2022, "to": 2024 });
    let by_end = json!({ "kind": "by_end_of", "to": 2026 });
    for (n, target) in [
        target("gte", Some(0), None, none.clone(), none.clone()),
        target("gt", None, None, last_year.clone(), none.clone()),
        target("lte", None, None, year.clone(), none.clone()),
        target("lt", None, None, constant.clone(), none.clone()),
        target("eq", Some(100), None, none.clone(), by_end),
        target("between", Some(20), Some(20), none.clone(), cumulative),
        target("increase", None, None, last_year.clone(), none.clone()),
        target(
            "decrease",
            None,
            None,
            with(year.clone(), json!({ "value": 0 })),
            none.clone(),
        ),
        target("maintain", None, None, constant.clone(), none.clone()),
        target("increase_by", Some(0), None, last_year.clone(), none.clone()),
        target("decrease_by", Some(5), None, year.clone(), none.clone()),
        target("increase_by_percent", Some(0), None, last_year.clone(), none.clone()),
        target("decrease_by_percent", Some(1_000_000), None, year.clone(), none.clone()),
        target("gte", None, None, outside.clone(), none.clone()),
        target(
            "decrease_by_percent",
            Some(5),
            None,
            with(outside, json!({ "value": 58.3 })),
            none.clone(),
        ),
        target("qualitative", None, None, none.clone(), none.clone()),
        target("undecided", None, None, none.clone(), none),
    ]
    .into_iter()
    .enumerate()
    {
        let body = with(indicator(&goal, &format!("指標{n}")), json!({ "target": target }));
        let created = api.post("/v1/indicators", &body).await.must_be(201);
        assert_eq!(created.body["target"], target);
    }
}

#[actix_web::test]
async fn a_target_that_does_not_hold_together_is_refused() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let none = json!({});
    let last_year = json!({ "kind": "previous_year" });
    for target in [
        target("gte", None, None, none.clone(), none.clone()),
        target("gte", Some(1), None, last_year.clone(), none.clone()),
        target("gte", Some(1), Some(2), none.clone(), none.clone()),
        target("between", Some(2), Some(1), none.clone(), none.clone()),
        target("between", Some(2), None, none.clone(), none.clone()),
        target("increase", None, None, none.clone(), none.clone()),
        target("increase", Some(1), None, last_year.clone(), none.clone()),
        target("increase_by", None, None, last_year.clone(), none.clone()),
        target("decrease_by", Some(-1), None, last_year.clone(), none.clone()),
        target("undecided", Some(1), None, none.clone(), none.clone()),
        target("qualitative", None, None, last_year, none.clone()),
        target("lte", None, None, json!({ "kind": "fiscal_year" }), none.clone()),
        target("lte", None, None, json!({ "kind": "constant" }), none.clone()),
        target("lte", Some(1), None, json!({ "value": 1 }), none.clone()),
        target(
            "gte",
            Some(1),
            None,
            none.clone(),
            json!({ "kind": "cumulative", "from": 2024 }),
        ),
        target(
            "gte",
            Some(1),
            None,
            none.clone(),
            json!({ "kind": "cumulative", "from": 2024, "to": 2023 }),
        ),
        target("gte", Some(1), None, none.clone(), json!({ "kind": "by_end_of" })),
        target("gte", Some(1), None, none.clone(), json!({ "to": 2024 })),
    ] {
        let answer = api
            .post(
                "/v1/indicators",
                &with(indicator(&goal, "指標"), json!({ "target": target })),
            )
            .await;
        assert_eq!(answer.status, 422, "{target}");
        let faults = answer.faults();
        assert!(
            !faults.is_empty()
                && faults
                    .iter()
                    .all(|(place, code)| place.starts_with("/target") && code == "target"),
            "{target}: {faults:?}"
        );
    }
}

#[actix_web::test]
async fn patch_reaches_into_the_target() {
    let api = Api::new().await;
    let created = api.nishi_indicator().await;
    let path = created.header("location").to_owned();
    let patched = api
        .patch(&path, "*", &json!({ "target": { "value": 50.5 } }))
        .await
        .must_be(200);
    assert_eq!(
        patched.body["target"],
        with(created.body["target"].clone(), json!({ "value": 50.5 }))
    );
    let relative = json!({ "target": { "value": null, "reference": { "kind": "previous_year" } } });
    let patched = api.patch(&path, "*", &relative).await.must_be(200);
    assert_eq!(
        (
            &patched.body["target"]["value"],
            &patched.body["target"]["reference"]["kind"]
        ),
        (&Value::Null, &json!("previous_year"))
    );
    for (patch, pointer, code) in [
        (json!({ "target": null }), "/target", "type"),
        (
            json!({ "target": { "comparator": null } }),
            "/target/comparator",
            "type",
        ),
        (
            json!({ "target": { "reference": { "knd": null } } }),
            "/target/reference/knd",
            "unknown_field",
        ),
        (
            json!({ "target": { "comparator": "gt e" } }),
            "/target/comparator",
            "unknown_code",
        ),
        (json!({ "target": { "period": [] } }), "/target/period", "type"),
    ] {
        let answer = api.patch(&path, "*", &patch).await;
        assert_eq!(answer.status, 422, "{patch}");
        assert!(
            answer.faults().contains(&(pointer.to_owned(), code.to_owned())),
            "{patch}: {:?}",
            answer.faults()
        );
    }
}

#[actix_web::test]
async fn every_broken_rule_is_named_at_once() {
    let api = Api::new().await;
    let body = json!({
        "goal_id": "1", "position": 0, "kind": "outcom", "name": "名称\u{7}", "decimals": 10, "direction": "up",
        "unit": "%".repeat(21), "comparable_with_previous": "yes", "target": { "comparator": "≧" }, "nam": null
    });
    let answer = api.post("/v1/indicators", &body).await;
    let faults = answer.faults();
    assert_eq!(answer.status, 422);
    for (pointer, code) in [
        ("/goal_id", "format"),
        ("/position", "minimum"),
        ("/kind", "unknown_code"),
        ("/name", "control_character"),
        ("/decimals", "maximum"),
        ("/direction", "unknown_code"),
        ("/unit", "too_long"),
        ("/comparable_with_previous", "type"),
        ("/target/comparator", "unknown_code"),
        ("/nam", "unknown_field"),
    ] {
        assert!(
            faults.contains(&(pointer.to_owned(), code.to_owned())),
            "{pointer} {code}: {faults:?}"
        );
    }
    assert_eq!(answer.suggestion("/kind").as_deref(), Some("outcome"));
    assert_eq!(answer.suggestion("/nam").as_deref(), Some("name"));
}

#[actix_web::test]
async fn indicators_are_listed_by_everything_there_is_a_filter_for() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    let (nishi, keikaku) = (
        api.policy("nishi", 2024).await.id(),
        api.policy("keikaku", 2023).await.id(),
    );
    let (first, second) = (api.goal(&nishi, "1-1").await.id(), api.goal(&keikaku, "1-1").await.id());
    let of_first = api.indicator(&first, "区民の割合").await;
    let series = of_first.text("series_id");
    for (goal, name, changes) in [
        (&first, "実施回数", json!({ "kind": "output", "unit": "回" })),
        (&second, "区民の割合", json!({ "series_id": series })),
        (&second, "満足度", json!({ "kind": "process", "unit": null })),
    ] {
        api.post("/v1/indicators", &with(indicator(goal, name), changes))
            .await
            .must_be(201);
    }
    for (query, expected) in [
        (String::new(), 4),
        ("organization=nishi".into(), 2),
        ("organization=271063,keikaku".into(), 4),
        ("organization=kita".into(), 0),
        ("fiscal_year=2023".into(), 2),
        ("fiscal_year=R5..R6".into(), 4),
        ("fiscal_year=2022".into(), 0),
        (format!("goal={first}"), 2),
        (format!("goal={first},{second}"), 4),
        (format!("goal={}", new_id()), 0),
        ("kind=outcome".into(), 2),
        ("kind=output,process".into(), 2),
        ("unit=%25".into(), 2),
        ("unit=回,%25".into(), 3),
        ("unit=人".into(), 0),
        (format!("series={series}"), 2),
        (format!("series={}", new_id()), 0),
        ("q=割合".into(), 2),
        (format!("q=割合&goal={first}"), 1),
    ] {
        assert_eq!(
            api.list(format!("/v1/indicators?{query}")).await.len(),
            expected,
            "{query}"
        );
    }
    api.get("/v1/indicators?kind=results")
        .await
        .must_refuse(400, &[("kind", "unknown_code")]);
    api.get("/v1/indicators?series=1")
        .await
        .must_refuse(400, &[("series", "format")]);
}

#[actix_web::test]
async fn a_removed_indicator_takes_its_results_along() {
    let api = Api::new().await;
    let created = api.nishi_indicator().await;
    api.result(&created.id(), 2024).await;
    api.delete(created.header("location"), "*").await.must_be(204);
    assert!(api.list("/v1/results").await.is_empty());
}
