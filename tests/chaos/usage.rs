//! What a process uses: memory, descriptors, temporary files.

use std::{fs, path::Path};

use nix::unistd::Pid;

use crate::Outcome;

/// What it uses at a moment, or the most of several moments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Resident memory, in bytes.
    pub(crate) memory: u64,
    /// Open descriptors.
    pub(crate) descriptors: u64,
    /// Bytes of open files in its temporary directory.
    pub(crate) temporary: u64,
}

impl Usage {
    pub(crate) fn of(pid: Pid, temporary: &Path) -> Outcome<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes: u64 = resident
            .and_then(|rest| rest.split_whitespace().next())
            .ok_or("no VmRSS")?
            .parse()?;
        let mut usage = Self {
            memory: kilobytes << 10,
            ..Self::default()
        };
        for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
            // It may be closed by now.
            let Ok(entry) = entry else { continue };
            usage.descriptors += 1;
            let is_temporary = fs::read_link(entry.path()).is_ok_and(|to| to.starts_with(temporary));
            if is_temporary && let Ok(file) = fs::metadata(entry.path()) {
                usage.temporary += file.len();
            }
        }
        Ok(usage)
    }

    /// The most of each.
    pub(crate) fn most(self, other: Self) -> Self {
        Self {
            memory: self.memory.max(other.memory),
            descriptors: self.descriptors.max(other.descriptors),
            temporary: self.temporary.max(other.temporary),
        }
    }
}

/// Bytes in whole MB.
pub(crate) fn megabytes(bytes: u64) -> u64 {
    bytes >> 20
}
