//! The database: the only place that holds SQL text.
//!
//! [`Db`] is one handle on one database, a SQLite file or one of a PostgreSQL server. Reads run on pooled connections; writes run one at a time inside
//! [`Db::write`], which takes the database's write lock at the start and waits for other writers.

mod bulk;
pub mod ddl;
mod dialect;
mod gate;
pub(crate) mod meta;
mod modules;
mod postgres;
mod spell;
mod sql;
mod sqlite;
pub(crate) mod text_index;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use bulk::Take;
pub use dialect::Dialect;
pub(crate) use gate::Gate;
pub use postgres::masked;
pub(crate) use postgres::without_password;
pub use spell::Letters;
pub use sql::Sql;
pub(crate) use sqlite::beside;

use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Timestamp, Value};

/// A cell as the driver hands it over, before a kind gives it meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// Whole number.
    Int(i64),
    /// Real number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Moment, from databases that know moments.
    Moment(Timestamp),
    /// Day, from databases that know days.
    Day(chrono::NaiveDate),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    /// Returns the cell read as `kind`; a text that is no moment or JSON stays text rather than being lost.
    pub fn read(self, kind: Kind) -> Value {
        match (self, kind) {
            (Cell::Null, _) => Value::Null,
            (Cell::Int(int), Kind::Bool) => Value::Bool(int != 0),
            (Cell::Int(int), Kind::Json) => serde_json::Value::from(int).into(),
            (Cell::Int(int), _) => Value::Int(int),
            (Cell::Real(real), Kind::Json) => serde_json::Value::from(real).into(),
            (Cell::Real(real), _) => Value::Float(real),
            (Cell::Moment(moment), _) => Value::DateTime(moment),
            (Cell::Day(day), _) => Value::Date(day),
            (Cell::Text(text), Kind::DateTime) => {
                Timestamp::parse(text).map_or_else(|| Value::Text(text.to_owned()), Value::DateTime)
            }
            (Cell::Text(text), Kind::Date) => match chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                Ok(day) => Value::Date(day),
                Err(_) => Value::Text(text.to_owned()),
            },
            (Cell::Text(text), Kind::Json) => match serde_json::from_str(text) {
                Ok(serde_json::Value::Null) => Value::Null,
                Ok::<serde_json::Value, _>(json) => json.into(),
                Err(_) => Value::Text(text.to_owned()),
            },
            (Cell::Text(text), _) => Value::Text(text.to_owned()),
            (Cell::Bytes(bytes), _) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
}

/// Is shown every row of a query, one after the other.
type Visit<'a> = dyn FnMut(&[Cell<'_>]) -> Result<()> + 'a;

/// Returns what `each` shows, each cell read as the kind of its column.
fn collect(kinds: &[Kind], each: impl FnOnce(&mut Visit<'_>) -> Result<()>) -> Result<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    each(&mut |cells| {
        rows.push(cells.iter().zip(kinds).map(|(cell, kind)| cell.read(*kind)).collect());
        Ok(())
    })?;
    Ok(rows)
}

/// How a database file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// The file must exist.
    Existing,
    /// The file is made when it is absent.
    Create,
}

/// Whether commits wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// A commit is on disk when it returns.
    #[default]
    Flushed,
    /// A commit survives a killed process, but the last ones may be lost with the power.
    Deferred,
}

/// A handle on one database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    driver: Arc<Driver>,
    /// Asked before the first write, where the database is a copy.
    gate: Option<Arc<Gate>>,
    /// Every module was found in it.
    complete: Arc<AtomicBool>,
}

enum Driver {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Db {
    fn over(driver: Driver) -> Db {
        Db { driver: Arc::new(driver), gate: None, complete: Arc::default() }
    }

    /// Opens the SQLite database at `path`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileNotFound`] when it is absent, [`crate::ErrorKind::UnknownDatabase`] when the file is no
    /// SQLite database, [`crate::ErrorKind::Database`] when it is damaged.
    pub fn open(path: &Path, open: Open) -> Result<Db> {
        Ok(Db::over(Driver::Sqlite(sqlite::Sqlite::open(path, open)?)))
    }

    /// Opens the database at `path` once `check` has seen it; until then not a byte of it is changed.
    ///
    /// # Errors
    /// Those of [`Db::open`], and what `check` returns.
    pub fn open_checked(path: &Path, check: impl FnOnce(&Db) -> Result<()>) -> Result<Db> {
        let found = Db::inspect(path)?;
        check(&found)?;
        match Arc::try_unwrap(found.driver) {
            Ok(Driver::Sqlite(driver)) => Ok(Db::over(Driver::Sqlite(driver.unlocked()?))),
            // `check` kept a handle.
            _ => Db::open(path, Open::Existing),
        }
    }

    /// Opens the database at `path` for reading only, without changing a byte of it.
    pub fn inspect(path: &Path) -> Result<Db> {
        Ok(Db::over(Driver::Sqlite(sqlite::Sqlite::inspect(path)?)))
    }

    /// Connects to the PostgreSQL database at `url`; nothing is written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a URL that cannot be followed, [`crate::ErrorKind::PermissionDenied`] for a
    /// refused login, [`crate::ErrorKind::UnknownDatabase`] when the server has no such database,
    /// [`crate::ErrorKind::Database`] when it cannot be reached.
    pub fn connect(env: &Env, url: &str) -> Result<Db> {
        Ok(Db::over(Driver::Postgres(postgres::Postgres::open(env, url)?)))
    }

    /// Makes a database with the tables of the format that nobody else sees yet, as fast as the disk allows.
    ///
    /// Whether rows point at others that are there is not looked at: [`Tx::dangling`] tells.
    /// Once `fill` has written the first rows, it is flushed to disk, ready to be renamed into its place.
    pub(crate) fn draft(path: &Path, fill: impl FnOnce(&Tx<'_>) -> Result<()>) -> Result<()> {
        std::fs::write(path, blank()?).map_err(|error| Error::io(path, error))?;
        let driver = sqlite::Sqlite::draft(path)?;
        driver.write(|connection| fill(&Tx::on_sqlite(connection)))?;
        driver.finish()
    }

    /// Returns the same database behind a gate.
    pub(crate) fn behind(&self, gate: Arc<Gate>) -> Db {
        Db { gate: Some(gate), ..self.clone() }
    }

    /// Returns which kind of database it is.
    pub fn dialect(&self) -> Dialect {
        match &*self.driver {
            Driver::Sqlite(_) => Dialect::Sqlite,
            Driver::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Returns true when nothing can be written.
    pub fn read_only(&self) -> bool {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.read_only,
            Driver::Postgres(driver) => driver.read_only().is_some(),
        }
    }

    /// Refuses all writes to a server from now on, for the reason given; files know for themselves whether they may be written.
    pub(crate) fn forbid_writing(&self, why: String) {
        if let Driver::Postgres(driver) = &*self.driver {
            driver.forbid_writing(why);
        }
    }

    /// Returns true when something may be noted while reading: where writing takes a lock, reading must not.
    pub(crate) fn writes_in_passing(&self) -> bool {
        !self.read_only() && self.gate.as_ref().is_none_or(|gate| gate.is_open())
    }

    /// Returns true when the database had to fall back to the rollback journal.
    pub fn rollback_journal(&self) -> bool {
        matches!(&*self.driver, Driver::Sqlite(driver) if driver.rollback_journal)
    }

    /// Sets whether commits wait for the disk.
    pub fn set_durability(&self, durability: Durability) -> Result<()> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.set_durability(durability)?,
            Driver::Postgres(driver) => driver.set_durability(durability),
        }
        Ok(())
    }

    /// Calls `visit` for every row of a query.
    pub fn each(&self, sql: &Sql, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.read(|connection| connection.each(sql, visit)),
            Driver::Postgres(driver) => driver.each(sql, visit),
        }
    }

    /// Returns the rows of a query, each cell read as the kind of its column.
    pub fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.read(|connection| connection.rows(sql, kinds)),
            Driver::Postgres(driver) => driver.rows(sql, kinds),
        }
    }

    /// Returns the first cell of the first row.
    pub fn scalar(&self, sql: &Sql, kind: Kind) -> Result<Option<Value>> {
        Ok(self.rows(sql, &[kind])?.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// Returns which of these tables and indexes are there.
    pub fn present(&self, names: &[&str]) -> Result<Vec<String>> {
        present(&|sql, kinds| self.rows(sql, kinds), names)
    }

    /// Runs `work` in one transaction that holds the write lock from its start; an error rolls everything back.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        if let Some(gate) = &self.gate {
            gate.pass()?;
        }
        match &*self.driver {
            Driver::Sqlite(driver) => driver.write(|connection| work(&Tx::on_sqlite(connection))),
            Driver::Postgres(driver) => driver.write(|connection| work(&Tx::on_postgres(connection))),
        }
    }

    /// Runs `work` in one transaction of SQLite if the write lock is free; nothing is done while anybody holds it.
    ///
    /// The commit is not flushed to disk where a log keeps it whole: this is for what can be made again.
    pub(crate) fn try_write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<Option<T>> {
        if !self.writes_in_passing() {
            return Ok(None);
        }
        match &*self.driver {
            Driver::Sqlite(driver) => driver.try_write(|connection| work(&Tx::on_sqlite(connection))),
            Driver::Postgres(_) => Ok(None),
        }
    }

    /// Runs `work` as [`Db::write`] does, and again from its start when another program took what it was about to give
    /// out: on a server, not all who write take our lock. `work` must leave nothing behind when it fails.
    pub fn write_contended<T>(&self, mut work: impl FnMut(&Tx<'_>) -> Result<T>) -> Result<T> {
        let mut left = 8;
        loop {
            match self.write(&mut work) {
                Err(error) if left > 0 && postgres::lost_race(&error) => left -= 1,
                done => return done,
            }
        }
    }

    /// Runs statements without parameters in one transaction (used to make a database).
    pub fn script(&self, statements: &[String]) -> Result<()> {
        self.write(|tx| tx.script(statements))
    }

    /// Writes what is in the log into the database file, so that the file alone is the whole database.
    pub fn checkpoint(&self) -> Result<()> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.checkpoint(),
            Driver::Postgres(_) => Ok(()),
        }
    }

    /// Returns the bytes of a SQLite database as it is at one moment, as its file would hold them.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.snapshot(),
            Driver::Postgres(_) => Err(no_file()),
        }
    }

    /// Writes a SQLite database, as it is at one moment, to a path where nothing lies. The same content gives the same bytes,
    /// which are not those of [`Db::snapshot`].
    pub(crate) fn snapshot_to(&self, path: &Path) -> Result<()> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.snapshot_to(path),
            Driver::Postgres(_) => Err(no_file()),
        }
    }

    /// Returns how many bytes a SQLite database has, what is in the log included.
    pub(crate) fn size(&self) -> Result<u64> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.size(),
            Driver::Postgres(_) => Err(no_file()),
        }
    }

    /// Gives a SQLite database the content of another file, in one transaction.
    pub(crate) fn replace_with(&self, other: &Path) -> Result<()> {
        match &*self.driver {
            Driver::Sqlite(driver) => driver.replace_with(other),
            Driver::Postgres(_) => Err(no_file()),
        }
    }
}

/// Returns the error for what only a database in a file can do.
fn no_file() -> Error {
    Error::new(ErrorKind::Unsupported, "A database on a server is no file: use the server's own backups")
}

type Rows<'a> = dyn Fn(&Sql, &[Kind]) -> Result<Vec<Vec<Value>>> + 'a;

fn present(rows: &Rows<'_>, names: &[&str]) -> Result<Vec<String>> {
    let mut sql = Sql::default();
    let named = |sql: &mut Sql, column: &str| {
        sql.push(column).push(" IN (").binds(names.iter().map(|name| Value::from(*name))).push(")");
    };
    let (mut sqlite, mut postgres) = (Sql::new("SELECT name FROM sqlite_master WHERE "), Sql::default());
    named(&mut sqlite, "name");
    // What is not on the search path is not ours.
    postgres.push("SELECT relname::text FROM pg_catalog.pg_class WHERE pg_table_is_visible(oid) AND ");
    named(&mut postgres, "relname");
    sql.fork(sqlite, postgres);
    Ok(rows(&sql, &[Kind::Text])?.into_iter().flatten().map(|name| name.to_string()).collect())
}

/// Returns an SQLite database with all tables and no rows, made once because the statements take long.
///
/// A test compares it with the statements, and writes it anew.
fn blank() -> Result<Vec<u8>> {
    let packed = include_bytes!("db/data/blank.db.zst");
    zstd::decode_all(packed.as_slice()).map_err(|error| {
        Error::new(ErrorKind::Database, "The empty database cannot be unpacked").because(error)
    })
}

/// A transaction that holds the write lock.
pub struct Tx<'a> {
    connection: Connection<'a>,
}

enum Connection<'a> {
    Sqlite(&'a sqlite::Connection),
    Postgres(&'a postgres::Connection),
}

impl<'a> Tx<'a> {
    fn on_sqlite(connection: &'a sqlite::Connection) -> Self {
        Tx { connection: Connection::Sqlite(connection) }
    }

    fn on_postgres(connection: &'a postgres::Connection) -> Self {
        Tx { connection: Connection::Postgres(connection) }
    }

    /// Runs a statement and returns the number of rows it changed.
    pub fn execute(&self, sql: &Sql) -> Result<usize> {
        match self.connection {
            Connection::Sqlite(connection) => connection.execute(sql),
            Connection::Postgres(connection) => connection.execute(sql),
        }
    }

    /// Runs an insert into a table with ids and returns that of the new row.
    pub fn insert(&self, sql: &Sql) -> Result<i64> {
        match self.connection {
            Connection::Sqlite(connection) => {
                connection.execute(sql)?;
                Ok(connection.last_id())
            }
            Connection::Postgres(connection) => connection.insert(sql),
        }
    }

    /// Returns the rows of a query, each cell read as the kind of its column.
    pub fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        match self.connection {
            Connection::Sqlite(connection) => connection.rows(sql, kinds),
            Connection::Postgres(connection) => connection.rows(sql, kinds),
        }
    }

    /// Returns the first cell of the first row.
    pub fn scalar(&self, sql: &Sql, kind: Kind) -> Result<Option<Value>> {
        Ok(self.rows(sql, &[kind])?.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// Returns which of these tables and indexes are there.
    pub fn present(&self, names: &[&str]) -> Result<Vec<String>> {
        present(&|sql, kinds| self.rows(sql, kinds), names)
    }

    /// Runs statements without parameters.
    pub fn script(&self, statements: &[String]) -> Result<()> {
        match self.connection {
            Connection::Sqlite(connection) => statements
                .iter()
                .try_for_each(|statement| connection.execute(&Sql::new(statement.as_str())).map(|_| ())),
            // There are hundreds, and the server may be far.
            Connection::Postgres(connection) => connection.script(&statements.join(";\n")),
        }
    }

    /// Runs `work` so that its own changes are undone when it fails, while the transaction goes on.
    pub fn savepoint<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.execute(&Sql::new("SAVEPOINT holotype"))?;
        match work() {
            Ok(value) => {
                self.execute(&Sql::new("RELEASE SAVEPOINT holotype"))?;
                Ok(value)
            }
            Err(error) => {
                self.execute(&Sql::new("ROLLBACK TO SAVEPOINT holotype"))?;
                if let Connection::Postgres(connection) = self.connection {
                    connection.mend();
                }
                self.execute(&Sql::new("RELEASE SAVEPOINT holotype"))?;
                Err(error)
            }
        }
    }
}
