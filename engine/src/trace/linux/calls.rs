//! What a system call means for the files of a command.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use libc::c_int;

use super::super::Files;
use super::super::files::Write;
use super::listen::{self, Call, PATH_MAX};

/// Notes what the call is about to do; `room` is for paths.
pub(super) fn note(files: &mut Files, call: &Call, room: &mut [u8; PATH_MAX]) {
    // A path that cannot be read makes the call fail: nothing happens then.
    let _ = try_note(files, call, room);
}

fn try_note(files: &mut Files, call: &Call, room: &mut [u8; PATH_MAX]) -> Option<()> {
    let (pid, args) = (call.pid, &call.args);
    let mut paths = Paths { call, room };
    let flags = |value: u64| value as c_int;
    match call.number {
        libc::SYS_openat => open(files, &paths.at(Some(0), 1)?, flags(args[2])),
        libc::SYS_openat2 => open(files, &paths.at(Some(0), 1)?, flags(listen::number(pid, args[2])?)),
        libc::SYS_renameat | libc::SYS_linkat => {
            let from = paths.at(Some(0), 1)?.into_owned();
            files.rename(&from, &paths.at(Some(2), 3)?);
        }
        libc::SYS_renameat2 => {
            let from = paths.at(Some(0), 1)?.into_owned();
            let to = paths.at(Some(2), 3)?;
            files.rename(&from, &to);
            if args[4] & u64::from(libc::RENAME_EXCHANGE) != 0 {
                files.rename(&to, &from);
            }
        }
        libc::SYS_unlinkat => files.remove(&paths.at(Some(0), 1)?),
        libc::SYS_execve => files.start(&paths.at(None, 0)?),
        libc::SYS_truncate => files.open_to_write(&paths.at(None, 0)?, Write::Over),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => open(files, &paths.at(None, 0)?, flags(args[1])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => files.open_to_write(&paths.at(None, 0)?, Write::Anew),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink => files.remove(&paths.at(None, 0)?),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename | libc::SYS_link => {
            let from = paths.at(None, 0)?.into_owned();
            files.rename(&from, &paths.at(None, 1)?);
        }
        _ => {}
    }
    Some(())
}

fn open(files: &mut Files, path: &Path, flags: c_int) {
    if flags & (libc::O_PATH | libc::O_DIRECTORY) != 0 {
        return;
    }
    match flags & libc::O_ACCMODE {
        libc::O_RDONLY if flags & libc::O_TRUNC == 0 => files.open_to_read(path),
        _ if flags & libc::O_TRUNC != 0 => files.open_to_write(path, Write::Anew),
        _ => files.open_to_write(path, Write::Over),
    }
}

/// The paths that a call names.
struct Paths<'a> {
    call: &'a Call,
    room: &'a mut [u8; PATH_MAX],
}

impl Paths<'_> {
    /// Returns the absolute path whose address is an argument, relative to the folder that another argument says is open
    /// or to the working directory.
    fn at(&mut self, folder: Option<usize>, argument: usize) -> Option<Cow<'_, Path>> {
        let Call { pid, args, .. } = self.call;
        let named = listen::path(*pid, args[argument], self.room)?;
        if named.is_absolute() {
            return Some(Cow::Borrowed(named));
        }
        let base = match folder.map(|folder| args[folder] as c_int) {
            None | Some(libc::AT_FDCWD) => format!("/proc/{pid}/cwd"),
            Some(folder) => format!("/proc/{pid}/fd/{folder}"),
        };
        Some(Cow::Owned(fs::read_link(base).ok()?.join(named)))
    }
}
