//! Running a command: its output is passed on as it comes and kept, its files are watched.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use holotype::trace::{Ended, Watch, watch};

use crate::ui::{Relay, Ui, lock};

/// Exit codes as shells give them.
const NOT_EXECUTABLE: u8 = 126;
pub(crate) const NOT_FOUND: u8 = 127;
const SIGNALLED: i32 = 128;

/// What to run.
pub(crate) struct Execution<'a> {
    pub(crate) words: &'a [String],
    pub(crate) folder: &'a Path,
    /// Variables beside those of this process.
    pub(crate) variables: &'a [(&'static str, String)],
    /// File that takes up what the command prints.
    pub(crate) log: Option<&'a Path>,
}

/// Runs a command to its end; returns how it ended and how long that took.
///
/// # Errors
/// What the system reports when the command cannot be started.
pub(crate) fn execute(ui: &Ui, what: &Execution<'_>, mut watching: Watch) -> io::Result<(Ended, Duration)> {
    if let Some(input) = redirected(0) {
        watching.files.open_to_read(&input);
    }
    let mut command = Command::new(&what.words[0]);
    command.args(&what.words[1..]).current_dir(what.folder);
    command.envs(what.variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let log = Arc::new(Mutex::new(what.log.and_then(|path| File::create(path).ok())));
    let begun = Instant::now();
    let mut copies = Vec::new();
    let mut ended = watch(command, watching, |child| copies = pass_on(child, &ui.relay(), &log))?;
    let elapsed = begun.elapsed();
    for copy in copies {
        let _ = copy.join();
    }
    if let Some(output) = redirected(1).filter(|_| !ui.json()) {
        ended.files.appear(&output);
    }
    Ok((ended, elapsed))
}

/// Returns the exit code of a command as shells give it.
pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| SIGNALLED + signal(status).unwrap_or(0))
}

/// Returns the exit code for a command that could not be started.
pub(crate) fn unstarted(error: &io::Error) -> u8 {
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE }
}

/// Returns the signal that ended a command.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    None
}

/// The file that takes up both streams; nothing once it cannot be written any more.
type Log = Arc<Mutex<Option<File>>>;

fn pass_on(child: &mut Child, relay: &Relay, log: &Log) -> Vec<JoinHandle<()>> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (to_out, to_err) = (relay.clone(), relay.clone());
    let out = out.map(|stream| copy(stream, Arc::clone(log), move |bytes| to_out.out(bytes)));
    let err = err.map(|stream| copy(stream, Arc::clone(log), move |bytes| to_err.err(bytes)));
    out.into_iter().chain(err).collect()
}

/// Copies a stream until it ends, or nobody wants to read it any more: then the command gets to know.
fn copy(
    mut from: impl Read + Send + 'static,
    log: Log,
    to: impl Fn(&[u8]) -> io::Result<()> + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            // A full disk must not end the command.
            let mut kept = lock(&log);
            if kept.as_mut().is_some_and(|file| file.write_all(&buffer[..read]).is_err()) {
                *kept = None;
            }
            drop(kept);
            if to(&buffer[..read]).is_err() {
                return;
            }
        }
    })
}

/// Returns the file that a stream of this process was redirected to.
fn redirected(stream: u8) -> Option<PathBuf> {
    let path = fs::read_link(format!("/proc/self/fd/{stream}")).ok()?;
    path.is_file().then_some(path)
}
