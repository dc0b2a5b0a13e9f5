//! Reading: where an artifact's content lies, and whether it may be read.

mod early;
mod index;
mod remote;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{is_incomplete, storage_key};
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Stat, Store};

pub(crate) use early::EarlyCopy;

/// A file that is read in parts, as long as nobody changes it.
#[derive(Debug)]
pub struct Parts {
    store: Store,
    stat: Stat,
}

impl Parts {
    /// Returns the number of bytes of the file.
    pub fn size(&self) -> u64 {
        self.stat.size
    }

    /// Returns the bytes from `start` to `end`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when the file does not reach that far, else what the store reports.
    pub fn read(&self, start: u64, end: u64) -> Result<Vec<u8>> {
        self.store.read_part(&self.stat, start..end)
    }
}

impl Instance {
    /// Returns where the content of an artifact lies, or will lie once it is saved: a path, or the URL of remote content.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] when its storage location is not registered, [`ErrorKind::InvalidArgument`] when its
    /// key leads out of the location.
    pub fn artifact_path(&self, record: &Record) -> Result<PathBuf> {
        let (root, key) = self.place_of(record)?;
        Ok(match root.contains("://") {
            true => StorageRoot::stored(&root)?.join(&key).into(),
            false => Path::new(&root).join(key),
        })
    }

    /// Returns the store that holds the content of an artifact, for reading, and its key there.
    pub(crate) fn located(&self, record: &Record) -> Result<(Store, String)> {
        let (root, key) = self.place_of(record)?;
        Ok((Store::open(&root, self.env())?, key))
    }

    /// Returns true when something lies where the content of an artifact belongs.
    pub(crate) fn is_there(&self, record: &Record) -> Result<bool> {
        let (store, key) = self.located(record)?;
        store.exists(&key)
    }

    /// Returns the root of an artifact's storage location and the path of its content below.
    fn place_of(&self, record: &Record) -> Result<(String, String)> {
        let id =
            record.int("storage_id").ok_or_else(|| Error::invalid("The artifact has no storage location"))?;
        let storage = self.by_id(model::require("Storage")?, id)?;
        let root = storage.text("root").unwrap_or_default().to_owned();
        let key = storage_key(record);
        // A row may come from anywhere: its key must not lead out of its location.
        if Path::new(&key).components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(Error::invalid(format!(
                "Artifact {} has the storage key '{key}', which leads out of {root}: correct its key first",
                record.uid()
            )));
        }
        Ok((root, key))
    }

    /// Returns a local path from which the complete content of an artifact can be read: its own place, or for remote
    /// content a copy in the cache, fetched unless it is there and what the registry says.
    ///
    /// # Errors
    /// [`ErrorKind::IncompleteArtifact`] while the content is not completely stored, [`ErrorKind::Value`] for an older
    /// version whose content was overwritten, [`ErrorKind::FileNotFound`] when the content is gone,
    /// [`ErrorKind::Corrupt`] when it is not what the registry says.
    pub fn cache(&self, record: &Record) -> Result<PathBuf> {
        let row = self.present(record)?;
        let (store, key) = self.held(&row)?;
        let path =
            if store.is_remote() { self.fetch_copy(&row, &store, &key) } else { local_path(&store, &key) };
        path.map_err(|error| gone(&row, store.url(&key), error))
    }

    /// Returns for every artifact what [`Instance::cache`] returns, in their order; remote content is fetched in parallel.
    ///
    /// # Errors
    /// Those of [`Instance::cache`], for the first artifact that cannot be read; the others are in the cache as far as they
    /// were fetched.
    pub fn cache_all(&self, records: &[Record]) -> Result<Vec<PathBuf>> {
        let mut paths = vec![PathBuf::new(); records.len()];
        let records: Vec<Record> =
            records.iter().map(|record| self.present(record)).collect::<Result<_>>()?;
        let mut remote: BTreeMap<PathBuf, (Store, Vec<(usize, String)>)> = BTreeMap::new();
        for (at, record) in records.iter().enumerate() {
            let (store, key) = self.held(record)?;
            if store.is_remote() {
                let at_store =
                    remote.entry(store.root().to_path_buf()).or_insert_with(|| (store, Vec::new()));
                at_store.1.push((at, key));
            } else {
                paths[at] = local_path(&store, &key)?;
            }
        }
        for (store, wanted) in remote.values() {
            let given: Vec<_> = wanted.iter().map(|(at, key)| (&records[*at], key.as_str())).collect();
            let fetched = self.fetch_copies(store, &given)?;
            for ((at, _), path) in wanted.iter().zip(fetched) {
                paths[*at] = path;
            }
        }
        Ok(paths)
    }

    /// Returns where the complete content of an artifact can be read in parts: a local path as [`Instance::cache`] does,
    /// or the URL of remote content of which there is no copy.
    ///
    /// Nothing is fetched unless the store describes the content otherwise than the registry; then only reading it tells.
    ///
    /// # Errors
    /// As [`Instance::cache`].
    pub fn readable(&self, record: &Record) -> Result<PathBuf> {
        let row = self.present(record)?;
        let (store, key) = self.held(&row)?;
        match store.is_remote() {
            false => local_path(&store, &key),
            true => match self.is_better_left(&row, &store, &key) {
                Ok(true) => self.artifact_path(&row),
                Ok(false) => self.fetch_copy(&row, &store, &key),
                Err(error) => Err(error),
            },
        }
        .map_err(|error| gone(&row, store.url(&key), error))
    }

    /// Returns what reads the content of an artifact, which is one file, in parts from where it lies.
    ///
    /// # Errors
    /// As [`Instance::cache`]; [`ErrorKind::InvalidArgument`] for folders.
    pub fn parts(&self, record: &Record) -> Result<Parts> {
        let (store, key) = self.held(&self.present(record)?)?;
        let stat = store.stat(&key)?.ok_or_else(|| {
            Error::invalid(format!("The content of artifact {} is no file at {key}", record.uid()))
        })?;
        Ok(Parts { store, stat })
    }

    /// Returns the row of an artifact as it is now: the object in memory may have become an older version since.
    pub(crate) fn present(&self, record: &Record) -> Result<Record> {
        if record.id().is_none() {
            return Err(Error::invalid(format!("Artifact {} is not saved yet: save it first", record.uid())));
        }
        let row = self.query(record.registry()).filter(Q::is("id", record.id()))?.first()?;
        row.ok_or_else(|| {
            Error::does_not_exist(format!("Artifact {} is no longer in the database", record.uid()))
        })
    }

    /// Returns the store and the key of content that may be read, of a row that is [`Instance::present`].
    pub(crate) fn held(&self, row: &Record) -> Result<(Store, String)> {
        if is_incomplete(row) {
            return Err(Error::new(
                ErrorKind::IncompleteArtifact,
                format!(
                    "The content of artifact {} was never completely stored: save the same source again to resume, or \
                     delete the artifact to discard it",
                    row.uid()
                ),
            ));
        }
        if !self.holds_place(row)? {
            return Err(Error::value(
                "Cannot read this outdated artifact version: its files were overwritten and are no longer \
                 available.\nRead from the latest version: artifact.versions.get(is_latest=True)",
            ));
        }
        self.located(row)
    }
}

/// Returns the error for content that is not found at its place, with what to do about it; any other as it is.
fn gone(row: &Record, place: Result<String>, error: Error) -> Error {
    if error.kind() != ErrorKind::FileNotFound || place.is_ok_and(|place| place != error.message()) {
        return error;
    }
    Error::new(
        ErrorKind::FileNotFound,
        format!(
            "{}: the content of artifact {} is gone; `holotype repair` looks for it in the cache and elsewhere",
            error.message(),
            row.uid()
        ),
    )
}

fn local_path(store: &Store, key: &str) -> Result<PathBuf> {
    let path = store.path(key)?;
    if !path.exists() {
        return Err(Error::new(ErrorKind::FileNotFound, format!("{}", path.display())));
    }
    Ok(path)
}
