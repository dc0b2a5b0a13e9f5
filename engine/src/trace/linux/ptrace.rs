//! The system calls of tracing, each in a function that cannot be misused.

#![allow(unsafe_code, reason = "neither the standard library nor a safe crate offers them")]

use std::ffi::{OsString, c_void};
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::ptr;

use libc::{c_int, c_uint, pid_t};

use super::super::wait::{self, Usage};

/// Bytes that a path has at most, and those of the smallest page of memory.
const PATH_MAX: usize = 4096;
const PAGE: usize = 4096;

/// Everything that is started is followed, and ends with the tracer.
const OPTIONS: c_int = libc::PTRACE_O_TRACESECCOMP
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_EXITKILL;

/// A system call that a process is about to make.
pub(super) struct Call {
    pub(super) number: i64,
    pub(super) args: [u64; 5],
}

/// Lets the new process call `work` before it becomes the command.
pub(super) fn before_exec(
    command: &mut Command,
    work: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the one caller hands in plain system calls, which are safe between fork and exec.
    unsafe { command.pre_exec(work) };
}

pub(super) fn own_id() -> pid_t {
    // SAFETY: the call has no conditions.
    unsafe { libc::getpid() }
}

/// Writes a few bytes to a socket.
pub(super) fn send(fd: c_int, bytes: &[u8]) -> io::Result<()> {
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

/// Attaches to a process without stopping it.
pub(super) fn seize(pid: pid_t) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, pid, OPTIONS)
}

/// Lets a stopped process go on, with a signal unless it is 0.
pub(super) fn go_on(pid: pid_t, signal: c_int) -> io::Result<()> {
    request(libc::PTRACE_CONT, pid, signal)
}

/// Leaves a process as stopped as its shell wants it.
pub(super) fn stay_stopped(pid: pid_t) -> io::Result<()> {
    request(libc::PTRACE_LISTEN, pid, 0)
}

/// Lets a process go on with the signal that stopped it, if one did.
pub(super) fn pass_signal(pid: pid_t) -> io::Result<()> {
    // SAFETY: all of its fields are numbers or pointers, for which zero is a value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = libc::WSTOPPED | libc::WNOHANG | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: the pointer is to a value that lives until the call returns; it has a status once the call filled it.
    let (done, status) = unsafe {
        let done = libc::waitid(libc::P_PID, pid.cast_unsigned(), &mut info, options);
        (done, info.si_status())
    };
    match done {
        0 if info.si_signo != 0 => go_on(pid, status & 0x7f),
        _ => Ok(()),
    }
}

fn request(what: c_uint, pid: pid_t, data: c_int) -> io::Result<()> {
    // SAFETY: none of these requests writes to memory of this process; `data` is a number to them.
    let done =
        unsafe { libc::ptrace(what as _, pid, ptr::null_mut::<c_void>(), data as usize as *mut c_void) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Waits for one of the processes that this thread traces; `None` when none is left.
pub(super) fn next_change() -> io::Result<Option<(pid_t, i32, Usage)>> {
    // Children of other threads are theirs to wait for.
    wait::once(-1, libc::__WALL | libc::__WNOTHREAD)
}

/// Returns the system call at which a process stands.
pub(super) fn call(pid: pid_t) -> io::Result<Call> {
    // SAFETY: all of its fields are numbers, for which zero is a value.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    let mut vector =
        libc::iovec { iov_base: (&raw mut registers).cast(), iov_len: size_of::<libc::user_regs_struct>() };
    let general = libc::NT_PRSTATUS as usize as *mut c_void;
    // SAFETY: the vector describes the structure above, which the system fills.
    let done = unsafe { libc::ptrace(libc::PTRACE_GETREGSET as _, pid, general, &raw mut vector) };
    if done == -1 { Err(io::Error::last_os_error()) } else { Ok(Call::from(&registers)) }
}

#[cfg(target_arch = "x86_64")]
impl From<&libc::user_regs_struct> for Call {
    fn from(registers: &libc::user_regs_struct) -> Call {
        Call {
            number: registers.orig_rax.cast_signed(),
            args: [registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8],
        }
    }
}

#[cfg(target_arch = "aarch64")]
impl From<&libc::user_regs_struct> for Call {
    fn from(registers: &libc::user_regs_struct) -> Call {
        let regs = &registers.regs;
        Call { number: regs[8].cast_signed(), args: [regs[0], regs[1], regs[2], regs[3], regs[4]] }
    }
}

/// Returns the text at an address of a process, up to the byte 0.
pub(super) fn text(pid: pid_t, address: u64) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(256);
    while bytes.len() < PATH_MAX {
        let at = usize::try_from(address).ok()?.checked_add(bytes.len())?;
        // Nothing beyond the page needs to be there.
        let room = (PAGE - at % PAGE).min(256);
        let piece = memory(pid, at, room)?;
        if let Some(end) = piece.iter().position(|byte| *byte == 0) {
            bytes.extend_from_slice(&piece[..end]);
            return Some(OsString::from_vec(bytes).into());
        }
        bytes.extend_from_slice(&piece);
    }
    None
}

/// Returns a number at an address of a process.
pub(super) fn number(pid: pid_t, address: u64) -> Option<u64> {
    let bytes = memory(pid, usize::try_from(address).ok()?, size_of::<u64>())?;
    Some(u64::from_ne_bytes(bytes.try_into().ok()?))
}

fn memory(pid: pid_t, address: usize, len: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; len];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: len };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: len };
    // SAFETY: the local vector describes the bytes above; the remote one is only read, by the system.
    let read = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    (usize::try_from(read) == Ok(len)).then_some(bytes)
}
