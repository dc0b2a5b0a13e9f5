//! Publishing a folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::copy::Transfer;
use super::names::{self, Passing};
use super::temp::{Temp, is_locked, lock};
use super::{Publish, Published, Store, sync};
use crate::env::Env;
use crate::error::{Error, Result};
use crate::faults;
use crate::hash::{
    Folder, FolderFile, FolderIdentity, Identity, Stamp, changed, identify_file, open_file, scan_folder,
};
use crate::threads;

impl Store {
    /// Publishes the folder `source` at `key`.
    ///
    /// The files are copied in parallel into a folder beside the target, checked, flushed if `how.durable`, and the two
    /// names are exchanged; the former content is removed last. Where the file system cannot exchange names, the old folder
    /// is renamed aside first: a process killed right then leaves the key without content until [`Store::recover`], or the
    /// next publish to it, brings the old folder back. Links are replaced by what they point at; empty folders are not
    /// copied.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for what [`scan_folder`] refuses, a `key` that leads out of the root or names
    /// a file, a source that contains the target; else as [`Store::publish_file`].
    pub fn publish_folder(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        if let Some(object) = self.object() {
            return object.publish_folder(source, key, how);
        }
        let target = self.path(key.trim_end_matches('/'))?;
        self.refuse_inside(source, &target)?;
        let parent = self.prepare(&target, how.durable)?;
        self.recover(key)?;
        match fs::symlink_metadata(&target) {
            Ok(metadata) if !metadata.is_dir() => {
                let target = target.display();
                return Err(Error::invalid(format!(
                    "{target} is a file in storage; a folder cannot replace it"
                )));
            }
            _ => {}
        }
        let folder = scan_folder(source)?;
        let temp = Temp::folder(&self.env, &target)?;
        let (identities, cloned) = self.assemble(&folder, &temp, &target, how)?;
        folder.check()?;
        let FolderIdentity { content, digest, manifest } = folder.identity(identities)?;
        how.check(source, &content, digest)?;
        if how.durable {
            flush(&folder, &temp, &target)?;
        }
        faults::hit("folder.assembled");
        self.swap(temp, &target, if how.durable { Some(&parent) } else { None })?;
        Ok(Published { content, digest, manifest: Some(manifest), cloned })
    }

    /// Brings back the folder at `key` if a process was killed while it was being replaced.
    ///
    /// Returns true when there was one to bring back.
    ///
    /// # Errors
    /// What the file system reports.
    pub fn recover(&self, key: &str) -> Result<bool> {
        if self.is_remote() {
            return Ok(false);
        }
        let target = self.path(key.trim_end_matches('/'))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name().and_then(|name| name.to_str()))
        else {
            return Ok(false);
        };
        if fs::symlink_metadata(&target).is_ok() || !parent.is_dir() {
            return Ok(false);
        }
        for entry in fs::read_dir(parent).map_err(|error| Error::io(parent, error))? {
            let entry = entry.map_err(|error| Error::io(parent, error))?;
            let aside = entry.file_name();
            let is_old = aside.to_str().and_then(names::parse) == Some(Passing::Old(name));
            if is_old && !is_locked(&entry.path()) {
                fs::rename(entry.path(), &target).map_err(|error| Error::io(&target, error))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn refuse_inside(&self, source: &Path, target: &Path) -> Result<()> {
        let real = fs::canonicalize(source).map_err(|error| Error::io(source, error))?;
        let root = fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        let place = root.join(target.strip_prefix(&self.root).unwrap_or(target));
        match place.parent() {
            Some(parent) if parent.starts_with(&real) => {
                let (source, target) = (source.display(), target.display());
                Err(Error::invalid(format!(
                    "{source} contains {target}, where it would be stored; choose another key"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Copies every file into the temporary folder; returns their identities in order, and whether all were cloned.
    fn assemble(
        &self,
        folder: &Folder,
        temp: &Temp,
        target: &Path,
        how: &Publish<'_>,
    ) -> Result<(Vec<Identity>, bool)> {
        for below in folders_below(folder) {
            let path = temp.path.join(&below);
            fs::create_dir_all(path).map_err(|error| Error::io(&target.join(&below), error))?;
        }
        let single = how.durable && !flushed_whole(folder);
        let copy = |file: &FolderFile| {
            self.copy_file(file, &temp.path.join(&file.path), &target.join(&file.path), single, how)
        };
        let copied: Vec<(Identity, bool)> =
            threads::share(|| folder.files.par_iter().map(copy).collect::<Result<_>>())?;
        let cloned = copied.iter().all(|(_, cloned)| *cloned);
        Ok((copied.into_iter().map(|(identity, _)| identity).collect(), cloned))
    }

    fn copy_file(
        &self,
        file: &FolderFile,
        path: &Path,
        target: &Path,
        flush: bool,
        how: &Publish<'_>,
    ) -> Result<(Identity, bool)> {
        let source = file.source.as_path();
        let (mut from, metadata) = open_file(source)?;
        let stamp = Stamp::from(&metadata);
        if stamp != file.stamp {
            return Err(changed(source));
        }
        let fail = |error| Error::io(target, error);
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, file.mode | 0o400);
        let mut to = options.open(path).map_err(fail)?;
        let cloned = self.clone_into(&from, &to, stamp.size);
        let identity = if cloned {
            let identity = identify_file(path)?;
            stamp.check(source)?;
            (how.progress)(stamp.size)?;
            identity
        } else {
            Transfer { source, stamp, target }.run(&mut from, &mut to, how)?
        };
        if flush {
            sync::file(&to, target)?;
        }
        Ok((identity, cloned))
    }

    /// Puts the assembled folder in its place, flushes `parent` if given, and removes what was there before.
    fn swap(&self, temp: Temp, target: &Path, parent: Option<&Path>) -> Result<()> {
        let fail = |error: io::Error| Error::io(target, error);
        // Held until the end, so that nobody takes the former folder for a leftover to bring back.
        let former = File::open(target);
        if let Ok(former) = &former {
            lock(former);
        }
        let stale = match fs::rename(&temp.path, target) {
            Ok(()) => {
                temp.release();
                None
            }
            Err(error) if !is_taken(&error) => return Err(fail(error)),
            Err(_) if exchange(&temp.path, target).map_err(fail)? => Some(temp.release()),
            Err(_) => {
                let aside = names::old(&self.env, target)?;
                fs::rename(target, &aside).map_err(fail)?;
                faults::hit("folder.old_aside");
                if let Err(error) = fs::rename(&temp.path, target) {
                    fs::rename(&aside, target).map_err(fail)?;
                    return Err(fail(error));
                }
                temp.release();
                Some(aside)
            }
        };
        faults::hit("folder.swapped");
        if let Some(parent) = parent {
            sync::folder(parent)?;
        }
        if let Some(stale) = stale {
            // The new content is in place: what cannot be removed now is found as a leftover later.
            let _ = fs::remove_dir_all(stale);
        }
        Ok(())
    }
}

/// Exchanges two folders, in several steps where the file system cannot do it in one.
pub(super) fn exchange_folders(env: &Env, one: &Path, other: &Path) -> Result<()> {
    let fail = |error: io::Error| Error::io(other, error);
    // Held until the end, so that nobody takes the former folder for a leftover to bring back.
    let former = File::open(other).map_err(fail)?;
    lock(&former);
    if exchange(one, other).map_err(fail)? {
        return Ok(());
    }
    let aside = names::old(env, other)?;
    fs::rename(other, &aside).map_err(fail)?;
    faults::hit("folder.old_aside");
    if let Err(error) = fs::rename(one, other) {
        fs::rename(&aside, other).map_err(fail)?;
        return Err(fail(error));
    }
    fs::rename(&aside, one).map_err(fail)
}

/// Exchanges two names at once; returns false where the file system cannot.
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    if !faults::exchange_allowed() {
        return Ok(false);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (one, other);
        Ok(false)
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

fn flushed_whole(folder: &Folder) -> bool {
    cfg!(target_os = "linux") && folder.files.len() >= sync::MANY
}

/// Flushes the temporary folder: all at once, or its folders after the files have been flushed one by one.
fn flush(folder: &Folder, temp: &Temp, target: &Path) -> Result<()> {
    if flushed_whole(folder) && sync::filesystem(&temp.handle, target)? {
        return Ok(());
    }
    for below in folders_below(folder).iter().rev() {
        sync::folder(&temp.path.join(below))?;
    }
    sync::folder(&temp.path)
}

/// Returns the folders that hold files, those above them included, each after the one it lies in.
fn folders_below(folder: &Folder) -> BTreeSet<PathBuf> {
    let parents = folder.files.iter().flat_map(|file| Path::new(&file.path).ancestors().skip(1));
    parents.filter(|path| !path.as_os_str().is_empty()).map(Path::to_path_buf).collect()
}
