//! `/v1/catalog`: what a portal harvests.

use crate::support::{Api, Call};

#[actix_web::test]
async fn every_file_of_the_catalogue_is_there_and_an_empty_service_says_nothing_it_does_not_know() {
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
