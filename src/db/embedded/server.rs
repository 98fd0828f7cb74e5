//! The server's process: started, watched, started again, stopped.

use std::{
    fs::{self, File},
    io,
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    EmbeddedError,
    account::Account,
    cluster::{self, Cluster, Kind},
    install::Installation,
    io_error,
    watcher::Watcher,
};

/// How long a start, a stop or a predecessor may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often an awaited event is checked.
const TICK: Duration = Duration::from_millis(10);
/// How often the supervisor checks the server; also its first pause before a restart.
const WATCH: Duration = Duration::from_millis(100);
/// The longest pause between two attempts to start the server again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that ran this long was healthy: its end is news, not one more failure in a row.
const WELL: Duration = Duration::from_secs(10);

/// Tells the watcher its process id, then becomes the program it is given, which runs under that id.
///
/// The launcher's standard output is the pipe to the watcher; the program does not inherit it.
const LAUNCHER: &str = r#"trap '' PIPE; echo $$; exec "$@" >&2"#;

impl Kind {
    /// The signal that ends the server: a fast shutdown, or an immediate one if nothing is kept.
    pub(super) fn signal(self) -> Signal {
        match self {
            Self::Durable => Signal::SIGINT,
            Self::Temporary => Signal::SIGQUIT,
        }
    }
}

/// A server, running or not, on its files.
#[derive(Debug)]
pub(super) struct Server {
    cluster: Cluster,
    installation: Installation,
    account: Account,
    log: File,
    /// The process, and when it was started.
    postmaster: Option<(Child, Instant)>,
    watcher: Watcher,
}

impl Server {
    /// A server that does not run yet.
    pub(super) fn new(cluster: Cluster, installation: Installation, account: Account) -> Result<Self, EmbeddedError> {
        // The watcher comes first, so that nothing is left behind. It also shows whether the account gets to the data.
        let watcher = Watcher::start(&cluster, &account)?;
        account.private_directory(&cluster.socket)?;
        cluster.admit(&account)?;
        Ok(Self {
            log: cluster.open_log()?,
            cluster,
            installation,
            account,
            postmaster: None,
            watcher,
        })
    }

    /// Starts the server and waits until it accepts connections.
    pub(super) fn start(&mut self) -> Result<(), EmbeddedError> {
        let lock = wait_for(|| {
            let lock = self.cluster.server_lock()?;
            // A server that still runs although its service is gone (we hold the service's lock) is asked to end.
            if let (None, Some(predecessor)) = (&lock, self.cluster.postmaster()) {
                signal(predecessor, Signal::SIGINT);
            }
            Ok(lock)
        })?
        .ok_or_else(|| EmbeddedError::Predecessor {
            path: self.cluster.data.clone(),
        })?;
        if !self.cluster.files().exists() {
            self.create(&lock)?;
        }
        self.launch(lock)?;
        wait_for(|| match self.ended() {
            Some(_) => Err(self.cluster.failed("PostgreSQL ended while it started")),
            None => Ok(self.cluster.is_ready().then_some(())),
        })?
        .ok_or_else(|| self.cluster.failed("PostgreSQL accepts no connections"))
    }

    /// Makes the files of a new cluster.
    fn create(&mut self, lock: &File) -> Result<(), EmbeddedError> {
        let unfinished = self.cluster.unfinished();
        for locale in ["C.UTF-8", "C"] {
            if unfinished.exists() {
                fs::remove_dir_all(&unfinished).map_err(io_error(&unfinished))?;
            }
            self.account.private_directory(&unfinished)?;
            let status = lock
                .try_clone()
                .and_then(|lock| {
                    self.spawn("initdb", lock, |initdb| {
                        initdb
                            .arg("--pgdata")
                            .arg(&unfinished)
                            .args(self.cluster.initdb_arguments(locale));
                    })
                })
                .and_then(|mut initdb| initdb.wait())
                .map_err(io_error(&unfinished))?;
            self.watcher.forget();
            if status.success() {
                return self.cluster.finish();
            }
        }
        Err(self.cluster.failed("PostgreSQL could not make its files"))
    }

    /// Starts the server, which is not ready yet.
    fn launch(&mut self, lock: File) -> Result<(), EmbeddedError> {
        self.cluster.forget_postmaster()?;
        let postmaster = self.spawn("postgres", lock, |postgres| {
            postgres.arg("-D").arg(self.cluster.files());
            for setting in self.cluster.settings() {
                postgres.arg("-c").arg(setting);
            }
        });
        self.postmaster = Some((postmaster.map_err(io_error(&self.cluster.data))?, Instant::now()));
        Ok(())
    }

    fn spawn(&self, program: &str, lock: File, arguments: impl FnOnce(&mut Command)) -> io::Result<Child> {
        let mut command = self.account.command("/bin/sh");
        command
            .args(["-c", LAUNCHER, "ward-policy-launcher"])
            .arg(self.installation.programs.join(program));
        arguments(&mut command);
        command
            .current_dir(&self.cluster.data)
            .stdin(lock)
            .stdout(self.watcher.pipe()?)
            .stderr(self.log.try_clone()?)
            .spawn()
    }

    /// How the server ended, if it has since the last call.
    fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.postmaster.as_mut()?.0.try_wait().ok()??;
        self.postmaster = None;
        self.watcher.forget();
        Some(status)
    }

    /// Restarts the server whenever it ends, until asked to stop it.
    pub(super) fn supervise(mut self, stop: &Receiver<()>) {
        let mut pause = WATCH;
        while stop.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            cluster::bound(&self.log);
            let failing = self
                .postmaster
                .as_ref()
                .is_none_or(|(_, started)| started.elapsed() < WELL);
            let longer = if failing { (pause * 2).min(LONGEST_PAUSE) } else { WATCH };
            if let Some(status) = self.ended() {
                log::warn!("the embedded PostgreSQL ended ({status}); starting it again");
                pause = longer;
            } else if self.postmaster.is_none() {
                // Processes that outlive the postmaster notice soon, and must be gone before the next one starts.
                let launched = match self.cluster.server_lock() {
                    Ok(Some(lock)) => self.launch(lock),
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
}

impl Drop for Server {
    /// Stops the server, patiently at first; the watcher follows when the fields are dropped.
    fn drop(&mut self) {
        for ending in [self.cluster.kind.signal(), Signal::SIGQUIT, Signal::SIGKILL] {
            let Some((postmaster, _)) = &self.postmaster else { break };
            signal(postmaster.id(), ending);
            // The attempt never fails, and a missed deadline leads to the next signal.
            let _ = wait_for(|| Ok(self.ended()));
        }
        // Only an empty directory is removed: the socket may be in a place where other things live.
        let _ = fs::remove_dir(&self.cluster.socket);
    }
}

/// Tries until there is a result or an error, or patience ends.
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

/// Signals one process; a process that has ended meanwhile is no error.
fn signal(pid: u32, signal: Signal) {
    // Zero and negative numbers mean groups of processes.
    if let Ok(pid @ 1..) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), signal);
    }
}
