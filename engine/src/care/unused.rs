//! What lies in a storage location and belongs to no row.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use walkdir::WalkDir;

use super::location::Locations;
use crate::error::{Error, Result};
use crate::ingest::storage_key;
use crate::instance::Instance;
use crate::instance::migrate::is_kept;
use crate::instance::root::{DATABASE_KEY, INTERNAL_FOLDER, MARKER_KEY, StorageRoot};
use crate::query::Q;
use crate::record::Record;
use crate::store::{Leftover, LeftoverKind, Store};
use crate::value::Timestamp;

/// Where collected content waits, below the root.
pub(super) const QUARANTINE: &str = ".lamindb/.holotype-quarantine";

/// Ending of content that waits for its row, or for its turn at a shared place.
pub(super) const PART: &str = ".part";

/// Something that no row uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Id of the storage location.
    pub storage: i64,
    /// Root of the location.
    pub root: String,
    /// Path below the root.
    pub key: String,
    /// What it is.
    pub kind: UnusedKind,
    /// Bytes.
    pub size: u64,
    /// When anybody last wrote to it or moved it.
    pub since: Timestamp,
    /// True while a living process holds it.
    pub in_use: bool,
    /// What the store knows it by, where it is an upload in parts that nobody completed.
    pub upload: Option<String>,
}

/// What a thing without a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnusedKind {
    /// A temporary name: content on its way in or out.
    Temporary,
    /// A folder moved aside whose successor never came: to be brought back.
    Displaced,
    /// Complete content that waited for its row or its place.
    Waiting,
    /// A file or folder that the registry has no row for.
    Content,
    /// Parts of an upload to a bucket that nobody completed; their bytes are not counted.
    Upload,
}

impl UnusedKind {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            UnusedKind::Temporary => "temporary",
            UnusedKind::Displaced => "displaced",
            UnusedKind::Waiting => "waiting",
            UnusedKind::Content => "content",
            UnusedKind::Upload => "unfinished upload",
        }
    }
}

impl Instance {
    /// Returns what no row uses in the locations that the instance manages, sorted by place: those on this machine, then
    /// buckets.
    ///
    /// Below `.lamindb` that is everything but the instance's own files; elsewhere only temporary names count, since
    /// the rest belongs to the user.
    ///
    /// # Errors
    /// Failures of the file system and of the database.
    pub fn unused(&self) -> Result<Vec<Unused>> {
        let locations = Locations::of(self)?;
        let mut found = Vec::new();
        for (storage, store) in locations.managed(self) {
            self.unused_in(storage, &store, &mut found)?;
        }
        for (storage, remote) in locations.managed_elsewhere(self) {
            found.extend(self.unused_elsewhere(storage, remote)?);
        }
        Ok(found)
    }

    fn unused_in(&self, storage: &Record, store: &Store, found: &mut Vec<Unused>) -> Result<()> {
        let id = storage.id().unwrap_or_default();
        let root = store.root();
        let one = |key: String, kind, in_use| -> Result<Option<Unused>> {
            let Some((size, since)) = measure(&root.join(&key))? else { return Ok(None) };
            let root = root.display().to_string();
            Ok(Some(Unused { storage: id, root, key, kind, size, since, in_use, upload: None }))
        };
        // The names are listed before the rows: whoever is entered in between is not taken for unused.
        let mut listed: Vec<Unused> = Vec::new();
        let mut passing = BTreeSet::new();
        for leftover in store.leftovers()? {
            let Some(key) = key_below(root, &leftover.path).filter(|key| !key.starts_with(QUARANTINE)) else {
                continue;
            };
            passing.insert(key.clone());
            let displaced = matches!(leftover.kind, LeftoverKind::Displaced(_));
            let kind = if displaced { UnusedKind::Displaced } else { UnusedKind::Temporary };
            listed.extend(one(key, kind, leftover.in_use)?);
        }
        let internal = root.join(INTERNAL_FOLDER);
        let mut names: Vec<String> = Vec::new();
        if internal.is_dir() {
            for entry in fs::read_dir(&internal).map_err(|error| Error::io(&internal, error))? {
                let entry = entry.map_err(|error| Error::io(&internal, error))?;
                // A name that is not UTF-8 is none of the registry's; nothing here could name it.
                names.extend(entry.file_name().into_string().ok());
            }
        }
        names.sort_unstable();
        let used = self.used_below(id)?;
        for name in names {
            let key = format!("{INTERNAL_FOLDER}/{name}");
            if is_own(&key) || used.contains(&name) || passing.contains(&key) {
                continue;
            }
            let kind = if name.ends_with(PART) { UnusedKind::Waiting } else { UnusedKind::Content };
            listed.extend(one(key, kind, false)?);
        }
        found.append(&mut listed);
        Ok(())
    }

    /// Returns the names directly below `.lamindb` that rows of a storage location use.
    pub(super) fn used_below(&self, storage: i64) -> Result<BTreeSet<String>> {
        let query = self.registry("Artifact")?.filter(Q::is("storage_id", storage))?;
        let mut used = BTreeSet::new();
        for row in query.all()? {
            if let Some(rest) = storage_key(&row).strip_prefix(".lamindb/") {
                used.insert(rest.split('/').next().unwrap_or(rest).to_owned());
            }
        }
        Ok(used)
    }
}

impl Unused {
    /// Returns its path or URL.
    pub fn place(&self) -> String {
        let Unused { root, key, .. } = self;
        StorageRoot::stored(root).map_or_else(|_| format!("{root}/{key}"), |root| root.join(key))
    }

    /// Returns true for what lies in a bucket.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.root.contains("://")
    }

    /// Returns it as the store lists leftovers; nothing for what is no temporary name.
    pub(super) fn leftover(&self, store: &Store) -> Result<Option<Leftover>> {
        store.leftover_at(&store.path(&self.key)?)
    }
}

/// Returns true for the instance's own files.
pub(super) fn is_own(key: &str) -> bool {
    let beside_database = key
        .strip_prefix(DATABASE_KEY)
        .is_some_and(|rest| rest.is_empty() || matches!(rest, "-wal" | "-shm" | "-journal"));
    beside_database
        || key.starts_with(DATABASE_KEY) && is_kept(Path::new(key.trim_end_matches("-wal").trim_end_matches("-shm")))
        || key == MARKER_KEY
        || key.starts_with(QUARANTINE)
        || key.starts_with(".lamindb/_exclusion")
        // A marker and a database of older layouts.
        || key == ".lamindb/_is_initialized"
        || key.ends_with(".lndb")
}

fn key_below(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// Returns the bytes below a path and the latest moment at which anything there was written, moved or linked;
/// nothing when it is gone.
pub(super) fn measure(path: &Path) -> Result<Option<(u64, Timestamp)>> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(None);
    }
    let (mut size, mut since) = (0, 0);
    for entry in WalkDir::new(path).into_iter().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_file() {
            size += metadata.len();
        }
        since = since.max(touched(&metadata));
    }
    Ok(Some((size, Timestamp(since))))
}

/// Returns the microseconds since 1970 at which content or name of a file last changed.
fn touched(metadata: &fs::Metadata) -> i64 {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // A file that keeps the time of its source was put here when its inode last changed.
        modified.max(metadata.ctime().saturating_mul(1_000_000) + metadata.ctime_nsec() / 1000)
    }
    #[cfg(not(unix))]
    modified
}
