//! What several callers do at once: one state per read, one winner per write, and nobody is told of a failure.

use std::{cell::Cell, thread, time::Duration};

use actix_web::rt::time::sleep;
use diesel::{PgConnection, connection::SimpleConnection};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{self, Nishi, as_document, new_id, result, with},
    secrets::{Secrets, Who},
};

const TREE: &str = "/v1/policies/nishi/2024/tree";

impl Api {
    /// Holds the writers' lock, as a writer in the middle of a transaction does, until the connection rolls back.
    fn held(&self) -> PgConnection {
        let mut conn = self.db.connect();
        conn.batch_execute("begin; select begin_write('test', '', '', '')")
            .unwrap();
        conn
    }

    /// Waits until so many writers wait for a lock.
    pub(crate) async fn until_waiting(&self, writers: usize) {
        let waiting = "select pid::text as value from pg_stat_activity \
                       where datname = current_database() and wait_event_type = 'Lock'";
        while self.db.values(waiting).len() < writers {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The answers to a first call, and to a second one that comes while the first waits for its turn to write.
    async fn meeting(&self, first: Call, second: Call) -> (u16, u16) {
        let mut held = self.held();
        let later = async {
            self.until_waiting(1).await;
            let release = async {
                self.until_waiting(2).await;
                held.batch_execute("rollback").unwrap();
            };
            join(self.send(second), release).await.0.status
        };
        let (first, second) = join(self.send(first), later).await;
        (first.status, second)
    }
}

fn put(path: impl AsRef<str>, body: &Value) -> Call {
    Call::new("PUT", path)
        .header("if-match", "*")
        .because("試験")
        .json(body)
}

fn create(path: impl AsRef<str>, body: &Value) -> Call {
    Call::new("PUT", path)
        .header("if-none-match", "*")
        .because("試験")
        .json(body)
}

fn patch(path: impl AsRef<str>, body: &Value) -> Call {
    Call::new("PATCH", path)
        .header("if-match", "*")
        .because("試験")
        .json(body)
}

fn bulk(entries: &[(&str, Value)]) -> Call {
    let items: Vec<_> = entries
        .iter()
        .map(|(id, result)| json!({ "indicator_id": id, "version": null, "result": result }))
        .collect();
    Call::new("POST", "/v1/results").json(&json!({ "items": items }))
}

async fn at_once(api: &Api, calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    join_all(calls.into_iter().map(|call| api.send(call))).await
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

#[actix_web::test]
async fn of_several_who_create_the_same_one_does_and_the_others_are_told() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let (policy, goal, indicator) = (nishi.policy.id(), nishi.goal.id(), nishi.indicator.id());
    let tree = api.get(TREE).await.must_be(200).body;
    let tree = with(tree, json!({ "id": null, "goals": [], "results_due_on": null }));
    for round in 0..5_i32 {
        let year = 2025 + round;
        let slug = format!("kyoku-{round}");
        for (path, body) in [
            (
                format!("/v1/goals/{}", new_id()),
                factories::goal(&policy, &format!("2-{}", round + 1)),
            ),
            (
                format!("/v1/budgets/{}", new_id()),
                factories::budget(&goal, year, "initial"),
            ),
            (
                format!("/v1/indicators/{}", new_id()),
                factories::indicator(&goal, &format!("指標{round}")),
            ),
            (format!("/v1/organizations/{slug}"), factories::bureau(&slug)),
            (format!("/v1/policies/nishi/{year}"), factories::policy("nishi", year)),
            (format!("/v1/indicators/{indicator}/results/{year}"), result(year)),
            (
                format!("/v1/policies/nishi/{}/tree", year + 10),
                with(tree.clone(), json!({ "fiscal_year": year + 10 })),
            ),
        ] {
            let answers = statuses(&at_once(&api, vec![create(&path, &body); 6]).await);
            let created = answers.iter().filter(|status| **status == 201).count();
            let told = answers.iter().filter(|status| [409, 412].contains(status)).count();
            assert_eq!((created, told), (1, 5), "{path}: {answers:?}");
        }
    }
}

#[actix_web::test]
async fn what_is_read_while_a_policy_is_replaced_is_what_it_was_or_what_it_is() {
    const READ: &str = "/v1/policies/nishi/2024/evaluation?on=2025-08-01";
    let api = Api::with_sample().await;
    let one = api.get(TREE).await.must_be(200);
    let mut body = one.body.clone();
    body["head_name"] = json!("後任");
    for goal in body["goals"].as_array_mut().unwrap() {
        goal["title"] = json!(format!("改めた{}", goal["title"].as_str().unwrap()));
        for budget in goal["budgets"].as_array_mut().unwrap() {
            budget["amount_yen"] = json!(1_000_000);
        }
        for indicator in goal["indicators"].as_array_mut().unwrap() {
            indicator["target"]["value"] = json!(1);
            indicator["results"] = json!([result(2024)]);
        }
    }
    let evaluated = api.get(READ).await.must_be(200);
    let other = api.put(TREE, &one.etag(), &body).await.must_be(200);
    // Every replacement is a correction, with a number of its own.
    let unnumbered = |body: &Value| with(body.clone(), json!({ "revision": null }));
    let trees = [unnumbered(&one.body), unnumbered(&other.body)];
    let evaluations = [evaluated.body, api.get(READ).await.must_be(200).body].map(|body| unnumbered(&body));
    let states = [one.body, other.body];
    let writing = Cell::new(true);

    let writer = async {
        for round in 0..16 {
            // Results come and go, and each time are of the first version.
            let state = as_document(states[round % 2].clone());
            let stored = api.put(TREE, "*", &state).await.must_be(200);
            assert_eq!(unnumbered(&stored.body), trees[round % 2]);
        }
        writing.set(false);
    };
    let reader = async |path: &str, known: &[Value; 2]| {
        while writing.get() {
            let read = api.get(path).await.must_be(200);
            assert!(
                known.contains(&unnumbered(&read.body)),
                "neither of the two: {}",
                read.body
            );
        }
    };
    let of_trees = join_all((0..3).map(|_| reader(TREE, &trees)));
    let of_evaluations = join_all((0..3).map(|_| reader(READ, &evaluations)));
    join(writer, join(of_trees, of_evaluations)).await;
}

#[actix_web::test]
async fn the_same_new_results_sent_in_opposite_orders_are_all_stored_once() {
    let api = Api::new().await;
    let goal = api.nishi_goal().await.id();
    let (one, other) = (
        api.indicator(&goal, "一").await.id(),
        api.indicator(&goal, "二").await.id(),
    );
    for round in 0..5 {
        let years = 2000 + round * 10..2010 + round * 10;
        let mut entries: Vec<_> = years
            .flat_map(|year| [(one.as_str(), result(year)), (other.as_str(), result(year))])
            .collect();
        let there = bulk(&entries);
        entries.reverse();
        let back = bulk(&entries);
        let calls = [&there, &back, &there, &back, &there, &back].map(Clone::clone);
        let answers = at_once(&api, calls).await;
        assert_eq!(statuses(&answers), [200; 6]);
        let created: u64 = answers.iter().map(|a| a.body["created"].as_u64().unwrap()).sum();
        assert_eq!(created, 20);
    }
    assert_eq!(api.list("/v1/results?limit=1000").await.len(), 100);
}

#[actix_web::test]
async fn many_results_meet_one_of_them() {
    let api = Api::new().await;
    let indicator = api.nishi_indicator().await.id();
    for year in 2000..2010 {
        let path = format!("/v1/indicators/{indicator}/results/{year}");
        let entries: Vec<_> = (year..year + 3)
            .map(|year| (indicator.as_str(), result(year)))
            .collect();
        let single = create(&path, &result(year));
        let answers = at_once(&api, [single.clone(), bulk(&entries), single, bulk(&entries)]).await;
        for answer in &answers {
            let text = String::from_utf8_lossy(&answer.bytes);
            assert!([200, 201, 409, 412].contains(&answer.status), "{text}");
        }
    }
    assert_eq!(api.list("/v1/results").await.len(), 12);
}

#[actix_web::test]
async fn one_of_many_results_that_comes_while_they_are_stored_waits_for_them() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let indicator = nishi.indicator.id();
    let many = bulk(&[(&indicator, result(2023)), (&indicator, result(2024))]);
    let one = create(format!("/v1/indicators/{indicator}/results/2023"), &result(2023));
    let answers = api.meeting(many, one).await;
    assert_eq!(answers, (200, 412));
}

#[actix_web::test]
async fn many_results_meet_a_policy_that_is_replaced() {
    let api = Api::with_sample().await;
    let read = api.get(TREE).await.must_be(200);
    let goals = read.body["goals"].as_array().unwrap();
    let indicators = goals.iter().flat_map(|goal| goal["indicators"].as_array().unwrap());
    let ids: Vec<&str> = indicators.map(|i| i["id"].as_str().unwrap()).collect();
    for round in 0..6 {
        // There is no result at first.
        api.put(TREE, "*", &read.body).await.must_be(200);
        let mut tree = read.body.clone();
        tree["head_name"] = json!(format!("{round}人目"));
        for goal in tree["goals"].as_array_mut().unwrap() {
            for indicator in goal["indicators"].as_array_mut().unwrap() {
                indicator["results"] = json!([result(2024), result(2030 + round)]);
            }
        }
        let entries: Vec<_> = ids.iter().rev().map(|id| (*id, result(2024 + round))).collect();
        let tag = api.get(TREE).await.etag();
        let seen = Call::new("PUT", TREE)
            .header("if-match", tag)
            .because("試験")
            .json(&tree);
        let answers = at_once(&api, [bulk(&entries), seen, bulk(&entries), put(TREE, &tree)]).await;
        let answers = statuses(&answers);
        assert!([200, 412].contains(&answers[1]), "{answers:?}");
        assert_eq!((answers[0], answers[2], answers[3]), (200, 200, 200));
    }
}

#[actix_web::test]
async fn a_policy_is_replaced_while_its_parts_change_and_no_change_is_lost() {
    let api = Api::with_sample().await;
    let first = api.get(TREE).await.must_be(200).body;
    let goal = |n: usize| first["goals"][n]["id"].as_str().unwrap().to_owned();
    let indicator = |n: usize, m: usize| first["goals"][n]["indicators"][m]["id"].as_str().unwrap().to_owned();
    let (moving, resting) = (indicator(0, 0), indicator(2, 0));
    let (mut replaced, mut refused) = (0, 0);
    for round in 0..20 {
        let mark = format!("{round}回目");
        let read = api.get(TREE).await.must_be(200);
        let mut tree = read.body.clone();
        tree["head_name"] = json!(mark);
        tree["goals"][2]["indicators"][0]["population"] = json!(mark);
        // Every member is written by one of these and no other: whoever was told that it is stored finds it.
        let home = goal(usize::from(round % 2 == 0));
        let calls = [
            Call::new("PUT", TREE)
                .header("if-match", read.etag())
                .because("試験")
                .json(&tree),
            patch(format!("/v1/goals/{}", goal(0)), &json!({ "title": mark })),
            patch(format!("/v1/goals/{}", goal(0)), &json!({ "strategies": [mark] })),
            patch(format!("/v1/goals/{}", goal(1)), &json!({ "title": mark })),
            patch(format!("/v1/indicators/{moving}"), &json!({ "goal_id": home })),
            patch(format!("/v1/indicators/{moving}"), &json!({ "population": mark })),
            patch(
                format!("/v1/indicators/{resting}"),
                &json!({ "comparable_reason": mark }),
            ),
        ];
        // Not always the tree first.
        let mut order: Vec<usize> = (0..calls.len()).collect();
        order.rotate_left(round % calls.len());
        let answers = at_once(&api, order.iter().map(|n| calls[*n].clone())).await;
        let status = |n: usize| answers[order.iter().position(|m| *m == n).unwrap()].status;
        assert!((1..calls.len()).all(|n| status(n) == 200), "{:?}", statuses(&answers));

        let now = api.get(TREE).await.must_be(200).body;
        let stored = match status(0) {
            200 => json!(mark),
            412 => read.body["head_name"].clone(),
            other => panic!("{other}"),
        };
        replaced += usize::from(status(0) == 200);
        refused += usize::from(status(0) == 412);
        assert_eq!(now["head_name"], stored);
        assert_eq!(now["goals"][2]["indicators"][0]["population"] == mark, status(0) == 200);
        assert_eq!(
            (&now["goals"][0]["title"], &now["goals"][1]["title"]),
            (&json!(mark), &json!(mark))
        );
        assert_eq!(now["goals"][0]["strategies"], json!([mark]));
        let (moved, rested) = join(
            api.get(format!("/v1/indicators/{moving}")),
            api.get(format!("/v1/indicators/{resting}")),
        )
        .await;
        assert_eq!((moved.text("goal_id"), moved.text("population")), (home, mark.clone()));
        assert_eq!(rested.text("comparable_reason"), mark);
    }
    assert_eq!(replaced + refused, 20);
}

#[actix_web::test]
async fn what_comes_below_a_policy_that_is_being_replaced_waits_for_it() {
    let api = Api::with_sample().await;
    let mut tree = api.get(TREE).await.must_be(200).body;
    let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
    let (policy, from, to) = (id(&tree), &tree["goals"][3].clone(), id(&tree["goals"][1]));
    let (budget, indicator) = (id(&from["budgets"][0]), id(&from["indicators"][0]));
    let budget = format!("/v1/budgets/{budget}");
    let indicator = format!("/v1/indicators/{indicator}");
    for call in [
        patch(&indicator, &json!({ "goal_id": to })),
        put(&indicator, &factories::indicator(&id(from), "戻った指標")),
        patch(&budget, &json!({ "goal_id": to, "fiscal_year": 2031 })),
        put(&budget, &factories::budget(&id(from), 2030, "revised")),
        patch(format!("/v1/goals/{to}"), &json!({ "title": "後から改めた題" })),
    ] {
        tree["head_name"] = json!("後任");
        let answers = api.meeting(put(TREE, &tree), call.clone()).await;
        assert_eq!(answers, (200, 200), "{call:?}");
        tree = api.get(TREE).await.must_be(200).body;
    }
    for (path, body, list) in [
        ("/v1/goals", factories::goal(&policy, "9"), "goals"),
        ("/v1/budgets", factories::budget(&to, 2040, "revised"), "budgets"),
        ("/v1/indicators", factories::indicator(&to, "新しい指標"), "indicators"),
    ] {
        // The replacement brings the very thing that the other call creates.
        let mut brought = body.clone();
        for key in ["policy_id", "goal_id", "position"] {
            brought.as_object_mut().unwrap().remove(key);
        }
        let more = match list {
            "goals" => with(brought, json!({ "budgets": [], "indicators": [] })),
            "indicators" => with(brought, json!({ "results": [] })),
            _ => brought,
        };
        let into = if list == "goals" {
            &mut tree
        } else {
            &mut tree["goals"][1]
        };
        into[list].as_array_mut().unwrap().push(more);
        let new = Call::new("POST", path).because("試験").json(&body);
        let answers = api.meeting(put(TREE, &tree), new).await;
        assert_eq!(answers, (200, 409), "{path}");
        tree = api.get(TREE).await.must_be(200).body;
    }
}

#[actix_web::test]
async fn many_results_meet_the_removal_of_what_they_are_below() {
    let api = Api::new().await;
    api.organization().await;
    for (round, path) in ["goal", "policy"].repeat(4).into_iter().enumerate() {
        let policy = api.policy("nishi", 2024).await;
        let goal = api.goal(&policy.id(), "1-1").await;
        let mut ids = Vec::new();
        for n in 0..6 {
            ids.push(api.indicator(&goal.id(), &format!("指標{round}の{n}")).await.id());
        }
        let entries: Vec<_> = ids.iter().rev().map(|id| (id.as_str(), result(2024))).collect();
        let path = match path {
            "goal" => format!("/v1/goals/{}", goal.id()),
            _ => "/v1/policies/nishi/2024".to_owned(),
        };
        let gone = Call::new("DELETE", path).header("if-match", "*");
        let answers = statuses(&at_once(&api, [bulk(&entries), gone, bulk(&entries)]).await);
        assert_eq!(answers[1], 204, "{answers:?}");
        let stored = [answers[0], answers[2]];
        assert!(stored.iter().all(|status| [200, 409].contains(status)), "{answers:?}");
        assert!(api.list("/v1/results").await.is_empty());
        if round % 2 == 0 {
            api.delete("/v1/policies/nishi/2024", "*").await.must_be(204);
        }
    }
}

#[actix_web::test]
async fn a_write_that_the_database_undoes_in_a_deadlock_is_carried_out_once_all_the_same() {
    let api = Api::new().await;
    api.organization().await;
    let nishi = "/v1/organizations/nishi";
    let changes = "select count(*)::text as value from change_log where type = 'organization'";
    let before: u32 = api.db.values(changes)[0].parse().unwrap();
    let mut other = api.db.connect();
    // It waits on, so that it is the write that is undone.
    let holds = "set deadlock_timeout = '60s'; begin; select from organizations where slug = 'nishi' for update";
    other.batch_execute(holds).unwrap();
    let crossing = async {
        api.until_waiting(1).await;
        thread::spawn(move || other.batch_execute("select begin_write('test', '', '', ''); commit"))
    };
    let write = api.send(patch(nishi, &json!({ "display_order": 77 })));
    let (answer, crossing) = join(write, crossing).await;
    crossing.join().unwrap().unwrap();
    assert_eq!((answer.status, &answer.body["display_order"]), (200, &json!(77)));
    let after: u32 = api.db.values(changes)[0].parse().unwrap();
    assert_eq!(after, before + 1);
}

/// Everybody's requests for items and evaluations: of what is public, of what is not, and of what is not there.
fn items(secrets: &Secrets) -> Vec<String> {
    let mut paths = Vec::new();
    for (kind, below) in [
        ("goal", ""),
        ("budget", ""),
        ("indicator", ""),
        ("indicator", "/evaluation"),
    ] {
        let unknown = new_id();
        let ids = secrets.hidden[kind].iter().chain([&secrets.open[kind], &unknown]);
        paths.extend(ids.map(|id| format!("/v1/{kind}s/{id}{below}")));
    }
    paths
}

#[actix_web::test]
async fn who_asks_for_items_together_gets_what_who_asks_alone_gets() {
    let secrets = Secrets::new().await;
    let api = secrets.api.beside(0).await;
    let paths = items(&secrets);
    let mut alone = Vec::new();
    for path in &paths {
        alone.push(secrets.get(Who::Public, path).await);
    }
    assert_eq!(alone.iter().filter(|answer| answer.status == 200).count(), 4);
    let turns = r#"ward_policy_pool_turns_total{lane="readers"}"#;
    let before = api.count(turns).await;
    let asked = (0..10).flat_map(|_| &paths);
    let together = at_once(&api, asked.map(|path| Call::new("GET", path).anonymous())).await;
    for (answer, alone) in together.iter().zip(alone.iter().cycle()) {
        assert_eq!((answer.status, &answer.body["id"]), (alone.status, &alone.body["id"]));
        assert_eq!(answer.header("etag"), alone.header("etag"));
    }
    // One each for goals, budgets, indicators and evaluations.
    let taken = api.count(turns).await - before;
    assert!((taken - 4.0).abs() < 0.5, "{taken} turns");
}

#[actix_web::test]
async fn who_asked_together_asks_alone_where_that_failed() {
    let secrets = Secrets::new().await;
    let api = secrets.api.beside(0).await;
    let path = format!("/v1/indicators/{}", secrets.open["indicator"]);
    let mut held = api.db.connect();
    held.batch_execute("begin; lock table indicators").unwrap();
    let broken = async {
        api.until_waiting(1).await;
        let end = "select pg_terminate_backend(pid)::text as value from pg_stat_activity \
                   where datname = current_database() and wait_event_type = 'Lock'";
        assert_eq!(api.db.values(end), ["true"]);
        held.batch_execute("rollback").unwrap();
    };
    let asked = (0..3).map(|_| Call::new("GET", &path).anonymous());
    let (answers, ()) = join(at_once(&api, asked), broken).await;
    assert_eq!(statuses(&answers), [200; 3]);
}
