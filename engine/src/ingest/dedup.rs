//! Equal content: the hash nominates, the full digest decides.

use std::path::Path;

use super::place::Place;
use super::{Artifact, NewArtifact, Pending};
use crate::content::Content;
use crate::error::Result;
use crate::event::Event;
use crate::hash::{self, ContentHash};
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::value::Value;

pub(super) struct Request<'a> {
    pub(super) source: &'a Path,
    pub(super) new: &'a NewArtifact,
    pub(super) place: &'a Place,
    pub(super) content: Option<&'a ContentHash>,
}

/// Returns the registered artifact with the very same content: of the same key before any other, then the newest.
pub(super) fn find(
    instance: &Instance,
    request: &Request<'_>,
    known: Option<&Content>,
) -> Result<Option<Record>> {
    let Some(content) = request.content.filter(|content| content.size > 0) else { return Ok(None) };
    let candidates = instance
        .registry("Artifact")?
        .filter(Q::is("hash", content.hash.as_str()))?
        .filter(Q::untrashed())?
        .order_by(["-id"])?
        .all()?;
    let key = request.new.key.as_deref();
    let (same, other): (Vec<Record>, Vec<Record>) =
        candidates.into_iter().partition(|record| key.is_some() && record.text("key") == key);
    let mut own = known.cloned();
    for candidate in same.into_iter().chain(other) {
        if candidate.int("size").is_some_and(|size| i64::try_from(content.size).ok() != Some(size)) {
            continue;
        }
        if content.kind.covers_content() {
            return Ok(Some(candidate));
        }
        if own.is_none() {
            own = Some(Content::of_path(request.source, content)?);
        }
        let stored = instance.content_of(&candidate)?;
        if stored.is_some_and(|stored| own.as_ref().is_some_and(|own| own.digest == stored.digest)) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// Returns the existing record with what the user passed taken over as far as it may be.
pub(super) fn reuse(
    instance: &Instance,
    mut record: Record,
    request: &Request<'_>,
    content: Option<Content>,
) -> Result<Artifact> {
    let new = request.new;
    instance.env().emit(Event::ReturnedSameHash { registry: "Artifact", repr: record.repr() });
    let passed = new.key.as_deref();
    let existing = record.text("key").map(str::to_owned);
    match (existing.as_deref(), passed) {
        (None, Some(key)) if record.flag("_key_is_virtual") => {
            instance.env().emit(Event::UpdatedField {
                field: "key".to_owned(),
                from: "None".to_owned(),
                to: key.to_owned(),
            });
            record.set("key", key)?;
        }
        (Some(existing), Some(key)) if existing != key => instance.env().emit(Event::KeptKey {
            registry: "Artifact",
            existing: existing.to_owned(),
            passed: key.to_owned(),
        }),
        _ => {}
    }
    if let Some(description) = new.description.as_deref()
        && record.text("description") != Some(description)
    {
        instance.env().emit(Event::UpdatedField {
            field: "description".to_owned(),
            from: record.get("description").map_or_else(String::new, Value::to_string),
            to: description.to_owned(),
        });
        record.set("description", description)?;
    }
    let incomplete = is_incomplete(&record);
    let (revive, resume) = instance.needs(&record, passed.is_some() && passed == existing.as_deref())?;
    if resume && !incomplete && !revive {
        instance.env().emit(Event::Warning(format!(
            "the stored content of artifact {} is missing and will be stored again upon `save()`",
            record.uid()
        )));
    }
    let pending = (revive || resume).then(|| Pending {
        temporary: new.temporary,
        in_place: !instance.manages(&request.place.storage),
        folder: request.source.is_dir(),
        expected: request.content.cloned(),
        resume,
        revive,
        content,
        ..Pending::copy_of(request.source.to_owned())
    });
    if pending.is_none() && new.temporary {
        remove_temporary(request.source);
    }
    Ok(Artifact { record, pending, reused: Some(Box::new(new.clone())) })
}

/// Returns true while the content of a row is not completely stored.
pub(crate) fn is_incomplete(record: &Record) -> bool {
    let ongoing = |json: &serde_json::Value| json.get("so").and_then(serde_json::Value::as_i64) == Some(1);
    matches!(record.get("_aux"), Some(Value::Json(json)) if ongoing(json))
}

/// Takes away the file that a face wrote for an object in memory.
pub(super) fn remove_temporary(path: &Path) {
    // A leftover in the cache directory harms nobody: the next clearing takes it.
    if path.is_dir() {
        std::fs::remove_dir_all(path).ok()
    } else {
        std::fs::remove_file(path).ok()
    };
}

/// Returns the digest of a local path that has been hashed already.
impl Content {
    pub(super) fn of_path(path: &Path, content: &ContentHash) -> Result<Content> {
        if path.is_dir() {
            return Content::of_folder(&hash::hash_folder(path)?);
        }
        Ok(Content::of_file(hash::digest_file(path)?, content))
    }
}
