//! Publications on trial: what would be published, and nothing is.

use serde_json::{Value, json};

use super::{POLICY, PUBLICATIONS, REVISIONS, TREE};
use crate::support::{Answer, Api, Call, factories::Nishi};

impl Api {
    async fn tried(&self, read: &str, body: &Value) -> Answer {
        let call = Call::new("POST", format!("{PUBLICATIONS}?dry_run=true"));
        self.send(call.header("if-match", read).json(body)).await
    }

    /// Everything that there is, with its versions.
    fn everything(&self) -> Vec<String> {
        self.db.values(
            "select concat_ws(' ', (select count(*) from change_log), (select count(*) from revisions),
             (select string_agg(stage || version, ' ') from policies), (select string_agg(public::text || version, ' ') from results)) as value",
        )
    }
}

#[actix_web::test]
async fn what_would_be_published_is_what_is_published() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let plan = json!({ "kind": "plan", "reason": null, "published_on": "2024-04-01" });
    let before = api.everything();
    let tried = api.tried("*", &plan).await.must_be(200).body;
    assert_eq!(api.everything(), before, "a trial changes nothing");
    assert_eq!(
        (
            &tried["dry_run"],
            &tried["number"],
            &tried["kind"],
            &tried["published_on"]
        ),
        (&json!(true), &json!(1), &json!("plan"), &json!("2024-04-01"))
    );
    assert_eq!(tried["diff"], json!(null), "the first revision differs from none");
    let done = api.publication("nishi/2024", "*", &plan).await.must_be(201).body;
    assert_eq!((&done["number"], &done["sha256"]), (&tried["number"], &tried["sha256"]));

    api.judged().await;
    let results = json!({ "kind": "results", "reason": null });
    let tried = api.tried("*", &results).await.must_be(200).body;
    let done = api.publication("nishi/2024", "*", &results).await.must_be(201).body;
    assert_eq!((&done["number"], &done["sha256"]), (&tried["number"], &tried["sha256"]));
    let diff = api.get(format!("{REVISIONS}/2/diff")).await.must_be(200).body;
    assert_eq!(tried["diff"], diff);
    assert!(!diff["changes"].as_array().unwrap().is_empty());

    let correction = json!({ "kind": "correction", "reason": "誤植" });
    let tried = api.tried("*", &correction).await.must_be(200).body;
    assert_eq!(
        (&tried["number"], &tried["reason"], &tried["diff"]["changes"]),
        (&json!(3), &json!("誤植"), &json!([]))
    );
}

#[actix_web::test]
async fn what_would_be_refused_is_refused_the_same() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let kind = |kind: &str| json!({ "kind": kind, "reason": "試験" });
    let same = async |read: &str, body: &Value, status: u16| {
        let tried = api.tried(read, body).await.must_be(status);
        let done = api.publication("nishi/2024", read, body).await.must_be(status);
        assert_eq!(tried.body["errors"], done.body["errors"]);
        tried
    };
    same("*", &kind("results"), 409).await;
    let future = json!({ "kind": "plan", "reason": null, "published_on": "2199-01-01" });
    same("*", &future, 422).await;
    same("*", &json!({ "kind": "withdrawal", "reason": null }), 422).await;
    let read = api.get(TREE).await.etag();
    api.patch(POLICY, "*", &json!({ "head_title": "区長" }))
        .await
        .must_be(200);
    same(&read, &kind("plan"), 412).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let missing = same("*", &kind("results"), 409).await;
    assert!(
        missing
            .faults()
            .contains(&("/self_evaluation".to_owned(), "missing".to_owned()))
    );

    let editor = api.token("編集", &["edit:nishi"]).await;
    let call = Call::new("POST", format!("{PUBLICATIONS}?dry_run=true")).by(&editor);
    api.send(call.header("if-match", "*").json(&kind("correction")))
        .await
        .must_be(403);
}

#[actix_web::test]
async fn a_page_is_published_by_the_tag_with_which_it_was_drawn() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let read = api.get(format!("{TREE}?with=evaluation")).await.etag();
    let plan = json!({ "kind": "plan", "reason": null });
    api.tried(&read, &plan).await.must_be(200);
    api.publication("nishi/2024", &read, &plan).await.must_be(201);
    api.patch(POLICY, "*", &json!({ "head_title": "区長" }))
        .await
        .must_be(200);
    api.publication("nishi/2024", &read, &json!({ "kind": "correction", "reason": "誤植" }))
        .await
        .must_be(412);
}
