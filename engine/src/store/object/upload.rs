//! Putting a file into a bucket.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use object_store::path::Path as Location;
use object_store::{Error as Theirs, ObjectStore as _, ObjectStoreExt as _, PutMode, PutPayload};

use super::client::Client;
use super::tags::{self, Verdict};
use super::{Object, runtime};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::hash::{Both, CHUNK, Digest, Identity, Stamp, changed, fill, open_file};
use crate::store::{Publish, Published};

/// Bytes up to which a file goes in one request, so that the store's tag is the MD5 which the format knows it by.
const SINGLE: u64 = CHUNK;

/// Returns the bytes up to which a file goes in one request.
pub(super) fn single() -> u64 {
    faults::limit("object.single", SINGLE)
}

impl Object {
    pub(in crate::store) fn publish_file(
        &self,
        source: &Path,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<Published> {
        self.writable()?;
        runtime::run(how.progress, self.put_file(source, key, how))
    }

    /// Puts bytes at hand.
    pub(in crate::store) fn write(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.writable()?;
        runtime::run(&|_| Ok(()), async {
            let location = self.location(key)?;
            let client = self.client().await?;
            let bytes = Bytes::copy_from_slice(bytes);
            let digest = Digest::of(&bytes);
            let tag = self.put(client, &location, key, bytes.clone()).await?;
            self.check_stored(client, key, tag.as_deref(), &[tags::md5(&bytes)], false, digest).await
        })
    }

    /// Puts bytes unless something lies there.
    pub(in crate::store) fn create(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        self.writable()?;
        runtime::run(&|_| Ok(()), async {
            let location = self.location(key)?;
            let client = self.client().await?;
            let put = client.store.put_opts(
                &location,
                PutPayload::from(Bytes::copy_from_slice(bytes)),
                PutMode::Create.into(),
            );
            match put.await {
                Ok(_) => Ok(true),
                // An answer may have been lost, and the second attempt have met the first.
                Err(Theirs::AlreadyExists { .. } | Theirs::Precondition { .. }) => {
                    Ok(self.get_whole(key).await?.is_some_and(|(there, _)| there == bytes))
                }
                Err(error) => Err(self.fail(client, key, error)),
            }
        })
    }

    pub(super) async fn put_file(&self, source: &Path, key: &str, how: &Publish<'_>) -> Result<Published> {
        let location = self.location(key)?;
        let client = self.client().await?;
        let path = source.to_path_buf();
        let size = runtime::blocking(move || Ok(open_file(&path)?.1.len())).await??;
        let identity = if size <= single() {
            self.put_small(client, &location, source, key, how).await?
        } else {
            self.put_large(client, &location, source, key, how).await?
        };
        let Identity { content, digest } = identity;
        Ok(Published { content, digest, manifest: None, cloned: false })
    }

    async fn put_small(
        &self,
        client: &Client,
        location: &Location,
        source: &Path,
        key: &str,
        how: &Publish<'_>,
    ) -> Result<Identity> {
        let path = source.to_path_buf();
        let memory = client.memory.clone();
        let (bytes, identity, _held) = {
            // Held until the bytes have been sent.
            let size = Stamp::of(source)?.size.min(single());
            let permit = memory.acquire_many_owned(kib(size)).await.map_err(|_| changed(source))?;
            let (bytes, identity) = runtime::blocking(move || read_whole(&path)).await??;
            (bytes, identity, permit)
        };
        how.check(source, &identity.content, identity.digest)?;
        let size = bytes.len() as u64;
        // One request cannot be broken off half-way: whoever wants to stop says so before it starts.
        (how.progress)(0)?;
        let md5 = {
            let bytes = bytes.clone();
            runtime::blocking(move || tags::md5(&bytes))
        };
        let tag = self.put(client, location, key, bytes).await?;
        self.check_stored(client, key, tag.as_deref(), &[md5.await?], false, identity.digest).await?;
        (how.progress)(size)?;
        Ok(identity)
    }

    /// Sends one request on the runtime's threads, where it is signed as well; returns the new tag.
    async fn put(
        &self,
        client: &Client,
        location: &Location,
        key: &str,
        bytes: Bytes,
    ) -> Result<Option<String>> {
        let (store, to) = (client.store.clone(), location.clone());
        let put = runtime::spawn(async move { store.put(&to, PutPayload::from(bytes)).await }).await?;
        faults::hit("object.put");
        Ok(put.map_err(|error| self.fail(client, key, error))?.e_tag)
    }

    /// Fails unless the store has what was sent.
    ///
    /// Stores that encrypt with keys of their own make tags from something else: the first time a tag differs the object
    /// is read back, and if it is whole, tags of this store are trusted no more. It has compared the signed SHA-256 itself.
    pub(super) async fn check_stored(
        &self,
        client: &Client,
        key: &str,
        tag: Option<&str>,
        parts: &[[u8; 16]],
        in_parts: bool,
        digest: Digest,
    ) -> Result<()> {
        match tags::compare(tag, parts, in_parts) {
            Verdict::Same | Verdict::Silent => return Ok(()),
            Verdict::Differs if client.foreign_tags.load(Ordering::Relaxed) => return Ok(()),
            Verdict::Differs => {}
        }
        if self.digest_async(key).await? == digest {
            client.foreign_tags.store(true, Ordering::Relaxed);
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!("{} holds other bytes than were sent; save the same source again", self.url(key)),
        ))
    }
}

/// Returns memory units for bytes.
pub(super) fn kib(bytes: u64) -> u32 {
    u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(super::client::MEMORY)
}

/// Reads a file that fits into memory and hashes it.
pub(super) fn read_whole(path: &Path) -> Result<(Bytes, Identity)> {
    let (mut file, metadata) = open_file(path)?;
    let stamp = Stamp::from(&metadata);
    if stamp.size > single() {
        return Err(changed(path));
    }
    let mut bytes = Vec::with_capacity(stamp.size as usize + 1);
    file.by_ref().take(stamp.size + 1).read_to_end(&mut bytes).map_err(|error| Error::io(path, error))?;
    let mut both = Both::new(stamp.size);
    both.update(&bytes);
    let identity = both.finish().ok_or_else(|| changed(path))?;
    stamp.check(path)?;
    Ok((bytes.into(), identity))
}

/// A file read part by part, hashed as it goes.
pub(super) struct Reader {
    file: File,
    path: PathBuf,
    stamp: Stamp,
    both: Option<Both>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Bytes of a part, whose memory serves a later part once they have been sent.
struct Lent {
    memory: Vec<u8>,
    size: usize,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.size]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(std::mem::take(&mut self.memory));
        }
    }
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Reader> {
        let (mut file, metadata) = open_file(path)?;
        file.seek(SeekFrom::Start(0)).map_err(|error| Error::io(path, error))?;
        let stamp = Stamp::from(&metadata);
        let both = Some(Both::new(stamp.size));
        Ok(Reader { file, path: path.to_path_buf(), stamp, both, spare: Arc::default() })
    }

    pub(super) fn size(&self) -> u64 {
        self.stamp.size
    }

    /// Returns the next part, empty at the end.
    pub(super) fn part(&mut self, size: usize) -> Result<Bytes> {
        let spare = self.spare.lock().ok().and_then(|mut spare| spare.pop());
        let mut memory = spare.unwrap_or_else(|| vec![0; size]);
        let size = fill(&mut self.file, &mut memory).map_err(|error| Error::io(&self.path, error))?;
        if let Some(both) = &mut self.both {
            both.update(&memory[..size]);
        }
        Ok(Bytes::from_owner(Lent { memory, size, spare: self.spare.clone() }))
    }

    /// Returns what was read, unless the file changed meanwhile.
    pub(super) fn finish(mut self) -> Result<Identity> {
        let identity = self.both.take().and_then(Both::finish).ok_or_else(|| changed(&self.path))?;
        self.stamp.check(&self.path)?;
        Ok(identity)
    }
}
