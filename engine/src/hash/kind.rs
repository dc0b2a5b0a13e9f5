//! How a hash was made.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The value of the column `_hash_type`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// MD5 of the content.
    Md5,
    /// SHA-1 over the SHA-1 of the first and of the last 50 MiB.
    Sha1Fl,
    /// MD5 over the hashes of a folder's files.
    Md5Folder,
    /// What an object store reports of an upload in so many parts.
    Md5Parts(u32),
    /// MD5 of an entity tag, which need not follow the content.
    Md5Etag,
    /// SHA-1 blob id.
    Sha1,
    /// Head of the BLAKE3 digest, where a compatible hash would collide.
    Blake3,
    /// A kind that this version does not know.
    Other(String),
}

impl HashKind {
    /// Returns true when equal hashes mean equal bytes; otherwise a hash only nominates a candidate.
    pub fn covers_content(&self) -> bool {
        matches!(self, HashKind::Md5 | HashKind::Sha1 | HashKind::Blake3)
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HashKind::Md5 => f.write_str("md5"),
            HashKind::Sha1Fl => f.write_str("sha1-fl"),
            HashKind::Md5Folder => f.write_str("md5-d"),
            HashKind::Md5Parts(parts) => write!(f, "md5-{parts}"),
            HashKind::Md5Etag => f.write_str("md5-etag"),
            HashKind::Sha1 => f.write_str("sha1"),
            HashKind::Blake3 => f.write_str("blake3"),
            HashKind::Other(text) => f.write_str(text),
        }
    }
}

impl FromStr for HashKind {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "md5" => HashKind::Md5,
            "sha1-fl" => HashKind::Sha1Fl,
            "md5-d" => HashKind::Md5Folder,
            "md5-etag" => HashKind::Md5Etag,
            "sha1" => HashKind::Sha1,
            "blake3" => HashKind::Blake3,
            _ => match text.strip_prefix("md5-").and_then(|parts| parts.parse().ok()) {
                Some(parts) => HashKind::Md5Parts(parts),
                None => HashKind::Other(text.to_owned()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_their_column() {
        for text in ["md5", "sha1-fl", "md5-d", "md5-3", "md5-etag", "sha1", "blake3", "sha256", "md5-x", ""]
        {
            let kind: HashKind = text.parse().unwrap();
            assert_eq!(kind.to_string(), text);
        }
        assert_eq!("md5-12".parse(), Ok(HashKind::Md5Parts(12)));
    }

    #[test]
    fn only_some_kinds_cover_the_content() {
        let covering = [HashKind::Md5, HashKind::Sha1, HashKind::Blake3];
        let nominating = [
            HashKind::Sha1Fl,
            HashKind::Md5Folder,
            HashKind::Md5Parts(2),
            HashKind::Md5Etag,
            HashKind::Other("x".into()),
        ];
        assert!(covering.iter().all(HashKind::covers_content));
        assert!(!nominating.iter().any(HashKind::covers_content));
    }
}
