//! What is measured.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    Outcome, Plan,
    load::{Rate, medians, pgbench, wrk},
    overload,
    place::{Answer, Place, Process, ask, free_port},
    statements::Watched,
    steady,
    table::line,
    writes,
};

/// Different things to ask for, where asking for one again and again would be too easy.
const DIFFERENT: usize = 100;

/// Everything the plan wants, on one database.
pub(crate) fn run(plan: &Plan, place: &Place) -> Outcome<()> {
    let sample = Sample::of(place)?;
    start(plan, place)?;
    warm(plan, place, &sample)?;
    steady::run(plan, place, "items, 10 changes a second", &sample.items)?;
    steady::run(plan, place, "lists, 10 changes a second", &sample.lists)?;
    cold(plan, place, &sample)?;
    roll_up(plan, place)?;
    exports(plan, place)?;
    if plan.wants("overload") {
        overload::run(plan, place, sample.trees.first().ok_or("nothing to ask for")?)?;
    }
    writes::run(plan, place)
}

/// Paths to ask for.
struct Sample {
    items: Vec<String>,
    lists: Vec<String>,
    pages: Vec<String>,
    trees: Vec<String>,
    evaluations: Vec<String>,
    evaluation_lists: Vec<String>,
    evaluation_pages: Vec<String>,
    evaluated_trees: Vec<String>,
}

impl Sample {
    fn of(place: &Place) -> Outcome<Self> {
        let paths = |sql: &str| place.values(&format!("{sql} limit {DIFFERENT}"));
        // In no order that an index has, and the same in each run.
        let policies =
            "from policies p join organizations o on o.id = p.organization_id where p.public order by md5(p.id::text)";
        Ok(Self {
            items: paths(
                "select '/v1/indicators/' || id as value from indicators where public order by md5(id::text)",
            )?,
            lists: paths(&format!(
                "select '/v1/indicators?organization=' || o.slug || '&fiscal_year=' || p.fiscal_year as value {policies}"
            ))?,
            pages: pages(place, "indicators")?,
            trees: paths(&format!(
                "select '/v1/policies/' || o.slug || '/' || p.fiscal_year || '/tree' as value {policies}"
            ))?,
            evaluations: paths(
                "select '/v1/indicators/' || id || '/evaluation' as value from indicators where public order by md5(id::text)",
            )?,
            evaluation_lists: paths(&format!(
                "select '/v1/evaluations?limit=10&organization=' || o.slug || '&policy_year=' || p.fiscal_year || '&fiscal_year=' \
                 || p.fiscal_year as value {policies}"
            ))?,
            evaluation_pages: pages(place, "evaluations")?,
            evaluated_trees: paths(&format!(
                "select '/v1/policies/' || o.slug || '/' || p.fiscal_year || '/tree?with=evaluation' as value {policies}"
            ))?,
        })
    }
}

/// Pages of 100 of a list, from the first to the last, found by turning large ones.
fn pages(place: &Place, list: &str) -> Outcome<Vec<String>> {
    let service = place.serve("pages", &[])?;
    let mut pages = Vec::new();
    let mut at = String::new();
    loop {
        let page = service.get(&format!("/v1/{list}?limit=1000{at}"))?.json()?;
        match page["next_cursor"].as_str() {
            Some(cursor) => at = format!("&cursor={cursor}"),
            None => break,
        }
        pages.push(format!("/v1/{list}?limit=100{at}"));
    }
    // As many, evenly spread.
    let step = pages.len().div_ceil(DIFFERENT).max(1);
    Ok(pages.into_iter().step_by(step).collect())
}

fn start(plan: &Plan, place: &Place) -> Outcome<()> {
    if !plan.wants("start") {
        return Ok(());
    }
    let service = place.serve("start", &[])?;
    println!(
        "{:<34} ready after {} ms, {:.1} MiB resident",
        "start",
        service.ready.as_millis(),
        service.resident()?
    );
    Ok(())
}

/// Repeated public reads, against a handler that answers with the same bytes.
fn warm(plan: &Plan, place: &Place, sample: &Sample) -> Outcome<()> {
    let service = place.serve("warm", &[])?;
    let first = |paths: &[String]| paths.first().cloned().ok_or("nothing to ask for");
    let summary = "/v1/evaluations/summary?organization=kita&group_by=fiscal_year".to_owned();
    for (name, path, conditional) in [
        ("warm item", first(&sample.items)?, false),
        ("warm list", first(&sample.lists)?, false),
        ("warm tree", first(&sample.trees)?, false),
        ("warm summary", summary, false),
        ("304 of item", first(&sample.items)?, true),
        ("304 of tree", first(&sample.trees)?, true),
    ] {
        if !plan.wants(name) {
            continue;
        }
        let full = service.get(&path)?;
        let tag = full.header("etag").unwrap_or_default().to_owned();
        let headers = if conditional {
            vec![("If-None-Match", tag.as_str())]
        } else {
            vec![]
        };
        let answer = ask(service.port, &path, &headers)?;
        let bare = bare(place, &answer)?;
        let script = gets(place, std::slice::from_ref(&path), &headers)?;
        let (ours, limit) = rounds(
            plan,
            || wrk(&service.url(""), &script, plan.seconds),
            || wrk(&bare.url(""), &script, plan.seconds),
        )?;
        line(name, ours, service.resident()?, Some(("bare handler", limit)));
    }
    Ok(())
}

/// Reads that nobody asked for before, against the same statements alone.
fn cold(plan: &Plan, place: &Place, sample: &Sample) -> Outcome<()> {
    let service = place.serve("cold", &[("WARD_POLICY_CACHE_BYTES", "0")])?;
    let watched = Watched::new(place)?;
    for (name, paths) in [
        ("cold item", &sample.items),
        ("cold list", &sample.lists),
        ("cold page of 100", &sample.pages),
        ("cold tree", &sample.trees),
        ("cold evaluation", &sample.evaluations),
        ("cold list of 10 evaluations", &sample.evaluation_lists),
        ("cold page of 100 evaluations", &sample.evaluation_pages),
        ("cold tree with evaluation", &sample.evaluated_trees),
    ] {
        if !plan.wants(name) {
            continue;
        }
        // Statements are prepared by the first request.
        watched.service.get(paths.first().ok_or("nothing to ask for")?)?;
        let scripts = watched.scripts(name, paths, Process::get)?;
        let script = gets(place, paths, &[])?;
        let (ours, limit) = rounds(
            plan,
            || wrk(&service.url(""), &script, plan.seconds),
            || pgbench(&place.url(), &scripts, plan.seconds),
        )?;
        line(
            name,
            ours,
            service.resident()?,
            Some(("pgbench, same statements", limit)),
        );
    }
    Ok(())
}

/// The evaluation of everything.
fn roll_up(plan: &Plan, place: &Place) -> Outcome<()> {
    let name = "cold roll-up of everything";
    if !plan.wants(name) {
        return Ok(());
    }
    let service = place.serve("roll-up", &[("WARD_POLICY_CACHE_BYTES", "0")])?;
    let timed = || -> Outcome<Rate> {
        let begun = Instant::now();
        service.get("/v1/evaluations/summary")?;
        let took = begun.elapsed().as_secs_f64();
        Ok(Rate {
            per_second: 1.0 / took,
            p50: took * 1000.0,
            p99: took * 1000.0,
        })
    };
    let rounds = (0..plan.rounds).map(|_| timed()).collect::<Outcome<Vec<_>>>()?;
    line(name, medians(&rounds), service.resident()?, None);
    Ok(())
}

/// All results as a file, against `COPY` of the same columns: rows a second.
fn exports(plan: &Plan, place: &Place) -> Outcome<()> {
    let service = place.serve("exports", &[])?;
    for format in ["ndjson", "csv"] {
        let name = format!("export of results, {format}");
        if !plan.wants(&name) {
            continue;
        }
        let before = service.resident()?;
        let path = format!("/v1/exports/results?format={format}");
        let rows = |answer: &[u8]| answer.iter().filter(|byte| **byte == b'\n').count();
        let (ours, limit) = rounds(
            plan,
            || per_second(|| Ok(rows(&service.get(&path)?.body))),
            || per_second(|| copy(place).map(|copied| rows(&copied))),
        )?;
        line(&name, ours, service.resident()?, Some(("COPY, same columns", limit)));
        println!("{:<34} {:.1} MiB over idle", "", service.resident()? - before);
    }
    Ok(())
}

/// Rows that something gives in a second.
pub(crate) fn per_second(work: impl FnOnce() -> Outcome<usize>) -> Outcome<Rate> {
    let begun = Instant::now();
    let rows = u32::try_from(work()?)?;
    let took = begun.elapsed().as_secs_f64();
    Ok(Rate {
        per_second: f64::from(rows) / took,
        p50: took * 1000.0,
        p99: took * 1000.0,
    })
}

fn copy(place: &Place) -> Outcome<Vec<u8>> {
    let sql = concat!("copy (", include_str!("results.sql"), ") to stdout (format csv)");
    let output = Command::new("psql")
        .args(["-X", "-q", "-c", sql])
        .arg(place.url())
        .stderr(Stdio::inherit())
        .output()?;
    Ok(output.stdout)
}

/// As many rounds of both as the plan says, in turns: their medians.
pub(crate) fn rounds(
    plan: &Plan,
    ours: impl Fn() -> Outcome<Rate>,
    limit: impl Fn() -> Outcome<Rate>,
) -> Outcome<(Rate, Rate)> {
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        one.push(ours()?);
        other.push(limit()?);
    }
    Ok((medians(&one), medians(&other)))
}

/// A handler that gives this answer and does nothing else.
fn bare(place: &Place, answer: &Answer) -> Outcome<Process> {
    let own = ["content-length", "connection", "date", "transfer-encoding"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()));
    let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("bare")
        .arg(port.to_string())
        .arg(answer.status.to_string())
        .arg(place.folder.write("bare.headers", headers.join("\n"))?)
        .arg(place.folder.write("bare.body", &answer.body)?);
    Process::start(command, port, &place.folder.path().join("bare.log"))
}

/// What `wrk` asks for: these paths, one after the other.
pub(crate) fn gets(place: &Place, paths: &[String], headers: &[(&str, &str)]) -> Outcome<PathBuf> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("[{name:?}] = {value:?}, "))
        .collect();
    let requests = format!(
        "local paths = {}\nlocal requests = {{}}\n\
         init = function() for n, path in ipairs(paths) do requests[n] = wrk.format('GET', path, {{ {headers} }}) end end\n",
        lua(paths)
    );
    place.folder.write("gets.lua", requests + ONE_AFTER_THE_OTHER)
}

pub(crate) const ONE_AFTER_THE_OTHER: &str =
    "local n = 0\nrequest = function() n = n % #requests + 1; return requests[n] end\n";

fn lua(paths: &[String]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("{path:?}")).collect();
    format!("{{ {} }}", quoted.join(", "))
}
