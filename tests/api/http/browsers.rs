//! What browsers may do with answers.

use crate::support::{Api, Call, factories::Nishi};

#[actix_web::test]
async fn every_answer_says_what_browsers_may_do_with_it() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let item = format!("/v1/indicators/{}", nishi.indicator.id());
    let tag = api.get(&item).await.etag();
    let form = "/v1/policies/nishi/2024/form";
    let (page, filled) = (api.get("/docs/").await.etag(), api.get(form).await.etag());
    let data = "default-src 'none'; frame-ancestors 'none'";
    for (call, status, policy) in [
        (Call::new("GET", &item), 200, data),
        (Call::new("GET", &item).anonymous(), 200, data),
        (Call::new("GET", &item).header("if-none-match", &tag), 304, data),
        (Call::new("HEAD", &item), 200, data),
        (Call::new("OPTIONS", &item), 204, data),
        (Call::new("GET", "/v1/nothing"), 404, data),
        (Call::new("POST", "/v1/goals").anonymous(), 401, data),
        (Call::new("PUT", "/v1/results"), 405, data),
        (Call::new("GET", "/v1/exports/results?format=csv"), 200, data),
        (Call::new("GET", "/v1/snapshot"), 200, data),
        (Call::new("GET", "/openapi.json"), 200, data),
        (Call::new("GET", "/healthz"), 200, data),
        (Call::new("GET", form), 200, "style-src 'sha256-"),
        (Call::new("GET", "/docs/"), 200, "script-src 'self';"),
        (
            Call::new("GET", "/").header("accept", "text/html"),
            200,
            "style-src 'self'; img-src",
        ),
        // A browser takes the policy of the 304 for that of the page it has.
        (
            Call::new("GET", "/docs/").header("if-none-match", &page),
            304,
            "script-src 'self';",
        ),
        (
            Call::new("GET", form).header("if-none-match", &filled),
            304,
            "style-src 'sha256-",
        ),
    ] {
        let what = format!("{call:?}");
        let answer = api.send(call).await;
        assert_eq!(answer.status, status, "{what}");
        assert!(answer.header("content-security-policy").contains(policy), "{what}");
        assert!(
            !answer.header("content-security-policy").contains("script-src 'unsafe"),
            "{what}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{what}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{what}");
        for banner in ["server", "x-powered-by", "via"] {
            assert!(!answer.headers.contains_key(banner), "{what}: {banner}");
        }
    }
}
