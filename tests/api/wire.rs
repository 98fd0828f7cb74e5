//! What only shows on the wire: a real server, and bytes that no client library would send.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use actix_web::{HttpServer, dev::ServerHandle, rt::System};
use ward_policy::{
    app,
    cache::Cache,
    config::{Bounds, Limits},
    db::Database,
};

use crate::support::{CACHE, TestDb};

/// A service that listens, over a database of its own.
struct Listening {
    address: SocketAddr,
    handle: ServerHandle,
    _db: TestDb,
}

impl Listening {
    fn new(limits: Limits) -> Self {
        let test_db = TestDb::new();
        let database = Database::new(
            &test_db.url(),
            Bounds {
                pool: 2,
                ..Bounds::default()
            },
        );
        let (send, receive) = std::sync::mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(async move {
                let server = HttpServer::new(move || app::build(database.clone(), Cache::new(CACHE), limits))
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
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
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
