//! What one client may have of a service that others use too: connections, and work that goes on.

use std::{
    io::{BufReader, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use diesel::{Connection, PgConnection, RunQueryDsl, connection::SimpleConnection, sql_query};
use nix::sys::signal::{Signal, kill};
use socket2::{Domain, Socket, Type};

use crate::{
    Outcome,
    http::{Answer, bureau, connect, get},
    process::{Place, database, eventually},
};

/// A connection from another address of this machine.
fn connect_from(address: SocketAddr, from: &str) -> Outcome<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from.parse()?, 0).into())?;
    socket.connect(&address.into())?;
    socket.set_read_timeout(Some(crate::PATIENCE))?;
    Ok(socket.into())
}

/// Waits until so many statements wait for a lock.
#[expect(
    clippy::disallowed_methods,
    reason = "what the server does is in no table of the service"
)]
fn until_waiting(conn: &mut PgConnection, many: usize) -> Outcome {
    let waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    eventually(|| Ok((sql_query(waiting).execute(conn)? == many).then_some(())))
}

fn ask(mut stream: &TcpStream, path: &str) -> Outcome<Answer> {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: it\r\n\r\n")?;
    Answer::read(&mut BufReader::new(stream))
}

#[test]
fn an_address_has_its_share_of_connections_and_hears_of_health_on_more() -> Outcome {
    let place = Place::new("share")?;
    let service = place
        .spawn(&[], &[("WARD_POLICY_CONNECTIONS", "16"), ("WARD_POLICY_WORKERS", "1")])?
        .wait()?;
    let address = service.address;
    let path = "/v1/organizations";
    let held = (0..4).map(|_| Ok(connect(address)?)).collect::<Outcome<Vec<_>>>()?;
    for stream in &held {
        assert_eq!(ask(stream, path)?.status, 200);
    }
    let refused = ask(&connect(address)?, path)?;
    assert_eq!(
        (refused.status, refused.retry_after, refused.is_last),
        (429, true, true)
    );
    assert_eq!(ask(&connect(address)?, "/healthz")?.status, 200);
    assert_eq!(ask(&connect(address)?, "/readyz")?.status, 200);
    // Others have theirs, until all are taken.
    let mut others = Vec::new();
    for n in 2..=4 {
        for _ in 0..4 {
            let stream = connect_from(address, &format!("127.0.0.{n}"))?;
            assert_eq!(ask(&stream, path)?.status, 200);
            others.push(stream);
        }
    }
    let last = connect_from(address, "127.0.0.5")?;
    let refused = ask(&last, path)?;
    assert_eq!(
        (refused.status, refused.retry_after, refused.is_last),
        (503, true, true)
    );
    assert_eq!(ask(&connect_from(address, "127.0.0.5")?, "/healthz")?.status, 200);
    // What is given up is another's.
    drop(held);
    eventually(|| Ok((get(address, path)?.status == 200).then_some(())))
}

#[test]
fn an_address_that_goes_on_beyond_its_share_is_not_heard() -> Outcome {
    let place = Place::new("beyond")?;
    let service = place
        .spawn(&[], &[("WARD_POLICY_CONNECTIONS", "16"), ("WARD_POLICY_WORKERS", "1")])?
        .wait()?;
    let all = (0..60)
        .filter_map(|_| connect(service.address).ok())
        .collect::<Vec<_>>();
    eventually(|| {
        let stream = connect_from(service.address, "127.0.0.2")?;
        Ok((ask(&stream, "/v1/organizations")?.status == 200).then_some(()))
    })?;
    let heard = all.iter().filter(|stream| ask(stream, "/healthz").is_ok()).count();
    assert!(heard <= 20, "{heard}");
    Ok(())
}

#[test]
fn what_a_client_asked_for_ends_when_it_hangs_up() -> Outcome {
    let place = Place::new("left")?;
    let database = database("hung_up")?;
    let long = "100000";
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_POOL", "1"),
        ("WARD_POLICY_CACHE_BYTES", "0"),
        ("WARD_POLICY_READ_MS", long),
        ("WARD_POLICY_WAIT_MS", long),
        ("WARD_POLICY_STATEMENT_MS", long),
        ("WARD_POLICY_LOCK_MS", long),
    ];
    let service = place.spawn(&[], &settings)?.wait()?;
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table budgets in access exclusive mode")?;
    let mut stream = connect(service.address)?;
    stream.write_all(b"GET /v1/budgets HTTP/1.1\r\nHost: it\r\n\r\n")?;
    let mut watcher = PgConnection::establish(&database.address)?;
    until_waiting(&mut watcher, 1)?;
    drop(stream);
    until_waiting(&mut watcher, 0)?;
    // Its turn is somebody else's.
    assert_eq!(get(service.address, "/v1/organizations")?.status, 200);
    holder.batch_execute("rollback")?;
    Ok(())
}

#[test]
fn a_stop_waits_for_a_write_within_its_own_deadline() -> Outcome {
    let place = Place::new("stopped-write")?;
    let database = database("stopped_write")?;
    let token = {
        let settings = [("DATABASE_URL", database.address.as_str())];
        assert!(place.run(&["migrate"], &settings)?.status.success());
        let arguments = ["token", "create", "--name", "first", "--scope", "admin"];
        place.run(&arguments, &settings)?.printed.trim_end().to_owned()
    };
    let settings = [
        ("DATABASE_URL", database.address.as_str()),
        ("WARD_POLICY_STATEMENT_MS", "60000"),
        ("WARD_POLICY_LOCK_MS", "60000"),
        ("WARD_POLICY_WRITE_MS", "60000"),
    ];
    let service = place.spawn(&["serve", "--no-sample"], &settings)?.wait()?;
    let mut holder = PgConnection::establish(&database.address)?;
    holder.batch_execute("begin; lock table organizations in access exclusive mode")?;
    let body = bureau("port").to_string();
    let mut stream = connect(service.address)?;
    write!(
        stream,
        "POST /v1/organizations HTTP/1.1\r\nHost: it\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut watcher = PgConnection::establish(&database.address)?;
    until_waiting(&mut watcher, 1)?;
    kill(service.pid()?, Signal::SIGTERM)?;
    // Longer than the service once waited for anybody.
    thread::sleep(Duration::from_secs(11));
    holder.batch_execute("rollback")?;
    assert_eq!(Answer::read(&mut BufReader::new(stream))?.status, 201);
    assert!(service.wait()?.success());
    Ok(())
}
