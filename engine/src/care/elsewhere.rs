//! What belongs to nobody in a bucket: found by its list, moved within it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::collect::Collected;
use super::location::Remote;
use super::unused::{PART, Unused, UnusedKind, is_own};
use crate::error::Result;
use crate::instance::Instance;
use crate::instance::root::INTERNAL_FOLDER;
use crate::record::Record;
use crate::store::Store;
use crate::value::Timestamp;

/// What lies below one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heap {
    pub(super) size: u64,
    /// When anything there was last written.
    pub(super) since: Timestamp,
}

/// Returns what lies below each name in a folder of a bucket, by its key.
pub(super) fn heaps(store: &Store, folder: &str) -> Result<BTreeMap<String, Heap>> {
    let mut found: BTreeMap<String, Heap> = BTreeMap::new();
    for stat in store.stats(&format!("{folder}/"))? {
        let name = stat.key.get(folder.len() + 1..).and_then(|below| below.split('/').next());
        let since = stat.modified.unwrap_or(Timestamp(0));
        let heap = found.entry(format!("{folder}/{}", name.unwrap_or_default()));
        let heap = heap.or_insert(Heap { size: 0, since });
        heap.size += stat.size;
        heap.since = heap.since.max(since);
    }
    Ok(found)
}

impl Instance {
    /// Returns what no row uses below `.lamindb` of a bucket.
    pub(super) fn unused_elsewhere(&self, storage: &Record, remote: &Remote) -> Result<Vec<Unused>> {
        let id = storage.id().unwrap_or_default();
        // The names are listed before the rows: whoever is entered in between is not taken for unused.
        let heaps = heaps(&remote.store, INTERNAL_FOLDER)?;
        let used = self.used_below(id)?;
        let unused = heaps.into_iter().filter(|(key, _)| {
            let name = key.get(INTERNAL_FOLDER.len() + 1..).unwrap_or_default();
            !is_own(key) && !used.contains(name)
        });
        Ok(unused
            .map(|(key, Heap { size, since })| Unused {
                storage: id,
                root: storage.text("root").unwrap_or_default().to_owned(),
                kind: if key.ends_with(PART) { UnusedKind::Waiting } else { UnusedKind::Content },
                key,
                size,
                since,
                in_use: false,
            })
            .collect())
    }

    /// Moves one thing within its bucket, unless somebody has written to it; what got a row meanwhile comes back.
    ///
    /// Moving is copying there, so that it cannot be done while all others wait.
    pub(super) fn take_elsewhere(
        &self,
        remote: &Remote,
        unused: &Unused,
        batch: &str,
        collected: &mut Collected,
    ) {
        let (key, aside) = (unused.key.as_str(), format!("{batch}/{}.collected", unused.key));
        let name = key.get(INTERNAL_FOLDER.len() + 1..).unwrap_or_default();
        let moved = || -> Result<bool> {
            let now = heaps(&remote.store, INTERNAL_FOLDER)?.remove(key);
            let same = now.is_some_and(|heap| heap.since == unused.since && heap.size == unused.size);
            if !same || self.used_below(unused.storage)?.contains(name) {
                return Ok(false);
            }
            remote.store.rename(key, &aside, &self.publishing())?;
            if self.used_below(unused.storage)?.contains(name) {
                remote.store.rename(&aside, key, &self.publishing())?;
                return Ok(false);
            }
            Ok(true)
        };
        match moved() {
            Ok(true) => {
                collected.moved += 1;
                collected.bytes += unused.size;
            }
            Ok(false) => {}
            Err(error) => {
                collected.failed.push((PathBuf::from(unused.place()), error.message().to_owned()));
            }
        }
    }
}
