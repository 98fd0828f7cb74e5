//! `/v1/policies`

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Api,
    factories::{Nishi, policy, with},
};

#[actix_web::test]
async fn a_policy_is_shown_as_it_was_given() {
    let api = Api::new().await;
    api.organization().await;
    let created = api.policy("nishi", 2024).await;
    assert_snapshot!(created.shown(), @r#"
    {
      "basic_approach": [],
      "created_at": "[created_at]",
      "fiscal_year": 2024,
      "future_policy": null,
      "head_name": "三村 浩也",
      "head_title": null,
      "id": "[id]",
      "mission": [
        "こども・子育て施策の充実",
        "防災力の強化"
      ],
      "organization": "nishi",
      "organization_name": "西区",
      "plan_published_on": null,
      "results_due_on": "2025-06-30",
      "results_published_on": null,
      "self_evaluation": null,
      "source": "運営方針",
      "stage": "draft",
      "updated_at": "[updated_at]",
      "version": 1,
      "vision": [
        "「誰もが誇りに思える西区」"
      ]
    }
    "#);
}

#[actix_web::test]
async fn a_policy_goes_by_slug_or_municipality_code_and_year() {
    let api = Api::new().await;
    api.organization().await;
    let created = api.post("/v1/policies", &policy("271063", 2024)).await.must_be(201);
    assert_eq!(created.header("location"), "/v1/policies/nishi/2024");
    for path in ["/v1/policies/nishi/2024", "/v1/policies/271063/2024"] {
        assert_eq!(api.get(path).await.must_be(200).etag(), created.etag());
    }
    for missing in [
        "/v1/policies/nishi/2023",
        "/v1/policies/kita/2024",
        "/v1/policies/nishi/24",
        "/v1/policies/nishi/R99",
        "/v1/policies/nishi/99999999999",
        "/v1/policies/nishi/2024.0",
        "/v1/policies/nishi/02024",
        "/v1/policies/nishi/+2024",
        "/v1/policies/Nishi/2024",
    ] {
        api.get(missing).await.must_be(404);
    }
}

#[actix_web::test]
async fn put_creates_the_policy_of_the_path_and_no_other() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    let answer = api.create("/v1/policies/nishi/2024", &policy("keikaku", 2025)).await;
    answer.must_refuse(
        422,
        &[("/organization", "path_mismatch"), ("/fiscal_year", "path_mismatch")],
    );
    let created = api
        .create("/v1/policies/271063/2024", &policy("nishi", 2024))
        .await
        .must_be(201);
    assert_eq!(created.header("location"), "/v1/policies/nishi/2024");
}

#[actix_web::test]
async fn an_organization_has_one_policy_a_year() {
    let api = Api::new().await;
    api.organization().await;
    api.policy("nishi", 2024).await;
    api.policy("nishi", 2025).await;
    let answer = api.post("/v1/policies", &policy("271063", 2024)).await;
    answer.must_refuse(409, &[("/fiscal_year", "constraint")]);
    let answer = api
        .patch("/v1/policies/nishi/2025", "*", &json!({ "fiscal_year": 2024 }))
        .await;
    answer.must_refuse(409, &[("/fiscal_year", "constraint")]);
}

#[actix_web::test]
async fn a_policy_needs_an_organization_that_exists() {
    let api = Api::new().await;
    let answer = api.post("/v1/policies", &policy("kita", 2024)).await;
    answer.must_refuse(409, &[("/organization", "missing")]);
}

#[actix_web::test]
async fn results_are_due_on_30_june_unless_stated_otherwise() {
    let api = Api::new().await;
    api.organization().await;
    let created = api.policy("nishi", 2024).await;
    assert_eq!(created.body["results_due_on"], "2025-06-30");
    let stated = api
        .patch(
            "/v1/policies/nishi/2024",
            "*",
            &json!({ "results_due_on": "2025-07-31" }),
        )
        .await;
    assert_eq!(stated.body["results_due_on"], "2025-07-31");
    let cleared = api
        .patch("/v1/policies/nishi/2024", "*", &json!({ "results_due_on": null }))
        .await;
    assert_eq!(cleared.body["results_due_on"], "2025-06-30");
}

#[actix_web::test]
async fn a_due_date_by_default_moves_with_the_year_and_a_stated_one_stays() {
    let api = Api::new().await;
    api.organization().await;
    api.policy("nishi", 2024).await;
    let moved = api
        .patch("/v1/policies/nishi/2024", "*", &json!({ "fiscal_year": 2026 }))
        .await
        .must_be(200);
    assert_eq!(moved.body["results_due_on"], "2027-06-30");
    let stated = json!({ "results_due_on": "2027-07-31" });
    api.patch("/v1/policies/nishi/2026", "*", &stated).await.must_be(200);
    let moved = api
        .patch("/v1/policies/nishi/2026", "*", &json!({ "fiscal_year": 2025 }))
        .await
        .must_be(200);
    assert_eq!(moved.body["results_due_on"], "2027-07-31");
    let too_late = api
        .patch("/v1/policies/nishi/2025", "*", &json!({ "fiscal_year": 2030 }))
        .await;
    too_late.must_refuse(422, &[("/results_due_on", "order")]);
    let both = json!({ "fiscal_year": 2030, "results_due_on": null });
    let moved = api.patch("/v1/policies/nishi/2025", "*", &both).await.must_be(200);
    assert_eq!(moved.body["results_due_on"], "2031-06-30");
}

#[actix_web::test]
async fn results_are_not_due_before_the_year_starts() {
    let api = Api::new().await;
    api.organization().await;
    let early = with(policy("nishi", 2024), json!({ "results_due_on": "2024-03-31" }));
    let answer = api.post("/v1/policies", &early).await;
    answer.must_refuse(422, &[("/results_due_on", "order")]);
    let first_day = with(policy("nishi", 2024), json!({ "results_due_on": "2024-04-01" }));
    api.post("/v1/policies", &first_day).await.must_be(201);
}

#[actix_web::test]
async fn years_lie_between_1950_and_2100() {
    let api = Api::new().await;
    api.organization().await;
    for (year, code) in [
        (json!(1949), "minimum"),
        (json!(2101), "maximum"),
        (json!("2024"), "type"),
        (Value::Null, "type"),
    ] {
        let answer = api
            .post(
                "/v1/policies",
                &with(policy("nishi", 2024), json!({ "fiscal_year": year })),
            )
            .await;
        answer.must_refuse(422, &[("/fiscal_year", code)]);
    }
    for year in [1950, 2100] {
        api.policy("nishi", year).await;
        api.get(format!("/v1/policies/nishi/{year}")).await.must_be(200);
    }
}

#[actix_web::test]
async fn dates_that_do_not_exist_are_refused() {
    let api = Api::new().await;
    api.organization().await;
    for date in [
        "2025-02-30",
        "2025-13-01",
        "2025-6-30",
        "令和7年6月30日",
        "",
        "9999-01-01",
    ] {
        let answer = api
            .post(
                "/v1/policies",
                &with(policy("nishi", 2024), json!({ "results_due_on": date })),
            )
            .await;
        assert_eq!(answer.status, 422, "{date}");
        assert!(
            answer.faults().iter().all(|(place, _)| place == "/results_due_on"),
            "{date}: {:?}",
            answer.faults()
        );
    }
}

#[actix_web::test]
async fn a_text_box_is_a_list_of_whole_texts() {
    let api = Api::new().await;
    api.organization().await;
    for (vision, pointer, code) in [
        (json!("一つ"), "/vision", "type"),
        (json!([null]), "/vision/0", "type"),
        (json!(["一つ", ""]), "/vision/1", "blank"),
        (json!(["一つ", " 二つ"]), "/vision/1", "blank"),
        (json!(["一つ\u{0}"]), "/vision/0", "control_character"),
        (json!(["一つ\r\n二つ"]), "/vision/0", "control_character"),
        (json!(["あ".repeat(4001)]), "/vision/0", "too_long"),
        (json!(vec!["あ"; 101]), "/vision", "too_many"),
    ] {
        let answer = api
            .post(
                "/v1/policies",
                &with(policy("nishi", 2024), json!({ "vision": vision })),
            )
            .await;
        assert_eq!(answer.status, 422);
        assert!(
            answer.faults().contains(&(pointer.to_owned(), code.to_owned())),
            "{code}: {:?}",
            answer.faults()
        );
    }
    let long = json!(["あ".repeat(4000), "一つ\n\t二つ", "😀 が"]);
    let created = api
        .post("/v1/policies", &with(policy("nishi", 2024), json!({ "vision": long })))
        .await
        .must_be(201);
    assert_eq!(created.body["vision"], long);
}

#[actix_web::test]
async fn an_empty_box_and_none_are_two_things() {
    let api = Api::new().await;
    api.organization().await;
    let body = with(policy("nishi", 2024), json!({ "vision": [], "mission": null }));
    let created = api.post("/v1/policies", &body).await.must_be(201);
    assert_eq!(
        (&created.body["vision"], &created.body["mission"]),
        (&json!([]), &Value::Null)
    );
    let other = api
        .patch(
            "/v1/policies/nishi/2024",
            "*",
            &json!({ "vision": null, "mission": [] }),
        )
        .await;
    assert_eq!(
        (&other.body["vision"], &other.body["mission"], &other.body["version"]),
        (&Value::Null, &json!([]), &json!(2))
    );
}

#[actix_web::test]
async fn a_removed_policy_takes_everything_below_along() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.delete("/v1/policies/nishi/2024", &nishi.policy.etag())
        .await
        .must_be(204);
    for path in [
        "/v1/policies",
        "/v1/goals",
        "/v1/budgets",
        "/v1/indicators",
        "/v1/results",
    ] {
        assert!(api.list(path).await.is_empty(), "{path}");
    }
    assert_eq!(api.list("/v1/organizations").await.len(), 1);
}

#[actix_web::test]
async fn a_moved_policy_answers_under_its_new_key() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.patch("/v1/policies/nishi/2024", "*", &json!({ "fiscal_year": 2023 }))
        .await
        .must_be(200);
    api.get("/v1/policies/nishi/2024").await.must_be(404);
    let goal = api.get(format!("/v1/goals/{}", nishi.goal.id())).await;
    assert_eq!(goal.body["policy_year"], 2023);
}

#[actix_web::test]
async fn policies_are_listed_by_organization_and_year() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    for (organization, year) in [("nishi", 2022), ("nishi", 2023), ("nishi", 2024), ("keikaku", 2024)] {
        api.policy(organization, year).await;
    }
    for (query, expected) in [
        ("", 4),
        ("organization=nishi", 3),
        ("organization=271063", 3),
        ("organization=keikaku,271063", 4),
        ("organization=kita", 0),
        ("organization=271276", 0),
        ("fiscal_year=2024", 2),
        ("fiscal_year=R6", 2),
        ("fiscal_year=令和6", 2),
        ("fiscal_year=令和6年度", 2),
        ("fiscal_year=2023..2024", 3),
        ("fiscal_year=R4..R5", 2),
        ("fiscal_year=2022,2024", 3),
        ("fiscal_year=2022..2023,R6", 4),
        ("fiscal_year=2025", 0),
        ("organization=nishi&fiscal_year=2024", 1),
        ("organization=keikaku&fiscal_year=2023", 0),
    ] {
        assert_eq!(
            api.list(format!("/v1/policies?{query}")).await.len(),
            expected,
            "{query}"
        );
    }
    for (query, parameter, code) in [
        ("organization=Nishi", "organization", "format"),
        ("organization=", "organization", "format"),
        ("organization=nishi,", "organization", "format"),
        ("fiscal_year=24x", "fiscal_year", "fiscal_year"),
        ("fiscal_year=", "fiscal_year", "fiscal_year"),
        ("fiscal_year=2024..", "fiscal_year", "fiscal_year"),
        ("fiscal_year=2024..2022", "fiscal_year", "range"),
        ("fiscal_year=1900", "fiscal_year", "fiscal_year"),
        ("fiscal_year=R999", "fiscal_year", "fiscal_year"),
    ] {
        let answer = api.get(format!("/v1/policies?{query}")).await;
        answer.must_refuse(400, &[(parameter, code)]);
    }
}
