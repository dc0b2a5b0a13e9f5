//! `from_lazy`: a place to write to first, an artifact afterwards.

use super::place::Place;
use super::{Artifact, Family, NewArtifact, Pending, RunChoice, link_run, require_a_hold, set_content};
use crate::content::Content;
use crate::error::{Error, ErrorKind, Result};
use crate::hash;
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::model;
use crate::record::Record;
use crate::store::Store;
use crate::suffix::Suffix;
use crate::version;
use crate::write;

impl Instance {
    /// Returns an artifact whose content is still to be written, at its source path, before it is saved.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] when the key has another suffix, and the errors of keys and versions.
    pub fn lazy_artifact(
        &self,
        suffix: &str,
        overwrite_versions: bool,
        key: Option<&str>,
        description: Option<&str>,
        run: RunChoice,
    ) -> Result<Artifact> {
        if let Some(key) = key {
            key::check(key, KeyKind::Virtual)?;
            let of_key = Suffix::stored(key, &self.env().formats()).suffix;
            if of_key != suffix {
                return Err(Error::value(format!(
                    "The suffix '{suffix}' must match the suffix '{of_key}' of key '{key}'."
                )));
            }
        }
        let storage = self.chosen_storage(None)?;
        if storage.text("type") != Some("local") {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{} is no folder of this machine to write to: write a local file and save it as an artifact",
                    storage.text("root").unwrap_or_default()
                ),
            ));
        }
        let place = Place {
            storage,
            in_place: true,
            key: key.map(str::to_owned),
            real_key: None,
            key_is_virtual: true,
        };
        let registry = model::require("Artifact")?;
        let mut record = Record::empty(registry);
        record.set("key", key)?;
        record.set("_key_is_virtual", true)?;
        record.set("storage", place.storage.id())?;
        record.set("suffix", suffix)?;
        record.set("description", description)?;
        record.set("_overwrite_versions", overwrite_versions)?;
        let linked = link_run(self, &mut record, run)?;
        require_a_hold(&record, linked)?;
        let new = NewArtifact { overwrite_versions: Some(overwrite_versions), ..NewArtifact::new("") };
        let family = self.family(&new, &place, key, &mut record)?;
        // Two writers may follow the same version: each writes under a name of its own until it saves.
        let mut draft = record.clone();
        if family != Family::New {
            draft.set("uid", version::first_uid(self.env(), registry.stem_len))?;
        }
        let source = self.artifact_path(&draft)?;
        write::prefill(self, &mut record)?;
        record.settle();
        Ok(Artifact {
            record,
            reused: None,
            pending: Some(Pending { in_place: true, family, lazy: true, ..Pending::copy_of(source) }),
        })
    }

    /// Looks at what was written to the place of a lazy artifact.
    pub(super) fn look_at_lazy(&self, artifact: &mut Artifact) -> Result<()> {
        let Some(pending) = artifact.pending.as_mut().filter(|pending| pending.lazy) else { return Ok(()) };
        if !pending.source.exists() {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!(
                    "Nothing was written to {} yet: write the content there, then save",
                    pending.source.display()
                ),
            ));
        }
        pending.folder = pending.source.is_dir();
        let (content, digest) = if pending.folder {
            let identity = hash::hash_folder(&pending.source)?;
            (identity.content.clone(), Content::of_folder(&identity)?)
        } else {
            let identity = hash::identify_file(&pending.source)?;
            let digest = Content::of_file(identity.digest, &identity.content);
            (identity.content, digest)
        };
        set_content(&mut artifact.record, Some(&content))?;
        pending.content = Some(digest);
        Ok(())
    }

    /// Returns the key at which a lazy artifact was written.
    pub(super) fn lazy_key(&self, store: &Store, pending: &Pending) -> Result<String> {
        let key = pending.source.strip_prefix(store.root()).map_err(|_| {
            Error::invalid(format!("{} does not lie in its storage location", pending.source.display()))
        })?;
        Ok(key.to_string_lossy().into_owned())
    }
}
