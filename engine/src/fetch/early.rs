//! A copy in the cache that is made before its artifact is: while a bucket is still busy with the content.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::{ErrorKind, Result};
use crate::instance::Instance;
use crate::record::Record;
use crate::store::Store;

/// Content in the cache that goes again unless an artifact comes to be whose copy it is.
pub(crate) struct EarlyCopy<'a> {
    instance: &'a Instance,
    path: OnceLock<PathBuf>,
}

impl<'a> EarlyCopy<'a> {
    pub(crate) fn new(instance: &'a Instance) -> EarlyCopy<'a> {
        EarlyCopy { instance, path: OnceLock::new() }
    }

    /// Copies the source of a record that is about to be an artifact; what lies in the cache already stays.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] alone: without an early copy there will be a later one.
    pub(crate) fn make(&self, store: &Store, record: &Record, source: &Path) -> Result<()> {
        let Ok(path) = self.instance.cached_copy(record) else { return Ok(()) };
        if path.exists() {
            return Ok(());
        }
        let keep_going = |_| self.instance.env().keep_going();
        match self.instance.keep_copy(store, record, source, &keep_going) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(_) => Ok(()),
            Ok(()) => {
                // Nobody else sets it, and once is enough.
                let _ = self.path.set(path);
                Ok(())
            }
        }
    }

    /// Leaves the copy to an artifact if it lies where that one's belongs.
    pub(crate) fn leave_to(mut self, record: &Record) {
        if self.instance.cached_copy(record).ok().as_ref() == self.path.get() {
            self.path.take();
        }
    }
}

impl Drop for EarlyCopy<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.path.take() {
            // Space in the cache is all that is lost if it stays.
            let _ = std::fs::remove_file(path);
        }
    }
}
