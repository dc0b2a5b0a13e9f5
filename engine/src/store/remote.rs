//! What a location tells of its files without their being read.

use std::fs;
use std::ops::Range;

use super::{Stat, Store};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{ContentHash, folder_hash, hash_file, hash_folder};
use crate::value::Timestamp;

impl Store {
    /// Returns the path or URL of `key`, without a query.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] when a key leads out of a local root.
    pub fn url(&self, key: &str) -> Result<String> {
        match self.object() {
            Some(object) => Ok(object.url(key)),
            None => Ok(self.path(key)?.display().to_string()),
        }
    }

    /// Returns what is known of the file at `key`; `None` when there is no file.
    ///
    /// # Errors
    /// What the network or the file system report.
    pub fn stat(&self, key: &str) -> Result<Option<Stat>> {
        if let Some(object) = self.object() {
            return object.stat(key);
        }
        let path = self.path(key)?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Stat {
                key: key.to_owned(),
                size: metadata.len(),
                modified: metadata.modified().ok().and_then(timestamp),
                tag: None,
                content: None,
            })),
            Ok(_) => Ok(None),
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(Error::io(&path, error)),
            },
        }
    }

    /// Returns what is known of every file whose key starts with `prefix`, sorted by key.
    ///
    /// # Errors
    /// As [`Store::list`].
    pub fn stats(&self, prefix: &str) -> Result<Vec<Stat>> {
        match self.object() {
            Some(object) => object.stats(prefix),
            None => self.list(prefix)?.iter().filter_map(|entry| self.stat(&entry.key).transpose()).collect(),
        }
    }

    /// Returns what is known of the file at `key`, or of every file of a folder, sorted by key; a bucket is asked for it once.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies there.
    pub fn describe(&self, key: &str) -> Result<Vec<Stat>> {
        let found = match self.object() {
            Some(object) => object.describe(key)?,
            None => match self.stat(key)? {
                Some(stat) => vec![stat],
                None => self.stats(&format!("{key}/"))?,
            },
        };
        if found.is_empty() {
            return Err(Error::new(ErrorKind::FileNotFound, self.url(key)?));
        }
        Ok(found)
    }

    /// Returns some bytes of a file that nobody may have changed since it was described, as far as its store can tell.
    ///
    /// # Errors
    /// As [`Store::read_range`], and what the store says of a file that was changed.
    pub fn read_part(&self, stat: &Stat, range: Range<u64>) -> Result<Vec<u8>> {
        match self.object() {
            Some(object) => object.read_range(&stat.key, range, stat.tag.as_deref()),
            None => self.read_range(&stat.key, range),
        }
    }

    /// Returns true when `key` is a folder, which in a bucket means that files lie below it.
    ///
    /// # Errors
    /// What the network reports.
    pub fn is_folder(&self, key: &str) -> Result<bool> {
        match self.object() {
            Some(object) => object.is_folder(key),
            None => Ok(self.path(key)?.is_dir()),
        }
    }

    /// Returns the format's hash of the file or folder at `key`: remote content is known by the tags of its store and not
    /// read, `None` where a tag is missing.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies there.
    pub fn content(&self, key: &str) -> Result<Option<ContentHash>> {
        if self.is_remote() {
            return Ok(content_of(&self.describe(key)?, key));
        }
        let path = self.path(key)?;
        if path.is_dir() { hash_folder(&path).map(|folder| folder.content) } else { hash_file(&path) }
            .map(Some)
    }

    /// Writes bytes at `key` unless something lies there; returns whether they were written. Of several writers one does.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn create(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        if let Some(object) = self.object() {
            return object.create(key, bytes);
        }
        use std::io::Write as _;
        let path = self.path(key)?;
        self.prepare(&path, true)?;
        let made = fs::File::create_new(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        match made {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(Error::io(&path, error)),
        }
    }

    /// Removes many files at once; what is not there is passed over.
    ///
    /// # Errors
    /// What the network or the file system report.
    pub fn remove_files(&self, keys: &[String]) -> Result<()> {
        match self.object() {
            Some(object) => object.remove_files(keys),
            None => keys.iter().try_for_each(|key| self.remove(key).map(|_| ())),
        }
    }

    /// Returns the region of a bucket, where the store has regions.
    ///
    /// # Errors
    /// What the network reports.
    pub fn region(&self) -> Result<Option<String>> {
        self.object().map_or(Ok(None), |object| object.region())
    }

    /// Returns true when a file could be stored at `key`, as far as that can be known without storing one.
    ///
    /// # Errors
    /// What the network reports.
    pub(crate) fn takes_files(&self, key: &str) -> Result<bool> {
        self.object().map_or(Ok(true), |object| object.takes_files(key))
    }
}

/// Returns the format's hash of the file or folder at `key` from what a store tells of its files, `None` where it tells too
/// little.
pub(crate) fn content_of(found: &[Stat], key: &str) -> Option<ContentHash> {
    match found {
        [file] if file.key == key.trim_end_matches('/') => file.content.clone(),
        files => {
            let of_file = |stat: &Stat| Some((stat.content.as_ref()?.hash.clone(), stat.size));
            folder_hash(files.iter().map(of_file).collect::<Option<Vec<_>>>()?)
        }
    }
}

fn timestamp(moment: std::time::SystemTime) -> Option<Timestamp> {
    let since = moment.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_micros()).ok().map(Timestamp)
}
