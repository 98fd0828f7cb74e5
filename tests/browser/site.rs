//! A site of its own origin, which serves the example pages of the documentation.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    thread,
};

use crate::Outcome;

/// What its pages may do: load what the site has, ask services on this machine, and frame them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                      connect-src http://127.0.0.1:*; frame-src http://127.0.0.1:*; base-uri 'none'; form-action 'none'";
/// A page for a test to fill.
const BLANK: &str =
    "<!doctype html><html lang=ja><meta charset=utf-8><title>site</title><link rel=icon href='data:,'></html>";

/// A site, which ends with the process.
pub(crate) struct Site {
    address: SocketAddr,
}

impl Site {
    pub(crate) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A browser that hangs up gets no answer.
                thread::spawn(move || drop(answer(stream)));
            }
        });
        Ok(Self { address })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn answer(mut stream: TcpStream) -> Outcome {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().ok_or("no request")??;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let path = request.split(' ').nth(1).ok_or("no path")?;
    let name = path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let body = match name {
        "" => BLANK.into(),
        name => fs::read(folder.join(Path::new(name).file_name().ok_or("no file")?))?,
    };
    let media_type = match name.rsplit('.').next() {
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        _ => "text/html; charset=utf-8",
    };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {media_type}\r\nContent-Security-Policy: {POLICY}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    Ok(stream.write_all(&body)?)
}
