//! Reading whole rows inside a transaction.

use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::model::Registry;
use crate::record::Record;
use crate::value::Value;

/// Returns `SELECT every column FROM table`, to be followed by conditions.
pub(crate) fn select_row(registry: &'static Registry) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.idents(registry.columns.iter().map(|column| column.column)).push(" FROM ").ident(registry.table);
    sql
}

/// Returns the rows of a statement from [`select_row`] as records.
pub(crate) fn records(registry: &'static Registry, rows: Vec<Vec<Value>>) -> Vec<Record> {
    rows.into_iter().map(|values| Record::from_values(registry, values)).collect()
}

/// Returns the records that a statement from [`select_row`] finds.
pub(crate) fn read_rows(tx: &Tx<'_>, registry: &'static Registry, sql: &Sql) -> Result<Vec<Record>> {
    Ok(records(registry, tx.rows(sql, &registry.kinds())?))
}

/// Returns the first record that a statement from [`select_row`] finds.
pub(crate) fn read_row(tx: &Tx<'_>, registry: &'static Registry, sql: &Sql) -> Result<Option<Record>> {
    Ok(read_rows(tx, registry, sql)?.into_iter().next())
}
