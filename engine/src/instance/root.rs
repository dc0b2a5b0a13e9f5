//! Roots of storage locations: which protocol they speak and the one way of writing them.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::key::{MANAGED, split_query};

/// The folder below each root that belongs to the format.
pub const INTERNAL_FOLDER: &str = MANAGED;
/// The SQLite database of an instance below its default root.
pub const DATABASE_KEY: &str = ".lamindb/lamin.db";
/// The marker of a storage location below its root.
pub const MARKER_KEY: &str = ".lamindb/storage_uid.txt";

/// How the objects of a storage location are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Files of this machine.
    Local,
    /// An S3 bucket.
    S3,
    /// A bucket of Google Cloud Storage.
    Gs,
    /// A container of Azure Blob Storage; LaminDB has no name for these.
    Az,
    /// A repository of Hugging Face.
    Hf,
    /// A web server.
    Http,
    /// A web server, encrypted.
    Https,
}

impl Protocol {
    /// Returns the name that the column `type` of a storage location holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::Local => "local",
            Protocol::S3 => "s3",
            Protocol::Gs => "gs",
            Protocol::Az => "az",
            Protocol::Hf => "hf",
            Protocol::Http => "http",
            Protocol::Https => "https",
        }
    }

    /// Returns true for stores that are written to, object by object.
    pub(crate) fn is_bucket(self) -> bool {
        matches!(self, Protocol::S3 | Protocol::Gs | Protocol::Az)
    }

    /// Returns true for servers that can only be read.
    pub(crate) fn is_read_only(self) -> bool {
        matches!(self, Protocol::Http | Protocol::Https | Protocol::Hf)
    }

    fn of_scheme(scheme: &str) -> Result<Self> {
        Ok(match scheme.to_ascii_lowercase().as_str() {
            "file" | "local" => Protocol::Local,
            "s3" => Protocol::S3,
            "gs" => Protocol::Gs,
            "az" | "abfs" | "abfss" => Protocol::Az,
            "hf" => Protocol::Hf,
            "http" => Protocol::Http,
            "https" => Protocol::Https,
            _ => {
                return Err(Error::value(format!(
                    "Protocol {scheme} is not supported, valid protocols are local, gs, s3, hf, http, https, az"
                )));
            }
        })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The root of a storage location in its one normal form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StorageRoot {
    protocol: Protocol,
    text: String,
}

impl StorageRoot {
    /// Returns the root that a user's text means.
    ///
    /// Local: `~` expanded, absolute, symbolic links followed; nothing is created. Remote: no trailing slash.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for an unknown protocol, a root inside `.lamindb`, or one that names no place.
    pub fn parse(env: &Env, text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::value(
                "The storage location is empty: pass a folder or a URL such as s3://bucket/folder",
            ));
        }
        let root = match text.split_once("://") {
            None => Self::local(env, text)?,
            Some((scheme, rest)) => match Protocol::of_scheme(scheme)? {
                Protocol::Local => Self::local(env, rest)?,
                protocol => Self::remote(protocol, text, rest)?,
            },
        };
        if root.text.contains(INTERNAL_FOLDER) {
            return Err(Error::value("Please pass a folder name that does not end or contain \".lamindb\""));
        }
        Ok(root)
    }

    /// Returns the root for text that is in normal form already, as settings files and databases hold it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for an unknown protocol.
    pub fn stored(text: &str) -> Result<Self> {
        let protocol = match text.split_once("://") {
            None => Protocol::Local,
            Some((scheme, _)) => Protocol::of_scheme(scheme)?,
        };
        Ok(StorageRoot { protocol, text: text.to_owned() })
    }

    fn local(env: &Env, text: &str) -> Result<Self> {
        let path = resolve(&env.absolute(text));
        match path.to_str() {
            Some(text) => Ok(StorageRoot { protocol: Protocol::Local, text: text.to_owned() }),
            None => Err(Error::value(format!(
                "The path {} is not valid UTF-8: choose another folder",
                path.display()
            ))),
        }
    }

    /// Returns the root that a URL means, of which `rest` follows the protocol.
    fn remote(protocol: Protocol, url: &str, rest: &str) -> Result<Self> {
        let (whole, query) = split_query(url);
        let path = rest[..rest.len() - (url.len() - whole.len())].trim_end_matches('/');
        if path.is_empty() || path.starts_with('/') {
            return Err(Error::value(format!("{protocol}://{rest} names no bucket or host")));
        }
        if path.split('/').any(|part| part == "." || part == "..") {
            return Err(Error::value(format!(
                "{protocol}://{rest} contains '.' or '..': write the path out"
            )));
        }
        let mut text = format!("{protocol}://{path}");
        if let Some(query) = query.filter(|query| !query.is_empty()) {
            let mut seen = Vec::new();
            for pair in query.split('&').filter(|_| protocol == Protocol::S3) {
                let name = pair.split_once('=').map_or(pair, |(name, _)| name);
                if seen.contains(&name) {
                    return Err(Error::value(format!("Multiple values for {name} query parameter")));
                }
                seen.push(name);
            }
            text.push('?');
            text.push_str(query);
        }
        Ok(StorageRoot { protocol, text })
    }

    /// Returns the root as databases, settings files and messages carry it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the protocol.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns the folder of a local root.
    pub fn local_path(&self) -> Option<&Path> {
        (self.protocol == Protocol::Local).then(|| Path::new(&self.text))
    }

    /// Returns the root without protocol and query: `bucket/folder`, `host/folder` or the local path.
    pub fn path(&self) -> &str {
        match self.protocol {
            Protocol::Local => &self.text,
            _ => {
                let (url, _) = split_query(&self.text);
                url.split_once("://").map_or(url, |(_, path)| path).trim_end_matches('/')
            }
        }
    }

    /// Returns the root of the server, repository or bucket that has what lies at this URL, and the path below it; nothing
    /// for folders.
    pub(crate) fn giver(&self) -> Option<(String, String)> {
        let parts: Vec<&str> = self.path().split('/').collect();
        let count = match self.protocol {
            Protocol::Local => return None,
            Protocol::Hf if matches!(parts[0], "datasets" | "spaces" | "models") => 3,
            Protocol::Hf => 2,
            _ => 1,
        };
        let (giver, below) = parts.split_at_checked(count)?;
        let root = self.with_query(&format!("{}://{}", self.protocol, giver.join("/")));
        Some((root, below.join("/")))
    }

    /// Returns another URL of the same server: with the query of this root.
    pub(crate) fn with_query(&self, url: &str) -> String {
        let (_, query) = split_query(&self.text);
        let query = query.filter(|_| self.protocol.is_bucket());
        query.map_or_else(|| url.to_owned(), |query| format!("{url}?{query}"))
    }

    /// Returns the endpoint of an S3 root that is not at the default one.
    pub fn endpoint(&self) -> Option<&str> {
        let (_, query) = split_query(&self.text);
        query
            .filter(|_| self.protocol == Protocol::S3)?
            .split('&')
            .find_map(|pair| pair.strip_prefix("endpoint_url="))
    }

    /// Returns the path or URL of the object at `key` below the root, without a query.
    pub fn join(&self, key: &str) -> String {
        match self.protocol {
            Protocol::Local => format!("{}/{key}", self.text.trim_end_matches('/')),
            protocol => format!("{protocol}://{}/{key}", self.path()),
        }
    }
}

impl fmt::Display for StorageRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns an absolute path with `.` and `..` gone and links followed as far as the path exists.
pub(crate) fn resolve(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut resolved = PathBuf::new();
    let mut exists = true;
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
                exists = true;
            }
            other => {
                resolved.push(other);
                if exists {
                    match fs::canonicalize(&resolved) {
                        Ok(real) => resolved = real,
                        Err(_) => exists = false,
                    }
                }
            }
        }
    }
    resolved
}
