//! Families of versions: the next uid, the head, and who follows it.

use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::model::Registry;
use crate::query::{Q, QuerySet};
use crate::record::{Record, TRASH};
use crate::session::Session;
use crate::value::{Kind, Value};
use crate::version;

impl Session {
    /// Returns the versions of a record's family, the newest first; those in the trash are left out.
    pub fn versions(&self, record: &Record) -> Result<QuerySet> {
        let family = self.family_of(record.registry(), record.stem_uid())?;
        let kept =
            if record.registry().traits.branch_aware { family.filter(Q::untrashed())? } else { family };
        kept.order_by(["-created_at", "-id"])
    }

    /// Returns all records whose uid starts with `stem`, wherever they are.
    pub(crate) fn family_of(&self, registry: &'static Registry, stem: &str) -> Result<QuerySet> {
        self.query(registry).filter(Q::is("uid__gte", stem).and(Q::is("uid__lt", format!("{stem}{{"))))
    }
}

/// Returns the uid of the next version in the family of `stem`, over all branches and the trash.
pub(crate) fn next_uid(tx: &Tx<'_>, registry: &'static Registry, stem: &str) -> Result<String> {
    let mut sql = Sql::new("SELECT \"uid\" FROM ");
    sql.ident(registry.table);
    sql.push(" WHERE ").family(stem);
    sql.push(" ORDER BY \"uid\"").bytewise().push(" DESC LIMIT 1");
    // Suffixes sort as their characters do, so the last one is the greatest.
    let newest = tx.scalar(&sql, Kind::Text)?;
    let next =
        version::next_suffix(newest.as_ref().and_then(Value::as_str).and_then(|uid| uid.strip_prefix(stem)))?;
    Ok(format!("{stem}{next}"))
}

/// Takes headship from the family's head on `branch`.
pub(crate) fn demote_head(tx: &Tx<'_>, registry: &'static Registry, stem: &str, branch: i64) -> Result<()> {
    let mut sql = Sql::new("UPDATE ");
    sql.ident(registry.table).push(" SET \"is_latest\" = ").bind(false);
    sql.push(" WHERE ").family(stem);
    sql.push(" AND \"is_latest\" = ").bind(true).push(" AND \"branch_id\" = ").bind(branch);
    tx.execute(&sql).map(|_| ())
}

/// Makes the newest other version on the record's branch the head, if the record is one, and returns its uid.
pub(crate) fn promote_head(tx: &Tx<'_>, record: &Record) -> Result<Option<String>> {
    if !record.flag("is_latest") {
        return Ok(None);
    }
    let registry = record.registry();
    let stem = record.stem_uid();
    let branch = record.int("branch_id").unwrap_or(1);
    let mut sql = Sql::new("SELECT \"id\", \"uid\" FROM ");
    sql.ident(registry.table);
    sql.push(" WHERE ").family(stem);
    sql.push(" AND \"branch_id\" = ").bind(branch).push(" AND \"id\" <> ").bind(record.id());
    sql.push(" ORDER BY \"created_at\" DESC, \"id\" DESC LIMIT 1");
    let Some(row) = tx.rows(&sql, &[Kind::BigInt, Kind::Text])?.into_iter().next() else {
        return Ok(None);
    };
    let (id, uid) = (row[0].as_int().unwrap_or_default(), row[1].to_string());
    let mut sql = Sql::new("UPDATE ");
    sql.ident(registry.table).push(" SET \"is_latest\" = ").bind(true).push(" WHERE \"id\" = ").bind(id);
    tx.execute(&sql)?;
    Ok(Some(uid))
}

/// After a version moved to `branch`: leaves exactly one head there and where it came from, the one that was there before.
///
/// Returns true when the moved version is the head of its branch.
pub(crate) fn settle_heads(tx: &Tx<'_>, record: &Record, from: Option<i64>) -> Result<bool> {
    let registry = record.registry();
    let (id, stem) = (record.id(), record.stem_uid());
    let set = |latest: bool, condition: Sql| -> Result<()> {
        let mut sql = Sql::new("UPDATE ");
        sql.ident(registry.table)
            .push(" SET \"is_latest\" = ")
            .bind(latest)
            .push(" WHERE ")
            .append(condition);
        tx.execute(&sql).map(|_| ())
    };
    let on = |branch: i64| {
        let mut sql = Sql::default();
        sql.family(stem).push(" AND \"branch_id\" = ").bind(branch);
        sql
    };
    let first = |condition: Sql| -> Result<Option<i64>> {
        let mut sql = Sql::new("SELECT \"id\" FROM ");
        sql.ident(registry.table).push(" WHERE ").append(condition);
        sql.push(" ORDER BY \"created_at\" DESC, \"id\" DESC LIMIT 1");
        Ok(tx.scalar(&sql, Kind::BigInt)?.and_then(|id| id.as_int()))
    };
    let head = |branch: i64| {
        let mut sql = on(branch);
        sql.push(" AND \"is_latest\" = ").bind(true);
        sql
    };
    let branch = record.int("branch_id").unwrap_or(1);
    let mut other = head(branch);
    other.push(" AND \"id\" <> ").bind(id);
    let leads = first(other)?.is_none();
    let mut own = Sql::new("\"id\" = ");
    own.bind(id);
    set(leads, own)?;
    if let Some(from) = from.filter(|from| *from != TRASH)
        && first(head(from))?.is_none()
        && let Some(heir) = first(on(from))?
    {
        let mut own = Sql::new("\"id\" = ");
        own.bind(heir);
        set(true, own)?;
    }
    Ok(leads)
}
