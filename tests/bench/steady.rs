//! Reading what is kept while somebody writes: how much is read anew after each change.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    Outcome, Plan,
    load::wrk,
    place::{Place, Process},
    table::line,
    workloads::{gets, rounds},
    writes::sent,
};

/// So long after one result the next one is changed.
const PAUSE: Duration = Duration::from_millis(100);

const CHANGE: [(&str, &str); 3] = [
    ("Content-Type", "application/merge-patch+json"),
    ("If-Match", "*"),
    ("Change-Reason", "measured"),
];

/// Warm reads of different paths while ten results a second change that the public sees, against the same while none does.
pub(crate) fn run(plan: &Plan, place: &Place, name: &str, paths: &[String]) -> Outcome<()> {
    if !plan.wants(name) {
        return Ok(());
    }
    let service = place.serve("steady", &[])?;
    let results = place.values(
        "select '/v1/indicators/' || indicator_id || '/results/' || fiscal_year as value \
         from results where public order by md5(id::text) limit 100",
    )?;
    let script = gets(place, paths, &[])?;
    let read = || wrk(&service.url(""), &script, plan.seconds);
    read()?;
    let (ours, limit) = rounds(plan, || while_changing(&service, &results, read), read)?;
    line(name, ours, service.resident()?, Some(("nobody writes", limit)));
    Ok(())
}

fn while_changing<T>(service: &Process, results: &[String], work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let changing = scope.spawn(|| -> Result<(), String> {
            for (n, path) in results.iter().cycle().enumerate() {
                if over.load(Ordering::Acquire) {
                    break;
                }
                let body = json!({ "comment": format!("{n}回目") }).to_string();
                sent(service, "PATCH", path, &CHANGE, &body).map_err(|e| e.to_string())?;
                thread::sleep(PAUSE);
            }
            Ok(())
        });
        let done = work();
        over.store(true, Ordering::Release);
        changing.join().map_err(|_panic| "the writer panicked")??;
        done
    })
}
