//! Registering a storage location: its mark says who manages it, its row that this instance knows it.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::instance::marker::{self, Marker, Marking};
use crate::instance::root::{INTERNAL_FOLDER, StorageRoot};
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::session::LocalStorage;
use crate::uid;

/// What a user gives to register a storage location.
#[derive(Clone, Debug, Default)]
pub struct NewStorage {
    /// Root, as the user gave it.
    pub root: String,
    /// Description.
    pub description: Option<String>,
    /// Name of the machine that a local folder is on.
    pub host: Option<String>,
    /// Id of the space.
    pub space: Option<i64>,
}

impl NewStorage {
    /// Returns the request to register `root` with everything else left open.
    pub fn new(root: impl Into<String>) -> Self {
        NewStorage { root: root.into(), ..Self::default() }
    }

    /// Returns the request with the name of the machine.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }
}

/// Whose location a folder is, as its mark tells.
pub(super) struct Claim {
    pub(super) storage_uid: String,
    /// Uid of the instance that writes there; nothing when nobody may.
    pub(super) manager: Option<String>,
}

impl Instance {
    /// Registers a storage location, or returns the registered one.
    ///
    /// A folder that another instance manages, or that cannot be written, is registered for reading only.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a host that differs from the registered one or belongs to no local folder,
    /// and for a folder that bears the mark of another registered one; [`ErrorKind::Value`] for a root of a wrong form.
    pub fn create_storage(&self, new: &NewStorage) -> Result<Record> {
        let registry = model::require("Storage")?;
        let root = StorageRoot::parse(self.env(), &new.root)?;
        let host = new.host.as_deref();
        let folder = root.local_path();
        if folder.is_none() && host.is_some() {
            return Err(Error::invalid("root must be a local path if host is set"));
        }
        if let Some(existing) = self.query(registry).filter(Q::is("root", root.as_str()))?.first()? {
            if host.is_some() && existing.text("region") != host {
                return Err(Error::invalid(format!(
                    "Storage location {} is registered for host {}: it cannot be registered for {} as well",
                    root.as_str(),
                    existing.text("region").unwrap_or("(none)"),
                    host.unwrap_or_default()
                )));
            }
            match folder {
                Some(folder) => self.mark_again(&existing, folder)?,
                None => self.mark_bucket_again(&existing, &root)?,
            }
            return Ok(existing);
        }
        let (claim, region) = match folder {
            Some(folder) => (self.claim_folder(folder)?, new.host.clone()),
            None => self.claim_bucket(&root)?,
        };
        self.refuse_copy(&root, &claim.storage_uid)?;
        let mut record = Record::empty(registry);
        record.set("uid", claim.storage_uid)?;
        record.set("root", root.as_str())?;
        record.set("description", new.description.clone())?;
        record.set("type", root.protocol().as_str())?;
        record.set("region", region)?;
        record.set("instance_uid", claim.manager.clone())?;
        if let Some(space) = new.space {
            record.set("space", space)?;
        }
        self.save(&mut record)?;
        let root = root.as_str().to_owned();
        self.env().emit(if self.manages(&record) {
            Event::StorageCreated { root }
        } else {
            Event::StorageReferenced { root, instance_uid: claim.manager }
        });
        self.with_context(|context| {
            // Whoever looked before did not see this one.
            if context.local_storage == LocalStorage::Absent {
                context.local_storage = LocalStorage::Unknown;
            }
        });
        Ok(record)
    }

    /// Marks a folder as ours unless it is somebody else's, and returns whose it is.
    fn claim_folder(&self, folder: &Path) -> Result<Claim> {
        let settings = self.settings();
        let own = Marker::new(&uid::random(self.env(), 12), &settings.slug(), &settings.id);
        let found = match marker::read(folder)? {
            Some(found) => found,
            None => match self.mark(folder, &own) {
                Ok(Marking::Other(found)) => found,
                Ok(_) => return Ok(Claim { storage_uid: own.storage_uid, manager: Some(settings.uid()) }),
                Err(error) if folder.is_dir() && denied(&error) => {
                    self.env().emit(Event::NoWriteAccess { root: folder.display().to_string() });
                    return Ok(Claim { storage_uid: own.storage_uid, manager: None });
                }
                Err(error) => return Err(error),
            },
        };
        Ok(self.claim_of(&folder.display().to_string(), found))
    }

    /// Returns whose a location is that is marked already.
    pub(super) fn claim_of(&self, root: &str, found: Marker) -> Claim {
        let settings = self.settings();
        // Marked by this instance already, for example by a registration that was killed.
        if found.instance_id.as_deref() == Some(settings.id.as_str()) {
            return Claim { storage_uid: found.storage_uid, manager: Some(settings.uid()) };
        }
        self.env()
            .emit(Event::StorageAlreadyMarked { root: root.to_owned(), uid: found.storage_uid.clone() });
        let manager = found
            .instance_uid
            .or_else(|| found.instance_id.as_deref().map(uid::instance_uid))
            .unwrap_or_else(|| "__unknown__".to_owned());
        Claim { storage_uid: found.storage_uid, manager: Some(manager) }
    }

    fn mark(&self, folder: &Path, marker: &Marker) -> Result<Marking> {
        let managed = folder.join(INTERNAL_FOLDER);
        std::fs::create_dir_all(&managed).map_err(|error| io(&managed, error))?;
        marker::write(self.env(), folder, marker)
    }

    /// Writes the mark of a registered location of ours again when somebody took it away.
    fn mark_again(&self, storage: &Record, folder: &Path) -> Result<()> {
        if !self.manages(storage) || !folder.is_dir() || marker::read(folder)?.is_some() {
            return Ok(());
        }
        let settings = self.settings();
        self.mark(folder, &Marker::new(storage.uid(), &settings.slug(), &settings.id)).map(|_| ())
    }

    /// Refuses a folder whose mark belongs to another registered location: it was moved or copied.
    fn refuse_copy(&self, root: &StorageRoot, uid: &str) -> Result<()> {
        let other = self.query(model::require("Storage")?).filter(Q::is("uid", uid))?.first()?;
        let Some(other) = other else { return Ok(()) };
        Err(Error::invalid(format!(
            "{} bears the mark {uid} of the storage location {}: if it was moved, move it back; if it is a copy, remove \
             its .lamindb/storage_uid.txt and register it again",
            root.as_str(),
            other.text("root").unwrap_or_default()
        )))
    }
}

/// Returns true for what a file system says where nobody may write.
fn denied(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

/// Returns the error of the file system, with one that cannot be written as one without permission.
fn io(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::ReadOnlyFilesystem => {
            Error::new(ErrorKind::PermissionDenied, format!("{} is on a read-only device", path.display()))
                .because(error)
        }
        _ => Error::io(path, error),
    }
}
