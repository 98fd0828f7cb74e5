//! The account PostgreSQL runs as, and the files that belong to it alone.

use std::{
    ffi::OsStr,
    fmt,
    fs::{self, DirBuilder},
    io,
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, chown, lchown},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

use nix::unistd::{Uid, User, getegid, geteuid};

use super::{EmbeddedError, io_error};

/// The account that PostgreSQL has to itself, if root starts it.
const OWN: &str = "ward-policy";
/// Stand-ins: accounts to run as if there is no own account and none can be made. Others may run as them too.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];
/// How a system account is made: by the tools of most systems, or by busybox.
const MAKERS: [&[&str]; 2] = [
    &[
        "useradd",
        "--system",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/usr/sbin/nologin",
        OWN,
    ],
    &[
        "adduser",
        "-S",
        "-D",
        "-H",
        "-h",
        "/nonexistent",
        "-s",
        "/sbin/nologin",
        OWN,
    ],
];

/// The account the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// Ourselves; or for root, which PostgreSQL refuses, the owner of the files, who was chosen at their first start.
    pub(super) fn owning(files: &Path, are_kept: bool) -> Result<Self, EmbeddedError> {
        let owner = match fs::metadata(files) {
            Ok(metadata) => Some(Self {
                uid: metadata.uid(),
                gid: metadata.gid(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io_error(files)(error)),
        };
        let (me, group) = (geteuid(), getegid());
        match owner {
            None if me.is_root() => Self::own(are_kept)
                .or_else(|| STAND_INS.into_iter().find_map(Self::named))
                .ok_or(EmbeddedError::NoAccount),
            None => Ok(Self {
                uid: me.as_raw(),
                gid: group.as_raw(),
            }),
            // Root runs the server as another account; anybody else runs it as their own.
            Some(owner) if me.is_root() != (owner.uid == me.as_raw()) => Ok(owner),
            Some(_) => Err(EmbeddedError::NotOurs { path: files.to_owned() }),
        }
    }

    /// PostgreSQL's own account. For files that are kept it is made if possible.
    fn own(are_kept: bool) -> Option<Self> {
        let made = || {
            let made = MAKERS.into_iter().any(run);
            match Self::named(OWN) {
                Some(own) if made => {
                    log::info!("PostgreSQL runs as the system account {OWN}, which was made for it");
                    Some(own)
                }
                // Somebody else made the account at the same moment.
                Some(own) => Some(own),
                None => {
                    log::warn!(
                        "PostgreSQL runs as an account that others may use: make a system account {OWN}, then start again"
                    );
                    None
                }
            }
        };
        Self::named(OWN).or_else(|| if are_kept { made() } else { None })
    }

    fn named(name: &str) -> Option<Self> {
        let user = User::from_name(name).ok().flatten()?;
        Some(Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        })
    }

    /// Whether others may run as this account too.
    fn is_stand_in(&self) -> bool {
        STAND_INS
            .into_iter()
            .filter_map(Self::named)
            .any(|it| it.uid == self.uid)
    }

    /// The account to hand the files to, if another one: for root, PostgreSQL's own account instead of a stand-in.
    pub(super) fn successor(&self, are_kept: bool) -> Option<Self> {
        if geteuid().is_root() && self.is_stand_in() {
            Self::own(are_kept)
        } else {
            None
        }
    }

    /// The users who may connect: root, we ourselves, and this account, unless it is a stand-in.
    pub(super) fn admitted(&self) -> Vec<String> {
        let ours = (!self.is_stand_in()).then(|| Uid::from_raw(self.uid));
        let uids = [Some(Uid::from_raw(0)), Some(geteuid()), ours];
        let users = uids
            .into_iter()
            .flatten()
            .filter_map(|uid| User::from_uid(uid).ok().flatten());
        let mut names: Vec<String> = users.map(|user| user.name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Makes this account the owner of a directory and all in it; the directory itself comes last.
    pub(super) fn take(&self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                self.take(&entry.path())?;
            } else {
                lchown(entry.path(), Some(self.uid), Some(self.gid))?;
            }
        }
        lchown(directory, Some(self.uid), Some(self.gid))
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

    /// Makes a directory that only this account may enter, or checks that an existing one is private.
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

/// Whether a command exists and succeeded.
fn run(command: &[&str]) -> bool {
    let Some((program, arguments)) = command.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match User::from_uid(Uid::from_raw(self.uid)) {
            Ok(Some(user)) => f.write_str(&user.name),
            _ => write!(f, "{}", self.uid),
        }
    }
}
