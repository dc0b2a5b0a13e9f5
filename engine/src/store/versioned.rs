//! Objects of which every version matters: read with their version, and written only over the version that is known.

use std::path::Path;

use super::Store;
use crate::error::{Error, ErrorKind, Result};

/// Names one content of an object, so that another content of the same object bears another name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Version {
    /// Entity tag.
    pub tag: Option<String>,
    /// Number of the version, where the store counts.
    pub number: Option<String>,
}

impl Store {
    /// Returns the present version of the object at `key`, nothing when there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] in a local location; what the network reports.
    pub fn version(&self, key: &str) -> Result<Option<Version>> {
        self.bucket()?.version(key)
    }

    /// Returns the bytes of the object at `key` with their version, nothing when there is none.
    ///
    /// # Errors
    /// As [`Store::version`].
    pub fn read_version(&self, key: &str) -> Result<Option<(Vec<u8>, Version)>> {
        self.bucket()?.read_version(key)
    }

    /// Brings the object at `key` to `target`, whole and checked, and returns its version; nothing when there is none.
    ///
    /// # Errors
    /// As [`Store::version`], and those of the file system.
    pub fn fetch_version(&self, key: &str, target: &Path) -> Result<Option<Version>> {
        self.bucket()?.fetch_version(key, target)
    }

    /// Writes bytes at `key` if its version is still the `known` one, or with none known if nothing lies there, and
    /// returns the new version. Of several writers who know the same version one gets through; the others get nothing.
    ///
    /// # Errors
    /// As [`Store::version`], and [`ErrorKind::PermissionDenied`] where nothing may be written.
    pub fn write_over(&self, key: &str, known: Option<&Version>, bytes: Vec<u8>) -> Result<Option<Version>> {
        self.bucket()?.write_over(key, known, bytes)
    }

    /// As [`Store::write_over`], with the content of a file, which is sent in parts and need not fit into memory.
    ///
    /// # Errors
    /// As [`Store::write_over`], and [`ErrorKind::Unsupported`] where [`Store::replaces_in_parts`] is false.
    pub fn write_file_over(
        &self,
        key: &str,
        known: Option<&Version>,
        source: &Path,
    ) -> Result<Option<Version>> {
        self.bucket()?.write_file_over(key, known, source)
    }

    /// Returns true when the store replaces known versions only by uploads in parts as well. It is asked once, on an object
    /// that lies beside `key` for a moment: there are servers that would overwrite anything.
    ///
    /// # Errors
    /// As [`Store::write_over`].
    pub fn replaces_in_parts(&self, key: &str) -> Result<bool> {
        self.bucket()?.replaces_in_parts(key)
    }

    fn bucket(&self) -> Result<&super::Object> {
        self.object().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "{} is a folder of this machine, whose files have no versions",
                    self.root().display()
                ),
            )
        })
    }
}
