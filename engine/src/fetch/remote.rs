//! Copies of remote content in the cache: never others than the registry says.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::index::Index;
use crate::content::{Content, recorded_hash};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::hash::{ContentHash, Digest, HashKind};
use crate::ingest::progress::Progress;
use crate::ingest::{automatic_key, storage_key};
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::instance::settings::{ArtifactPlace, cache_limit, cache_path};
use crate::record::Record;
use crate::store::{Fetch, FetchJob, Publish, Stat, Store, content_of};
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
        let mut paths = self.fetch_copies(store, &[(record, key)])?;
        paths
            .pop()
            .ok_or_else(|| Error::invalid(format!("Nothing was fetched for artifact {}", record.uid())))
    }

    /// Returns the copies of remote content in the cache, each given by its artifact and its key; those that are not there
    /// or not right are fetched, many at once.
    pub(super) fn fetch_copies(&self, store: &Store, wanted: &[(&Record, &str)]) -> Result<Vec<PathBuf>> {
        let mut copies = Vec::with_capacity(wanted.len());
        let mut missing = Vec::new();
        for (at, (record, key)) in wanted.iter().enumerate() {
            let copy = self.copy_of(record, store, key)?;
            if !copy.is_right()? {
                missing.push(at);
            }
            copies.push(copy);
        }
        let size = |at: &usize| copies[*at].expected.as_ref().map_or(0, |expected| expected.size);
        let name = match &missing[..] {
            [one] => wanted[*one].0.text("key").unwrap_or(wanted[*one].0.uid()).to_owned(),
            many => format!("{} artifacts", many.len()),
        };
        let progress = Progress::new(self.env(), "fetching", name, missing.iter().map(size).sum());
        let step = |bytes| progress.step(bytes);
        let jobs: Vec<FetchJob<'_>> = missing
            .iter()
            .map(|&at| FetchJob {
                key: wanted[at].1,
                target: &copies[at].path,
                content: copies[at].expected.as_ref(),
                digest: copies[at].digest,
            })
            .collect();
        let limit = cache_limit(self.env())?;
        let fetched = store.fetch_many(&jobs, &Fetch { durable: false, progress: &step, ..Fetch::default() });
        let mut all = Ok(());
        for (&at, fetched) in missing.iter().zip(fetched) {
            // What came is kept, whatever became of the others.
            all = all.and(fetched.and_then(|fetched| copies[at].made(limit, fetched.flushed)));
        }
        all?;
        Ok(copies.into_iter().map(|copy| copy.path).collect())
    }

    /// Returns true when remote content can be read from where it lies: there is no copy of it, and its store describes
    /// it as the registry does. Whatever is described otherwise has to be read to be judged.
    pub(super) fn is_better_left(&self, record: &Record, store: &Store, key: &str) -> Result<bool> {
        let copy = self.copy_of(record, store, key)?;
        if copy.is_right()? {
            return Ok(false);
        }
        let found = store.describe(key)?;
        let Some(expected) = copy.expected else { return Ok(true) };
        let hash = content_of(&found, key);
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
            if let Err(error) = self.keep_copy(store, record, source, &|_| Ok(())) {
                self.env().emit(Event::Warning(format!(
                    "no copy of artifact {} is kept in the cache: {}",
                    record.uid(),
                    error.message()
                )));
            }
        };
        threads::share(|| stored.par_iter().for_each(keep));
    }

    /// Keeps a copy of content, unless it is there already.
    pub(super) fn keep_copy(
        &self,
        store: &Store,
        record: &Record,
        source: &Path,
        progress: &(dyn Fn(u64) -> Result<()> + Sync),
    ) -> Result<()> {
        let copy = self.copy_of(record, store, &storage_key(record))?;
        if copy.index.knows(&copy.path, &copy.name) {
            return Ok(());
        }
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
        let how = Publish {
            durable: false,
            content: Some(expected),
            digest: copy.digest,
            progress,
            ..Publish::default()
        };
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
        let storage = self.storage_of(record)?;
        let root = StorageRoot::stored(storage.text("root").unwrap_or_default())?;
        let place = ArtifactPlace {
            storage_key: key,
            key: record.text("key"),
            key_is_virtual: record.flag("_key_is_virtual"),
            is_latest: record.flag("is_latest"),
        };
        let path_of = |place| {
            cache_path(cache, &root, place)?
                .ok_or_else(|| Error::invalid(format!("Artifact {} lies on this machine", record.uid())))
        };
        let path = path_of(place)?;
        match is_taken(record, &path) {
            // A bucket holds `a` beside `a/b`, a folder does not.
            true => path_of(ArtifactPlace { storage_key: &automatic_key(record), key: None, ..place }),
            false => Ok(path),
        }
    }
}

/// Returns true when copies of other artifacts keep a path from being that of a record's: a file where it needs a folder, or
/// a folder with files where it needs a file.
fn is_taken(record: &Record, path: &Path) -> bool {
    match std::fs::symlink_metadata(path) {
        Ok(found) => {
            found.is_dir() && recorded_hash(record).is_some_and(|hash| hash.kind != HashKind::Md5Folder)
        }
        Err(error) => error.kind() == std::io::ErrorKind::NotADirectory,
    }
}

/// Returns what tells one state of remote content from another where the registry has no hash.
fn state(store: &Store, key: &str) -> Result<String> {
    let files = store.describe(key)?;
    let line = |stat: &Stat| {
        format!("{} {} {} {:?}\n", stat.key, stat.size, stat.tag.as_deref().unwrap_or("-"), stat.modified)
    };
    Ok(format!("state {}", crate::uid::from_text(&files.iter().map(line).collect::<String>(), 20)))
}
