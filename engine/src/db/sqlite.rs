//! SQLite: one writer connection, a pool of readers, waiting instead of "database is locked".

mod connection;
mod file;
mod log;
mod rehearsal;
mod whole;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, TryLockError};

pub(super) use connection::Connection;
pub(crate) use file::beside;
use file::{Stamp, check_header, on_network, wal_present, writable};
use log::Log;
use rehearsal::Rehearsal;

use super::{Durability, Open, Sql};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::threads;

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
    /// Opened with the first transaction. Dropped after the connection, which may empty it.
    log: Option<Arc<Log>>,
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
        connection.set_synchronous(if self.rollback_journal { "FULL" } else { "NORMAL" })?;
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
        let mut writer = Writer::over(connection);
        // `finish` flushes the file as a whole.
        writer.durability = Durability::Deferred;
        Self::over(path, writer, false)
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
        let file = Stamp::of(path)?.file;
        if Log::is_removed(file) {
            return Err(log::removed(path));
        }
        Ok(Sqlite {
            path: path.to_owned(),
            file,
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
        threads::entered(mutex.lock())
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
        self.log(&mut writer)?;
        let connection = writer.connection(&self.path)?;
        connection.begin()?;
        let result = connection.finish(work)?;
        let Some(log) = self.log(&mut writer)? else { return Ok(result) };
        let flushed = writer.durability == Durability::Flushed;
        // Others may write while this one waits for the device.
        drop(writer);
        faults::hit("db.flush");
        if flushed {
            log.flush()?;
        }
        Ok(result)
    }

    /// Returns the log, which is there as soon as something was read or written, unless there is another journal.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the log was removed.
    fn log(&self, writer: &mut Writer) -> Result<Option<Arc<Log>>> {
        if writer.log.is_none() {
            writer.log = Log::beside(&self.path, self.file)?;
        }
        if writer.log.as_ref().is_some_and(|log| log.removed()) {
            if let Some(connection) = &writer.connection {
                connection.leave_the_log()?;
            }
            return Err(log::removed(&self.path));
        }
        Ok(writer.log.clone())
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
        let connection = writer.connection(&self.path)?;
        connection.set_patience(false)?;
        let begun = connection.begin();
        connection.set_patience(true)?;
        match begun {
            Ok(()) => connection.finish(work).map(Some),
            Err(error) if error.kind() == ErrorKind::Busy => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn set_durability(&self, durability: Durability) -> Result<()> {
        let mut writer = self.lock(&self.writer);
        writer.durability = durability;
        match (self.rollback_journal, &writer.connection) {
            (true, Some(connection)) => connection.set_synchronous(match durability {
                Durability::Flushed => "FULL",
                Durability::Deferred => "NORMAL",
            }),
            _ => Ok(()),
        }
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
        Writer { connection: Some(connection), ..Writer::default() }
    }

    fn connection(&mut self, path: &Path) -> Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let opened = Connection::open(path, false, false)?;
                // What has to reach the device is flushed by the log.
                opened.set_synchronous("NORMAL")?;
                opened
            }
        };
        Ok(self.connection.insert(connection))
    }
}
