//! `Idempotency-Key`: a request that may be repeated is carried out once.

use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::{
    contract::{openapi::CONTRACT, scopes::Things},
    support::{
        Answer, Api, Call, TOKEN,
        factories::{self, Nishi, goal, with},
    },
};

const TREE: &str = "/v1/policies/nishi/2024/tree";

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

    /// How many keys there are, how many bytes are kept of their answers; counted, and as it was noted.
    fn kept(&self) -> [String; 2] {
        let counted = "select count(*) || ' ' || coalesce(sum(octet_length(body)), 0) as value from idempotency_keys";
        let noted =
            "select coalesce(sum(keys), 0) || ' ' || coalesce(sum(bytes), 0) as value from derived.kept_answers";
        [counted, noted].map(|sql| self.db.values(sql).remove(0))
    }

    fn note_as_kept(&self, what: &str) {
        let sql = format!("update derived.kept_answers set {what}");
        self.db.connect().batch_execute(&sql).unwrap();
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

#[actix_web::test]
async fn every_operation_that_takes_a_key_honours_it() {
    let repeatable = CONTRACT
        .operations()
        .filter(|operation| operation.takes("Idempotency-Key"));
    for operation in repeatable {
        let api = Api::new().await;
        let call = Things::stored(&api).await.call(&operation).by(TOKEN);
        let name = operation.name();
        let call = call.header("idempotency-key", "k");
        let first = api.send(call.clone()).await;
        assert!((200..300).contains(&first.status), "{name}: {first:?}");
        let history = api.history();
        repeats(&first, &api.send(call).await);
        assert_eq!(api.history(), history, "{name}");
    }
}

#[actix_web::test]
async fn everything_that_comes_of_a_key_is_carried_out_once() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let (policy, goal_id, indicator) = (nishi.policy.id(), nishi.goal.id(), nishi.indicator.id());
    let path = format!("/v1/goals/{goal_id}");
    let before_the_tree = vec![
        Call::new("POST", "/v1/organizations").json(&factories::bureau("port")),
        Call::new("POST", "/v1/policies").json(&factories::policy("nishi", 2025)),
        Call::new("POST", "/v1/goals").json(&goal(&policy, "3")),
        Call::new("POST", "/v1/budgets").json(&factories::budget(&goal_id, 2023, "actual")),
        Call::new("POST", "/v1/indicators").json(&factories::indicator(&goal_id, "別の指標")),
        Call::new("POST", "/v1/results")
            .json(&json!({ "items": [{ "indicator_id": indicator, "result": factories::result(2023) }] })),
        Call::new("PATCH", &path)
            .header("if-match", nishi.goal.etag())
            .json(&json!({ "title": "別の題" })),
        Call::new("PUT", &path)
            .header("if-match", "*")
            .json(&with(goal(&policy, "1-1"), json!({ "title": "また別の題" }))),
    ];
    api.twice(before_the_tree, "a").await;
    let tree = api.get("/v1/policies/nishi/2024/tree").await;
    let changed = with(tree.body.clone(), json!({ "head_name": "某" }));
    let replace = Call::new("PUT", "/v1/policies/nishi/2024/tree")
        .header("if-match", tree.etag())
        .json(&changed);
    api.twice(vec![replace], "b").await;
    let remove = Call::new("DELETE", &path)
        .header("if-match", "*")
        .header("idempotency-key", "c");
    let gone = api.send(remove.clone()).await.must_be(204);
    repeats(&gone, &api.send(remove).await);
}

#[actix_web::test]
async fn another_body_under_the_key_of_a_patch_changes_nothing() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let path = format!("/v1/goals/{}", nishi.goal.id());
    let patch = |title: &str| {
        let call = Call::new("PATCH", &path)
            .header("if-match", "*")
            .header("idempotency-key", "k");
        call.json(&json!({ "title": title }))
    };
    api.send(patch("一つ目")).await.must_be(200);
    api.send(patch("二つ目"))
        .await
        .must_refuse(422, &[("Idempotency-Key", "reused")]);
    assert_eq!(api.get(&path).await.text("title"), "一つ目");
}

#[actix_web::test]
async fn another_request_with_the_key_is_refused() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let body = goal(&nishi.policy.id(), "2");
    api.send(post("k", "/v1/goals", &body).because("理由"))
        .await
        .must_be(201);
    let path = format!("/v1/goals/{}", nishi.goal.id());
    let put = |tag: &str| {
        let call = Call::new("PUT", &path).header("idempotency-key", "k");
        call.header("if-match", tag).because("理由").json(&body)
    };
    for other in [
        post("k", "/v1/goals", &goal(&nishi.policy.id(), "3")).because("理由"),
        post("k", "/v1/goals", &body),
        post("k", "/v1/goals", &body).because("別の理由"),
        post("k", "/v1/policies", &factories::policy("nishi", 2025)).because("理由"),
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
    let (policy, stranger) = (nishi.policy.id(), factories::new_id());
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
    let [counted, noted] = api.kept();
    assert_eq!(counted, noted);
    for year in [2025, 2026] {
        let next = post(
            &format!("next-{year}"),
            "/v1/policies",
            &factories::policy("nishi", year),
        );
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

#[actix_web::test]
async fn of_what_changes_nothing_no_answer_is_kept_and_it_is_given_again() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let tree = api.get(TREE).await;
    let put = |n: usize| {
        let state = if n.is_multiple_of(2) {
            "*".to_owned()
        } else {
            tree.etag()
        };
        let call = Call::new("PUT", TREE).header("if-match", state);
        call.header("idempotency-key", format!("k{n}")).json(&tree.body)
    };
    let mut answers = Vec::new();
    for n in 0..15 {
        answers.push(api.send(put(n)).await.must_be(200));
    }
    assert_eq!(api.kept(), ["15 0", "15 0"]);
    for (n, first) in answers.iter().enumerate() {
        repeats(first, &api.send(put(n)).await);
    }
    // What has become of it since does not matter, as long as the answer can be found; else the caller is told so.
    api.patch("/v1/policies/nishi/2024", "*", &json!({ "source": "別" }))
        .await
        .must_be(200);
    let history = api.history();
    for (n, first) in answers.iter().enumerate() {
        let again = api.send(put(n)).await;
        if n.is_multiple_of(2) {
            repeats(first, &again);
        } else {
            again.must_refuse(409, &[("Idempotency-Key", "carried_out")]);
        }
    }
    assert_eq!(api.history(), history);
    assert_eq!(api.get(TREE).await.text("source"), "別");
}

#[actix_web::test]
async fn a_token_has_a_share_of_kept_answers_and_of_keys() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let policy = nishi.policy.id();
    let first = api
        .send(post("k1", "/v1/goals", &goal(&policy, "2")))
        .await
        .must_be(201);
    // No room for another answer: what was done is remembered all the same.
    api.note_as_kept("bytes = 16777216");
    api.send(post("k2", "/v1/goals", &goal(&policy, "3")))
        .await
        .must_be(201);
    let again = api.send(post("k2", "/v1/goals", &goal(&policy, "3"))).await;
    again.must_refuse(409, &[("Idempotency-Key", "carried_out")]);
    assert!(again.text("detail").contains("201"));
    assert_eq!(api.goals().await, 3);
    repeats(&first, &api.send(post("k1", "/v1/goals", &goal(&policy, "2"))).await);
    // No room for another key: nothing is done that could not be repeated.
    api.note_as_kept("keys = 100000");
    let refused = api
        .send(post("k3", "/v1/goals", &goal(&policy, "4")))
        .await
        .must_be(429);
    let wait: i64 = refused.header("retry-after").parse().unwrap();
    assert!((80_000..=86_400).contains(&wait), "{wait}");
    assert_eq!(api.goals().await, 3);
    repeats(&first, &api.send(post("k1", "/v1/goals", &goal(&policy, "2"))).await);
    api.send(Call::new("POST", "/v1/goals").json(&goal(&policy, "4")))
        .await
        .must_be(201);
    // It is the token's alone, and its old keys make room.
    let other = api.token("other", &["edit:nishi"]).await;
    api.send(post("k3", "/v1/goals", &goal(&policy, "5")).by(&other))
        .await
        .must_be(201);
    let age = "update idempotency_keys set created_at = created_at - interval '25 hours'";
    api.db.connect().batch_execute(age).unwrap();
    api.send(post("k3", "/v1/goals", &goal(&policy, "6")))
        .await
        .must_be(201);
}

#[actix_web::test]
async fn a_trial_may_be_repeated_though_it_makes_up_other_ids() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let tree = api.get(TREE).await.body;
    let mut tree = with(tree, json!({ "fiscal_year": 2030, "id": null, "results_due_on": null }));
    tree["goals"] = json!([]);
    let trial = Call::new("POST", "/v1/imports/policies?dry_run=true")
        .header("idempotency-key", "k")
        .json(&tree);
    for _ in 0..2 {
        let report = api.send(trial.clone()).await.must_be(200).body;
        assert_eq!((&report["stored"], &report["created"]), (&json!(false), &json!(2)));
    }
    assert_eq!(api.kept(), ["1 0", "1 0"]);
    api.get("/v1/policies/nishi/2030").await.must_be(404);
}
