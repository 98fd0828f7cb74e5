//! Series over HTTP: one indicator over the years, and what breaks it.

use serde_json::{Value, json};

use crate::support::{
    Call,
    factories::{new_id, with},
    years::Years,
};

pub(crate) mod list;

fn kinds(year: &Value) -> Vec<&str> {
    let breaks = year["breaks"].as_array().unwrap();
    breaks.iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_series_shows_targets_results_and_outcomes_year_by_year() {
    let years = Years::published().await;
    let series = years
        .api
        .get(format!("/v1/series/{}?on=2026-07-01", years.series[0]))
        .await
        .must_be(200)
        .body;
    assert_eq!(
        (&series["name"], &series["on"]),
        (&json!("活動を知っている割合"), &json!("2026-07-01"))
    );
    let [last, this] = series["years"].as_array().unwrap().as_slice() else {
        panic!("{series}")
    };
    assert_eq!(
        (&last["fiscal_year"], &last["indicator_id"]),
        (&json!(2024), &json!(years.known[0]))
    );
    assert_eq!(
        (&last["outcome"], &last["rating"]),
        (&json!("not_achieved"), &json!("B"))
    );
    assert_eq!((&last["compared_with"], kinds(last).len()), (&json!(null), 0));
    assert_eq!((&this["value"], &this["target"]["value"]), (&json!(46), &json!(45)));
    assert_eq!((&this["outcome"], &this["rating"]), (&json!("achieved"), &json!("A")));
    let previous = &this["previous"];
    assert_eq!((&previous["stated"], &previous["recorded"]), (&json!(35), &json!(35)));
    assert_eq!(
        (&previous["change"]["absolute"], &previous["change"]["favourable"]),
        (&json!(11), &json!(true))
    );
    assert_eq!(this["compared_with"], json!(years.known[0]));
    assert!(kinds(this).is_empty(), "{this}");
}

#[actix_web::test]
async fn what_breaks_a_series_is_named_with_both_values_and_a_sentence() {
    let years = Years::published().await;
    let series = years
        .api
        .get(format!("/v1/series/{}", years.series[1]))
        .await
        .must_be(200)
        .body;
    let this = &series["years"][1];
    assert_eq!(
        kinds(this),
        ["reworded", "population_changed", "declared_not_comparable"]
    );
    let reworded = &this["breaks"][0];
    assert_eq!(reworded["before"], "窓口に満足した区民の割合");
    assert_eq!(reworded["after"], "窓口に満足した区民アンケート回答者の割合");
    assert_eq!(
        reworded["sentence"]["ja"],
        "名称が「窓口に満足した区民の割合」から「窓口に満足した区民アンケート回答者の割合」に変わった。"
    );
    assert_eq!(this["comparable_with_previous"], json!(false));
    assert_eq!(this["previous"]["change"]["reason"], "not_comparable");
}

#[actix_web::test]
async fn a_year_without_the_indicator_is_a_gap() {
    let years = Years::published().await;
    let api = &years.api;
    let policy = api.policy("nishi", 2027).await.id();
    let goal = api.goal(&policy, "9").await.id();
    let input = with(
        crate::support::factories::indicator(&goal, "活動を知っている割合"),
        json!({ "series_id": years.series[0], "unit": "人", "direction": "lower_is_better", "population": null }),
    );
    api.post("/v1/indicators", &input).await.must_be(201);
    let series = api
        .get(format!("/v1/series/{}", years.series[0]))
        .await
        .must_be(200)
        .body;
    let broken = &series["years"][2];
    assert_eq!(kinds(broken), ["unit_changed", "direction_changed", "gap_in_years"]);
    assert_eq!(
        (&broken["breaks"][2]["before"], &broken["breaks"][2]["after"]),
        (&json!("2025"), &json!("2027"))
    );
}

#[actix_web::test]
async fn another_organization_that_goes_on_with_a_series_is_a_break() {
    let years = Years::published().await;
    let api = &years.api;
    api.bureau("keikaku").await;
    let policy = api.policy("keikaku", 2026).await.id();
    let goal = api.goal(&policy, "1").await.id();
    let input = with(
        crate::support::factories::indicator(&goal, "活動を知っている割合"),
        json!({ "series_id": years.series[0] }),
    );
    api.post("/v1/indicators", &input).await.must_be(201);
    let series = api
        .get(format!("/v1/series/{}", years.series[0]))
        .await
        .must_be(200)
        .body;
    let broken = series["years"][2]["breaks"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&broken["kind"], &broken["before"], &broken["after"]),
        (&json!("organization_changed"), &json!("nishi"), &json!("keikaku"))
    );
}

#[actix_web::test]
async fn a_draft_year_is_not_in_the_publics_series() {
    let years = Years::drafted().await;
    let path = format!("/v1/series/{}?on=2025-06-01", years.series[0]);
    let public = || Call::new("GET", &path).anonymous();
    years.api.send(public()).await.must_be(404);
    let ours = years.api.get(&path).await.must_be(200).body;
    assert_eq!(ours["years"].as_array().unwrap().len(), 2);

    years.api.publish("nishi/2024", "plan").await.must_be(201);
    let planned = years.api.send(public()).await.must_be(200).body;
    let [only] = planned["years"].as_array().unwrap().as_slice() else {
        panic!("{planned}")
    };
    assert_eq!(
        (&only["outcome"], &only["value"], &only["rating"]),
        (&json!("pending"), &json!(null), &json!(null))
    );
}

#[actix_web::test]
async fn a_series_can_be_read_as_it_was() {
    let years = Years::published().await;
    let then = years.api.moment();
    let renamed = json!({ "name": "別の名称" });
    let path = format!("/v1/indicators/{}", years.known[1]);
    years.api.patch(&path, "*", &renamed).await.must_be(200);
    let path = format!("/v1/series/{}", years.series[0]);
    let now = years.api.get(&path).await.must_be(200).body;
    let past = years.api.get(format!("{path}?as_of={then}")).await.must_be(200).body;
    assert_eq!(
        (&now["name"], kinds(&now["years"][1])),
        (&json!("別の名称"), vec!["reworded"])
    );
    assert_eq!(
        (&past["name"], kinds(&past["years"][1]).len()),
        (&json!("活動を知っている割合"), 0)
    );
    years
        .api
        .get(format!("{path}?as_of=revision:1"))
        .await
        .must_refuse(400, &[("as_of", "as_of")]);
    years.api.get(format!("/v1/series/{}", new_id())).await.must_be(404);
}
