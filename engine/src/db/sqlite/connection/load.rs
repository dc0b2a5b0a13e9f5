//! Many rows at once: one statement, prepared once, run for each of them.

use super::{Connection, translate};
use crate::db::Sql;
use crate::db::bulk::Take;
use crate::error::Result;

impl Connection {
    /// Puts rows into a table and returns how many.
    pub(in crate::db) fn load(
        &self,
        table: &str,
        columns: &[&str],
        feed: impl FnOnce(&mut Take<'_>) -> Result<()>,
    ) -> Result<u64> {
        let mut sql = Sql::new("INSERT INTO ");
        sql.ident(table).push(" (").idents(columns.iter().copied()).push(") VALUES (");
        sql.push(&vec!["?"; columns.len()].join(", ")).push(")");
        let fail = |error| translate(&self.path(), error);
        let mut statement = self.inner.prepare_cached(sql.text()).map_err(fail)?;
        let mut rows = 0;
        feed(&mut |values| {
            statement.execute(rusqlite::params_from_iter(values)).map_err(fail)?;
            rows += 1;
            Ok(())
        })?;
        Ok(rows)
    }
}
