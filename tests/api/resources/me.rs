//! `/v1/me`: whose token this is.

use serde_json::{Value, json};

use crate::support::{Api, Call};

async fn me(api: &Api, token: &str) -> Value {
    let answer = api.send(Call::new("GET", "/v1/me").by(token)).await.must_be(200);
    assert_eq!(answer.header("cache-control"), "private, no-store");
    answer.body
}

#[actix_web::test]
async fn a_token_tells_its_holder_what_it_may_do() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    let made = json!({ "name": "西区", "scopes": ["edit:271063", "read_drafts:*"], "expires_at": "2030-03-31T23:59:59+09:00" });
    let made = api.post("/v1/tokens", &made).await.must_be(201);
    let shown = &made.body["shown"];
    let mine = me(&api, &made.text("token")).await;
    for key in ["id", "name", "scopes", "expires_at"] {
        assert_eq!(mine[key], shown[key], "{key}");
    }
    assert_eq!(mine["scopes"], json!(["edit:nishi", "read_drafts:*"]));
    assert_eq!(
        [&mine["admin"], &mine["edit"], &mine["publish"], &mine["read_drafts"]],
        [
            &json!(false),
            &json!(["nishi"]),
            &json!([]),
            &json!(["nishi", "keikaku"])
        ]
    );
    // It allows as much after a rename, by the name of today.
    api.patch("/v1/organizations/nishi", "*", &json!({ "slug": "west" }))
        .await
        .must_be(200);
    assert_eq!(me(&api, &made.text("token")).await["edit"], json!(["west"]));

    let publisher = api.token("公表", &["publish:keikaku"]).await;
    let mine = me(&api, &publisher).await;
    assert_eq!(
        [&mine["edit"], &mine["publish"], &mine["read_drafts"]],
        [&json!([]), &json!(["keikaku"]), &json!(["keikaku"])]
    );
    let admin = api.get("/v1/me").await.must_be(200).body;
    assert_eq!((&admin["admin"], &admin["scopes"]), (&json!(true), &json!(["admin"])));
    assert_eq!(admin["edit"], json!(["west", "keikaku"]));
}

#[actix_web::test]
async fn nobody_in_particular_may_ask_too() {
    let api = Api::new().await;
    api.organization().await;
    for _ in 0..2 {
        let answer = api.send(Call::new("GET", "/v1/me").anonymous()).await.must_be(200);
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(
            answer.body,
            json!({ "id": null, "name": null, "scopes": [], "expires_at": null, "admin": false, "edit": [], "publish": [], "read_drafts": [] })
        );
    }
    let unknown = Call::new("GET", "/v1/me").by("wardpolicy_00000000000f_secret");
    api.send(unknown).await.must_be(401);
    api.get("/v1/me?nonsense=1").await.must_be(400);
}
