//! Registering what lies in a bucket already: in place, by what its store tells, without reading it.

use std::path::{Path, PathBuf};

use super::dedup::{self, Request};
use super::draft::Seen;
use super::place::{in_place, storage_key};
use super::source::{check_suffix, is_table_name};
use super::{Artifact, NewArtifact, Pending};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hash::ContentHash;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::key::{self, KeyKind};
use crate::query::Q;
use crate::record::Record;
use crate::store::{Stat, Store, content_of};

/// Returns true for the URL of something on another machine.
pub(super) fn is_remote(source: &str) -> bool {
    source.split_once("://").is_some_and(|(scheme, _)| !matches!(scheme, "file" | "local"))
}

impl Instance {
    /// Returns a new artifact for remote content, or the registered one for a place that the registry gave out.
    pub(super) fn remote_artifact(&self, new: &NewArtifact) -> Result<Artifact> {
        let url = new.source.replacen(":///", "://", 1);
        let known = match self.location_of_url(&url)? {
            Some(known) => Some(known),
            None => self.reference_giver(&url)?,
        };
        let Some((storage, relative)) = known else { return Err(self.unknown(&url)?) };
        if let Some(name) = relative.strip_prefix(".lamindb/") {
            return self.by_automatic_name(&storage, name).and_then(|found| {
                let record = found.ok_or_else(|| {
                    Error::value(format!("No artifact of this instance has its content at {url}"))
                })?;
                self.env().emit(Event::Note(format!(
                    "initializing from existing artifact with uid={}",
                    record.uid()
                )));
                Ok(Artifact { record, pending: None, reused: Some(Box::new(new.clone())) })
            });
        }
        if let Some(key) = &new.key {
            key::check(key, KeyKind::Virtual)?;
        }
        let store = Store::open(storage.text("root").unwrap_or_default(), self.env())?;
        let found = store.describe(&relative)?;
        self.described_artifact(new, &url, (storage, relative), &found)
    }

    /// Returns a new artifact for remote content as its store describes it, or the one that is registered there.
    pub(super) fn described_artifact(
        &self,
        new: &NewArtifact,
        url: &str,
        (storage, relative): (Record, String),
        found: &[Stat],
    ) -> Result<Artifact> {
        let folder = found.iter().all(|stat| stat.key != relative.trim_end_matches('/'));
        let suffix = check_suffix(self, Path::new(&relative), new)?;
        let table = !folder && is_table_name(Path::new(&relative));
        let place = in_place(storage, relative.clone(), new)?;
        let source = PathBuf::from(url);
        let skip = self.creation().skip_size_hash;
        let expected = content_of(found, &relative).filter(|_| !skip);
        if expected.is_none() && !skip {
            self.env().emit(Event::Warning(format!("did not add hash for {url}")));
        }
        if let Some(content) = &expected
            && new.revises.is_none()
            && let Some(found) = self.registered_at(&place.storage, &relative, content)?
        {
            let request = Request { source: &source, new, place: &place, content: Some(content) };
            return dedup::reuse(self, found, &request, None);
        }
        let otype = new.otype.clone().or_else(|| table.then(|| "DataFrame".to_owned()));
        let seen = Seen { suffix: &suffix, otype, folder, content: expected.as_ref() };
        let (record, family) = self.draft(new, &place, seen)?;
        Ok(Artifact {
            record,
            reused: None,
            pending: Some(Pending { in_place: true, folder, expected, family, ..Pending::copy_of(source) }),
        })
    }

    /// Returns the artifact that has its content at this very place and knows it by the same hash: as far as the store tells,
    /// what lies there has not changed since.
    fn registered_at(&self, storage: &Record, key: &str, content: &ContentHash) -> Result<Option<Record>> {
        let equal = self
            .registry("Artifact")?
            .filter(Q::is("storage_id", storage.id()))?
            .filter(Q::is("hash", content.hash.as_str()))?
            .filter(Q::untrashed())?
            .order_by(["-id"])?
            .all()?;
        Ok(equal.into_iter().find(|record| storage_key(record) == key))
    }

    /// Returns the artifact that the registry stores under an automatic name.
    pub(super) fn by_automatic_name(&self, storage: &Record, name: &str) -> Result<Option<Record>> {
        let uid = name.split(['.', '/']).next().unwrap_or_default();
        let artifacts = self.registry("Artifact")?.filter(Q::is("storage_id", storage.id()))?;
        match uid.len() {
            20 => artifacts.filter(Q::is("uid", uid))?.first(),
            16 => artifacts.filter(Q::family(uid))?.order_by(["-is_latest", "-uid"])?.first(),
            _ => Ok(None),
        }
    }

    /// Returns the error for a URL in no location that is registered.
    pub(super) fn unknown(&self, url: &str) -> Result<Error> {
        let wanted = StorageRoot::stored(url)?;
        let place = wanted.join("");
        let folder =
            place.trim_end_matches('/').rsplit_once('/').map_or(place.as_str(), |(folder, _)| folder);
        let known = self.locations()?;
        let known: Vec<&str> = known.iter().filter_map(|storage| storage.text("root")).collect();
        Ok(Error::new(
            ErrorKind::UnknownStorageLocation,
            format!(
                "Path {url} is not contained in any known storage location: {}; register one that holds it first, such as \
                 ln.Storage(root='{}').save()",
                known.join(", "),
                wanted.with_query(folder)
            ),
        ))
    }
}
