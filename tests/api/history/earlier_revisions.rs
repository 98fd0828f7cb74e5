//! Revisions that a version of the service made which knew fewer members of a policy.

use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::support::{Api, factories::Nishi};

/// Takes the name of a reference out of every document, as the versions before it made them.
const EARLIER: &str = "set session_replication_role = replica; \
    update revisions set document = replace(document, '\"name\":null,', ''), \
    sha256 = encode(sha256(convert_to(replace(document, '\"name\":null,', ''), 'UTF8')), 'hex')";

#[actix_web::test]
async fn a_member_that_came_since_a_revision_corrects_nothing() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let whole = api.db.values("select document as value from revisions").remove(0);
    api.db.connect().batch_execute(EARLIER).unwrap();
    let earlier = api.db.values("select document as value from revisions").remove(0);
    assert!(earlier.len() < whole.len());

    // What no document says makes no revision.
    let kana = json!({ "name_kana": "ニシク" });
    api.patch("/v1/organizations/nishi", "*", &kana).await.must_be(200);
    let revisions = "/v1/policies/nishi/2024/revisions";
    assert_eq!(api.list(revisions).await.len(), 1);
    // What one does say makes one, which differs by that alone.
    let head = json!({ "head_title": "区長" });
    api.patch("/v1/policies/nishi/2024", "*", &head).await.must_be(200);
    assert_eq!(api.list(revisions).await.len(), 2);
    let diff = api.get(format!("{revisions}/2/diff")).await.must_be(200).body;
    let pointers: Vec<_> = diff["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["pointer"])
        .collect();
    assert_eq!(pointers, ["/head_title"]);
}
