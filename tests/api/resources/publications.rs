//! Publishing: what it needs, what it shows, and what it leaves behind.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ward_policy::{
    cli::sample,
    domain::difference,
    server::{app, openapi},
    value::hex,
};

use crate::support::{
    Answer, Api, Call,
    factories::{self, Nishi, as_document, with},
};

pub(crate) mod trials;

const POLICY: &str = "/v1/policies/nishi/2024";
const TREE: &str = "/v1/policies/nishi/2024/tree";
const REVISIONS: &str = "/v1/policies/nishi/2024/revisions";
const PUBLICATIONS: &str = "/v1/policies/nishi/2024/publications";

impl Api {
    async fn as_public(&self, path: &str) -> Answer {
        self.send(Call::new("GET", path).anonymous()).await
    }

    async fn document(&self, number: usize) -> Value {
        self.as_public(&format!("{REVISIONS}/{number}")).await.must_be(200).body
    }

    /// The revisions, first to last, as (kind, reason).
    async fn revisions(&self) -> Vec<(String, Option<String>)> {
        let revisions = self.list(format!("{REVISIONS}?sort=number")).await;
        let numbers: Vec<_> = revisions
            .iter()
            .map(|revision| revision["number"].as_u64().unwrap())
            .collect();
        assert_eq!(
            numbers,
            (1..=u64::try_from(revisions.len()).unwrap()).collect::<Vec<_>>()
        );
        revisions
            .into_iter()
            .map(|revision| {
                let text = |key: &str| revision[key].as_str().map(str::to_owned);
                (text("kind").unwrap(), text("reason"))
            })
            .collect()
    }

    /// What the results need beside the results.
    async fn judged(&self) {
        let judgement = json!({ "self_evaluation": ["おおむね達成した"], "future_policy": ["続ける"] });
        self.patch(POLICY, "*", &judgement).await.must_be(200);
    }

    /// Nishi's policy with its results published.
    async fn nishi_with_results(&self) -> Nishi {
        let nishi = Nishi::of(self).await;
        self.publish("nishi/2024", "plan").await.must_be(201);
        self.judged().await;
        self.publish("nishi/2024", "results").await.must_be(201);
        nishi
    }
}

fn kinds(revisions: &[(String, Option<String>)]) -> Vec<&str> {
    revisions.iter().map(|(kind, _)| kind.as_str()).collect()
}

#[actix_web::test]
async fn a_plan_that_lacks_something_is_not_published_and_everything_it_lacks_is_named() {
    let api = Api::new().await;
    api.organization().await;
    let bare = with(
        factories::policy("nishi", 2024),
        json!({ "head_name": null, "vision": [], "mission": null }),
    );
    let policy = api.post("/v1/policies", &bare).await.must_be(201).id();
    let missing = |place| (place, "missing");
    api.publish("nishi/2024", "plan").await.must_refuse(
        409,
        &[
            missing("/head_name"),
            missing("/vision"),
            missing("/mission"),
            missing("/goals"),
        ],
    );
    let goal = api.goal(&policy, "1-1").await.id();
    api.goal(&policy, "1-2").await;
    let undecided = with(
        factories::indicator(&goal, "指標"),
        json!({ "target": with(factories::at_least(&json!(1)), json!({ "text": null, "comparator": "undecided", "value": null })) }),
    );
    let indicator = api.post("/v1/indicators", &undecided).await.must_be(201);
    api.publish("nishi/2024", "plan").await.must_refuse(
        409,
        &[
            missing("/head_name"),
            missing("/vision"),
            missing("/mission"),
            missing("/goals/0/indicators/0/target"),
            missing("/goals/1/indicators"),
        ],
    );
    api.as_public(POLICY).await.must_be(404);
    api.as_public(REVISIONS).await.must_be(404);

    // 未定 is a target, if the form says so.
    let said = json!({ "target": with(undecided["target"].clone(), json!({ "text": "未定" })) });
    api.patch(format!("/v1/indicators/{}", indicator.id()), "*", &said)
        .await
        .must_be(200);
    let whole = json!({ "head_name": "三村 浩也", "vision": ["誇り"], "mission": ["使命"] });
    api.patch(POLICY, "*", &whole).await.must_be(200);
    api.publish("nishi/2024", "plan")
        .await
        .must_refuse(409, &[missing("/goals/1/indicators")]);
}

#[actix_web::test]
async fn results_that_lack_something_are_not_published() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let other = api.indicator(&nishi.goal.id(), "別の指標").await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let position = |answer: &Answer| {
        answer
            .faults()
            .iter()
            .filter(|(place, _)| place.ends_with("/results"))
            .count()
    };
    let refused = api.publish("nishi/2024", "results").await.must_be(409);
    assert_eq!(position(&refused), 1);
    assert_eq!(refused.faults().len(), 3, "{:?}", refused.faults());

    // That it is not yet due, or late, is no reason for having none.
    let path = format!("/v1/indicators/{}/results/2024", other.id());
    let none = with(
        factories::result(2024),
        json!({ "value": null, "value_status": "not_reported", "text": null, "declared_rating": null }),
    );
    api.create(&path, &none).await.must_be(201);
    assert_eq!(position(&api.publish("nishi/2024", "results").await.must_be(409)), 1);
    api.patch(&path, "*", &json!({ "value_status": "not_measured" }))
        .await
        .must_be(200);
    let refused = api.publish("nishi/2024", "results").await;
    refused.must_refuse(409, &[("/self_evaluation", "missing"), ("/future_policy", "missing")]);
    api.judged().await;
    api.publish("nishi/2024", "results").await.must_be(201);
    assert_eq!(kinds(&api.revisions().await), ["plan", "results"]);
}

#[actix_web::test]
async fn a_stage_out_of_turn_conflicts() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let refused = async |kinds: &[&str]| {
        for kind in kinds {
            api.publish("nishi/2024", kind)
                .await
                .must_refuse(409, &[("/kind", "stage")]);
        }
    };
    refused(&["results", "correction", "withdrawal"]).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    refused(&["plan"]).await;
    api.judged().await;
    api.publish("nishi/2024", "results").await.must_be(201);
    refused(&["plan", "results"]).await;
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    refused(&["results", "correction", "withdrawal"]).await;
    assert_eq!(kinds(&api.revisions().await), ["plan", "results", "withdrawal"]);
}

#[actix_web::test]
async fn a_correction_and_a_withdrawal_need_a_reason_and_no_day_lies_in_the_future() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    for kind in ["correction", "withdrawal"] {
        let refused = api.publication("nishi/2024", "*", &json!({ "kind": kind })).await;
        refused.must_refuse(422, &[("/reason", "required")]);
    }
    let tomorrow = json!({ "kind": "plan", "published_on": "2099-01-01" });
    api.publication("nishi/2024", "*", &tomorrow)
        .await
        .must_refuse(422, &[("/published_on", "future")]);
    api.publication("nishi/2024", "*", &json!({ "kind": "draft" }))
        .await
        .must_be(422);

    let body = json!({ "kind": "plan", "reason": null, "published_on": "2024-04-01", "assumed": true });
    let made = api.publication("nishi/2024", "*", &body).await.must_be(201);
    assert_eq!(made.header("location"), format!("{REVISIONS}/1"));
    assert_eq!(
        (&made.body["published_on"], &made.body["assumed"], &made.body["reason"]),
        (&json!("2024-04-01"), &json!(true), &Value::Null)
    );
    api.publish("nishi/2024", "correction").await.must_be(201);
    let expected = [("plan", None), ("correction", Some("試験のため"))];
    assert_eq!(
        api.revisions().await,
        expected.map(|(kind, reason)| (kind.to_owned(), reason.map(str::to_owned)))
    );
}

#[actix_web::test]
async fn who_may_edit_may_not_publish_and_who_may_publish_may_not_edit() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.bureau("keikaku").await;
    let edit = api.token("編集", &["edit:nishi"]).await;
    let publish = api.token("公表", &["publish:nishi"]).await;
    let elsewhere = api.token("計画", &["publish:keikaku"]).await;
    let plan = Call::new("POST", PUBLICATIONS)
        .header("if-match", "*")
        .json(&json!({ "kind": "plan" }));
    api.send(plan.clone().anonymous()).await.must_be(401);
    api.send(plan.clone().by(&edit)).await.must_be(403);
    // To others the draft is not there.
    api.send(plan.clone().by(&elsewhere)).await.must_be(404);
    api.send(plan.clone().by(&publish)).await.must_be(201);
    api.send(plan.clone().by(&elsewhere)).await.must_be(403);
    let change = Call::new("PATCH", POLICY)
        .header("if-match", "*")
        .json(&json!({ "source": "別" }));
    api.send(change.clone().by(&publish).because("訂正")).await.must_be(403);
    api.send(change.by(&edit).because("訂正")).await.must_be(200);
    assert_eq!(kinds(&api.revisions().await), ["plan", "correction"]);
}

#[actix_web::test]
async fn the_public_sees_the_plan_first_and_the_results_when_they_are_published() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.judged().await;
    api.as_public(TREE).await.must_be(404);
    api.publish("nishi/2024", "plan").await.must_be(201);

    let tree = api.as_public(TREE).await.must_be(200);
    assert_eq!(tree.body["goals"][0]["indicators"][0]["results"], json!([]));
    assert_eq!(
        (&tree.body["self_evaluation"], &tree.body["future_policy"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(tree.body["revision"], 1);
    assert_eq!(tree.body, api.document(1).await);
    api.as_public(&nishi.result_path).await.must_be(404);
    let evaluation = format!("/v1/indicators/{}/evaluation", nishi.indicator.id());
    let seen = api.as_public(&evaluation).await.must_be(200);
    // Not 57 alone: an identifier may hold it.
    for hidden in [":57", "57%", "\"A\"", "おおむね"] {
        assert!(!String::from_utf8_lossy(&seen.bytes).contains(hidden), "{hidden}");
    }
    // Who sees more than was published sees no revision.
    assert_eq!(api.get(TREE).await.must_be(200).body["revision"], Value::Null);

    api.publish("nishi/2024", "results").await.must_be(201);
    let tree = api.as_public(TREE).await.must_be(200);
    assert_eq!(tree.body["goals"][0]["indicators"][0]["results"][0]["value"], 57);
    assert_eq!(tree.body["self_evaluation"], json!(["おおむね達成した"]));
    assert_eq!(
        (&tree.body["revision"], as_document(tree.body.clone())),
        (&json!(2), api.document(2).await)
    );
    assert_eq!(api.get(TREE).await.must_be(200).body, tree.body);
    api.as_public(&nishi.result_path).await.must_be(200);
}

#[actix_web::test]
async fn a_withdrawal_hides_all_but_revisions_and_the_plan_can_be_published_again() {
    let api = Api::new().await;
    let nishi = api.nishi_with_results().await;
    let last = api.document(2).await;
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    for path in [
        POLICY,
        TREE,
        &nishi.result_path,
        &format!("/v1/goals/{}", nishi.goal.id()),
    ] {
        api.as_public(path).await.must_be(404);
        api.get(path).await.must_be(200);
    }
    for list in ["policies", "goals", "budgets", "indicators", "results", "evaluations"] {
        let page = api
            .as_public(&format!("/v1/{list}?include_total=true"))
            .await
            .must_be(200);
        assert_eq!(
            (&page.body["items"], &page.body["total"]),
            (&json!([]), &json!(0)),
            "{list}"
        );
    }
    // The withdrawal shows what was withdrawn.
    assert_eq!(with(api.document(3).await, json!({ "revision": 2 })), last);
    assert_eq!(api.get(TREE).await.must_be(200).body["revision"], Value::Null);

    // What is not public changes without a reason, and makes no revision.
    let change = Call::new("PATCH", POLICY)
        .header("if-match", "*")
        .json(&json!({ "source": "別" }));
    api.send(change).await.must_be(200);
    api.publish("nishi/2024", "plan").await.must_be(201);
    let seen = api.as_public(TREE).await.must_be(200);
    assert_eq!(
        (&seen.body["revision"], &seen.body["source"]),
        (&json!(4), &json!("別"))
    );
    assert_eq!(seen.body["goals"][0]["indicators"][0]["results"], json!([]));
    assert_eq!(kinds(&api.revisions().await), ["plan", "results", "withdrawal", "plan"]);
}

#[actix_web::test]
async fn what_is_public_changes_for_a_reason_only_and_is_corrected_at_once() {
    let api = Api::new().await;
    let nishi = api.nishi_with_results().await;
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    let change = Call::new("PATCH", &path)
        .header("if-match", "*")
        .json(&json!({ "population": "回答者" }));
    api.send(change.clone())
        .await
        .must_refuse(422, &[("Change-Reason", "required")]);
    let blank = api.send(change.clone().because(" ")).await;
    assert!([400, 422].contains(&blank.status), "{}", blank.status);
    assert_eq!(api.revisions().await.len(), 2);
    // What changes nothing needs no reason and leaves no trace.
    let tree = api.get(TREE).await;
    let changes = || api.db.values("select count(*)::text as value from change_log");
    let before = changes();
    let same = Call::new("PUT", TREE).header("if-match", tree.etag()).json(&tree.body);
    assert_eq!(api.send(same).await.must_be(200).body, tree.body);
    assert_eq!(changes(), before);
    api.send(change.clone().because("母集団の訂正")).await.must_be(200);
    // Once more it changes nothing, so there is nothing to correct.
    api.send(change.because("母集団の訂正")).await.must_be(200);
    let revisions = api.revisions().await;
    assert_eq!(revisions.len(), 3);
    assert_eq!(revisions[2], ("correction".to_owned(), Some("母集団の訂正".to_owned())));
    assert_eq!(
        as_document(api.as_public(TREE).await.must_be(200).body),
        api.document(3).await
    );

    let entries = json!({ "items": [{ "indicator_id": nishi.indicator.id(), "result": with(factories::result(2024), json!({ "value": 58 })) }] });
    api.post("/v1/results", &entries).await.must_be(422);
    api.post("/v1/results", &with(entries, json!({ "reason": "集計の誤り" })))
        .await
        .must_be(200);
    api.send(Call::new("DELETE", &nishi.result_path).header("if-match", "*"))
        .await
        .must_be(422);
    api.delete(&nishi.result_path, "*").await.must_be(204);
    // Without the result there is less than was published, and that is what the next revision says.
    let reasons: Vec<_> = api
        .revisions()
        .await
        .into_iter()
        .skip(3)
        .map(|(_, reason)| reason.unwrap())
        .collect();
    assert_eq!(reasons, ["集計の誤り", "試験"]);
    assert_eq!(
        as_document(api.as_public(TREE).await.must_be(200).body),
        api.document(5).await
    );
}

#[actix_web::test]
async fn what_is_not_yet_public_changes_without_a_reason_and_makes_no_revision() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    for (path, body) in [
        (nishi.result_path.as_str(), json!({ "value": 12 })),
        (POLICY, json!({ "self_evaluation": ["まだ下書き"] })),
    ] {
        api.send(Call::new("PATCH", path).header("if-match", "*").json(&body))
            .await
            .must_be(200);
    }
    assert_eq!(api.revisions().await.len(), 1);
    let head = Call::new("PATCH", POLICY)
        .header("if-match", "*")
        .json(&json!({ "head_title": "区長" }));
    api.send(head).await.must_refuse(422, &[("Change-Reason", "required")]);
}

#[actix_web::test]
async fn a_renamed_organization_corrects_its_published_policies() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.policy("nishi", 2025).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.patch("/v1/organizations/nishi", "*", &json!({ "name": "新西区" }))
        .await
        .must_be(200);
    assert_eq!(kinds(&api.revisions().await), ["plan", "correction"]);
    assert_eq!(api.document(2).await["organization_name"], "新西区");
    // What its policies do not show corrects nothing.
    api.patch("/v1/organizations/nishi", "*", &json!({ "name_kana": "しんにしく" }))
        .await
        .must_be(200);
    assert_eq!(api.revisions().await.len(), 2);
    api.as_public("/v1/policies/nishi/2025/revisions").await.must_be(404);
}

/// RFC 8785, written anew: keys by their UTF-16 units, no blanks, numbers as ECMAScript writes them.
fn canonical(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => serde_json::to_string(value).unwrap(),
        Value::Number(number) => {
            let number: f64 = number.to_string().parse().unwrap();
            if number == 0.0 {
                "0".to_owned()
            } else {
                format!("{number}")
            }
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let member = |(key, value): (&String, &Value)| {
                format!("{}:{}", serde_json::to_string(key).unwrap(), canonical(value))
            };
            format!("{{{}}}", members.into_iter().map(member).collect::<Vec<_>>().join(","))
        }
    }
}

#[actix_web::test]
async fn a_revision_is_canonical_and_its_hash_is_that_of_its_bytes_for_ever() {
    let api = Api::new().await;
    let nishi = api.nishi_with_results().await;
    let odd =
        json!({ "value": 48.50, "comment": "改行\nと\"引用\"、\u{1F600}", "numerator": 0.0, "denominator": 0.000_1 });
    api.patch(&nishi.result_path, "*", &odd).await.must_be(200);
    for revision in api.list(REVISIONS).await {
        let path = format!("{REVISIONS}/{}", revision["number"]);
        let read = api.as_public(&path).await.must_be(200);
        let text = String::from_utf8(read.bytes.to_vec()).unwrap();
        assert_eq!(text, canonical(&read.body));
        let digest = Sha256::digest(&read.bytes);
        let hex = hex(&digest);
        assert_eq!(revision["sha256"], hex);
        assert_eq!(read.etag(), format!("\"{hex}\""));
        let base64 = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, digest);
        assert_eq!(read.header("repr-digest"), format!("sha-256=:{base64}:"));
        assert_eq!(read.header("cache-control"), "public, max-age=31536000, immutable");
        let again = Call::new("GET", &path).anonymous().header("if-none-match", read.etag());
        assert!(api.send(again).await.must_be(304).bytes.is_empty());
    }
    api.as_public(&format!("{REVISIONS}/9")).await.must_be(404);
}

#[actix_web::test]
async fn a_policy_that_was_published_is_not_deleted() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    for path in [
        nishi.result_path.clone(),
        format!("/v1/indicators/{}", nishi.indicator.id()),
        format!("/v1/budgets/{}", nishi.budget.id()),
        format!("/v1/goals/{}", nishi.goal.id()),
    ] {
        api.delete(&path, "*").await.must_be(204);
    }
    api.delete(POLICY, "*").await.must_be(409);
    assert_eq!(api.document(2).await["goals"][0]["code"], "1-1");
}

#[actix_web::test]
async fn the_sample_comes_with_its_plan_published_on_an_assumed_day() {
    let api = Api::new().await;
    sample::fill(&mut api.db.connect()).unwrap();
    let revisions = api.list(REVISIONS).await;
    assert_eq!(revisions.len(), 1);
    let expected = json!([1, "plan", "2024-04-01", true]);
    let revision = &revisions[0];
    assert_eq!(
        json!([
            revision["number"],
            revision["kind"],
            revision["published_on"],
            revision["assumed"]
        ]),
        expected
    );
    let seen = api.as_public(POLICY).await.must_be(200);
    assert_eq!(
        (&seen.body["stage"], &seen.body["self_evaluation"]),
        (&json!("plan"), &Value::Null)
    );
}

#[actix_web::test]
async fn a_difference_is_a_patch_for_programs_and_a_list_for_people() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let target = json!({ "target": factories::at_least(&json!(50)) });
    api.patch(format!("/v1/indicators/{}", nishi.indicator.id()), "*", &target)
        .await
        .must_be(200);
    api.indicator_because(&nishi.goal.id(), "新しい指標").await;

    let diff = api.as_public(&format!("{REVISIONS}/2/diff")).await.must_be(200);
    assert_eq!((&diff.body["from"], &diff.body["to"]), (&json!(1), &json!(2)));
    let changes = diff.body["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0]["pointer"], "/goals/0/indicators/0/target");
    assert_eq!(
        changes[0]["place"],
        json!({
            "ja": "経営課題1-1 › 指標「地域活動協議会を知っている割合」 › 目標値",
            "en": "goal 1-1 › indicator “地域活動協議会を知っている割合” › target"
        })
    );
    assert_eq!(
        (&changes[0]["before"]["value"], &changes[0]["after"]["value"]),
        (&json!(48), &json!(50))
    );

    for (from, to) in [(1, 2), (1, 3), (3, 1), (2, 2), (3, 2)] {
        let diff = api
            .as_public(&format!("{REVISIONS}/{to}/diff?from={from}"))
            .await
            .must_be(200);
        let patch: Vec<Value> = serde_json::from_value(diff.body["patch"].clone()).unwrap();
        let patch: json_patch::Patch = serde_json::from_value(Value::Array(patch)).unwrap();
        let mut document = api.document(from).await;
        json_patch::patch(&mut document, &patch).unwrap();
        assert_eq!(document, api.document(to).await, "{from} to {to}");
        assert_eq!(diff.body["changes"].as_array().unwrap().is_empty(), from == to);
    }
    api.as_public(&format!("{REVISIONS}/1/diff"))
        .await
        .must_refuse(400, &[("from", "required")]);
    for (path, status) in [
        ("9/diff", 404),
        ("1/diff?from=9", 404),
        ("0/diff", 404),
        ("2/diff?from=0", 400),
        ("2/diff?from=x", 400),
    ] {
        api.as_public(&format!("{REVISIONS}/{path}")).await.must_be(status);
    }
    api.as_public("/v1/policies/nishi/2023/revisions/2/diff")
        .await
        .must_be(404);
}

/// Members of a tree that are null in every document.
const NEVER_PUBLISHED: [&str; 5] = ["on", "roll_up", "budgets_by_year", "evaluation", "version"];

#[test]
fn every_field_of_a_document_has_a_name_in_words() {
    let contract: Value = serde_json::from_str(&openapi::json(&app::spec())).unwrap();
    for schema in ["PolicyTree", "TreeGoal", "TreeBudget", "TreeIndicator", "TreeResult"] {
        for field in contract["components"]["schemas"][schema]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|field| !NEVER_PUBLISHED.contains(&field.as_str()))
        {
            assert!(difference::label(field).is_some(), "{schema}.{field}");
        }
    }
}

impl Api {
    /// An indicator, stored where the plan is public.
    async fn indicator_because(&self, goal_id: &str, name: &str) -> Answer {
        let call = Call::new("POST", "/v1/indicators").json(&factories::indicator(goal_id, name));
        self.send(call.because("追加")).await.must_be(201)
    }
}

/// Every edit of what is public is followed by the revision that says it; every edit of what is not by none.
#[actix_web::test]
async fn whatever_is_edited_the_last_revision_is_what_the_public_sees() {
    let api = Api::new().await;
    let nishi = api.nishi_with_results().await;
    let (goal, indicator) = (nishi.goal.id(), nishi.indicator.id());
    let edits = |n: u32| {
        let text = format!("案{n}");
        [
            (POLICY.to_owned(), json!({ "vision": [text] })),
            (POLICY.to_owned(), json!({ "future_policy": [text] })),
            (format!("/v1/goals/{goal}"), json!({ "title": text })),
            (format!("/v1/budgets/{}", nishi.budget.id()), json!({ "text": text })),
            (format!("/v1/indicators/{indicator}"), json!({ "name": text })),
            (nishi.result_path.clone(), json!({ "comment": text })),
        ]
    };
    let mut before = as_document(api.as_public(TREE).await.body);
    // Each of them several times, now and then to what it says already.
    for (which, n) in (0..14).map(|k| (k * 5 % 6, u32::try_from(k / 4).unwrap())) {
        let (path, body) = &edits(n)[which];
        api.patch(path, "*", body).await.must_be(200);
        let seen = as_document(api.as_public(TREE).await.must_be(200).body);
        let number = usize::try_from(seen["revision"].as_u64().unwrap()).unwrap();
        assert_eq!(seen, api.document(number).await);
        let changed = with(before.clone(), json!({ "revision": 0 })) != with(seen.clone(), json!({ "revision": 0 }));
        assert_eq!(seen["revision"] != before["revision"], changed, "{path} {body}");
        before = seen;
    }
}

#[actix_web::test]
async fn what_is_published_is_what_was_reviewed() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let publisher = api.token("公表", &["publish:nishi"]).await;
    let publish = |kind: &str| {
        let body = json!({ "kind": kind, "reason": "公表" });
        Call::new("POST", PUBLICATIONS).by(&publisher).json(&body)
    };
    let read = async |path: &str, coding: &str| {
        let call = Call::new("GET", path).by(&publisher).header("accept-encoding", coding);
        api.send(call).await.must_be(200).etag()
    };
    api.send(publish("plan")).await.must_be(428);
    api.send(publish("plan").header("if-match", "reviewed"))
        .await
        .must_refuse(400, &[("If-Match", "format")]);
    let reviewed = [read(TREE, "identity").await, read(TREE, "zstd").await];
    assert_ne!(reviewed[0], reviewed[1], "each coding has a tag of its own");
    // An indicator, far below, by somebody else.
    let path = format!("/v1/indicators/{}", nishi.indicator.id());
    api.patch(&path, "*", &json!({ "decimals": 2 })).await.must_be(200);
    for tag in &reviewed {
        api.send(publish("plan").header("if-match", tag)).await.must_be(412);
    }
    assert!(api.as_public(POLICY).await.status == 404, "nothing was published");
    // Any of the codings of the tree as it is, also among others.
    let now = read(TREE, "gzip").await;
    let either = format!("\"another\", {now}");
    api.send(publish("plan").header("if-match", either)).await.must_be(201);
    // Or the policy itself, in which the tree's tag is not.
    api.judged().await;
    let (policy, tree) = (read(POLICY, "identity").await, read(TREE, "identity").await);
    api.patch(POLICY, "*", &json!({ "source": "別" })).await.must_be(200);
    for tag in [policy, tree, now] {
        api.send(publish("results").header("if-match", tag)).await.must_be(412);
    }
    let policy = read(POLICY, "br").await;
    api.send(publish("results").header("if-match", policy))
        .await
        .must_be(201);
    // Whoever does not care what is there says so.
    api.send(publish("withdrawal")).await.must_be(428);
    api.send(publish("withdrawal").header("if-match", "*"))
        .await
        .must_be(201);
}
