//! Findings over HTTP: every kind, with both values and both sources.

use serde_json::{Value, json};

use crate::support::{Call, years::Years};

fn kinds(items: &[Value]) -> Vec<&str> {
    items.iter().map(|it| it["kind"].as_str().unwrap()).collect()
}

async fn of_kind(years: &Years, kind: &str) -> Vec<Value> {
    years.api.list(format!("/v1/findings?kind={kind}&on=2026-07-01")).await
}

#[actix_web::test]
async fn everything_that_does_not_fit_is_found_and_nothing_else() {
    let years = Years::published().await;
    let items = years.api.list("/v1/findings?fiscal_year=2025").await;
    let mut found: Vec<_> = items
        .iter()
        .map(|it| (it["kind"].as_str().unwrap(), it["name"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    let mut expected = [
        ("previous_value_differs", "窓口に満足した区民アンケート回答者の割合"),
        ("reworded", "窓口に満足した区民アンケート回答者の割合"),
        ("population_changed", "窓口に満足した区民アンケート回答者の割合"),
        ("target_lowered", "窓口に満足した区民アンケート回答者の割合"),
        ("dropped_after_b", "防災訓練の実施件数"),
        ("rating_differs", "子育て相談の件数"),
        ("count_with_decimals", "子育て相談の件数"),
        ("budget_differs", "地域コミュニティの活性化"),
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(years.api.list("/v1/findings?fiscal_year=2024").await.is_empty());
}

#[actix_web::test]
async fn a_finding_names_both_values_their_sources_and_the_revisions() {
    let years = Years::published().await;
    let items = of_kind(&years, "previous_value_differs").await;
    let [only] = items.as_slice() else { panic!("{items:?}") };
    let (found, against) = (&only["found"], &only["against"]);
    assert_eq!(
        found["value"],
        json!({ "field": "stated_previous_value", "text": "81%", "value": 81 })
    );
    assert_eq!(
        against["value"],
        json!({ "field": "value", "text": "82%", "value": 82 })
    );
    assert_eq!(
        (&found["source"]["policy_year"], &against["source"]["policy_year"]),
        (&json!(2025), &json!(2024))
    );
    assert_eq!(
        (&found["source"]["revision"], &against["source"]["revision"]),
        (&json!(2), &json!(2))
    );
    let sentence = "令和7年度の運営方針にある前年度実績81%は、令和6年度の実績82%と異なる。";
    assert_eq!(only["sentence"]["ja"], sentence);
    for source in [&found["source"], &against["source"]] {
        years.api.get(source["href"].as_str().unwrap()).await.must_be(200);
    }

    let items = of_kind(&years, "dropped_after_b").await;
    let [only] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        (&only["fiscal_year"], &only["indicator_id"]),
        (&json!(2025), &json!(years.drill))
    );
    assert_eq!(only["against"]["value"]["text"], "B");
    for side in ["found", "against"] {
        years
            .api
            .get(only[side]["source"]["href"].as_str().unwrap())
            .await
            .must_be(200);
    }

    let items = of_kind(&years, "budget_differs").await;
    let [only] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!(
        (&only["found"]["value"]["value"], &only["against"]["value"]["value"]),
        (&json!(86_000_000), &json!(85_000_000))
    );
    assert_eq!(only["found"]["source"]["goal_id"], json!(years.goals[1][0]));
    for side in ["found", "against"] {
        years
            .api
            .get(only[side]["source"]["href"].as_str().unwrap())
            .await
            .must_be(200);
    }
}

#[actix_web::test]
async fn units_shares_and_targets_that_are_met_already_are_found() {
    let years = Years::published().await;
    let api = &years.api;
    for kind in ["unit_changed", "target_already_met", "percent_beyond_100"] {
        assert!(of_kind(&years, kind).await.is_empty(), "{kind}");
    }
    let path = format!("/v1/indicators/{}", years.known[1]);
    api.patch(&path, "*", &json!({ "target": { "value": 34, "text": null } }))
        .await
        .must_be(200);
    let items = of_kind(&years, "target_already_met").await;
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(
        (
            &items[0]["found"]["value"]["value"],
            &items[0]["against"]["value"]["value"]
        ),
        (&json!(34), &json!(35))
    );
    assert_eq!(
        items[0]["sentence"]["en"],
        "The FY2025 target of at least 34% is met already by the FY2024 result of 35%."
    );
    api.patch(format!("{path}/results/2025"), "*", &json!({ "value": 146 }))
        .await
        .must_be(200);
    let items = of_kind(&years, "percent_beyond_100").await;
    assert_eq!(
        (items.len(), &items[0]["against"]["value"]["field"]),
        (1, &json!("rule"))
    );
    api.patch(&path, "*", &json!({ "unit": "人" })).await.must_be(200);
    assert_eq!(of_kind(&years, "unit_changed").await.len(), 1);
    assert!(of_kind(&years, "percent_beyond_100").await.is_empty());
}

#[actix_web::test]
async fn a_value_is_held_against_its_parts_and_its_printed_text() {
    let years = Years::published().await;
    let path = format!("/v1/indicators/{}/results/2025", years.known[1]);
    let changed = json!({ "value": 66, "numerator": 100, "denominator": 530, "sample_size": 529, "text": "11%" });
    years.api.patch(&path, "*", &changed).await.must_be(200);
    for (kind, found, against) in [
        (
            "ratio_differs",
            json!({ "field": "value", "text": "66%", "value": 66 }),
            json!({ "field": "ratio", "text": "19%", "value": 19 }),
        ),
        (
            "sample_below_denominator",
            json!({ "field": "sample_size", "text": "529", "value": 529 }),
            json!({ "field": "denominator", "text": "530", "value": 530 }),
        ),
        (
            "text_differs",
            json!({ "field": "value", "text": "66%", "value": 66 }),
            json!({ "field": "text", "text": "11%", "value": 11 }),
        ),
    ] {
        let items = of_kind(&years, kind).await;
        let [only] = items.as_slice() else {
            panic!("{kind} {items:?}")
        };
        assert_eq!((&only["found"]["value"], &only["against"]["value"]), (&found, &against));
        assert_eq!(only["against"]["source"]["href"], json!(path));
    }
    let fitting = json!({ "value": 18.87, "numerator": 100, "denominator": 530, "sample_size": 530, "text": "18.9%" });
    years.api.patch(&path, "*", &fitting).await.must_be(200);
    let kinds = "ratio_differs,sample_below_denominator,text_differs";
    assert!(of_kind(&years, kinds).await.is_empty());
}

#[actix_web::test]
async fn pages_of_findings_hold_each_of_them_once() {
    let years = Years::published().await;
    let all = years.api.list("/v1/findings").await;
    assert_eq!(all.len(), 8);
    let mut paged = Vec::new();
    let mut next = Some("/v1/findings?limit=1&include_total=true".to_owned());
    while let Some(path) = next {
        let page = years.api.get(path).await.must_be(200).body;
        assert_eq!(page["total"], json!(8));
        paged.extend(page["items"].as_array().unwrap().clone());
        let cursor = page["next_cursor"].as_str();
        next = cursor.map(|cursor| format!("/v1/findings?limit=1&include_total=true&cursor={cursor}"));
    }
    assert_eq!(paged, all);
}

#[actix_web::test]
async fn findings_are_filtered_by_what_they_are_about() {
    let years = Years::published().await;
    for (query, found) in [
        ("organization=nishi".to_owned(), 8),
        ("fiscal_year=2025".to_owned(), 8),
        ("fiscal_year=2026".to_owned(), 0),
        ("kind=reworded,population_changed".to_owned(), 2),
        (format!("indicator={}", years.advice), 2),
        (format!("series={}", years.series[1]), 4),
        (format!("indicator={}", years.pleased[0]), 0),
        (format!("indicator={}", years.drill), 1),
    ] {
        let items = years.api.list(format!("/v1/findings?{query}")).await;
        assert_eq!(items.len(), found, "{query}: {:?}", kinds(&items));
    }
}

#[actix_web::test]
async fn a_draft_is_no_finding_for_the_public() {
    let years = Years::drafted().await;
    let public = async || {
        let call = Call::new("GET", "/v1/findings").anonymous();
        years.api.send(call).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(years.api.list("/v1/findings").await.len(), 8);
    assert!(public().await.is_empty());
    years.publish(2024).await;
    assert!(public().await.is_empty());
    years.api.publish("nishi/2025", "plan").await.must_be(201);
    let planned = public().await;
    assert_eq!(
        kinds(&planned),
        [
            "dropped_after_b",
            "reworded",
            "population_changed",
            "target_lowered",
            "budget_differs"
        ]
    );
}
