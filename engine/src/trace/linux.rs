//! Tracing on Linux: where a seccomp filter says so, the system holds a call back until this process has seen it.
//!
//! The new process puts the filter on itself before it becomes the command; all that it starts inherits it. A thread of
//! this process, the listener, gets every call that is held back, reads the path from the memory of the caller and lets
//! the call go on. Nothing else of the command is touched: it may be stopped, debugged and signalled as ever. Without the
//! listener every such call fails, so that the command is killed together with this process.

mod calls;
mod filter;
mod listen;

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::thread;

use super::wait::{self, Usage};
use super::{Ended, Files};

/// The first Linux that tells a listener when nobody is left.
const OLDEST: (u32, u32) = (5, 9);

/// The first Linux that ends waiting for a call when nobody is left who could make one.
const TELLING: (u32, u32) = (6, 11);

/// What the new process is told before its program is loaded.
const TRACED: u8 = b't';
const ALONE: u8 = b'a';

pub(super) fn watch(
    command: &mut Command,
    files: Files,
    started: impl FnOnce(&mut Child),
) -> io::Result<Ended> {
    let (ours, theirs) = UnixStream::pair()?;
    let (other, fd) = (ours.as_raw_fd(), theirs.as_raw_fd());
    wait::before_exec(command, move || agree(other, fd));
    thread::scope(|scope| {
        let listener = scope.spawn(move || attend(ours, fd, files));
        let spawned = command.spawn();
        // Nobody who waits for a word from the new process waits for ever.
        drop(theirs);
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                let _ = listener.join();
                return Err(error);
            }
        };
        started(&mut child);
        let (status, usage) = end_of_all(child.id().cast_signed())?;
        let (files, refused) = listener.join().map_err(|_| io::Error::other("the listener failed"))??;
        Ok(Ended { status, cpu: usage.cpu, peak_memory: usage.peak_memory, files, stopped: None, refused })
    })
}

/// Waits for the command and for what it left behind, which the system makes children of this process.
fn end_of_all(root: libc::pid_t) -> io::Result<(ExitStatus, Usage)> {
    let mut end = None;
    while let Some((pid, status, usage)) = wait::once(-1, libc::__WNOTHREAD)? {
        if pid == root {
            end = Some((ExitStatus::from_raw(status), usage));
        }
    }
    end.ok_or_else(|| io::Error::from_raw_os_error(libc::ECHILD))
}

/// What the new process does before it becomes the command; only plain system calls are allowed here.
fn agree(other: i32, fd: i32) -> io::Result<()> {
    // With its own copy of the other end open, it would wait for ever for a parent that was killed.
    listen::close(other);
    listen::send(fd, listen::own_id())?;
    if listen::receive(fd)? != TRACED {
        return Ok(());
    }
    listen::end_with_parent()?;
    listen::send(fd, filter::install().unwrap_or(-1))?;
    listen::receive(fd).map(|_| ())
}

/// Listens to the command until nobody is left; returns what was opened, or why that is not known.
fn attend(mut stream: UnixStream, theirs: i32, files: Files) -> io::Result<(Files, Option<String>)> {
    let Ok(pid) = number(&mut stream) else { return Ok((files, None)) };
    // Once the filter is on it cannot be taken off: whether this works is tried on something else first.
    let refused = too_old().or_else(|| {
        let tried = listen::descriptor_of(pid, theirs);
        tried.err().map(|error| format!("the system does not permit tracing: {error}"))
    });
    if refused.is_some() {
        stream.write_all(&[ALONE])?;
        return Ok((files, refused));
    }
    listen::adopt_orphans()?;
    stream.write_all(&[TRACED])?;
    let Ok(listener) = number(&mut stream) else { return Ok((files, None)) };
    if listener < 0 {
        stream.write_all(&[ALONE])?;
        let refused = "the system does not permit it, or the command runs within another `holotype run`";
        return Ok((files, Some(refused.to_owned())));
    }
    let listener = listen::descriptor_of(pid, listener)?;
    stream.write_all(&[TRACED])?;
    Ok((follow(&listener, files)?, None))
}

/// Notes the calls of the command, and lets them go on, until nobody is left.
fn follow(listener: &OwnedFd, mut files: Files) -> io::Result<Files> {
    listen::wake_at_once(listener);
    let mut room = [0; listen::PATH_MAX];
    let sure = is_at_least(TELLING);
    // Whoever waits for a call where nobody is left waits for ever, before Linux has learnt to tell: it is asked first.
    while sure || listen::await_call(listener)? {
        match listen::next_call(listener)? {
            Some(call) => {
                calls::note(&mut files, &call, &mut room);
                listen::let_go_on(listener, &call)?;
            }
            // Its process is gone: others may be left.
            None if sure && !listen::await_call(listener)? => break,
            None => {}
        }
    }
    Ok(files)
}

fn number(stream: &mut UnixStream) -> io::Result<i32> {
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes)?;
    Ok(i32::from_ne_bytes(bytes))
}

/// Returns why this system cannot trace, if it is too old for that.
fn too_old() -> Option<String> {
    let (major, minor) = OLDEST;
    (!is_at_least(OLDEST)).then(|| format!("this needs Linux {major}.{minor}, not {}", release()))
}

fn is_at_least(version: (u32, u32)) -> bool {
    let release = release();
    let mut parts = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= version
}

fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}
