//! Exports and the disk: what is sent slowly is there once, within bounds, and a disk that is full is said to be.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::{
    Outcome,
    http::{Answer, get},
    process::{Database, Place, Service, database, eventually},
};

/// A database with exports of about a kB for each indicator.
fn filled(place: &Place, name: &str, indicators: &str) -> Outcome<Database> {
    let database = database(name)?;
    let settings = [("DATABASE_URL", database.address.as_str())];
    let ran = place.run(&["migrate"], &settings)?;
    assert!(ran.status.success(), "{}", ran.said);
    let program = Path::new(env!("CARGO_BIN_EXE_generate"));
    let mut generate = place.command_of(program, &["--indicators", indicators]);
    assert!(generate.envs(settings).output()?.status.success());
    Ok(database)
}

/// Everything there is, which is more than a connection takes unread.
const LARGE: &str = "/v1/exports/evaluations?format=ndjson";

/// Asks for a file, and reads no more of the answer than its head.
fn begin(address: SocketAddr, path: &str) -> Outcome<(TcpStream, u16)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(4096)?;
    socket.connect(&address.into())?;
    let mut stream: TcpStream = socket.into();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: it\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    let status = std::str::from_utf8(&status)?
        .rsplit(' ')
        .next()
        .ok_or("no status")?
        .parse()?;
    Ok((stream, status))
}

/// The temporary files that a service has open.
fn temporary(service: &Service) -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(format!("/proc/{}/fd", service.pid()?))? {
        let to = fs::read_link(entry?.path()).unwrap_or_default();
        if to.starts_with(std::env::temp_dir()) && to.to_string_lossy().ends_with("(deleted)") {
            files.push(to);
        }
    }
    Ok(files)
}

fn is_full(answer: &Answer, words: &str) {
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert!(
        answer.retry_after && detail.contains(words),
        "{}: {}",
        answer.status,
        answer.body
    );
}

#[test]
fn who_asks_for_the_same_gets_the_same_file_and_nobody_gets_many() -> Outcome {
    if !cfg!(target_os = "linux") {
        eprintln!("not looked at: which files a process has open is known by /proc");
        return Ok(());
    }
    let place = Place::new("files")?;
    let database = filled(&place, "files", "6000")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_EXPORTS", "16"),
    ];
    let service = place.spawn(&["serve", "--no-sample"], &settings)?.wait()?;
    let address = service.address;

    let mut open = Vec::new();
    for _ in 0..4 {
        let (stream, status) = begin(address, LARGE)?;
        assert_eq!(status, 200);
        open.push(stream);
    }
    assert_eq!(temporary(&service)?.len(), 1);
    // A quarter of all there may be is one caller's.
    let refused = get(address, LARGE)?;
    assert_eq!(refused.status, 429);
    is_full(&refused, "接続元のアドレス");
    assert_eq!(get(address, "/v1/organizations?limit=1")?.status, 200);
    assert_eq!(get(address, "/healthz")?.status, 200);

    // Those who leave make room, and nothing stays.
    drop(open);
    eventually(|| Ok(temporary(&service)?.is_empty().then_some(())))?;
    assert_eq!(get(address, LARGE)?.status, 200);
    Ok(())
}

#[test]
fn files_have_no_more_bytes_than_they_may() -> Outcome {
    let place = Place::new("bytes")?;
    let database = filled(&place, "bytes", "1000")?;
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        // Half of them for one caller.
        ("WARD_POLICY_EXPORT_BYTES", "1048576"),
    ];
    let service = place.spawn(&["serve", "--no-sample"], &settings)?.wait()?;
    let refused = get(service.address, LARGE)?;
    assert_eq!(refused.status, 429);
    is_full(&refused, "接続元のアドレス");
    // As a workbook it is compressed.
    let book = get(service.address, "/v1/exports/evaluations?format=xlsx")?;
    assert_eq!((book.status, book.body), (200, Value::Null));
    Ok(())
}

#[test]
fn a_full_disk_is_said_to_be_full_and_nothing_panics() -> Outcome {
    let place = Place::new("full")?;
    let database = filled(&place, "full_disk", "1000")?;
    // No file may grow beyond 32 kB; that a signal says so first is ignored.
    let program = env!("CARGO_BIN_EXE_ward-policy");
    let mut shell = place.command_of(Path::new("/bin/sh"), &[]);
    shell
        .args(["-c", "trap '' 25; ulimit -f 64; exec \"$0\" serve --no-sample", program])
        .env("DATABASE_URL", &database.address)
        .env("RUST_LOG", "ward_policy::access=off,info");
    let service = place.start(shell)?.wait()?;
    for format in ["csv", "ndjson", "xlsx", "csv&encoding=cp932"] {
        let refused = get(service.address, &format!("/v1/exports/evaluations?format={format}"))?;
        assert_eq!(refused.status, 503, "{format}");
        is_full(&refused, "ディスク");
        let small = format!("/v1/exports/budgets?organization=kita&fiscal_year=2014&format={format}");
        assert_eq!(get(service.address, &small)?.status, 200, "{format}");
    }
    let said = service.said()?;
    assert!(!said.contains("panicked"), "{said}");
    Ok(())
}

#[test]
fn a_start_says_where_no_file_can_be_written() -> Outcome {
    let place = Place::new("nowhere")?;
    let database = database("nowhere")?;
    let nowhere = place.data().with_file_name("nowhere");
    let nowhere = nowhere.display().to_string();
    let settings = [("DATABASE_URL", database.address.as_str()), ("TMPDIR", &nowhere)];
    let service = place.spawn(&[], &settings)?.wait()?;
    let said = service.said()?;
    let lines: Vec<_> = said.lines().filter(|line| line.contains("TMPDIR")).collect();
    assert!(lines.len() == 1 && lines[0].contains(&nowhere), "{said}");
    for format in ["csv", "xlsx"] {
        let refused = get(service.address, &format!("/v1/exports/results?format={format}"))?;
        assert_eq!(refused.status, 503);
        is_full(&refused, "書き込めない");
    }
    Ok(())
}
