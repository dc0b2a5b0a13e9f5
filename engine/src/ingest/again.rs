//! Saving an artifact whose row exists: completed, given other content, restored, or made the latest again.

use super::change::former;
use super::holder::{claim, release, shares};
use super::over::{Over, Visible, Why, mark, stage_key};
use super::place::storage_key;
use super::restore::is_leaving;
use super::{Artifact, Pending, is_incomplete};
use crate::content::Content;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Store};
use crate::write;

impl Instance {
    /// Completes, restores or revives a row that exists.
    pub(super) fn save_existing(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        if pending.revive {
            artifact.record.set("is_latest", true)?;
        }
        let stale = match pending.resume {
            true => self.store_again(&artifact.record, pending)?,
            false => {
                let record = &artifact.record;
                self.db().write(|tx| {
                    self.revive(tx, record, pending)?;
                    write::update(self, tx, record)?;
                    if pending.in_place { claim(tx, record) } else { Ok(()) }
                })?;
                None
            }
        };
        faults::hit("save.committed");
        artifact.record.settle();
        if pending.resume {
            let id = artifact.record.id().unwrap_or_default();
            artifact.record = self.by_id(artifact.record.registry(), id)?;
            self.keep_copies(&self.store(&artifact.record)?, &[(&artifact.record, &pending.source)]);
        }
        if let Some(key) = stale {
            let store = self.store(&artifact.record)?;
            self.tell_others(&store)?;
            faults::hit("save.told");
            store.remove(&key)?;
            self.env().emit(Event::DeletedStale { key });
        }
        if pending.revive {
            self.env().emit(Event::LatestAgain {
                version: artifact.record.version().unwrap_or_default().to_owned(),
            });
        }
        self.note_recreated(artifact)
    }

    fn revive(&self, tx: &Tx<'_>, record: &Record, pending: &Pending) -> Result<()> {
        if pending.revive { self.make_head(tx, record, false) } else { Ok(()) }
    }

    /// Stores content for a row that exists; returns where the former content still lies when that is elsewhere.
    fn store_again(&self, record: &Record, pending: &Pending) -> Result<Option<String>> {
        let store = self.store(record)?;
        let note = self.upload_note(&store, &pending.source)?;
        let staged = self.begun_key(record, note.as_ref())?.unwrap_or_else(|| stage_key(self, record));
        let how = Publish { note: note.as_ref(), ..self.publishing() };
        let published = self.publish(&store, record, pending, &staged, how)?;
        faults::hit("save.staged");
        let stored = Content::of_published(&published)
            .and_then(|content| self.put_again(record, pending, &store, &staged, &content));
        if stored.is_err() {
            // The first error is the one to tell.
            store.remove(&staged).ok();
        }
        stored
    }

    /// Puts content that waits in the place of a row that exists, as [`Instance::store_again`].
    fn put_again(
        &self,
        record: &Record,
        pending: &Pending,
        store: &Store,
        staged: &str,
        content: &Content,
    ) -> Result<Option<String>> {
        let id = record.id().unwrap_or_default();
        let before = former(record).unwrap_or_else(|| record.clone());
        let (from, place) = (storage_key(&before), storage_key(record));
        let taken = store.exists(&place)?;
        let whole = self.by_id(record.registry(), id)?;
        let head = if pending.revive { self.head_of(record)? } else { None };
        let marked = taken && from == place && !is_incomplete(&whole);
        let over = Over { record, store, staged, why: Why::Again, swapped: false.into() };
        let stored = (|| {
            // A save that was killed before its row was written leaves the very same bytes.
            let free = !taken || from == place || !shares(record);
            if !free && Content::identify_at(store, &place)?.1.digest != content.digest {
                return Err(taken_by_another(store, &place));
            }
            if marked || is_leaving(&whole) {
                self.db().write(|tx| {
                    mark(tx, id, Visible::Incomplete)?;
                    // The version before must not be the latest while its bytes may be gone.
                    if pending.revive { self.make_head(tx, record, true) } else { Ok(()) }
                })?;
                faults::hit("save.marked");
            }
            self.put_over(&over, &|tx| {
                self.refuse_moved(tx, &before)?;
                if from != place {
                    release(tx, std::slice::from_ref(&before))?;
                }
                self.revive(tx, record, pending)?;
                let mut row = record.clone();
                self.refuse_equal(tx, &mut row, Some(content))?;
                write::update(self, tx, &row)?;
                write_content(tx, &row)?;
                mark(tx, id, Visible::Complete)?;
                content.write(tx, id, self.env().now())
            })
        })();
        match stored {
            Ok(()) => Ok((from != place).then_some(from)),
            Err(error) => {
                if marked && !over.swapped.get() {
                    self.show_again(&whole, head.as_ref())?;
                }
                Err(error)
            }
        }
    }

    /// Returns whether saving an existing row again makes it the latest, and whether it stores its content again.
    pub(super) fn needs(&self, existing: &Record, same_key: bool) -> Result<(bool, bool)> {
        let latest = existing.flag("is_latest");
        let revive = same_key && !latest;
        let resume = match self.holds_place(existing)? {
            true => is_incomplete(existing) || !self.is_there(existing)?,
            // Only what is, or becomes, the latest may take the place from another version.
            false => latest || revive,
        };
        Ok((revive, resume))
    }

    /// Returns true when an error is due to somebody who has deleted the row with this id.
    pub(super) fn is_deleted(&self, error: &Error, id: Option<i64>) -> Result<bool> {
        if error.kind() != ErrorKind::DoesNotExist {
            return Ok(false);
        }
        let Some(id) = id else { return Ok(false) };
        Ok(!self.registry("Artifact")?.filter(Q::is("id", id))?.exists()?)
    }

    /// Registers what an artifact was made for anew, after the row of equal content that it was is deleted, and returns
    /// whether that could be done; what was changed since stays changed.
    pub(super) fn register_anew(&self, artifact: &mut Artifact) -> bool {
        let former = &artifact.record;
        // Other content than what was asked for is at stake once it was replaced.
        let Some(new) = artifact.reused.as_deref().filter(|_| former.before("hash").is_none()) else {
            return false;
        };
        // The error of the deleted row is the one to tell.
        let Ok(mut fresh) = self.artifact(new.clone()) else { return false };
        for position in former.changed() {
            let field = former.registry().columns[position].name;
            if !["is_latest", "branch_id"].contains(&field)
                && fresh.record.set(field, former.values()[position].clone()).is_err()
            {
                return false;
            }
        }
        *artifact = fresh;
        true
    }

    /// Links the artifact to the run that made the same content again.
    pub(super) fn note_recreated(&self, artifact: &Artifact) -> Result<()> {
        if artifact.reused.is_some() {
            self.track_recreation(&artifact.record, None)?;
        }
        Ok(())
    }
}

/// Writes all fields that tell of the content: somebody else may have changed some of them meanwhile.
fn write_content(tx: &Tx<'_>, record: &Record) -> Result<()> {
    let mut sql = Sql::new("UPDATE \"lamindb_artifact\" SET \"hash\" = ");
    sql.bind(record.text("hash")).push(", \"_hash_type\" = ").bind(record.text("_hash_type"));
    sql.push(", \"size\" = ").bind(record.int("size"));
    sql.push(", \"n_files\" = ").bind(record.int("n_files"));
    sql.push(" WHERE \"id\" = ").bind(record.id());
    tx.execute(&sql).map(|_| ())
}

fn taken_by_another(store: &Store, place: &str) -> Error {
    let path = store.url(place).unwrap_or_else(|_| place.to_owned());
    Error::new(
        ErrorKind::FileExists,
        format!(
            "Cannot store the content at {path} because something lies there already: choose another key"
        ),
    )
}
