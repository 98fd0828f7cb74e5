//! What is measured of writes: each durable, and with its history.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Outcome, Plan,
    load::{Rate, pgbench, wrk},
    place::{Answer, Place, Process, TOKEN, request},
    statements::Watched,
    table::line,
    workloads::{ONE_AFTER_THE_OTHER, per_second, rounds},
};

/// The fiscal year whose policies are drafts, which only writes are about.
const YEAR: u32 = 2025;
/// Results stored together by one request.
const BULK: usize = 1000;
/// Indicators a goal may have.
const OF_A_GOAL: usize = 200;
/// Results imported from one file, at most.
const FILE: usize = 100_000;
/// A large import takes longer than a service usually lets a write.
const PATIENT: [(&str, &str); 2] = [
    ("WARD_POLICY_WRITE_MS", "600000"),
    ("WARD_POLICY_IMPORT_BYTES", "100000000"),
];

const JSON: (&str, &str) = ("Content-Type", "application/json");

pub(crate) fn run(plan: &Plan, place: &Place) -> Outcome<()> {
    let service = place.serve("writes", &PATIENT)?;
    if plan.wants("write of one result") {
        one(plan, place, &service)?;
    }
    if plan.wants("write of a public result") {
        public(plan, place, &service)?;
    }
    if plan.wants("write of 1,000 results") {
        bulk(plan, place, &service)?;
    }
    if plan.wants("tree PUT") {
        tree(plan, place, &service)?;
    }
    if plan.wants("import of results") {
        import(plan, place, &service)?;
    }
    Ok(())
}

/// A request that changes something, in two forms: each is a change after the other.
struct Change {
    method: &'static str,
    path: String,
    bodies: [String; 2],
}

impl Change {
    fn send(&self, service: &Process, form: usize) -> Outcome<Answer> {
        // What many results are to replace stands in the body.
        let headers = if self.method == "POST" {
            &[JSON][..]
        } else {
            &[JSON, ("If-Match", "*"), ("Change-Reason", "bench")]
        };
        sent(service, self.method, &self.path, headers, &self.bodies[form])
    }
}

/// One result after the other.
fn one(plan: &Plan, place: &Place, service: &Process) -> Outcome<()> {
    let ids = indicators(service, "kita", 20)?;
    sent(service, "POST", "/v1/results", &[JSON], &results(&ids, 0))?;
    let changes = ids.iter().map(|id| Change {
        method: "PUT",
        path: format!("/v1/indicators/{id}/results/{YEAR}"),
        bodies: [1, 2].map(|value| result(value).to_string()),
    });
    against_pgbench(
        plan,
        place,
        service,
        "write of one result",
        &changes.collect::<Vec<_>>(),
    )
}

/// One result after the other, each of which everybody sees: with a revision of its policy, and its evaluations counted anew.
fn public(plan: &Plan, place: &Place, service: &Process) -> Outcome<()> {
    let results = place.values(
        "select r.indicator_id || '/results/' || r.fiscal_year as value from results r where r.public order by md5(r.id::text) limit 20",
    )?;
    let changes = results.into_iter().map(|result| {
        let year = result
            .rsplit('/')
            .next()
            .and_then(|year| year.parse().ok())
            .unwrap_or(YEAR);
        Change {
            method: "PUT",
            bodies: [1, 2].map(|value| result_of(year, value).to_string()),
            path: format!("/v1/indicators/{result}"),
        }
    });
    against_pgbench(
        plan,
        place,
        service,
        "write of a public result",
        &changes.collect::<Vec<_>>(),
    )
}

/// A thousand at once.
fn bulk(plan: &Plan, place: &Place, service: &Process) -> Outcome<()> {
    let ids = indicators(service, "miyakojima", BULK)?;
    let change = Change {
        method: "POST",
        path: "/v1/results".to_owned(),
        bodies: [1, 2].map(|value| results(&ids, value)),
    };
    against_pgbench(plan, place, service, "write of 1,000 results", &[change])
}

/// A policy as a whole, each of its indicators reworded.
fn tree(plan: &Plan, place: &Place, service: &Process) -> Outcome<()> {
    indicators(service, "fukushima", 20)?;
    let path = format!("/v1/policies/fukushima/{YEAR}/tree");
    let stored = get(service, &path)?.json()?;
    let body = |word: &str| {
        let mut tree = stored.clone();
        for (n, indicator) in (1..).zip(tree["goals"][0]["indicators"].as_array_mut().into_iter().flatten()) {
            indicator["name"] = json!(format!("{word}{n}"));
        }
        tree.to_string()
    };
    let change = Change {
        method: "PUT",
        bodies: ["指標", "目標"].map(body),
        path,
    };
    against_pgbench(plan, place, service, "tree PUT", &[change])
}

fn against_pgbench(plan: &Plan, place: &Place, service: &Process, name: &str, changes: &[Change]) -> Outcome<()> {
    let watched = Watched::new(place)?;
    let paths: Vec<String> = changes.iter().map(|change| change.path.clone()).collect();
    let scripts = watched.scripts(name, &paths, |service, path| {
        let change = changes
            .iter()
            .find(|change| change.path == path)
            .ok_or("no such change")?;
        change.send(service, 0)?;
        change.send(service, 1)
    })?;
    let script = requests(place, changes)?;
    let twice = || -> Outcome<Rate> {
        let rate = pgbench(&place.url(), &scripts, plan.seconds)?;
        // Each script writes twice, so that the second time is a change again.
        Ok(Rate {
            per_second: rate.per_second * 2.0,
            p50: rate.p50 / 2.0,
            p99: rate.p99 / 2.0,
        })
    };
    let (ours, limit) = rounds(plan, || wrk(&service.url(""), &script, plan.seconds), twice)?;
    line(
        name,
        ours,
        service.resident()?,
        Some(("pgbench, same statements", limit)),
    );
    Ok(())
}

/// A file of new results, against `COPY` into the same table: results a second.
fn import(plan: &Plan, place: &Place, service: &Process) -> Outcome<()> {
    // Organizations whose drafts no other row of the table writes to.
    let organizations = place.values("select slug as value from organizations order by id offset 4")?;
    let wanted = place.size.min(FILE);
    let mut ids = Vec::new();
    for (organization, taken) in organizations.iter().zip((0..wanted).step_by(BULK)) {
        ids.extend(indicators(service, organization, (wanted - taken).min(BULK))?);
    }
    let mut lines = "indicator_id,fiscal_year,value,observation_status\n".to_owned();
    let mut copied = String::new();
    for id in &ids {
        lines.push_str(&format!("{id},{YEAR},12.5,final\n"));
        copied.push_str(&format!("{},{id},{YEAR},12.5,final\n", Uuid::now_v7()));
    }
    let file = place.folder.write("copied.csv", copied)?;
    // Not measured: what the round before has left.
    let emptied = || -> Outcome<()> {
        let mut conn = place.connect()?;
        conn.batch_execute(&format!(
            "begin; select begin_write('bench', '', '', ''); \
             delete from results r using indicators i, goals g, policies p where i.id = r.indicator_id and g.id = i.goal_id \
             and p.id = g.policy_id and p.fiscal_year = {YEAR}; commit"
        ))?;
        Ok(conn.batch_execute("vacuum analyze results")?)
    };
    let imported = || {
        emptied()?;
        per_second(|| {
            let path = format!("/v1/imports/results?fiscal_year={YEAR}");
            sent(service, "POST", &path, &[("Content-Type", "text/csv")], &lines)?;
            Ok(ids.len())
        })
    };
    let copied = || {
        emptied()?;
        per_second(|| copy(place, &file).map(|()| ids.len()))
    };
    let (ours, limit) = rounds(plan, imported, copied)?;
    line(
        "import of results",
        ours,
        service.resident()?,
        Some(("COPY into the same table", limit)),
    );
    Ok(())
}

/// Copies results into their table, as one write.
fn copy(place: &Place, file: &Path) -> Outcome<()> {
    let copy = format!(
        "\\copy results (id, indicator_id, fiscal_year, value, observation_status) from '{}' (format csv)",
        file.display()
    );
    let begin = "select begin_write('bench', '', '', '')";
    let mut psql = Command::new("psql");
    psql.args([
        "-X",
        "-q",
        "-1",
        "-v",
        "ON_ERROR_STOP=1",
        "-o",
        "/dev/null",
        "-c",
        begin,
        "-c",
        &copy,
    ]);
    let done = psql.arg(place.url()).status()?;
    if done.success() {
        Ok(())
    } else {
        Err("COPY failed".into())
    }
}

/// The indicators of an organization's draft, which is made when it is not there.
fn indicators(service: &Process, organization: &str, count: usize) -> Outcome<Vec<String>> {
    let path = format!("/v1/policies/{organization}/{YEAR}/tree");
    if get(service, &path)?.status == 404 {
        let indicators: Vec<Value> = (0..count)
            .map(|n| {
                json!({ "name": format!("指標{n}"), "kind": "outcome", "unit": "%", "decimals": 1, "direction": "higher_is_better",
                    "results": [], "target": { "text": "50%以上", "comparator": "gte", "value": 50,
                        "reference": { "kind": "none" }, "period": { "kind": "single_year" } } })
            })
            .collect();
        let goals: Vec<Value> = (1..)
            .zip(indicators.chunks(OF_A_GOAL))
            .map(|(n, some)| json!({ "code": n.to_string(), "title": "課題", "budgets": [], "indicators": some }))
            .collect();
        let tree = json!({ "organization": organization, "fiscal_year": YEAR, "goals": goals });
        sent(
            service,
            "PUT",
            &path,
            &[JSON, ("If-None-Match", "*")],
            &tree.to_string(),
        )?;
    }
    let tree = get(service, &path)?.json()?;
    let goals = tree["goals"].as_array().into_iter().flatten();
    let indicators = goals.flat_map(|goal| goal["indicators"].as_array().into_iter().flatten());
    let ids = indicators.filter_map(|indicator| indicator["id"].as_str());
    Ok(ids.take(count).map(str::to_owned).collect())
}

fn result(value: u32) -> Value {
    result_of(YEAR, value)
}

fn result_of(year: u32, value: u32) -> Value {
    json!({ "fiscal_year": year, "value": value, "value_status": "reported", "observation_status": "final" })
}

/// The same result of many indicators, to be stored together.
fn results(ids: &[String], value: u32) -> String {
    let item = |id| json!({ "indicator_id": id, "version": null, "result": result(value) });
    let items: Vec<Value> = ids.iter().map(item).collect();
    json!({ "items": items, "reason": null }).to_string()
}

fn get(service: &Process, path: &str) -> Outcome<Answer> {
    let authorization = format!("Bearer {TOKEN}");
    request(service.port, "GET", path, &[("Authorization", &authorization)], b"")
}

/// The answer to a request that must succeed.
pub(crate) fn sent(
    service: &Process,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Outcome<Answer> {
    let authorization = format!("Bearer {TOKEN}");
    let headers = [headers, &[("Authorization", authorization.as_str())]].concat();
    let answer = request(service.port, method, path, &headers, body.as_bytes())?;
    if answer.status < 300 {
        Ok(answer)
    } else {
        Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into())
    }
}

/// What `wrk` sends: each change in its one form, then each in the other.
fn requests(place: &Place, changes: &[Change]) -> Outcome<PathBuf> {
    let all = [0, 1]
        .into_iter()
        .flat_map(|form| changes.iter().map(move |change| (change, form)));
    let all: String = all
        .map(|(change, form)| {
            let Change { method, path, bodies } = change;
            // Long brackets: a body may hold anything but these.
            format!("{{ '{method}', '{path}', [==[{}]==] }},\n", bodies[form])
        })
        .collect();
    let script = format!(
        "local changes = {{ {all} }}\nlocal requests = {{}}\nlocal headers = {{ ['Authorization'] = 'Bearer {TOKEN}', \
         ['Content-Type'] = 'application/json', ['Change-Reason'] = 'bench' }}\n\
         init = function() for n, change in ipairs(changes) do\n\
         headers['If-Match'] = change[1] ~= 'POST' and '*' or nil\n\
         requests[n] = wrk.format(change[1], change[2], headers, change[3]) end end\n"
    );
    place.folder.write("changes.lua", script + ONE_AFTER_THE_OTHER)
}
