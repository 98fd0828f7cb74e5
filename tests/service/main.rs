//! The program starts, serves, stops, survives what befalls it, and says what is wrong.

#![expect(
    clippy::indexing_slicing,
    reason = "a missing key of a JSON value is null, which no test expects"
)]

use std::{
    collections::HashSet,
    error::Error,
    ffi::OsStr,
    fs,
    io::Read,
    net::TcpListener,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use ward_policy::db::embedded::Embedded;

use http::{assert_ok_or_away, assert_ok_or_away_or_unknown, create, exchange, get, get_by, organizations};
use process::{Place, Run, Starting, database, eventually};

mod alarms;
mod backup;
mod bounds;
mod docs;
mod files;
mod http;
mod imports;
mod majors;
mod mirror;
mod outside;
mod process;
mod replica;
mod slow;
mod standby;
mod start;
mod stop;
mod tokens;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Far longer than anything here takes, so that a slow machine does not fail a test.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_first_start_says_where_it_is_and_serves_the_sample() -> Outcome {
    let place = Place::new("first")?;
    let service = place.serve(&[])?;
    let said = service.said()?;
    let address = service.address;
    // Requests are lines too, and the account that PostgreSQL runs as for root is made once.
    let apart = |line: &&str| line.contains("::access") || line.contains("::account");
    let lines: Vec<_> = said.lines().filter(|line| !apart(line)).collect();
    let file = place.data().join("admin-token");
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].ends_with(&format!("is in {}", file.display())), "{said}");
    assert!(
        lines[1].ends_with(&format!(
            "site http://{address}/  API http://{address}/v1  documentation http://{address}/docs/"
        )),
        "{said}"
    );

    assert_eq!(get(address, "/healthz")?.status, 200);
    assert_eq!(get(address, "/readyz")?.status, 200);
    assert_eq!(organizations(address)?.len(), 24);
    let tree = get(address, "/v1/policies/nishi/2024/tree")?.body;
    assert_eq!(tree["organization_name"], "西区");
    assert_eq!(tree["goals"].as_array().map(Vec::len), Some(4));
    assert_eq!(get(address, "/docs/")?.status, 200);

    let token = place.token()?;
    assert_eq!(fs::metadata(&file)?.mode() & 0o7777, 0o600);
    assert!(!said.contains(&token));
    let tokens = get_by(address, &token, "/v1/tokens")?.body;
    assert_eq!(tokens["items"][0]["scopes"], serde_json::json!(["admin"]));

    // Nothing is made anew, though the file is gone.
    assert!(service.stop(Signal::SIGTERM)?.success());
    fs::remove_file(&file)?;
    let service = place.serve(&[])?;
    assert!(!service.said()?.contains("token"), "{}", service.said()?);
    assert!(!file.exists());
    assert_eq!(get_by(service.address, &token, "/v1/tokens")?.status, 200);
    Ok(())
}

#[test]
fn every_request_is_one_line_of_the_log() -> Outcome {
    let place = Place::new("log")?;
    let service = place.serve(&[])?;
    let head = "GET /v1/policies/nishi/2024 HTTP/1.1\r\nHost: it\r\nConnection: close\r\nX-Request-Id: mine-1\r\n\r\n";
    let answer = exchange(service.address, head.as_bytes())?;
    let said = service.said()?;
    let line = said.lines().last().ok_or("no line")?;
    let words: Vec<_> = line.split_whitespace().rev().take(6).collect();
    let [bytes, took, status, route, method, id] = words[..] else {
        return Err(line.into());
    };
    assert_eq!(
        (id, method, route, status),
        ("mine-1", "GET", "/v1/policies/{organization}/{fiscal_year}", "200")
    );
    assert!(took.strip_suffix("ms").is_some_and(|ms| ms.parse::<f64>().is_ok()));
    assert_eq!(bytes, format!("{}B", answer.length));
    Ok(())
}

#[test]
fn without_the_sample_it_is_empty() -> Outcome {
    let place = Place::new("empty")?;
    let service = place.serve(&["serve", "--no-sample"])?;
    assert!(organizations(service.address)?.is_empty());
    Ok(())
}

#[test]
fn what_was_written_is_there_after_a_stop_which_leaves_nothing_running() -> Outcome {
    let place = Place::new("stop")?;
    let service = place.serve(&["--no-sample"])?;
    assert_eq!(create(service.address, &place.token()?, "port-bureau")?.status, 201);
    assert!(!place.is_deserted()?);
    assert!(service.stop(Signal::SIGTERM)?.success());
    assert!(place.is_deserted()?);

    let service = place.serve(&["--no-sample"])?;
    assert_eq!(organizations(service.address)?, ["port-bureau"]);
    Ok(())
}

#[test]
fn a_killed_service_leaves_nothing_running_and_starts_again() -> Outcome {
    let place = Place::new("killed")?;
    for n in 0..2 {
        let service = place.serve(&["--no-sample"])?;
        assert_eq!(
            create(service.address, &place.token()?, &format!("bureau-{n}"))?.status,
            201
        );
        service.stop(Signal::SIGKILL)?;
        eventually(|| Ok(place.is_deserted()?.then_some(())))?;
    }
    // Not waiting for the end of what the last one started.
    place.serve(&["--no-sample"])?.stop(Signal::SIGKILL)?;
    let service = place.serve(&["--no-sample"])?;
    assert_eq!(organizations(service.address)?, ["bureau-0", "bureau-1"]);
    Ok(())
}

#[test]
fn while_its_database_server_is_away_it_answers_and_soon_as_before() -> Outcome {
    let place = Place::new("outage")?;
    let service = place.serve(&["--no-sample"])?;
    let (address, token) = (service.address, place.token()?);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|caller| {
                let (over, token) = (&over, &token);
                scope.spawn(move || -> Outcome<Vec<String>> {
                    let mut created = Vec::new();
                    for n in 0.. {
                        if over.load(Ordering::Relaxed) {
                            break;
                        }
                        assert_eq!(get(address, "/healthz")?.status, 200);
                        assert_ok_or_away(&get(address, "/v1/organizations")?);
                        let slug = format!("bureau-{caller}-{n}");
                        let answer = create(address, token, &slug)?;
                        assert_ok_or_away_or_unknown(&answer);
                        if answer.status == 201 {
                            created.push(slug);
                        }
                    }
                    Ok(created)
                })
            })
            .collect();
        let outages = || -> Outcome {
            for _ in 0..3 {
                let postmaster = place.postmaster().ok_or("no server")?;
                kill(postmaster, Signal::SIGKILL)?;
                eventually(|| Ok(place.postmaster().filter(|next| *next != postmaster)))?;
                eventually(|| Ok((get(address, "/readyz")?.status == 200).then_some(())))?;
            }
            Ok(())
        };
        let outages = outages();
        over.store(true, Ordering::Relaxed);
        let mut created = Vec::new();
        for caller in callers {
            let Ok(answers) = caller.join() else {
                return Err("a caller panicked".into());
            };
            created.extend(answers?);
        }
        outages?;
        let kept: HashSet<_> = organizations(address)?.into_iter().collect();
        assert!(
            created.iter().all(|slug| kept.contains(slug)),
            "what was answered with 201 is lost"
        );
        Ok(())
    })
}

#[test]
fn instances_that_start_at_once_share_a_database() -> Outcome {
    let place = Place::new("instances")?;
    let database = database("instances")?;
    let starting = (0..4)
        .map(|_| place.spawn(&["serve"], &[("DATABASE_URL", &database.address)]))
        .collect::<Outcome<Vec<_>>>()?;
    let services = starting.into_iter().map(Starting::wait).collect::<Outcome<Vec<_>>>()?;
    for service in &services {
        assert_eq!(organizations(service.address)?.len(), 24);
        let policies = get(service.address, "/v1/policies")?.body;
        assert_eq!(policies["items"].as_array().map(Vec::len), Some(1));
    }
    assert!(!place.data().exists(), "a server of its own was started");
    Ok(())
}

#[test]
fn migrations_can_be_run_apart_and_again() -> Outcome {
    let place = Place::new("migrate")?;
    let database = database("migrate")?;
    for _ in 0..2 {
        let ran = place.run(&["migrate"], &[("DATABASE_URL", &database.address)])?;
        assert!(ran.status.success(), "{}", ran.said);
    }
    PgConnection::establish(&database.address)?
        .batch_execute("do $$ begin assert (select count(*) from organizations) = 0; end $$")?;
    let refused = place.run(&["migrate"], &[])?;
    refused.is_one_line_about(&["DATABASE_URL"]);
    assert!(!place.data().exists());
    Ok(())
}

#[test]
fn a_command_asks_for_functions_and_views_that_an_older_program_did_not_define() -> Outcome {
    let place = Place::new("older-definitions")?;
    let database = database("older_definitions")?;
    let settings = [("DATABASE_URL", &*database.address)];
    let create = ["token", "create", "--name", "first", "--scope", "admin"];
    assert!(place.run(&["migrate"], &settings)?.status.success());
    PgConnection::establish(&database.address)?
        .batch_execute("update derived.definitions set digest = 'older'; drop view public_changes")?;
    place
        .run(&create, &settings)?
        .is_one_line_about(&["definitions", "ward-policy migrate"]);
    assert!(place.run(&["migrate"], &settings)?.status.success());
    assert!(place.run(&create, &settings)?.status.success());
    Ok(())
}

#[test]
fn verify_works_while_the_service_runs_or_not_and_names_what_was_altered() -> Outcome {
    let place = Place::new("verify")?;
    let service = place.serve(&[])?;
    let running = place.command(&["verify"]).output()?;
    assert!(running.status.success());
    let said = String::from_utf8(running.stdout.clone())?;
    let head = said
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("head "))
        .ok_or("no head")?;
    service.stop(Signal::SIGTERM)?;
    let stopped = place.command(&["verify", "--known", head]).output()?;
    assert_eq!((stopped.status.success(), stopped.stdout), (true, running.stdout));

    let database = database("verify")?;
    let on = [("DATABASE_URL", database.address.as_str())];
    place.run(&["verify"], &on)?.is_one_line_about(&["migrate"]);
    assert!(place.run(&["migrate"], &on)?.status.success());
    let mut conn = PgConnection::establish(&database.address)?;
    conn.batch_execute(
        "begin; select begin_write('test', '', '', ''); insert into organizations (id, slug, kind, name, display_order) \
         values (gen_random_uuid(), 'x', 'bureau', '局', 1); commit; alter table change_log disable trigger all; \
         update change_log set actor = 'nobody'",
    )?;
    let altered = place.command(&["verify"]).envs(on).output()?;
    assert_eq!(altered.status.code(), Some(1));
    assert!(String::from_utf8(altered.stdout)?.starts_with("change 1: is not what its hash was taken of\n"));
    Ok(())
}

#[test]
fn the_contract_is_printed() -> Outcome {
    let place = Place::new("openapi")?;
    let printed = place.command(&["openapi"]).output()?;
    assert!(printed.status.success());
    assert!(
        printed.stdout == fs::read("openapi/openapi.json")?,
        "it is not the one on file"
    );

    // A reader that has seen enough.
    let mut process = place
        .command(&["openapi"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    drop(process.stdout.take());
    let mut said = String::new();
    process.stderr.take().ok_or("no errors")?.read_to_string(&mut said)?;
    Run {
        status: process.wait()?,
        said,
        printed: String::new(),
    }
    .is_one_line_about(&["print"]);
    Ok(())
}

#[test]
fn a_health_check_tells_whether_the_service_is_there() -> Outcome {
    let place = Place::new("health")?;
    let service = place.spawn(&["serve"], &[("WARD_POLICY_BIND", "0.0.0.0:0")])?.wait()?;
    let port = service.address.port();
    let check = |host: &str| place.run(&["healthcheck"], &[("WARD_POLICY_BIND", &format!("{host}:{port}"))]);
    for host in ["127.0.0.1", "0.0.0.0", "localhost"] {
        let well = check(host)?;
        assert!(well.status.success(), "{host}: {}", well.said);
    }
    service.stop(Signal::SIGTERM)?;
    check("127.0.0.1")?.is_one_line_about(&["WARD_POLICY_BIND", "127.0.0.1", "refused"]);
    Ok(())
}

#[test]
fn a_service_that_does_not_answer_is_not_healthy() -> Outcome {
    let place = Place::new("silent")?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let bind = silent.local_addr()?.to_string();
    place
        .run(&["healthcheck"], &[("WARD_POLICY_BIND", &bind)])?
        .is_one_line_about(&["WARD_POLICY_BIND", &bind]);
    Ok(())
}

#[test]
fn a_bad_setting_is_one_line_before_anything_is_started() -> Outcome {
    let place = Place::new("settings")?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let taken = taken.local_addr()?.to_string();
    for (variable, value) in [
        ("WARD_POLICY_POOL", "0"),
        ("WARD_POLICY_POOL", "many"),
        ("WARD_POLICY_WORKERS", "65"),
        ("WARD_POLICY_BODY_BYTES", "-1"),
        ("WARD_POLICY_SLOW_QUERY_MS", "soon"),
        ("WARD_POLICY_LOG_FORMAT", "xml"),
        ("WARD_POLICY_CORS_ORIGINS", "*"),
        ("WARD_POLICY_CORS_ORIGINS", "www.example.jp"),
        ("WARD_POLICY_CORS_ORIGINS", "https://a.example,https://b.example/pages"),
        ("WARD_POLICY_PUBLIC_URL", "www.example.jp/policies"),
        ("WARD_POLICY_METRICS_BIND", &taken),
        ("WARD_POLICY_BIND", "nonsense"),
        ("WARD_POLICY_BIND", "127.0.0.1"),
        ("WARD_POLICY_BIND", &taken),
    ] {
        place
            .run(&["serve"], &[(variable, value)])?
            .is_one_line_about(&[variable, value]);
        assert!(!place.data().exists(), "{variable}={value}");
    }
    let settings = [("WARD_POLICY_LOG_FORMAT", "json"), ("WARD_POLICY_POOL", "0")];
    let line: Value = serde_json::from_str(&place.run(&["serve"], &settings)?.said)?;
    let words = "WARD_POLICY_POOL=0 cannot be used: it must be a number in 1..=100";
    assert_eq!(line["message"], words);
    Ok(())
}

#[test]
fn a_setting_that_may_hold_a_password_is_never_shown() -> Outcome {
    let place = Place::new("secrets")?;
    for variable in ["DATABASE_URL", "DATABASE_REPLICA_URLS"] {
        for value in [&b"postgres//u:s3cret@h"[..], b"postgres://u:s3cret\xff@h/d"] {
            let run = |argument| {
                let mut command = place.command(&[argument]);
                let output = command.env(variable, OsStr::from_bytes(value)).output()?;
                Outcome::Ok(Run {
                    status: output.status,
                    said: String::from_utf8(output.stderr)?,
                    printed: String::from_utf8(output.stdout)?,
                })
            };
            let refused = run("serve")?;
            refused.is_one_line_about(&[variable, "=… cannot be used"]);
            assert!(!refused.said.contains("s3cret"), "{}", refused.said);
            // What needs no setting works whatever the settings are.
            for argument in ["--help", "openapi"] {
                let shown = run(argument)?;
                assert!(shown.status.success() && shown.said.is_empty(), "{}", shown.said);
                assert!(!shown.printed.contains("s3cret"), "{argument}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_blank_setting_is_absent() -> Outcome {
    let place = Place::new("blank")?;
    let settings = [
        ("DATABASE_URL", ""),
        ("WARD_POLICY_POOL", " "),
        ("WARD_POLICY_LOG_FORMAT", ""),
    ];
    place
        .run(&["migrate"], &settings)?
        .is_one_line_about(&["DATABASE_URL says which"]);
    Ok(())
}

#[test]
fn a_directory_in_use_is_named_and_its_user_undisturbed() -> Outcome {
    let place = Place::new("in-use")?;
    let service = place.serve(&[])?;
    place
        .run(&["serve"], &[])?
        .is_one_line_about(&["WARD_POLICY_DATA", &place.data().display().to_string()]);
    assert_eq!(get(service.address, "/readyz")?.status, 200);
    Ok(())
}

#[test]
fn a_start_that_fails_after_its_database_server_started_leaves_none() -> Outcome {
    let place = Place::new("failing")?;
    place.serve(&[])?.stop(Signal::SIGTERM)?;
    let embedded = Embedded::start(&place.data())?;
    PgConnection::establish(&embedded.url("ward_policy"))?
        .batch_execute("alter table __diesel_schema_migrations rename column version to edition")?;
    embedded.stop();
    let refused = place.run(&["serve"], &[])?;
    refused.is_one_line_about(&["migration"]);
    assert!(place.is_deserted()?);
    Ok(())
}

#[test]
fn a_database_of_a_newer_service_is_not_served() -> Outcome {
    let database = database("newer")?;
    let place = Place::new("newer")?;
    let settings = [("DATABASE_URL", database.address.as_str())];
    let service = place.spawn(&[], &settings)?.wait()?;
    assert_eq!(get(service.address, "/readyz")?.status, 200);
    let newer = "insert into __diesel_schema_migrations (version) values ('29990101000001')";
    PgConnection::establish(&database.address)?.batch_execute(newer)?;
    eventually(|| Ok((get(service.address, "/readyz")?.status == 503).then_some(())))?;
    assert_eq!(get(service.address, "/healthz")?.status, 200);
    assert!(service.stop(Signal::SIGTERM)?.success());
    for command in ["serve", "migrate", "verify"] {
        place
            .run(&[command], &settings)?
            .is_one_line_about(&["newer ward-policy"]);
    }
    Ok(())
}
