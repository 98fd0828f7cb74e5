//! What a row says beside figures, and which rows changed since a moment: who asks by that misses nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    history::random_past::World,
    support::{Api, Call, factories, years::Years},
};

const ROWS: &str = "/v1/evaluations?on=2026-07-01&limit=1000";

#[actix_web::test]
async fn a_row_has_names_beside_codes_and_what_decides() {
    let years = Years::published().await;
    let rows = years.api.list(format!("{ROWS}&fiscal_year=2025")).await;
    let row = rows.iter().find(|row| row["indicator_id"] == years.known[1]).unwrap();
    let proof = format!("/v1/indicators/{}/evaluation?on=2026-07-01", years.known[1]);
    let proof = years.api.get(proof).await.must_be(200).body;
    assert_eq!(
        (
            &row["organization_name"],
            &row["goal_title"],
            &row["decimals"],
            &row["threshold"]
        ),
        (
            &json!("西区"),
            &json!("地域コミュニティの活性化"),
            &json!(1),
            &json!(45)
        )
    );
    assert_eq!(row["explanation"], proof["evaluation"]["explanation"]);
    assert_eq!(row["threshold"], proof["evaluation"]["inputs"]["threshold"]);
    // Both languages at once: no header chooses.
    let one = format!("{ROWS}&indicator={}", years.known[1]);
    let tags = async |language: &str| {
        let call = Call::new("GET", &one).header("accept-language", language);
        years.api.send(call).await.must_be(200).etag()
    };
    assert_eq!(tags("ja").await, tags("en").await);
}

async fn rows(api: &Api, more: &str) -> BTreeMap<String, Value> {
    let rows = api.list(format!("{ROWS}{more}")).await;
    let key = |row: &Value| format!("{} {}", row["indicator_id"].as_str().unwrap(), row["fiscal_year"]);
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

/// The moment just after the last change.
fn after_now(api: &Api) -> String {
    let next = "select to_char((max(at) + interval '1 microsecond') at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as value from change_log";
    api.db.values(next).remove(0)
}

#[actix_web::test]
async fn only_what_something_changed_of_is_given_since() {
    let years = Years::published().await;
    let api = &years.api;
    let since = after_now(api);
    let changed = async || {
        let rows = rows(api, &format!("&updated_since={since}")).await;
        rows.into_keys().collect::<Vec<_>>()
    };
    assert!(changed().await.is_empty());
    // A result of last year: its own row, and that of the year in which it is the previous one.
    let result = format!("/v1/indicators/{}/results/2024", years.known[0]);
    api.patch(result, "*", &json!({ "value": 36 })).await.must_be(200);
    let of = |ids: [&String; 2]| {
        let mut keys = vec![format!("{} 2024", ids[0]), format!("{} 2025", ids[1])];
        keys.sort();
        keys
    };
    let [known, now] = &years.known;
    assert_eq!(changed().await, of([known, now]));
    // Nothing else: a change of another type is none of a row.
    let budget = api.list("/v1/budgets?limit=1").await.remove(0);
    let text = json!({ "text": "八十五百万円" });
    api.patch(format!("/v1/budgets/{}", budget["id"].as_str().unwrap()), "*", &text)
        .await
        .must_be(200);
    assert_eq!(changed().await, of([known, now]));
    // The latest time of a row is a safe next value: it comes again, and with it nothing that was seen.
    let latest = rows(api, "").await;
    let latest = latest
        .values()
        .map(|row| row["updated_at"].as_str().unwrap())
        .max()
        .unwrap();
    let again = rows(api, &format!("&updated_since={}", latest.replace('+', "%2B"))).await;
    assert_eq!(again.into_keys().collect::<Vec<_>>(), of([known, now]));
}

#[actix_web::test]
async fn what_is_gone_turns_rows_that_are_there() {
    let years = Years::published().await;
    let api = &years.api;
    let (before, since) = (rows(api, "").await, after_now(api));
    api.delete(format!("/v1/indicators/{}", years.known[0]), "*")
        .await
        .must_be(204);
    let key = format!("{} 2025", years.known[1]);
    let changed = rows(api, &format!("&updated_since={since}")).await;
    assert_eq!(before[&key]["recorded_previous_value"], 35);
    assert_eq!(changed[&key]["recorded_previous_value"], json!(null));
}

/// Random histories: after each step, a mirror that asks only for what changed since has every row as it is.
async fn a_mirror_by_time_misses_nothing(seed: u64) {
    let mut world = World::new(seed).await;
    for _ in 0..4 {
        world.found().await;
    }
    let mut mirrors = [true, false].map(|public| (public, BTreeMap::<String, Value>::new(), String::new()));
    for step in 0..30 {
        world.step().await;
        for (public, mirror, since) in &mut mirrors {
            let ask = async |more: String| {
                let call = Call::new("GET", format!("{ROWS}{more}"));
                let call = if *public { call.anonymous() } else { call };
                let mut page = world.api.send(call).await.must_be(200).body;
                let rows: Vec<Value> = serde_json::from_value(page["items"].take()).unwrap();
                let key = |row: &Value| format!("{} {}", row["indicator_id"].as_str().unwrap(), row["fiscal_year"]);
                rows.into_iter().map(|row| (key(&row), row)).collect::<BTreeMap<_, _>>()
            };
            let more = if since.is_empty() {
                String::new()
            } else {
                format!("&updated_since={}", since.replace('+', "%2B"))
            };
            mirror.extend(ask(more).await);
            let latest = mirror.values().map(|row| row["updated_at"].as_str().unwrap()).max();
            latest.unwrap_or_default().clone_into(since);
            let all = ask(String::new()).await;
            // What is gone does not show.
            mirror.retain(|key, _| all.contains_key(key));
            assert_eq!(*mirror, all, "step {step} of {seed}, public: {public}");
        }
    }
}

#[actix_web::test]
async fn a_mirror_of_one_history_misses_nothing() {
    a_mirror_by_time_misses_nothing(7).await;
}

#[actix_web::test]
async fn a_mirror_of_another_history_misses_nothing() {
    a_mirror_by_time_misses_nothing(99).await;
}

#[actix_web::test]
async fn nobody_is_told_of_drafts_by_a_time() {
    let years = Years::drafted().await;
    let api = &years.api;
    for year in [2024, 2025] {
        api.publish(&format!("nishi/{year}"), "plan").await.must_be(201);
    }
    let public = async || api.send(Call::new("GET", ROWS).anonymous()).await.must_be(200);
    let before = public().await;
    let result = format!("/v1/indicators/{}/results/2024", years.known[0]);
    api.patch(&result, "*", &json!({ "value": 1 })).await.must_be(200);
    api.delete(&result, "*").await.must_be(204);
    api.create(&result, &factories::result(2024)).await.must_be(201);
    assert_eq!(public().await.bytes, before.bytes);
}
