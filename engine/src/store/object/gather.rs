//! Getting a file or a whole folder out of a bucket.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::download::{Arrived, MODE, SMALL};
use super::{Object, Stat, runtime};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::{ContentHash, HashKind, Identity, Manifest, ManifestEntry, folder_hash};
use crate::store::fetch::{Fetch, Fetched};
use crate::store::folder::exchange_folders;
use crate::store::names;

/// Files of a folder under way at once.
pub(super) const FILES: usize = 24;

/// How long to wait before looking again whether another process is done.
const POLL: Duration = Duration::from_millis(50);

impl Object {
    pub(in crate::store) fn fetch(&self, key: &str, target: &Path, how: &Fetch<'_>) -> Result<Fetched> {
        runtime::run(how.progress, self.get(key, target, how))
    }

    pub(super) async fn get(&self, key: &str, target: &Path, how: &Fetch<'_>) -> Result<Fetched> {
        let key = key.trim_end_matches('/');
        if let Some((stat, whole)) = self.find_file(key, how).await? {
            if target.is_dir() {
                fs::remove_dir_all(target).map_err(|error| Error::io(target, error))?;
            }
            let Arrived { identity, flushed, .. } = self.get_file(key, stat, whole, target, how).await?;
            let Identity { content, digest } = identity;
            return Ok(Fetched { content, digest, manifest: None, flushed });
        }
        let below = self.below(key).await?;
        if below.is_empty() {
            return Err(Error::new(ErrorKind::FileNotFound, self.url(key)));
        }
        self.get_folder(key, below, target, how).await
    }

    /// Returns what the store tells of a file; a small one, which one request brings, with all of it.
    async fn find_file(&self, key: &str, how: &Fetch<'_>) -> Result<Option<(Stat, Option<Bytes>)>> {
        let is_small =
            |expected: &ContentHash| expected.kind != HashKind::Md5Folder && expected.size <= SMALL;
        if how.content.is_some_and(is_small) && self.client().await?.parts.is_some() {
            let found = self.get_whole(key).await?;
            return Ok(found.map(|(bytes, meta)| (self.stat_of(key.to_owned(), &meta), Some(bytes))));
        }
        Ok(self.stat_async(key).await?.map(|stat| (stat, None)))
    }

    /// Fetches into a folder beside `target`, where files that arrived before an interruption still are, and puts it in place.
    async fn get_folder(
        &self,
        key: &str,
        below: Vec<Stat>,
        target: &Path,
        how: &Fetch<'_>,
    ) -> Result<Fetched> {
        let fail = |error| Error::io(target, error);
        let partial = names::partial(target, &fingerprint(&self.url(key), &below))?;
        fs::create_dir_all(&partial).map_err(fail)?;
        let handle = File::open(&partial).map_err(fail)?;
        while matches!(handle.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            tokio::time::sleep(POLL).await;
        }
        fs::create_dir_all(&partial).map_err(fail)?;
        let plain = Fetch { progress: how.progress, durable: how.durable, ..Fetch::default() };
        let arrived: Vec<(String, Arrived)> = stream::iter(below)
            .map(|stat| {
                let name = stat.key.strip_prefix(key).unwrap_or(&stat.key).trim_start_matches('/').to_owned();
                let (place, plain) = (partial.join(&name), &plain);
                async move {
                    let whole = stat.key.clone();
                    Ok::<_, Error>((name, self.get_once(&whole, stat, &place, plain).await?))
                }
            })
            .buffer_unordered(FILES)
            .try_collect()
            .await?;
        let hashes = arrived
            .iter()
            .map(|(_, Arrived { identity, .. })| (identity.content.hash.clone(), identity.content.size));
        let content =
            folder_hash(hashes).ok_or_else(|| Error::new(ErrorKind::FileNotFound, self.url(key)))?;
        let entries = arrived.iter().map(|(name, Arrived { identity, .. })| ManifestEntry {
            path: name.clone(),
            size: identity.content.size,
            digest: identity.digest,
            mode: MODE,
        });
        let manifest = Manifest::new(entries.collect());
        let digest = manifest.digest();
        // Files above the size that one request carries are known to the store by the hash of their parts: the hash of a
        // folder registered in place is made from those, and compared as the store tells it.
        let expected = how.content.filter(|expected| {
            expected.hash != content.hash
                && folder_hash(arrived.iter().filter_map(|(_, Arrived { stat, .. })| {
                    Some((stat.content.as_ref()?.hash.clone(), stat.size))
                }))
                .is_some_and(|tagged| tagged.hash == expected.hash)
        });
        let judged = Fetch { content: if expected.is_some() { None } else { how.content }, ..*how };
        if !judged.matches(&content, digest) {
            fs::remove_dir_all(&partial).map_err(fail)?;
            return Err(Error::new(
                ErrorKind::Corrupt,
                format!(
                    "{} is not the content that the registry knows: it was changed or damaged in storage; nothing was put in \
                     the cache",
                    self.url(key)
                ),
            ));
        }
        clear(&partial, &arrived.iter().map(|(name, _)| name.as_str()).collect())?;
        if target.is_dir() {
            exchange_folders(&self.env, &partial, target)?;
            fs::remove_dir_all(&partial).map_err(fail)?;
        } else {
            if target.is_file() {
                fs::remove_file(target).map_err(fail)?;
            }
            fs::rename(&partial, target).map_err(fail)?;
        }
        let flushed = arrived.iter().all(|(_, arrived)| arrived.flushed);
        Ok(Fetched { content, digest, manifest: Some(manifest), flushed })
    }

    /// Fetches a file unless an earlier attempt has brought it.
    async fn get_once(&self, key: &str, stat: Stat, place: &Path, how: &Fetch<'_>) -> Result<Arrived> {
        let there = fs::metadata(place).is_ok_and(|there| there.len() == stat.size);
        if there && stat.tag.is_some() {
            let path = place.to_path_buf();
            let identity = runtime::blocking(move || crate::hash::identify_file(&path)).await??;
            let same = stat.content.as_ref().is_none_or(|tagged| {
                tagged.kind != identity.content.kind || tagged.hash == identity.content.hash
            });
            if same {
                (how.progress)(stat.size)?;
                return Ok(Arrived { identity, stat, flushed: false });
            }
        }
        self.get_file(key, stat, None, place, how).await
    }
}

/// Returns what tells this state of a folder from any other.
fn fingerprint(url: &str, below: &[Stat]) -> String {
    let files = below
        .iter()
        .map(|Stat { key, size, tag, .. }| format!("\n{key} {size} {}", tag.as_deref().unwrap_or("")));
    files.fold(url.to_owned(), |all, file| all + &file)
}

/// Removes what does not belong to the folder.
fn clear(folder: &Path, kept: &BTreeSet<&str>) -> Result<()> {
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        let entry = entry.map_err(|error| Error::io(folder, error.into()))?;
        let name = entry.path().strip_prefix(folder).ok().and_then(Path::to_str).unwrap_or_default();
        if entry.file_type().is_file() && !kept.contains(name) {
            fs::remove_file(entry.path()).map_err(|error| Error::io(folder, error))?;
        }
    }
    Ok(())
}
