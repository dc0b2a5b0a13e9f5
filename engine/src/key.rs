//! Keys: the paths that artifacts go by, and the rules that keep them inside their storage.

use crate::error::{Error, Result};

/// Characters that the column for keys can hold.
const MAX_CHARS: usize = 1024;

/// The folder below a storage root that holds what the registry stores by itself.
pub const MANAGED: &str = ".lamindb";

/// Whether a key is also the place of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// The key is a name only; the content lies at an automatic place.
    Virtual,
    /// The content lies at `<root>/<key>`.
    Real,
}

/// Returns the URL of a remote place without its query, and the query.
///
/// In keys of buckets a question mark is a character like any other: only pairs of name and value behind the last one are a
/// query.
pub(crate) fn split_query(url: &str) -> (&str, Option<&str>) {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let parts = match ["http", "https", "hf"].iter().any(|web| web.eq_ignore_ascii_case(scheme)) {
        true => url.split_once('?'),
        false => url.rsplit_once('?').filter(|(_, query)| query.split('&').all(|pair| pair.contains('='))),
    };
    parts.map_or((url, None), |(place, query)| (place, Some(query)))
}

/// Returns true for a path that lies in what the registry stores by itself, or is that.
pub(crate) fn is_managed(path: &str) -> bool {
    path.split('/').any(|segment| segment == MANAGED)
}

/// Checks a key that a user passes.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for managed paths, backslashes, NUL and `.` or `..` segments,
/// [`crate::ErrorKind::FieldValidation`] for more than 1024 characters,
/// [`crate::ErrorKind::InvalidArgument`] for real keys that do not stay below the storage root.
pub fn check(key: &str, kind: KeyKind) -> Result<()> {
    if key.contains(".lamindb/") {
        return Err(managed());
    }
    let relative = match kind {
        KeyKind::Virtual => key,
        KeyKind::Real => strip_here(key),
    };
    if let Some(segment) = relative.split('/').find(|segment| matches!(*segment, "." | "..")) {
        return Err(Error::value(format!("Relative path segment '{segment}' detected in key '{key}'.")));
    }
    if key.contains('\\') {
        return Err(Error::value(format!("Backslashes are not allowed in key '{key}'.")));
    }
    if key.contains('\0') {
        return Err(Error::value(format!("NUL characters are not allowed in key '{}'.", key.escape_debug())));
    }
    let chars = key.chars().count();
    if chars > MAX_CHARS {
        let head: String = key.chars().take(40).collect();
        return Err(Error::field_validation(format!(
            "Key '{head}…' has {chars} characters; at most {MAX_CHARS} are allowed."
        )));
    }
    if kind == KeyKind::Real {
        real_key_path(key)?;
    }
    Ok(())
}

/// Returns the path below the storage root at which the content of a real key lies.
///
/// A leading `./` with the slashes after it is not part of the path; anything else is taken as it is.
///
/// # Errors
/// [`crate::ErrorKind::InvalidArgument`] when the key is empty, absolute, or would leave the root.
pub fn real_key_path(key: &str) -> Result<&str> {
    let path = strip_here(key);
    let refuse = |why: &str| {
        let key = key.escape_debug();
        Err(Error::invalid(format!(
            "Key '{key}' {why}; a real key must name a place below the storage root."
        )))
    };
    if path.is_empty() {
        return refuse("names no file");
    }
    if path.starts_with('/') || path.starts_with('\\') || path.split('/').next().is_some_and(is_drive) {
        return refuse("is an absolute path");
    }
    if path.contains('\0') {
        return refuse("contains a NUL character");
    }
    if path.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
        return refuse("may leave its storage root");
    }
    if is_managed(path) {
        return Err(managed());
    }
    Ok(path)
}

/// Returns the path below the root of content that the registry places by itself.
pub fn auto_key(uid_or_stem: &str, suffix: &str) -> String {
    format!("{MANAGED}/{uid_or_stem}{suffix}")
}

fn managed() -> Error {
    Error::value("Do not pass key that contains a managed storage path in `.lamindb/`")
}

fn strip_here(key: &str) -> &str {
    key.strip_prefix("./").map_or(key, |rest| rest.trim_start_matches('/'))
}

/// Returns true for `C:`, which starts an absolute path on Windows.
fn is_drive(segment: &str) -> bool {
    cfg!(windows) && segment.len() == 2 && segment.ends_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    fn refused(key: &str, kind: KeyKind) -> (ErrorKind, String) {
        let error = check(key, kind).unwrap_err();
        (error.kind(), error.message().to_owned())
    }

    #[test]
    fn only_pairs_are_a_query_of_a_bucket() {
        for (url, place, query) in [
            ("s3://b/k?endpoint_url=http://h:1", "s3://b/k", Some("endpoint_url=http://h:1")),
            ("s3://b/a?b.txt", "s3://b/a?b.txt", None),
            ("s3://b/a?b.txt?endpoint_url=http://h", "s3://b/a?b.txt", Some("endpoint_url=http://h")),
            ("gs://b/what?", "gs://b/what?", None),
            ("https://h/a?b", "https://h/a", Some("b")),
            ("HTTP://h/a?b?c=d", "HTTP://h/a", Some("b?c=d")),
            ("s3://b/k", "s3://b/k", None),
        ] {
            assert_eq!(split_query(url), (place, query), "{url}");
        }
    }

    #[test]
    fn messages_are_those_of_the_format() {
        use KeyKind::{Real, Virtual};
        let managed = "Do not pass key that contains a managed storage path in `.lamindb/`";
        assert_eq!(refused("a/.lamindb/x", Virtual), (ErrorKind::Value, managed.to_owned()));
        assert_eq!(refused(".lamindb", Real), (ErrorKind::Value, managed.to_owned()));
        for (key, segment) in [("a/../b", ".."), ("..", ".."), ("./a", "."), ("a/.", ".")] {
            let message = format!("Relative path segment '{segment}' detected in key '{key}'.");
            assert_eq!(refused(key, Virtual), (ErrorKind::Value, message));
        }
        let message = r"Backslashes are not allowed in key 'a\b'.".to_owned();
        assert_eq!(refused(r"a\b", Virtual), (ErrorKind::Value, message));
        let message = r"NUL characters are not allowed in key 'a\0b'.".to_owned();
        assert_eq!(refused("a\0b", Virtual), (ErrorKind::Value, message));
    }

    #[test]
    fn keys_fit_their_column() {
        check(&"é".repeat(1024), KeyKind::Virtual).unwrap();
        let (kind, message) = refused(&"é".repeat(1025), KeyKind::Virtual);
        assert_eq!(kind, ErrorKind::FieldValidation);
        assert!(message.contains("1025"), "{message}");
    }

    #[test]
    fn real_keys_stay_below_the_root() {
        check("/raw/x.txt", KeyKind::Virtual).unwrap();
        for key in ["/pre/x.txt", "", "./", ".///"] {
            assert_eq!(refused(key, KeyKind::Real).0, ErrorKind::InvalidArgument, "{key}");
        }
        for key in ["../x", "a/../../x", "././x", ".//../x", "a/./x"] {
            assert_eq!(refused(key, KeyKind::Real).0, ErrorKind::Value, "{key}");
            assert_eq!(real_key_path(key).unwrap_err().kind(), ErrorKind::InvalidArgument, "{key}");
        }
    }

    #[test]
    fn exactly_a_leading_here_is_stripped() {
        for (key, path) in [
            ("./x", "x"),
            (".//preprocessed/result_4.txt", "preprocessed/result_4.txt"),
            ("a/b", "a/b"),
            (".hidden/x", ".hidden/x"),
        ] {
            check(key, KeyKind::Real).unwrap();
            assert_eq!(real_key_path(key).unwrap(), path);
        }
    }

    #[test]
    fn automatic_keys_lie_in_the_managed_folder() {
        assert_eq!(auto_key("MDUUO7diYg5Ckkyb0000", ".fcs"), ".lamindb/MDUUO7diYg5Ckkyb0000.fcs");
    }

    proptest! {
        #[test]
        fn no_accepted_real_key_leaves_the_root(key in "[./a\\\\\u{0}é:-]{0,12}|\\PC*") {
            if let Ok(path) = real_key_path(&key) {
                prop_assert!(!path.is_empty());
                prop_assert!(Path::new(path).components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(key.ends_with(path));
            }
            if check(&key, KeyKind::Real).is_ok() {
                prop_assert!(real_key_path(&key).is_ok());
            }
        }
    }
}
