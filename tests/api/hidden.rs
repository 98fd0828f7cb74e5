//! What is hidden looks like what is not there, to who reads it and to who writes below it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    given::{self, with},
    leaks::is_endless,
    openapi::CONTRACT,
    secrets::{OTHER, Secrets, WORD, Who},
    support::{Answer, Call},
};

/// The parts of an answer that two callers who learn nothing cannot tell apart.
fn anonymized(answer: &Answer, asked: &[(&str, &str)]) -> String {
    let mut shown = format!("{}\n{}", answer.status, String::from_utf8_lossy(&answer.bytes));
    shown = shown.replace(answer.header("x-request-id"), "[request]");
    let headers: BTreeMap<_, _> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    for (name, value) in headers {
        if !["x-request-id", "traceparent", "date", "etag", "link"].contains(&name) {
            shown.extend(["\n", name, ": ", &String::from_utf8_lossy(value.as_bytes())]);
        }
    }
    for (value, stands_for) in asked {
        shown = shown.replace(value, stands_for);
    }
    shown
}

/// A path to something hidden, one to what is not there, and what stands for what differs between them.
type Twins<'a> = (String, String, Vec<(&'a str, &'a str)>);

#[actix_web::test]
async fn what_is_hidden_looks_like_what_is_not_there() {
    let secrets = Secrets::new().await;
    let unknown = given::new_id();
    let hidden: Vec<&String> = secrets.hidden.values().flatten().collect();
    for operation in CONTRACT
        .operations()
        .filter(|operation| operation.method == "get" && !is_endless(operation))
    {
        if !operation.path.starts_with("/v1") {
            continue;
        }
        let mut twins: Vec<Twins<'_>> = Vec::new();
        let path = operation.path.replace("{number}", "1");
        if path.contains("{organization}/{fiscal_year}") {
            let at = |year| path.replace("{organization}/{fiscal_year}", &format!("nishi/{year}"));
            twins.push((
                at("2025"),
                at("1999"),
                vec![("nishi/2025", "[key]"), ("nishi/1999", "[key]")],
            ));
        } else if path.contains("{id}") || path.contains("{series_id}") {
            for id in &hidden {
                let at = |id: &str| {
                    let path = path.replace("{id}", id).replace("{series_id}", id);
                    path.replace("{fiscal_year}", "2025")
                };
                twins.push((at(id), at(&unknown), vec![(id.as_str(), "[id]"), (&unknown, "[id]")]));
            }
            let open = &secrets.open["indicator"];
            let at = |year| path.replace("{id}", open).replace("{fiscal_year}", year);
            let years = vec![("results/2024", "[year]"), ("results/1990", "[year]")];
            twins.push((at("2024"), at("1990"), years));
        } else {
            let takes = |name: &str| {
                operation
                    .parameters()
                    .iter()
                    .any(|p| p["name"] == name && p["in"] == "query")
            };
            for filter in ["goal", "indicator", "series"].into_iter().filter(|name| takes(name)) {
                for id in secrets.hidden.get(filter).into_iter().flatten() {
                    let at = |id: &str| format!("{path}?{filter}={id}");
                    twins.push((at(id), at(&unknown), vec![(id.as_str(), "[id]"), (&unknown, "[id]")]));
                }
            }
            for name in ["fiscal_year", "policy_year"].into_iter().filter(|name| takes(name)) {
                let at = |year| format!("{path}?organization=nishi&{name}={year}");
                if takes("organization") {
                    // A report repeats the year it was asked for.
                    let years = ["2025", "1999"].into_iter();
                    let same = years.map(|year| (year, "[year]")).collect();
                    twins.push((at("2025"), at("1999"), same));
                }
            }
            if takes("q") {
                twins.push((format!("{path}?q={WORD}"), format!("{path}?q=皆無"), vec![]));
            }
        }
        let ask = |path: &str, query: &str| {
            let joint = if path.contains('?') { "&" } else { "?" };
            if query.is_empty() {
                path.to_owned()
            } else {
                format!("{path}{joint}{query}")
            }
        };
        let mut queries = vec![String::new()];
        if operation
            .parameters()
            .iter()
            .any(|parameter| parameter["name"] == "as_of")
        {
            queries.extend(secrets.moments.iter().map(|moment| format!("as_of={moment}")));
            queries.push("as_of=revision:1".into());
        }
        for (hidden, absent, same) in twins {
            for query in &queries {
                for who in [Who::Public, Who::Keikaku] {
                    let one = secrets.get(who, &ask(&hidden, query)).await;
                    let other = secrets.get(who, &ask(&absent, query)).await;
                    assert_eq!(
                        anonymized(&one, &same),
                        anonymized(&other, &same),
                        "{who:?} {hidden} {query}"
                    );
                }
            }
        }
    }
}

#[actix_web::test]
async fn a_write_below_something_hidden_answers_as_if_it_were_not_there() {
    let secrets = Secrets::new().await;
    let id = |kind: &str| secrets.hidden[kind][0].clone();
    let unknown = given::new_id();
    let (policy, goal, budget, indicator) = (id("policy"), id("goal"), id("budget"), id("indicator"));
    let call = |method: &str, path: &str, body: &Value| Call::new(method, path).by(OTHER).because("試験").json(body);
    let own = async |list: &str| {
        secrets
            .get(Who::Keikaku, &format!("/v1/{list}?organization=keikaku"))
            .await
            .body["items"][0]
            .clone()
    };
    let (own_goal, own_indicator) = (own("goals").await, own("indicators").await);
    let item = |item: &Value, list: &str| format!("/v1/{list}/{}", item["id"].as_str().unwrap());
    let mut twins: Vec<(Call, Call, &str)> = Vec::new();
    let mut twin =
        |method: &str, path: &dyn Fn(&str) -> String, body: &dyn Fn(&str) -> Value, id, head: Option<(&str, &str)>| {
            let one = |id: &str| {
                let call = call(method, &path(id), &body(id));
                head.map_or(call.clone(), |(name, value)| call.header(name, value))
            };
            twins.push((one(id), one(&unknown), id));
        };
    let (matching, creating) = (Some(("if-match", "*")), Some(("if-none-match", "*")));
    // Something new below it.
    twin(
        "POST",
        &|_| "/v1/goals".into(),
        &|id| given::goal(id, "1"),
        &policy,
        None,
    );
    twin(
        "POST",
        &|_| "/v1/budgets".into(),
        &|id| given::budget(id, 2024, "actual"),
        &goal,
        None,
    );
    twin(
        "POST",
        &|_| "/v1/indicators".into(),
        &|id| given::indicator(id, "名"),
        &goal,
        None,
    );
    let new = |list: &str| format!("/v1/{list}/01900000-0000-7000-8000-00000000abcd");
    twin("PUT", &|_| new("goals"), &|id| given::goal(id, "1"), &policy, creating);
    twin(
        "PUT",
        &|_| new("budgets"),
        &|id| given::budget(id, 2024, "actual"),
        &goal,
        creating,
    );
    twin(
        "PUT",
        &|_| new("indicators"),
        &|id| given::indicator(id, "名"),
        &goal,
        creating,
    );
    twin(
        "PUT",
        &|id| format!("/v1/indicators/{id}/results/2021"),
        &|_| given::result(2021),
        &indicator,
        creating,
    );
    let many = |id: &str| json!({ "items": [{ "indicator_id": id, "result": given::result(2021) }] });
    twin("POST", &|_| "/v1/results".into(), &many, &indicator, None);
    // One's own, moved there.
    twin(
        "PATCH",
        &|_| item(&own_goal, "goals"),
        &|id| json!({ "policy_id": id }),
        &policy,
        matching,
    );
    twin(
        "PATCH",
        &|_| item(&own_indicator, "indicators"),
        &|id| json!({ "goal_id": id }),
        &goal,
        matching,
    );
    // Itself.
    for (list, id, body) in [
        ("goals", &goal, given::goal(&policy, "1")),
        ("indicators", &indicator, given::indicator(&goal, "名")),
        ("budgets", &budget, given::budget(&goal, 2024, "actual")),
    ] {
        for method in ["PUT", "PATCH", "DELETE"] {
            twin(
                method,
                &|id| format!("/v1/{list}/{id}"),
                &|_| body.clone(),
                id,
                matching,
            );
        }
    }
    for method in ["PUT", "PATCH", "DELETE"] {
        let path = |id: &str| format!("/v1/indicators/{id}/results/2025");
        twin(method, &path, &|_| given::result(2025), &indicator, matching);
    }
    for (hidden, absent, id) in twins {
        let told = format!("{hidden:?}");
        let (hidden, absent) = (secrets.api.send(hidden).await, secrets.api.send(absent).await);
        assert!(hidden.status >= 400, "{told}: {}", hidden.status);
        let same = [(id, "[id]"), (unknown.as_str(), "[id]")];
        assert_eq!(anonymized(&hidden, &same), anonymized(&absent, &same), "{told}");
    }
    // A policy, by its name.
    let publication = json!({ "kind": "plan", "reason": "公表" });
    for (method, below, head) in [
        ("PUT", "", "if-match"),
        ("PATCH", "", "if-match"),
        ("DELETE", "", "if-match"),
        ("PUT", "", "if-none-match"),
        ("PUT", "/tree", "if-match"),
        ("PUT", "/tree", "if-none-match"),
        ("POST", "/publications", "x-none"),
    ] {
        let ask = async |year: i32| {
            let body = match below {
                "" => given::policy("nishi", year),
                "/tree" => with(given::policy("nishi", year), json!({ "goals": [] })),
                _ => publication.clone(),
            };
            let path = format!("/v1/policies/nishi/{year}{below}");
            let answer = secrets.api.send(call(method, &path, &body).header(head, "*")).await;
            anonymized(&answer, &[("nishi/2025", "[key]"), ("nishi/1999", "[key]")])
        };
        assert_eq!(ask(2025).await, ask(1999).await, "{method} {below} {head}");
    }
}
