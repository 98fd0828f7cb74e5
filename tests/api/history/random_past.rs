//! Whatever is done to policies, every past state reads as it was seen then, and every revision is what its number says.

use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{self, with},
};

/// Steps of one history.
const STEPS: usize = 30;
/// What is looked at after each step, besides organizations and the trees: lists of what organizations have.
pub(crate) const LISTS: [&str; 7] = [
    "policies",
    "goals",
    "budgets",
    "indicators",
    "results",
    "evaluations",
    "evaluations/summary",
];

/// Numbers that look random and are the same in every run (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(n).unwrap()).unwrap()
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        (!of.is_empty()).then(|| &of[self.below(of.len())])
    }

    /// A text box: absent, empty, or with texts.
    fn texts(&mut self) -> Value {
        match self.below(4) {
            0 => Value::Null,
            1 => json!([]),
            2 => json!(["一つ目の文章", "\"引用\"と\\と{波括弧}"]),
            n => json!([format!("文章{}{n}", self.below(1000))]),
        }
    }

    /// A number in one of the ways in which people write it.
    fn number(&mut self) -> Value {
        let numbers = [
            "0",
            "81.2",
            "81.20",
            "48",
            "-3.50",
            "0.000000001",
            "123456789012345",
            "57.0",
        ];
        serde_json::from_str(self.one(&numbers).unwrap()).unwrap()
    }
}

/// A history in the making.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) dice: Dice,
    count: usize,
    /// What was seen: by whom, where, when, and what.
    seen: Vec<(bool, String, String, Answer)>,
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let api = Api::new().await;
        api.organization().await;
        api.bureau("keikaku").await;
        Self {
            api,
            dice: Dice(seed),
            count: 0,
            seen: Vec::new(),
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.count += 1;
        format!("{what}{}", self.count)
    }

    pub(crate) async fn some(&mut self, list: &str) -> Option<Value> {
        let items = self.api.list(format!("/v1/{list}?limit=1000")).await;
        self.dice.one(&items).cloned()
    }

    async fn policy(&mut self) -> Option<(String, Value)> {
        let policy = self.some("policies").await?;
        let key = format!("{}/{}", policy["organization"].as_str()?, policy["fiscal_year"]);
        Some((key, policy))
    }

    async fn write(&self, method: &str, path: String, body: Option<&Value>) -> Answer {
        let mut call = Call::new(method, &path).because("思い直した");
        if method != "POST" || path.ends_with("/publications") {
            call = call.header("if-match", "*");
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        let answer = self.api.send(call).await;
        let (status, bytes) = (answer.status, &answer.bytes);
        assert!(
            matches!(status, 200..=299 | 409),
            "{status} {}",
            String::from_utf8_lossy(bytes)
        );
        answer
    }

    pub(crate) async fn patch(&self, path: String, body: Value) {
        self.write("PATCH", path, Some(&body)).await;
    }

    /// A policy with a goal, an indicator and a result, ready to be published.
    pub(crate) async fn found(&mut self) {
        let organization = self.some("organizations").await.unwrap()["slug"]
            .as_str()
            .unwrap()
            .to_owned();
        let year = 2020 + i32::try_from(self.dice.below(3)).unwrap();
        let judged = json!({ "self_evaluation": self.dice.texts(), "future_policy": ["続ける。"] });
        let policy = with(factories::policy(&organization, year), judged);
        let answer = self.write("POST", "/v1/policies".into(), Some(&policy)).await;
        if answer.status == 201 {
            self.goal(&answer.id()).await;
        }
    }

    async fn goal(&mut self, policy: &str) {
        let goal = with(
            factories::goal(
                policy,
                &format!("{}-{}", 1 + self.dice.below(3), 1 + self.dice.below(12)),
            ),
            json!({ "issue_recognition": self.dice.texts(), "strategies": self.dice.texts() }),
        );
        let goal = self.write("POST", "/v1/goals".into(), Some(&goal)).await;
        if goal.status == 201 {
            let budget = factories::budget(&goal.id(), 2021, "initial");
            self.write("POST", "/v1/budgets".into(), Some(&budget)).await;
            self.indicator(&goal.id()).await;
        }
    }

    async fn indicator(&mut self, goal: &str) {
        let indicator = factories::indicator(goal, &self.name("指標"));
        let target = factories::at_least(&self.dice.number());
        let indicator = self
            .write(
                "POST",
                "/v1/indicators".into(),
                Some(&with(indicator, json!({ "target": target }))),
            )
            .await;
        let years = [indicator.body["policy_year"].as_i64().unwrap(), 2019];
        for year in &years[..=self.dice.below(2)] {
            let result = with(
                factories::result(i32::try_from(*year).unwrap()),
                json!({ "value": self.dice.number() }),
            );
            let path = format!("/v1/indicators/{}/results/{year}", indicator.id());
            let call = Call::new("PUT", path).header("if-none-match", "*").because("追加");
            self.api.send(call.json(&result)).await.must_be(201);
        }
    }

    pub(crate) async fn step(&mut self) -> Option<()> {
        match self.dice.below(22) {
            0 | 1 => self.found().await,
            2..=4 => {
                let (key, policy) = self.policy().await?;
                let kind = match policy["stage"].as_str()? {
                    "draft" | "withdrawn" => "plan",
                    "plan" => "results",
                    _ => "correction",
                };
                let texts = json!({ "self_evaluation": ["良"], "future_policy": ["続ける"] });
                if kind == "results" {
                    self.patch(format!("/v1/policies/{key}"), texts).await;
                }
                let body = json!({ "kind": kind, "reason": "公表のため" });
                self.write("POST", format!("/v1/policies/{key}/publications"), Some(&body))
                    .await;
            }
            5 => {
                let (key, _) = self.policy().await?;
                let body = json!({ "kind": "withdrawal", "reason": "取下げ" });
                self.write("POST", format!("/v1/policies/{key}/publications"), Some(&body))
                    .await;
            }
            6 | 7 => {
                let goal = self.some("goals").await?;
                let patch = json!({ "title": self.name("課題"), "issue_recognition": self.dice.texts(), "strategies": self.dice.texts() });
                self.patch(format!("/v1/goals/{}", goal["id"].as_str()?), patch).await;
            }
            8 => {
                let goal = self.some("goals").await?;
                let code = format!("{}", 1 + self.dice.below(20));
                self.patch(format!("/v1/goals/{}", goal["id"].as_str()?), json!({ "code": code }))
                    .await;
            }
            9 => {
                let budget = self.some("budgets").await?;
                let patch = match self.dice.below(2) {
                    0 => json!({ "status": "none", "amount_yen": null, "precision_yen": null, "text": "－" }),
                    _ => json!({ "status": "stated", "amount_yen": 0, "precision_yen": 1000, "text": "0" }),
                };
                self.patch(format!("/v1/budgets/{}", budget["id"].as_str()?), patch)
                    .await;
            }
            10 | 11 => {
                let indicator = self.some("indicators").await?;
                let target = factories::at_least(&self.dice.number());
                let patch = json!({ "name": self.name("指標"), "population": null, "position": 1 + self.dice.below(5), "target": target });
                self.patch(format!("/v1/indicators/{}", indicator["id"].as_str()?), patch)
                    .await;
            }
            12 | 13 => {
                let result = self.some("results").await?;
                let at = format!(
                    "/v1/indicators/{}/results/{}",
                    result["indicator_id"].as_str()?,
                    result["fiscal_year"]
                );
                let patch = match self.dice.below(3) {
                    0 => json!({ "value": null, "value_status": "being_compiled", "declared_rating": null }),
                    1 => json!({ "fiscal_year": 2018 + self.dice.below(3) }),
                    _ => json!({ "value": self.dice.number(), "value_status": "reported", "declared_rating": "B" }),
                };
                self.patch(at, patch).await;
            }
            14 => {
                let (key, _) = self.policy().await?;
                let patch = json!({ "vision": self.dice.texts(), "self_evaluation": self.dice.texts(), "head_title": self.name("区長") });
                self.patch(format!("/v1/policies/{key}"), patch).await;
            }
            15 => {
                let (key, _) = self.policy().await?;
                let patch = json!({ "fiscal_year": 2020 + self.dice.below(4) });
                self.patch(format!("/v1/policies/{key}"), patch).await;
            }
            16 => {
                let organization = self.some("organizations").await?;
                let patch = json!({ "slug": self.name("place"), "name": self.name("区") });
                self.patch(format!("/v1/organizations/{}", organization["slug"].as_str()?), patch)
                    .await;
            }
            17 | 18 => self.replace_tree().await?,
            19 => {
                let list = *self.dice.one(&["goals", "budgets", "indicators"])?;
                let item = self.some(list).await?;
                self.write("DELETE", format!("/v1/{list}/{}", item["id"].as_str()?), None)
                    .await;
            }
            20 => {
                let (key, _) = self.policy().await?;
                self.write("DELETE", format!("/v1/policies/{key}"), None).await;
            }
            _ => {
                let (_, policy) = self.policy().await?;
                self.goal(policy["id"].as_str()?).await;
            }
        }
        Some(())
    }

    /// Another order, a goal less, a goal more, another number: all at once.
    async fn replace_tree(&mut self) -> Option<()> {
        let (key, _) = self.policy().await?;
        let path = format!("/v1/policies/{key}/tree");
        let mut tree = self.api.get(&path).await.must_be(200).body;
        let name = self.name("木");
        let goals = tree["goals"].as_array_mut()?;
        if goals.len() > 1 && self.dice.below(2) == 0 {
            goals.remove(self.dice.below(goals.len()));
        }
        for goal in goals.iter_mut() {
            goal["indicators"].as_array_mut()?.reverse();
            if self.dice.below(2) == 0 {
                goal["title"] = json!(name);
                goal["strategies"] = self.dice.texts();
            }
            for indicator in goal["indicators"].as_array_mut()? {
                if self.dice.below(3) == 0 {
                    indicator["results"] = json!([]);
                }
            }
        }
        let code = format!("9-{}", 1 + self.dice.below(99));
        let new = json!({ "code": code, "title": name, "budgets": [], "indicators": [
            with(factories::indicator("", &name), json!({ "id": null, "results": [factories::result(2021)] }))
        ] });
        goals.push(new);
        for indicator in goals.last_mut()?["indicators"].as_array_mut()? {
            indicator
                .as_object_mut()?
                .retain(|key, _| key != "goal_id" && key != "position");
        }
        self.write("PUT", path, Some(&tree)).await;
        Some(())
    }

    async fn look(&mut self) {
        let moment = self.api.moment();
        if self.seen.last().is_some_and(|(_, _, last, _)| *last == moment) {
            return;
        }
        let mut paths: Vec<String> = ["organizations"]
            .iter()
            .chain(&LISTS)
            .map(|list| format!("/v1/{list}"))
            .collect();
        for policy in self.api.list("/v1/policies").await {
            let key = format!("{}/{}", policy["organization"].as_str().unwrap(), policy["fiscal_year"]);
            paths.push(format!("/v1/policies/{key}/tree"));
            paths.push(format!("/v1/policies/{key}/tree?with=evaluation"));
        }
        for path in paths {
            for public in [true, false] {
                let answer = self.get(public, &path).await;
                self.seen.push((public, path.clone(), moment.clone(), answer));
            }
        }
    }

    async fn get(&self, public: bool, path: &str) -> Answer {
        let call = Call::new("GET", path);
        self.api.send(if public { call.anonymous() } else { call }).await
    }

    async fn check(&self) {
        for (public, path, moment, then) in &self.seen {
            let also = if path.contains('?') { '&' } else { '?' };
            let past = self.get(*public, &format!("{path}{also}as_of={moment}")).await;
            assert_eq!(past.status, then.status, "{path} at {moment}");
            if then.status == 200 {
                assert_eq!(
                    (String::from_utf8_lossy(&past.bytes), past.header("etag")),
                    (String::from_utf8_lossy(&then.bytes), then.header("etag")),
                    "{path} at {moment}, public: {public}"
                );
            }
        }
        for policy in self.api.list("/v1/policies").await {
            let key = format!("{}/{}", policy["organization"].as_str().unwrap(), policy["fiscal_year"]);
            self.check_revisions(&key).await;
        }
    }

    async fn check_revisions(&self, key: &str) {
        let revisions = self
            .get(true, &format!("/v1/policies/{key}/revisions?limit=1000"))
            .await;
        for revision in revisions.body["items"].as_array().into_iter().flatten() {
            let number = &revision["number"];
            let document = self
                .get(true, &format!("/v1/policies/{key}/revisions/{number}"))
                .await
                .must_be(200);
            let withdrawn = revision["kind"] == "withdrawal";
            let shown = if withdrawn {
                number.as_i64().unwrap() - 1
            } else {
                number.as_i64().unwrap()
            };
            let id = revision["policy_id"].as_str().unwrap();
            let tree = self
                .get(true, &format!("/v1/policies/{key}/tree?as_of=revision:{shown}"))
                .await;
            // Two policies may have gone by one name, one after the other; then the name of then is meant.
            if tree.status == 200 && tree.body["id"] == id {
                let mut tree = tree.body;
                tree["revision"] = number.clone();
                let canonical = serde_json_canonicalizer::to_string(&factories::as_document(tree)).unwrap();
                assert_eq!(
                    String::from_utf8_lossy(&document.bytes),
                    canonical,
                    "{key} revision {number}"
                );
            } else {
                let years = "select count(distinct after ->> 'fiscal_year')::text as value from change_log where type = 'policy'";
                let moved = self.api.db.values(&format!("{years} and row_id = '{id}'"));
                assert_ne!(moved, ["1"], "{key} revision {number} is not found");
            }
        }
    }
}

async fn every_past_state_reads_as_it_was_seen(seed: u64) {
    let mut world = World::new(seed).await;
    for _ in 0..3 {
        world.found().await;
    }
    for _ in 0..STEPS {
        world.step().await;
        world.look().await;
    }
    world.check().await;
}

#[actix_web::test]
async fn every_past_state_of_one_history_reads_as_it_was_seen() {
    every_past_state_reads_as_it_was_seen(2024).await;
}

#[actix_web::test]
async fn every_past_state_of_another_history_reads_as_it_was_seen() {
    every_past_state_reads_as_it_was_seen(271_063).await;
}

#[actix_web::test]
async fn every_past_state_of_a_third_history_reads_as_it_was_seen() {
    every_past_state_reads_as_it_was_seen(8_617).await;
}
