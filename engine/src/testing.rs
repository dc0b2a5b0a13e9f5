//! Support for tests: an instance of its own in a temporary folder, with a clock and randomness that repeat.
//!
//! ```
//! let scratch = holotype::testing::Scratch::new()?;
//! let mut label = holotype::Record::empty(holotype::model::require("ULabel")?);
//! label.set("name", "apple")?;
//! scratch.instance().save(&mut label)?;
//! assert_eq!(scratch.instance().registry("ULabel")?.count()?, 1);
//! # Ok::<(), holotype::Error>(())
//! ```

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::env::Env;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::{InitOptions, Instance};
use crate::threads;
use crate::value::Timestamp;

pub use server::{Database, dialect};

/// The moment at which every clock of this module starts: 2026-01-02 03:04:05 UTC.
pub const START: Timestamp = Timestamp(1_767_323_045_000_000);

/// Microseconds between two readings of the clock.
const TICK: i64 = 1_000_000;

/// What an environment has told so far.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    /// Returns what was told since the last call.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *threads::entered(self.0.lock()))
    }

    fn add(&self, event: Event) {
        threads::entered(self.0.lock()).push(event);
    }
}

/// Returns an environment whose home and working directory lie in `dir`, and what it tells.
///
/// Each reading of the clock is a second after the one before; the random bytes follow from `seed`, so that processes
/// which share an instance need different ones. The directories are made when they are absent.
///
/// # Errors
/// [`crate::ErrorKind::Io`] and its like when the directories cannot be made.
pub fn env(dir: &Path, seed: u64) -> Result<(Env, Told)> {
    let (home, cwd) = (dir.join("home"), dir.join("work"));
    for folder in [&home, &cwd] {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    }
    let told = Told::default();
    let voice = told.clone();
    let now = AtomicI64::new(START.0);
    let mut state = seed;
    let rng =
        move |bytes: &mut [u8]| bytes.iter_mut().for_each(|byte| *byte = (next(&mut state) >> 56) as u8);
    let env = Env::new(move || Timestamp(now.fetch_add(TICK, Ordering::Relaxed)), rng, home, cwd)
        .with_vars([("XDG_CONFIG_DIRS".to_owned(), dir.join("etc").display().to_string())])
        .with_voice(move |event| voice.add(event));
    Ok((env, told))
}

/// Returns the next number of the SplitMix64 sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A fresh instance that goes away with its folder when it is dropped.
///
/// Its database is SQLite, or one on the PostgreSQL server that the environment variable `HOLOTYPE_TEST_DB` names.
pub struct Scratch {
    instance: Instance,
    told: Told,
    dir: PathBuf,
    _database: Option<Database>,
    // Last, so that the database is closed before its folder goes.
    _guard: TempDir,
}

impl Scratch {
    /// Returns an instance with the core registries.
    ///
    /// # Errors
    /// Those of [`Instance::init`].
    pub fn new() -> Result<Scratch> {
        Scratch::with_modules(&[])
    }

    /// Returns an instance with the core registries whose database is a file, wherever others are.
    ///
    /// # Errors
    /// Those of [`Instance::init`].
    pub fn on_sqlite() -> Result<Scratch> {
        Scratch::make(&[], |_| Ok(None))
    }

    /// Returns an instance with further modules, such as `bionty`.
    ///
    /// # Errors
    /// Those of [`Instance::init`].
    pub fn with_modules(modules: &[&str]) -> Result<Scratch> {
        Scratch::make(modules, Database::prepared)
    }

    fn make(modules: &[&str], database: impl Fn(&Env) -> Result<Option<Database>>) -> Result<Scratch> {
        let guard = tempfile::tempdir().map_err(|error| Error::io(Path::new("temporary folder"), error))?;
        // Temporary folders may lie behind a link, and resolved paths would not compare.
        let dir = fs::canonicalize(guard.path()).map_err(|error| Error::io(guard.path(), error))?;
        let (env, told) = env(&dir, 1)?;
        let database = database(&env)?;
        let options = InitOptions {
            storage: Some(dir.join("store").display().to_string()),
            name: Some("store".to_owned()),
            db: database.as_ref().map(|database| database.url().to_owned()),
            modules: modules.iter().map(|&module| module.to_owned()).collect(),
        };
        let instance = Instance::init(&env, &options)?;
        told.take();
        Ok(Scratch { instance, told, dir, _database: database, _guard: guard })
    }

    /// Returns the instance.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Returns the folder that holds everything: `home`, `work` and the storage root `store`.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the storage root.
    pub fn root(&self) -> PathBuf {
        self.dir.join("store")
    }

    /// Returns what was told since the last call; the messages of `init` are left out.
    pub fn events(&self) -> Vec<Event> {
        self.told.take()
    }

    /// Writes a file below the working directory, with the folders on the way, and returns its path.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] and its like when it cannot be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.dir.join("work").join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        fs::write(&path, content).map_err(|error| Error::io(&path, error))?;
        Ok(path)
    }

    /// Returns a second connection to the instance, as another process would have it.
    ///
    /// # Errors
    /// Those of [`Instance::connect_to`].
    pub fn connect(&self, seed: u64) -> Result<(Instance, Told)> {
        connect(&self.dir, seed)
    }
}

/// Returns a connection to the instance of the [`Scratch`] whose folder is `dir`, from another process.
///
/// # Errors
/// Those of [`Instance::connect_to`].
pub fn connect(dir: &Path, seed: u64) -> Result<(Instance, Told)> {
    let (env, told) = env(dir, seed)?;
    let instance = Instance::connect_to(&env, "store")?;
    told.take();
    Ok((instance, told))
}
