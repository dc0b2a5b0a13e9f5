//! Deleting an instance: planned first, refused while content is left, repeatable when it was broken off.

use std::fs;
use std::path::{Path, PathBuf};

use super::{managed_objects, not_empty};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::marker;
use crate::instance::settings::{DatabaseSite, InstanceSettings, dev_dir, unbind};

/// What the deletion of an instance removes, and what stands in its way.
#[derive(Clone, Debug)]
pub struct InstanceDeletion {
    settings: InstanceSettings,
    /// The default storage location.
    pub root: PathBuf,
    /// Content below its `.lamindb`, which is never removed along the way.
    pub left: Vec<PathBuf>,
}

impl InstanceDeletion {
    /// Returns what deleting the instance of these settings removes; files outside `.lamindb` never count.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for storage that is not on this machine.
    pub fn plan(settings: &InstanceSettings) -> Result<InstanceDeletion> {
        let root = settings.root()?;
        let folder = root.local_path().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("This version deletes instances in local folders only, not at {}", root.as_str()),
            )
        })?;
        Ok(InstanceDeletion {
            settings: settings.clone(),
            root: folder.to_owned(),
            left: managed_objects(folder)?,
        })
    }

    /// Removes database, marker, bindings and settings; content that was left stays where it is.
    ///
    /// The settings go last, so that a deletion that was broken off can be repeated.
    ///
    /// # Errors
    /// [`ErrorKind::StorageNotEmpty`] when content is left and `require_empty` is set; failures of the file system.
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
            DatabaseSite::CloudSqlite(_) => {}
            DatabaseSite::Postgres(_) => env.emit(Event::Warning(format!(
                "delete() does not yet affect your Postgres database at {}",
                self.settings.shown_database(env)?
            ))),
        }
        let managed = self.root.join(".lamindb");
        // A location that another instance has taken over keeps its marker.
        let ours = marker::read(&self.root)?
            .is_some_and(|marker| marker.instance_id.is_none_or(|id| id == self.settings.id));
        if ours {
            marker::remove(&self.root)?;
        }
        if managed.join("_exclusion").is_dir() {
            let locks = managed.join("_exclusion");
            fs::remove_dir_all(&locks).map_err(|error| Error::io(&locks, error))?;
        }
        if let Some(dir) = dev_dir(env, &slug) {
            unbind(env, &dir)?;
        }
        self.settings.delete(env)?;
        // Folders that hold anything of somebody's stay.
        let _ = fs::remove_dir(&managed);
        let _ = fs::remove_dir(&self.root);
        Ok(())
    }
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
