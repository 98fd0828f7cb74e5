//! `/v1/tokens`: made once, shown once, revoked for good; and who a request is by.

use std::{thread, time::Duration};

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::{
    Api, Call, TOKEN,
    factories::{bureau, ward},
};

impl Api {
    /// Changes a token past the API, as nobody can.
    pub(crate) fn tamper(&self, name: &str, change: &str) {
        let sql = format!(
            "begin; select begin_write('test', '', '', ''); update tokens set {change} where name = '{name}'; commit"
        );
        self.db.connect().batch_execute(&sql).unwrap();
        self.until_heard();
    }

    /// Waits until the instance has heard of all changes: it does so a moment later.
    pub(crate) fn until_heard(&self) {
        let last = self.db.values("select max(seq)::text as value from change_log");
        let last: i64 = last[0].parse().unwrap();
        while self.state.database.heard().last < last {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

#[actix_web::test]
async fn a_new_token_is_shown_once_and_works() {
    let api = Api::new().await;
    api.organization().await;
    let body = json!({ "name": "西区 システム", "scopes": ["edit:nishi", "read_drafts:*"], "expires_at": "2090-01-01T00:00:00Z" });
    let answer = api.post("/v1/tokens", &body).await.must_be(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let (token, shown) = (answer.text("token"), answer.body["shown"].clone());
    let secret = token.splitn(3, '_').nth(2).unwrap();
    assert!(
        token.starts_with(&format!("wardpolicy_{}_", shown["handle"].as_str().unwrap())),
        "{token}"
    );
    // 256 bits.
    assert_eq!(secret.len(), 43);
    assert_eq!(shown["scopes"], body["scopes"]);
    assert_eq!(shown["expires_at"], "2090-01-01T09:00:00.000000+09:00");

    let read = api.get(answer.header("location")).await.must_be(200);
    assert_eq!(read.body, shown);
    assert_eq!(read.header("cache-control"), "private, no-store");
    let listed = api.list("/v1/tokens").await;
    assert!(listed.contains(&shown) && listed.len() == 2, "{listed:?}");
    api.send(
        Call::new("POST", "/v1/policies")
            .by(&token)
            .json(&crate::support::factories::policy("nishi", 2024)),
    )
    .await
    .must_be(201);
    // A hash is all there is of it, and that is nowhere shown.
    let dump = api.db.values("select (select string_agg(t::text, '') from tokens t) || (select string_agg(c::text, '') from change_log c) as value");
    assert!(!dump[0].contains(secret));
    let hashes = api.db.values("select encode(hash, 'hex') as value from tokens");
    let audit = api.get("/v1/audit?format=ndjson&type=token").await.must_be(200);
    let text = String::from_utf8_lossy(&audit.bytes).into_owned();
    assert!(hashes.iter().all(|hash| !text.contains(hash)) && !text.contains("\"hash\":\"\\\\x"));
}

#[actix_web::test]
async fn tokens_are_listed_by_name_or_latest_first() {
    let api = Api::new().await;
    for name in ["c", "a", "b"] {
        api.token(name, &["edit:*"]).await;
    }
    let names = |items: Vec<Value>| {
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(api.list("/v1/tokens").await), ["a", "administrator", "b", "c"]);
    assert_eq!(
        names(api.list("/v1/tokens?sort=-created_at").await),
        ["b", "a", "c", "administrator"]
    );
    let mut seen = vec![];
    let mut next = Some("/v1/tokens?limit=1&include_total=true".to_owned());
    while let Some(path) = next {
        let page = api.get(path).await.must_be(200).body;
        assert_eq!(page["total"], 4);
        seen.push(page["items"][0]["name"].as_str().unwrap().to_owned());
        next = page["next_cursor"]
            .as_str()
            .map(|cursor| format!("/v1/tokens?limit=1&include_total=true&cursor={cursor}"));
    }
    assert_eq!(seen, ["a", "administrator", "b", "c"]);
}

#[actix_web::test]
async fn a_revoked_token_is_worth_nothing_and_stays_in_the_list() {
    let api = Api::new().await;
    let body = json!({ "name": "gone", "scopes": ["admin"] });
    let answer = api.post("/v1/tokens", &body).await.must_be(201);
    let (token, path) = (answer.text("token"), answer.header("location").to_owned());
    let by_it = || Call::new("GET", "/v1/organizations").by(&token);
    api.send(by_it()).await.must_be(200);
    for _ in 0..2 {
        api.send(Call::new("DELETE", &path)).await.must_be(204);
        api.send(by_it()).await.must_be(401);
    }
    let read = api.get(&path).await.must_be(200).body;
    assert!(read["revoked_at"].is_string());
    assert_eq!(read["version"], 2);
    assert_eq!(api.list("/v1/audit?type=token&op=update").await.len(), 1);
    api.post("/v1/tokens", &body)
        .await
        .must_refuse(409, &[("/name", "constraint")]);
    let unknown = format!("/v1/tokens/{}", crate::support::factories::new_id());
    api.get(&unknown).await.must_be(404);
    api.send(Call::new("DELETE", &unknown)).await.must_be(404);
}

#[actix_web::test]
async fn a_scope_stays_with_an_organization_that_is_renamed() {
    let api = Api::new().await;
    let organization = api.organization().await;
    api.post("/v1/organizations", &bureau("port")).await.must_be(201);
    // Once by slug and once by code is once.
    let token = api.token("nishi", &["edit:nishi", "edit:271063"]).await;
    let renamed = crate::support::factories::with(ward(), json!({ "slug": "west" }));
    api.patch("/v1/organizations/nishi", &organization.etag(), &renamed)
        .await
        .must_be(200);
    let shown = api
        .list("/v1/tokens")
        .await
        .into_iter()
        .find(|shown| shown["name"] == "nishi")
        .unwrap();
    assert_eq!(shown["scopes"], json!(["edit:west"]));
    for (slug, status) in [("west", 201), ("port", 403)] {
        let policy = crate::support::factories::policy(slug, 2024);
        api.send(Call::new("POST", "/v1/policies").by(&token).json(&policy))
            .await
            .must_be(status);
    }
}

#[actix_web::test]
async fn what_is_no_scope_is_refused_with_what_was_probably_meant() {
    let api = Api::new().await;
    api.organization().await;
    for (scope, code, suggestion) in [
        ("edti:nishi", "scope", Some("edit:nishi")),
        ("Admin", "scope", Some("admin")),
        ("edit", "scope", Some("edit:*")),
        ("publish:", "missing", None),
        ("edit:nisi", "missing", Some("edit:nishi")),
        ("edit:999999", "missing", None),
        ("edit:西区", "missing", None),
        ("edit:nishi:nishi", "missing", None),
        ("everything", "scope", None),
    ] {
        let body = json!({ "name": "試験", "scopes": ["read_drafts:*", scope] });
        let answer = api.post("/v1/tokens", &body).await;
        assert_eq!(answer.suggestion("/scopes/1").as_deref(), suggestion, "{scope}");
        answer.must_refuse(422, &[("/scopes/1", code)]);
    }
    let all = json!({ "name": "試験", "scopes": ["x", "edit:y"] });
    api.post("/v1/tokens", &all)
        .await
        .must_refuse(422, &[("/scopes/0", "scope"), ("/scopes/1", "missing")]);
    for (body, place, code) in [
        (json!({ "name": "試験", "scopes": [] }), "/scopes", "min_items"),
        (json!({ "name": " ", "scopes": ["admin"] }), "/name", "pattern"),
        (
            json!({ "name": "ward-policy", "scopes": ["admin"] }),
            "/name",
            "reserved",
        ),
        (
            json!({ "name": "試験", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z" }),
            "/expires_at",
            "past",
        ),
    ] {
        let answer = api.post("/v1/tokens", &body).await.must_be(422);
        let faults = answer.faults();
        assert_eq!(faults[0].0, place, "{faults:?}");
        assert!(
            faults[0].1 == code || !["reserved", "past"].contains(&code),
            "{faults:?}"
        );
    }
    assert_eq!(api.list("/v1/tokens").await.len(), 1);
}

#[actix_web::test]
async fn the_answer_that_shows_a_token_is_not_kept_to_be_repeated() {
    let api = Api::new().await;
    let call = Call::new("POST", "/v1/tokens")
        .header("idempotency-key", "once")
        .json(&json!({ "name": "試験", "scopes": ["admin"] }));
    api.send(call)
        .await
        .must_refuse(400, &[("Idempotency-Key", "not_repeatable")]);
    assert_eq!(api.list("/v1/tokens").await.len(), 1);
}

#[actix_web::test]
async fn the_last_use_of_a_token_is_noted_and_is_no_change() {
    let api = Api::new().await;
    let token = api.token("used", &["edit:*"]).await;
    let shown = |items: Vec<Value>| items.into_iter().find(|item| item["name"] == "used").unwrap();
    assert!(shown(api.list("/v1/tokens").await)["last_used_at"].is_null());
    let wrong = format!("{}x", &token[..token.len() - 1]);
    api.send(Call::new("GET", "/v1/organizations").by(&wrong))
        .await
        .must_be(401);
    assert!(shown(api.list("/v1/tokens").await)["last_used_at"].is_null());
    api.send(Call::new("GET", "/v1/organizations").by(&token))
        .await
        .must_be(200);
    // In the background, and soon.
    let used = loop {
        let used = shown(api.list("/v1/tokens").await);
        if used["last_used_at"].is_string() {
            break used;
        }
        sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(used["version"], 1);
}

#[actix_web::test]
async fn a_token_that_is_worth_nothing_is_told_so_and_no_token_is_told_how() {
    let api = Api::new().await;
    let expired = api.token("expired", &["admin"]).await;
    api.tamper("expired", "expires_at = now() - interval '1 second'");
    let plain = api.send(Call::new("GET", "/v1/tokens").anonymous()).await.must_be(401);
    assert_eq!(plain.header("www-authenticate"), "Bearer realm=\"ward-policy\"");
    let mut alike = vec![];
    for bad in [
        "garbage",
        "wardpolicy_000000000000_wrong",
        "wardpolicy_ffffffffffff_secret",
        "",
        "wardpolicy__",
        &expired,
    ] {
        // On a public read too: who sends a token means to be known.
        let call = Call::new("GET", "/v1/organizations")
            .header("x-request-id", "same")
            .by(bad);
        let answer = api.send(call).await.must_be(401);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, "Bearer realm=\"ward-policy\", error=\"invalid_token\"");
        alike.push(answer.bytes);
    }
    alike.dedup();
    assert_eq!(alike.len(), 1);
    for scheme in ["Basic", "Token", ""] {
        let call = Call::new("GET", "/v1/organizations")
            .anonymous()
            .header("authorization", format!("{scheme} {TOKEN}"));
        api.send(call).await.must_be(401);
    }
    api.send(
        Call::new("GET", "/v1/organizations")
            .anonymous()
            .header("authorization", format!("bEARER  {TOKEN}")),
    )
    .await
    .must_be(200);
    // Whether the service is well is told without asking who asks.
    api.send(Call::new("GET", "/healthz").by("garbage")).await.must_be(200);
}

#[actix_web::test]
async fn no_other_way_to_write_a_path_leads_around_authentication() {
    let api = Api::new().await;
    let editor = api.token("editor", &["edit:*", "publish:*", "read_drafts:*"]).await;
    for path in [
        "/v1/tokens",
        "/v1/%74okens",
        "/v1/%61udit",
        "/%76%31/audit",
        "/v1/t%6Fkens",
        "/v1/tokens%2F",
    ] {
        let anonymous = api.send(Call::new("GET", path).anonymous()).await.status;
        assert!([401, 404].contains(&anonymous), "{path}: {anonymous}");
        let status = api.send(Call::new("GET", path).by(&editor)).await.status;
        assert!([403, 404].contains(&status), "{path}: {status}");
    }
    let body = json!({ "name": "mine", "scopes": ["admin"] });
    api.send(Call::new("POST", "/v1/%74okens").by(&editor).json(&body))
        .await
        .must_be(403);
    assert_eq!(
        api.send(Call::new("GET", "/v1/%74okens")).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
