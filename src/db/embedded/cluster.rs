//! The files of a server: where they are, who may use them, what is written in them.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{EmbeddedError, NAME, PORT, account::Account, io_error};

/// What fits into a socket's address: 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;
/// The server's log is emptied when it outgrows this.
const LONGEST_LOG: u64 = 1 << 20;
/// The lines of the log an error quotes.
const QUOTED_LINES: usize = 12;

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

/// Whether the files are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
}

/// A directory of ours, and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) kind: Kind,
    pub(super) socket: PathBuf,
}

impl Cluster {
    /// That in a directory given by its absolute path; nothing is touched yet.
    pub(super) fn at(data: PathBuf, kind: Kind) -> Self {
        let socket = socket_directory(&data);
        Self { data, kind, socket }
    }

    /// What PostgreSQL calls its data directory.
    pub(super) fn files(&self) -> PathBuf {
        self.data.join("cluster")
    }

    /// Where the files are made, to be moved to their place when they are whole.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.data.join("cluster.new")
    }

    /// The version of PostgreSQL the files belong to, if there are any.
    pub(super) fn version(&self) -> Result<Option<u32>, EmbeddedError> {
        let path = self.files().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(major) => match major.trim().parse() {
                Ok(major) => Ok(Some(major)),
                Err(error) => Err(io_error(&path)(io::Error::new(io::ErrorKind::InvalidData, error))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(&path)(error)),
        }
    }

    /// Makes the directory if need be, and takes the lock that keeps other services out of it.
    pub(super) fn claim(&self, account: &Account) -> Result<File, EmbeddedError> {
        match self.kind {
            Kind::Durable if self.data.is_dir() => {}
            // Others may pass through it, as the account must that runs PostgreSQL for root.
            Kind::Durable => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o755)
                    .create(&self.data)
                    .map_err(io_error(&self.data))?;
            }
            Kind::Temporary => account.private_directory(&self.data)?,
        }
        lock_file(&self.data.join("service.lock"))?.ok_or_else(|| EmbeddedError::InUse {
            path: self.data.clone(),
        })
    }

    /// The lock every process of the server inherits, and holds to its end: having it means that none is left.
    ///
    /// PostgreSQL's own `postmaster.pid` cannot tell a server from another process that got its number since.
    pub(super) fn server_lock(&self) -> Result<Option<File>, EmbeddedError> {
        lock_file(&self.data.join("server.lock"))
    }

    /// What `initdb` is told.
    pub(super) fn initdb_arguments(&self, locale: &str) -> Vec<String> {
        let mut arguments = vec![
            "--username".to_owned(),
            NAME.to_owned(),
            format!("--locale={locale}"),
            "--encoding=UTF8".to_owned(),
            // Who may connect is said at each start.
            "--auth-local=peer".to_owned(),
            "--auth-host=reject".to_owned(),
            "--no-instructions".to_owned(),
        ];
        if self.kind == Kind::Temporary {
            arguments.push("--no-sync".to_owned());
        }
        arguments
    }

    /// Gives the files to the account that is to have them, unless something of them is elsewhere or in use: whose they are then.
    pub(super) fn hand_over(&self, account: Account) -> Result<Account, EmbeddedError> {
        let (files, Some(heir)) = (self.files(), account.successor(self.kind == Kind::Durable)) else {
            return Ok(account);
        };
        let lock = self.server_lock()?;
        // Files that are made now are whose they are to be.
        if lock.is_none() || !files.exists() || !has_no_links(&files).map_err(io_error(&files))? {
            return Ok(account);
        }
        // The files last: by their owner it is known whether all is done.
        for directory in [&self.socket, &files] {
            if directory.exists() {
                heir.take(directory).map_err(io_error(directory))?;
            }
        }
        log::info!(
            "the data in {} is the account {heir}'s now, which was {account}'s",
            files.display()
        );
        Ok(heir)
    }

    /// Says who may connect: by what the system says of who calls, and as our role. The server's account reads that and cannot change it,
    /// if it is not ours.
    pub(super) fn admit(&self, account: &Account) -> Result<(), EmbeddedError> {
        let names = account.admitted();
        let names = names
            .iter()
            .map(|name| format!("{NAME} \"{}\" {NAME}\n", name.replace('"', "\"\"")));
        let rules = format!("local all {NAME} peer map={NAME}\nlocal replication {NAME} peer map={NAME}\n");
        for (path, words) in [(self.rules(), rules), (self.names(), names.collect())] {
            let write = || {
                let new = path.with_extension("new");
                fs::write(&new, words)?;
                fs::set_permissions(&new, Permissions::from_mode(0o644))?;
                fs::rename(&new, &path)
            };
            write().map_err(io_error(&path))?;
        }
        Ok(())
    }

    /// Who may connect as whom, as `pg_hba.conf` says it.
    fn rules(&self) -> PathBuf {
        self.data.join("pg_hba.conf")
    }

    /// Who is who, as `pg_ident.conf` says it.
    fn names(&self) -> PathBuf {
        self.data.join("pg_ident.conf")
    }

    /// Moves the new files to their place, so that they are whole or absent.
    pub(super) fn finish(&self) -> Result<(), EmbeddedError> {
        let unfinished = self.unfinished();
        fs::rename(&unfinished, self.files()).map_err(io_error(&unfinished))?;
        self.sync()
    }

    /// Where the files of another version are made, while these are served no more.
    pub(super) fn successor(&self) -> Self {
        Self::at(self.data.join("upgrade"), self.kind)
    }

    /// Where the files are kept that a newer version has taken the place of.
    pub(super) fn predecessor(&self, major: u32) -> PathBuf {
        self.data.join(format!("cluster-{major}"))
    }

    /// Puts the files of a successor, which are whole, in the place of these, which are kept. [`Self::settle`] finishes what is cut
    /// short.
    pub(super) fn give_way(&self, successor: &Self, major: u32) -> Result<(), EmbeddedError> {
        let waiting = self.waiting();
        fs::rename(successor.files(), &waiting).map_err(io_error(&waiting))?;
        self.sync()?;
        let kept = self.predecessor(major);
        fs::rename(self.files(), &kept).map_err(io_error(&kept))?;
        self.sync()?;
        self.settle()
    }

    /// Lets files that wait for their place have it, if it is empty.
    pub(super) fn settle(&self) -> Result<(), EmbeddedError> {
        let waiting = self.waiting();
        if self.files().exists() || !waiting.exists() {
            return Ok(());
        }
        fs::rename(&waiting, self.files()).map_err(io_error(&waiting))?;
        self.sync()
    }

    /// Where the files of a newer version wait until the older ones are away.
    fn waiting(&self) -> PathBuf {
        self.data.join("cluster.upgraded")
    }

    /// Writes renames in the data directory to disk.
    fn sync(&self) -> Result<(), EmbeddedError> {
        File::open(&self.data)
            .and_then(|data| data.sync_all())
            .map_err(io_error(&self.data))
    }

    /// What the server is told, each to follow a `-c`.
    pub(super) fn settings(&self) -> impl Iterator<Item = String> {
        let socket = self.socket.display().to_string().replace('"', "\"\"");
        let ours = [
            format!("unix_socket_directories=\"{socket}\""),
            format!("port={PORT}"),
            format!("hba_file={}", self.rules().display()),
            format!("ident_file={}", self.names().display()),
        ];
        ours.into_iter()
            .chain(SETTINGS.iter().chain(self.kind.settings()).map(ToString::to_string))
    }

    /// A line of what the running server says of itself: 0 is its process id, 7 its state.
    fn recorded(&self, line: usize) -> Option<String> {
        let record = fs::read_to_string(self.record()).ok()?;
        record.lines().nth(line).map(str::to_owned)
    }

    fn record(&self) -> PathBuf {
        self.files().join("postmaster.pid")
    }

    /// The process id of the server that ran last, or still runs.
    pub(super) fn postmaster(&self) -> Option<u32> {
        self.recorded(0)?.parse().ok()
    }

    /// As `pg_ctl` finds out: asking by connecting would fill the log with refusals.
    pub(super) fn is_ready(&self) -> bool {
        self.recorded(7).is_some_and(|state| state.trim() == "ready")
    }

    /// Removes what a server says of itself that is known not to run.
    ///
    /// The process id in it may be another process's by now, which would keep PostgreSQL from starting.
    pub(super) fn forget_postmaster(&self) -> Result<(), EmbeddedError> {
        let record = self.record();
        match fs::remove_file(&record) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&record)(error)),
            _ => Ok(()),
        }
    }

    /// The server's log, empty.
    pub(super) fn open_log(&self) -> Result<File, EmbeddedError> {
        let path = self.log();
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .map_err(io_error(&path))?;
        log.set_len(0).map_err(io_error(&path))?;
        Ok(log)
    }

    fn log(&self) -> PathBuf {
        self.data.join("server.log")
    }

    /// What happened, and the end of the log.
    pub(super) fn failed(&self, what: &'static str) -> EmbeddedError {
        let log = fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let skipped = log.lines().count().saturating_sub(QUOTED_LINES);
        EmbeddedError::Failed {
            what,
            log: log.lines().skip(skipped).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// Empties a log that has grown too long.
pub(super) fn bound(log: &File) {
    if log.metadata().is_ok_and(|log| log.len() > LONGEST_LOG) && log.set_len(0).is_ok() {
        log::warn!("the embedded PostgreSQL's log was full and has been emptied");
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

/// Whether all in a directory is there itself.
fn has_no_links(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_symlink() || (kind.is_dir() && !has_no_links(&entry.path())?) {
            return Ok(false);
        }
    }
    Ok(true)
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
