//! Writing asks before it looks: what its caller may not see is not there, in all of the answer.
//!
//! The walk takes every operation that changes something from the contract, so that a new one cannot be forgotten: one whose
//! path or body it cannot fill fails. Into each place that takes an id it puts every id of another organization's drafts, and
//! compares the answer with that for an id of nothing.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use super::{
    asks::{CSV, Own, asks, bodies, conditions},
    openapi::{CONTRACT, Operation},
};
use crate::support::{
    Answer, Call,
    factories::{self, as_document, with},
    secrets::{OTHER, Secrets},
};

const FORM: &str = include_str!("../../../src/cli/sample/nishi-2024.txt");
/// A year in which nishi has a draft, one in which it withdrew what it has, and one in which there is nothing.
const DRAFTED: &str = "2025";
const WITHDRAWN: &str = "2023";
const NOTHING: &str = "1999";

/// Everything of an answer that tells something, without what the request holds itself, and what differs with the moment.
fn told(answer: &Answer, same: &[(&str, &str)]) -> String {
    let done = (200..300).contains(&answer.status);
    let mut body = answer.body.clone();
    if done {
        forget_moment(&mut body);
    }
    let text = if answer.body.is_null() {
        String::from_utf8_lossy(&answer.bytes).into_owned()
    } else {
        body.to_string()
    };
    let mut shown = format!("{}\n{text}", answer.status).replace(answer.header("x-request-id"), "[request]");
    let moment = ["x-request-id", "traceparent", "date"];
    let of_success = ["etag", "x-consistency-token", "location"];
    let headers: BTreeMap<_, _> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    for (name, value) in headers {
        if !(moment.contains(&name) || done && of_success.contains(&name)) {
            shown.extend(["\n", name, ": ", &String::from_utf8_lossy(value.as_bytes())]);
        }
    }
    same.iter()
        .fold(shown, |shown, (value, stands_for)| shown.replace(value, stands_for))
}

/// What was stored twice differs in when it was, and in the ids that were made for it.
fn forget_moment(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            for key in ["id", "series_id", "version", "created_at", "updated_at"] {
                if entries.contains_key(key) {
                    entries.insert(key.to_owned(), Value::Null);
                }
            }
            entries.values_mut().for_each(forget_moment);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_moment),
        _ => {}
    }
}

fn writes() -> impl Iterator<Item = Operation<'static>> {
    CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1") && operation.method != "get")
}

impl Secrets {
    /// What a request is answered; what it did to one's own is taken back.
    async fn ask(&self, own: &Own, call: Call) -> Answer {
        let answer = self.api.send(call).await;
        match answer.status {
            200 => drop(
                self.api
                    .put("/v1/policies/keikaku/2024/tree", "*", &as_document(own.tree.clone()))
                    .await
                    .must_be(200),
            ),
            201 => drop(self.api.delete(answer.header("location"), "*").await.must_be(204)),
            _ => {}
        }
        answer
    }
}

#[actix_web::test]
async fn every_write_answers_to_what_is_hidden_as_to_what_is_not_there() {
    let secrets = Secrets::new().await;
    let own = Own::of(&secrets).await;
    let unknown = factories::new_id();
    let hidden: Vec<&String> = secrets.hidden.values().flatten().collect();
    let mut compared = 0;
    let mut done = BTreeMap::<String, usize>::new();
    for operation in writes() {
        let name = operation.name();
        // Its own policy must stay what it is: what it does to that is compared by its name below.
        let removes_own = operation.method == "delete" && !operation.path.contains("{id}");
        let publishes = operation.path.ends_with("/publications");
        // A ticket is about nothing, and its answer has a secret.
        let opens = operation.path.ends_with("/tickets");
        if removes_own || publishes || opens || operation.path.starts_with("/v1/organizations") {
            continue;
        }
        for ask in asks(&operation, &own) {
            let absent = secrets.ask(&own, ask(&unknown)).await;
            let expected = told(&absent, &[(unknown.as_str(), "[id]")]);
            for id in &hidden {
                let call = ask(id);
                let shown = format!("{call:?}");
                let answer = secrets.ask(&own, call).await;
                compared += 1;
                *done.entry(name.clone()).or_default() += usize::from(answer.status < 300);
                if is_taken(&operation, &answer, &absent) {
                    continue;
                }
                assert_eq!(told(&answer, &[(id.as_str(), "[id]")]), expected, "{name}: {shown}");
            }
        }
    }
    assert!(compared > 2000, "{compared}");
    // A walk that is refused everything has not looked: series may be joined, and results of one's own are stored.
    for name in [
        "PATCH /v1/indicators/{id}",
        "POST /v1/indicators",
        "POST /v1/targets/parse",
    ] {
        assert!(done[name] > 0, "{name}");
    }
}

/// An id is of one thing, and whoever creates something under an id of its own choice is told where that is taken, as it would
/// be by what everybody sees. Ids are made of 74 random bits: one that is known was told.
fn is_taken(operation: &Operation<'_>, hidden: &Answer, absent: &Answer) -> bool {
    match operation.name().as_str() {
        "PUT /v1/goals/{id}" | "PUT /v1/budgets/{id}" | "PUT /v1/indicators/{id}" => {
            (hidden.status, absent.status) == (412, 201)
        }
        _ => false,
    }
}

#[actix_web::test]
async fn an_id_that_is_taken_by_something_hidden_is_taken_as_by_something_public() {
    let secrets = Secrets::new().await;
    let own = Own::of(&secrets).await;
    let put = |list: &str, id: &str, body: &Value| {
        Call::new("PUT", format!("/v1/{list}/{id}"))
            .by(OTHER)
            .header("if-none-match", "*")
            .json(body)
    };
    for (list, kind, body) in [
        ("goals", "goal", factories::goal(&own.policy, "9")),
        ("budgets", "budget", factories::budget(&own.goal, 2001, "actual")),
        ("indicators", "indicator", factories::indicator(&own.goal, "名")),
    ] {
        let (hidden, open) = (&secrets.hidden[kind][0], &secrets.open[kind]);
        let answers = [hidden, open].map(|id| (id, put(list, id, &body)));
        let mut said = Vec::new();
        for (id, call) in answers {
            said.push(told(
                &secrets.api.send(call).await.must_be(412),
                &[(id.as_str(), "[id]")],
            ));
        }
        assert_eq!(said[0], said[1], "{list}");
    }
    // A policy that comes with its ids.
    let restored = |at: &str, id: &str| {
        let mut tree = with(
            own.tree.clone(),
            json!({ "fiscal_year": 2031, "results_due_on": null, "id": factories::new_id() }),
        );
        for goal in tree["goals"].as_array_mut().unwrap() {
            goal["id"] = Value::Null;
            goal["indicators"][0]["id"] = Value::Null;
            goal["budgets"][0]["id"] = Value::Null;
        }
        *tree.pointer_mut(at).unwrap() = id.into();
        Call::new("POST", "/v1/imports/policies").by(OTHER).json(&tree)
    };
    for (at, kind) in [
        ("/id", "policy"),
        ("/goals/0/id", "goal"),
        ("/goals/0/budgets/0/id", "budget"),
        ("/goals/0/indicators/0/id", "indicator"),
    ] {
        let mut said = Vec::new();
        for id in [&secrets.hidden[kind][0], &secrets.open[kind]] {
            let answer = secrets.api.send(restored(at, id)).await.must_be(409);
            said.push(told(&answer, &[(id.as_str(), "[id]")]));
        }
        assert_eq!(said[0], said[1], "{at}");
    }
}

#[actix_web::test]
async fn every_write_by_a_name_answers_to_what_is_hidden_as_to_what_is_not_there() {
    let secrets = Secrets::new().await;
    let own = Own::of(&secrets).await;
    let mut compared = 0;
    let named = |operation: &Operation<'_>| operation.path.contains("{organization}/{fiscal_year}");
    for operation in writes().filter(named) {
        for condition in conditions(&operation) {
            let many = bodies(&operation, &own, "").len().max(1);
            for (n, organization) in (0..many).flat_map(|n| [(n, "nishi"), (n, "271063")]) {
                let ask = async |year: &str| {
                    let path = operation
                        .path
                        .replace("{organization}", organization)
                        .replace("{fiscal_year}", year);
                    let call = Call::new(&operation.method.to_uppercase(), path)
                        .by(OTHER)
                        .because("試験");
                    let call = match bodies(&operation, &own, &own.policy).into_iter().nth(n) {
                        Some((kind, body)) => {
                            let body = String::from_utf8(body)
                                .unwrap()
                                .replace("2025", year)
                                .replace("2024", year);
                            call.body(kind, body)
                        }
                        None => call,
                    };
                    let call = condition.map_or(call.clone(), |(name, value)| call.header(name, value));
                    let answer = secrets.api.send(call).await;
                    assert!(answer.status >= 400, "{}: {answer:?}", operation.name());
                    told(&answer, &[(year, "[year]")])
                };
                let expected = ask(NOTHING).await;
                for year in [DRAFTED, WITHDRAWN] {
                    assert_eq!(
                        ask(year).await,
                        expected,
                        "{} {n} {condition:?} {year}",
                        operation.name()
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 40, "{compared}");
    // One's own, moved to where another's is; and forms, which name whose they are and of which year.
    let moved = async |year: &str| {
        let patch = json!({ "organization": "nishi", "fiscal_year": year.parse::<i32>().unwrap() });
        let call = Call::new("PATCH", "/v1/policies/keikaku/2024")
            .by(OTHER)
            .header("if-match", "*")
            .json(&patch);
        told(&secrets.api.send(call).await.must_be(409), &[(year, "[year]")])
    };
    assert_eq!(moved(DRAFTED).await, moved(NOTHING).await);
    for (query, text) in [
        ("", FORM.to_owned()),
        ("?dry_run=true", FORM.to_owned()),
        ("?dry_run=true", FORM.replace("目標\t", "目　標\t")),
    ] {
        let form = async |era: &str, kind: &str| {
            let text = text.replace("令和6年度", era);
            let call = Call::new("POST", format!("/v1/imports/forms{query}"))
                .by(OTHER)
                .body(kind, text);
            told(&secrets.api.send(call).await.must_be(403), &[])
        };
        assert_eq!(
            form("令和7年度", "text/plain").await,
            form("平成11年度", "text/plain").await,
            "{query}"
        );
    }
}

#[actix_web::test]
async fn who_may_not_change_an_indicator_is_told_so_whatever_is_hidden_of_it() {
    let secrets = Secrets::new().await;
    let open = &secrets.open["indicator"];
    // In 2024 and 2022 it has results that are not published, in 2021 none.
    for status in ["reported", "not_measured", "text_only", "集計中"] {
        for query in ["", "?dry_run=true"] {
            let mut said = Vec::new();
            for year in ["2024", "2022", "2021"] {
                let table = format!("指標ID,年度,実績値,状態\n{open},{year},,{status}\n");
                let call = Call::new("POST", format!("/v1/imports/results{query}"))
                    .by(OTHER)
                    .body(CSV, table);
                said.push(told(&secrets.api.send(call).await.must_be(403), &[]));
            }
            assert!(said.iter().all(|it| *it == said[0]), "{status} {query}: {said:#?}");
        }
    }
    // Nor does a fault of the table come first.
    let table = format!("指標ID,年度,実績値\n{open},2024,x\n,,\n");
    let call = Call::new("POST", "/v1/imports/results").by(OTHER).body(CSV, table);
    secrets.api.send(call).await.must_be(403);
    let entry = |version: i64, year: i32| {
        let body =
            json!({ "items": [{ "indicator_id": open, "version": version, "result": factories::result(year) }] });
        Call::new("POST", "/v1/results").by(OTHER).json(&body)
    };
    let mut said = Vec::new();
    for (version, year) in [(0, 2024), (1, 2024), (99, 2022), (0, 2021)] {
        said.push(told(&secrets.api.send(entry(version, year)).await.must_be(403), &[]));
    }
    assert!(said.iter().all(|it| *it == said[0]), "{said:#?}");
}

/// A walk that finds nothing must have looked: where a view lets everything through, a write finds that.
#[actix_web::test]
async fn a_write_looks_through_the_views_of_its_caller() {
    let secrets = Secrets::new().await;
    let id = |kind: &str| secrets.hidden[kind][0].clone();
    let own = Own::of(&secrets).await;
    let ask = async |method: &str, path: &str, body: &Value| {
        let call = Call::new(method, path).by(OTHER).header("if-match", "*");
        secrets.api.send(call.json(body)).await.status
    };
    let open = &secrets.open["indicator"];
    // From the root on: a row is found only where what it stands below is.
    for (view, path) in [
        ("policies", "/v1/policies/nishi/2025".to_owned()),
        ("goals", format!("/v1/goals/{}", id("goal"))),
        ("budgets", format!("/v1/budgets/{}", id("budget"))),
        ("indicators", format!("/v1/indicators/{}", id("indicator"))),
        ("results", format!("/v1/indicators/{open}/results/2024")),
    ] {
        let patch = json!({});
        assert_eq!(ask("PATCH", &path, &patch).await, 404, "{view}");
        let everything = format!("create or replace view visible.{view} as select t.* from public.{view} t");
        secrets.api.db.connect().batch_execute(&everything).unwrap();
        assert_eq!(ask("PATCH", &path, &patch).await, 403, "{view}");
    }
    // Whoever sees it is told of it.
    let below = json!({ "policy_id": id("policy") });
    assert_eq!(ask("PATCH", &format!("/v1/goals/{}", own.goal), &below).await, 403);
}

#[actix_web::test]
async fn what_a_hidden_indicator_is_called_stands_in_no_error() {
    let secrets = Secrets::new().await;
    let id = &secrets.hidden["indicator"][0];
    let table = format!("指標ID,指標,単位,年度,実績値\n{id},別の名,別,2025,5\n");
    let call = Call::new("POST", "/v1/imports/results?dry_run=true")
        .by(OTHER)
        .body(CSV, table);
    let report = secrets.api.send(call).await.must_be(200).body;
    let codes: Vec<_> = report["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["unknown_indicator"]);
    let entry = json!({ "items": [{ "indicator_id": id, "version": 99, "result": factories::result(2025) }] });
    let call = Call::new("POST", "/v1/results").by(OTHER).json(&entry);
    secrets
        .api
        .send(call)
        .await
        .must_refuse(409, &[("/items/0/indicator_id", "missing")]);
}
