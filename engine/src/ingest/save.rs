//! Saving one artifact: content first, then the row that shows it.
//!
//! Where the content gets a place of its own, it is stored before the row exists, so that no row ever shows bytes
//! that are not there. Where it takes the place of other content (real keys, folders that share one store), the row is
//! written first and marked incomplete until the content is in its place.

use serde_json::json;

use super::change::former;
use super::dedup::remove_temporary;
use super::place::{automatic_key, storage_key};
use super::{Artifact, Family, Pending, is_incomplete};
use crate::content::Content;
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hash::{HashKind, digest_file};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Published, Store};
use crate::uid;
use crate::value::{Kind, Value};
use crate::write::{self, demote_head, next_uid, read_row, select_row};

/// What the write transaction found.
pub(super) enum Outcome {
    /// The row was inserted under this id; the uid is the final one.
    Inserted(i64),
    /// A row of the same storage, key and content exists.
    Existing(i64),
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
        } else if pending.in_place {
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
        let key = storage_key(&artifact.record);
        let stale = former_key(&artifact.record).filter(|stale| pending.resume && *stale != key);
        let mut content = None;
        if pending.resume {
            let published = self.publish_over(&artifact.record, pending, &key)?;
            content = Some(Content::of_published(&published)?);
        }
        if pending.revive {
            artifact.record.set("is_latest", true)?;
        }
        let record = &artifact.record;
        self.db().write(|tx| {
            if pending.revive {
                demote_head(tx, record.registry(), record.stem_uid(), record.int("branch_id").unwrap_or(1))?;
            }
            write::update(self, tx, record)?;
            match (&content, record.id()) {
                (Some(content), Some(id)) => {
                    mark(tx, id, Visible::Complete)?;
                    content.write(tx, id, self.env().now())
                }
                _ => Ok(()),
            }
        })?;
        artifact.record.settle();
        if pending.resume && is_incomplete(&artifact.record) {
            let fresh = self.by_id(artifact.record.registry(), artifact.record.id().unwrap_or_default())?;
            artifact.record = fresh;
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

    /// Stores content where the row may hold other content already: the row is marked incomplete meanwhile.
    fn publish_over(&self, record: &Record, pending: &Pending, key: &str) -> Result<Published> {
        let replaces = !is_incomplete(record) && self.artifact_path(record)?.exists();
        let Some(id) = record.id().filter(|_| replaces) else { return self.publish(record, pending, key) };
        self.db().write(|tx| mark(tx, id, Visible::Incomplete))?;
        let published = self.publish(record, pending, key);
        if published.is_err() {
            // Publishing is one step: the old content is still whole.
            self.db().write(|tx| mark(tx, id, Visible::Complete))?;
        }
        published
    }

    fn save_in_place(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        write::fill(self, &mut artifact.record)?;
        let content = match (&pending.content, &pending.expected) {
            (Some(content), _) => Some(content.clone()),
            (None, Some(expected)) => Some(Content::of_file(digest_file(&pending.source)?, expected)),
            (None, None) => None,
        };
        let record = &mut artifact.record;
        let outcome = self.db().write(|tx| {
            let outcome = self.settle(tx, record, pending, content.as_ref(), Visible::Complete)?;
            if let (Outcome::Inserted(id), Some(content)) = (&outcome, &content) {
                content.write(tx, *id, self.env().now())?;
                self.place_lazy(record, pending)?;
            }
            Ok(outcome)
        })?;
        self.conclude(artifact, pending, &outcome)
    }

    fn save_copied(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        write::fill(self, &mut artifact.record)?;
        write::check(&artifact.record)?;
        if self.replaces_content(&artifact.record, pending)? {
            return self.save_over(artifact, pending);
        }
        let store = self.store(&artifact.record)?;
        // Versions of one key may be saved by many processes at once: each stores under a name of its own, and the
        // write transaction gives out the final one.
        let staged = match pending.family {
            Family::New if artifact.record.flag("_key_is_virtual") => storage_key(&artifact.record),
            _ => format!(
                "{}.part",
                automatic_key(&artifact.record)
                    .replace(artifact.record.stem_uid(), &uid::random(self.env(), 16))
            ),
        };
        let published = self.publish(&artifact.record, pending, &staged)?;
        let content = Content::of_published(&published)?;
        let record = &mut artifact.record;
        let outcome = self.db().write(|tx| {
            let outcome = self.settle(tx, record, pending, Some(&content), Visible::Complete)?;
            if let Outcome::Inserted(id) = outcome {
                content.write(tx, id, self.env().now())?;
                let place = storage_key(record);
                if place != staged {
                    // A save that was killed before its row was written may have left content under this uid.
                    if record.flag("_key_is_virtual") {
                        store.remove(&place)?;
                    }
                    store.rename(&staged, &place, &self.publishing())?;
                }
            }
            Ok(outcome)
        });
        match outcome {
            Ok(Outcome::Inserted(id)) => self.conclude(artifact, pending, &Outcome::Inserted(id)),
            Ok(Outcome::Existing(id)) => {
                store.remove(&staged)?;
                self.conclude(artifact, pending, &Outcome::Existing(id))
            }
            // Somebody else stored content under the same real key meanwhile: it is a version to follow now.
            Err(error)
                if error.kind() == ErrorKind::FileExists && !artifact.record.flag("_key_is_virtual") =>
            {
                store.remove(&staged).ok();
                self.save_over(artifact, pending)
            }
            Err(error) => {
                store.remove(&staged).ok();
                Err(error)
            }
        }
    }

    /// Saves content that takes the place of other content: the row comes first and stays incomplete meanwhile.
    fn save_over(&self, artifact: &mut Artifact, pending: &Pending) -> Result<()> {
        let record = &mut artifact.record;
        let outcome = self
            .db()
            .write(|tx| self.settle(tx, record, pending, pending.content.as_ref(), Visible::Incomplete))?;
        let Outcome::Inserted(id) = outcome else { return self.conclude(artifact, pending, &outcome) };
        let key = storage_key(&artifact.record);
        let published = match self
            .keep_or_warn(&artifact.record)
            .and_then(|()| self.publish(&artifact.record, pending, &key))
        {
            Ok(published) => published,
            Err(error) => {
                self.env().emit(Event::StoreFailed { repr: artifact.record.repr() });
                self.withdraw(&artifact.record, id)?;
                return Err(error);
            }
        };
        let content = Content::of_published(&published)?;
        self.db().write(|tx| {
            mark(tx, id, Visible::Complete)?;
            content.write(tx, id, self.env().now())
        })?;
        self.conclude(artifact, pending, &Outcome::Inserted(id))
    }

    /// Takes a row back whose content could not be stored.
    fn withdraw(&self, record: &Record, id: i64) -> Result<()> {
        let promoted = self.db().write(|tx| {
            let mut row = record.clone();
            row.put_id(id);
            let promoted = write::promote_head(tx, &row)?;
            write::delete_in(tx, row.registry(), &[id])?;
            Ok(promoted)
        })?;
        if let Some(uid) = promoted {
            self.env().emit(Event::NewLatest { registry: "Artifact", uid });
        }
        Ok(())
    }

    /// Returns true when the place of the content is taken by another version or by a file.
    fn replaces_content(&self, record: &Record, pending: &Pending) -> Result<bool> {
        if record.flag("_overwrite_versions") && pending.family != Family::New {
            return Ok(true);
        }
        Ok(!record.flag("_key_is_virtual") && self.artifact_path(record)?.exists())
    }

    /// Before a real key's content is replaced: moves the old content away when that is wanted, else says what goes.
    fn keep_or_warn(&self, record: &Record) -> Result<()> {
        if record.flag("_key_is_virtual") {
            return Ok(());
        }
        let former = self
            .query(record.registry())
            .filter(Q::is("key", record.text("key")))?
            .filter(Q::is("storage_id", record.int("storage_id")))?
            .filter(Q::is("_key_is_virtual", false))?
            .exclude(Q::is("uid", record.uid()))?
            .order_by(["-id"])?
            .first()?;
        let Some(mut former) = former else {
            let path = self.artifact_path(record)?;
            return Err(Error::new(
                ErrorKind::FileExists,
                format!(
                    "{} exists and belongs to no artifact: register it in place or choose another key",
                    path.display()
                ),
            ));
        };
        if !self.creation().keep_versions {
            self.env().emit(Event::OverwritesVersion { uid: former.uid().to_owned() });
            return Ok(());
        }
        let (from, to) = (storage_key(&former), automatic_key(&former));
        let store = self.store(record)?;
        store.publish(&store.path(&from)?, &to, &self.publishing())?;
        former.set("_key_is_virtual", true)?;
        self.db().write(|tx| write::update(self, tx, &former))?;
        self.env().emit(Event::KeptVersionContent { uid: former.uid().to_owned(), path: to });
        Ok(())
    }

    /// Stores the source at `key` of the record's location and checks that it is what was hashed.
    fn publish(&self, record: &Record, pending: &Pending, key: &str) -> Result<Published> {
        let store = self.store(record)?;
        self.env().emit(Event::Storing {
            uid: record.uid().to_owned(),
            path: store.path(key)?.display().to_string(),
        });
        let how = Publish { content: pending.expected.as_ref(), ..self.publishing() };
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
        pending: &Pending,
        outcome: &Outcome,
    ) -> Result<()> {
        let registry = artifact.record.registry();
        match outcome {
            Outcome::Inserted(id) => {
                artifact.record.put_id(*id);
                if let Some(position) = registry.position("_aux") {
                    artifact.record.put(position, Value::Null);
                }
                artifact.record.settle();
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
                if pending.lazy {
                    remove_temporary(&pending.source);
                }
                let resume = !pending.in_place
                    && (is_incomplete(&existing) || !self.artifact_path(&existing)?.exists());
                artifact.record = existing;
                let again = Pending { resume, revive: false, ..pending.clone() };
                self.save_existing(artifact, &again)
            }
        }
    }

    /// Inside the write transaction: equal rows, the family, the version, the head, and the insert.
    pub(super) fn settle(
        &self,
        tx: &Tx<'_>,
        record: &mut Record,
        pending: &Pending,
        content: Option<&Content>,
        visible: Visible,
    ) -> Result<Outcome> {
        if let Some(existing) = self.equal_row(tx, record, content)? {
            return Ok(Outcome::Existing(existing));
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
        if let Some(base) = base {
            if matches!(pending.family, Family::Revises { .. }) {
                self.refuse_key_clash(tx, record, base.stem_uid())?;
            }
            let stem = base.stem_uid().to_owned();
            record.set("uid", next_uid(tx, registry, &stem)?)?;
            if !record.flag("_overwrite_versions") && base.flag("_overwrite_versions") {
                record.set("_overwrite_versions", true)?;
            }
            demote_head(tx, registry, &stem, branch)?;
        }
        if visible == Visible::Incomplete {
            record.set("_aux", Value::Json(json!({"so": 1})))?;
        }
        write::insert(tx, record).map(Outcome::Inserted)
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
        let (Some(run), record) = (self.context().run, &artifact.record) else { return Ok(()) };
        if !artifact.reused || record.int("run_id") == Some(run) {
            return Ok(());
        }
        if self.related(record, "input_of_runs")?.filter(Q::is("id", run))?.exists()? {
            return Ok(());
        }
        self.link(record, "recreating_runs", &[run])
    }
}

/// Whether a row shows its content from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visible {
    Complete,
    Incomplete,
}

/// Returns where the content of a changed record lay before; `None` when nothing that places it has changed.
fn former_key(record: &Record) -> Option<String> {
    former(record).map(|before| storage_key(&before))
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

fn row(
    tx: &Tx<'_>,
    registry: &'static crate::model::Registry,
    q: Q,
    instance: &Instance,
) -> Result<Option<Record>> {
    let mut sql = select_row(registry);
    sql.push(" WHERE \"id\" IN (").append(instance.query(registry).filter(q)?.subquery("id")?).push(")");
    read_row(tx, registry, &sql)
}
