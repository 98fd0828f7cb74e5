//! What is hidden looks like what is not there, to who reads it.

use std::collections::BTreeMap;

use super::{leaks::is_endless, openapi::CONTRACT};
use crate::support::{
    Answer, factories,
    secrets::{Secrets, WORD, Who},
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
    let unknown = factories::new_id();
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
