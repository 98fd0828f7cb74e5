//! Texts in the forms that callers' machines write them in.

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::support::{
    Api,
    factories::{indicator, with},
};

#[actix_web::test]
async fn texts_are_stored_composed_and_compared_so() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let created = api.indicator(&goal, "か\u{3099}んは\u{3099}る子").await;
    assert_eq!(created.body["name"], "がんばる子");
    api.post("/v1/indicators", &indicator(&goal, "がんばる子"))
        .await
        .must_refuse(409, &[("/name", "constraint")]);
    // A letter that NFC would make another of stays.
    let kept = api.indicator(&goal, "\u{f9dc}の数").await;
    assert_eq!(kept.body["name"], "\u{f9dc}の数");

    let unit = with(indicator(&goal, "ポイント"), json!({ "unit": "ホ\u{309a}イント" }));
    api.post("/v1/indicators", &unit).await.must_be(201);
    assert_eq!(api.list("/v1/indicators?unit=ホ\u{309a}イント").await.len(), 1);
}

#[actix_web::test]
async fn what_was_stored_apart_before_is_read_found_and_known_again() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let id = api.indicator(&goal, "がんばる子").await.id();
    let apart =
        "begin; select begin_write('test', '', '', 'test'); update indicators set name = normalize(name, nfd); commit";
    api.db.connect().batch_execute(apart).unwrap();
    let path = format!("/v1/indicators/{id}");
    assert_eq!(api.get(&path).await.body["name"], "か\u{3099}んは\u{3099}る子");
    assert_eq!(api.list("/v1/indicators?q=がんば").await.len(), 1);

    let tree = api.get("/v1/policies/nishi/2024/tree").await;
    let mut sent = tree.body.clone();
    sent["goals"][0]["indicators"][0]["id"].take();
    for dry_run in ["true", "false"] {
        let report = api.post(format!("/v1/imports?dry_run={dry_run}"), &sent).await;
        let report = report.must_be(200).body;
        assert_eq!((&report["created"], &report["left"]), (&json!(0), &json!([])));
    }
    let now = api.get(&path).await;
    assert_eq!((now.id(), now.text("name")), (id, "がんばる子".to_owned()));
}
