//! Who may call what: every operation of the contract by every sort of caller, and drafts that nobody can tell from nothing.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::openapi::{CONTRACT, Operation};
use crate::support::{
    Answer, Api, Call,
    factories::{self, Nishi, new_id, with},
};

/// What operations need, as the contract declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Need {
    Nothing,
    AnyToken,
    Scope(String),
    Admin,
}

fn need(operation: &Operation<'_>) -> Need {
    let ways = operation.is["security"].as_array();
    let ways = ways.unwrap_or_else(|| panic!("{} declares no security", operation.name()));
    if ways.contains(&json!({})) {
        return Need::Nothing;
    }
    if *ways == [json!({ "token": [] })] {
        return Need::AnyToken;
    }
    let scopes: Vec<&str> = ways.iter().map(|way| way["token"][0].as_str().unwrap()).collect();
    match scopes[..] {
        ["admin"] => Need::Admin,
        [scope @ ("edit" | "publish" | "read_drafts")] => Need::Scope(scope.to_owned()),
        _ => panic!("{} declares {scopes:?}", operation.name()),
    }
}

/// What requests are about: things that are there, or that are not.
pub(crate) struct Things {
    organization: String,
    year: i32,
    policy: String,
    goal: String,
    budget: String,
    indicator: String,
    series: String,
    token: String,
    tree: Value,
}

impl Things {
    /// Nishi Ward's draft, and a token.
    pub(crate) async fn stored(api: &Api) -> Self {
        let nishi = Nishi::of(api).await;
        api.bureau("port").await;
        let token = json!({ "name": "other", "scopes": ["edit:port"] });
        let token = api.post("/v1/tokens", &token).await.must_be(201);
        Self {
            organization: "nishi".to_owned(),
            year: 2024,
            policy: nishi.policy.id(),
            goal: nishi.goal.id(),
            budget: nishi.budget.id(),
            series: nishi.indicator.text("series_id"),
            indicator: nishi.indicator.id(),
            token: token.body["shown"]["id"].as_str().unwrap().to_owned(),
            tree: api.get("/v1/policies/nishi/2024/tree").await.must_be(200).body,
        }
    }

    /// The same, of a year without a policy.
    fn absent(&self) -> Self {
        Self {
            organization: self.organization.clone(),
            year: 2030,
            policy: new_id(),
            goal: new_id(),
            budget: new_id(),
            indicator: new_id(),
            series: new_id(),
            token: new_id(),
            tree: with(
                self.tree.clone(),
                json!({ "fiscal_year": 2030, "results_due_on": null }),
            ),
        }
    }

    fn ids(&self) -> [&str; 6] {
        [
            &self.policy,
            &self.goal,
            &self.budget,
            &self.indicator,
            &self.series,
            &self.token,
        ]
    }

    /// The path of an operation. One whose path has a new kind of variable part needs a line here.
    fn path(&self, operation: &Operation<'_>) -> String {
        let template = operation.path;
        let id = match template.split('/').nth(2) {
            Some("goals") => &self.goal,
            Some("budgets") => &self.budget,
            Some("indicators") => &self.indicator,
            Some("tokens") => &self.token,
            _ => "{id}",
        };
        // One without policies, so that it can be removed.
        let removes = operation.name() == "DELETE /v1/organizations/{organization}";
        let organization = if removes { "port" } else { &self.organization };
        let path = template
            .replace("{id}", id)
            .replace("{organization}", organization)
            .replace("{fiscal_year}", &self.year.to_string())
            .replace("{number}", "1")
            .replace("{series_id}", &self.series);
        assert!(!path.contains('{'), "{template}: say in `path` what stands there");
        // What an operation cannot do without.
        path + match template {
            "/v1/policies/{organization}/{fiscal_year}/revisions/{number}/diff" => "?from=1",
            "/v1/transitions" => "?from=B&to=A",
            _ => "",
        }
    }

    /// The body of an operation that changes something. A new one needs a line here.
    fn body(&self, operation: &Operation<'_>) -> Option<Value> {
        let name = operation.name();
        Some(match name.as_str() {
            _ if operation.method == "delete" || operation.method == "get" => return None,
            "POST /v1/changes/tickets" => return None,
            _ if operation.method == "patch" => json!({}),
            "POST /v1/organizations" => factories::bureau("new-bureau"),
            "PUT /v1/organizations/{organization}" => factories::ward(),
            "POST /v1/policies" => factories::policy(&self.organization, self.year + 1),
            "PUT /v1/policies/{organization}/{fiscal_year}" => factories::policy(&self.organization, self.year),
            "PUT /v1/policies/{organization}/{fiscal_year}/tree" | "POST /v1/imports" => self.tree.clone(),
            "POST /v1/policies/{organization}/{fiscal_year}/publications" => {
                json!({ "kind": "plan", "reason": "試験" })
            }
            "POST /v1/goals" => factories::goal(&self.policy, "2"),
            "PUT /v1/goals/{id}" => factories::goal(&self.policy, "1-1"),
            "POST /v1/budgets" => factories::budget(&self.goal, 2023, "actual"),
            "PUT /v1/budgets/{id}" => factories::budget(&self.goal, 2024, "initial"),
            "POST /v1/indicators" => factories::indicator(&self.goal, "別の指標"),
            "PUT /v1/indicators/{id}" => factories::indicator(&self.goal, "指標"),
            "PUT /v1/indicators/{id}/results/{fiscal_year}" => factories::result(self.year),
            "POST /v1/results" => {
                json!({ "items": [{ "indicator_id": self.indicator, "result": factories::result(2023) }] })
            }
            "POST /v1/targets/parse" => json!({ "text": "48%以上", "fiscal_year": 2024 }),
            "POST /v1/evaluations/preview" => json!({
                "decimals": 1, "direction": "higher_is_better", "target": factories::at_least(&json!(48)), "result": factories::result(2024)
            }),
            "POST /v1/tokens" => json!({ "name": "new", "scopes": ["edit:port"] }),
            _ => panic!("{name}: say in `body` what it takes"),
        })
    }

    /// A request that lacks nothing but somebody who makes it.
    pub(crate) fn call(&self, operation: &Operation<'_>) -> Call {
        // A stream that is let in does not end.
        let method = if operation.path.ends_with("/stream") {
            "head"
        } else {
            operation.method
        };
        let call = Call::new(&method.to_uppercase(), self.path(operation)).anonymous();
        let call = if operation.method == "get" {
            call
        } else {
            call.because("試験")
        };
        let call = if operation.takes("If-Match") {
            call.header("if-match", "*")
        } else {
            call
        };
        match self.body(operation) {
            Some(body) => call.json(&body),
            None => call,
        }
    }
}

fn operations() -> impl Iterator<Item = Operation<'static>> {
    CONTRACT
        .operations()
        .filter(|operation| operation.path.starts_with("/v1"))
}

/// Operations about what does not belong to one organization.
const EVERYWHERE: [&str; 2] = ["POST /v1/organizations", "DELETE /v1/organizations/{organization}"];

impl Api {
    async fn by(&self, things: &Things, operation: &Operation<'_>, token: &str) -> Answer {
        self.send(things.call(operation).by(token)).await
    }

    /// How much has happened; uses of tokens do not count.
    fn happened(&self) -> Vec<String> {
        self.db.values("select count(*)::text as value from change_log")
    }
}

#[actix_web::test]
async fn who_may_not_call_an_operation_is_told_so_and_nothing_happens() {
    let api = Api::new().await;
    let things = Things::stored(&api).await;
    let expired = api.token("expired", &["admin"]).await;
    let revoked = api.token("revoked", &["admin"]).await;
    api.tamper("expired", "expires_at = now() - interval '1 second'");
    api.tamper("revoked", "revoked_at = now()");
    let verbs = ["edit", "publish", "read_drafts"];
    let all_but = |missing: &str| {
        let scopes = verbs
            .iter()
            .filter(|verb| **verb != missing)
            .map(|verb| format!("{verb}:*"));
        (format!("all but {missing}"), scopes.collect::<Vec<_>>())
    };
    let mut lacking = vec![];
    for missing in ["edit", "publish", "read_drafts", "admin"] {
        let (name, scopes) = all_but(missing);
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        lacking.push((missing, api.token(&name, &scopes).await));
    }
    let elsewhere = api
        .token("elsewhere", &["edit:port", "publish:port", "read_drafts:port"])
        .await;
    let garbage = [
        "garbage",
        "wardpolicy_000000000000_wrong",
        "wardpolicy_ffffffffffff_secret",
    ];
    let before = api.happened();
    for operation in operations() {
        let (name, need) = (operation.name(), need(&operation));
        for token in garbage.iter().copied().chain([expired.as_str(), revoked.as_str()]) {
            let answer = api.by(&things, &operation, token).await;
            assert_eq!(answer.status, 401, "{name} {token}");
            assert!(
                answer.header("www-authenticate").contains("error=\"invalid_token\""),
                "{name}"
            );
        }
        let anonymous = api.send(things.call(&operation)).await;
        if need == Need::Nothing {
            assert!([200, 404].contains(&anonymous.status), "{name}: {}", anonymous.status);
            continue;
        }
        assert_eq!(anonymous.status, 401, "{name}");
        assert_eq!(
            anonymous.header("www-authenticate"),
            "Bearer realm=\"ward-policy\"",
            "{name}"
        );
        let missing = match &need {
            Need::AnyToken => continue,
            Need::Scope(scope) => scope.as_str(),
            _ => "admin",
        };
        let (_, token) = lacking.iter().find(|(of, _)| *of == missing).unwrap();
        assert_eq!(
            api.by(&things, &operation, token).await.status,
            403,
            "{name} without {missing}"
        );
        // What a body names and the caller does not see contradicts what there is for the caller.
        let status = api.by(&things, &operation, &elsewhere).await.status;
        assert!([403, 404, 409].contains(&status), "{name} from elsewhere: {status}");
    }
    assert_eq!(api.happened(), before);
}

#[actix_web::test]
async fn who_may_not_change_what_is_public_is_told_so() {
    let api = Api::new().await;
    let things = Things::stored(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let elsewhere = api
        .token("elsewhere", &["edit:port", "publish:port", "read_drafts:port"])
        .await;
    let before = api.happened();
    for operation in operations().filter(|operation| matches!(need(operation), Need::Scope(_))) {
        let status = api.by(&things, &operation, &elsewhere).await.status;
        // The results are not public yet.
        let hidden = operation.path == "/v1/indicators/{id}/results/{fiscal_year}";
        assert_eq!(status, if hidden { 404 } else { 403 }, "{}", operation.name());
    }
    assert_eq!(api.happened(), before);
}

#[actix_web::test]
async fn who_may_call_an_operation_can() {
    for operation in operations().filter(|operation| operation.method != "get") {
        let api = Api::new().await;
        let things = Things::stored(&api).await;
        let name = operation.name();
        let token = match need(&operation) {
            Need::Nothing => None,
            Need::Admin => Some(api.token("right", &["admin"]).await),
            Need::AnyToken => Some(api.token("right", &["read_drafts:port"]).await),
            Need::Scope(scope) => {
                let place = if EVERYWHERE.contains(&name.as_str()) {
                    "*"
                } else {
                    "nishi"
                };
                Some(api.token("right", &[&format!("{scope}:{place}")]).await)
            }
        };
        let call = things.call(&operation);
        let call = match &token {
            Some(token) => call.by(token),
            None => call,
        };
        let answer = api.send(call).await;
        assert!((200..300).contains(&answer.status), "{name}: {answer:?}");
    }
}

#[actix_web::test]
async fn who_may_read_can() {
    let api = Api::new().await;
    let things = Things::stored(&api).await;
    let reader = api.token("reader", &["read_drafts:nishi"]).await;
    let admin = api.token("right", &["admin"]).await;
    for published in [false, true] {
        if published {
            api.publish("nishi/2024", "plan").await.must_be(201);
        }
        for operation in operations().filter(|operation| operation.method == "get") {
            let name = operation.name();
            let token = if need(&operation) == Need::Admin {
                &admin
            } else {
                &reader
            };
            let answer = api.by(&things, &operation, token).await;
            let not_yet = !published && (name.contains("/revisions"));
            assert_eq!(answer.status, if not_yet { 404 } else { 200 }, "{name}: {answer:?}");
        }
    }
}

/// An answer without what it repeats of the request.
fn bare(answer: &Answer, things: &Things) -> (u16, String) {
    let mut text = String::from_utf8_lossy(&answer.bytes).replace(answer.header("x-request-id"), "[request]");
    for id in things.ids() {
        text = text.replace(id, "[id]");
    }
    (answer.status, text.replace(&things.year.to_string(), "[year]"))
}

#[actix_web::test]
async fn nobody_can_tell_a_draft_of_another_organization_from_nothing() {
    let api = Api::new().await;
    let things = Things::stored(&api).await;
    let absent = things.absent();
    let elsewhere = api
        .token("elsewhere", &["edit:port", "publish:port", "read_drafts:port"])
        .await;
    let below = |operation: &Operation<'_>| {
        let of = operation.path.split('/').nth(2).unwrap_or_default();
        !["tokens", "organizations", "audit"].contains(&of)
            && !["/preview", "/tickets"].iter().any(|end| operation.path.ends_with(end))
    };
    for operation in operations().filter(below) {
        let name = operation.name();
        let calls = |things: &Things| {
            let replace = things.call(&operation).by(&elsewhere);
            let create = Call::new(Method::PUT.as_str(), things.path(&operation))
                .header("if-none-match", "*")
                .by(&elsewhere);
            match things.body(&operation) {
                Some(body) if operation.method == "put" => vec![replace, create.json(&body)],
                _ => vec![replace],
            }
        };
        for (hidden, missing) in calls(&things).into_iter().zip(calls(&absent)) {
            let (hidden, missing) = (api.send(hidden).await, api.send(missing).await);
            assert_eq!(bare(&hidden, &things), bare(&missing, &absent), "{name}");
            let told = ["etag", "location", "allow", "cache-control"];
            for header in told.iter().filter(|header| **header != "etag" || hidden.status != 200) {
                assert_eq!(hidden.header(header), missing.header(header), "{name} {header}");
            }
        }
    }
}
