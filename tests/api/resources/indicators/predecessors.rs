//! Predecessors over HTTP: proposed by likeness, confirmed by a person.

use serde_json::{Value, json};

use crate::support::{Call, factories::with, years::Years};

async fn predecessors(years: &Years, id: &str) -> Vec<Value> {
    years.api.list(format!("/v1/indicators/{id}/predecessors")).await
}

#[actix_web::test]
async fn last_years_indicators_are_ranked_by_likeness_and_linked_by_a_person() {
    let years = Years::published().await;
    let api = &years.api;
    let path = format!("/v1/indicators/{}", years.known[1]);
    api.patch(&path, "*", &json!({ "series_id": crate::support::factories::new_id() }))
        .await
        .must_be(200);

    let items = predecessors(&years, &years.known[1]).await;
    assert_eq!(items.len(), 3);
    let best = &items[0];
    assert_eq!(
        (&best["indicator_id"], &best["score"]),
        (&json!(years.known[0]), &json!(1))
    );
    assert_eq!(
        (&best["confident"], &best["linked"], &best["taken_by"]),
        (&json!(true), &json!(false), &json!(null))
    );
    assert_eq!(
        best["reasons"],
        json!([
            "same_name",
            "same_unit",
            "same_population",
            "same_kind",
            "same_target_shape"
        ])
    );
    let taken = items
        .iter()
        .find(|it| it["indicator_id"] == json!(years.pleased[0]))
        .unwrap();
    assert_eq!(
        (&taken["taken_by"], &taken["confident"]),
        (&json!(years.pleased[1]), &json!(false))
    );

    api.patch(&path, "*", &json!({ "series_id": best["series_id"] }))
        .await
        .must_be(200);
    let items = predecessors(&years, &years.known[1]).await;
    assert_eq!(items[0]["linked"], json!(true));
}

#[actix_web::test]
async fn what_is_like_nothing_has_no_confident_predecessor() {
    let years = Years::published().await;
    let items = predecessors(&years, &years.advice).await;
    assert!(items.iter().all(|it| it["confident"] == json!(false)), "{items:?}");
    assert!(
        predecessors(&years, &years.known[0]).await.is_empty(),
        "there is no policy before"
    );
}

#[actix_web::test]
async fn codes_and_places_take_no_part() {
    let years = Years::published().await;
    let api = &years.api;
    let before = predecessors(&years, &years.known[1]).await;
    api.patch(format!("/v1/goals/{}", years.goals[1][0]), "*", &json!({ "code": "7" }))
        .await
        .must_be(200);
    api.patch(
        format!("/v1/indicators/{}", years.known[1]),
        "*",
        &json!({ "position": 99 }),
    )
    .await
    .must_be(200);
    assert_eq!(predecessors(&years, &years.known[1]).await, before);
}

#[actix_web::test]
async fn a_policy_has_one_indicator_in_a_series() {
    let years = Years::published().await;
    let api = &years.api;
    let path = format!("/v1/indicators/{}", years.advice);
    let taken = json!({ "series_id": years.series[0] });
    let refused = [("/series_id", "series_taken")];
    api.patch(&path, "*", &taken).await.must_refuse(409, &refused);
    let twin = with(
        crate::support::factories::indicator(&years.goals[1][1], "もう一つ"),
        taken,
    );
    let twin = Call::new("POST", "/v1/indicators").because("試験").json(&twin);
    api.send(twin).await.must_refuse(409, &refused);
    let mut tree = api.get("/v1/policies/nishi/2025/tree").await.must_be(200).body;
    tree["goals"][1]["indicators"][0]["series_id"] = json!(years.series[0]);
    api.put("/v1/policies/nishi/2025/tree", "*", &tree)
        .await
        .must_refuse(409, &refused);
}

#[actix_web::test]
async fn the_public_is_shown_no_draft_predecessor() {
    let years = Years::drafted().await;
    years.publish(2025).await;
    let path = format!("/v1/indicators/{}/predecessors", years.known[1]);
    let public = async || {
        years
            .api
            .send(Call::new("GET", &path).anonymous())
            .await
            .must_be(200)
            .body["items"]
            .clone()
    };
    assert_eq!(public().await, json!([]));
    years.publish(2024).await;
    assert_eq!(public().await.as_array().unwrap().len(), 3);
}
