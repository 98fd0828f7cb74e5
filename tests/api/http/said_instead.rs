//! Refusals by names, permissions and conditions say what to send instead.

use serde_json::json;

use crate::support::{
    Api, Call,
    factories::{self, Nishi},
};

#[actix_web::test]
async fn a_name_that_none_has_leads_to_the_nearest() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.bureau("keikaku").await;
    for (path, near) in [
        ("/v1/policies/nisi/2024", "nishi"),
        ("/v1/policies/NISHI/2024/tree", "nishi"),
        ("/v1/policies/keikakku/2024/evaluation", "keikaku"),
        ("/v1/policies/nishii/R6/form", "nishi"),
        ("/v1/organizations/nisih", "nishi"),
    ] {
        let mut answer = api.get(path).await;
        if answer.status == 308 {
            answer = api.get(answer.header("location").to_owned()).await;
        }
        answer.must_refuse(404, &[("organization", "unknown_organization")]);
        assert_eq!(answer.suggestion("organization").as_deref(), Some(near), "{path}");
        assert_eq!(answer.body["type"], "/problems/not-found");
    }
    for (method, path) in [("PUT", "/v1/policies/nisi/2024"), ("DELETE", "/v1/organizations/nisi")] {
        let call = Call::new(method, path).header("if-match", "*");
        let call = if method == "PUT" {
            call.json(&factories::policy("nisi", 2024))
        } else {
            call
        };
        let answer = api.send(call).await.must_be(404);
        assert_eq!(answer.suggestion("organization").as_deref(), Some("nishi"), "{path}");
    }
    for path in [
        "/v1/policies/nishi/1999",
        "/v1/policies/271063/1999",
        "/v1/policies/zzzzzz/2024",
    ] {
        let answer = api.get(path).await.must_be(404);
        assert_eq!(answer.body["errors"], json!([]), "{path}");
    }
    let answer = api
        .post("/v1/policies", &factories::policy("nisi", 2024))
        .await
        .must_be(409);
    assert_eq!(answer.suggestion("/organization").as_deref(), Some("nishi"));
}

#[actix_web::test]
async fn a_year_as_people_write_it_leads_to_its_address() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    for (path, there) in [
        ("/v1/policies/nishi/R6", "/v1/policies/nishi/2024"),
        (
            "/v1/policies/nishi/令和6/tree?as_of=revision:1",
            "/v1/policies/nishi/2024/tree?as_of=revision:1",
        ),
        ("/v1/policies/nishi/令和６年度/form", "/v1/policies/nishi/2024/form"),
        (
            "/v1/policies/271063/H31/revisions/1",
            "/v1/policies/271063/2019/revisions/1",
        ),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = api.send(Call::new(method, path).anonymous()).await.must_be(308);
            assert_eq!(answer.header("location"), there, "{path}");
        }
    }
    let result = nishi.result_path.replace("2024", "R6");
    for (method, path, there) in [
        ("PUT", "/v1/policies/nishi/R6/tree", "/v1/policies/nishi/2024/tree"),
        ("PATCH", "/v1/policies/nishi/R6", "/v1/policies/nishi/2024"),
        ("DELETE", "/v1/policies/nishi/R6", "/v1/policies/nishi/2024"),
        (
            "POST",
            "/v1/policies/nishi/R6/publications",
            "/v1/policies/nishi/2024/publications",
        ),
        ("PUT", &result, &nishi.result_path),
    ] {
        let call = Call::new(method, path).json(&json!({}));
        let answer = api.send(call).await.must_be(308);
        assert_eq!(answer.header("location"), there, "{method} {path}");
    }
    api.get("/v1/policies/nishi/2024").await.must_be(200);
}

#[actix_web::test]
async fn a_refusal_names_the_scope_that_lacks() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.bureau("kita").await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let kita = api.token("kita", &["edit:kita"]).await;
    let reader = api.token("reader", &["read_drafts:nishi"]).await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    let patch = |path: &str| Call::new("PATCH", path).header("if-match", "*").json(&json!({}));
    let entries = json!({ "items": [{ "indicator_id": nishi.indicator.id(), "result": { "value": 1 } }] });
    let publication = json!({ "kind": "results", "reason": null });
    for (call, scope) in [
        (patch(&goal).by(&kita), "edit:nishi"),
        (patch("/v1/policies/nishi/2024").by(&kita), "edit:nishi"),
        (Call::new("POST", "/v1/results").json(&entries).by(&kita), "edit:nishi"),
        (
            Call::new("POST", "/v1/policies")
                .json(&factories::policy("nishi", 2031))
                .by(&kita),
            "edit:nishi",
        ),
        (
            Call::new("POST", "/v1/organizations")
                .json(&factories::bureau("new"))
                .by(&kita),
            "edit:*",
        ),
        (patch(&goal).by(&reader), "edit:{organization}"),
        (
            Call::new("POST", "/v1/policies/nishi/2024/publications")
                .header("if-match", "*")
                .json(&publication)
                .by(&kita),
            "publish:nishi",
        ),
        (Call::new("GET", "/v1/tokens").by(&kita), "admin"),
    ] {
        let shown = format!("{call:?}");
        let answer = api.send(call).await;
        answer.must_refuse(403, &[("Authorization", "scope")]);
        assert_eq!(answer.body["errors"][0]["suggestion"], scope, "{shown}");
        assert!(answer.text("detail").contains(scope), "{shown}");
    }
}

#[actix_web::test]
async fn a_condition_that_cannot_hold_says_what_to_send() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let path = format!("/v1/goals/{}", nishi.goal.id());
    let tag = api.get(&path).await.etag();
    let bare = tag.trim_matches('"').to_owned();
    let ask = async |language: &str, condition: Option<(&str, &str)>| {
        let call = Call::new("PATCH", &path)
            .header("accept-language", language)
            .json(&json!({}));
        api.send(condition.map_or(call.clone(), |(name, value)| call.header(name, value)))
            .await
    };
    for weak in [format!("W/{tag}"), format!("\"other\", W/{tag}")] {
        let answer = ask("en", Some(("if-match", &weak))).await;
        answer.must_refuse(412, &[("If-Match", "weak")]);
        for word in ["RFC 9110", "13.1.1", "ETag header of GET"] {
            assert!(answer.text("detail").contains(word), "{answer:?}");
        }
        let answer = ask("ja", Some(("if-match", &weak))).await;
        assert!(answer.text("detail").contains("弱いタグ"));
    }
    ask("en", Some(("if-match", &format!("W/{tag}, {tag}"))))
        .await
        .must_be(200);
    ask("en", Some(("if-match", "\"other\""))).await.must_refuse(412, &[]);
    let answer = ask("en", None).await;
    answer.must_refuse(428, &[("If-Match", "required")]);
    assert!(answer.text("detail").contains("ETag header of GET") && !answer.text("detail").contains("If-None-Match"));
    let put = Call::new("PUT", &path)
        .header("accept-language", "en")
        .json(&factories::goal(&nishi.policy.id(), "1-1"));
    let answer = api.send(put.clone()).await.must_be(428);
    assert!(answer.text("detail").contains("If-None-Match: *"));
    // What is too long to be one comes back not at all.
    let answer = ask("en", Some(("if-match", &"0".repeat(1_000)))).await;
    answer.must_refuse(400, &[("If-Match", "format")]);
    assert!(answer.body["errors"][0]["suggestion"].is_null());
    // A tag without its quotes comes back with them.
    for unquoted in [bare.clone(), format!("\"{bare}"), format!("{bare}\"")] {
        let answer = ask("en", Some(("if-match", &unquoted))).await;
        answer.must_refuse(400, &[("If-Match", "format")]);
        assert_eq!(answer.body["errors"][0]["suggestion"], tag, "{unquoted}");
    }
    let list = format!("{bare}, \"other\"");
    ask("en", Some(("if-match", &list)))
        .await
        .must_refuse(400, &[("If-Match", "format")]);
    ask("en", Some(("if-match", &format!("\"other\", {tag}"))))
        .await
        .must_be(200);
    let answer = api.send(put.header("if-none-match", tag)).await;
    answer.must_refuse(400, &[("If-None-Match", "format")]);
    assert!(answer.text("detail").contains("If-Match"));
}
