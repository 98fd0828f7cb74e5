//! `Idempotency-Key`: a request that may be repeated is carried out once.

use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    given::{self, Nishi, goal, with},
    support::{Answer, Api, Call},
};

fn post(key: &str, path: &str, body: &Value) -> Call {
    Call::new("POST", path).header("idempotency-key", key).json(body)
}

/// Fails unless the second answer repeats the first.
#[track_caller]
fn repeats(first: &Answer, second: &Answer) {
    assert_eq!(first.header("idempotency-replayed"), "");
    assert_eq!(second.header("idempotency-replayed"), "true", "{second:?}");
    assert_eq!((first.status, &first.bytes), (second.status, &second.bytes));
    for header in ["location", "etag", "content-type"] {
        assert_eq!(first.header(header), second.header(header), "{header}");
    }
}

impl Api {
    fn history(&self) -> String {
        self.db
            .values("select count(*)::text as value from change_log")
            .remove(0)
    }

    /// Makes each of these requests twice, under keys that begin so; the second changes nothing.
    async fn twice(&self, calls: Vec<Call>, begin: &str) {
        for (n, call) in calls.into_iter().enumerate() {
            let call = call.header("idempotency-key", format!("{begin}-{n}"));
            let first = self.send(call.clone()).await;
            assert!([200, 201].contains(&first.status), "{call:?}: {first:?}");
            let history = self.history();
            repeats(&first, &self.send(call).await);
            assert_eq!(self.history(), history);
        }
    }

    async fn goals(&self) -> usize {
        self.list("/v1/goals").await.len()
    }
}

#[actix_web::test]
async fn the_same_request_has_the_same_answer_and_is_carried_out_once() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let body = goal(&nishi.policy.id(), "2");
    let first = api.send(post("k", "/v1/goals", &body)).await.must_be(201);
    let history = api.history();
    // What the goal has become since does not matter, nor how the body is written.
    api.patch(first.header("location"), &first.etag(), &json!({ "title": "別の題" }))
        .await
        .must_be(200);
    let spaced = serde_json::to_string_pretty(&body).unwrap();
    repeats(&first, &api.send(post("k", "/v1/goals", &body)).await);
    let again = Call::new("POST", "/v1/goals")
        .header("idempotency-key", "k")
        .body("application/json", spaced);
    repeats(&first, &api.send(again).await);
    assert_eq!(api.goals().await, 2);
    assert_ne!(api.history(), history);
}

/// A policy of an organization that may be published.
async fn complete(api: &Api, organization: &str) {
    let policy = api.policy(organization, 2024).await;
    let goal = api.goal(&policy.id(), "1").await;
    api.indicator(&goal.id(), "指標").await;
}

#[actix_web::test]
async fn everything_that_takes_a_key_honours_it() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let (policy, goal_id, indicator) = (nishi.policy.id(), nishi.goal.id(), nishi.indicator.id());
    let before_the_tree = vec![
        Call::new("POST", "/v1/organizations").json(&given::bureau("port")),
        Call::new("POST", "/v1/policies").json(&given::policy("nishi", 2025)),
        Call::new("POST", "/v1/goals").json(&goal(&policy, "3")),
        Call::new("POST", "/v1/budgets").json(&given::budget(&goal_id, 2023, "actual")),
        Call::new("POST", "/v1/indicators").json(&given::indicator(&goal_id, "別の指標")),
        Call::new("POST", "/v1/results")
            .json(&json!({ "items": [{ "indicator_id": indicator, "result": given::result(2023) }] })),
    ];
    api.twice(before_the_tree, "a").await;
    let tree = api.get("/v1/policies/nishi/2024/tree").await;
    let changed = with(tree.body.clone(), json!({ "head_name": "某" }));
    let replace = Call::new("PUT", "/v1/policies/nishi/2024/tree")
        .header("if-match", tree.etag())
        .json(&changed);
    api.twice(vec![replace], "b").await;
    let plan = json!({ "kind": "plan" });
    let publication = Call::new("POST", "/v1/policies/port/2024/publications")
        .header("if-match", "*")
        .json(&plan);
    complete(&api, "port").await;
    api.twice(vec![publication], "c").await;
}
#[actix_web::test]
async fn another_request_with_the_key_is_refused() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let body = goal(&nishi.policy.id(), "2");
    api.send(post("k", "/v1/goals", &body).because("理由")).await.must_be(201);
    let path = format!("/v1/goals/{}", nishi.goal.id());
    let put = |tag: &str| {
        let call = Call::new("PUT", &path).header("idempotency-key", "k");
        call.header("if-match", tag).because("理由").json(&body)
    };
    for other in [
        post("k", "/v1/goals", &goal(&nishi.policy.id(), "3")).because("理由"),
        post("k", "/v1/goals", &body),
        post("k", "/v1/goals", &body).because("別の理由"),
        post("k", "/v1/policies", &given::policy("nishi", 2025)).because("理由"),
        put("*"),
    ] {
        api.send(other).await.must_refuse(422, &[("Idempotency-Key", "reused")]);
    }
    assert_eq!(api.goals().await, 2);
}

#[actix_web::test]
async fn while_the_first_is_running_the_second_is_told_so() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let call = post("k", "/v1/goals", &goal(&nishi.policy.id(), "2"));
    let mut other_writer = api.db.connect();
    other_writer
        .batch_execute("begin; select begin_write('test', '', '', '')")
        .unwrap();
    let second = async {
        api.until_waiting(1).await;
        let second = api.send(call.clone()).await;
        other_writer.batch_execute("rollback").unwrap();
        second
    };
    let (first, second) = join(api.send(call.clone()), second).await;
    second.must_refuse(409, &[("Idempotency-Key", "running")]);
    repeats(&first.must_be(201), &api.send(call.clone()).await);
}

#[actix_web::test]
async fn of_many_at_once_one_is_carried_out() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let call = post("k", "/v1/goals", &goal(&nishi.policy.id(), "2"));
    let answers = join_all((0..12).map(|_| api.send(call.clone()))).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty());
    assert_eq!(
        made.iter()
            .filter(|answer| answer.header("idempotency-replayed").is_empty())
            .count(),
        1
    );
    assert!(made.iter().all(|answer| answer.bytes == made[0].bytes));
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    assert_eq!(api.goals().await, 2);
}

#[actix_web::test]
async fn a_request_that_failed_leaves_its_key_free() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let (policy, stranger) = (nishi.policy.id(), given::new_id());
    api.send(post("k", "/v1/goals", &goal(&stranger, "2")))
        .await
        .must_be(409);
    api.send(post("k", "/v1/goals", &json!({}))).await.must_be(422);
    api.send(post("k", "/v1/goals", &goal(&policy, "1-1")))
        .await
        .must_be(409);
    let made = api.send(post("k", "/v1/goals", &goal(&policy, "2"))).await.must_be(201);
    assert_eq!(made.header("idempotency-replayed"), "");
}

#[actix_web::test]
async fn answers_are_kept_for_a_day_and_then_thrown_away() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let policy = nishi.policy.id();
    let first = api.send(post("k", "/v1/goals", &goal(&policy, "2"))).await.must_be(201);
    let age = |interval: &str| {
        let sql = format!("update idempotency_keys set created_at = created_at - interval '{interval}'");
        api.db.connect().batch_execute(&sql).unwrap();
    };
    age("23 hours 59 minutes");
    repeats(&first, &api.send(post("k", "/v1/goals", &goal(&policy, "2"))).await);
    // Many older ones, too many for one request to sweep.
    let many = "insert into idempotency_keys (token_id, key, request, status, body, created_at) \
        select id, 'old-' || n, '', 200, '{}', now() - interval '30 hours' - n * interval '1 second' \
        from tokens, generate_series(1, 250) n";
    api.db.connect().batch_execute(many).unwrap();
    age("2 minutes");
    let kept = || {
        api.db
            .values("select count(*)::text as value from idempotency_keys")
            .remove(0)
    };
    assert_eq!(kept(), "251");
    let anew = api.send(post("k", "/v1/goals", &goal(&policy, "3"))).await.must_be(201);
    assert_eq!(anew.header("idempotency-replayed"), "");
    assert_eq!(kept(), "151");
    for year in [2025, 2026] {
        let next = post(&format!("next-{year}"), "/v1/policies", &given::policy("nishi", year));
        api.send(next).await.must_be(201);
    }
    let old = "select count(*)::text as value from idempotency_keys where key like 'old-%'";
    assert_eq!(api.db.values(old), ["0"]);
}

#[actix_web::test]
async fn a_key_is_its_tokens_own() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let other = api.token("other", &["edit:*"]).await;
    let policy = nishi.policy.id();
    api.send(post("k", "/v1/goals", &goal(&policy, "2"))).await.must_be(201);
    let made = api
        .send(post("k", "/v1/goals", &goal(&policy, "3")).by(&other))
        .await
        .must_be(201);
    assert_eq!(made.header("idempotency-replayed"), "");
    assert_eq!(api.goals().await, 3);
}

#[actix_web::test]
async fn a_key_that_is_none_is_refused() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let body = goal(&nishi.policy.id(), "2");
    for key in ["", "a b", "\u{e9}", &"k".repeat(256)] {
        api.send(post(key, "/v1/goals", &body))
            .await
            .must_refuse(400, &[("Idempotency-Key", "format")]);
    }
    api.send(post(&"k".repeat(255), "/v1/goals", &body)).await.must_be(201);
}

#[actix_web::test]
async fn a_kept_answer_is_for_those_only_who_may_still_ask() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let token = api.token("gone", &["edit:nishi"]).await;
    let call = post("k", "/v1/goals", &goal(&nishi.policy.id(), "2")).by(&token);
    api.send(call.clone()).await.must_be(201);
    api.tamper("gone", "revoked_at = now()");
    api.send(call).await.must_be(401);
}
