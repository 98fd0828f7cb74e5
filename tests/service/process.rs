//! The program as a process: its place, its start, its end.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ward_policy::db::embedded::Embedded;

use crate::{Outcome, PATIENCE, http::get};

/// A place for one test's service, which the account that runs PostgreSQL can reach.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new(name: &str) -> Outcome<Self> {
        let path = env::temp_dir().join(format!("ward-policy-service-{name}-{}", std::process::id()));
        DirBuilder::new().mode(0o755).create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// The token that the first start has made.
    pub(crate) fn token(&self) -> Outcome<String> {
        Ok(fs::read_to_string(self.data().join("admin-token"))?
            .trim_end()
            .to_owned())
    }

    /// The program, with the settings of this place and no other.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_ward-policy")), arguments)
    }

    /// The same for another build of the program.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        for (name, _) in env::vars_os() {
            if name == "DATABASE_URL" || name == "RUST_LOG" || name.to_string_lossy().starts_with("WARD_POLICY_") {
                command.env_remove(name);
            }
        }
        // Bounds that no machine is too slow for: a test that is about one of them sets it.
        for bound in ["WAIT", "READ", "WRITE", "STATEMENT", "LOCK"] {
            command.env(format!("WARD_POLICY_{bound}_MS"), "300000");
        }
        command
            .env("WARD_POLICY_DATA", self.data())
            .env("WARD_POLICY_BIND", "127.0.0.1:0");
        command
    }

    /// Runs the program to its end, which comes by itself.
    pub(crate) fn run(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome<Run> {
        let output = self.command(arguments).envs(settings.iter().copied()).output()?;
        Ok(Run {
            status: output.status,
            said: String::from_utf8(output.stderr)?,
            printed: String::from_utf8(output.stdout)?,
        })
    }

    /// Starts the service.
    pub(crate) fn spawn(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome<Starting> {
        let mut command = self.command(arguments);
        command.envs(settings.iter().copied());
        self.start(command)
    }

    /// Starts the service by a command of one's own.
    pub(crate) fn start(&self, mut command: Command) -> Outcome<Starting> {
        let log = self.0.join(format!("{}.log", uuid::Uuid::now_v7()));
        let process = command.stderr(File::create(&log)?).spawn()?;
        Ok(Starting {
            process: Process(process),
            log,
        })
    }

    /// Starts the service and waits until it says where it is.
    pub(crate) fn serve(&self, arguments: &[&str]) -> Outcome<Service> {
        self.spawn(arguments, &[])?.wait()
    }

    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let record = fs::read_to_string(self.data().join("cluster/postmaster.pid")).ok()?;
        record.lines().next()?.parse().map(Pid::from_raw).ok()
    }

    /// Whether every process of the database server has ended: each holds this lock as long as it lives.
    pub(crate) fn is_deserted(&self) -> Outcome<bool> {
        let lock = File::open(self.data().join("server.lock"))?;
        Ok(lock.try_lock().is_ok())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The server of a service killed a moment ago still writes its files.
        let _ = eventually(|| Ok(self.is_deserted().unwrap_or(true).then_some(())));
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How a command ended.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) said: String,
    pub(crate) printed: String,
}

impl Run {
    /// Fails unless it failed with one line that holds these words.
    pub(crate) fn is_one_line_about(&self, words: &[&str]) {
        let said = &self.said;
        assert_eq!(self.status.code(), Some(1), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{words:?}: {said}");
    }
}

/// A process that does not outlive its test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct Starting {
    process: Process,
    log: PathBuf,
}

impl Starting {
    /// Waits until it serves.
    pub(crate) fn wait(self) -> Outcome<Service> {
        let mut service = self.listening()?;
        eventually(|| {
            if let Some(status) = service.process.0.try_wait()? {
                return Err(format!("{status}: {}", service.said()?).into());
            }
            let is_ready = get(service.address, "/readyz").is_ok_and(|answer| answer.status == 200);
            Ok(is_ready.then_some(()))
        })?;
        Ok(service)
    }

    /// Waits until it says where it is; perhaps its database is not there yet.
    pub(crate) fn listening(mut self) -> Outcome<Service> {
        let port: u16 = eventually(|| {
            let said = fs::read_to_string(&self.log)?;
            if let Some(status) = self.process.0.try_wait()? {
                return Err(format!("{status}: {said}").into());
            }
            let Some((_, line)) = said.split_once("API http://") else {
                return Ok(None);
            };
            let port = line.split_once("/v1").and_then(|(address, _)| address.rsplit_once(':'));
            Ok(port.map(|(_, port)| port.parse()).transpose()?)
        })?;
        Ok(Service {
            process: self.process,
            log: self.log,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }
}

pub(crate) struct Service {
    process: Process,
    log: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Service {
    pub(crate) fn said(&self) -> io::Result<String> {
        fs::read_to_string(&self.log)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.log.clone()
    }

    pub(crate) fn pid(&self) -> Outcome<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.process.0.id())?))
    }

    pub(crate) fn stop(self, signal: Signal) -> Outcome<ExitStatus> {
        kill(self.pid()?, signal)?;
        self.wait()
    }

    pub(crate) fn wait(mut self) -> Outcome<ExitStatus> {
        eventually(|| Ok(self.process.0.try_wait()?))
    }
}

/// A database on a server that is none of the service's.
pub(crate) struct Database {
    pub(crate) address: String,
    _server: Embedded,
}

pub(crate) fn database(name: &str) -> Outcome<Database> {
    let server = Embedded::temporary()?;
    PgConnection::establish(&server.url("ward_policy"))?.batch_execute(&format!("create database {name}"))?;
    Ok(Database {
        address: server.url(name),
        _server: server,
    })
}

pub(crate) fn eventually<T>(mut attempt: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(value) = attempt()? {
            return Ok(value);
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err("it did not happen".into())
}

/// Signals a process and all that it has begun.
pub(crate) fn signal_all(parent: Pid, signal: Signal) -> Outcome {
    for pid in children(parent)? {
        let _ = kill(pid, signal);
    }
    kill(parent, signal)?;
    Ok(())
}

fn children(parent: Pid) -> Outcome<Vec<Pid>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The parent stands after the name, which is in brackets.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let of = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        if of == Some(parent.to_string().as_str()) {
            children.push(Pid::from_raw(pid));
        }
    }
    Ok(children)
}
