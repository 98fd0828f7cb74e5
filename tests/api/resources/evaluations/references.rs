//! Targets in percent of another number, and targets on a figure from outside the policy: stored, judged, printed, exported.

use serde_json::{Value, json};

use super::{preview, summary_counts::public};
use crate::support::{
    Api,
    factories::{self, at_least, with},
    years::Years,
};

/// A target that refers to another number.
fn relative(comparator: &str, value: Value, reference: Value) -> Value {
    let mut target = at_least(&Value::Null);
    target["text"] = Value::Null;
    target["comparator"] = comparator.into();
    target["value"] = value;
    target["reference"] = reference;
    target
}

/// A target on the average of the city, as callers write it.
fn on_average(comparator: &str, average: Value) -> Value {
    let mut reference = json!({ "kind": "external", "name": "市平均" });
    reference["value"] = average;
    relative(comparator, Value::Null, reference)
}

fn verdict(body: &Value) -> Value {
    json!([body["outcome"], body["reason"], body["rating"]])
}

async fn evaluated(api: &Api, indicator: &str, year: i32, query: &str) -> Value {
    let path = format!(
        "/v1/indicators/{indicator}/evaluation?fiscal_year={year}&on={}-07-15{query}",
        year + 1
    );
    api.get(path).await.must_be(200).body["evaluation"].take()
}

#[actix_web::test]
async fn a_change_in_percent_is_of_last_years_result() {
    let years = Years::drafted().await;
    let api = &years.api;
    // 35 % in 2024, 46 % in 2025.
    let path = format!("/v1/indicators/{}", years.known[1]);
    let by = |comparator: &str, percent: &str| {
        let percent: Value = serde_json::from_str(percent).unwrap();
        json!({ "target": relative(comparator, percent, json!({ "kind": "previous_year" })) })
    };
    for (comparator, percent, threshold, expected) in [
        ("increase_by_percent", "30", "45.5", json!(["achieved", null, "A"])),
        ("increase_by_percent", "32", "46.2", json!(["not_achieved", null, "B"])),
        ("decrease_by_percent", "0", "35", json!(["not_achieved", null, "B"])),
    ] {
        let stored = api.patch(&path, "*", &by(comparator, percent)).await.must_be(200);
        assert_eq!(stored.body["target"]["value"].to_string(), percent);
        let it = evaluated(api, &years.known[1], 2025, "").await;
        // The organization declared A.
        let computed = json!([it["outcome"], it["reason"], it["ratings"]["computed"]]);
        assert_eq!(computed, expected, "{comparator} {percent}");
        assert_eq!(
            it["inputs"]["threshold"].to_string(),
            threshold,
            "{comparator} {percent}"
        );
    }
    api.patch(&path, "*", &by("increase_by_percent", "30"))
        .await
        .must_be(200);
    let explained = &evaluated(api, &years.known[1], 2025, "").await["explanation"];
    assert_eq!(
        explained["ja"],
        "実績46%は目標「前年度実績35%から30%以上増加（35%の130%で45.5%以上）」を0.5ポイントの差で満たすためA（達成）。"
    );
    assert_eq!(
        explained["en"],
        "The result of 46% meets the target of at least 30% above the previous year's result of 35% (130% of 35%: at least 45.5%) by 0.5 percentage points: A (achieved)."
    );

    // Percent of nothing means nothing.
    let result = format!("{path}/results/2025");
    api.patch(&result, "*", &json!({ "stated_previous_value": 0 }))
        .await
        .must_be(200);
    let it = evaluated(api, &years.known[1], 2025, "").await;
    assert_eq!(
        (&it["outcome"], &it["reason"]),
        (&json!("not_evaluable"), &json!("reference_missing"))
    );
    assert!(
        it["explanation"]["ja"]
            .as_str()
            .unwrap()
            .contains("0以下で、増減の率を計算できない")
    );
}

#[actix_web::test]
async fn a_figure_from_outside_counts_once_it_is_given_by_patch() {
    let years = Years::drafted().await;
    let api = &years.api;
    years.publish(2024).await;
    let id = &years.known[0];
    let path = format!("/v1/indicators/{id}");
    let stored = api
        .patch(&path, "*", &json!({ "target": on_average("gt", Value::Null) }))
        .await
        .must_be(200);
    assert_eq!(
        stored.body["target"]["reference"],
        json!({ "kind": "external", "fiscal_year": null, "value": null, "name": "市平均" })
    );
    let before = evaluated(api, id, 2024, "").await;
    assert_eq!(
        (&before["outcome"], &before["reason"]),
        (&json!("not_evaluable"), &json!("reference_missing"))
    );
    assert_eq!(
        before["inputs"]["reference"],
        json!({ "kind": "external", "fiscal_year": null, "value": null, "source": null, "name": "市平均" })
    );
    let summary = "/v1/evaluations/summary?policy_year=2024&on=2025-07-15";
    let counted = public(api, summary).await["items"][0]["roll_up"].take();
    assert_eq!(
        counted["not_evaluable_by_reason"],
        json!([{ "reason": "reference_missing", "count": 1 }])
    );
    let moment = api.moment();

    // 35 % is less than the average of the city.
    let given = json!({ "target": { "reference": { "value": 58.3 } } });
    let stored = api.patch(&path, "*", &given).await.must_be(200);
    assert_eq!(stored.body["target"]["reference"]["name"], "市平均");
    let after = evaluated(api, id, 2024, "").await;
    assert_eq!(verdict(&after), json!(["not_achieved", null, "B"]));
    assert_eq!(after["inputs"]["reference"]["source"], "external");
    assert_eq!(
        after["explanation"]["ja"],
        "実績35%は目標「市平均58.3%超」に23.3ポイント届かないためB（未達成）。"
    );
    let counted = public(api, summary).await["items"][0]["roll_up"].take();
    assert_eq!(counted["not_evaluable_by_reason"], json!([]));

    // What was before stays what it was, and the history tells the change.
    let earlier = evaluated(api, id, 2024, &format!("&as_of={moment}")).await;
    assert_eq!(earlier, before);
    let feed = api.get("/v1/changes?limit=1000").await.must_be(200).body;
    let changes = feed["items"].as_array().unwrap();
    let change = changes.iter().rfind(|change| change["type"] == "indicator").unwrap();
    assert_eq!(change["fields"], json!(["target_reference_value"]));
    assert_eq!(change["after"]["target_reference_name"], "市平均");
    let diff = api
        .get("/v1/policies/nishi/2024/revisions/4/diff")
        .await
        .must_be(200)
        .body;
    assert_eq!(
        diff["patch"].as_array().unwrap().len(),
        2,
        "the value, and the number of the revision: {diff:#}"
    );
}

#[actix_web::test]
async fn what_a_target_refers_to_must_hold_together() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await;
    let path = indicator.header("location");
    let last_year = || json!({ "kind": "previous_year" });
    for (target, place) in [
        (relative("increase_by_percent", json!(-5), last_year()), "/target/value"),
        (
            relative("decrease_by_percent", json!(1_000_001), last_year()),
            "/target/value",
        ),
        (
            relative("decrease_by_percent", json!(0.000_000_1), last_year()),
            "/target/value",
        ),
        (
            relative("decrease_by_percent", json!(null), last_year()),
            "/target/value",
        ),
        (
            relative("increase_by_percent", json!(5), json!({})),
            "/target/reference/kind",
        ),
        (
            relative("gte", json!(null), json!({ "kind": "external" })),
            "/target/reference/name",
        ),
        (
            relative("gte", json!(null), json!({ "kind": "previous_year", "name": "市平均" })),
            "/target/reference/name",
        ),
        (
            relative(
                "gte",
                json!(null),
                json!({ "kind": "external", "name": "市平均", "fiscal_year": 2023 }),
            ),
            "/target/reference/fiscal_year",
        ),
        (
            with(on_average("gte", json!(50)), json!({ "value": 50 })),
            "/target/value",
        ),
    ] {
        let answer = api.patch(path, "*", &json!({ "target": target })).await;
        answer.must_refuse(422, &[(place, "target")]);
        // Both languages say what to change.
        let detail = &answer.body["errors"][0]["detail"];
        assert!(detail.as_str().is_some_and(|it| !it.is_empty()), "{}", answer.body);
    }
    for (name, code) in [
        (" ".repeat(3), "blank"),
        ("市".repeat(101), "too_long"),
        ("市\u{7}平均".to_owned(), "control_character"),
    ] {
        let target = relative("gte", json!(null), json!({ "kind": "external", "name": name }));
        let answer = api.patch(path, "*", &json!({ "target": target })).await;
        answer.must_refuse(422, &[("/target/reference/name", code)]);
    }
}

/// The indicators of three references in the policy for 2024, none with a printed text.
async fn three(api: &Api) -> [String; 3] {
    let goal = api.nishi_goal().await.id();
    let mut ids = Vec::new();
    for (name, target) in [
        (
            "相談の件数",
            relative(
                "decrease_by_percent",
                json!(5),
                json!({ "kind": "fiscal_year", "fiscal_year": 2022, "value": 1020 }),
            ),
        ),
        (
            "参加者数",
            relative("increase_by_percent", json!(2.5), json!({ "kind": "previous_year" })),
        ),
        ("満足度", on_average("gte", json!(58.3))),
    ] {
        let unit = if name == "満足度" { "%" } else { "件" };
        let input = with(
            factories::indicator(&goal, name),
            json!({ "target": target, "unit": unit }),
        );
        let id = api.post("/v1/indicators", &input).await.must_be(201).id();
        let result = with(
            factories::result(2024),
            json!({ "value": 60, "text": null, "declared_rating": null }),
        );
        api.create(format!("/v1/indicators/{id}/results/2024"), &result)
            .await
            .must_be(201);
        ids.push(id);
    }
    ids.try_into().unwrap()
}

#[actix_web::test]
async fn a_form_prints_what_a_target_refers_to() {
    let api = Api::new().await;
    three(&api).await;
    let answer = api.get("/v1/policies/nishi/2024/form").await.must_be(200);
    let page = String::from_utf8(answer.bytes.to_vec()).unwrap();
    for words in ["令和4年度比5%減（1,020件）", "前年度比2.5%増", "市平均以上（58.3%）"] {
        assert!(page.contains(words), "{words}");
    }
}

#[actix_web::test]
async fn tables_and_trees_take_such_targets_away_and_bring_them_back() {
    let api = Api::new().await;
    let [less, _, average] = three(&api).await;
    let table = api.get("/v1/exports/indicators?names=code").await.must_be(200);
    let mut reader = csv::Reader::from_reader(&table.bytes[..]);
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |id: &str, head: &str| {
        let place = |head: &str| heads.iter().position(|it| it == head).unwrap();
        let row = rows.iter().find(|row| &row[place("indicator_id")] == id).unwrap();
        row[place(head)].to_owned()
    };
    for (id, head, expected) in [
        (&less, "comparator", "decrease_by_percent"),
        (&less, "target_value", "5"),
        (&less, "reference_name", ""),
        (&average, "reference_kind", "external"),
        (&average, "reference_value", "58.3"),
        (&average, "reference_name", "市平均"),
    ] {
        assert_eq!(cell(id, head), expected, "{head}");
    }
    let workbook = api.get("/v1/exports/indicators?format=xlsx").await.must_be(200);
    assert!(workbook.bytes.starts_with(b"PK"));

    // The table of results goes round, and so does the whole policy, to another installation too.
    let results = api.get("/v1/exports/results").await.must_be(200);
    let report = api.sheet("", "text/csv", results.bytes.clone()).await.must_be(200).body;
    assert_eq!(
        (&report["created"], &report["changed"]),
        (&json!(0), &json!(0)),
        "{report:#}"
    );
    let tree = api.get("/v1/policies/nishi/2024/tree").await.must_be(200).body;
    let other = Api::new().await;
    other.organization().await;
    let report = other.post("/v1/imports/policies", &tree).await.must_be(200).body;
    assert_eq!(report["stored"], true, "{report:#}");
    let targets = |tree: &Value| -> Vec<Value> {
        let indicators = tree["goals"][0]["indicators"].as_array().unwrap();
        indicators.iter().map(|it| it["target"].clone()).collect()
    };
    let there = other.get("/v1/policies/nishi/2024/tree").await.must_be(200).body;
    assert_eq!(targets(&there), targets(&tree));
    let put = api.put("/v1/policies/nishi/2024/tree", "*", &tree).await.must_be(200);
    assert_eq!(put.body, tree);
}

/// The examples of the second edition of the rules.
#[actix_web::test]
async fn favourable_and_attainment_follow_the_second_edition() {
    let api = Api::new().await;
    let range = with(
        at_least(&json!(2000)),
        json!({ "comparator": "between", "upper": 2400, "text": null }),
    );
    let more = relative("increase_by", json!(5), json!({ "kind": "constant", "value": 100 }));
    let more_percent = relative(
        "increase_by_percent",
        json!(5),
        json!({ "kind": "constant", "value": 100 }),
    );
    let best = json!({ "unit": "件", "direction": "target_is_best" });
    for (target, before, now, favourable) in [
        (&range, 2300, 1990, json!(false)),
        (&more, 90, 104, json!(true)),
        (&more_percent, 90, 104, json!(true)),
        (&more_percent, 104, 112, json!(false)),
    ] {
        let result = json!({ "value": now, "stated_previous_value": before });
        let case = with(preview(target, result), best.clone());
        let it = api
            .post("/v1/evaluations/preview?on=2025-07-15", &case)
            .await
            .must_be(200)
            .body;
        assert_eq!(it["previous"]["change"]["favourable"], favourable, "{before} to {now}");
    }
    let case = preview(&at_least(&json!(60)), json!({ "value": 0 }));
    let it = api
        .post("/v1/evaluations/preview?on=2025-07-15", &case)
        .await
        .must_be(200)
        .body;
    assert_eq!((&it["attainment"], &it["attainment_reason"]), (&json!(0), &Value::Null));
}
