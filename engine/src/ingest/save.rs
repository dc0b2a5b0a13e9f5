//! Saving one artifact: content first, then the row that shows it.
//!
//! Where the content gets a place of its own, it is stored before the row exists, so that no row ever shows bytes
//! that are not there. Where it takes the place of other content (real keys, folders that share one store), it waits
//! under a name of its own; the row is written first and stays incomplete until the content is in its place.

use serde_json::json;

use super::decide::{Decision, insert_version, row};
use super::dedup::remove_temporary;
use super::holder::{claim, shares};
use super::over::{Over, Visible, Why, mark, stage_key};
use super::place::storage_key;
use super::progress::Progress;
use super::{Artifact, Family, Pending};
use crate::content::Content;
use crate::db::Sql;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::fetch::EarlyCopy;
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Published, Store};
use crate::value::Value;
use crate::write;

/// What the write transaction found.
pub(super) enum Outcome {
    /// The row was inserted.
    Inserted,
    /// A row of the same storage, key and content exists.
    Existing(i64),
}

/// How far the first transaction of a save got.
enum Entered {
    Done(Outcome),
    /// The row is inserted but incomplete: its place holds other content, perhaps that of the version before.
    Over(Option<Record>),
    /// The row is inserted but incomplete: its content is complete, and moves to its place without holding others up.
    Later(Option<Record>),
}

/// Content that waits in its store for the row that gives it a place.
struct Staging<'a> {
    pending: &'a Pending,
    store: &'a Store,
    staged: &'a str,
    content: &'a Content,
}

impl Instance {
    /// Saves an artifact: stores its content if that is still to be done, and writes its row.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when the source is gone, [`ErrorKind::Integrity`] when the key belongs to another
    /// artifact, and whatever the store reports; nothing is left half-done.
    pub fn save_artifact(&self, artifact: &mut Artifact) -> Result<()> {
        loop {
            match self.save_decided(artifact) {
                Err(error)
                    if self.is_deleted(&error, artifact.record.id())? && self.register_anew(artifact) => {}
                saved => return saved,
            }
        }
    }

    /// Saves an artifact as what its constructor took it for.
    fn save_decided(&self, artifact: &mut Artifact) -> Result<()> {
        self.look_at_lazy(artifact)?;
        let Some(pending) = artifact.pending.clone() else { return self.save_fields(artifact) };
        let remote = pending.is_remote();
        let there = match (remote, pending.folder) {
            (false, _) => pending.source.exists(),
            (true, false) => self.is_there(&artifact.record)?,
            (true, true) => {
                let (store, key) = self.located(&artifact.record)?;
                store.is_folder(&key)?
            }
        };
        if !there {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!(
                    "Unable to save the artifact because the {}path {} does not exist.",
                    if remote { "" } else { "local " },
                    pending.source.display()
                ),
            ));
        }
        if artifact.record.id().is_some() {
            self.save_existing(artifact, &pending)?;
        } else if pending.in_place && !pending.lazy {
            self.save_in_place(artifact, &pending)?;
        } else {
            self.save_copied(artifact, &pending)?;
        }
        if pending.temporary {
            remove_temporary(&pending.source);
        }
        artifact.pending = None;
        Ok(())
    }

    fn save_in_place(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        let mut record = artifact.record.clone();
        write::fill(self, &mut record)?;
        write::check(&record)?;
        let content = match (&pending.content, &pending.expected) {
            (Some(content), _) => Some(content.clone()),
            // What its store tells is all that is known of it.
            (None, _) if pending.is_remote() => None,
            (None, Some(expected)) => {
                let (hash, content) = Content::identify(&pending.source)?;
                if hash != *expected {
                    return Err(Error::value(format!(
                        "{} is not the content it was when its hash was taken; create the artifact again",
                        pending.source.display()
                    )));
                }
                Some(content)
            }
            (None, None) => None,
        };
        let wanted = record.clone();
        loop {
            let outcome = self.db().write_contended(|tx| {
                record = wanted.clone();
                let base = match self.decide(tx, &mut record, pending, content.as_ref())? {
                    Decision::Existing(id) => return Ok(Outcome::Existing(id)),
                    Decision::New(base) => base,
                };
                let id = insert_version(tx, &record, base.as_ref())?;
                record.put_id(id);
                if let Some(content) = &content {
                    content.write(tx, id, self.env().now())?;
                }
                claim(tx, &record)?;
                Ok(Outcome::Inserted)
            })?;
            faults::hit("save.committed");
            if self.conclude(artifact, record.clone(), pending, &outcome)? {
                return Ok(());
            }
        }
    }

    /// Stores a copy under a name of its own; the write transaction gives out uid and place.
    fn save_copied(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        let mut record = artifact.record.clone();
        write::fill(self, &mut record)?;
        write::check(&record)?;
        let store = self.store(&record)?;
        // Held until the row is there: nobody else takes the upload up.
        let note = self.upload_note(&store, &pending.source)?;
        let early = EarlyCopy::new(self);
        let (staged, content) = match pending.content.clone().filter(|_| pending.lazy) {
            Some(content) => {
                let staged = self.lazy_key(&store, pending)?;
                if self.publishing().durable {
                    store.flush(&staged)?;
                }
                (staged, content)
            }
            None => {
                // A new family has its place to itself, if nobody uses the key in the meantime.
                let staged = match (self.begun_key(&record, note.as_ref())?, &pending.family) {
                    (Some(begun), _) => begun,
                    (None, Family::New) if record.flag("_key_is_virtual") => storage_key(&record),
                    (None, _) => stage_key(self, &record),
                };
                let meanwhile = || early.make(&store, &record, &pending.source);
                let how = Publish { note: note.as_ref(), meanwhile: Some(&meanwhile), ..self.publishing() };
                let published = self.publish(&store, &record, pending, &staged, how)?;
                (staged, Content::of_published(&published)?)
            }
        };
        faults::hit("save.staged");
        let staging = Staging { pending, store: &store, staged: &staged, content: &content };
        let outcome = loop {
            let (entered, outcome) = self.enter_copied(&record, &staging)?;
            if self.conclude(artifact, entered, pending, &outcome)? {
                break outcome;
            }
        };
        match outcome {
            Outcome::Existing(_) => store.remove(&staged).map(|_| ()),
            Outcome::Inserted => {
                self.keep_copies(&store, &[(&artifact.record, &pending.source)]);
                early.leave_to(&artifact.record);
                Ok(())
            }
        }
    }

    /// Enters the row of content that waits, and brings the content to its place; returns the row as it is then.
    fn enter_copied(&self, wanted: &Record, staging: &Staging<'_>) -> Result<(Record, Outcome)> {
        let Staging { pending, store, staged, content } = *staging;
        let mut record = wanted.clone();
        let entered = self.db().write_contended(|tx| {
            record = wanted.clone();
            let base = match self.decide(tx, &mut record, pending, Some(content))? {
                Decision::Existing(id) => return Ok(Entered::Done(Outcome::Existing(id))),
                Decision::New(base) => base,
            };
            let place = storage_key(&record);
            let taken = place != staged && shares(&record) && store.exists(&place)?;
            if taken {
                self.refuse_foreign(tx, &record, content)?;
            }
            // In a bucket, somebody else's content may be on its way to a place that is free yet.
            let over = taken || place != staged && shares(&record) && store.is_remote();
            if over {
                record.set("_aux", json!({"so": 1}))?;
            }
            // Elsewhere moving means copying: too long for a transaction.
            let later = store.is_remote() && place != staged && !over;
            if later {
                record.set("_aux", json!({"so": 1}))?;
            }
            let id = insert_version(tx, &record, base.as_ref())?;
            record.put_id(id);
            content.write(tx, id, self.env().now())?;
            if over {
                return Ok(Entered::Over(base));
            }
            claim(tx, &record)?;
            if later {
                return Ok(Entered::Later(base));
            }
            if place != staged {
                // A save that was killed before its row was written may have left content under this uid.
                if !shares(&record) {
                    store.remove(&place)?;
                }
                faults::hit("save.before_rename");
                store.rename(staged, &place, &self.publishing())?;
            }
            faults::hit("save.renamed");
            Ok(Entered::Done(Outcome::Inserted))
        });
        faults::hit("save.committed");
        let outcome = match entered {
            Ok(Entered::Done(outcome)) => outcome,
            Ok(Entered::Over(base)) => {
                self.complete_over(&record, base.as_ref(), store, staged, pending.lazy)?;
                Outcome::Inserted
            }
            Ok(Entered::Later(base)) => {
                self.complete_later(&record, base.as_ref(), store, staged)?;
                Outcome::Inserted
            }
            Err(error) => {
                // What a user wrote himself stays, so that he can save it again.
                if !pending.lazy {
                    store.remove(staged).ok();
                }
                return Err(error);
            }
        };
        Ok((record, outcome))
    }

    /// Completes a new row whose content waits elsewhere in its bucket.
    fn complete_later(
        &self,
        record: &Record,
        base: Option<&Record>,
        store: &Store,
        staged: &str,
    ) -> Result<()> {
        let place = storage_key(record);
        // A save that was killed before its row was written may have left content under this uid.
        let moved = store.remove(&place).and_then(|_| store.rename(staged, &place, &self.publishing()));
        faults::hit("save.renamed");
        let Err(error) = moved else {
            return self.db().write(|tx| mark(tx, record.id().unwrap_or_default(), Visible::Complete));
        };
        self.env().emit(Event::StoreFailed { repr: record.repr() });
        store.remove(staged).ok();
        self.withdraw(record, base)?;
        Err(error)
    }

    /// Completes a new row whose place holds other content until now.
    fn complete_over(
        &self,
        record: &Record,
        base: Option<&Record>,
        store: &Store,
        staged: &str,
        lazy: bool,
    ) -> Result<()> {
        let id = record.id().unwrap_or_default();
        let over = Over { record, store, staged, why: Why::New, swapped: false.into() };
        let Err(error) = self.put_over(&over, &|tx| mark(tx, id, Visible::Complete)) else { return Ok(()) };
        if !over.swapped.get() {
            self.env().emit(Event::StoreFailed { repr: record.repr() });
            if !lazy {
                store.remove(staged).ok();
            }
            self.withdraw(record, base)?;
        }
        Err(error)
    }

    /// Takes a row back whose content could not be stored.
    fn withdraw(&self, record: &Record, base: Option<&Record>) -> Result<()> {
        let registry = record.registry();
        self.db().write(|tx| {
            let Some(fresh) = row(tx, registry, Q::is("id", record.id()), self)? else { return Ok(()) };
            if let Some(base) = base.and_then(Record::id).filter(|_| fresh.flag("is_latest")) {
                let mut sql = Sql::new("UPDATE \"lamindb_artifact\" SET \"is_latest\" = ");
                sql.bind(true).push(" WHERE \"id\" = ").bind(base);
                sql.push(" AND \"branch_id\" = ").bind(record.int("branch_id"));
                tx.execute(&sql)?;
            }
            write::delete_in(tx, registry, &[record.id().unwrap_or_default()]).map(|_| ())
        })
    }

    /// Stores the source at `key` of the record's location and checks that it is what was hashed.
    ///
    /// What is told is the place where the content will be found, not the name it bears until then.
    pub(super) fn publish(
        &self,
        store: &Store,
        record: &Record,
        pending: &Pending,
        key: &str,
        how: Publish<'_>,
    ) -> Result<Published> {
        self.env()
            .emit(Event::Storing { uid: record.uid().to_owned(), path: store.url(&storage_key(record))? });
        let total = pending.expected.as_ref().map_or(0, |content| content.size);
        let progress =
            Progress::new(self.env(), "storing", record.text("key").unwrap_or(record.uid()), total);
        let step = |bytes| progress.step(bytes);
        let content = pending.expected.as_ref();
        store.publish_own(&pending.source, key, &Publish { content, progress: &step, ..how })
    }

    pub(crate) fn store(&self, record: &Record) -> Result<Store> {
        let storage = self.storage_of(record)?;
        if !self.manages(&storage) {
            return Err(Error::value(
                "Cannot save an artifact to a storage location that is not managed by the current instance.",
            ));
        }
        Store::open(storage.text("root").unwrap_or_default(), self.env())
    }

    /// Returns how content is published: as durable as the session asks for.
    pub(crate) fn publishing(&self) -> Publish<'static> {
        Publish { durable: self.creation().durable, ..Publish::default() }
    }

    /// Takes over what the transaction decided; returns false when somebody deleted the row that it found since, which is to
    /// be decided anew then.
    pub(super) fn conclude(
        &self,
        artifact: &mut Artifact,
        mut record: Record,
        pending: &Pending,
        outcome: &Outcome,
    ) -> Result<bool> {
        let registry = record.registry();
        match outcome {
            Outcome::Inserted => {
                if let Some(position) = registry.position("_aux") {
                    record.put(position, Value::Null);
                }
                record.settle();
                artifact.record = record;
                Ok(true)
            }
            Outcome::Existing(id) => {
                let draft = artifact.record.clone();
                let adopted = self.adopt(artifact, *id, pending);
                match adopted {
                    Err(error) if self.is_deleted(&error, Some(*id))? => {
                        artifact.record = draft;
                        Ok(false)
                    }
                    adopted => adopted.map(|()| true),
                }
            }
        }
    }

    /// Lets an artifact be the row of the same storage, key and content.
    fn adopt(&self, artifact: &mut Artifact, id: i64, pending: &Pending) -> Result<()> {
        let mut existing = self.by_id(artifact.record.registry(), id)?;
        let from_trash = existing.is_trashed();
        if !self.creation().silence_known {
            let repr = existing.repr();
            self.env().emit(Event::ReturnedSameHashAndKey { registry: "Artifact", repr, from_trash });
        }
        if from_trash {
            existing.set("branch_id", 1i64)?;
        }
        let (revive, resume) = self.needs(&existing, true)?;
        artifact.record = existing;
        let again =
            Pending { resume: resume && (pending.lazy || !pending.in_place), revive, ..pending.clone() };
        self.save_existing(artifact, &again)
    }
}
