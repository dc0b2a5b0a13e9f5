//! Reading whole rows inside a transaction.

use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::model::Registry;
use crate::record::Record;
use crate::value::Kind;

/// Returns `SELECT every column FROM table`, to be followed by conditions.
pub(crate) fn select_row(registry: &'static Registry) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.idents(registry.columns.iter().map(|column| column.column)).push(" FROM ").ident(registry.table);
    sql
}

/// Returns the first record that a statement from [`select_row`] finds.
pub(crate) fn read_row(tx: &Tx<'_>, registry: &'static Registry, sql: &Sql) -> Result<Option<Record>> {
    let kinds: Vec<Kind> = registry.columns.iter().map(|column| column.kind).collect();
    Ok(tx.rows(sql, &kinds)?.into_iter().next().map(|values| Record::from_values(registry, values)))
}
