//! What a system call means for the files of a command.

use std::fs;
use std::path::PathBuf;

use libc::{c_int, pid_t};

use super::super::Files;
use super::super::files::Write;
use super::listen::{self, Call};

/// Notes what the call is about to do.
pub(super) fn note(files: &mut Files, call: &Call) {
    // A path that cannot be read makes the call fail: nothing happens then.
    let _ = try_note(files, call);
}

fn try_note(files: &mut Files, call: &Call) -> Option<()> {
    let (pid, args) = (call.pid, &call.args);
    let path = |folder: Option<usize>, at: usize| path(pid, folder.map(|folder| args[folder]), args[at]);
    let flags = |value: u64| value as c_int;
    match call.number {
        libc::SYS_openat => open(files, path(Some(0), 1)?, flags(args[2])),
        libc::SYS_openat2 => open(files, path(Some(0), 1)?, flags(listen::number(pid, args[2])?)),
        libc::SYS_renameat | libc::SYS_linkat => files.rename(&path(Some(0), 1)?, &path(Some(2), 3)?),
        libc::SYS_renameat2 => {
            let (from, to) = (path(Some(0), 1)?, path(Some(2), 3)?);
            files.rename(&from, &to);
            if args[4] & u64::from(libc::RENAME_EXCHANGE) != 0 {
                files.rename(&to, &from);
            }
        }
        libc::SYS_unlinkat => files.remove(&path(Some(0), 1)?),
        libc::SYS_execve => files.start(&path(None, 0)?),
        libc::SYS_truncate => files.open_to_write(&path(None, 0)?, Write::Over),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => open(files, path(None, 0)?, flags(args[1])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => files.open_to_write(&path(None, 0)?, Write::Anew),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => files.remove(&path(None, 0)?),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename | libc::SYS_link => files.rename(&path(None, 0)?, &path(None, 1)?),
        _ => {}
    }
    Some(())
}

fn open(files: &mut Files, path: PathBuf, flags: c_int) {
    if flags & (libc::O_PATH | libc::O_DIRECTORY) != 0 {
        return;
    }
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY if flags & libc::O_TRUNC == 0 => files.open_to_read(&path),
        _ if flags & libc::O_TRUNC != 0 => files.open_to_write(&path, Write::Anew),
        _ => files.open_to_write(&path, Write::Over),
    }
}

/// Returns the absolute path that a process names, relative to a folder that it has open or to its working directory.
fn path(pid: pid_t, folder: Option<u64>, address: u64) -> Option<PathBuf> {
    let named = listen::text(pid, address)?;
    if named.is_absolute() {
        return Some(named);
    }
    let base = match folder.map(|folder| folder as c_int) {
        None | Some(libc::AT_FDCWD) => format!("/proc/{pid}/cwd"),
        Some(folder) => format!("/proc/{pid}/fd/{folder}"),
    };
    Some(fs::read_link(base).ok()?.join(named))
}
