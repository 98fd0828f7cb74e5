//! Trials of imports: they keep nobody from writing, and nothing of them stays.

use std::time::Duration;

use actix_web::rt::time::sleep;
use diesel::{PgConnection, connection::SimpleConnection};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call, TestDb,
    factories::{Nishi, bureau, policy},
};

const TREE: &str = "/v1/policies/nishi/2024/tree";

/// A policy, and a file that changes a goal and an indicator of it.
async fn file(api: &Api) -> (Nishi, Value) {
    let nishi = Nishi::of(api).await;
    let mut tree = api.get(TREE).await.must_be(200).body;
    tree["goals"][0]["title"] = json!("別の題");
    tree["goals"][0]["indicators"][0]["unit"] = json!("人");
    (nishi, tree)
}

async fn try_import(api: &Api, tree: &Value) -> Answer {
    api.post("/v1/imports/policies?dry_run=true", tree).await
}

/// A connection that holds a row which the trial of the file changes last.
fn holding(db: &TestDb, nishi: &Nishi) -> PgConnection {
    let mut conn = db.connect();
    let row = format!(
        "select id from indicators where id = '{}' for update",
        nishi.indicator.id()
    );
    conn.batch_execute(&format!("begin; {row}")).unwrap();
    conn
}

/// Waits until so many wait for locks.
async fn until_waiting(db: &TestDb, count: &str) {
    while db.values("select count(*)::text as value from pg_locks where not granted and locktype <> 'relation'")
        != [count]
    {
        sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn while_an_import_is_tried_others_write() {
    let api = Api::new().await;
    let (nishi, tree) = file(&api).await;
    let mut held = holding(&api.db, &nishi);
    let meanwhile = async {
        until_waiting(&api.db, "1").await;
        api.post("/v1/organizations", &bureau("keikaku")).await.must_be(201);
        api.post("/v1/policies", &policy("keikaku", 2024)).await.must_be(201);
        // Of the same policy too, where the trial changes nothing.
        api.patch(
            &format!("/v1/budgets/{}", nishi.budget.id()),
            "*",
            &json!({ "text": "9億円" }),
        )
        .await
        .must_be(200);
        until_waiting(&api.db, "1").await;
        held.batch_execute("rollback").unwrap();
    };
    let (tried, ()) = join(try_import(&api, &tree), meanwhile).await;
    let tried = tried.must_be(200).body;
    assert_eq!((&tried["changed"], &tried["stored"]), (&json!(2), &json!(false)));
    assert_eq!(
        api.get(format!("/v1/goals/{}", nishi.goal.id())).await.etag(),
        nishi.goal.etag()
    );
}

#[actix_web::test]
async fn a_trial_in_the_way_of_a_write_is_ended() {
    let api = Api::new().await;
    let (nishi, tree) = file(&api).await;
    let mut held = holding(&api.db, &nishi);
    let meanwhile = async {
        until_waiting(&api.db, "1").await;
        // The trial has changed the goal, and waits for the indicator.
        let goal = format!("/v1/goals/{}", nishi.goal.id());
        api.patch(&goal, "*", &json!({ "title": "また別の題" }))
            .await
            .must_be(200);
    };
    let (tried, ()) = join(try_import(&api, &tree), meanwhile).await;
    let tried = tried.must_be(503);
    assert!(!tried.header("retry-after").is_empty());
    held.batch_execute("rollback").unwrap();
    let tried = try_import(&api, &tree).await.must_be(200);
    assert_eq!(tried.body["changed"], 2);
}

#[actix_web::test]
async fn a_trial_that_is_asked_for_again_is_answered_as_before() {
    let api = Api::new().await;
    let (_, tree) = file(&api).await;
    let call = || Call::new("POST", "/v1/imports/policies?dry_run=true").header("idempotency-key", "1");
    let first = api.send(call().json(&tree)).await.must_be(200);
    let again = api.send(call().json(&tree)).await.must_be(200);
    assert_eq!(
        (again.header("idempotency-replayed"), &again.bytes),
        ("true", &first.bytes)
    );
    api.send(call().json(&json!({}))).await.must_be(422);
}

#[actix_web::test]
async fn no_trial_is_ever_committed() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let begin = "begin; select begin_trial('test', '', '', '');";
    let change = "update public.goals set title = title || '2';";
    for (what, sql) in [
        ("as it is", format!("{begin} {change} commit")),
        (
            "without its log",
            format!("{begin} {change} delete from trial.change_log; commit"),
        ),
        (
            "as if it were none",
            format!("{begin} {change} select set_config('ward_policy.trial', '', true); commit"),
        ),
        (
            "after another write",
            format!(
                "begin; select begin_write('test', '', '', ''); {change} select begin_trial('test', '', '', ''); {change} commit"
            ),
        ),
    ] {
        let mut conn = api.db.connect();
        let refused = conn.batch_execute(&sql).unwrap_err().to_string();
        assert!(refused.contains("never committed"), "{what}: {refused}");
    }
    // One that changes nothing leaves nothing behind.
    let mut conn = api.db.connect();
    conn.batch_execute(&format!("{begin} commit")).unwrap();
    assert_eq!(
        api.get(format!("/v1/goals/{}", nishi.goal.id())).await.etag(),
        nishi.goal.etag()
    );
    assert_eq!(
        api.db.values("select count(*)::text as value from trial.change_log"),
        ["0"]
    );
}

#[test]
fn the_log_of_trials_has_the_columns_of_the_history() {
    let columns = |schema: &str| {
        TestDb::new().values(&format!(
            "select format('%s %s %s', column_name, udt_name, is_nullable) as value from information_schema.columns \
             where table_schema = '{schema}' and table_name = 'change_log' order by ordinal_position"
        ))
    };
    assert_eq!(columns("trial"), columns("public"));
}
