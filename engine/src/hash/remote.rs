//! Hashes from what object stores and servers report, without a download.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5};

use super::{ContentHash, HashKind, encode};

/// Returns the hash of an S3 object from its entity tag; nothing when the tag is not made of hex digits.
///
/// A tag `<hex>-<n>` belongs to an upload in `n` parts. A tag of a single part is taken for an MD5 even where the store
/// encrypts with keys of its own and so reports something else: every reader of the format does so.
pub fn s3_hash(etag: &str, size: u64) -> Option<ContentHash> {
    let etag = etag.trim_matches('"');
    let (hex, kind) = match etag.split_once('-') {
        None => (etag, HashKind::Md5),
        Some((hex, parts)) => (hex, HashKind::Md5Parts(parts.parse().ok()?)),
    };
    Some(ContentHash::of_file(&from_hex(hex)?, kind, size))
}

/// Returns the hash of a Google Cloud Storage object from its `md5Hash`, else from its entity tag.
pub fn gcs_hash(md5_hash: Option<&str>, etag: Option<&str>, size: u64) -> Option<ContentHash> {
    match md5_hash {
        Some(base64) => {
            let bytes = STANDARD_NO_PAD.decode(base64.trim_end_matches('=')).ok()?;
            Some(ContentHash::of_file(&bytes, HashKind::Md5, size))
        }
        None => etag.map(|etag| of_etag(etag, size)),
    }
}

/// Returns the hash of a file on a web server from its entity tag; nothing when it sent none.
pub fn http_hash(etag: Option<&str>, size: u64) -> Option<ContentHash> {
    etag.map(|etag| of_etag(etag, size))
}

/// Returns the hash of a file in a Hugging Face repository from its blob id; nothing when that is not hex.
pub fn hf_hash(blob_id: &str, size: u64) -> Option<ContentHash> {
    Some(ContentHash::of_file(&from_hex(blob_id)?, HashKind::Sha1, size))
}

/// Returns the hash of a folder from hash and size of each of its files; nothing when there are none.
///
/// Names and structure do not enter: they are for the folder's digest to tell.
pub fn folder_hash(files: impl IntoIterator<Item = (String, u64)>) -> Option<ContentHash> {
    let (mut hashes, sizes): (Vec<String>, Vec<u64>) = files.into_iter().unzip();
    if hashes.is_empty() {
        return None;
    }
    hashes.sort_unstable();
    let folder = hashes.iter().fold(Md5::new(), |folder, hash| folder.chain_update(Md5::digest(hash)));
    Some(ContentHash {
        hash: encode(&folder.finalize()),
        kind: HashKind::Md5Folder,
        size: sizes.iter().sum(),
        n_files: Some(hashes.len() as u64),
    })
}

fn of_etag(etag: &str, size: u64) -> ContentHash {
    let text = etag.trim_matches(['"', '=']);
    ContentHash {
        hash: URL_SAFE_NO_PAD.encode(Md5::digest(text)),
        kind: HashKind::Md5Etag,
        size,
        n_files: None,
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let plain = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex.is_empty() || !hex.len().is_multiple_of(2) || !plain {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<ContentHash>, hash: &str, kind: &str) {
        let found = found.unwrap();
        assert_eq!((found.hash.as_str(), found.kind.to_string().as_str()), (hash, kind));
    }

    #[test]
    fn s3_tags() {
        check(s3_hash("\"5d41402abc4b2a76b9719d911017c592\"", 5), "XUFAKrxLKna5cZ2REBfFkg", "md5");
        check(s3_hash("\"9bb58f26192e4ba00f01e2e7b136bbd8-3\"", 0), "m7WPJhkuS6APAeLnsTa72A", "md5-3");
        for odd in ["", "\"\"", "abc", "xyz0", "5d41-x", "+1+1"] {
            assert_eq!(s3_hash(odd, 0), None, "{odd}");
        }
    }

    #[test]
    fn a_tag_of_two_parts_is_the_md5_over_their_md5s() {
        let parts = Md5::new().chain_update(Md5::digest(vec![0; 5 << 20])).chain_update(Md5::digest(b"tail"));
        let hex: String = parts.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        check(s3_hash(&format!("\"{hex}-2\""), 5242884), "R2k7aq_JnmB6M_Mh2k3JAw", "md5-2");
    }

    #[test]
    fn other_stores() {
        check(gcs_hash(Some("XUFAKrxLKna5cZ2REBfFkg=="), Some("x"), 5), "XUFAKrxLKna5cZ2REBfFkg", "md5");
        check(gcs_hash(None, Some("CKih16GjycICEAE="), 5), "uNeFpUpw6qPNJ4q4Jf_GAw", "md5-etag");
        check(http_hash(Some("\"abc-123\""), 5), "Y1FiPIzvhv76v6faBG_GGQ", "md5-etag");
        check(hf_hash("2fb7e5bd3b5a4b2ea1c5c5fcb6a5a3b0b1c2d3e4", 5), "L7flvTtaSy6hxcX8tqWjsL", "sha1");
        assert_eq!(gcs_hash(None, None, 5), None);
        assert_eq!(http_hash(None, 5), None);
    }

    #[test]
    fn folders_of_objects() {
        let hash = |text: &str| (encode(&Md5::digest(text)), text.len() as u64);
        let found = folder_hash([hash("22"), hash("1")]).unwrap();
        assert_eq!((found.size, found.n_files), (3, Some(2)));
        check(Some(found), "eM3C_vZOzZoiDzWa7ORtQQ", "md5-d");
        assert_eq!(folder_hash([]), None);
    }
}
