//! What belongs to nobody in a bucket: found by its list, moved within it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::collect::Collected;
use super::location::Remote;
use super::unused::{PART, Unused, UnusedKind, is_own};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::instance::root::INTERNAL_FOLDER;
use crate::record::Record;
use crate::store::{Stat, Store, Unfinished};
use crate::value::Timestamp;

/// What lies below one name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heap {
    pub(super) size: u64,
    /// When anything there was last written.
    pub(super) since: Timestamp,
}

impl Heap {
    fn add(&mut self, stat: &Stat) {
        self.size += stat.size;
        self.since = self.since.max(stat.modified.unwrap_or(NEVER));
    }
}

const NOTHING: Heap = Heap { size: 0, since: NEVER };
const NEVER: Timestamp = Timestamp(0);

/// Returns what lies below each name in a folder of a bucket, by its key.
pub(super) fn heaps(store: &Store, folder: &str) -> Result<BTreeMap<String, Heap>> {
    let mut found: BTreeMap<String, Heap> = BTreeMap::new();
    for stat in store.stats(&format!("{folder}/"))? {
        let name = stat.key.get(folder.len() + 1..).and_then(|below| below.split('/').next());
        let key = format!("{folder}/{}", name.unwrap_or_default());
        found.entry(key).or_insert(NOTHING).add(&stat);
    }
    Ok(found)
}

/// Returns the name directly below `.lamindb` of what lies at a key.
fn name(key: &str) -> &str {
    key.get(INTERNAL_FOLDER.len() + 1..).unwrap_or_default()
}

impl Instance {
    /// Returns what no row uses below `.lamindb` of a bucket.
    pub(super) fn unused_elsewhere(&self, storage: &Record, remote: &Remote) -> Result<Vec<Unused>> {
        let id = storage.id().unwrap_or_default();
        let root = storage.text("root").unwrap_or_default();
        // The names are listed before the rows: whoever is entered in between is not taken for unused.
        let uploads = remote.store.unfinished(INTERNAL_FOLDER)?;
        let heaps = heaps(&remote.store, INTERNAL_FOLDER)?;
        let used = self.used_below(id)?;
        let unused = heaps.into_iter().filter(|(key, _)| !is_own(key) && !used.contains(name(key)));
        let unused = unused.map(|(key, Heap { size, since })| Unused {
            storage: id,
            root: root.to_owned(),
            kind: if key.ends_with(PART) { UnusedKind::Waiting } else { UnusedKind::Content },
            key,
            size,
            since,
            in_use: false,
            upload: None,
        });
        // How many bytes have come is told by the parts only; nobody needs to know before they go.
        let uploads = uploads.into_iter().map(|Unfinished { key, id: upload, since }| Unused {
            storage: id,
            root: root.to_owned(),
            kind: UnusedKind::Upload,
            key,
            size: 0,
            since,
            in_use: false,
            upload: Some(upload),
        });
        Ok(unused.chain(uploads).collect())
    }

    /// Moves things within their bucket, unless somebody has written to them; what got a row meanwhile comes back. Parts of
    /// unfinished uploads go for good: nothing can be made of them.
    ///
    /// Moving is copying there, so that it cannot be done while all others wait.
    ///
    /// # Errors
    /// Failures of the database.
    pub(super) fn take_elsewhere(
        &self,
        remote: &Remote,
        things: &[&Unused],
        batch: &str,
        collected: &mut Collected,
    ) -> Result<()> {
        let Some(storage) = things.first().map(|unused| unused.storage) else { return Ok(()) };
        let aside = |unused: &Unused| format!("{batch}/{}.collected", unused.key);
        let (things, uploads): (Vec<&Unused>, Vec<&Unused>) =
            things.iter().copied().partition(|unused| unused.upload.is_none());
        for unused in uploads {
            let id = unused.upload.clone().unwrap_or_default();
            let upload = Unfinished { key: unused.key.clone(), id, since: unused.since };
            match remote.store.give_up(&upload) {
                Ok(()) => collected.moved += 1,
                Err(error) => {
                    collected.failed.push((PathBuf::from(unused.place()), error.message().to_owned()))
                }
            }
        }
        let mut failed = |unused: &Unused, error: &Error| {
            collected.failed.push((PathBuf::from(unused.place()), error.message().to_owned()));
        };
        let used = self.used_below(storage)?;
        let mut moved: Vec<&Unused> = Vec::new();
        for unused in things.into_iter().filter(|unused| !used.contains(name(&unused.key))) {
            match self.set_aside(remote, unused, &aside(unused)) {
                Ok(true) => moved.push(unused),
                Ok(false) => {}
                Err(error) => failed(unused, &error),
            }
        }
        let used = self.used_below(storage)?;
        let (back, taken): (Vec<&Unused>, Vec<&Unused>) =
            moved.into_iter().partition(|unused| used.contains(name(&unused.key)));
        for unused in back {
            if let Err(error) = remote.store.rename(&aside(unused), &unused.key, &self.publishing()) {
                failed(unused, &error);
            }
        }
        collected.moved += taken.len();
        collected.bytes += taken.iter().map(|unused| unused.size).sum::<u64>();
        Ok(())
    }

    /// Moves one thing, unless it is another one than was planned.
    fn set_aside(&self, remote: &Remote, unused: &Unused, aside: &str) -> Result<bool> {
        let mut now = NOTHING;
        remote.look(&unused.key)?.iter().for_each(|stat| now.add(stat));
        if (now.size, now.since) != (unused.size, unused.since) {
            return Ok(false);
        }
        remote.store.rename(&unused.key, aside, &self.publishing())?;
        Ok(true)
    }
}
