//! A private PostgreSQL, for the machine that has no `DATABASE_URL` and for the tests.

use std::{
    env, fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, PipeWriter, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid, User, getegid, geteuid},
};

/// The oldest major version the migrations are written for.
const OLDEST: u32 = 15;
/// The only role, and the database made at the first start.
const NAME: &str = "ward_policy";
/// Nothing listens on this port; it is part of the socket's file name.
const PORT: u16 = 5432;
/// What fits into a socket's address: 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;
/// How long a start, a stop or a predecessor may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often something awaited is looked at.
const TICK: Duration = Duration::from_millis(10);
/// How often the supervisor looks after the server; also the first pause before it starts it again.
const WATCH: Duration = Duration::from_millis(100);
/// The longest pause between two attempts to start the server again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that ran this long was well: its end is news, not one more failure in a row.
const WELL: Duration = Duration::from_secs(10);
/// The server's log is emptied when it outgrows this.
const LONGEST_LOG: u64 = 1 << 20;
/// The lines of the log an error quotes.
const QUOTED_LINES: usize = 12;

/// Becomes the program it is given, after telling the watcher the process id under which that will run.
///
/// The pipe to the watcher is its standard output, which the program does not inherit.
const LAUNCHER: &str = r#"trap '' PIPE; echo $$; exec "$@" >&2"#;

/// Ends what the launcher started last when the service is gone, however that went.
///
/// Its standard input closes with the service. An empty line says that there is nothing left to end.
const WATCHER: &str = r#"
    trap '' HUP INT TERM
    while read -r line; do pid=$line; done
    [ -z "$pid" ] || kill -s "$1" "$pid"
    [ -z "$2" ] && exit
    tries=0
    until rm -rf "$2" || [ "$tries" -eq 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// Why there is no embedded PostgreSQL, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no server on this machine, or only an old one.
    #[error(
        "PostgreSQL {OLDEST} or newer is not installed here (the programs `postgres` and `initdb`). Install it with \
         `apt-get install postgresql` or `brew install postgresql@17`, or set DATABASE_URL to a database elsewhere"
    )]
    NotInstalled,
    /// The data can only be read by a version that is not here.
    #[error(
        "the data in {} was written by PostgreSQL {major}, which is not installed here. Install that version \
         (`apt-get install postgresql-{major}`), or choose another directory with WARD_POLICY_DATA",
        path.display()
    )]
    OtherVersion {
        /// The data directory.
        path: PathBuf,
        /// The version that wrote it.
        major: u32,
    },
    /// Two services cannot share one directory.
    #[error(
        "another ward-policy is running on the data in {}. Stop it, or choose another directory with WARD_POLICY_DATA",
        path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// What a killed service left behind does not end.
    #[error(
        "PostgreSQL processes of an earlier start still use {} and do not end. End them, then start again",
        path.display()
    )]
    Predecessor {
        /// The data directory.
        path: PathBuf,
    },
    /// PostgreSQL refuses to run as root, and the account it runs as instead cannot get to its data.
    #[error(
        "PostgreSQL does not run as root, so it runs as `{account}`, which may not enter {}. Choose a directory it \
         can reach with WARD_POLICY_DATA (for a temporary database: TMPDIR), or run as an ordinary user",
        path.display()
    )]
    Unreachable {
        /// The data directory.
        path: PathBuf,
        /// Whom PostgreSQL would run as.
        account: String,
    },
    /// There is nobody to run PostgreSQL as.
    #[error("PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to run it as")]
    NoAccount,
    /// A directory that must be ours alone is not.
    #[error(
        "{} belongs to another account, or others may enter it. Run as its owner, or choose another directory with \
         WARD_POLICY_DATA",
        path.display()
    )]
    NotOurs {
        /// The directory.
        path: PathBuf,
    },
    /// PostgreSQL said no.
    #[error("{what}. Its log ends with:\n{log}")]
    Failed {
        /// What happened.
        what: &'static str,
        /// The last lines of the server's log.
        log: String,
    },
    /// The server runs but our database is not in it.
    #[error("the embedded database cannot be opened: {0}")]
    Database(String),
    /// The file system or the operating system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// What it was about.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    move |source| EmbeddedError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A PostgreSQL server of our own, which ends with this value or with this process, whichever is first.
///
/// Only its own account and root reach it: it listens on a Unix socket in a private directory, nowhere else.
#[derive(Debug)]
pub struct Embedded {
    socket: PathBuf,
    service_lock: File,
    /// Dropping the sender asks the supervisor to stop the server.
    supervisor: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Embedded {
    /// Starts the server on the data kept in `data`, which is made at the first start.
    pub fn start(data: &Path) -> Result<Self, EmbeddedError> {
        Self::run(data, Kind::Durable)
    }

    /// Starts a fast and forgetful server on new files, which are removed when it ends.
    pub fn temporary() -> Result<Self, EmbeddedError> {
        let name = format!("ward-policy-{}", uuid::Uuid::now_v7().simple());
        Self::run(&env::temp_dir().join(name), Kind::Temporary)
    }

    /// The address of a database in it, for libpq; further parameters may be added with `&`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.socket, database)
    }

    /// Stops the server, as dropping does, and waits for its end.
    pub fn stop(self) {
        drop(self);
    }

    fn run(data: &Path, kind: Kind) -> Result<Self, EmbeddedError> {
        let data = &std::path::absolute(data).map_err(io_error(data))?;
        let account = Account::owning(&data.join("cluster"))?;
        let major = written_by(data)?;
        let server = Server::find(major).ok_or_else(|| match major {
            Some(major) => EmbeddedError::OtherVersion {
                path: data.clone(),
                major,
            },
            None => EmbeddedError::NotInstalled,
        })?;

        match kind {
            Kind::Durable if data.is_dir() => {}
            // Others may pass through it, as the account must that runs PostgreSQL for root.
            Kind::Durable => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o755)
                    .create(data)
                    .map_err(io_error(data))?;
            }
            Kind::Temporary => account.private_directory(data)?,
        }
        let service_lock =
            lock_file(&data.join("service.lock"))?.ok_or_else(|| EmbeddedError::InUse { path: data.clone() })?;

        let mut cluster = Cluster::new(data, kind, server, account)?;
        cluster.start()?;
        let socket = cluster.socket.clone();
        open_database(&socket)?;
        let (stop, stopped) = channel();
        let supervisor = thread::Builder::new()
            .name("embedded-postgresql".to_owned())
            .spawn(move || supervise(cluster, &stopped))
            .map_err(io_error(data))?;
        Ok(Self {
            socket,
            service_lock,
            supervisor: Some((stop, supervisor)),
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some((stop, supervisor)) = self.supervisor.take() {
            drop(stop);
            if supervisor.join().is_err() {
                log::error!("the supervisor of the embedded PostgreSQL panicked");
            }
        }
        // Closing alone would not do while another thread forks: its child shares the lock until it has its program.
        if let Err(error) = self.service_lock.unlock() {
            log::warn!("the embedded PostgreSQL's directory stays locked: {error}");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Durable,
    Temporary,
}

impl Kind {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Durable => &["fsync=on", "full_page_writes=on", "synchronous_commit=on"],
            Self::Temporary => &[
                "fsync=off",
                "full_page_writes=off",
                "synchronous_commit=off",
                "max_connections=200",
            ],
        }
    }

    /// What ends the server: a fast shutdown, or an immediate one when nothing is kept.
    fn signal(self) -> Signal {
        match self {
            Self::Durable => Signal::SIGINT,
            Self::Temporary => Signal::SIGQUIT,
        }
    }
}

/// An installed PostgreSQL server.
#[derive(Debug)]
struct Server {
    programs: PathBuf,
    major: u32,
}

impl Server {
    /// The first on this machine of that version, or of any that will do.
    fn find(major: Option<u32>) -> Option<Self> {
        program_directories().filter_map(Self::at).find(|server| match major {
            Some(major) => server.major == major,
            None => server.major >= OLDEST,
        })
    }

    /// `pg_config` comes with the client's headers too, so only the programs themselves prove a server.
    fn at(programs: PathBuf) -> Option<Self> {
        if !programs.is_absolute() || !programs.join("initdb").is_file() {
            return None;
        }
        let version = stdout_of(Command::new(programs.join("postgres")).arg("--version"))?;
        let major = version
            .split_once("(PostgreSQL) ")?
            .1
            .split(|c: char| !c.is_ascii_digit())
            .next()?;
        Some(Self {
            programs,
            major: major.parse().ok()?,
        })
    }
}

fn program_directories() -> impl Iterator<Item = PathBuf> {
    std::iter::once_with(|| stdout_of(Command::new("pg_config").arg("--bindir")))
        .flatten()
        .map(PathBuf::from)
        .chain(
            env::var_os("PATH")
                .iter()
                .flat_map(env::split_paths)
                .collect::<Vec<_>>(),
        )
        .chain(versions_in("/usr/lib/postgresql", ""))
        .chain(versions_in("/opt/homebrew/opt", "postgresql@"))
        .chain(versions_in("/usr/local/opt", "postgresql@"))
}

/// The directories of programs below `<parent>/<prefix><major version>`, newest first.
fn versions_in(parent: &str, prefix: &str) -> impl Iterator<Item = PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    found.into_iter().map(|(_, programs)| programs)
}

fn stdout_of(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The version of PostgreSQL the data belongs to, if there is any.
fn written_by(data: &Path) -> Result<Option<u32>, EmbeddedError> {
    let path = data.join("cluster/PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(major) => match major.trim().parse() {
            Ok(major) => Ok(Some(major)),
            Err(error) => Err(io_error(&path)(io::Error::new(io::ErrorKind::InvalidData, error))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(&path)(error)),
    }
}

/// Whom the server runs as.
#[derive(Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves; or for root, whom PostgreSQL refuses, the owner of the cluster, who was chosen at its first start.
    fn owning(cluster: &Path) -> Result<Self, EmbeddedError> {
        let owner = match fs::metadata(cluster) {
            Ok(metadata) => Some(Self {
                uid: metadata.uid(),
                gid: metadata.gid(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(cluster)(error)),
        };
        let (me, group) = (geteuid(), getegid());
        match owner {
            None if me.is_root() => ["postgres", "nobody"]
                .into_iter()
                .find_map(|name| User::from_name(name).ok().flatten())
                .map(|user| Self {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                })
                .ok_or(EmbeddedError::NoAccount),
            None => Ok(Self {
                uid: me.as_raw(),
                gid: group.as_raw(),
            }),
            // Root runs it for anybody else, anybody else for themselves.
            Some(owner) if me.is_root() != (owner.uid == me.as_raw()) => Ok(owner),
            Some(_) => Err(EmbeddedError::NotOurs {
                path: cluster.to_owned(),
            }),
        }
    }

    /// A command run as this account, away from our environment (which may hold secrets) and our terminal's Ctrl-C.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("LC_ALL", "C")
            .env("PATH", "/usr/bin:/bin")
            .process_group(0);
        if geteuid().is_root() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes a directory that only this account may enter, or makes sure that an existing one is such.
    fn private_directory(&self, path: &Path) -> Result<(), EmbeddedError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io_error(path)(error)),
            _ => {}
        }
        let found = fs::symlink_metadata(path).map_err(io_error(path))?;
        let ours = found.uid() == self.uid || found.uid() == geteuid().as_raw();
        if !found.is_dir() || !ours || found.mode() & 0o077 != 0 {
            return Err(EmbeddedError::NotOurs { path: path.to_owned() });
        }
        if found.uid() != self.uid {
            chown(path, Some(self.uid), Some(self.gid)).map_err(io_error(path))?;
        }
        Ok(())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match User::from_uid(Uid::from_raw(self.uid)) {
            Ok(Some(user)) => f.write_str(&user.name),
            _ => write!(f, "{}", self.uid),
        }
    }
}

/// Takes the lock on a file, which is made if need be; nothing when somebody else holds it.
fn lock_file(path: &Path) -> Result<Option<File>, EmbeddedError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(io_error(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(io_error(path)(error)),
    }
}

/// The process that outlives us for a moment, to end the server if we could not.
#[derive(Debug)]
struct Watcher {
    process: Child,
    pipe: Option<PipeWriter>,
}

impl Watcher {
    fn start(data: &Path, kind: Kind, account: &Account) -> Result<Self, EmbeddedError> {
        let (reader, writer) = io::pipe().map_err(io_error(data))?;
        let process = account
            .command("/bin/sh")
            .args(["-c", WATCHER, "ward-policy-watcher"])
            .arg(kind.signal().as_str().trim_start_matches("SIG"))
            .arg(if kind == Kind::Temporary { data } else { Path::new("") })
            .current_dir(data)
            .stdin(reader)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied if geteuid().is_root() => EmbeddedError::Unreachable {
                    path: data.to_owned(),
                    account: account.to_string(),
                },
                _ => io_error(data)(error),
            })?;
        Ok(Self {
            process,
            pipe: Some(writer),
        })
    }

    /// The end of the pipe on which a launcher says what to end.
    fn pipe(&self) -> io::Result<Stdio> {
        match &self.pipe {
            Some(pipe) => pipe.try_clone().map(Stdio::from),
            None => Ok(Stdio::null()),
        }
    }

    /// The server has ended: its process id may soon be somebody else's.
    fn forget(&mut self) {
        if let Some(Err(error)) = self.pipe.as_mut().map(|pipe| pipe.write_all(b"\n")) {
            log::warn!("the embedded PostgreSQL's watcher is gone: {error}");
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.pipe.take());
        if let Err(error) = self.process.wait() {
            log::warn!("the embedded PostgreSQL's watcher was lost: {error}");
        }
    }
}

/// The files of a server, and the server that runs on them.
#[derive(Debug)]
struct Cluster {
    data: PathBuf,
    kind: Kind,
    server: Server,
    account: Account,
    socket: PathBuf,
    log: File,
    /// The server, and when it was started.
    postmaster: Option<(Child, Instant)>,
    watcher: Watcher,
}

impl Cluster {
    fn new(data: &Path, kind: Kind, server: Server, account: Account) -> Result<Self, EmbeddedError> {
        // First, so that from here on nothing is left behind; it also finds out whether the account gets there.
        let watcher = Watcher::start(data, kind, &account)?;
        let socket = socket_directory(data);
        account.private_directory(&socket)?;
        let path = data.join("server.log");
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_error(&path))?;
        log.set_len(0).map_err(io_error(&path))?;
        Ok(Self {
            data: data.to_owned(),
            kind,
            server,
            account,
            socket,
            log,
            postmaster: None,
            watcher,
        })
    }

    fn path(&self) -> PathBuf {
        self.data.join("cluster")
    }

    /// Starts the server and waits until it accepts connections.
    fn start(&mut self) -> Result<(), EmbeddedError> {
        let lock = wait_for(|| {
            let lock = self.server_lock()?;
            if lock.is_none() {
                self.end_predecessor();
            }
            Ok(lock)
        })?
        .ok_or_else(|| EmbeddedError::Predecessor {
            path: self.data.clone(),
        })?;
        if !self.path().exists() {
            self.create(&lock)?;
        }
        self.launch(lock)?;
        wait_for(|| match self.ended() {
            Some(_) => Err(self.failed("PostgreSQL ended while it started")),
            None => Ok(self.is_ready().then_some(())),
        })?
        .ok_or_else(|| self.failed("PostgreSQL accepts no connections"))
    }

    /// The lock every process of the server inherits, and holds to its end: having it means that none is left.
    ///
    /// PostgreSQL's own `postmaster.pid` cannot tell a server from another process that got its number since.
    fn server_lock(&self) -> Result<Option<File>, EmbeddedError> {
        lock_file(&self.data.join("server.lock"))
    }

    /// A server still running although its service is gone (we hold that one's lock) is asked to end.
    fn end_predecessor(&self) {
        if let Some(pid) = self.recorded(0).and_then(|pid| pid.parse().ok()) {
            signal(pid, Signal::SIGINT);
        }
    }

    /// Makes the files beside their place and then moves them there, so that they are whole or absent.
    fn create(&mut self, lock: &File) -> Result<(), EmbeddedError> {
        let unfinished = self.data.join("cluster.new");
        for locale in ["C.UTF-8", "C"] {
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished).map_err(io_error(&unfinished))?;
            }
            self.account.private_directory(&unfinished)?;
            let lock = lock.try_clone().map_err(io_error(&self.data))?;
            let status = self
                .spawn("initdb", lock, |initdb| {
                    initdb
                        .arg("--pgdata")
                        .arg(&unfinished)
                        .args(["--username", NAME, "--locale", locale]);
                    initdb.args([
                        "--encoding=UTF8",
                        "--auth-local=trust",
                        "--auth-host=reject",
                        "--no-instructions",
                    ]);
                    if self.kind == Kind::Temporary {
                        initdb.arg("--no-sync");
                    }
                })
                .and_then(|mut initdb| initdb.wait())
                .map_err(io_error(&unfinished))?;
            self.watcher.forget();
            if status.success() {
                fs::rename(&unfinished, self.path()).map_err(io_error(&unfinished))?;
                return File::open(&self.data)
                    .and_then(|data| data.sync_all())
                    .map_err(io_error(&self.data));
            }
        }
        Err(self.failed("PostgreSQL could not make its files"))
    }

    /// Starts the server; it is not ready yet.
    fn launch(&mut self, lock: File) -> Result<(), EmbeddedError> {
        // With the lock held this file is stale, and its number may be another process's, which stops PostgreSQL.
        let stale = self.path().join("postmaster.pid");
        match fs::remove_file(&stale) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error(&stale)(error)),
            _ => {}
        }
        let socket = self.socket.display().to_string().replace('"', "\"\"");
        let postmaster = self.spawn("postgres", lock, |postgres| {
            postgres.arg("-D").arg(self.path());
            for setting in [
                &format!("unix_socket_directories=\"{socket}\""),
                &format!("port={PORT}"),
            ] {
                postgres.args(["-c", setting]);
            }
            for setting in SETTINGS.iter().chain(self.kind.settings()) {
                postgres.args(["-c", setting]);
            }
        });
        self.postmaster = Some((postmaster.map_err(io_error(&self.data))?, Instant::now()));
        Ok(())
    }

    fn spawn(&self, program: &str, lock: File, arguments: impl FnOnce(&mut Command)) -> io::Result<Child> {
        let mut command = self.account.command("/bin/sh");
        command
            .args(["-c", LAUNCHER, "ward-policy-launcher"])
            .arg(self.server.programs.join(program));
        arguments(&mut command);
        command.current_dir(&self.data);
        command
            .stdin(lock)
            .stdout(self.watcher.pipe()?)
            .stderr(self.log.try_clone()?)
            .spawn()
    }

    /// The server's end, if it has come since this was last asked.
    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.postmaster.as_mut()?.0.try_wait().ok()??;
        self.postmaster = None;
        self.watcher.forget();
        Some(status)
    }

    /// What the server says of itself, as `pg_ctl` reads it: asking by connecting would fill its log with refusals.
    fn is_ready(&self) -> bool {
        self.recorded(7).is_some_and(|status| status.trim() == "ready")
    }

    fn recorded(&self, line: usize) -> Option<String> {
        let record = fs::read_to_string(self.path().join("postmaster.pid")).ok()?;
        record.lines().nth(line).map(str::to_owned)
    }

    fn failed(&self, what: &'static str) -> EmbeddedError {
        let log = fs::read(self.data.join("server.log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let skipped = log.lines().count().saturating_sub(QUOTED_LINES);
        EmbeddedError::Failed {
            what,
            log: log.lines().skip(skipped).collect::<Vec<_>>().join("\n"),
        }
    }

    fn bound_log(&self) {
        if self.log.metadata().is_ok_and(|log| log.len() > LONGEST_LOG) && self.log.set_len(0).is_ok() {
            log::warn!("the embedded PostgreSQL's log was full and has been emptied");
        }
    }
}

impl Drop for Cluster {
    /// Stops the server, patiently at first; the watcher follows when the fields are dropped.
    fn drop(&mut self) {
        for ending in [self.kind.signal(), Signal::SIGQUIT, Signal::SIGKILL] {
            let Some((postmaster, _)) = &self.postmaster else { break };
            signal(postmaster.id(), ending);
            // An attempt of this never fails, and a deadline missed leads to the next signal.
            let _ = wait_for(|| Ok(self.ended()));
        }
        // Empty now; it may be in a place where other things live.
        let _ = fs::remove_dir(&self.socket);
    }
}

/// Settings of every embedded server, whatever its configuration file says.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "cluster_name=ward_policy",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "shared_buffers=64MB",
    "logging_collector=off",
    "log_destination=stderr",
    // Refused statements are the service's to report; here they would let any caller fill the disk.
    "log_min_messages=log",
    "log_checkpoints=off",
];

/// Starts the server again when it ends, until asked to stop it.
fn supervise(mut cluster: Cluster, stop: &Receiver<()>) {
    let mut pause = WATCH;
    while stop.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        cluster.bound_log();
        let failing = cluster
            .postmaster
            .as_ref()
            .is_none_or(|(_, started)| started.elapsed() < WELL);
        let longer = if failing { (pause * 2).min(LONGEST_PAUSE) } else { WATCH };
        if let Some(status) = cluster.ended() {
            log::warn!("the embedded PostgreSQL ended ({status}); starting it again");
            pause = longer;
        } else if cluster.postmaster.is_none() {
            // Processes that outlive the postmaster notice soon, and must be gone before the next one starts.
            let launched = match cluster.server_lock() {
                Ok(Some(lock)) => cluster.launch(lock),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = launched {
                log::warn!("the embedded PostgreSQL does not start: {error}");
                pause = longer;
            }
        }
    }
}

/// Connects to our database, which is made when it is missing.
fn open_database(socket: &Path) -> Result<(), EmbeddedError> {
    let connect = |database| {
        PgConnection::establish(&url(socket, database)).map_err(|error| EmbeddedError::Database(error.to_string()))
    };
    if connect(NAME).is_err() {
        connect("postgres")?
            .batch_execute(&format!("create database {NAME}"))
            .map_err(|error| EmbeddedError::Database(error.to_string()))?;
    }
    Ok(())
}

fn url(socket: &Path, database: &str) -> String {
    let (database, host) = (
        percent_encoded(database.as_bytes()),
        percent_encoded(socket.as_os_str().as_bytes()),
    );
    format!("postgresql://{NAME}@/{database}?host={host}&port={PORT}")
}

fn percent_encoded(bytes: &[u8]) -> String {
    let encoded = |byte: &u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    bytes.iter().map(encoded).collect()
}

/// Beside the data, or where a path too long for a socket's address is not so long.
fn socket_directory(data: &Path) -> PathBuf {
    let beside = data.join("socket");
    let longest = LONGEST_SOCKET_PATH - format!("/.s.PGSQL.{PORT}").len();
    if beside.to_str().is_some_and(|path| path.len() <= longest) {
        return beside;
    }
    let mut hash = DefaultHasher::new();
    data.hash(&mut hash);
    env::temp_dir().join(format!("ward-policy-{:016x}", hash.finish()))
}

/// Tries until there is an answer or an error, or patience ends.
fn wait_for<T>(mut attempt: impl FnMut() -> Result<Option<T>, EmbeddedError>) -> Result<Option<T>, EmbeddedError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = attempt()?;
        if answer.is_some() || Instant::now() > deadline {
            return Ok(answer);
        }
        thread::sleep(TICK);
    }
}

/// Signals one process; that it has ended meanwhile is no error.
fn signal(pid: u32, signal: Signal) {
    // Zero and negative numbers mean groups of processes.
    if let Ok(pid @ 1..) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
