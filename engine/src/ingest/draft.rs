//! The row of a new artifact, before anything is written.

use super::place::{Place, storage_key};
use super::{Family, NewArtifact, link_run, require_a_hold, set_content};
use crate::error::Result;
use crate::event::Event;
use crate::hash::ContentHash;
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::write;

/// What a look at the source told.
pub(super) struct Seen<'a> {
    pub(super) suffix: &'a str,
    pub(super) otype: Option<String>,
    pub(super) folder: bool,
    /// Hash and size, where they are known.
    pub(super) content: Option<&'a ContentHash>,
}

impl Instance {
    /// Returns the row of new content and the family it joins, and says where the content goes.
    pub(super) fn draft(&self, new: &NewArtifact, place: &Place, seen: Seen<'_>) -> Result<(Record, Family)> {
        let mut record = Record::empty(model::require("Artifact")?);
        let inherited = || new.revises.as_ref().and_then(|old| old.text("key").map(str::to_owned));
        let key = place.key.clone().or_else(inherited);
        record.set("key", key.clone())?;
        record.set("_real_key", place.real_key.clone())?;
        record.set("_key_is_virtual", place.key_is_virtual)?;
        record.set("storage", place.storage.id())?;
        record.set("suffix", seen.suffix)?;
        record.set("description", new.description.clone())?;
        record.set("kind", new.kind.clone())?;
        record.set("otype", seen.otype)?;
        record.set("n_observations", new.n_observations)?;
        record.set("version_tag", new.version_tag.clone())?;
        record.set("schema", new.schema)?;
        record.set("_overwrite_versions", new.overwrite_versions.unwrap_or(seen.folder))?;
        if let Some(branch) = new.branch {
            record.set("branch", branch)?;
            record.set("created_on", branch)?;
        }
        if let Some(space) = new.space {
            record.set("space", space)?;
        }
        set_content(&mut record, seen.content)?;
        let run = link_run(self, &mut record, new.run)?;
        let family = self.family(new, place, key.as_deref(), &mut record)?;
        require_a_hold(&record, run)?;
        self.announce(place, &record);
        write::prefill(self, &mut record)?;
        record.settle();
        Ok((record, family))
    }

    /// Says where the content goes.
    fn announce(&self, place: &Place, record: &Record) {
        if place.in_place {
            let key = place.real_key.clone().or_else(|| place.key.clone()).unwrap_or_default();
            self.env().emit(Event::InPlace { root: place.root(), key });
        } else {
            self.env().emit(Event::WillCopy { key: place.key.clone(), storage_key: storage_key(record) });
        }
    }
}
