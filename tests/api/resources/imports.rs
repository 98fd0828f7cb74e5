//! Imports: a policy's tree from elsewhere, tried and stored.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call, factories::with, years::Years};

pub(crate) mod forms;
mod one_rule;
mod pasted;
pub(crate) mod results_table;
mod rewording;
mod sheet_versions;
pub(crate) mod trials;
mod uploads;

const TREE: &str = "/v1/policies/nishi/2024/tree";

impl Api {
    /// The answer to a file.
    async fn import(&self, tree: &Value) -> Answer {
        self.post("/v1/imports/policies", tree).await
    }

    /// The answer to a file that is only tried.
    async fn try_import(&self, tree: &Value) -> Answer {
        self.post("/v1/imports/policies?dry_run=true", tree).await
    }
}

/// The tree of a year that was made up at another installation, and an installation that only knows the ward.
async fn two_installations() -> (Answer, Api) {
    let there = Years::drafted().await;
    let tree = there.api.get(TREE).await.must_be(200);
    let here = Api::new().await;
    here.organization().await;
    (tree, here)
}

/// What a report says that does not depend on whether it was a trial.
fn essence(report: &Answer) -> Value {
    let mut body = report.body.clone();
    body["dry_run"].take();
    body
}

#[actix_web::test]
async fn a_policy_moves_to_another_installation_byte_for_byte() {
    let (tree, here) = two_installations().await;
    let report = here.import(&tree.body).await.must_be(200).body;
    // The policy and its self-evaluation, 2 goals, the budgets, 3 indicators, 3 results.
    let count = |kind: &str| {
        let changes = report["changes"].as_array().unwrap();
        changes.iter().filter(|change| change["type"] == kind).count()
    };
    assert_eq!(
        ["policy", "self_evaluation", "goal", "indicator", "result"].map(count),
        [1, 1, 2, 3, 3]
    );
    assert_eq!(report["created"], report["changes"].as_array().unwrap().len());
    assert_eq!((&report["changed"], &report["left"]), (&json!(0), &json!([])));
    assert_eq!(here.get(TREE).await.bytes, tree.bytes);
}

#[actix_web::test]
async fn the_same_file_again_changes_nothing() {
    let (tree, here) = two_installations().await;
    here.import(&tree.body).await.must_be(200);
    let (before, moment) = (here.get(TREE).await.bytes, here.moment());
    let report = here.import(&tree.body).await.must_be(200).body;
    assert_eq!(
        (&report["created"], &report["changed"], &report["changes"]),
        (&json!(0), &json!(0), &json!([]))
    );
    assert_eq!((here.get(TREE).await.bytes, here.moment()), (before, moment));
}

#[actix_web::test]
async fn a_trial_reports_the_same_and_stores_nothing() {
    let (tree, here) = two_installations().await;
    let moment = here.moment();
    let tried = here.try_import(&tree.body).await.must_be(200);
    assert_eq!(tried.body["dry_run"], true);
    here.get(TREE).await.must_be(404);
    assert_eq!(here.moment(), moment, "a trial is no part of the history");

    let stored = here.import(&tree.body).await.must_be(200);
    assert_eq!(stored.body["dry_run"], false);
    assert_eq!(essence(&tried)["evaluations"], essence(&stored)["evaluations"]);
    let kinds = |report: &Answer| {
        let changes = report.body["changes"].as_array().unwrap().clone();
        changes
            .iter()
            .map(|change| (change["op"].clone(), change["type"].clone(), change["key"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&tried), kinds(&stored));
}

#[actix_web::test]
async fn a_trial_needs_what_the_real_thing_needs() {
    let (tree, here) = two_installations().await;
    let reader = here.token("読む人", &["read_drafts:nishi"]).await;
    let editor = here.token("別の区の人", &["edit:*"]).await;
    let call = |token: &str| {
        Call::new("POST", "/v1/imports/policies?dry_run=true")
            .by(token)
            .json(&tree.body)
    };
    here.send(call(&reader)).await.must_be(403);
    here.send(call(&editor)).await.must_be(200);
    here.send(Call::new("POST", "/v1/imports/policies").anonymous().json(&tree.body))
        .await
        .must_be(401);
}

#[actix_web::test]
async fn every_indicator_is_evaluated() {
    let (tree, here) = two_installations().await;
    let report = here.try_import(&tree.body).await.must_be(200).body;
    let evaluations: Vec<_> = report["evaluations"].as_array().unwrap().iter().collect();
    let told: Vec<_> = evaluations
        .iter()
        .map(|it| {
            (
                it["name"].as_str().unwrap(),
                it["outcome"].as_str().unwrap(),
                &it["rating"],
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("活動を知っている割合", "not_achieved", &json!("B")),
            ("窓口に満足した区民の割合", "achieved", &json!("A")),
            ("防災訓練の実施件数", "not_achieved", &json!("B")),
        ]
    );
    assert!(evaluations[0]["explanation"]["ja"].as_str().unwrap().ends_with('。'));
}

#[actix_web::test]
async fn what_the_file_leaves_out_stays_and_is_named() {
    let years = Years::drafted().await;
    let api = &years.api;
    let stored = numbered(api).await;
    let mut file = stored.clone();
    let goals = file["goals"].as_array_mut().unwrap();
    goals[0]["indicators"][0]["results"] = json!([]);
    goals[0]["budgets"] = json!([]);
    goals[1]["indicators"].as_array_mut().unwrap().remove(0);
    file["head_name"] = json!("新しい区長");

    let report = api.import(&file).await.must_be(200).body;
    let left: Vec<_> = report["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it["type"].as_str().unwrap(),
                it["goal_code"].as_str().unwrap(),
                &it["indicator"],
            )
        })
        .collect();
    let budgets = stored["goals"][0]["budgets"].as_array().unwrap().len();
    let mut expected = vec![("budget", "1-1", &Value::Null); budgets];
    let (known, pleased) = (json!("活動を知っている割合"), json!("窓口に満足した区民の割合"));
    let code = stored["goals"][1]["code"].as_str().unwrap();
    expected.extend([("result", "1-1", &known), ("indicator", code, &pleased)]);
    assert_eq!(left, expected);
    assert_eq!((&report["created"], &report["changed"]), (&json!(0), &json!(1)));
    assert_eq!(
        report["changes"][0]["fields"],
        json!(["head_name"]),
        "{}",
        report["changes"]
    );
    let now = api.get(TREE).await.body;
    assert_eq!(now, with(stored, json!({ "head_name": "新しい区長" })));
}

#[actix_web::test]
async fn a_goal_the_file_lacks_stays_whole() {
    let years = Years::drafted().await;
    let stored = numbered(&years.api).await;
    let mut file = stored.clone();
    let gone = file["goals"].as_array_mut().unwrap().remove(0);
    let report = years.api.import(&file).await.must_be(200).body;
    let left = json!([{ "type": "goal", "goal_code": gone["code"], "indicator": null, "fiscal_year": null }]);
    assert_eq!((&report["left"], &report["changes"]), (&left, &json!([])));
    assert_eq!(years.api.get(TREE).await.body, stored);
}

#[actix_web::test]
async fn what_the_public_does_not_see_yet_survives_an_import_of_what_it_sees() {
    let years = Years::drafted().await;
    let api = &years.api;
    let mut judged = numbered(api).await;
    judged["self_evaluation"] = json!(["おおむね達成した。"]);
    api.import(&judged).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let whole = api.get(TREE).await.body;
    let public = api.send(Call::new("GET", TREE).anonymous()).await.must_be(200).body;
    assert_eq!(public["self_evaluation"], Value::Null);
    let report = api.import(&public).await.must_be(200).body;
    assert_eq!(report["changes"], json!([]));
    assert_eq!(api.get(TREE).await.body, whole);
}

#[actix_web::test]
async fn new_indicators_are_proposed_a_predecessor_and_linked_to_none() {
    let years = Years::drafted().await;
    let api = &years.api;
    let mut next = api.get("/v1/policies/nishi/2025/tree").await.must_be(200).body;
    forget(&mut next);
    next["fiscal_year"] = json!(2026);
    next["results_due_on"] = json!("2027-06-30");
    next["goals"][0]["indicators"][0]["name"] = json!("地域の活動を知っている割合");
    let report = api.import(&next).await.must_be(200).body;
    let links: Vec<_> = report["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| (link["name"].clone(), link["candidates"][0]["name"].clone()))
        .collect();
    let same = |name: &str| (json!(name), json!(name));
    assert_eq!(
        links,
        [
            (json!("地域の活動を知っている割合"), json!("活動を知っている割合")),
            same("窓口に満足した区民アンケート回答者の割合"),
            same("子育て相談の件数"),
        ]
    );
    let first = &report["links"][0];
    let indicator = api
        .get(format!("/v1/indicators/{}", first["indicator_id"].as_str().unwrap()))
        .await;
    assert_ne!(
        indicator.body["series_id"], first["candidates"][0]["series_id"],
        "a person links, not an import"
    );
}

/// The stored tree, whose indicators have the places that they have in it.
async fn numbered(api: &Api) -> Value {
    let stored = api.get(TREE).await.must_be(200).body;
    api.import(&stored).await.must_be(200);
    stored
}

/// Takes every identifier out of a tree.
fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == "id" || key == "series_id" {
                    member.take();
                } else {
                    forget(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        _ => {}
    }
}

#[actix_web::test]
async fn what_is_public_changes_with_a_reason() {
    let years = Years::drafted().await;
    let api = &years.api;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let mut file = api.get(TREE).await.body;
    file["head_title"] = json!("区長");
    for path in ["/v1/imports/policies?dry_run=true", "/v1/imports/policies"] {
        let refused = api.send(Call::new("POST", path).json(&file)).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
    }
    let call = Call::new("POST", "/v1/imports/policies")
        .because("職名の追記")
        .json(&file);
    api.send(call).await.must_be(200);
    let revisions = api.list("/v1/policies/nishi/2024/revisions").await;
    assert_eq!((revisions.len(), &revisions[0]["reason"]), (2, &json!("職名の追記")));
}

#[actix_web::test]
async fn a_file_that_breaks_rules_is_refused_whole() {
    let (tree, here) = two_installations().await;
    let mut broken = tree.body.clone();
    broken["goals"][0]["title"] = json!("");
    broken["goals"][1]["indicators"][0]["results"][0]["value"] = json!(null);
    for refused in [here.try_import(&broken).await, here.import(&broken).await] {
        assert_eq!(refused.status, 422);
        let faults: Vec<_> = refused.faults().into_iter().map(|(place, _)| place).collect();
        assert!(faults.contains(&"/goals/0/title".to_owned()), "{faults:?}");
    }
    here.get(TREE).await.must_be(404);

    let unknown = with(tree.body.clone(), json!({ "organization": "nowhere" }));
    here.import(&unknown)
        .await
        .must_refuse(409, &[("/organization", "missing")]);
    let renamed = with(tree.body.clone(), json!({ "organization_name": "東区" }));
    here.import(&renamed)
        .await
        .must_refuse(409, &[("/organization_name", "read_only")]);
    for (media_type, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 422),
        ("text/plain", "運営方針", 415),
        ("application/pdf", "%PDF", 415),
    ] {
        let answer = here
            .send(Call::new("POST", "/v1/imports/policies").body(media_type, body))
            .await;
        assert_eq!(answer.status, status, "{media_type}: {}", answer.body);
    }
    here.send(Call::new("POST", "/v1/imports/policies?dry_rnu=true").json(&tree.body))
        .await
        .must_refuse(400, &[("dry_rnu", "unknown_parameter")]);
}

#[actix_web::test]
async fn an_identifier_of_something_else_is_refused() {
    let years = Years::drafted().await;
    let api = &years.api;
    let mut file = api.get(TREE).await.body;
    file["fiscal_year"] = json!(2020);
    file["results_due_on"] = json!("2021-06-30");
    api.import(&file).await.must_refuse(409, &[("", "identity")]);
    api.get("/v1/policies/nishi/2020/tree").await.must_be(404);
}

#[actix_web::test]
async fn a_repeated_import_gives_the_first_answer() {
    let (tree, here) = two_installations().await;
    let call = || {
        Call::new("POST", "/v1/imports/policies")
            .header("idempotency-key", "file-1")
            .json(&tree.body)
    };
    let first = here.send(call()).await.must_be(200);
    let again = here.send(call()).await.must_be(200);
    assert_eq!(
        (again.header("idempotency-replayed"), &again.bytes),
        ("true", &first.bytes)
    );
}
