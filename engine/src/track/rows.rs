//! Rows read inside a write transaction, where nothing can change under our hands.

use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::model::Registry;
use crate::record::Record;
use crate::value::Kind;

/// Returns the rows of a registry; `rest` is all that follows the name of the table.
pub(super) fn select(tx: &Tx<'_>, registry: &'static Registry, rest: Sql) -> Result<Vec<Record>> {
    let kinds: Vec<Kind> = registry.columns.iter().map(|column| column.kind).collect();
    let mut sql = Sql::new("SELECT ");
    sql.idents(registry.columns.iter().map(|column| column.column)).push(" FROM ").ident(registry.table);
    sql.push(" ").append(rest);
    let rows = tx.rows(&sql, &kinds)?;
    Ok(rows.into_iter().map(|values| Record::from_values(registry, values)).collect())
}

/// Returns the rows of the family of `stem`.
pub(super) fn family(tx: &Tx<'_>, registry: &'static Registry, stem: &str) -> Result<Vec<Record>> {
    // A range on the indexed uid: `{` is the first character after all that a uid may hold.
    let mut rest = Sql::new("WHERE \"uid\" >= ");
    rest.bind(stem).push(" AND \"uid\" < ").bind(format!("{stem}{{"));
    rest.push(" ORDER BY \"created_at\" DESC, \"id\" DESC");
    select(tx, registry, rest)
}
