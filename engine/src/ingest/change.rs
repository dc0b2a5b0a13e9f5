//! Changed fields of a saved artifact: names move rows, real keys move content.

use std::path::PathBuf;

use super::holder::{claim, release};
use super::place::{automatic_key, storage_key};
use super::{Artifact, is_incomplete};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::record::Record;
use crate::store::Publish;
use crate::suffix::{Formats, Suffix};
use crate::value::Value;
use crate::write;

/// A move of content that a changed field asks for: shown to the user first, then done by saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactMove {
    /// Where the content lies.
    pub from: PathBuf,
    /// Where it goes.
    pub to: PathBuf,
    from_storage: i64,
    from_key: String,
    to_key: String,
}

impl Instance {
    /// Returns the move of content that saving this record implies; `None` when only the row changes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for keys that do not fit, [`ErrorKind::FileExists`] when the target is taken.
    pub fn plan_artifact_move(&self, record: &Record) -> Result<Option<ArtifactMove>> {
        let Some(before) = former(record) else { return Ok(None) };
        let (from_key, to_key) = (storage_key(&before), storage_key(record));
        let (from_storage, to_storage) = (before.int("storage_id"), record.int("storage_id"));
        if from_key == to_key && from_storage == to_storage {
            return Ok(None);
        }
        if from_storage != to_storage {
            self.store(record).map_err(|_| {
                Error::value(
                    "Cannot change the storage of an artifact to a storage location that is not managed by the current \
                     instance.",
                )
            })?;
        }
        let (from, to) = (self.artifact_path(&before)?, self.artifact_path(record)?);
        if !self.holds_place(&before)? {
            return Err(Error::value(format!(
                "Cannot move the content of artifact {}: another version has taken its place",
                record.uid()
            )));
        }
        // A move that was killed leaves the content at both places.
        if self.is_there(record)? && !self.has_its_bytes(record)? {
            return Err(Error::new(
                ErrorKind::FileExists,
                format!("Cannot move artifact to '{}' because it already exists.", to.display()),
            ));
        }
        Ok(Some(ArtifactMove { from, to, from_storage: from_storage.unwrap_or_default(), from_key, to_key }))
    }

    /// Writes changed fields of a saved artifact, moving its content where they say so.
    pub(super) fn save_fields(&self, artifact: &mut Artifact) -> Result<()> {
        let record = &mut artifact.record;
        if record.id().is_none() {
            return Err(Error::invalid("The artifact was never constructed from content: pass a path"));
        }
        check_key(record, &self.env().formats())?;
        write::check(record)?;
        if !record.flag("is_latest") && record.changed().next().is_some() {
            self.env()
                .emit(Event::Warning("you are saving to a non-latest version of the artifact".to_owned()));
        }
        let movement = self.plan_artifact_move(record)?;
        if let Some(movement) = &movement {
            self.env().emit(Event::Moving {
                from: movement.from.display().to_string(),
                to: movement.to.display().to_string(),
            });
        }
        let record = &artifact.record;
        let clash = record.before("key").is_some() || record.before("storage_id").is_some();
        let before = former(record).unwrap_or_else(|| record.clone());
        if let Some(movement) = &movement {
            self.copy_content(record, &before, movement)?;
            faults::hit("move.copied");
        }
        self.db().write(|tx| {
            if clash {
                self.refuse_key_clash(tx, record, record.stem_uid())?;
                self.refuse_equal(tx, &mut record.clone(), None)?;
            }
            if movement.is_none() {
                return write::update(self, tx, record);
            }
            self.refuse_moved(tx, &before)?;
            release(tx, std::slice::from_ref(&before))?;
            write::update(self, tx, record)?;
            claim(tx, record)
        })?;
        faults::hit("move.committed");
        if let Some(movement) = &movement {
            let former = self.store(&before)?;
            self.tell_others(&former)?;
            faults::hit("move.sent");
            former.remove(&movement.from_key)?;
        }
        artifact.record.settle();
        self.note_recreated(artifact)
    }

    /// Brings the content to its new place; what lies at the old one goes only once the row says so.
    fn copy_content(&self, record: &Record, before: &Record, movement: &ArtifactMove) -> Result<()> {
        let target = self.store(record)?;
        if target.exists(&movement.to_key)? {
            return Ok(());
        }
        if record.int("storage_id") == Some(movement.from_storage) {
            return target.duplicate(&movement.from_key, &movement.to_key, &self.publishing());
        }
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        let how = Publish { digest: known.map(|content| content.digest), ..self.publishing() };
        target.publish(&self.cache(before)?, &movement.to_key, &how).map(|_| ())
    }
}

/// Returns the record as it was before fields were set; `None` when nothing that places content changed.
pub(super) fn former(record: &Record) -> Option<Record> {
    let placing = ["key", "suffix", "storage_id", "_real_key", "_key_is_virtual"];
    if is_incomplete(record) || !placing.iter().any(|field| record.before(field).is_some()) {
        return None;
    }
    let mut before = record.clone();
    for field in placing {
        if let Some(old) = record.before(field).cloned() {
            before.set(field, old).ok()?;
        }
    }
    Some(before)
}

/// Checks a key that was changed, and lets the key follow a changed suffix.
fn check_key(record: &mut Record, formats: &Formats) -> Result<()> {
    if let Some(old) = record.before("suffix").and_then(Value::as_str).map(str::to_owned)
        && let (Some(key), Some(new)) =
            (record.text("key").map(str::to_owned), record.text("suffix").map(str::to_owned))
        && record.before("key").is_none()
        && let Some(stem) = key.strip_suffix(&old)
    {
        record.set("key", format!("{stem}{new}"))?;
    }
    let Some(before) = record.before("key").cloned() else { return Ok(()) };
    let Some(key) = record.text("key").map(str::to_owned) else {
        return match before.is_null() {
            true => Ok(()),
            false => Err(Error::invalid("Cannot update an artifact key to None.")),
        };
    };
    key::check(&key, if record.flag("_key_is_virtual") { KeyKind::Virtual } else { KeyKind::Real })?;
    let found = Suffix::stored(&key, formats).suffix;
    let expected = record.text("suffix").unwrap_or_default();
    // Rows of the reference hold no suffix where it is not a listed one.
    let unlisted = expected.is_empty() && Suffix::of_name(&key, formats).canonical.is_empty();
    if found != expected && !unlisted {
        return Err(Error::invalid(format!(
            "The suffix '{found}' of the provided key is incorrect, it should be '{expected}'."
        )));
    }
    Ok(())
}

/// Returns the key with another suffix.
pub(super) fn with_suffix(key: &str, old: &str, new: &str) -> String {
    format!("{}{new}", key.strip_suffix(old).unwrap_or(key))
}

/// Returns where content with another suffix goes.
pub(super) fn resuffixed(record: &Record, suffix: &str) -> Result<Record> {
    let mut next = record.clone();
    let old = record.text("suffix").unwrap_or_default().to_owned();
    for field in ["key", "_real_key"] {
        if let Some(key) = record.text(field).map(str::to_owned) {
            next.set(field, with_suffix(&key, &old, suffix))?;
        }
    }
    next.set("suffix", suffix)?;
    debug_assert!(storage_key(&next) != storage_key(record) || automatic_key(&next) == automatic_key(record));
    Ok(next)
}
