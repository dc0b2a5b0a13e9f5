//! Publishing a file.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::copy::Transfer;
use super::temp::Temp;
use super::{Publish, Published, Store, sync};
use crate::error::{Error, Result};
use crate::faults;
use crate::hash::{Identity, Stamp, identify_file, mode, open_file};

/// Bytes below which a clone costs more than a copy.
const CLONE: u64 = 64 * 1024;

/// Content complete under its temporary name.
pub(super) struct Staged {
    pub(super) temp: Temp,
    pub(super) target: PathBuf,
    pub(super) published: Published,
}

impl Store {
    /// Publishes the file `source` at `key`.
    ///
    /// The bytes are cloned where the file system can, else copied and hashed in one pass, under a temporary name beside
    /// the target; then checked, flushed if `how.durable`, and renamed. Parent folders are created. Permission bits are
    /// those of the source within the mask of the process. Whatever fails, the temporary name is removed and what was at
    /// `key` before is still there; only when the very last flush of the folder fails is the new content in place
    /// already.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the source changes meanwhile or the device is full, [`crate::ErrorKind::Value`] when
    /// it is not the content expected, [`crate::ErrorKind::InvalidArgument`] when `key` leads out of the root or names a
    /// folder.
    pub fn publish_file(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        if let Some(object) = self.object() {
            return object.publish_file(source, key, how);
        }
        let target = self.path(key)?;
        let parent = self.prepare(&target, how.durable)?;
        let mut staged = self.stage(source, target, how)?;
        if how.durable {
            sync::file(&staged.temp.handle, &staged.target)?;
        }
        faults::hit("store.synced");
        staged.place()?;
        if how.durable {
            sync::folder(&parent)?;
        }
        Ok(staged.published)
    }

    /// Publishes a file or folder at a `key` that is the caller's own: nobody looks there before the caller says so.
    ///
    /// A loss of power before this returns may leave half of the content under the key, which harms nobody then. So a
    /// file is renamed first and flushed with its name in one go, where others need two flushes.
    ///
    /// # Errors
    /// As [`Store::publish`].
    pub fn publish_own(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        if self.object().is_some() {
            return self.publish(source, key, how);
        }
        let target = self.path(key)?;
        // A name that is replaced, not made, may not come to the device with the file.
        if source.is_dir() || fs::symlink_metadata(&target).is_ok() {
            return self.publish(source, key, how);
        }
        self.prepare(&target, how.durable)?;
        let mut staged = self.stage(source, target, how)?;
        staged.place()?;
        if how.durable {
            sync::file_and_name(&staged.temp.handle, &staged.target)?;
        }
        faults::hit("store.synced");
        Ok(staged.published)
    }

    /// Publishes bytes at hand, such as a marker or a manifest.
    ///
    /// # Errors
    /// As [`Store::publish_file`].
    pub fn write(&self, key: &str, bytes: &[u8], durable: bool) -> Result<()> {
        if let Some(object) = self.object() {
            return object.write(key, bytes);
        }
        let target = self.path(key)?;
        let parent = self.prepare(&target, durable)?;
        refuse_folder(&target)?;
        let mut temp = Temp::file(&self.env, &target, 0o666)?;
        temp.handle.write_all(bytes).map_err(|error| Error::io(&target, error))?;
        if durable {
            sync::file(&temp.handle, &target)?;
        }
        temp.place(&target)?;
        if durable { sync::folder(&parent) } else { Ok(()) }
    }

    /// Brings `source` under a temporary name beside `target`, complete and checked but not flushed.
    pub(super) fn stage(&self, source: &Path, target: PathBuf, how: &Publish<'_>) -> Result<Staged> {
        refuse_folder(&target)?;
        let (mut from, metadata) = open_file(source)?;
        let stamp = Stamp::from(&metadata);
        let mut temp = Temp::file(&self.env, &target, mode(&metadata))?;
        let cloned = self.clone_into(&from, &temp.handle, stamp.size);
        let identity = if cloned {
            let identity = identify_file(&temp.path)?;
            stamp.check(source)?;
            (how.progress)(stamp.size)?;
            identity
        } else {
            Transfer { source, stamp, target: &target }.run(&mut from, &mut temp.handle, how)?
        };
        faults::hit("store.copied");
        let Identity { content, digest } = identity;
        how.check(source, &content, digest)?;
        check_size(&temp, &target, content.size)?;
        Ok(Staged { temp, target, published: Published { content, digest, manifest: None, cloned } })
    }

    /// Shares the bytes of `from` with the empty file `to`; returns false where that cannot be or does not pay.
    pub(super) fn clone_into(&self, from: &fs::File, to: &fs::File, size: u64) -> bool {
        if size < CLONE || self.cannot_clone.load(Ordering::Relaxed) {
            return false;
        }
        #[cfg(target_os = "linux")]
        let cloned = match rustix::fs::ioctl_ficlone(to, from) {
            Ok(()) => true,
            Err(error) => {
                // Two file systems cannot share bytes, but the next source may lie on this one.
                self.cannot_clone.store(error != rustix::io::Errno::XDEV, Ordering::Relaxed);
                false
            }
        };
        #[cfg(not(target_os = "linux"))]
        let cloned = {
            let _ = (from, to);
            false
        };
        cloned
    }
}

impl Staged {
    /// Puts the content in its place.
    pub(super) fn place(&mut self) -> Result<()> {
        self.temp.place(&self.target)?;
        faults::hit("store.renamed");
        Ok(())
    }
}

fn check_size(temp: &Temp, target: &Path, size: u64) -> Result<()> {
    let stored = temp.handle.metadata().map_err(|error| Error::io(target, error))?.len();
    if stored == size {
        return Ok(());
    }
    let target = target.display();
    Err(Error::new(
        crate::ErrorKind::Io,
        format!(
            "{target} has {stored} bytes on the device instead of {size}; nothing was replaced, try again"
        ),
    ))
}

fn refuse_folder(target: &Path) -> Result<()> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_dir() => Err(Error::invalid(format!(
            "{} is a folder in storage; a file cannot replace it",
            target.display()
        ))),
        _ => Ok(()),
    }
}
