//! Where an instance puts its mark: a folder of this machine, or a bucket.

use std::fs;
use std::path::PathBuf;

use super::marker::{self, Marker, Marking};
use super::root::{INTERNAL_FOLDER, MARKER_KEY, StorageRoot};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;

/// The default storage location of an instance that comes or goes.
pub(crate) enum Ground {
    Folder(PathBuf),
    Bucket(Store),
}

impl Ground {
    /// Returns the location at `root`; nothing is touched.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a server that only gives.
    pub(crate) fn of(env: &Env, root: &StorageRoot) -> Result<Ground> {
        if let Some(folder) = root.local_path() {
            return Ok(Ground::Folder(folder.to_owned()));
        }
        if root.protocol().is_read_only() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{root} can only be read: initialise the instance in a folder or in an s3://, gs:// or az:// location"
                ),
            ));
        }
        Ok(Ground::Bucket(Store::open(root.as_str(), env)?))
    }

    /// Makes what has to be there before anything can be put there.
    pub(super) fn prepare(&self) -> Result<()> {
        let Ground::Folder(folder) = self else { return Ok(()) };
        let managed = folder.join(INTERNAL_FOLDER);
        fs::create_dir_all(&managed).map_err(|error| Error::io(&managed, error))
    }

    /// Returns where a bucket lies.
    pub(super) fn region(&self) -> Result<Option<String>> {
        match self {
            Ground::Folder(_) => Ok(None),
            Ground::Bucket(store) => store.region(),
        }
    }

    pub(crate) fn marker(&self) -> Result<Option<Marker>> {
        match self {
            Ground::Folder(folder) => marker::read(folder),
            Ground::Bucket(store) => marker::read_in(store),
        }
    }

    /// Marks the location unless it is marked; of several writers exactly one does.
    pub(super) fn mark(&self, env: &Env, marker: &Marker) -> Result<Marking> {
        match self {
            Ground::Folder(folder) => marker::write(env, folder, marker),
            Ground::Bucket(store) => marker::write_in(store, marker),
        }
    }

    /// Takes the mark away.
    pub(crate) fn unmark(&self) -> Result<()> {
        match self {
            Ground::Folder(folder) => marker::remove(folder).map(drop),
            Ground::Bucket(store) => store.remove(MARKER_KEY).map(drop),
        }
    }

    /// Returns the path or URL.
    pub(super) fn name(&self) -> String {
        match self {
            Ground::Folder(folder) => folder.display().to_string(),
            Ground::Bucket(store) => store.root().display().to_string(),
        }
    }
}
