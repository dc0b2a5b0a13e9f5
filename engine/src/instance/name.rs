//! Names of instances: slugs, the identifiers that users type, and the name that `init` derives.

use std::fmt;
use std::path::Path;

use super::root::StorageRoot;
use crate::error::{Error, Result};
use crate::uid;

/// What `init` assumes for the storage location.
pub const DEFAULT_STORAGE: &str = "./storage";

/// The name of an instance below its owner: `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slug {
    /// Handle of the account that owns the instance.
    pub owner: String,
    /// Name of the instance.
    pub name: String,
}

impl Slug {
    /// Returns the slug of two parts that are known to be good.
    pub fn new(owner: impl Into<String>, name: impl Into<String>) -> Self {
        Slug { owner: owner.into(), name: name.into() }
    }

    /// Returns the slug that an identifier means: a name (of `handle`), `owner/name` or an https URL of the two.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for any other form.
    pub fn parse(identifier: &str, handle: &str) -> Result<Self> {
        let identifier = identifier.trim();
        let path = match identifier.split_once("://") {
            Some(("https" | "http", rest)) => {
                rest.split_once('/').map(|(_, path)| path.trim_end_matches('/'))
            }
            Some(_) => None,
            None => Some(identifier),
        };
        let parts: Vec<&str> = path.map(|path| path.split('/').collect()).unwrap_or_default();
        let from_url = identifier.contains("://");
        match parts[..] {
            [name] if !name.is_empty() && !from_url => Ok(Slug::new(handle, name)),
            [owner, name] if !owner.is_empty() && !name.is_empty() => Ok(Slug::new(owner, name)),
            _ => Err(Error::value(
                "The instance identifier needs to be 'owner/name', the instance name (owner is current user) \
                 or the URL: https://lamin.ai/owner/name.",
            )),
        }
    }

    /// Returns the id of the instance of this name: 32 hex digits.
    pub fn instance_id(&self) -> String {
        uid::instance_id(&self.to_string())
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Where the name of a new instance came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameSource {
    /// The user gave it.
    Given,
    /// It is the name of the database.
    Database,
    /// It is the name of the working directory.
    WorkingDirectory,
    /// It is the last part of the storage root.
    Storage,
}

/// Returns the name of a new instance and where it came from.
///
/// `storage` is the storage argument as the user wrote it, `root` what it means.
///
/// # Errors
/// [`crate::ErrorKind::Value`] when the name can't be the name of an instance.
pub fn derive(
    given: Option<&str>,
    db: Option<&str>,
    storage: &str,
    root: &StorageRoot,
    cwd: &Path,
) -> Result<(String, NameSource)> {
    let (name, source) = if let Some(name) = given {
        (name.to_owned(), NameSource::Given)
    } else if let Some(url) = db {
        let path = url.split_once('?').map_or(url, |(path, _)| path);
        (last(path.split_once("://").map_or("", |(_, rest)| rest), 1), NameSource::Database)
    } else if storage == DEFAULT_STORAGE {
        let dir = cwd.file_name().map(|name| name.to_string_lossy().to_lowercase());
        (dir.unwrap_or_default(), NameSource::WorkingDirectory)
    } else {
        (last(root.path(), 0).to_lowercase(), NameSource::Storage)
    };
    check(&name).map_err(|error| match source {
        NameSource::Given => error,
        NameSource::Database if name.is_empty() => Error::value(
            "The database URL names no database, as postgresql://USER:PASSWORD@HOST/DATABASE does, after which the instance \
             could be called. Pass a name for the instance.",
        ),
        _ => Error::value(format!("{} Pass a name for the instance.", error.message())).because(error),
    })?;
    Ok((name, source))
}

/// Returns the last part of a path of more than `least` parts, else nothing.
fn last(path: &str, least: usize) -> String {
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    if parts.len() > least { parts.last().copied().unwrap_or_default().to_owned() } else { String::new() }
}

/// Checks a name for an instance.
///
/// # Errors
/// [`crate::ErrorKind::Value`] for a name that no slug, file name or settings file can carry.
pub fn check(name: &str) -> Result<()> {
    if name.contains('/') {
        return Err(Error::value("Invalid instance name: '/' delimiter not allowed."));
    }
    let reason = if name.trim().is_empty() {
        "it is empty"
    } else if name.trim() != name {
        "it starts or ends with a blank"
    } else if name.chars().any(char::is_control) {
        "control characters are not allowed"
    } else if name == "null" {
        "settings files use 'null' for nothing"
    } else {
        return Ok(());
    };
    Err(Error::value(format!("Invalid instance name {name:?}: {reason}.")))
}
