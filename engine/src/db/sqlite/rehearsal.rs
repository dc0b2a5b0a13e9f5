//! Looking at a database whose last writer was killed in a transaction, without touching it.
//!
//! With a rollback journal, what such a writer has written stands in the file, and whoever opens it next undoes it. Until
//! it is known that the database is ours to open, that happens to a copy.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{OpenFlags, ffi};

use crate::error::{Error, Result};

/// A copy of a database and its journal, gone again when it is dropped.
pub(super) struct Rehearsal {
    folder: PathBuf,
    /// The copied database.
    pub(super) path: PathBuf,
}

impl Rehearsal {
    /// Returns a copy of `database` beside it; nothing when there is nothing to undo, or no room to do it in.
    pub(super) fn of(database: &Path, journal: &Path) -> Result<Option<Rehearsal>> {
        let (Some(name), true) =
            (database.file_name().and_then(|name| name.to_str()), is_hot(database, journal))
        else {
            return Ok(None);
        };
        // The name of a leftover, so that one is found for what it is when this process is killed as well.
        let process = u64::from(std::process::id()) % 100_000_000;
        let folder = database.with_file_name(format!(".{name}.{process:08}.holotype-tmp"));
        match fs::create_dir(&folder) {
            Ok(()) => {}
            // From a process of the same number that was killed at this.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            // Whoever may not write here cannot undo anything either.
            Err(_) => return Ok(None),
        }
        let rehearsal = Rehearsal { path: folder.join("database"), folder };
        for (from, to) in [(database, "database"), (journal, "database-journal")] {
            fs::copy(from, rehearsal.folder.join(to)).map_err(|error| Error::io(from, error))?;
        }
        Ok(Some(rehearsal))
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        // What cannot be removed now is found as a leftover later.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Returns true when a journal waits that nobody's transaction needs: SQLite then refuses to read without writing.
fn is_hot(database: &Path, journal: &Path) -> bool {
    if !fs::metadata(journal).is_ok_and(|metadata| metadata.len() > 0) {
        return false;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let probed = rusqlite::Connection::open_with_flags(database, flags)
        .and_then(|connection| connection.query_row("PRAGMA schema_version", [], |_| Ok(())));
    matches!(
        probed,
        Err(rusqlite::Error::SqliteFailure(error, _)) if error.extended_code == ffi::SQLITE_READONLY_ROLLBACK
    )
}
