//! What a command read: artifacts, by where their content lies or by what it is, and other files of the project.

use std::path::{Path, PathBuf};

use super::Found;
use super::rules::Rules;
use crate::error::{Error, Result};
use crate::hash::{ContentHash, Digest, Identity, digest_file, hash_file};
use crate::ingest::RunChoice;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::query::Q;
use crate::record::Record;
use crate::trace::{Files, Seen};
use crate::uid;

/// Files that are no artifacts, of which so many are written down.
const OTHERS: usize = 1000;

/// What a command read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Artifacts, sorted by path.
    pub(super) artifacts: Vec<Found>,
    /// Other files of the project, such as settings and modules.
    pub(super) others: Vec<(PathBuf, Digest)>,
}

/// Content as it was when it was read.
struct Content<'a> {
    path: &'a Path,
    hash: ContentHash,
    former: Option<&'a Identity>,
}

impl Instance {
    /// Returns what was read, each artifact once; files that are to be registered as inputs are.
    pub(super) fn command_inputs(
        &self,
        rules: &Rules,
        files: &Files,
        script: Option<&Path>,
        failed: &mut Vec<(PathBuf, Error)>,
    ) -> Result<Read> {
        let mut read = Read::default();
        for seen in files.read() {
            if rules.is_ignored(&seen.path) || script == Some(&seen.path) {
                continue;
            }
            let found = match self.artifact_read(rules, seen) {
                Ok(found) => found,
                Err(error) => {
                    failed.push((seen.called.clone(), error));
                    continue;
                }
            };
            match found {
                Some(record) if read.artifacts.iter().any(|other| other.record.id() == record.id()) => {}
                Some(record) => read.artifacts.push(Found { path: seen.called.clone(), record }),
                None if rules.is_input(&seen.path) && read.others.len() < OTHERS => {
                    let former = seen.former.as_ref().map(|former| former.digest);
                    // What is gone, or was changed, is no longer what was read.
                    let digest = former.or_else(|| digest_file(&seen.path).ok().filter(|_| !seen.written));
                    read.others.extend(digest.map(|digest| (seen.called.clone(), digest)));
                }
                None => {}
            }
        }
        Ok(read)
    }

    /// Returns the artifact that a file is, by place or by content; one that is to be registered as an input is.
    pub(super) fn artifact_read(&self, rules: &Rules, seen: &Seen) -> Result<Option<Record>> {
        // What lies at the place of an artifact may have been put there since.
        if let Some(kept) =
            self.kept_at(rules, &seen.path)?.filter(|kept| seen.written || has_size(kept, &seen.path))
        {
            return Ok(Some(kept));
        }
        if rules.is_input(&seen.path)
            && let Some(known) = self.with_content_of(rules, seen)?
        {
            return Ok(Some(known));
        }
        match rules.is_declared_input(&seen.path) {
            true => self.register_input(rules, seen).map(Some),
            false => Ok(None),
        }
    }

    /// Returns the artifact whose content lies at a place of the instance: in storage, or in the cache.
    pub(super) fn kept_at(&self, rules: &Rules, path: &Path) -> Result<Option<Record>> {
        if let Some((storage, key)) = self.location_of(path)? {
            return self.artifact_at(&storage, &key);
        }
        let Some(below) = rules.in_cache(path).and_then(Path::to_str) else { return Ok(None) };
        for storage in self.locations()? {
            let root = StorageRoot::stored(storage.text("root").unwrap_or_default())?;
            let folder = root.path().trim_matches('/');
            if root.local_path().is_none()
                && let Some(key) = below.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
            {
                return self.artifact_at(&storage, key);
            }
        }
        Ok(None)
    }

    /// Returns the artifact whose content lies at a path below the root of a storage location.
    fn artifact_at(&self, storage: &Record, key: &str) -> Result<Option<Record>> {
        let all = self.registry("Artifact")?.filter(Q::is("storage_id", storage.id()))?;
        if let Some(name) = key.strip_prefix(".lamindb/") {
            let uid: String = name.chars().take_while(char::is_ascii_alphanumeric).take(20).collect();
            if !uid::is_base62(&uid) {
                return Ok(None);
            }
            // Versions that share one store are known there by the name of their family.
            let family = Q::is("uid__startswith", uid.as_str());
            return all.filter(family)?.order_by(["-is_latest", "-id"])?.first();
        }
        // A folder is known by its own key, whichever of its files is read.
        let places: Vec<String> = Path::new(key)
            .ancestors()
            .filter_map(|place| place.to_str().filter(|place| !place.is_empty()).map(str::to_owned))
            .collect();
        let real = Q::is("key__in", places.clone()).and(Q::is("_key_is_virtual", false));
        let named = Q::is("_real_key__in", places.clone());
        // In the cache, the latest version bears its key.
        let remote = storage.text("type") != Some("local");
        let copied = Q::is("key__in", places).and(Q::is("is_latest", remote));
        let wanted = real.or(named);
        let wanted = if remote { wanted.or(copied) } else { wanted };
        all.filter(wanted)?.filter(Q::untrashed())?.order_by(["-is_latest", "-id"])?.first()
    }

    /// Returns the artifact with the content that a file had when it was read: of the same key before any other.
    fn with_content_of(&self, rules: &Rules, seen: &Seen) -> Result<Option<Record>> {
        let content = match (&seen.former, seen.written) {
            (Some(former), _) => {
                Content { path: &seen.path, hash: former.content.clone(), former: Some(former) }
            }
            // Nothing is known any more of what it was.
            (None, true) => return Ok(None),
            (None, false) => {
                let Ok(found) = std::fs::metadata(&seen.path) else { return Ok(None) };
                if found.len() == 0 || !self.known_size(found.len())? {
                    return Ok(None);
                }
                Content { path: &seen.path, hash: hash_file(&seen.path)?, former: None }
            }
        };
        let key = self.command_key(rules, &seen.path)?;
        let mut candidates = self
            .registry("Artifact")?
            .filter(Q::is("hash", content.hash.hash.as_str()))?
            .filter(Q::untrashed())?
            .exclude(Q::is("kind", "__lamindb_run__"))?
            .order_by(["-is_latest", "-id"])?
            .all()?;
        candidates.sort_by_key(|record| record.text("key") != Some(key.as_str()));
        for candidate in candidates {
            if self.is_content(&candidate, &content)? {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    }

    fn known_size(&self, size: u64) -> Result<bool> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        self.registry("Artifact")?.filter(Q::is("size", size))?.exists()
    }

    /// Returns true when the content is that of the artifact; a hash that does not cover all of it only says maybe.
    fn is_content(&self, candidate: &Record, content: &Content<'_>) -> Result<bool> {
        let size = i64::try_from(content.hash.size).ok();
        if candidate.int("size").is_some_and(|other| Some(other) != size) {
            return Ok(false);
        }
        if content.hash.kind.covers_content() {
            return Ok(true);
        }
        let own = match content.former {
            Some(former) => former.digest,
            None => digest_file(content.path)?,
        };
        Ok(self.content_of(candidate)?.is_some_and(|stored| stored.digest == own))
    }

    fn register_input(&self, rules: &Rules, seen: &Seen) -> Result<Record> {
        if seen.written {
            let path = seen.called.display();
            return Err(Error::value(format!(
                "{path} was changed by the command: register it before it runs"
            )));
        }
        let mut artifact = self.artifact(self.new_artifact(rules, &seen.path, RunChoice::None)?)?;
        self.save_artifact(&mut artifact)?;
        Ok(artifact.record)
    }

    /// Returns the key of a file without what the keys of outputs begin with.
    pub(super) fn command_key(&self, rules: &Rules, path: &Path) -> Result<String> {
        self.key_of(path, rules.base_of(path))
    }
}

/// Returns false for a file of another size than the artifact, which is one file, has.
fn has_size(artifact: &Record, path: &Path) -> bool {
    let (Some(size), None) = (artifact.int("size"), artifact.int("n_files")) else { return true };
    std::fs::metadata(path).map_or(true, |found| i64::try_from(found.len()) == Ok(size))
}
