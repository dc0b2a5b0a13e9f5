//! What entity tags tell about content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use object_store::ObjectMeta;

use super::address::Scheme;
use crate::hash::{ContentHash, gcs_hash, http_hash, s3_hash};

/// Returns the format's hash of an object that was not read; nothing where the store tells nothing.
pub(super) fn content(scheme: Scheme, meta: &ObjectMeta) -> Option<ContentHash> {
    let tag = meta.e_tag.as_deref()?;
    match scheme {
        Scheme::S3 => s3_hash(tag, meta.size),
        // The tag of an object that was not put together from others is its MD5.
        Scheme::Gs => match md5_of(tag) {
            Some(md5) => gcs_hash(Some(&STANDARD.encode(md5)), None, meta.size),
            None => gcs_hash(None, Some(tag), meta.size),
        },
        Scheme::Az | Scheme::Http | Scheme::Hf => http_hash(Some(tag.trim_start_matches("W/")), meta.size),
    }
}

/// What a tag says about bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The store has these bytes.
    Same,
    /// The store has other bytes, or makes its tags from something else.
    Differs,
    /// The tag says nothing about content.
    Silent,
}

/// Compares the tag of an object with the MD5 of its bytes, or of its parts.
pub(super) fn compare(tag: Option<&str>, parts: &[[u8; 16]], in_parts: bool) -> Verdict {
    let Some(tag) = tag.map(|tag| tag.trim_matches('"')) else { return Verdict::Silent };
    let expected = if in_parts {
        let all = parts.iter().fold(Md5::new(), |all, part| all.chain_update(part));
        format!("{}-{}", hex(&all.finalize()), parts.len())
    } else {
        parts.first().map(|md5| hex(md5)).unwrap_or_default()
    };
    let plain = tag.split('-').next().unwrap_or_default();
    if plain.len() != 32 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Verdict::Silent;
    }
    if tag.eq_ignore_ascii_case(&expected) { Verdict::Same } else { Verdict::Differs }
}

/// Returns the MD5 of bytes.
pub(super) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// Returns the MD5 that a tag is; nothing for one that is made from something else.
pub(super) fn md5_of(tag: &str) -> Option<[u8; 16]> {
    let tag = tag.trim_matches('"');
    if tag.len() != 32 {
        return None;
    }
    let mut md5 = [0; 16];
    for (at, byte) in md5.iter_mut().enumerate() {
        *byte = u8::from_str_radix(tag.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(md5)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_with_what_was_sent() {
        let (one, two) = (md5(b"hello"), md5(b"x"));
        assert_eq!(compare(Some("\"5d41402abc4b2a76b9719d911017c592\""), &[one], false), Verdict::Same);
        assert_eq!(compare(Some("5d41402abc4b2a76b9719d911017c592"), &[two], false), Verdict::Differs);
        assert_eq!(compare(Some("5d41402abc4b2a76b9719d911017c592-2"), &[one, two], true), Verdict::Differs);
        let both = hex(&md5(&[one, two].concat()));
        assert_eq!(compare(Some(&format!("{both}-2")), &[one, two], true), Verdict::Same);
        for silent in [None, Some("\"0x8DAF\""), Some("CKih16GjycICEAE=")] {
            assert_eq!(compare(silent, &[one], false), Verdict::Silent);
        }
    }
}
