//! What a command may do: speak, print data, ask.

mod progress;
mod streams;

use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use holotype::{Env, Error, ErrorKind, Event, Instance};
use serde_json::Value as Json;

pub use streams::Streams;

use crate::error::{Failure, Result};
use crate::voice::{self, DEFAULT_VERBOSITY, Level, Program};
use progress::Progress;

/// The face of one run of the command.
pub struct Ui {
    env: Env,
    input: Box<dyn BufRead + Send>,
    mouth: Arc<Mouth>,
    width: Option<u16>,
    /// What the command works with, to be left in good order at its end.
    connected: Mutex<Vec<Instance>>,
}

/// What the engine's events and the command's own words go through.
struct Mouth {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    colour_out: bool,
    colour_err: bool,
    json: bool,
    /// Standard output belongs to somebody else: messages go to standard error.
    aside: AtomicBool,
    verbosity: u8,
    program: Program,
    /// Some commands say themselves what they are connected to.
    hushed: AtomicBool,
    progress: Mutex<Progress>,
    /// The first failure to write, since an event listener cannot return one.
    broken: Mutex<Option<io::Error>>,
}

impl Ui {
    /// Returns the face over these streams; the engine's events speak through it.
    ///
    /// With `json`, standard output carries nothing but JSON, and messages go to standard error.
    pub fn new(env: Env, streams: Streams, program: Program, json: bool) -> Ui {
        let colours = env.vars.get("NO_COLOR").is_none_or(String::is_empty);
        let mouth = Arc::new(Mouth {
            out: Mutex::new(streams.out),
            err: Mutex::new(streams.err),
            colour_out: colours && streams.out_is_terminal,
            colour_err: colours && streams.err_is_terminal,
            json,
            aside: AtomicBool::new(json),
            verbosity: DEFAULT_VERBOSITY,
            program,
            hushed: AtomicBool::new(false),
            progress: Mutex::new(Progress::new(streams.err_is_terminal)),
            broken: Mutex::new(None),
        });
        let listener = Arc::clone(&mouth);
        let env = env.with_voice(move |event| listener.hear(&event));
        Ui { env, input: streams.input, mouth, width: streams.width, connected: Mutex::default() }
    }

    /// Returns the environment to give to the engine.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Returns the name under which the command was called.
    pub fn program(&self) -> Program {
        self.mouth.program
    }

    /// Returns true when data are to be printed as JSON.
    pub fn json(&self) -> bool {
        self.mouth.json
    }

    /// Returns the width of the terminal; `None` when output goes elsewhere.
    pub fn width(&self) -> Option<u16> {
        self.width
    }

    /// Connects to the current instance and says so.
    ///
    /// # Errors
    /// [`ErrorKind::InstanceNotConfigured`] when there is none.
    pub fn connect(&self) -> Result<Instance> {
        let found = Instance::connect_current(&self.env)?;
        let found =
            found.ok_or_else(|| Error::new(ErrorKind::InstanceNotConfigured, "No instance is connected."))?;
        Ok(self.work_with(found))
    }

    /// Has an instance left in good order at the end of the command.
    pub fn work_with(&self, instance: Instance) -> Instance {
        lock(&self.connected).push(instance.clone());
        instance
    }

    /// Sends what the command wrote to where it belongs, also when the command failed half-way.
    ///
    /// # Errors
    /// The first failure.
    pub(crate) fn leave(&self) -> Result<()> {
        let left = std::mem::take(&mut *lock(&self.connected));
        // All are left, whatever the first one says.
        let all: Vec<_> = left.iter().map(Instance::leave).collect();
        Ok(all.into_iter().collect::<Result<(), Error>>()?)
    }

    /// Keeps the line `connected lamindb: …` back from here on.
    pub fn hush(&self) {
        self.mouth.hushed.store(true, Ordering::Relaxed);
    }

    /// Leaves standard output to others from here on: messages go to standard error.
    pub fn speak_aside(&self) {
        self.mouth.aside.store(true, Ordering::Relaxed);
    }

    /// Returns what passes the output of a program on.
    pub(crate) fn relay(&self) -> Relay {
        Relay(Arc::clone(&self.mouth))
    }

    /// Says one line.
    pub fn say(&self, level: Level, text: impl AsRef<str>) {
        self.mouth.say(level, text.as_ref());
    }

    /// Says what an event means.
    pub fn tell(&self, event: Event) {
        self.mouth.hear(&event);
    }

    /// Prints data for people.
    pub fn print(&self, text: impl AsRef<str>) {
        self.mouth.write(&self.mouth.out, text.as_ref(), "\n");
    }

    /// Prints data for programs.
    pub fn print_json(&self, data: &Json) {
        // Serialising a value that is in memory cannot fail; `{:#}` is its indented form.
        self.mouth.write(&self.mouth.out, &format!("{data:#}"), "\n");
    }

    /// Asks and returns the answer without blanks around it.
    ///
    /// # Errors
    /// [`Failure::Aborted`] when the input is closed.
    pub fn ask(&mut self, question: &str) -> Result<String> {
        let stream = if self.mouth.json { &self.mouth.err } else { &self.mouth.out };
        self.mouth.write(stream, question, "");
        let mut answer = String::new();
        match self.input.read_line(&mut answer) {
            Ok(0) => {
                self.mouth.write(stream, "", "\n");
                Err(Failure::Aborted)
            }
            Ok(_) => Ok(answer.trim().to_owned()),
            Err(error) => Err(Failure::Told(format!("The answer could not be read: {error}"))),
        }
    }

    /// Asks a question that `y` or `yes` affirms.
    ///
    /// # Errors
    /// As [`Ui::ask`].
    pub fn confirm(&mut self, question: &str) -> Result<bool> {
        let answer = self.ask(question)?.to_lowercase();
        Ok(answer == "y" || answer == "yes")
    }

    /// Writes text on standard error as it is.
    pub(crate) fn print_error(&self, text: &str) {
        self.mouth.flush_out();
        self.mouth.write(&self.mouth.err, text, "");
    }

    /// Says on standard error why the command failed.
    pub(crate) fn complain(&self, text: &str, hint: Option<&str>) {
        self.mouth.flush_out();
        let line = voice::line(Level::Error, text, self.mouth.colour_err);
        self.mouth.write(&self.mouth.err, &line, "\n");
        if let Some(hint) = hint {
            let line = voice::line(Level::Hint, hint, self.mouth.colour_err);
            self.mouth.write(&self.mouth.err, &line, "\n");
        }
    }

    /// Ends the output and returns what kept it from being written.
    pub(crate) fn finish(&self) -> Option<io::Error> {
        lock(&self.mouth.progress).finish();
        for stream in [&self.mouth.out, &self.mouth.err] {
            let flushed = lock(stream).flush();
            self.mouth.note(flushed);
        }
        lock(&self.mouth.broken).take()
    }
}

impl Mouth {
    fn hear(&self, event: &Event) {
        if matches!(event, Event::Connected { .. }) && self.hushed.load(Ordering::Relaxed) {
            return;
        }
        if let Event::Progress { verb, name, done, total } = event {
            let line = lock(&self.progress).advance(verb, name, *done, *total);
            if let Some(line) = line {
                self.write(&self.err, &line, "\n");
            }
            return;
        }
        let (level, text) = voice::word_as(event, self.program);
        self.say(level, &text);
    }

    fn say(&self, level: Level, text: &str) {
        if !voice::shown(level, self.verbosity) {
            return;
        }
        let aside = self.aside.load(Ordering::Relaxed);
        let (stream, colour) =
            if aside { (&self.err, self.colour_err) } else { (&self.out, self.colour_out) };
        lock(&self.progress).suspend(|| self.write(stream, &voice::line(level, text, colour), "\n"));
    }

    fn write(&self, stream: &Mutex<Box<dyn Write + Send>>, text: &str, end: &str) {
        let mut stream = lock(stream);
        // A question has no line end and must be seen before the answer is awaited.
        let written =
            write!(stream, "{text}{end}").and_then(|()| if end.is_empty() { stream.flush() } else { Ok(()) });
        self.note(written);
    }

    /// Output that came before an error must be seen before it where both streams end in one place.
    fn flush_out(&self) {
        let flushed = lock(&self.out).flush();
        self.note(flushed);
    }

    fn note(&self, written: io::Result<()>) {
        if let Err(error) = written {
            lock(&self.broken).get_or_insert(error);
        }
    }
}

/// Passes the output of a program on, as it comes.
#[derive(Clone)]
pub(crate) struct Relay(Arc<Mouth>);

impl Relay {
    /// Writes to standard output; under `--json`, where that is for data, to standard error.
    ///
    /// # Errors
    /// What keeps it from being written, above all a reader that has gone away.
    pub(crate) fn out(&self, bytes: &[u8]) -> io::Result<()> {
        write_through(if self.0.json { &self.0.err } else { &self.0.out }, bytes)
    }

    /// Writes to standard error.
    ///
    /// # Errors
    /// As [`Relay::out`].
    pub(crate) fn err(&self, bytes: &[u8]) -> io::Result<()> {
        write_through(&self.0.err, bytes)
    }
}

fn write_through(stream: &Mutex<Box<dyn Write + Send>>, bytes: &[u8]) -> io::Result<()> {
    let mut stream = lock(stream);
    stream.write_all(bytes)?;
    stream.flush()
}

/// A poisoned lock means that another thread panicked while writing: the stream itself is still sound.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
