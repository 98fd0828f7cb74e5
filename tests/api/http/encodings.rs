//! Texts and identifiers in the forms that callers' machines write them in.

use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::support::{
    Api, Call,
    factories::{indicator, new_id, with},
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
        let report = api.post(format!("/v1/imports/policies?dry_run={dry_run}"), &sent).await;
        let report = report.must_be(200).body;
        assert_eq!((&report["created"], &report["left"]), (&json!(0), &json!([])));
    }
    let now = api.get(&path).await;
    assert_eq!((now.id(), now.text("name")), (id, "がんばる子".to_owned()));
}

#[actix_web::test]
async fn json_is_read_with_a_byte_order_mark_and_in_utf_16() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let text = |name: &str| indicator(&goal, name).to_string();
    let utf16 = |text: String, bytes: fn(u16) -> [u8; 2]| {
        let marked = format!("\u{feff}{text}");
        marked.encode_utf16().flat_map(bytes).collect::<Vec<u8>>()
    };
    for (name, body) in [
        ("指標1", format!("\u{feff}{}", text("指標1")).into_bytes()),
        ("指標2", utf16(text("指標2"), u16::to_le_bytes)),
        ("指標3", utf16(text("指標3"), u16::to_be_bytes)),
    ] {
        let call = Call::new("POST", "/v1/indicators").body("application/json", body);
        assert_eq!(api.send(call).await.must_be(201).body["name"], name);
    }
    for broken in [
        b"\xff\xfe{\0}".to_vec(),
        utf16(text("指標4"), u16::to_le_bytes)[2..].to_vec(),
    ] {
        let call = Call::new("POST", "/v1/indicators").body("application/json", broken);
        api.send(call).await.must_refuse(400, &[("", "json")]);
    }
    let tree = api.get("/v1/policies/nishi/2024/tree").await.body.to_string();
    let call = Call::new("POST", "/v1/imports/policies").body("application/json", utf16(tree, u16::to_le_bytes));
    assert_eq!(api.send(call).await.must_be(200).body["created"], 0);
}

#[actix_web::test]
async fn identifiers_are_read_in_any_case_and_given_in_lower_case() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let loud = goal.to_uppercase();
    assert_ne!(loud, goal);
    let created = api.indicator(&loud, "指標").await;
    assert_eq!(created.body["goal_id"], goal.as_str());
    assert_eq!(api.get(format!("/v1/goals/{loud}")).await.must_be(200).id(), goal);
    assert_eq!(api.list(format!("/v1/indicators?goal={loud}")).await.len(), 1);
    let path = format!("/v1/indicators/{}", created.id().to_uppercase());
    let patched = api.patch(&path, &created.etag(), &json!({ "goal_id": loud })).await;
    assert_eq!(patched.must_be(200).body["version"], 1);
    let new = new_id();
    let path = format!("/v1/indicators/{}", new.to_uppercase());
    let created = api.create(&path, &indicator(&goal, "別の指標")).await.must_be(201);
    assert_eq!((created.id(), created.header("location").ends_with(&new)), (new, true));
    for other in [format!("{{{goal}}}"), format!("urn:uuid:{goal}"), goal.replace('-', "")] {
        api.get(format!("/v1/indicators?goal={other}"))
            .await
            .must_refuse(400, &[("goal", "format")]);
    }
}
