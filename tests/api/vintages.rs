//! Budget vintages over HTTP: from budget to actual.

use serde_json::{Value, json};

use crate::{support::Call, years::Years};

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
        .patch(&path, "*", &json!({ "series_id": crate::given::new_id() }))
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
