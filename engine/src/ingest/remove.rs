//! Permanent deletion of artifacts: intent first, then content, then the row.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::place::storage_key;
use super::save::{Visible, mark};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::write::{self, DeletePlan};

/// What the permanent deletion of an artifact removes.
#[derive(Clone, Debug)]
pub struct ArtifactDeletion {
    /// The rows that go.
    pub rows: DeletePlan,
    /// Where the content lies.
    pub path: PathBuf,
    /// True when the user has to say whether the content goes as well.
    pub question: bool,
    /// True when the content goes without a question.
    pub content: bool,
    /// True when all versions go because they share one store.
    pub all_versions: bool,
    records: Vec<Record>,
    storage_ignored: bool,
}

impl ArtifactDeletion {
    /// Returns how many rows go, in all and by registry.
    pub fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        self.rows.counts()
    }
}

impl Instance {
    /// Returns what the permanent deletion of an artifact removes.
    ///
    /// `storage` says whether the content goes: `None` leaves it to the kind of key, real keys ask.
    ///
    /// # Errors
    /// [`ErrorKind::Integrity`] for content outside of this instance's locations, [`ErrorKind::Protected`] when a
    /// collection or another record needs the artifact.
    pub fn plan_artifact_delete(&self, record: &Record, storage: Option<bool>) -> Result<ArtifactDeletion> {
        let registry = record.registry();
        let id =
            record.id().ok_or_else(|| Error::invalid("record is not yet saved, delete has no effect"))?;
        let location =
            self.by_id(crate::model::require("Storage")?, record.int("storage_id").unwrap_or_default())?;
        if !self.manages(&location) && storage != Some(false) {
            return Err(Error::integrity(format!(
                "Cannot simply delete artifacts outside of this instance's managed storage locations. (1) If you only want \
                 to delete the record, pass `storage=False` (2) If you want to delete the data as well, connect to the \
                 writing lamindb instance (uid={}).",
                location.text("instance_uid").unwrap_or("unknown")
            )));
        }
        let path = self.artifact_path(record)?;
        let shared = record.flag("_overwrite_versions");
        let all_versions = shared && record.flag("is_latest");
        let mut records = vec![record.clone()];
        if all_versions {
            records = self.query(registry).filter(Q::family(record.stem_uid()))?.all()?;
        }
        let older_of_shared = shared && !all_versions;
        let real = !record.flag("_key_is_virtual") || record.text("_real_key").is_some();
        let keeps_others = self.place_is_shared(record, &records)?;
        let (question, content) = match storage {
            _ if older_of_shared || keeps_others => (false, false),
            Some(content) => (false, content),
            None => (real, !real),
        };
        let ids: Vec<i64> =
            if all_versions { records.iter().filter_map(Record::id).collect() } else { vec![id] };
        Ok(ArtifactDeletion {
            rows: self.plan_delete(registry, &ids)?,
            path,
            question,
            content,
            all_versions: all_versions && records.len() > 1,
            records,
            storage_ignored: older_of_shared && storage == Some(true),
        })
    }

    /// Returns true when a row that stays uses the same place.
    fn place_is_shared(&self, record: &Record, gone: &[Record]) -> Result<bool> {
        if record.flag("_key_is_virtual")
            && record.text("_real_key").is_none()
            && !record.flag("_overwrite_versions")
        {
            return Ok(false);
        }
        let key = storage_key(record);
        let same_location = Q::is("storage_id", record.int("storage_id").unwrap_or_default());
        let same_key = Q::is("_real_key", key.as_str()).or(Q::is("key", key.as_str())
            .and(Q::is("_key_is_virtual", false))
            .and(Q::is("_real_key__isnull", true)));
        let others = self.query(record.registry()).filter(same_location.and(same_key))?.all()?;
        Ok(others.iter().any(|other| !gone.iter().any(|record| record.id() == other.id())))
    }

    /// Deletes what was planned. `content` is the answer to the plan's question.
    ///
    /// A deletion that is killed half-way leaves a row that yields no bytes and can be deleted again.
    pub fn apply_artifact_delete(&self, plan: &ArtifactDeletion, content: bool) -> Result<()> {
        let Some(record) = plan.records.first() else { return Ok(()) };
        let registry = record.registry();
        let remove = if plan.question { content } else { plan.content };
        if plan.all_versions {
            self.env().emit(Event::DeletingAllVersions);
        }
        if plan.storage_ignored {
            self.env().emit(Event::StorageArgumentIgnored);
        }
        let ids = plan.rows.ids(registry.name);
        let path = plan.path.display().to_string();
        if remove && plan.path.exists() {
            // A half-removed folder must never be taken for content.
            self.db().write(|tx| ids.iter().try_for_each(|id| mark(tx, *id, Visible::Incomplete)))?;
            let store = self.store(record)?;
            store.remove(&storage_key(record))?;
        }
        let promoted = self.db().write(|tx| {
            let promoted = if ids.len() == 1 { write::promote_head(tx, record)? } else { None };
            write::delete_in(tx, registry, &ids)?;
            Ok(promoted)
        })?;
        if remove {
            self.env().emit(Event::Deleted { path });
        } else if plan.path.exists() && !plan.storage_ignored {
            self.env().emit(Event::Remains { path });
        }
        if let Some(uid) = promoted {
            self.env().emit(Event::NewLatest { registry: "Artifact", uid });
        }
        Ok(())
    }

    /// Deletes the content and row of an artifact without asking; for callers that have the answer.
    ///
    /// # Errors
    /// As [`Instance::plan_artifact_delete`]; [`ErrorKind::InvalidArgument`] when the answer is missing.
    pub fn delete_artifact(&self, record: &Record, storage: Option<bool>) -> Result<()> {
        let plan = self.plan_artifact_delete(record, storage)?;
        if plan.question {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "Say whether the content at {} goes as well: pass storage=True or storage=False",
                    plan.path.display()
                ),
            ));
        }
        self.apply_artifact_delete(&plan, plan.content)
    }
}
