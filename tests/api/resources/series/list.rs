//! The list of series.

use serde_json::{Value, json};

use crate::support::{Call, years::Years};

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["series_id"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn every_series_is_listed_with_its_latest_name_and_its_years() {
    let years = Years::drafted().await;
    let items = years.api.list("/v1/series").await;
    assert_eq!(items.len(), 4);
    let pleased = items.iter().find(|item| item["series_id"] == years.series[1]).unwrap();
    assert_eq!(
        *pleased,
        json!({
            "series_id": years.series[1], "name": "窓口に満足した区民アンケート回答者の割合", "unit": "%", "organization": "nishi",
            "organization_name": "西区", "first_year": 2024, "last_year": 2025, "indicators": 2
        })
    );
    // A result of another year is of its years too.
    years.api.result(&years.advice, 2021).await;
    let advice = years.api.list("/v1/series?q=相談").await.remove(0);
    assert_eq!(
        (&advice["first_year"], &advice["last_year"]),
        (&json!(2021), &json!(2025))
    );
    for item in &items {
        let path = format!("/v1/series/{}", item["series_id"].as_str().unwrap());
        assert_eq!(years.api.get(path).await.must_be(200).body["name"], item["name"]);
    }
}

#[actix_web::test]
async fn series_are_filtered_paged_and_counted() {
    let years = Years::published().await;
    let api = &years.api;
    let all = api.list("/v1/series").await;
    let (mut paged, mut path) = (Vec::new(), "/v1/series?limit=3&include_total=true".to_owned());
    loop {
        let page = api.get(&path).await.must_be(200);
        assert_eq!(page.body["total"], 4);
        paged.extend(page.body["items"].as_array().unwrap().iter().cloned());
        match page.body["next_cursor"].as_str() {
            None => break,
            Some(cursor) => path = format!("/v1/series?limit=3&include_total=true&cursor={cursor}"),
        }
    }
    assert_eq!(paged, all);
    assert!(ids(&all).is_sorted());
    for (query, many) in [
        ("organization=nishi", 4),
        ("organization=271063", 4),
        ("organization=kita", 0),
        ("fiscal_year=2024", 3),
        ("fiscal_year=R7", 3),
        ("unit=件", 2),
        ("q=割合 窓口", 1),
        ("kind=output", 0),
    ] {
        assert_eq!(api.list(format!("/v1/series?{query}")).await.len(), many, "{query}");
    }
}

#[actix_web::test]
async fn the_public_sees_no_draft_in_it_and_the_past_as_it_was() {
    let years = Years::drafted().await;
    let api = &years.api;
    let public = async || {
        let call = Call::new("GET", "/v1/series").anonymous();
        let mut page = api.send(call).await.must_be(200).body;
        serde_json::from_value::<Vec<Value>>(page["items"].take()).unwrap()
    };
    assert!(public().await.is_empty());
    years.publish(2024).await;
    let shown = public().await;
    assert_eq!(shown.len(), 3);
    assert!(
        shown
            .iter()
            .all(|item| item["last_year"] == 2024 && item["indicators"] == 1)
    );
    let moment = api.moment();
    let rename = json!({ "name": "別の名" });
    api.patch(format!("/v1/indicators/{}", years.drill), "*", &rename)
        .await
        .must_be(200);
    let named = async |more: &str| api.list(format!("/v1/series?q=別の名{more}")).await.len();
    assert_eq!((named("").await, named(&format!("&as_of={moment}")).await), (1, 0));
}
