//! Evaluations in the orders in which people look at them.

use serde_json::{Value, json};

use crate::support::{
    Api, Call,
    factories::{self, with},
    years::Years,
};

/// Every row in an order, by pages of two; the ties are broken by the id.
async fn ordered(api: &Api, sort: &str) -> Vec<Value> {
    let (mut rows, mut path) = (Vec::new(), format!("/v1/evaluations?on=2026-07-01&limit=2&sort={sort}"));
    loop {
        let page = api.get(&path).await.must_be(200);
        rows.extend(page.body["items"].as_array().unwrap().iter().cloned());
        match page.body["next_cursor"].as_str() {
            None => return rows,
            Some(cursor) => path = format!("/v1/evaluations?on=2026-07-01&limit=2&sort={sort}&cursor={cursor}"),
        }
    }
}

/// Two organizations, values and none, met and not, in two years.
async fn varied() -> Years {
    let years = Years::published().await;
    let api = &years.api;
    api.bureau("keikaku").await;
    let policy = api.policy("keikaku", 2025).await.id();
    let goal = api.goal(&policy, "1-1").await.id();
    for (name, value) in [("甲", json!(46)), ("乙", json!(null)), ("丙", json!(46.0))] {
        let indicator = api.indicator(&goal, name).await.id();
        if !value.is_null() {
            let result = with(factories::result(2025), json!({ "value": value, "text": null }));
            let path = format!("/v1/indicators/{indicator}/results/2025");
            api.create(path, &result).await.must_be(201);
        }
    }
    years
}

fn number(row: &Value, key: &str) -> Option<f64> {
    row[key].as_f64()
}

fn place(row: &Value) -> (String, i64) {
    (
        row["indicator_id"].as_str().unwrap().to_owned(),
        row["fiscal_year"].as_i64().unwrap(),
    )
}

#[actix_web::test]
async fn figures_go_up_and_down_and_what_has_none_comes_last() {
    let years = varied().await;
    let all = ordered(&years.api, "indicator").await;
    for key in ["value", "gap", "attainment"] {
        for down in [false, true] {
            let sort = format!("{}{key}", if down { "-" } else { "" });
            let rows = ordered(&years.api, &sort).await;
            assert_eq!(rows.len(), all.len(), "{sort}");
            let mut expected = all.clone();
            expected.sort_by(|a, b| {
                let (left, right) = (number(a, key), number(b, key));
                let numbers = match (left, right) {
                    (Some(left), Some(right)) if down => right.total_cmp(&left),
                    (Some(left), Some(right)) => left.total_cmp(&right),
                    (left, right) => right.is_some().cmp(&left.is_some()),
                };
                numbers.then_with(|| place(a).cmp(&place(b)))
            });
            assert_eq!(rows, expected, "{sort}");
            assert!(
                number(&rows[0], key).is_some() && number(rows.last().unwrap(), key).is_none(),
                "{sort}"
            );
        }
    }
}

#[actix_web::test]
async fn days_organizations_and_outcomes_go_up_and_down() {
    let years = varied().await;
    let outcomes = [
        "achieved",
        "not_achieved",
        "in_progress",
        "pending",
        "overdue",
        "not_evaluable",
    ];
    let key = |row: &Value, key: &str| match key {
        "outcome" => outcomes
            .iter()
            .position(|code| row["outcome"] == *code)
            .unwrap()
            .to_string(),
        key => row[key].as_str().unwrap().to_owned(),
    };
    let all = ordered(&years.api, "indicator").await;
    for member in ["due_on", "organization", "outcome"] {
        for down in [false, true] {
            let sort = format!("{}{member}", if down { "-" } else { "" });
            let mut expected = all.clone();
            expected.sort_by(|a, b| {
                let keys = key(a, member).cmp(&key(b, member));
                let keys = if down { keys.reverse() } else { keys };
                keys.then_with(|| place(a).cmp(&place(b)))
            });
            assert_eq!(ordered(&years.api, &sort).await, expected, "{sort}");
        }
    }
}

#[actix_web::test]
async fn an_order_keeps_filters_totals_and_the_callers_view() {
    let years = varied().await;
    let path = "/v1/evaluations?on=2026-07-01&sort=-value&fiscal_year=2025&outcome=achieved&include_total=true&limit=1";
    let page = years.api.get(path).await.must_be(200);
    assert_eq!(
        (&page.body["total"], &page.body["items"][0]["value"]),
        (&json!(1), &json!(46))
    );
    let path = "/v1/evaluations?sort=organization&limit=1000";
    let public = years
        .api
        .send(Call::new("GET", path).anonymous())
        .await
        .must_be(200)
        .body;
    let shown = public["items"].as_array().unwrap();
    assert!(shown.iter().all(|row| row["organization"] == "nishi") && !shown.is_empty());
    // A cursor is one of its order, and a place in it.
    let cursor = years
        .api
        .get("/v1/evaluations?sort=-gap&limit=1")
        .await
        .text("next_cursor");
    years
        .api
        .get(format!("/v1/evaluations?sort=gap&cursor={cursor}"))
        .await
        .must_refuse(400, &[("cursor", "cursor")]);
}
