//! Where content lies, looked up once for many artifacts.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use crate::error::Result;
use crate::ingest::storage_key;
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::record::Record;
use crate::store::{Stat, Store};

/// Artifacts from which on asking a store for a list of everything takes less time than asking for each of them.
const MANY: usize = 20;

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
    /// The store, for locations elsewhere.
    remote: Option<Remote>,
}

/// A location elsewhere.
pub(super) struct Remote {
    pub(super) store: Store,
    root: StorageRoot,
    /// Everything that lies there, by its key; nothing where the store tells no list.
    listed: OnceLock<Option<BTreeMap<String, Stat>>>,
    many: bool,
}

impl Remote {
    /// Returns what a list of everything once told of the file at a key, or of the files below it, where asking for a
    /// list is worth it; else what the store tells now.
    pub(super) fn glance(&self, key: &str) -> Result<Vec<Stat>> {
        let list = || {
            let stats = self.store.stats("").ok()?;
            Some(stats.into_iter().map(|stat| (stat.key.clone(), stat)).collect())
        };
        let Some(listed) = self.many.then(|| self.listed.get_or_init(list).as_ref()).flatten() else {
            return self.look(key);
        };
        if let Some(stat) = listed.get(key) {
            return Ok(vec![stat.clone()]);
        }
        let below = format!("{key}/");
        let files = listed.range(below.clone()..).take_while(|(name, _)| name.starts_with(&below));
        Ok(files.map(|(_, stat)| stat.clone()).collect())
    }

    /// Returns what the store tells of the file at a key, or of the files below it.
    pub(super) fn look(&self, key: &str) -> Result<Vec<Stat>> {
        match self.store.stat(key)? {
            Some(stat) => Ok(vec![stat]),
            None if self.root.protocol().as_str().starts_with("http") => Ok(Vec::new()),
            None => self.store.stats(&format!("{key}/")),
        }
    }
}

impl Locations {
    pub(super) fn of(instance: &Instance) -> Result<Locations> {
        let mut by_id = HashMap::new();
        for record in instance.locations()? {
            let Some(id) = record.id() else { continue };
            let root = StorageRoot::stored(record.text("root").unwrap_or_default()).ok();
            let folder = root.as_ref().and_then(|root| root.local_path().map(Path::to_owned));
            let present = folder.as_deref().is_some_and(Path::is_dir);
            let remote = root.filter(|root| root.local_path().is_none()).and_then(|root| {
                let store = Store::open(root.as_str(), instance.env()).ok()?;
                Some(Remote { store, root, listed: OnceLock::new(), many: false })
            });
            by_id.insert(id, Location { record, folder, present, remote });
        }
        Ok(Locations { by_id })
    }

    /// Returns the locations, prepared for so many artifacts to be looked at.
    pub(super) fn listed_for(mut self, artifacts: usize) -> Locations {
        for remote in self.by_id.values_mut().filter_map(|location| location.remote.as_mut()) {
            remote.many = artifacts > MANY;
        }
        self
    }

    /// Returns the location of an artifact when it is not on this machine.
    pub(super) fn remote(&self, artifact: &Record) -> Option<&Remote> {
        self.by_id.get(&artifact.int("storage_id")?)?.remote.as_ref()
    }

    /// Returns the path or URL of an artifact's content, or why it cannot be looked at.
    pub(super) fn path(&self, artifact: &Record) -> Result<PathBuf, String> {
        let location = artifact.int("storage_id").and_then(|id| self.by_id.get(&id));
        let location = location.ok_or("its storage location is not registered")?;
        let root = location.record.text("root").unwrap_or_default();
        if location.folder.is_some() && !location.present {
            return Err(format!("the storage location {root} does not exist; is it mounted?"));
        }
        let key = storage_key(artifact);
        if key.is_empty() || Path::new(&key).components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(format!("its storage key '{key}' leads out of {root}: correct its key first"));
        }
        match (&location.folder, &location.remote) {
            (Some(folder), _) => Ok(folder.join(key)),
            (None, Some(remote)) => Ok(remote.root.join(&key).into()),
            (None, None) => Err(format!("{root} cannot be reached by this version")),
        }
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
    /// Returns the stores of the buckets that the instance may change.
    pub(super) fn managed_elsewhere<'a>(&'a self, instance: &Instance) -> Vec<(&'a Record, &'a Remote)> {
        let mut found: Vec<(&Record, &Remote)> = self
            .by_id
            .values()
            .filter(|location| instance.manages(&location.record))
            .filter_map(|location| Some((&location.record, location.remote.as_ref()?)))
            .filter(|(_, remote)| remote.root.protocol().is_bucket())
            .collect();
        found.sort_by_key(|(record, _)| record.id());
        found
    }
}
