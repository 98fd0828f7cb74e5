//! Indicators of a file that may be stored ones in other words: nothing is stored until a person says whether they are.

use serde_json::{Value, json};

use super::forms::{PLAN, RESULTS, ward};
use crate::support::{Api, Call};

const TREE: &str = "/v1/policies/nishi/2024/tree";
/// What a form calls the people asked, and what it calls them in other words.
const PEOPLE: (&str, &str) = ("区民アンケート回答者の割合", "区民の割合");

/// The indicators of a tree: their names, and all else that is theirs.
fn indicators(tree: &Value) -> Vec<(String, Value)> {
    let goals = tree["goals"].as_array().unwrap().iter();
    let all = goals.flat_map(|goal| goal["indicators"].as_array().unwrap());
    all.map(|it| {
        let mut rest = it.clone();
        rest.as_object_mut().unwrap().remove("name");
        rest.as_object_mut().unwrap().remove("population");
        (it["name"].as_str().unwrap().to_owned(), rest)
    })
    .collect()
}

/// The details of the notes that ask about a rewording.
fn asked(report: &Value) -> Vec<&Value> {
    let notes = report["notes"].as_array().unwrap().iter();
    notes.filter(|note| note["code"] == "rewording").collect()
}

/// A service with the ward's published policy and its results.
async fn published() -> Api {
    let api = ward().await;
    api.form("", PLAN).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.form("", RESULTS).await.must_be(200);
    api
}

async fn json(api: &Api, query: &str, tree: &Value) -> crate::support::Answer {
    let call = Call::new("POST", format!("/v1/imports/policies{query}"));
    api.send(call.because("取り込み").json(tree)).await
}

#[actix_web::test]
async fn a_form_in_other_words_waits_for_a_person_who_renames() {
    let api = published().await;
    let before = indicators(&api.get(TREE).await.body);
    let reworded = RESULTS.replace(PEOPLE.0, PEOPLE.1);
    let others = before.iter().filter(|(name, _)| name.contains(PEOPLE.0)).count();
    assert!(others > 3);

    let moment = api.moment();
    let tried = api.form("?dry_run=true", reworded.clone()).await.must_be(200).body;
    assert_eq!(asked(&tried).len(), others, "{}", tried["notes"]);
    assert!(
        asked(&tried)
            .iter()
            .all(|note| note["severity"] == "error" && note["line"].is_u64())
    );
    assert_eq!(api.form("", reworded.clone()).await.status, 422);
    assert_eq!(api.moment(), moment);

    let renamed = api.form("?rewording=rename", reworded.clone()).await.must_be(200).body;
    assert_eq!(
        (&renamed["created"], &renamed["changed"], &renamed["left"]),
        (&json!(0), &json!(others), &json!([]))
    );
    let now = indicators(&api.get(TREE).await.body);
    let expected: Vec<_> = before
        .into_iter()
        .map(|(name, rest)| (name.replace(PEOPLE.0, PEOPLE.1), rest))
        .collect();
    assert_eq!(now, expected, "identifiers, series, targets and results stay");
    let again = api.form("", reworded).await.must_be(200).body;
    assert_eq!((&again["created"], &again["changed"]), (&json!(0), &json!(0)));
}

#[actix_web::test]
async fn an_indicator_that_replaces_another_is_new_where_a_person_says_so() {
    let api = published().await;
    let (old, new) = ("区役所窓口が適切な対応をしている", "区役所の対応が丁寧である");
    assert!(RESULTS.contains(old));
    let reworded = RESULTS.replace(old, new);
    let tried = api.form("?dry_run=true", reworded.clone()).await.must_be(200).body;
    let detail = asked(&tried)[0]["detail"]["en"].as_str().unwrap();
    assert!(detail.contains(old) && detail.contains(new), "{detail}");
    let added = api.form("?rewording=add", reworded).await.must_be(200).body;
    let kinds: Vec<_> = added["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| &left["type"])
        .collect();
    assert_eq!(kinds, ["indicator"]);
    let names: Vec<_> = indicators(&api.get(TREE).await.body);
    for part in [old, new] {
        assert_eq!(
            names.iter().filter(|(name, _)| name.contains(part)).count(),
            1,
            "{part}"
        );
    }
}

#[actix_web::test]
async fn what_is_new_beside_all_that_is_stored_is_no_rewording() {
    let api = published().await;
    let mut tree = api.get(TREE).await.body;
    let mut more = tree["goals"][0]["indicators"][0].clone();
    for key in ["id", "series_id"] {
        more.as_object_mut().unwrap().remove(key);
    }
    more["name"] = json!(format!("{}（再掲）", more["name"].as_str().unwrap()));
    tree["goals"][0]["indicators"].as_array_mut().unwrap().push(more);
    let report = json(&api, "?dry_run=true", &tree).await.must_be(200).body;
    assert_eq!(asked(&report), Vec::<&Value>::new());
}

#[actix_web::test]
async fn a_policy_without_identifiers_waits_for_a_person_too() {
    let api = published().await;
    let before = api.get(TREE).await.body;
    let mut tree = super::forms::bare(before.clone());
    let name = &mut tree["goals"][0]["indicators"][0]["name"];
    *name = json!(name.as_str().unwrap().replace(PEOPLE.0, PEOPLE.1));

    let tried = json(&api, "?dry_run=true", &tree).await.must_be(200).body;
    assert_eq!(
        (&tried["stored"], &tried["organization"]),
        (&json!(false), &json!("nishi"))
    );
    let places: Vec<_> = asked(&tried).iter().map(|note| note["pointer"].clone()).collect();
    assert_eq!(places, ["/goals/0/indicators/0/name"]);
    json(&api, "", &tree)
        .await
        .must_refuse(422, &[("/goals/0/indicators/0/name", "import")]);

    json(&api, "?rewording=rename", &tree).await.must_be(200);
    let (now, before) = (indicators(&api.get(TREE).await.body), indicators(&before));
    assert_eq!(now[0].1, before[0].1, "identifier, series, target and results stay");
    assert_eq!(now[0].0, tree["goals"][0]["indicators"][0]["name"]);

    // One with an identifier says itself which it is.
    let mut tree = api.get(TREE).await.body;
    tree["goals"][0]["indicators"][0]["name"] = json!(before[0].0);
    let report = json(&api, "", &tree).await.must_be(200).body;
    assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(1)));
}
