//! Moments of the past that writes may still have: what is read of a moment is the same for ever.

use std::time::Duration;

use actix_web::rt::{spawn, time::sleep};
use chrono::{SecondsFormat, Utc};
use diesel::{PgConnection, connection::SimpleConnection};
use ward_policy::cli::verify::verify;

use crate::support::{Answer, Api, Call};

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A write that has begun and is not committed.
fn open_write(api: &Api) -> PgConnection {
    let mut conn = api.db.connect();
    conn.batch_execute(
        "begin; select begin_write('test', '', '', 'test'); \
         insert into organizations (id, slug, kind, name, display_order) values (gen_random_uuid(), 'late', 'bureau', '遅局', 1)",
    )
    .unwrap();
    conn
}

async fn at(api: &Api, moment: &str) -> Answer {
    let path = format!("/v1/organizations?as_of={moment}");
    api.send(Call::new("GET", path).anonymous()).await
}

fn count(answer: &Answer) -> usize {
    answer.body["items"].as_array().unwrap().len()
}

#[actix_web::test]
async fn a_moment_that_a_write_under_way_may_have_is_refused_until_that_is_over() {
    let api = Api::new().await;
    api.organization().await;
    let last = api.moment();
    let before = now();
    sleep(Duration::from_millis(5)).await;
    let mut write = open_write(&api);
    let during = now();
    // It begins after these, and will not have them.
    for moment in [&last, &before] {
        assert_eq!(count(&at(&api, moment).await.must_be(200)), 1);
    }
    let refused = at(&api, &during).await.must_be(503);
    assert_eq!(refused.header("retry-after"), "1");
    let detail = refused.text("detail");
    let settled = detail
        .split_whitespace()
        .flat_map(|word| word.split('。'))
        .find(|word| word.contains('T') && word.ends_with("+09:00"));
    let settled = settled
        .unwrap_or_else(|| panic!("{detail} names no moment"))
        .replace('+', "%2B");
    let so_far = at(&api, &settled).await.must_be(200);
    assert_eq!(count(&so_far), 1);
    write.batch_execute("commit").unwrap();
    let whole = at(&api, &during).await.must_be(200);
    assert_eq!(count(&whole), 2);
    api.bureau("keikaku").await;
    for (moment, then) in [(&during, &whole), (&settled, &so_far)] {
        assert_eq!(at(&api, moment).await.bytes, then.bytes);
    }
}

#[actix_web::test]
async fn a_moment_is_waited_for_shortly() {
    let api = Api::new().await;
    let mut write = open_write(&api);
    let during = now();
    spawn(async move {
        sleep(Duration::from_millis(50)).await;
        write.batch_execute("commit").unwrap();
    });
    assert_eq!(count(&at(&api, &during).await.must_be(200)), 1);
}

#[actix_web::test]
async fn a_write_that_waits_for_another_has_a_later_moment() {
    let api = Api::new().await;
    let mut first = open_write(&api);
    let during = now();
    // It has begun, and has no moment yet.
    let second = api.bureau("keikaku");
    let commit = async {
        api.until_waiting(1).await;
        let moment = now();
        first.batch_execute("rollback").unwrap();
        moment
    };
    let (_, waiting) = futures_util::future::join(second, commit).await;
    for moment in [&during, &waiting] {
        assert_eq!(count(&at(&api, moment).await.must_be(200)), 0);
    }
    assert_eq!(count(&at(&api, &api.moment()).await.must_be(200)), 1);
}

#[actix_web::test]
async fn a_clock_that_was_ahead_is_told() {
    let api = Api::new().await;
    api.organization().await;
    assert!(api.get("/readyz").await.must_be(200).body["history_ahead_seconds"].is_null());
    assert_eq!(
        verify(&mut api.db.connect(), None).unwrap().warnings,
        Vec::<String>::new()
    );
    let before = now();
    api.db
        .connect()
        .batch_execute(
            "begin; select begin_write('test', '', '', 'test'); select set_config('ward_policy.at', (now() + interval '1 day')::text, true); \
             insert into organizations (id, slug, kind, name, display_order) values (gen_random_uuid(), 'ahead', 'bureau', '先局', 1); commit",
        )
        .unwrap();
    api.bureau("keikaku").await;
    let ahead = loop {
        let ready = api.get("/readyz").await.must_be(200).body;
        if let Some(ahead) = ready["history_ahead_seconds"].as_i64() {
            break ahead;
        }
        sleep(Duration::from_millis(20)).await;
    };
    assert!((80_000..=86_400).contains(&ahead), "{ahead}");
    let report = verify(&mut api.db.connect(), None).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(
        report
            .lines()
            .iter()
            .any(|line| line.starts_with("warning: ") && line.contains("clock"))
    );
    // The moments of changes are what they bear, and stay so.
    let last = api.moment();
    for (moment, there) in [(&before, 1), (&now(), 1), (&last, 3)] {
        assert_eq!(count(&at(&api, moment).await.must_be(200)), there);
    }
    assert_eq!(api.list("/v1/organizations").await.len(), 3);
    at(&api, "2999-01-01T00:00:00Z")
        .await
        .must_refuse(400, &[("as_of", "future")]);
}
