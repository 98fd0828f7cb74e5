//! A service full of what must not show: a draft, results that are not published, what was written over before it was
//! published, what was withdrawn, and the drafts of another organization.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use super::{
    Answer, Api, Call,
    factories::{self, with},
};

/// In every text that neither the public nor Keikaku's token may see.
pub(crate) const WORD: &str = "秘匿";
/// In every number of these.
pub(crate) const NUMBER: &str = "7331973";
/// In every text that only the public may not see.
pub(crate) const THEIRS: &str = "内輪";
/// Keikaku's token: it sees the drafts of the bureau `keikaku`, and of nobody else.
pub(crate) const OTHER: &str = "wardpolicy_00000000000a_secret";

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Who {
    Public,
    Keikaku,
}

/// A service full of things that must not show.
pub(crate) struct Secrets {
    pub(crate) api: Api,
    /// The ids of what is hidden from everybody but the administrator, and of what stands for it in public, by kind.
    pub(crate) hidden: BTreeMap<&'static str, Vec<String>>,
    pub(crate) open: BTreeMap<&'static str, String>,
    /// Moments at which something else was there.
    pub(crate) moments: Vec<String>,
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
    pub(crate) async fn new() -> Self {
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
        api.until_heard();
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
        self.moments.push(self.api.moment());
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
            marked(&factories::policy(organization, year), &texts),
            json!({ "self_evaluation": [WORD], "future_policy": [WORD] }),
        );
        let policy = self.api.post("/v1/policies", &word(policy)).await.must_be(201);
        let goal = marked(
            &factories::goal(&policy.id(), "7"),
            &["title", "issue_recognition", "strategies"],
        );
        let goal = self.api.post("/v1/goals", &word(goal)).await.must_be(201);
        let amount = if theirs { json!(1) } else { number() };
        let budget = with(
            marked(&factories::budget(&goal.id(), year, "initial"), &["text"]),
            json!({ "amount_yen": amount, "precision_yen": 1 }),
        );
        let budget = self.api.post("/v1/budgets", &word(budget)).await.must_be(201);
        let indicator = with(
            marked(
                &factories::indicator(&goal.id(), WORD),
                &["population", "comparable_reason", "unit"],
            ),
            json!({ "target": with(factories::at_least(&amount), json!({ "text": WORD })) }),
        );
        let indicator = self.api.post("/v1/indicators", &word(indicator)).await.must_be(201);
        let result = with(
            marked(&factories::result(year), &["text", "comment", "stated_previous_text"]),
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
        let goal = marked(&factories::goal(&policy, "6"), &["title"]);
        let goal = self.api.post("/v1/goals", &goal).await.must_be(201);
        let indicator = with(
            factories::indicator(&goal.id(), WORD),
            json!({ "series_id": self.open["series"] }),
        );
        let indicator = self.api.post("/v1/indicators", &indicator).await.must_be(201);
        let result = with(factories::result(2023), json!({ "value": number(), "text": WORD }));
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
                &marked(&factories::policy("nishi", 2024), &["head_name", "vision"]),
            )
            .await;
        let goal = api
            .post("/v1/goals", &marked(&factories::goal(&policy.id(), "7-7"), &["title"]))
            .await
            .must_be(201);
        let dropped = api
            .post("/v1/goals", &marked(&factories::goal(&policy.id(), "8"), &["title"]))
            .await
            .must_be(201);
        let indicator = api.indicator(&goal.id(), WORD).await;
        let budget = api
            .post("/v1/budgets", &factories::budget(&goal.id(), 2024, "initial"))
            .await
            .must_be(201);
        self.noted();
        let api = &self.api;
        api.delete(format!("/v1/goals/{}", dropped.id()), "*")
            .await
            .must_be(204);
        api.put("/v1/policies/nishi/2024", "*", &factories::policy("nishi", 2024))
            .await
            .must_be(200);
        api.put(
            format!("/v1/goals/{}", goal.id()),
            "*",
            &factories::goal(&policy.id(), "1-1"),
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
            marked(&factories::result(2024), &["text", "comment", "stated_previous_text"]),
            json!({ "value": number(), "stated_previous_value": number(), "sample_size": number() }),
        );
        let result = api.create(format!("{path}/results/2024"), &result).await.must_be(201);
        let earlier = with(factories::result(2022), json!({ "value": number(), "text": WORD }));
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
            &marked(&factories::policy("nishi", 2023), &["vision", "source"]),
        )
        .await
        .must_be(200);
        let added = api
            .post("/v1/goals", &marked(&factories::goal(&policy.id(), "7"), &["title"]))
            .await
            .must_be(201);
        self.hide("goal", &added);
        self.noted();
    }

    /// GET, by somebody.
    pub(crate) async fn get(&self, who: Who, path: &str) -> Answer {
        let call = Call::new("GET", path);
        let call = match who {
            Who::Public => call.anonymous(),
            Who::Keikaku => call.by(OTHER),
        };
        self.api.send(call).await
    }
}
