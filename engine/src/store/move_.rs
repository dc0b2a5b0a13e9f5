//! Moving and removing content.

use std::fs;
use std::io;
use std::path::Path;

use super::{Publish, Store, names, sync};
use crate::error::{Error, ErrorKind, Result};

impl Store {
    /// Removes the file or folder at `key`; returns false when there was none.
    ///
    /// A folder is renamed aside first, so that nobody sees half of it. A link goes away without what it points at.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `key` leads out of the root, else what the file system reports.
    pub fn remove(&self, key: &str) -> Result<bool> {
        let path = self.path(key.trim_end_matches('/'))?;
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(Error::io(&path, error)),
        };
        self.missing_above(path.parent().unwrap_or(&self.root))?;
        if metadata.is_dir() {
            let aside = names::temp(&self.env, &path)?;
            fs::rename(&path, &aside).map_err(|error| Error::io(&path, error))?;
            fs::remove_dir_all(&aside).map_err(|error| Error::io(&path, error))?;
        } else {
            fs::remove_file(&path).map_err(|error| Error::io(&path, error))?;
        }
        Ok(true)
    }

    /// Moves the file or folder at `from` to `to`, where nothing may lie yet.
    ///
    /// Within one file system this is one step. Between two, as a root with mounts inside may span, the content is
    /// published at `to`, checked, and only then removed at `from`.
    ///
    /// # Errors
    /// [`ErrorKind::FileExists`] when something lies at `to`, [`ErrorKind::FileNotFound`] when nothing lies at `from`.
    pub fn rename(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
        let (source, target) = (self.path(from)?, self.path(to)?);
        fs::symlink_metadata(&source).map_err(|error| Error::io(&source, error))?;
        self.missing_above(source.parent().unwrap_or(&self.root))?;
        let parent = self.prepare(&target, how.durable)?;
        match rename_new(&source, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.publish(&source, to, how)?;
                self.remove(from)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let (source, target) = (source.display(), target.display());
                let message = format!("Cannot move {source} to {target} because it already exists.");
                return Err(Error::new(ErrorKind::FileExists, message).because(error));
            }
            Err(error) => return Err(Error::io(&target, error)),
        }
        if how.durable {
            sync::folder(&parent)?;
            sync::folder(source.parent().unwrap_or(&self.root))?;
        }
        Ok(())
    }
}

/// Renames and never replaces.
fn rename_new(source: &Path, target: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, source, CWD, target, RenameFlags::NOREPLACE) {
            // The file system does not know the flag: look first, then rename.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {}
            done => return done.map_err(io::Error::from),
        }
    }
    if fs::symlink_metadata(target).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(source, target)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
