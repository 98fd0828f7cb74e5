//! Coverage over HTTP: who has published, and who is late.

use serde_json::{Value, json};

use crate::support::{Api, Call, years::Years};

async fn publish(api: &Api, policy: &str, kind: &str, day: &str) {
    let body = json!({ "kind": kind, "published_on": day, "reason": "試験" });
    api.publication(policy, "*", &body).await.must_be(201);
}

fn states(report: &Value) -> Vec<(Value, Value, Value)> {
    let items = report["items"].as_array().unwrap();
    items
        .iter()
        .map(|it| (it["organization"].clone(), it["state"].clone(), it["days_late"].clone()))
        .collect()
}

#[actix_web::test]
async fn every_organization_stands_somewhere_and_the_roll_up_adds_up() {
    let years = Years::drafted().await;
    let api = &years.api;
    api.bureau("keikaku").await;
    publish(api, "nishi/2024", "plan", "2024-04-01").await;
    for (on, state, late, pending, overdue) in [
        ("2025-06-30", "plan", json!(null), 0, 0),
        ("2025-07-03", "late", json!(3), 0, 0),
    ] {
        let report = api
            .get(format!("/v1/coverage?fiscal_year=2024&on={on}"))
            .await
            .must_be(200)
            .body;
        assert_eq!(
            states(&report),
            [
                (json!("nishi"), json!(state), late),
                (json!("keikaku"), json!("missing"), json!(null)),
            ]
        );
        let nishi = &report["items"][0];
        assert_eq!(
            (&nishi["plan_published_on"], &nishi["results_due_on"]),
            (&json!("2024-04-01"), &json!("2025-06-30"))
        );
        let expected = json!({ "total": 3, "results_in": 3, "pending": pending, "overdue": overdue });
        assert_eq!(nishi["indicators"], expected, "its own draft results are there");
        let roll_up = &report["roll_up"];
        assert_eq!(
            (&roll_up["total"], &roll_up[state], &roll_up["missing"]),
            (&json!(2), &json!(1), &json!(1))
        );
        assert_eq!(roll_up["indicators"], expected);
    }
}

#[actix_web::test]
async fn results_that_came_late_say_by_how_many_days() {
    let years = Years::drafted().await;
    let api = &years.api;
    publish(api, "nishi/2024", "plan", "2024-04-01").await;
    let said = json!({ "self_evaluation": ["おおむね達成した。"], "future_policy": ["続ける。"] });
    api.patch("/v1/policies/nishi/2024", "*", &said).await.must_be(200);
    publish(api, "nishi/2024", "results", "2025-07-10").await;
    let report = api.get("/v1/coverage?on=2025-12-01").await.must_be(200).body;
    assert_eq!(
        report["fiscal_years"],
        json!([2024]),
        "the latest with a published policy"
    );
    let nishi = &report["items"][0];
    assert_eq!((&nishi["state"], &nishi["days_late"]), (&json!("results"), &json!(10)));
    assert_eq!(nishi["results_published_on"], "2025-07-10");
    assert_eq!(
        (&report["roll_up"]["results"], &report["roll_up"]["results_late"]),
        (&json!(1), &json!(1))
    );

    publish(api, "nishi/2024", "withdrawal", "2025-08-01").await;
    for call in [
        Call::new("GET", "/v1/coverage?fiscal_year=2024").anonymous(),
        Call::new("GET", "/v1/coverage?fiscal_year=2024"),
    ] {
        let report = api.send(call).await.must_be(200).body;
        let nishi = &report["items"][0];
        assert_eq!(
            (&nishi["state"], &nishi["withdrawn_on"]),
            (&json!("withdrawn"), &json!("2025-08-01"))
        );
        assert_eq!(nishi["days_late"], json!(null));
    }
}

#[actix_web::test]
async fn a_draft_looks_like_nothing_to_the_public_and_its_results_are_not_in() {
    let years = Years::drafted().await;
    let api = &years.api;
    let public = async |query: &str| {
        api.send(Call::new("GET", format!("/v1/coverage?{query}")).anonymous())
            .await
            .must_be(200)
            .body
    };
    let draft = public("fiscal_year=2024").await;
    assert_eq!(states(&draft), [(json!("nishi"), json!("missing"), json!(null))]);
    assert_eq!(draft["items"][0]["policy_id"], json!(null));
    let ours = api.get("/v1/coverage?fiscal_year=2024").await.must_be(200).body;
    assert_eq!(ours["items"][0]["state"], "draft");
    publish(api, "nishi/2024", "plan", "2024-04-01").await;
    let planned = public("fiscal_year=2024&on=2025-07-01").await;
    let expected = json!({ "total": 3, "results_in": 0, "pending": 0, "overdue": 3 });
    assert_eq!(planned["items"][0]["indicators"], expected);
    let planned = public("fiscal_year=2024&on=2025-06-30").await;
    let expected = json!({ "total": 3, "results_in": 0, "pending": 3, "overdue": 0 });
    assert_eq!(planned["items"][0]["indicators"], expected);
}

#[actix_web::test]
async fn coverage_is_filtered_by_organization_year_and_state() {
    let years = Years::published().await;
    let api = &years.api;
    api.bureau("keikaku").await;
    for (query, found) in [
        ("fiscal_year=2024,2025", 4),
        ("fiscal_year=2024..2026", 6),
        ("fiscal_year=2024&organization=keikaku", 1),
        ("fiscal_year=2024,2025&state=results", 2),
        ("fiscal_year=2024,2025&state=late,draft", 0),
    ] {
        let report = api.get(format!("/v1/coverage?{query}")).await.must_be(200).body;
        assert_eq!(report["items"].as_array().unwrap().len(), found, "{query}");
        assert_eq!(report["roll_up"]["total"], json!(found), "{query}");
    }
    api.get("/v1/coverage?fiscal_year=2000..2020")
        .await
        .must_refuse(400, &[("fiscal_year", "too_many")]);
}
