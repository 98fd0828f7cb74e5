//! When a stored thing last changed, for callers that keep no tags.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::{
    contract::openapi::CONTRACT,
    support::{Api, Call, factories::Nishi},
};

const LONG_AGO: &str = "Mon, 01 Apr 2024 00:00:00 GMT";

impl Api {
    /// Makes all rows as old as they never were.
    fn age(&self) {
        let tables = [
            "organizations",
            "policies",
            "self_evaluations",
            "goals",
            "budgets",
            "indicators",
            "results",
        ];
        let update = |table| format!("update {table} set updated_at = '2024-04-01T00:00:00.9Z'");
        let aged = format!(
            "begin; set local session_replication_role = replica; {}; commit",
            tables.map(update).join("; ")
        );
        self.db.connect().batch_execute(&aged).unwrap();
    }

    async fn if_modified(&self, path: &str, since: &str) -> u16 {
        self.send(Call::new("GET", path).header("if-modified-since", since))
            .await
            .status
    }
}

fn items(nishi: &Nishi) -> [String; 6] {
    [
        "/v1/organizations/nishi".to_owned(),
        "/v1/policies/nishi/2024".to_owned(),
        format!("/v1/goals/{}", nishi.goal.id()),
        format!("/v1/budgets/{}", nishi.budget.id()),
        format!("/v1/indicators/{}", nishi.indicator.id()),
        nishi.result_path.clone(),
    ]
}

#[actix_web::test]
async fn a_stored_thing_says_when_it_last_changed() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let moment = api.moment();
    api.age();
    for path in items(&nishi) {
        let read = api.get(&path).await.must_be(200);
        assert_eq!(read.header("last-modified"), LONG_AGO, "{path}");
        assert_eq!(api.if_modified(&path, LONG_AGO).await, 304, "{path}");
        assert_eq!(
            api.if_modified(&path, "Tue, 02 Apr 2024 00:00:00 GMT").await,
            304,
            "{path}"
        );
        assert_eq!(
            api.if_modified(&path, "Sun, 31 Mar 2024 23:59:59 GMT").await,
            200,
            "{path}"
        );
        assert_eq!(api.if_modified(&path, "2024-04-01").await, 200, "{path}");
        // Whoever sends a tag means the tag.
        let call = |tag: &str| {
            Call::new("GET", &path)
                .header("if-none-match", tag)
                .header("if-modified-since", LONG_AGO)
        };
        assert_eq!(api.send(call("\"other\"")).await.status, 200, "{path}");
        let known = api.send(call(&read.etag())).await.must_be(304);
        assert_eq!(
            (known.header("last-modified"), known.etag()),
            (LONG_AGO, read.etag()),
            "{path}"
        );
        let head = api.send(Call::new("HEAD", &path)).await.must_be(200);
        assert_eq!(head.header("last-modified"), LONG_AGO, "{path}");
    }
    // What a thing shows of others counts too: the ward's name in its policy, its slug everywhere.
    api.patch(
        "/v1/organizations/nishi",
        "*",
        &json!({ "slug": "nishi2", "name": "新西区" }),
    )
    .await
    .must_be(200);
    let [_, _, below @ ..] = items(&nishi);
    let renamed = ["/v1/organizations/nishi2", "/v1/policies/nishi2/2024"].map(str::to_owned);
    for path in renamed.into_iter().chain(below) {
        let read = api.get(&path).await.must_be(200);
        assert_ne!(read.header("last-modified"), LONG_AGO, "{path}");
        assert_eq!(api.if_modified(&path, LONG_AGO).await, 200, "{path}");
    }
    // The past keeps its own.
    let then = api
        .get(format!("/v1/goals/{}?as_of={moment}", nishi.goal.id()))
        .await
        .must_be(200);
    let year = then.body["updated_at"].as_str().unwrap()[..4].to_owned();
    assert!(
        then.header("last-modified").contains(&year),
        "{}",
        then.header("last-modified")
    );
}

#[actix_web::test]
async fn a_result_that_did_not_come_in_changes_when_it_is_late() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let nothing = json!({ "value": null, "value_status": "not_reported", "text": null, "declared_rating": null, "sample_size": null, "measured_on": null });
    api.patch(&nishi.result_path, "*", &nothing).await.must_be(200);
    api.age();
    let read = api.get(&nishi.result_path).await.must_be(200);
    // The last day is 30 June 2025; the next one begins in Japan.
    assert_eq!(
        (read.text("value_status").as_str(), read.header("last-modified")),
        ("not_reported", "Mon, 30 Jun 2025 15:00:00 GMT")
    );
    assert_eq!(api.if_modified(&nishi.result_path, LONG_AGO).await, 200);
}

#[actix_web::test]
async fn kept_answers_carry_it_and_lists_have_none() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let texts = json!({ "self_evaluation": ["良"], "future_policy": ["続ける"] });
    api.patch("/v1/policies/nishi/2024", "*", &texts).await.must_be(200);
    for kind in ["plan", "results"] {
        api.publish("nishi/2024", kind).await.must_be(201);
    }
    api.age();
    api.keeping().await;
    let hits = || api.state.cache.hits.get();
    for path in items(&nishi) {
        let first = api.public(&path).await.must_be(200);
        let before = hits();
        let again = api.public(&path).await.must_be(200);
        assert_eq!(again.header("last-modified"), LONG_AGO, "{path}");
        assert_eq!(first.header("last-modified"), LONG_AGO, "{path}");
        for (since, status) in [(LONG_AGO, 304), ("Sun, 31 Mar 2024 23:59:59 GMT", 200)] {
            let call = Call::new("GET", &path).anonymous().header("if-modified-since", since);
            let answer = api.send(call).await.must_be(status);
            assert_eq!(
                (answer.header("last-modified"), answer.etag()),
                (LONG_AGO, first.etag()),
                "{path}"
            );
        }
        assert_eq!(hits(), before + 3, "{path}");
    }
    // What goes from a list or a tree leaves no later moment in what stays.
    for path in [
        "/v1/goals",
        "/v1/policies/nishi/2024/tree",
        "/v1/policies/nishi/2024/evaluation",
        "/v1/evaluations",
    ] {
        let read = api.public(path).await.must_be(200);
        assert_eq!(read.header("last-modified"), "", "{path}");
        let call = Call::new("GET", path)
            .anonymous()
            .header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT");
        api.send(call).await.must_be(200);
    }
}

#[test]
fn the_contract_says_which_answers_have_it() {
    let takers: Vec<String> = CONTRACT
        .operations()
        .filter(|operation| operation.takes("If-Modified-Since"))
        .map(|operation| operation.path.to_owned())
        .collect();
    assert_eq!(takers.len(), 6, "{takers:?}");
}
