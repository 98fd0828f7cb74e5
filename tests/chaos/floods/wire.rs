//! As much HTTP as floods need: sockets bound to an address of one's own, answers that are read and not looked into.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use crate::Outcome;

/// The head of an answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) retry_after: bool,
    pub(crate) etag: String,
    /// Nothing where the body comes in chunks.
    length: Option<u64>,
    /// Whether the connection ends with it.
    is_last: bool,
}

/// A connection that is kept from one request to the next.
pub(crate) struct Connection {
    reader: BufReader<TcpStream>,
    is_over: bool,
}

impl Connection {
    /// One from a loopback address, perhaps with room for few bytes unread.
    pub(crate) fn open(from: Ipv4Addr, to: SocketAddr, patience: Duration, room: Option<usize>) -> Outcome<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(room) = room {
            socket.set_recv_buffer_size(room)?;
        }
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect_timeout(&to.into(), patience)?;
        let stream: TcpStream = socket.into();
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::with_capacity(4096, stream),
            is_over: false,
        })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Sends a request and reads the whole answer, which tells its length.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Outcome<Head> {
        let head = self.begin(request)?;
        let length = head.length.ok_or("no length")?;
        let mut body = (&mut self.reader).take(length);
        let read = std::io::copy(&mut body, &mut std::io::sink())?;
        if read < length {
            return Err("the answer broke off".into());
        }
        Ok(head)
    }

    /// Sends a request and reads the head of the answer.
    pub(crate) fn begin(&mut self, request: &[u8]) -> Outcome<Head> {
        // Refused before all was sent: the answer is there, or nothing is.
        let sent = self.reader.get_mut().write_all(request);
        let head = self.head();
        if head.is_err() {
            sent?;
        }
        head.inspect(|head| self.is_over = head.is_last)
    }

    fn head(&mut self) -> Outcome<Head> {
        let mut head = Head::default();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Err("the connection was closed".into());
            }
            let sent = line.trim_end();
            let line = sent.to_ascii_lowercase();
            if head.status == 0 {
                head.status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
            } else if let Some(length) = line.strip_prefix("content-length: ") {
                head.length = Some(length.parse()?);
            } else if line.starts_with("etag: ") {
                head.etag = sent["etag: ".len()..].to_owned();
            } else if line.starts_with("retry-after: ") {
                head.retry_after = true;
            } else if line == "connection: close" {
                head.is_last = true;
            } else if line.is_empty() {
                return Ok(head);
            }
        }
    }

    /// Reads a little more of the body; false at its end.
    pub(crate) fn read_on(&mut self, bytes: &mut [u8]) -> Outcome<bool> {
        Ok(self.reader.read(bytes)? > 0)
    }
}

/// A request without a body.
pub(crate) fn get(token: Option<&str>, path: &str) -> Vec<u8> {
    request("GET", path, token, &[], b"")
}

pub(crate) fn request(method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: it\r\n");
    if let Some(token) = token {
        head += &format!("Authorization: Bearer {token}\r\n");
    }
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if method != "GET" {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    head += "\r\n";
    [head.as_bytes(), body].concat()
}
