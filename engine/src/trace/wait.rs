//! Starting processes and waiting for them, with what they needed.

#![allow(unsafe_code, reason = "the standard library waits without asking what the process needed")]

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// What a process and those it waited for needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) peak_memory: u64,
}

/// Lets the new process call `work`, nothing but plain system calls, before it becomes the command.
///
/// That also makes it a process of its own at once; one that borrows the memory of this one would be told to need as much.
pub(super) fn before_exec(
    command: &mut Command,
    work: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the callers hand in plain system calls or nothing at all, which is safe between fork and exec.
    unsafe { command.pre_exec(work) };
}

/// Waits for one change of a process; `None` when no such process is left.
pub(super) fn once(pid: libc::pid_t, options: libc::c_int) -> io::Result<Option<(libc::pid_t, i32, Usage)>> {
    let mut status = 0;
    // SAFETY: all of its fields are numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to values that live until the call returns.
        let found = unsafe { libc::wait4(pid, &mut status, options, &mut usage) };
        if found >= 0 {
            return Ok(Some((found, status, Usage::from(&usage))));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

/// Waits until a process that this one started has ended.
pub(super) fn to_the_end(pid: libc::pid_t) -> io::Result<(ExitStatus, Usage)> {
    match once(pid, 0)? {
        Some((_, status, usage)) => Ok((ExitStatus::from_raw(status), usage)),
        None => Err(io::Error::from_raw_os_error(libc::ECHILD)),
    }
}

impl From<&libc::rusage> for Usage {
    fn from(usage: &libc::rusage) -> Self {
        let time = |time: libc::timeval| {
            let micros = u32::try_from(time.tv_usec).unwrap_or(0);
            Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), 1000 * micros)
        };
        // Apple counts bytes where others count kilobytes.
        let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
        Usage {
            cpu: time(usage.ru_utime) + time(usage.ru_stime),
            peak_memory: u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit,
        }
    }
}
