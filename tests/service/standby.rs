//! Standbys: real ones, that fall behind, freeze, die, come back, and take over.

use std::{
    fs,
    net::SocketAddr,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ward_policy::db::embedded::{self, Embedded};

use crate::{
    Outcome,
    http::{Answer, create, get, get_with},
    outside::{metrics_of, told},
    process::{Place, Process, Service, eventually},
};

/// A server that follows another, with its data in a directory of its own.
struct Standby {
    data: PathBuf,
    process: Option<Process>,
}

impl Standby {
    /// Makes one of a primary whose sockets are in this place.
    fn of(primary: &str, place: &Place) -> Outcome<Self> {
        let data = place.data().with_file_name("standby");
        let owner = fs::metadata(place.data().join("cluster"))?;
        fs::DirBuilder::new().mode(0o700).create(&data)?;
        chown(&data, Some(owner.uid()), Some(owner.gid()))?;
        let standby = Self { data, process: None };
        let copied = standby
            .command("pg_basebackup")?
            .args([
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync",
                "--dbname",
                primary,
                "--pgdata",
            ])
            .arg(&standby.data)
            .output()?;
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.started()
    }

    /// A program, run as whoever owns the data.
    fn command(&self, program: &str) -> Outcome<Command> {
        let owner = fs::metadata(&self.data)?;
        let program = embedded::client(program, 13).ok_or("it is not installed")?;
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        Ok(command)
    }

    fn started(mut self) -> Outcome<Self> {
        let mut postgres = self.command("postgres")?;
        postgres.arg("-D").arg(&self.data).arg("-k").arg(&self.data);
        postgres.args([
            "-c",
            "listen_addresses=",
            "-c",
            "port=5432",
            "-c",
            "max_connections=200",
            "-c",
            "fsync=off",
        ]);
        postgres.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Process(postgres.spawn()?));
        eventually(|| Ok(PgConnection::establish(&self.url()).ok()))?;
        Ok(self)
    }

    fn url(&self) -> String {
        format!("postgresql://ward_policy@/ward_policy?host={}&port=5432", self.socket())
    }

    fn socket(&self) -> String {
        self.data.display().to_string().replace('/', "%2F")
    }

    fn tell(&self, statement: &str) -> Outcome {
        Ok(PgConnection::establish(&self.url())?.batch_execute(statement)?)
    }

    /// Signals the server and every process of it.
    fn signal(&self, signal: Signal) -> Outcome {
        let postmaster = self.process.as_ref().ok_or("it does not run")?.0.id().to_string();
        let children = Command::new("pgrep").args(["-P", &postmaster]).output()?.stdout;
        for pid in String::from_utf8(children)?.lines().chain([postmaster.as_str()]) {
            let _ = kill(Pid::from_raw(pid.parse()?), signal);
        }
        Ok(())
    }

    fn killed(mut self) -> Outcome<Self> {
        self.signal(Signal::SIGKILL)?;
        self.process = None;
        Ok(self)
    }
}

/// How many turns readers took on this lane, or how many standbys are so.
fn count(metrics: SocketAddr, line: &str) -> Outcome<u32> {
    let told = told(metrics)?;
    let count = told
        .lines()
        .find_map(|told| told.strip_prefix(line))
        .ok_or_else(|| told.clone())?;
    Ok(count.trim().parse()?)
}

const ON_STANDBYS: &str = "ward_policy_pool_turns_total{lane=\"standbys\"}";
const ON_PRIMARY: &str = "ward_policy_pool_turns_total{lane=\"readers\"}";

fn becomes(service: &Service, state: &str) -> Outcome {
    let (metrics, line) = (
        metrics_of(service)?,
        format!("ward_policy_standbys{{state=\"{state}\"}}"),
    );
    eventually(|| Ok((count(metrics, &line)? == 1).then_some(())))
}

fn organization(slug: &str) -> String {
    format!("/v1/organizations/{slug}")
}

/// Reads what was written a moment ago, by the token the answer gave.
fn read_back(address: SocketAddr, slug: &str, written: &Answer) -> Outcome<u16> {
    let headers = [("X-Consistency-Token", written.consistency.as_str())];
    Ok(get_with(address, &headers, &organization(slug))?.status)
}

#[test]
fn standbys_are_read_while_they_are_up_to_date_and_missed_by_nobody() -> Outcome {
    let place = Place::new("standby")?;
    // Its first start makes the cluster, which is served from outside the service here.
    let primary = Embedded::start(&place.data())?;
    let standby = Standby::of(&primary.url("ward_policy"), &place)?;
    let url = primary.url("ward_policy");
    let (sockets, parameters) = url
        .split_once("?host=")
        .and_then(|(_, rest)| rest.split_once('&'))
        .ok_or("no host")?;
    assert_eq!(parameters, "port=5432");
    let either = format!(
        "postgresql://ward_policy@/ward_policy?host={sockets},{}&port=5432,5432&target_session_attrs=read-write",
        standby.socket()
    );
    let standby_url = standby.url();
    let settings = [
        ("DATABASE_URL", either.as_str()),
        ("DATABASE_REPLICA_URLS", &standby_url),
        ("WARD_POLICY_METRICS_BIND", "127.0.0.1:0"),
    ];
    let [writer, other] = [
        place.spawn(&["--no-sample"], &settings)?,
        place.spawn(&["--no-sample"], &settings)?,
    ];
    let (writer, other) = (writer.wait()?, other.wait()?);
    let made = place.run(
        &[
            "token",
            "create",
            "--name",
            "it",
            "--scope",
            "edit:*",
            "--expires-in-days",
            "1",
        ],
        &settings[..1],
    )?;
    let token = made.printed.trim_end();
    let well = || -> Outcome {
        becomes(&writer, "in_step")?;
        becomes(&other, "in_step")
    };

    // Up to date, it is read, and the primary is not.
    well()?;
    let (standbys, readers) = (
        count(metrics_of(&other)?, ON_STANDBYS)?,
        count(metrics_of(&other)?, ON_PRIMARY)?,
    );
    assert_eq!(get(other.address, "/v1/organizations")?.status, 200);
    assert_eq!(count(metrics_of(&other)?, ON_STANDBYS)?, standbys + 1);
    // The metrics themselves ask the primary.
    assert_eq!(count(metrics_of(&other)?, ON_PRIMARY)?, readers + 2);

    // Behind, it is not: whoever wrote reads what was written, here at once, elsewhere with the token.
    standby.tell("select pg_wal_replay_pause()")?;
    let written = create(writer.address, token, "behind")?;
    assert_eq!(written.status, 201);
    assert_eq!(get(writer.address, &organization("behind"))?.status, 200);
    assert_eq!(read_back(other.address, "behind", &written)?, 200);
    becomes(&other, "behind")?;
    assert_eq!(get(other.address, &organization("behind"))?.status, 200);
    standby.tell("select pg_wal_replay_resume()")?;
    well()?;

    // However it lags.
    for n in 0..60 {
        match n % 10 {
            3 => standby.tell("select pg_wal_replay_pause()")?,
            7 => standby.tell("select pg_wal_replay_resume()")?,
            _ => {}
        }
        let slug = format!("bureau-{n}");
        // What is not there yet is an answer that an instance may keep.
        assert_eq!(get(other.address, &organization(&slug))?.status, 404);
        let written = create(writer.address, token, &slug)?;
        assert_eq!(written.status, 201);
        assert_eq!(read_back(other.address, &slug, &written)?, 200, "{n}");
        assert_eq!(get(writer.address, &organization(&slug))?.status, 200, "{n}");
    }
    let garbled = get_with(
        other.address,
        &[("X-Consistency-Token", "yesterday")],
        "/v1/organizations",
    )?;
    assert_eq!(
        (garbled.status, &garbled.body["errors"][0]["header"]),
        (400, &"X-Consistency-Token".into())
    );
    let ahead = get_with(
        other.address,
        &[("X-Consistency-Token", "FFFFFFFF/0")],
        "/v1/organizations",
    )?;
    assert_eq!(ahead.status, 200);

    // Killed and back.
    well()?;
    let standby = standby.killed()?;
    for _ in 0..20 {
        assert_eq!(read_back(other.address, "behind", &written)?, 200);
    }
    becomes(&other, "away")?;
    let standby = standby.started()?;
    well()?;

    // Frozen.
    standby.signal(Signal::SIGSTOP)?;
    for _ in 0..5 {
        let begun = Instant::now();
        assert_eq!(read_back(other.address, "behind", &written)?, 200);
        assert!(begun.elapsed().as_secs() < 5);
    }
    becomes(&other, "away")?;
    standby.signal(Signal::SIGCONT)?;
    well()?;

    // Without its primary it is still read, until it is the primary itself.
    drop(primary);
    assert_eq!(get(other.address, &organization("bureau-59"))?.status, 200);
    assert_eq!(create(writer.address, token, "nowhere")?.status, 503);
    standby.tell("select pg_promote()")?;
    let written =
        eventually(|| Ok(Some(create(writer.address, token, "after")?).filter(|answer| answer.status == 201)))?;
    eventually(|| Ok((read_back(other.address, "after", &written)? != 503).then_some(())))?;
    assert_eq!(read_back(other.address, "after", &written)?, 200);
    for slug in ["behind", "bureau-0", "bureau-59"] {
        assert_eq!(read_back(other.address, slug, &written)?, 200);
    }
    assert_eq!(get(other.address, &organization("nowhere"))?.status, 404);
    // It follows nobody now.
    becomes(&other, "away")
}
