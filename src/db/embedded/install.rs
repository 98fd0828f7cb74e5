//! Finding an installed PostgreSQL server.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{EmbeddedError, cluster::Cluster};
use crate::db::OLDEST_POSTGRESQL;

/// An installed PostgreSQL server.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) programs: PathBuf,
    pub(super) major: u32,
}

impl Installation {
    /// The installation that can read these files; for new files, the first one found.
    pub(super) fn reading(cluster: &Cluster) -> Result<Self, EmbeddedError> {
        let Some(major) = cluster.version()? else {
            return Self::all().next().ok_or(EmbeddedError::NotInstalled);
        };
        Self::all()
            .find(|found| found.major == major)
            .ok_or_else(|| EmbeddedError::OtherVersion {
                path: cluster.data.clone(),
                major,
                found: Self::newest().map(|newest| newest.major),
            })
    }

    /// The newest installation.
    pub(super) fn newest() -> Option<Self> {
        Self::all().max_by_key(|found| found.major)
    }

    /// The installations that the service can work with, in the order in which they are looked for.
    fn all() -> impl Iterator<Item = Self> {
        program_directories()
            .filter_map(Self::at)
            .filter(|found| found.major >= OLDEST_POSTGRESQL)
    }

    /// The installation in this directory. Only the programs prove one: client headers come with `pg_config` too.
    fn at(programs: PathBuf) -> Option<Self> {
        if !programs.is_absolute() || !programs.join("initdb").is_file() {
            return None;
        }
        let major = major_of(&programs.join("postgres"))?;
        Some(Self { programs, major })
    }
}

/// The major version of a PostgreSQL program.
fn major_of(program: &Path) -> Option<u32> {
    let version = stdout_of(Command::new(program).arg("--version"))?;
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// A PostgreSQL program of this version, or else of the nearest newer one.
pub(super) fn client(name: &str, major: u32) -> Option<PathBuf> {
    program_directories()
        .map(|programs| programs.join(name))
        .filter(|program| program.is_file())
        .filter_map(|program| Some((major_of(&program)?, program)))
        .filter(|(found, _)| *found >= major)
        .min_by_key(|(found, _)| *found)
        .map(|(_, program)| program)
}

/// The directories in which programs are looked for. `PATH` comes first: it is the operator's choice.
fn program_directories() -> impl Iterator<Item = PathBuf> {
    let in_path = env::var_os("PATH");
    let in_path: Vec<PathBuf> = in_path.iter().flat_map(env::split_paths).collect();
    in_path
        .into_iter()
        .chain(
            std::iter::once_with(|| stdout_of(Command::new("pg_config").arg("--bindir")))
                .flatten()
                .map(PathBuf::from),
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
