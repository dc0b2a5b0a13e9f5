//! `replace`: other content for the same version.

use std::fmt::Display;

use super::change::resuffixed;
use super::dedup::{self, Request};
use super::place::{Place, storage_key};
use super::remote::is_remote;
use super::source::local_source;
use super::{Artifact, NewArtifact, Pending, RunChoice, is_incomplete, set_content};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::hash;
use crate::instance::Instance;
use crate::record::Record;
use crate::suffix::Suffix;

impl Instance {
    /// Gives a saved artifact other content, kept in memory until it is saved; no version is made.
    ///
    /// Returns the artifact that holds the same content already, if there is one: nothing changes then.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when a file would replace a folder or the source lies in a storage location.
    pub fn replace_content(
        &self,
        artifact: &mut Artifact,
        source: &str,
        temporary: bool,
        run: RunChoice,
    ) -> Result<Option<Record>> {
        let refused = |path: &dyn Display| {
            Error::value(format!("Can only replace with a local path not in any Storage. Found {path}."))
        };
        if is_remote(source) {
            return Err(refused(&source));
        }
        let path = local_source(self, source)?;
        if !temporary && self.location_of(&path)?.is_some() {
            return Err(refused(&path.display()));
        }
        let record = &artifact.record;
        if record.id().is_some() && !is_incomplete(record) && !self.holds_place(record)? {
            return Err(Error::value(format!(
                "Cannot replace the content of artifact {}: another version has taken its place; replace that of the \
                 latest version or save a new one",
                record.uid()
            )));
        }
        let folder = path.is_dir();
        let was_folder = record.get("n_files").is_some_and(|n| !n.is_null());
        if folder != was_folder {
            return Err(Error::value(match folder {
                true => "It is not allowed to replace a file with a folder.",
                false => "It is not allowed to replace a folder with a file.",
            }));
        }
        let content = if folder { hash::hash_folder(&path)?.content } else { hash::hash_file(&path)? };
        let new =
            NewArtifact { key: record.text("key").map(str::to_owned), temporary, ..NewArtifact::new(source) };
        let storage = self.storage_of(record)?;
        let place = Place { storage, in_place: false, key: None, real_key: None, key_is_virtual: true };
        let request = Request { source: &path, new: &new, place: &place, content: Some(&content) };
        if let Some(found) = dedup::find(self, &request, None)? {
            self.env().emit(Event::ReturnedSameHash { registry: "Artifact", repr: found.repr() });
            return Ok(Some(found));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let suffix = Suffix::stored(&name, &self.env().formats()).suffix;
        let mut next = resuffixed(record, &suffix)?;
        let real = !record.flag("_key_is_virtual") || record.text("_real_key").is_some();
        if storage_key(&next) != storage_key(record) && real {
            let text = |record: &Record, field: &str| record.text(field).unwrap_or_default().to_owned();
            let pair = |field: &str| (text(record, field), text(&next, field));
            let real_key = record.text("_real_key").is_some().then(|| pair("_real_key"));
            self.env().emit(Event::ReplacesKey { key: pair("key"), real_key });
        }
        set_content(&mut next, Some(&content))?;
        if let RunChoice::Id(id) = run {
            next.set("run", id)?;
        } else if let (RunChoice::Current, Some(id)) = (run, self.context().run) {
            next.set("run", id)?;
        }
        artifact.record = next;
        artifact.pending = Some(Pending {
            temporary,
            folder,
            expected: Some(content),
            resume: true,
            ..Pending::copy_of(path)
        });
        Ok(None)
    }
}
