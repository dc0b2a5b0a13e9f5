//! Storage locations: which there are, which one a path belongs to, and who may write there.

mod instance_deletion;
mod keep_local;
mod register;
mod remote;

use std::path::{Path, PathBuf};

pub use instance_deletion::InstanceDeletion;
pub use register::NewStorage;

use crate::error::{Error, ErrorKind, Result};
use crate::instance::root::{INTERNAL_FOLDER, MARKER_KEY};
use crate::instance::{Instance, marker};
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::session::LocalStorage;
use crate::store::Store;
use crate::write::{records, select_row};

impl Instance {
    /// Removes a storage location that holds nothing; the folder itself stays.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] while artifacts lie there, and for the current one and the one with the database;
    /// [`ErrorKind::StorageNotEmpty`] while `.lamindb` holds objects.
    pub fn delete_storage(&self, record: &Record) -> Result<()> {
        let id = record.id().ok_or_else(|| Error::invalid("The storage location is not saved"))?;
        let artifacts = self.registry("Artifact")?.filter(Q::is("storage_id", id))?;
        if artifacts.exists()? {
            return Err(Error::invalid("Cannot delete storage with artifacts in current instance."));
        }
        let mut record = record.clone();
        if !self.manages(&record) {
            return self.delete(&mut record).map(|_| ());
        }
        let root = PathBuf::from(record.text("root").unwrap_or_default());
        let bucket = Store::open(record.text("root").unwrap_or_default(), self.env())?;
        let left = if bucket.is_remote() {
            // What was deleted may wait there for that.
            self.send()?;
            objects_of(&bucket)?
        } else {
            managed_objects(&root)?
        };
        if !left.is_empty() {
            return Err(Error::new(
                ErrorKind::StorageNotEmpty,
                not_empty(&root, &left, "delete them prior to deleting the storage location"),
            ));
        }
        if id == self.context().storage {
            return Err(Error::invalid("Cannot delete the current storage location, switch to another."));
        }
        if record.text("root") == Some(self.settings().storage_root.as_str()) {
            return Err(Error::invalid(format!(
                "Cannot delete the storage location {}: the instance itself lies there; delete the instance instead",
                root.display()
            )));
        }
        // The row goes first: a marker without a row can be registered again, a row without a marker cannot be used.
        self.delete(&mut record)?;
        self.with_context(|context| {
            if context.local_storage == LocalStorage::Chosen(id) {
                context.local_storage = LocalStorage::Unknown;
            }
        });
        if bucket.is_remote() {
            return bucket.remove(MARKER_KEY).map(|_| ());
        }
        marker::remove(&root)?;
        std::fs::remove_dir(root.join(".lamindb")).ok();
        Ok(())
    }

    /// Returns true when this instance may write to the location.
    pub fn manages(&self, storage: &Record) -> bool {
        storage.text("instance_uid") == Some(self.uid())
    }

    /// Returns the location of an artifact.
    pub(crate) fn storage_of(&self, artifact: &Record) -> Result<Record> {
        self.by_id(model::require("Storage")?, artifact.int("storage_id").unwrap_or_default())
    }

    /// Returns all registered locations, the longest root first.
    pub(crate) fn locations(&self) -> Result<Vec<Record>> {
        let registry = model::require("Storage")?;
        let mut all = records(registry, self.db().rows(&select_row(registry), &registry.kinds())?);
        all.sort_by_key(|record| std::cmp::Reverse(record.text("root").map_or(0, str::len)));
        Ok(all)
    }

    /// Returns the location a local path lies in, and the path below its root.
    pub(crate) fn location_of(&self, path: &Path) -> Result<Option<(Record, String)>> {
        location_among(&self.locations()?, path)
    }

    /// Returns the location new content goes to, checked to be ours.
    pub(crate) fn chosen_storage(&self, storage: Option<i64>) -> Result<Record> {
        self.chosen_among(&[], storage)
    }

    /// As [`Instance::chosen_storage`], by a caller who has read locations already.
    pub(crate) fn chosen_among(&self, locations: &[Record], storage: Option<i64>) -> Result<Record> {
        let id = match storage {
            Some(id) => id,
            None => self.local_choice()?.unwrap_or_else(|| self.context().storage),
        };
        let record = match locations.iter().find(|record| record.id() == Some(id)) {
            Some(record) => record.clone(),
            None => self.by_id(model::require("Storage")?, id)?,
        };
        if !self.manages(&record) {
            return Err(Error::value(
                "Cannot create an artifact in a storage location that is not managed by the current instance.",
            ));
        }
        Ok(record)
    }

    /// Makes a registered location the default of this session.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] for a location that this instance does not manage.
    pub fn use_storage(&self, storage: &Record) -> Result<()> {
        if !self.manages(storage) {
            return Err(not_ours(storage));
        }
        let id = storage.id().ok_or_else(|| Error::invalid("Save the storage location first"))?;
        self.with_context(|context| context.storage = id);
        Ok(())
    }
}

/// Returns the error for writing to a location that another instance, or nobody, manages.
fn not_ours(storage: &Record) -> Error {
    let root = storage.text("root").unwrap_or_default();
    Error::value(match storage.text("instance_uid") {
        Some(uid) => {
            format!("Storage '{root}' exists in another instance ({uid}), cannot write to it from here.")
        }
        None => format!("Storage '{root}' is not managed by any instance, cannot write to it from here."),
    })
}

/// Returns the first of these locations that a local path lies in, and the path below its root.
pub(crate) fn location_among(locations: &[Record], path: &Path) -> Result<Option<(Record, String)>> {
    for record in locations {
        let Some(root) = record.text("root").filter(|_| record.text("type") == Some("local")) else {
            continue;
        };
        if let Ok(relative) = path.strip_prefix(root)
            && relative != Path::new("")
        {
            let relative = relative.to_str().ok_or_else(|| {
                Error::value(format!("The path {} is not valid UTF-8: rename it first", path.display()))
            })?;
            return Ok(Some((record.clone(), relative.replace('\\', "/"))));
        }
    }
    Ok(None)
}

/// Returns what lies below `.lamindb` besides the files that every location has.
pub(crate) fn managed_objects(root: &Path) -> Result<Vec<PathBuf>> {
    let managed = root.join(".lamindb");
    let mut left = Vec::new();
    if !managed.is_dir() {
        return Ok(left);
    }
    for entry in walkdir::WalkDir::new(&managed).sort_by_file_name() {
        let entry =
            entry.map_err(|error| Error::new(ErrorKind::Io, format!("{}: {error}", managed.display())))?;
        let relative = entry.path().strip_prefix(&managed).unwrap_or(entry.path());
        let name = relative.to_string_lossy();
        if entry.file_type().is_file() && !is_own(&name) {
            left.push(entry.into_path());
        }
    }
    Ok(left)
}

/// Returns the URLs of what lies below `.lamindb` of a bucket besides the files that every location has.
fn objects_of(bucket: &Store) -> Result<Vec<PathBuf>> {
    let prefix = format!("{INTERNAL_FOLDER}/");
    let entries = bucket.list(&prefix)?;
    let others =
        entries.iter().filter(|entry| !is_own(entry.key.strip_prefix(&prefix).unwrap_or(&entry.key)));
    others.map(|entry| bucket.url(&entry.key).map(PathBuf::from)).collect()
}

/// Returns true for files that every location has, by their path below `.lamindb`.
fn is_own(name: &str) -> bool {
    matches!(name, "storage_uid.txt" | "lamin.db" | "lamin.db-wal" | "lamin.db-shm")
        || name.starts_with("_exclusion")
}

/// Returns the text that lists what a location still holds.
pub(crate) fn not_empty(root: &Path, left: &[PathBuf], advice: &str) -> String {
    let list: Vec<String> = left.iter().map(|path| path.display().to_string()).collect();
    format!("'{}/.lamindb' contains {} objects:\n{}\n{advice}", root.display(), left.len(), list.join("\n"))
}
