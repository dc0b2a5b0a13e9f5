//! Watching a command: which files it and everything it starts open, how it ends and what it needs.
//!
//! On Linux a seccomp filter holds back the few system calls that open, rename, link or remove files or start programs; a
//! thread of this process reads the path and lets them go on. Nothing has to be installed, and no privilege is needed. Where the
//! system does not permit it the command runs all the same, and [`Ended::refused`] says why nothing is known of its files.
//!
//! ```
//! use holotype::trace::{Watch, watch};
//! use std::process::Command;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = std::fs::canonicalize(folder.path()).unwrap();
//! std::fs::write(folder.join("in.txt"), "3\n1\n2\n").unwrap();
//! let mut sort = Command::new("sort");
//! sort.args(["in.txt", "-o", "out.txt"]).current_dir(&folder);
//!
//! let ended = watch(sort, Watch::inside([folder.clone()]), |_| {})?;
//! assert!(ended.status.success());
//! if ended.refused.is_none() {
//!     let read: Vec<_> = ended.files.read().map(|file| &file.path).collect();
//!     let written: Vec<_> = ended.files.written().map(|file| &file.path).collect();
//!     assert_eq!((read, written), (vec![&folder.join("in.txt")], vec![&folder.join("out.txt")]));
//! }
//! # Ok::<(), std::io::Error>(())
//! ```

mod files;
#[cfg(unix)]
mod interrupts;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod linux;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod wait;

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

pub(crate) use files::plain;
pub use files::{Files, Seen, Write};
#[cfg(unix)]
pub use interrupts::{Interrupts, interrupted};

/// What to watch.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// Files opened so far, such as those that standard input and output are connected to, and where to look.
    pub files: Files,
    /// Whether system calls are traced; otherwise only what the command needs is measured.
    pub traced: bool,
    /// Signals that would end this process go to the command instead.
    pub forwards: bool,
}

impl Watch {
    /// Returns the wish to see what is opened below these folders, given as real paths.
    pub fn inside(folders: impl IntoIterator<Item = PathBuf>) -> Watch {
        Watch { files: Files::inside(folders), traced: true, forwards: false }
    }
}

/// A command that has ended, with everything that it started where that was traced.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Processor time of the command and of what it waited for; zero where the system does not tell.
    pub cpu: Duration,
    /// Largest memory, in bytes, of any one of its processes; zero where the system does not tell.
    pub peak_memory: u64,
    /// What was opened.
    pub files: Files,
    /// The last signal that came to end it, from a terminal or forwarded.
    pub stopped: Option<i32>,
    /// Why the files are not known, where they were to be watched and the system did not permit it.
    pub refused: Option<String>,
}

/// Runs a command to its end and watches it; `started` is handed the process as soon as it runs.
///
/// A traced command has ended when all that it started has. If this process is killed, so is a traced command, and what it
/// started can open nothing any more. Meant for a thread that has started nothing else: it waits for all that is left behind.
///
/// # Errors
/// What the system reports when the command cannot be started or waited for.
pub fn watch(mut command: Command, watch: Watch, started: impl FnOnce(&mut Child)) -> io::Result<Ended> {
    #[cfg(unix)]
    let signals = watch.forwards.then(signals::Forwarding::start).transpose()?;
    let mut ended = run(&mut command, watch, started)?;
    #[cfg(unix)]
    if let Some(signals) = signals {
        ended.stopped = signals.stop();
    }
    Ok(ended)
}

fn run(command: &mut Command, watch: Watch, started: impl FnOnce(&mut Child)) -> io::Result<Ended> {
    #[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
    if watch.traced {
        return linux::watch(command, watch.files, started);
    }
    let refused = watch.traced.then(|| "tracing is known for Linux on x86_64 and aarch64 alone".to_owned());
    #[cfg(unix)]
    wait::before_exec(command, || Ok(()));
    let mut child = command.spawn()?;
    started(&mut child);
    let (status, cpu, peak_memory) = untraced(&mut child)?;
    Ok(Ended { status, cpu, peak_memory, files: watch.files, stopped: None, refused })
}

#[cfg(unix)]
fn untraced(child: &mut Child) -> io::Result<(ExitStatus, Duration, u64)> {
    let (status, usage) = wait::to_the_end(child.id().cast_signed())?;
    Ok((status, usage.cpu, usage.peak_memory))
}

#[cfg(not(unix))]
fn untraced(child: &mut Child) -> io::Result<(ExitStatus, Duration, u64)> {
    Ok((child.wait()?, Duration::ZERO, 0))
}
