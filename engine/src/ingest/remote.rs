//! Registering what lies in a bucket already: in place, by what its store tells, without reading it.

use std::path::{Path, PathBuf};

use super::place::in_place;
use super::source::{check_suffix, is_table_name};
use super::{Artifact, NewArtifact, Pending, link_run, require_a_hold, set_content};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::Store;
use crate::write;

/// Returns true for the URL of something on another machine.
pub(super) fn is_remote(source: &str) -> bool {
    source.split_once("://").is_some_and(|(scheme, _)| !matches!(scheme, "file" | "local"))
}

impl Instance {
    /// Returns a new artifact for remote content, or the registered one for a place that the registry gave out.
    pub(super) fn remote_artifact(&self, new: &NewArtifact) -> Result<Artifact> {
        let registry = model::require("Artifact")?;
        let url = new.source.replacen(":///", "://", 1);
        let Some((storage, relative)) = self.location_of_url(&url)? else {
            return Err(unknown(&url));
        };
        if let Some(name) = relative.strip_prefix(".lamindb/") {
            return self.by_automatic_name(&storage, name).and_then(|found| {
                let record = found.ok_or_else(|| {
                    Error::value(format!("No artifact of this instance has its content at {url}"))
                })?;
                self.env().emit(Event::Note(format!(
                    "initializing from existing artifact with uid={}",
                    record.uid()
                )));
                Ok(Artifact { record, pending: None, reused: true })
            });
        }
        if let Some(key) = &new.key {
            key::check(key, KeyKind::Virtual)?;
        }
        let store = Store::open(storage.text("root").unwrap_or_default(), self.env())?;
        let stat = store.stat(&relative)?;
        let folder = stat.is_none();
        if folder && !store.is_folder(&relative)? {
            return Err(Error::new(ErrorKind::FileNotFound, url));
        }
        let suffix = check_suffix(self, Path::new(&relative), new)?;
        let table = !folder && is_table_name(Path::new(&relative));
        let place = in_place(storage, relative.clone(), new)?;
        let expected = match (self.creation().skip_size_hash, stat) {
            (true, _) => None,
            (false, Some(stat)) => stat.content,
            (false, None) => store.content(&relative)?,
        };
        if expected.is_none() && !self.creation().skip_size_hash {
            self.env().emit(Event::Warning(format!("did not add hash for {url}")));
        }
        let mut record = Record::empty(registry);
        let inherited = || new.revises.as_ref().and_then(|old| old.text("key").map(str::to_owned));
        let key = place.key.clone().or_else(inherited);
        record.set("key", key.clone())?;
        record.set("_real_key", place.real_key.clone())?;
        record.set("_key_is_virtual", place.key_is_virtual)?;
        record.set("storage", place.storage.id())?;
        record.set("suffix", suffix)?;
        record.set("description", new.description.clone())?;
        record.set("kind", new.kind.clone())?;
        record.set("otype", new.otype.clone().or_else(|| table.then(|| "DataFrame".to_owned())))?;
        record.set("n_observations", new.n_observations)?;
        record.set("version_tag", new.version_tag.clone())?;
        record.set("schema", new.schema)?;
        record.set("_overwrite_versions", new.overwrite_versions.unwrap_or(folder))?;
        if let Some(branch) = new.branch {
            record.set("branch", branch)?;
            record.set("created_on", branch)?;
        }
        if let Some(space) = new.space {
            record.set("space", space)?;
        }
        set_content(&mut record, expected.as_ref())?;
        let run = link_run(self, &mut record, new.run)?;
        let family = self.family(new, &place, key.as_deref(), &mut record)?;
        require_a_hold(&record, run)?;
        self.announce(&place, &record);
        write::prefill(self, &mut record)?;
        record.settle();
        let source = PathBuf::from(url);
        Ok(Artifact {
            record,
            reused: false,
            pending: Some(Pending { in_place: true, folder, expected, family, ..Pending::copy_of(source) }),
        })
    }

    /// Returns the artifact that the registry stores under an automatic name.
    fn by_automatic_name(&self, storage: &Record, name: &str) -> Result<Option<Record>> {
        let uid = name.split(['.', '/']).next().unwrap_or_default();
        let artifacts = self.registry("Artifact")?.filter(Q::is("storage_id", storage.id()))?;
        match uid.len() {
            20 => artifacts.filter(Q::is("uid", uid))?.first(),
            16 => artifacts.filter(Q::family(uid))?.order_by(["-is_latest", "-uid"])?.first(),
            _ => Ok(None),
        }
    }
}

fn unknown(url: &str) -> Error {
    let (root, _) = url.rsplit_once('/').unwrap_or((url, ""));
    Error::new(
        ErrorKind::UnknownStorageLocation,
        format!(
            "Path {url} is not contained in any known storage location: register one that holds it first, such as \
             ln.Storage(root='{root}').save()"
        ),
    )
}
