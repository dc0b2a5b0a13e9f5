//! Other copies of content: in the cache, waiting in storage, in quarantine, or under another artifact.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::location::Locations;
use super::unused::{QUARANTINE, UnusedKind, measure};
use crate::content::recorded_kind;
use crate::db::Sql;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Digest;
use crate::ingest::is_incomplete;
use crate::instance::Instance;
use crate::instance::settings::cache_dir;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Fetch, Store};
use crate::value::{Kind, Value};

/// Places that may hold copies, found once for many artifacts.
pub(super) struct Candidates {
    locations: Locations,
    /// Content without a row: its path and size.
    loose: Vec<(PathBuf, u64)>,
    /// The same in buckets: the store, its key and size.
    loose_elsewhere: Vec<(Store, String, u64)>,
}

impl Candidates {
    pub(super) fn of(instance: &Instance) -> Result<Candidates> {
        let locations = Locations::of(instance)?;
        let (mut loose, mut loose_elsewhere) = (Vec::new(), Vec::new());
        for unused in instance.unused()? {
            if unused.kind == UnusedKind::Displaced || unused.in_use || unused.upload.is_some() {
                continue;
            }
            match unused.is_elsewhere() {
                false => loose.push((Path::new(&unused.root).join(&unused.key), unused.size)),
                true => {
                    loose_elsewhere.push((
                        Store::open(&unused.root, instance.env())?,
                        unused.key,
                        unused.size,
                    ));
                }
            }
        }
        for (_, store) in locations.managed(instance) {
            // A batch is a folder named by its moment; what it holds are the things themselves.
            let batches = WalkDir::new(store.root().join(QUARANTINE)).min_depth(2).into_iter().flatten();
            for entry in batches {
                if let Some((size, _)) = measure(entry.path())? {
                    loose.push((entry.into_path(), size));
                }
            }
        }
        for (_, remote) in locations.managed_elsewhere(instance) {
            let quarantined = levels(&remote.store, QUARANTINE)?;
            loose_elsewhere
                .extend(quarantined.into_iter().map(|(key, size)| (remote.store.clone(), key, size)));
        }
        Ok(Candidates { locations, loose, loose_elsewhere })
    }

    /// Returns where else the content of an artifact lies, proven by reading it.
    pub(super) fn find(&self, instance: &Instance, artifact: &Record) -> Result<Option<(PathBuf, Digest)>> {
        let size = artifact.int("size").and_then(|size| u64::try_from(size).ok());
        let own = self.locations.path(artifact).ok();
        let suffix = artifact.text("suffix").unwrap_or_default();
        let cached =
            cache_dir(instance.env()).map(|dir| dir.join(format!("{}{suffix}", artifact.uid()))).ok();
        let copied = self.locations.remote(artifact).and_then(|_| instance.cached_copy(artifact).ok());
        let equals = self.equals(instance, artifact)?;
        let (elsewhere, here): (Vec<&Record>, Vec<&Record>) =
            equals.iter().partition(|row| self.locations.remote(row).is_some());
        let here: BTreeSet<PathBuf> = here.iter().filter_map(|row| self.locations.path(row).ok()).collect();
        let loose = self.loose.iter().filter(|(_, loose)| size.is_none_or(|size| size == *loose));
        let paths =
            cached.clone().into_iter().chain(copied).chain(loose.map(|(path, _)| path.clone())).chain(here);
        for path in paths.filter(|path| own.as_ref() != Some(path)) {
            if let Some(digest) = proven(instance, artifact, &path)? {
                return Ok(Some((path, digest)));
            }
        }
        // What lies in a bucket comes to the cache to be looked at.
        for equal in elsewhere {
            if let Ok(path) = instance.cache(equal)
                && let Some(digest) = proven(instance, artifact, &path)?
            {
                return Ok(Some((path, digest)));
            }
        }
        // So does what has no row: to the place of the copy that this artifact has there.
        let copy = instance.cached_copy(artifact).ok().or(cached);
        for (store, key, _) in self.loose_elsewhere.iter().filter(|(.., loose)| size == Some(*loose)) {
            let Some(path) = &copy else { break };
            if let Some(digest) = self.fetch_proven(instance, artifact, store, key, path)? {
                return Ok(Some((path.clone(), digest)));
            }
        }
        Ok(None)
    }

    /// Brings something from a bucket to a path, if it is the content of an artifact, and returns its digest.
    fn fetch_proven(
        &self,
        instance: &Instance,
        artifact: &Record,
        store: &Store,
        key: &str,
        path: &Path,
    ) -> Result<Option<Digest>> {
        let known = artifact.id().map(|id| instance.known_content(id)).transpose()?.flatten();
        let progress = |_| instance.env().keep_going();
        let how = Fetch { digest: known.map(|known| known.digest), progress: &progress, ..Fetch::default() };
        match store.fetch(key, path, &how) {
            Ok(_) => {
                let digest = proven(instance, artifact, path)?;
                if digest.is_none() {
                    Store::local(path.parent().unwrap_or(path), instance.env())
                        .remove(&path.file_name().unwrap_or_default().to_string_lossy())?;
                }
                Ok(digest)
            }
            Err(error) if error.kind() == ErrorKind::Corrupt || unreadable(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns true when what lies in the place of an artifact is its content.
    pub(super) fn is_whole(&self, instance: &Instance, artifact: &Record, path: &Path) -> bool {
        match self.locations.remote(artifact) {
            None => instance.is_content_of(artifact, path).is_ok_and(|found| found.is_some()),
            Some(remote) => instance.lies_at(&remote.store, artifact).unwrap_or(false),
        }
    }

    /// Returns the other artifacts with the same content.
    fn equals(&self, instance: &Instance, artifact: &Record) -> Result<Vec<Record>> {
        let id = artifact.id().unwrap_or_default();
        let covering = recorded_kind(artifact).is_some_and(|kind| kind.covers_content());
        let mut ids: Vec<Value> = Vec::new();
        if let Some(known) = instance.known_content(id)? {
            let mut sql = Sql::new("SELECT \"artifact_id\" FROM \"holotype_content\" WHERE \"digest\" = ");
            sql.bind(known.digest.to_hex()).push(" AND \"artifact_id\" <> ").bind(id);
            let rows = instance.db().rows(&sql, &[Kind::BigInt])?;
            ids.extend(rows.into_iter().flatten());
        }
        let registry = artifact.registry();
        let mut rows = instance.query(registry).filter(Q::is("id__in", ids))?.all()?;
        if let Some(hash) = artifact.text("hash").filter(|_| covering) {
            // Another program may have saved the same content without a digest.
            let same = Q::is("hash", hash).and(Q::is("id", id).negate());
            rows.extend(instance.query(registry).filter(same)?.all()?);
        }
        rows.retain(|row| !is_incomplete(row));
        Ok(rows)
    }
}

/// Returns every file and folder below a folder of a bucket with its bytes.
fn levels(store: &Store, folder: &str) -> Result<BTreeMap<String, u64>> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for entry in store.list(&format!("{folder}/"))? {
        let mut key = entry.key.as_str();
        while key.len() > folder.len() {
            *found.entry(key.to_owned()).or_default() += entry.size;
            key = key.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    Ok(found)
}

/// Returns the digest of what lies at a path if it is the content of an artifact.
fn proven(instance: &Instance, artifact: &Record, path: &Path) -> Result<Option<Digest>> {
    match instance.is_content_of(artifact, path) {
        Err(error) if unreadable(&error) => Ok(None),
        found => found,
    }
}

/// Returns true for failures that only mean that this copy is of no use.
fn unreadable(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Io | ErrorKind::FileNotFound | ErrorKind::PermissionDenied | ErrorKind::InvalidArgument
    )
}
