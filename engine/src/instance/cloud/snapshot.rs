//! The database as it is at one moment, compared with what is in the cloud or on its way there: in memory, or in a file
//! beside the copy where it is large.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::Cloud;
use super::copy::WorkingCopy;
use crate::db::{Db, Open};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::hash::{Digest, digest_file};
use crate::instance::root::DATABASE_KEY;
use crate::instance::settings::files;
use crate::store::{Store, Version};

/// Bytes up to which a database is held in memory, and sent in one request.
const IN_MEMORY: u64 = 256 << 20;

/// Bytes that a store takes in one request: 5 GiB on S3, a little less on Azure.
const LARGEST: u64 = 5_000 << 20;

/// Where the header of a database says whether it has a write-ahead log, and what it says of one without.
const LOG: usize = 18;
const WITHOUT: [u8; 2] = [1, 1];

/// The database at one moment. While it is in a file no other can be made of the same copy: its turn has to be held.
pub(super) struct Snapshot {
    content: Content,
    /// Names the content.
    pub(super) digest: String,
}

enum Content {
    Memory(Vec<u8>),
    /// Without a log.
    File(Passing),
}

/// A file that is there no longer than somebody needs it.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // What stays is written over by the next one.
        let _ = fs::remove_file(&self.0);
    }
}

impl Snapshot {
    fn of(db: &Db, copy: &WorkingCopy) -> Result<Snapshot> {
        if db.size()? <= faults::limit("cloud.memory", IN_MEMORY) {
            let bytes = db.snapshot()?;
            return Ok(Snapshot { digest: Digest::of(&bytes).to_hex(), content: Content::Memory(bytes) });
        }
        let passing = Passing(copy.outgoing());
        let path = &passing.0;
        files::remove(path)?;
        db.snapshot_to(path)?;
        forget_log(path)?;
        let digest = digest_file(path)?.to_hex();
        Ok(Snapshot { content: Content::File(passing), digest })
    }

    /// Returns the database in the form in which it lies in the cloud: as one without a write-ahead log, which is no part
    /// of the format.
    pub(super) fn plain(mut self) -> Snapshot {
        if let Content::Memory(bytes) = &mut self.content
            && let Some(log) = bytes.get_mut(LOG..LOG + WITHOUT.len())
        {
            log.copy_from_slice(&WITHOUT);
            self.digest = Digest::of(bytes).to_hex();
        }
        self
    }

    /// Puts the database into the cloud over a known version; nothing when another one is there.
    pub(super) fn write_over(self, store: &Store, known: Option<&Version>) -> Result<Option<Version>> {
        match self.content {
            Content::Memory(bytes) => store.write_over(DATABASE_KEY, known, bytes),
            Content::File(file) => write_file_over(store, known, &file.0),
        }
    }

    /// Keeps the database at a path where nothing lies.
    pub(super) fn keep(self, path: &Path) -> Result<()> {
        let kept = match &self.content {
            Content::Memory(bytes) => File::create_new(path).and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            }),
            Content::File(file) => {
                fs::rename(&file.0, path).and_then(|()| File::options().write(true).open(path)?.sync_all())
            }
        };
        kept.map_err(|error| Error::io(path, error))
    }
}

/// Puts the database in a file that no program has open into the cloud, as [`Snapshot::write_over`] does.
pub(super) fn write_over(store: &Store, known: Option<&Version>, path: &Path) -> Result<Option<Version>> {
    forget_log(path)?;
    write_file_over(store, known, path)
}

fn write_file_over(store: &Store, known: Option<&Version>, path: &Path) -> Result<Option<Version>> {
    let fail = |error| Error::io(path, error);
    let size = fs::metadata(path).map_err(fail)?.len();
    if size > faults::limit("cloud.memory", IN_MEMORY) && store.replaces_in_parts(DATABASE_KEY)? {
        return store.write_file_over(DATABASE_KEY, known, path);
    }
    store.write_over(DATABASE_KEY, known, fs::read(path).map_err(fail)?)
}

/// Lets the header of a database say that it has no write-ahead log.
fn forget_log(path: &Path) -> Result<()> {
    let opened = File::options().write(true).open(path);
    let written = opened.and_then(|mut file| {
        file.seek(SeekFrom::Start(LOG as u64))?;
        file.write_all(&WITHOUT)
    });
    written.map_err(|error| Error::io(path, error))
}

impl Cloud {
    /// Returns the copy as it is now.
    pub(super) fn snapshot(&self, open: Option<&Db>) -> Result<Snapshot> {
        match open {
            Some(db) => Snapshot::of(db, &self.copy),
            None => Snapshot::of(&Db::open(&self.copy.path, Open::Existing)?, &self.copy),
        }
    }

    /// Fails for a database that the store does not take, neither in one request nor in parts: only what it takes under a
    /// condition can be sent. Says what to do instead.
    pub(super) fn sendable(&self, size: u64, advice: impl FnOnce() -> String) -> Result<()> {
        let largest = faults::limit("cloud.largest", LARGEST);
        if size <= largest || self.store.replaces_in_parts(DATABASE_KEY)? {
            return Ok(());
        }
        let (url, advice) = (&self.url, advice());
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{url} cannot take the database, which has {size} bytes: object stores take {largest} in one request, and this \
                 one does not show that it replaces only a known version by an upload in parts. {advice}"
            ),
        ))
    }
}
