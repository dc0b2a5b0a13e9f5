//! The system calls of listening to a seccomp filter, each in a function that cannot be misused.

#![allow(unsafe_code, reason = "neither the standard library nor a safe crate offers them")]

use std::ffi::{OsStr, c_void};
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use libc::{c_int, pid_t};

/// Bytes that a path has at most, and those of the smallest page of memory.
pub(super) const PATH_MAX: usize = 4096;
const PAGE: usize = 4096;

/// Bytes of a path that are read at a time.
const PIECE: usize = 256;

/// Lets the listener run on the processor of the caller, who waits for it anyway; known since Linux 6.6.
const SYNC_WAKE_UP: u64 = 1;

/// A system call that a process is about to make.
pub(super) struct Call {
    id: u64,
    pub(super) pid: pid_t,
    pub(super) number: i64,
    pub(super) args: [u64; 6],
}

pub(super) fn own_id() -> pid_t {
    // SAFETY: the call has no conditions.
    unsafe { libc::getpid() }
}

/// Closes what a new process inherited.
pub(super) fn close(fd: c_int) {
    // SAFETY: the one caller is a new process that uses nothing but system calls from now on.
    unsafe { libc::close(fd) };
}

/// Lets this process be killed when the thread that started it ends.
pub(super) fn end_with_parent() -> io::Result<()> {
    // SAFETY: the call takes numbers alone.
    done(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) })
}

/// Makes this process the parent of processes whose own parent ends.
pub(super) fn adopt_orphans() -> io::Result<()> {
    // SAFETY: the call takes numbers alone.
    done(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) })
}

/// Writes a number to a socket.
pub(super) fn send(fd: c_int, number: i32) -> io::Result<()> {
    let bytes = number.to_ne_bytes();
    // SAFETY: the pointer is to as many bytes as are announced.
    let sent = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    if usize::try_from(sent) == Ok(bytes.len()) { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads one byte from a socket.
pub(super) fn receive(fd: c_int) -> io::Result<u8> {
    let mut byte = 0u8;
    loop {
        // SAFETY: the pointer is to one byte, as announced.
        match unsafe { libc::read(fd, (&raw mut byte).cast(), 1) } {
            1 => return Ok(byte),
            0 => return Err(io::Error::from_raw_os_error(libc::EPIPE)),
            _ => {
                let error = io::Error::last_os_error();
                if error.raw_os_error() != Some(libc::EINTR) {
                    return Err(error);
                }
            }
        }
    }
}

/// Returns a copy of what another process has open.
pub(super) fn descriptor_of(pid: pid_t, fd: c_int) -> io::Result<OwnedFd> {
    let process = owned(|| {
        // SAFETY: the call takes numbers alone.
        unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }
    })?;
    owned(|| {
        // SAFETY: the call takes numbers alone.
        unsafe { libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd, 0) }
    })
}

fn owned(open: impl FnOnce() -> libc::c_long) -> io::Result<OwnedFd> {
    match c_int::try_from(open()) {
        // SAFETY: the system has just given it to this process, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes waking up the listener cheap, where the system can.
pub(super) fn wake_at_once(listener: &OwnedFd) {
    // SAFETY: the request takes a number.
    let _ = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
}

/// Waits for a call; false once nobody is left who could make one.
pub(super) fn await_call(listener: &OwnedFd) -> io::Result<bool> {
    let mut waiting = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    loop {
        // SAFETY: the pointer is to one structure, as announced.
        let done = unsafe { libc::poll(&mut waiting, 1, -1) };
        if done > 0 {
            return Ok(waiting.revents & libc::POLLIN != 0);
        }
        let error = io::Error::last_os_error();
        if done < 0 && error.raw_os_error() != Some(libc::EINTR) {
            return Err(error);
        }
    }
}

/// Returns the call that waits; `None` when its process has been killed meanwhile.
pub(super) fn next_call(listener: &OwnedFd) -> io::Result<Option<Call>> {
    // SAFETY: all of its fields are numbers, for which zero is a value, and the one that the system wants.
    let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to the structure that the request fills.
    let done = unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call) };
    if done == 0 {
        let pid = call.pid.cast_signed();
        return Ok(Some(Call { id: call.id, pid, number: call.data.nr.into(), args: call.data.args }));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EINTR) => Ok(None),
        _ => Err(error),
    }
}

/// Lets a call go on as if nobody had looked.
pub(super) fn let_go_on(listener: &OwnedFd, call: &Call) -> io::Result<()> {
    let answer = libc::seccomp_notif_resp {
        id: call.id,
        val: 0,
        error: 0,
        flags: u32::try_from(libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE).unwrap_or(1),
    };
    // SAFETY: the pointer is to the structure that the request reads.
    let sent =
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const answer) };
    match done(sent) {
        // Killed meanwhile.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        sent => sent,
    }
}

fn done(result: c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Returns the path at an address of a process, up to the byte 0, read into `room`: a call more or less is nothing, but
/// there are thousands in a second, and most of them are of no interest.
pub(super) fn path(pid: pid_t, address: u64, room: &mut [u8; PATH_MAX]) -> Option<&Path> {
    let address = usize::try_from(address).ok()?;
    let mut len = 0;
    while len < PATH_MAX {
        let at = address.checked_add(len)?;
        // Nothing beyond the page needs to be there.
        let piece = (PAGE - at % PAGE).min(PIECE).min(PATH_MAX - len);
        let piece = memory(pid, at, &mut room[len..len + piece])?;
        if let Some(end) = piece.iter().position(|byte| *byte == 0) {
            return Some(Path::new(OsStr::from_bytes(&room[..len + end])));
        }
        len += piece.len();
    }
    None
}

/// Returns a number at an address of a process.
pub(super) fn number(pid: pid_t, address: u64) -> Option<u64> {
    let mut bytes = [0u8; 8];
    memory(pid, usize::try_from(address).ok()?, &mut bytes)?;
    Some(u64::from_ne_bytes(bytes))
}

fn memory(pid: pid_t, address: usize, bytes: &mut [u8]) -> Option<&[u8]> {
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
    // SAFETY: the local vector describes the bytes above; the remote one is only read, by the system.
    let read = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    (usize::try_from(read) == Ok(bytes.len())).then_some(bytes)
}
