//! The account PostgreSQL runs as, and what belongs to it alone.

use std::{
    ffi::OsStr,
    fmt,
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::{EmbeddedError, io_error};

/// Whom the server runs as.
#[derive(Debug, Clone)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves; or for root, whom PostgreSQL refuses, the owner of the cluster, who was chosen at its first start.
    pub(super) fn owning(cluster: &Path) -> Result<Self, EmbeddedError> {
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
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
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
    pub(super) fn private_directory(&self, path: &Path) -> Result<(), EmbeddedError> {
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
