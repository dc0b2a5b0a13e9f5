//! Saving one artifact: content first, then the row that shows it.
//!
//! Where the content gets a place of its own, it is stored before the row exists, so that no row ever shows bytes
//! that are not there. Where it takes the place of other content (real keys, folders that share one store), it waits
//! under a name of its own; the row is written first and stays incomplete until the content is in its place.

use serde_json::json;

use super::change::former;
use super::dedup::remove_temporary;
use super::holder::{claim, release, shares};
use super::over::{Over, stage_key};
use super::place::storage_key;
use super::progress::Progress;
use super::{Artifact, Family, Pending, is_incomplete};
use crate::content::Content;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::hash::HashKind;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Published, Store};
use crate::value::{Kind, Value};
use crate::write::{self, demote_head, next_uid, read_row, select_row};

/// What the write transaction found.
pub(super) enum Outcome {
    /// The row was inserted.
    Inserted,
    /// A row of the same storage, key and content exists.
    Existing(i64),
}

/// What becomes of a new row.
pub(super) enum Decision {
    /// A row of the same storage, key and content exists.
    Existing(i64),
    /// It is a version after this one, or the first of its family.
    New(Option<Record>),
}

/// How far the first transaction of a save got.
enum Entered {
    Done(Outcome),
    /// The row is inserted but incomplete: its place holds other content, perhaps that of the version before.
    Over(Option<Record>),
}

impl Instance {
    /// Saves an artifact: stores its content if that is still to be done, and writes its row.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] when the source is gone, [`ErrorKind::Integrity`] when the key belongs to another
    /// artifact, and whatever the store reports; nothing is left half-done.
    pub fn save_artifact(&self, artifact: &mut Artifact) -> Result<()> {
        self.look_at_lazy(artifact)?;
        let Some(pending) = artifact.pending.clone() else { return self.save_fields(artifact) };
        if !pending.source.exists() {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!(
                    "Unable to save the artifact because the local path {} does not exist.",
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

    /// Completes, restores or revives a row that exists.
    fn save_existing(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
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

    /// Takes headship from the family; `now` gives it to this row at once, else updating the row does.
    pub(super) fn make_head(&self, tx: &Tx<'_>, record: &Record, now: bool) -> Result<()> {
        demote_head(tx, record.registry(), record.stem_uid(), record.int("branch_id").unwrap_or(1))?;
        if !now {
            return Ok(());
        }
        let mut sql = Sql::new("UPDATE \"lamindb_artifact\" SET \"is_latest\" = ");
        sql.bind(true).push(" WHERE \"id\" = ").bind(record.id());
        tx.execute(&sql).map(|_| ())
    }

    /// Stores content for a row that exists; returns where the former content still lies when that is elsewhere.
    fn store_again(&self, record: &Record, pending: &Pending) -> Result<Option<String>> {
        let id = record.id().unwrap_or_default();
        let before = former(record).unwrap_or_else(|| record.clone());
        let (from, place) = (storage_key(&before), storage_key(record));
        let store = self.store(record)?;
        let staged = stage_key(self, record);
        let published = self.publish(&store, record, pending, &staged)?;
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
            if !free && Content::identify(&store.path(&place)?)?.1.digest != content.digest {
                return Err(taken_by_another(&store, &place));
            }
            if marked {
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

    fn save_in_place(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        let mut record = artifact.record.clone();
        write::fill(self, &mut record)?;
        write::check(&record)?;
        let content = match (&pending.content, &pending.expected) {
            (Some(content), _) => Some(content.clone()),
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
        let outcome = self.db().write(|tx| {
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
        self.conclude(artifact, record, pending, &outcome)
    }

    /// Stores a copy under a name of its own; the write transaction gives out uid and place.
    fn save_copied(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        let mut record = artifact.record.clone();
        write::fill(self, &mut record)?;
        write::check(&record)?;
        let store = self.store(&record)?;
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
                let staged = match pending.family {
                    Family::New if record.flag("_key_is_virtual") => storage_key(&record),
                    _ => stage_key(self, &record),
                };
                let content = Content::of_published(&self.publish(&store, &record, pending, &staged)?)?;
                (staged, content)
            }
        };
        faults::hit("save.staged");
        let entered = self.db().write(|tx| {
            let base = match self.decide(tx, &mut record, pending, Some(&content))? {
                Decision::Existing(id) => return Ok(Entered::Done(Outcome::Existing(id))),
                Decision::New(base) => base,
            };
            let place = storage_key(&record);
            let over = place != staged && shares(&record) && store.exists(&place)?;
            if over {
                self.refuse_foreign(tx, &record, &content)?;
                record.set("_aux", Value::Json(json!({"so": 1})))?;
            }
            let id = insert_version(tx, &record, base.as_ref())?;
            record.put_id(id);
            content.write(tx, id, self.env().now())?;
            if over {
                return Ok(Entered::Over(base));
            }
            claim(tx, &record)?;
            if place != staged {
                // A save that was killed before its row was written may have left content under this uid.
                if !shares(&record) {
                    store.remove(&place)?;
                }
                faults::hit("save.before_rename");
                store.rename(&staged, &place, &self.publishing())?;
            }
            faults::hit("save.renamed");
            Ok(Entered::Done(Outcome::Inserted))
        });
        faults::hit("save.committed");
        let outcome = match entered {
            Ok(Entered::Done(outcome)) => outcome,
            Ok(Entered::Over(base)) => {
                self.complete_over(&record, base.as_ref(), &store, &staged, pending.lazy)?;
                Outcome::Inserted
            }
            Err(error) => {
                // What a user wrote himself stays, so that he can save it again.
                if !pending.lazy {
                    store.remove(&staged).ok();
                }
                return Err(error);
            }
        };
        self.conclude(artifact, record, pending, &outcome)?;
        if matches!(outcome, Outcome::Existing(_)) {
            store.remove(&staged)?;
        }
        Ok(())
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
        let over = Over { record, store, staged, fresh: true, swapped: false.into() };
        let Err(error) = self.put_over(&over, &|tx| mark(tx, id, Visible::Complete)) else { return Ok(()) };
        self.env().emit(Event::StoreFailed { repr: record.repr() });
        if !over.swapped.get() {
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
    fn publish(&self, store: &Store, record: &Record, pending: &Pending, key: &str) -> Result<Published> {
        self.env().emit(Event::Storing {
            uid: record.uid().to_owned(),
            path: store.path(&storage_key(record))?.display().to_string(),
        });
        let total = pending.expected.as_ref().map_or(0, |content| content.size);
        let progress = Progress::new(self.env(), record.text("key").unwrap_or(record.uid()), total);
        let step = |bytes| {
            progress.add(bytes);
            Ok(())
        };
        let how = Publish { content: pending.expected.as_ref(), progress: &step, ..self.publishing() };
        store.publish(&pending.source, key, &how)
    }

    pub(crate) fn store(&self, record: &Record) -> Result<Store> {
        let id = record.int("storage_id").unwrap_or_default();
        let storage = self.by_id(model::require("Storage")?, id)?;
        if !self.manages(&storage) {
            return Err(Error::value(
                "Cannot save an artifact to a storage location that is not managed by the current instance.",
            ));
        }
        Ok(Store::local(storage.text("root").unwrap_or_default(), self.env()))
    }

    /// Returns how content is published: as durable as the session asks for.
    pub(crate) fn publishing(&self) -> Publish<'static> {
        Publish { durable: self.creation().durable, ..Publish::default() }
    }

    /// Takes over what the transaction decided.
    pub(super) fn conclude(
        &self,
        artifact: &mut Artifact,
        mut record: Record,
        pending: &Pending,
        outcome: &Outcome,
    ) -> Result<()> {
        let registry = record.registry();
        match outcome {
            Outcome::Inserted => {
                if let Some(position) = registry.position("_aux") {
                    record.put(position, Value::Null);
                }
                record.settle();
                artifact.record = record;
                Ok(())
            }
            Outcome::Existing(id) => {
                let mut existing = self.by_id(registry, *id)?;
                let from_trash = existing.int("branch_id") == Some(-1);
                self.env().emit(Event::ReturnedSameHashAndKey {
                    registry: "Artifact",
                    repr: existing.repr(),
                    from_trash,
                });
                if from_trash {
                    existing.set("branch_id", 1i64)?;
                }
                let (revive, resume) = self.needs(&existing, true)?;
                artifact.record = existing;
                let again = Pending {
                    resume: resume && (pending.lazy || !pending.in_place),
                    revive,
                    ..pending.clone()
                };
                self.save_existing(artifact, &again)
            }
        }
    }

    /// Returns whether saving an existing row again makes it the latest, and whether it stores its content again.
    pub(super) fn needs(&self, existing: &Record, same_key: bool) -> Result<(bool, bool)> {
        let latest = existing.flag("is_latest");
        let revive = same_key && !latest;
        let resume = match self.holds_place(existing)? {
            true => is_incomplete(existing) || !self.artifact_path(existing)?.exists(),
            // Only what is, or becomes, the latest may take the place from another version.
            false => latest || revive,
        };
        Ok((revive, resume))
    }

    /// Inside the write transaction: equal rows, the family, and the version. Nothing is written.
    pub(super) fn decide(
        &self,
        tx: &Tx<'_>,
        record: &mut Record,
        pending: &Pending,
        content: Option<&Content>,
    ) -> Result<Decision> {
        if let Some(existing) = self.equal_row(tx, record, content)? {
            return Ok(Decision::Existing(existing));
        }
        let registry = record.registry();
        let branch = record.int("branch_id").unwrap_or(1);
        let base = match &pending.family {
            Family::Revises { id, was_head } => {
                let base = row(tx, registry, Q::is("id", *id), self)?;
                match base {
                    Some(base) if base.flag("is_latest") || !was_head => Some(base),
                    Some(base) => {
                        return Err(Error::integrity(format!(
                            "Cannot revise a non-latest record: revises={}; pass the latest version instead",
                            base.repr()
                        )));
                    }
                    None => {
                        return Err(Error::does_not_exist(
                            "The version passed as `revises` is no longer in the database: construct the artifact again",
                        ));
                    }
                }
            }
            _ => head_in(tx, record, branch)?,
        };
        if let Some(base) = &base {
            if matches!(pending.family, Family::Revises { .. }) {
                self.refuse_key_clash(tx, record, base.stem_uid())?;
            }
            record.set("uid", next_uid(tx, registry, base.stem_uid())?)?;
            if !record.flag("_overwrite_versions") && base.flag("_overwrite_versions") {
                record.set("_overwrite_versions", true)?;
            }
        }
        Ok(Decision::New(base))
    }

    /// Returns the row with the same storage, key and content; where only the hash is equal, the new row gets a hash
    /// that covers everything.
    fn equal_row(&self, tx: &Tx<'_>, record: &mut Record, content: Option<&Content>) -> Result<Option<i64>> {
        let Some(hash) = record.text("hash").map(str::to_owned) else { return Ok(None) };
        let mut sql = Sql::new("SELECT \"id\" FROM \"lamindb_artifact\" WHERE \"storage_id\" = ");
        sql.bind(record.int("storage_id")).push(" AND \"hash\" = ").bind(hash);
        match record.text("key") {
            Some(key) => sql.push(" AND \"key\" = ").bind(key),
            None => sql.push(" AND \"key\" IS NULL"),
        };
        if let Some(own) = record.id() {
            sql.push(" AND \"id\" <> ").bind(own);
        }
        let Some(id) = tx.scalar(&sql, Kind::BigInt)?.and_then(|id| id.as_int()) else { return Ok(None) };
        let covers = record
            .text("_hash_type")
            .and_then(|kind| kind.parse::<HashKind>().ok())
            .is_some_and(|kind| kind.covers_content());
        let Some(content) = content.filter(|_| !covers) else { return Ok(Some(id)) };
        let mut sql = Sql::new("SELECT \"digest\" FROM \"holotype_content\" WHERE \"artifact_id\" = ");
        sql.bind(id);
        let known = tx.scalar(&sql, Kind::Text)?.map(|digest| digest.to_string());
        if known.as_deref() == Some(content.digest.to_hex().as_str()) {
            return Ok(Some(id));
        }
        let (hash, kind) = content.digest.to_hash();
        record.set("hash", hash.as_str())?;
        record.set("_hash_type", kind.to_string())?;
        // The full digest decides now; a row that carries it already holds the very same content.
        self.equal_row(tx, record, None)
    }

    /// Refuses content that another row holds under the same key, perhaps in the trash.
    pub(super) fn refuse_equal(
        &self,
        tx: &Tx<'_>,
        record: &mut Record,
        content: Option<&Content>,
    ) -> Result<()> {
        let Some(id) = self.equal_row(tx, record, content)? else { return Ok(()) };
        let other = row(tx, record.registry(), Q::is("id", id), self)?;
        let other = other.as_ref().map_or_else(String::new, |other| {
            let place = if other.int("branch_id") == Some(-1) { " in the trash" } else { "" };
            format!("{}{place}", other.uid())
        });
        Err(Error::integrity(format!(
            "Artifact {other} holds the same content under key '{}': use that one, or delete it permanently first",
            record.text("key").unwrap_or("None")
        )))
    }

    /// Refuses a key that an artifact of another family uses in the same storage location and space.
    pub(super) fn refuse_key_clash(&self, tx: &Tx<'_>, record: &Record, stem: &str) -> Result<()> {
        let Some(key) = record.text("key").filter(|_| !self.creation().allow_key_clash) else {
            return Ok(());
        };
        let mut sql = Sql::new("SELECT \"uid\" FROM \"lamindb_artifact\" WHERE \"key\" = ");
        sql.bind(key).push(" AND \"storage_id\" = ").bind(record.int("storage_id"));
        sql.push(" AND \"space_id\" = ").bind(record.int("space_id").unwrap_or(1));
        sql.push(" AND \"branch_id\" <> -1 AND substr(\"uid\", 1, 16) <> ").bind(stem).push(" LIMIT 1");
        let Some(other) = tx.scalar(&sql, Kind::Text)? else { return Ok(()) };
        let root = self.by_id(model::require("Storage")?, record.int("storage_id").unwrap_or_default())?;
        Err(Error::integrity(format!(
            "key '{key}' is already used by artifact {other} in storage '{}'; choose another key or pass revises=…",
            root.text("root").unwrap_or_default()
        )))
    }

    /// Links the artifact to the run that made the same content again.
    pub(super) fn note_recreated(&self, artifact: &Artifact) -> Result<()> {
        if artifact.reused {
            self.track_recreation(&artifact.record, None)?;
        }
        Ok(())
    }
}

/// Whether a row shows its content from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    Complete,
    Incomplete,
}

/// Inserts the row of a version and takes headship from the others of its family.
pub(super) fn insert_version(tx: &Tx<'_>, record: &Record, base: Option<&Record>) -> Result<i64> {
    if let Some(base) = base {
        let branch = record.int("branch_id").unwrap_or(1);
        demote_head(tx, record.registry(), base.stem_uid(), branch)?;
    }
    write::insert(tx, record)
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
    let path = store.path(place).map_or_else(|_| place.to_owned(), |path| path.display().to_string());
    Error::new(
        ErrorKind::FileExists,
        format!(
            "Cannot store the content at {path} because something lies there already: choose another key"
        ),
    )
}

/// Shows the content of a row, or marks it as incomplete.
pub(super) fn mark(tx: &Tx<'_>, id: i64, visible: Visible) -> Result<()> {
    let mut sql = Sql::new("UPDATE \"lamindb_artifact\" SET \"_aux\" = ");
    // Other programs keep notes of their own in the same document.
    sql.push(match visible {
        Visible::Complete => "NULLIF(json_remove(\"_aux\", '$.so'), '{}')",
        Visible::Incomplete => "json_set(COALESCE(NULLIF(\"_aux\", 'null'), '{}'), '$.so', 1)",
    });
    sql.push(" WHERE \"id\" = ").bind(id);
    tx.execute(&sql).map(|_| ())
}

/// Returns the head of the family that holds the record's key in its storage location.
fn head_in(tx: &Tx<'_>, record: &Record, branch: i64) -> Result<Option<Record>> {
    let Some(key) = record.text("key") else { return Ok(None) };
    let registry = record.registry();
    let mut sql = select_row(registry);
    sql.push(" WHERE \"key\" = ").bind(key).push(" AND \"storage_id\" = ").bind(record.int("storage_id"));
    sql.push(" AND \"branch_id\" IN (").binds([branch.into(), Value::Int(1)]);
    sql.push(") AND \"is_latest\" = ").bind(true);
    sql.push(" ORDER BY \"branch_id\" = ")
        .bind(branch)
        .push(" DESC, \"created_at\" DESC, \"id\" DESC LIMIT 1");
    read_row(tx, registry, &sql)
}

pub(super) fn row(
    tx: &Tx<'_>,
    registry: &'static crate::model::Registry,
    q: Q,
    instance: &Instance,
) -> Result<Option<Record>> {
    let mut sql = select_row(registry);
    sql.push(" WHERE \"id\" IN (").append(instance.query(registry).filter(q)?.subquery("id")?).push(")");
    read_row(tx, registry, &sql)
}
