//! A standby: a server of PostgreSQL that follows another.

use std::{
    fs,
    io::Write as _,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Command, Stdio},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{sys::signal::Signal, unistd::Pid};
use ward_policy::db::embedded;

use crate::{
    Outcome,
    process::{Place, Process, eventually, signal_all},
};

/// A server that follows another, with its data in a directory of its own.
pub(crate) struct Standby {
    data: PathBuf,
    /// The version of PostgreSQL, which is that of its primary.
    major: u32,
    process: Option<Process>,
}

impl Standby {
    /// Makes one of a primary whose sockets are in this place.
    pub(crate) fn of(primary: &str, place: &Place) -> Outcome<Self> {
        let data = place.data().with_file_name("standby");
        let owner = fs::metadata(place.data().join("cluster"))?;
        fs::DirBuilder::new().mode(0o700).create(&data)?;
        chown(&data, Some(owner.uid()), Some(owner.gid()))?;
        let major = fs::read_to_string(place.data().join("cluster/PG_VERSION"))?;
        let standby = Self {
            data,
            major: major.trim().parse()?,
            process: None,
        };
        let copied = standby
            .command("pg_basebackup")?
            .args(["--checkpoint=fast", "--no-sync", "--dbname", primary, "--pgdata"])
            .arg(&standby.data)
            .output()?;
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        // By hand: a newer program would write options that an older server does not know.
        fs::write(standby.data.join("standby.signal"), "")?;
        standby
            .with_setting(&format!("primary_conninfo = '{primary}'"))?
            .started()
    }

    /// A program, run as whoever owns the data.
    fn command(&self, program: &str) -> Outcome<Command> {
        let owner = fs::metadata(&self.data)?;
        let program = embedded::client(program, self.major).ok_or("it is not installed")?;
        let mut command = Command::new(program);
        command.current_dir("/").stdin(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        Ok(command)
    }

    /// Starts it, and waits until it takes readers.
    pub(crate) fn started(self) -> Outcome<Self> {
        let standby = self.launched()?;
        eventually(|| Ok(PgConnection::establish(&standby.url()).ok()))?;
        Ok(standby)
    }

    /// Gives it a setting, for its next start.
    pub(crate) fn with_setting(self, setting: &str) -> Outcome<Self> {
        let file = self.data.join("postgresql.auto.conf");
        writeln!(fs::OpenOptions::new().append(true).open(file)?, "{setting}")?;
        Ok(self)
    }

    /// Starts it.
    pub(crate) fn launched(mut self) -> Outcome<Self> {
        let mut postgres = self.command("postgres")?;
        postgres.arg("-D").arg(&self.data).arg("-k").arg(&self.data);
        postgres.args([
            "-c",
            "listen_addresses=",
            "-c",
            "port=5432",
            "-c",
            &format!("hba_file={}", self.data.with_file_name("data/pg_hba.conf").display()),
            "-c",
            &format!(
                "ident_file={}",
                self.data.with_file_name("data/pg_ident.conf").display()
            ),
            "-c",
            "max_connections=200",
            "-c",
            "fsync=off",
        ]);
        postgres.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Process(postgres.spawn()?));
        Ok(self)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgresql://ward_policy@/ward_policy?host={}&port=5432", self.socket())
    }

    /// The address of whichever of the two takes writes.
    pub(crate) fn or(&self, primary: &str) -> Outcome<String> {
        let first = primary.split_once("?host=").and_then(|(_, rest)| rest.split_once('&'));
        let (first, _) = first.ok_or("no host")?;
        let both = format!("{first},{}", self.socket());
        Ok(format!(
            "postgresql://ward_policy@/ward_policy?host={both}&port=5432,5432&target_session_attrs=read-write"
        ))
    }

    fn socket(&self) -> String {
        self.data.display().to_string().replace('/', "%2F")
    }

    pub(crate) fn tell(&self, statement: &str) -> Outcome {
        Ok(PgConnection::establish(&self.url())?.batch_execute(statement)?)
    }

    /// Signals the server and every process of it.
    pub(crate) fn signal(&self, signal: Signal) -> Outcome {
        let process = &self.process.as_ref().ok_or("it does not run")?.0;
        signal_all(Pid::from_raw(i32::try_from(process.id())?), signal)
    }

    pub(crate) fn killed(mut self) -> Outcome<Self> {
        self.signal(Signal::SIGKILL)?;
        self.process = None;
        Ok(self)
    }
}
