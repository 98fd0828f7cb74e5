//! Printed targets, as read.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

async fn parse(api: &Api, text: &str) -> Answer {
    let body = json!({ "text": text, "fiscal_year": 2024 });
    api.send(Call::new("POST", "/v1/targets/parse").anonymous().json(&body))
        .await
}

#[actix_web::test]
async fn anybody_may_have_a_target_read() {
    let api = Api::new().await;
    let read = parse(&api, "81.2％以上").await.must_be(200).body;
    assert_eq!(
        (
            &read["parse"],
            &read["unit"],
            &read["decimals"],
            &read["direction"],
            &read["name"]
        ),
        (
            &json!("full"),
            &json!("%"),
            &json!(1),
            &json!("higher_is_better"),
            &Value::Null
        )
    );
    assert_eq!(
        read["target"],
        json!({
            "text": "81.2％以上", "comparator": "gte", "value": read["target"]["value"], "upper": null,
            "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
            "period": { "kind": "single_year", "from": null, "to": null }
        })
    );
    assert_eq!(read["target"]["value"].to_string(), "81.2");
}

#[actix_web::test]
async fn a_name_before_the_target_is_told_apart() {
    let api = Api::new().await;
    for (text, name, comparator) in [
        (
            "・待ち時間10分以上の割合：5%以下",
            json!("待ち時間10分以上の割合"),
            "lte",
        ),
        (
            "コンビニでの証明書発行割合 40%以上",
            json!("コンビニでの証明書発行割合"),
            "gte",
        ),
        ("令和7年度末までに80%以上", Value::Null, "gte"),
        ("前年度実績を上回る", Value::Null, "gt"),
        ("分かりやすい案内を行う", Value::Null, "qualitative"),
    ] {
        let read = parse(&api, text).await.must_be(200).body;
        assert_eq!(
            (&read["name"], &read["target"]["comparator"]),
            (&name, &json!(comparator)),
            "{text}"
        );
    }
}

#[actix_web::test]
async fn what_was_read_makes_an_indicator_and_what_was_not_is_no_guess() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await;
    for (n, text) in [
        "10,000世帯以上（R3～R5合計）",
        "前年度比△10%以上",
        "80%",
        "未定",
        "0人を維持",
    ]
    .iter()
    .enumerate()
    {
        let read = parse(&api, text).await.must_be(200).body;
        let body = json!({
            "goal_id": goal.id(), "position": n + 1, "kind": "outcome", "name": format!("指標{n}"), "unit": read["unit"],
            "decimals": read["decimals"], "direction": read["direction"], "target": read["target"]
        });
        api.post("/v1/indicators", &body).await.must_be(201);
    }
    let relative = parse(&api, "前年度比△10%以上").await.body;
    assert_eq!(
        (&relative["parse"], &relative["name"], &relative["target"]["comparator"]),
        (&json!("partial"), &Value::Null, &json!("unread")),
        "10% or more would be a guess"
    );
    let bare = parse(&api, "80%").await.body;
    assert_eq!(
        (
            &bare["parse"],
            &bare["target"]["comparator"],
            &bare["target"]["value"],
            &bare["value"]
        ),
        (&json!("partial"), &json!("unread"), &Value::Null, &json!(80))
    );
}

#[actix_web::test]
async fn what_is_no_text_is_refused() {
    let api = Api::new().await;
    for (body, faults) in [
        (
            json!({ "text": "", "fiscal_year": 2024 }),
            &[("/text", "minLength"), ("/text", "pattern")][..],
        ),
        (json!({ "text": "80%以上" }), &[("/fiscal_year", "required")]),
    ] {
        let answer = api.post("/v1/targets/parse", &body).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        let places: Vec<_> = answer.faults().into_iter().map(|(place, _)| place).collect();
        assert!(places.contains(&faults[0].0.to_owned()), "{places:?}");
    }
    let long = "あ".repeat(2001);
    assert_eq!(parse(&api, &long).await.status, 422);
    parse(&api, &"(".repeat(2000)).await.must_be(200);
}
