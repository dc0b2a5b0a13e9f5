//! A file or folder under a temporary name, gone again unless it is put in its place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::names;
use crate::env::Env;
use crate::error::{Error, Result};
use crate::threads;

/// How often another random name is tried; one collision is already next to impossible.
const TRIES: usize = 4;

/// A temporary name, locked for as long as this value lives so that others see that it is in use.
pub(super) struct Temp {
    pub(super) path: PathBuf,
    pub(super) handle: File,
    folder: bool,
    placed: bool,
}

impl Temp {
    /// Creates an empty file beside `target`.
    pub(super) fn file(env: &Env, target: &Path, mode: u32) -> Result<Temp> {
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // The mask of the process applies on top, as it does to any copy.
            options.mode(mode | 0o400);
        }
        #[cfg(not(unix))]
        let _ = mode;
        Temp::create(env, target, false, |path| options.open(path))
    }

    /// Creates an empty folder beside `target`.
    pub(super) fn folder(env: &Env, target: &Path) -> Result<Temp> {
        Temp::create(env, target, true, |path| fs::create_dir(path).and_then(|()| File::open(path)))
    }

    fn create(
        env: &Env,
        target: &Path,
        folder: bool,
        make: impl Fn(&Path) -> io::Result<File>,
    ) -> Result<Temp> {
        let mut tries = 0;
        loop {
            let path = names::temp(env, target)?;
            match make(&path) {
                Ok(handle) => {
                    lock(&handle);
                    return Ok(Temp { path, handle, folder, placed: false });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => tries += 1,
                // Users know the target, not the passing name.
                Err(error) => return Err(Error::io(target, error)),
            }
        }
    }

    /// Renames to `target`, which a file replaces at once.
    pub(super) fn place(&mut self, target: &Path) -> Result<()> {
        fs::rename(&self.path, target).map_err(|error| Error::io(target, error))?;
        self.placed = true;
        Ok(())
    }

    /// Lets go of the name, which now belongs to something else or to nothing.
    pub(super) fn release(mut self) -> PathBuf {
        self.placed = true;
        std::mem::take(&mut self.path)
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed now is found as a leftover later; the error that led here matters more.
            let _ = if self.folder { fs::remove_dir_all(&self.path) } else { fs::remove_file(&self.path) };
        }
    }
}

/// Marks a file or folder as in use; file systems without locks go without.
pub(super) fn lock(handle: &File) {
    let _ = handle.try_lock();
}

/// Returns true when another process, or another part of this one, holds the lock on `path`.
pub(super) fn is_locked(path: &Path) -> bool {
    // Network file systems grant an exclusive lock only on what is open for writing.
    let open = || match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => File::open(path),
        opened => opened,
    };
    match open() {
        Ok(handle) => threads::is_held(&handle),
        // What one may not even open belongs to somebody else, unless it is gone.
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
