//! `q` on organizations, policies and goals: the same words find the same things as among indicators.

use serde_json::json;

use crate::support::{Api, Call, factories::Nishi};

async fn found(api: &Api, list: &str, words: &str, key: &str) -> Vec<String> {
    let items = api.list(format!("/v1/{list}?limit=1000&q={words}")).await;
    items
        .iter()
        .map(|item| item[key].as_str().unwrap().to_owned())
        .collect()
}

#[actix_web::test]
async fn organizations_are_found_by_any_of_their_names() {
    let api = Api::with_sample().await;
    for (words, slugs) in [
        ("西区", vec!["nishi"]),
        ("にしく", vec!["nishi"]),
        ("NISHI ward", vec!["nishi", "nishiyodogawa", "nishinari"]),
        ("nishi にしく", vec!["nishi"]),
        ("ｎｉｓｈｉ", vec!["nishi", "nishiyodogawa", "nishinari"]),
        ("西 淀", vec!["nishiyodogawa"]),
        ("西区 北区", vec![]),
    ] {
        assert_eq!(found(&api, "organizations", words, "slug").await, slugs, "{words}");
    }
    let total = api
        .get("/v1/organizations?q=西&include_total=true&limit=1")
        .await
        .must_be(200);
    assert_eq!(total.body["total"], 3);
}

#[actix_web::test]
async fn goals_are_found_by_title_issues_and_strategies() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let texts = json!({ "title": "防災力の強化", "issue_recognition": ["自助・共助の取組み", "マンション（50戸～）"], "strategies": ["ＩＣＴの活用"] });
    let other = api.goal(&nishi.policy.id(), "1-2").await;
    api.patch(format!("/v1/goals/{}", other.id()), "*", &texts)
        .await
        .must_be(200);
    for (words, codes) in [
        ("防災", vec!["1-2"]),
        ("つながり", vec!["1-1"]),
        ("ict", vec!["1-2"]),
        ("50戸〜", vec!["1-2"]),
        ("共助 活用 強化", vec!["1-2"]),
        ("共助 つながり", vec![]),
        // No word reaches from one text to the next.
        ("強化自助", vec![]),
    ] {
        assert_eq!(found(&api, "goals", words, "code").await, codes, "{words}");
    }
}

#[actix_web::test]
async fn policies_are_found_by_names_and_texts_as_far_as_they_are_seen() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let said = json!({ "self_evaluation": ["概ね順調"], "future_policy": ["続ける"] });
    api.patch("/v1/policies/nishi/2024", "*", &said).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let public = async |words: &str| {
        let call = Call::new("GET", format!("/v1/policies?q={words}")).anonymous();
        api.send(call).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .len()
    };
    for words in ["西区", "三村", "誇り 防災力", "こども・子育て"] {
        assert_eq!(
            (
                found(&api, "policies", words, "organization").await.len(),
                public(words).await
            ),
            (1, 1),
            "{words}"
        );
    }
    assert_eq!(found(&api, "policies", "順調", "organization").await.len(), 1);
    assert_eq!(public("順調").await, 0, "what is not published is not found");
    // The past is searched as it was.
    let moment = api.moment();
    let vision = json!({ "vision": ["別の目標"] });
    api.patch("/v1/policies/nishi/2024", "*", &vision).await.must_be(200);
    let then = |words: &str| format!("/v1/policies?q={words}&as_of={moment}");
    assert_eq!(
        (
            api.list(then("誇り")).await.len(),
            api.list(then("別の目標")).await.len()
        ),
        (1, 0)
    );
    for list in ["organizations", "policies", "goals"] {
        api.get(format!("/v1/{list}?q=%20"))
            .await
            .must_refuse(400, &[("q", "text")]);
    }
}
