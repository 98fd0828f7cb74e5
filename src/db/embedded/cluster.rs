//! The files of a server: where they are, who may use them, and the settings written in them.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{EmbeddedError, NAME, PORT, account::Account, io_error};

/// Longest path of a socket: its address holds 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET_PATH: usize = 103;
/// Size in bytes beyond which the server's log is emptied.
const LONGEST_LOG: u64 = 1 << 20;
/// How many lines of the log an error quotes.
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
    // The service reports refused statements. In this log they would let any caller fill the disk.
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

/// A directory of ours that holds a server's files.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) kind: Kind,
    pub(super) socket: PathBuf,
}

impl Cluster {
    /// The cluster in a directory given by its absolute path; nothing is touched yet.
    pub(super) fn at(data: PathBuf, kind: Kind) -> Self {
        let socket = socket_directory(&data);
        Self { data, kind, socket }
    }

    /// The files that PostgreSQL calls its data directory.
    pub(super) fn files(&self) -> PathBuf {
        self.data.join("cluster")
    }

    /// Where new files are made; they are moved to their place when they are whole.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.data.join("cluster.new")
    }

    /// The version of PostgreSQL that wrote the files, if there are any.
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
            // Others may pass through the directory, since the account that runs PostgreSQL for root must.
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

    /// The lock that every process of the server inherits and holds to its end: getting it means that none is left.
    ///
    /// PostgreSQL's own `postmaster.pid` cannot tell a server from another process that has got its number since.
    pub(super) fn server_lock(&self) -> Result<Option<File>, EmbeddedError> {
        lock_file(&self.data.join("server.lock"))
    }

    /// The arguments of `initdb`.
    pub(super) fn initdb_arguments(&self, locale: &str) -> Vec<String> {
        let mut arguments = vec![
            "--username".to_owned(),
            NAME.to_owned(),
            format!("--locale={locale}"),
            "--encoding=UTF8".to_owned(),
            // Each start writes anew who may connect.
            "--auth-local=peer".to_owned(),
            "--auth-host=reject".to_owned(),
            "--no-instructions".to_owned(),
        ];
        if self.kind == Kind::Temporary {
            arguments.push("--no-sync".to_owned());
        }
        arguments
    }

    /// Hands the files to their next owner, unless they hold links or are in use. Returns whose they are then.
    pub(super) fn hand_over(&self, account: Account) -> Result<Account, EmbeddedError> {
        let (files, Some(heir)) = (self.files(), account.successor(self.kind == Kind::Durable)) else {
            return Ok(account);
        };
        let lock = self.server_lock()?;
        // Files that do not exist yet will be made by their right owner.
        if lock.is_none() || !files.exists() || !has_no_links(&files).map_err(io_error(&files))? {
            return Ok(account);
        }
        // The files come last: their owner tells whether all is done.
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

    /// Writes who may connect: those in `pg_ident.conf`, by what the system says of them (peer), as our role. The
    /// server's account, if it is not ours, can read these rules but not change them.
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

    /// `pg_hba.conf`: who may connect as whom.
    fn rules(&self) -> PathBuf {
        self.data.join("pg_hba.conf")
    }

    /// `pg_ident.conf`: which users of the system may be our role.
    fn names(&self) -> PathBuf {
        self.data.join("pg_ident.conf")
    }

    /// Moves the new files to their place, so that they are whole or absent.
    pub(super) fn finish(&self) -> Result<(), EmbeddedError> {
        let unfinished = self.unfinished();
        fs::rename(&unfinished, self.files()).map_err(io_error(&unfinished))?;
        self.sync()
    }

    /// Where an upgrade makes the files of another version, while these files are not served.
    pub(super) fn successor(&self) -> Self {
        Self::at(self.data.join("upgrade"), self.kind)
    }

    /// Where the old files are kept after an upgrade.
    pub(super) fn predecessor(&self, major: u32) -> PathBuf {
        self.data.join(format!("cluster-{major}"))
    }

    /// Puts a successor's whole files in the place of these, which are kept. [`Self::settle`] finishes a change that
    /// was cut short.
    pub(super) fn give_way(&self, successor: &Self, major: u32) -> Result<(), EmbeddedError> {
        let waiting = self.waiting();
        fs::rename(successor.files(), &waiting).map_err(io_error(&waiting))?;
        self.sync()?;
        let kept = self.predecessor(major);
        fs::rename(self.files(), &kept).map_err(io_error(&kept))?;
        self.sync()?;
        self.settle()
    }

    /// Moves files that wait for their place there, if the place is empty.
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

    /// The settings given to the server, each to follow a `-c`.
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

    /// A line of `postmaster.pid`, in which a running server describes itself: 0 is its process id, 7 its state.
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

    /// Whether the server is ready, found out as `pg_ctl` does: asking by connecting would fill the log with refusals.
    pub(super) fn is_ready(&self) -> bool {
        self.recorded(7).is_some_and(|state| state.trim() == "ready")
    }

    /// Removes the `postmaster.pid` of a server that is known not to run.
    ///
    /// The process id in it may be another process's by now, which would keep PostgreSQL from starting.
    pub(super) fn forget_postmaster(&self) -> Result<(), EmbeddedError> {
        let record = self.record();
        match fs::remove_file(&record) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&record)(error)),
            _ => Ok(()),
        }
    }

    /// Opens the server's log, emptied.
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

    /// The error for what happened, with the end of the log.
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

/// Takes the lock on a file, which is made if need be; `None` if somebody else holds the lock.
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

/// Whether all in a directory is really in it: no symbolic links.
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

/// The socket's directory: beside the data or, if its path gets too long for a socket, in the temporary directory.
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
