//! What an empty database gets: the wards and Nishi Ward's policy, as the city published it.

use serde_json::{Value, json};
use ward_policy::cli::sample;

use super::Api;

impl Api {
    /// A service that started on an empty database.
    pub(crate) async fn with_sample() -> Self {
        let api = Self::new().await;
        api.fill();
        api
    }

    /// A service that started on an empty database with `--sample scenarios`.
    pub(crate) async fn with_scenarios() -> Self {
        let api = Self::new().await;
        sample::scenarios::fill(&mut api.db.connect()).unwrap();
        api
    }

    /// What a start does with an empty database.
    fn fill(&self) {
        sample::fill(&mut self.db.connect()).unwrap();
    }
}

/// Every text in a value, wherever it stands.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.values().flat_map(texts).collect(),
        _ => vec![],
    }
}

#[actix_web::test]
async fn an_empty_database_gets_the_24_wards_in_the_citys_order() {
    let api = Api::with_sample().await;
    let wards = api.list("/v1/organizations").await;
    assert_eq!(wards.len(), 24);
    assert_eq!(
        (&wards[0]["slug"], &wards[5]["name"], &wards[23]["slug"]),
        (&json!("kita"), &json!("西区"), &json!("nishinari"))
    );
    assert!(wards.iter().all(|ward| ward["kind"] == "ward"));
}

#[actix_web::test]
async fn a_database_that_has_an_organization_is_left_alone() {
    let api = Api::new().await;
    api.bureau("planning").await;
    api.fill();
    assert_eq!(api.list("/v1/organizations").await.len(), 1);
}

#[actix_web::test]
async fn nishis_policy_is_what_the_city_published() {
    let api = Api::with_sample().await;
    let tree = api.get("/v1/policies/nishi/2024/tree").await.must_be(200).body;
    let goals = tree["goals"].as_array().unwrap();
    let below = |key: &str| {
        goals
            .iter()
            .flat_map(|goal| goal[key].as_array().unwrap().clone())
            .collect::<Vec<_>>()
    };
    let (budgets, indicators) = (below("budgets"), below("indicators"));
    assert_eq!((goals.len(), budgets.len(), indicators.len()), (4, 12, 10));

    let codes: Vec<_> = goals.iter().map(|goal| goal["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["1-1", "1-2", "2-1", "3-1"]);
    let amounts: Vec<_> = budgets
        .iter()
        .map(|budget| budget["amount_yen"].as_i64().unwrap() / 1_000_000)
        .collect();
    assert_eq!(amounts, [77, 92, 85, 21, 24, 26, 12, 13, 14, 213, 242, 283]);

    let targets: Vec<_> = indicators
        .iter()
        .map(|i| {
            format!(
                "{} {} {}",
                i["target"]["comparator"].as_str().unwrap(),
                i["target"]["value"],
                i["unit"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        targets,
        [
            "gte 48 %",
            "gte 40 %",
            "gte 3 団体",
            "gte 57 %",
            "gte 80 %",
            "gte 85 %",
            "gte 60 %",
            "gte 80 %",
            "gte 81.2 %",
            "gte 40 %"
        ]
    );
    assert!(
        indicators.iter().all(|indicator| indicator["results"] == json!([])),
        "no result is in yet"
    );
    assert_eq!(
        (&tree["self_evaluation"], &tree["results_due_on"]),
        (&json!([]), &json!("2025-06-30"))
    );
}

#[actix_web::test]
async fn its_texts_carry_no_bullets_no_html_and_no_slip_of_the_ocr() {
    let api = Api::with_sample().await;
    let mut tree = api.get("/v1/policies/nishi/2024/tree").await.must_be(200).body;
    let source = tree["source"].take();
    for text in texts(&tree) {
        assert!(!text.starts_with('・') && !text.contains(['<', '>', '\t']), "{text}");
        assert!(!text.contains("中助"), "{text}");
        assert_eq!(text.trim(), text);
    }
    assert!(texts(&tree["goals"][1]["strategies"])[0].contains("自助・共助"));
    assert!(
        source.as_str().unwrap().contains("「中助・共助」"),
        "the correction is noted in the source"
    );
}

#[actix_web::test]
async fn its_budgets_add_up_to_what_the_city_published() {
    let api = Api::with_sample().await;
    let path = "/v1/budgets/summary?organization=nishi&policy_year=2024&group_by=fiscal_year,kind";
    let sums: Vec<_> = api
        .list(path)
        .await
        .into_iter()
        .map(|group| {
            (
                group["fiscal_year"].clone(),
                group["kind"].clone(),
                group["sum"].clone(),
            )
        })
        .collect();
    let sum = |million: i64| json!({ "amount_yen": million * 1_000_000, "complete": true, "stated": 4, "missing": [] });
    assert_eq!(
        sums,
        [
            (json!(2022), json!("actual"), sum(323)),
            (json!(2023), json!("initial"), sum(371)),
            (json!(2024), json!("initial"), sum(408)),
        ]
    );
}
