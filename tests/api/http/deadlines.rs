//! Work ends when its time is up: nothing of it stays, or its caller is told that this is not known.

use std::time::Duration;

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use ward_policy::db::Bounds;

use crate::support::{Api, Call, factories::bureau, patient};

/// A deadline that nothing misses on a slow machine but what is held up.
const SOON: Duration = Duration::from_secs(3);

impl Api {
    /// Lets the commit of a new bureau take so many seconds.
    fn commit_slowly(&self, seconds: u32) {
        let trigger = format!(
            "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep({seconds}); return null; end $$;
             create constraint trigger slow after insert on organizations deferrable initially deferred
             for each row execute function slow()"
        );
        self.db.connect().batch_execute(&trigger).unwrap();
    }

    /// Waits until no statement of the service runs, nor waits for a lock.
    async fn until_idle(&self) {
        let busy = "select pid::text as value from pg_stat_activity where datname = current_database() \
                    and pid <> pg_backend_pid() and state <> 'idle' and query not like 'begin; lock%'";
        while !self.db.values(busy).is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    }
}

#[actix_web::test]
async fn a_write_past_its_deadline_is_undone_and_its_statement_ends() {
    let api = Api::with_bounds(Bounds {
        write: SOON,
        ..patient()
    })
    .await;
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; lock table organizations in access exclusive mode")
        .unwrap();
    let answer = api.post("/v1/organizations", &bureau("port")).await.must_be(503);
    assert!(!answer.header("retry-after").is_empty());
    // While what it waited for is still held.
    api.until_idle().await;
    holder.batch_execute("rollback").unwrap();
    assert_eq!(api.list("/v1/organizations").await.len(), 0);
    assert_eq!(api.db.values("select slug as value from organizations").len(), 0);
    api.post("/v1/organizations", &bureau("port")).await.must_be(201);
}

#[actix_web::test]
async fn a_read_past_its_deadline_ends_and_leaves_its_turn() {
    let api = Api::with_bounds(Bounds {
        pool: 1,
        read: SOON,
        ..patient()
    })
    .await;
    let mut holder = api.db.connect();
    holder
        .batch_execute("begin; lock table budgets in access exclusive mode")
        .unwrap();
    api.get("/v1/budgets").await.must_be(503);
    api.until_idle().await;
    api.get("/v1/organizations").await.must_be(200);
    holder.batch_execute("rollback").unwrap();
    api.get("/v1/budgets").await.must_be(200);
}

#[actix_web::test]
async fn a_write_whose_commit_is_not_answered_says_so_and_can_be_asked_for_its_outcome() {
    let api = Api::with_bounds(Bounds {
        write: SOON,
        ..patient()
    })
    .await;
    api.commit_slowly(12);
    let call = Call::new("POST", "/v1/organizations")
        .header("idempotency-key", "once")
        .json(&bureau("port"));
    let answer = api.send(call.clone()).await.must_be(504);
    assert_eq!(answer.text("type"), "/problems/outcome-unknown");
    assert!(!answer.header("retry-after").is_empty());
    let again = async {
        loop {
            let again = api.send(call.clone()).await;
            // 409 while the first still runs.
            if again.status != 409 {
                break again;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let again = again.await.must_be(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(api.list("/v1/organizations").await.len(), 1);
}

#[actix_web::test]
async fn a_commit_that_was_begun_in_time_is_waited_for() {
    let api = Api::with_bounds(Bounds {
        write: SOON,
        ..patient()
    })
    .await;
    api.commit_slowly(4);
    api.post("/v1/organizations", &bureau("port")).await.must_be(201);
}
