//! A database that comes to a bucket from a server: sent as a copy that nobody uses yet, then taken into use.

use std::fs;
use std::path::Path;

use super::Cloud;
use super::snapshot;
use super::state::State;
use crate::db::{Db, Open};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::faults;
use crate::instance::root::DATABASE_KEY;
use crate::instance::settings::files;
use crate::store::{Publish, Version};

impl Cloud {
    /// Returns what `look` finds in the database in the bucket, a copy of which is fetched for that; nothing when there is
    /// none.
    pub(in crate::instance) fn peek<T>(&self, look: impl FnOnce(&Path) -> Result<T>) -> Result<Option<T>> {
        let _turn = self.copy.turn()?;
        Ok(self.look(look)?.map(|(found, _)| found))
    }

    fn look<T>(&self, look: impl FnOnce(&Path) -> Result<T>) -> Result<Option<(T, Version)>> {
        if !self.exists()? {
            return Ok(None);
        }
        let (incoming, version) = self.fetch()?;
        let found = look(&incoming);
        files::remove(&incoming)?;
        found.map(|found| Some((found, version)))
    }

    /// Sends the database in the file `draft`, over what lies in the bucket if `look` lets it go; it says whether that is kept,
    /// as an object whose name goes on with `kept`.
    ///
    /// # Errors
    /// Those of `look`; [`crate::ErrorKind::FileExists`] when somebody else sends a database meanwhile; what the network
    /// reports.
    pub(in crate::instance) fn bring(
        &self,
        draft: &Path,
        kept: &str,
        look: impl FnOnce(&Path) -> Result<bool>,
    ) -> Result<()> {
        let _turn = self.copy.turn()?;
        let there = self.look(look)?;
        let state = self.seize()?;
        let brought = self.send_draft(draft, kept, there);
        let unlocked = self.locker.give_back(&state.client);
        brought.and(unlocked.map(drop))
    }

    /// Sends a draft over the version that is there, and keeps that if told so.
    fn send_draft(&self, draft: &Path, kept: &str, there: Option<(bool, Version)>) -> Result<()> {
        let fail = |error| Error::io(draft, error);
        self.sendable(fs::metadata(draft).map_err(fail)?.len(), || {
            "Nothing was changed; to go on with SQLite, name a file of this machine".to_owned()
        })?;
        if let Some((true, _)) = &there {
            let aside = format!("{DATABASE_KEY}{kept}");
            if !self.store.exists(&aside)? {
                self.store.duplicate(DATABASE_KEY, &aside, &Publish::default())?;
            }
            faults::hit("cloud.kept");
        }
        let (url, slug) = (self.url.clone(), self.slug.clone());
        self.env.emit(Event::CloudPush { url, slug, unlocking: false });
        faults::hit("cloud.push");
        let version = there.map(|(_, version)| version);
        let sent = snapshot::write_over(&self.store, version.as_ref(), draft)?;
        faults::hit("cloud.pushed");
        sent.map(drop).ok_or_else(|| self.somebodys())
    }

    /// Has a database that was brought taken into use by `settle` while `is_arriving` says that it is not, and has the lock
    /// given back that a client which was killed in doing so has from here.
    ///
    /// # Errors
    /// As [`Cloud::hand_over`].
    pub(in crate::instance) fn take_into_use(
        &self,
        is_arriving: impl FnOnce(&Db) -> Result<bool>,
        settle: impl FnOnce(&Db) -> Result<()>,
    ) -> Result<()> {
        self.refresh()?;
        let db = Db::open(&self.copy.path, Open::Existing)?;
        if !is_arriving(&db)? {
            drop(db);
            return self.release();
        }
        let turn = self.copy.turn()?;
        self.seize()?;
        drop(turn);
        self.hand_over(&db, settle)
    }

    /// Takes the lock, if need be from somebody else: nobody works with a database that is still to come, or was left, so that
    /// who has it was killed when they brought it.
    fn seize(&self) -> Result<State> {
        let state = self.copy.state(&self.env)?;
        self.copy.keep(&self.env, &state)?;
        match self.locker.take(&state.client)? {
            None => Ok(state),
            Some(_) => {
                self.locker.break_open()?;
                self.lock()
            }
        }
    }
}
