//! Where bytes lie: publishing, reading, moving and removing content below the root of a storage location.
//!
//! Content is *published*: written under a temporary name beside its place, checked, flushed, and renamed. Whoever looks
//! at a key sees the old content or the new, never a part; a process killed at any moment leaves at most a temporary
//! name, which [`Store::leftovers`] finds.

mod copy;
mod fetch;
mod folder;
mod leftover;
mod local;
mod many;
mod move_;
mod names;
mod object;
mod publish;
mod remote;
pub(crate) mod sync;
mod temp;
mod versioned;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use fetch::{Fetch, FetchJob, Fetched};
pub use leftover::{Leftover, LeftoverKind, Unfinished};
pub use local::Entry;
pub use move_::TakenOut;
use object::Object;
pub use object::{Stat, UploadNote};
pub(crate) use remote::content_of;
pub use versioned::Version;

use crate::env::Env;
use crate::error::{Error, Result};
use crate::hash::{ContentHash, Digest, HashKind, Manifest};

/// The content of one storage location.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    env: Env,
    /// Set once the file system has refused to clone, so that it is not asked for every file.
    cannot_clone: Arc<AtomicBool>,
    protocol: Protocol,
}

/// How the bytes of a location are reached.
#[derive(Clone, Debug)]
enum Protocol {
    /// Files of this machine.
    Local,
    /// Objects of a store somewhere else.
    Object(Arc<Object>),
}

/// How to publish.
#[derive(Clone, Copy)]
pub struct Publish<'a> {
    /// Return only once content and name are on the device.
    pub durable: bool,
    /// What the content must turn out to be, from an earlier look at the source.
    pub content: Option<&'a ContentHash>,
    /// The digest that the content must turn out to have.
    pub digest: Option<Digest>,
    /// What a large upload to a bucket is noted in, so that another process can take it up.
    pub note: Option<&'a UploadNote>,
    /// What is done while a bucket puts the parts of a large file together, which have all arrived and proved right; its
    /// error breaks the operation off.
    pub meanwhile: Option<&'a (dyn Fn() -> Result<()> + Sync)>,
    /// Called with the number of bytes just copied, from several threads; its error breaks the operation off.
    pub progress: &'a (dyn Fn(u64) -> Result<()> + Sync),
}

/// One file or folder of many to publish.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where to read.
    pub source: PathBuf,
    /// Where to write, below the root.
    pub key: String,
    /// What the content must turn out to be.
    pub content: Option<ContentHash>,
    /// The digest that the content must turn out to have.
    pub digest: Option<Digest>,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The format's hash of the stored bytes.
    pub content: ContentHash,
    /// The digest of the stored bytes; of the manifest for a folder.
    pub digest: Digest,
    /// The files of a folder.
    pub manifest: Option<Manifest>,
    /// True when the file system shares the bytes with the source.
    pub cloned: bool,
}

impl Default for Publish<'_> {
    /// Returns durable publishing without expectations.
    fn default() -> Self {
        Publish {
            durable: true,
            content: None,
            digest: None,
            note: None,
            meanwhile: None,
            progress: &|_| Ok(()),
        }
    }
}

impl fmt::Debug for Publish<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Publish { durable, content, digest, .. } = self;
        f.debug_struct("Publish")
            .field("durable", durable)
            .field("content", content)
            .field("digest", digest)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Returns the store of a local location; nothing is touched on disk.
    pub fn local(root: impl Into<PathBuf>, env: &Env) -> Self {
        Store { root: root.into(), env: env.clone(), cannot_clone: Arc::default(), protocol: Protocol::Local }
    }

    /// Returns the store of a location: a folder, or a URL such as `s3://bucket/folder`, `gs://`, `az://`, and for reading
    /// only `https://` and `hf://`. Nothing is touched or connected.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a URL that names no place.
    pub fn open(root: &str, env: &Env) -> Result<Self> {
        let protocol = match root.split_once("://") {
            None => return Ok(Store::local(root, env)),
            Some(("file" | "local", path)) => return Ok(Store::local(path, env)),
            Some(_) => Protocol::Object(Arc::new(Object::new(root, env)?)),
        };
        Ok(Store { root: root.into(), env: env.clone(), cannot_clone: Arc::default(), protocol })
    }

    /// Returns true when the content lies on another machine.
    pub fn is_remote(&self) -> bool {
        self.object().is_some()
    }

    fn object(&self) -> Option<&Object> {
        match &self.protocol {
            Protocol::Local => None,
            Protocol::Object(object) => Some(object),
        }
    }

    /// Returns the root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Publishes a file or a folder, whichever `source` is.
    ///
    /// # Errors
    /// As [`Store::publish_file`] and [`Store::publish_folder`].
    pub fn publish(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        if source.is_dir() {
            self.publish_folder(source, key, how)
        } else {
            self.publish_file(source, key, how)
        }
    }
}

impl Publish<'_> {
    /// Fails unless what was copied from `source` is what the caller knows it to be.
    fn check(&self, source: &Path, content: &ContentHash, digest: Digest) -> Result<()> {
        let same_content = self.content.is_none_or(|expected| {
            let same_hash = match expected.kind {
                HashKind::Blake3 => digest.to_hash().0 == expected.hash,
                // A hash that a remote store made cannot be told from the bytes at hand.
                _ => expected.kind != content.kind || expected.hash == content.hash,
            };
            expected.size == content.size && same_hash
        });
        if same_content && self.digest.is_none_or(|expected| expected == digest) {
            return Ok(());
        }
        let source = source.display();
        Err(Error::value(format!(
            "{source} is not the content it was when its hash was taken; create the artifact again"
        )))
    }
}
