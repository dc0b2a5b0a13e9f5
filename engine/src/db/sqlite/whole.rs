//! The database taken as one file: read whole as it is at one moment, and replaced whole by another.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{MAIN_DB, OpenFlags};

use super::Sqlite;
use super::connection::{Connection, translate, wait};
use super::file::immutable;
use crate::db::{Cell, Sql};
use crate::error::{Error, ErrorKind, Result};

impl Sqlite {
    /// Returns the bytes of the database as it is at one moment, what is in the log included.
    ///
    /// SQLite reads them itself: if this process opened the file and closed it again, the system would take all the
    /// locks off that SQLite holds on it.
    pub(in crate::db) fn snapshot(&self) -> Result<Vec<u8>> {
        let mut writer = self.lock(&self.writer);
        self.check_file()?;
        self.log(&mut writer)?;
        let connection = writer.connection(&self.path)?;
        connection.execute(&Sql::new("BEGIN"))?;
        // A transaction has its moment once it has read something.
        let read = connection.each(&Sql::new("PRAGMA schema_version"), &mut |_| Ok(())).and_then(|()| {
            let bytes = connection.inner.serialize(MAIN_DB).map_err(|error| translate(&self.path, error))?;
            Ok(bytes.to_vec())
        });
        connection.execute(&Sql::new("COMMIT"))?;
        read
    }

    /// Writes what [`Sqlite::snapshot`] returns to a path where nothing lies, in little memory.
    ///
    /// SQLite puts numbers of its own into the header of what it copies: they are the same whenever it does.
    pub(in crate::db) fn snapshot_to(&self, path: &Path) -> Result<()> {
        let mut target = Connection::open(path, true, false)?;
        target.set_journal("off")?;
        target.set_synchronous("OFF")?;
        let mut writer = self.lock(&self.writer);
        self.check_file()?;
        self.log(&mut writer)?;
        let source = writer.connection(&self.path)?;
        let copying =
            Backup::new(&source.inner, &mut target.inner).map_err(|error| translate(path, error))?;
        self.copy(&copying, path)
    }

    /// Returns how many bytes the database has, what is in the log included.
    pub(in crate::db) fn size(&self) -> Result<u64> {
        let mut writer = self.lock(&self.writer);
        let sql = Sql::new("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
        let mut size = 0;
        writer.connection(&self.path)?.each(&sql, &mut |cells| {
            if let [Cell::Int(bytes)] = cells {
                size = bytes.unsigned_abs();
            }
            Ok(())
        })?;
        Ok(size)
    }

    /// Gives the database the content of another file, in one transaction: whoever has it open sees the old or the new.
    ///
    /// It is on the device when this returns.
    pub(in crate::db) fn replace_with(&self, other: &Path) -> Result<()> {
        let fail = |error| translate(other, error);
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let source = rusqlite::Connection::open_with_flags(immutable(other), flags).map_err(fail)?;
        let mut writer = self.lock(&self.writer);
        self.check_file()?;
        self.log(&mut writer)?;
        let connection = writer.connection(&self.path)?;
        let copying = Backup::new(&source, &mut connection.inner).map_err(fail)?;
        self.copy(&copying, other)?;
        drop(copying);
        self.log(&mut writer)?.map_or(Ok(()), |log| log.flush())
    }

    /// Copies all pages as they are at one moment.
    fn copy(&self, copying: &Backup<'_, '_>, other: &Path) -> Result<()> {
        let mut tries = 0;
        loop {
            match copying.step(-1).map_err(|error| translate(other, error))? {
                StepResult::Done => return Ok(()),
                StepResult::Busy | StepResult::Locked if wait(tries) => tries += 1,
                StepResult::More => {}
                _ => {
                    return Err(Error::new(
                        ErrorKind::Busy,
                        format!("{} stayed locked by others: try again", self.path.display()),
                    ));
                }
            }
        }
    }
}
