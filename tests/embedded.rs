//! The embedded PostgreSQL starts, keeps what it was given, comes back, and leaves nothing behind.

use std::{
    env,
    error::Error,
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl, connection::SimpleConnection, dsl::sql, select,
    sql_types::BigInt,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use ward_policy::db::embedded::{self, Embedded, EmbeddedError};

type Outcome = Result<(), Box<dyn Error>>;

/// Far longer than anything here takes, so that a slow machine does not fail a test.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn it_starts_and_answers() -> Outcome {
    let postgres = Embedded::temporary()?;
    let mut conn = connect(&postgres)?;
    conn.batch_execute("do $$ begin assert current_setting('server_encoding') = 'UTF8'; end $$")?;
    conn.batch_execute("do $$ begin assert current_setting('listen_addresses') = ''; end $$")?;
    assert_eq!(number(&mut conn, "6 * 7")?, 42);
    // A run that is about one version meets that one.
    if let Some(wanted) = env::var_os("TEST_POSTGRES") {
        let major = number(&mut conn, "current_setting('server_version_num')::integer / 10000")?;
        assert_eq!(Some(major.to_string().as_str()), wanted.to_str());
    }
    Ok(())
}

#[test]
fn other_databases_have_addresses_too() -> Outcome {
    let postgres = Embedded::temporary()?;
    connect(&postgres)?.batch_execute(r#"create database "西成区 100%/?&""#)?;
    let url = postgres.url("西成区 100%/?&") + "&connect_timeout=2&application_name=test";
    let mut conn = PgConnection::establish(&url)?;
    assert_eq!(number(&mut conn, "(current_database() = '西成区 100%/?&')::int")?, 1);
    Ok(())
}

#[test]
fn what_was_stored_is_there_after_a_stop_and_a_start() -> Outcome {
    let directory = Directory::new("stop-start")?;
    let postgres = Embedded::start(&directory.data())?;
    store(&postgres, 323)?;
    postgres.stop();
    let postgres = Embedded::start(&directory.data())?;
    assert_eq!(stored(&postgres)?, 323);
    Ok(())
}

#[test]
fn a_second_service_on_the_same_directory_is_refused() -> Outcome {
    let directory = Directory::new("second")?;
    let postgres = Embedded::start(&directory.data())?;
    let refused = Embedded::start(&directory.data());
    assert!(matches!(refused, Err(EmbeddedError::InUse { .. })), "{refused:?}");
    store(&postgres, 1)
}

#[test]
fn a_server_killed_under_the_service_comes_back_with_its_data() -> Outcome {
    let directory = Directory::new("killed-server")?;
    let postgres = Embedded::start(&directory.data())?;
    store(&postgres, 371)?;
    // Two in a row, the second time with a client that does not let go by itself.
    for _ in 0..2 {
        let client = connect(&postgres)?;
        let killed = postmaster(&directory.data()).ok_or("no server")?;
        kill(killed, Signal::SIGKILL)?;
        let number = eventually(|| stored(&postgres).ok())?;
        assert_eq!(number, 371);
        assert_ne!(postmaster(&directory.data()), Some(killed));
        drop(client);
    }
    Ok(())
}

#[test]
fn a_crashed_backend_does_not_end_the_server() -> Outcome {
    let postgres = Embedded::temporary()?;
    let backend = number(&mut connect(&postgres)?, "pg_backend_pid()")?;
    let mut client = connect(&postgres)?;
    let victim = number(&mut client, "pg_backend_pid()")?;
    assert_ne!(backend, victim);
    kill(Pid::from_raw(i32::try_from(victim)?), Signal::SIGKILL)?;
    assert_eq!(eventually(|| number(&mut connect(&postgres).ok()?, "1").ok())?, 1);
    Ok(())
}

#[test]
fn a_killed_service_takes_its_server_along_and_starts_again() -> Outcome {
    let directory = Directory::new("killed-service")?;
    let mut service = Service::spawn(&directory.data())?;
    let server = postmaster(&directory.data()).ok_or("no server")?;
    service.kill()?;
    eventually(|| kill(server, None).is_err().then_some(()))?;

    let postgres = Embedded::start(&directory.data())?;
    assert_eq!(stored(&postgres)?, 408);
    Ok(())
}

#[test]
fn a_service_started_right_after_one_was_killed_takes_over() -> Outcome {
    let directory = Directory::new("takes-over")?;
    for _ in 0..3 {
        Service::spawn(&directory.data())?.kill()?;
    }
    let postgres = Embedded::start(&directory.data())?;
    assert_eq!(stored(&postgres)?, 408);
    Ok(())
}

#[test]
fn an_orphan_whose_watcher_was_killed_too_is_ended() -> Outcome {
    let directory = Directory::new("orphan")?;
    let mut service = Service::spawn(&directory.data())?;
    let server = postmaster(&directory.data()).ok_or("no server")?;
    for watcher in watchers_of(&service)? {
        kill(watcher, Signal::SIGKILL)?;
    }
    service.kill()?;
    kill(server, None)?;

    let postgres = Embedded::start(&directory.data())?;
    assert_eq!(stored(&postgres)?, 408);
    assert_ne!(postmaster(&directory.data()), Some(server));
    Ok(())
}

#[test]
fn a_first_start_cut_short_is_done_again() -> Outcome {
    let directory = Directory::new("cut-short")?;
    // What initdb leaves when it is killed: some of the files, in the place where they are made.
    let unfinished = directory.data().join("cluster.new");
    fs::create_dir_all(unfinished.join("base/1"))?;
    fs::write(unfinished.join("PG_VERSION"), "15\n")?;
    store(&Embedded::start(&directory.data())?, 1)
}

#[test]
fn a_service_killed_while_it_makes_its_files_leaves_a_directory_that_starts() -> Outcome {
    let directory = Directory::new("killed-early")?;
    let mut service = Service::spawn_without_waiting(&directory.data())?;
    eventually(|| directory.data().join("cluster.new/PG_VERSION").exists().then_some(()))?;
    service.kill()?;
    store(&Embedded::start(&directory.data())?, 1)
}

#[test]
fn a_stale_process_number_does_not_stop_a_start() -> Outcome {
    let directory = Directory::new("stale")?;
    store(&Embedded::start(&directory.data())?, 7)?;
    // After a restart of the machine the number of the old server may be anybody's; here it is a sleeping process's.
    let mut bystander = Command::new("sleep").arg("600").spawn()?;
    let record = directory.data().join("cluster/postmaster.pid");
    fs::write(
        &record,
        format!("{}\n{}\n", bystander.id(), directory.data().join("cluster").display()),
    )?;
    let postgres = Embedded::start(&directory.data())?;
    assert_eq!(stored(&postgres)?, 7);
    assert!(
        bystander.try_wait()?.is_none(),
        "a process that is none of ours was ended"
    );
    bystander.kill()?;
    bystander.wait()?;
    Ok(())
}

#[test]
fn data_of_an_absent_version_is_refused_by_name() -> Outcome {
    let directory = Directory::new("version")?;
    Embedded::start(&directory.data())?.stop();
    fs::write(directory.data().join("cluster/PG_VERSION"), "9999\n")?;
    let refused = Embedded::start(&directory.data());
    assert!(
        matches!(refused, Err(EmbeddedError::OtherVersion { major: 9999, .. })),
        "{refused:?}"
    );
    let words = refused.map_or_else(|e| e.to_string(), |_| String::new());
    for word in ["PostgreSQL 9999", "Nothing was changed", "ward-policy upgrade"] {
        assert!(words.contains(word), "{words}");
    }
    Ok(())
}

#[test]
fn an_upgrade_cut_short_before_its_last_step_is_finished() -> Outcome {
    let directory = Directory::new("cut-upgrade")?;
    store(&Embedded::start(&directory.data())?, 17)?;
    // The older files have left their place, the newer ones are whole and not there yet.
    let waiting = directory.data().join("cluster.upgraded");
    fs::rename(directory.data().join("cluster"), &waiting)?;
    assert_eq!(stored(&Embedded::start(&directory.data())?)?, 17);
    assert!(!waiting.exists());
    Ok(())
}

#[test]
fn a_server_that_does_not_start_says_why() -> Outcome {
    let directory = Directory::new("broken")?;
    Embedded::start(&directory.data())?.stop();
    fs::write(directory.data().join("cluster/postgresql.conf"), "this is no setting\n")?;
    let refused = Embedded::start(&directory.data());
    assert!(
        matches!(&refused, Err(EmbeddedError::Failed { log, .. }) if log.contains("postgresql.conf")),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_directory_too_deep_for_a_socket_works_too() -> Outcome {
    let directory = Directory::new("deep")?;
    let data = directory.data().join("深い".repeat(20)).join("\"quoted\" and spaced");
    store(&Embedded::start(&data)?, 1)
}

#[test]
fn the_data_is_private() -> Outcome {
    let directory = Directory::new("private")?;
    let _postgres = Embedded::start(&directory.data())?;
    for name in ["cluster", "socket"] {
        let mode = fs::metadata(directory.data().join(name))?.permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
    Ok(())
}

#[test]
fn nobody_else_gets_in_not_even_where_its_socket_is_open_to_all() -> Outcome {
    if !geteuid().is_root() {
        eprintln!("not tried: only root can call as somebody else");
        return Ok(());
    }
    let directory = Directory::new("peers")?;
    let postgres = Embedded::start(&directory.data())?;
    let socket = directory.data().join("socket");
    let psql = embedded::client("psql", 15).ok_or("no psql")?;
    let calls = |account: &str| -> Result<String, Box<dyn Error>> {
        let user = User::from_name(account)?.ok_or("no such account")?;
        let said = Command::new(&psql)
            .args([
                "--no-psqlrc",
                "-Atc",
                "select 'in'",
                "--dbname",
                &postgres.url("ward_policy"),
            ])
            .current_dir("/")
            .uid(user.uid.as_raw())
            .gid(user.gid.as_raw())
            .output()?;
        Ok(String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned())
    };
    assert!(calls("nobody")?.contains("Permission denied"));
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(socket.join(".s.PGSQL.5432"), fs::Permissions::from_mode(0o777))?;
    for account in ["nobody", "daemon"] {
        let said = calls(account)?;
        assert!(
            said.contains("Peer authentication failed") || said.contains("peer authentication failed"),
            "{account}: {said}"
        );
    }
    assert_eq!(calls("root")?, "in\n");
    Ok(())
}

#[test]
fn data_that_was_another_accounts_goes_on_as_its_own() -> Outcome {
    if !geteuid().is_root() {
        eprintln!("not tried: only root gives files away");
        return Ok(());
    }
    let directory = Directory::new("heir")?;
    let data = directory.data();
    let postgres = Embedded::start(&data)?;
    store(&postgres, 55)?;
    postgres.stop();
    let cluster = data.join("cluster");
    let own = fs::metadata(&cluster)?.uid();
    let nobody = User::from_name("nobody")?.ok_or("there is no nobody")?;
    if own == nobody.uid.as_raw() {
        eprintln!("not tried: no account can be made here");
        return Ok(());
    }
    // As an older program left it, killed: in the hands of nobody, and whoever is nobody trusted.
    fs::DirBuilder::new().mode(0o700).create(data.join("socket"))?;
    for path in [&cluster, &data.join("socket")] {
        let given = Command::new("chown").args(["-R", "nobody"]).arg(path).status()?;
        assert!(given.success());
    }
    fs::write(cluster.join("pg_hba.conf"), "local all all trust\n")?;
    assert_eq!(stored(&Embedded::start(&data)?)?, 55);
    assert_eq!(fs::metadata(&cluster)?.uid(), own);
    assert_eq!(fs::metadata(cluster.join("base"))?.uid(), own);
    Ok(())
}

#[test]
fn root_is_told_of_a_directory_its_stand_in_cannot_enter() -> Outcome {
    if !geteuid().is_root() {
        return Ok(());
    }
    let directory = Directory::new("closed")?;
    fs::DirBuilder::new().mode(0o700).create(directory.data())?;
    let refused = Embedded::start(&directory.data().join("data"));
    assert!(matches!(refused, Err(EmbeddedError::Unreachable { .. })), "{refused:?}");
    Ok(())
}

#[test]
fn a_temporary_directory_is_removed() -> Outcome {
    let postgres = Embedded::temporary()?;
    let data = data_of(&mut connect(&postgres)?)?;
    assert!(data.exists());
    postgres.stop();
    assert!(!data.exists());
    Ok(())
}

#[test]
fn a_temporary_directory_is_removed_when_its_owner_is_killed() -> Outcome {
    let mut service = Service::spawn(Path::new(""))?;
    let data = PathBuf::from(&service.data);
    assert!(data.exists());
    service.kill()?;
    eventually(|| (!data.exists()).then_some(()))
}

/// No test: the service that other tests start in a process of its own, to kill it.
#[test]
fn service() -> Outcome {
    let Some(data) = env::var_os(SERVICE) else {
        return Ok(());
    };
    let postgres = if data.is_empty() {
        Embedded::temporary()?
    } else {
        Embedded::start(Path::new(&data))?
    };
    store(&postgres, 408)?;
    let data = data_of(&mut connect(&postgres)?)?;
    writeln!(io::stdout(), "\n{READY}{}", data.display())?;
    loop {
        sleep(PATIENCE);
    }
}

const SERVICE: &str = "EMBEDDED_TEST_SERVICE";
const READY: &str = "ready: ";

struct Service {
    process: Child,
    data: String,
}

impl Service {
    fn spawn_without_waiting(data: &Path) -> io::Result<Self> {
        let process = Command::new(env::current_exe()?)
            .args(["--exact", "service", "--nocapture"])
            .env(SERVICE, data)
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self {
            process,
            data: String::new(),
        })
    }

    fn spawn(data: &Path) -> Result<Self, Box<dyn Error>> {
        let mut service = Self::spawn_without_waiting(data)?;
        let said = BufReader::new(service.process.stdout.take().ok_or("no output")?);
        for line in said.lines() {
            if let Some(data) = line?.strip_prefix(READY) {
                data.clone_into(&mut service.data);
                return Ok(service);
            }
        }
        Err("the service did not start".into())
    }

    fn kill(&mut self) -> io::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A place for one test's data, which the account that runs PostgreSQL can reach.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> io::Result<Self> {
        let path = env::temp_dir().join(format!("ward-policy-test-{name}-{}", std::process::id()));
        fs::DirBuilder::new().mode(0o755).create(&path)?;
        Ok(Self(path))
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn connect(postgres: &Embedded) -> Result<PgConnection, diesel::ConnectionError> {
    PgConnection::establish(&postgres.url("ward_policy"))
}

fn number(conn: &mut PgConnection, expression: &str) -> QueryResult<i64> {
    select(sql::<BigInt>(&format!("({expression})::bigint"))).get_result(conn)
}

fn store(postgres: &Embedded, number: i64) -> Outcome {
    let mut conn = connect(postgres)?;
    conn.batch_execute(&format!(
        "create table if not exists stored (n bigint); insert into stored values ({number})"
    ))?;
    Ok(())
}

fn stored(postgres: &Embedded) -> Result<i64, Box<dyn Error>> {
    Ok(number(&mut connect(postgres)?, "select max(n) from stored")?)
}

fn data_of(conn: &mut PgConnection) -> Result<PathBuf, Box<dyn Error>> {
    let cluster: String =
        select(sql::<diesel::sql_types::Text>("current_setting('data_directory')")).get_result(conn)?;
    Ok(Path::new(&cluster).parent().ok_or("no parent")?.to_owned())
}

fn postmaster(data: &Path) -> Option<Pid> {
    let record = fs::read_to_string(data.join("cluster/postmaster.pid")).ok()?;
    Some(Pid::from_raw(record.lines().next()?.parse().ok()?))
}

/// The watcher is the service's child that is a shell.
fn watchers_of(service: &Service) -> Result<Vec<Pid>, Box<dyn Error>> {
    let processes = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,args="])
        .output()?
        .stdout;
    let parent = service.process.id().to_string();
    String::from_utf8_lossy(&processes)
        .lines()
        .filter(|line| line.contains("ward-policy-watcher"))
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let pid = columns.next()?;
            (columns.next()? == parent).then(|| pid.parse().map(Pid::from_raw).map_err(Into::into))
        })
        .collect()
}

fn eventually<T>(mut attempt: impl FnMut() -> Option<T>) -> Result<T, Box<dyn Error>> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(value) = attempt() {
            return Ok(value);
        }
        sleep(Duration::from_millis(20));
    }
    Err("it did not happen".into())
}
