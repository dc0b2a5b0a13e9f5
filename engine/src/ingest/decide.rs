//! Inside the write transaction: whether a row is new, whose version it is, and what it must not clash with.

use super::family::leading;
use super::{Family, Pending};
use crate::content::{Content, recorded_kind};
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model::Registry;
use crate::query::Q;
use crate::record::Record;
use crate::value::Kind;
use crate::write::{self, demote_head, next_uid, read_row, select_row};

/// What becomes of a new row.
pub(super) enum Decision {
    /// A row of the same storage, key and content exists.
    Existing(i64),
    /// It is a version after this one, or the first of its family.
    New(Option<Record>),
}

impl Instance {
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
            Family::ByKey => match head_in(tx, record, branch)? {
                Some(head) => Some(head),
                // The head was uploaded to another location meanwhile.
                None => head_of_family(tx, record, branch)?,
            },
            Family::New => head_in(tx, record, branch)?,
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
        let covers = recorded_kind(record).is_some_and(|kind| kind.covers_content());
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
            let place = if other.is_trashed() { " in the trash" } else { "" };
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
        let root = self.storage_of(record)?;
        Err(Error::integrity(format!(
            "key '{key}' is already used by artifact {other} in storage '{}'; choose another key or pass revises=…",
            root.text("root").unwrap_or_default()
        )))
    }
}

/// Inserts the row of a version and takes headship from the others of its family.
pub(super) fn insert_version(tx: &Tx<'_>, record: &Record, base: Option<&Record>) -> Result<i64> {
    if let Some(base) = base {
        let branch = record.int("branch_id").unwrap_or(1);
        demote_head(tx, record.registry(), base.stem_uid(), branch)?;
    }
    write::insert(tx, record)
}

/// Returns the head of the record's own family, wherever its content lies.
fn head_of_family(tx: &Tx<'_>, record: &Record, branch: i64) -> Result<Option<Record>> {
    let (registry, stem) = (record.registry(), record.stem_uid());
    let mut sql = select_row(registry);
    sql.push(" WHERE ").family(stem);
    sql.push(" AND \"is_latest\" = ").bind(true).push(" AND \"branch_id\" = ").bind(branch);
    read_row(tx, registry, &sql)
}

/// Returns the head of the family that holds the record's key in its storage location.
fn head_in(tx: &Tx<'_>, record: &Record, branch: i64) -> Result<Option<Record>> {
    let Some(key) = record.text("key") else { return Ok(None) };
    let registry = record.registry();
    let found = read_row(tx, registry, &leading(registry, key, record.int("storage_id"), branch))?;
    Ok(found.filter(|head| head.flag("is_latest")))
}

pub(super) fn row(
    tx: &Tx<'_>,
    registry: &'static Registry,
    q: Q,
    instance: &Instance,
) -> Result<Option<Record>> {
    let mut sql = select_row(registry);
    sql.push(" WHERE \"id\" IN (").append(instance.query(registry).filter(q)?.subquery("id")?).push(")");
    read_row(tx, registry, &sql)
}
