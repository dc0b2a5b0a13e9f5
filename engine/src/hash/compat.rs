//! The format's hash of a file, fed piece by piece.

use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::{ContentHash, HashKind};

/// Bytes up to which a file is hashed whole; of larger ones only so many at either end are.
pub const CHUNK: u64 = 50 * 1024 * 1024;

/// Hashes content of a size known beforehand while it passes by in order.
#[derive(Clone)]
pub struct Compat {
    size: u64,
    seen: u64,
    state: State,
}

#[derive(Clone)]
enum State {
    Whole(Md5),
    Ends { first: Sha1, last: Sha1 },
}

impl Compat {
    /// Returns a hasher for content of `size` bytes.
    pub fn new(size: u64) -> Self {
        let state = if size <= CHUNK {
            State::Whole(Md5::new())
        } else {
            State::Ends { first: Sha1::new(), last: Sha1::new() }
        };
        Compat { size, seen: 0, state }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Whole(md5) => md5.update(bytes),
            State::Ends { first, last } => {
                let head = CHUNK.saturating_sub(self.seen).min(bytes.len() as u64) as usize;
                first.update(&bytes[..head]);
                let skip = (self.size - CHUNK).saturating_sub(self.seen).min(bytes.len() as u64) as usize;
                last.update(&bytes[skip..]);
            }
        }
        self.seen += bytes.len() as u64;
    }

    /// Returns the hash, or nothing when the content was shorter or longer than announced.
    pub fn finish(self) -> Option<ContentHash> {
        if self.seen != self.size {
            return None;
        }
        Some(match self.state {
            State::Whole(md5) => ContentHash::of_file(&md5.finalize(), HashKind::Md5, self.size),
            State::Ends { first, last } => of_ends(&first.finalize(), &last.finalize(), self.size),
        })
    }
}

/// Returns the hash of a large file from the SHA-1 of its two ends.
pub(super) fn of_ends(first: &[u8], last: &[u8], size: u64) -> ContentHash {
    let both = Sha1::new().chain_update(first).chain_update(last).finalize();
    ContentHash::of_file(&both, HashKind::Sha1Fl, size)
}
