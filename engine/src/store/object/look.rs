//! Looking at what lies in a remote location.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::list::PaginatedListOptions;
use object_store::{Error as Theirs, GetOptions, GetRange, ObjectMeta, ObjectStoreExt as _};

use super::address::Scheme;
use super::client::Client;
use super::tags::Verdict;
use super::{Object, client, failure, repository, runtime, tags};
use crate::error::{Error, ErrorKind, Result};
use crate::hash::ContentHash;
use crate::store::Entry;
use crate::value::Timestamp;

/// How often an object is read that comes other than its tag says.
const READS: usize = 4;

/// What a store tells about a file without its being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Path below the root.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<Timestamp>,
    /// What changes whenever the content does.
    pub tag: Option<String>,
    /// The format's hash, as far as the store tells.
    pub content: Option<ContentHash>,
}

impl Object {
    /// Returns what is asked while the network is waited for: reading is broken off whenever the user wants to.
    pub(super) fn patience(&self) -> impl Fn(u64) -> Result<()> + Sync + '_ {
        |_| self.env.keep_going()
    }

    pub(in crate::store) fn exists(&self, key: &str) -> Result<bool> {
        match self.stat(key)? {
            Some(_) => Ok(true),
            None if self.address.scheme == Scheme::Http => Ok(false),
            None => self.is_folder(key),
        }
    }

    /// Returns true when files lie below `key`.
    pub(in crate::store) fn is_folder(&self, key: &str) -> Result<bool> {
        match self.address.scheme {
            Scheme::Http => return Ok(false),
            Scheme::Hf => return Ok(!self.list(&format!("{}/", key.trim_end_matches('/')))?.is_empty()),
            _ => {}
        }
        let location = self.location(key)?;
        runtime::run(&self.patience(), async {
            let client = self.client().await?;
            let Some(pages) = &client.pages else { return Err(client::read_only(&self.root)) };
            // One is the mark of an empty folder, which bears its name.
            let two = PaginatedListOptions { max_keys: Some(2), ..PaginatedListOptions::default() };
            let found = pages.list_paginated(Some(&format!("{location}/")), two).await;
            let found = found.map_err(|error| self.fail(client, key, error))?;
            Ok(found.result.objects.iter().any(|meta| meta.location != location))
        })
    }

    /// Returns what is known of the file at `key`, or of every file below it; nothing where there is neither.
    pub(in crate::store) fn describe(&self, key: &str) -> Result<Vec<Stat>> {
        let key = key.trim_end_matches('/');
        runtime::run(&self.patience(), async {
            match self.stat_async(key).await? {
                Some(stat) => Ok(vec![stat]),
                None => self.below(key).await,
            }
        })
    }

    /// Returns what is known of every file below a folder; a server of the web tells of none.
    pub(super) async fn below(&self, key: &str) -> Result<Vec<Stat>> {
        match self.address.scheme {
            Scheme::Http => Ok(Vec::new()),
            _ => self.stats_async(&format!("{key}/")).await,
        }
    }

    /// Returns what is known of the file at `key`; `None` when there is none.
    pub(in crate::store) fn stat(&self, key: &str) -> Result<Option<Stat>> {
        runtime::run(&self.patience(), self.stat_async(key))
    }

    pub(super) async fn stat_async(&self, key: &str) -> Result<Option<Stat>> {
        if self.address.scheme == Scheme::Hf {
            return repository::stat(self, key).await;
        }
        let location = self.location(key)?;
        let client = self.client().await?;
        match client.store.head(&location).await {
            Ok(meta) => Ok(Some(self.stat_of(key.trim_end_matches('/').to_owned(), &meta))),
            Err(Theirs::NotFound { .. }) => Ok(None),
            // Some servers that keep buckets as folders fail instead of saying that a folder is no file.
            Err(error @ Theirs::Generic { .. }) if client.parts.is_some() => {
                match client.store.list(Some(&location)).next().await {
                    Some(Ok(_)) => Ok(None),
                    _ => Err(self.fail_look(client, key, error).await),
                }
            }
            Err(error) => Err(self.fail_look(client, key, error).await),
        }
    }

    /// Returns the error for a look that failed. The answer to a look has no body: where it was refused, a read is let fail
    /// as well, which says why.
    pub(super) async fn fail_look(&self, client: &Client, key: &str, error: Theirs) -> Error {
        let first = GetOptions { range: Some(GetRange::Bounded(0..1)), ..GetOptions::default() };
        if let (true, Ok(location)) = (failure::is_refusal(&error), self.location(key))
            && let Err(told) = client.store.get_opts(&location, first).await
            && failure::is_refusal(&told)
        {
            return self.fail(client, key, told);
        }
        self.fail(client, key, error)
    }

    pub(super) fn stat_of(&self, key: String, meta: &ObjectMeta) -> Stat {
        Stat {
            key,
            size: meta.size,
            modified: Some(meta.last_modified.timestamp_micros())
                .filter(|&moment| moment != 0)
                .map(Timestamp),
            tag: meta.e_tag.clone(),
            content: tags::content(self.address.scheme, meta),
        }
    }

    /// Returns what is known of all files whose key starts with `prefix`, sorted by key.
    pub(in crate::store) fn stats(&self, prefix: &str) -> Result<Vec<Stat>> {
        runtime::run(&self.patience(), self.stats_async(prefix))
    }

    pub(super) async fn stats_async(&self, prefix: &str) -> Result<Vec<Stat>> {
        let folder = prefix.rsplit_once('/').map(|(folder, _)| folder);
        let mut found = match self.address.scheme {
            Scheme::Hf => repository::list(self, folder.unwrap_or_default()).await?,
            Scheme::Http => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("The web server of {} lists no files: name single files", self.root),
                ));
            }
            _ => self.walk(folder).await?,
        };
        found.retain(|stat| stat.key.starts_with(prefix));
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    async fn walk(&self, folder: Option<&str>) -> Result<Vec<Stat>> {
        let below = match folder {
            Some(folder) => Some(self.location(folder)?),
            None if self.address.prefix.is_empty() => None,
            None => Some(object_store::path::Path::parse(&self.address.prefix).map_err(|error| {
                Error::value(format!("The storage location {} names no place", self.root)).because(error)
            })?),
        };
        let client = self.client().await?;
        let all: Vec<ObjectMeta> = client
            .store
            .list(below.as_ref())
            .try_collect()
            .await
            .map_err(|error| self.fail(client, folder.unwrap_or_default(), error))?;
        // Consoles mark folders by empty objects that bear the folder's name: they are no files.
        let mut folders = HashSet::new();
        for meta in &all {
            let mut name = meta.location.as_ref();
            while let Some((above, _)) = name.rsplit_once('/') {
                if !folders.insert(above) {
                    break;
                }
                name = above;
            }
        }
        let own = |meta: &&ObjectMeta| meta.size > 0 || !folders.contains(meta.location.as_ref());
        let stat = |meta: &ObjectMeta| {
            let key = self.address.key(meta.location.as_ref())?.to_owned();
            (!key.is_empty()).then(|| self.stat_of(key, meta))
        };
        Ok(all.iter().filter(own).filter_map(stat).collect())
    }

    pub(in crate::store) fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        Ok(self.stats(prefix)?.into_iter().map(|stat| Entry { key: stat.key, size: stat.size }).collect())
    }

    pub(in crate::store) fn size(&self, key: &str) -> Result<u64> {
        let found = self.describe(key)?;
        if found.is_empty() {
            return Err(Error::new(ErrorKind::FileNotFound, self.url(key)));
        }
        Ok(found.iter().map(|stat| stat.size).sum())
    }

    pub(in crate::store) fn read(&self, key: &str) -> Result<Vec<u8>> {
        runtime::run(&self.patience(), async {
            let found = self.get_whole(key).await?;
            let (bytes, _) = found.ok_or_else(|| Error::new(ErrorKind::FileNotFound, self.url(key)))?;
            Ok(bytes.into())
        })
    }

    /// Returns an object in one piece, and its description; the tag proves that all of it came.
    pub(super) async fn get_whole(&self, key: &str) -> Result<Option<(Bytes, ObjectMeta)>> {
        let location = self.location(key)?;
        let client = self.client().await?;
        let mut former = None;
        for _ in 0..READS {
            let read = async {
                let found = client.store.get(&location).await?;
                let meta = found.meta.clone();
                Ok((found.bytes().await?, meta))
            };
            let (bytes, meta) = match read.await {
                Ok(read) => read,
                Err(error) => return self.absent(client, key, error),
            };
            let whole = bytes.len() as u64 == meta.size;
            // The tag of an object that was put together from parts says nothing about all of it.
            let tag = meta.e_tag.as_deref().filter(|tag| !tag.contains('-'));
            let differs = tags::compare(tag, &[tags::md5(&bytes)], false) == Verdict::Differs;
            if whole && (!differs || client.foreign_tags.load(Ordering::Relaxed)) {
                return Ok(Some((bytes, meta)));
            }
            // The same twice: this store makes its tags from something else.
            if whole && former.as_ref() == Some(&bytes) {
                client.foreign_tags.store(true, Ordering::Relaxed);
                return Ok(Some((bytes, meta)));
            }
            former = Some(bytes);
        }
        Err(self.cut(key))
    }

    /// Returns some bytes of a file, of the state with this tag if one is given and the store can tell.
    pub(in crate::store) fn read_range(
        &self,
        key: &str,
        range: Range<u64>,
        tag: Option<&str>,
    ) -> Result<Vec<u8>> {
        let reaches = |size: u64| {
            if range.start <= range.end && range.end <= size {
                return Ok(());
            }
            let (url, Range { start, end }) = (self.url(key), &range);
            Err(Error::invalid(format!("{url} has {size} bytes: there is no range {start}..{end}")))
        };
        if range.start >= range.end {
            reaches(self.size(key)?)?;
            return Ok(Vec::new());
        }
        let wanted = range.end - range.start;
        let read = runtime::run(&self.patience(), async {
            let location = self.location(key)?;
            let client = self.client().await?;
            let strong = tag.filter(|tag| !tag.starts_with("W/") && client.parts.is_some());
            let options = GetOptions {
                if_match: strong.map(str::to_owned),
                range: Some(GetRange::Bounded(range.clone())),
                ..GetOptions::default()
            };
            match client.store.get_opts(&location, options).await {
                Ok(found) if found.meta.size >= range.end => {
                    let bytes = found.bytes().await.map_err(|error| self.fail(client, key, error))?;
                    self.whole(key, bytes.len() as u64, wanted)?;
                    Ok(bytes.into())
                }
                Ok(found) => Err(reaches(found.meta.size).err().unwrap_or_else(|| self.cut(key))),
                Err(Theirs::NotSupported { .. }) => Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "The server of {} gives files only whole: cache or load the file first",
                        self.root
                    ),
                )),
                Err(error) => Err(self.fail(client, key, error)),
            }
        });
        // A store answers a range behind the end with an error like any other: the size tells.
        read.or_else(|error| match error.kind() {
            ErrorKind::Io => reaches(self.size(key)?).and(Err(error)),
            _ => Err(error),
        })
    }

    /// Fails unless as many bytes came as were announced.
    pub(super) fn whole(&self, key: &str, came: u64, announced: u64) -> Result<()> {
        if came == announced { Ok(()) } else { Err(self.cut(key)) }
    }

    pub(super) fn cut(&self, key: &str) -> Error {
        Error::new(ErrorKind::Io, format!("{} was cut off on its way; try again", self.url(key)))
    }

    /// Returns the present description of a file, which must be there.
    pub(super) async fn require(&self, key: &str) -> Result<Stat> {
        let found = self.stat_async(key).await?;
        found.ok_or_else(|| Error::new(ErrorKind::FileNotFound, self.url(key)))
    }
}
