//! Tokens where the program runs: its commands, its first token, and its log, in which no token is.

use std::{
    fs,
    io::{BufReader, Read, Write},
};

use nix::sys::signal::Signal;

use crate::{
    Outcome,
    http::{Answer, connect, create, exchange, get, get_by},
    process::{Place, database},
};

#[test]
fn tokens_are_made_listed_and_revoked_by_command_whether_the_service_runs_or_not() -> Outcome {
    let place = Place::new("token-command")?;
    let service = place.serve(&["--no-sample"])?;
    let make = |name: &str| {
        place.run(
            &[
                "token",
                "create",
                "--name",
                name,
                "--scope",
                "edit:*",
                "publish:*",
                "--expires-in-days",
                "30",
            ],
            &[],
        )
    };
    let while_running = make("running")?;
    assert!(
        while_running.status.success() && while_running.said.is_empty(),
        "{}",
        while_running.said
    );
    let token = while_running.printed.trim_end();
    assert_eq!(while_running.printed, format!("{token}\n"));
    assert_eq!(create(service.address, token, "port-bureau")?.status, 201);
    assert_eq!(get_by(service.address, token, "/v1/tokens")?.status, 403);
    let audit = get_by(service.address, &place.token()?, "/v1/audit?type=token&limit=1")?.body;
    assert_eq!(
        (&audit["items"][0]["actor"], &audit["items"][0]["key"]["token"]),
        (&"ward-policy".into(), &"running".into())
    );
    assert!(service.stop(Signal::SIGTERM)?.success());

    let while_stopped = make("stopped")?;
    assert!(while_stopped.status.success(), "{}", while_stopped.said);
    assert!(place.is_deserted()?);
    assert!(place.run(&["token", "revoke", "running"], &[])?.status.success());
    assert!(place.run(&["token", "revoke", "running"], &[])?.status.success());
    let listed = place.run(&["token", "list"], &[])?.printed;
    let lines: Vec<_> = listed.lines().collect();
    let names: Vec<_> = lines.iter().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["admin-token", "running", "stopped"]);
    assert!(
        lines[1].contains("edit:* publish:*") && lines[1].contains("expires") && lines[1].contains("revoked"),
        "{listed}"
    );
    assert!(!listed.contains(token));

    make("stopped")?.is_one_line_about(&["name", "taken"]);
    place
        .run(&["token", "revoke", "nobody"], &[])?
        .is_one_line_about(&["token"]);
    place
        .run(&["token", "create", "--name", "a", "--scope", "edit:port-bureu"], &[])?
        .is_one_line_about(&["scopes/0", "edit:port-bureau"]);

    let service = place.serve(&["--no-sample"])?;
    assert_eq!(create(service.address, token, "other-bureau")?.status, 401);
    assert_eq!(
        create(service.address, while_stopped.printed.trim_end(), "other-bureau")?.status,
        201
    );
    Ok(())
}

#[test]
fn tokens_are_made_in_a_database_elsewhere_once_it_is_migrated() -> Outcome {
    let place = Place::new("token-elsewhere")?;
    let database = database("elsewhere")?;
    let settings = [("DATABASE_URL", database.address.as_str())];
    let arguments = ["token", "create", "--name", "first", "--scope", "admin"];
    place
        .run(&arguments, &settings)?
        .is_one_line_about(&["ward-policy migrate"]);
    assert!(place.run(&["migrate"], &settings)?.status.success());
    let made = place.run(&arguments, &settings)?;
    let service = place.spawn(&["serve", "--no-sample"], &settings)?.wait()?;
    assert_eq!(
        get_by(service.address, made.printed.trim_end(), "/v1/tokens")?.status,
        200
    );
    assert!(!place.data().exists(), "something was started or written here");
    Ok(())
}

#[test]
fn a_first_token_is_never_written_over_what_is_there() -> Outcome {
    let place = Place::new("token-file")?;
    fs::create_dir(place.data())?;
    let file = place.data().join("admin-token");
    fs::write(&file, "somebody's\n")?;
    let service = place.serve(&["--no-sample"])?;
    assert!(service.said()?.contains("remove it and start again"));
    assert_eq!(fs::read_to_string(&file)?, "somebody's\n");
    assert!(service.stop(Signal::SIGTERM)?.success());
    fs::remove_file(&file)?;
    let service = place.serve(&["--no-sample"])?;
    assert_eq!(get_by(service.address, &place.token()?, "/v1/tokens")?.status, 200);
    Ok(())
}

#[test]
fn no_token_is_in_the_log_whatever_it_logs() -> Outcome {
    let place = Place::new("token-log")?;
    let service = place
        .spawn(&["serve", "--no-sample"], &[("RUST_LOG", "trace")])?
        .wait()?;
    let good = place.token()?;
    let body = r#"{"name":"made","scopes":["admin"]}"#;
    let request = format!(
        "POST /v1/tokens HTTP/1.1\r\nHost: it\r\nConnection: close\r\nAuthorization: Bearer {good}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let made = exchange(service.address, request.as_bytes())?;
    assert_eq!(made.status, 201);
    let made = made.body["token"].as_str().ok_or("no token")?.to_owned();
    let bad = format!("{}AAAA", &made[..made.len() - 4]);
    for (token, status) in [(&good, 200), (&made, 200), (&bad, 401)] {
        assert_eq!(get_by(service.address, token, "/v1/tokens")?.status, status);
        assert_eq!(
            create(service.address, token, "port-bureau")?.status == 401,
            status == 401
        );
    }
    assert_eq!(get(service.address, "/v1/organizations")?.status, 200);
    let address = service.address;
    let said = service.said()? + &fs::read_to_string(place.data().join("server.log"))?;
    assert!(said.contains("/v1/tokens"), "{address} logged nothing");
    for token in [good, made, bad] {
        let secret = token.splitn(3, '_').nth(2).ok_or("no secret")?;
        let line = said.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
    Ok(())
}

#[test]
fn who_may_not_write_is_told_so_before_the_body_is_read() -> Outcome {
    let place = Place::new("token-body")?;
    let service = place.serve(&["--no-sample"])?;
    for (authorization, challenge) in [
        ("", "bearer realm=\"ward-policy\""),
        (
            "Authorization: Bearer nonsense\r\n",
            "bearer realm=\"ward-policy\", error=\"invalid_token\"",
        ),
    ] {
        let mut stream = connect(service.address)?;
        write!(
            stream,
            "POST /v1/organizations HTTP/1.1\r\nHost: it\r\n{authorization}Content-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\n4\r\n{{\"a\"\r\n"
        )?;
        // The body never ends.
        let mut reader = BufReader::new(stream.try_clone()?);
        let answer = Answer::read(&mut reader)?;
        assert_eq!((answer.status, answer.challenge.as_str()), (401, challenge));
        // Nobody waits for it either: the connection is closed.
        reader.read_to_end(&mut Vec::new())?;
    }
    Ok(())
}
