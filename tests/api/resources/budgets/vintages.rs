//! Budget vintages over HTTP: from budget to actual.

use serde_json::{Value, json};

use crate::support::{Call, years::Years};

async fn vintages(years: &Years, query: &str) -> Vec<Value> {
    years.api.list(format!("/v1/budgets/vintages{query}")).await
}

#[actix_web::test]
async fn what_one_goal_cost_stands_together_from_policy_to_policy() {
    let years = Years::published().await;
    let items = vintages(&years, &format!("?goal={}", years.goals[0][0])).await;
    let [money_of_2024, money_of_2025] = items.as_slice() else {
        panic!("{items:?}")
    };
    let goals: Vec<_> = money_of_2024["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["goal_id"].clone())
        .collect();
    assert_eq!(goals, [json!(years.goals[0][0]), json!(years.goals[1][0])]);
    let initial: Vec<_> = money_of_2024["initial"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["policy_year"].clone(), it["sum"]["amount_yen"].clone()))
        .collect();
    assert_eq!(
        initial,
        [(json!(2024), json!(85_000_000)), (json!(2025), json!(86_000_000))]
    );
    assert_eq!(money_of_2024["actual"][0]["sum"]["amount_yen"], json!(80_000_000));
    let expected = json!({ "ratio": 0.9302, "reason": null, "budget": "initial", "complete": true });
    assert_eq!(money_of_2024["execution"].to_string(), expected.to_string(), "80 of 86");
    assert_eq!(money_of_2025["execution"]["reason"], "no_actual");
}

#[actix_web::test]
async fn goals_are_one_by_their_indicators_and_never_by_their_codes() {
    let years = Years::published().await;
    let path = format!("/v1/indicators/{}", years.known[1]);
    years
        .api
        .patch(&path, "*", &json!({ "series_id": crate::support::factories::new_id() }))
        .await
        .must_be(200);
    let items = vintages(&years, "?fiscal_year=2024").await;
    let alone: Vec<_> = items.iter().map(|it| it["goals"].as_array().unwrap().len()).collect();
    assert_eq!(alone, [1, 2, 1], "1-1 of the two years apart, 2-1 together");
    let refused = items
        .iter()
        .map(|it| it["execution"]["reason"].clone())
        .collect::<Vec<_>>();
    assert_eq!(refused, [json!("no_actual"), json!("no_actual"), json!(null)]);
}

#[actix_web::test]
async fn the_public_sees_the_vintages_of_what_is_published() {
    let years = Years::drafted().await;
    let public = async || {
        let call = Call::new("GET", "/v1/budgets/vintages").anonymous();
        years.api.send(call).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert!(public().await.is_empty());
    years.publish(2024).await;
    let items = public().await;
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|it| it["goals"].as_array().unwrap().len() == 1));
}

/// All items, page by page, and how many pages there were.
async fn paged(years: &Years, path: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut items, mut pages) = (Vec::new(), 0);
    let mut next = Some(format!(
        "{path}{}limit={limit}",
        if path.contains('?') { '&' } else { '?' }
    ));
    while let Some(path) = next {
        let page = years.api.get(path).await.must_be(200);
        let some = page.body["items"].as_array().unwrap();
        assert!((1..=limit).contains(&some.len()));
        items.extend_from_slice(some);
        pages += 1;
        let link = page.header("link").split_once('>');
        next = link.map(|(there, _)| there.trim_start_matches('<').to_owned());
        assert_eq!(next.is_some(), page.body["next_cursor"].is_string());
    }
    (items, pages)
}

#[actix_web::test]
async fn what_is_put_together_comes_by_pages_and_is_the_same() {
    let years = Years::published().await;
    // More organizations than are looked at together, with money and without.
    for n in 0..12 {
        let slug = format!("bureau-{n}");
        years.api.bureau(&slug).await;
        let policy = years.api.policy(&slug, 2024).await;
        let goal = years.api.goal(&policy.id(), "1").await;
        if n % 3 > 0 {
            for year in [2024, 2023] {
                let budget = crate::support::factories::budget(&goal.id(), year, "initial");
                years.api.post("/v1/budgets", &budget).await.must_be(201);
            }
        }
        years.api.indicator(&goal.id(), "指標").await;
    }
    for path in [
        "/v1/budgets/vintages",
        "/v1/budgets/vintages?fiscal_year=2024",
        "/v1/budgets/summary?group_by=goal,organization,policy_year",
        "/v1/evaluations/summary?group_by=goal,fiscal_year",
        "/v1/coverage?fiscal_year=2024,2025",
    ] {
        let all = years
            .api
            .get(format!(
                "{path}{}include_total=true",
                if path.contains('?') { '&' } else { '?' }
            ))
            .await;
        let whole = all.must_be(200).body;
        let items = whole["items"].as_array().unwrap();
        assert!(items.len() > 8, "{path} {}", items.len());
        assert_eq!(
            (&whole["total"], &whole["next_cursor"]),
            (&json!(items.len()), &Value::Null),
            "{path}"
        );
        for limit in [1, 3, items.len()] {
            let (paged, pages) = paged(&years, path, limit).await;
            assert_eq!(
                (&paged, pages),
                (items, items.len().div_ceil(limit)),
                "{path} by {limit}"
            );
        }
        let refused = years
            .api
            .get(format!(
                "{path}{}cursor=abc",
                if path.contains('?') { '&' } else { '?' }
            ))
            .await;
        refused.must_refuse(400, &[("cursor", "cursor")]);
    }
    // What is counted is counted over all pages.
    let roll_up = async |limit: usize| {
        years
            .api
            .get(format!("/v1/coverage?fiscal_year=2024&limit={limit}"))
            .await
            .must_be(200)
            .body["roll_up"]
            .clone()
    };
    assert_eq!(roll_up(1).await, roll_up(100).await);
}
