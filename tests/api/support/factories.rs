//! Makers: what a test needs but is not about. They go through the API, and fill everything but what they are given.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Api, Call};

/// `base` with the members of `changes` in place of its own.
pub(crate) fn with(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("changes are an object")
    };
    for (key, value) in changes {
        base[key] = value;
    }
    base
}

/// A tree as the document of a revision shows it: whatever version a result is, it says the same.
pub(crate) fn as_document(mut tree: Value) -> Value {
    for goal in tree["goals"].as_array_mut().into_iter().flatten() {
        for indicator in goal["indicators"].as_array_mut().into_iter().flatten() {
            for result in indicator["results"].as_array_mut().into_iter().flatten() {
                result["version"] = Value::Null;
            }
        }
    }
    tree
}

/// Nishi Ward.
pub(crate) fn ward() -> Value {
    json!({
        "slug": "nishi", "kind": "ward", "municipality_code": "271063",
        "name": "西区", "name_kana": "にしく", "name_en": "Nishi Ward", "display_order": 6
    })
}

/// A bureau, which has no municipality code.
pub(crate) fn bureau(slug: &str) -> Value {
    let name = match slug {
        "keikaku" => "計画調整局".to_owned(),
        slug => format!("{slug}局"),
    };
    json!({
        "slug": slug, "kind": "bureau", "municipality_code": null,
        "name": name, "name_kana": null, "name_en": null, "display_order": 100
    })
}

/// The policy of an organization for a fiscal year.
pub(crate) fn policy(organization: &str, year: i32) -> Value {
    json!({
        "organization": organization, "fiscal_year": year,
        "head_name": "三村 浩也", "head_title": null,
        "vision": ["「誰もが誇りに思える西区」"], "mission": ["こども・子育て施策の充実", "防災力の強化"],
        "basic_approach": [], "self_evaluation": null, "future_policy": null,
        "results_due_on": null, "source": "運営方針"
    })
}

/// A goal of a policy.
pub(crate) fn goal(policy_id: &str, code: &str) -> Value {
    json!({
        "policy_id": policy_id, "code": code, "title": "地域コミュニティの活性化",
        "issue_recognition": ["人と人とのつながりづくりを支援する必要がある。"], "strategies": null
    })
}

/// A stated budget of a goal.
pub(crate) fn budget(goal_id: &str, year: i32, kind: &str) -> Value {
    json!({
        "goal_id": goal_id, "fiscal_year": year, "kind": kind, "status": "stated",
        "amount_yen": 85_000_000, "precision_yen": 1_000_000, "text": "85百万円"
    })
}

/// A target: at least so much.
pub(crate) fn at_least(value: &Value) -> Value {
    json!({
        "text": format!("{value}%以上"), "comparator": "gte", "value": value, "upper": null,
        "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
        "period": { "kind": "single_year", "from": null, "to": null }
    })
}

/// An indicator of a goal.
pub(crate) fn indicator(goal_id: &str, name: &str) -> Value {
    json!({
        "goal_id": goal_id, "position": 1, "kind": "outcome", "name": name,
        "population": "区民アンケート回答者", "unit": "%", "decimals": 1, "direction": "higher_is_better",
        "series_id": null, "comparable_with_previous": null, "comparable_reason": null,
        "target": at_least(&json!(48))
    })
}

/// A reported result.
pub(crate) fn result(year: i32) -> Value {
    json!({
        "fiscal_year": year, "value": 57, "cumulative_value": null, "numerator": null, "denominator": null,
        "sample_size": 1200, "value_status": "reported", "observation_status": "final", "text": "57%",
        "comment": null, "measured_on": format!("{}-03-31", year + 1), "declared_rating": "A",
        "stated_previous_value": null, "stated_previous_text": null
    })
}

/// A new identifier, as a client makes one.
pub(crate) fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A policy of Nishi Ward with one of everything below it.
pub(crate) struct Nishi {
    pub(crate) organization: Answer,
    pub(crate) policy: Answer,
    pub(crate) goal: Answer,
    pub(crate) budget: Answer,
    pub(crate) indicator: Answer,
    pub(crate) result: Answer,
    /// Where the result is.
    pub(crate) result_path: String,
}

impl Nishi {
    /// Stores it.
    pub(crate) async fn of(api: &Api) -> Self {
        let organization = api.organization().await;
        let policy = api.policy("nishi", 2024).await;
        let goal = api.goal(&policy.id(), "1-1").await;
        let budget = api
            .post("/v1/budgets", &budget(&goal.id(), 2024, "initial"))
            .await
            .must_be(201);
        let indicator = api.indicator(&goal.id(), "地域活動協議会を知っている割合").await;
        let result_path = format!("/v1/indicators/{}/results/2024", indicator.id());
        let result = api.create(&result_path, &result(2024)).await.must_be(201);
        Self {
            organization,
            policy,
            goal,
            budget,
            indicator,
            result,
            result_path,
        }
    }
}

impl Api {
    /// The moment of the last change.
    pub(crate) fn moment(&self) -> String {
        let last =
            "select to_char(max(at) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') as value from change_log";
        self.db.values(last).remove(0)
    }

    /// A new token with these scopes, which may not be shown again.
    pub(crate) async fn token(&self, name: &str, scopes: &[&str]) -> String {
        let body = json!({ "name": name, "scopes": scopes });
        self.post("/v1/tokens", &body).await.must_be(201).text("token")
    }

    /// Nishi Ward, stored.
    pub(crate) async fn organization(&self) -> Answer {
        self.post("/v1/organizations", &ward()).await.must_be(201)
    }

    /// A bureau, stored.
    pub(crate) async fn bureau(&self, slug: &str) -> Answer {
        self.post("/v1/organizations", &bureau(slug)).await.must_be(201)
    }

    /// A policy, stored.
    pub(crate) async fn policy(&self, organization: &str, year: i32) -> Answer {
        self.post("/v1/policies", &policy(organization, year))
            .await
            .must_be(201)
    }

    /// A publication of a policy, `nishi/2024`.
    pub(crate) async fn publish(&self, policy: &str, kind: &str) -> Answer {
        let body = json!({ "kind": kind, "reason": "試験のため" });
        self.publication(policy, "*", &body).await
    }

    /// A publication of what was read with this tag.
    pub(crate) async fn publication(&self, policy: &str, read: &str, body: &Value) -> Answer {
        let path = format!("/v1/policies/{policy}/publications");
        self.send(Call::new("POST", path).header("if-match", read).json(body))
            .await
    }

    /// A goal, stored.
    pub(crate) async fn goal(&self, policy_id: &str, code: &str) -> Answer {
        self.post("/v1/goals", &goal(policy_id, code)).await.must_be(201)
    }

    /// A goal of Nishi Ward's policy for 2024, stored with what is above it.
    pub(crate) async fn nishi_goal(&self) -> Answer {
        self.organization().await;
        let policy = self.policy("nishi", 2024).await;
        self.goal(&policy.id(), "1-1").await
    }

    /// An indicator, stored.
    pub(crate) async fn indicator(&self, goal_id: &str, name: &str) -> Answer {
        self.post("/v1/indicators", &indicator(goal_id, name))
            .await
            .must_be(201)
    }

    /// An indicator of a goal of Nishi Ward's policy for 2024, stored with what is above it.
    pub(crate) async fn nishi_indicator(&self) -> Answer {
        let goal = self.nishi_goal().await;
        self.indicator(&goal.id(), "地域活動協議会を知っている割合").await
    }

    /// A result of an indicator, stored.
    pub(crate) async fn result(&self, indicator_id: &str, year: i32) -> Answer {
        let path = format!("/v1/indicators/{indicator_id}/results/{year}");
        self.create(path, &result(year)).await.must_be(201)
    }
}
