//! A SQLite database that lies in a bucket: worked with in a copy on this machine, by one client at a time.
//!
//! Whoever opens the instance gets the newest version. The first write takes the lock, and what was written is sent back
//! when a run or the process ends. Every upload replaces the one version that the copy was made of, or nothing: a client
//! that lost its lock without knowing can fail, but never undo what others did. No copy that holds work which is not in
//! the cloud is ever overwritten or removed.

mod arrival;
mod bakery;
mod copy;
mod holder;
mod leaving;
mod locker;
mod make;
mod snapshot;
mod state;
mod sync;
mod unlock;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

pub(super) use copy::KEPT;
use copy::WorkingCopy;
pub use holder::Holder;
pub(crate) use leaving::Left;
use locker::Locker;
pub use unlock::Locks;

use super::root::DATABASE_KEY;
use super::settings::{DatabaseSite, InstanceSettings, UserSettings};
use super::{Instance, migrate, own_tables};
use crate::db::{Db, Gate, Open};
use crate::env::Env;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::store::Store;
use crate::threads;

/// How long to wait before looking again whether the lock is free.
const PAUSE: Duration = Duration::from_millis(500);

/// The database of an instance that lies in a bucket.
pub(crate) struct Cloud {
    env: Env,
    slug: String,
    /// Root of the storage location that holds the database, whatever the default location is meanwhile.
    store: Store,
    url: String,
    copy: WorkingCopy,
    locker: Locker,
    db: OnceLock<Db>,
    gate: OnceLock<Arc<Gate>>,
    /// Held while this process writes to the copy.
    writing: Mutex<Option<File>>,
    /// Set while the table of users lacks the present one, because somebody else had the lock.
    guest: AtomicBool,
}

impl Cloud {
    /// Returns the database of these settings if it lies in a bucket.
    pub(crate) fn of(
        env: &Env,
        settings: &InstanceSettings,
        user: &UserSettings,
    ) -> Result<Option<Arc<Cloud>>> {
        let DatabaseSite::CloudSqlite(url) = settings.database(env)? else { return Ok(None) };
        let path = settings.sqlite_path(env)?.ok_or_else(|| {
            Error::value(format!("{url} has no place in the cache: choose another storage location"))
        })?;
        let store = Store::open(&settings.storage_root, env)?;
        let locker = Locker::new(env, &store, user, &settings.id, path.display().to_string());
        Ok(Some(Arc::new(Cloud {
            env: env.clone(),
            slug: settings.slug().to_string(),
            store,
            url,
            copy: WorkingCopy { path },
            locker,
            db: OnceLock::new(),
            gate: OnceLock::new(),
            writing: Mutex::new(None),
            guest: AtomicBool::new(false),
        })))
    }

    /// Returns true when the bucket holds the database.
    pub(super) fn exists(&self) -> Result<bool> {
        Ok(self.store.version(DATABASE_KEY)?.is_some())
    }

    /// Opens the copy by `open`, brought up to date before unless another process of this machine works with it; writing to
    /// it takes the lock.
    pub(super) fn open(self: &Arc<Self>, open: impl FnOnce() -> Result<Db>) -> Result<Db> {
        let _turn = self.copy.turn()?;
        let alone = self.copy.alone()?;
        let current = if alone.is_some() { self.update(None)? } else { false };
        let db = open()?;
        own_tables::add(&db)?;
        if current {
            self.note_unchanged(&db)?;
        }
        let db = self.db.get_or_init(|| db);
        let weak = Arc::downgrade(self);
        let gate = self.gate.get_or_init(|| {
            Arc::new(Gate::new(move || match weak.upgrade() {
                Some(cloud) => cloud.start(false, Duration::ZERO),
                None => Err(Error::new(ErrorKind::Busy, "The instance was disconnected: connect again")),
            }))
        });
        Ok(db.behind(gate.clone()))
    }

    /// Takes the lock for this process, with the copy brought up to date, unless it works with it already.
    ///
    /// With `hold` the lock outlasts the process, until somebody disconnects.
    pub(super) fn start(&self, hold: bool, patience: Duration) -> Result<()> {
        if !hold && self.guest.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::NoWriteAccess,
                format!(
                    "{} does not know you yet, because it was locked when you came: connect again to write to it",
                    self.slug
                ),
            ));
        }
        let mut waited = Duration::ZERO;
        while let Some(holder) = self.try_start(hold)? {
            if waited >= patience {
                return Err(self.named(holder).refusal(&self.slug));
            }
            self.env.keep_going()?;
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        Ok(())
    }

    /// Returns who has the lock, if it is somebody else.
    fn try_start(&self, hold: bool) -> Result<Option<Holder>> {
        let mut writing = self.writing();
        let _turn = self.copy.turn()?;
        let mut state = self.copy.state(&self.env)?;
        if writing.is_none() {
            // Another process that writes has the lock, and the copy is the newest there is.
            if let Some(_alone) = self.copy.alone()? {
                let holder = self.locker.take(&state.client)?;
                if holder.is_some() {
                    return Ok(holder);
                }
                self.catch_up().and_then(|()| self.refuse_departed()).inspect_err(|_| {
                    if !state.held {
                        // The first error is the one to tell.
                        let _ = self.locker.give_back(&state.client);
                    }
                })?;
                state = self.copy.state(&self.env)?;
            }
            *writing = Some(self.copy.join()?);
        }
        if hold && !state.held {
            state.held = true;
            self.copy.keep(&self.env, &state)?;
        }
        Ok(None)
    }

    /// Sends what was written so far.
    pub(super) fn send(&self) -> Result<()> {
        let writing = self.writing();
        let (Some(_), Some(db)) = (&*writing, self.db.get()) else { return Ok(()) };
        let _turn = self.copy.turn()?;
        self.push(db, false).map(drop)
    }

    /// Sends what this process wrote and gives back the lock that its first write took; a lock taken to be held stays.
    ///
    /// When it fails, nothing is lost and it can be done again.
    pub(super) fn leave(&self) -> Result<()> {
        let mut writing = self.writing();
        let (Some(db), true) = (self.db.get(), writing.is_some()) else { return Ok(()) };
        let _turn = self.copy.turn()?;
        let state = self.copy.state(&self.env)?;
        stop(&mut writing);
        let left = self.finish(db, !state.held);
        match &left {
            Ok(_) => self.close_gate(),
            Err(_) => *writing = Some(self.copy.join()?),
        }
        left.map(drop)
    }

    /// Sends what is not in the cloud yet and gives the lock back, if this working copy has it.
    pub(super) fn release(&self) -> Result<()> {
        let mut writing = self.writing();
        // What this machine never worked with gets no files about it.
        if self.copy.known()?.is_none() {
            return Ok(());
        }
        let _turn = self.copy.turn()?;
        let Some(mut state) = self.copy.known()? else { return Ok(()) };
        let opened = match self.db.get() {
            Some(db) => Some(db.clone()),
            None if self.copy.exists() => Some(Db::open(&self.copy.path, Open::Existing)?),
            None => None,
        };
        let Some(db) = opened else { return self.locker.give_back(&state.client).map(drop) };
        let worked = stop(&mut writing);
        if !worked && state.digest.is_none() && state.version.is_some() {
            // Brought here and never worked with: there is nothing to send.
            self.note_unchanged(&db)?;
        } else if !worked && self.is_changed(&state, Some(&db))? {
            // Work of a process that was killed: sending it takes the lock like any other work.
            if let Some(holder) = self.locker.take(&state.client)? {
                return Err(self.named(holder).refusal(&self.slug));
            }
        }
        let done = self.finish(&db, true);
        if done.is_err() && worked {
            *writing = Some(self.copy.join()?);
        }
        let (sent, last) = done?;
        self.close_gate();
        if last && !sent && (worked || state.held) {
            self.env.emit(Event::CloudUnlocked { url: self.url.clone(), slug: self.slug.clone() });
        }
        state = self.copy.state(&self.env)?;
        state.held = false;
        self.copy.keep(&self.env, &state)?;
        if !last {
            self.env.emit(Event::Note(format!(
                "another process still works with {}: the instance is unlocked when it ends",
                self.slug
            )));
        }
        Ok(())
    }

    /// Sends the copy and, unless another process works with it, notes how it looks and gives the lock back if `unlocking`.
    ///
    /// Returns whether it sent anything, and whether no other process works with it.
    fn finish(&self, db: &Db, unlocking: bool) -> Result<(bool, bool)> {
        let alone = self.copy.alone()?;
        let unlocking = unlocking && alone.is_some();
        let sent = self.push(db, unlocking)?;
        let Some(_alone) = alone else { return Ok((sent, false)) };
        db.checkpoint()?;
        let mut state = self.copy.state(&self.env)?;
        state.stamp = self.copy.stamp();
        self.copy.keep(&self.env, &state)?;
        if unlocking {
            self.locker.give_back(&state.client)?;
        }
        Ok((sent, true))
    }

    /// Lets the present user look, but write only once the instance knows them.
    pub(super) fn admit_as_guest(&self) {
        self.guest.store(true, Ordering::Relaxed);
    }

    /// Returns the path of the copy on this machine.
    pub(super) fn path(&self) -> &Path {
        &self.copy.path
    }

    /// Returns where the database lies.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Refuses to write to a database that the instance has left since it was opened.
    fn refuse_departed(&self) -> Result<()> {
        self.db.get().map_or(Ok(()), |db| migrate::refuse_departed(db, || Ok(self.url.clone())))
    }

    fn close_gate(&self) {
        if let Some(gate) = self.gate.get() {
            gate.close();
        }
    }

    fn writing(&self) -> MutexGuard<'_, Option<File>> {
        // A panic under the lock left the file in its place or dropped it: both are true states.
        threads::entered(self.writing.lock())
    }

    /// Returns a holder with what the copy's table of users says.
    fn named(&self, holder: Holder) -> Holder {
        unlock::named(holder, self.db.get(), &self.copy)
    }
}

/// Ends the writing of this process and returns whether it wrote.
fn stop(writing: &mut Option<File>) -> bool {
    let Some(file) = writing.take() else { return false };
    // A child process may have inherited the file, and would go on holding it. What cannot be unlocked ends with it.
    let _ = file.unlock();
    true
}

impl Instance {
    /// Takes the lock of an instance whose database lies in a bucket, until [`Instance::disconnect`]; waits for it as long
    /// as `patience` says. Other instances need none.
    ///
    /// # Errors
    /// [`ErrorKind::InstanceLocked`] naming who has it; what the network reports.
    pub fn hold(&self, patience: Duration) -> Result<()> {
        let Some(cloud) = &self.cloud else { return Ok(()) };
        let started =
            cloud.start(true, patience).and_then(|()| match cloud.guest.swap(false, Ordering::Relaxed) {
                true => self.adopt_user(&cloud.locker.user),
                false => Ok(()),
            });
        match started {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.env().emit(Event::Warning("read-only access - did not access locker".to_owned()));
                Ok(())
            }
            Ok(()) => {
                self.env().emit(Event::CloudHeld);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the lock of an instance that was just made.
    pub(super) fn hold_first(&self) -> Result<()> {
        let Some(cloud) = &self.cloud else { return Ok(()) };
        cloud.start(true, Duration::ZERO)?;
        self.env().emit(Event::CloudLocked);
        Ok(())
    }

    /// Sends what was written so far, where the database lies in a bucket.
    ///
    /// # Errors
    /// [`ErrorKind::SyncConflict`] when somebody else has changed it meanwhile; what the network reports. Nothing is lost.
    pub fn send(&self) -> Result<()> {
        self.cloud.as_ref().map_or(Ok(()), |cloud| cloud.send())
    }

    /// Ends the work of this process: sends what it wrote, where the database lies in a bucket, and gives back the lock that
    /// its first write took. To be called before a process ends; the instance can be used again after it.
    ///
    /// # Errors
    /// As [`Instance::send`].
    pub fn leave(&self) -> Result<()> {
        self.cloud.as_ref().map_or(Ok(()), |cloud| cloud.leave())
    }

    /// Sends what is not in the cloud yet and gives the lock back, where the database lies in a bucket.
    ///
    /// # Errors
    /// As [`Instance::send`], and [`ErrorKind::InstanceLocked`] when there is something to send that somebody's lock is in
    /// the way of.
    pub fn disconnect(&self) -> Result<()> {
        self.cloud.as_ref().map_or(Ok(()), |cloud| cloud.release())
    }

    /// As [`Instance::disconnect`], for an instance that is not open in this process.
    ///
    /// # Errors
    /// As [`Instance::disconnect`].
    pub fn disconnect_from(env: &Env, settings: &InstanceSettings) -> Result<()> {
        let cloud = Cloud::of(env, settings, &UserSettings::current(env)?)?;
        cloud.map_or(Ok(()), |cloud| cloud.release())
    }

    /// As [`Instance::disconnect`], for every instance that this machine has a working copy of.
    ///
    /// # Errors
    /// The first failure.
    pub fn disconnect_from_all(env: &Env) -> Result<()> {
        InstanceSettings::list(env).iter().try_for_each(|settings| Instance::disconnect_from(env, settings))
    }
}
