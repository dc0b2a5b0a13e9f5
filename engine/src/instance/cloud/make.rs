//! The database of an instance in a bucket made and deleted: built here, locked, and sent where there is none yet.

use std::fs;
use std::path::Path;

use super::Cloud;
use super::state::State;
use crate::db::{Db, Open};
use crate::error::{Error, ErrorKind, Result};
use crate::faults;
use crate::instance::root::DATABASE_KEY;

impl Cloud {
    /// Returns what `look` finds in a database that the bucket holds already, brought here first; nothing when there is
    /// none, and then nothing is left here either of an `init` that was broken off.
    ///
    /// # Errors
    /// [`ErrorKind::FileExists`] when `look` finds nothing it knows; [`ErrorKind::SyncConflict`] when the database is here
    /// but no longer in the bucket.
    pub(in crate::instance) fn begun<T>(&self, look: impl FnOnce(&Path) -> Option<T>) -> Result<Option<T>> {
        let _turn = self.copy.turn()?;
        if self.exists()? {
            if self.copy.alone()?.is_some() {
                self.update(None)?;
            }
            return look(&self.copy.path).map(Some).ok_or_else(|| self.somebodys());
        }
        match self.copy.known()? {
            None if !self.copy.exists() => {}
            // Never sent: nobody can have worked with it. Its name stays, under which it may have the lock.
            Some(state) if state.version.is_none() && state.digest.is_none() => self.copy.clear()?,
            // What is known of a database that was deleted together with its instance.
            _ if !self.copy.exists() => self.copy.remove()?,
            _ => return Err(self.missing()),
        }
        Ok(None)
    }

    /// Has the database built in the place of the copy, takes the lock and sends it; all or nothing.
    pub(in crate::instance) fn make(&self, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let _turn = self.copy.turn()?;
        let folder = self.copy.path.parent().unwrap_or(&self.copy.path);
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let client = self.copy.state(&self.env)?.client;
        let state = State { client, ..State::default() };
        self.copy.keep(&self.env, &state)?;
        faults::hit("cloud.named");
        let made = build(&self.copy.path).and_then(|()| {
            faults::hit("cloud.built");
            match self.locker.take(&state.client)? {
                Some(holder) => Err(holder.refusal(&self.slug)),
                None => self.send_first(&state.client),
            }
        });
        if made.is_err() {
            // The first error is the one to tell.
            let _ = self.copy.remove();
        }
        made
    }

    fn send_first(&self, client: &str) -> Result<()> {
        let db = Db::open(&self.copy.path, Open::Existing)?;
        let sent = self.push(&db, false).map_err(|error| match error.kind() {
            ErrorKind::SyncConflict => self.somebodys(),
            _ => error,
        });
        if sent.is_err() {
            let _ = self.locker.give_back(client).and_then(|_| self.locker.remove());
        }
        sent.map(drop)
    }

    /// Brings the copy up to date for somebody who looks at it, unless another process of this machine works with it.
    pub(in crate::instance) fn refresh(&self) -> Result<()> {
        let _turn = self.copy.turn()?;
        if self.copy.alone()?.is_some() {
            self.update(None)?;
        }
        Ok(())
    }

    /// Returns true when the copy holds something that was not sent.
    pub(in crate::instance) fn is_ahead(&self) -> Result<bool> {
        let _turn = self.copy.turn()?;
        self.copy.known()?.map_or(Ok(false), |state| self.is_changed(&state, None))
    }

    /// Has `work` done to the copy, newest and locked, while nobody else can begin to use it, here or elsewhere, and sends
    /// what became of it. Broken off, it is sent by the next use of the copy.
    ///
    /// # Errors
    /// [`ErrorKind::InstanceLocked`] and [`ErrorKind::Busy`] while others work with it; those of the work; what the
    /// network reports.
    pub(in crate::instance) fn hand_over(&self, db: &Db, work: impl FnOnce(&Db) -> Result<()>) -> Result<()> {
        let _turn = self.copy.turn()?;
        let Some(_alone) = self.copy.alone()? else {
            return Err(Error::new(
                ErrorKind::Busy,
                format!("Another process of this machine works with {}: end it and try again", self.slug),
            ));
        };
        let state = self.lock()?;
        let db = self.db.get_or_init(|| db.clone());
        let worked = self.catch_up().and_then(|()| work(db));
        if worked.is_err() {
            if !state.held {
                // The first error is the one to tell.
                let _ = self.locker.give_back(&state.client);
            }
            return worked;
        }
        self.push(db, true)?;
        self.locker.give_back(&state.client).map(drop)
    }

    /// Removes the database, its lock and the copy here; not while somebody else works with it.
    pub(crate) fn delete(&self) -> Result<()> {
        let _turn = self.copy.turn()?;
        self.lock()?;
        self.store.remove(DATABASE_KEY)?;
        faults::hit("cloud.deleted");
        self.locker.remove()?;
        self.copy.remove()
    }

    /// Takes the lock, which is known as this copy's when what follows is broken off and done again.
    pub(super) fn lock(&self) -> Result<State> {
        let state = self.copy.state(&self.env)?;
        self.copy.keep(&self.env, &state)?;
        match self.locker.take(&state.client)? {
            Some(holder) => Err(self.named(holder).refusal(&self.slug)),
            None => Ok(state),
        }
    }

    /// Returns the error for a place that is taken.
    pub(super) fn somebodys(&self) -> Error {
        Error::new(
            ErrorKind::FileExists,
            format!(
                "{} exists already but belongs to no instance known here: choose another storage location",
                self.url
            ),
        )
    }
}
