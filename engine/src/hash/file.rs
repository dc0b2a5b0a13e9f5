//! Hashing one file.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use sha1::{Digest as _, Sha1};

use super::compat::{CHUNK, Compat, of_ends};
use super::stamp::{Stamp, changed, open_file};
use super::{ContentHash, Digest};
use crate::error::{Error, Result};
use crate::threads;

/// Bytes read at once: large enough to split the digest over threads, small enough to stay in cache.
const BLOCK: usize = 2 * 1024 * 1024;

/// Bytes from which on the two hashes of a block are worth a second thread.
const SPLIT: usize = 256 * 1024;

/// Both names of content: the format's hash and the digest of every byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The format's hash.
    pub content: ContentHash,
    /// BLAKE3.
    pub digest: Digest,
}

/// Returns the format's hash of a file and reads no more than it covers.
///
/// # Errors
/// [`crate::ErrorKind::Io`] when the file changes meanwhile, else what the file system reports.
pub fn hash_file(path: &Path) -> Result<ContentHash> {
    let (mut file, metadata) = open_file(path)?;
    let stamp = Stamp::from(&metadata);
    let content = if stamp.size <= CHUNK {
        let mut compat = Compat::new(stamp.size);
        read_blocks(path, &mut file, stamp.size, |block| compat.update(block))?;
        compat.finish().ok_or_else(|| changed(path))?
    } else {
        let (first, last) = threads::share(|| {
            rayon::join(|| sha1_at(path, &stamp, 0), || sha1_at(path, &stamp, stamp.size - CHUNK))
        });
        of_ends(&first?, &last?, stamp.size)
    };
    stamp.check(path)?;
    Ok(content)
}

/// Returns the digest of a file.
///
/// # Errors
/// As [`hash_file`].
pub fn digest_file(path: &Path) -> Result<Digest> {
    digest_watched(path, &|_| {})
}

/// Returns the digest of a file, and tells `step` how many bytes were just read.
pub(crate) fn digest_watched(path: &Path, step: &dyn Fn(u64)) -> Result<Digest> {
    let (mut file, metadata) = open_file(path)?;
    let stamp = Stamp::from(&metadata);
    let mut hasher = blake3::Hasher::new();
    let size = read_blocks(path, &mut file, stamp.size, |block| {
        update(&mut hasher, block);
        step(block.len() as u64);
    })?;
    if size != stamp.size {
        return Err(changed(path));
    }
    stamp.check(path)?;
    Ok(hasher.finalize().into())
}

/// Returns both names of a file from one pass over its bytes.
///
/// # Errors
/// As [`hash_file`].
pub fn identify_file(path: &Path) -> Result<Identity> {
    let (mut file, metadata) = open_file(path)?;
    let stamp = Stamp::from(&metadata);
    let mut both = Both::new(stamp.size);
    read_blocks(path, &mut file, stamp.size, |block| both.update(block))?;
    let identity = both.finish().ok_or_else(|| changed(path))?;
    stamp.check(path)?;
    Ok(identity)
}

/// Both hashes of content that passes by.
pub(crate) struct Both {
    compat: Compat,
    digest: blake3::Hasher,
}

impl Both {
    pub(crate) fn new(size: u64) -> Self {
        Both { compat: Compat::new(size), digest: blake3::Hasher::new() }
    }

    pub(crate) fn update(&mut self, block: &[u8]) {
        if block.len() < SPLIT {
            self.update_here(block);
        } else {
            let (compat, digest) = (&mut self.compat, &mut self.digest);
            threads::share(|| rayon::join(|| compat.update(block), || digest.update_rayon(block)));
        }
    }

    /// Takes the next bytes without help from other threads.
    pub(crate) fn update_here(&mut self, block: &[u8]) {
        self.compat.update(block);
        self.digest.update(block);
    }

    /// Returns the identity, or nothing when the content was shorter or longer than announced.
    pub(crate) fn finish(self) -> Option<Identity> {
        let content = self.compat.finish()?;
        Some(Identity { content, digest: self.digest.finalize().into() })
    }
}

fn update(hasher: &mut blake3::Hasher, block: &[u8]) {
    if block.len() < SPLIT {
        hasher.update(block);
    } else {
        threads::share(|| hasher.update_rayon(block));
    }
}

fn sha1_at(path: &Path, stamp: &Stamp, from: u64) -> Result<Vec<u8>> {
    let fail = |error| Error::io(path, error);
    let (mut file, now) = open_file(path)?;
    if Stamp::from(&now) != *stamp {
        return Err(changed(path));
    }
    file.seek(SeekFrom::Start(from)).map_err(fail)?;
    let mut sha1 = Sha1::new();
    let read = read_blocks(path, &mut file.take(CHUNK), CHUNK, |block| sha1.update(block))?;
    if read == CHUNK { Ok(sha1.finalize().to_vec()) } else { Err(changed(path)) }
}

/// Hands a reader's bytes on block by block and returns how many there were; `size` is a mere estimate.
fn read_blocks(path: &Path, file: &mut impl Read, size: u64, mut take: impl FnMut(&[u8])) -> Result<u64> {
    // One byte more than expected lets the first read of a small file also find its end.
    let room = usize::try_from(size).map_or(BLOCK, |size| size.saturating_add(1).min(BLOCK));
    let mut buffer = vec![0; room];
    let mut total = 0;
    loop {
        let read = fill(file, &mut buffer).map_err(|error| Error::io(path, error))?;
        take(&buffer[..read]);
        total += read as u64;
        if read < buffer.len() {
            return Ok(total);
        }
    }
}

/// Reads until the buffer is full or the reader ends.
pub(crate) fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
