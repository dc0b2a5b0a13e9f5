//! Folders in buckets, registered file by file where they lie.

use super::{Artifact, NewArtifact, RunChoice};
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::instance::root::StorageRoot;
use crate::key::{self, KeyKind};
use crate::record::Record;
use crate::store::{Stat, Store};

impl Instance {
    /// Returns an artifact for every file below a folder of another machine, the location that holds them, and what
    /// precedes their keys; the store is asked once, and nothing is read.
    pub(super) fn remote_files(
        &self,
        path: &str,
        key: Option<&str>,
        run: RunChoice,
    ) -> Result<(Vec<Artifact>, Record, String)> {
        let url = path.replacen(":///", "://", 1);
        if let Some(key) = key {
            key::check(key, KeyKind::Virtual)?;
        }
        let known = match self.location_of_folder(&url)? {
            Some(known) => Some(known),
            None => self.reference_giver(&url)?,
        };
        let Some((storage, folder)) = known else { return Err(self.unknown(&url)?) };
        let root = StorageRoot::stored(storage.text("root").unwrap_or_default())?;
        let store = Store::open(root.as_str(), self.env())?;
        let found = match folder.as_str() {
            "" => store.stats("")?,
            folder => store.describe(folder)?,
        };
        if found.iter().any(|stat| stat.key == folder) {
            return Err(Error::invalid(format!("{url} is no folder: use Artifact() for a single file")));
        }
        let files: Vec<Stat> = found.into_iter().filter(|stat| !key::is_managed(&stat.key)).collect();
        if files.is_empty() {
            return Err(Error::invalid(format!("folder is empty: {url}")));
        }
        let prefix = key.map_or(folder.as_str(), |key| key.trim_end_matches('/')).to_owned();
        let mut artifacts = Vec::with_capacity(files.len());
        for file in files {
            let place = root.with_query(&root.join(&file.key));
            let mut new = NewArtifact::new(place.as_str());
            let below = file.key[folder.len()..].trim_start_matches('/');
            new.key = key.map(|_| format!("{prefix}/{below}"));
            new.run = run;
            let at = (storage.clone(), file.key.clone());
            artifacts.push(self.described_artifact(&new, &place, at, &[file])?);
        }
        Ok((artifacts, storage, prefix))
    }
}
