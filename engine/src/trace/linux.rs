//! Tracing on Linux: a process and all that it starts stop where a seccomp filter says so.
//!
//! The process starts in one thread, which waits until the command runs, while another thread, the tracer, attaches to it
//! before its program is loaded. All processes that the command starts are attached by the system itself. When the tracer
//! goes away they are killed: without it, every call that the filter stops would fail.

mod calls;
mod filter;
mod ptrace;

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::wait::{self, Usage};
use super::{Ended, Files, Living};

/// What the command and the tracer tell each other before the command's program is loaded.
const ATTACHED: u8 = b'a';
const ALONE: u8 = b'n';
const FILTERED: u8 = b'f';
const UNFILTERED: u8 = b'u';

/// How long loading a program takes at most unless something is in the way.
const LOADING: Duration = Duration::from_millis(50);

/// How the tracer got on.
struct Followed {
    files: Files,
    /// How the command ended; nothing where it has yet to be waited for.
    end: Option<(ExitStatus, Usage)>,
    refused: Option<String>,
}

pub(super) fn watch(
    command: &mut Command,
    files: Files,
    living: &Living,
    started: impl FnOnce(&mut Child),
) -> io::Result<Ended> {
    let (ours, theirs) = UnixStream::pair()?;
    let fd = theirs.as_raw_fd();
    ptrace::before_exec(command, move || agree(fd));
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let tracer = scope.spawn(move || follow(ours, files, living, &told));
        let spawned = command.spawn();
        let _ = tell.send(spawned.is_ok());
        // The tracer waits for a word from the command: without one there is none any more.
        drop(theirs);
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let _ = tracer.join();
                return Err(error);
            }
        };
        started(&mut child);
        let followed = tracer.join().map_err(|_| io::Error::other("the tracer failed"))??;
        let (status, usage) = match followed.end {
            Some(end) => end,
            None => wait::to_the_end(i32::try_from(child.id()).map_err(io::Error::other)?)?,
        };
        let Followed { files, refused, .. } = followed;
        Ok(Ended { status, cpu: usage.cpu, peak_memory: usage.peak_memory, files, stopped: None, refused })
    })
}

/// What the new process does before it becomes the command; only plain system calls are allowed here.
fn agree(fd: i32) -> io::Result<()> {
    ptrace::send(fd, &ptrace::own_id().to_ne_bytes())?;
    if ptrace::receive(fd)? == ATTACHED {
        let word = if filter::install().is_ok() { FILTERED } else { UNFILTERED };
        ptrace::send(fd, &[word])?;
    }
    Ok(())
}

/// Attaches to the command and follows it to its end.
fn follow(
    mut stream: UnixStream,
    files: Files,
    living: &Living,
    spawned: &Receiver<bool>,
) -> io::Result<Followed> {
    let mut id = [0; 4];
    if stream.read_exact(&mut id).is_err() {
        return Ok(Followed { files, end: None, refused: None });
    }
    let pid = i32::from_ne_bytes(id);
    living.add(pid);
    if let Err(error) = ptrace::seize(pid) {
        stream.write_all(&[ALONE])?;
        let refused = Some(format!("the system does not permit tracing: {error}"));
        return Ok(Followed { files, end: None, refused });
    }
    stream.write_all(&[ATTACHED])?;
    // Until the program is loaded the process belongs to the thread that waits for that, which also takes note of its end.
    loop {
        match spawned.recv_timeout(LOADING) {
            Ok(true) => break,
            Ok(false) | Err(RecvTimeoutError::Disconnected) => {
                return Ok(Followed { files, end: None, refused: None });
            }
            // A signal may have stopped it on the way.
            Err(RecvTimeoutError::Timeout) => ptrace::pass_signal(pid)?,
        }
    }
    let mut tracer = Tracer { root: pid, files, living, end: None };
    tracer.run()?;
    // Said long ago, before the command's program was loaded.
    let mut word = [0];
    let unfiltered = stream.read_exact(&mut word).is_ok() && word[0] == UNFILTERED;
    let refused = unfiltered.then(|| "the system does not permit a seccomp filter".to_owned());
    Ok(Followed { files: tracer.files, end: tracer.end, refused })
}

/// What the tracer knows.
struct Tracer<'a> {
    root: libc::pid_t,
    files: Files,
    living: &'a Living,
    end: Option<(ExitStatus, Usage)>,
}

impl Tracer<'_> {
    /// Lets processes go on at every stop until none is left.
    fn run(&mut self) -> io::Result<()> {
        while let Some((pid, status, usage)) = ptrace::next_change()? {
            if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
                self.living.all().remove(&pid);
                if pid == self.root {
                    self.end = Some((ExitStatus::from_raw(status), usage));
                }
            } else if libc::WIFSTOPPED(status) {
                self.stopped(pid, status);
            }
        }
        Ok(())
    }

    fn stopped(&mut self, pid: libc::pid_t, status: i32) {
        let signal = libc::WSTOPSIG(status);
        // A process that is killed in the meantime cannot be asked, and need not go on.
        let _ = match status >> 16 {
            libc::PTRACE_EVENT_SECCOMP => {
                if let Ok(call) = ptrace::call(pid) {
                    calls::note(&mut self.files, pid, &call);
                }
                ptrace::go_on(pid, 0)
            }
            libc::PTRACE_EVENT_EXEC => {
                if let Ok(program) = fs::read_link(format!("/proc/{pid}/exe")) {
                    self.files.open_to_read(&program);
                    self.files.start(program);
                }
                ptrace::go_on(pid, 0)
            }
            libc::PTRACE_EVENT_STOP if is_job_control(signal) => ptrace::stay_stopped(pid),
            libc::PTRACE_EVENT_STOP => {
                self.living.add(pid);
                ptrace::go_on(pid, 0)
            }
            0 => ptrace::go_on(pid, signal),
            _ => ptrace::go_on(pid, 0),
        };
    }
}

/// Returns true for the signals by which a shell stops a job.
fn is_job_control(signal: i32) -> bool {
    matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU)
}
