//! Saving a collection: the family, the version, the head, the row and its links in one transaction.

use super::{Collection, Family, Pending, check_schema};
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::key::{self, KeyKind};
use crate::model;
use crate::record::Record;
use crate::value::{Kind, Value};
use crate::write::{self, Conflict, demote_head, id_list, next_uid, read_row, select_row};

/// What the write transaction did.
enum Outcome {
    /// The row was inserted under this id.
    Inserted(i64),
    /// A row of the same key and artifacts exists and is the latest of its family now.
    Existing { record: Box<Record>, from_trash: bool, revived: bool },
}

impl Instance {
    /// Saves a collection: a new one with its links, or the fields that changed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] when the key belongs to another collection or the revised version has been
    /// superseded meanwhile, [`crate::ErrorKind::DoesNotExist`] when an artifact was deleted meanwhile,
    /// [`crate::ErrorKind::Validation`] when artifacts were validated with another schema; nothing is written then.
    pub fn save_collection(&self, collection: &mut Collection) -> Result<()> {
        match collection.pending.clone() {
            Some(Pending::Insert { artifacts, family, repeated }) => {
                if !repeated.is_empty() {
                    self.env().emit(Event::NonUniqueHashes { hashes: repeated });
                }
                self.insert_collection(&mut collection.record, &artifacts, &family)?;
            }
            Some(Pending::Revive) => {
                let record = &mut collection.record;
                record.set("is_latest", true)?;
                self.update_collection(record)?;
                self.tell_revived(record);
            }
            None => self.update_collection(&mut collection.record)?,
        }
        collection.pending = None;
        Ok(())
    }

    fn insert_collection(&self, record: &mut Record, artifacts: &[i64], family: &Family) -> Result<()> {
        write::check(record)?;
        write::fill(self, record)?;
        let outcome = self.db().write_contended(|tx| {
            if let Some(existing) = equal_row(tx, record)? {
                return self.take_existing(tx, existing);
            }
            refuse_missing(tx, artifacts)?;
            refuse_shared_meta(tx, record)?;
            let branch = record.int("branch_id").unwrap_or(1);
            if let Some(base) = base_in(tx, record, family, branch)? {
                let stem = base.stem_uid().to_owned();
                if *family != Family::ByKey {
                    self.refuse_shared_key(tx, record, &stem)?;
                }
                record.set("uid", next_uid(tx, record.registry(), &stem)?)?;
                demote_head(tx, record.registry(), &stem, branch)?;
            }
            let id = write::insert(tx, record)?;
            self.insert_links(tx, id, record.int("run_id"), artifacts)?;
            Ok(Outcome::Inserted(id))
        })?;
        match outcome {
            Outcome::Inserted(id) => {
                record.put_id(id);
                record.settle();
            }
            Outcome::Existing { record: existing, from_trash, revived } => {
                *record = *existing;
                let repr = record.repr();
                self.env().emit(Event::ReturnedSameHashAndKey { registry: "Collection", repr, from_trash });
                if revived {
                    self.tell_revived(record);
                }
            }
        }
        Ok(())
    }

    /// Brings an existing row back from the trash and makes it the latest of its family.
    fn take_existing(&self, tx: &Tx<'_>, mut existing: Record) -> Result<Outcome> {
        let from_trash = existing.is_trashed();
        let revived = !existing.flag("is_latest");
        if from_trash {
            existing.set("branch_id", 1i64)?;
        }
        if from_trash || revived {
            demote_head(
                tx,
                existing.registry(),
                existing.stem_uid(),
                existing.int("branch_id").unwrap_or(1),
            )?;
            existing.set("is_latest", true)?;
            write::update(self, tx, &existing)?;
            existing.settle();
        }
        Ok(Outcome::Existing { record: Box::new(existing), from_trash, revived })
    }

    fn tell_revived(&self, record: &Record) {
        self.env().emit(Event::LatestAgain { version: record.version().unwrap_or_default().to_owned() });
    }

    /// Writes the changed fields of a saved collection.
    fn update_collection(&self, record: &mut Record) -> Result<()> {
        let id = record.id().ok_or_else(|| {
            Error::invalid("The collection is neither new nor saved: make it with Instance::collection")
        })?;
        if let (Some(_), Some(key)) = (record.before("key"), record.text("key")) {
            key::check(key, KeyKind::Virtual)?;
        }
        write::check(record)?;
        if let (Some(_), Some(schema)) = (record.before("schema"), record.int("schema_id")) {
            let artifacts = self.collection_artifacts(record)?.all()?;
            check_schema(schema, record.uid(), artifacts.iter().map(|artifact| artifact.int("schema_id")))?;
        }
        self.db().write(|tx| {
            if record.before("key").is_some() {
                if let Some(other) = equal_row(tx, record)?.filter(|other| other.id() != Some(id)) {
                    return Err(occupied(&other));
                }
                self.refuse_shared_key(tx, record, record.stem_uid())?;
            }
            if record.before("meta_artifact").is_some() {
                refuse_shared_meta(tx, record)?;
            }
            if record.before("is_latest").is_some() && record.flag("is_latest") {
                demote_head(tx, record.registry(), record.stem_uid(), record.int("branch_id").unwrap_or(1))?;
            }
            write::update(self, tx, record)
        })?;
        record.settle();
        Ok(())
    }

    /// Refuses a key that a collection of another family uses.
    fn refuse_shared_key(&self, tx: &Tx<'_>, record: &Record, stem: &str) -> Result<()> {
        if self.creation().allow_key_clash {
            return Ok(());
        }
        let mut sql = Sql::new("SELECT \"uid\" FROM \"lamindb_collection\" WHERE \"key\" = ");
        sql.bind(record.text("key")).push(" AND \"space_id\" = ").bind(record.int("space_id").unwrap_or(1));
        sql.push(" AND \"branch_id\" <> -1 AND NOT (").family(stem).push(") LIMIT 1");
        let Some(other) = tx.scalar(&sql, Kind::Text)? else { return Ok(()) };
        Err(Error::integrity(format!(
            "key '{}' is already used by collection {other}; choose another key or pass revises=…",
            record.text("key").unwrap_or_default()
        )))
    }

    /// Links the artifacts so that ascending link ids give back their order.
    fn insert_links(&self, tx: &Tx<'_>, collection: i64, run: Option<i64>, artifacts: &[i64]) -> Result<()> {
        let registry = model::require("CollectionArtifact")?;
        let mut links = Vec::with_capacity(artifacts.len());
        for artifact in artifacts {
            let mut link = Record::empty(registry);
            link.set("collection", collection)?;
            link.set("artifact", *artifact)?;
            link.set("run", run)?;
            write::fill(self, &mut link)?;
            links.push(link);
        }
        write::insert_batch(tx, &links, Conflict::Fail, &mut vec![None; links.len()])
    }
}

/// Returns the row with the same key and hash, on whatever branch: the format allows one.
fn equal_row(tx: &Tx<'_>, record: &Record) -> Result<Option<Record>> {
    let mut sql = select_row(record.registry());
    sql.push(" WHERE \"key\" = ").bind(record.text("key")).push(" AND \"hash\" = ").bind(record.text("hash"));
    sql.push(" LIMIT 1");
    read_row(tx, record.registry(), &sql)
}

fn occupied(other: &Record) -> Error {
    let place = if other.is_trashed() { ", which is in the trash" } else { "" };
    Error::integrity(format!(
        "key '{}' with the same artifacts is already used by collection {}{place}; choose another key",
        other.text("key").unwrap_or_default(),
        other.uid()
    ))
}

/// Returns the version that the new row follows, as it is inside the transaction.
fn base_in(tx: &Tx<'_>, record: &Record, family: &Family, branch: i64) -> Result<Option<Record>> {
    let registry = record.registry();
    let mut sql = select_row(registry);
    match family {
        Family::Revises { id, was_head } => {
            sql.push(" WHERE \"id\" = ").bind(*id);
            let base = read_row(tx, registry, &sql)?.ok_or_else(|| {
                Error::does_not_exist(
                    "The version passed as `revises` is no longer in the database: construct the collection again",
                )
            })?;
            if *was_head && !base.flag("is_latest") {
                return Err(Error::integrity(format!(
                    "Cannot revise a non-latest record: revises={}; pass the latest version instead",
                    base.repr()
                )));
            }
            Ok(Some(base))
        }
        Family::ByKey => {
            sql.push(" WHERE \"key\" = ").bind(record.text("key"));
            sql.push(" AND \"branch_id\" IN (").binds([branch.into(), Value::Int(1)]);
            sql.push(") AND \"is_latest\" = ").bind(true).push(" ORDER BY \"branch_id\" = ").bind(branch);
            sql.push(" DESC, \"created_at\" DESC, \"id\" DESC LIMIT 1");
            read_row(tx, registry, &sql)
        }
    }
}

/// Refuses artifacts that somebody deleted after the collection was constructed.
fn refuse_missing(tx: &Tx<'_>, artifacts: &[i64]) -> Result<()> {
    let mut sql = Sql::new("SELECT \"id\" FROM \"lamindb_artifact\" WHERE \"id\" IN (");
    sql.append(id_list(artifacts)).push(")");
    let rows = tx.rows(&sql, &[Kind::BigInt])?;
    let present: std::collections::HashSet<i64> =
        rows.iter().filter_map(|row| row.first().and_then(Value::as_int)).collect();
    match artifacts.iter().find(|id| !present.contains(id)) {
        None => Ok(()),
        Some(id) => Err(Error::does_not_exist(format!(
            "Artifact with id {id} is no longer in the database: someone deleted it; construct the collection without it"
        ))),
    }
}

/// Refuses a meta artifact that belongs to another collection: each describes one.
fn refuse_shared_meta(tx: &Tx<'_>, record: &Record) -> Result<()> {
    let Some(meta) = record.int("meta_artifact_id") else { return Ok(()) };
    let mut sql = Sql::new("SELECT \"uid\" FROM \"lamindb_collection\" WHERE \"meta_artifact_id\" = ");
    sql.bind(meta).push(" AND \"uid\" <> ").bind(record.uid());
    let Some(other) = tx.scalar(&sql, Kind::Text)? else { return Ok(()) };
    Err(Error::integrity(format!(
        "The meta artifact with id {meta} belongs to collection {other} already: an artifact can describe one collection \
         only"
    )))
}
