//! Which family a new version joins, and who leads it.

use super::place::Place;
use super::{Family, NewArtifact};
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::model::{self, Registry};
use crate::query::Q;
use crate::record::Record;
use crate::value::Value;
use crate::version;
use crate::write::{demote_head, records, select_row};

impl Instance {
    /// Decides which family the record joins and gives it its uid.
    pub(super) fn family(
        &self,
        new: &NewArtifact,
        place: &Place,
        key: Option<&str>,
        record: &mut Record,
    ) -> Result<Family> {
        let registry = record.registry();
        let base = match (&new.revises, key) {
            (Some(revises), _) => {
                if revises.registry().name != "Artifact" {
                    return Err(Error::type_("`revises` has to be of type `Artifact`"));
                }
                Some(self.head_for(revises)?)
            }
            (None, Some(key)) => self.head_by_key(key, place)?,
            (None, None) => None,
        };
        record.set("is_latest", true)?;
        let Some(base) = base else {
            record.set("uid", version::first_uid(self.env(), registry.stem_len))?;
            return Ok(Family::New);
        };
        if let (Some(old), Some(tag)) = (base.text("version_tag"), new.version_tag.as_deref())
            && old == tag
        {
            return Err(Error::value(format!(
                "Please change the version tag or leave it `None`, '{tag}' is already taken"
            )));
        }
        let stem = base.stem_uid().to_owned();
        // Only a first look: the write transaction gives out the final version.
        let newest = self.query(registry).filter(Q::family(&stem))?.order_by(["-uid"])?.first()?;
        let suffix = version::next_suffix(newest.iter().filter_map(|other| other.uid().strip_prefix(&stem)))?;
        record.set("uid", format!("{stem}{suffix}"))?;
        if record.get("description").is_none_or(Value::is_null) && new.revises.is_some() {
            record.set("description", base.text("description"))?;
        }
        if new.overwrite_versions.is_none() {
            record.set("_overwrite_versions", base.flag("_overwrite_versions"))?;
        }
        match (&new.revises, key) {
            (Some(revises), key) => {
                if let (Some(old), Some(new)) = (base.text("key"), key)
                    && old != new
                {
                    self.env().emit(Event::RenamingArtifact { from: old.to_owned(), to: new.to_owned() });
                }
                let id = base.id().unwrap_or_default();
                Ok(Family::Revises { id, was_head: revises.id() == base.id() || base.flag("is_latest") })
            }
            (None, key) => {
                self.env().emit(Event::NewVersion {
                    key: key.unwrap_or_default().to_owned(),
                    storage: place.root(),
                });
                // The head was uploaded to another location: its key there says nothing about this one.
                match base.id().filter(|_| base.int("storage_id") != place.storage.id()) {
                    Some(id) => Ok(Family::Revises { id, was_head: true }),
                    None => Ok(Family::ByKey),
                }
            }
        }
    }

    /// Returns the head of the family that `revises` belongs to, on its branch.
    pub(crate) fn head_for(&self, revises: &Record) -> Result<Record> {
        if revises.id().is_none() {
            return Err(Error::value("Save the version passed as `revises` first"));
        }
        match self.head_of(revises)? {
            Some(head) if head.id() != revises.id() => {
                self.env().emit(Event::RevisesNotLatest { repr: head.repr() });
                Ok(head)
            }
            Some(head) => Ok(head),
            None => Ok(revises.clone()),
        }
    }

    /// Returns the head of the record's family on its branch.
    pub(super) fn head_of(&self, record: &Record) -> Result<Option<Record>> {
        self.query(record.registry())
            .filter(Q::family(record.stem_uid()))?
            .filter(Q::is("is_latest", true))?
            .filter(Q::is("branch_id", record.int("branch_id").unwrap_or(1)))?
            .first()
    }

    /// Returns the version to follow for a key that is in use in the same storage location.
    pub(super) fn head_by_key(&self, key: &str, place: &Place) -> Result<Option<Record>> {
        let registry = model::require("Artifact")?;
        let sql = leading(registry, key, place.storage.id(), self.branch_id());
        let found = records(registry, self.db().rows(&sql, &registry.kinds())?).into_iter().next();
        match found {
            None => Ok(None),
            Some(head) if head.flag("is_latest") => Ok(Some(head)),
            Some(version) => self.head_of(&version)?.map(Some).ok_or_else(|| {
                Error::integrity(format!(
                    "Cannot create a new artifact version: matching non-trashed artifacts exist for key '{key}', but none \
                     is the latest; pass revises= to say which one to follow"
                ))
            }),
        }
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
}

/// Returns the statement that finds who leads the rows of a key in a storage location: a head if there is one, that of
/// `branch` before that of `main`.
pub(super) fn leading(registry: &'static Registry, key: &str, storage: Option<i64>, branch: i64) -> Sql {
    let mut sql = select_row(registry);
    sql.push(" WHERE \"key\" = ").bind(key).push(" AND \"storage_id\" = ").bind(storage);
    sql.push(" AND \"branch_id\" IN (").binds([branch.into(), Value::Int(1)]);
    sql.push(") ORDER BY \"is_latest\" DESC, \"branch_id\" = ").bind(branch);
    sql.push(" DESC, \"created_at\" DESC, \"id\" DESC LIMIT 1");
    sql
}
