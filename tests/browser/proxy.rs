//! A reverse proxy that serves a service below a path, as a web server in front of it does.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

use crate::Outcome;

/// The path that it cuts off.
pub(crate) const PREFIX: &str = "/policy";

/// A proxy, which ends with the process.
pub(crate) struct Proxy {
    address: SocketAddr,
}

impl Proxy {
    /// In front of a service.
    pub(crate) fn start(service: SocketAddr) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A browser that hangs up gets no answer.
                thread::spawn(move || drop(pass(stream, service, address)));
            }
        });
        Ok(Self { address })
    }

    /// Where the service is found.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{PREFIX}", self.address)
    }
}

/// Passes one request on, and its answer back as it comes. What is not below the path is not there.
fn pass(mut browser: TcpStream, service: SocketAddr, own: SocketAddr) -> Outcome {
    let mut request = BufReader::new(browser.try_clone()?);
    let mut line = String::new();
    request.read_line(&mut line)?;
    let parts: Vec<&str> = line.split_whitespace().collect();
    let [method, path, _] = parts[..] else { return Ok(()) };
    let Some(path) = path.strip_prefix(PREFIX).filter(|path| path.starts_with('/')) else {
        write!(
            browser,
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        )?;
        return Ok(());
    };
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {service}\r\nConnection: close\r\nX-Forwarded-For: 127.0.0.1\r\n\
         X-Forwarded-Host: {own}\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Prefix: {PREFIX}\r\n"
    );
    let mut length = 0;
    loop {
        let mut line = String::new();
        if request.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').ok_or("no header")?;
        match name.to_ascii_lowercase().as_str() {
            "host" | "connection" => {}
            name if name.starts_with("x-forwarded-") => {}
            name => {
                if name == "content-length" {
                    length = value.trim().parse()?;
                }
                head += &line;
            }
        }
    }
    let mut upstream = TcpStream::connect(service)?;
    write!(upstream, "{head}\r\n")?;
    io::copy(&mut request.take(length), &mut upstream)?;
    io::copy(&mut upstream, &mut browser)?;
    Ok(browser.shutdown(Shutdown::Write)?)
}
