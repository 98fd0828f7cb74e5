//! As much HTTP as the tests need, over a socket of their own.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use serde_json::{Value, json};

use crate::{Outcome, PATIENCE};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) challenge: String,
    pub(crate) length: usize,
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
        let length = header("content-length: ").ok_or("no length")?.parse()?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Self {
            status: head[0].split(' ').nth(1).ok_or("no status")?.parse()?,
            retry_after: header("retry-after: ").is_some(),
            challenge: header("www-authenticate: ").unwrap_or_default().to_owned(),
            length,
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

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Outcome<Answer> {
    let mut stream = connect(address)?;
    stream.write_all(request)?;
    Answer::read(&mut BufReader::new(stream))
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Outcome<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

/// The same, by whoever holds this token.
pub(crate) fn get_by(address: SocketAddr, token: &str, path: &str) -> Outcome<Answer> {
    let authorization = format!("Authorization: Bearer {token}");
    let request = format!("GET {path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n{authorization}\r\n\r\n");
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
    let mut stream = connect(address)?;
    let mut head = format!("{request} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n");
    if let Some(token) = token {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    head += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|at| at == b"\r\n\r\n").ok_or("no answer")?;
    let head = String::from_utf8(answer[..end].to_vec())?.to_ascii_lowercase();
    let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
    let mut rest = &answer[end + 4..];
    if !head.contains("transfer-encoding: chunked") {
        return Ok((status, rest.to_vec()));
    }
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        rest.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim_end(), 16)?;
        if size == 0 {
            return Ok((status, body));
        }
        body.extend_from_slice(rest.get(..size).ok_or("the answer broke off")?);
        rest = rest.get(size + 2..).ok_or("the answer broke off")?;
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

/// The short names of all organizations, sorted.
pub(crate) fn organizations(address: SocketAddr) -> Outcome<Vec<String>> {
    let mut slugs = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = get(address, &format!("/v1/organizations?limit=100{cursor}"))?;
        assert_eq!(answer.status, 200, "{}", answer.body);
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
