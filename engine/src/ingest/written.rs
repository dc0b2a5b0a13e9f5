//! Stores that were opened to be changed: what was written to them where they lie becomes the next version.

use super::draft::Seen;
use super::place::{Place, storage_key};
use super::{Artifact, NewArtifact, Pending, RunChoice};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::hash::ContentHash;
use crate::instance::Instance;
use crate::record::Record;
use crate::store::{Stat, Store, content_of};

impl Instance {
    /// Refuses to let the content of an artifact be changed where it lies, unless its next version has the same place.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] saying what to do instead; [`crate::ErrorKind::IncompleteArtifact`] for content that was
    /// never completely stored.
    pub fn check_writable(&self, record: &Record) -> Result<()> {
        let refused = |what: &str| {
            Err(Error::value(format!(
                "The content of artifact {} cannot be changed where it lies, because {what}: save a changed copy of \
                 `.cache()` as its next version",
                record.uid()
            )))
        };
        if record.id().is_none() || !record.flag("is_latest") {
            return refused("it is not the latest version");
        }
        if record.flag("_key_is_virtual")
            && record.text("_real_key").is_none()
            && !record.flag("_overwrite_versions")
        {
            return refused("each of its versions has a place of its own");
        }
        let location = self.storage_of(record)?;
        if !self.manages(&location) {
            return refused("its storage location belongs to another instance");
        }
        self.held(&self.present(record)?).map(drop)
    }

    /// Makes a version of what was written to the folder of an artifact, at the same place; nothing when it is what it was.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileNotFound`] when nothing lies there any more, else as [`Instance::save_artifact`].
    pub fn save_written(&self, record: &Record, run: RunChoice) -> Result<Option<Record>> {
        let (store, key) = self.located(record)?;
        let (hash, content) = found_at(&store, &key)?;
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        let same_digest = match (&known, &content) {
            (Some(known), Some(content)) => known.digest == content.digest,
            _ => true,
        };
        if same_digest && record.text("hash") == Some(hash.hash.as_str()) {
            return Ok(None);
        }
        let text = |field: &str| record.text(field).map(str::to_owned);
        let storage = self.storage_of(record)?;
        let place = Place {
            storage,
            in_place: true,
            key: text("key"),
            real_key: text("_real_key"),
            key_is_virtual: record.flag("_key_is_virtual"),
        };
        let new = NewArtifact {
            kind: text("kind"),
            description: text("description"),
            n_observations: record.int("n_observations"),
            schema: record.int("schema_id"),
            branch: record.int("branch_id"),
            space: record.int("space_id"),
            revises: Some(record.clone()),
            overwrite_versions: Some(record.flag("_overwrite_versions")),
            run,
            ..NewArtifact::new(store.url(&storage_key(record))?)
        };
        let suffix = text("suffix").unwrap_or_default();
        let seen = Seen { suffix: &suffix, otype: text("otype"), folder: true, content: Some(&hash) };
        let (draft, family) = self.draft(&new, &place, seen)?;
        let mut artifact = Artifact {
            record: draft,
            reused: None,
            pending: Some(Pending {
                in_place: true,
                folder: true,
                expected: Some(hash),
                family,
                content,
                ..Pending::copy_of(new.source.into())
            }),
        };
        self.save_artifact(&mut artifact)?;
        // What was written is there already, under a row that promises what was there before.
        self.tell_others(&store)?;
        Ok(Some(artifact.record))
    }
}

/// Returns hash and content of a folder; of one in a bucket only the hash, without reading it, where the tags of its files
/// tell.
fn found_at(store: &Store, key: &str) -> Result<(ContentHash, Option<Content>)> {
    if store.is_remote() {
        let stats = store.stats(&format!("{}/", key.trim_end_matches('/')))?;
        let covered = |stat: &Stat| stat.content.as_ref().is_some_and(|told| told.kind.covers_content());
        if let Some(hash) = content_of(&stats, key).filter(|_| stats.iter().all(covered)) {
            return Ok((hash, None));
        }
    }
    let (hash, content) = Content::identify_at(store, key)?;
    Ok((hash, Some(content)))
}
