//! The days on which evaluations turn: the end of a fiscal year, and the day on which each year's results are due.

use serde_json::{Value, json};

use super::{preview, summary_counts::public};
use crate::support::{
    Api, Call,
    factories::{self, at_least, with},
    years::Years,
};

/// A result without a value, of which nobody has said why.
fn nothing_yet(year: i32) -> Value {
    with(
        factories::result(year),
        json!({ "value": null, "value_status": "not_yet_due", "text": null, "declared_rating": null }),
    )
}

async fn outcome(api: &Api, case: &Value, on: &str) -> Value {
    let path = format!("/v1/evaluations/preview?on={on}");
    let body = api.post(path, case).await.must_be(200).body;
    json!([body["outcome"], body["reason"], body["rating"]])
}

#[actix_web::test]
async fn a_provisional_value_is_not_the_last_word_before_its_year_is_over() {
    let api = Api::new().await;
    let of = |value: i32| {
        let result = json!({ "value": value, "observation_status": "provisional" });
        preview(&at_least(&json!(50)), result)
    };
    for (value, on, expected) in [
        (48, "2025-03-31", json!(["in_progress", "period_running", null])),
        (50, "2025-03-31", json!(["achieved", "early", "A"])),
        (48, "2025-04-01", json!(["not_achieved", null, "B"])),
        (50, "2025-04-01", json!(["achieved", null, "A"])),
    ] {
        assert_eq!(outcome(&api, &of(value), on).await, expected, "{value} on {on}");
    }
}

#[actix_web::test]
async fn a_sum_within_its_upper_bound_is_in_progress_until_the_last_year() {
    let api = Api::new().await;
    let target = with(
        at_least(&json!(300)),
        json!({ "text": "300件以下（R6～R8合計）", "comparator": "lte", "period": { "kind": "cumulative", "from": 2024, "to": 2026 } }),
    );
    for (year, sum, expected) in [
        (2024, 250, json!(["in_progress", "period_running", null])),
        (2024, 301, json!(["not_achieved", null, "B"])),
        (2026, 250, json!(["achieved", null, "A"])),
    ] {
        let result = json!({ "fiscal_year": year, "value": 1, "cumulative_value": sum });
        let case = with(preview(&target, result), json!({ "unit": "件", "decimals": 0 }));
        assert_eq!(outcome(&api, &case, "2027-07-01").await, expected, "{sum} in {year}");
    }
}

#[actix_web::test]
async fn a_target_on_a_year_that_is_not_comparable_has_no_reference_printed_or_not() {
    let api = Api::new().await;
    let more = with(
        at_least(&json!(null)),
        json!({ "text": "前年度実績を上回る", "comparator": "increase", "reference": { "kind": "previous_year" } }),
    );
    let result = json!({ "value": 60, "stated_previous_value": 50 });
    for (comparable, expected) in [
        (json!(null), json!(["achieved", null, "A"])),
        (json!(true), json!(["achieved", null, "A"])),
        (json!(false), json!(["not_evaluable", "reference_missing", null])),
    ] {
        let case = with(
            preview(&more, result.clone()),
            json!({ "comparable_with_previous": comparable }),
        );
        assert_eq!(outcome(&api, &case, "2025-07-01").await, expected, "{comparable}");
    }
}

#[actix_web::test]
async fn the_row_of_another_year_than_its_policys_is_due_on_that_years_own_day() {
    let api = Api::new().await;
    api.organization().await;
    let policy = api.policy("nishi", 2023).await.id();
    let goal = api.goal(&policy, "1-1").await.id();
    let over_three = json!({ "target": with(
        at_least(&json!(300)),
        json!({ "text": "300件以上（R5～R7合計）", "period": { "kind": "cumulative", "from": 2023, "to": 2025 } }),
    ), "unit": "件" });
    let indicator = with(factories::indicator(&goal, "相談の件数"), over_three);
    let id = api.post("/v1/indicators", &indicator).await.must_be(201).id();
    for year in [2024, 2099] {
        let path = format!("/v1/indicators/{id}/results/{year}");
        api.create(path, &nothing_yet(year)).await.must_be(201);
    }
    for (on, of_2023, of_2024) in [
        ("2024-06-30", "pending", "pending"),
        ("2024-07-01", "overdue", "pending"),
        ("2025-06-30", "overdue", "pending"),
        ("2025-07-01", "overdue", "overdue"),
    ] {
        let rows = api.list(format!("/v1/evaluations?on={on}&fiscal_year=2023,2024")).await;
        let rows: Vec<_> = rows.iter().map(|row| json!([row["due_on"], row["outcome"]])).collect();
        let expected = [json!(["2024-06-30", of_2023]), json!(["2025-06-30", of_2024])];
        assert_eq!(rows, expected, "{on}");
    }
    // What was due long ago, and what is not due for long, wherever the result is shown.
    for (year, expected) in [(2024, "not_reported"), (2099, "not_yet_due")] {
        let shown = api.get(format!("/v1/indicators/{id}/results/{year}")).await;
        assert_eq!(shown.text("value_status"), expected);
        let export = api
            .get(format!("/v1/exports/results?format=ndjson&fiscal_year={year}"))
            .await
            .must_be(200);
        let row: Value = serde_json::from_slice(&export.bytes).unwrap();
        assert_eq!(row["value_status"], expected, "{row}");
    }
}

#[actix_web::test]
async fn a_summary_is_right_on_both_sides_of_every_day_on_which_it_turns() {
    let years = Years::published().await;
    let api = years.api.beside(0).await;
    let path = format!("/v1/indicators/{}/results", years.known[1]);
    let early = json!({ "value": 40, "observation_status": "provisional", "declared_rating": null });
    api.patch(format!("{path}/2025"), "*", &early).await.must_be(200);
    let late = Call::new("PUT", format!("{path}/2027")).header("if-none-match", "*");
    api.send(late.because("追加").json(&nothing_yet(2027)))
        .await
        .must_be(201);
    for (on, in_progress, not_achieved, pending, overdue) in [
        ("2026-03-31", 1, 0, 1, 0),
        ("2026-04-01", 0, 1, 1, 0),
        ("2026-07-01", 0, 1, 1, 0),
        ("2028-06-30", 0, 1, 1, 0),
        ("2028-07-01", 0, 1, 0, 1),
    ] {
        let summary = public(&api, &format!("/v1/evaluations/summary?on={on}&fiscal_year=2025,2027")).await;
        let list = public(
            &api,
            &format!("/v1/evaluations?on={on}&fiscal_year=2025,2027&limit=1000"),
        )
        .await;
        let rows = list["items"].as_array().unwrap();
        let mine: Vec<_> = rows
            .iter()
            .filter(|row| row["indicator_id"] == json!(years.known[1]))
            .map(|row| row["outcome"].as_str().unwrap())
            .collect();
        for (outcome, of_mine) in [
            ("in_progress", in_progress),
            ("not_achieved", not_achieved),
            ("pending", pending),
            ("overdue", overdue),
        ] {
            let of_all = rows.iter().filter(|row| row["outcome"] == json!(outcome)).count();
            assert_eq!(summary["items"][0]["roll_up"][outcome], of_all, "{outcome} on {on}");
            assert_eq!(
                mine.iter().filter(|it| **it == outcome).count(),
                of_mine,
                "{outcome} on {on}"
            );
        }
    }
    let stale = "select organization_id::text as value from derived.tallied where rules = 0";
    assert!(api.db.values(stale).is_empty(), "the summaries were counted beforehand");
}
