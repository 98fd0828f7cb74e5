//! The examples of the contract are true: a service with the sample answers what they show.

use serde_json::{Value, json};

use super::openapi::CONTRACT;
use crate::{
    resources::imports::forms::{PLAN, RESULTS, ward},
    support::Api,
};

/// Schemas, and the addresses at which a service with the sample answers what their examples show.
const SHOWN: [(&str, &str); 18] = [
    ("Organization", "/v1/organizations"),
    ("Policy", "/v1/policies"),
    ("PolicyTree", "/v1/policies/nishi/2024/tree"),
    ("Goal", "/v1/goals"),
    ("Budget", "/v1/budgets"),
    ("BudgetSummaries", "/v1/budgets/summary?on=2025-07-01"),
    ("Indicator", "/v1/indicators"),
    ("IndicatorResult", "/v1/results"),
    (
        "IndicatorEvaluation",
        "/v1/indicators/{indicator}/evaluation?on=2025-07-01",
    ),
    ("GoalEvaluation", "/v1/goals/{goal}/evaluation?on=2025-07-01"),
    ("PolicyEvaluation", "/v1/policies/nishi/2024/evaluation?on=2025-07-01"),
    ("EvaluationRow", "/v1/evaluations?on=2025-07-01"),
    ("EvaluationSummaries", "/v1/evaluations/summary?on=2025-07-01"),
    ("Series", "/v1/series/{series}?on=2025-07-01"),
    ("SeriesEntry", "/v1/series"),
    ("Revision", "/v1/policies/nishi/2024/revisions"),
    ("Codelists", "/v1/codelists"),
    ("Health", "/healthz"),
];

async fn with_the_sample() -> Api {
    let api = ward().await;
    for (form, kind) in [(PLAN, "plan"), (RESULTS, "results")] {
        api.form("", form).await.must_be(200);
        let publication = json!({ "kind": kind });
        api.publication("nishi/2024", "*", &publication).await.must_be(201);
    }
    api
}

/// Where an answer is not like an example, which may show less of a list, and ids, days and moments as they happened to be.
fn unlike(shown: &Value, answered: &Value, at: &str) -> Option<String> {
    match (shown, answered) {
        (Value::Object(shown), Value::Object(answered)) => {
            if !shown.keys().eq(answered.keys()) {
                return Some(format!("{at}: other members"));
            }
            let members = shown.iter().zip(answered.values());
            members
                .filter(|((key, _), _)| *key != "version" && !key.ends_with("published_on"))
                .find_map(|((key, shown), answered)| unlike(shown, answered, &format!("{at}/{key}")))
        }
        (Value::Array(shown), Value::Array(answered)) => shown.iter().find_map(|shown| {
            let nearest = answered.iter().map(|answered| unlike(shown, answered, at));
            nearest
                .min_by_key(Option::is_some)
                .unwrap_or(Some(format!("{at}: is empty")))
        }),
        (Value::Number(_), Value::Number(_)) if shown.as_f64() == answered.as_f64() => None,
        (Value::String(shown), Value::String(answered)) => {
            let form = |text: &str| {
                let is_moment = text.len() == 32 && text.ends_with("+09:00");
                let is_id = text.len() == 36 && text.matches('-').count() == 4;
                let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
                [is_moment, is_id, is_hash]
            };
            let is_alike = shown == answered || form(shown).contains(&true) && form(shown) == form(answered);
            (!is_alike).then(|| format!("{at}: {shown} is {answered}"))
        }
        _ if shown == answered => None,
        _ => Some(format!("{at}: {shown} is {answered}")),
    }
}

fn none_unlike(schema: &str, shown: &Value, answered: &[Value]) {
    let unlike: Vec<_> = answered.iter().map(|answered| unlike(shown, answered, "")).collect();
    assert!(unlike.contains(&None), "{schema}: {unlike:#?}");
}

#[actix_web::test]
async fn what_examples_show_is_answered() {
    let api = with_the_sample().await;
    let schemas = &CONTRACT.spec["components"]["schemas"];
    let indicator = &schemas["Indicator"]["example"];
    let stored = api.list("/v1/indicators").await;
    let stored = stored
        .iter()
        .find(|stored| stored["name"] == indicator["name"])
        .unwrap();
    for (schema, path) in SHOWN {
        let path = path
            .replace("{indicator}", stored["id"].as_str().unwrap())
            .replace("{goal}", stored["goal_id"].as_str().unwrap())
            .replace("{series}", stored["series_id"].as_str().unwrap());
        let answer = api.get(&path).await.must_be(200).body;
        let is_page = answer.get("items").is_some() && schemas[schema]["properties"].get("items").is_none();
        let answered = if is_page {
            answer["items"].as_array().unwrap().clone()
        } else {
            vec![answer]
        };
        none_unlike(schema, &schemas[schema]["example"], &answered);
    }
}

#[actix_web::test]
async fn the_example_of_an_export_is_of_its_table() {
    let api = with_the_sample().await;
    for table in ["indicators", "results", "budgets", "evaluations"] {
        let path = format!("/v1/exports/{table}");
        let operation = CONTRACT.operation("GET", &path).unwrap();
        let example = |media_type: &str| &operation.is["responses"]["200"]["content"][media_type]["example"];
        let csv = api.get(format!("{path}?bom=false")).await.must_be(200).bytes;
        let csv = std::str::from_utf8(&csv).unwrap();
        assert_eq!(
            csv.lines().next(),
            example("text/csv").as_str().unwrap().strip_suffix("\r\n"),
            "{table}"
        );
        let on = if table == "evaluations" { "&on=2025-07-01" } else { "" };
        let lines = api.get(format!("{path}?format=ndjson{on}")).await.must_be(200).lines();
        none_unlike(table, example("application/x-ndjson"), &lines);
    }
}
