//! What pages of other origins may do.

use serde_json::json;
use ward_policy::{
    db::Database,
    http::{middleware::rate_limit::Rate, origins::Origins},
    resources::HOOKS,
};

use crate::{
    contract::openapi::{CONTRACT, Operation},
    support::{Answer, Api, Call, factories::Nishi, patient},
};

const TRUSTED: &str = "https://www.city.osaka.lg.jp";
const OTHER: &str = "https://elsewhere.example";
/// What a page sends along with a write.
const SENT: [&str; 6] = [
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "change-reason",
    "idempotency-key",
];

async fn trusting() -> Api {
    Api::set(|state| state.origins = Origins::read(&format!("http://localhost:5173,{TRUSTED}")).unwrap()).await
}

/// What a browser asks before a page makes a request.
fn preflight(origin: &str, method: &str, path: &str) -> Call {
    Call::new("OPTIONS", path)
        .anonymous()
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", SENT.join(","))
}

fn path(operation: &Operation<'_>) -> String {
    operation
        .path
        .replace("{organization}", "nishi")
        .replace("{fiscal_year}", "2024")
        .replace("{number}", "1")
        .replace("{id}", "01900000-0000-7000-8000-0000000000ff")
        .replace("{series_id}", "01900000-0000-7000-8000-0000000000ff")
}

fn needs_no_token(operation: &Operation<'_>) -> bool {
    operation.is["security"]
        .as_array()
        .is_some_and(|ways| ways.contains(&json!({})))
}

/// Fails unless a browser makes the request that it asked about.
fn must_grant(answer: &Answer, to: &str, method: &str, what: &str) {
    assert_eq!(answer.status, 204, "{what}: {answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), to, "{what}");
    assert_eq!(answer.header("access-control-allow-methods"), method, "{what}");
    let granted: Vec<&str> = answer.header("access-control-allow-headers").split(", ").collect();
    assert!(SENT.iter().all(|name| granted.contains(name)), "{what}: {granted:?}");
    assert_eq!(answer.header("vary"), "Origin, Access-Control-Request-Method", "{what}");
    assert!(answer.bytes.is_empty(), "{what}");
}

#[actix_web::test]
async fn pages_of_trusted_origins_may_do_everything() {
    let api = trusting().await;
    for operation in CONTRACT.operations() {
        let method = operation.method.to_uppercase();
        let answer = api.send(preflight(TRUSTED, &method, &path(&operation))).await;
        let to = answer.header("access-control-allow-origin");
        assert!([TRUSTED, "*"].contains(&to));
        must_grant(&answer, to, &method, &operation.name());
        assert_eq!(answer.header("access-control-max-age"), "3600");
    }
}

#[actix_web::test]
async fn pages_of_other_origins_may_do_what_needs_no_token() {
    for api in [trusting().await, Api::new().await] {
        let mut computing = Vec::new();
        for operation in CONTRACT.operations() {
            let (method, name) = (operation.method.to_uppercase(), operation.name());
            let answer = api.send(preflight(OTHER, &method, &path(&operation))).await;
            if needs_no_token(&operation) {
                must_grant(&answer, "*", &method, &name);
                computing.extend((operation.method != "get").then_some(name));
                continue;
            }
            assert_eq!(answer.status, 403, "{name}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
            assert_eq!(answer.header("vary"), "Origin, Access-Control-Request-Method", "{name}");
            let granted = answer
                .headers
                .keys()
                .any(|key| key.as_str().starts_with("access-control-"));
            assert!(!granted, "{name}");
            let detail = answer.text("detail");
            assert!(
                detail.contains("WARD_POLICY_CORS_ORIGINS") && detail.contains(OTHER),
                "{detail}"
            );
        }
        computing.sort();
        assert_eq!(computing, ["POST /v1/evaluations/preview", "POST /v1/targets/parse"]);
    }
}

#[actix_web::test]
async fn a_refused_page_is_told_in_its_language_how_it_gets_allowed() {
    let api = Api::new().await;
    let ask = |origin: &str| preflight(origin, "PUT", "/v1/goals/x");
    let ja = api.send(ask(OTHER)).await.must_be(403);
    assert!(ja.text("detail").contains("許可するには"), "{}", ja.text("detail"));
    let en = api.send(ask(OTHER).header("accept-language", "en")).await.must_be(403);
    assert!(en.text("detail").contains("to allow it"), "{}", en.text("detail"));
    // However long it says that its origin is.
    let long = format!("https://{}.example", "x".repeat(5000));
    let answer = api.send(ask(&long)).await.must_be(403);
    assert!(answer.text("detail").chars().count() < 1000);
}

#[actix_web::test]
async fn an_origin_is_trusted_as_a_whole() {
    let api = trusting().await;
    for origin in [
        "http://www.city.osaka.lg.jp",
        "https://www.city.osaka.lg.jp:8443",
        "https://city.osaka.lg.jp",
        "https://www.city.osaka.lg.jp.elsewhere.example",
        "https://www.city.osaka.lg.jp/",
        "null",
        "*",
    ] {
        let answer = api.send(preflight(origin, "POST", "/v1/results")).await;
        assert_eq!(answer.status, 403, "{origin}");
    }
}

#[actix_web::test]
async fn what_is_not_there_is_told_by_the_answer_and_not_by_the_browser() {
    let api = Api::new().await;
    for (method, path, status) in [
        ("PUT", "/v1/none", 404),
        ("GET", "/v1/none", 404),
        ("PATCH", "/v1/results", 405),
        ("DELETE", "/v1/budgets/summary", 405),
        ("PUT", "/healthz", 405),
        ("TRACE", "/v1/results", 405),
    ] {
        let asked = api.send(preflight(OTHER, method, path)).await;
        must_grant(&asked, "*", method, path);
        let answer = api
            .send(Call::new(method, path).header("origin", OTHER))
            .await
            .must_be(status);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{method} {path}");
    }
    api.send(preflight(OTHER, "no method", "/v1/results"))
        .await
        .must_refuse(400, &[("Access-Control-Request-Method", "format")]);
    // OPTIONS by itself says what there is.
    for call in [
        Call::new("OPTIONS", "/v1/results"),
        Call::new("OPTIONS", "/v1/results").header("origin", OTHER),
    ] {
        let answer = api.send(call).await.must_be(204);
        assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
}

/// A browser that has been granted headers at an address does not ask again before a POST there.
#[actix_web::test]
async fn what_a_browser_keeps_of_a_grant_does_not_open_more_than_was_granted() {
    let api = trusting().await;
    for (origin, path, kept) in [
        (OTHER, "/v1/goals", "0"),
        (OTHER, "/v1/changes/tickets", "0"),
        (OTHER, "/v1/evaluations", "3600"),
        (OTHER, "/v1/evaluations/preview", "3600"),
        (TRUSTED, "/v1/goals", "3600"),
    ] {
        let answer = api.send(preflight(origin, "GET", path)).await.must_be(204);
        assert_eq!(answer.header("access-control-max-age"), kept, "{origin} {path}");
    }
    // In a grant, * is every method.
    for origin in [OTHER, TRUSTED] {
        let answer = api.send(preflight(origin, "*", "/v1/goals")).await;
        answer.must_refuse(400, &[("Access-Control-Request-Method", "format")]);
    }
}

#[actix_web::test]
async fn every_page_may_read_every_answer() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let item = format!("/v1/goals/{}", nishi.goal.id());
    let refused = [
        (Call::new("GET", "/v1/goals"), 200),
        (Call::new("GET", "/v1/goals?limit=0"), 400),
        (Call::new("POST", "/v1/goals").anonymous(), 401),
        (Call::new("GET", "/v1/goals").by("wardpolicy_000000000000_wrong"), 401),
        (Call::new("GET", "/v1/none"), 404),
        (Call::new("DELETE", "/v1/goals"), 405),
        (Call::new("GET", "/v1/goals").header("accept", "image/png"), 406),
        (Call::new("DELETE", &item).header("if-match", "\"old\""), 412),
        (Call::new("POST", "/v1/goals"), 415),
        (Call::new("POST", "/v1/goals").json(&json!({})), 422),
        (Call::new("DELETE", &item), 428),
        (Call::new("GET", "/openapi.json"), 200),
        (Call::new("GET", "/docs/"), 200),
        (Call::new("GET", "/healthz"), 200),
    ];
    let mut answers = Vec::new();
    for (call, status) in refused {
        for call in [call.clone(), call.header("origin", OTHER)] {
            answers.push(api.send(call).await.must_be(status));
        }
    }
    let limited = Api::set(|state| state.rate = Rate::new(1)).await;
    let mut too_many = limited.get("/v1/goals").await;
    while too_many.status != 429 {
        too_many = limited.get("/v1/goals").await;
    }
    answers.push(too_many);
    let url = api.db.url();
    let waiting = Api::set(|state| state.database = Database::new(&url, &[], patient(), HOOKS)).await;
    answers.push(waiting.get("/v1/goals").await.must_be(503));
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{answer:?}");
        let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
        for name in [
            "etag",
            "link",
            "location",
            "retry-after",
            "ratelimit",
            "deprecation",
            "sunset",
            "content-disposition",
            "x-request-id",
            "x-consistency-token",
            "traceparent",
        ] {
            assert!(exposed.contains(&name), "{name} in {exposed:?}");
        }
        // It is the same for every origin, so that what a cache keeps for one is right for all.
        assert!(!answer.header("vary").contains("Origin"));
    }
}

#[actix_web::test]
async fn an_answer_that_is_kept_is_the_same_for_every_origin() {
    let api = trusting().await;
    Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.keeping().await;
    let path = "/v1/policies/nishi/2024/tree";
    let call = |origin: Option<&str>| {
        let call = Call::new("GET", path).anonymous().header("x-request-id", "one");
        match origin {
            Some(origin) => call.header("origin", origin),
            None => call,
        }
    };
    let mut shown = Vec::new();
    for origin in [Some(TRUSTED), Some(OTHER), None, Some(TRUSTED)] {
        let answer = api.send(call(origin)).await.must_be(200);
        let headers = answer.headers.iter().filter(|(name, _)| name.as_str() != "traceparent");
        let mut headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
        headers.sort();
        shown.push(headers);
    }
    assert!(shown.windows(2).all(|two| two[0] == two[1]), "{shown:#?}");
    assert!(api.state.cache.hits.get() >= 2);
}

#[actix_web::test]
async fn pages_of_trusted_origins_may_frame_the_form_and_nothing_else() {
    let form = "/v1/policies/nishi/2024/form";
    for (api, ancestors, options) in [
        (
            trusting().await,
            format!("frame-ancestors http://localhost:5173 {TRUSTED}"),
            "",
        ),
        (Api::new().await, "frame-ancestors 'none'".to_owned(), "DENY"),
    ] {
        Nishi::of(&api).await;
        let answer = api.get(form).await.must_be(200);
        let policy = answer.header("content-security-policy");
        assert!(policy.ends_with(&ancestors), "{policy}");
        assert_eq!(answer.header("x-frame-options"), options);
        for path in ["/v1/policies/nishi/2024/tree", "/docs/", "/v1/none"] {
            let answer = api.get(path).await;
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        }
    }
}
