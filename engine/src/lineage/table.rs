//! Columns taken out of tables.

use crate::query::{ColumnData, Table};

/// Returns a column of whole numbers or moments, and leaves an empty one.
pub(crate) fn ints(table: &mut Table, at: usize) -> Vec<Option<i64>> {
    match std::mem::replace(&mut table.columns[at].data, ColumnData::Int(Vec::new())) {
        ColumnData::Int(values) | ColumnData::Moment(values) => values,
        _ => vec![None; table.rows],
    }
}

/// Returns a column of texts, and leaves an empty one.
pub(crate) fn texts(table: &mut Table, at: usize) -> Vec<Option<String>> {
    match std::mem::replace(&mut table.columns[at].data, ColumnData::Text(Vec::new())) {
        ColumnData::Text(values) => values,
        _ => vec![None; table.rows],
    }
}
