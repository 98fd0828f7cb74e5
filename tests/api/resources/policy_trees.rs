//! `/v1/policies/{organization}/{year}/tree`: a policy with everything below it.

use diesel::{Connection, connection::SimpleConnection};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api,
    factories::{self, with},
};

pub(crate) mod evaluated;

const PATH: &str = "/v1/policies/nishi/2024/tree";

impl Api {
    async fn tree(&self) -> Answer {
        self.get(PATH).await.must_be(200)
    }

    async fn replaced(&self, change: impl FnOnce(&mut Value)) -> Answer {
        let read = self.tree().await;
        let mut body = read.body.clone();
        change(&mut body);
        self.put(PATH, &read.etag(), &body).await
    }

    /// What has become of the rows of policies since the sample was stored: `table version`, of every row that changed.
    fn changed(&self) -> Vec<String> {
        self.db.values(
            "select case type when 'policy' then 'policies' else type || 's' end || ' ' || version as value from change_log
             where at > (select min(created_at) from revisions) and type <> 'revision' order by 1",
        )
    }
}

fn indicator(name: &str) -> Value {
    let mut indicator = factories::indicator("", name);
    let members = indicator.as_object_mut().unwrap();
    members.remove("goal_id");
    members.remove("position");
    with(indicator, json!({ "results": [] }))
}

fn names(tree: &Value, goal: usize) -> Vec<&str> {
    tree["goals"][goal]["indicators"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["name"].as_str().unwrap())
        .collect()
}

#[actix_web::test]
async fn what_was_read_can_be_sent_back_and_changes_nothing() {
    let api = Api::with_sample().await;
    let read = api.tree().await;
    let stored = api.put(PATH, &read.etag(), &read.body).await.must_be(200);
    assert_eq!((stored.bytes.clone(), stored.etag()), (read.bytes.clone(), read.etag()));
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn what_was_first_stored_can_be_sent_again_without_ids_and_changes_nothing() {
    let api = Api::with_sample().await;
    let read = api.tree().await;
    let form: Value = serde_json::from_str(include_str!("../../forms/nishi-2024.json")).unwrap();
    assert_eq!(api.put(PATH, "*", &form).await.must_be(200).bytes, read.bytes);
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn only_rows_that_differ_are_touched() {
    let api = Api::with_sample().await;
    api.replaced(|tree| {
        tree["goals"][2]["indicators"][0]["target"]["value"] = json!(86);
        tree["goals"][0]["budgets"][1]["amount_yen"] = json!(93_000_000);
        tree["goals"][3]["title"] = json!("区役所づくり");
    })
    .await
    .must_be(200);
    assert_eq!(api.changed(), ["budgets 3", "goals 3", "indicators 3"]);
}

#[actix_web::test]
async fn a_number_written_with_other_zeros_is_the_same_number() {
    let api = Api::with_sample().await;
    let text = include_str!("../../forms/nishi-2024.json").replace("81.2,", "81.200,");
    let body: Value = serde_json::from_str(&text).unwrap();
    api.put(PATH, "*", &body).await.must_be(200);
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn a_tree_is_created_where_there_is_none_and_only_there() {
    let api = Api::with_sample().await;
    let mut form: Value = serde_json::from_str(include_str!("../../forms/nishi-2024.json")).unwrap();
    form["fiscal_year"] = json!(2025);
    form["results_due_on"] = json!(null);
    let path = "/v1/policies/nishi/2025/tree";
    let created = api.create(path, &form).await.must_be(201);
    assert_eq!(created.header("location"), path);
    assert_eq!(created.body["results_due_on"], "2026-06-30");
    assert_eq!(api.get(path).await.must_be(200).etag(), created.etag());
    api.create(path, &form).await.must_be(412);
    api.create("/v1/policies/nishi/2026/tree", &form)
        .await
        .must_refuse(422, &[("/fiscal_year", "path_mismatch")]);
    api.create("/v1/policies/kita/2025/tree", &form)
        .await
        .must_refuse(422, &[("/organization", "path_mismatch")]);
    form["fiscal_year"] = json!(2026);
    form["organization"] = json!("271063");
    api.create("/v1/policies/271063/2026/tree", &form).await.must_be(201);
}

#[actix_web::test]
async fn a_tree_is_put_where_it_belongs() {
    let api = Api::with_sample().await;
    for (change, pointer) in [
        (json!({ "fiscal_year": 2023 }), "/fiscal_year"),
        (json!({ "organization": "kita" }), "/organization"),
    ] {
        let read = api.tree().await;
        let moved = with(read.body.clone(), change);
        let answer = api.put(PATH, &read.etag(), &moved).await;
        answer.must_refuse(422, &[(pointer, "path_mismatch")]);
    }
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn a_tree_that_changed_since_it_was_read_is_not_replaced() {
    let api = Api::with_sample().await;
    let read = api.tree().await;
    let goal = api
        .get(format!("/v1/goals/{}", read.body["goals"][0]["id"].as_str().unwrap()))
        .await;
    api.patch(
        format!("/v1/goals/{}", goal.id()),
        &goal.etag(),
        &json!({ "title": "ほか" }),
    )
    .await
    .must_be(200);
    api.put(PATH, &read.etag(), &read.body).await.must_be(412);
    api.send(crate::support::Call::new("PUT", PATH).json(&read.body))
        .await
        .must_be(428);
    assert_eq!(api.tree().await.body["goals"][0]["title"], "ほか");
}

#[actix_web::test]
async fn goals_keep_their_ids_by_their_codes() {
    let api = Api::with_sample().await;
    let before = api.tree().await.body;
    let after = api
        .replaced(|tree| {
            for goal in tree["goals"].as_array_mut().unwrap() {
                goal["id"] = json!(null);
            }
            tree["goals"][0]["title"] = json!("改めた題");
            tree["goals"][1]["code"] = json!("1-3");
            for row in tree["goals"][1]["budgets"].as_array_mut().unwrap() {
                row["id"] = json!(null);
            }
        })
        .await
        .must_be(200)
        .body;
    assert_eq!(after["goals"][0]["id"], before["goals"][0]["id"]);
    assert_eq!(
        (
            &after["goals"][1]["code"],
            after["goals"][1]["id"] == before["goals"][1]["id"]
        ),
        (&json!("1-3"), false)
    );
}

#[actix_web::test]
async fn indicators_keep_their_ids_by_id_else_by_name_within_the_goal() {
    let api = Api::with_sample().await;
    let before = api.tree().await.body;
    let old = |n: usize| before["goals"][0]["indicators"][n]["id"].clone();
    let after = api
        .replaced(|tree| {
            let list = tree["goals"][0]["indicators"].as_array_mut().unwrap();
            list[0]["name"] = json!("言い換えた名称"); // known by its id
            list[1]["id"] = json!(null); // known by its name
            list[2] = indicator("新しい指標");
        })
        .await
        .must_be(200)
        .body;
    let new = |n: usize| after["goals"][0]["indicators"][n]["id"].clone();
    assert_eq!((new(0), new(1)), (old(0), old(1)));
    assert_ne!(new(2), old(2));
    let series = |tree: &Value, n: usize| tree["goals"][0]["indicators"][n]["series_id"].clone();
    assert_eq!(
        series(&after, 0),
        series(&before, 0),
        "a reworded indicator stays in its series"
    );
}

#[actix_web::test]
async fn indicators_swap_names_change_places_and_move_between_goals() {
    let api = Api::with_sample().await;
    let before = api.tree().await.body;
    let after = api
        .replaced(|tree| {
            let list = tree["goals"][0]["indicators"].as_array_mut().unwrap();
            let (first, second) = (list[0]["name"].clone(), list[1]["name"].clone());
            list[0]["name"] = second;
            list[1]["name"] = first;
            list.reverse();
            let moved = list.remove(0);
            tree["goals"][1]["indicators"].as_array_mut().unwrap().push(moved);
        })
        .await
        .must_be(200)
        .body;
    let old = before["goals"][0]["indicators"].as_array().unwrap();
    assert_eq!(
        names(&after, 0),
        [old[0]["name"].as_str().unwrap(), old[1]["name"].as_str().unwrap()]
    );
    assert_eq!(after["goals"][0]["indicators"][0]["id"], old[1]["id"]);
    assert_eq!(after["goals"][1]["indicators"][2]["id"], old[2]["id"]);
}

#[actix_web::test]
async fn an_indicator_moves_out_of_a_goal_that_goes_and_keeps_its_results() {
    let api = Api::with_sample().await;
    let id = api.tree().await.body["goals"][2]["indicators"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    api.result(&id, 2024).await;
    let after = api
        .replaced(|tree| {
            let mut gone = tree["goals"].as_array_mut().unwrap().remove(2);
            let moved = gone["indicators"].as_array_mut().unwrap().remove(0);
            tree["goals"][0]["indicators"].as_array_mut().unwrap().push(moved);
        })
        .await
        .must_be(200)
        .body;
    assert_eq!(after["goals"].as_array().unwrap().len(), 3);
    assert_eq!(after["goals"][0]["indicators"][3]["id"], json!(id));
    api.get(format!("/v1/indicators/{id}/results/2024")).await.must_be(200);
}

#[actix_web::test]
async fn what_the_tree_leaves_out_goes_with_all_below_it() {
    let api = Api::with_sample().await;
    let id = api.tree().await.body["goals"][0]["indicators"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    api.result(&id, 2024).await;
    api.replaced(|tree| tree["goals"] = json!([])).await.must_be(200);
    for path in ["/v1/goals", "/v1/budgets", "/v1/indicators", "/v1/results"] {
        assert_eq!(api.list(path).await.len(), 0, "{path}");
    }
    api.get("/v1/policies/nishi/2024").await.must_be(200);
}

#[actix_web::test]
async fn results_come_and_go_with_the_tree() {
    let api = Api::with_sample().await;
    let result = |value: Value, status: &str| {
        with(
            factories::result(2024),
            json!({ "value": value, "value_status": status, "declared_rating": null }),
        )
    };
    let set = async |results: Value| {
        api.replaced(|tree| tree["goals"][0]["indicators"][0]["results"] = results)
            .await
            .must_be(200)
    };
    set(json!([
        result(json!(0), "reported"),
        with(result(json!(null), "being_compiled"), json!({ "fiscal_year": 2025 }))
    ]))
    .await;
    assert_eq!(api.list("/v1/results?sort=fiscal_year").await[0]["value"], 0);
    set(json!([result(json!(47.9), "reported")])).await;
    let left = api.list("/v1/results").await;
    assert_eq!(
        (left.len(), &left[0]["value"], &left[0]["version"]),
        (1, &json!(47.9), &json!(2))
    );
}

#[actix_web::test]
async fn every_mistake_in_a_tree_is_named_where_it_stands() {
    let api = Api::with_sample().await;
    let answer = api
        .replaced(|tree| {
            tree["goals"][0]["code"] = json!("1-2");
            tree["goals"][0]["budgets"][0]["amount_yen"] = json!(null);
            tree["goals"][0]["budgets"][1]["amount_yen"] = json!(1);
            let double = tree["goals"][1]["indicators"][0].clone();
            tree["goals"][1]["indicators"].as_array_mut().unwrap().push(double);
            tree["goals"][2]["indicators"][0]["target"]["upper"] = json!(90);
            tree["goals"][3]["indicators"][0]["results"] = json!([
                factories::result(2024),
                with(factories::result(2024), json!({ "value": null }))
            ]);
            tree["results_due_on"] = json!("2024-03-31");
        })
        .await;
    answer.must_refuse(
        422,
        &[
            ("/results_due_on", "order"),
            ("/goals/1", "repeated"),
            ("/goals/0/budgets/0/amount_yen", "status"),
            ("/goals/0/budgets/1/amount_yen", "precision"),
            ("/goals/1/indicators/2", "repeated"),
            ("/goals/1/indicators/2/id", "repeated"),
            ("/goals/2/indicators/0/target/upper", "target"),
            ("/goals/3/indicators/0/results/1", "repeated"),
            ("/goals/3/indicators/0/results/1/value", "value_status"),
        ],
    );
    let shape = api
        .replaced(|tree| {
            tree["goals"][0]["titel"] = json!("x");
            tree["goals"][1]["indicators"][0]["direction"] = json!("higher_is_bettter");
            tree["goals"][2].as_object_mut().unwrap().remove("title");
            tree["goals"][3]["budgets"][0]["fiscal_year"] = json!("2024");
        })
        .await;
    shape.must_refuse(
        422,
        &[
            ("/goals/0/titel", "unknown_field"),
            ("/goals/1/indicators/0/direction", "unknown_code"),
            ("/goals/2/title", "required"),
            ("/goals/3/budgets/0/fiscal_year", "type"),
        ],
    );
    assert_eq!(shape.suggestion("/goals/0/titel").as_deref(), Some("title"));
    assert_eq!(
        shape.suggestion("/goals/1/indicators/0/direction").as_deref(),
        Some("higher_is_better")
    );
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn identities_that_are_not_the_stored_ones_are_refused() {
    let api = Api::with_sample().await;
    let answer = api
        .replaced(|tree| {
            tree["id"] = json!(factories::new_id());
            tree["organization_name"] = json!("東区");
            tree["goals"][0]["id"] = tree["goals"][1]["id"].clone();
            tree["goals"][0]["budgets"][0]["id"] = json!(factories::new_id());
            tree["goals"][2]["indicators"][0]["id"] = json!(factories::new_id());
        })
        .await;
    answer.must_refuse(
        409,
        &[
            ("/id", "identity"),
            ("/organization_name", "read_only"),
            ("/goals/0/id", "identity"),
            ("/goals/0/budgets/0/id", "identity"),
            ("/goals/2/indicators/0/id", "identity"),
        ],
    );
    assert_eq!(api.changed(), Vec::<String>::new());
}

#[actix_web::test]
async fn of_two_who_replace_a_tree_at_once_one_is_told() {
    let api = Api::with_sample().await;
    let read = api.tree().await;
    let body = |title: &str| {
        let mut body = read.body.clone();
        body["goals"][0]["title"] = json!(title);
        body
    };
    let (first, second) = (body("一人目"), body("二人目"));
    let tag = read.etag();
    let (a, b) = futures_util::future::join(api.put(PATH, &tag, &first), api.put(PATH, &tag, &second)).await;
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(api.changed(), ["goals 3"]);
}

#[actix_web::test]
async fn one_statement_reads_a_tree_whatever_its_size() {
    let api = Api::with_sample().await;
    let large = api
        .replaced(|tree| {
            let many: Vec<_> = (0..60).map(|n| indicator(&format!("指標{n}"))).collect();
            tree["goals"][0]["indicators"] = json!(many);
        })
        .await
        .must_be(200);
    let policy = api.policy("kita", 2024).await;
    let goal = api.goal(&policy.id(), "1-1").await;
    api.indicator(&goal.id(), "指標").await;
    api.publish("kita/2024", "plan").await.must_be(201);
    let queries = |organization: &str| {
        let mut conn = api.db.connect();
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = std::sync::Arc::clone(&count);
        conn.set_instrumentation(move |event: diesel::connection::InstrumentationEvent<'_>| {
            if matches!(event, diesel::connection::InstrumentationEvent::StartQuery { .. }) {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        conn.batch_execute("select 1").unwrap();
        let key = (
            organization.parse().unwrap(),
            ward_policy::value::FiscalYear::new(2024).unwrap(),
        );
        ward_policy::resources::policy_trees::store::Rows::find(&mut conn, &key).unwrap();
        count.load(std::sync::atomic::Ordering::Relaxed)
    };
    assert_eq!(large.body["goals"][0]["indicators"].as_array().unwrap().len(), 60);
    assert_eq!(queries("nishi"), queries("kita"));
    assert_eq!(queries("nishi"), 2, "one is the test's own");
}
