//! Everything the engine may know of the world around it: the clock, randomness, places and variables.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::suffix::Formats;
use crate::threads;
use crate::value::Timestamp;

type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
type Rng = Arc<Mutex<dyn FnMut(&mut [u8]) + Send>>;
type Voice = Arc<dyn Fn(Event) + Send + Sync>;
type Interrupt = Arc<dyn Fn() -> bool + Send + Sync>;
type Lists = Arc<dyn Fn() -> Formats + Send + Sync>;
type Boot = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// What a face hands in: nothing in the engine reaches for these behind the caller's back.
#[derive(Clone)]
pub struct Env {
    clock: Clock,
    rng: Rng,
    voice: Voice,
    interrupt: Interrupt,
    formats: Lists,
    boot: Boot,
    /// The user's home directory.
    pub home: PathBuf,
    /// The working directory that relative paths start from.
    pub cwd: PathBuf,
    /// Environment variables.
    pub vars: Arc<BTreeMap<String, String>>,
}

impl Env {
    /// Returns an environment from a clock, a source of random bytes and the two directories.
    pub fn new(
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        rng: impl FnMut(&mut [u8]) + Send + 'static,
        home: impl Into<PathBuf>,
        cwd: impl Into<PathBuf>,
    ) -> Self {
        Env {
            clock: Arc::new(clock),
            rng: Arc::new(Mutex::new(rng)),
            voice: Arc::new(|_| {}),
            interrupt: Arc::new(|| false),
            formats: Arc::new(Formats::default),
            boot: Arc::new(|| None),
            home: home.into(),
            cwd: cwd.into(),
            vars: Arc::default(),
        }
    }

    /// Returns the environment with its variables replaced.
    pub fn with_vars(mut self, vars: impl IntoIterator<Item = (String, String)>) -> Self {
        self.vars = Arc::new(vars.into_iter().collect());
        self
    }

    /// Returns the environment with a listener for events; the engine itself never prints.
    pub fn with_voice(mut self, voice: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.voice = Arc::new(voice);
        self
    }

    /// Returns the environment with lists of file formats that the user may extend.
    pub fn with_formats(mut self, formats: impl Fn() -> Formats + Send + Sync + 'static) -> Self {
        self.formats = Arc::new(formats);
        self
    }

    /// Returns the lists that suffixes of file names are judged by at present.
    pub fn formats(&self) -> Formats {
        (self.formats)()
    }

    /// Returns the environment with the name that the system gives the time since it was started.
    pub fn with_boot(mut self, boot: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        self.boot = Arc::new(boot);
        self
    }

    /// Returns what tells the time since the system was started from any other, where that is known: what was written in
    /// it may not be on the device yet, what was written before and can be read is.
    pub fn boot(&self) -> Option<String> {
        (self.boot)()
    }

    /// Returns the present moment in UTC.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Fills `bytes` from the cryptographic generator that the face supplied.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        // A poisoned lock means a caller panicked while drawing: the generator itself is still sound.
        let mut rng = threads::entered(self.rng.lock());
        rng(bytes);
    }

    /// Returns the environment with a function that tells whether the user wants to break off; it is asked from any
    /// thread, while content is moved.
    pub fn with_interrupt(mut self, interrupt: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.interrupt = Arc::new(interrupt);
        self
    }

    /// Fails when the user wants to break off.
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`].
    pub fn keep_going(&self) -> Result<()> {
        if !(self.interrupt)() {
            return Ok(());
        }
        let message = "Interrupted: what was under way was broken off, do it again to finish it";
        Err(Error::new(ErrorKind::Interrupted, message))
    }

    /// Hands an event to the listener.
    pub fn emit(&self, event: Event) {
        (self.voice)(event);
    }

    /// Returns a variable by its `LAMIN*` name; its `HOLOTYPE*` twin wins, an empty value counts as absent.
    pub fn var(&self, name: &str) -> Option<&str> {
        let twin = name.strip_prefix("LAMINDB_").or_else(|| name.strip_prefix("LAMIN_"));
        twin.and_then(|rest| self.vars.get(&format!("HOLOTYPE_{rest}")))
            .or_else(|| self.vars.get(name))
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns `path` made absolute against the working directory, with `~` expanded; nothing is resolved on disk.
    pub fn absolute(&self, path: impl Into<PathBuf>) -> PathBuf {
        let path = path.into();
        match path.strip_prefix("~") {
            Ok(rest) => self.home.join(rest),
            Err(_) => self.cwd.join(path),
        }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("home", &self.home).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}
