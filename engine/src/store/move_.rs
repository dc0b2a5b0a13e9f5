//! Moving and removing content.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::temp::Temp;
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
        if let Some(object) = self.object() {
            return object.remove(key);
        }
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

    /// Takes the file or folder at `key` out of its place, to be removed later; `None` when there is none.
    ///
    /// # Errors
    /// As [`Store::remove`].
    pub fn take_out(&self, key: &str) -> Result<Option<TakenOut>> {
        if let Some(object) = self.object() {
            // Moving an object means copying it: it stays where it is until it is removed.
            let there = object.exists(key)?;
            return Ok(there.then(|| TakenOut::Object { store: Box::new(self.clone()), key: key.to_owned() }));
        }
        let path = self.path(key.trim_end_matches('/'))?;
        match fs::symlink_metadata(&path) {
            Ok(_) => {}
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(Error::io(&path, error)),
        }
        self.missing_above(path.parent().unwrap_or(&self.root))?;
        let aside = names::temp(&self.env, &path)?;
        fs::rename(&path, &aside).map_err(|error| Error::io(&path, error))?;
        Ok(Some(TakenOut::Path { place: path, aside }))
    }

    /// Gives the content at `from` to `to` as well, where nothing may lie yet: as links where the file system has them,
    /// else as a copy.
    ///
    /// # Errors
    /// [`ErrorKind::FileExists`] when something lies at `to`, else as [`Store::publish`].
    pub fn duplicate(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        if let Some(object) = self.object() {
            return object.copy_new(from, to, how);
        }
        let (source, target) = (self.path(from.trim_end_matches('/'))?, self.path(to.trim_end_matches('/'))?);
        let metadata = fs::symlink_metadata(&source).map_err(|error| Error::io(&source, error))?;
        let parent = self.prepare(&target, how.durable)?;
        if fs::symlink_metadata(&target).is_ok() {
            return Err(exists(&source, &target, None));
        }
        let linked = if metadata.is_file() {
            fs::hard_link(&source, &target)
        } else if metadata.is_dir() {
            self.link_folder(&source, &target)?
        } else {
            Err(io::ErrorKind::Unsupported.into())
        };
        match linked {
            Ok(()) if how.durable => sync::folder(&parent),
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(exists(&source, &target, Some(error)))
            }
            Err(_) => self.publish(&source, to, how).map(|_| ()),
        }
    }

    /// Builds a folder of links beside `target` and renames it; an inner error tells that links are not to be had.
    fn link_folder(&self, source: &Path, target: &Path) -> Result<io::Result<()>> {
        let temp = Temp::folder(&self.env, target)?;
        for entry in WalkDir::new(source).min_depth(1) {
            let entry = entry.map_err(|error| Error::io(source, error.into()))?;
            let place = temp.path.join(entry.path().strip_prefix(source).unwrap_or(entry.path()));
            let made = if entry.file_type().is_dir() {
                fs::create_dir(&place)
            } else {
                fs::hard_link(entry.path(), &place)
            };
            if let Err(error) = made {
                return Ok(Err(error));
            }
        }
        let done = rename_new(&temp.path, target);
        if done.is_ok() {
            temp.release();
        }
        Ok(done)
    }

    /// Puts what lies at `from` in the place of what lies at `to`, which then lies at `from`, or is gone if it was a file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when a file would replace a folder or the other way round.
    pub fn replace(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        if let Some(object) = self.object() {
            return object.replace(from, to, how);
        }
        let (source, target) = (self.path(from.trim_end_matches('/'))?, self.path(to.trim_end_matches('/'))?);
        let folder = fs::symlink_metadata(&source).map_err(|error| Error::io(&source, error))?.is_dir();
        let parent = self.prepare(&target, how.durable)?;
        match fs::symlink_metadata(&target) {
            Ok(there) if there.is_dir() != folder => {
                let (target, one) = (target.display(), if folder { "file" } else { "folder" });
                let other = if folder { "folder" } else { "file" };
                return Err(Error::invalid(format!(
                    "{target} is a {one} in storage; a {other} cannot replace it"
                )));
            }
            Ok(_) if folder => super::folder::exchange_folders(&self.env, &source, &target)?,
            _ => fs::rename(&source, &target).map_err(|error| Error::io(&target, error))?,
        }
        if how.durable {
            sync::folder(&parent)?;
        }
        Ok(())
    }

    /// Moves the file or folder at `from` to `to`, where nothing may lie yet.
    ///
    /// Within one file system this is one step. Between two, as a root with mounts inside may span, the content is
    /// published at `to`, checked, and only then removed at `from`.
    ///
    /// # Errors
    /// [`ErrorKind::FileExists`] when something lies at `to`, [`ErrorKind::FileNotFound`] when nothing lies at `from`.
    pub fn rename(&self, from: &str, to: &str, how: &Publish<'_>) -> Result<()> {
        if let Some(object) = self.object() {
            return object.rename(from, to, how);
        }
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
                return Err(exists(&source, &target, Some(error)));
            }
            Err(error) => return Err(Error::io(&target, error)),
        }
        if how.durable {
            sync::folder(&parent)?;
            let former = source.parent().unwrap_or(&self.root);
            if former != parent {
                sync::folder(former)?;
            }
        }
        Ok(())
    }
}

/// Content that left its place and is not removed yet.
#[derive(Debug)]
pub enum TakenOut {
    /// Files of this machine, under a passing name.
    Path {
        /// Where they were.
        place: PathBuf,
        /// Where they are.
        aside: PathBuf,
    },
    /// Objects, still in their place.
    Object {
        /// Their location.
        store: Box<Store>,
        /// Where they are.
        key: String,
    },
}

impl TakenOut {
    /// Returns the content to its place, where nothing may lie meanwhile.
    ///
    /// # Errors
    /// What the file system reports; the content is found as a leftover then.
    pub fn put_back(self) -> Result<()> {
        match self {
            TakenOut::Path { place, aside } => {
                rename_new(&aside, &place).map_err(|error| Error::io(&place, error))
            }
            TakenOut::Object { .. } => Ok(()),
        }
    }

    /// Moves the content to `key` of the same store.
    ///
    /// # Errors
    /// As [`Store::rename`].
    pub fn move_to(self, store: &Store, key: &str, how: &Publish<'_>) -> Result<()> {
        let from = match self {
            TakenOut::Path { aside, .. } => store.key_of(&aside)?,
            TakenOut::Object { key, .. } => key,
        };
        store.rename(&from, key, how)
    }

    /// Removes the content.
    ///
    /// # Errors
    /// What the file system reports; the rest is found as a leftover then.
    pub fn remove(self) -> Result<()> {
        let (place, aside) = match self {
            TakenOut::Path { place, aside } => (place, aside),
            TakenOut::Object { store, key } => return store.remove(&key).map(|_| ()),
        };
        let folder = fs::symlink_metadata(&aside).is_ok_and(|metadata| metadata.is_dir());
        let removed = if folder { fs::remove_dir_all(&aside) } else { fs::remove_file(&aside) };
        removed.map_err(|error| Error::io(&place, error))
    }
}

fn exists(source: &Path, target: &Path, error: Option<io::Error>) -> Error {
    let (source, target) = (source.display(), target.display());
    let message = format!("Cannot move {source} to {target} because it already exists.");
    let exists = Error::new(ErrorKind::FileExists, message);
    match error {
        Some(error) => exists.because(error),
        None => exists,
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
