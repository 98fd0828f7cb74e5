//! What may not be seen is not there: no word of it, no count of it, no trace of its changes, in any answer to a GET.
//!
//! The walk takes every operation from the contract, so that a new one cannot be forgotten: a path it cannot fill fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    time::Duration,
};

use actix_web::{
    body::MessageBody,
    dev::Service,
    rt::{pin, time::timeout},
    test::{TestRequest, init_service},
};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use ward_policy::{app, config::Limits, db::Database};

use crate::{
    given::{self, with},
    openapi::{CONTRACT, Operation},
    support::{Answer, Api, Call},
};

/// In every text that neither the public nor Keikaku's token may see.
const WORD: &str = "秘匿";
/// In every number of these.
const NUMBER: &str = "7331973";
/// In every text that only the public may not see.
const THEIRS: &str = "内輪";
/// Keikaku's token: it sees the drafts of the bureau `keikaku`, and of nobody else.
const OTHER: &str = "wardpolicy_00000000000a_secret";
/// Operations whose answers tell their place in a history that is everybody's: any change moves them on.
const IN_STEP: [&str; 2] = ["/v1/changes", "/v1/snapshot"];
/// How long a stream may take to show what happened.
const PATIENCE: Duration = Duration::from_secs(20);

const LAST: &str =
    "select to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as value from change_log";

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Public,
    Keikaku,
}

/// A service full of things that must not show.
struct Secrets {
    api: Api,
    /// The ids of what is hidden from everybody but the administrator, and of what stands for it in public, by kind.
    hidden: BTreeMap<&'static str, Vec<String>>,
    open: BTreeMap<&'static str, String>,
    /// Moments at which something else was there.
    moments: Vec<String>,
}

fn marked(of: &Value, keys: &[&str]) -> Value {
    let mut of = of.clone();
    for key in keys {
        of[*key] = if of[*key].is_array() || ["vision", "mission", "strategies"].contains(key) {
            json!([format!("{WORD}の{key}")])
        } else {
            json!(format!("{WORD}の{key}"))
        };
    }
    of
}

fn number() -> Value {
    serde_json::from_str(NUMBER).unwrap()
}

impl Secrets {
    async fn new() -> Self {
        let api = Api::new().await;
        let organization = api.organization().await.id();
        let keikaku = api.bureau("keikaku").await.id();
        api.db
            .connect()
            .batch_execute(&format!(
                "begin; select begin_write('test', '', '', '');
                 insert into tokens (id, name, handle, hash, scopes)
                 values (gen_random_uuid(), 'keikaku', '00000000000a', sha256('secret'),
                    '{{edit:{keikaku},publish:{keikaku},read_drafts:{keikaku}}}'); commit"
            ))
            .unwrap();
        let mut secrets = Self {
            api,
            hidden: BTreeMap::new(),
            open: BTreeMap::from([("organization", organization)]),
            moments: Vec::new(),
        };
        secrets.draft("nishi", 2025, false).await;
        secrets.reported().await;
        secrets.continued().await;
        secrets.withdrawn().await;
        secrets.draft("keikaku", 2024, true).await;
        secrets.noted();
        secrets
    }

    fn noted(&mut self) {
        self.moments.push(self.api.db.values(LAST).remove(0));
    }

    fn hide(&mut self, kind: &'static str, answer: &Answer) {
        self.hidden.entry(kind).or_default().push(answer.id());
    }

    /// A policy of which nothing is public.
    async fn draft(&mut self, organization: &str, year: i32, theirs: bool) {
        let word = |value: Value| -> Value {
            let text = value.to_string();
            serde_json::from_str(&if theirs { text.replace(WORD, THEIRS) } else { text }).unwrap()
        };
        let texts = [
            "head_name",
            "head_title",
            "vision",
            "mission",
            "basic_approach",
            "source",
        ];
        let policy = with(
            marked(&given::policy(organization, year), &texts),
            json!({ "self_evaluation": [WORD], "future_policy": [WORD] }),
        );
        let policy = self.api.post("/v1/policies", &word(policy)).await.must_be(201);
        let goal = marked(
            &given::goal(&policy.id(), "7"),
            &["title", "issue_recognition", "strategies"],
        );
        let goal = self.api.post("/v1/goals", &word(goal)).await.must_be(201);
        let amount = if theirs { json!(1) } else { number() };
        let budget = with(
            marked(&given::budget(&goal.id(), year, "initial"), &["text"]),
            json!({ "amount_yen": amount, "precision_yen": 1 }),
        );
        let budget = self.api.post("/v1/budgets", &word(budget)).await.must_be(201);
        let indicator = with(
            marked(
                &given::indicator(&goal.id(), WORD),
                &["population", "comparable_reason", "unit"],
            ),
            json!({ "target": with(given::at_least(&amount), json!({ "text": WORD })) }),
        );
        let indicator = self.api.post("/v1/indicators", &word(indicator)).await.must_be(201);
        let result = with(
            marked(&given::result(year), &["text", "comment", "stated_previous_text"]),
            json!({ "value": amount, "stated_previous_value": amount, "sample_size": amount }),
        );
        let path = format!("/v1/indicators/{}/results/{year}", indicator.id());
        let result = self.api.create(path, &word(result)).await.must_be(201);
        if theirs {
            return;
        }
        for (kind, answer) in [
            ("policy", &policy),
            ("goal", &goal),
            ("budget", &budget),
            ("indicator", &indicator),
            ("result", &result),
        ] {
            self.hide(kind, answer);
        }
        self.hidden
            .entry("series")
            .or_default()
            .push(indicator.text("series_id"));
    }

    /// A draft that goes on with a public series, and says what that came to in the year before.
    async fn continued(&mut self) {
        let policy = self.hidden["policy"][0].clone();
        let goal = marked(&given::goal(&policy, "6"), &["title"]);
        let goal = self.api.post("/v1/goals", &goal).await.must_be(201);
        let indicator = with(
            given::indicator(&goal.id(), WORD),
            json!({ "series_id": self.open["series"] }),
        );
        let indicator = self.api.post("/v1/indicators", &indicator).await.must_be(201);
        let result = with(given::result(2023), json!({ "value": number(), "text": WORD }));
        let path = format!("/v1/indicators/{}/results/2023", indicator.id());
        let result = self.api.create(path, &result).await.must_be(201);
        for (kind, answer) in [("goal", &goal), ("indicator", &indicator), ("result", &result)] {
            self.hide(kind, answer);
        }
    }

    /// A policy whose plan is public, after drafts of other words, and whose results are there and are not public.
    async fn reported(&mut self) {
        let api = &self.api;
        let policy = api
            .post(
                "/v1/policies",
                &marked(&given::policy("nishi", 2024), &["head_name", "vision"]),
            )
            .await;
        let goal = api
            .post("/v1/goals", &marked(&given::goal(&policy.id(), "7-7"), &["title"]))
            .await
            .must_be(201);
        let dropped = api
            .post("/v1/goals", &marked(&given::goal(&policy.id(), "8"), &["title"]))
            .await
            .must_be(201);
        let indicator = api.indicator(&goal.id(), WORD).await;
        let budget = api
            .post("/v1/budgets", &given::budget(&goal.id(), 2024, "initial"))
            .await
            .must_be(201);
        self.noted();
        let api = &self.api;
        api.delete(format!("/v1/goals/{}", dropped.id()), "*")
            .await
            .must_be(204);
        api.put("/v1/policies/nishi/2024", "*", &given::policy("nishi", 2024))
            .await
            .must_be(200);
        api.put(
            format!("/v1/goals/{}", goal.id()),
            "*",
            &given::goal(&policy.id(), "1-1"),
        )
        .await
        .must_be(200);
        let path = format!("/v1/indicators/{}", indicator.id());
        api.patch(&path, "*", &json!({ "name": "公開の指標" }))
            .await
            .must_be(200);
        api.publish("nishi/2024", "plan").await.must_be(201);
        self.noted();
        let api = &self.api;
        let result = with(
            marked(&given::result(2024), &["text", "comment", "stated_previous_text"]),
            json!({ "value": number(), "stated_previous_value": number(), "sample_size": number() }),
        );
        let result = api.create(format!("{path}/results/2024"), &result).await.must_be(201);
        let earlier = with(given::result(2022), json!({ "value": number(), "text": WORD }));
        let earlier = api.create(format!("{path}/results/2022"), &earlier).await.must_be(201);
        let judged = json!({ "self_evaluation": [WORD], "future_policy": [WORD] });
        api.patch("/v1/policies/nishi/2024", "*", &judged).await.must_be(200);
        self.open.extend([
            ("policy", policy.id()),
            ("goal", goal.id()),
            ("indicator", indicator.id()),
            ("budget", budget.id()),
            ("series", indicator.text("series_id")),
        ]);
        self.hide("goal", &dropped);
        self.hide("result", &result);
        self.hide("result", &earlier);
    }

    /// A policy that was public and is edited since it no longer is.
    async fn withdrawn(&mut self) {
        let api = &self.api;
        let policy = api.policy("nishi", 2023).await;
        let goal = api.goal(&policy.id(), "1-1").await;
        api.indicator(&goal.id(), "取り下げた指標").await;
        api.publish("nishi/2023", "plan").await.must_be(201);
        api.publish("nishi/2023", "withdrawal").await.must_be(201);
        api.put(
            "/v1/policies/nishi/2023",
            "*",
            &marked(&given::policy("nishi", 2023), &["vision", "source"]),
        )
        .await
        .must_be(200);
        let added = api
            .post("/v1/goals", &marked(&given::goal(&policy.id(), "7"), &["title"]))
            .await
            .must_be(201);
        self.hide("goal", &added);
        self.noted();
    }

    fn call(&self, who: Who, path: &str) -> Call {
        let call = Call::new("GET", path);
        match who {
            Who::Public => call.anonymous(),
            Who::Keikaku => call.by(OTHER),
        }
    }

    async fn get(&self, who: Who, path: &str) -> Answer {
        self.api.send(self.call(who, path)).await
    }

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
                "on" => vec!["2024-06-01".into(), "2099-01-01".into()],
                "updated_since" | "since" => self.moments.clone(),
                "include_total" => vec!["true".into()],
                "from" => vec!["1".into()],
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
            shown.push_str(&format!("\n{name}: {}", String::from_utf8_lossy(value.as_bytes())));
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
fn is_endless(operation: &Operation<'_>) -> bool {
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
    let secrets = Secrets::new().await;
    let mut conn = secrets.api.db.connect();
    // From the root on: a row is found only where what it stands below shows.
    for (view, shown_at) in [
        ("policies", "/v1/policies"),
        ("goals", "/v1/goals"),
        ("budgets", "/v1/budgets"),
        ("indicators", "/v1/indicators"),
        ("results", "/v1/results"),
        ("self_evaluations", "/v1/policies/nishi/2024"),
    ] {
        let walk = secrets.walk().into_iter();
        let (past, present): (Vec<_>, Vec<_>) = walk
            .filter(|path| path.split('?').next() == Some(shown_at))
            .partition(|path| path.contains("as_of="));
        let everything = format!("select t.* from public.{view} t");
        let of_past = past_of(&secrets, view);
        for (schema, all, walk) in [("visible", everything, present), ("past", of_past, past)] {
            let (leaks, _) = secrets.leaks(&walk).await;
            assert!(leaks.is_empty(), "{schema}.{view} {leaks:?}");
            conn.batch_execute(&format!("create or replace view {schema}.{view} as {all}"))
                .unwrap();
            let (leaks, _) = secrets.leaks(&walk).await;
            assert!(!leaks.is_empty(), "{schema}.{view}");
        }
    }
}

/// A view of the past without its predicate.
fn past_of(secrets: &Secrets, view: &str) -> String {
    let definition = format!("select pg_get_viewdef('past.{view}') as value");
    let definition = secrets.api.db.values(&definition).remove(0);
    definition.replace("sees_drafts(last.organization_id)", "true")
}

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
        if !["x-request-id", "date", "etag", "link"].contains(&name) {
            shown.push_str(&format!("\n{name}: {value:?}"));
        }
    }
    for (value, stands_for) in asked {
        shown = shown.replace(value, stands_for);
    }
    shown
}

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
        let mut twins: Vec<(String, String, Vec<(&str, &str)>)> = Vec::new();
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
                    twins.push((at("2025"), at("1999"), vec![]));
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
async fn no_tag_of_a_public_answer_follows_what_is_hidden() {
    let secrets = Secrets::new().await;
    let steady = |path: &String| !IN_STEP.iter().any(|in_step| path.starts_with(in_step)) && path.starts_with("/v1");
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

#[actix_web::test]
async fn streams_of_events_pass_over_what_is_hidden() {
    let secrets = Secrets::new().await;
    let database = Database::new(&secrets.api.db.url(), 4);
    let service = init_service(app::build(database, Limits::default())).await;
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
