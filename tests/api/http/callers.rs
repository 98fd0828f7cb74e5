//! Many callers at once: who they are is known without the database, and none of them is in another's way.

use std::time::Duration;

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::json;
use ward_policy::db::Bounds;

use crate::support::{Api, Call, TOKEN, factories::bureau, patient};

/// A read of what a lock on `budgets` holds up.
const HELD_UP: &str = "/v1/budgets";
const FREE: &str = "/v1/organizations";

impl Api {
    /// Waits until so many requests have their turn or wait for one.
    async fn until_busy(&self, lane: &str, in_use: f64, waiting: f64) {
        let counted = |what: &str| format!("ward_policy_pool_{what}{{lane=\"{lane}\"}}");
        while self.count(&counted("in_use")).await < in_use || self.count(&counted("waiting")).await < waiting {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[actix_web::test]
async fn a_token_that_nobody_made_costs_no_turn_and_no_connection() {
    let api = Api::with_bounds(Bounds { pool: 1, ..patient() }).await;
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; lock table budgets in access exclusive mode")
        .unwrap();
    let reading = api.send(Call::new("GET", HELD_UP).anonymous());
    let guessing = async {
        api.until_busy("readers", 0.5, 0.0).await;
        let turns = r#"ward_policy_pool_turns_total{lane="readers"}"#;
        let before = api.count(turns).await;
        for n in 1..=10 {
            let guess = format!("wardpolicy_{n:012}_secret");
            api.send(Call::new("GET", FREE).by(&guess)).await.must_be(401);
            api.send(Call::new("DELETE", "/v1/goals/x").by(&guess))
                .await
                .must_be(401);
        }
        assert!((api.count(turns).await - before).abs() < 0.5);
        // What is asked of the service itself needs no turn either.
        api.get("/readyz").await.must_be(200);
        api.get("/healthz").await.must_be(200);
        holder.batch_execute("rollback").unwrap();
    };
    join(reading, guessing).await.0.must_be(200);
}

#[actix_web::test]
async fn a_caller_who_floods_leaves_a_turn_to_others_and_loses_only_its_own_requests() {
    let room = 4;
    let api = Api::with_bounds(Bounds {
        pool: 3,
        queue: room,
        ..patient()
    })
    .await;
    let [flooding, quiet] = [
        api.token("flooding", &["edit:*"]).await,
        api.token("quiet", &["edit:*"]).await,
    ];
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; lock table budgets in access exclusive mode")
        .unwrap();
    let flood = join_all((0..20).map(|_| api.send(Call::new("GET", HELD_UP).by(&flooding))));
    let others = async {
        api.until_busy("readers", 1.5, 3.5).await;
        for _ in 0..10 {
            api.send(Call::new("GET", FREE).by(&quiet)).await.must_be(200);
            api.send(Call::new("GET", FREE).anonymous()).await.must_be(200);
        }
        holder.batch_execute("rollback").unwrap();
    };
    let (flood, ()) = join(flood, others).await;
    let refused = flood.iter().filter(|answer| answer.status == 503);
    let served = flood.iter().filter(|answer| answer.status == 200);
    assert_eq!((refused.clone().count(), served.count()), (20 - 2 - room, 2 + room));
    assert!(
        refused
            .into_iter()
            .all(|answer| !answer.header("retry-after").is_empty())
    );
}

#[actix_web::test]
async fn a_caller_who_floods_with_writes_leaves_a_turn_to_others() {
    let api = Api::with_bounds(Bounds { queue: 1, ..patient() }).await;
    let [flooding, quiet] = [
        api.token("flooding", &["edit:*"]).await,
        api.token("quiet", &["edit:*"]).await,
    ];
    let write = |token: &str, n: usize| {
        Call::new("POST", "/v1/organizations")
            .by(token)
            .json(&json!({"slug": format!("b{n}"), "kind": "bureau", "name": format!("局{n}"), "display_order": n}))
    };
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; select begin_write('test', '', '', '')")
        .unwrap();
    let flood = join_all((1..=20).map(|n| api.send(write(&flooding, n))));
    let quiet = async {
        // Four times as many writes as reads may wait.
        api.until_busy("writers", 1.5, 3.5).await;
        let release = async {
            api.until_busy("writers", 2.5, 3.5).await;
            holder.batch_execute("rollback").unwrap();
        };
        let (answer, ()) = join(api.send(write(&quiet, 99)), release).await;
        answer.must_be(201);
    };
    let (flood, ()) = join(flood, quiet).await;
    assert_eq!(flood.iter().filter(|answer| answer.status == 201).count(), 6);
    assert_eq!(flood.iter().filter(|answer| answer.status == 503).count(), 14);
}

#[actix_web::test]
async fn streams_and_waits_have_a_bound_for_each_caller_and_one_for_all() {
    let api = Api::with_bounds(Bounds {
        followers: 16,
        ..patient()
    })
    .await;
    let tokens = [
        api.token("one", &["edit:*"]).await,
        api.token("other", &["edit:*"]).await,
    ];
    let head = api.head().await;
    let path = format!("/v1/changes?cursor={head}&wait=60");
    let waits = |token: &str| api.send(Call::new("GET", &path).by(token));
    let waiting = join_all([waits(&tokens[0]), waits(&tokens[0])]);
    let others = async {
        api.until_following(2).await;
        for path in [&path, "/v1/changes/stream"] {
            let answer = api.send(Call::new("GET", path).by(&tokens[0])).await.must_be(429);
            assert!(answer.text("detail").contains("トークン") && !answer.header("retry-after").is_empty());
        }
        // Who does not wait has no need of a place, and another has its own.
        api.send(Call::new("GET", format!("/v1/changes?cursor={head}")).by(&tokens[0]))
            .await
            .must_be(200);
        let write = async {
            api.until_following(3).await;
            api.post("/v1/organizations", &bureau("port")).await.must_be(201);
        };
        join(waits(&tokens[1]), write).await.0.must_be(200);
    };
    let (waiting, ()) = join(waiting, others).await;
    assert!(waiting.iter().all(|answer| answer.status == 200));
    // What they held is free again.
    api.state.database.stop_waiting();
    api.send(Call::new("GET", "/v1/changes/stream").by(&tokens[0]))
        .await
        .must_be(200);
}

#[actix_web::test]
async fn what_a_token_opened_ends_when_the_token_is_revoked_on_whatever_instance() {
    let one = Api::new().await;
    let other = one.beside(0).await;
    for (n, api) in [&one, &other].into_iter().enumerate() {
        let name = format!("followed-{n}");
        let made = one
            .post("/v1/tokens", &json!({ "name": name, "scopes": ["read_drafts:*"] }))
            .await
            .must_be(201);
        let token = made.text("token");
        while api.send(Call::new("GET", FREE).by(&token)).await.status != 200 {
            sleep(Duration::from_millis(5)).await;
        }
        let stream = api.send(Call::new("GET", "/v1/changes/stream").by(&token));
        let head = api.head().await;
        let wait = api.send(Call::new("GET", format!("/v1/changes?cursor={head}&wait=60")).by(&token));
        let revoking = async {
            api.until_following(2).await;
            one.send(Call::new("DELETE", made.header("location")))
                .await
                .must_be(204);
            // On the instance that was asked, at once.
            one.send(Call::new("GET", FREE).by(&token)).await.must_be(401);
        };
        let ((stream, wait), ()) = join(join(stream, wait), revoking).await;
        stream.must_be(200);
        wait.must_be(401);
        api.send(Call::new("GET", FREE).by(&token)).await.must_be(401);
    }
}

#[actix_web::test]
async fn a_token_made_elsewhere_is_known_and_one_that_expires_ends_what_it_opened() {
    let one = Api::new().await;
    let other = one.beside(0).await;
    let token = one.token("elsewhere", &["read_drafts:*"]).await;
    while other.send(Call::new("GET", FREE).by(&token)).await.status != 200 {
        sleep(Duration::from_millis(5)).await;
    }
    let stream = one.send(Call::new("GET", "/v1/changes/stream").by(&token));
    let expiring = async {
        one.until_following(1).await;
        one.tamper("elsewhere", "expires_at = now() + interval '1 second'");
    };
    // The token that was changed is another one: what the first opened has ended.
    join(stream, expiring).await.0.must_be(200);
    let head = one.head().await;
    let wait = one.send(Call::new("GET", format!("/v1/changes?cursor={head}&wait=60")).by(&token));
    wait.await.must_be(401);
    one.send(Call::new("GET", FREE).by(TOKEN)).await.must_be(200);
}
