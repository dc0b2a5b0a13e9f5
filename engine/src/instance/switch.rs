//! Branches and spaces: creating a branch, and working on another branch or in another space from now on.

use super::Instance;
use super::settings::{Choice, Slot, choose, forget};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::model;
use crate::query::Q;
use crate::record::Record;

impl Instance {
    /// Returns a new branch of that name.
    ///
    /// # Errors
    /// [`ErrorKind::BranchAlreadyExists`] when there is one, in whatever capitals.
    pub fn create_branch(&self, name: &str) -> Result<Record> {
        let registry = model::require("Branch")?;
        let same = self.query(registry).filter(Q::is("name__iexact", name))?;
        if let Some(branch) = same.first()? {
            let name = branch.text("name").unwrap_or(name);
            return Err(Error::new(
                ErrorKind::BranchAlreadyExists,
                format!("Branch '{name}' already exists."),
            ));
        }
        let mut branch = self.construct(registry, &[("name", name.into())])?.record;
        self.save(&mut branch)?;
        self.env().emit(Event::Created { registry: registry.name, name: name.to_owned() });
        Ok(branch)
    }

    /// Works on another branch, named by name or uid, from now on, and returns it.
    ///
    /// The choice is kept in the directory that is bound to the instance, else on this machine.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] for an unknown branch, [`ErrorKind::BranchAlreadyExists`] for a known one that was
    /// to be created.
    pub fn switch_branch(&self, target: &str, create: bool) -> Result<Record> {
        let branch = match create {
            true => self.create_branch(target).map_err(|error| match error.kind() {
                ErrorKind::BranchAlreadyExists => Error::new(
                    ErrorKind::BranchAlreadyExists,
                    format!("{} Omit -c/--create to switch to it.", error.message()),
                ),
                _ => error,
            })?,
            false => self.named("Branch", target)?.ok_or_else(|| {
                Error::does_not_exist(format!(
                    "Branch '{target}' does not exist. To create and switch, run: lamin switch -c {target}"
                ))
            })?,
        };
        self.switch(Slot::Branch, &branch)?;
        Ok(branch)
    }

    /// Works in another space, named by name or uid, from now on, and returns it.
    ///
    /// # Errors
    /// [`ErrorKind::DoesNotExist`] for an unknown space.
    pub fn switch_space(&self, target: &str) -> Result<Record> {
        let space = self.named("Space", target)?;
        let space =
            space.ok_or_else(|| Error::does_not_exist(format!("Space '{target}' does not exist.")))?;
        self.switch(Slot::Space, &space)?;
        Ok(space)
    }

    /// Returns the record with this name, else the one with this uid.
    fn named(&self, registry: &str, target: &str) -> Result<Option<Record>> {
        let query = self.query(model::require(registry)?);
        match query.filter(Q::is("name", target))?.first()? {
            Some(record) => Ok(Some(record)),
            None => query.filter(Q::is("uid", target))?.first(),
        }
    }

    fn switch(&self, slot: Slot, record: &Record) -> Result<()> {
        let slug = self.settings().slug();
        let id = record.id().unwrap_or(1);
        let name = record.text("name").unwrap_or_default();
        match id {
            // No file means the branch or space that every instance starts with.
            1 => forget(self.env(), slot, &slug).map(|_| ())?,
            _ => {
                let choice = Choice { uid: record.uid().to_owned(), name: name.to_owned() };
                choose(self.env(), slot, &slug, &choice).map(|_| ())?;
            }
        }
        self.with_context(|context| match slot {
            Slot::Branch => context.branch = id,
            Slot::Space => context.space = id,
        });
        self.env().emit(Event::Switched { name: name.to_owned() });
        Ok(())
    }
}
