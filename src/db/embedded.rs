//! A private PostgreSQL, for tests and for a machine without `DATABASE_URL`.

use std::{
    env,
    fs::{self, File},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};
use nix::sys::statvfs::statvfs;

use super::OLDEST_POSTGRESQL;
use account::Account;
use cluster::{Cluster, Kind};
use install::Installation;
use server::Server;

mod account;
mod cluster;
mod install;
mod server;
mod watcher;

/// The name of the only role, and of the database made at the first start.
const NAME: &str = "ward_policy";
/// Nothing listens on this port; it is part of the socket's file name.
const PORT: u16 = 5432;

/// Why there is no embedded PostgreSQL, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// There is no server on this machine, or only an old one.
    #[error(
        "PostgreSQL {OLDEST_POSTGRESQL} or newer is not installed here (the programs `postgres` and `initdb`). Install it with \
         `apt-get install postgresql` or `brew install postgresql@17`, or set DATABASE_URL to a database elsewhere"
    )]
    NotInstalled,
    /// The data can only be read by a version that is not installed here.
    #[error(
        "the data in {} is PostgreSQL {major}'s, whose programs are not installed here{}. Nothing was changed. Install them beside \
         (Debian: postgresql-{major}, of the release before or from apt.postgresql.org) and start again; `ward-policy upgrade` then \
         brings the data to the newest PostgreSQL installed. Or restore a backup into another directory (WARD_POLICY_DATA)",
        path.display(),
        found.map_or_else(String::new, |found| format!("; those of PostgreSQL {found} are, which cannot read it"))
    )]
    OtherVersion {
        /// The data directory.
        path: PathBuf,
        /// The version that wrote it.
        major: u32,
        /// The newest version installed here.
        found: Option<u32>,
    },
    /// There is no data to upgrade.
    #[error("there is no data in {} (WARD_POLICY_DATA)", path.display())]
    NoData {
        /// The data directory.
        path: PathBuf,
    },
    /// The files that an earlier upgrade kept are still there.
    #[error("{} is left from an earlier upgrade: move it away, then upgrade again", path.display())]
    Kept {
        /// The files that were kept.
        path: PathBuf,
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
    /// PostgreSQL processes that a killed service left behind do not end.
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
        /// The account PostgreSQL would run as.
        account: String,
    },
    /// There is no account to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root, and there is no account `ward-policy`, `postgres` or `nobody` to run it as"
    )]
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
    /// A PostgreSQL program failed.
    #[error("{what}. Its log ends with:\n{log}")]
    Failed {
        /// What happened.
        what: &'static str,
        /// The last lines of the server's log.
        log: String,
    },
    /// The server runs, but our database in it cannot be opened.
    #[error("the embedded database cannot be opened: {0}")]
    Database(String),
    /// The file system or the operating system refused an operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory concerned.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    move |source| EmbeddedError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The outcome of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// The data belongs to the newest installed version already.
    Newest {
        /// The newest installed version.
        major: u32,
    },
    /// The data was brought to another version.
    Done {
        /// The version of the data before.
        from: u32,
        /// The version of the data now.
        to: u32,
        /// Where the old files are kept.
        kept: PathBuf,
    },
}

/// The free bytes that the databases of one test run need.
const ROOM_IN_MEMORY: u64 = 2 << 30;

/// The mode of a directory in which everybody may have files.
const FOR_ALL: u32 = 0o1777;

/// The directory for temporary clusters in memory (Linux), if it has room; `None` if `TMPDIR` names another place.
fn place_in_memory() -> Option<PathBuf> {
    let place = PathBuf::from("/dev/shm");
    let room = statvfs(&place).ok()?;
    let free = room.blocks_available().saturating_mul(room.fragment_size());
    // For root, PostgreSQL runs as another account, which makes and removes its files there.
    let is_for_all = fs::metadata(&place).ok()?.mode() & FOR_ALL == FOR_ALL;
    (is_for_all && free >= ROOM_IN_MEMORY && env::var_os("TMPDIR").is_none()).then_some(place)
}

/// Removes a directory of ours and all in it, if it is there.
fn remove(directory: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(directory)(error)),
        _ => Ok(()),
    }
}

/// A PostgreSQL server of our own, which ends with this value or with this process, whichever is first.
///
/// Only root, we and, if root starts the server, its own account can connect. The server listens on a Unix socket in a
/// private directory, nowhere else, and asks the system who connects.
#[derive(Debug)]
pub struct Embedded {
    socket: PathBuf,
    service_lock: File,
    /// Dropping the sender asks the supervisor to stop the server.
    supervisor: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Embedded {
    /// Starts the server on the data in `data`, which is made at the first start.
    pub fn start(data: &Path) -> Result<Self, EmbeddedError> {
        Self::run(data, Kind::Durable)
    }

    /// Starts a fast and forgetful server on new files, which are removed when it ends.
    pub fn temporary() -> Result<Self, EmbeddedError> {
        let name = format!("ward-policy-{}", uuid::Uuid::now_v7().simple());
        Self::run(
            &place_in_memory().unwrap_or_else(env::temp_dir).join(name),
            Kind::Temporary,
        )
    }

    /// The address of a database in this server, for libpq; further parameters may be added with `&`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(&self.socket, database)
    }

    /// The address of our database on the data in `data`: in the server that another process runs there, or else in a
    /// server that is started, and returned with it.
    pub fn reach(data: &Path) -> Result<(String, Option<Self>), EmbeddedError> {
        match Self::start(data) {
            Ok(embedded) => Ok((embedded.url(NAME), Some(embedded))),
            Err(EmbeddedError::InUse { path }) => Ok((url(&Cluster::at(path, Kind::Durable).socket, NAME), None)),
            Err(e) => Err(e),
        }
    }

    /// Upgrades the data in `data` to the newest PostgreSQL installed here, if newer. `copy` copies everything from the
    /// old address to the new one, and may put files into the directory meanwhile. The old files are kept.
    pub fn upgrade<E: From<EmbeddedError>>(
        data: &Path,
        copy: impl FnOnce(&str, &str, &Path) -> Result<(), E>,
    ) -> Result<Upgrade, E> {
        let cluster = Cluster::at(std::path::absolute(data).map_err(io_error(data))?, Kind::Durable);
        cluster.settle()?;
        let Some(from) = cluster.version()? else {
            return Err(EmbeddedError::NoData { path: cluster.data }.into());
        };
        let (old, new) = (Installation::reading(&cluster)?, Installation::newest());
        let Some(new) = new.filter(|new| new.major > from) else {
            return Ok(Upgrade::Newest { major: from });
        };
        let (to, kept) = (new.major, cluster.predecessor(from));
        let account = Account::owning(&cluster.files(), cluster.kind == Kind::Durable)?;
        let lock = cluster.claim(&account)?;
        let account = cluster.hand_over(account)?;
        if kept.exists() {
            return Err(EmbeddedError::Kept { path: kept }.into());
        }
        let successor = cluster.successor();
        // The directory that an upgrade left when it was cut short is made anew.
        remove(&successor.data)?;
        account.private_directory(&successor.data)?;
        let run = || {
            let mut older = Server::new(cluster.clone(), old, account.clone())?;
            older.start()?;
            let mut newer = Server::new(successor.clone(), new, account)?;
            newer.start()?;
            open_database(&successor.socket)?;
            let (here, there) = (url(&cluster.socket, NAME), url(&successor.socket, NAME));
            copy(&here, &there, &successor.data)
        };
        let done = run();
        if done.is_ok() {
            cluster.give_way(&successor, from)?;
        }
        remove(&successor.data)?;
        drop(lock);
        done.map(|()| Upgrade::Done { from, to, kept })
    }

    /// Stops the server, as dropping does, and waits for its end.
    pub fn stop(self) {
        drop(self);
    }

    fn run(data: &Path, kind: Kind) -> Result<Self, EmbeddedError> {
        let cluster = Cluster::at(std::path::absolute(data).map_err(io_error(data))?, kind);
        cluster.settle()?;
        let account = Account::owning(&cluster.files(), cluster.kind == Kind::Durable)?;
        let installation = Installation::reading(&cluster)?;
        if let Some(newest) = Installation::newest().filter(|newest| newest.major > installation.major)
            && cluster.files().exists()
        {
            let (major, newest) = (installation.major, newest.major);
            log::info!(
                "the data is PostgreSQL {major}'s, and is served by it; `ward-policy upgrade` brings it to {newest}, which is here too"
            );
        }
        let service_lock = cluster.claim(&account)?;
        let account = cluster.hand_over(account)?;
        let socket = cluster.socket.clone();
        let mut server = Server::new(cluster, installation, account)?;
        server.start()?;
        open_database(&socket)?;
        let (stop, stopped) = channel();
        let supervisor = thread::Builder::new()
            .name("embedded-postgresql".to_owned())
            .spawn(move || server.supervise(&stopped))
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
        // Closing the file is not enough while another thread forks: the child shares the lock until its `exec`.
        if let Err(error) = self.service_lock.unlock() {
            log::warn!("the embedded PostgreSQL's directory stays locked: {error}");
        }
    }
}

/// A PostgreSQL program of this major version or a newer one, from wherever servers are looked for.
#[must_use]
pub fn client(name: &str, major: u32) -> Option<PathBuf> {
    install::client(name, major)
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
