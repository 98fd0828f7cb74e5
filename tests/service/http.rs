//! As much HTTP as the tests need, over a socket of their own.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::{Value, json};

use crate::{Outcome, PATIENCE, process::eventually};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) challenge: String,
    pub(crate) consistency: String,
    pub(crate) etag: String,
    pub(crate) length: usize,
    /// Whether the connection ends with it.
    pub(crate) is_last: bool,
    pub(crate) body: Value,
}

impl Answer {
    /// Reads an answer; one that is not whole is an error.
    pub(crate) fn read(reader: &mut impl BufRead) -> Outcome<Self> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(format!("the connection was closed after {head:?}").into());
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_ascii_lowercase()),
            }
        }
        let header = |name: &str| head.iter().find_map(|line| line.strip_prefix(name));
        let length = match header("content-length: ") {
            None if head[0].contains(" 304 ") => 0,
            length => length.ok_or("no length")?.parse()?,
        };
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self {
            status: head[0].split(' ').nth(1).ok_or("no status")?.parse()?,
            retry_after: header("retry-after: ").is_some(),
            challenge: header("www-authenticate: ").unwrap_or_default().to_owned(),
            // As it was sent, but for the letters' case.
            consistency: header("x-consistency-token: ").unwrap_or_default().to_owned(),
            etag: header("etag: ").unwrap_or_default().to_owned(),
            length,
            is_last: header("connection: ") == Some("close"),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

pub(crate) fn assert_ok_or_away(answer: &Answer) {
    match answer.status {
        200 | 201 => {}
        503 => assert!(answer.retry_after),
        status => panic!("{status}: {}", answer.body),
    }
}

/// Of a write: the server may also go away in the middle of its commit.
pub(crate) fn assert_ok_or_away_or_unknown(answer: &Answer) {
    if answer.status == 504 {
        assert_eq!(answer.body["type"], "/problems/outcome-unknown");
    } else {
        assert_ok_or_away(answer);
    }
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Outcome<Answer> {
    let exchange = || {
        let mut stream = connect(address)?;
        stream.write_all(request)?;
        Answer::read(&mut BufReader::new(stream))
    };
    let head = String::from_utf8_lossy(request);
    named(head.lines().next().unwrap_or_default(), exchange())
}

/// An outcome whose error names the request.
fn named<T>(request: &str, outcome: Outcome<T>) -> Outcome<T> {
    outcome.map_err(|e| format!("{request}: {e}").into())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Outcome<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

/// The same, by whoever holds this token.
pub(crate) fn get_by(address: SocketAddr, token: &str, path: &str) -> Outcome<Answer> {
    get_with(address, &[("Authorization", &format!("Bearer {token}"))], path)
}

pub(crate) fn get_with(address: SocketAddr, headers: &[(&str, &str)], path: &str) -> Outcome<Answer> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let headers = headers.concat();
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n{headers}\r\n");
    exchange(address, request.as_bytes())
}

/// A request with a token, if any, and a body, if any; the status and body of the answer, which must be whole.
pub(crate) fn call(
    address: SocketAddr,
    token: Option<&str>,
    request: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Outcome<(u16, Vec<u8>)> {
    let body = body.map(Value::to_string).unwrap_or_default();
    send(address, token, request, headers, body.as_bytes())
}

/// The same with a body of any sort.
pub(crate) fn send(
    address: SocketAddr,
    token: Option<&str>,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Outcome<(u16, Vec<u8>)> {
    named(request, sent(address, token, request, headers, body))
}

fn sent(
    address: SocketAddr,
    token: Option<&str>,
    request: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Outcome<(u16, Vec<u8>)> {
    let mut stream = connect(address)?;
    let mut head = Vec::new();
    write!(head, "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n")?;
    if let Some(token) = token {
        write!(head, "Authorization: Bearer {token}\r\n")?;
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n")?;
    }
    write!(head, "Content-Length: {}\r\n\r\n", body.len())?;
    head.extend_from_slice(body);
    stream.write_all(&head)?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err("no answer".into());
        }
    }
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let mut body = Vec::new();
    if !head.contains("transfer-encoding: chunked") {
        let length = head
            .split_once("\r\ncontent-length:")
            .and_then(|(_, rest)| rest.lines().next());
        body.resize(length.map_or(Ok(0), |length| length.trim().parse())?, 0);
        reader.read_exact(&mut body)?;
        return Ok((status, body));
    }
    loop {
        let mut size = String::new();
        reader.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16)?;
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        reader.read_exact(&mut [0; 2])?;
        if size == 0 {
            return Ok((status, body));
        }
    }
}

pub(crate) fn bureau(slug: &str) -> Value {
    json!({"slug": slug, "kind": "bureau", "name": slug, "display_order": 1})
}

pub(crate) fn create(address: SocketAddr, token: &str, slug: &str) -> Outcome<Answer> {
    let body = bureau(slug).to_string();
    let request = format!(
        "POST /v1/organizations HTTP/1.1\r\nHost: it\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(address, request.as_bytes())
}

/// The short names of all organizations, sorted; a page is asked for again while the service is too busy for it.
pub(crate) fn organizations(address: SocketAddr) -> Outcome<Vec<String>> {
    let mut slugs = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = format!("/v1/organizations?limit=100{cursor}");
        let answer = eventually(|| {
            let answer = get(address, &page)?;
            assert_ok_or_away(&answer);
            Ok((answer.status == 200).then_some(answer))
        })?;
        let items = answer.body["items"].as_array().ok_or("no items")?;
        slugs.extend(items.iter().filter_map(|item| item["slug"].as_str()).map(str::to_owned));
        match answer.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    slugs.sort();
    Ok(slugs)
}
