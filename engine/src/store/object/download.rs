//! Getting a file out of a bucket.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::{GetOptions, GetRange};

use super::client::Client;
use super::runtime::{self, Task};
use super::upload::kib;
use super::{Object, Stat};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::hash::{
    Both, ContentHash, Digest, FolderIdentity, HashKind, Identity, Manifest, ManifestEntry, fill, folder_hash,
};
use crate::store::fetch::Fetch;
use crate::store::names;

/// Bytes up to which a file is asked for without a look at it first, when it is known to be that small.
pub(super) const SMALL: u64 = 1024 * 1024;

/// Bytes up to which a file is read once more after the next start of the system sooner than flushed now.
const LOOSE: u64 = 4 * 1024 * 1024 * 1024;

/// Bytes of one request.
const RANGE: u64 = 8 * 1024 * 1024;

/// Permission bits of remote files: object stores keep none.
pub(super) const MODE: u32 = 0o644;

/// Requests for one file under way at once.
const PARALLEL: usize = 6;

/// How often a range that came cut off is asked for again.
const AGAIN: usize = 4;

/// How long to wait before looking again whether another process is done.
const POLL: Duration = Duration::from_millis(50);

/// A file that arrived.
pub(super) struct Arrived {
    pub(super) identity: Identity,
    pub(super) stat: Stat,
    /// Whether it is on the device.
    pub(super) flushed: bool,
}

impl Object {
    /// Brings the file at `key` to `target`, under a passing name until it is complete and checked; `whole` is all of it,
    /// where it has come already.
    ///
    /// Who comes later, in this or another process, waits for whoever is at it, or goes on where a killed one stopped.
    pub(super) async fn get_file(
        &self,
        key: &str,
        stat: Stat,
        whole: Option<Bytes>,
        target: &Path,
        how: &Fetch<'_>,
    ) -> Result<Arrived> {
        let fail = |error| Error::io(target, error);
        let what = format!("{}\n{}\n{}", self.url(key), stat.tag.as_deref().unwrap_or_default(), stat.size);
        let partial = names::partial(target, &what)?;
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        let mut file = loop {
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&partial)
                .map_err(fail)?;
            while matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
                tokio::time::sleep(POLL).await;
            }
            if is_still(&file, &partial) {
                break file;
            }
            // Somebody completed it meanwhile: what is there must be what is wanted, else it is fetched anew.
            if let Ok(identity) = crate::hash::identify_file(target)
                && identity.content.size == stat.size
                && how.matches(&identity.content, identity.digest)
            {
                return Ok(Arrived { identity, stat, flushed: false });
            }
        };
        // Without a tag nobody knows whether what is there belongs to what will come.
        let mut from =
            if stat.tag.is_some() && whole.is_none() { file.metadata().map_err(fail)?.len() } else { 0 };
        loop {
            if from > stat.size {
                from = 0;
            }
            // A file that was emptied is written out when it is closed, as if it replaced another one.
            if file.metadata().map_err(fail)?.len() != from {
                file.set_len(from).map_err(fail)?;
            }
            let identity = match &whole {
                Some(bytes) => {
                    let mut both = Both::new(stat.size);
                    both.update(bytes);
                    file.write_all(bytes).map_err(fail)?;
                    (how.progress)(stat.size)?;
                    both.finish().ok_or_else(|| self.cut(key))?
                }
                None => self.fill_file(key, &stat, target, &mut file, how).await?,
            };
            match self.check_arrived(key, &stat, &identity, how).await {
                Ok(()) => {
                    if let Some(modified) = stat.modified {
                        let since = Duration::from_micros(u64::try_from(modified.0).unwrap_or_default());
                        file.set_modified(SystemTime::UNIX_EPOCH + since).map_err(fail)?;
                    }
                    let large = stat.size > faults::limit("object.loose", LOOSE);
                    let flushed = how.durable || large || self.env.boot().is_none();
                    if flushed {
                        file.sync_data().map_err(fail)?;
                    }
                    fs::rename(&partial, target).map_err(fail)?;
                    return Ok(Arrived { identity, stat, flushed });
                }
                // What a killed process left may be damaged.
                Err(_) if from > 0 => from = 0,
                Err(error) => {
                    let _ = fs::remove_file(&partial);
                    return Err(error);
                }
            }
        }
    }

    /// Appends what is missing, in order; returns the identity of the whole.
    async fn fill_file(
        &self,
        key: &str,
        stat: &Stat,
        target: &Path,
        file: &mut File,
        how: &Fetch<'_>,
    ) -> Result<Identity> {
        let fail = |error| Error::io(target, error);
        let mut both = Both::new(stat.size);
        file.seek(SeekFrom::Start(0)).map_err(fail)?;
        let mut there = 0;
        let mut buffer = vec![0; 1024 * 1024];
        while let read @ 1.. = fill(file, &mut buffer).map_err(fail)? {
            both.update(&buffer[..read]);
            there += read as u64;
            (how.progress)(read as u64)?;
        }
        let client = self.client().await?;
        if stat.size > RANGE && self.gives_whole_files(client, key, stat).await? {
            let take = |bytes: &[u8]| {
                file.write_all(bytes).map_err(fail)?;
                both.update(bytes);
                (how.progress)(bytes.len() as u64)
            };
            self.stream(client, key, stat, there, take).await?;
            return both.finish().ok_or_else(|| self.cut(key));
        }
        let mut ranges = stream::iter(ranges(there, stat.size))
            .map(|range| async {
                // Each file waits for its ranges in their order: who has come has only to be taken.
                let held = client.memory.clone().acquire_many_owned(kib(range.end - range.start)).await;
                Ok::<_, Error>((self.range(client, key, stat, range).await?, held))
            })
            .buffered(PARALLEL);
        let mut writing: Option<Task<io::Result<()>>> = None;
        while let Some(came) = ranges.next().await {
            let (pieces, held) = came?;
            if let Some(before) = writing.take() {
                before.await?.map_err(fail)?;
            }
            // One range is written, in its turn, while it is hashed and the next ones come.
            let (mut to, bytes) = (file.try_clone().map_err(fail)?, pieces.clone());
            writing = Some(runtime::blocking(move || {
                let _held = held;
                bytes.iter().try_for_each(|bytes| to.write_all(bytes))?;
                faults::hit("object.came");
                Ok(())
            }));
            for bytes in &pieces {
                both.update(bytes);
                (how.progress)(bytes.len() as u64)?;
            }
        }
        if let Some(last) = writing {
            last.await?.map_err(fail)?;
        }
        both.finish().ok_or_else(|| self.cut(key))
    }

    /// Returns some bytes of a file of which nothing has changed since `stat`, in the pieces in which they came.
    pub(super) async fn range(
        &self,
        client: &Client,
        key: &str,
        stat: &Stat,
        range: Range<u64>,
    ) -> Result<Vec<Bytes>> {
        let location = self.location(key)?;
        let whole = range == (0..stat.size);
        let strong = stat.tag.clone().filter(|tag| !tag.starts_with("W/") && client.parts.is_some());
        let mut tries = 0;
        loop {
            let options = GetOptions {
                if_match: strong.clone(),
                range: (!whole).then(|| GetRange::Bounded(range.clone())),
                ..GetOptions::default()
            };
            let (store, location) = (client.store.clone(), location.clone());
            let got = runtime::spawn(async move {
                store.get_opts(&location, options).await?.into_stream().try_collect::<Vec<Bytes>>().await
            });
            match got.await? {
                Ok(pieces) => {
                    let came = pieces.iter().map(|bytes| bytes.len() as u64).sum();
                    let whole = self.whole(key, came, range.end - range.start);
                    if whole.is_ok() || tries == AGAIN {
                        return whole.map(|()| pieces);
                    }
                }
                Err(error @ object_store::Error::Generic { .. }) if tries < AGAIN => {
                    let error = self.fail(client, key, error);
                    if !error.message().contains("broke") {
                        return Err(error);
                    }
                }
                Err(error) => return Err(self.fail(client, key, error)),
            }
            tries += 1;
        }
    }

    /// Fails unless what arrived is what was to arrive.
    async fn check_arrived(
        &self,
        key: &str,
        stat: &Stat,
        identity: &Identity,
        how: &Fetch<'_>,
    ) -> Result<()> {
        let client = self.client().await?;
        let tag = stat.content.as_ref().filter(|tag| {
            tag.kind == HashKind::Md5
                && identity.content.kind == HashKind::Md5
                && !client.foreign_tags.load(Ordering::Relaxed)
        });
        let as_tagged = tag.is_none_or(|tag| tag.hash == identity.content.hash);
        let as_expected = how.matches(&identity.content, identity.digest);
        if as_expected && (as_tagged || how.digest.is_some()) {
            return Ok(());
        }
        // A tag that is no MD5 has been taken for the hash of the content: all that can be asked is that the bytes are
        // the same twice.
        let by_tag_only = |expected: &ContentHash| stat.content.as_ref() == Some(expected);
        let tag_decides = how.digest.is_none() && how.content.is_none_or(by_tag_only);
        if tag_decides && self.digest_async(key).await? == identity.digest {
            client.foreign_tags.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "{} is not the content that the registry knows: it was changed or damaged in storage; nothing was put in \
                 the cache",
                self.url(key)
            ),
        ))
    }

    /// Returns the digest of an object, read through once.
    pub(super) async fn digest_async(&self, key: &str) -> Result<Digest> {
        Ok(self.identify_async(key).await?.digest)
    }

    pub(super) async fn identify_async(&self, key: &str) -> Result<Identity> {
        let stat = self.require(key).await?;
        let client = self.client().await?;
        let mut both = Both::new(stat.size);
        if stat.size > RANGE && self.gives_whole_files(client, key, &stat).await? {
            let take = |bytes: &[u8]| {
                both.update(bytes);
                Ok(())
            };
            self.stream(client, key, &stat, 0, take).await?;
            return both.finish().ok_or_else(|| self.cut(key));
        }
        let mut ranges = stream::iter(ranges(0, stat.size))
            .map(|range| self.range(client, key, &stat, range))
            .buffered(PARALLEL);
        while let Some(bytes) = ranges.next().await {
            bytes?.iter().for_each(|bytes| both.update(bytes));
        }
        both.finish().ok_or_else(|| self.cut(key))
    }

    pub(in crate::store) fn identify_file(&self, key: &str) -> Result<Identity> {
        runtime::run(&self.patience(), self.identify_async(key))
    }

    /// Reads every file below `key` once, without keeping any.
    pub(in crate::store) fn identify_folder(&self, key: &str) -> Result<FolderIdentity> {
        let key = key.trim_end_matches('/');
        runtime::run(&self.patience(), async {
            let below = self.stats_async(&format!("{key}/")).await?;
            let entries: Vec<(ManifestEntry, String)> = stream::iter(below)
                .map(|stat| async move {
                    let Identity { content, digest } = self.identify_async(&stat.key).await?;
                    let path =
                        stat.key.strip_prefix(key).unwrap_or(&stat.key).trim_start_matches('/').to_owned();
                    Ok::<_, Error>((
                        ManifestEntry { path, size: content.size, digest, mode: MODE },
                        content.hash,
                    ))
                })
                .buffer_unordered(PARALLEL)
                .try_collect()
                .await?;
            let content = folder_hash(entries.iter().map(|(entry, hash)| (hash.clone(), entry.size)))
                .ok_or_else(|| Error::new(ErrorKind::FileNotFound, self.url(key)))?;
            let manifest = Manifest::new(entries.into_iter().map(|(entry, _)| entry).collect());
            Ok(FolderIdentity { content, digest: manifest.digest(), manifest })
        })
    }
}

/// Returns the ranges in which the bytes from `start` on are asked for.
fn ranges(start: u64, size: u64) -> impl Iterator<Item = Range<u64>> {
    let step = faults::limit("object.range", RANGE);
    (0..(size - start).div_ceil(step)).map(move |n| {
        let from = start + n * step;
        from..(from + step).min(size)
    })
}

/// Returns true while the name still belongs to the file that was opened by it.
fn is_still(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        match (file.metadata(), fs::metadata(path)) {
            (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}
