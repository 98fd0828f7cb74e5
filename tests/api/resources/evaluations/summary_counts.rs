//! Evaluations counted beforehand: what the counts say is what counting would, and they are not believed past a change.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use ward_policy::resources::evaluations::summary_counts;

use crate::support::{Api, Call, factories, years::Years};

/// Ways to ask that counts can answer.
const WAYS: [&str; 11] = [
    "",
    "organization=nishi",
    "organization=kensetsu",
    "organization=nishi,kensetsu",
    "fiscal_year=2024",
    "policy_year=2025",
    "policy_year=2024,2025&fiscal_year=2025",
    "kind=outcome",
    "outcome=achieved,overdue",
    "rating=A",
    "rating=B&fiscal_year=2025",
];
/// On the last day on which results of fiscal 2025 are due, a day after it, and long before.
const DAYS: [&str; 3] = ["2026-06-30", "2026-07-01", "2024-04-01"];
const GROUPS: [&str; 3] = ["organization", "fiscal_year", "organization,fiscal_year"];

/// What anybody gets, fresh.
pub(super) async fn public(api: &Api, path: &str) -> Value {
    let call = Call::new("GET", path).anonymous();
    api.send(call).await.must_be(200).body
}

/// The list of evaluations, counted here: total, outcomes, reasons and inconsistencies by group.
async fn by_hand(api: &Api, way: &str, day: &str, group: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let rows = public(api, &format!("/v1/evaluations?limit=1000&on={day}&{way}")).await;
    let mut counts: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in rows["items"].as_array().unwrap() {
        let keys = ["organization", "fiscal_year"];
        let key: Vec<String> = keys
            .into_iter()
            .map(|key| {
                if group.contains(key) {
                    row[key].to_string()
                } else {
                    "null".to_owned()
                }
            })
            .collect();
        let counts = counts.entry(key.join(" ")).or_default();
        let mut add = |what: &str| *counts.entry(what.to_owned()).or_default() += 1;
        add("total");
        let outcome = row["outcome"].as_str().unwrap();
        add(outcome);
        if outcome == "not_evaluable" {
            add(row["reason"].as_str().unwrap());
        }
        if row["consistent"] == false {
            add("inconsistent");
        }
    }
    counts
}

/// The summary, in the same words.
async fn counted(api: &Api, way: &str, day: &str, group: &str) -> BTreeMap<String, BTreeMap<String, u64>> {
    let by = if group.is_empty() {
        String::new()
    } else {
        format!("&group_by={group}")
    };
    let summary = public(api, &format!("/v1/evaluations/summary?on={day}&{way}{by}")).await;
    let items = summary["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let key = format!("{} {}", item["organization"], item["fiscal_year"]);
            let mut counts = BTreeMap::new();
            for (name, count) in item["roll_up"].as_object().unwrap() {
                match count {
                    Value::Number(count) if name != "achievement_ratio" => {
                        counts.insert(name.clone(), count.as_u64().unwrap());
                    }
                    Value::Array(reasons) => counts.extend(reasons.iter().map(|reason| {
                        (
                            reason["reason"].as_str().unwrap().to_owned(),
                            reason["count"].as_u64().unwrap(),
                        )
                    })),
                    _ => {}
                }
            }
            counts.retain(|_, count| *count > 0);
            (key, counts)
        })
        .collect()
}

/// Asserts that both say the same, whatever is asked for, and that the counts are believed.
async fn agree(api: &Api, after: &str) {
    for way in WAYS {
        for day in DAYS {
            let (counted, by_hand) = (counted(api, way, day, "").await, by_hand(api, way, day, "").await);
            assert_eq!(counted, by_hand, "{after}: {way} on {day}");
        }
    }
    agree_by_group(api, after).await;
}

/// Asserts that both say the same of whatever there is, by group, and that the counts are believed.
pub(crate) async fn agree_by_group(api: &Api, after: &str) {
    assert_eq!(stale(api), 0, "{after}");
    for group in GROUPS {
        for day in DAYS {
            let (counted, by_hand) = (counted(api, "", day, group).await, by_hand(api, "", day, group).await);
            assert_eq!(counted, by_hand, "{after}: on {day} by {group}");
        }
    }
    let odd = "select organization_id::text as value from derived.tallies where count <= 0 \
               union all select 'total' from derived.totals where count < 0";
    assert!(api.db.values(odd).is_empty(), "{after}");
}

/// Organizations whose counts are not to be believed.
fn stale(api: &Api) -> usize {
    let marked = "select organization_id::text as value from derived.tallied where rules = 0";
    api.db.values(marked).len()
}

#[actix_web::test]
async fn counts_say_what_counting_says_whatever_changes() {
    let years = Years::drafted().await;
    // Nothing that was answered before is given again.
    let api = years.api.beside(0).await;
    assert!(counted(&api, "", DAYS[0], "").await.is_empty());
    years.publish(2024).await;
    agree(&api, "a year").await;
    api.publish("nishi/2025", "plan").await.must_be(201);
    agree(&api, "a plan, its results hidden").await;
    let said = json!({ "self_evaluation": ["おおむね達成した。"], "future_policy": ["続ける。"] });
    api.patch("/v1/policies/nishi/2025", "*", &said).await.must_be(200);
    api.publish("nishi/2025", "results").await.must_be(201);
    agree(&api, "both years").await;

    let path = format!("/v1/indicators/{}/results/2024", years.pleased[0]);
    api.patch(&path, "*", &json!({ "value": 60 })).await.must_be(200);
    agree(&api, "last year's record, which is this year's previous value").await;
    let relative = json!({ "target": factories::with(factories::at_least(&json!(null)), json!({
        "text": "前年度実績を上回る", "comparator": "increase", "value": null, "reference": { "kind": "previous_year" } })) });
    api.patch(format!("/v1/indicators/{}", years.pleased[1]), "*", &relative)
        .await
        .must_be(200);
    agree(&api, "a target that looks back").await;
    api.patch(&path, "*", &json!({ "value": 75 })).await.must_be(200);
    agree(&api, "last year's record once more").await;
    let entry = |indicator: &str, year: i32, value: i32| {
        json!({ "indicator_id": indicator, "result": factories::with(
        factories::result(year), json!({ "value": value })) })
    };
    let several =
        json!({ "reason": "訂正", "items": [entry(&years.pleased[0], 2024, 10), entry(&years.pleased[1], 2025, 90)] });
    api.post("/v1/results", &several).await.must_be(200);
    agree(&api, "two results of a series at once").await;
    let moved = json!({ "results_due_on": "2026-07-01" });
    api.patch("/v1/policies/nishi/2025", "*", &moved).await.must_be(200);
    agree(&api, "another due date").await;
    api.delete(format!("/v1/indicators/{}/results/2025", years.advice), "*")
        .await
        .must_be(204);
    agree(&api, "a result gone").await;
    let path = format!("/v1/indicators/{}/results/2025", years.drill);
    let late = Call::new("PUT", path).header("if-none-match", "*").because("追加");
    api.send(late.json(&factories::result(2025))).await.must_be(201);
    agree(&api, "a result of another year").await;
    let bureau = json!({ "slug": "doboku" });
    api.bureau("kensetsu").await;
    api.patch("/v1/organizations/kensetsu", "*", &bureau).await.must_be(200);
    api.patch("/v1/organizations/doboku", "*", &json!({ "slug": "kensetsu" }))
        .await
        .must_be(200);
    api.policy("kensetsu", 2025).await;
    agree(&api, "an organization and its draft").await;
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    agree(&api, "a year withdrawn").await;
    let gone = api.bureau("kowan").await;
    api.delete("/v1/organizations/kowan", &gone.etag()).await.must_be(204);
    agree(&api, "an organization gone").await;
}

#[actix_web::test]
async fn the_public_gets_the_counts_and_others_what_they_may_see() {
    let years = Years::published().await;
    let api = years.api.beside(0).await;
    let total = |body: &Value| body["items"][0]["roll_up"]["total"].as_u64().unwrap();
    let everything = "/v1/evaluations/summary";
    let before = total(&public(&api, everything).await);
    let counted_otherwise = "update derived.totals set count = count + 1000";
    api.db.connect().batch_execute(counted_otherwise).unwrap();
    assert!(total(&public(&api, everything).await) > 1000);
    let earlier = format!("as_of={}", api.moment());
    for finer in ["unit=%25,件", "q=の", "group_by=goal", earlier.as_str()] {
        let finer = public(&api, &format!("{everything}?{finer}")).await;
        let items = finer["items"].as_array().unwrap().iter();
        let all: u64 = items.map(|item| item["roll_up"]["total"].as_u64().unwrap()).sum();
        assert!((1..=before).contains(&all), "{finer}");
    }
    assert_eq!(total(&api.get(everything).await.must_be(200).body), before);
}

#[actix_web::test]
async fn what_changed_behind_the_services_back_is_not_believed_until_it_is_counted() {
    let years = Years::published().await;
    let api = years.api.beside(0).await;
    let by_hand_of_sql = "begin; select begin_write('somebody', '', '', 'a reason'); \
                          update results set value = 0 where value is not null; commit";
    api.db.connect().batch_execute(by_hand_of_sql).unwrap();
    assert_eq!(stale(&api), 1);
    assert_eq!(
        counted(&api, "", DAYS[1], "").await,
        by_hand(&api, "", DAYS[1], "").await
    );
    // As every start of the service does.
    summary_counts::catch_up(&mut api.db.connect()).unwrap();
    agree(&api, "counted anew").await;
    // By rules of another number.
    api.db
        .connect()
        .batch_execute("update derived.tallied set rules = 999; update derived.totals set count = 7")
        .unwrap();
    assert_eq!(
        counted(&api, "", DAYS[1], "").await,
        by_hand(&api, "", DAYS[1], "").await
    );
}
