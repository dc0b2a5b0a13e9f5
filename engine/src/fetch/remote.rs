//! Copies of remote content in the cache: never others than the registry says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::index::Index;
use crate::content::{Content, recorded_hash};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hash::{ContentHash, Digest, folder_hash};
use crate::ingest::progress::Progress;
use crate::ingest::storage_key;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::instance::settings::{ArtifactPlace, cache_limit, cache_path};
use crate::model;
use crate::record::Record;
use crate::store::{Fetch, Publish, Stat, Store};
use crate::threads;

/// A copy of an artifact's remote content, wherever it stands.
struct Copy<'a> {
    index: Index<'a>,
    path: PathBuf,
    /// What the row says of the content.
    expected: Option<ContentHash>,
    digest: Option<Digest>,
    /// What the index calls the content.
    name: String,
}

impl Copy<'_> {
    /// Returns true when the copy is there and is the content.
    fn is_right(&self) -> Result<bool> {
        if self.index.knows(&self.path, &self.name) {
            return Ok(true);
        }
        let right = self.path.exists()
            && self.expected.as_ref().is_some_and(|expected| {
                Content::identify(&self.path).is_ok_and(|(hash, found)| {
                    self.digest.map_or(hash == *expected, |digest| digest == found.digest)
                })
            });
        if right {
            self.index.note_content(&self.path, &self.name, self.index.outlived(&self.path))?;
        }
        Ok(right)
    }

    /// Notes that the copy was made, and lets others go where the cache is full.
    fn made(&self, limit: Option<u64>, flushed: bool) -> Result<()> {
        self.index.note_content(&self.path, &self.name, flushed)?;
        limit.map_or(Ok(()), |limit| self.index.shrink(limit, &self.path))
    }
}

impl Instance {
    /// Returns the copy of remote content in the cache, fetched unless it is there and right.
    pub(super) fn fetch_copy(&self, record: &Record, store: &Store, key: &str) -> Result<PathBuf> {
        let copy = self.copy_of(record, store, key)?;
        if copy.is_right()? {
            return Ok(copy.path);
        }
        let total = copy.expected.as_ref().map_or(0, |expected| expected.size);
        let progress =
            Progress::new(self.env(), "fetching", record.text("key").unwrap_or(record.uid()), total);
        let step = |bytes| progress.step(bytes);
        let content = copy.expected.as_ref();
        let how = Fetch { content, digest: copy.digest, durable: false, progress: &step };
        let fetched = store.fetch(key, &copy.path, &how)?;
        copy.made(cache_limit(self.env())?, fetched.flushed)?;
        Ok(copy.path)
    }

    /// Returns true when remote content can be read from where it lies: there is no copy of it, and its store describes
    /// it as the registry does. Whatever is described otherwise has to be read to be judged.
    pub(super) fn is_better_left(&self, record: &Record, store: &Store, key: &str) -> Result<bool> {
        let copy = self.copy_of(record, store, key)?;
        if copy.is_right()? {
            return Ok(false);
        }
        let found = described(store, key)?;
        let Some(expected) = copy.expected else { return Ok(true) };
        let hash = match &found[..] {
            [file] if file.key == key => file.content.clone(),
            files => {
                let of_file = |stat: &Stat| Some((stat.content.as_ref()?.hash.clone(), stat.size));
                files.iter().map(of_file).collect::<Option<Vec<_>>>().and_then(folder_hash)
            }
        };
        let same_size = found.iter().map(|stat| stat.size).sum::<u64>() == expected.size;
        Ok(same_size && hash.is_none_or(|hash| hash.kind != expected.kind || hash.hash == expected.hash))
    }

    /// Keeps copies of content that was stored on another machine, each given by its artifact and where it came from, so
    /// that reading it costs nothing; failing costs only that.
    pub(crate) fn keep_copies(&self, store: &Store, stored: &[(&Record, &Path)]) {
        if !store.is_remote() {
            return;
        }
        let keep = |(record, source): &(&Record, &Path)| {
            if let Err(error) = self.keep_copy(store, record, source) {
                self.env().emit(Event::Warning(format!(
                    "no copy of artifact {} is kept in the cache: {}",
                    record.uid(),
                    error.message()
                )));
            }
        };
        threads::share(|| stored.par_iter().for_each(keep));
    }

    fn keep_copy(&self, store: &Store, record: &Record, source: &Path) -> Result<()> {
        let copy = self.copy_of(record, store, &storage_key(record))?;
        let limit = cache_limit(self.env())?;
        let fits = |expected: &&ContentHash| limit.is_none_or(|limit| expected.size <= limit);
        let (Some(expected), Some(folder), Some(name)) = (
            copy.expected.as_ref().filter(fits),
            copy.path.parent(),
            copy.path.file_name().and_then(OsStr::to_str),
        ) else {
            return Ok(());
        };
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        if copy.path.exists() {
            self.env().emit(Event::ReplacesCopy { path: copy.path.display().to_string() });
        }
        let how =
            Publish { durable: false, content: Some(expected), digest: copy.digest, ..Publish::default() };
        Store::local(folder, self.env()).publish(source, name, &how)?;
        copy.made(limit, false)
    }

    fn copy_of(&self, record: &Record, store: &Store, key: &str) -> Result<Copy<'_>> {
        let index = Index::of(self.env())?;
        let path = self.copy_path(record, index.cache(), key)?;
        let expected = recorded_hash(record);
        let name = match &expected {
            Some(expected) => format!("{} {} {}", expected.kind, expected.hash, expected.size),
            None => state(store, key)?,
        };
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        Ok(Copy { index, path, expected, digest: known.map(|known| known.digest), name })
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

/// Returns what a store tells of a file, or of every file of a folder.
fn described(store: &Store, key: &str) -> Result<Vec<Stat>> {
    let files = match store.stat(key)? {
        Some(stat) => vec![stat],
        None => store.stats(&format!("{key}/"))?,
    };
    if files.is_empty() {
        return Err(Error::new(ErrorKind::FileNotFound, store.url(key)?));
    }
    Ok(files)
}

/// Returns what tells one state of remote content from another where the registry has no hash.
fn state(store: &Store, key: &str) -> Result<String> {
    let files = described(store, key)?;
    let line = |stat: &Stat| {
        format!("{} {} {} {:?}\n", stat.key, stat.size, stat.tag.as_deref().unwrap_or("-"), stat.modified)
    };
    Ok(format!("state {}", crate::uid::from_text(&files.iter().map(line).collect::<String>(), 20)))
}
