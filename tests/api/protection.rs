//! What browsers are told of every answer, whatever it is.

use serde_json::json;

use crate::{
    given::Nishi,
    support::{Answer, Api, Call},
};

const DATA: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer says, and what of it this one says of what it may load.
#[track_caller]
fn policy(answer: &Answer) -> &str {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("server", ""),
        ("x-powered-by", ""),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {answer:?}");
        assert!(answer.headers.get_all(name).count() < 2, "{name}: {answer:?}");
    }
    assert_eq!(answer.headers.get_all("content-security-policy").count(), 1);
    answer.header("content-security-policy")
}

#[actix_web::test]
async fn no_answer_is_taken_for_what_it_is_not_or_shown_in_another_page() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    let tag = api.get(&goal).await.etag();
    let get = |path: &str| Call::new("GET", path);
    for (call, status) in [
        (get("/v1/organizations"), 200),
        (get(&goal), 200),
        (get(&goal).header("if-none-match", tag), 304),
        (get("/v1/organizations").anonymous(), 200),
        (Call::new("HEAD", "/v1/organizations"), 200),
        (get("/healthz"), 200),
        (get("/openapi.json"), 200),
        (get("/v1/codelists"), 200),
        (get("/v1/catalog"), 200),
        (get("/v1/snapshot"), 200),
        (get("/v1/exports/results"), 200),
        (get("/v1/exports/results?format=xlsx"), 200),
        (get("/"), 307),
        (get("/docs"), 307),
        (get("/v1/none"), 404),
        (get("/v1/goals?limit=0"), 400),
        (get("/v1/tokens").anonymous(), 401),
        (get("/v1/goals").by("nonsense"), 401),
        (get("/v1/goals").header("accept", "text/css"), 406),
        (Call::new("PUT", "/v1/goals"), 405),
        (Call::new("OPTIONS", "/v1/goals"), 204),
        (
            Call::new("OPTIONS", "/v1/goals")
                .header("origin", "https://example.com")
                .header("access-control-request-method", "GET"),
            200,
        ),
        (Call::new("POST", "/v1/goals").body("text/plain", "a"), 415),
        (Call::new("POST", "/v1/goals").json(&json!({})), 422),
        (Call::new("DELETE", &goal).header("if-match", "\"another\""), 412),
        (Call::new("DELETE", &goal).header("if-match", "*"), 204),
    ] {
        let asked = format!("{call:?}");
        let answer = api.send(call).await;
        assert_eq!(answer.status, status, "{asked}: {answer:?}");
        assert_eq!(policy(&answer), DATA, "{asked}");
    }
}

#[actix_web::test]
async fn pages_may_load_what_they_need_and_nothing_else() {
    let api = Api::new().await;
    let _nishi = Nishi::of(&api).await;
    let form = api.get("/v1/policies/nishi/2024/form").await.must_be(200);
    assert!(policy(&form).starts_with("default-src 'none'; style-src 'sha256-"));
    for file in ["", "index.html", "swagger-ui.css", "swagger-ui-bundle.js", "none"] {
        let answer = api.get(format!("/docs/{file}")).await;
        let policy = policy(&answer);
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
    }
}
