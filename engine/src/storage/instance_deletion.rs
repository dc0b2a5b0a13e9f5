//! Deleting an instance: planned first, refused while content is left, repeatable when it was broken off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{managed_objects, not_empty, objects_of};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::settings::{DatabaseSite, InstanceSettings, UserSettings, dev_dir, unbind};
use crate::instance::{Cloud, Ground};

/// What the deletion of an instance removes, and what stands in its way.
pub struct InstanceDeletion {
    settings: InstanceSettings,
    ground: Ground,
    /// The database, if it lies in a bucket.
    cloud: Option<Arc<Cloud>>,
    /// The default storage location: a folder, or a URL.
    pub root: PathBuf,
    /// Content below its `.lamindb`, which is never removed along the way.
    pub left: Vec<PathBuf>,
}

impl InstanceDeletion {
    /// Returns what deleting the instance of these settings removes; files outside `.lamindb` never count.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for storage that can only be read; what the network reports.
    pub fn plan(env: &Env, settings: &InstanceSettings) -> Result<InstanceDeletion> {
        let cloud = Cloud::of(env, settings, &UserSettings::current(env)?)?;
        if let Some(cloud) = &cloud {
            cloud.settle()?;
        }
        let ground = Ground::of(env, &settings.root()?)?;
        let (root, left) = match &ground {
            Ground::Folder(folder) => (folder.clone(), managed_objects(folder)?),
            Ground::Bucket(bucket) => (PathBuf::from(bucket.url("")?), objects_of(bucket)?),
        };
        Ok(InstanceDeletion { settings: settings.clone(), ground, cloud, root, left })
    }

    /// Removes database, marker, bindings and settings; content that was left stays where it is.
    ///
    /// The settings go last, so that a deletion that was broken off can be repeated.
    ///
    /// # Errors
    /// [`ErrorKind::StorageNotEmpty`] when content is left and `require_empty` is set; [`ErrorKind::InstanceLocked`] while
    /// somebody else works with a database in a bucket; failures of the file system and of the network.
    pub fn apply(&self, env: &Env, require_empty: bool) -> Result<()> {
        if !self.left.is_empty() {
            if require_empty {
                let advice = "delete them prior to deleting the storage location";
                return Err(Error::new(
                    ErrorKind::StorageNotEmpty,
                    not_empty(&self.root, &self.left, advice),
                ));
            }
            env.emit(Event::Warning(not_empty(&self.root, &self.left, "consider deleting them")));
        }
        let slug = self.settings.slug();
        match self.settings.database(env)? {
            DatabaseSite::Sqlite(path) => remove_database(&path)?,
            DatabaseSite::CloudSqlite(_) => self.cloud.as_ref().map_or(Ok(()), |cloud| cloud.delete())?,
            DatabaseSite::Postgres(_) => env.emit(Event::Warning(format!(
                "delete() does not yet affect your Postgres database at {}",
                self.settings.shown_database(env)?
            ))),
        }
        // A location that another instance has taken over keeps its marker.
        let ours = self
            .ground
            .marker()?
            .is_some_and(|marker| marker.instance_id.is_none_or(|id| id == self.settings.id));
        if ours {
            self.ground.unmark()?;
        }
        if let Some(dir) = dev_dir(env, &slug) {
            unbind(env, &dir)?;
        }
        if let Ground::Folder(folder) = &self.ground {
            remove_folders(folder)?;
        }
        self.settings.delete(env)
    }
}

/// Removes what is left of a folder that held an instance; folders that hold anything of somebody's stay.
fn remove_folders(folder: &Path) -> Result<()> {
    let managed = folder.join(".lamindb");
    let locks = managed.join("_exclusion");
    if locks.is_dir() {
        fs::remove_dir_all(&locks).map_err(|error| Error::io(&locks, error))?;
    }
    let _ = fs::remove_dir(&managed);
    let _ = fs::remove_dir(folder);
    Ok(())
}

/// Removes a SQLite file with the files beside it, which mean nothing without it.
fn remove_database(path: &Path) -> Result<()> {
    let beside = |end: &str| PathBuf::from(format!("{}{end}", path.display()));
    for file in [path.to_owned(), beside("-wal"), beside("-shm"), beside("-journal")] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(&file, error));
            }
            _ => {}
        }
    }
    Ok(())
}
