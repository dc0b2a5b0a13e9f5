//! Keeping the copy and the database in the bucket the same: fetching, sending, and telling which of them is newer.

use std::fs;
use std::path::PathBuf;

use super::Cloud;
use super::state::State;
use crate::db::{Db, Open};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::faults;
use crate::hash::digest_file;
use crate::instance::root::DATABASE_KEY;
use crate::instance::{level, own_tables};
use crate::store::Version;

/// How often a database that changes while it is fetched is fetched anew.
const TRIES: usize = 5;

/// The digest of no database: a copy that is known to hold more than the cloud.
const CHANGED: &str = "";

impl Cloud {
    /// Brings the copy up to date; nobody writes to it meanwhile. Returns false when the copy holds work that is not in the
    /// cloud yet, which is then kept as it is.
    pub(super) fn update(&self, open: Option<&Db>) -> Result<bool> {
        let mut state = self.copy.state(&self.env)?;
        let Some(there) = self.store.version(DATABASE_KEY)? else { return Err(self.missing()) };
        if !self.copy.exists() {
            let (incoming, version) = self.fetch()?;
            self.put_in_place(&mut state, incoming, version, open)?;
            return Ok(true);
        }
        let same = state.version.as_ref() == Some(&there) && !state.replacing;
        match (same, self.is_changed(&state, open)?) {
            (true, changed) => {
                if changed {
                    self.tell_of_former_work();
                }
                Ok(!changed)
            }
            (false, false) => {
                let (incoming, version) = self.fetch()?;
                self.put_in_place(&mut state, incoming, version, open)?;
                Ok(true)
            }
            (false, true) => self.reconcile(&mut state, open),
        }
    }

    /// Brings the copy that this process has open up to date, once it has the lock, and sends what a killed process left.
    pub(super) fn catch_up(&self) -> Result<()> {
        let Some(db) = self.db.get() else { return Ok(()) };
        if self.update(Some(db))? {
            own_tables::add(db)?;
            return self.note_unchanged(db);
        }
        self.push(db, false).map(drop)
    }

    /// Notes that the copy holds what its version in the cloud holds, unless that was noted before.
    pub(super) fn note_unchanged(&self, db: &Db) -> Result<()> {
        let mut state = self.copy.state(&self.env)?;
        if state.stamp.is_some() && state.stamp == self.copy.stamp() {
            return Ok(());
        }
        db.checkpoint()?;
        state.digest = Some(self.snapshot(Some(db))?.digest);
        state.stamp = self.copy.stamp();
        self.copy.keep(&self.env, &state)
    }

    /// Returns true when the copy holds more than the version it was made of.
    pub(super) fn is_changed(&self, state: &State, open: Option<&Db>) -> Result<bool> {
        match (&state.digest, &state.version) {
            // What is being replaced was settled before.
            _ if state.replacing => Ok(false),
            (None, version) => Ok(version.is_none()),
            (Some(_), _) if state.stamp.is_some() && state.stamp == self.copy.stamp() => Ok(false),
            (Some(digest), _) => Ok(self.snapshot(open)?.digest != *digest),
        }
    }

    /// Sends the copy if it holds changes, over the version that it was made of, and returns whether it did. What no row needs
    /// any more after that is destroyed.
    pub(super) fn push(&self, db: &Db, unlocking: bool) -> Result<bool> {
        let mut state = self.copy.state(&self.env)?;
        if state.stamp.is_none() || state.stamp != self.copy.stamp() {
            self.sendable(db.size()?, || {
                let (slug, copy) = (&self.slug, self.copy.path.display());
                format!(
                    "Nothing was sent, your changes are kept in {copy}; to go on with PostgreSQL, write \
                     `lamindb_instance_db=sqlite:///{copy}` into the settings file of {slug} and run: lamin migrate \
                     to-postgres"
                )
            })?;
        }
        let leaving = self.leaving(db)?;
        let snapshot = self.snapshot(Some(db))?;
        let digest = snapshot.digest.clone();
        if state.digest.as_ref() == Some(&digest) {
            self.see_off(&leaving)?;
            return Ok(false);
        }
        let (url, slug) = (self.url.clone(), self.slug.clone());
        self.env.emit(Event::CloudPush { url, slug, unlocking });
        let there = self.store.version(DATABASE_KEY)?;
        if there != state.version && !(there.is_some() && self.is_ours(&mut state)?) {
            return Err(self.outpaced());
        }
        let snapshot = snapshot.plain();
        state.sending = Some(snapshot.digest.clone());
        self.copy.keep(&self.env, &state)?;
        faults::hit("cloud.push");
        let version = snapshot.write_over(&self.store, state.version.as_ref())?;
        faults::hit("cloud.pushed");
        let Some(version) = version else { return Err(self.outpaced()) };
        let held = state.held;
        state = State { client: state.client, held, version: Some(version), ..State::default() };
        state.digest = Some(digest);
        self.copy.keep(&self.env, &state)?;
        self.see_off(&leaving)?;
        Ok(true)
    }

    /// Returns true, and notes the version, when what is in the cloud is what this copy sent before, though the answer
    /// never came.
    fn is_ours(&self, state: &mut State) -> Result<bool> {
        let Some(sending) = state.sending.clone() else { return Ok(false) };
        let (incoming, version) = self.fetch()?;
        let ours = digest_file(&incoming)?.to_hex() == sending;
        if ours {
            state.version = Some(version);
        }
        fs::remove_file(&incoming).map_err(|error| Error::io(&incoming, error))?;
        Ok(ours)
    }

    /// Finds out what a copy with changes has to do with another version in the cloud; sets it aside where the two went
    /// different ways. Returns false when the copy is newer.
    fn reconcile(&self, state: &mut State, open: Option<&Db>) -> Result<bool> {
        let (incoming, version) = self.fetch()?;
        let theirs = digest_file(&incoming)?.to_hex();
        // Opening the copy may change its time.
        let unknown_and_newer = state.digest.is_none() && self.is_newer(&incoming)?;
        let mine = self.snapshot(open)?;
        let digest = mine.digest.clone();
        let mine = mine.plain();
        let same = mine.digest == theirs;
        // Sent by a process that was killed before it knew, or left by another program that is ahead of the cloud.
        let ahead = state.sending.as_ref() == Some(&theirs) || unknown_and_newer;
        if same || ahead {
            state.version = Some(version);
            state.digest = Some(if same { digest } else { CHANGED.to_owned() });
            (state.sending, state.stamp) = (None, None);
            self.copy.keep(&self.env, state)?;
            fs::remove_file(&incoming).map_err(|error| Error::io(&incoming, error))?;
            if !same {
                self.tell_of_former_work();
            }
            return Ok(same);
        }
        let kept = self.copy.set_aside(&self.env, mine)?;
        self.env.emit(Event::Warning(format!(
            "{} was changed by somebody else while {} held changes that were not sent: the copy with these changes is kept at \
             {}, and work goes on with what is in the cloud; save again what is missing there",
            self.url,
            self.copy.path.display(),
            kept.display()
        )));
        faults::hit("cloud.aside");
        self.put_in_place(state, incoming, version, open)?;
        match open {
            Some(db) => self.forget_used(db)?,
            None => self.forget_used(&Db::open(&self.copy.path, Open::Existing)?)?,
        }
        Ok(true)
    }

    /// Returns true when the copy was written after what was just fetched, which bears the time of its origin. Programs of
    /// the format that keep no notes go by whole seconds.
    fn is_newer(&self, incoming: &PathBuf) -> Result<bool> {
        let seconds = |path: &PathBuf| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            let since = modified.map(|moment| moment.duration_since(std::time::SystemTime::UNIX_EPOCH));
            since
                .map(|since| since.map_or(0, |since| since.as_secs()))
                .map_err(|error| Error::io(path, error))
        };
        Ok(seconds(&self.copy.path)? > seconds(incoming)?)
    }

    /// Brings the database beside the copy.
    pub(super) fn fetch(&self) -> Result<(PathBuf, Version)> {
        let incoming = self.copy.beside(".incoming");
        let mut tries = 0;
        let fetched = loop {
            match self.store.fetch_version(DATABASE_KEY, &incoming) {
                Err(error) if error.kind() == ErrorKind::Io && tries < TRIES => tries += 1,
                fetched => break fetched?,
            }
        };
        faults::hit("cloud.fetched");
        fetched.map(|version| (incoming, version)).ok_or_else(|| self.missing())
    }

    /// Lets the copy hold what was fetched. Whoever has it open sees it as one transaction of another process.
    fn put_in_place(
        &self,
        state: &mut State,
        incoming: PathBuf,
        version: Version,
        open: Option<&Db>,
    ) -> Result<()> {
        level::check(&Db::inspect(&incoming)?, &self.url)?;
        let fail = |error| Error::io(&incoming, error);
        if self.copy.exists() {
            state.replacing = true;
            self.copy.keep(&self.env, state)?;
            faults::hit("cloud.replace");
            match open {
                Some(db) => db.replace_with(&incoming)?,
                None => Db::open(&self.copy.path, Open::Existing)?.replace_with(&incoming)?,
            }
            faults::hit("cloud.replaced");
            fs::remove_file(&incoming).map_err(fail)?;
        } else {
            // A log without its database would be taken for one of the new file.
            for end in ["-wal", "-shm", "-journal"] {
                crate::instance::settings::files::remove(&self.copy.beside(end))?;
            }
            fs::rename(&incoming, &self.copy.path).map_err(fail)?;
        }
        let (client, held) = (std::mem::take(&mut state.client), state.held);
        *state = State { client, held, version: Some(version), ..State::default() };
        self.copy.keep(&self.env, state)
    }

    fn tell_of_former_work(&self) {
        self.env.emit(Event::Warning(format!(
            "{} holds changes that are not in the cloud yet: they are sent with the next change, or by disconnecting",
            self.copy.path.display()
        )));
    }

    /// Returns the error for a database that is not, or no longer, in the cloud.
    pub(super) fn missing(&self) -> Error {
        let (url, copy) = (&self.url, self.copy.path.display());
        match self.copy.exists() {
            true => Error::new(
                ErrorKind::SyncConflict,
                format!(
                    "The SQLite file is at {copy} but not in the cloud at {url}: put it back there from a copy, or move the \
                     file here away to initialise the instance anew"
                ),
            ),
            false => Error::new(ErrorKind::FileNotFound, format!("SQLite file {url} does not exist")),
        }
    }

    /// Returns the error for changes that would undo those of somebody else.
    fn outpaced(&self) -> Error {
        Error::new(
            ErrorKind::SyncConflict,
            format!(
                "{} was changed by somebody else since it was fetched, so that nothing was sent: your changes are kept in {}; \
                 to set them aside as a file of their own and go on with what is in the cloud, run: lamin connect {}",
                self.url,
                self.copy.path.display(),
                self.slug
            ),
        )
    }
}
