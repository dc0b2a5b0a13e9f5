//! Other copies of content: in the cache, waiting in storage, in quarantine, or under another artifact.

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
use crate::value::{Kind, Value};

/// Places that may hold copies, found once for many artifacts.
pub(super) struct Candidates {
    locations: Locations,
    /// Content without a row: its path and size.
    loose: Vec<(PathBuf, u64)>,
}

impl Candidates {
    pub(super) fn of(instance: &Instance) -> Result<Candidates> {
        let locations = Locations::of(instance)?;
        let mut loose: Vec<(PathBuf, u64)> = instance
            .unused()?
            .into_iter()
            .filter(|unused| unused.kind != UnusedKind::Displaced && !unused.in_use && !unused.is_elsewhere())
            .map(|unused| (Path::new(&unused.root).join(&unused.key), unused.size))
            .collect();
        for (_, store) in locations.managed(instance) {
            // A batch is a folder named by its moment; what it holds are the things themselves.
            let batches = WalkDir::new(store.root().join(QUARANTINE)).min_depth(2).into_iter().flatten();
            for entry in batches {
                if let Some((size, _)) = measure(entry.path())? {
                    loose.push((entry.into_path(), size));
                }
            }
        }
        Ok(Candidates { locations, loose })
    }

    /// Returns where else the content of an artifact lies, proven by reading it.
    pub(super) fn find(&self, instance: &Instance, artifact: &Record) -> Result<Option<(PathBuf, Digest)>> {
        let size = artifact.int("size").and_then(|size| u64::try_from(size).ok());
        let own = self.locations.path(artifact).ok();
        let suffix = artifact.text("suffix").unwrap_or_default();
        let cached = cache_dir(instance.env()).map(|dir| dir.join(format!("{}{suffix}", artifact.uid())));
        let copied = self.locations.remote(artifact).and_then(|_| instance.cached_copy(artifact).ok());
        let loose = self.loose.iter().filter(|(_, loose)| size.is_none_or(|size| size == *loose));
        let paths = cached
            .into_iter()
            .chain(copied)
            .chain(loose.map(|(path, _)| path.clone()))
            .chain(self.equals(instance, artifact)?);
        for path in paths.filter(|path| own.as_ref() != Some(path)) {
            if let Some(digest) = proven(instance, artifact, &path)? {
                return Ok(Some((path, digest)));
            }
        }
        // What lies in a bucket comes to the cache to be looked at.
        for equal in
            self.equal_rows(instance, artifact)?.iter().filter(|row| self.locations.remote(row).is_some())
        {
            if let Ok(path) = instance.cache(equal)
                && let Some(digest) = proven(instance, artifact, &path)?
            {
                return Ok(Some((path, digest)));
            }
        }
        Ok(None)
    }

    /// Returns true when what lies in the place of an artifact is its content.
    pub(super) fn is_whole(&self, instance: &Instance, artifact: &Record, path: &Path) -> bool {
        match self.locations.remote(artifact) {
            None => instance.is_content_of(artifact, path).is_ok_and(|found| found.is_some()),
            Some(remote) => instance.lies_at(&remote.store, artifact).unwrap_or(false),
        }
    }

    /// Returns the places on this machine of other artifacts with the same content.
    fn equals(&self, instance: &Instance, artifact: &Record) -> Result<Vec<PathBuf>> {
        let rows = self.equal_rows(instance, artifact)?;
        let here = rows.iter().filter(|row| self.locations.remote(row).is_none());
        let mut paths: Vec<PathBuf> = here.filter_map(|row| self.locations.path(row).ok()).collect();
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// Returns the other artifacts with the same content.
    fn equal_rows(&self, instance: &Instance, artifact: &Record) -> Result<Vec<Record>> {
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
