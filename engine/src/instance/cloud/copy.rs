//! The working copy of a cloud database on this machine, and the processes that use it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::leaving::LIST;
use super::snapshot::Snapshot;
use super::state::{Stamp, State};
use crate::db;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::instance::settings::files::{self, Access};
use crate::uid;

/// What the names of copies begin with that were set aside because they hold work that is in no cloud.
pub(crate) const KEPT: &str = "lamin.db.kept-";

/// What the name of a copy on its way ends with.
const OUTGOING: &str = ".outgoing";

/// A working copy; all files about it lie beside it.
pub(super) struct WorkingCopy {
    pub(super) path: PathBuf,
}

impl WorkingCopy {
    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Returns the path of a file beside the copy.
    pub(super) fn beside(&self, end: &str) -> PathBuf {
        db::beside(&self.path, end)
    }

    fn note(&self) -> PathBuf {
        self.beside(".holotype")
    }

    /// Returns what is known of the copy; a copy that is not known yet gets a name.
    pub(super) fn state(&self, env: &Env) -> Result<State> {
        let found = State::read(&self.note())?;
        Ok(found.unwrap_or_else(|| State { client: uid::random(env, 16), ..State::default() }))
    }

    /// Returns what is known of the copy, if anything is.
    pub(super) fn known(&self) -> Result<Option<State>> {
        State::read(&self.note())
    }

    pub(super) fn keep(&self, env: &Env, state: &State) -> Result<()> {
        files::write(env, &self.note(), &state.to_text(), Access::Shared)
    }

    /// Returns how the file looks, if nobody is at it.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        Stamp::of(&self.path, &self.beside("-wal"))
    }

    /// Waits until no other process changes what is known of the copy; ends when the file is dropped.
    pub(super) fn turn(&self) -> Result<File> {
        let (path, file) = self.open(".turn")?;
        file.lock().map_err(|error| Error::io(&path, error))?;
        Ok(file)
    }

    /// Joins those who write to the copy; ends when the file is dropped.
    pub(super) fn join(&self) -> Result<File> {
        let (path, file) = self.open(".writers")?;
        file.lock_shared().map_err(|error| Error::io(&path, error))?;
        Ok(file)
    }

    /// Keeps others from writing to the copy until the file is dropped; nothing when somebody is at it.
    pub(super) fn alone(&self) -> Result<Option<File>> {
        let (path, file) = self.open(".writers")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(Error::io(&path, error)),
        }
    }

    fn open(&self, end: &str) -> Result<(PathBuf, File)> {
        let path = self.beside(end);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| Error::io(&path, error))?;
        Ok((path, file))
    }

    /// Keeps what the copy held in a file of its own, which nothing ever removes, and returns its path.
    pub(super) fn set_aside(&self, env: &Env, snapshot: Snapshot) -> Result<PathBuf> {
        let moment: String = env.now().to_sql().chars().filter(char::is_ascii_digit).take(14).collect();
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut path = folder.join(format!("{KEPT}{moment}"));
        while path.exists() {
            path = folder.join(format!("{KEPT}{moment}-{}", uid::random(env, 4)));
        }
        snapshot.keep(&path)?;
        Ok(path)
    }

    /// Returns the path at which a large database lies while it is compared or sent.
    pub(super) fn outgoing(&self) -> PathBuf {
        self.beside(OUTGOING)
    }

    /// Removes the copy.
    pub(super) fn clear(&self) -> Result<()> {
        for end in ["-wal", "-shm", "-journal", "", ".incoming", OUTGOING] {
            files::remove(&self.beside(end))?;
        }
        Ok(())
    }

    /// Removes the copy and what is known of it.
    pub(super) fn remove(&self) -> Result<()> {
        self.clear()?;
        files::remove(&self.beside(LIST))?;
        files::remove(&self.note()).map(drop)
    }
}
