//! SQLite: one writer connection, a pool of readers, waiting instead of "database is locked".

mod load;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags};

use super::rehearsal::Rehearsal;
use super::{Cell, Durability, Open, Sql, collect};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::value::{Kind, Value, python_json};

/// Waiting times between tries for the write lock; the last one repeats until 30 seconds have gone by.
const BACKOFF_MS: [u64; 8] = [1, 2, 5, 10, 15, 20, 25, 30];
const PATIENCE_MS: u64 = 30_000;

pub(super) struct Sqlite {
    path: PathBuf,
    /// The file that was opened: what is written to another one of that name, or to none, would be lost.
    file: (u64, u64),
    // Dropped before the writer: the last connection to close empties the log, which one for reading may not.
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Writer>,
    pub(super) read_only: bool,
    pub(super) rollback_journal: bool,
    /// The copy that is looked at in place of the file. Last, so that it is closed before it goes.
    rehearsal: Option<Rehearsal>,
}

/// The connection that writes, opened when it is first needed: every connection has to read the whole schema.
#[derive(Default)]
struct Writer {
    connection: Option<Connection>,
    durability: Durability,
}

pub(super) struct Connection {
    inner: rusqlite::Connection,
    /// Opened as a file that nobody changes: how it looked then.
    frozen: Option<Stamp>,
}

/// Identity, size and time of the database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: Option<std::time::SystemTime>,
}

impl Stamp {
    fn of(path: &Path) -> Result<Stamp> {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(ErrorKind::FileNotFound, format!("SQLite file {} does not exist", path.display()))
            }
            _ => Error::io(path, error),
        })?;
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt as _;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        let file = (0, 0);
        Ok(Stamp { file, size: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl Sqlite {
    pub(super) fn open(path: &Path, open: Open) -> Result<Self> {
        match open {
            // Looking first keeps a file that is no database of ours untouched.
            Open::Existing => Self::inspect(path)?.unlocked(),
            Open::Create => {
                let writer = Connection::open(path, true, false)?;
                Self::over(path, Writer::over(writer), false)?.unlocked()
            }
        }
    }

    /// Returns the database that was looked at, ready for writing where its file may be written.
    pub(super) fn unlocked(mut self) -> Result<Self> {
        if self.rehearsal.is_some() && writable(&self.path) {
            // From here on the file itself is read, which undoes what was broken off.
            self = Self::over(&self.path, Writer::default(), false)?;
        }
        self.read_only = !writable(&self.path);
        if self.read_only {
            return Ok(self);
        }
        let network = on_network(&self.path);
        let logged = !network && self.read(Connection::logs_ahead)?;
        // One that may only read would leave the log behind as the last one to close.
        self.lock(&self.readers).retain(|reader| logged && reader.may_write());
        if logged {
            return Ok(self);
        }
        let mut writer = std::mem::take(&mut *self.lock(&self.writer));
        let connection = writer.connection(&self.path)?;
        self.rollback_journal = network || !connection.set_journal_patiently("wal")?;
        if self.rollback_journal {
            connection.set_journal_patiently("delete")?;
        }
        self.writer = Mutex::new(writer);
        Ok(self)
    }

    pub(super) fn inspect(path: &Path) -> Result<Self> {
        let mut found = Self::over(path, Writer::default(), true)?;
        if let Some(rehearsal) = Rehearsal::of(path, &beside(path, "-journal"))? {
            let undone = Connection::open(&rehearsal.path, false, false)?;
            // Reading anything at all undoes what was broken off.
            undone.each(&Sql::new("PRAGMA schema_version"), &mut |_| Ok(()))?;
            check_header(&rehearsal.path, Stamp::of(&rehearsal.path)?.size)?;
            found.lock(&found.readers).push(undone);
            found.rehearsal = Some(rehearsal);
            return Ok(found);
        }
        check_header(path, Stamp::of(path)?.size)?;
        // Where nothing is left to be taken up, a connection that could write changes nothing by reading, and can
        // be kept; else SQLite would take it up.
        let settled = !wal_present(path) && !beside(path, "-journal").exists() && writable(path);
        let kept = settled.then(|| Connection::open(path, false, false)).and_then(Result::ok);
        let reader = kept.map_or_else(|| Connection::open(path, false, true), Ok)?;
        found.lock(&found.readers).push(reader);
        Ok(found)
    }

    pub(super) fn draft(path: &Path) -> Result<Self> {
        let connection = Connection::open(path, true, false)?;
        connection.set_journal("off")?;
        connection.set_synchronous("OFF")?;
        // Rows come in any order, and looking for their relations one by one takes longer than once at the end.
        connection.each(&Sql::new("PRAGMA foreign_keys = OFF"), &mut |_| Ok(()))?;
        Self::over(path, Writer::over(connection), false)
    }

    /// Finishes a draft: whoever opens the database finds it with a write-ahead log, which takes SQLite itself
    /// another connection and two flushes.
    pub(super) fn finish(self) -> Result<()> {
        use std::io::{Seek as _, Write as _};
        // The versions of the file format for writing and reading; 2 stands for the log.
        const VERSIONS: std::io::SeekFrom = std::io::SeekFrom::Start(18);
        let path = self.path.clone();
        drop(self);
        let write = || {
            let mut file = std::fs::File::options().write(true).open(&path)?;
            file.seek(VERSIONS)?;
            file.write_all(&[2, 2])?;
            file.sync_all()
        };
        write().map_err(|error| Error::io(&path, error))
    }

    fn over(path: &Path, writer: Writer, read_only: bool) -> Result<Self> {
        Ok(Sqlite {
            path: path.to_owned(),
            file: Stamp::of(path)?.file,
            readers: Mutex::new(Vec::new()),
            writer: Mutex::new(writer),
            read_only,
            rollback_journal: false,
            rehearsal: None,
        })
    }

    /// Fails when the database file is gone, or is another one.
    fn check_file(&self) -> Result<()> {
        if Stamp::of(&self.path)?.file == self.file {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::FileNotFound,
            format!("{} is another file than the one that was opened: connect again", self.path.display()),
        ))
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> std::sync::MutexGuard<'a, T> {
        // A panic under the lock left either nothing done or a transaction that the next BEGIN will find rolled back.
        mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let pooled = self.lock(&self.readers).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => match &self.rehearsal {
                Some(rehearsal) => Connection::open(&rehearsal.path, false, false)?,
                None => Connection::open(&self.path, false, self.read_only)?,
            },
        };
        let result = work(&connection);
        if let Some(frozen) = connection.frozen {
            // Read without locks: right only if nobody has changed the file meanwhile.
            return match Stamp::of(&self.path)? == frozen {
                true => result,
                false => Err(Error::new(
                    ErrorKind::Busy,
                    format!("{} changed while it was read: try again", self.path.display()),
                )),
            };
        }
        let mut readers = self.lock(&self.readers);
        if readers.len() < 8 {
            readers.push(connection);
        }
        result
    }

    pub(super) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        if self.read_only {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                format!("{} is read-only: ask its owner for write access", self.path.display()),
            ));
        }
        let mut writer = self.lock(&self.writer);
        self.check_file()?;
        let connection = writer.connection(&self.path)?;
        connection.begin()?;
        connection.finish(work)
    }

    /// Does nothing while the write lock is held, by this process or another.
    pub(super) fn try_write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<Option<T>> {
        let mut writer = match self.writer.try_lock() {
            _ if self.read_only => return Ok(None),
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(None),
        };
        self.check_file()?;
        let durability = writer.durability;
        let connection = writer.connection(&self.path)?;
        if !self.rollback_journal {
            connection.set_durability(Durability::Deferred)?;
        }
        connection.set_patience(false)?;
        let begun = connection.begin();
        connection.set_patience(true)?;
        let result = match begun {
            Ok(()) => connection.finish(work).map(Some),
            Err(error) if error.kind() == ErrorKind::Busy => Ok(None),
            Err(error) => Err(error),
        };
        connection.set_durability(durability)?;
        result
    }

    pub(super) fn set_durability(&self, durability: Durability) -> Result<()> {
        let mut writer = self.lock(&self.writer);
        writer.durability = durability;
        writer.connection.as_ref().map_or(Ok(()), |connection| connection.set_durability(durability))
    }

    pub(super) fn checkpoint(&self) -> Result<()> {
        if self.read_only {
            return Ok(());
        }
        let mut writer = self.lock(&self.writer);
        writer.connection(&self.path)?.each(&Sql::new("PRAGMA wal_checkpoint(TRUNCATE)"), &mut |_| Ok(()))
    }
}

impl Writer {
    fn over(connection: Connection) -> Self {
        Writer { connection: Some(connection), durability: Durability::default() }
    }

    fn connection(&mut self, path: &Path) -> Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let opened = Connection::open(path, false, false)?;
                opened.set_durability(self.durability)?;
                opened
            }
        };
        Ok(self.connection.insert(connection))
    }
}

impl Connection {
    fn open(path: &Path, create: bool, read_only: bool) -> Result<Self> {
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

    fn set_patience(&mut self, patient: bool) -> Result<()> {
        let handler: Option<fn(i32) -> bool> = if patient { Some(wait) } else { None };
        self.inner.busy_handler(handler).map_err(|error| translate(&self.path(), error))
    }

    /// Takes the write lock.
    fn begin(&self) -> Result<()> {
        if !self.inner.is_autocommit() {
            self.execute(&Sql::new("ROLLBACK"))?;
        }
        self.execute(&Sql::new("BEGIN IMMEDIATE")).map(drop)
    }

    /// Ends the transaction with what `work` did, or as if nothing had been done where it failed.
    fn finish<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
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

    fn path(&self) -> PathBuf {
        PathBuf::from(self.inner.path().unwrap_or("database"))
    }

    fn may_write(&self) -> bool {
        self.inner.is_readonly(rusqlite::MAIN_DB).is_ok_and(|read_only| !read_only)
    }

    /// Returns true when the database has a write-ahead log already, and this connection may use it.
    fn logs_ahead(&self) -> Result<bool> {
        Ok(self.frozen.is_none() && self.journal("PRAGMA journal_mode", "wal")?)
    }

    fn set_journal(&self, mode: &str) -> Result<bool> {
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
    fn set_journal_patiently(&self, mode: &str) -> Result<bool> {
        let mut tries = 0;
        loop {
            match self.set_journal(mode) {
                Err(error) if error.kind() == ErrorKind::Busy && wait(tries) => tries += 1,
                done => return done,
            }
        }
    }

    fn set_durability(&self, durability: Durability) -> Result<()> {
        let level = match durability {
            Durability::Flushed => "FULL",
            Durability::Deferred => "NORMAL",
        };
        self.set_synchronous(level)
    }

    fn set_synchronous(&self, level: &str) -> Result<()> {
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

    pub(super) fn each(&self, sql: &Sql, visit: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>) -> Result<()> {
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

    pub(super) fn rows(&self, sql: &Sql, kinds: &[Kind]) -> Result<Vec<Vec<Value>>> {
        collect(kinds, |visit| self.each(sql, visit))
    }

    pub(super) fn execute(&self, sql: &Sql) -> Result<usize> {
        let fail = |error| translate(&self.path(), error);
        let mut statement = self.inner.prepare_cached(sql.text()).map_err(fail)?;
        statement.execute(rusqlite::params_from_iter(sql.params())).map_err(fail)
    }

    pub(super) fn last_id(&self) -> i64 {
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
            Value::Json(serde_json::Value::Null) => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Json(json) => ToSqlOutput::Owned(python_json(json).into()),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// Waits a little for another writer and gives up after half a minute.
fn wait(tries: i32) -> bool {
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

fn writable(path: &Path) -> bool {
    std::fs::OpenOptions::new().write(true).open(path).is_ok()
}

/// Refuses what is no SQLite database before SQLite touches it.
fn check_header(path: &Path, length: u64) -> Result<()> {
    use std::io::Read;
    let refuse = |what: &str| {
        Err(Error::new(
            ErrorKind::UnknownDatabase,
            format!(
                "{} is {what}: restore it from a backup or initialise a new instance elsewhere",
                path.display()
            ),
        ))
    };
    if length == 0 {
        return refuse("empty, no SQLite database");
    }
    let mut head = [0u8; 100];
    let mut file = std::fs::File::open(path).map_err(|error| Error::io(path, error))?;
    if length < 100 || file.read_exact(&mut head).is_err() || !head.starts_with(b"SQLite format 3\0") {
        return refuse("no SQLite database");
    }
    let page = match u64::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        size => size,
    };
    let pages = u64::from(u32::from_be_bytes([head[28], head[29], head[30], head[31]]));
    let counters_agree = head[24..28] == head[92..96];
    if counters_agree && pages > 0 && length < page * pages && !wal_present(path) {
        return refuse("truncated");
    }
    Ok(())
}

/// Returns the name under which SQLite opens a file without locks and without looking for a log.
fn immutable(path: &Path) -> String {
    let mut name = String::from("file:");
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            other => name.push(other),
        }
    }
    name + "?immutable=1"
}

fn wal_present(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|metadata| metadata.len() > 0)
}

/// Returns the path of a file that SQLite keeps beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns true on file systems where the shared memory of write-ahead logging is not coherent between machines.
#[cfg(target_os = "linux")]
fn on_network(path: &Path) -> bool {
    // NFS, SMB, CIFS, FUSE, Lustre, GPFS, BeeGFS, AFS, Ceph, 9p.
    const NETWORK: [u32; 10] = [
        0x6969,
        0xFE53_4D42,
        0xFF53_4D42,
        0x6573_5546,
        0x0BD0_0BD0,
        0x4750_4653,
        0x1983_0326,
        0x5346_414F,
        0x00C3_6400,
        0x0102_1997,
    ];
    rustix::fs::statfs(path).is_ok_and(|info| NETWORK.contains(&(info.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
fn on_network(_path: &Path) -> bool {
    false
}

/// Returns the engine's error for one of SQLite.
fn translate(path: &Path, error: rusqlite::Error) -> Error {
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
