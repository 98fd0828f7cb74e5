//! `/v1/catalog`: what a portal harvests.

use crate::{
    contract::{leaks::is_endless, openapi::CONTRACT},
    support::{Api, Call, factories::Nishi},
};

#[actix_web::test]
async fn the_files_of_the_catalogue_exist_and_an_empty_service_claims_none() {
    let api = Api::new().await;
    let empty = api.get("/v1/catalog").await.must_be(200).body;
    assert!(empty.get("dct:modified").is_none() && empty["dcat:dataset"][0].get("dct:temporal").is_none());

    let goal = api.nishi_goal().await.id();
    api.indicator(&goal, "指標").await;
    let answer = api.get("/v1/catalog").await.must_be(200);
    assert_eq!(answer.header("content-type"), "application/ld+json");
    let catalog = &answer.body;
    assert_eq!(catalog["@type"], "dcat:Catalog");
    let mut files = 0;
    for dataset in catalog["dcat:dataset"].as_array().unwrap() {
        assert_eq!(dataset["dct:temporal"]["dcat:startDate"]["@value"], "2024-04-01");
        assert_eq!(dataset["dct:temporal"]["dcat:endDate"]["@value"], "2025-03-31");
        for distribution in dataset["dcat:distribution"].as_array().unwrap() {
            let address = distribution["dcat:downloadURL"]["@id"].as_str().unwrap();
            let (_, path) = address.split_once("/v1/").unwrap();
            let file = api.get(format!("/v1/{path}")).await.must_be(200);
            if let Some(known) = distribution["dcat:mediaType"]["@id"].as_str() {
                let given = file.header("content-type").split(';').next().unwrap();
                assert!(known.ends_with(given), "{known}: {given}");
            }
            files += 1;
        }
    }
    assert_eq!(files, 12);
    assert!(catalog["dct:modified"]["@value"].is_string());

    let anonymous = api.send(Call::new("GET", "/v1/catalog").anonymous()).await.must_be(200);
    assert!(
        anonymous.body["dcat:dataset"][0].get("dct:temporal").is_none(),
        "a draft is nothing to harvest"
    );
    let again = Call::new("GET", "/v1/catalog").header("if-none-match", answer.etag());
    api.send(again).await.must_be(304);
    let elsewhere = Call::new("GET", "/v1/catalog").header("host", "policy.example.jp");
    let elsewhere = api.send(elsewhere).await.must_be(200).body;
    assert_eq!(elsewhere["@id"], "http://policy.example.jp/v1/catalog");
}

#[actix_web::test]
async fn who_says_that_the_service_is_elsewhere_is_not_believed() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let claims = [
        ("forwarded", "host=elsewhere.example;proto=gopher;for=192.0.2.1"),
        ("x-forwarded-host", "elsewhere.example"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-port", "70"),
        ("x-forwarded-prefix", "/elsewhere.example"),
        ("x-original-host", "elsewhere.example"),
    ];
    let claimed = |call: Call| {
        claims
            .iter()
            .fold(call, |call, (name, value)| call.header(name, *value))
    };
    let reads = CONTRACT
        .operations()
        .filter(|operation| operation.method == "get" && !is_endless(operation));
    for operation in reads {
        let path = operation
            .path
            .replace("{organization}", "nishi")
            .replace("{fiscal_year}", "2024")
            .replace("{number}", "1");
        let answer = api.send(claimed(Call::new("GET", format!("{path}?limit=1")))).await;
        let answer = if answer.status == 400 {
            api.send(claimed(Call::new("GET", path))).await
        } else {
            answer
        };
        let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.bytes));
        assert!(
            !shown.contains("elsewhere") && !shown.contains("gopher"),
            "{}: {shown}",
            operation.name()
        );
    }
    let made = api
        .send(claimed(
            Call::new("POST", "/v1/organizations").json(&crate::support::factories::bureau("port")),
        ))
        .await;
    assert_eq!(made.must_be(201).header("location"), "/v1/organizations/port");
}
