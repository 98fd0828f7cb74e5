//! Transitions over HTTP: ratings that turned.

use serde_json::{Value, json};

use crate::support::{Call, years::Years};

fn turns(items: &[Value]) -> Vec<(Value, Value)> {
    items
        .iter()
        .map(|it| (it["from"]["rating"].clone(), it["to"]["rating"].clone()))
        .collect()
}

#[actix_web::test]
async fn indicators_whose_rating_turned_are_listed_with_both_years() {
    let years = Years::published().await;
    let api = &years.api;
    let items = api.list("/v1/transitions?from=B&to=A&on=2026-07-01").await;
    let [only] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        (&only["organization"], &only["fiscal_year"]),
        (&json!("nishi"), &json!(2025))
    );
    assert_eq!(only["series_id"], json!(years.series[0]));
    assert_eq!((&only["from"]["value"], &only["to"]["value"]), (&json!(35), &json!(46)));
    assert_eq!(
        (&only["from"]["indicator_id"], &only["to"]["indicator_id"]),
        (&json!(years.known[0]), &json!(years.known[1]))
    );
    assert_eq!(
        (&only["comparable_with_previous"], &only["breaks"]),
        (&json!(null), &json!([]))
    );

    let items = api.list("/v1/transitions?from=A&to=B").await;
    let [only] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(only["series_id"], json!(years.series[1]));
    assert_eq!(only["comparable_with_previous"], json!(false));
    assert_eq!(only["breaks"][0]["kind"], "reworded");
}

#[actix_web::test]
async fn transitions_are_filtered_counted_and_paged() {
    let years = Years::published().await;
    let api = &years.api;
    for (query, found) in [
        ("", 2),
        ("?fiscal_year=2025", 2),
        ("?fiscal_year=2024", 0),
        ("?organization=nishi&to=A", 1),
        ("?from=A,B", 2),
        ("?from=A&to=A", 0),
        (&format!("?series={}", years.series[1]), 1),
    ] {
        let items = api.list(format!("/v1/transitions{query}")).await;
        assert_eq!(items.len(), found, "{query}");
    }
    let first = api
        .get("/v1/transitions?limit=1&include_total=true")
        .await
        .must_be(200)
        .body;
    assert_eq!(
        (&first["total"], turns(first["items"].as_array().unwrap()).len()),
        (&json!(2), 1)
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api
        .get(format!("/v1/transitions?limit=1&cursor={cursor}"))
        .await
        .must_be(200)
        .body;
    assert_ne!(first["items"], second["items"]);
    assert_eq!(
        (&second["next_cursor"], second["items"].as_array().unwrap().len()),
        (&json!(null), 1)
    );
}

#[actix_web::test]
async fn what_is_not_public_turns_nothing_for_the_public() {
    let years = Years::drafted().await;
    let api = &years.api;
    let public = async || {
        api.send(Call::new("GET", "/v1/transitions").anonymous())
            .await
            .must_be(200)
            .body["items"]
            .clone()
    };
    assert_eq!(api.list("/v1/transitions").await.len(), 2);
    assert_eq!(public().await, json!([]));
    years.publish(2024).await;
    assert_eq!(public().await, json!([]));
    api.publish("nishi/2025", "plan").await.must_be(201);
    assert_eq!(public().await, json!([]));
    let said = json!({ "self_evaluation": ["おおむね達成した。"], "future_policy": ["続ける。"] });
    api.patch("/v1/policies/nishi/2025", "*", &said).await.must_be(200);
    api.publish("nishi/2025", "results").await.must_be(201);
    assert_eq!(public().await.as_array().unwrap().len(), 2);
}
