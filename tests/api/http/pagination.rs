//! What is true of every list: pages, orders, cursors, counts and links.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contract::openapi::CONTRACT,
    support::{
        Api,
        factories::{budget, bureau, goal, indicator, with},
    },
};

/// Something to list in every list, with keys that several rows share. The lists, and how to add a row to each.
async fn lists(api: &Api) -> Vec<(String, &'static str, Value)> {
    for (n, slug) in ["keikaku", "kensetsu", "kowan", "kankyo", "kyoiku"].iter().enumerate() {
        let body = with(bureau(slug), json!({ "display_order": 100 + n / 2 }));
        api.post("/v1/organizations", &body).await.must_be(201);
    }
    let mut policies = Vec::new();
    for (organization, year) in [
        ("keikaku", 2023),
        ("keikaku", 2024),
        ("kensetsu", 2023),
        ("kensetsu", 2024),
        ("kowan", 2024),
    ] {
        policies.push(api.policy(organization, year).await.id());
    }
    let mut goals = Vec::new();
    for (policy, code) in [(0, "1-1"), (1, "1-1"), (2, "1-1"), (0, "1-10"), (0, "1-2")] {
        goals.push(api.goal(&policies[policy], code).await.id());
    }
    let mut indicators = Vec::new();
    for (goal, name) in [(0, "割合"), (1, "割合"), (2, "割合"), (0, "件数"), (0, "人数")] {
        indicators.push(api.indicator(&goals[goal], name).await.id());
    }
    for (goal, year) in [(0, 2023), (1, 2023), (2, 2023), (0, 2024), (1, 2024)] {
        api.post("/v1/budgets", &budget(&goals[goal], year, "initial"))
            .await
            .must_be(201);
    }
    for (indicator, year) in [(0, 2023), (1, 2023), (2, 2023), (0, 2024), (0, 2022)] {
        api.result(&indicators[indicator], year).await;
    }
    let results = |year: i32| json!({ "items": [{ "indicator_id": indicators[0], "result": crate::support::factories::result(year) }] });
    vec![
        (
            "/v1/organizations".into(),
            "/v1/organizations",
            with(bureau("kyosei"), json!({ "display_order": 101 })),
        ),
        (
            "/v1/policies".into(),
            "/v1/policies",
            crate::support::factories::policy("kowan", 2023),
        ),
        ("/v1/goals".into(), "/v1/goals", goal(&policies[2], "1-2")),
        ("/v1/indicators".into(), "/v1/indicators", indicator(&goals[3], "割合")),
        ("/v1/budgets".into(), "/v1/budgets", budget(&goals[2], 2024, "initial")),
        ("/v1/results".into(), "/v1/results", results(2021)),
        (
            format!("/v1/indicators/{}/results", indicators[0]),
            "/v1/results",
            results(2020),
        ),
    ]
}

/// The orders of a list, as the contract gives them.
fn sorts(path: &str) -> Vec<String> {
    let template = if path.ends_with("/results") && path != "/v1/results" {
        "/v1/indicators/{id}/results"
    } else {
        path
    };
    let operation = CONTRACT
        .operations()
        .find(|operation| operation.method == "get" && operation.path == template)
        .unwrap();
    let sort = operation
        .parameters()
        .iter()
        .find(|parameter| parameter["name"] == "sort")
        .unwrap();
    serde_json::from_value(sort["schema"]["enum"].clone()).unwrap()
}

/// What a row is ordered by.
fn key(row: &Value, sort: &str) -> String {
    let key = &row[sort.trim_start_matches('-')];
    match key {
        Value::Number(n) => format!("{n:0>9}"),
        // Goal codes go by their numbers.
        Value::String(code) if sort == "code" => code
            .split('-')
            .map(|part| format!("{part:0>2}"))
            .collect::<Vec<_>>()
            .join("-"),
        Value::String(text) => text.clone(),
        other => panic!("{sort} of {row}: {other}"),
    }
}

fn is_in_order(rows: &[Value], sort: &str) -> bool {
    rows.windows(2).all(|pair| {
        let (a, b) = (key(&pair[0], sort), key(&pair[1], sort));
        let by_key = if sort.starts_with('-') { b.cmp(&a) } else { a.cmp(&b) };
        by_key
            .then_with(|| pair[0]["id"].as_str().cmp(&pair[1]["id"].as_str()))
            .is_lt()
    })
}

/// Every row of a list by pages of two; `between` happens after the first.
async fn walk(api: &Api, path: &str, sort: &str, between: impl AsyncFnOnce()) -> Vec<Value> {
    let mut between = Some(between);
    let mut rows: Vec<Value> = Vec::new();
    let mut next = format!("{path}?limit=2&sort={sort}");
    loop {
        let page = api.get(&next).await.must_be(200);
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        rows.extend(items.iter().cloned());
        if let Some(between) = between.take() {
            between().await;
        }
        let link = page.header("link");
        match page.body["next_cursor"].as_str() {
            None => {
                assert_eq!(link, "");
                return rows;
            }
            Some(cursor) => {
                assert_eq!(items.len(), 2);
                next = format!("{path}?limit=2&sort={sort}&cursor={cursor}");
                assert_eq!(link, format!("<{next}>; rel=\"next\""));
            }
        }
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn every_row_is_on_one_page_in_every_order() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        for sort in sorts(&path) {
            let whole = api.list(format!("{path}?sort={sort}")).await;
            assert!(
                whole.len() >= 2 && is_in_order(&whole, &sort),
                "{path} {sort}: {whole:#?}"
            );
            let walked = walk(&api, &path, &sort, async || {}).await;
            assert_eq!(ids(&walked), ids(&whole), "{path} {sort}");
        }
        let first = &sorts(&path)[0];
        assert_eq!(
            ids(&api.list(&path).await),
            ids(&api.list(format!("{path}?sort={first}")).await),
            "{path}: the first order is the default"
        );
    }
}

#[actix_web::test]
async fn a_row_that_comes_between_two_pages_moves_no_other() {
    let api = Api::new().await;
    for (path, at, body) in lists(&api).await {
        for sort in sorts(&path) {
            let before = api.list(format!("{path}?sort={sort}")).await;
            let mut made = String::new();
            let walked = walk(&api, &path, &sort, async || {
                let answer = api.post(at, &body).await;
                made = if at == "/v1/results" {
                    let row = &answer.must_be(200).body["items"][0];
                    format!(
                        "/v1/indicators/{}/results/{}",
                        row["indicator_id"].as_str().unwrap(),
                        row["fiscal_year"]
                    )
                } else {
                    answer.must_be(201).header("location").to_owned()
                };
            })
            .await;
            let new = api.get(&made).await.id();
            let seen: Vec<&str> = ids(&walked).into_iter().filter(|id| *id != new).collect();
            assert_eq!(seen, ids(&before), "{path} {sort}");
            assert_eq!(
                ids(&walked).into_iter().collect::<BTreeSet<_>>().len(),
                walked.len(),
                "{path} {sort}: twice"
            );
            assert!(is_in_order(&walked, &sort), "{path} {sort}");
            api.delete(&made, "*").await.must_be(204);
        }
    }
}

#[actix_web::test]
async fn a_page_that_is_just_full_is_the_last() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        let all = api.list(&path).await.len();
        let page = api.get(format!("{path}?limit={all}")).await;
        assert_eq!(
            (page.body["items"].as_array().unwrap().len(), &page.body["next_cursor"]),
            (all, &Value::Null),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn rows_are_counted_when_asked_for() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        let all = api.list(&path).await.len();
        let counted = api.get(format!("{path}?include_total=true&limit=1")).await.must_be(200);
        assert_eq!(counted.body["total"], all, "{path}");
        let cursor = counted.text("next_cursor");
        let second = api
            .get(format!("{path}?include_total=true&limit=1&cursor={cursor}"))
            .await;
        assert_eq!(second.body["total"], all, "{path}: the count is of all pages");
        for uncounted in ["", "?include_total=false"] {
            assert_eq!(
                api.get(format!("{path}{uncounted}")).await.body["total"],
                Value::Null,
                "{path}"
            );
        }
        for bad in ["TRUE", "1", "", "yes"] {
            api.get(format!("{path}?include_total={bad}"))
                .await
                .must_refuse(400, &[("include_total", "type")]);
        }
    }
}

#[actix_web::test]
async fn the_link_to_the_next_page_keeps_the_filters() {
    let api = Api::new().await;
    lists(&api).await;
    let first = api
        .get("/v1/policies?fiscal_year=令和6&organization=keikaku,kensetsu,kowan&limit=2&include_total=true")
        .await
        .must_be(200);
    let link = first.header("link");
    let next = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0;
    let second = api.get(next).await.must_be(200);
    assert_eq!((&first.body["total"], &second.body["total"]), (&json!(3), &json!(3)));
    assert_eq!(
        (second.body["items"].as_array().unwrap().len(), second.header("link")),
        (1, "")
    );
}

#[actix_web::test]
async fn limits_beyond_the_bounds_are_refused() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        for bad in ["0", "-1", "1001", "x", "", "1.5", "+5", "99999999999999999999", "５"] {
            api.get(format!("{path}?limit={bad}"))
                .await
                .must_refuse(400, &[("limit", "limit")]);
        }
        api.get(format!("{path}?limit=1000")).await.must_be(200);
    }
}

#[actix_web::test]
async fn orders_that_do_not_exist_are_refused() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        let answer = api.get(format!("{path}?sort=updated_at")).await;
        answer.must_refuse(400, &[("sort", "unknown_code")]);
        assert_eq!(answer.suggestion("sort").as_deref(), Some("-updated_at"), "{path}");
        api.get(format!("{path}?sort="))
            .await
            .must_refuse(400, &[("sort", "unknown_code")]);
    }
}

/// What a caller could make of a cursor.
fn cursor(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[actix_web::test]
async fn a_cursor_of_another_order_is_refused() {
    let api = Api::new().await;
    for (path, ..) in lists(&api).await {
        let sorts = sorts(&path);
        let page = api.get(format!("{path}?limit=1&sort={}", sorts[0])).await;
        let other = format!("{path}?limit=1&sort={}&cursor={}", sorts[1], page.text("next_cursor"));
        api.get(other).await.must_refuse(400, &[("cursor", "cursor")]);
    }
}

#[actix_web::test]
async fn a_cursor_that_no_list_gave_is_refused() {
    let api = Api::new().await;
    let id = "018e9a2c-5b00-7000-8000-000000000611";
    for (path, ..) in lists(&api).await {
        for sort in sorts(&path) {
            let made = [
                String::new(),
                "x".to_owned(),
                "あ".to_owned(),
                "{}".to_owned(),
                format!("[\"{sort}\"]"),
                format!("[\"{sort}\",null,\"{id}\"]"),
                format!("[\"{sort}\",[],\"{id}\"]"),
                format!("[\"{sort}\",1e400,\"{id}\"]"),
                format!("[\"{sort}\",\"\\u0000\",\"{id}\"]"),
                format!("[\"{sort}\",\"-262143-01-01T00:00:00Z\",\"{id}\"]"),
                format!("[\"{sort}\",\"+262142-01-01T00:00:00Z\",\"{id}\"]"),
                format!("[\"{sort}\",2024,\"{}\"]", id.replace('-', "")),
                format!("[\"{sort}\",2024,1]"),
            ];
            for made in made {
                // A text may well be a key of a list ordered by text, and then is a place in it.
                let answer = api.get(format!("{path}?sort={sort}&cursor={}", cursor(&made))).await;
                if answer.status != 200 || !made.contains("262") {
                    answer.must_refuse(400, &[("cursor", "cursor")]);
                }
            }
            for raw in ["%00", "a b", "==", "あ", "a,b"] {
                api.get(format!("{path}?sort={sort}&cursor={raw}"))
                    .await
                    .must_refuse(400, &[("cursor", "cursor")]);
            }
        }
    }
}
