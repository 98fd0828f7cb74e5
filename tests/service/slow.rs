//! Clients that send or read too slowly are let go; those that only wait are not.

use std::{
    io::{BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};

use crate::{
    Outcome,
    http::{Answer, connect, get, get_by, get_with},
    outside::{metrics_of, told},
    process::{Place, database, eventually},
};

const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: it\r\n\r\n";

#[test]
fn who_does_not_finish_the_head_of_a_request_is_let_go() -> Outcome {
    let place = Place::new("trickle")?;
    let service = place
        .spawn(&["--no-sample"], &[("WARD_POLICY_HEAD_SECONDS", "1")])?
        .wait()?;

    // The first head of a connection, and a later one, a byte at a time.
    for before in [0, 1] {
        let stream = connect(service.address)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        for _ in 0..before {
            writer.write_all(REQUEST)?;
            assert_eq!(Answer::read(&mut reader)?.status, 200);
        }
        let trickle = thread::spawn(move || {
            let endless = b"GET /healthz HTTP/1.1\r\nX: ".iter().chain(&[b'a'; 2000]);
            for byte in endless {
                if writer.write_all(&[*byte]).is_err() {
                    return true;
                }
                thread::sleep(Duration::from_millis(20));
            }
            false
        });
        // The end comes with an answer or without one; it comes.
        let mut rest = Vec::new();
        let _ = reader.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"), "{rest:?}");
        assert!(
            trickle.join().map_err(|_panic| "the client panicked")?,
            "it could go on for ever"
        );
    }
    Ok(())
}

#[test]
fn who_listens_to_a_stream_may_do_so_for_long() -> Outcome {
    let place = Place::new("listens")?;
    let settings = [("WARD_POLICY_HEAD_SECONDS", "1"), ("WARD_POLICY_IDLE_SECONDS", "1")];
    let service = place.spawn(&[], &settings)?.wait()?;
    let stream = connect(service.address)?;
    let mut writer = stream.try_clone()?;
    writer.write_all(b"GET /v1/changes/stream HTTP/1.1\r\nHost: it\r\nAccept: text/event-stream\r\n\r\n")?;
    thread::sleep(Duration::from_secs(5));
    let mut reader = BufReader::new(stream);
    let mut beginning = [0; 15];
    reader.read_exact(&mut beginning)?;
    assert_eq!(&beginning, b"HTTP/1.1 200 OK");
    // Nothing ends it as long as it is read.
    stream_is_open(reader.into_inner())
}

fn stream_is_open(mut stream: TcpStream) -> Outcome {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut some = [0; 4096];
    loop {
        match stream.read(&mut some) {
            Ok(0) => return Err("the stream was ended".into()),
            Ok(_) => {}
            Err(_nothing_yet) => return Ok(()),
        }
    }
}

#[test]
fn too_many_requests_get_429_but_a_304_from_the_cache_is_free() -> Outcome {
    let place = Place::new("rate")?;
    let service = place.spawn(&[], &[("WARD_POLICY_RATE", "2")])?.wait()?;
    let (address, token) = (service.address, place.token()?);
    let path = "/v1/policies/nishi/2024";
    // Health is asked for by machines, and no part of the API.
    for _ in 0..10 {
        assert_eq!(get(address, "/readyz")?.status, 200);
    }
    let tag = get(address, path)?.etag;
    for _ in 0..20 {
        assert_eq!(get_with(address, &[("If-None-Match", &tag)], path)?.status, 304);
    }
    let answers = (0..8).map(|_| get(address, path)).collect::<Outcome<Vec<_>>>()?;
    let refused = answers.iter().find(|answer| answer.status == 429).ok_or("never told")?;
    assert!(
        refused.retry_after && refused.body["type"] == "/problems/too-many-requests",
        "{}",
        refused.body
    );
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    // A token is not held against the address, nor are others held against a token; but tokens that are none are.
    assert_eq!(get_by(address, &token, path)?.status, 200);
    let guesses = (0..8).map(|_| get_by(address, "wardpolicy_000000000000_guess", path));
    let guesses = guesses.map(|guess| Ok(guess?.status)).collect::<Outcome<Vec<_>>>()?;
    assert!(guesses.contains(&429), "{guesses:?}");
    eventually(|| Ok((get(address, path)?.status == 200).then_some(())))
}

/// Waits until so many wait for their turn in a lane.
fn until_waiting(metrics: SocketAddr, lane: &str, number: u32) -> Outcome {
    let told_so = format!("ward_policy_pool_waiting{{lane=\"{lane}\"}} {number}\n");
    eventually(|| Ok(told(metrics)?.contains(&told_so).then_some(())))
}

#[test]
fn who_hangs_up_waits_no_longer() -> Outcome {
    let place = Place::new("hangs-up")?;
    let database = database("hangs_up")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
        ("WARD_POLICY_POOL", "1"),
        ("WARD_POLICY_CACHE_BYTES", "0"),
        ("WARD_POLICY_WAIT_MS", "100000"),
        ("WARD_POLICY_READ_MS", "100000"),
        ("WARD_POLICY_STATEMENT_MS", "100000"),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    let metrics = metrics_of(&service)?;
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table organizations in access exclusive mode")?;
    let ask = || -> Outcome<TcpStream> {
        let mut stream = connect(service.address)?;
        stream.write_all(b"GET /v1/organizations HTTP/1.1\r\nHost: it\r\n\r\n")?;
        Ok(stream)
    };
    let mut streams = (0..6).map(|_| ask()).collect::<Outcome<Vec<_>>>()?;
    until_waiting(metrics, "readers", 5)?;
    // Whoever is left got its turn first, or waits.
    streams.truncate(2);
    until_waiting(metrics, "readers", 1)?;
    holder.batch_execute("rollback")?;
    for stream in streams {
        assert_eq!(Answer::read(&mut BufReader::new(stream))?.status, 200);
    }
    Ok(())
}

#[test]
fn who_asks_for_little_does_not_wait_for_who_asks_for_much() -> Outcome {
    let place = Place::new("broad")?;
    let database = database("broad")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
        ("WARD_POLICY_POOL", "1"),
        ("WARD_POLICY_CACHE_BYTES", "0"),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table results in access exclusive mode")?;
    let mut much = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(service.address)?;
        stream.write_all(b"GET /v1/coverage HTTP/1.1\r\nHost: it\r\n\r\n")?;
        much.push(stream);
    }
    until_waiting(metrics_of(&service)?, "broad", 2)?;
    for path in ["/v1/organizations", "/v1/policies/nishi/2024", "/v1/indicators"] {
        assert_eq!(get(service.address, path)?.status, 200, "{path}");
    }
    holder.batch_execute("rollback")?;
    for stream in much {
        assert_eq!(Answer::read(&mut BufReader::new(stream))?.status, 200);
    }
    Ok(())
}
