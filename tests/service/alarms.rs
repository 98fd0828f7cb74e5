//! The log holds no alarm that a caller can raise, and nothing that a caller keeps secret.

use std::io::{BufReader, Write};

use crate::{
    Outcome,
    http::{Answer, call, connect},
    process::{Place, eventually},
};

/// Requests that no HTTP library reads: raw UTF-8, other bytes beyond ASCII, and what is no request.
const UNREADABLE: [&[u8]; 5] = [
    "GET /v1/indicators?q=窓口 HTTP/1.1\r\nHost: it\r\n\r\n".as_bytes(),
    "GET /v1/organizations/西 HTTP/1.1\r\nHost: it\r\n\r\n".as_bytes(),
    b"GET /v1/indicators?q=\x91\x8b HTTP/1.1\r\nHost: it\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost it\r\n\r\n",
];

#[test]
fn what_cannot_be_read_is_refused_and_is_no_error_of_the_service() -> Outcome {
    for (filter, is_told) in [(None, false), (Some("info"), false), (Some("debug"), true)] {
        let place = Place::new(&format!("unreadable-{}", filter.unwrap_or("usual")))?;
        let settings: Vec<_> = filter.map(|filter| ("RUST_LOG", filter)).into_iter().collect();
        let service = place.spawn(&["--no-sample"], &settings)?.wait()?;
        for request in UNREADABLE {
            let mut stream = connect(service.address)?;
            stream.write_all(request)?;
            let answer = Answer::read(&mut BufReader::new(stream))?;
            assert_eq!(answer.status, 400);
        }
        // The next one is in the log after all of them.
        let (status, _) = call(service.address, None, "GET /v1/organizations?limit=7", &[], None)?;
        assert_eq!(status, 200);
        let said = eventually(|| {
            let said = service.said()?;
            Ok(said.contains("GET /v1/organizations 200").then_some(said))
        })?;
        assert!(!said.contains("ERROR"), "{said}");
        assert_eq!(said.contains("stream error: "), is_told, "{said}");
    }
    Ok(())
}

#[test]
fn neither_tokens_nor_tickets_are_in_the_log() -> Outcome {
    let place = Place::new("unlogged")?;
    let settings = [
        ("RUST_LOG", "info,ward_policy=trace"),
        ("WARD_POLICY_SLOW_QUERY_MS", "1"),
    ];
    let service = place.spawn(&["--no-sample"], &settings)?.wait()?;
    let token = place.token()?;
    let (status, made) = call(service.address, Some(&token), "POST /v1/changes/tickets", &[], None)?;
    assert_eq!(status, 201);
    let made: serde_json::Value = serde_json::from_slice(&made)?;
    let ticket = made["ticket"].as_str().ok_or("no ticket")?;
    for status in [200, 401] {
        let mut stream = connect(service.address)?;
        write!(
            stream,
            "HEAD /v1/changes/stream?ticket={ticket} HTTP/1.1\r\nHost: it\r\n\r\n"
        )?;
        let mut head = String::new();
        std::io::BufRead::read_line(&mut BufReader::new(stream), &mut head)?;
        assert!(head.contains(&format!(" {status} ")), "{head}");
    }
    let said = eventually(|| {
        let said = service.said()?;
        Ok(said.contains("/v1/changes/stream 401").then_some(said))
    })?;
    for secret in [token.as_str(), ticket] {
        let secret = secret.splitn(3, '_').nth(2).ok_or("no secret")?;
        assert!(!said.contains(secret), "{said}");
    }
    Ok(())
}
