//! Rows read inside a write transaction, where nothing can change under our hands.

use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::model::Registry;
use crate::record::Record;
use crate::value::Kind;
use crate::write::{read_rows, select_row};

/// Returns the rows of a registry; `rest` is all that follows the name of the table.
pub(super) fn select(tx: &Tx<'_>, registry: &'static Registry, rest: Sql) -> Result<Vec<Record>> {
    let mut sql = select_row(registry);
    sql.push(" ").append(rest);
    read_rows(tx, registry, &sql)
}

/// Returns the newest row of the family of `stem`; what is in the trash counts only when nothing else is left.
pub(super) fn newest(tx: &Tx<'_>, registry: &'static Registry, stem: &str) -> Result<Option<Record>> {
    let mut rest = Sql::new("WHERE ");
    rest.family(stem).push(" ORDER BY \"branch_id\" = -1, \"created_at\" DESC, \"id\" DESC LIMIT 1");
    Ok(select(tx, registry, rest)?.into_iter().next())
}

/// Returns the uid of another row of the family that carries this version.
pub(super) fn holder(
    tx: &Tx<'_>,
    registry: &'static Registry,
    stem: &str,
    version: &str,
    own: Option<i64>,
) -> Result<Option<String>> {
    let mut sql = Sql::new("SELECT \"uid\" FROM ");
    sql.ident(registry.table).push(" WHERE ").family(stem);
    sql.push(" AND \"id\" <> ").bind(own.unwrap_or(0)).push(" AND (\"version_tag\" = ").bind(version);
    sql.push(" OR (\"version_tag\" IS NULL AND \"uid\" = ")
        .bind(format!("{stem}{version}"))
        .push(")) LIMIT 1");
    Ok(tx.scalar(&sql, Kind::Text)?.map(|uid| uid.to_string()))
}
