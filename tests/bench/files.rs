//! Files of one run, gone with it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Outcome;

/// A folder that everybody may enter: PostgreSQL does not run as root.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file; gives where it is.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Outcome<PathBuf> {
        let path = self.path().join(name);
        fs::write(&path, text)?;
        Ok(path)
    }
}
