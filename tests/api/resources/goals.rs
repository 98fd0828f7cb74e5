//! `/v1/goals`

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    Answer, Api,
    factories::{Nishi, goal, new_id, with},
};

#[actix_web::test]
async fn twenty_clients_change_a_goal_at_once_and_one_of_them_does() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await;
    let (path, tag) = (format!("/v1/goals/{}", goal.id()), goal.etag());
    let titles: Vec<_> = (0..20)
        .map(|n| json!({ "title": format!("{n}番目の人の題名") }))
        .collect();
    let answers: Vec<Answer> = join_all(titles.iter().map(|title| api.patch(&path, &tag, title))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    let mut expected = vec![412; 20];
    expected[0] = 200;
    assert_eq!(statuses, expected);
    let winner = answers.into_iter().find(|answer| answer.status == 200).unwrap();
    let stored = api.get(&path).await;
    assert_eq!(
        (stored.body.clone(), stored.body["version"].clone()),
        (winner.body, json!(2))
    );
}

#[actix_web::test]
async fn twenty_clients_create_one_goal_at_once_and_one_of_them_does() {
    let api = Api::new().await;
    api.organization().await;
    let body = goal(&api.policy("nishi", 2024).await.id(), "1-1");
    let answers = join_all((0..20).map(|_| api.post("/v1/goals", &body))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((created, refused), (1, 19));
}

#[actix_web::test]
async fn a_client_may_choose_the_identifier() {
    let api = Api::new().await;
    api.organization().await;
    let body = goal(&api.policy("nishi", 2024).await.id(), "1-1");
    let id = new_id();
    let created = api.create(format!("/v1/goals/{id}"), &body).await.must_be(201);
    assert_eq!(
        (created.id(), created.header("location")),
        (id.clone(), format!("/v1/goals/{id}").as_str())
    );
}

#[actix_web::test]
async fn a_new_identifier_must_be_a_uuid_of_version_7() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let body = goal(&nishi.policy.id(), "1-2");
    for id in [
        "9b2f0d3c-6d1f-4b2a-9c3e-0f1a2b3c4d5e",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let answer = api.create(format!("/v1/goals/{id}"), &body).await;
        answer.must_refuse(422, &[("", "uuid_version")]);
    }
}

#[actix_web::test]
async fn codes_are_unique_within_a_policy() {
    let api = Api::new().await;
    api.organization().await;
    let (this, last) = (
        api.policy("nishi", 2024).await.id(),
        api.policy("nishi", 2023).await.id(),
    );
    api.goal(&this, "1-1").await;
    api.goal(&last, "1-1").await;
    let other = api.goal(&this, "1-2").await;
    api.post("/v1/goals", &goal(&this, "1-1"))
        .await
        .must_refuse(409, &[("/code", "constraint")]);
    let answer = api
        .patch(format!("/v1/goals/{}", other.id()), "*", &json!({ "code": "1-1" }))
        .await;
    answer.must_refuse(409, &[("/code", "constraint")]);
}

#[actix_web::test]
async fn a_goal_needs_a_policy_that_exists() {
    let api = Api::new().await;
    let answer = api.post("/v1/goals", &goal(&new_id(), "1-1")).await;
    answer.must_refuse(409, &[("/policy_id", "constraint")]);
}

#[actix_web::test]
async fn every_broken_rule_is_named_at_once() {
    let api = Api::new().await;
    let body =
        json!({ "policy_id": "x", "code": "1-(1)", "title": "あ".repeat(301), "strategies": "一つ", "strategy": [] });
    let answer = api.post("/v1/goals", &body).await;
    let faults = answer.faults();
    assert_eq!(answer.status, 422);
    for (pointer, code) in [
        ("/policy_id", "format"),
        ("/code", "pattern"),
        ("/title", "too_long"),
        ("/strategies", "type"),
        ("/strategy", "unknown_field"),
    ] {
        assert!(
            faults.contains(&(pointer.to_owned(), code.to_owned())),
            "{pointer} {code}: {faults:?}"
        );
    }
}

#[actix_web::test]
async fn goals_are_listed_in_the_order_of_their_numbers() {
    let api = Api::new().await;
    api.organization().await;
    let policy = api.policy("nishi", 2024).await.id();
    for code in ["10", "1-10", "2", "1-2", "1", "1-1"] {
        api.goal(&policy, code).await;
    }
    let codes: Vec<_> = api
        .list("/v1/goals")
        .await
        .iter()
        .map(|goal| goal["code"].clone())
        .collect();
    assert_eq!(codes, ["1", "1-1", "1-2", "1-10", "2", "10"]);
}

#[actix_web::test]
async fn goals_are_listed_by_organization_year_and_code() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    for (organization, year, codes) in [
        ("nishi", 2024, ["1-1", "1-2"]),
        ("nishi", 2023, ["1-1", "2-1"]),
        ("keikaku", 2024, ["1-1", "3"]),
    ] {
        let policy = api.policy(organization, year).await.id();
        for code in codes {
            api.goal(&policy, code).await;
        }
    }
    for (query, expected) in [
        ("organization=nishi", 4),
        ("organization=271063", 4),
        ("organization=kita", 0),
        ("policy_year=2024", 4),
        ("policy_year=R5..令和6", 6),
        ("policy_year=2022", 0),
        ("code=1-1", 3),
        ("code=1-2,2-1,3", 3),
        ("code=9", 0),
        ("organization=nishi&policy_year=2023&code=2-1", 1),
    ] {
        assert_eq!(api.list(format!("/v1/goals?{query}")).await.len(), expected, "{query}");
    }
    api.get("/v1/goals?code=1-(1)")
        .await
        .must_refuse(400, &[("code", "format")]);
    let answer = api.get("/v1/goals?fiscal_year=2024").await;
    answer.must_refuse(400, &[("fiscal_year", "unknown_parameter")]);
}

#[actix_web::test]
async fn a_goal_stays_with_its_policy() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await;
    let other = api.policy("nishi", 2025).await.id();
    for elsewhere in [other, new_id()] {
        api.patch(
            format!("/v1/goals/{}", goal.id()),
            "*",
            &json!({ "policy_id": elsewhere }),
        )
        .await
        .must_refuse(409, &[("/policy_id", "constraint")]);
    }
}

#[actix_web::test]
async fn a_removed_goal_takes_everything_below_along() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.delete(format!("/v1/goals/{}", nishi.goal.id()), &nishi.goal.etag())
        .await
        .must_be(204);
    for path in ["/v1/goals", "/v1/budgets", "/v1/indicators", "/v1/results"] {
        assert!(api.list(path).await.is_empty(), "{path}");
    }
    api.get("/v1/policies/nishi/2024").await.must_be(200);
}

/// The tag covers what an answer shows, so a rename above makes it old: nobody writes over what they did not see.
#[actix_web::test]
async fn a_tag_covers_what_the_answer_shows_of_what_is_above() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await;
    api.patch("/v1/organizations/nishi", "*", &json!({ "slug": "nishi-ku" }))
        .await
        .must_be(200);
    let path = format!("/v1/goals/{}", goal.id());
    api.patch(&path, &goal.etag(), &json!({ "title": "防災力" }))
        .await
        .must_be(412);
    let read = api.get(&path).await;
    assert_eq!(read.body, with(goal.body, json!({ "organization": "nishi-ku" })));
}
