//! Reading: where an artifact's content lies, and whether it may be read.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{is_incomplete, storage_key};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;

impl Instance {
    /// Returns where the content of an artifact lies, or will lie once it is saved.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] when its storage location is not registered, [`ErrorKind::InvalidArgument`] when its
    /// key leads out of the location.
    pub fn artifact_path(&self, record: &Record) -> Result<PathBuf> {
        let id =
            record.int("storage_id").ok_or_else(|| Error::invalid("The artifact has no storage location"))?;
        let storage = self.by_id(model::require("Storage")?, id)?;
        let root = storage.text("root").unwrap_or_default();
        let key = storage_key(record);
        // A row may come from anywhere: its key must not lead out of its location.
        if Path::new(&key).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(Error::invalid(format!(
                "Artifact {} has the storage key '{key}', which leads out of {root}: correct its key first",
                record.uid()
            )));
        }
        Ok(Path::new(root).join(key))
    }

    /// Returns a local path from which the complete content of an artifact can be read.
    ///
    /// # Errors
    /// [`ErrorKind::IncompleteArtifact`] while the content is not completely stored, [`ErrorKind::Value`] for an older
    /// version whose content was overwritten, [`ErrorKind::FileNotFound`] when the content is gone.
    pub fn cache(&self, record: &Record) -> Result<PathBuf> {
        if record.id().is_none() {
            return Err(Error::invalid(format!("Artifact {} is not saved yet: save it first", record.uid())));
        }
        if is_incomplete(record) && self.still_incomplete(record)? {
            return Err(Error::new(
                ErrorKind::IncompleteArtifact,
                format!(
                    "The content of artifact {} was never completely stored: save the same source again to resume, or \
                     delete the artifact to discard it",
                    record.uid()
                ),
            ));
        }
        let path = self.artifact_path(record)?;
        self.refuse_overwritten(record, &path)?;
        if !path.exists() {
            return Err(Error::new(ErrorKind::FileNotFound, format!("{}", path.display())));
        }
        Ok(path)
    }

    /// The object in memory may be older than the row: somebody may have completed it.
    fn still_incomplete(&self, record: &Record) -> Result<bool> {
        let fresh = self.by_id(record.registry(), record.id().unwrap_or_default())?;
        Ok(is_incomplete(&fresh))
    }

    /// Refuses versions whose place another version has taken.
    fn refuse_overwritten(&self, record: &Record, path: &Path) -> Result<()> {
        let shares = record.flag("_overwrite_versions") || !record.flag("_key_is_virtual");
        if record.flag("is_latest") || !shares || record.text("_real_key").is_some() {
            return Ok(());
        }
        let newer = self
            .query(record.registry())
            .filter(Q::family(record.stem_uid()))?
            .filter(Q::is("uid__gt", record.uid()))?
            .order_by(["-uid"])?
            .all()?;
        for other in newer {
            if self.artifact_path(&other).is_ok_and(|other| other == path) {
                // A newer version that was never completed may or may not have replaced the bytes.
                if is_incomplete(&other) && self.holds(record, path)? {
                    return Ok(());
                }
                return Err(Error::value(
                    "Cannot read this outdated artifact version: its files were overwritten and are no longer \
                     available.\nRead from the latest version: artifact.versions.get(is_latest=True)",
                ));
            }
        }
        Ok(())
    }

    fn holds(&self, record: &Record, path: &Path) -> Result<bool> {
        if !path.exists() {
            return Ok(false);
        }
        let content = if path.is_dir() {
            crate::hash::hash_folder(path)?.content
        } else {
            crate::hash::hash_file(path)?
        };
        Ok(record.text("hash") == Some(content.hash.as_str()))
    }
}
