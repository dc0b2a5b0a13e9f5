//! The database: the only place that holds SQL text.
//!
//! [`Db`] is one handle on one database. Reads run on pooled connections; writes run one at a time inside
//! [`Db::write`], which takes the database's write lock at the start and waits for other writers.

pub mod ddl;
mod dialect;
mod sql;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

pub use dialect::Dialect;
pub use sql::Sql;

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
    /// Bytes.
    Bytes(&'a [u8]),
}

impl Cell<'_> {
    /// Returns the cell read as `kind`; a text that is no moment or JSON stays text rather than being lost.
    pub fn read(self, kind: Kind) -> Value {
        match (self, kind) {
            (Cell::Null, _) => Value::Null,
            (Cell::Int(int), Kind::Bool) => Value::Bool(int != 0),
            (Cell::Int(int), Kind::Json) => Value::Json(int.into()),
            (Cell::Int(int), _) => Value::Int(int),
            (Cell::Real(real), Kind::Json) => Value::Json(real.into()),
            (Cell::Real(real), _) => Value::Float(real),
            (Cell::Text(text), Kind::DateTime) => {
                Timestamp::parse(text).map_or_else(|| Value::Text(text.to_owned()), Value::DateTime)
            }
            (Cell::Text(text), Kind::Date) => match chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
                Ok(day) => Value::Date(day),
                Err(_) => Value::Text(text.to_owned()),
            },
            (Cell::Text(text), Kind::Json) => match serde_json::from_str(text) {
                Ok(serde_json::Value::Null) => Value::Null,
                Ok(json) => Value::Json(json),
                Err(_) => Value::Text(text.to_owned()),
            },
            (Cell::Text(text), _) => Value::Text(text.to_owned()),
            (Cell::Bytes(bytes), _) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        }
    }
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
    driver: Arc<sqlite::Sqlite>,
}

impl Db {
    /// Opens the SQLite database at `path`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileNotFound`] when it is absent, [`crate::ErrorKind::UnknownDatabase`] when the file is no
    /// SQLite database, [`crate::ErrorKind::Database`] when it is damaged.
    pub fn open(path: &Path, open: Open) -> Result<Db> {
        Ok(Db { driver: Arc::new(sqlite::Sqlite::open(path, open)?) })
    }

    /// Opens the database at `path` once `check` has seen it; until then not a byte of it is changed.
    ///
    /// # Errors
    /// Those of [`Db::open`], and what `check` returns.
    pub fn open_checked(path: &Path, check: impl FnOnce(&Db) -> Result<()>) -> Result<Db> {
        let found = Db::inspect(path)?;
        check(&found)?;
        match Arc::try_unwrap(found.driver) {
            Ok(driver) => Ok(Db { driver: Arc::new(driver.unlocked()?) }),
            // `check` kept a handle.
            Err(_) => Db::open(path, Open::Existing),
        }
    }

    /// Opens the database at `path` for reading only, without changing a byte of it.
    pub fn inspect(path: &Path) -> Result<Db> {
        Ok(Db { driver: Arc::new(sqlite::Sqlite::inspect(path)?) })
    }

    /// Makes a database with the tables of the format that nobody else sees yet, as fast as the disk allows.
    ///
    /// Once `fill` has written the first rows, it is flushed to disk, ready to be renamed into its place.
    pub(crate) fn draft(path: &Path, fill: impl FnOnce(&Tx<'_>) -> Result<()>) -> Result<()> {
        std::fs::write(path, blank()?).map_err(|error| Error::io(path, error))?;
        let driver = sqlite::Sqlite::draft(path)?;
        driver.write(|connection| fill(&Tx { connection }))?;
        driver.finish()
    }

    /// Returns which kind of database it is.
    pub fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    /// Returns true when nothing can be written.
    pub fn read_only(&self) -> bool {
        self.driver.read_only
    }

    /// Returns true when the database had to fall back to the rollback journal.
    pub fn rollback_journal(&self) -> bool {
        self.driver.rollback_journal
    }

    /// Sets whether commits wait for the disk.
    pub fn set_durability(&self, durability: Durability) -> Result<()> {
        self.driver.set_durability(durability)
    }

    /// Calls `visit` for every row of a query.
    pub fn each(&self, sql: &Sql, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
        self.driver.read(|connection| connection.each(sql, visit))
    }

    /// Returns the rows of a query, each cell read as the kind of its column.
    pub fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        self.driver.read(|connection| connection.rows(sql, kinds))
    }

    /// Returns the first cell of the first row.
    pub fn scalar(&self, sql: &Sql, kind: Kind) -> Result<Option<Value>> {
        Ok(self.rows(sql, &[kind])?.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// Runs `work` in one transaction that holds the write lock from its start; an error rolls everything back.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.driver.write(|connection| work(&Tx { connection }))
    }

    /// Runs statements without parameters outside of any transaction of the engine's own (used to make a database).
    pub fn script(&self, statements: &[String]) -> Result<()> {
        self.write(|tx| {
            for statement in statements {
                tx.execute(&Sql::new(statement.as_str()))?;
            }
            Ok(())
        })
    }

    /// Writes what is in the log into the database file, so that the file alone is the whole database.
    pub fn checkpoint(&self) -> Result<()> {
        self.driver.checkpoint()
    }
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
    connection: &'a sqlite::Connection,
}

impl Tx<'_> {
    /// Runs a statement and returns the number of rows it changed.
    pub fn execute(&self, sql: &Sql) -> Result<usize> {
        self.connection.execute(sql)
    }

    /// Runs an insert and returns the id of the new row.
    pub fn insert(&self, sql: &Sql) -> Result<i64> {
        self.connection.execute(sql)?;
        Ok(self.connection.last_id())
    }

    /// Returns the rows of a query, each cell read as the kind of its column.
    pub fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        self.connection.rows(sql, kinds)
    }

    /// Returns the first cell of the first row.
    pub fn scalar(&self, sql: &Sql, kind: Kind) -> Result<Option<Value>> {
        Ok(self.rows(sql, &[kind])?.into_iter().next().and_then(|row| row.into_iter().next()))
    }

    /// Runs `work` so that its own changes are undone when it fails, while the transaction goes on.
    pub fn savepoint<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.connection.execute(&Sql::new("SAVEPOINT holotype"))?;
        match work() {
            Ok(value) => {
                self.connection.execute(&Sql::new("RELEASE holotype"))?;
                Ok(value)
            }
            Err(error) => {
                self.connection.execute(&Sql::new("ROLLBACK TO holotype"))?;
                self.connection.execute(&Sql::new("RELEASE holotype"))?;
                Err(error)
            }
        }
    }
}
