//! Saving an artifact whose row exists: completed, given other content, restored, or made the latest again.

use super::change::former;
use super::holder::{claim, release, shares};
use super::over::{Over, Visible, mark, stage_key};
use super::place::storage_key;
use super::restore::is_leaving;
use super::{Artifact, Pending, is_incomplete};
use crate::content::Content;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::Instance;
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
            self.store(&artifact.record)?.remove(&key)?;
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
        let id = record.id().unwrap_or_default();
        let before = former(record).unwrap_or_else(|| record.clone());
        let (from, place) = (storage_key(&before), storage_key(record));
        let store = self.store(record)?;
        let note = self.upload_note(&store, &pending.source)?;
        let staged = self.begun_key(record, note.as_ref())?.unwrap_or_else(|| stage_key(self, record));
        let how = Publish { note: note.as_ref(), ..self.publishing() };
        let published = self.publish(&store, record, pending, &staged, how)?;
        faults::hit("save.staged");
        let content = Content::of_published(&published)?;
        let taken = store.exists(&place)?;
        let whole = self.by_id(record.registry(), id)?;
        let head = if pending.revive { self.head_of(record)? } else { None };
        let marked = taken && from == place && !is_incomplete(&whole);
        let over = Over { record, store: &store, staged: &staged, fresh: false, swapped: false.into() };
        let stored = (|| {
            // A save that was killed before its row was written leaves the very same bytes.
            let free = !taken || from == place || !shares(record);
            if !free && Content::identify_at(&store, &place)?.1.digest != content.digest {
                return Err(taken_by_another(&store, &place));
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
                self.refuse_equal(tx, &mut row, Some(&content))?;
                write::update(self, tx, &row)?;
                write_content(tx, &row)?;
                mark(tx, id, Visible::Complete)?;
                content.write(tx, id, self.env().now())
            })
        })();
        match stored {
            Ok(()) => Ok((from != place).then_some(from)),
            Err(error) => {
                store.remove(&staged).ok();
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

    /// Links the artifact to the run that made the same content again.
    pub(super) fn note_recreated(&self, artifact: &Artifact) -> Result<()> {
        if artifact.reused {
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
