//! Where content lies on this machine, looked up once for many artifacts.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::error::Result;
use crate::ingest::storage_key;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::record::Record;
use crate::store::Store;

/// The storage locations of an instance.
pub(super) struct Locations {
    by_id: HashMap<i64, Location>,
}

/// One storage location.
pub(super) struct Location {
    pub(super) record: Record,
    /// The folder, for locations on this machine.
    folder: Option<PathBuf>,
    /// The folder is there.
    present: bool,
}

impl Locations {
    pub(super) fn of(instance: &Instance) -> Result<Locations> {
        let mut by_id = HashMap::new();
        for record in instance.locations()? {
            let Some(id) = record.id() else { continue };
            let root = StorageRoot::stored(record.text("root").unwrap_or_default()).ok();
            let folder = root.and_then(|root| root.local_path().map(Path::to_owned));
            let present = folder.as_deref().is_some_and(Path::is_dir);
            by_id.insert(id, Location { record, folder, present });
        }
        Ok(Locations { by_id })
    }

    /// Returns the path of an artifact's content, or why it cannot be looked at.
    pub(super) fn path(&self, artifact: &Record) -> Result<PathBuf, String> {
        let location = artifact.int("storage_id").and_then(|id| self.by_id.get(&id));
        let location = location.ok_or("its storage location is not registered")?;
        let root = location.record.text("root").unwrap_or_default();
        let folder = location.folder.as_deref().ok_or(format!("{root} is not on this machine"))?;
        if !location.present {
            return Err(format!("the storage location {root} does not exist; is it mounted?"));
        }
        let key = storage_key(artifact);
        if key.is_empty() || Path::new(&key).components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(format!("its storage key '{key}' leads out of {root}: correct its key first"));
        }
        Ok(folder.join(key))
    }

    /// Returns the stores of the locations on this machine that the instance may change, the default one first.
    pub(super) fn managed<'a>(&'a self, instance: &Instance) -> Vec<(&'a Record, Store)> {
        let mut found: Vec<(&Record, Store)> = self
            .by_id
            .values()
            .filter(|location| location.present && instance.manages(&location.record))
            .filter_map(|location| {
                let folder = location.folder.as_deref()?;
                Some((&location.record, Store::local(folder, instance.env())))
            })
            .collect();
        found.sort_by_key(|(record, _)| record.id());
        found
    }
}
