//! A mirror of the service in fifty lines, and the proof that it is one: a snapshot, then the feed from its cursor.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    Outcome,
    http::call,
    process::{Place, database},
};

// ---- The mirror. ------------------------------------------------------------------------------------------------------

/// Everything one caller may see, as it is stored: by type and identifier.
struct Mirror<'a> {
    token: Option<&'a str>,
    rows: BTreeMap<(String, String), Value>,
    cursor: String,
}

impl<'a> Mirror<'a> {
    /// Begins with a snapshot: a first line with the cursor, a line for each row, and a last one, without which it broke off.
    fn new(service: SocketAddr, token: Option<&'a str>) -> Outcome<Self> {
        let (status, body) = call(service, token, "GET /v1/snapshot", &[], None)?;
        let mut lines = String::from_utf8(body)?
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()?;
        let end = lines.pop().ok_or("an empty snapshot")?;
        if status != 200 || end != json!({ "end": true, "rows": lines.len() - 1 }) {
            return Err(format!("not a whole snapshot: {status} {end}").into());
        }
        let cursor = text(&lines[0], "cursor");
        let rows = lines[1..].iter().map(|row| (name(row), row["state"].clone())).collect();
        Ok(Self { token, rows, cursor })
    }

    /// Takes the next changes, or waits for some; whether there were any.
    fn follow(&mut self, service: SocketAddr) -> Outcome<bool> {
        let request = format!("GET /v1/changes?wait=1&limit=200&cursor={}", self.cursor);
        let (status, body) = call(service, self.token, &request, &[], None)?;
        if status != 200 {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)).into());
        }
        let page: Value = serde_json::from_slice(&body)?;
        let changes = page["items"].as_array().ok_or("no items")?;
        for change in changes {
            if change["after"].is_null() {
                self.rows.remove(&name(change));
            } else {
                self.rows.insert(name(change), change["after"].clone());
            }
        }
        self.cursor = text(&page, "next");
        Ok(!changes.is_empty())
    }
}

fn name(of: &Value) -> (String, String) {
    (text(of, "type"), text(of, "id"))
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

// ---- The proof. -------------------------------------------------------------------------------------------------------

const TOKEN: &str = "wardpolicy_000000000000_secret";
const ADMINISTRATOR: &str = "begin; select begin_write('test', '', '', ''); \
    insert into tokens (id, name, handle, hash, scopes) values \
    ('01900000-0000-7000-8000-000000000000', 'administrator', '000000000000', sha256('secret'), '{admin}'); commit";
const WRITERS: u32 = 8;
const LONG: Duration = Duration::from_secs(30);
/// What no one may see who does not see drafts.
const DRAFT: &str = "未公表";

/// What the writers share: where the service is, and until when they write.
struct Run {
    service: Mutex<SocketAddr>,
    end: Instant,
    written: AtomicBool,
}

impl Run {
    fn service(&self) -> SocketAddr {
        *self.service.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes a request until the service is there to answer it: it may have been made before.
    fn write(&self, request: &str, body: Option<&Value>) -> Value {
        let kind = if request.starts_with("PATCH") {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let state = if request.starts_with("PUT") {
            "If-None-Match"
        } else {
            "If-Match"
        };
        let headers = [(state, "*"), ("Change-Reason", "correction"), ("Content-Type", kind)];
        // What is created has no state yet, and what is removed no body.
        let creates = request.starts_with("POST") && !request.ends_with("/publications");
        let headers = &headers[usize::from(creates)..3 - usize::from(body.is_none())];
        loop {
            match call(self.service(), Some(TOKEN), request, headers, body) {
                Ok((200..=204 | 404 | 409 | 412, answer)) => {
                    return serde_json::from_slice(&answer).unwrap_or_default();
                }
                Ok((503, _)) | Err(_) => thread::sleep(Duration::from_millis(50)),
                Ok((status, answer)) => panic!("{request}: {status} {}", String::from_utf8_lossy(&answer)),
            }
        }
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }
}

fn goal(run: &Run, policy: &str, code: &str, words: &str) -> (String, String) {
    let body =
        json!({ "policy_id": policy, "code": code, "title": words, "issue_recognition": [words], "strategies": [] });
    let goal = text(&run.write("POST /v1/goals", Some(&body)), "id");
    let indicator = json!({
        "goal_id": goal, "position": 1, "kind": "outcome", "name": words, "population": null, "unit": "%", "decimals": 1,
        "direction": "higher_is_better", "series_id": null, "comparable_with_previous": null, "comparable_reason": null,
        "target": {
            "text": "48%以上", "comparator": "gte", "value": 48, "upper": null,
            "reference": { "kind": "none", "fiscal_year": null, "value": null, "name": null },
            "period": { "kind": "single_year", "from": null, "to": null }
        }
    });
    let indicator = text(&run.write("POST /v1/indicators", Some(&indicator)), "id");
    let budget = json!({
        "goal_id": goal, "fiscal_year": 2024, "kind": "initial", "status": "stated", "amount_yen": 85_000_000,
        "precision_yen": 1_000_000, "text": "85百万円"
    });
    run.write("POST /v1/budgets", Some(&budget));
    (goal, indicator)
}

/// Writes policies year after year: drafts them, publishes, corrects, renumbers, removes and withdraws.
fn write(run: &Run, writer: u32) {
    let slug = format!("bureau-{writer}");
    let body = json!({ "slug": slug, "kind": "bureau", "name": slug, "display_order": writer });
    run.write("POST /v1/organizations", Some(&body));
    for year in (1950..2100).cycle() {
        if !run.goes_on() {
            return;
        }
        // Every other one stays a draft; of those published, every other one has its results published too.
        let (published, with_results) = (year % 2 == 0, year % 4 == 0);
        let words = if published { "公表" } else { DRAFT };
        let answered = if with_results { "公表" } else { DRAFT };
        let at = format!("/v1/policies/{slug}/{year}");
        let body = json!({
            "organization": slug, "fiscal_year": year, "head_name": words, "head_title": null, "vision": [words],
            "mission": [words], "basic_approach": [], "self_evaluation": [answered], "future_policy": [answered],
            "results_due_on": null, "source": null
        });
        let policy = text(&run.write("POST /v1/policies", Some(&body)), "id");
        if policy.is_empty() {
            // It was made before the service was restarted.
            continue;
        }
        let (kept, indicator) = goal(run, &policy, "1", words);
        let (removed, _) = goal(run, &policy, "2", words);
        let result = json!({ "value": 50.5, "value_status": "reported", "observation_status": "final", "text": answered,
                             "comment": answered, "fiscal_year": year, "declared_rating": "A" });
        run.write(&format!("PUT /v1/indicators/{indicator}/results/{year}"), Some(&result));
        let publish = |kind: &str| {
            let body = json!({ "kind": kind, "reason": "for a reason" });
            run.write(&format!("POST {at}/publications"), Some(&body));
        };
        if published {
            publish("plan");
        }
        // A correction, if it is public; a new number; a removal.
        run.write(&format!("PATCH {at}"), Some(&json!({ "source": words })));
        run.write(
            &format!("PATCH /v1/goals/{kept}"),
            Some(&json!({ "code": "3", "title": words })),
        );
        run.write(&format!("DELETE /v1/goals/{removed}"), None);
        if with_results {
            publish("results");
        }
        if year % 8 == 0 {
            publish("withdrawal");
        }
        run.written.store(true, Ordering::Relaxed);
    }
}

/// Follows until the writers are done and nothing more comes.
fn mirror<'a>(run: &Run, token: Option<&'a str>, begin: Duration) -> Outcome<Mirror<'a>> {
    thread::sleep(begin);
    let mut mirror = loop {
        match Mirror::new(run.service(), token) {
            Ok(mirror) => break mirror,
            Err(e) if !run.goes_on() => return Err(e),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    };
    loop {
        match mirror.follow(run.service()) {
            Ok(false) if !run.goes_on() => return Ok(mirror),
            Ok(_) => {}
            Err(e) if e.to_string().starts_with("410") => return Err(e),
            // The service is being restarted, and the cursor holds.
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

#[test]
fn mirrors_stay_the_same_as_the_service_while_eight_write_and_it_is_restarted() -> Outcome {
    let place = Place::new("mirror")?;
    let database = database("ward_policy_mirror")?;
    let serve = || place.spawn(&["serve"], &[("DATABASE_URL", &database.address)])?.wait();
    let service = serve()?;
    PgConnection::establish(&database.address)?.batch_execute(ADMINISTRATOR)?;
    let run = Run {
        service: Mutex::new(service.address),
        end: Instant::now() + LONG,
        written: AtomicBool::new(false),
    };
    let (mirrors, service) = thread::scope(|scope| {
        let run = &run;
        let spawn_writer = |n| scope.spawn(move || write(run, n));
        let writers: Vec<_> = (0..WRITERS).map(spawn_writer).collect();
        let mirrors: Vec<_> = [(Some(TOKEN), 0), (None, 0), (Some(TOKEN), 20), (None, 20)]
            .into_iter()
            .map(|(token, begin)| scope.spawn(move || mirror(run, token, Duration::from_secs(begin))))
            .collect();
        thread::sleep(LONG / 2);
        let stopped = service.stop(Signal::SIGTERM).map(|status| status.success());
        let again = serve();
        if let Ok(again) = &again {
            *run.service.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = again.address;
        }
        let writers: Vec<_> = writers.into_iter().map(|writer| writer.join().is_ok()).collect();
        assert!(
            matches!(stopped, Ok(true)) && writers.iter().all(|done| *done),
            "{writers:?}"
        );
        let mirrors: Vec<_> = mirrors.into_iter().filter_map(|mirror| mirror.join().ok()).collect();
        (mirrors, again)
    });
    let service = service?;
    assert!(run.written.load(Ordering::Relaxed), "nobody wrote anything");
    assert_eq!(mirrors.len(), 4);
    for mirror in mirrors {
        let mut mirror = mirror?;
        // What was written since it last asked.
        while mirror.follow(service.address)? {}
        let now = Mirror::new(service.address, mirror.token)?;
        let differing: Vec<_> = now
            .rows
            .iter()
            .filter(|(name, row)| mirror.rows.get(*name) != Some(*row))
            .collect();
        assert!(differing.is_empty(), "{differing:#?}");
        assert_eq!(mirror.rows.len(), now.rows.len());
        assert_eq!(mirror.cursor, now.cursor);
        let drafts = mirror.rows.values().any(|row| row.to_string().contains(DRAFT));
        assert_eq!(drafts, mirror.token.is_some(), "drafts are for those who may see them");
    }
    // Nor did anybody else ever see one.
    let (mut public, mut seen) = (String::new(), BTreeSet::new());
    loop {
        let (status, body) = call(
            service.address,
            None,
            &format!("GET /v1/changes?limit=1000{public}"),
            &[],
            None,
        )?;
        let (body, page) = (
            String::from_utf8(body.clone())?,
            serde_json::from_slice::<Value>(&body)?,
        );
        assert!(status == 200 && !body.contains(DRAFT));
        let next = format!("&cursor={}", text(&page, "next"));
        let items = page["items"].as_array().into_iter().flatten();
        seen.extend(items.map(|item| (text(item, "op"), text(item, "type"), item["previous_key"].is_object())));
        if next == public {
            break;
        }
        public = next;
    }
    for (op, kind, renumbered) in [
        ("publish", "goal", false),
        ("publish", "result", false),
        ("update", "policy", false),
        ("update", "goal", true),
        ("delete", "goal", false),
        ("withdraw", "result", false),
        ("create", "revision", false),
    ] {
        let what = (op.to_owned(), kind.to_owned(), renumbered);
        assert!(seen.contains(&what), "no {what:?} among {seen:?}");
    }
    Ok(())
}
