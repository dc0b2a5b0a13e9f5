//! Hashes of texts and of sets of hashes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::encode;
use crate::record::python_literal;
use crate::value::sorted_json;

/// Returns the hash of a collection from the hashes of its artifacts; order and repetition do not matter.
pub fn collection_hash<'a>(hashes: impl IntoIterator<Item = &'a str>) -> String {
    let unique: BTreeSet<&str> = hashes.into_iter().collect();
    let joined = unique.into_iter().collect::<Vec<_>>().join(":");
    encode(&Md5::digest(joined))
}

/// Returns the hash of a JSON value; the order of its keys does not matter.
pub fn json_hash(json: &serde_json::Value) -> String {
    encode(&Md5::digest(sorted_json(json)))
}

/// Returns the hash by which equal values of a feature are found: that of the text that Python makes of the value.
pub fn value_hash(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::Object(_) => json_hash(json),
        serde_json::Value::String(text) => source_hash(text),
        other => source_hash(python_literal(other)),
    }
}

/// Returns the hash of source code.
pub fn source_hash(code: impl AsRef<[u8]>) -> String {
    encode(&Md5::digest(code))
}

/// Returns the id that git gives to a file of these bytes, 40 hex digits.
pub fn git_blob(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    let id = Sha1::new().chain_update(header).chain_update(content).finalize();
    id.iter().fold(String::with_capacity(40), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const A: &str = "f8VicOenD6gaWTW3Lqy-KQ";
    const BB: &str = "nT2QSNsWp-7lOek-NhjL5w";
    const CCC: &str = "3vuZ5pqfH24G8VAGsfFmrg";

    #[test]
    fn collections_hash_the_set_of_their_artifacts() {
        assert_eq!(collection_hash([A, BB]), "hQpX4PY6kYftHzq2k5eaYw");
        assert_eq!(collection_hash([BB, A, BB]), "hQpX4PY6kYftHzq2k5eaYw");
        assert_eq!(collection_hash([A]), "vlmeoAIS66jkYHimwrbHnw");
        assert_eq!(collection_hash([CCC, BB, A]), "gWnqtbc2vZYztFIpJei-9g");
    }

    #[test]
    fn json_hashes_ignore_the_order_of_keys() {
        let one = json!({"b": [1, 2.5, null], "a": {"d": "é", "c": true}});
        let other = json!({"a": {"c": true, "d": "é"}, "b": [1, 2.5, null]});
        assert_eq!(json_hash(&one), json_hash(&other));
        assert_eq!(json_hash(&one), source_hash(r#"{"a": {"c": true, "d": "\u00e9"}, "b": [1, 2.5, null]}"#));
        assert_ne!(json_hash(&one), json_hash(&json!({"a": 1})));
    }

    #[test]
    fn source_is_hashed_like_any_text() {
        assert_eq!(source_hash("hello world\n"), "b1kCrCNwJL3QwXbLkwY9xA");
    }

    #[test]
    fn git_knows_the_blob() {
        assert_eq!(git_blob(b""), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(git_blob(b"hello world\n"), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
    }
}
