//! The process that ends the server when the service cannot.

use std::{
    io::{self, PipeWriter, Write},
    path::Path,
    process::{Child, Stdio},
};

use nix::unistd::geteuid;

use super::{
    EmbeddedError,
    account::Account,
    cluster::{Cluster, Kind},
    io_error,
};

/// Ends the program that the launcher started last when the service is gone, however the service ended.
///
/// The watcher's standard input closes with the service. An empty line says that no program is left to end.
const WATCHER: &str = r#"
    trap '' HUP INT TERM
    while read -r line; do pid=$line; done
    [ -z "$pid" ] || kill -s "$1" "$pid"
    [ -z "$2" ] && exit
    tries=0
    until rm -rf "$2" || [ "$tries" -eq 100 ]; do tries=$((tries + 1)); sleep 0.1; done
"#;

/// The watcher process: it outlives us for a moment, to end the server if we could not.
#[derive(Debug)]
pub(super) struct Watcher {
    process: Child,
    pipe: Option<PipeWriter>,
}

impl Watcher {
    pub(super) fn start(cluster: &Cluster, account: &Account) -> Result<Self, EmbeddedError> {
        let data = cluster.data.as_path();
        let (reader, writer) = io::pipe().map_err(io_error(data))?;
        let process = account
            .command("/bin/sh")
            .args(["-c", WATCHER, "ward-policy-watcher"])
            .arg(cluster.kind.signal().as_str().trim_start_matches("SIG"))
            .arg(if cluster.kind == Kind::Temporary {
                data
            } else {
                Path::new("")
            })
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

    /// The end of the pipe on which a launcher writes the process id to end.
    pub(super) fn pipe(&self) -> io::Result<Stdio> {
        match &self.pipe {
            Some(pipe) => pipe.try_clone().map(Stdio::from),
            None => Ok(Stdio::null()),
        }
    }

    /// Notes that the server has ended: its process id may soon be another process's.
    pub(super) fn forget(&mut self) {
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
