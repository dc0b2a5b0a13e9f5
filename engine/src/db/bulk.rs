//! Whole tables at a time: rows streamed in and out of a transaction, and the ids that come after them.

use super::{Cell, Connection, Dialect, Sql, Tx};
use crate::error::Result;
use crate::value::{Kind, Value};

/// Takes one row: the values of the columns that were named, in their order.
pub type Take<'a> = dyn FnMut(&[Value]) -> Result<()> + 'a;

impl Tx<'_> {
    /// Puts rows into a table as fast as the database takes them, and returns how many; `feed` hands over one after the other.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Integrity`] and its like for rows that break a rule of the table, and what `feed` returns.
    pub fn load(
        &self,
        table: &str,
        columns: &[&str],
        feed: impl FnOnce(&mut Take<'_>) -> Result<()>,
    ) -> Result<u64> {
        match self.connection {
            Connection::Sqlite(connection) => connection.load(table, columns, feed),
            Connection::Postgres(connection) => connection.load(table, columns, feed),
        }
    }

    /// Calls `visit` for every row of a query.
    pub fn each(&self, sql: &Sql, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        match self.connection {
            Connection::Sqlite(connection) => connection.each(sql, visit),
            Connection::Postgres(connection) => connection.each(sql, visit),
        }
    }

    /// Returns the last id that a table has given out, also when its row is gone; 0 when there was none.
    pub fn last_id(&self, table: &str) -> Result<i64> {
        let mut sqlite = Sql::new("SELECT \"seq\" FROM sqlite_sequence WHERE \"name\" = ");
        sqlite.bind(table);
        let mut postgres = Sql::new("SELECT pg_sequence_last_value(pg_get_serial_sequence(");
        postgres.bind(Dialect::Postgres.quote(table)).push(", 'id')::regclass)");
        let mut sql = Sql::default();
        sql.fork(sqlite, postgres);
        Ok(self.scalar(&sql, Kind::BigInt)?.and_then(|last| last.as_int()).unwrap_or(0))
    }

    /// Lets the ids of a table go on after its greatest one, and after `last`, where rows came with ids of their own.
    pub fn renumber(&self, table: &str, last: i64) -> Result<()> {
        match self.connection {
            Connection::Sqlite(connection) => {
                // Where no row has ever been, the table has no number yet.
                let mut raise = Sql::new("UPDATE sqlite_sequence SET \"seq\" = MAX(\"seq\", ");
                raise.bind(last).push(") WHERE \"name\" = ").bind(table);
                if connection.execute(&raise)? == 0 && last > 0 {
                    let mut begin = Sql::new("INSERT INTO sqlite_sequence (\"name\", \"seq\") VALUES (");
                    begin.binds([table.into(), last.into()]).push(")");
                    connection.execute(&begin)?;
                }
            }
            Connection::Postgres(connection) => {
                let mut sql = Sql::new("SELECT setval(pg_get_serial_sequence(");
                sql.bind(Dialect::Postgres.quote(table)).push(", 'id'), GREATEST(MAX(\"id\"), ").bind(last);
                sql.push(", 1), GREATEST(MAX(\"id\"), ").bind(last).push(") >= 1) FROM ").ident(table);
                connection.execute(&sql)?;
            }
        }
        Ok(())
    }
    /// Returns which row points at one that is not there, where the database does not see to it by itself.
    pub(crate) fn dangling(&self) -> Result<Option<String>> {
        if matches!(self.connection, Connection::Postgres(_)) {
            return Ok(None);
        }
        let sql = Sql::new("SELECT \"table\", \"rowid\", \"parent\" FROM pragma_foreign_key_check LIMIT 1");
        let found = self.rows(&sql, &[Kind::Text, Kind::BigInt, Kind::Text])?;
        Ok(found
            .first()
            .map(|row| format!("row {} of {} points at a row of {} that is gone", row[1], row[0], row[2])))
    }
}
