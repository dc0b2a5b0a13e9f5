//! What killed processes left behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::names::{self, Passing};
use super::temp::is_locked;
use super::{Store, UploadNote};
use crate::error::{Error, Result};
use crate::value::Timestamp;

/// A temporary name in a storage location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub kind: LeftoverKind,
    /// True when a living process holds it: it is no leftover yet.
    pub in_use: bool,
    /// Bytes that removing it frees.
    pub size: u64,
}

/// What a temporary name holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftoverKind {
    /// Content that was never put in its place, or was on its way out: to be removed.
    Abandoned,
    /// The former folder of this key, whose successor is in place: to be removed.
    Replaced(String),
    /// The former folder of this key, whose successor never arrived: to be brought back.
    Displaced(String),
}

/// An upload in parts to a bucket that was begun and neither completed nor given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Where it was to lie, below the root.
    pub key: String,
    /// What the store knows it by.
    pub id: String,
    /// When it was begun.
    pub since: Timestamp,
}

impl Store {
    /// Returns the unfinished uploads to keys below a folder of a bucket; none in a local location, and none where the store
    /// does not tell.
    ///
    /// # Errors
    /// What the network reports.
    pub fn unfinished(&self, folder: &str) -> Result<Vec<Unfinished>> {
        self.object().map_or(Ok(Vec::new()), |object| object.unfinished(folder))
    }

    /// Returns the note at `path` on the upload of `source`, through which it goes on where a process was killed; nothing where
    /// there is no use for one, and while another process is at it.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn upload_note(&self, path: &Path, source: &Path) -> Result<Option<UploadNote>> {
        self.object().map_or(Ok(None), |object| object.upload_note(path, source))
    }

    /// Lets the store forget the parts of an unfinished upload.
    ///
    /// # Errors
    /// What the network reports.
    pub fn give_up(&self, upload: &Unfinished) -> Result<()> {
        self.object().map_or(Ok(()), |object| object.give_up(upload))
    }

    /// Returns all temporary names below the root, sorted by path.
    ///
    /// # Errors
    /// What the file system reports on the way.
    pub fn leftovers(&self) -> Result<Vec<Leftover>> {
        if self.is_remote() {
            // Objects appear whole: there are no passing names. Parts of uploads bear none.
            return Ok(Vec::new());
        }
        fs::metadata(&self.root).map_err(|error| Error::io(&self.root, error))?;
        let mut found = Vec::new();
        let mut walk = WalkDir::new(&self.root).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // Somebody else removed it while we walked.
                Err(error) if error.io_error().is_some_and(|e| e.kind() == io::ErrorKind::NotFound) => {
                    continue;
                }
                Err(error) => {
                    let path = error.path().unwrap_or(&self.root).to_path_buf();
                    return Err(Error::io(&path, error.into()));
                }
            };
            let named = entry.file_name().to_str().and_then(names::parse).is_some();
            if named && entry.file_type().is_dir() {
                walk.skip_current_dir();
            }
            if named {
                found.extend(self.leftover_at(entry.path())?);
            }
        }
        Ok(found)
    }

    /// Returns what lies at `path` if that is a temporary name.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a name that is not UTF-8.
    pub fn leftover_at(&self, path: &Path) -> Result<Option<Leftover>> {
        let passing = path.file_name().and_then(|name| name.to_str()).and_then(names::parse);
        let (Some(passing), Ok(_)) = (passing, fs::symlink_metadata(path)) else { return Ok(None) };
        let kind = match passing {
            Passing::Temp => LeftoverKind::Abandoned,
            Passing::Old(name) => {
                let target = path.with_file_name(name);
                let key = self.key_of(&target)?;
                let replaced = fs::symlink_metadata(&target).is_ok();
                if replaced { LeftoverKind::Replaced(key) } else { LeftoverKind::Displaced(key) }
            }
        };
        let path = path.to_path_buf();
        Ok(Some(Leftover { in_use: is_locked(&path), kind, size: size_of(&path), path }))
    }

    /// Removes a leftover, or brings back the folder that it holds; one in use is left alone.
    ///
    /// Returns false when there was nothing to do any more.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn settle(&self, leftover: &Leftover) -> Result<bool> {
        let path = &leftover.path;
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) if !is_locked(path) => metadata,
            _ => return Ok(false),
        };
        let fail = |error| Error::io(path, error);
        if let LeftoverKind::Displaced(key) = &leftover.kind {
            let target = self.path(key)?;
            // Somebody may have published anew since the list was made.
            if fs::symlink_metadata(&target).is_err() {
                fs::rename(path, &target).map_err(fail)?;
                return Ok(true);
            }
        }
        if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.map_err(fail)?;
        Ok(true)
    }
}

/// Returns the bytes below a path; what vanishes meanwhile counts nothing.
fn size_of(path: &Path) -> u64 {
    let metadata = WalkDir::new(path).into_iter().flatten().filter_map(|entry| entry.metadata().ok());
    metadata.filter(|metadata| metadata.is_file()).map(|metadata| metadata.len()).sum()
}
