//! The service seen from outside: its metrics on a port of their own, its log as lines of JSON, its slow queries.

use std::{net::SocketAddr, thread, time::Duration};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use crate::{
    Outcome,
    http::{call, get},
    process::{Place, Service, database, eventually},
};

/// Where the metrics of a service are.
pub(crate) fn metrics_of(service: &Service) -> Outcome<SocketAddr> {
    let said = service.said()?;
    let (_, rest) = said.split_once("metrics http://").ok_or("no metrics")?;
    Ok(rest.split_once("/metrics").ok_or("no path")?.0.parse()?)
}

pub(crate) fn told(address: SocketAddr) -> Outcome<String> {
    let (status, body) = call(address, None, "GET /metrics", &[], None)?;
    assert_eq!(status, 200);
    Ok(String::from_utf8(body)?)
}

/// The lines of a log, each of which must be an object.
fn lines(service: &Service) -> Outcome<Vec<Value>> {
    let said = service.said()?;
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|e| format!("{e}: {line}").into()))
        .collect()
}

#[test]
fn metrics_are_told_on_their_own_port_alone_also_while_the_database_is_away() -> Outcome {
    let place = Place::new("metrics")?;
    let database = database("outside_metrics")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
        ("WARD_POLICY_CACHE_BYTES", "0"),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    let metrics = metrics_of(&service)?;
    assert_eq!(get(service.address, "/v1/policies/nishi/2024")?.status, 200);
    assert_eq!(get(service.address, "/metrics")?.status, 404);
    assert_eq!(get(metrics, "/v1/organizations")?.status, 404);
    let route = "route=\"/v1/policies/{organization}/{fiscal_year}\",method=\"GET\",status=\"200\"";
    let before = told(metrics)?;
    assert!(
        before.contains(&format!("ward_policy_requests_total{{{route}}} 1\n")),
        "{before}"
    );
    assert!(before.contains("ward_policy_database_up 1\n"));

    let elsewhere = database.address.replace("outside_metrics", "postgres");
    PgConnection::establish(&elsewhere)?.batch_execute("drop database outside_metrics with (force)")?;
    // The database is up as long as its last answer is less than a second old; and a connection that was closed is not yet one
    // that failed.
    let after = eventually(|| {
        assert_eq!(get(service.address, "/v1/policies/nishi/2024")?.status, 503);
        let said = told(metrics)?;
        let is_away = said.contains("ward_policy_database_up 0\n")
            && said.contains("ward_policy_database_errors_total{kind=\"connection_failed\"}");
        Ok(is_away.then_some(said))
    })?;
    assert!(after.contains(&route.replace("200", "503")), "{after}");
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn a_log_of_json_is_json_throughout_and_says_of_each_request_what_it_was() -> Outcome {
    let place = Place::new("json")?;
    let service = place.spawn(&[], &[("WARD_POLICY_LOG_FORMAT", "json")])?.wait()?;
    let (trace, parent) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let headers = [
        ("X-Request-Id", "mine-1"),
        ("traceparent", &format!("00-{trace}-{parent}-01")),
    ];
    let (status, body) = call(service.address, None, "GET /v1/policies/nishi/2024", &headers, None)?;
    assert_eq!(status, 200);
    let access = |line: &Value| line["target"] == "ward_policy::access" && line["request_id"] == "mine-1";
    let line = eventually(|| Ok(lines(&service)?.into_iter().find(access)))?;
    for (key, expected) in [
        ("level", Value::from("INFO")),
        ("method", "GET".into()),
        ("route", "/v1/policies/{organization}/{fiscal_year}".into()),
        ("status", 200.into()),
        ("bytes", body.len().into()),
        ("trace_id", trace.into()),
    ] {
        assert_eq!(line[key], expected, "{line}");
    }
    assert!(line["ms"].is_number() && line["message"].is_string(), "{line}");
    let span = line["span_id"].as_str().ok_or("no span")?;
    assert!(span.len() == 16 && span != parent, "{line}");
    let time = line["time"].as_str().ok_or("no time")?;
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");

    // The database goes away: errors are lines too, with the request they are of.
    kill(place.postmaster().ok_or("no server")?, Signal::SIGKILL)?;
    let failed = eventually(|| {
        let headers = [("X-Request-Id", "mine-2")];
        call(service.address, None, "GET /v1/organizations", &headers, None)?;
        let lines = lines(&service)?;
        let failed = |line: &Value| line["level"] == "ERROR" && line["request_id"] == "mine-2";
        let recovered = |line: &Value| line["status"] == 200 && line["request_id"] == "mine-2";
        if !lines.iter().any(failed) && lines.iter().any(recovered) {
            // One that is not there is away too.
            let _ = place.postmaster().map(|server| kill(server, Signal::SIGKILL));
        }
        Ok(lines.into_iter().find(failed))
    })?;
    assert_eq!(failed["trace_id"].as_str().map(str::len), Some(32), "{failed}");
    Ok(())
}

#[test]
fn a_slow_query_is_named_with_its_request_and_without_what_it_was_asked_with() -> Outcome {
    let place = Place::new("slow")?;
    let database = database("slow")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_SLOW_QUERY_MS", "200"),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table indicators in access exclusive mode")?;
    let address = service.address;
    let asker = thread::spawn(move || {
        let request = "GET /v1/indicators?q=confidential-words";
        call(address, None, request, &[("X-Request-Id", "mine-3")], None).map(|(status, _)| status)
    });
    thread::sleep(Duration::from_secs(2));
    holder.batch_execute("rollback")?;
    let Ok(status) = asker.join() else {
        return Err("the caller panicked".into());
    };
    assert_eq!(status?, 200);
    let said = service.said()?;
    let line = said
        .lines()
        .find(|line| line.contains("a slow query") && line.contains("mine-3"))
        .ok_or_else(|| said.clone())?;
    assert!(
        line.contains("FROM") && line.contains("\"indicators\"") && line.contains("$1"),
        "{line}"
    );
    assert!(!said.contains("confidential"), "{said}");
    assert!(!told(metrics_of(&service)?)?.contains("ward_policy_slow_queries_total 0\n"));
    Ok(())
}
