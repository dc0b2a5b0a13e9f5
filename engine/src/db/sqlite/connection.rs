//! One connection to a SQLite file: settings, statements, and waiting for other writers.

mod load;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags};

use super::file::{Stamp, immutable, wal_present};
use crate::db::{Cell, Sql, collect};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::value::{Kind, Value, python_json};

/// Waiting times between tries for the write lock; the last one repeats until 30 seconds have gone by.
const BACKOFF_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 30];
const PATIENCE_MS: u64 = 30_000;

pub(in crate::db) struct Connection {
    pub(super) inner: rusqlite::Connection,
    /// Opened as a file that nobody changes: how it looked then.
    pub(super) frozen: Option<Stamp>,
}

impl Connection {
    pub(super) fn open(path: &Path, create: bool, read_only: bool) -> Result<Self> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= match (create, read_only) {
            (true, _) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            (false, true) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            (false, false) => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let fail = |error| translate(path, error);
        let inner = rusqlite::Connection::open_with_flags(path, flags).map_err(fail)?;
        if read_only && !wal_present(path) {
            // Where no log may be written beside the database, it can be read as long as there is none.
            let probe = inner.query_row("PRAGMA schema_version", [], |_| Ok(()));
            let refused = |error: rusqlite::Error| {
                matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
            };
            if probe.is_err_and(refused) {
                let frozen = Stamp::of(path)?;
                flags |= OpenFlags::SQLITE_OPEN_URI;
                let inner = rusqlite::Connection::open_with_flags(immutable(path), flags).map_err(fail)?;
                return Self::over(inner, path, Some(frozen));
            }
        }
        Self::over(inner, path, None)
    }

    fn over(mut inner: rusqlite::Connection, path: &Path, frozen: Option<Stamp>) -> Result<Self> {
        inner.busy_handler(Some(wait)).map_err(|error| translate(path, error))?;
        inner.set_prepared_statement_cache_capacity(128);
        // Else SQLite plans a statement anew for every value bound to a column that a partial index or LIKE looks at.
        inner
            .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
            .map_err(|error| translate(path, error))?;
        let connection = Connection { inner, frozen };
        connection.each(&Sql::new("PRAGMA foreign_keys = ON"), &mut |_| Ok(()))?;
        connection.each(&Sql::new("PRAGMA cache_size = -16384"), &mut |_| Ok(()))?;
        connection.add_regexp()?;
        Ok(connection)
    }

    pub(super) fn set_patience(&mut self, patient: bool) -> Result<()> {
        let handler: Option<fn(i32) -> bool> = if patient { Some(wait) } else { None };
        self.inner.busy_handler(handler).map_err(|error| translate(&self.path(), error))
    }

    /// Takes the write lock.
    pub(super) fn begin(&self) -> Result<()> {
        if !self.inner.is_autocommit() {
            self.execute(&Sql::new("ROLLBACK"))?;
        }
        self.execute(&Sql::new("BEGIN IMMEDIATE")).map(drop)
    }

    /// Keeps closing the connection from writing what the log holds to the database.
    pub(super) fn leave_the_log(&self) -> Result<()> {
        self.inner
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map(drop)
            .map_err(|error| translate(&self.path(), error))
    }

    /// Ends the transaction with what `work` did, or as if nothing had been done where it failed.
    pub(super) fn finish<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let result = work(self).and_then(|value| {
            faults::hit("db.commit");
            self.execute(&Sql::new("COMMIT"))?;
            faults::hit("db.committed");
            Ok(value)
        });
        if result.is_err() && !self.inner.is_autocommit() {
            self.execute(&Sql::new("ROLLBACK"))?;
        }
        result
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(self.inner.path().unwrap_or("database"))
    }

    pub(super) fn may_write(&self) -> bool {
        self.inner.is_readonly(rusqlite::MAIN_DB).is_ok_and(|read_only| !read_only)
    }

    /// Returns true when the database has a write-ahead log already, and this connection may use it.
    pub(super) fn logs_ahead(&self) -> Result<bool> {
        Ok(self.frozen.is_none() && self.journal("PRAGMA journal_mode", "wal")?)
    }

    pub(super) fn set_journal(&self, mode: &str) -> Result<bool> {
        self.journal(&format!("PRAGMA journal_mode = {mode}"), mode)
    }

    fn journal(&self, pragma: &str, mode: &str) -> Result<bool> {
        let mut got = false;
        self.each(&Sql::new(pragma), &mut |cells| {
            got = matches!(cells, [Cell::Text(text)] if text.eq_ignore_ascii_case(mode));
            Ok(())
        })?;
        Ok(got)
    }

    /// Sets the journal mode once nobody else has the database open for writing.
    ///
    /// SQLite does not wait by itself here, since two that wait for each other would never go on.
    pub(super) fn set_journal_patiently(&self, mode: &str) -> Result<bool> {
        let mut tries = 0;
        loop {
            match self.set_journal(mode) {
                Err(error) if error.kind() == ErrorKind::Busy && wait(tries) => tries += 1,
                done => return done,
            }
        }
    }

    pub(super) fn set_synchronous(&self, level: &str) -> Result<()> {
        self.each(&Sql::new(format!("PRAGMA synchronous = {level}")), &mut |_| Ok(()))
    }

    /// Gives SQLite the `REGEXP` operator; the compiled pattern is kept for the length of a statement.
    fn add_regexp(&self) -> Result<()> {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.inner
            .create_scalar_function("regexp", 2, flags, |context| {
                let pattern = context.get_or_create_aux(
                    0,
                    |value| -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
                        Ok(regex::Regex::new(value.as_str()?)?)
                    },
                )?;
                Ok(match context.get_raw(1) {
                    ValueRef::Text(text) => Some(pattern.is_match(&String::from_utf8_lossy(text))),
                    ValueRef::Integer(int) => Some(pattern.is_match(&int.to_string())),
                    ValueRef::Real(real) => Some(pattern.is_match(&real.to_string())),
                    _ => None,
                })
            })
            .map_err(|error| translate(&self.path(), error))
    }

    pub(in crate::db) fn each(
        &self,
        sql: &Sql,
        visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        let fail = |error| translate(&self.path(), error);
        let mut statement = self.inner.prepare_cached(sql.text()).map_err(fail)?;
        let width = statement.column_count();
        let mut rows = statement.query(rusqlite::params_from_iter(sql.params())).map_err(fail)?;
        let mut cells: Vec<Cell<'_>> = Vec::with_capacity(width);
        while let Some(row) = rows.next().map_err(fail)? {
            cells.clear();
            for i in 0..width {
                cells.push(match row.get_ref(i).map_err(fail)? {
                    ValueRef::Null => Cell::Null,
                    ValueRef::Integer(int) => Cell::Int(int),
                    ValueRef::Real(real) => Cell::Real(real),
                    ValueRef::Text(text) => match std::str::from_utf8(text) {
                        Ok(text) => Cell::Text(text),
                        Err(_) => Cell::Bytes(text),
                    },
                    ValueRef::Blob(bytes) => Cell::Bytes(bytes),
                });
            }
            // The cells borrow from the row: they must be gone before the next one is fetched.
            visit(&cells)?;
            cells = Vec::with_capacity(width);
        }
        Ok(())
    }

    pub(in crate::db) fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        collect(kinds, |visit| self.each(sql, visit))
    }

    pub(in crate::db) fn execute(&self, sql: &Sql) -> Result<usize> {
        let fail = |error| translate(&self.path(), error);
        let mut statement = self.inner.prepare_cached(sql.text()).map_err(fail)?;
        statement.execute(rusqlite::params_from_iter(sql.params())).map_err(fail)
    }

    pub(in crate::db) fn last_id(&self) -> i64 {
        self.inner.last_insert_rowid()
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Bool(flag) => ToSqlOutput::Owned(i64::from(*flag).into()),
            Value::Int(int) => ToSqlOutput::Owned((*int).into()),
            Value::Float(real) => ToSqlOutput::Owned((*real).into()),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Date(day) => ToSqlOutput::Owned(day.to_string().into()),
            Value::DateTime(moment) => ToSqlOutput::Owned(moment.to_sql().into()),
            Value::Json(json) if json.is_null() => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Json(json) => ToSqlOutput::Owned(python_json(json).into()),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// Waits a little for another writer and gives up after half a minute.
pub(super) fn wait(tries: i32) -> bool {
    let tries = usize::try_from(tries).unwrap_or(usize::MAX);
    let steady = BACKOFF_MS[BACKOFF_MS.len() - 1];
    let waited: u64 =
        BACKOFF_MS.iter().take(tries).sum::<u64>() + steady * (tries.saturating_sub(BACKOFF_MS.len()) as u64);
    if waited >= PATIENCE_MS {
        return false;
    }
    std::thread::sleep(Duration::from_millis(BACKOFF_MS.get(tries).copied().unwrap_or(steady)));
    true
}

/// Returns the engine's error for one of SQLite.
pub(super) fn translate(path: &Path, error: rusqlite::Error) -> Error {
    let path = path.display();
    let text = match &error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    let (kind, message) = match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => (ErrorKind::Integrity, text),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            ErrorKind::Busy,
            format!("{path} stayed locked by other writers for {} s: try again", PATIENCE_MS / 1000),
        ),
        Some(ErrorCode::NotADatabase) => {
            (ErrorKind::UnknownDatabase, format!("{path} is no SQLite database: restore it from a backup"))
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            (ErrorKind::UnknownDatabase, format!("{path} is damaged ({text}): restore it from a backup"))
        }
        Some(ErrorCode::DiskFull) => {
            (ErrorKind::Io, format!("No space left on the device while writing {path}"))
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            (ErrorKind::PermissionDenied, format!("{path} cannot be written: {text}"))
        }
        Some(ErrorCode::CannotOpen) => (ErrorKind::Io, format!("{path} cannot be opened: {text}")),
        _ if text.starts_with("Expression tree is too large")
            || text.starts_with("too many SQL variables") =>
        {
            (
                ErrorKind::Value,
                format!(
                    "The condition is too large for the database ({}): split it",
                    text.chars().take(60).collect::<String>()
                ),
            )
        }
        _ if text.starts_with("regex parse error") => (ErrorKind::Value, text),
        _ => (ErrorKind::Database, format!("{path}: {text}")),
    };
    Error::new(kind, message).because(error)
}
