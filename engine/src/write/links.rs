//! Links between records: add, remove, set, clear, on any relation and in both directions.

use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::model::{self, Registry, Relation, Via};
use crate::query::{Q, QuerySet};
use crate::record::Record;
use crate::session::Session;
use crate::value::{Kind, Value};

use super::{id_list, insert, values};

impl Session {
    /// Returns the records at the other end of a relation.
    pub fn related(&self, record: &Record, relation: &str) -> Result<QuerySet> {
        let (relation, target, id) = resolve(record, relation)?;
        let query = QuerySet::new(self, target);
        match relation.via {
            Via::Foreign { column } => query.filter(Q::is(column, id)),
            Via::Link { registry, near, far } => {
                let link = model::require(registry)?;
                let ids = QuerySet::new(self, link).filter(Q::is(near, id))?;
                query.filter(Q::Is(
                    "id__in".to_owned(),
                    crate::Operand::Query(Box::new(ids), Some(far.to_owned())),
                ))
            }
        }
    }

    /// Links a record to others; links that exist already are left as they are.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Field`] for an unknown relation, [`crate::ErrorKind::Value`] for an unsaved record.
    pub fn link(&self, record: &Record, relation: &str, targets: &[i64]) -> Result<()> {
        self.db().write(|tx| self.link_in(tx, record, relation, targets))
    }

    pub(crate) fn link_in(
        &self,
        tx: &Tx<'_>,
        record: &Record,
        relation: &str,
        targets: &[i64],
    ) -> Result<()> {
        let (relation, target, id) = resolve(record, relation)?;
        match relation.via {
            Via::Foreign { column } => {
                if targets.is_empty() {
                    return Ok(());
                }
                let mut sql = Sql::new("UPDATE ");
                sql.ident(target.table).push(" SET ").ident(column).push(" = ").bind(id);
                sql.push(" WHERE \"id\" IN (").append(id_list(targets)).push(")");
                tx.execute(&sql)?;
            }
            Via::Link { registry, near, far } => {
                let link = model::require(registry)?;
                let known = linked(tx, link, near, far, id)?;
                for other in targets {
                    if known.contains(other) {
                        continue;
                    }
                    let mut row = Record::empty(link);
                    row.set(near, id)?;
                    row.set(far, *other)?;
                    values::fill(self, &mut row)?;
                    insert(tx, &row)?;
                }
            }
        }
        Ok(())
    }

    /// Takes links away; targets that are not linked are passed over.
    pub fn unlink(&self, record: &Record, relation: &str, targets: &[i64]) -> Result<()> {
        if targets.is_empty() {
            return Ok(());
        }
        let (relation, target, id) = resolve(record, relation)?;
        self.db().write(|tx| {
            let mut sql;
            match relation.via {
                Via::Foreign { column } => {
                    sql = release(target, column)?;
                    sql.push(" AND \"id\" IN (").append(id_list(targets)).push(") AND ");
                    sql.ident(column).push(" = ").bind(id);
                }
                Via::Link { registry, near, far } => {
                    sql = Sql::new("DELETE FROM ");
                    sql.ident(model::require(registry)?.table)
                        .push(" WHERE ")
                        .ident(near)
                        .push(" = ")
                        .bind(id);
                    sql.push(" AND ").ident(far).push(" IN (").append(id_list(targets)).push(")");
                }
            }
            tx.execute(&sql).map(|_| ())
        })
    }

    /// Makes `targets` the only linked records.
    pub fn set_links(&self, record: &Record, relation: &str, targets: &[i64]) -> Result<()> {
        let present = self.related(record, relation)?.all_ids()?;
        let gone: Vec<i64> = present.iter().copied().filter(|id| !targets.contains(id)).collect();
        self.unlink(record, relation, &gone)?;
        self.link(record, relation, targets)
    }

    /// Takes all links of a relation away.
    pub fn clear_links(&self, record: &Record, relation: &str) -> Result<()> {
        self.set_links(record, relation, &[])
    }
}

fn resolve(record: &Record, name: &str) -> Result<(&'static Relation, &'static Registry, i64)> {
    let registry = record.registry();
    let relation = registry.relation(name).ok_or_else(|| registry.unknown_field(name))?;
    let target = model::require(relation.target)?;
    let id = record.id().ok_or_else(|| {
        Error::value(format!("{} is not saved yet: save it before using its {name}", record.repr()))
    })?;
    Ok((relation, target, id))
}

/// Returns the statement that lets go of records that point at one through `column`.
fn release(target: &'static Registry, column: &str) -> Result<Sql> {
    if target.column(column).is_some_and(|column| !column.null) {
        return Err(Error::integrity(format!(
            "{} needs a {}: assign another one instead of removing it",
            target.name,
            column.trim_end_matches("_id")
        )));
    }
    let mut sql = Sql::new("UPDATE ");
    sql.ident(target.table).push(" SET ").ident(column).push(" = NULL WHERE 1 = 1");
    Ok(sql)
}

fn linked(tx: &Tx<'_>, link: &'static Registry, near: &str, far: &str, id: i64) -> Result<Vec<i64>> {
    let mut sql = Sql::new("SELECT ");
    sql.ident(far).push(" FROM ").ident(link.table).push(" WHERE ").ident(near).push(" = ").bind(id);
    // A label linked through a feature is another link than the bare one.
    if link.column("feature_id").is_some() {
        sql.push(" AND \"feature_id\" IS NULL");
    }
    let rows = tx.rows(&sql, &[Kind::BigInt])?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::as_int)).collect())
}
