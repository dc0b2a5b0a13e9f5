//! Versions: the suffix of four base62 characters that follows the stem of a uid.

use crate::env::Env;
use crate::error::{Error, Result};
use crate::uid::{self, BASE62};

/// Characters of a version suffix.
pub const SUFFIX_LEN: usize = 4;

/// The suffix of the first version of a family.
pub const FIRST: &str = "0000";

/// Returns stem and suffix of `uid`, both whole characters; a uid shorter than its stem is all stem.
pub fn split_uid(uid: &str, stem_len: usize) -> (&str, &str) {
    let cut = uid.char_indices().nth(stem_len).map_or(uid.len(), |(at, _)| at);
    uid.split_at(cut)
}

/// Returns the uid of the first version of a new family whose stem has `stem_len` characters.
pub fn first_uid(env: &Env, stem_len: usize) -> String {
    let mut uid = uid::random(env, stem_len);
    uid.push_str(FIRST);
    uid
}

/// Returns the number that `suffix` stands for.
///
/// # Errors
/// [`crate::ErrorKind::Value`] when it is not four characters of base62.
pub fn suffix_value(suffix: &str) -> Result<u32> {
    let digit = |byte: u8| BASE62.iter().position(|&digit| digit == byte).map(|value| value as u32);
    let refuse = || {
        Error::value(format!("'{suffix}' is no version suffix: expected {SUFFIX_LEN} characters 0-9A-Za-z"))
    };
    if suffix.len() != SUFFIX_LEN {
        return Err(refuse());
    }
    suffix.bytes().try_fold(0, |value, byte| digit(byte).map(|digit| value * 62 + digit)).ok_or_else(refuse)
}

/// Returns the suffix of the version after all of `family`, whatever order they come in; [`FIRST`] for none.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a malformed suffix, [`crate::ErrorKind::Integrity`] when the last one is in use.
pub fn next_suffix<'a>(family: impl IntoIterator<Item = &'a str>) -> Result<String> {
    let mut largest = None;
    for suffix in family {
        largest = largest.max(Some(suffix_value(suffix)?));
    }
    match largest {
        None => Ok(FIRST.to_owned()),
        Some(value) => suffix_of_value(value + 1).ok_or_else(|| {
            Error::integrity(
                "The family has reached version zzzz, the last one: save the content under another key",
            )
        }),
    }
}

/// Returns the suffix that stands for `value`, if four characters can.
pub fn suffix_of_value(mut value: u32) -> Option<String> {
    let mut digits = [b'0'; SUFFIX_LEN];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(value % 62) as usize];
        value /= 62;
    }
    (value == 0).then(|| digits.iter().map(|&digit| char::from(digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use proptest::prelude::*;

    #[test]
    fn suffixes_count_up() {
        for (suffix, next) in
            [("0000", "0001"), ("0009", "000A"), ("000Z", "000a"), ("000z", "0010"), ("00zz", "0100")]
        {
            assert_eq!(next_suffix([suffix]).unwrap(), next);
        }
        assert_eq!(next_suffix([]).unwrap(), "0000");
    }

    #[test]
    fn the_largest_by_value_counts() {
        assert_eq!(next_suffix(["000a", "000Z", "0001"]).unwrap(), "000b");
    }

    #[test]
    fn the_last_suffix_has_no_successor() {
        let error = next_suffix(["0000", "zzzz"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Integrity);
        assert!(error.message().contains("zzzz"), "{error}");
    }

    #[test]
    fn malformed_suffixes_are_refused() {
        for suffix in ["", "000", "00000", "00-0", "00é", "    "] {
            assert_eq!(next_suffix([suffix]).unwrap_err().kind(), ErrorKind::Value, "{suffix}");
        }
    }

    #[test]
    fn uids_split_at_their_stem() {
        assert_eq!(split_uid("MDUUO7diYg5Ckkyb0003", 16), ("MDUUO7diYg5Ckkyb", "0003"));
        assert_eq!(split_uid("MDUUO7diYg5C000A", 12), ("MDUUO7diYg5C", "000A"));
        assert_eq!(split_uid("MDUU", 16), ("MDUU", ""));
        assert_eq!(split_uid("éé0", 1), ("é", "é0"));
    }

    proptest! {
        #[test]
        fn values_and_suffixes_agree(value in 0u32..62u32.pow(4)) {
            let suffix = suffix_of_value(value).unwrap();
            prop_assert_eq!(suffix_value(&suffix).unwrap(), value);
        }

        #[test]
        fn anything_can_be_split(uid in ".*", stem in 0usize..30) {
            let (head, tail) = split_uid(&uid, stem);
            prop_assert_eq!(format!("{head}{tail}"), uid);
        }
    }
}
