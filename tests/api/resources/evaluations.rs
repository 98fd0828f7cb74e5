//! Evaluations over HTTP: rows, proofs, roll-ups and previews.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{self, at_least, with},
};

pub(crate) mod days;
pub(crate) mod orders;
pub(crate) mod references;
pub(crate) mod since;
pub(crate) mod summary_counts;

/// Stores results for the indicators of the sample, in the order of the form.
async fn report(api: &Api, values: &[Value]) -> Vec<String> {
    let tree = api.get("/v1/policies/nishi/2024/tree").await.body;
    let goals = tree["goals"].as_array().unwrap();
    let ids: Vec<String> = goals
        .iter()
        .flat_map(|goal| goal["indicators"].as_array().unwrap())
        .map(|indicator| indicator["id"].as_str().unwrap().to_owned())
        .collect();
    for (id, value) in ids.iter().zip(values) {
        let result = with(
            factories::result(2024),
            json!({ "value": value, "text": null, "declared_rating": null }),
        );
        api.create(format!("/v1/indicators/{id}/results/2024"), &result)
            .await
            .must_be(201);
    }
    ids
}

async fn roll_up(api: &Api, path: &str) -> Value {
    api.get(path).await.must_be(200).body["roll_up"].clone()
}

fn preview(target: &Value, result: Value) -> Value {
    json!({
        "unit": "%", "decimals": 1, "direction": "higher_is_better", "target": target,
        "result": with(with(factories::result(2024), json!({ "text": null, "declared_rating": null })), result),
        "recorded_previous": null, "recorded_reference": null, "comparable_with_previous": null,
        "comparable_reason": null, "due_on": null
    })
}

async fn previewed(api: &Api, case: &Value) -> Answer {
    api.post("/v1/evaluations/preview?on=2025-07-15", case).await
}

#[actix_web::test]
async fn before_the_due_date_all_is_pending_and_after_it_overdue() {
    let api = Api::with_sample().await;
    let pending = roll_up(&api, "/v1/policies/nishi/2024/evaluation?on=2025-04-01").await;
    assert_eq!(
        (&pending["total"], &pending["pending"], &pending["achievement_ratio"]),
        (&json!(10), &json!(10), &json!(null))
    );
    let last_day = roll_up(&api, "/v1/policies/nishi/2024/evaluation?on=2025-06-30").await;
    assert_eq!(last_day["pending"], 10);
    for day in ["2025-07-01", "2025-08-01"] {
        let overdue = roll_up(&api, &format!("/v1/policies/nishi/2024/evaluation?on={day}")).await;
        assert_eq!(
            (&overdue["overdue"], &overdue["pending"]),
            (&json!(10), &json!(0)),
            "{day}"
        );
    }
}

#[actix_web::test]
async fn a_policy_is_due_when_it_says() {
    let api = Api::with_sample().await;
    let policy = api.get("/v1/policies/nishi/2024").await;
    api.patch(
        "/v1/policies/nishi/2024",
        &policy.etag(),
        &json!({ "results_due_on": "2025-09-30" }),
    )
    .await
    .must_be(200);
    assert_eq!(
        roll_up(&api, "/v1/policies/nishi/2024/evaluation?on=2025-08-01").await["pending"],
        10
    );
}

#[actix_web::test]
async fn a_policys_evaluation_counts_its_goals_and_shows_what_its_organization_says() {
    let api = Api::with_sample().await;
    report(&api, &[json!(48), json!(39.9), json!(0)]).await;
    let policy = api.get("/v1/policies/nishi/2024").await;
    api.patch(
        "/v1/policies/nishi/2024",
        &policy.etag(),
        &json!({ "self_evaluation": ["おおむね達成した。"] }),
    )
    .await
    .must_be(200);
    let body = api
        .get("/v1/policies/nishi/2024/evaluation?on=2025-08-01")
        .await
        .must_be(200)
        .body;
    assert_eq!(body["self_evaluation"], json!(["おおむね達成した。"]));
    assert_eq!(body["future_policy"], json!([]));
    let expected = json!({
        "total": 10, "achieved": 1, "not_achieved": 2, "pending": 0, "overdue": 7, "in_progress": 0, "not_evaluable": 0,
        "not_evaluable_by_reason": [], "inconsistent": 0, "achievement_ratio": 0.3333
    });
    assert_eq!(body["roll_up"].to_string(), expected.to_string());
    let goals: Vec<_> = body["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| (g["code"].clone(), g["roll_up"]["total"].clone()))
        .collect();
    assert_eq!(
        goals,
        [
            (json!("1-1"), json!(3)),
            (json!("1-2"), json!(2)),
            (json!("2-1"), json!(1)),
            (json!("3-1"), json!(4))
        ]
    );
    let goal = api
        .get(format!(
            "/v1/goals/{}/evaluation?on=2025-08-01",
            body["goals"][0]["goal_id"].as_str().unwrap()
        ))
        .await
        .must_be(200);
    assert_eq!(goal.body, body["goals"][0]);
}

#[actix_web::test]
async fn a_result_just_short_is_not_achieved_and_says_that_rounding_would_turn_it() {
    let api = Api::with_sample().await;
    let ids = report(&api, &[]).await;
    let path = format!("/v1/indicators/{}", ids[8]);
    let result = with(
        factories::result(2024),
        json!({ "value": 81.15, "text": "81.2%", "declared_rating": "A" }),
    );
    api.create(format!("{path}/results/2024"), &result).await.must_be(201);
    let body = api
        .get(format!("{path}/evaluation?on=2025-08-01"))
        .await
        .must_be(200)
        .body;
    let evaluation = &body["evaluation"];
    assert_eq!(
        (&evaluation["outcome"], &evaluation["rounding_sensitive"]),
        (&json!("not_achieved"), &json!(true))
    );
    assert_eq!(evaluation["gap"].to_string(), "-0.05");
    assert_eq!(
        evaluation["ratings"],
        json!({ "declared": "A", "computed": "B", "official": "A", "consistent": false })
    );
    assert_eq!(evaluation["rating"], "A");
    for (language, words) in [("ja", "四捨五入"), ("en", "Rounded")] {
        assert!(
            evaluation["explanation"][language].as_str().unwrap().contains(words),
            "{evaluation}"
        );
    }
    let inputs = &evaluation["inputs"];
    assert_eq!(
        (inputs["compared_value"].to_string(), inputs["target_value"].to_string()),
        ("81.15".into(), "81.2".into())
    );
    assert_eq!(
        roll_up(&api, "/v1/policies/nishi/2024/evaluation?on=2025-08-01").await["inconsistent"],
        1
    );
}

#[actix_web::test]
async fn zero_is_a_number() {
    let api = Api::new().await;
    let at_most_zero = with(at_least(&json!(0)), json!({ "comparator": "lte", "text": "0以下" }));
    let achieved = previewed(&api, &preview(&at_most_zero, json!({ "value": 0 })))
        .await
        .must_be(200);
    assert_eq!(
        (&achieved.body["outcome"], &achieved.body["gap"]),
        (&json!("achieved"), &json!(0))
    );
    let over = previewed(&api, &preview(&at_most_zero, json!({ "value": 0.1 })))
        .await
        .must_be(200);
    assert_eq!(over.body["outcome"], "not_achieved");
    let from_zero = preview(&at_least(&json!(5)), json!({ "value": 5, "stated_previous_value": 0 }));
    let change = &previewed(&api, &with(from_zero, json!({ "unit": "件" })))
        .await
        .must_be(200)
        .body["previous"]["change"];
    assert_eq!(
        (&change["absolute"], &change["relative"], &change["favourable"]),
        (&json!(5), &json!(null), &json!(true))
    );
}

#[actix_web::test]
async fn the_rating_of_konohana_is_for_the_cumulative_figure() {
    let api = Api::new().await;
    let target = with(
        at_least(&json!(10_000)),
        json!({ "text": "10,000世帯以上（R3～R5合計）", "period": { "kind": "cumulative", "from": 2021, "to": 2023 } }),
    );
    let result = json!({ "fiscal_year": 2023, "value": 4722, "cumulative_value": 10488, "declared_rating": "A" });
    let body = previewed(
        &api,
        &with(preview(&target, result), json!({ "unit": "世帯", "decimals": 0 })),
    )
    .await
    .must_be(200)
    .body;
    assert_eq!(
        (&body["outcome"], &body["inputs"]["compared_field"]),
        (&json!("achieved"), &json!("cumulative_value"))
    );
    assert_eq!(
        (&body["ratings"]["consistent"], &body["gap"]),
        (&json!(true), &json!(488))
    );
    assert!(body["explanation"]["ja"].as_str().unwrap().contains("10,488世帯"));
}

#[actix_web::test]
async fn a_preview_names_what_is_wrong_with_target_and_result_and_stores_nothing() {
    let api = Api::new().await;
    let broken = with(at_least(&json!(5)), json!({ "upper": 9, "value": null }));
    previewed(&api, &preview(&broken, json!({ "value": null, "denominator": 0 })))
        .await
        .must_refuse(
            422,
            &[
                ("/target/value", "target"),
                ("/target/upper", "target"),
                ("/result/value", "value_status"),
                ("/result/denominator", "positive"),
            ],
        );
    previewed(&api, &preview(&at_least(&json!(5)), json!({})))
        .await
        .must_be(200);
    assert_eq!(api.list("/v1/results").await.len(), 0);
}

#[actix_web::test]
async fn last_years_result_is_found_through_the_series_beside_the_printed_one() {
    let api = Api::new().await;
    api.organization().await;
    let mut ids = Vec::new();
    for year in [2023, 2024] {
        let policy = api.policy("nishi", year).await;
        let goal = api.goal(&policy.id(), "1-1").await;
        let series = ids.first().map(|first: &Answer| first.text("series_id"));
        let input = with(
            factories::indicator(&goal.id(), "満足度"),
            json!({ "series_id": series }),
        );
        ids.push(api.post("/v1/indicators", &input).await.must_be(201));
    }
    api.result(&ids[0].id(), 2023).await;
    let path = format!("/v1/indicators/{}", ids[1].id());
    let result = with(
        factories::result(2024),
        json!({ "value": 60, "stated_previous_value": 56.5 }),
    );
    api.create(format!("{path}/results/2024"), &result).await.must_be(201);
    let previous = api.get(format!("{path}/evaluation")).await.must_be(200).body["evaluation"]["previous"].clone();
    assert_eq!((&previous["stated"], &previous["recorded"]), (&json!(56.5), &json!(57)));
    assert_eq!(
        (&previous["change"]["absolute"], &previous["change"]["unit"]),
        (&json!(3.5), &json!("ポイント"))
    );
    let row = &api.list("/v1/evaluations?fiscal_year=2024").await[0];
    assert_eq!(
        (&row["stated_previous_value"], &row["recorded_previous_value"]),
        (&json!(56.5), &json!(57))
    );
}

#[actix_web::test]
async fn an_indicator_has_a_row_for_its_policys_year_and_for_every_year_with_a_result() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await;
    let years = async |path: &str| {
        api.list(path)
            .await
            .iter()
            .map(|row| row["fiscal_year"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(years("/v1/evaluations").await, [2024]);
    for year in [2022, 2025] {
        api.result(&indicator.id(), year).await;
    }
    assert_eq!(years("/v1/evaluations").await, [2022, 2024, 2025]);
    assert_eq!(years("/v1/evaluations?fiscal_year=R7").await, [2025]);
    assert_eq!(
        years("/v1/evaluations?fiscal_year=2022..2024&policy_year=2024").await,
        [2022, 2024]
    );
    assert_eq!(years("/v1/evaluations?policy_year=2022").await, Vec::<i64>::new());
    let path = format!("/v1/indicators/{}/evaluation?fiscal_year=2022", indicator.id());
    assert_eq!(
        api.get(&path).await.must_be(200).body["evaluation"]["fiscal_year"],
        2022
    );
    let none = Call::new("GET", path.replace("2022", "2021")).header("accept-language", "en");
    let none = api.send(none).await.must_be(404);
    assert!(none.text("detail").contains("evaluation"), "{}", none.text("detail"));
    let none = Call::new("GET", format!("/v1/indicators/{}/evaluation", factories::new_id()));
    let none = api.send(none.header("accept-language", "en")).await.must_be(404);
    assert!(none.text("detail").contains("indicator"), "{}", none.text("detail"));
}

#[actix_web::test]
async fn evaluations_are_found_by_everything_they_say() {
    let api = Api::with_sample().await;
    let ids = report(&api, &[json!(48), json!(39.9), json!(5)]).await;
    let goal = api.get(format!("/v1/indicators/{}", ids[0])).await;
    let count = async |query: &str| api.list(format!("/v1/evaluations?on=2025-08-01&{query}")).await.len();
    for (query, expected) in [
        ("organization=nishi", 10),
        ("organization=271063,kita", 10),
        ("organization=kita", 0),
        ("outcome=achieved", 2),
        ("outcome=achieved,not_achieved", 3),
        ("outcome=overdue&organization=nishi", 7),
        ("outcome=pending", 0),
        ("rating=A", 2),
        ("rating=B", 1),
        ("rating=A,B", 3),
        ("kind=outcome", 10),
        ("kind=process", 0),
        ("unit=団体", 1),
        ("unit=%25", 9),
        ("q=窓口", 1),
        ("q=区民&outcome=not_achieved", 1),
        (&format!("goal={}", goal.text("goal_id")), 3),
        (&format!("indicator={},{}", ids[0], ids[9]), 2),
        (&format!("series={}", goal.text("series_id")), 1),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
}

#[actix_web::test]
async fn walking_the_pages_gives_every_row_once_whatever_the_filter() {
    let api = Api::with_sample().await;
    let ids = report(&api, &[json!(48), json!(39.9), json!(5), json!(57)]).await;
    api.result(&ids[1], 2022).await;
    api.result(&ids[1], 2023).await;
    for (filter, expected) in [("", 12), ("outcome=achieved,overdue", 11)] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = api
                .get(format!(
                    "/v1/evaluations?limit=3&include_total=true&on=2025-08-01&{filter}{cursor}"
                ))
                .await
                .must_be(200)
                .body;
            assert_eq!(page["total"], expected);
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|row| (row["indicator_id"].to_string(), row["fiscal_year"].as_i64())),
            );
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            cursor = format!("&cursor={next}");
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (expected, expected), "{filter}");
        assert!(seen.is_sorted());
    }
}

#[actix_web::test]
async fn a_summary_counts_by_what_is_asked_for_and_adds_up() {
    let api = Api::with_sample().await;
    report(&api, &[json!(48), json!(39.9)]).await;
    let counts = async |query: &str| {
        let groups = api.list(format!("/v1/evaluations/summary?on=2025-08-01&{query}")).await;
        for group in &groups {
            let roll_up = &group["roll_up"];
            let parts = [
                "achieved",
                "not_achieved",
                "pending",
                "overdue",
                "in_progress",
                "not_evaluable",
            ];
            let sum: i64 = parts.iter().map(|part| roll_up[part].as_i64().unwrap()).sum();
            assert_eq!(roll_up["total"], sum);
        }
        groups
            .iter()
            .map(|group| group["roll_up"]["total"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(counts("").await, [10]);
    assert_eq!(counts("group_by=organization,fiscal_year").await, [10]);
    assert_eq!(counts("group_by=goal").await.iter().sum::<i64>(), 10);
    assert_eq!(counts("group_by=goal&outcome=overdue").await.iter().sum::<i64>(), 8);
    assert_eq!(counts("organization=kita").await, Vec::<i64>::new());
}

#[actix_web::test]
async fn everything_that_is_judged_says_by_which_day() {
    let api = Api::with_sample().await;
    for path in [
        "policies/nishi/2024/evaluation",
        "evaluations/summary",
        "budgets/summary",
    ] {
        assert_eq!(
            api.get(format!("/v1/{path}?on=2025-04-01")).await.must_be(200).body["on"],
            "2025-04-01",
            "{path}"
        );
        api.get(format!("/v1/{path}?on=2025-02-30"))
            .await
            .must_refuse(400, &[("on", "date")]);
    }
}

#[actix_web::test]
async fn the_tag_of_an_evaluation_follows_the_day_it_was_judged_by() {
    let api = Api::with_sample().await;
    let path = "/v1/policies/nishi/2024/evaluation";
    let tag = async |on: &str| api.get(format!("{path}?on={on}")).await.etag();
    assert_eq!(tag("2025-06-30").await, tag("2025-06-30").await);
    assert_ne!(tag("2025-06-30").await, tag("2025-07-01").await);
}

#[actix_web::test]
async fn results_that_are_not_numbers_are_never_counted_as_zero() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await;
    for (year, status, outcome) in [
        (2020, "being_compiled", "pending"),
        (2021, "not_measured", "not_evaluable"),
        (2022, "not_applicable", "not_evaluable"),
        (2023, "withheld", "not_evaluable"),
        (2025, "text_only", "not_evaluable"),
        (2026, "discontinued", "not_evaluable"),
    ] {
        let result = with(
            factories::result(year),
            json!({ "value": null, "value_status": status, "declared_rating": null }),
        );
        api.create(format!("/v1/indicators/{}/results/{year}", indicator.id()), &result)
            .await
            .must_be(201);
        let row = &api.list(format!("/v1/evaluations?fiscal_year={year}")).await[0];
        assert_eq!(
            (&row["value"], &row["outcome"], &row["reason"]),
            (&json!(null), &json!(outcome), &json!(status))
        );
    }
}
