//! Looking at a local location.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::{Store, names, sync};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{FolderIdentity, Identity, hash_folder, identify_file};

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Path below the root, segments joined with `/`.
    pub key: String,
    /// Bytes.
    pub size: u64,
}

impl Store {
    /// Returns the path of `key`; nothing is looked up.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] unless the key is a relative path that goes down only.
    pub fn path(&self, key: &str) -> Result<PathBuf> {
        if let Some(object) = self.object() {
            let url = object.url(key);
            return Err(Error::new(ErrorKind::Unsupported, format!("{url} is no path of this machine")));
        }
        let relative = Path::new(key);
        let down = relative.components().all(|part| matches!(part, Component::Normal(_)));
        if key.is_empty() || !down || key.contains('\0') {
            let (key, root) = (key.escape_debug(), self.root.display());
            return Err(Error::invalid(format!(
                "Key '{key}' names no place below the storage location {root}"
            )));
        }
        Ok(self.root.join(relative.components().collect::<PathBuf>()))
    }

    /// Returns true when a file or folder lies at `key`.
    ///
    /// # Errors
    /// What the file system reports, such as a missing permission.
    pub fn exists(&self, key: &str) -> Result<bool> {
        if let Some(object) = self.object() {
            return object.exists(key);
        }
        let path = self.path(key)?;
        path.try_exists().or_else(|error| match error.kind() {
            std::io::ErrorKind::NotADirectory => Ok(false),
            _ => Err(Error::io(&path, error)),
        })
    }

    /// Returns the bytes of a file, or of all files below a folder.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies at `key`.
    pub fn size(&self, key: &str) -> Result<u64> {
        if let Some(object) = self.object() {
            return object.size(key);
        }
        let path = self.path(key)?;
        let metadata = fs::metadata(&path).map_err(|error| Error::io(&path, error))?;
        if metadata.is_dir() {
            Ok(self.below(&path)?.iter().map(|entry| entry.size).sum())
        } else {
            Ok(metadata.len())
        }
    }

    /// Returns the content of a file.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies at `key`.
    pub fn read(&self, key: &str) -> Result<Vec<u8>> {
        if let Some(object) = self.object() {
            return object.read(key);
        }
        let path = self.path(key)?;
        fs::read(&path).map_err(|error| Error::io(&path, error))
    }

    /// Returns some bytes of a file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the file does not reach that far.
    pub fn read_range(&self, key: &str, range: Range<u64>) -> Result<Vec<u8>> {
        if let Some(object) = self.object() {
            return object.read_range(key, range, None);
        }
        let path = self.path(key)?;
        let fail = |error| Error::io(&path, error);
        let mut file = File::open(&path).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        if range.start > range.end || range.end > size {
            let (path, Range { start, end }) = (path.display(), range);
            return Err(Error::invalid(format!("{path} has {size} bytes: there is no range {start}..{end}")));
        }
        file.seek(SeekFrom::Start(range.start)).map_err(fail)?;
        let mut bytes = Vec::new();
        file.take(range.end - range.start).read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }

    /// Returns both names of the file at `key`, read anew.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies there.
    pub fn identify_file(&self, key: &str) -> Result<Identity> {
        if let Some(object) = self.object() {
            return object.identify_file(key);
        }
        identify_file(&self.path(key)?)
    }

    /// Returns both names and the manifest of the folder at `key`, read anew.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies there.
    pub fn identify_folder(&self, key: &str) -> Result<FolderIdentity> {
        if let Some(object) = self.object() {
            return object.identify_folder(key);
        }
        hash_folder(&self.path(key)?)
    }

    /// Gets what somebody else wrote at `key` onto the device.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when nothing lies there.
    pub fn flush(&self, key: &str) -> Result<()> {
        if self.is_remote() {
            return Ok(());
        }
        let path = self.path(key)?;
        for entry in WalkDir::new(&path).contents_first(true) {
            let entry = entry.map_err(|error| Error::io(&path, error.into()))?;
            if entry.file_type().is_dir() {
                sync::folder(entry.path())?;
            } else if entry.file_type().is_file() {
                let file = File::open(entry.path()).map_err(|error| Error::io(entry.path(), error))?;
                sync::file(&file, entry.path())?;
            }
        }
        sync::folder(path.parent().unwrap_or(&self.root))
    }

    /// Returns the files whose key starts with `prefix`, sorted by key; temporary names are left out.
    ///
    /// # Errors
    /// What the file system reports on the way.
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        if let Some(object) = self.object() {
            return object.list(prefix);
        }
        let folder = match prefix.rsplit_once('/') {
            Some((folder, _)) => self.path(folder)?,
            None => self.root.clone(),
        };
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut entries = self.below(&folder)?;
        entries.retain(|entry| entry.key.starts_with(prefix));
        Ok(entries)
    }

    fn below(&self, folder: &Path) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let walk = WalkDir::new(folder).min_depth(1).into_iter();
        for entry in walk
            .filter_entry(|entry| entry.file_name().to_str().is_none_or(|name| names::parse(name).is_none()))
        {
            let entry = match entry {
                Ok(entry) => entry,
                // Somebody else removed it while we walked.
                Err(error) if error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => {
                    continue;
                }
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_path_buf();
                    return Err(Error::io(&path, error.into()));
                }
            };
            // Links to files count as the files; links to folders are not walked, they could lead anywhere.
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if metadata.is_file() {
                entries.push(Entry { key: self.key_of(entry.path())?, size: metadata.len() });
            }
        }
        entries.sort_unstable();
        Ok(entries)
    }

    /// Returns the key of a path below the root.
    pub(super) fn key_of(&self, path: &Path) -> Result<String> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let segments: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
        segments.map(|segments| segments.join("/")).ok_or_else(|| {
            Error::invalid(format!("{} has a name that is not UTF-8; rename it", path.display()))
        })
    }

    /// Returns the folder of `target`, made with all folders above it, none of which may lead out of the root.
    pub(super) fn prepare(&self, target: &Path, durable: bool) -> Result<PathBuf> {
        let parent = target.parent().unwrap_or(&self.root);
        if self.is_plain(parent) {
            return Ok(parent.to_path_buf());
        }
        let missing = self.missing_above(parent)?;
        for folder in missing.iter().rev() {
            match fs::create_dir(folder) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && folder.is_dir() => {}
                Err(error) => return Err(Error::io(folder, error)),
            }
            if durable {
                sync::folder(folder.parent().unwrap_or(&self.root))?;
            }
        }
        Ok(parent.to_path_buf())
    }

    /// Returns true when `folder` exists and no link lies between it and the root, so that it cannot lead out of it.
    fn is_plain(&self, folder: &Path) -> bool {
        let plain = |path: &Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let below = folder.ancestors().take_while(|path| *path != self.root);
        folder.starts_with(&self.root) && folder != self.root && below.into_iter().all(plain)
    }

    /// Returns `parent` and the folders above it that do not exist, and fails if those that do lead out of the root.
    pub(super) fn missing_above(&self, parent: &Path) -> Result<Vec<PathBuf>> {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        let root = fs::canonicalize(&self.root).map_err(|error| match error.kind() {
            NotFound => {
                let root = self.root.display();
                Error::new(
                    ErrorKind::FileNotFound,
                    format!("The storage location {root} does not exist; is it mounted?"),
                )
                .because(error)
            }
            _ => Error::io(&self.root, error),
        })?;
        let mut missing = Vec::new();
        let mut existing = parent;
        while let Err(error) = fs::symlink_metadata(existing) {
            match (error.kind(), existing.parent()) {
                (NotFound | NotADirectory, Some(above)) => {
                    missing.push(existing.to_path_buf());
                    existing = above;
                }
                _ => return Err(Error::io(existing, error)),
            }
        }
        let real = fs::canonicalize(existing).map_err(|error| match error.kind() {
            NotFound => Error::invalid(format!("{} is a link to nothing; remove it", existing.display())),
            _ => Error::io(existing, error),
        })?;
        if !real.starts_with(&root) {
            let (existing, real, root) = (existing.display(), real.display(), root.display());
            return Err(Error::invalid(format!(
                "{existing} leads to {real}, outside the storage location {root}"
            )));
        }
        if !real.is_dir() {
            return Err(Error::invalid(format!("{} is a file where a folder is needed", existing.display())));
        }
        Ok(missing)
    }
}
