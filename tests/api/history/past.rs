//! The past: what was there then, as the same caller would have seen it.

use std::collections::BTreeSet;

use chrono::{Duration, Utc};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{self, Nishi, with},
};

async fn public(api: &Api, path: impl AsRef<str>) -> Answer {
    api.send(Call::new("GET", path).anonymous()).await
}

/// Nishi's policy with its plan published.
async fn published(api: &Api) -> Nishi {
    let nishi = Nishi::of(api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    nishi
}

async fn change(api: &Api, path: &str, changes: Value) -> Answer {
    let read = api.get(path).await.must_be(200).etag();
    api.patch(path, &read, &changes).await.must_be(200)
}

#[actix_web::test]
async fn what_was_changed_is_read_as_it_was() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    let then = api.moment();
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    let indicator = format!("/v1/indicators/{}", nishi.indicator.id());
    let paths = [
        goal.clone(),
        indicator.clone(),
        format!("/v1/budgets/{}", nishi.budget.id()),
        nishi.result_path.clone(),
        format!("{indicator}/results"),
        format!("{indicator}/evaluation"),
        format!("{goal}/evaluation"),
        "/v1/organizations/nishi".into(),
        "/v1/organizations".into(),
        "/v1/policies".into(),
        "/v1/policies/nishi/2024".into(),
        "/v1/policies/nishi/2024/tree".into(),
        "/v1/policies/nishi/2024/evaluation".into(),
        "/v1/goals".into(),
        "/v1/budgets".into(),
        "/v1/budgets/summary".into(),
        "/v1/indicators".into(),
        "/v1/results".into(),
        "/v1/evaluations".into(),
        "/v1/evaluations/summary?group_by=goal,organization".into(),
    ];
    let at = |path: &str| format!("{path}{}as_of={then}", if path.contains('?') { '&' } else { '?' });
    let mut seen = Vec::new();
    for path in &paths {
        seen.push(api.get(path).await.must_be(200));
    }
    change(&api, &goal, json!({ "title": "別の名", "strategies": [], "code": "9" })).await;
    change(
        &api,
        &indicator,
        json!({ "name": "別の指標", "unit": "件", "target": { "value": 48.50 } }),
    )
    .await;
    change(
        &api,
        &format!("/v1/budgets/{}", nishi.budget.id()),
        json!({ "amount_yen": 1_000_000 }),
    )
    .await;
    change(
        &api,
        &nishi.result_path,
        json!({ "value": 12.30, "declared_rating": null }),
    )
    .await;
    change(
        &api,
        "/v1/policies/nishi/2024",
        json!({ "vision": [], "self_evaluation": ["良"] }),
    )
    .await;
    change(
        &api,
        "/v1/organizations/nishi",
        json!({ "name": "新西区", "display_order": 99 }),
    )
    .await;
    for (path, before) in paths.iter().zip(&seen) {
        let after = api.get(path).await.must_be(200);
        assert_ne!(after.bytes, before.bytes, "{path}");
        let past = api.get(at(path)).await.must_be(200);
        assert_eq!(past.bytes, before.bytes, "{path}");
        assert_eq!(past.etag(), before.etag());
    }
}

#[actix_web::test]
async fn what_was_deleted_is_there_before_and_not_there_before_it_was_made() {
    let api = Api::new().await;
    api.organization().await;
    let beginning = api.moment();
    let policy = api.policy("nishi", 2024).await;
    let goal = api.goal(&policy.id(), "1").await;
    let path = format!("/v1/goals/{}", goal.id());
    let then = api.moment();
    api.delete(&path, &goal.etag()).await.must_be(204);
    let read = api.get("/v1/policies/nishi/2024").await.etag();
    api.delete("/v1/policies/nishi/2024", &read).await.must_be(204);
    api.delete("/v1/organizations/nishi", "*").await.must_be(204);
    for path in [path.as_str(), "/v1/policies/nishi/2024", "/v1/organizations/nishi"] {
        api.get(path).await.must_be(404);
        api.get(format!("{path}?as_of={then}")).await.must_be(200);
    }
    assert_eq!(api.get(format!("{path}?as_of={then}")).await.bytes, goal.bytes);
    api.get(format!("{path}?as_of={beginning}")).await.must_be(404);
    api.get(format!("/v1/organizations/nishi?as_of={beginning}"))
        .await
        .must_be(200);
    assert_eq!(api.list("/v1/organizations?as_of=2001-01-01T00:00:00Z").await.len(), 0);
    assert_eq!(api.list(format!("/v1/goals?as_of={then}")).await.len(), 1);
    assert_eq!(api.list(format!("/v1/goals?as_of={beginning}")).await.len(), 0);
}

#[actix_web::test]
async fn the_public_sees_of_the_past_what_was_public_then() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let drafted = api.moment();
    api.publish("nishi/2024", "plan").await.must_be(201);
    let planned = api.moment();
    let judged = json!({ "self_evaluation": ["おおむね達成した。"], "future_policy": ["続ける。"] });
    change(&api, "/v1/policies/nishi/2024", judged).await;
    api.publish("nishi/2024", "results").await.must_be(201);
    let reported = api.moment();
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    let withdrawn = api.moment();
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    for (moment, plan, results) in [
        (drafted, false, false),
        (planned, true, false),
        (reported, true, true),
        (withdrawn, false, false),
    ] {
        let status = async |path: &str| public(&api, format!("{path}?as_of={moment}")).await.status;
        let shown = |yes| if yes { 200 } else { 404 };
        for path in [goal.as_str(), "/v1/policies/nishi/2024", "/v1/policies/nishi/2024/tree"] {
            assert_eq!(status(path).await, shown(plan), "{path} at {moment}");
        }
        assert_eq!(status(&nishi.result_path).await, shown(results), "{moment}");
        let total = async |list: &str| {
            let page = public(&api, format!("/v1/{list}?include_total=true&as_of={moment}")).await;
            page.must_be(200).body["total"].as_i64().unwrap()
        };
        assert_eq!(total("indicators").await, i64::from(plan));
        assert_eq!(total("results").await, i64::from(results));
        if plan {
            let policy = public(&api, format!("/v1/policies/nishi/2024?as_of={moment}")).await;
            assert_eq!(policy.body["self_evaluation"].is_null(), !results);
        }
        // Who may see drafts sees them in the past as well.
        api.get(format!("{}?as_of={moment}", nishi.result_path))
            .await
            .must_be(200);
    }
}

#[actix_web::test]
async fn the_past_is_judged_by_its_own_day() {
    let api = Api::new().await;
    let japan = Utc::now() + Duration::hours(9);
    let day = |ago| (japan - Duration::days(ago)).format("%Y-%m-%d").to_string();
    api.organization().await;
    let policy = with(factories::policy("nishi", 2020), json!({ "results_due_on": day(20) }));
    let policy = api.post("/v1/policies", &policy).await.must_be(201);
    let goal = api.goal(&policy.id(), "1").await;
    let indicator = api.indicator(&goal.id(), "割合").await;
    let unsaid = with(
        factories::result(2020),
        json!({ "value": null, "value_status": "not_yet_due", "declared_rating": null }),
    );
    let path = format!("/v1/indicators/{}/results/2020", indicator.id());
    api.create(&path, &unsaid).await.must_be(201);
    let long_ago = "alter table change_log disable trigger all; update change_log set at = at - interval '60 days'";
    api.db.connect().batch_execute(long_ago).unwrap();
    let (before, after) = (
        format!("as_of={}T09:00:00%2B09:00", day(30)),
        format!("as_of={}T09:00:00%2B09:00", day(10)),
    );
    let indicator = format!("/v1/indicators/{}", indicator.id());
    for (moment, on, status, outcome) in [
        (before.as_str(), day(30), "not_yet_due", "pending"),
        (after.as_str(), day(10), "not_reported", "overdue"),
        ("", day(0), "not_reported", "overdue"),
    ] {
        let get = async |path: String| api.get(path).await.must_be(200).body;
        assert_eq!(get(format!("{path}?{moment}")).await["value_status"], status);
        for list in [format!("{indicator}/results?{moment}"), format!("/v1/results?{moment}")] {
            assert_eq!(get(list).await["items"][0]["value_status"], status);
        }
        let row = get(format!("/v1/evaluations?{moment}")).await["items"][0].clone();
        assert_eq!(
            (&row["outcome"], row["on"].as_str()),
            (&json!(outcome), Some(on.as_str()))
        );
        assert_eq!(
            get(format!("{indicator}/evaluation?{moment}")).await["evaluation"]["outcome"],
            outcome
        );
        for of in [
            format!("/v1/goals/{}/evaluation?{moment}", goal.id()),
            format!("/v1/policies/nishi/2020/evaluation?{moment}"),
        ] {
            assert_eq!(get(of).await["roll_up"][outcome], 1);
        }
        let summary = get(format!("/v1/evaluations/summary?{moment}")).await;
        assert_eq!(
            (&summary["items"][0]["roll_up"][outcome], summary["on"].as_str()),
            (&json!(1), Some(on.as_str()))
        );
        assert_eq!(get(format!("/v1/budgets/summary?{moment}")).await["on"], on);
        let tree = get(format!("/v1/policies/nishi/2020/tree?{moment}")).await;
        assert_eq!(
            tree.pointer("/goals/0/indicators/0/results/0/value_status"),
            Some(&json!(status))
        );
        // Who says a day means it.
        let asked = get(format!("{indicator}/evaluation?on={}&{moment}", day(40))).await;
        assert_eq!(asked["evaluation"]["outcome"], "pending");
    }
}

#[actix_web::test]
async fn a_revision_is_read_by_its_number_wherever_its_policy_can_be_told() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    let seen = api.moment();
    change(
        &api,
        &format!("/v1/goals/{}", nishi.goal.id()),
        json!({ "title": "別の名" }),
    )
    .await;
    let filter = "organization=nishi&policy_year=2024";
    for path in [
        "/v1/policies/nishi/2024".to_owned(),
        "/v1/policies/271063/2024/tree".into(),
        "/v1/policies/nishi/2024/evaluation".into(),
        format!("/v1/goals/{}", nishi.goal.id()),
        format!("/v1/goals/{}/evaluation", nishi.goal.id()),
        format!("/v1/budgets/{}", nishi.budget.id()),
        format!("/v1/indicators/{}", nishi.indicator.id()),
        format!("/v1/indicators/{}/results", nishi.indicator.id()),
        format!("/v1/indicators/{}/evaluation", nishi.indicator.id()),
        "/v1/policies?organization=nishi&fiscal_year=R6".into(),
        format!("/v1/goals?{filter}"),
        format!("/v1/budgets?{filter}"),
        format!("/v1/budgets/summary?{filter}"),
        "/v1/indicators?organization=271063&fiscal_year=2024".into(),
        format!("/v1/results?{filter}"),
        format!("/v1/evaluations?{filter}"),
        format!("/v1/evaluations/summary?{filter}"),
    ] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let first = public(&api, format!("{path}{joint}as_of=revision:1"))
            .await
            .must_be(200);
        let then = public(&api, format!("{path}{joint}as_of={seen}")).await.must_be(200);
        assert_eq!(first.bytes, then.bytes, "{path}");
        public(&api, format!("{path}{joint}as_of=revision:2"))
            .await
            .must_be(200);
        public(&api, format!("{path}{joint}as_of=revision:3"))
            .await
            .must_be(404);
    }
    for number in [1, 2] {
        let document = public(&api, format!("/v1/policies/nishi/2024/revisions/{number}")).await;
        let tree = public(&api, format!("/v1/policies/nishi/2024/tree?as_of=revision:{number}")).await;
        assert_eq!(document.bytes, canonical(&tree.body));
    }
}

fn canonical(document: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(document).unwrap()
}

#[actix_web::test]
async fn in_the_past_things_go_by_the_names_they_had() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    let then = api.moment();
    change(
        &api,
        "/v1/organizations/nishi",
        json!({ "slug": "west", "name": "西方区" }),
    )
    .await;
    let tree = api
        .get(format!("/v1/policies/nishi/2024/tree?as_of={then}"))
        .await
        .must_be(200);
    assert_eq!(
        (&tree.body["organization"], &tree.body["organization_name"]),
        (&json!("nishi"), &json!("西区"))
    );
    let goal = api
        .get(format!("/v1/goals/{}?as_of={then}", nishi.goal.id()))
        .await
        .must_be(200);
    assert_eq!(goal.body["organization"], "nishi");
    assert_eq!(
        api.list(format!("/v1/goals?organization=nishi&as_of={then}"))
            .await
            .len(),
        1
    );
    assert_eq!(
        api.list(format!("/v1/goals?organization=west&as_of={then}"))
            .await
            .len(),
        0
    );
    api.get("/v1/policies/nishi/2024/tree").await.must_be(308);
    // A policy that was published is found by the name it has now as well.
    for path in [
        format!("/v1/policies/west/2024/tree?as_of={then}"),
        "/v1/policies/west/2024/tree?as_of=revision:1".into(),
        "/v1/policies/nishi/2024/tree?as_of=revision:1".into(),
        "/v1/policies/271063/2024/tree?as_of=revision:1".into(),
    ] {
        assert_eq!(api.get(&path).await.must_be(200).bytes, tree.bytes, "{path}");
    }
    let listed = async |organization: &str, number: i32| {
        let path = format!("/v1/goals?organization={organization}&policy_year=2024&as_of=revision:{number}");
        api.get(path).await
    };
    assert_eq!(
        listed("nishi", 1).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    listed("west", 1).await.must_be(404);
    assert_eq!(
        listed("west", 2).await.must_be(200).body["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    listed("nishi", 2).await.must_be(404);
    let renamed = api
        .get("/v1/policies/west/2024/tree?as_of=revision:2")
        .await
        .must_be(200);
    assert_eq!(renamed.body["organization"], "west");
}

#[actix_web::test]
async fn pages_of_the_past_follow_one_another() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    for code in ["1-2", "1-3"] {
        let goal = Call::new("POST", "/v1/goals").because("追加");
        api.send(goal.json(&factories::goal(&nishi.policy.id(), code)))
            .await
            .must_be(201);
    }
    let then = api.moment();
    change(&api, &format!("/v1/goals/{}", nishi.goal.id()), json!({ "code": "9" })).await;
    let mut next = format!("/v1/goals?limit=1&as_of={then}");
    let mut codes = Vec::new();
    loop {
        let page = public(&api, &next).await.must_be(200);
        codes.push(page.body["items"][0]["code"].as_str().unwrap().to_owned());
        let Some((link, _)) = page.header("link").split_once('>') else {
            break;
        };
        next = link.trim_start_matches('<').to_owned();
    }
    assert_eq!(codes, ["1-1", "1-2", "1-3"]);
}

#[actix_web::test]
async fn a_moment_that_is_none_is_refused() {
    let api = Api::new().await;
    let nishi = published(&api).await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    for wrong in [
        "",
        "yesterday",
        "2024-04-01",
        "2024-04-01T09:00:00",
        "2024-04-01T09:00:00+09:00",
        "revision:",
        "revision:0",
        "revision:01",
        "revision:+1",
        "revision:-1",
        "revision:99999999999",
        "Revision:1",
        "1",
        "99999-01-01T00:00:00Z",
    ] {
        for path in [
            goal.as_str(),
            "/v1/goals",
            "/v1/organizations",
            "/v1/policies/nishi/2024/tree",
            "/v1/evaluations",
        ] {
            let answer = api.get(format!("{path}?as_of={wrong}")).await;
            answer.must_refuse(400, &[("as_of", "as_of")]);
        }
    }
    api.get(format!("{goal}?as_of={}", "2024-04-01T09:00:00%2B09:00"))
        .await
        .must_be(404);
    let tomorrow = (Utc::now() + Duration::days(1)).format("%Y-%m-%dT%H:%M:%SZ");
    for path in [
        goal.as_str(),
        "/v1/goals",
        "/v1/organizations/nishi",
        "/v1/budgets/summary",
    ] {
        let answer = api.get(format!("{path}?as_of={tomorrow}")).await;
        answer.must_refuse(400, &[("as_of", "future")]);
    }
    // A revision is one of a policy.
    for path in [
        "/v1/organizations?",
        "/v1/organizations/nishi?",
        "/v1/policies?",
        "/v1/goals?organization=nishi&",
        "/v1/budgets?policy_year=2024&",
        "/v1/results?organization=nishi&policy_year=2023..2024&",
        "/v1/indicators?organization=nishi,kita&fiscal_year=2024&",
        "/v1/evaluations?organization=nishi&fiscal_year=2024&",
        "/v1/evaluations/summary?",
        "/v1/budgets/summary?",
    ] {
        let answer = api.get(format!("{path}as_of=revision:1")).await;
        answer.must_refuse(400, &[("as_of", "as_of")]);
    }
    for path in [
        format!("{goal}?as_of=revision:2"),
        format!("/v1/goals/{}?as_of=revision:1", factories::new_id()),
        "/v1/policies/nishi/2024?as_of=revision:2".into(),
        "/v1/policies/nishi/2023?as_of=revision:1".into(),
        "/v1/goals?organization=kita&policy_year=2024&as_of=revision:1".into(),
    ] {
        api.get(&path).await.must_be(404);
    }
    let answer = api.get("/v1/goals?updated_since=2024-04-01").await;
    answer.must_refuse(400, &[("updated_since", "time")]);
}

#[actix_web::test]
async fn lists_give_what_changed_since_a_moment() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let lists = ["organizations", "policies", "goals", "budgets", "indicators", "results"];
    let since = async |moment: &str| {
        let mut changed = BTreeSet::new();
        for list in lists {
            let path = format!("/v1/{list}?include_total=true&updated_since={moment}");
            let page = api.get(path).await.must_be(200).body;
            assert_eq!(page["total"], page["items"].as_array().unwrap().len());
            if page["total"] != 0 {
                changed.insert(list);
            }
        }
        changed
    };
    let beginning = "2000-01-01T00:00:00%2B09:00";
    assert_eq!(since(beginning).await, BTreeSet::from(lists));
    // The moment itself counts, so that nothing of it is missed.
    assert_eq!(since(&api.moment()).await, BTreeSet::from(["results"]));
    for (path, list) in [
        (format!("/v1/goals/{}", nishi.goal.id()), "goals"),
        (format!("/v1/budgets/{}", nishi.budget.id()), "budgets"),
        (format!("/v1/indicators/{}", nishi.indicator.id()), "indicators"),
        (nishi.result_path.clone(), "results"),
    ] {
        let text = if list == "indicators" { "name" } else { "text" };
        let patch = if list == "goals" {
            json!({ "title": "新" })
        } else {
            json!({ text: "新" })
        };
        let updated = change(&api, &path, patch).await.text("updated_at").replace('+', "%2B");
        assert_eq!(since(&updated).await, BTreeSet::from([list]));
    }
    // A self-evaluation is part of its policy.
    let updated = change(&api, "/v1/policies/nishi/2024", json!({ "self_evaluation": ["良"] })).await;
    assert_eq!(
        since(&updated.text("updated_at").replace('+', "%2B")).await,
        BTreeSet::from(["policies"])
    );
    change(&api, "/v1/organizations/nishi", json!({ "name": "新西区" })).await;
    assert_eq!(since(&api.moment()).await, BTreeSet::from(["organizations"]));
    let before = api.moment();
    api.publish("nishi/2024", "plan").await.must_be(201);
    let page = public(&api, format!("/v1/indicators?updated_since={before}")).await;
    assert_eq!(
        page.body["items"].as_array().unwrap().len(),
        1,
        "what is published is news"
    );
}
