//! What there is to know of a SQLite file before SQLite opens it.
//!
//! No file that SQLite may have open is closed here: on Unix, closing any handle takes all locks off that the process
//! holds on the file, those of SQLite's own handles included. Another program could then believe that it is the last
//! one to leave, and remove the log that this process goes on writing to.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Identity, size and time of the database file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) file: (u64, u64),
    pub(super) size: u64,
    modified: Option<std::time::SystemTime>,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Result<Stamp> {
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

/// Returns true when this process may write to a file.
pub(super) fn writable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD, accessat};
        accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    }
    #[cfg(not(unix))]
    File::options().write(true).open(path).is_ok()
}

/// Reads the start of a file without ever closing it.
#[cfg(unix)]
fn read_start(path: &Path, head: &mut [u8]) -> io::Result<()> {
    use std::collections::BTreeMap;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};
    use std::sync::Mutex;

    /// One handle per database that was ever looked at, by device and inode.
    static KEPT: Mutex<BTreeMap<(u64, u64), File>> = Mutex::new(BTreeMap::new());

    let id = |metadata: &std::fs::Metadata| (metadata.dev(), metadata.ino());
    let mut kept = crate::threads::entered(KEPT.lock());
    if let Some(file) = kept.get(&id(&std::fs::metadata(path)?)) {
        return file.read_exact_at(head, 0);
    }
    let file = File::open(path)?;
    let read = file.read_exact_at(head, 0);
    match file.metadata() {
        // Replaced between the two looks by one that is known: a handle too many, but none closed.
        Ok(found) if kept.contains_key(&id(&found)) => std::mem::forget(file),
        Ok(found) => drop(kept.insert(id(&found), file)),
        Err(_) => std::mem::forget(file),
    }
    read
}

#[cfg(not(unix))]
fn read_start(path: &Path, head: &mut [u8]) -> io::Result<()> {
    use std::io::Read as _;
    File::open(path)?.read_exact(head)
}

/// Refuses what is no SQLite database before SQLite touches it.
pub(super) fn check_header(path: &Path, length: u64) -> Result<()> {
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
    match read_start(path, &mut head) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(Error::io(path, error)),
        Ok(()) if head.starts_with(b"SQLite format 3\0") => {}
        _ => return refuse("no SQLite database"),
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
pub(super) fn immutable(path: &Path) -> String {
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

pub(super) fn wal_present(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|metadata| metadata.len() > 0)
}

/// Returns the path of a file beside another, such as SQLite's log beside the database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Returns true on file systems where the shared memory of write-ahead logging is not coherent between machines.
#[cfg(target_os = "linux")]
pub(super) fn on_network(path: &Path) -> bool {
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
pub(super) fn on_network(_path: &Path) -> bool {
    false
}
