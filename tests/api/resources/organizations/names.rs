//! What organizations are called: who may change it, that it is one's own, and that it leads to the same for ever.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::{
    contract::openapi::CONTRACT,
    history::random_past::Dice,
    support::{
        Answer, Api, Call,
        factories::{self, Nishi, ward, with},
    },
};

fn patch(path: impl AsRef<str>, body: &Value) -> Call {
    Call::new("PATCH", path)
        .header("if-match", "*")
        .because("試験")
        .json(body)
}

/// The answer after all redirects.
async fn followed(api: &Api, path: &str) -> Answer {
    let mut answer = api.send(Call::new("GET", path).anonymous()).await;
    for _ in 0..3 {
        if answer.status == 308 {
            let there = answer.header("location").to_owned();
            answer = api.send(Call::new("GET", there).anonymous()).await;
        }
    }
    assert_ne!(answer.status, 308, "{path} leads round");
    answer
}

#[actix_web::test]
async fn an_organization_is_renamed_by_those_alone_who_may_change_all() {
    let api = Api::new().await;
    api.organization().await;
    let own = api.token("own", &["edit:nishi"]).await;
    let all = api.token("all", &["edit:*"]).await;
    for (n, change) in [
        json!({ "slug": "west" }),
        json!({ "name": "港区" }),
        json!({ "name_kana": "みなとく" }),
        json!({ "name_en": null }),
        json!({ "municipality_code": "271071" }),
        json!({ "kind": "bureau", "municipality_code": null }),
    ]
    .into_iter()
    .enumerate()
    {
        api.send(patch("/v1/organizations/271063", &change).by(&own))
            .await
            .must_be(403);
        let replaced = with(ward(), change);
        let put = Call::new("PUT", "/v1/organizations/nishi")
            .header("if-match", "*")
            .because("試験");
        let put = put.json(&replaced).by(&own);
        // A PUT renames nothing.
        let expected = if replaced["slug"] == "nishi" { 403 } else { 422 };
        api.send(put).await.must_be(expected);
        assert_eq!(api.get("/v1/organizations/nishi").await.body["version"], 1, "{n}");
    }
    // What names nothing is the organization's own, beside names that stay.
    let order = with(ward(), json!({ "display_order": 7 }));
    let put = Call::new("PUT", "/v1/organizations/nishi")
        .header("if-match", "*")
        .because("試験");
    api.send(put.json(&order).by(&own)).await.must_be(200);
    api.send(
        patch(
            "/v1/organizations/nishi",
            &json!({ "name": "西区", "display_order": 8 }),
        )
        .by(&own),
    )
    .await
    .must_be(200);
    let renamed = json!({ "slug": "west", "name": "西方区", "municipality_code": "271071" });
    api.send(patch("/v1/organizations/nishi", &renamed).by(&all))
        .await
        .must_be(200);
}

#[actix_web::test]
async fn no_two_organizations_have_a_name_that_forms_cannot_tell_apart() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    for name in [
        "西区",
        "大阪市西区",
        "西区役所",
        "大阪市西区役所",
        "大阪市 西区",
        "西　区",
    ] {
        let other = with(factories::bureau("other"), json!({ "name": name }));
        let answer = api.post("/v1/organizations", &other).await;
        answer.must_refuse(409, &[("/name", "constraint")]);
        let answer = api
            .send(patch("/v1/organizations/keikaku", &json!({ "name": name })))
            .await;
        answer.must_refuse(409, &[("/name", "constraint")]);
    }
    // Its own name, written in another way, is still its own.
    api.send(patch("/v1/organizations/nishi", &json!({ "name": "西区役所" })))
        .await
        .must_be(200);
    api.post(
        "/v1/organizations",
        &with(factories::bureau("minami"), json!({ "name": "西区役所前局" })),
    )
    .await
    .must_be(201);
    // Names that are free again are anybody's.
    api.delete("/v1/organizations/nishi", "*").await.must_be(204);
    api.send(patch("/v1/organizations/keikaku", &json!({ "name": "西区" })))
        .await
        .must_be(200);
}

#[actix_web::test]
async fn names_that_were_alike_before_stay_until_one_is_changed() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    api.db
        .connect()
        .batch_execute(
            "begin; select begin_write('test', '', '', 'test'); alter table organizations disable trigger organizations_names; \
             update organizations set name = '西区役所' where slug = 'keikaku'; \
             alter table organizations enable trigger organizations_names; commit",
        )
        .unwrap();
    api.send(patch("/v1/organizations/keikaku", &json!({ "display_order": 5 })))
        .await
        .must_be(200);
    let answer = api
        .send(patch("/v1/organizations/keikaku", &json!({ "name": "大阪市西区" })))
        .await;
    assert_eq!(answer.status, 200, "read in forms it is the name it had");
    api.send(patch("/v1/organizations/keikaku", &json!({ "name": "計画局" })))
        .await
        .must_be(200);
    let answer = api
        .send(patch("/v1/organizations/keikaku", &json!({ "name": "大阪市西区" })))
        .await;
    answer.must_refuse(409, &[("/name", "constraint")]);
}

#[actix_web::test]
async fn what_an_organization_was_called_is_never_anothers() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("keikaku").await;
    let renamed = json!({ "slug": "west", "municipality_code": "271071", "name": "西方区" });
    api.send(patch("/v1/organizations/nishi", &renamed)).await.must_be(200);
    let code = with(ward(), json!({ "slug": "other", "name": "別区" }));
    let answer = api.post("/v1/organizations", &code).await;
    answer.must_refuse(409, &[("/municipality_code", "constraint")]);
    let slug = with(factories::bureau("nishi"), json!({ "name": "別局" }));
    api.post("/v1/organizations", &slug)
        .await
        .must_refuse(409, &[("/slug", "constraint")]);
    api.create("/v1/organizations/nishi", &slug)
        .await
        .must_refuse(409, &[("/slug", "constraint")]);
    let taken = api
        .send(patch("/v1/organizations/keikaku", &json!({ "slug": "nishi" })))
        .await;
    taken.must_refuse(409, &[("/slug", "constraint")]);
    // It may take its own back; the one between is its own then.
    api.send(patch(
        "/v1/organizations/west",
        &json!({ "slug": "nishi", "municipality_code": "271063" }),
    ))
    .await
    .must_be(200);
    let taken = api
        .send(patch("/v1/organizations/keikaku", &json!({ "slug": "west" })))
        .await;
    taken.must_refuse(409, &[("/slug", "constraint")]);
    // Nothing was ever public under it, and it is gone.
    api.delete("/v1/organizations/nishi", "*").await.must_be(204);
    api.send(patch("/v1/organizations/keikaku", &json!({ "slug": "west" })))
        .await
        .must_be(200);
}

/// Every operation of the contract with an organization in its path, or in its filter.
#[actix_web::test]
async fn requests_under_a_former_name_are_sent_to_the_name_of_today() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.bureau("keikaku").await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let renamed = json!({ "slug": "west", "municipality_code": "271071" });
    api.send(patch("/v1/organizations/nishi", &renamed)).await.must_be(200);
    let mut asked = 0;
    for operation in CONTRACT.operations() {
        let has = |place: &str| {
            operation
                .parameters()
                .iter()
                .map(|parameter| CONTRACT.resolved(parameter))
                .any(|p| p["in"] == place && p["name"] == "organization")
        };
        let filled = |organization: &str| {
            let path = operation.path.replace("{organization}", organization);
            path.replace("{fiscal_year}", "2024").replace("{number}", "1")
        };
        if has("path") {
            for former in ["nishi", "271063"] {
                for query in ["", "?as_of=revision:9"] {
                    let (path, there) = (filled(former) + query, filled("west") + query);
                    let mut call = Call::new(&operation.method.to_uppercase(), &path).because("試験");
                    call = match operation.method {
                        "get" if query.is_empty() => call.anonymous(),
                        "get" => continue,
                        // Creates, which is refused: the name is not free.
                        _ if !query.is_empty() => continue,
                        "put" if path.ends_with("/tree") => continue,
                        "put" => call.header("if-match", "*").json(&if path.contains("policies") {
                            factories::policy("west", 2024)
                        } else {
                            with(ward(), renamed.clone())
                        }),
                        "patch" => call.header("if-match", "*").json(&json!({})),
                        "post" => call.header("if-match", "*").json(&json!({ "kind": "plan" })),
                        _ => call.header("if-match", "*"),
                    };
                    let answer = api.send(call).await;
                    assert_eq!(
                        (answer.status, answer.header("location")),
                        (308, there.as_str()),
                        "{}",
                        operation.name()
                    );
                    asked += 1;
                }
            }
        }
        if has("query") && !operation.path.starts_with("/v1/changes") && operation.method == "get" {
            for (filter, there) in [
                ("organization=nishi", "organization=west"),
                (
                    "organization=keikaku,271063&limit=1",
                    "limit=1&organization=keikaku,west",
                ),
            ] {
                let answer = api.get(format!("{}?{filter}", operation.path)).await;
                let there = format!("{}?{there}", operation.path);
                assert_eq!((answer.status, answer.header("location")), (308, there.as_str()));
                asked += 1;
            }
        }
    }
    assert!(asked > 50, "{asked}");
    let head = api
        .send(Call::new("HEAD", "/v1/policies/nishi/2024/revisions/1").anonymous())
        .await;
    assert_eq!(
        (head.status, head.header("location")),
        (308, "/v1/policies/west/2024/revisions/1")
    );
    // What was never there is no former name, and a name of today leads nowhere else.
    api.get("/v1/policies/nobody/2024").await.must_be(404);
    api.get("/v1/policies/west/2031").await.must_be(404);
    assert_eq!(followed(&api, "/v1/policies/nishi/2031").await.status, 404);
    // Another instance knows as well, and this one again after the next change.
    let beside = api.beside(0).await;
    assert_eq!(beside.get("/v1/goals?organization=nishi").await.status, 308);
    api.send(patch("/v1/organizations/west", &json!({ "slug": "nishi" })))
        .await
        .must_be(200);
    assert_eq!(api.list("/v1/goals?organization=nishi").await.len(), 1);
    let answer = api.get("/v1/goals?organization=west").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (308, "/v1/goals?organization=nishi")
    );
}

#[actix_web::test]
async fn a_policy_that_was_published_stays_in_its_year() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let move_to = |year: i32| patch("/v1/policies/nishi/2024", &json!({ "fiscal_year": year }));
    api.send(move_to(2025)).await.must_be(200);
    api.send(patch("/v1/policies/nishi/2025", &json!({ "fiscal_year": 2024 })))
        .await
        .must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.send(move_to(2025))
        .await
        .must_refuse(409, &[("/fiscal_year", "constraint")]);
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    api.send(move_to(2025))
        .await
        .must_refuse(409, &[("/fiscal_year", "constraint")]);
    api.send(patch("/v1/policies/nishi/2024", &json!({ "vision": ["別"] })))
        .await
        .must_be(200);
}

/// Organizations are renamed, swap names, come and go, policies move: whatever is refused of it, a permalink that was noted shows the
/// same document, byte for byte.
#[actix_web::test]
async fn a_permalink_never_shows_another_document_whatever_is_renamed() {
    const SLUGS: [&str; 7] = ["nishi", "minato", "kita", "west", "port", "north", "tmp"];
    const NAMES: [&str; 5] = ["西区", "港区", "大阪市港区役所", "北区", "新区"];
    const CODES: [&str; 4] = ["271063", "271071", "271276", "271021"];
    let api = Api::new().await;
    let mut dice = Dice(18);
    let mut noted: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut renamed, mut redirected) = (0, 0);
    for step in 0..120 {
        let organizations = api.list("/v1/organizations").await;
        let some = dice
            .one(&organizations)
            .map(|it| it["slug"].as_str().unwrap().to_owned());
        let (slug, name, code) = (
            *dice.one(&SLUGS).unwrap(),
            *dice.one(&NAMES).unwrap(),
            *dice.one(&CODES).unwrap(),
        );
        let year = 2024 + i32::try_from(dice.below(2)).unwrap();
        let answer = match (dice.below(9), some) {
            (0 | 1, _) | (_, None) => {
                let made = json!({ "slug": slug, "name": name, "municipality_code": code });
                api.post("/v1/organizations", &with(ward(), made)).await
            }
            (2..=4, Some(some)) => {
                let change = match dice.below(3) {
                    0 => json!({ "slug": slug }),
                    1 => json!({ "name": name }),
                    _ => json!({ "municipality_code": code }),
                };
                let answer = api.send(patch(format!("/v1/organizations/{some}"), &change)).await;
                renamed += usize::from(answer.status == 200);
                answer
            }
            (5, Some(some)) => api.delete(format!("/v1/organizations/{some}"), "*").await,
            (6, Some(some)) => {
                let move_to = json!({ "fiscal_year": 2024 + dice.below(2) });
                api.send(patch(format!("/v1/policies/{some}/{year}"), &move_to)).await
            }
            (_, Some(some)) => {
                let head = json!({ "head_name": format!("区長{step}") });
                let policy = api
                    .post("/v1/policies", &with(factories::policy(&some, year), head))
                    .await;
                if policy.status == 201 {
                    let goal = api.goal(&policy.id(), "1").await;
                    api.indicator(&goal.id(), "指標").await;
                }
                let kind = if dice.below(4) == 0 { "withdrawal" } else { "plan" };
                api.publish(&format!("{some}/{year}"), kind).await
            }
        };
        assert!(
            matches!(answer.status, 200..=204 | 404 | 409),
            "{} {:?}",
            answer.status,
            answer.body
        );
        // What was noted stays.
        for (path, document) in &noted {
            let answer = followed(&api, path).await.must_be(200);
            assert_eq!(answer.bytes, document, "{path} after step {step}");
        }
        // Every permalink there is now is noted, by both names.
        for organization in api.list("/v1/organizations").await {
            for key in [&organization["slug"], &organization["municipality_code"]] {
                for (year, number) in [(2024, 1), (2024, 2), (2025, 1), (2025, 2)] {
                    let path = format!("/v1/policies/{}/{year}/revisions/{number}", key.as_str().unwrap());
                    let answer = api.get(&path).await;
                    if answer.status == 200 {
                        noted.entry(path).or_insert_with(|| answer.bytes.to_vec());
                    }
                }
            }
        }
    }
    for path in noted.keys() {
        redirected += usize::from(api.get(path).await.status == 308);
    }
    assert!(
        noted.len() > 10 && renamed > 10 && redirected > 3,
        "{} {renamed} {redirected}",
        noted.len()
    );
}
