//! The full content digest.

use std::fmt;
use std::str::FromStr;

use super::{HashKind, encode};
use crate::error::{Error, Result};

/// BLAKE3 over every byte of a file, or over the manifest of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Returns the digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        blake3::hash(bytes).into()
    }

    /// Returns the 64 lower-case hex digits.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }

    /// Returns the head that fits the format's hash column, to be stored with [`HashKind::Blake3`].
    pub fn to_hash(self) -> (String, HashKind) {
        (encode(&self.0), HashKind::Blake3)
    }

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<blake3::Hash> for Digest {
    fn from(hash: blake3::Hash) -> Self {
        Digest(*hash.as_bytes())
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match blake3::Hash::from_hex(text) {
            Ok(hash) => Ok(hash.into()),
            Err(error) => {
                Err(Error::value(format!("'{text}' is no digest: expected 64 hex digits")).because(error))
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_survive_their_text() {
        // The digest of no bytes, as the definition of BLAKE3 gives it.
        let hex = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
        assert_eq!(Digest::of(b"").to_hex(), hex);
        assert_eq!(hex.parse::<Digest>().unwrap(), Digest::of(b""));
        assert!("af13".parse::<Digest>().unwrap_err().message().contains("af13"));
        assert_eq!(Digest::of(b"").to_hash(), ("rxNJufX5oaagQE3qNtzJSZ".to_owned(), HashKind::Blake3));
    }
}
