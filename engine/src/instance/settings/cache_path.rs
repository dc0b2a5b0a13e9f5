//! Where copies of remote objects lie below the cache directory.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::instance::root::{DATABASE_KEY, StorageRoot};

/// What decides where an artifact's copy lies.
#[derive(Clone, Copy, Debug)]
pub struct ArtifactPlace<'a> {
    /// Path of its content below the storage root.
    pub storage_key: &'a str,
    /// Its key.
    pub key: Option<&'a str>,
    /// Whether the key says nothing about the place in storage.
    pub key_is_virtual: bool,
    /// Whether it is the latest version of its family.
    pub is_latest: bool,
}

impl ArtifactPlace<'_> {
    /// Returns the path of the copy below the folder of its storage location.
    fn cache_key(&self) -> &str {
        match self.key {
            // Older versions share the key, so only the latest may have its name.
            Some(key) if !self.key_is_virtual || self.is_latest => key,
            _ => self.storage_key,
        }
    }
}

/// Returns where the copy of an artifact lies; nothing for local storage, which needs no copy.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a key that leads out of the folder of its storage location.
pub fn cache_path(cache_dir: &Path, root: &StorageRoot, place: ArtifactPlace<'_>) -> Result<Option<PathBuf>> {
    if root.local_path().is_some() {
        return Ok(None);
    }
    let key = place.cache_key();
    let path = below(cache_dir, root.path()).and_then(|folder| below(&folder, key));
    path.map(Some)
        .ok_or_else(|| Error::value(format!("cache key '{key}' resolves outside the cache directory.")))
}

/// Returns where the working copy of a remote SQLite database lies; nothing for local storage.
pub fn database_cache_path(cache_dir: &Path, root: &StorageRoot) -> Option<PathBuf> {
    let folder = if root.local_path().is_some() { None } else { below(cache_dir, root.path()) };
    folder.map(|folder| folder.join(DATABASE_KEY))
}

/// Returns where an object in memory is written before it is saved.
pub fn unsaved_path(cache_dir: &Path, uid: &str, suffix: &str) -> PathBuf {
    cache_dir.join(format!("{uid}{suffix}"))
}

/// Returns `key` below `folder`, or nothing if it would not be below it.
fn below(folder: &Path, key: &str) -> Option<PathBuf> {
    let mut parts: Vec<&std::ffi::OsStr> = Vec::new();
    for part in key.split('/').flat_map(|part| Path::new(part).components()) {
        match part {
            Component::Normal(name) => parts.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| folder.join(parts.iter().collect::<PathBuf>()))
}
