//! `/v1/budgets`

use serde_json::{Value, json};

use crate::support::{
    Api,
    factories::{budget, goal, new_id, with},
};

pub(crate) mod vintages;

/// A figure of this status, with or without amount.
fn figure(goal_id: &str, kind: &str, status: &str, amount: Option<i64>) -> Value {
    with(
        budget(goal_id, 2024, kind),
        json!({ "status": status, "amount_yen": amount, "precision_yen": amount.map(|_| 1_000_000), "text": null }),
    )
}

#[actix_web::test]
async fn nought_dash_and_blank_are_three_things() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for (kind, status, amount) in [
        ("actual", "stated", Some(0)),
        ("initial", "none", None),
        ("revised", "blank", None),
    ] {
        let created = api
            .post("/v1/budgets", &figure(&goal, kind, status, amount))
            .await
            .must_be(201);
        assert_eq!(
            (
                &created.body["status"],
                &created.body["amount_yen"],
                &created.body["precision_yen"]
            ),
            (&json!(status), &json!(amount), &json!(amount.map(|_| 1_000_000)))
        );
    }
}

#[actix_web::test]
async fn an_amount_belongs_to_a_stated_figure_and_to_no_other() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for status in ["none", "blank"] {
        let answer = api
            .post("/v1/budgets", &figure(&goal, "initial", status, Some(0)))
            .await;
        answer.must_refuse(422, &[("/amount_yen", "status"), ("/precision_yen", "status")]);
    }
    let answer = api.post("/v1/budgets", &figure(&goal, "initial", "stated", None)).await;
    answer.must_refuse(422, &[("/amount_yen", "status"), ("/precision_yen", "status")]);
    let created = api.post("/v1/budgets", &budget(&goal, 2024, "initial")).await;
    let path = created.header("location").to_owned();
    let answer = api.patch(&path, "*", &json!({ "status": "blank" })).await;
    answer.must_refuse(422, &[("/amount_yen", "status"), ("/precision_yen", "status")]);
    let blank = json!({ "status": "blank", "amount_yen": null, "precision_yen": null });
    let patched = api.patch(&path, "*", &blank).await.must_be(200);
    assert_eq!(patched.body["amount_yen"], Value::Null);
}

#[actix_web::test]
async fn an_amount_is_a_multiple_of_its_precision() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    for (amount, precision, pointer, code) in [
        (1_500_000, json!(1_000_000), "/amount_yen", "precision"),
        (-1, json!(1000), "/amount_yen", "precision"),
        (0, json!(0), "/precision_yen", "minimum"),
        (1000, json!(-1000), "/precision_yen", "minimum"),
        (1000, json!(1_000_000_000_001_i64), "/precision_yen", "maximum"),
    ] {
        let body = with(
            budget(&goal, 2024, "initial"),
            json!({ "amount_yen": amount, "precision_yen": precision }),
        );
        api.post("/v1/budgets", &body)
            .await
            .must_refuse(422, &[(pointer, code)]);
    }
    let negative = with(
        budget(&goal, 2024, "initial"),
        json!({ "amount_yen": -3000, "precision_yen": 1000, "text": "▲3千円" }),
    );
    let created = api.post("/v1/budgets", &negative).await.must_be(201);
    assert_eq!(created.body["amount_yen"], -3000);
}

#[actix_web::test]
async fn amounts_have_at_most_15_digits() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let most = 999_999_999_999_999_i64;
    for (amount, kind) in [(most, "actual"), (-most, "initial")] {
        let body = with(
            budget(&goal, 2024, kind),
            json!({ "amount_yen": amount, "precision_yen": 1 }),
        );
        let created = api.post("/v1/budgets", &body).await.must_be(201);
        assert_eq!(created.body["amount_yen"], amount);
    }
    for (amount, code) in [
        (json!(most + 1), "maximum"),
        (json!(-most - 1), "minimum"),
        (json!(i64::MIN), "minimum"),
        (json!("85百万円"), "type"),
        (json!(0.5), "type"),
    ] {
        let body = with(
            budget(&goal, 2024, "revised"),
            json!({ "amount_yen": amount, "precision_yen": 1 }),
        );
        api.post("/v1/budgets", &body)
            .await
            .must_refuse(422, &[("/amount_yen", code)]);
    }
}

#[actix_web::test]
async fn a_goal_has_one_figure_of_a_kind_and_year() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    api.post("/v1/budgets", &budget(&goal, 2024, "initial"))
        .await
        .must_be(201);
    api.post("/v1/budgets", &budget(&goal, 2024, "actual"))
        .await
        .must_be(201);
    let other = api
        .post("/v1/budgets", &budget(&goal, 2023, "initial"))
        .await
        .must_be(201);
    let answer = api.post("/v1/budgets", &budget(&goal, 2024, "initial")).await;
    answer.must_refuse(409, &[("/fiscal_year", "constraint")]);
    let answer = api
        .patch(other.header("location"), "*", &json!({ "fiscal_year": 2024 }))
        .await;
    answer.must_refuse(409, &[("/fiscal_year", "constraint")]);
}

#[actix_web::test]
async fn a_budget_needs_a_goal_that_exists() {
    let api = Api::new().await;
    let answer = api.post("/v1/budgets", &budget(&new_id(), 2024, "initial")).await;
    answer.must_refuse(409, &[("/goal_id", "constraint")]);
}

#[actix_web::test]
async fn a_new_identifier_must_be_a_uuid_of_version_7() {
    let api = Api::new().await;
    let body = budget(&api.nishi_goal().await.id(), 2024, "initial");
    let answer = api
        .create("/v1/budgets/9b2f0d3c-6d1f-4b2a-9c3e-0f1a2b3c4d5e", &body)
        .await;
    answer.must_refuse(422, &[("", "uuid_version")]);
    let id = new_id();
    let created = api.create(format!("/v1/budgets/{id}"), &body).await.must_be(201);
    assert_eq!(created.id(), id);
}

#[actix_web::test]
async fn every_broken_rule_is_named_at_once() {
    let api = Api::new().await;
    let body = json!({ "goal_id": null, "fiscal_year": 24, "kind": "intial", "status": "state", "amount_yen": "1", "text": "", "amount": 1 });
    let answer = api.post("/v1/budgets", &body).await;
    answer.must_refuse(
        422,
        &[
            ("/goal_id", "type"),
            ("/fiscal_year", "minimum"),
            ("/kind", "unknown_code"),
            ("/status", "unknown_code"),
            ("/amount_yen", "type"),
            ("/text", "blank"),
            ("/amount", "unknown_field"),
        ],
    );
    assert_eq!(answer.suggestion("/kind").as_deref(), Some("initial"));
    assert_eq!(answer.suggestion("/status").as_deref(), Some("stated"));
    assert_eq!(answer.suggestion("/amount").as_deref(), Some("amount_yen"));
}

/// Two goals in two years: what the lists and sums below are about.
async fn figures(api: &Api) -> (String, String) {
    api.organization().await;
    api.bureau("keikaku").await;
    let (nishi, keikaku) = (
        api.policy("nishi", 2024).await.id(),
        api.policy("keikaku", 2023).await.id(),
    );
    let (first, second) = (
        api.post("/v1/goals", &goal(&nishi, "1-1")).await.id(),
        api.post("/v1/goals", &goal(&keikaku, "1-1")).await.id(),
    );
    for (goal, year, kind, amount) in [
        (&first, 2022, "actual", 323),
        (&first, 2023, "initial", 371),
        (&first, 2024, "initial", 408),
        (&second, 2022, "actual", 10),
        (&second, 2024, "initial", 20),
    ] {
        let body = with(budget(goal, year, kind), json!({ "amount_yen": amount * 1_000_000 }));
        api.post("/v1/budgets", &body).await.must_be(201);
    }
    (first, second)
}

#[actix_web::test]
async fn budgets_are_listed_by_organization_years_kind_and_goal() {
    let api = Api::new().await;
    let (first, second) = figures(&api).await;
    for (query, expected) in [
        (String::new(), 5),
        ("organization=nishi".into(), 3),
        ("organization=271063,keikaku".into(), 5),
        ("organization=kita".into(), 0),
        ("policy_year=2023".into(), 2),
        ("policy_year=2022".into(), 0),
        ("fiscal_year=2022".into(), 2),
        ("fiscal_year=令和5..R6".into(), 3),
        ("fiscal_year=2025".into(), 0),
        ("kind=actual".into(), 2),
        ("kind=actual,initial".into(), 5),
        ("kind=revised".into(), 0),
        (format!("goal={first}"), 3),
        (format!("goal={first},{second}"), 5),
        (format!("goal={}", new_id()), 0),
        (format!("goal={second}&kind=initial&fiscal_year=2024"), 1),
    ] {
        assert_eq!(
            api.list(format!("/v1/budgets?{query}")).await.len(),
            expected,
            "{query}"
        );
    }
    api.get("/v1/budgets?goal=1-1")
        .await
        .must_refuse(400, &[("goal", "format")]);
}

#[actix_web::test]
async fn budgets_add_up_by_what_is_asked_for() {
    let api = Api::new().await;
    figures(&api).await;
    let summary = api
        .get("/v1/budgets/summary?organization=nishi&policy_year=2024&group_by=fiscal_year,kind")
        .await
        .must_be(200);
    let rows: Vec<_> = summary.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["fiscal_year"].clone(),
                row["kind"].clone(),
                row["sum"]["amount_yen"].clone(),
                row["sum"]["complete"].clone(),
                row["organization"].clone(),
            )
        })
        .collect();
    let row = |year: i32, kind: &str, amount: i64| (json!(year), json!(kind), json!(amount), json!(true), Value::Null);
    assert_eq!(
        rows,
        [
            row(2022, "actual", 323_000_000),
            row(2023, "initial", 371_000_000),
            row(2024, "initial", 408_000_000)
        ]
    );
    let all = api.list("/v1/budgets/summary").await;
    assert!(
        all.iter()
            .all(|sum| sum["fiscal_year"].is_i64() && sum["kind"].is_string()),
        "kinds and years never mix"
    );
    for (by, groups) in [
        ("organization", 5),
        ("policy_year", 5),
        ("fiscal_year", 3),
        ("kind", 3),
        ("goal", 5),
        ("goal,fiscal_year", 5),
    ] {
        let items = api.get(format!("/v1/budgets/summary?group_by={by}")).await.body["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), groups, "{by}");
    }
    let none = api.get("/v1/budgets/summary?organization=kita").await.must_be(200);
    assert_eq!(none.body["items"], json!([]));
    let answer = api.get("/v1/budgets/summary?group_by=year").await;
    answer.must_refuse(400, &[("group_by", "unknown_code")]);
}

#[actix_web::test]
async fn an_amount_that_is_not_read_has_its_text() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let answer = api
        .post("/v1/budgets", &figure(&goal, "expected", "unread", None))
        .await;
    answer.must_refuse(422, &[("/text", "status")]);
    let unread = with(figure(&goal, "expected", "unread", None), json!({ "text": "調整中" }));
    let unread = api.post("/v1/budgets", &unread).await.must_be(201);
    let sums = api.list("/v1/budgets/summary?kind=expected").await;
    assert_eq!(
        sums[0]["sum"],
        json!({
            "amount_yen": null, "complete": false, "stated": 0,
            "missing": [{ "id": unread.id(), "goal_code": "1-1", "status": "unread" }]
        })
    );
    let vintages = api.list("/v1/budgets/vintages").await;
    assert_eq!(vintages[0]["expected"][0]["text"], json!("調整中"));
}

#[actix_web::test]
async fn a_sum_names_the_figures_it_lacks() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    api.post("/v1/budgets", &budget(&goal, 2024, "initial"))
        .await
        .must_be(201);
    let dash = api
        .post("/v1/budgets", &figure(&goal, "revised", "none", None))
        .await
        .must_be(201);
    let other = api
        .goal(&api.get(format!("/v1/goals/{goal}")).await.text("policy_id"), "1-2")
        .await
        .id();
    api.post("/v1/budgets", &budget(&other, 2024, "revised"))
        .await
        .must_be(201);
    let sums = api.list("/v1/budgets/summary").await;
    let initial = json!({ "amount_yen": 85_000_000, "complete": true, "stated": 1, "missing": [] });
    let revised = json!({
        "amount_yen": 85_000_000, "complete": false, "stated": 1,
        "missing": [{ "id": dash.id(), "goal_code": "1-1", "status": "none" }]
    });
    assert_eq!((&sums[0]["sum"], &sums[1]["sum"]), (&initial, &revised));
    let only = api.list(format!("/v1/budgets/summary?kind=revised&goal={goal}")).await;
    assert_eq!(
        (&only[0]["sum"]["amount_yen"], &only[0]["sum"]["complete"]),
        (&Value::Null, &json!(false))
    );
}
