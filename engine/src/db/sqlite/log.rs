//! The write-ahead log of SQLite, flushed here and not by SQLite.
//!
//! SQLite would flush each commit while it holds the write lock, with the times of the file, which costs a file system a
//! second write. With `synchronous = NORMAL` it keeps the order that makes a database survive a loss of power, and leaves
//! to us to wait until a commit has arrived: after the lock was given back, and for content and size alone.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::file::beside;
use crate::error::{Error, Result};
use crate::store::sync;

/// The log of one database. It stays the same file as long as anybody has the database open.
pub(super) struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Returns the log beside a database that has been written to, with its name on the device.
    pub(super) fn beside(database: &Path) -> Result<Self> {
        let path = beside(database, "-wal");
        // Windows flushes only what may be written.
        let file = File::options().write(true).open(&path).map_err(|error| Error::io(&path, error))?;
        sync::file_and_name(&file, &path)?;
        Ok(Log { file, path })
    }

    /// Waits until all commits up to now are on the device.
    pub(super) fn flush(&self) -> Result<()> {
        sync::file(&self.file, &self.path)
    }
}
