//! `/v1/organizations`

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    Api,
    factories::{Nishi, bureau, policy, ward, with},
};

pub(crate) mod names;

#[actix_web::test]
async fn a_ward_is_shown_as_it_was_given() {
    let api = Api::new().await;
    let created = api.post("/v1/organizations", &ward()).await.must_be(201);
    assert_snapshot!(created.shown(), @r#"
    {
      "created_at": "[created_at]",
      "display_order": 6,
      "id": "[id]",
      "kind": "ward",
      "municipality_code": "271063",
      "name": "西区",
      "name_en": "Nishi Ward",
      "name_kana": "にしく",
      "slug": "nishi",
      "updated_at": "[updated_at]",
      "version": 1
    }
    "#);
}

#[actix_web::test]
async fn an_organization_goes_by_its_slug_and_its_municipality_code() {
    let api = Api::new().await;
    let created = api.organization().await;
    for path in ["/v1/organizations/nishi", "/v1/organizations/271063"] {
        let read = api.get(path).await.must_be(200);
        assert_eq!((read.body.clone(), read.etag()), (created.body.clone(), created.etag()));
    }
    let by_code = api
        .patch(
            "/v1/organizations/271063",
            &created.etag(),
            &json!({ "display_order": 7 }),
        )
        .await
        .must_be(200);
    assert_eq!(by_code.body["display_order"], 7);
    api.delete("/v1/organizations/271063", "*").await.must_be(204);
}

#[actix_web::test]
async fn put_creates_an_organization_under_either_key() {
    let api = Api::new().await;
    let created = api.create("/v1/organizations/271063", &ward()).await.must_be(201);
    assert_eq!(created.header("location"), "/v1/organizations/nishi");
    let other = api.create("/v1/organizations/kita", &bureau("minato")).await;
    other.must_refuse(422, &[("/slug", "path_mismatch")]);
}

#[actix_web::test]
async fn wards_and_only_wards_have_a_municipality_code() {
    let api = Api::new().await;
    for body in [
        with(ward(), json!({ "municipality_code": null })),
        with(bureau("keikaku"), json!({ "municipality_code": "271063" })),
    ] {
        let answer = api.post("/v1/organizations", &body).await;
        answer.must_refuse(422, &[("/municipality_code", "municipality_code")]);
    }
}

#[actix_web::test]
async fn the_digit_of_a_municipality_code_is_checked() {
    let api = Api::new().await;
    for (code, fault) in [
        ("271064", "check_digit"),
        ("272063", "check_digit"),
        ("27106", "pattern"),
        ("２７１０６３", "pattern"),
    ] {
        let answer = api
            .post("/v1/organizations", &with(ward(), json!({ "municipality_code": code })))
            .await;
        assert_eq!(answer.status, 422);
        assert!(
            answer
                .faults()
                .contains(&("/municipality_code".to_owned(), fault.to_owned())),
            "{code}: {:?}",
            answer.faults()
        );
    }
}

#[actix_web::test]
async fn slugs_and_codes_are_unique() {
    let api = Api::new().await;
    api.organization().await;
    let same_slug = with(ward(), json!({ "municipality_code": "271276", "name": "北区" }));
    let answer = api.post("/v1/organizations", &same_slug).await;
    answer.must_refuse(409, &[("/slug", "constraint")]);
    let same_code = with(ward(), json!({ "slug": "kita", "name": "北区" }));
    let answer = api.post("/v1/organizations", &same_code).await;
    answer.must_refuse(409, &[("/municipality_code", "constraint")]);
    api.bureau("keikaku").await;
    let answer = api
        .patch("/v1/organizations/keikaku", "*", &json!({ "slug": "nishi" }))
        .await;
    answer.must_refuse(409, &[("/slug", "constraint")]);
    assert_eq!(api.list("/v1/organizations").await.len(), 2);
}

#[actix_web::test]
async fn an_organization_with_policies_stays() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let refused = api.delete("/v1/organizations/nishi", &nishi.organization.etag()).await;
    refused.must_refuse(409, &[("", "in_use")]);
    api.delete("/v1/policies/nishi/2024", "*").await.must_be(204);
    api.delete("/v1/organizations/nishi", "*").await.must_be(204);
}

#[actix_web::test]
async fn every_broken_rule_is_named_at_once() {
    let api = Api::new().await;
    let body = json!({
        "slug": "Nishi Ward", "kind": "wards", "municipality_code": 271_063, "name": " 西区", "name_kana": "",
        "display_order": -1, "name_eng": "Nishi"
    });
    let answer = api.post("/v1/organizations", &body).await;
    answer.must_refuse(
        422,
        &[
            ("/slug", "pattern"),
            ("/kind", "unknown_code"),
            ("/municipality_code", "type"),
            ("/name", "blank"),
            ("/name_kana", "blank"),
            ("/display_order", "minimum"),
            ("/name_eng", "unknown_field"),
        ],
    );
    assert_eq!(answer.suggestion("/kind").as_deref(), Some("ward"));
    assert_eq!(answer.suggestion("/name_eng").as_deref(), Some("name_en"));
    let empty = api.post("/v1/organizations", &json!({})).await;
    empty.must_refuse(
        422,
        &[
            ("/slug", "required"),
            ("/name", "required"),
            ("/display_order", "required"),
        ],
    );
}

#[actix_web::test]
async fn a_slug_may_have_63_characters() {
    let api = Api::new().await;
    api.bureau(&"a".repeat(63)).await;
    let answer = api.post("/v1/organizations", &bureau(&"a".repeat(64))).await;
    answer.must_refuse(422, &[("/slug", "too_long")]);
}

#[actix_web::test]
async fn organizations_are_listed_by_kind() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    for (kinds, expected) in [
        ("ward", vec!["nishi"]),
        ("bureau", vec!["keikaku"]),
        ("ward,bureau", vec!["nishi", "keikaku"]),
        ("ward, bureau", vec!["nishi", "keikaku"]),
    ] {
        let slugs: Vec<_> = api
            .list(format!("/v1/organizations?kind={kinds}"))
            .await
            .iter()
            .map(|o| o["slug"].clone())
            .collect();
        assert_eq!(slugs, expected);
    }
    let answer = api.get("/v1/organizations?kind=warda").await;
    answer.must_refuse(400, &[("kind", "unknown_code")]);
    assert_eq!(answer.suggestion("kind").as_deref(), Some("ward"));
}

#[actix_web::test]
async fn a_renamed_organization_takes_its_policies_along() {
    let api = Api::new().await;
    api.organization().await;
    api.policy("nishi", 2024).await;
    let renamed = api
        .patch("/v1/organizations/nishi", "*", &json!({ "slug": "nishi-ku" }))
        .await
        .must_be(200);
    assert_eq!(renamed.body["slug"], "nishi-ku");
    api.get("/v1/organizations/nishi").await.must_be(308);
    let moved = api.get("/v1/policies/nishi-ku/2024").await.must_be(200);
    assert_eq!(moved.body["organization"], "nishi-ku");
    api.get("/v1/policies/nishi/2024").await.must_be(308);
    api.post("/v1/policies", &policy("271063", 2025)).await.must_be(201);
}
