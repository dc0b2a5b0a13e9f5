//! Bringing stored content to a place of this machine.

use std::fmt;
use std::path::Path;

use super::{Publish, Published, Store};
use crate::error::{Error, Result};
use crate::hash::{ContentHash, Digest, HashKind, Manifest};

/// How to fetch.
#[derive(Clone, Copy)]
pub struct Fetch<'a> {
    /// What the content must turn out to be.
    pub content: Option<&'a ContentHash>,
    /// The digest that the content must turn out to have.
    pub digest: Option<Digest>,
    /// Flush every file; else small ones of another machine stay with the system, where its start can be told from others.
    pub durable: bool,
    /// Called with the number of bytes that just arrived; its error breaks the operation off.
    pub progress: &'a (dyn Fn(u64) -> Result<()> + Sync),
}

/// One file or folder of many to fetch.
#[derive(Clone, Copy, Debug)]
pub struct FetchJob<'a> {
    /// Where it lies.
    pub key: &'a str,
    /// Where to bring it, a path of this machine.
    pub target: &'a Path,
    /// As in [`Fetch`].
    pub content: Option<&'a ContentHash>,
    /// As in [`Fetch`].
    pub digest: Option<Digest>,
}

impl<'a> FetchJob<'a> {
    pub(super) fn how(&self, how: &Fetch<'a>) -> Fetch<'a> {
        Fetch { content: self.content, digest: self.digest, ..*how }
    }
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The format's hash of the bytes that arrived.
    pub content: ContentHash,
    /// Their digest; that of the manifest for a folder.
    pub digest: Digest,
    /// The files of a folder.
    pub manifest: Option<Manifest>,
    /// Whether all of it is on the device.
    pub flushed: bool,
}

impl Default for Fetch<'_> {
    /// Returns fetching without expectations.
    fn default() -> Self {
        Fetch { content: None, digest: None, durable: true, progress: &|_| Ok(()) }
    }
}

impl fmt::Debug for Fetch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fetch { content, digest, .. } = self;
        f.debug_struct("Fetch").field("content", content).field("digest", digest).finish_non_exhaustive()
    }
}

impl Fetch<'_> {
    /// Returns true when content is what is expected, as far as its hash can be made from its bytes.
    pub(super) fn matches(&self, content: &ContentHash, digest: Digest) -> bool {
        let same = self.content.is_none_or(|expected| {
            let folder = |kind: &HashKind| *kind == HashKind::Md5Folder;
            let same_hash = match expected.kind {
                _ if folder(&expected.kind) != folder(&content.kind) => false,
                HashKind::Blake3 => digest.to_hash().0 == expected.hash,
                // A hash that a remote store made cannot be told from the bytes at hand.
                _ => expected.kind != content.kind || expected.hash == content.hash,
            };
            expected.size == content.size && same_hash
        });
        same && self.digest.is_none_or(|expected| expected == digest)
    }
}

impl Store {
    /// Fetches many files and folders, from another machine in parallel; results come in the order of the jobs, and each
    /// succeeds or fails by itself. `how.content` and `how.digest` do not apply: each job carries its own.
    pub fn fetch_many<'a>(&self, jobs: &[FetchJob<'a>], how: &Fetch<'a>) -> Vec<Result<Fetched>> {
        match self.object() {
            Some(object) => object.fetch_many(jobs, how),
            None => jobs.iter().map(|job| self.fetch(job.key, job.target, &job.how(how))).collect(),
        }
    }

    /// Brings the file or folder at `key` to `target`, a path of this machine.
    ///
    /// It appears there whole and checked, or not at all; what lay there is replaced. Files carry the time of their
    /// origin. An interrupted download of a remote file goes on where it stopped.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileNotFound`] when nothing lies at `key`, [`crate::ErrorKind::Corrupt`] when it is not what was
    /// expected, else what the network or the file system report.
    pub fn fetch(&self, key: &str, target: &Path, how: &Fetch<'_>) -> Result<Fetched> {
        if let Some(object) = self.object() {
            return object.fetch(key, target, how);
        }
        let name = target.file_name().and_then(|name| name.to_str());
        let (Some(folder), Some(name)) = (target.parent(), name) else {
            return Err(Error::invalid(format!("{} names no file", target.display())));
        };
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let (Fetch { content, digest, progress, .. }, durable) = (*how, false);
        let how = Publish { durable, content, digest, progress, ..Publish::default() };
        let published = Store::local(folder, &self.env).publish(&self.path(key)?, name, &how)?;
        let Published { content, digest, manifest, .. } = published;
        Ok(Fetched { content, digest, manifest, flushed: false })
    }
}
