//! Answers that are given again: never past what they tell of, and the same as without keeping any.

use std::time::{Duration, Instant};

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use serde_json::json;
use ward_policy::db::last_change;

use crate::support::{Answer, Api, CACHE, Call, factories::Nishi};

/// How long a change may take to reach another instance.
const PATIENCE: Duration = Duration::from_secs(120);

impl Api {
    /// What everybody sees, once answers are kept: an instance hears of changes some moments after the first question.
    pub(crate) async fn public(&self, path: &str) -> Answer {
        self.send(Call::new("GET", path).anonymous()).await
    }

    /// Waits until answers are kept and all that was written has been heard of.
    pub(crate) async fn keeping(&self) {
        let begun = Instant::now();
        let last = last_change(&mut self.db.connect()).unwrap();
        while self.state.database.public_state().is_none() || self.state.database.heard().last < last {
            assert!(begun.elapsed() < PATIENCE, "it does not hear of changes");
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn rename(&self, nishi: &Nishi, name: &str) {
        let path = format!("/v1/indicators/{}", nishi.indicator.id());
        self.patch(path, "*", &json!({ "name": name })).await.must_be(200);
    }
}

/// A public policy.
async fn published(api: &Api) -> Nishi {
    let nishi = Nishi::of(api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    nishi
}

#[actix_web::test]
async fn an_answer_is_given_again_until_something_public_changes() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    api.keeping().await;
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    let first = api.public(&path).await.must_be(200);

    // Behind the back of history: nobody could know.
    let secretly = "alter table indicators disable trigger user; update indicators set name = '別名'; \
                    alter table indicators enable trigger user";
    api.db.connect().batch_execute(secretly).unwrap();
    assert_eq!(api.public(&path).await.bytes, first.bytes);
    assert_eq!(api.beside(0).await.public(&path).await.text("name"), "別名");

    // A draft is nothing the public sees.
    api.policy("nishi", 2030).await;
    assert_eq!(api.public(&path).await.bytes, first.bytes);

    api.bureau("kensetsu").await;
    assert_eq!(api.public(&path).await.text("name"), "別名");
}

#[actix_web::test]
async fn an_answer_about_one_organization_is_given_again_while_others_change() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    api.bureau("kensetsu").await;
    let policy = api.policy("kensetsu", 2024).await;
    let goal = api.goal(&policy.id(), "1").await;
    api.indicator(&goal.id(), "橋の数").await;
    api.publish("kensetsu/2024", "plan").await.must_be(201);
    api.keeping().await;
    let paths = [
        format!("/v1/indicators/{}", nishi.indicator.id()),
        "/v1/indicators?organization=nishi".to_owned(),
        "/v1/policies/nishi/2024/tree".to_owned(),
        "/v1/policies/nishi/2024/form".to_owned(),
    ];
    let of_all = "/v1/indicators";
    let new = async |path: &str| String::from_utf8_lossy(&api.public(path).await.bytes).contains("別名");
    for path in paths.iter().map(String::as_str).chain([of_all]) {
        assert!(!new(path).await, "{path}");
    }
    let secretly = "alter table indicators disable trigger user; update indicators set name = '別名'; \
                    alter table indicators enable trigger user";
    api.db.connect().batch_execute(secretly).unwrap();
    let patch = |path: &'static str| Call::new("PATCH", path).header("if-match", "*").because("訂正");
    let vision = json!({ "vision": ["直した"] });
    api.send(patch("/v1/policies/kensetsu/2024").json(&vision))
        .await
        .must_be(200);
    for path in &paths {
        assert!(!new(path).await, "{path}");
    }
    assert!(new(of_all).await);
    api.send(patch("/v1/policies/nishi/2024").json(&vision))
        .await
        .must_be(200);
    for path in &paths {
        assert!(new(path).await, "{path}");
    }
}

#[actix_web::test]
async fn whoever_writes_reads_it_at_once_and_others_soon() {
    let here = Api::new().await;
    let nishi = published(&here).await;
    let there = here.beside(CACHE).await;
    for api in [&here, &there] {
        api.keeping().await;
    }
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    let mut last = 0;
    for n in 1..=20 {
        there.public(&path).await.must_be(200);
        here.rename(&nishi, &format!("{n}番")).await;
        assert_eq!(here.public(&path).await.text("name"), format!("{n}番"));
        let begun = Instant::now();
        loop {
            let name = there.public(&path).await.text("name");
            let seen = name.strip_suffix('番').map_or(0, |seen| seen.parse().unwrap());
            assert!(seen >= last, "{name} was seen after {last}番");
            last = seen;
            if seen == n {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "{name} instead of {n}番");
            sleep(Duration::from_millis(1)).await;
        }
    }
}

#[actix_web::test]
async fn without_keeping_any_every_answer_is_the_same() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    api.keeping().await;
    let plain = api.beside(0).await;
    let shown = |answer: &Answer| {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            // Each answer is a span of its own.
            .filter(|(name, _)| *name != "traceparent")
            .map(|(name, value)| {
                // In whatever order they are named.
                let mut words: Vec<_> = value.to_str().unwrap().split(", ").collect();
                words.sort_unstable();
                (name.to_string(), words.join(", "))
            })
            .collect();
        headers.sort();
        (answer.status, headers, answer.bytes.clone())
    };
    let indicator = format!("/v1/indicators/{}", nishi.indicator.id());
    let paths = [
        indicator.as_str(),
        "/v1/indicators?limit=2",
        "/v1/policies/nishi/2024/tree",
        "/v1/policies/nishi/2024/form",
        "/v1/policies/nishi/2024/evaluation?on=2025-07-01",
        "/v1/evaluations/summary",
        "/v1/exports/indicators?format=csv",
        "/v1/catalog",
        "/v1/changes",
        "/v1/changes/head",
        "/v1/policies/nishi/1999",
        "/v1/indicators?limit=0",
    ];
    let headers = [
        ("accept", "application/json"),
        ("accept", "text/html, */*;q=0.1"),
        ("if-none-match", "*"),
        ("if-none-match", "\"nothing\""),
        ("origin", "https://example.org"),
        ("accept-language", "en"),
        ("accept-encoding", "br, gzip;q=0.5"),
    ];
    for path in paths {
        for (name, value) in headers {
            for method in ["GET", "GET", "HEAD"] {
                let call = Call::new(method, path)
                    .anonymous()
                    .header(name, value)
                    .header("x-request-id", "one");
                let (again, fresh) = (api.send(call.clone()).await, plain.send(call).await);
                assert_eq!(shown(&again), shown(&fresh), "{method} {path} {name}: {value}");
            }
        }
        let tag = plain.public(path).await.header("etag").to_owned();
        let call = Call::new("GET", path)
            .anonymous()
            .header("if-none-match", &tag)
            .header("x-request-id", "one");
        let (again, fresh) = (api.send(call.clone()).await, plain.send(call).await);
        assert_eq!(shown(&again), shown(&fresh), "{path} with its tag");
    }
}

#[actix_web::test]
async fn who_has_a_token_gets_an_answer_of_their_own() {
    let api = Api::new().await;
    published(&api).await;
    api.keeping().await;
    let path = "/v1/results?fiscal_year=2024";
    let count = |answer: &Answer| answer.body["items"].as_array().unwrap().len();
    for _ in 0..2 {
        assert_eq!(count(&api.public(path).await), 0);
        let own = api.get(path).await;
        assert_eq!(count(&own), 1);
        assert_eq!(own.header("cache-control"), "private, no-store");
    }
}

#[actix_web::test]
async fn who_has_an_answer_already_learns_so_without_its_being_kept() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    let tag = api.public(&path).await.etag();
    api.keeping().await;
    api.rename(&nishi, "別の名").await;
    let ask = || Call::new("GET", &path).anonymous().header("if-none-match", &tag);
    api.send(ask()).await.must_be(200);
    let tag = api.public(&path).await.etag();
    api.rename(&nishi, "元の名").await;
    api.rename(&nishi, "別の名").await;
    let now = api.public(&path).await.etag();
    let ask = || Call::new("GET", &path).anonymous().header("if-none-match", &now);
    assert_ne!(tag, now, "its version has grown");
    for _ in 0..2 {
        api.send(ask()).await.must_be(304);
    }
    api.public(&path).await.must_be(200);
}
