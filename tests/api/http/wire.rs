//! What only shows on the wire: a real server, and bytes that no client library would send.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use actix_web::{HttpServer, dev::ServerHandle, rt::System};
use ward_policy::{
    db::{Bounds, Database},
    http::{
        connection::{Connections, Patience, Room},
        limits::Limits,
    },
    resources::HOOKS,
    server::{app, state::AppState},
};

use crate::support::{CACHE, TestDb, patient};

/// A service that listens, over a database of its own.
struct Listening {
    address: SocketAddr,
    handle: ServerHandle,
    _db: TestDb,
}

impl Listening {
    fn new(limits: Limits) -> Self {
        let test_db = TestDb::new();
        let database = Database::new(&test_db.url(), &[], Bounds { pool: 2, ..patient() }, HOOKS);
        database.set_ready();
        let room = Room {
            in_all: 1000,
            each: None,
        };
        let connections = Connections::new(Patience::default(), room);
        let (send, receive) = std::sync::mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let state = AppState::new(database, CACHE, 0, limits);
                let server = HttpServer::new(move || app::build(state.clone()))
                    .on_connect(move |io, data| connections.take(io, data))
                    .workers(1)
                    .disable_signals();
                let server = server.bind("127.0.0.1:0").unwrap();
                let address = server.addrs()[0];
                let server = server.run();
                send.send((address, server.handle())).unwrap();
                server.await.unwrap();
            });
        });
        let (address, handle) = receive.recv().unwrap();
        Self {
            address,
            handle,
            _db: test_db,
        }
    }

    /// All that is answered to these bytes until the connection closes.
    fn answer(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The head and the body of an answer.
fn parts(answer: &str) -> (String, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body)
}

#[test]
fn head_is_get_without_the_body() {
    let service = Listening::new(Limits::default());
    for path in ["/v1/organizations", "/healthz", "/openapi.json", "/v1/none"] {
        let get = service.answer(&format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a\r\n\r\n"
        ));
        let head = service.answer(&format!(
            "HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: a\r\n\r\n"
        ));
        let ((get, body), (head, nothing)) = (parts(&get), parts(&head));
        assert!(!body.is_empty() && nothing.is_empty(), "{path}: {nothing}");
        let the_same = |head: &str| {
            let mut lines: Vec<String> = head
                .lines()
                .filter(|line| !line.starts_with("date:") && !line.starts_with("traceparent:"))
                .map(str::to_owned)
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(the_same(&get), the_same(&head), "{path}");
    }
}

#[test]
fn a_body_that_does_not_arrive_is_not_waited_for() {
    let service = Listening::new(Limits {
        body_seconds: 1,
        ..Limits::default()
    });
    let answer = service.answer(
        "POST /v1/goals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wardpolicy_000000000000_secret\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
    );
    let (head, body) = parts(&answer);
    assert!(head.starts_with("http/1.1 408"), "{head}");
    assert!(
        head.contains("content-type: application/problem+json") && body.contains("/problems/timeout"),
        "{answer}"
    );
}

#[test]
fn work_ends_when_its_caller_leaves() {
    let service = Listening::new(Limits {
        work: Duration::from_secs(300),
        ..Limits::default()
    });
    let import = |page: &str| {
        let length = page.len();
        format!(
            "POST /v1/imports/forms?dry_run=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wardpolicy_000000000000_secret\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{page}"
        )
    };
    // One caller has not more than a share of the workshop: these would keep it for longer than anybody waits there.
    let long = import(&"<b>".repeat(2_700_000));
    for _ in 0..4 {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(long.as_bytes()).unwrap();
    }
    let answer = service.answer(&import("<p>西区"));
    assert!(parts(&answer).0.starts_with("http/1.1 200"), "{answer}");
}

#[test]
fn a_body_in_chunks_is_measured_too() {
    let service = Listening::new(Limits {
        body_bytes: 1024,
        ..Limits::default()
    });
    let chunk = format!("400\r\n{}\r\n", " ".repeat(1024));
    let answer = service.answer(&format!(
        "POST /v1/goals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wardpolicy_000000000000_secret\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n"
    ));
    let (head, body) = parts(&answer);
    assert!(
        head.starts_with("http/1.1 413") && body.contains("/problems/too-large"),
        "{answer}"
    );
}

#[test]
fn a_body_stated_too_long_is_refused_before_it_arrives() {
    let service = Listening::new(Limits {
        body_bytes: 1024,
        ..Limits::default()
    });
    let answer = service.answer(
        "POST /v1/goals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wardpolicy_000000000000_secret\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 1025\r\n\r\n",
    );
    let (head, body) = parts(&answer);
    assert!(
        head.starts_with("http/1.1 413") && body.contains("/problems/too-large"),
        "{answer}"
    );
}

/// Bytes that are no request, or hardly one.
fn oddities() -> Vec<(&'static str, Vec<u8>)> {
    let request = |rest: &str| format!("GET /v1/organizations HTTP/1.1\r\nHost: x\r\n{rest}\r\n").into_bytes();
    let many: Vec<String> = (0..500).map(|n| format!("X-{n}: {n}\r\n")).collect();
    vec![
        ("nothing", vec![]),
        ("an empty line", b"\r\n\r\n".to_vec()),
        (
            "a greeting of TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        ("noise", (0..=255).cycle().take(5000).collect()),
        ("no host", b"GET /healthz HTTP/1.1\r\n\r\n".to_vec()),
        ("two hosts", request("Host: y\r\n")),
        ("HTTP/0.9", b"GET /healthz\r\n".to_vec()),
        ("HTTP/3.0", b"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n".to_vec()),
        (
            "HTTP/2 by prior knowledge",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        ),
        ("bare line feeds", b"GET /healthz HTTP/1.1\nHost: x\n\n".to_vec()),
        (
            "a long method",
            [b"A".repeat(10_000), b" / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()].concat(),
        ),
        (
            "a long path",
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000)).into_bytes(),
        ),
        ("a path with a NUL", b"GET /v1/\0 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        (
            "a path that is no UTF-8",
            b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        (
            "a query that is no UTF-8",
            b"GET /v1/organizations?kind=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        (
            "another server's address",
            b"GET http://elsewhere/v1/organizations HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        ("all of the server", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        (
            "a tunnel",
            b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\n\r\n".to_vec(),
        ),
        (
            "a trace",
            b"TRACE /v1/organizations HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        ),
        ("many headers", request(&many.concat())),
        (
            "a long header",
            request(&format!("X-Long: {}\r\n", "a".repeat(200_000))),
        ),
        ("a header without a name", request(": a\r\n")),
        ("a header with a space in its name", request("X Y: a\r\n")),
        ("a header with a NUL", request("X-Nul: a\0b\r\n")),
        ("a folded header", request("X-Fold: a\r\n b\r\n")),
        ("an upgrade", request("Connection: Upgrade\r\nUpgrade: websocket\r\n")),
    ]
}

/// The same of bodies.
fn odd_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let post = |rest: &str| {
        format!(
            "POST /v1/goals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wardpolicy_000000000000_secret\r\nContent-Type: application/json\r\n{rest}"
        )
        .into_bytes()
    };
    vec![
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")),
        ("a length below nothing", post("Content-Length: -1\r\n\r\n{}")),
        ("a length with a sign", post("Content-Length: +2\r\n\r\n{}")),
        (
            "a length past every number",
            post("Content-Length: 99999999999999999999999\r\n\r\n{}"),
        ),
        (
            "a length and chunks",
            post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
        ),
        (
            "chunks of a kind unknown",
            post("Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "chunks not last",
            post("Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "chunks twice",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "a chunk past every number",
            post("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n{}"),
        ),
        (
            "a chunk below nothing",
            post("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk without an end",
            post("Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n"),
        ),
        (
            "a long extension of a chunk",
            post(&format!(
                "Transfer-Encoding: chunked\r\n\r\n2;{}\r\n{{}}\r\n0\r\n\r\n",
                "a".repeat(100_000)
            )),
        ),
        (
            "a trailer",
            post("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Late: a\r\n\r\n"),
        ),
        (
            "a body nobody sends",
            post("Expect: 100-continue\r\nContent-Length: 10\r\n\r\n"),
        ),
        ("less than was said", post("Content-Length: 100\r\n\r\n{}")),
        ("more than was said", post("Content-Length: 2\r\n\r\n{}{}{}{}")),
    ]
}

#[test]
fn no_bytes_are_too_odd() {
    let service = Listening::new(Limits {
        body_seconds: 2,
        ..Limits::default()
    });
    for (what, bytes) in oddities().into_iter().chain(odd_bodies()) {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        // It may have heard enough before the end.
        let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => panic!("{what}: no end"),
            _ => {}
        }
        let said = String::from_utf8_lossy(&answer);
        for line in said.lines().filter(|line| line.starts_with("HTTP/1.")) {
            let status: u16 = line.split(' ').nth(1).unwrap().parse().unwrap();
            assert!(status < 500, "{what}: {said}");
        }
        assert!(!said.contains("smuggled"), "{what}: {said}");
        assert!(!said.to_lowercase().contains("actix"), "{what}: {said}");
    }
    let well = service.answer("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(well.starts_with("HTTP/1.1 200"), "{well}");
}
