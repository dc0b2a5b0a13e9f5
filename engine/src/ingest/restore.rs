//! Putting right what a killed process or a damaged device left of content; what is to be done, `care` decides.

use std::path::Path;

use super::decide::row;
use super::holder::claim;
use super::is_incomplete;
use super::over::{Over, Visible, Why, mark, stage_key};
use super::place::storage_key;
use crate::content::{Content, recorded_kind};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::hash::{ContentHash, Digest, HashKind};
use crate::instance::Instance;
use crate::query::Q;
use crate::record::Record;
use crate::store::{Publish, Store};
use crate::value::Value;

/// Returns true for a row whose permanent deletion began and was broken off.
pub(crate) fn is_leaving(record: &Record) -> bool {
    matches!(record.get("_aux"), Some(Value::Json(json)) if json.get("leaving").is_some())
}

impl Instance {
    /// Returns the digest of what lies at `path` if it is the content of an artifact, by reading it.
    pub(crate) fn is_content_of(&self, record: &Record, path: &Path) -> Result<Option<Digest>> {
        if !path.exists() {
            return Ok(None);
        }
        let (hash, found) = Content::identify(path)?;
        Ok(self.promises(record, &hash, &found)?.then_some(found.digest))
    }

    /// Returns true when the content of an artifact lies in its place in a bucket, by reading it.
    pub(crate) fn lies_at(&self, store: &Store, record: &Record) -> Result<bool> {
        let (hash, found) = Content::identify_at(store, &storage_key(record))?;
        self.promises(record, &hash, &found)
    }

    /// Returns true when this is the content that the registry promises.
    fn promises(&self, record: &Record, hash: &ContentHash, found: &Content) -> Result<bool> {
        let known = record.id().map(|id| self.known_content(id)).transpose()?.flatten();
        Ok(match known {
            Some(known) => known.digest == found.digest,
            None if recorded_kind(record) == Some(HashKind::Blake3) => {
                record.text("hash") == Some(found.digest.to_hash().0.as_str())
            }
            None => record.text("hash") == Some(hash.hash.as_str()),
        })
    }

    /// Puts a copy of the content that lies at `from` in the place of an artifact and shows it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] when what lies at `from` does not have this digest, [`crate::ErrorKind::Integrity`]
    /// when somebody has changed the artifact meanwhile.
    pub(crate) fn restore_content(&self, record: &Record, from: &Path, digest: Digest) -> Result<()> {
        let id = record.id().unwrap_or_default();
        let store = self.store(record)?;
        let staged = stage_key(self, record);
        store.publish(from, &staged, &Publish { digest: Some(digest), ..self.publishing() })?;
        let over = Over { record, store: &store, staged: &staged, why: Why::Repair, swapped: false.into() };
        let put = self.put_over(&over, &|tx| {
            self.refuse_changed(tx, record)?;
            mark(tx, id, Visible::Complete)
        });
        if put.is_err() && !over.swapped.get() {
            store.remove(&staged).ok();
        }
        put
    }

    /// Shows an incomplete row whose content turned out to be whole.
    pub(crate) fn show_content(&self, record: &Record) -> Result<()> {
        self.db().write(|tx| {
            self.refuse_changed(tx, record)?;
            claim(tx, record)?;
            mark(tx, record.id().unwrap_or_default(), Visible::Complete)
        })
    }

    /// Marks a row so that it yields no bytes until its content is stored again.
    pub(crate) fn hide_content(&self, record: &Record) -> Result<()> {
        self.db().write(|tx| {
            self.refuse_changed(tx, record)?;
            mark(tx, record.id().unwrap_or_default(), Visible::Incomplete)
        })
    }

    /// Fails when the row says another thing about its content than `record` does.
    fn refuse_changed(&self, tx: &Tx<'_>, record: &Record) -> Result<()> {
        self.refuse_moved(tx, record)?;
        let now = row(tx, record.registry(), Q::is("id", record.id()), self)?;
        let said = |row: &Record| {
            (storage_key(row), row.text("hash").map(str::to_owned), row.int("size"), is_incomplete(row))
        };
        if now.is_some_and(|now| said(&now) == said(record)) {
            return Ok(());
        }
        Err(Error::integrity(format!(
            "Somebody changed artifact {} meanwhile: verify and repair again",
            record.uid()
        )))
    }
}
