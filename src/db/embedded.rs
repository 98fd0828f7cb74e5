//! A private PostgreSQL, for the machine that has no `DATABASE_URL` and for the tests.

use std::{
    env,
    fs::File,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

use diesel::{Connection, PgConnection, connection::SimpleConnection};

use crate::db::OLDEST_POSTGRESQL;
use account::Account;
use cluster::{Cluster, Kind};
use install::Installation;
use server::Server;

mod account;
mod cluster;
mod install;
mod server;
mod watcher;

/// The only role, and the database made at the first start.
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

    /// The address of our database on the data kept in `data`, in the server that another process runs there; or else in one
    /// that is started for it, and given too.
    pub fn reach(data: &Path) -> Result<(String, Option<Self>), EmbeddedError> {
        match Self::start(data) {
            Ok(embedded) => Ok((embedded.url(NAME), Some(embedded))),
            Err(EmbeddedError::InUse { path }) => Ok((url(&Cluster::at(path, Kind::Durable).socket, NAME), None)),
            Err(e) => Err(e),
        }
    }

    /// Stops the server, as dropping does, and waits for its end.
    pub fn stop(self) {
        drop(self);
    }

    fn run(data: &Path, kind: Kind) -> Result<Self, EmbeddedError> {
        let cluster = Cluster::at(std::path::absolute(data).map_err(io_error(data))?, kind);
        let account = Account::owning(&cluster.files())?;
        let installation = Installation::reading(&cluster)?;
        let service_lock = cluster.claim(&account)?;
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
        // Closing alone would not do while another thread forks: its child shares the lock until it has its program.
        if let Err(error) = self.service_lock.unlock() {
            log::warn!("the embedded PostgreSQL's directory stays locked: {error}");
        }
    }
}

/// A program of PostgreSQL's, of this major version or a newer one, wherever a server is looked for.
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
