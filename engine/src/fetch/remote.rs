//! Copies of remote content in the cache: never others than the registry says.

use std::path::{Path, PathBuf};

use super::index::Index;
use crate::content::{Content, recorded_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::progress::Progress;
use crate::ingest::storage_key;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::instance::settings::{ArtifactPlace, cache_limit, cache_path};
use crate::model;
use crate::record::Record;
use crate::store::{Fetch, Store};

impl Instance {
    /// Returns the copy of remote content in the cache, fetched unless it is there and right.
    pub(super) fn fetch_copy(&self, record: &Record, store: &Store, key: &str) -> Result<PathBuf> {
        let index = Index::of(self.env())?;
        let target = self.copy_path(record, index.cache(), key)?;
        let expected = recorded_hash(record);
        let content = match &expected {
            Some(expected) => format!("{} {} {}", expected.kind, expected.hash, expected.size),
            None => state(store, key)?,
        };
        if index.knows(&target, &content) {
            return Ok(target);
        }
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        let digest = known.as_ref().map(|known| known.digest);
        if target.exists()
            && let Some(expected) = &expected
            && let Ok((hash, found)) = Content::identify(&target)
            && digest.map_or(hash == *expected, |digest| digest == found.digest)
        {
            index.note_content(&target, &content)?;
            return Ok(target);
        }
        let total = expected.as_ref().map_or(0, |expected| expected.size);
        let progress =
            Progress::new(self.env(), "fetching", record.text("key").unwrap_or(record.uid()), total);
        let step = |bytes| progress.step(bytes);
        let how = Fetch { content: expected.as_ref(), digest, progress: &step };
        store.fetch(key, &target, &how)?;
        index.note_content(&target, &content)?;
        if let Some(limit) = cache_limit(self.env())? {
            index.shrink(limit, &target)?;
        }
        Ok(target)
    }

    /// Returns where the copy of remote content in the cache lies, if there is one.
    pub(crate) fn cached_copy(&self, record: &Record) -> Result<PathBuf> {
        self.copy_path(record, Index::of(self.env())?.cache(), &storage_key(record))
    }

    fn copy_path(&self, record: &Record, cache: &Path, key: &str) -> Result<PathBuf> {
        let storage = self.by_id(model::require("Storage")?, record.int("storage_id").unwrap_or_default())?;
        let root = StorageRoot::stored(storage.text("root").unwrap_or_default())?;
        let place = ArtifactPlace {
            storage_key: key,
            key: record.text("key"),
            key_is_virtual: record.flag("_key_is_virtual"),
            is_latest: record.flag("is_latest"),
        };
        cache_path(cache, &root, place)?
            .ok_or_else(|| Error::invalid(format!("Artifact {} lies on this machine", record.uid())))
    }
}

/// Returns what tells one state of remote content from another where the registry has no hash.
fn state(store: &Store, key: &str) -> Result<String> {
    let files = match store.stat(key)? {
        Some(stat) => vec![stat],
        None => store.stats(&format!("{key}/"))?,
    };
    if files.is_empty() {
        return Err(Error::new(ErrorKind::FileNotFound, store.url(key)?));
    }
    let line = |stat: &crate::store::Stat| {
        format!("{} {} {} {:?}\n", stat.key, stat.size, stat.tag.as_deref().unwrap_or("-"), stat.modified)
    };
    Ok(format!("state {}", crate::uid::from_text(&files.iter().map(line).collect::<String>(), 20)))
}
