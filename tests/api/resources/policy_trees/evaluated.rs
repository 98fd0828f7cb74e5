//! A tree with its evaluation, and what a grid makes of a tree.

use serde_json::{Value, json};

use super::PATH;
use crate::support::{
    Api, Call,
    factories::{self, Nishi, with},
    years::Years,
};

/// Every indicator of a tree.
fn indicators(tree: &Value) -> Vec<&Value> {
    let goals = tree["goals"].as_array().unwrap().iter();
    goals.flat_map(|goal| goal["indicators"].as_array().unwrap()).collect()
}

#[actix_web::test]
async fn one_call_says_what_the_tree_and_the_evaluation_say() {
    let api = Api::with_sample().await;
    let plain = api.get(PATH).await.must_be(200);
    let both = api
        .get(format!("{PATH}?with=evaluation&on=2025-07-10"))
        .await
        .must_be(200);
    let proof = "/v1/policies/nishi/2024/evaluation?on=2025-07-10";
    let proof = api.get(proof).await.must_be(200).body;
    assert_eq!(
        (&both.body["on"], &both.body["roll_up"]),
        (&json!("2025-07-10"), &proof["roll_up"])
    );
    let goals = both.body["goals"].as_array().unwrap();
    for (goal, proof) in goals.iter().zip(proof["goals"].as_array().unwrap()) {
        assert_eq!(goal["roll_up"], proof["roll_up"]);
        let shown = goal["indicators"].as_array().unwrap().iter();
        for (shown, proof) in shown.zip(proof["indicators"].as_array().unwrap()) {
            assert_eq!(
                (&shown["id"], &shown["evaluation"]),
                (&proof["indicator_id"], &proof["evaluation"])
            );
            assert_eq!(shown["evaluation"]["outcome"], "overdue");
        }
    }
    assert_eq!(
        goals[0]["budgets_by_year"],
        json!({ "2022": { "actual": 77_000_000 }, "2023": { "initial": 92_000_000 }, "2024": { "initial": 85_000_000 } })
    );

    // Without what the evaluation adds, it is the plain tree.
    let mut rest = both.body.clone();
    (rest["on"], rest["roll_up"]) = (json!(null), json!(null));
    for goal in rest["goals"].as_array_mut().unwrap() {
        (goal["roll_up"], goal["budgets_by_year"]) = (json!(null), json!(null));
        for indicator in goal["indicators"].as_array_mut().unwrap() {
            indicator["evaluation"] = json!(null);
        }
    }
    assert_eq!(rest, plain.body);
}

#[actix_web::test]
async fn what_has_no_amount_is_null_among_the_budgets_by_year() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let none = json!({ "status": "none", "amount_yen": null, "precision_yen": null, "text": "－" });
    api.patch(format!("/v1/budgets/{}", nishi.budget.id()), "*", &none)
        .await
        .must_be(200);
    let tree = api.get(format!("{PATH}?with=evaluation")).await.must_be(200).body;
    assert_eq!(
        tree["goals"][0]["budgets_by_year"],
        json!({ "2024": { "initial": null } })
    );
}

#[actix_web::test]
async fn its_tag_follows_the_content_and_the_day() {
    let api = Api::with_sample().await;
    let path = |on: &str| format!("{PATH}?with=evaluation&on={on}");
    let read = api.get(path("2025-06-30")).await.must_be(200);
    assert_eq!(api.get(path("2025-06-30")).await.etag(), read.etag());
    assert_ne!(api.get(path("2025-07-01")).await.etag(), read.etag(), "another day");
    assert_ne!(api.get(PATH).await.etag(), read.etag(), "without the evaluation");
    let call = Call::new("GET", path("2025-06-30")).header("if-none-match", read.etag());
    api.send(call).await.must_be(304);
    let indicator = indicators(&read.body)[0]["id"].as_str().unwrap().to_owned();
    api.result(&indicator, 2024).await;
    assert_ne!(api.get(path("2025-06-30")).await.etag(), read.etag(), "a result more");
    api.get(format!("{PATH}?on=2025-06-30"))
        .await
        .must_refuse(400, &[("on", "with")]);
    api.get(format!("{PATH}?with=evaluations"))
        .await
        .must_refuse(400, &[("with", "unknown_code")]);
}

#[actix_web::test]
async fn it_changes_with_what_another_year_says() {
    let years = Years::published().await;
    let path = "/v1/policies/nishi/2025/tree?with=evaluation&on=2026-07-01";
    let before = years.api.get(path).await.must_be(200);
    let result = format!("/v1/indicators/{}/results/2024", years.known[0]);
    years.api.patch(result, "*", &json!({ "value": 1 })).await.must_be(200);
    let after = years.api.get(path).await.must_be(200);
    let previous = |tree: &Value| tree["goals"][0]["indicators"][0]["evaluation"]["previous"]["recorded"].clone();
    assert_eq!((previous(&before.body), previous(&after.body)), (json!(35), json!(1)));
    assert_ne!(before.etag(), after.etag());
}

#[actix_web::test]
async fn the_public_sees_no_draft_in_it_and_the_past_is_judged_by_its_day() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let path = format!("{PATH}?with=evaluation");
    let public = async || api.send(Call::new("GET", &path).anonymous()).await;
    assert_eq!(public().await.status, 404);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let seen = public().await.must_be(200).body;
    let indicator = &seen["goals"][0]["indicators"][0];
    assert_eq!(
        (
            &indicator["results"],
            &indicator["evaluation"]["inputs"]["compared_value"]
        ),
        (&json!([]), &json!(null))
    );
    let moment = api.moment();
    api.patch(&nishi.result_path, "*", &json!({ "value": 1, "declared_rating": "B" }))
        .await
        .must_be(200);
    let evaluation = async |more: String| {
        let tree = api.get(format!("{path}{more}")).await.must_be(200).body;
        tree["goals"][0]["indicators"][0]["evaluation"]["rating"].clone()
    };
    assert_eq!(evaluation(String::new()).await, "B");
    assert_eq!(evaluation(format!("&as_of={moment}")).await, "A");
}

#[actix_web::test]
async fn what_was_read_with_its_evaluation_can_be_sent_back_too() {
    let api = Api::with_sample().await;
    let read = api.get(format!("{PATH}?with=evaluation")).await.must_be(200);
    let stored = api.put(PATH, &read.etag(), &read.body).await.must_be(200);
    assert_eq!(stored.etag(), api.get(PATH).await.etag());
    assert_eq!(api.changed(), Vec::<String>::new());
    let mut edited = read.body.clone();
    edited["goals"][0]["title"] = json!("別の題");
    api.put(PATH, &read.etag(), &edited).await.must_be(200);
    api.put(PATH, &read.etag(), &edited).await.must_be(412);
}

#[actix_web::test]
async fn a_grid_is_read_with_versions_and_stored_by_one_call() {
    let api = Api::with_sample().await;
    let read = api.get(PATH).await.must_be(200).body;
    let ids: Vec<String> = indicators(&read)[..3]
        .iter()
        .map(|indicator| indicator["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids {
        api.result(id, 2024).await;
    }
    // What a page makes of the tree: three cells edited, each with the version that was read.
    let read = api.get(PATH).await.must_be(200).body;
    let items: Vec<Value> = indicators(&read)[..3]
        .iter()
        .map(|indicator| {
            let mut result = indicator["results"][0].clone();
            let version = result.as_object_mut().unwrap().remove("version").unwrap();
            assert_eq!(version, 1);
            let result = with(result, json!({ "value": 99, "text": "99%" }));
            json!({ "indicator_id": indicator["id"], "version": version, "result": result })
        })
        .collect();
    let grid = json!({ "items": items });

    // Another was faster with the second.
    let other = format!("/v1/indicators/{}/results/2024", ids[1]);
    api.patch(&other, "*", &json!({ "value": 12, "text": "12%" }))
        .await
        .must_be(200);
    api.post("/v1/results", &grid)
        .await
        .must_refuse(409, &[("/items/1/version", "version")]);
    let value = async |id: &str| {
        let result = api.get(format!("/v1/indicators/{id}/results/2024")).await;
        result.must_be(200).body["value"].clone()
    };
    assert_eq!(value(&ids[0]).await, json!(57), "all of them, or none");

    // Read again, decided again.
    let mut grid = grid;
    let again = api.get(PATH).await.must_be(200).body;
    grid["items"][1]["version"] = indicators(&again)[1]["results"][0]["version"].clone();
    let stored = api.post("/v1/results", &grid).await.must_be(200).body;
    assert_eq!(stored["changed"], 3);
    for id in &ids {
        assert_eq!(value(id).await, json!(99));
    }
}

#[actix_web::test]
async fn a_result_that_was_made_from_another_version_is_refused() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let other = api.indicator(&nishi.goal.id(), "別の指標").await;
    let read = api.get(PATH).await.must_be(200).body;
    let edited = |version: Value| {
        let mut tree = read.clone();
        let result = with(
            factories::result(2024),
            json!({ "value": 99, "text": "99%", "version": version }),
        );
        tree["goals"][0]["indicators"][0]["results"] = json!([result]);
        tree["goals"][0]["indicators"][1]["results"] = json!([result]);
        tree
    };
    // Two at other versions: one was changed, the other one removed. The first stands under another number in the stored tree.
    api.patch(&nishi.result_path, "*", &json!({ "value": 12, "text": "12%" }))
        .await
        .must_be(200);
    let mut tree = edited(json!(1));
    let goal = factories::goal(&nishi.policy.id(), "1");
    api.post("/v1/goals", &goal).await.must_be(201);
    let at = |n: usize| format!("/goals/0/indicators/{n}/results/0/version");
    let (first, second) = (at(0), at(1));
    let stale = [(first.as_str(), "version"), (second.as_str(), "version")];
    let import = async |tree: &Value| {
        api.send(Call::new("POST", "/v1/imports/policies").because("試験").json(tree))
            .await
    };
    tree["goals"][0]["title"] = json!("別の題");
    import(&tree).await.must_refuse(409, &stale);
    api.put(PATH, "*", &tree).await.must_refuse(409, &stale);
    let stored = api.get(format!("/v1/goals/{}", nishi.goal.id())).await.body;
    assert_eq!(
        (&stored["title"], &stored["version"]),
        (&nishi.goal.body["title"], &json!(1)),
        "nothing was written"
    );
    // With other things that contradict what is stored.
    tree["goals"][0]["id"] = json!(factories::new_id());
    import(&tree)
        .await
        .must_refuse(409, &[("/goals/0/id", "identity"), stale[0], stale[1]]);
    let value = async |id: String| api.get(format!("/v1/indicators/{id}/results/2024")).await.body["value"].clone();
    assert_eq!(value(nishi.indicator.id()).await, json!(12));

    // The same words as of a batch.
    let entry = json!({ "indicator_id": nishi.indicator.id(), "version": 1, "result": factories::result(2024) });
    let batch = api.post("/v1/results", &json!({ "items": [entry] })).await.must_be(409);
    let refused = import(&edited(json!(1))).await.must_be(409);
    assert_eq!(refused.body["errors"][0]["detail"], batch.body["errors"][0]["detail"]);

    // Nobody says a version, or it is the stored one, 0 where there is none.
    let mut right = edited(json!(2));
    right["goals"][0]["indicators"][1]["results"][0]["version"] = json!(0);
    import(&right).await.must_be(200);
    assert_eq!(
        (value(nishi.indicator.id()).await, value(other.id()).await),
        (json!(99), json!(99))
    );
    // What changes nothing may be as old as it likes.
    let report = import(&right).await.must_be(200).body;
    assert_eq!((&report["changed"], &report["created"]), (&json!(0), &json!(0)));
    let mut whatever = edited(json!(null));
    whatever["goals"][0]["indicators"][0]["results"][0]["value"] = json!(7);
    whatever["goals"][0]["indicators"][0]["results"][0]["text"] = json!("7%");
    import(&whatever).await.must_be(200);
    assert_eq!(value(nishi.indicator.id()).await, json!(7));
}

#[actix_web::test]
async fn a_tree_of_another_day_is_replaced_under_its_own_address() {
    let api = Api::with_sample().await;
    let days = [
        format!("{PATH}?with=evaluation&on=2025-07-10"),
        format!("{PATH}?with=evaluation&on=2024-07-10"),
    ];
    let mut tags = Vec::new();
    for path in &days {
        let read = api.get(path).await.must_be(200);
        // Elsewhere it names another state.
        api.put(PATH, &read.etag(), &read.body).await.must_be(412);
        let stored = api.put(path, &read.etag(), &read.body).await.must_be(200);
        assert_eq!((stored.etag(), &stored.body), (read.etag(), &read.body));
        tags.push(read.etag());
    }
    api.put(&days[0], &tags[1], &api.get(&days[0]).await.body)
        .await
        .must_be(412);
    assert_eq!(api.changed(), Vec::<String>::new());
    let mut edited = api.get(&days[0]).await.body;
    edited["goals"][0]["title"] = json!("別の題");
    let stored = api.put(&days[0], &tags[0], &edited).await.must_be(200);
    let again = api.get(&days[0]).await;
    assert_eq!(
        (stored.etag(), &stored.body),
        (again.etag(), &again.body),
        "with its new revision"
    );
    api.put(&days[0], &tags[0], &edited).await.must_be(412);
    let call = Call::new("PUT", format!("{PATH}?on=2025-07-10")).header("if-match", "*");
    api.send(call.json(&edited))
        .await
        .must_refuse(400, &[("on", "with"), ("Change-Reason", "required")]);
}

#[actix_web::test]
async fn what_only_answers_have_may_be_anything_in_a_body() {
    let api = Api::with_sample().await;
    let mut tree = api.get(PATH).await.must_be(200).body;
    tree["on"] = json!(5);
    tree["roll_up"] = json!([]);
    tree["goals"][0]["budgets_by_year"] = json!("x");
    tree["goals"][0]["indicators"][0]["evaluation"] = json!({ "outcome": { "of": "another version" } });
    api.put(PATH, "*", &tree).await.must_be(200);
    assert_eq!(api.changed(), Vec::<String>::new());
    tree["goals"][0]["indicators"][0]["evaluations"] = json!(null);
    let refused = api.put(PATH, "*", &tree).await;
    refused.must_refuse(422, &[("/goals/0/indicators/0/evaluations", "unknown_field")]);
}

#[actix_web::test]
async fn versions_of_unchanged_results_are_not_looked_at_and_stand_in_no_revision() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let texts = json!({ "self_evaluation": ["良"], "future_policy": ["続ける"] });
    api.patch("/v1/policies/nishi/2024", "*", &texts).await.must_be(200);
    for kind in ["plan", "results"] {
        api.publish("nishi/2024", kind).await.must_be(201);
    }
    let read = api.get(PATH).await.must_be(200);
    let mut other = read.body.clone();
    other["goals"][0]["indicators"][0]["results"][0]["version"] = json!(99);
    let stored = api.put(PATH, &read.etag(), &other).await.must_be(200);
    assert_eq!(stored.body, read.body);
    let document = api.get("/v1/policies/nishi/2024/revisions/2").await.must_be(200).body;
    let result = &document["goals"][0]["indicators"][0]["results"][0];
    assert_eq!((&result["value"], &result["version"]), (&json!(57), &json!(null)));
    assert_eq!(
        api.list("/v1/policies/nishi/2024/revisions").await.len(),
        2,
        "no correction"
    );
    let unknown = with(factories::result(2024), json!({ "versions": 1 }));
    other["goals"][0]["indicators"][0]["results"] = json!([unknown]);
    let refused = api.put(PATH, &read.etag(), &other).await;
    refused.must_refuse(422, &[("/goals/0/indicators/0/results/0/versions", "unknown_field")]);
}
