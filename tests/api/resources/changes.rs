//! `/v1/changes`, its stream and its head, and `/v1/snapshot`.

use std::{collections::BTreeMap, thread, time::Duration};

use actix_web::rt::time::sleep;
use diesel::connection::SimpleConnection;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Call,
    factories::{Nishi, bureau},
};

pub(crate) mod words;

/// Who asks: an administrator, or anybody.
#[derive(Clone, Copy)]
struct Asker(Option<&'static str>);
const ADMINISTRATOR: Asker = Asker(Some(crate::support::TOKEN));
const ANYBODY: Asker = Asker(None);

impl Asker {
    fn asks(self, path: impl AsRef<str>) -> Call {
        let call = Call::new("GET", path);
        match self.0 {
            Some(token) => call.by(token),
            None => call.anonymous(),
        }
    }
}

impl Api {
    /// Where the history ends.
    pub(crate) async fn head(&self) -> String {
        self.get("/v1/changes/head").await.must_be(200).text("cursor")
    }

    /// What came after a place for somebody.
    async fn since(&self, cursor: &str, asker: Asker) -> Vec<Value> {
        let from = if cursor.is_empty() {
            String::new()
        } else {
            format!("&cursor={cursor}")
        };
        let call = asker.asks(format!("/v1/changes?limit=1000{from}"));
        let mut page = self.send(call).await.must_be(200).body;
        serde_json::from_value(page["items"].take()).unwrap()
    }

    /// Waits until so many wait for changes.
    pub(crate) async fn until_following(&self, many: usize) {
        while self.state.database.waiting() < many {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What somebody has who begins with a snapshot.
    async fn snapshot(&self, asker: Asker) -> (Value, Copy) {
        let answer = self.send(asker.asks("/v1/snapshot")).await.must_be(200);
        let mut lines = lines(&answer);
        let (head, end) = (lines.remove(0), lines.pop().unwrap());
        assert_eq!(end, json!({ "end": true, "rows": lines.len() }));
        let rows = lines.into_iter().map(|row| (named(&row), row["state"].clone()));
        (head, rows.collect())
    }

    /// What somebody has who begins at the beginning of the history.
    async fn followed(&self, asker: Asker) -> Copy {
        let mut copy = Copy::new();
        let mut cursor = String::new();
        loop {
            let page = self
                .send(asker.asks(format!("/v1/changes?limit=7{cursor}")))
                .await
                .must_be(200);
            for item in page.body["items"].as_array().unwrap() {
                apply(&mut copy, item);
            }
            let next = format!("&cursor={}", page.text("next"));
            if next == cursor {
                return copy;
            }
            cursor = next;
        }
    }
}

/// Things by type and id.
type Copy = BTreeMap<(String, String), Value>;

fn named(item: &Value) -> (String, String) {
    let text = |key: &str| item[key].as_str().unwrap().to_owned();
    (text("type"), text("id"))
}

/// What a change does to a copy.
fn apply(copy: &mut Copy, item: &Value) {
    if item["after"].is_null() {
        assert!(copy.remove(&named(item)).is_some(), "nothing to drop: {item}");
    } else {
        copy.insert(named(item), item["after"].clone());
    }
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was done to what, in short.
fn told(items: &[Value]) -> Vec<String> {
    let word = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| format!("{} {}", word(item, "op"), word(item, "type")))
        .collect()
}

/// A policy of Nishi Ward with one of everything, ready to be published.
async fn publishable(api: &Api) -> Nishi {
    let nishi = Nishi::of(api).await;
    let texts = json!({ "self_evaluation": ["達成した"], "future_policy": ["続ける"] });
    api.patch("/v1/policies/nishi/2024", "*", &texts).await.must_be(200);
    nishi
}

#[actix_web::test]
async fn from_the_beginning_every_change_comes_once_and_in_order() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = api.get(format!("/v1/changes?limit=2{cursor}")).await.must_be(200);
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seqs.extend(items.iter().map(|item| item["seq"].as_i64().unwrap()));
        let next = format!("&cursor={}", page.text("next"));
        if items.is_empty() {
            assert_eq!(next, cursor, "where there is nothing, the place stays");
            break;
        }
        cursor = next;
    }
    // The first change of all made the token.
    assert_eq!(seqs, (2..=8).collect::<Vec<_>>());
    let head = api.get("/v1/changes/head").await.must_be(200);
    assert_eq!(
        (head.body["seq"].as_i64(), format!("&cursor={}", head.text("cursor"))),
        (Some(8), cursor)
    );
}

#[actix_web::test]
async fn a_cursor_of_another_history_is_gone_and_a_text_that_is_none_is_refused() {
    let api = Api::new().await;
    api.organization().await;
    let head = api.head().await;
    // A copy, made before that, in which something else happened then.
    let other = Api::new().await;
    let begin = other.head().await;
    other.organization().await;
    api.get(format!("/v1/changes?cursor={begin}")).await.must_be(200);
    for path in ["/v1/changes", "/v1/changes/stream"] {
        let gone = other.get(format!("{path}?cursor={head}")).await.must_be(410);
        assert_eq!(gone.text("type"), "/problems/gone");
        for nonsense in ["", "x", "!", "AAAA", &format!("{head}A"), &"A".repeat(500)] {
            api.get(format!("{path}?cursor={nonsense}"))
                .await
                .must_refuse(400, &[("cursor", "cursor")]);
        }
    }
    let stream = Call::new("GET", "/v1/changes/stream").header("last-event-id", "nonsense");
    api.send(stream).await.must_refuse(400, &[("Last-Event-ID", "cursor")]);

    // Of one that is said to be another.
    let own = other.head().await;
    let renamed = "update change_epoch set epoch = 'another'";
    other.db.connect().batch_execute(renamed).unwrap();
    other.get(format!("/v1/changes?cursor={own}")).await.must_be(410);

    // Of the same history, but further than it reaches.
    let mut admin = api.db.connect();
    admin
        .batch_execute("set session_replication_role = replica; delete from change_log where seq > 1")
        .unwrap();
    api.get(format!("/v1/changes?cursor={head}")).await.must_be(410);
}

#[actix_web::test]
async fn what_a_feed_does_not_know_is_refused() {
    let api = Api::new().await;
    for (query, place, code) in [
        ("limit=0", "limit", "limit"),
        ("limit=1001", "limit", "limit"),
        ("limit=%2B1", "limit", "limit"),
        ("wait=61", "wait", "wait"),
        ("wait=-1", "wait", "wait"),
        ("type=tokens", "type", "unknown_code"),
        ("organization=No", "organization", "format"),
        ("since=1", "since", "unknown_parameter"),
    ] {
        api.get(format!("/v1/changes?{query}"))
            .await
            .must_refuse(400, &[(place, code)]);
    }
    api.get("/v1/changes/stream?wait=1")
        .await
        .must_refuse(400, &[("wait", "unknown_parameter")]);
    api.get("/v1/changes/head?seq=-1")
        .await
        .must_refuse(400, &[("seq", "seq")]);
    api.get("/v1/snapshot?type=goal")
        .await
        .must_refuse(400, &[("type", "unknown_parameter")]);
}

#[actix_web::test]
async fn filters_leave_out_what_is_not_asked_for_and_go_on_to_the_end() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    api.bureau("port").await;
    api.policy("port", 2024).await;
    let head = api.head().await;
    for (query, expected) in [
        ("type=goal,result", vec!["create goal", "create result"]),
        (
            "organization=port",
            vec!["create organization", "create policy", "create self_evaluation"],
        ),
        (
            "organization=271063&type=organization,policy",
            vec!["create organization", "create policy"],
        ),
        ("organization=nobody", vec![]),
        ("type=revision", vec![]),
    ] {
        let page = api.get(format!("/v1/changes?{query}")).await.must_be(200);
        assert_eq!(told(page.body["items"].as_array().unwrap()), expected, "{query}");
        assert_eq!(page.text("next"), head, "{query}");
    }
}

#[actix_web::test]
async fn who_follows_an_organization_hears_of_its_new_name_and_of_its_end() {
    let api = Api::new().await;
    api.bureau("port").await;
    let head = api.head().await;
    api.patch("/v1/organizations/port", "*", &json!({ "slug": "harbour" }))
        .await
        .must_be(200);
    api.delete("/v1/organizations/harbour", "*").await.must_be(204);
    let page = api
        .get(format!("/v1/changes?cursor={head}&organization=port"))
        .await
        .must_be(200);
    assert_eq!(
        told(page.body["items"].as_array().unwrap()),
        ["update organization", "delete organization"]
    );
    let renamed = &page.body["items"][0];
    assert_eq!(renamed["previous_key"], json!({ "organization": "port" }));
    assert_eq!(renamed["key"], json!({ "organization": "harbour" }));
    assert_eq!(renamed["fields"], json!(["slug"]));
    assert_eq!(renamed["reason"], "試験");
}

#[actix_web::test]
async fn a_change_says_who_made_it_to_those_who_see_drafts_only() {
    let api = Api::new().await;
    let head = api.head().await;
    let call = Call::new("POST", "/v1/organizations")
        .header("x-request-id", "mine")
        .json(&bureau("port"));
    api.send(call).await.must_be(201);
    let own = &api.since(&head, ADMINISTRATOR).await[0];
    assert_eq!(
        (&own["actor"], &own["request_id"]),
        (&json!("administrator"), &json!("mine"))
    );
    let shown = &api.since(&head, ANYBODY).await[0];
    assert_eq!((&shown["actor"], &shown["request_id"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["after"], own["after"]);
}

#[actix_web::test]
async fn a_wait_is_answered_when_something_comes_and_empty_when_nothing_does() {
    let api = Api::new().await;
    let head = api.head().await;
    let nothing = api.get(format!("/v1/changes?cursor={head}&wait=1")).await.must_be(200);
    assert_eq!(nothing.body, json!({ "items": [], "next": head }));

    let waiting = api.get(format!("/v1/changes?cursor={head}&wait=60&type=policy"));
    let writing = async {
        api.until_following(1).await;
        // Not what is waited for.
        api.organization().await;
        api.policy("nishi", 2024).await;
    };
    let (answer, ()) = join(waiting, writing).await;
    assert_eq!(
        told(answer.must_be(200).body["items"].as_array().unwrap()),
        ["create policy"]
    );
    // What is there already is not waited for.
    let there = api.get(format!("/v1/changes?cursor={head}&wait=60")).await.must_be(200);
    assert_eq!(there.body["items"].as_array().unwrap().len(), 3);
}

#[actix_web::test]
async fn a_draft_reaches_who_may_see_it_and_nobody_else() {
    let api = Api::new().await;
    api.organization().await;
    api.db
        .connect()
        .batch_execute(
            "begin; select begin_write('test', '', '', ''); \
             insert into tokens (id, name, handle, hash, scopes) select '01900000-0000-7000-8000-000000000001', 'nishi', \
             '000000000001', sha256('secret'), array['read_drafts:' || id] from organizations where slug = 'nishi'; commit",
        )
        .unwrap();
    api.until_heard();
    let nishi = Asker(Some("wardpolicy_000000000001_secret"));
    let head = api.head().await;
    let path = format!("/v1/changes?cursor={head}&wait=60");
    let (anybody, own) = (api.send(ANYBODY.asks(&path)), api.send(nishi.asks(&path)));
    let writing = async {
        api.until_following(2).await;
        api.policy("nishi", 2024).await;
        while api.state.database.waiting() > 1 {
            sleep(Duration::from_millis(5)).await;
        }
        api.bureau("port").await;
    };
    let ((anybody, own), ()) = join(join(anybody, own), writing).await;
    assert_eq!(
        told(own.must_be(200).body["items"].as_array().unwrap())[0],
        "create policy"
    );
    let anybody = anybody.must_be(200);
    assert_eq!(told(anybody.body["items"].as_array().unwrap()), ["create organization"]);
    let text = String::from_utf8_lossy(&anybody.bytes);
    assert!(!text.contains("三村"), "{text}");
}

#[actix_web::test]
async fn publication_brings_what_it_makes_visible_and_withdrawal_takes_it_back() {
    let api = Api::new().await;
    publishable(&api).await;
    let place = api.head().await;
    assert!(
        api.since("", ANYBODY)
            .await
            .iter()
            .all(|item| item["type"] == "organization")
    );
    api.publish("nishi/2024", "plan").await.must_be(201);
    let plan = api.since(&place, ANYBODY).await;
    assert_eq!(
        told(&plan),
        [
            "publish policy",
            "publish goal",
            "publish budget",
            "publish indicator",
            "create revision"
        ]
    );
    for item in &plan {
        assert!(
            item["before"].is_null() && item["after"].is_object() && item["public"] == true,
            "{item}"
        );
        assert_eq!(
            (&item["key"]["organization"], &item["key"]["fiscal_year"]),
            (&json!("nishi"), &json!(2024))
        );
    }
    assert_eq!(
        plan[2]["key"],
        json!({ "organization": "nishi", "fiscal_year": 2024, "goal": "1-1", "budget_year": 2024, "kind": "initial" })
    );
    let place = api.head().await;
    api.publish("nishi/2024", "results").await.must_be(201);
    assert_eq!(
        told(&api.since(&place, ANYBODY).await),
        [
            "update policy",
            "publish self_evaluation",
            "publish result",
            "create revision"
        ]
    );
    let place = api.head().await;
    api.publish("nishi/2024", "withdrawal").await.must_be(201);
    let gone = api.since(&place, ANYBODY).await;
    let hidden: Vec<_> = gone.iter().filter(|item| item["after"].is_null()).cloned().collect();
    assert_eq!(
        told(&hidden),
        [
            "withdraw policy",
            "withdraw self_evaluation",
            "withdraw result",
            "withdraw goal",
            "withdraw budget",
            "withdraw indicator"
        ]
    );
    assert!(hidden.iter().all(|item| item["before"].is_object()));
    // Who sees drafts sees it go on.
    let own = api.since(&place, ADMINISTRATOR).await;
    assert!(own.iter().all(|item| item["after"].is_object()));
}

#[actix_web::test]
async fn renumbering_and_removal_carry_what_things_were_called() {
    let api = Api::new().await;
    let nishi = Nishi::of(&api).await;
    let place = api.head().await;
    let goal = format!("/v1/goals/{}", nishi.goal.id());
    api.patch(&goal, "*", &json!({ "code": "2-1" })).await.must_be(200);
    api.delete(&goal, "*").await.must_be(204);
    let items = api.since(&place, ADMINISTRATOR).await;
    let key = |code: &str| json!({ "organization": "nishi", "fiscal_year": 2024, "goal": code });
    assert_eq!(
        (&items[0]["previous_key"], &items[0]["key"]),
        (&key("1-1"), &key("2-1"))
    );
    let removed = &items[1..];
    let mut kinds = told(removed);
    assert_eq!(kinds.pop().unwrap(), "delete goal", "the goal is removed last");
    kinds.sort();
    assert_eq!(kinds, ["delete budget", "delete indicator", "delete result"]);
    for item in removed {
        assert!(item["after"].is_null() && item["before"].is_object(), "{item}");
        assert_eq!(item["key"]["goal"], "2-1");
    }
}

#[actix_web::test]
async fn a_tree_that_is_put_as_it_is_changes_nothing() {
    let api = Api::new().await;
    publishable(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let head = api.head().await;
    let path = "/v1/policies/nishi/2024/tree";
    let tree = api.get(path).await;
    api.put(path, &tree.etag(), &tree.body).await.must_be(200);
    assert_eq!(api.head().await, head);
    assert!(api.since(&head, ADMINISTRATOR).await.is_empty());
}

/// The events of a stream: their ids and what they say.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let text = std::str::from_utf8(&answer.bytes).unwrap();
    let event = |block: &str| {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        (field("event: ")? == "change")
            .then(|| Some((field("id: ")?, serde_json::from_str(&field("data: ")?).ok()?)))
            .flatten()
    };
    text.split("\n\n").filter_map(event).collect()
}

#[actix_web::test]
async fn a_stream_tells_what_comes_after_the_last_event_its_client_has() {
    let api = Api::new().await;
    api.organization().await;
    api.bureau("port").await;
    let begin = api.since("", ADMINISTRATOR).await;
    let stream = api.get("/v1/changes/stream");
    let writing = async {
        api.until_following(1).await;
        api.policy("nishi", 2024).await;
        while !api
            .since("", ADMINISTRATOR)
            .await
            .iter()
            .any(|item| item["type"] == "policy")
        {}
        // The stream was woken before this is.
        let head = api.head().await;
        let later = api.get(format!("/v1/changes?cursor={head}&wait=60"));
        let last = async {
            api.until_following(2).await;
            api.bureau("sewerage").await;
        };
        join(later, last).await.0.must_be(200);
        api.until_following(1).await;
        api.state.database.stop_waiting();
    };
    let (answer, ()) = join(stream, writing).await;
    let answer = answer.must_be(200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert!(answer.bytes.starts_with(b"retry: "));
    let told: Vec<_> = events(&answer).into_iter().collect();
    assert_eq!(
        told.iter().map(|(_, item)| item.clone()).collect::<Vec<_>>(),
        api.since("", ADMINISTRATOR).await
    );
    assert_eq!(told.len(), begin.len() + 3);

    // From the second on; where the address says otherwise, the header holds.
    let (first, _) = &told[0];
    let again = Call::new(
        "GET",
        format!("/v1/changes/stream?cursor={}&organization=nishi", told[2].0),
    );
    let again = api.send(again.header("last-event-id", first)).await.must_be(200);
    let own: Vec<_> = told[1..]
        .iter()
        .filter(|(_, item)| item["organization"] == "nishi")
        .cloned()
        .collect();
    assert_eq!(events(&again), own);
    // What is not shown is passed over all the same.
    assert!(String::from_utf8_lossy(&again.bytes).contains(&format!("id: {}\n\n", api.head().await)));
}

#[actix_web::test]
async fn a_stream_is_had_by_those_who_read_streams() {
    let api = Api::new().await;
    api.state.database.stop_waiting();
    for (path, accept) in [
        ("/v1/changes/stream", "text/event-stream"),
        ("/v1/snapshot", "application/x-ndjson"),
    ] {
        let call = |accept: &str| Call::new("GET", path).header("accept", accept);
        api.send(call(accept)).await.must_be(200);
        api.send(call("*/*")).await.must_be(200);
        api.send(call("text/html")).await.must_be(406);
        let head = api.send(Call::new("HEAD", path)).await.must_be(200);
        assert!(head.bytes.is_empty());
    }
    api.send(Call::new("GET", "/v1/changes").header("accept", "text/event-stream"))
        .await
        .must_be(406);
}

#[actix_web::test]
async fn the_head_stands_for_the_whole_history_and_for_every_place_in_it() {
    let api = Api::new().await;
    api.organization().await;
    let noted = api.get("/v1/changes/head").await.must_be(200);
    let begin = api.get("/v1/changes/head?seq=0").await.must_be(200);
    assert_eq!((&begin.body["at"], &begin.body["hash"]), (&Value::Null, &json!("")));
    api.get("/v1/changes/head?seq=3").await.must_be(404);
    api.bureau("port").await;
    let later = api.get("/v1/changes/head").await.must_be(200);
    assert_ne!(later.text("hash"), noted.text("hash"));
    let again = api.send(ANYBODY.asks("/v1/changes/head?seq=2")).await.must_be(200);
    assert_eq!(again.body, noted.body);
    let kept = api
        .db
        .values("select encode(previous_hash, 'hex') as value from change_log where seq = 3");
    assert_eq!(kept, [noted.text("hash")]);
}

#[actix_web::test]
async fn a_snapshot_is_what_the_feed_comes_to() {
    let api = Api::new().await;
    let nishi = publishable(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    api.bureau("port").await;
    let hidden = api.policy("port", 2030).await;
    api.goal(&hidden.id(), "1").await;
    let decimal: Value = serde_json::from_str(r#"{ "value": 48.10, "comment": "秘密の下書き" }"#).unwrap();
    api.patch(&nishi.result_path, "*", &decimal).await.must_be(200);
    api.patch(format!("/v1/goals/{}", nishi.goal.id()), "*", &json!({ "code": "3" }))
        .await
        .must_be(200);
    for (asker, rows) in [(ADMINISTRATOR, 13), (ANYBODY, 8)] {
        let (head, copy) = api.snapshot(asker).await;
        assert_eq!(copy, api.followed(asker).await);
        assert_eq!(copy.len(), rows, "{copy:#?}");
        assert_eq!(head["cursor"], api.head().await);
        assert!(api.since(head["cursor"].as_str().unwrap(), asker).await.is_empty());
    }
    let (_, copy) = api.snapshot(ADMINISTRATOR).await;
    let result = copy.iter().find(|((kind, _), _)| kind == "result").unwrap().1;
    assert_eq!(result["value"].to_string(), "48.10", "a number keeps its digits");
    // As a number: the digits stand in an id now and then.
    for (asker, is_shown) in [(ADMINISTRATOR, true), (ANYBODY, false)] {
        let text = format!("{:?}", api.snapshot(asker).await.1);
        assert_eq!(text.contains("秘密"), is_shown);
        assert_eq!(text.contains("Number(2030)"), is_shown);
    }
}

#[actix_web::test]
async fn of_two_writers_at_once_a_reader_in_between_misses_neither() {
    let api = Api::new().await;
    let begin = api.head().await;
    let insert = |slug: &str, order: i32| {
        format!(
            "select begin_write('{slug}', '', '', ''); insert into organizations (id, slug, kind, name, display_order) \
             values (gen_random_uuid(), '{slug}', 'bureau', '{slug}', {order})"
        )
    };
    let mut first = api.db.connect();
    first.batch_execute(&format!("begin; {}", insert("first", 1))).unwrap();
    // The second begins later, and would be done sooner.
    let (mut conn, work) = (api.db.connect(), insert("second", 2));
    let second = thread::spawn(move || conn.batch_execute(&format!("begin; {work}; commit")));
    let waits = "select pid::text as value from pg_stat_activity \
                 where datname = current_database() and wait_event_type = 'Lock'";
    while api.db.values(waits).is_empty() && !second.is_finished() {
        sleep(Duration::from_millis(5)).await;
    }
    let between = api.get(format!("/v1/changes?cursor={begin}")).await.must_be(200);
    first.batch_execute("commit").unwrap();
    second.join().unwrap().expect("both are written");
    let mut seen: Vec<Value> = serde_json::from_value(between.body["items"].clone()).unwrap();
    seen.extend(api.since(&between.text("next"), ADMINISTRATOR).await);
    let slugs: Vec<_> = seen.iter().map(|item| item["organization"].as_str().unwrap()).collect();
    assert_eq!(slugs, ["first", "second"]);
    let seqs: Vec<_> = seen.iter().map(|item| item["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, [2, 3]);
    assert!(seen[0]["at"].as_str() < seen[1]["at"].as_str());
}

#[actix_web::test]
async fn a_thousand_who_wait_hold_no_connection_and_are_all_answered() {
    const MANY: usize = 1000;
    let api = Api::new().await;
    let head = api.head().await;
    let path = format!("/v1/changes?cursor={head}&wait=60");
    let waiting = join_all((0..MANY).map(|_| api.send(ANYBODY.asks(&path))));
    let busy = "select state as value from pg_stat_activity where datname = current_database() \
                and pid <> pg_backend_pid() and state <> 'idle'";
    let open = "select pid::text as value from pg_stat_activity where datname = current_database() \
                and pid <> pg_backend_pid()";
    let writing = async {
        api.until_following(MANY).await;
        assert!(api.db.values(busy).is_empty());
        // Those of the readers' pool, who were there before, and the one that listens.
        assert!(api.db.values(open).len() <= 9);
        api.bureau("port").await;
    };
    let (answers, ()) = join(waiting, writing).await;
    for answer in answers {
        assert_eq!(answer.must_be(200).body["items"].as_array().unwrap().len(), 1);
    }
}

#[actix_web::test]
async fn who_waits_while_the_database_is_away_hears_of_what_comes_after() {
    let api = Api::new().await;
    let head = api.head().await;
    let waiting = api.get(format!("/v1/changes?cursor={head}&wait=60"));
    let writing = async {
        api.until_following(1).await;
        let away = "select pg_terminate_backend(pid)::text as value from pg_stat_activity \
                    where datname = current_database() and pid <> pg_backend_pid()";
        while api.db.values(away).is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
        while api.post("/v1/organizations", &bureau("port")).await.status != 201 {}
    };
    let (answer, ()) = join(waiting, writing).await;
    assert_eq!(
        told(answer.must_be(200).body["items"].as_array().unwrap()),
        ["create organization"]
    );
}

/// Hidden edits, after and between public ones.
#[actix_web::test]
async fn the_feed_moves_with_what_its_caller_sees_and_with_nothing_else() {
    let api = Api::new().await;
    let nishi = publishable(&api).await;
    api.publish("nishi/2024", "plan").await.must_be(201);
    let draft = api.policy("nishi", 2030).await;
    let token = api.token("port", &["edit:nishi"]).await;
    let own = Asker(Some(token.leak()));
    let head = async |asker: Asker| api.send(asker.asks("/v1/changes/head")).await.must_be(200);
    let (before, seen) = (head(ANYBODY).await, head(own).await);
    let (cursor, hidden_place) = (before.text("cursor"), seen.text("cursor"));
    let paths = [
        "/v1/changes/head".to_owned(),
        format!("/v1/changes?cursor={cursor}"),
        format!("/v1/changes?cursor={cursor}&type=goal"),
        // Of those who were told of a place that is not theirs to see, when places were everybody's.
        format!("/v1/changes?cursor={hidden_place}"),
        "/v1/snapshot".to_owned(),
    ];
    let ask = async |path: &String| {
        let answer = api.send(ANYBODY.asks(path)).await.must_be(200);
        (
            String::from_utf8_lossy(&answer.bytes).into_owned(),
            answer.header("etag").to_owned(),
        )
    };
    let mut shown = Vec::new();
    for path in &paths {
        shown.push(ask(path).await);
    }
    for n in 1..20 {
        api.goal(&draft.id(), &n.to_string()).await;
    }
    for (path, then) in paths.iter().zip(&shown) {
        assert_eq!(ask(path).await, *then, "{path}");
    }
    let number = |answer: &Answer| answer.body["seq"].as_i64().unwrap();
    assert!(number(&head(own).await) >= number(&seen) + 19);
    let last = number(&head(own).await);
    let at = |seq: i64| ANYBODY.asks(format!("/v1/changes/head?seq={seq}"));
    api.send(at(last)).await.must_be(404);
    api.send(at(last + 1000)).await.must_be(404);
    // The next that is public comes to those who were told of any place before it, once, and nothing else does.
    api.patch(
        format!("/v1/goals/{}", nishi.goal.id()),
        "*",
        &json!({ "title": "別の題" }),
    )
    .await
    .must_be(200);
    for from in [&cursor, &hidden_place] {
        let items = api.since(from, ANYBODY).await;
        assert_eq!(told(&items), ["update goal", "create revision"]);
    }
    let after = head(ANYBODY).await;
    assert_eq!(
        api.send(ANYBODY.asks(&paths[1])).await.text("next"),
        after.text("cursor")
    );
    assert_eq!(
        api.send(ANYBODY.asks(&paths[2])).await.text("next"),
        after.text("cursor")
    );
    // A place in between stands for the history up to it; when that was is for those who see it.
    let (theirs, ours) = (api.send(at(last)).await.must_be(200), head(own).await);
    let noted = api
        .send(own.asks(format!("/v1/changes/head?seq={last}")))
        .await
        .must_be(200);
    assert_eq!(
        (theirs.text("hash"), &theirs.body["at"]),
        (noted.text("hash"), &Value::Null)
    );
    assert!(noted.body["at"].is_string() && ours.text("cursor") == after.text("cursor"));
}

/// However much is hidden after a place, whoever asks again and again for what is public after it looks at none of that.
#[actix_web::test]
async fn what_is_hidden_is_passed_over_by_an_index() {
    let api = Api::new().await;
    Nishi::of(&api).await;
    let hidden = "begin; select begin_write('test', '', '', '');
        insert into goals (id, policy_id, code, title)
        select gen_random_uuid(), p.id, '9-' || (n / 90 + 1) || '-' || (n % 90 + 1), '課題'
        from policies p, generate_series(1, 5000) n; commit; analyze change_log;
        create function looked(query text) returns setof text language plpgsql as $$
        begin return query execute 'explain (analyze, costs off, timing off) ' || query; end $$";
    api.db.connect().batch_execute(hidden).unwrap();
    for query in [
        "select seq from changes where public and seq > 2 order by seq limit 1",
        "select seq from changes where public and seq <= 1000000 order by seq desc limit 1",
    ] {
        let plan = api.db.values(&format!("select looked('{query}') as value")).join("\n");
        assert!(
            plan.contains("change_log_public_idx") && !plan.contains("Removed by Filter"),
            "{plan}"
        );
    }
}
