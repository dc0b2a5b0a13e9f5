//! The write-ahead log of SQLite, flushed here and not by SQLite.
//!
//! SQLite would flush each commit while it holds the write lock, with the times of the file, which costs a file system a
//! second write. With `synchronous = NORMAL` it keeps the order that makes a database survive a loss of power, and leaves
//! to us to wait until a commit has arrived: after the lock was given back, and for content and size alone.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::beside;
use crate::error::{Error, ErrorKind, Result};
use crate::store::sync;

/// The log of one database. It stays the same file as long as anybody has the database open.
pub(super) struct Log {
    file: File,
    path: PathBuf,
}

impl Log {
    /// Returns the log beside a database, with its name on the device; nothing when there is none.
    ///
    /// `id` is the device and inode of the database: all who have it open in this process share its log.
    pub(super) fn beside(database: &Path, id: (u64, u64)) -> Result<Option<Arc<Self>>> {
        let open = || {
            let path = beside(database, "-wal");
            // Windows flushes only what may be written.
            let file = match File::options().write(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                opened => opened.map_err(|error| Error::io(&path, error))?,
            };
            sync::file_and_name(&file, &path)?;
            Ok(Some(Arc::new(Log { file, path })))
        };
        shared::log(id, open)
    }

    /// Waits until all commits up to now are on the device.
    pub(super) fn flush(&self) -> Result<()> {
        sync::file(&self.file, &self.path)
    }

    /// Returns true when nobody else will ever read what is written to the log.
    ///
    /// SQLite's locks prevent that, but a program can lose them: on Unix it is enough that it opens and closes the
    /// database as a plain file, to copy it for example. Whoever closes the database next then removes the log.
    pub(super) fn removed(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
        }
        #[cfg(not(unix))]
        false
    }

    /// Returns true when this process has a database open whose log was removed: SQLite would let those who open it
    /// now take part in what is lost.
    pub(super) fn is_removed(id: (u64, u64)) -> bool {
        shared::known(id).is_some_and(|log| log.removed())
    }
}

/// Returns the error for a database whose log was removed.
pub(super) fn removed(database: &Path) -> Error {
    Error::new(
        ErrorKind::Io,
        format!(
            "Another program removed the log of {} while it was open here: start this program again, and look \
             whether what it saved last is there",
            database.display()
        ),
    )
}

/// The logs of this process, by the device and inode of their database.
#[cfg(unix)]
mod shared {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, MutexGuard, Weak};

    use super::Log;
    use crate::error::Result;

    type Logs = BTreeMap<(u64, u64), Weak<Log>>;

    static LOGS: Mutex<Logs> = Mutex::new(BTreeMap::new());

    fn logs() -> MutexGuard<'static, Logs> {
        crate::threads::entered(LOGS.lock())
    }

    pub(super) fn known(id: (u64, u64)) -> Option<Arc<Log>> {
        logs().get(&id).and_then(Weak::upgrade)
    }

    pub(super) fn log(
        id: (u64, u64),
        open: impl FnOnce() -> Result<Option<Arc<Log>>>,
    ) -> Result<Option<Arc<Log>>> {
        let mut logs = logs();
        if let Some(known) = logs.get(&id).and_then(Weak::upgrade) {
            return Ok(Some(known));
        }
        let opened = open()?;
        if let Some(log) = &opened {
            logs.retain(|_, log| log.strong_count() > 0);
            logs.insert(id, Arc::downgrade(log));
        }
        Ok(opened)
    }
}

/// Elsewhere a file that is open is not removed.
#[cfg(not(unix))]
mod shared {
    use std::sync::Arc;

    use super::Log;
    use crate::error::Result;

    pub(super) fn known(_id: (u64, u64)) -> Option<Arc<Log>> {
        None
    }

    pub(super) fn log(
        _id: (u64, u64),
        open: impl FnOnce() -> Result<Option<Arc<Log>>>,
    ) -> Result<Option<Arc<Log>>> {
        open()
    }
}
