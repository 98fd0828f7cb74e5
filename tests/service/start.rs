//! A start while the database is not there yet, and one that can never succeed.

use std::{fs, net::SocketAddr};

use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query};
use nix::sys::signal::Signal;
use serde_json::json;
use ward_policy::db::embedded::Embedded;

use crate::{
    Outcome,
    http::{get, organizations},
    process::{Place, Service, database, eventually},
    replica::Standby,
};

/// Fails unless the service says that it lives, and to everything else that it is not ready.
fn only_lives(service: &Service) -> Outcome {
    assert_eq!(get(service.address, "/healthz")?.status, 200);
    for path in [
        "/readyz",
        "/v1/organizations",
        "/v1/policies/nishi/2024/tree",
        "/openapi.json",
    ] {
        let answer = get(service.address, path)?;
        assert_eq!((answer.status, answer.retry_after), (503, true), "{path}");
        assert_eq!(answer.body["type"], "/problems/unavailable", "{path}");
    }
    Ok(())
}

fn is_ready(address: SocketAddr) -> Outcome {
    eventually(|| Ok((get(address, "/readyz")?.status == 200).then_some(())))
}

#[test]
fn a_database_that_comes_later_is_migrated_and_served() -> Outcome {
    let place = Place::new("later")?;
    // Its address is known, and nobody answers there.
    let server = Embedded::start(&place.data())?;
    let url = server.url("ward_policy");
    server.stop();
    let service = place.spawn(&[], &[("DATABASE_URL", &url)])?.listening()?;
    only_lives(&service)?;
    assert!(service.said()?.contains("trying again"), "{}", service.said()?);
    let server = Embedded::start(&place.data())?;
    is_ready(service.address)?;
    assert_eq!(organizations(service.address)?.len(), 24);
    // What it waits for (a server, and while that starts, its start) is said once, however often it tries.
    let said = service.said()?;
    let mut waits: Vec<&str> = said
        .lines()
        .filter(|line| line.ends_with("trying again until it is"))
        .filter_map(|line| Some(line.split_once(' ')?.1))
        .collect();
    let often = waits.len();
    waits.sort_unstable();
    waits.dedup();
    assert_eq!(waits.len(), often, "{said}");
    assert!(service.stop(Signal::SIGTERM)?.success());
    server.stop();
    Ok(())
}

#[test]
fn a_service_that_waits_for_its_database_can_be_stopped() -> Outcome {
    let place = Place::new("stopped-early")?;
    let nobody = "postgresql://nobody@127.0.0.1:1/nothing";
    let service = place.spawn(&[], &[("DATABASE_URL", nobody)])?.listening()?;
    only_lives(&service)?;
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn a_server_in_recovery_is_waited_for_until_it_takes_writes() -> Outcome {
    let place = Place::new("recovery")?;
    let primary = Embedded::start(&place.data())?;
    let standby = Standby::of(&primary.url("ward_policy"), &place)?;
    // It refuses everybody while it starts, and this one goes on starting.
    let closed = standby.killed()?.with_setting("hot_standby = off")?;
    let closed = closed.launched()?;
    let service = place.spawn(&[], &[("DATABASE_URL", &closed.url())])?.listening()?;
    only_lives(&service)?;
    // Now it answers readers only.
    let open = closed.killed()?.with_setting("hot_standby = on")?.started()?;
    eventually(|| Ok(service.said()?.contains("in recovery").then_some(())))?;
    only_lives(&service)?;
    open.tell("select pg_promote()")?;
    is_ready(service.address)?;
    assert_eq!(organizations(service.address)?.len(), 24);
    assert!(service.stop(Signal::SIGTERM)?.success());
    Ok(())
}

#[test]
fn an_address_that_cannot_be_right_ends_the_start_in_one_line() -> Outcome {
    let place = Place::new("wrong")?;
    let server = Embedded::start(&place.data())?;
    let url = server.url("ward_policy");
    // Until it starts again, the server goes by these rules.
    let rules = place.data().join("pg_hba.conf");
    let before = fs::read_to_string(&rules)?;
    fs::write(&rules, format!("local all guest scram-sha-256\n{before}"))?;
    PgConnection::establish(&url)?
        .batch_execute("create role guest login password 'right'; select pg_reload_conf()")?;
    let guest = |password: &str| url.replace("//ward_policy@", &format!("//guest:{password}@"));
    for (address, word) in [
        // Its words may be parts of a password.
        ("nonsense".to_owned(), "libpq"),
        (
            "postgresql://nobody@no-such-host.invalid/nothing".to_owned(),
            "no-such-host.invalid",
        ),
        (guest("wrong"), "guest"),
        (server.url("no_such_database"), "no_such_database"),
        (url.replace("//ward_policy@", "//no_such_role@"), "no_such_role"),
    ] {
        for command in ["serve", "migrate"] {
            place
                .run(&[command], &[("DATABASE_URL", &address)])?
                .is_one_line_about(&["DATABASE_URL", word]);
        }
    }
    // The right one is not refused: the role may not make tables, which is said too.
    let refused = place.run(&["serve"], &[("DATABASE_URL", &guest("right"))])?;
    refused.is_one_line_about(&["schema public"]);
    Ok(())
}

#[test]
fn a_service_that_waited_in_vain_ends_with_the_reason() -> Outcome {
    let place = Place::new("in-vain")?;
    let server = Embedded::start(&place.data())?;
    let url = server.url("no_such_database");
    server.stop();
    let service = place.spawn(&[], &[("DATABASE_URL", &url)])?.listening()?;
    only_lives(&service)?;
    let _server = Embedded::start(&place.data())?;
    let log = service.log();
    assert_eq!(service.wait()?.code(), Some(1));
    let said = fs::read_to_string(log)?;
    let last = said.lines().last().ok_or("nothing was said")?;
    assert!(
        last.contains("DATABASE_URL") && last.contains("no_such_database"),
        "{said}"
    );
    Ok(())
}

#[test]
#[expect(clippy::disallowed_methods, reason = "looks at what the database keeps")]
fn what_is_not_counted_yet_is_evaluated_and_counted_beside() -> Outcome {
    let place = Place::new("uncounted")?;
    let database = database("uncounted")?;
    let settings = [("DATABASE_URL", database.address.as_str())];
    let service = place.spawn(&[], &settings)?.wait()?;
    let summary = get(service.address, "/v1/evaluations/summary?group_by=organization")?.body;
    assert_eq!(summary["items"][0]["roll_up"]["total"], json!(10), "{summary}");
    assert!(service.stop(Signal::SIGTERM)?.success());

    let mut conn = PgConnection::establish(&database.address)?;
    conn.batch_execute("update derived.tallied set rules = 0; delete from derived.tallies")?;
    let mut uncounted =
        || -> Outcome<usize> { Ok(sql_query("select 1 from derived.tallied where rules = 0").execute(&mut conn)?) };
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table derived.tallies in exclusive mode")?;
    let service = place.spawn(&[], &settings)?.wait()?;
    assert!(uncounted()? > 0);
    let path = "/v1/evaluations/summary?group_by=organization";
    assert_eq!(get(service.address, path)?.body, summary);
    holder.batch_execute("commit")?;
    eventually(|| Ok((uncounted()? == 0).then_some(())))?;
    assert_eq!(get(service.address, path)?.body, summary);
    Ok(())
}
