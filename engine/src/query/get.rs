//! `get`: one record by uid or by fields.

use super::{Q, QuerySet, lookup};
use crate::error::{Error, Result};
use crate::model::Registry;
use crate::record::Record;
use crate::session::Session;

impl QuerySet {
    /// Returns the record of this query whose uid starts with `uid`; among versions, the latest.
    ///
    /// Trashed records are found as well: a uid names one record wherever it is.
    ///
    /// # Errors
    /// [`crate::ErrorKind::DoesNotExist`] when nothing matches, [`crate::ErrorKind::MultipleResults`] when several
    /// unversioned records or several versions match.
    pub fn get_uid(&self, uid: &str) -> Result<Record> {
        let registry = self.registry();
        if registry.column("uid").is_none() {
            return Err(Error::field(format!("{} has no uid: pass its id or a field", registry.name)));
        }
        let stub = self.filter(Q::family(uid))?;
        let family = registry.traits.versioned && uid.len() <= registry.stem_len;
        if family {
            let latest = stub.filter(Q::is("is_latest", true))?.order_by(["-created_at", "-id"])?;
            if let Some(record) = latest.first()? {
                return Ok(record);
            }
            if let Some(record) = stub.order_by(["-created_at", "-id"])?.first()? {
                return Ok(record);
            }
        } else if let Some(record) = stub.one_or_none()? {
            return Ok(record);
        }
        let name = registry.name_field.unwrap_or("name");
        Err(Error::does_not_exist(format!(
            "No record found with uid '{uid}'. Did you forget a keyword as in {}.get({name}='{uid}')?",
            registry.name
        )))
    }

    /// Returns the one visible record of this query for which `condition` holds; among versions, the latest.
    ///
    /// # Errors
    /// [`crate::ErrorKind::DoesNotExist`] and [`crate::ErrorKind::MultipleResults`] when there is not exactly one.
    pub fn get_where(&self, condition: Q) -> Result<Record> {
        let registry = self.registry();
        let anywhere = self.filter(condition)?;
        let query = anywhere.visible()?;
        let found = match registry.traits.versioned && !query.mentions(&["is_latest", "uid", "id"]) {
            false => query.one_or_none()?,
            true => match query.filter(Q::is("is_latest", true))?.one_or_none()? {
                Some(record) => Some(record),
                None => query.order_by(["-created_at", "-id"])?.first()?,
            },
        };
        found.map_or_else(|| Err(anywhere.hidden()), Ok)
    }

    /// Says that nothing visible matches, and where a match lies that is not.
    fn hidden(&self) -> Error {
        let missing = self.none_matches();
        let trashed = self.registry().column("branch_id").and_then(|_| {
            let trash = self.filter(Q::trashed()).ok()?;
            trash.order_by(["-id"]).ok()?.first().ok()?
        });
        match trashed {
            Some(record) => Error::does_not_exist(format!(
                "{} {} matches but is in the trash: get it by its uid and restore it.",
                missing.message(),
                record.uid()
            )),
            None => missing,
        }
    }
}

impl Session {
    /// Returns the record of a registry whose uid starts with `uid`; see [`QuerySet::get_uid`].
    ///
    /// # Errors
    /// As [`QuerySet::get_uid`].
    pub fn get_uid(&self, registry: &'static Registry, uid: &str) -> Result<Record> {
        QuerySet::new(self, registry).get_uid(uid)
    }

    /// Returns the one visible record of a registry for which `condition` holds; see [`QuerySet::get_where`].
    ///
    /// # Errors
    /// As [`QuerySet::get_where`].
    pub fn get_where(&self, registry: &'static Registry, condition: Q) -> Result<Record> {
        QuerySet::new(self, registry).get_where(condition)
    }

    /// Returns the visible records of a registry whose fields have these values; paths are look-ups.
    pub fn filter<'a>(
        &self,
        registry: &'static Registry,
        conditions: impl IntoIterator<Item = (&'a str, super::Operand)>,
    ) -> Result<QuerySet> {
        let parts: Vec<Q> = conditions
            .into_iter()
            .map(|(path, operand)| Q::Is(lookup::unalias(registry, path), operand))
            .collect();
        QuerySet::new(self, registry).filter(Q::And(parts))?.visible()
    }
}
