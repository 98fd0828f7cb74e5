//! What may not be seen is not there: no word of it, no count of it, no trace of its changes, in any answer to a GET.
//!
//! The walk takes every operation from the contract, so that a new one cannot be forgotten: a path it cannot fill fails.

use std::{collections::BTreeSet, future::poll_fn, time::Duration};

use actix_web::{
    body::MessageBody,
    dev::Service,
    rt::{pin, time::timeout},
    test::{TestRequest, init_service},
};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use ward_policy::{
    db::{Bounds, Database},
    http::limits::Limits,
    resources::HOOKS,
    server::{app, state::AppState},
};

use super::openapi::{CONTRACT, Operation};
use crate::support::{
    Answer, CACHE, patient,
    secrets::{NUMBER, OTHER, Secrets, THEIRS, WORD, Who},
};

/// How long a stream may take to show what happened.
const PATIENCE: Duration = Duration::from_secs(120);

impl Secrets {
    /// Every way to fill an operation's path: with what is public, with what is hidden, and with what is not there.
    fn paths(&self, operation: &Operation<'_>) -> Vec<String> {
        let ids = || {
            let hidden = self.hidden.values().flatten().cloned();
            hidden.chain(self.open.values().cloned()).collect::<Vec<_>>()
        };
        let mut paths = vec![operation.path.to_owned()];
        let names = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        for name in names {
            let fillings = match name {
                "organization" => ["nishi", "271063", "keikaku"].map(str::to_owned).to_vec(),
                "fiscal_year" => ["2022", "2023", "2024", "2025"].map(str::to_owned).to_vec(),
                "number" => ["1", "2", "3"].map(str::to_owned).to_vec(),
                "id" | "series_id" => ids(),
                _ => panic!("{}: nobody knows how to fill {{{name}}}", operation.name()),
            };
            paths = paths
                .iter()
                .flat_map(|path| {
                    fillings
                        .iter()
                        .map(move |with| path.replacen(&format!("{{{name}}}"), with, 1))
                })
                .collect();
        }
        paths
    }

    /// Everything that can be asked of an operation in its query, one by one; and of the past as well.
    fn queries(&self, operation: &Operation<'_>) -> Vec<String> {
        let mut queries = vec![String::new()];
        let mut moments = Vec::new();
        for parameter in operation
            .parameters()
            .iter()
            .filter(|parameter| parameter["in"] == "query")
        {
            let name = parameter["name"].as_str().unwrap();
            let every = |kind| {
                let mut ids = self.hidden.get(kind).cloned().unwrap_or_default();
                ids.extend(self.open.get(kind).cloned());
                vec![ids.join(","), ids.first().cloned().unwrap_or_default()]
            };
            let schema = CONTRACT.resolved(&parameter["schema"]);
            let codes = schema["enum"]
                .as_array()
                .or(CONTRACT.resolved(&schema["items"])["enum"].as_array());
            let values = match name {
                "as_of" => {
                    moments.clone_from(&self.moments);
                    moments.push("revision:1".into());
                    continue;
                }
                // A long poll that asks for nothing new waits in vain.
                "wait" | "cursor" => continue,
                "organization" => vec!["nishi".into(), "271063".into(), "nishi,keikaku".into()],
                "fiscal_year" | "policy_year" => vec!["2025".into(), "2022..2025".into()],
                "goal" | "indicator" | "series" => every(name),
                "q" => vec![WORD.into(), "公開".into()],
                "unit" => vec![WORD.into(), format!("{WORD}のunit"), "%".into()],
                "limit" => vec!["1".into()],
                "from" if codes.is_none() => vec!["1".into()],
                "on" => vec!["2024-06-01".into(), "2099-01-01".into()],
                "updated_since" | "since" => self.moments.clone(),
                "include_total" => vec!["true".into()],
                _ => match codes {
                    Some(codes) => {
                        let codes = codes.iter().filter_map(Value::as_str);
                        codes.map(str::to_owned).collect()
                    }
                    None => vec![],
                },
            };
            queries.extend(values.into_iter().map(|value| format!("{name}={value}")));
        }
        let known: BTreeSet<_> = operation
            .parameters()
            .iter()
            .filter_map(|p| p["name"].as_str())
            .collect();
        if known.contains("organization") && known.contains("policy_year") {
            queries.push("organization=nishi&policy_year=2024".into());
        }
        if known.contains("include_total") {
            let counted = queries[1..].iter().filter(|query| !query.starts_with("include_total"));
            queries = counted
                .map(|query| format!("include_total=true&{query}"))
                .chain(queries.iter().cloned())
                .collect();
        }
        let plain = queries.clone();
        for moment in moments {
            for query in plain
                .iter()
                .filter(|query| !query.contains("include_total") || query.contains("organization"))
            {
                queries.push([query.as_str(), &format!("as_of={moment}")].join(if query.is_empty() {
                    ""
                } else {
                    "&"
                }));
            }
        }
        queries
    }

    /// Every GET there is, in every form.
    fn walk(&self) -> Vec<String> {
        let mut walk = Vec::new();
        for operation in CONTRACT
            .operations()
            .filter(|operation| operation.method == "get" && !is_endless(operation))
        {
            let queries = self.queries(&operation);
            for path in self.paths(&operation) {
                walk.extend(queries.iter().map(|query| match query.as_str() {
                    "" => path.clone(),
                    query => format!("{path}?{query}"),
                }));
            }
        }
        walk
    }

    /// What must not stand in an answer to this caller: words, numbers, and ids that the request does not hold itself.
    fn traces(&self, who: Who, asked: &str, answer: &Answer) -> Vec<String> {
        let mut shown = String::from_utf8_lossy(&answer.bytes).into_owned();
        for (name, value) in &answer.headers {
            shown.extend(["\n", name.as_str(), ": ", &String::from_utf8_lossy(value.as_bytes())]);
        }
        // What a caller sent comes back where a problem names it.
        if answer.status != 200 || shown.contains("next_cursor") {
            shown = shown
                .replace(&answer.text_of("instance"), "")
                .replace(answer.header("link"), "");
        }
        let ids = self.hidden.values().flatten().map(String::as_str);
        let own = [THEIRS].into_iter().filter(|_| who == Who::Public);
        let words = [WORD, NUMBER].into_iter().chain(own).chain(ids);
        let found = words.filter(|word| shown.contains(*word) && !(asked.contains(*word) && answer.status != 200));
        found.map(str::to_owned).collect()
    }
}

impl Answer {
    fn text_of(&self, key: &str) -> String {
        self.body[key].as_str().unwrap_or("\u{0}").to_owned()
    }
}

/// A stream of events goes on for ever.
pub(crate) fn is_endless(operation: &Operation<'_>) -> bool {
    let types = operation
        .is
        .pointer("/responses/200/content")
        .and_then(Value::as_object);
    types.is_some_and(|types| !types.is_empty() && types.keys().all(|kind| kind.starts_with("text/event-stream")))
}

impl Secrets {
    /// What these requests show to those who may not see it; and how often Keikaku's token was shown what it may.
    async fn leaks(&self, walk: &[String]) -> (Vec<String>, usize) {
        let (mut leaks, mut theirs) = (Vec::new(), 0);
        for path in walk {
            for who in [Who::Public, Who::Keikaku] {
                let answer = self.get(who, path).await;
                assert!(answer.status < 500 && answer.status != 429, "{path}: {}", answer.status);
                let traces = self.traces(who, path, &answer);
                if !traces.is_empty() {
                    leaks.push(format!("{who:?} {path}: {traces:?}"));
                }
                if who == Who::Keikaku && String::from_utf8_lossy(&answer.bytes).contains(THEIRS) {
                    theirs += 1;
                }
            }
        }
        (leaks, theirs)
    }
}

#[actix_web::test]
async fn no_answer_holds_a_word_of_what_its_caller_may_not_see() {
    let secrets = Secrets::new().await;
    let (leaks, theirs) = secrets.leaks(&secrets.walk()).await;
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
    assert!(theirs > 20, "{theirs}");
}

/// A walk that finds nothing must have looked: where each view lets everything through, it finds that.
#[actix_web::test]
async fn the_walk_finds_every_view_that_lets_too_much_through() {
    let mut secrets = Secrets::new().await;
    // A view that is another one is no change, by which kept answers would be known to hold no more.
    secrets.api = secrets.api.beside(0).await;
    let mut conn = secrets.api.db.connect();
    // From the root on: a row is found only where what it stands below shows.
    for (view, shown_at) in [
        ("self_evaluations", "/v1/policies/nishi/2024"),
        ("policies", "/v1/policies"),
        ("goals", "/v1/goals"),
        ("budgets", "/v1/budgets"),
        ("indicators", "/v1/indicators"),
        ("results", "/v1/results"),
    ] {
        let walk = secrets.walk().into_iter();
        let (past, present): (Vec<_>, Vec<_>) = walk
            .filter(|path| path.split('?').next() == Some(shown_at))
            .partition(|path| path.contains("as_of="));
        let everything = format!("select t.* from public.{view} t");
        let of_past = past_of(&secrets, view);
        for (schema, all, walk, whose) in [
            ("published_view", &everything, &present, "Public"),
            ("visible", &everything, &present, "Keikaku"),
            ("as_of", &of_past, &past, ""),
        ] {
            let leaks = async || {
                let (leaks, _) = secrets.leaks(walk).await;
                leaks
                    .into_iter()
                    .filter(|leak| leak.starts_with(whose))
                    .collect::<Vec<_>>()
            };
            let before = leaks().await;
            assert!(before.is_empty(), "{schema}.{view} {before:?}");
            let definition = format!("select pg_get_viewdef('{schema}.{view}') as value");
            let closed = secrets.api.db.values(&definition).remove(0);
            let mut define = |as_what: &str| {
                let view = format!("create or replace view {schema}.{view} as {as_what}");
                conn.batch_execute(&view).unwrap();
            };
            define(all);
            assert!(!leaks().await.is_empty(), "{schema}.{view}");
            // Nothing stands below it, and it would show with every policy.
            if view == "self_evaluations" {
                define(&closed);
            }
        }
    }
}

/// A view of the past without its predicate.
fn past_of(secrets: &Secrets, view: &str) -> String {
    let definition = format!("select pg_get_viewdef('past.{view}') as value");
    let definition = secrets.api.db.values(&definition).remove(0);
    // PostgreSQL before 16 names the table, of which there is only one.
    definition
        .replace("v.organization_id", "organization_id")
        .replace("sees_drafts(organization_id)", "true")
}

#[actix_web::test]
async fn no_tag_of_a_public_answer_follows_what_is_hidden() {
    let secrets = Secrets::new().await;
    let steady = |path: &String| path.starts_with("/v1");
    let walk: Vec<String> = secrets.walk().into_iter().filter(steady).collect();
    let mut before = Vec::new();
    for path in &walk {
        for who in [Who::Public, Who::Keikaku] {
            let answer = secrets.get(who, path).await;
            if answer.status == 200 {
                before.push((who, path, answer));
            }
        }
    }
    assert!(before.len() > 200);
    let api = &secrets.api;
    let id = |kind: &str, n: usize| secrets.hidden[kind][n].clone();
    for (path, patch) in [
        (
            "/v1/policies/nishi/2025".to_owned(),
            json!({ "vision": ["別"], "self_evaluation": [] }),
        ),
        ("/v1/policies/nishi/2023".into(), json!({ "vision": ["別"] })),
        (
            "/v1/policies/nishi/2024".into(),
            json!({ "self_evaluation": ["別"], "future_policy": ["別"] }),
        ),
        (
            format!("/v1/goals/{}", id("goal", 0)),
            json!({ "title": "別", "code": "9" }),
        ),
        (format!("/v1/budgets/{}", id("budget", 0)), json!({ "amount_yen": 5 })),
        (
            format!("/v1/indicators/{}", id("indicator", 0)),
            json!({ "name": "別" }),
        ),
        (
            format!("/v1/indicators/{}/results/2025", id("indicator", 0)),
            json!({ "value": 5 }),
        ),
        (
            format!("/v1/indicators/{}/results/2024", secrets.open["indicator"]),
            json!({ "value": 5, "declared_rating": "B" }),
        ),
    ] {
        api.patch(path, "*", &patch).await.must_be(200);
    }
    api.delete(
        format!("/v1/indicators/{}/results/2022", secrets.open["indicator"]),
        "*",
    )
    .await
    .must_be(204);
    let policy = api.policy("nishi", 2026).await;
    api.goal(&policy.id(), "1").await;
    for (who, path, then) in before {
        let now = secrets.get(who, path).await.must_be(200);
        assert_eq!(
            (String::from_utf8_lossy(&now.bytes), now.header("etag")),
            (String::from_utf8_lossy(&then.bytes), then.header("etag")),
            "{who:?} {path}"
        );
    }
}

#[actix_web::test]
async fn before_results_are_published_their_evaluations_are_pending_or_overdue() {
    let secrets = Secrets::new().await;
    for (on, outcome) in [
        ("2024-06-01", "pending"),
        ("2025-06-30", "pending"),
        ("2025-07-01", "overdue"),
    ] {
        for who in [Who::Public, Who::Keikaku] {
            let get = async |path: &str| secrets.get(who, &format!("{path}&on={on}")).await.must_be(200).body;
            let rows = get("/v1/evaluations?organization=nishi").await;
            let rows = rows["items"].as_array().unwrap().clone();
            assert_eq!(rows.len(), 1, "the year that was published, and no other");
            for key in [
                "value",
                "declared_rating",
                "rating",
                "stated_previous_value",
                "recorded_previous_value",
            ] {
                assert!(rows[0][key].is_null(), "{key}");
            }
            assert_eq!(rows[0]["outcome"], outcome);
            for path in [
                "policies/nishi/2024".to_owned(),
                format!("goals/{}", secrets.open["goal"]),
            ] {
                let roll_up = &get(&format!("/v1/{path}/evaluation?")).await["roll_up"];
                assert_eq!((&roll_up["total"], &roll_up[outcome]), (&json!(1), &json!(1)));
            }
            let policy = get("/v1/policies/nishi/2024/evaluation?").await;
            assert!(policy["self_evaluation"].is_null() && policy["future_policy"].is_null());
            let summary = get("/v1/evaluations/summary?organization=nishi").await;
            assert_eq!(summary.pointer("/items/0/roll_up/total"), Some(&json!(1)));
        }
    }
    let sums = secrets.get(Who::Public, "/v1/budgets/summary?organization=nishi").await;
    assert_eq!(sums.body["items"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn streams_of_events_pass_over_what_is_hidden() {
    let secrets = Secrets::new().await;
    let database = Database::new(&secrets.api.db.url(), &[], Bounds { pool: 4, ..patient() }, HOOKS);
    database.set_ready();
    let state = AppState::new(database, CACHE, 0, Limits::default());
    let service = init_service(app::build(state)).await;
    for operation in CONTRACT.operations().filter(is_endless) {
        assert!(
            !operation.path.contains('{'),
            "{}: nobody knows how to fill it",
            operation.name()
        );
        for token in [None, Some(OTHER)] {
            let mut request = TestRequest::with_uri(operation.path);
            if let Some(token) = token {
                request = request.append_header(("authorization", format!("Bearer {token}")));
            }
            let response = service.call(request.to_request()).await.expect("an answer");
            assert_eq!(response.status(), 200, "{}", operation.name());
            // Something hidden, then something public, by which the stream is known to have come so far.
            let api = &secrets.api;
            let title = json!({ "title": format!("{WORD}{}", token.is_some()) });
            api.patch(format!("/v1/goals/{}", secrets.hidden["goal"][0]), "*", &title)
                .await
                .must_be(200);
            let mark = format!("公開の目印{}", token.is_some());
            api.patch(
                format!("/v1/goals/{}", secrets.open["goal"]),
                "*",
                &json!({ "title": mark }),
            )
            .await
            .must_be(200);
            let body = response.into_body();
            pin!(body);
            let read = async {
                let mut shown = String::new();
                while !shown.contains(&mark) {
                    let chunk = poll_fn(|cx| body.as_mut().poll_next(cx)).await.expect("no end");
                    shown.push_str(&String::from_utf8_lossy(&chunk.unwrap_or_default()));
                }
                shown
            };
            let shown = timeout(PATIENCE, read)
                .await
                .expect("the stream shows what became public");
            assert!(!shown.contains(WORD) && !shown.contains(NUMBER), "{shown}");
            assert!(
                secrets.hidden.values().flatten().all(|id| !shown.contains(id)),
                "{shown}"
            );
        }
    }
}
