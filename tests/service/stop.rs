//! A service that is asked to stop: whoever was let in gets an answer.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use nix::sys::signal::{Signal, kill};

use crate::{
    Outcome, PATIENCE,
    http::{Answer, bureau, connect, organizations},
    process::{Place, eventually},
};

/// Clients that come and go, each with a connection for every request.
const CLIENTS: usize = 24;
/// How long a client tries to be let in.
const KNOCKING: Duration = Duration::from_millis(500);

#[test]
fn a_stop_lets_a_request_finish() -> Outcome {
    let place = Place::new("in-flight")?;
    for (ending, slug) in [(Signal::SIGTERM, "terminated"), (Signal::SIGINT, "interrupted")] {
        let service = place.serve(&["--no-sample"])?;
        let (body, token) = (bureau(slug).to_string(), place.token()?);
        let (first, rest) = body.split_at(body.len() / 2);
        let mut stream = connect(service.address)?;
        write!(
            stream,
            "POST /v1/organizations HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Authorization: Bearer {token}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        )?;
        // Its handler runs once it has asked for the body.
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        reader.read_line(&mut line)?;
        stream.write_all(first.as_bytes())?;
        kill(service.pid()?, ending)?;
        eventually(|| Ok(TcpStream::connect(service.address).is_err().then_some(())))?;
        stream.write_all(rest.as_bytes())?;
        assert_eq!(Answer::read(&mut reader)?.status, 201, "{ending}");
        assert!(service.wait()?.success(), "{ending}");
        assert!(place.is_deserted()?);
    }
    let service = place.serve(&["--no-sample"])?;
    assert_eq!(organizations(service.address)?, ["interrupted", "terminated"]);
    Ok(())
}

/// Asks on one connection after the other, until it is not let in any more: how often it was answered.
fn come_and_go(address: SocketAddr) -> Outcome<u32> {
    let mut answered = 0;
    while let Ok(mut stream) = TcpStream::connect_timeout(&address, KNOCKING) {
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET /v1/organizations HTTP/1.1\r\nHost: it\r\n\r\n")?;
        Answer::read(&mut BufReader::new(stream))?;
        answered += 1;
    }
    Ok(answered)
}

/// Whether this system lets this process keep new connections out of a socket. Some refuse that to all but root; there a stop turns
/// away who comes last.
#[cfg(target_os = "linux")]
fn can_keep_out() -> Outcome<bool> {
    let socket = std::net::TcpListener::bind("127.0.0.1:0")?;
    let everything = [socket2::SockFilter::new(0x06, 0, 0, u32::MAX)];
    Ok(socket2::SockRef::from(&socket).attach_filter(&everything).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn can_keep_out() -> Outcome<bool> {
    Ok(false)
}

#[test]
fn a_stop_answers_everybody_who_was_let_in() -> Outcome {
    if !can_keep_out()? {
        return Ok(());
    }
    let place = Place::new("let-in")?;
    for _ in 0..3 {
        let service = place.serve(&[])?;
        let address = service.address;
        let client = |_| thread::spawn(move || come_and_go(address).map_err(|e| e.to_string()));
        let clients: Vec<JoinHandle<_>> = (0..CLIENTS).map(client).collect();
        thread::sleep(Duration::from_millis(300));
        kill(service.pid()?, Signal::SIGTERM)?;
        for client in clients {
            assert!(client.join().map_err(|_panic| "a client panicked")?? > 0);
        }
        assert!(service.wait()?.success());
    }
    Ok(())
}

#[test]
fn a_stop_ends_a_connection_with_the_answer_to_its_next_request() -> Outcome {
    let place = Place::new("kept-alive")?;
    let service = place.serve(&[])?;
    let mut stream = connect(service.address)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut ask = || -> Outcome<Answer> {
        write!(stream, "GET /v1/organizations HTTP/1.1\r\nHost: it\r\n\r\n")?;
        Answer::read(&mut reader)
    };
    assert!(!ask()?.is_last);
    kill(service.pid()?, Signal::SIGTERM)?;
    // Until the service has taken notice.
    while !ask()?.is_last {}
    assert_eq!(reader.fill_buf()?, b"");
    assert!(service.wait()?.success());
    Ok(())
}
