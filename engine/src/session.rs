//! What every query and every write needs: the database, the world around it, and what new records get.

use std::cell::Cell;
use std::sync::{Arc, RwLock};

use crate::db::{Db, Durability};
use crate::env::Env;
use crate::error::Result;
use crate::threads;

/// An open database with the present context, cheap to clone; clones share one context.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    env: Env,
    context: RwLock<Context>,
    creation: RwLock<Creation>,
}

/// What new records get when nothing else is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// Id of the current user.
    pub user: i64,
    /// Id of the current branch.
    pub branch: i64,
    /// Id of the current space.
    pub space: i64,
    /// Id of the run that is tracked.
    pub run: Option<i64>,
    /// Id of the default storage location.
    pub storage: i64,
    /// The local storage location of an instance that keeps artifacts local.
    pub local_storage: LocalStorage,
}

/// Which local storage location takes new content while artifacts are kept local.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalStorage {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    /// There is none on this machine.
    Absent,
    /// The one with this id.
    Chosen(i64),
}

thread_local! {
    /// The session and run that this thread works for, where it is not the one that the session tracks.
    static OWN_RUN: Cell<Option<(usize, i64)>> = const { Cell::new(None) };
}

/// How new records are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Creation {
    /// Look for records of the same name.
    pub search_names: bool,
    /// Copied artifacts get virtual keys.
    pub use_virtual_keys: bool,
    /// Register artifacts without size and hash.
    pub skip_size_hash: bool,
    /// Do not mention that no run is tracked.
    pub silence_missing_run: bool,
    /// Do not mention artifacts whose content is saved under their key already: the caller tells of them.
    pub silence_known: bool,
    /// Let two artifacts of different families share a key.
    pub allow_key_clash: bool,
    /// Move the content of a real key to its automatic key before a new version takes its place.
    pub keep_versions: bool,
    /// Saves return only once content and rows are on the device.
    pub durable: bool,
}

impl Default for Creation {
    fn default() -> Self {
        Creation {
            search_names: true,
            use_virtual_keys: true,
            skip_size_hash: false,
            silence_missing_run: false,
            silence_known: false,
            allow_key_clash: false,
            keep_versions: false,
            durable: true,
        }
    }
}

impl Session {
    /// Returns a session on an open database; the context starts with the rows that every database has.
    pub(crate) fn new(db: Db, env: Env) -> Self {
        let context = Context {
            user: 1,
            branch: 1,
            space: 1,
            run: None,
            storage: 1,
            local_storage: LocalStorage::Unknown,
        };
        let inner =
            Inner { db, env, context: RwLock::new(context), creation: RwLock::new(Creation::default()) };
        Session { inner: Arc::new(inner) }
    }

    /// Returns the database.
    pub fn db(&self) -> &Db {
        &self.inner.db
    }

    /// Returns the environment.
    pub fn env(&self) -> &Env {
        &self.inner.env
    }

    /// Returns a copy of the present context.
    pub fn context(&self) -> Context {
        let mut context = threads::entered(self.inner.context.read()).clone();
        if let Some((_, run)) = OWN_RUN.get().filter(|(session, _)| *session == self.address()) {
            context.run = Some(run);
        }
        context
    }

    /// Lets everything that `work` does on this thread belong to a run, whatever other threads do meanwhile.
    pub fn during<T>(&self, run: i64, work: impl FnOnce() -> T) -> T {
        /// Puts the former run back, also when the work panics.
        struct Former(Option<(usize, i64)>);
        impl Drop for Former {
            fn drop(&mut self) {
                OWN_RUN.set(self.0);
            }
        }
        let _former = Former(OWN_RUN.replace(Some((self.address(), run))));
        work()
    }

    /// Returns what tells this session from every other one that is open.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }

    /// Changes the present context.
    pub fn with_context(&self, change: impl FnOnce(&mut Context)) {
        let mut context = threads::entered(self.inner.context.write());
        change(&mut context);
    }

    /// Returns a copy of the settings for new records.
    pub fn creation(&self) -> Creation {
        threads::entered(self.inner.creation.read()).clone()
    }

    /// Changes the settings for new records.
    ///
    /// # Errors
    /// Failures of the database, which is told about durability.
    pub fn with_creation(&self, change: impl FnOnce(&mut Creation)) -> Result<()> {
        let mut creation = threads::entered(self.inner.creation.write());
        let before = creation.durable;
        change(&mut creation);
        if before == creation.durable {
            return Ok(());
        }
        let durability = if creation.durable { Durability::Flushed } else { Durability::Deferred };
        self.db().set_durability(durability)
    }

    /// Returns the id of the current branch.
    pub fn branch_id(&self) -> i64 {
        self.context().branch
    }
}
