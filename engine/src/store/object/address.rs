//! What the root of a remote location says.

use crate::error::{Error, Result};
use crate::key::split_query;

/// How objects below a root are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    S3,
    Gs,
    Az,
    Http,
    Hf,
}

/// A root taken apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) scheme: Scheme,
    /// Bucket, container, repository with its kind, or scheme and host of a web server.
    pub(super) bucket: String,
    /// What all keys start with, without slashes at its ends.
    pub(super) prefix: String,
    /// Where an S3 bucket lies if not at the usual place.
    pub(super) endpoint: Option<String>,
    /// Revision of a repository.
    pub(super) revision: Option<String>,
    /// Other settings of the query, in order.
    pub(super) query: Vec<(String, String)>,
}

impl Address {
    /// Takes a root apart.
    pub(super) fn parse(root: &str) -> Result<Address> {
        let wrong = |what: &str| Error::value(format!("The storage location {root} {what}"));
        let (url, query) = split_query(root);
        let (scheme, path) = url.split_once("://").ok_or_else(|| wrong("is no URL"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "s3" | "s3a" => Scheme::S3,
            "gs" | "gcs" => Scheme::Gs,
            "az" | "azure" | "abfs" | "abfss" => Scheme::Az,
            "http" | "https" => Scheme::Http,
            "hf" => Scheme::Hf,
            other => return Err(wrong(&format!("has the protocol {other}, which is not supported"))),
        };
        let path = path.trim_start_matches('/').trim_end_matches('/');
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(wrong("names no bucket or host"));
        }
        let mut address = Address {
            scheme,
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: None,
            revision: None,
            query: Vec::new(),
        };
        match scheme {
            Scheme::Http => {
                let scheme = root.split_once("://").map_or("https", |(scheme, _)| scheme);
                address.bucket = format!("{}://{bucket}", scheme.to_ascii_lowercase());
            }
            Scheme::Hf => address.take_repository(path).ok_or_else(|| wrong("names no repository"))?,
            _ => {}
        }
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decode(value);
            match (scheme, name) {
                (Scheme::S3, "endpoint_url") => {
                    address.endpoint = Some(value.trim_end_matches('/').to_owned())
                }
                _ => address.query.push((name.to_owned(), value)),
            }
        }
        Ok(address)
    }

    /// Splits `datasets/owner/repo@revision/path`; models have no kind in front.
    fn take_repository(&mut self, path: &str) -> Option<()> {
        let parts: Vec<&str> = path.split('/').collect();
        let kind = match parts.first()? {
            kind @ (&"datasets" | &"spaces" | &"models") => Some(*kind),
            _ => None,
        };
        let skip = usize::from(kind.is_some());
        let (owner, repository) = (parts.get(skip)?, parts.get(skip + 1)?);
        let (repository, revision) = match repository.split_once('@') {
            Some((repository, revision)) => (repository, Some(decode(revision))),
            None => (*repository, None),
        };
        let own = format!("{owner}/{repository}");
        self.bucket = match kind {
            None | Some("models") => own,
            Some(kind) => format!("{kind}/{own}"),
        };
        self.prefix = parts[skip + 2..].join("/");
        self.revision = revision;
        Some(())
    }

    /// Returns the name of the object at `key` within its bucket.
    pub(super) fn object(&self, key: &str) -> String {
        match self.prefix.as_str() {
            "" => key.to_owned(),
            prefix if key.is_empty() => prefix.to_owned(),
            prefix => format!("{prefix}/{key}"),
        }
    }

    /// Returns the key of an object of the bucket, if it lies below the root.
    pub(super) fn key<'a>(&self, object: &'a str) -> Option<&'a str> {
        match self.prefix.as_str() {
            "" => Some(object),
            prefix => object.strip_prefix(prefix)?.strip_prefix('/'),
        }
    }
}

/// Resolves `%xx`.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_taken_apart() {
        let parse = |root| Address::parse(root).unwrap();
        let s3 = parse("s3://bucket/a/b/?endpoint_url=http%3A%2F%2Flocalhost:9000/");
        assert_eq!((s3.scheme, s3.bucket.as_str(), s3.prefix.as_str()), (Scheme::S3, "bucket", "a/b"));
        assert_eq!(s3.endpoint.as_deref(), Some("http://localhost:9000"));
        assert_eq!((s3.object("x/y"), s3.key("a/b/x/y")), ("a/b/x/y".to_owned(), Some("x/y")));
        assert_eq!((s3.key("a/bc/x"), parse("gs://b").key("x")), (None, Some("x")));
        let web = parse("https://host:8080/data");
        assert_eq!((web.bucket.as_str(), web.prefix.as_str()), ("https://host:8080", "data"));
        let hf = parse("hf://datasets/me/cells@v1/raw/x");
        assert_eq!(
            (hf.bucket.as_str(), hf.revision.as_deref(), hf.prefix.as_str()),
            ("datasets/me/cells", Some("v1"), "raw/x")
        );
        assert_eq!(parse("hf://me/model").bucket, "me/model");
        for wrong in ["/x", "ftp://x", "s3://", "s3:///", "hf://datasets/me"] {
            assert!(Address::parse(wrong).unwrap_err().message().contains(wrong), "{wrong}");
        }
    }
}
