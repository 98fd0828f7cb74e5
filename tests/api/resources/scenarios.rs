//! `/v1/scenarios` and the invented data behind them: whatever an answer can say is said there, and each scenario shows what it says.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{PgConnection, connection::SimpleConnection as _};
use serde_json::{Value, json};
use ward_policy::cli::sample;

use crate::support::{Answer, Api, Call};

/// The day to look from.
const ON: &str = "on=2025-08-01";

/// Lists of which no code stands in an answer, beside those of sorts and columns: what callers ask for or how, and what is said
/// of a body that they send.
const OF_CALLERS: [&str; 12] = [
    "budget_group",
    "confidence",
    "evaluation_group",
    "export_encoding",
    "export_format",
    "export_names",
    "import_format",
    "list_format",
    "parse",
    "rewording",
    "severity",
    "tree_addition",
];

/// Codes that no public answer holds.
const HIDDEN: [(&str, &str, &str); 4] = [
    ("policy_stage", "draft", "the public sees no draft"),
    (
        "policy_stage",
        "withdrawn",
        "the public sees no withdrawn policy, only its revisions",
    ),
    ("reporting", "draft", "to the public a draft is missing"),
    ("change_type", "token", "tokens are in the audit alone"),
];

fn is_of_callers(list: &str) -> bool {
    list.ends_with("_sort") || list.ends_with("_column") || OF_CALLERS.contains(&list)
}

/// The invented data, as anybody reads it.
struct Public {
    api: Api,
    contract: Value,
    /// The names of the code lists, by their codes.
    lists: BTreeMap<Vec<String>, String>,
    /// The codes that answers held, by the name of their list.
    held: BTreeMap<String, BTreeSet<String>>,
}

impl Public {
    async fn read(&self, path: &str) -> Answer {
        self.api.send(Call::new("GET", path).anonymous()).await.must_be(200)
    }

    async fn items(&self, path: &str) -> Vec<Value> {
        let answer = self.read(path).await.body;
        assert_eq!(answer["next_cursor"], Value::Null, "{path} has another page");
        answer["items"].as_array().unwrap().clone()
    }

    /// Notes the codes in an answer of an operation.
    async fn look(&mut self, operation: &str, path: &str) {
        let answer = self.read(path).await.body;
        let response = &self.contract["paths"][operation]["get"]["responses"]["200"];
        let schema = self.named(response)["content"]["application/json"]["schema"].clone();
        assert!(schema.is_object(), "{operation}");
        self.note(&schema, &answer);
    }

    /// A part of the contract, where it only refers to one that part.
    fn named<'a>(&'a self, part: &'a Value) -> &'a Value {
        part["$ref"]
            .as_str()
            .map_or(part, |pointer| self.contract.pointer(&pointer[1..]).unwrap())
    }

    fn note(&mut self, schema: &Value, value: &Value) {
        if schema["$ref"].is_string() {
            let named = self.named(schema).clone();
            return self.note(&named, value);
        }
        if let (Some(codes), Some(code)) = (schema["enum"].as_array(), value.as_str()) {
            let codes: Vec<String> = codes.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if let Some(list) = self.lists.get(&codes)
                && codes.iter().any(|known| known == code)
            {
                self.held.entry(list.clone()).or_default().insert(code.to_owned());
            }
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            for part in schema[key].as_array().into_iter().flatten() {
                self.note(part, value);
            }
        }
        for (key, member) in value.as_object().into_iter().flatten() {
            self.note(&schema["properties"][key], member);
        }
        for item in value.as_array().into_iter().flatten() {
            self.note(&schema["items"], item);
        }
    }
}

async fn public() -> Public {
    let api = Api::with_scenarios().await;
    let mut lists = BTreeMap::new();
    for list in api.list("/v1/codelists").await {
        let codes = list["codes"].as_array().unwrap().iter();
        let codes = codes.map(|code| code["code"].as_str().unwrap().to_owned()).collect();
        lists.insert(codes, list["name"].as_str().unwrap().to_owned());
    }
    Public {
        api,
        contract: serde_json::to_value(ward_policy::server::app::spec()).unwrap(),
        lists,
        held: BTreeMap::new(),
    }
}

#[actix_web::test]
async fn every_code_that_an_answer_can_hold_is_held_by_one() {
    let mut public = public().await;
    for list in [
        "organizations",
        "policies",
        "goals",
        "budgets",
        "budgets/vintages",
        "indicators",
        "results",
        "series",
        "findings",
        "changes",
    ] {
        let path = format!("/v1/{list}");
        public.look(&path, &format!("{path}?limit=1000")).await;
    }
    public
        .look("/v1/evaluations", &format!("/v1/evaluations?limit=1000&{ON}"))
        .await;
    public
        .look("/v1/evaluations/summary", &format!("/v1/evaluations/summary?{ON}"))
        .await;
    public
        .look("/v1/coverage", &format!("/v1/coverage?fiscal_year=2023..2025&{ON}"))
        .await;
    let mut policies = vec!["/v1/policies/example-water/2025".to_owned()];
    for policy in public.items("/v1/policies?limit=1000").await {
        let organization = policy["organization"].as_str().unwrap();
        let path = format!("/v1/policies/{organization}/{}", policy["fiscal_year"]);
        let tree = format!("{path}/tree?with=evaluation&{ON}");
        public
            .look("/v1/policies/{organization}/{fiscal_year}/tree", &tree)
            .await;
        policies.push(path);
    }
    let revisions = "/v1/policies/{organization}/{fiscal_year}/revisions";
    for policy in policies {
        let path = format!("{policy}/revisions");
        public.look(revisions, &path).await;
        for number in 2..=public.items(&path).await.len() {
            let path = format!("{path}/{number}/diff?from={}", number - 1);
            public.look(&format!("{revisions}/{{number}}/diff"), &path).await;
        }
    }
    for indicator in public.items("/v1/indicators?limit=1000").await {
        let path = format!("/v1/indicators/{}", indicator["id"].as_str().unwrap());
        let evaluation = format!("{path}/evaluation?{ON}");
        public.look("/v1/indicators/{id}/evaluation", &evaluation).await;
        let predecessors = format!("{path}/predecessors");
        public.look("/v1/indicators/{id}/predecessors", &predecessors).await;
    }
    for series in public.items("/v1/series?limit=1000").await {
        let path = format!("/v1/series/{}?{ON}", series["series_id"].as_str().unwrap());
        public.look("/v1/series/{series_id}", &path).await;
    }

    let is_hidden = |list: &str, code: &str| {
        let mut hidden = HIDDEN.iter();
        is_of_callers(list) || hidden.any(|(of, known, _)| (*of, *known) == (list, code))
    };
    for (codes, list) in &public.lists {
        for code in codes {
            let is_held = public.held.get(list).is_some_and(|held| held.contains(code));
            assert_ne!(is_held, is_hidden(list, code), "{list}: {code}");
        }
    }
}

/// What scenarios show: the place of an address, a pointer into its answer, and what stands there.
fn shown() -> Vec<(&'static str, usize, &'static str, Value)> {
    vec![
        ("half_reported", 0, "/roll_up/total", json!(12)),
        ("half_reported", 0, "/roll_up/achieved", json!(5)),
        ("half_reported", 0, "/roll_up/not_achieved", json!(1)),
        ("half_reported", 0, "/roll_up/pending", json!(1)),
        ("half_reported", 0, "/roll_up/not_evaluable", json!(5)),
        ("published_late", 0, "/items/0/state", json!("results")),
        ("published_late", 0, "/items/0/days_late", json!(20)),
        ("late", 0, "/roll_up/overdue", json!(3)),
        ("late", 0, "/roll_up/not_achieved", json!(0)),
        ("late", 1, "/items/0/state", json!("late")),
        ("late", 1, "/items/0/days_late", json!(32)),
        ("not_due_yet", 0, "/roll_up/pending", json!(4)),
        ("corrected_after_publication", 0, "/items/0/kind", json!("correction")),
        ("corrected_after_publication", 0, "/items/0/number", json!(3)),
        (
            "declared_against_the_rule",
            0,
            "/evaluation/ratings/declared",
            json!("B"),
        ),
        (
            "declared_against_the_rule",
            0,
            "/evaluation/ratings/computed",
            json!("A"),
        ),
        (
            "declared_against_the_rule",
            0,
            "/evaluation/ratings/consistent",
            json!(false),
        ),
        ("declared_against_the_rule", 1, "/items/0/kind", json!("rating_differs")),
        ("a_hair_short", 0, "/evaluation/outcome", json!("not_achieved")),
        ("a_hair_short", 0, "/evaluation/rounding_sensitive", json!(true)),
        ("cumulative_met_early", 0, "/evaluation/outcome", json!("achieved")),
        ("cumulative_met_early", 0, "/evaluation/reason", json!("early")),
        ("period_running", 0, "/evaluation/outcome", json!("in_progress")),
        ("zero_is_best", 0, "/evaluation/outcome", json!("achieved")),
        ("zero_is_best", 0, "/evaluation/previous/recorded", json!(1)),
        ("unread_target", 0, "/evaluation/reason", json!("target_unread")),
        ("unread_target", 1, "/items/0/kind", json!("target_unread")),
        ("reference_missing", 0, "/evaluation/reason", json!("reference_missing")),
        ("every_comparator", 0, "/items/0/organization", json!("example-digital")),
        ("series_with_breaks", 0, "/years/1/breaks/0/kind", json!("reworded")),
        ("another_goes_on", 0, "/years/0/organization", json!("example-culture")),
        ("another_goes_on", 0, "/years/1/organization", json!("example-aoba")),
        ("does_not_fit", 0, "/items/0/organization", json!("example-aoba")),
        ("does_not_fit", 1, "/items/0/organization", json!("example-parks")),
        ("budget_to_actual", 0, "/items/0/organization", json!("example-water")),
        ("changed_plan", 0, "/items/0/kind", json!("correction")),
        ("withdrawn", 0, "/items/0/kind", json!("withdrawal")),
        ("withdrawn", 1, "/items/0/state", json!("withdrawn")),
    ]
}

#[actix_web::test]
async fn every_scenario_shows_what_it_says() {
    let public = public().await;
    let scenarios = public.read("/v1/scenarios").await.body["items"].clone();
    let mut listed = BTreeSet::new();
    for scenario in scenarios.as_array().unwrap() {
        let code = scenario["code"].as_str().unwrap();
        assert!(listed.insert(code.to_owned()), "{code} is there twice");
        assert_eq!(scenario["on"], "2025-08-01");
        for (place, address) in scenario["addresses"].as_array().unwrap().iter().enumerate() {
            let answer = public.read(address.as_str().unwrap()).await.body;
            for (_, _, pointer, expected) in shown().iter().filter(|it| (it.0, it.1) == (code, place)) {
                assert_eq!(answer.pointer(pointer), Some(expected), "{code}: {address} {pointer}");
            }
        }
    }
    let example = &public.contract["components"]["schemas"]["Scenarios"]["example"]["items"];
    assert_eq!(example[0], scenarios[0]);
    let known: BTreeSet<String> = shown().iter().map(|it| it.0.to_owned()).collect();
    assert_eq!(listed, known);

    // As all of a kind, these show what no single member does.
    let of = |code: &str, place: usize| {
        let mut all = scenarios.as_array().unwrap().iter();
        let scenario = all.find(|scenario| scenario["code"] == code).unwrap();
        scenario["addresses"][place].as_str().unwrap().to_owned()
    };
    let rows = public.read(&of("every_comparator", 0)).await.body["items"].clone();
    let comparators: BTreeSet<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["comparator"].to_string())
        .collect();
    assert_eq!(comparators.len(), 16);
    let patch = |answer: &Answer, path: &str| {
        let mut steps = answer.body["patch"].as_array().unwrap().iter().cloned();
        steps
            .find(|step| step["path"] == path)
            .map(|step| step["value"].clone())
    };
    let corrected = public.read(&of("corrected_after_publication", 1)).await;
    let value = patch(&corrected, "/goals/0/indicators/0/results/0/value");
    assert_eq!(value, Some(json!(48.7)));
    let renamed = public.read(&of("changed_plan", 1)).await;
    assert!(
        patch(&renamed, "/goals/0/indicators/0/name").is_some(),
        "{}",
        renamed.body
    );
}

#[actix_web::test]
async fn invented_data_says_that_it_is() {
    let public = public().await;
    let organizations = public.items("/v1/organizations?limit=1000").await;
    assert_eq!(organizations.len(), 6);
    for organization in &organizations {
        let (name, english) = (organization["name"].to_string(), organization["name_en"].to_string());
        assert!(name.contains("（架空）") && english.contains("(invented)"), "{name}");
    }
    let policies = public.items("/v1/policies?limit=1000").await;
    let years: BTreeSet<String> = policies
        .iter()
        .map(|policy| policy["fiscal_year"].to_string())
        .collect();
    assert_eq!(years.len(), 3);
    for policy in &policies {
        let source = policy["source"].as_str().unwrap();
        assert!(
            source.starts_with("架空のデータ") && source.contains("Invented data"),
            "{source}"
        );
    }
}

#[actix_web::test]
async fn where_nothing_is_invented_no_scenario_is_listed() {
    let api = Api::with_sample().await;
    assert_eq!(api.get("/v1/scenarios").await.must_be(200).body, json!({ "items": [] }));
    let invented = public().await;
    let first = invented.read("/v1/scenarios").await;
    let again = Call::new("GET", "/v1/scenarios").anonymous();
    let again = again.header("if-none-match", first.etag());
    assert!(invented.api.send(again).await.must_be(304).bytes.is_empty());
}

#[actix_web::test]
async fn a_start_that_was_cut_off_is_finished_by_the_next() {
    let (whole, api) = (Api::with_scenarios().await, Api::new().await);
    let mut conn = api.db.connect();
    let fill = |conn: &mut PgConnection| sample::scenarios::fill(conn);
    conn.batch_execute(
        "create function cut_off() returns trigger language plpgsql as $$ begin raise exception 'cut off'; end $$;
         create trigger cut_off before insert on revisions for each row when (new.number = 2) execute function cut_off()",
    )
    .unwrap();
    fill(&mut conn).unwrap_err();
    let begun = api.get("/v1/policies").await.body["items"].as_array().unwrap().len();
    assert!(begun > 0 && begun < whole.list("/v1/policies").await.len(), "{begun}");
    conn.batch_execute("drop function cut_off cascade").unwrap();
    fill(&mut conn).unwrap();
    // A start with everything there changes nothing.
    let seq = api.get("/v1/changes/head").await.body["seq"].clone();
    fill(&mut conn).unwrap();
    assert_eq!(api.get("/v1/changes/head").await.body["seq"], seq);

    assert_eq!(whole.get("/v1/changes/head").await.body["seq"], seq);
    for path in [
        "/v1/evaluations/summary?group_by=organization,fiscal_year&on=2025-08-01",
        "/v1/coverage?fiscal_year=2023..2025&on=2025-08-01",
    ] {
        assert_eq!(api.list(path).await, whole.list(path).await, "{path}");
    }
    let revisions = "/v1/policies/example-aoba/2024/revisions";
    assert_eq!(api.list(revisions).await.len(), whole.list(revisions).await.len());
}
