//! Keep-artifacts-local mode: new content goes to a storage location on this machine until it is uploaded.

use std::path::Path;

use super::not_ours;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::instance::{Instance, marker};
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::session::LocalStorage;

impl Instance {
    /// Keeps new artifacts local from now on, or no longer; nothing is written to the settings file.
    pub fn set_keep_artifacts_local(&self, on: bool) {
        self.with_settings(|settings| settings.keep_artifacts_local = on);
        self.with_context(|context| {
            if context.local_storage == LocalStorage::Absent {
                context.local_storage = LocalStorage::Unknown;
            }
        });
    }

    /// Returns the local storage location that new content goes to.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] when artifacts are not kept local, and when no location is on this machine.
    pub fn local_storage(&self) -> Result<Record> {
        if !self.keeps_artifacts_local() {
            return Err(Error::value(
                "`keep_artifacts_local` is False, switch via: ln.setup.settings.instance.keep_artifacts_local = True",
            ));
        }
        match self.local_choice()? {
            Some(id) => self.by_id(model::require("Storage")?, id),
            None => Err(Error::value(
                "No local storage location found in current environment: defaulting to cloud storage",
            )),
        }
    }

    /// Makes a registered location of this machine the one that new content goes to, for this session.
    ///
    /// # Errors
    /// [`ErrorKind::Value`] when artifacts are not kept local, for a location that this instance does not manage and for
    /// one that is not on this machine.
    pub fn use_local_storage(&self, storage: &Record) -> Result<()> {
        if !self.keeps_artifacts_local() {
            return Err(Error::value("`keep_artifacts_local` is not enabled for this instance."));
        }
        let root = storage.text("root").unwrap_or_default();
        if storage.text("type") != Some("local") {
            return Err(Error::value(format!(
                "Storage '{root}' is not local: choose a folder of this machine"
            )));
        }
        if !self.manages(storage) {
            return Err(not_ours(storage));
        }
        if !self.is_usable(storage) {
            return Err(Error::value(format!(
                "Storage '{root}' cannot be used here: it is not on this machine or has lost its mark, \
                 .lamindb/storage_uid.txt"
            )));
        }
        self.choose_local(storage)
    }

    /// Returns the id of the local location that new content goes to, if it is to stay local; the first call looks
    /// which there is.
    pub(crate) fn local_choice(&self) -> Result<Option<i64>> {
        if !self.keeps_artifacts_local() {
            return Ok(None);
        }
        if self.context().local_storage == LocalStorage::Unknown {
            self.look_for_local()?;
        }
        match self.context().local_storage {
            LocalStorage::Chosen(id) => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    fn look_for_local(&self) -> Result<()> {
        let known = self
            .query(model::require("Storage")?)
            .filter(Q::is("type", "local"))?
            .filter(Q::is("instance_uid", self.settings().uid()))?
            .order_by(["id"])?
            .all()?;
        let here: Vec<Record> = known.into_iter().filter(|storage| self.is_usable(storage)).collect();
        if here.len() > 1 {
            let roots = here.iter().filter_map(|storage| storage.text("root").map(str::to_owned)).collect();
            self.env().emit(Event::LocalStoragesFound { roots });
        }
        match here.first() {
            Some(storage) => self.choose_local(storage),
            None => {
                self.env().emit(Event::NoLocalStorage);
                self.with_context(|context| context.local_storage = LocalStorage::Absent);
                Ok(())
            }
        }
    }

    fn choose_local(&self, storage: &Record) -> Result<()> {
        let id = storage.id().ok_or_else(|| Error::invalid("Save the storage location first"))?;
        self.with_context(|context| context.local_storage = LocalStorage::Chosen(id));
        let root = storage.text("root").unwrap_or_default().to_owned();
        self.env().emit(Event::LocalStorageChosen { root });
        Ok(())
    }

    /// Returns true for a location whose folder is here and bears its mark; says what is wrong with one that is here.
    fn is_usable(&self, storage: &Record) -> bool {
        let root = storage.text("root").unwrap_or_default();
        let there = match Path::new(root).metadata() {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                self.env().emit(Event::LocalStorageUnreadable { root: root.to_owned() });
                return false;
            }
            Err(_) => false,
        };
        if !there {
            return false;
        }
        let event = match marker::read(Path::new(root)) {
            Ok(Some(found)) if found.storage_uid == storage.uid() => return true,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Event::LocalStorageUnreadable { root: root.to_owned() }
            }
            _ => Event::LocalStorageCorrupted { root: root.to_owned() },
        };
        self.env().emit(event);
        false
    }
}
