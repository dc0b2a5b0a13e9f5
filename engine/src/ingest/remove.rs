//! Permanent deletion of artifacts: intent first, then content, then the row. Where the database lies in a bucket, the row
//! first, and content when others know of that.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::holder::{Sharing, release, shares};
use super::is_incomplete;
use super::over::{Visible, mark};
use super::place::storage_key;
use crate::db::Tx;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::{Instance, Left};
use crate::query::Q;
use crate::record::Record;
use crate::store::TakenOut;
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
    /// Nothing else may go with it, and nothing may point at it.
    alone: bool,
}

impl ArtifactDeletion {
    /// Returns how many rows go, in all and by registry.
    pub fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        self.rows.counts()
    }

    /// Returns the deletion that is refused as soon as any row points at what would go.
    pub(crate) fn while_unused(self) -> Self {
        ArtifactDeletion { alone: true, ..self }
    }

    /// Returns true for one that is refused as soon as any row points at what would go.
    pub(crate) fn is_while_unused(&self) -> bool {
        self.alone
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
        let location = self.storage_of(record)?;
        if !self.manages(&location) && storage != Some(false) {
            let written_by = match location.text("instance_uid") {
                Some(uid) => format!("connect to the writing lamindb instance (uid={uid})"),
                None => "delete it where it lies: no instance writes there".to_owned(),
            };
            return Err(Error::integrity(format!(
                "Cannot simply delete artifacts outside of this instance's managed storage locations. (1) If you only want \
                 to delete the record, pass `storage=False` (2) If you want to delete the data as well, {written_by}. \
                 The content of artifact {} lies at {}.",
                record.uid(),
                self.artifact_path(record)?.display()
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
            alone: false,
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
        let sharing = Sharing::now(self, record)?;
        let stays = |other: &&Record| !gone.iter().any(|record| record.id() == other.id());
        for other in sharing.others.iter().filter(stays) {
            // A version whose bytes were overwritten loses nothing when the bytes go.
            if self.holds_place(other)? {
                return Ok(true);
            }
        }
        // An older version has nothing at the place that could go.
        Ok(!is_incomplete(record) && !self.holds_place(record)?)
    }

    /// Deletes what was planned. `content` is the answer to the plan's question.
    ///
    /// A deletion that is killed half-way leaves a row that yields no bytes and can be deleted again.
    pub fn apply_artifact_delete(&self, plan: &ArtifactDeletion, content: bool) -> Result<()> {
        self.carry_out(plan, content, None)
    }

    /// Deletes what was planned and moves the content below the key `folder` instead of removing it.
    pub(crate) fn delete_into(&self, plan: &ArtifactDeletion, content: bool, folder: &str) -> Result<()> {
        self.carry_out(plan, content, Some(folder))
    }

    fn carry_out(&self, plan: &ArtifactDeletion, content: bool, folder: Option<&str>) -> Result<()> {
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
        let mut aside = None;
        let there = self.is_there(record)?;
        let left = self.left(record, folder)?;
        let later = match &left {
            Some(left) if remove && there => self.leave_behind(left)?,
            Some(left) if there => self.keep_after_all(left).map(|()| false)?,
            _ => false,
        };
        if remove && there && !later {
            // Intent first: whoever is killed from here on leaves rows that yield no bytes and can be deleted again.
            self.db().write(|tx| ids.iter().try_for_each(|id| mark(tx, *id, Visible::Leaving)))?;
            faults::hit("delete.marked");
        }
        let promoted = self.db().write(|tx| {
            if remove {
                self.refuse_newcomers(tx, &plan.records)?;
            }
            if plan.alone {
                write::refuse_referenced(tx, registry, &ids)?;
            }
            let promoted = if ids.len() == 1 { write::promote_head(tx, record)? } else { None };
            release(tx, &plan.records)?;
            write::delete_in(tx, registry, &ids)?;
            faults::hit("delete.before_content");
            if remove && !later {
                aside = self.store(record)?.take_out(&storage_key(record))?;
            }
            faults::hit("delete.content");
            Ok(promoted)
        });
        let promoted = match promoted {
            Ok(promoted) => promoted,
            Err(error) => {
                if let Some(aside) = aside {
                    aside.put_back()?;
                }
                if let Some(left) = left.filter(|_| later) {
                    self.keep_after_all(&left)?;
                }
                plan.records
                    .iter()
                    .filter(|_| remove && !later)
                    .try_for_each(|record| self.show_again(record, None))?;
                return Err(error);
            }
        };
        faults::hit("delete.committed");
        if matches!(aside, Some(TakenOut::Object { .. })) {
            // Others shall not have a row whose content is gone.
            self.send()?;
            faults::hit("delete.sent");
        }
        match (aside, folder) {
            (Some(aside), None) => aside.remove()?,
            (Some(aside), Some(folder)) => {
                let key = format!("{folder}/{}", storage_key(record));
                aside.move_to(&self.store(record)?, &key, &self.publishing())?;
            }
            (None, _) => {}
        }
        if later && folder.is_none() {
            self.env().emit(Event::DeletedLater { path });
        } else if remove && folder.is_none() {
            self.env().emit(Event::Deleted { path });
        } else if !remove && there && !plan.storage_ignored {
            self.env().emit(Event::Remains { path });
        }
        if let Some(uid) = promoted {
            self.env().emit(Event::NewLatest { registry: "Artifact", uid });
        }
        Ok(())
    }

    /// Returns the content of an artifact as something to leave behind, to be moved into a folder if one is given; nothing
    /// where nobody else has a copy of the database.
    fn left(&self, record: &Record, folder: Option<&str>) -> Result<Option<Left>> {
        if !self.has_database_in_bucket() {
            return Ok(None);
        }
        let place = storage_key(record);
        let into = folder.map(|folder| format!("{folder}/{place}"));
        let location = self.storage_of(record)?;
        let root = location.text("root").unwrap_or_default().to_owned();
        Ok(Some(Left { storage: location.id().unwrap_or_default(), root, place, into }))
    }

    /// Fails when a row that was not there when the deletion was planned uses the content.
    fn refuse_newcomers(&self, tx: &Tx<'_>, gone: &[Record]) -> Result<()> {
        let Some(record) = gone.first().filter(|record| shares(record)) else { return Ok(()) };
        let sharing = Sharing::within(tx, record)?;
        let stays = |row: &Record| !gone.iter().any(|gone| gone.id() == row.id());
        let newest = gone.iter().filter_map(Record::id).max();
        let newcomer = sharing.others.iter().filter(|row| stays(row)).find(|row| row.id() > newest);
        match newcomer.or_else(|| sharing.holder.as_ref().filter(|row| stays(row))) {
            None => Ok(()),
            Some(other) => Err(Error::integrity(format!(
                "The content of artifact {} belongs to artifact {} as well: plan the deletion again",
                record.uid(),
                other.uid()
            ))),
        }
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
