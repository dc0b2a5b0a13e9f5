//! Large files on their way to a bucket whose saving ended with its process.

use std::path::Path;

use crate::error::Result;
use crate::instance::Instance;
use crate::instance::root::INTERNAL_FOLDER;
use crate::instance::settings::cache_dir;
use crate::record::Record;
use crate::store::{Store, UploadNote};
use crate::uid;

/// Where notes on uploads lie, below the cache directory.
const NOTES: &str = ".holotype/uploads";

impl Instance {
    /// Returns the note in which the upload of `source` to a bucket is kept until it is complete; nothing where it is not
    /// worth one, or another process is at it.
    pub(super) fn upload_note(&self, store: &Store, source: &Path) -> Result<Option<UploadNote>> {
        if !store.is_remote() {
            return Ok(None);
        }
        let what = format!("{}\n{}", store.root().display(), self.env().absolute(source).display());
        let path = cache_dir(self.env())?.join(NOTES).join(uid::from_text(&what, 20));
        // Without one the upload cannot be taken up later; that is no reason to do without the upload.
        Ok(store.upload_note(&path, source).unwrap_or_default())
    }

    /// Returns the key of an upload that can be taken up: content waits there until its row gives it a place, unless the key
    /// has become a row's place meanwhile.
    pub(super) fn begun_key(&self, record: &Record, note: Option<&UploadNote>) -> Result<Option<String>> {
        let Some(key) = note.and_then(UploadNote::key) else { return Ok(None) };
        let name = key.strip_prefix(INTERNAL_FOLDER).and_then(|rest| rest.strip_prefix('/'));
        let Some(name) = name else { return Ok(None) };
        let storage = self.storage_of(record)?;
        let taken = self.by_automatic_name(&storage, name)?.is_some();
        Ok((!taken).then(|| key.to_owned()))
    }
}
