//! Feed and snapshot say of each thing what GET says, in the same words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ANYBODY, Asker, publishable};
use crate::support::{
    Api, Call,
    factories::{self, Nishi, with},
};

/// Members that a thing has from the things above it: the feed has their ids, and their names in `key`.
const FROM_ABOVE: [&str; 4] = ["organization", "organization_name", "policy_year", "goal_code"];

/// Fails unless all that GET says of a thing is in its state, word for word; what was compared.
#[track_caller]
fn compare(read: &Value, state: &Value, left_out: &[&str]) -> BTreeSet<String> {
    let mut compared = BTreeSet::new();
    for (key, value) in read.as_object().unwrap() {
        if FROM_ABOVE.contains(&key.as_str()) || left_out.contains(&key.as_str()) {
            continue;
        }
        assert_eq!(Some(value), state.get(key), "{key} of {state}");
        compared.insert(key.clone());
    }
    compared
}

/// The states of everything of a type: in the snapshot, and after the last change of each in the feed.
async fn states(api: &Api, asker: Asker, kind: &str) -> Vec<Value> {
    let (_, snapshot) = api.snapshot(asker).await;
    let followed = api.followed(asker).await;
    assert_eq!(snapshot, followed);
    snapshot
        .into_iter()
        .filter(|((of, _), _)| of == kind)
        .map(|(_, state)| state)
        .collect()
}

#[actix_web::test]
async fn every_type_is_said_in_the_words_of_its_get() {
    let api = Api::new().await;
    let nishi = publishable(&api).await;
    // Numbers, moments and texts as they come: with zeros at the end, and none.
    let target = with(
        factories::at_least(&serde_json::from_str("81.20").unwrap()),
        json!({
            "text": "令和4年度比0.5ポイント減", "comparator": "decrease_by", "value": 0.5,
            "reference": { "kind": "fiscal_year", "fiscal_year": 2022, "value": 1020, "name": null },
            "period": { "kind": "by_end_of", "from": null, "to": 2025 }
        }),
    );
    api.patch(
        format!("/v1/indicators/{}", nishi.indicator.id()),
        "*",
        &json!({ "target": target }),
    )
    .await
    .must_be(200);
    let precise: Value =
        serde_json::from_str(r#"{ "value": 81.20, "numerator": -3.50, "denominator": 0.000000001 }"#).unwrap();
    api.patch(&nishi.result_path, "*", &precise).await.must_be(200);
    for kind in ["plan", "results"] {
        api.publish("nishi/2024", kind).await.must_be(201);
    }
    for (kind, list, left_out) in [
        ("organization", "/v1/organizations", &[][..]),
        // The self-evaluation is a thing of its own; version and time of the policy are those of the rest.
        (
            "policy",
            "/v1/policies",
            &["self_evaluation", "future_policy", "version", "updated_at"],
        ),
        ("goal", "/v1/goals", &[]),
        ("budget", "/v1/budgets", &[]),
        ("indicator", "/v1/indicators", &[]),
        // The goal is that of its indicator.
        ("result", "/v1/results", &["goal_id"]),
        // Whose it is and of which year it has from its policy.
        (
            "revision",
            "/v1/policies/nishi/2024/revisions?sort=number",
            &["fiscal_year"],
        ),
    ] {
        let read = api.send(Call::new("GET", list).anonymous()).await.must_be(200).body;
        let read = read["items"].as_array().unwrap();
        let states = states(&api, ANYBODY, kind).await;
        assert_eq!(read.len(), states.len(), "{kind}");
        for read in read {
            let state = states.iter().find(|state| state["id"] == read["id"]).unwrap();
            let compared = compare(read, state, left_out);
            assert!(compared.len() > 5, "{kind}: {compared:?}");
        }
    }
    let policy = api.get("/v1/policies/nishi/2024").await.must_be(200).body;
    let judged = states(&api, ANYBODY, "self_evaluation").await.remove(0);
    for key in ["self_evaluation", "future_policy"] {
        assert_eq!(judged[key], policy[key]);
    }
}

#[actix_web::test]
async fn a_status_is_said_whether_it_was_stated_or_follows_from_value_and_day() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let said = async || {
        let state = states(&api, super::ADMINISTRATOR, "result").await.remove(0);
        let read = api.get(&nishi.result_path).await.must_be(200).body;
        assert_eq!(state["value_status"], read["value_status"]);
        read["value_status"].as_str().unwrap().to_owned()
    };
    let mut seen = vec![said().await];
    let none = json!({ "value": null, "declared_rating": null, "value_status": "being_compiled" });
    api.patch(&nishi.result_path, "*", &none).await.must_be(200);
    seen.push(said().await);
    let none = json!({ "value_status": "not_reported" });
    api.patch(&nishi.result_path, "*", &none).await.must_be(200);
    seen.push(said().await);
    // The due date of the policy decides, whatever the usual day is.
    api.patch(
        "/v1/policies/nishi/2024",
        "*",
        &json!({ "results_due_on": "2199-03-31" }),
    )
    .await
    .must_be(200);
    seen.push(said().await);
    assert_eq!(seen, ["reported", "being_compiled", "not_reported", "not_yet_due"]);
    // And of what is gone, there was something.
    api.delete(&nishi.result_path, "*").await.must_be(204);
    api.delete("/v1/policies/nishi/2024", "*").await.must_be(204);
    let last = api.get("/v1/changes?type=result&limit=1000").await.must_be(200).body;
    let last = last["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["op"], &last["before"]["value_status"]),
        (&json!("delete"), &json!("not_reported"))
    );
}
