//! Links that leave the service: absolute, and to where it is.

use serde_json::{Value, json};
use ward_policy::http::{limits::Limits, public_address::PublicUrl};

use crate::support::{
    Api, Call,
    factories::{Nishi, bureau},
};

fn elsewhere(call: Call) -> Call {
    call.header("host", "inner.example:8080")
        .header("x-forwarded-host", "www.example.jp")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-prefix", "/policies")
}

/// A service set to be somewhere, one behind a proxy, and one behind a proxy that nobody counts, which may speak TLS; each with what
/// its links begin with.
async fn services() -> [(Api, &'static str); 3] {
    let set = Api::set(|state| state.public_url = PublicUrl::read("https://policies.city.example/ward/").ok()).await;
    let behind = Api::with_limits(Limits {
        proxies: 1,
        ..Limits::default()
    });
    [
        (set, "https://policies.city.example/ward"),
        (behind.await, "https://www.example.jp/policies"),
        (Api::new().await, ""),
    ]
}

#[actix_web::test]
async fn links_and_places_lead_to_where_the_service_is() {
    for (api, base) in services().await {
        Nishi::of(&api).await;
        let made = Call::new("POST", "/v1/organizations").json(&bureau("port"));
        let twice = [
            made.clone().header("idempotency-key", "a"),
            made.header("idempotency-key", "a"),
        ];
        for call in twice {
            let made = api.send(elsewhere(call)).await.must_be(201);
            assert_eq!(made.header("location"), format!("{base}/v1/organizations/port"));
        }
        let list = Call::new("GET", "/v1/organizations?limit=1&kind=bureau,ward");
        let page = api.send(elsewhere(list)).await.must_be(200);
        let cursor = page.text("next_cursor");
        assert_eq!(
            page.header("link"),
            format!("<{base}/v1/organizations?limit=1&kind=bureau,ward&cursor={cursor}>; rel=\"next\"")
        );
        for (path, there) in [("/", "/docs/"), ("/docs", "/docs/")] {
            let moved = api.send(elsewhere(Call::new("GET", path))).await;
            assert_eq!(moved.status / 100, 3);
            assert_eq!(moved.header("location"), format!("{base}{there}"));
        }
        let catalog = api.send(elsewhere(Call::new("GET", "/v1/catalog"))).await.must_be(200);
        assert_eq!(catalog.body["@id"], format!("{base}/v1/catalog"));
        // It says which path was asked for, as the service knows it.
        let problem = api.send(elsewhere(Call::new("GET", "/v1/none"))).await.must_be(404);
        assert_eq!(problem.body["instance"], "/v1/none");
    }
}

#[actix_web::test]
async fn a_former_name_leads_to_where_the_service_is() {
    for (api, base) in services().await {
        api.organization().await;
        let moved = json!({ "slug": "west" });
        api.patch("/v1/organizations/nishi", "*", &moved).await.must_be(200);
        let answer = api
            .send(elsewhere(Call::new("GET", "/v1/organizations/nishi")))
            .await
            .must_be(308);
        assert_eq!(answer.header("location"), format!("{base}/v1/organizations/west"));
    }
}

#[actix_web::test]
async fn an_answer_that_is_kept_leads_each_caller_to_the_address_it_came_by() {
    let api = Api::new().await;
    for slug in ["a", "b"] {
        api.bureau(slug).await;
    }
    api.keeping().await;
    let page = |host: &str| {
        let call = Call::new("GET", "/v1/organizations?limit=1")
            .anonymous()
            .header("host", host);
        let (api, host) = (&api, host.to_owned());
        async move {
            let page = api.send(call).await.must_be(200);
            let link = page.header("link");
            assert!(link.starts_with(&format!("<http://{host}/v1/organizations?")), "{link}");
        }
    };
    for host in ["one.example", "evil.example", "one.example"] {
        page(host).await;
    }
    assert!(api.state.cache.hits.get() >= 2);
}

#[actix_web::test]
async fn the_document_says_where_the_service_is() {
    for (api, address) in services().await {
        api.keeping().await;
        for _ in 0..2 {
            let document = api.send(elsewhere(Call::new("GET", "/openapi.json").anonymous())).await;
            let said: &Value = &document.must_be(200).body["servers"][0]["url"];
            let expected = address.strip_prefix("https://www.example.jp").unwrap_or(address);
            assert_eq!(said, if expected.is_empty() { "/" } else { expected });
            // Whoever comes without the proxy is told so, whatever was kept.
            let near = api
                .send(Call::new("GET", "/openapi.json").anonymous())
                .await
                .must_be(200);
            let expected = if expected.starts_with("https:") { expected } else { "/" };
            assert_eq!(near.body["servers"][0]["url"], expected);
        }
    }
}
