//! Clients that take their time: with a head, with a body, with reading.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::Outcome;

/// How many of each kind.
const EACH: usize = 50;
/// The settings by which a service loses its patience soon.
pub(crate) const IMPATIENT: [(&str, &str); 3] = [
    ("WARD_POLICY_HEAD_SECONDS", "2"),
    ("WARD_POLICY_BODY_SECONDS", "2"),
    ("WARD_POLICY_IDLE_SECONDS", "2"),
];

/// Makes them: each sends the beginning of a request, or more requests than it reads answers to, and then nothing.
pub(crate) fn clients(address: SocketAddr) -> Outcome<Vec<TcpStream>> {
    let head = "GET /healthz HTTP/1.1\r\nHost: it\r\nX-Slow: ".to_owned();
    let body = "POST /v1/evaluations/preview HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{"
        .to_owned();
    // More than any buffer takes.
    let unread = "GET /openapi.json HTTP/1.1\r\nHost: it\r\n\r\n".repeat(20);
    let mut clients = Vec::new();
    for sent in [head, body, unread] {
        for _ in 0..EACH {
            let mut client = TcpStream::connect(address)?;
            client.write_all(sent.as_bytes())?;
            clients.push(client);
        }
    }
    Ok(clients)
}

/// How many of them are still waited for.
pub(crate) fn still_there(clients: Vec<TcpStream>) -> Outcome<usize> {
    let mut there = 0;
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_millis(200)))?;
        // The end, or a reset; what was sent before it does not matter.
        let ended = client.read_to_end(&mut Vec::new());
        there += usize::from(ended.is_err_and(|e| [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&e.kind())));
    }
    Ok(there)
}
