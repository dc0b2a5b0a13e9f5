//! Content hashes: those of the format, which other readers of an instance know, and the digest that covers every byte.

mod compat;
mod digest;
mod file;
mod folder;
mod kind;
mod manifest;
mod remote;
mod stamp;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use compat::{CHUNK, Compat};
pub use digest::Digest;
pub(crate) use file::{Both, digest_watched, fill};
pub use file::{Identity, digest_file, hash_file, identify_file};
pub(crate) use folder::mode;
pub use folder::{Folder, FolderFile, FolderIdentity, hash_folder, scan_folder};
pub use kind::HashKind;
pub use manifest::{Manifest, ManifestEntry};
pub use remote::{folder_hash, gcs_hash, hf_hash, http_hash, s3_hash};
pub use stamp::Stamp;
pub(crate) use stamp::{changed, open_file};
pub use text::{collection_hash, git_blob, json_hash, source_hash, value_hash};

/// Characters that the column for hashes can hold.
const MAX_LEN: usize = 22;

/// What the format's columns say of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentHash {
    /// Hash, at most 22 characters of base64url.
    pub hash: String,
    /// How it was made.
    pub kind: HashKind,
    /// Bytes in all.
    pub size: u64,
    /// Files below a folder; nothing for a single file.
    pub n_files: Option<u64>,
}

impl ContentHash {
    fn of_file(bytes: &[u8], kind: HashKind, size: u64) -> Self {
        ContentHash { hash: encode(bytes), kind, size, n_files: None }
    }
}

/// Returns raw hash bytes as the columns hold them: base64url without padding, cut to 22 characters.
fn encode(bytes: &[u8]) -> String {
    let mut text = URL_SAFE_NO_PAD.encode(bytes);
    text.truncate(MAX_LEN);
    text
}
