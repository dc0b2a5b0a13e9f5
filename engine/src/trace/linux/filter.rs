//! The seccomp filter: which system calls are held back for the listener.

#![allow(unsafe_code, reason = "neither the standard library nor a safe crate offers the call")]

use std::io;

use libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_ALLOW,
    SECCOMP_RET_USER_NOTIF, sock_filter,
};

/// Where the filter finds things in what the system hands it.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
/// The lower half of the third argument, the flags of `openat`, on processors that put it first.
const FLAGS: u32 = 16 + 2 * 8;

/// What the system calls this processor.
#[cfg(target_arch = "x86_64")]
const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const NATIVE: u32 = 0xc000_00b7;

/// Calls that open, rename, link or remove files, and those that start programs.
#[cfg(target_arch = "x86_64")]
const CALLS: [i64; 13] = [
    libc::SYS_openat,
    libc::SYS_open,
    libc::SYS_openat2,
    libc::SYS_creat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_link,
    libc::SYS_unlink,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_truncate,
    libc::SYS_execve,
];
#[cfg(target_arch = "aarch64")]
const CALLS: [i64; 8] = [
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_truncate,
    libc::SYS_execve,
];

/// Opening a folder, or something without reading it, tells nothing about content.
const UNTELLING: u32 = (libc::O_DIRECTORY | libc::O_PATH).cast_unsigned();

const LEN: usize = CALLS.len() + 8;

/// Returns the filter: other processors and other calls pass, as do folders.
const fn program() -> [sock_filter; LEN] {
    let mut program = [step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); LEN];
    program[0] = step(BPF_LD | BPF_W | BPF_ABS, ARCHITECTURE, 0, 0);
    // To the step after the next, or over everything to the last one.
    program[1] = step(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, (LEN - 3) as u8);
    program[2] = step(BPF_LD | BPF_W | BPF_ABS, NUMBER, 0, 0);
    program[3] = step(BPF_JMP | BPF_JEQ | BPF_K, CALLS[0] as u32, 0, 2);
    program[4] = step(BPF_LD | BPF_W | BPF_ABS, FLAGS, 0, 0);
    program[5] = step(BPF_JMP | BPF_JSET | BPF_K, UNTELLING, (LEN - 7) as u8, (LEN - 8) as u8);
    let mut at = 6;
    while at < LEN - 3 {
        program[at] = step(BPF_JMP | BPF_JEQ | BPF_K, CALLS[at - 5] as u32, (LEN - 3 - at) as u8, 0);
        at += 1;
    }
    // None of them: on to the last step.
    program[LEN - 3] = step(BPF_JMP, 1, 0, 0);
    program[LEN - 2] = step(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
    program
}

const fn step(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

static PROGRAM: [sock_filter; LEN] = program();

/// Puts the filter on this process and all that it starts, and returns what listens to it.
///
/// Programs that run with the rights of their owner get none of them from now on.
pub(super) fn install() -> io::Result<i32> {
    let program = libc::sock_fprog { len: LEN as u16, filter: PROGRAM.as_ptr().cast_mut() };
    // SAFETY: the program lives for ever and the system only reads it.
    let listener = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 {
            return Err(io::Error::last_os_error());
        }
        let (mode, flag) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
        libc::syscall(libc::SYS_seccomp, mode, flag, &raw const program)
    };
    if listener < 0 {
        Err(io::Error::last_os_error())
    } else {
        i32::try_from(listener).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter as the system does.
    fn verdict(arch: u32, number: i64, flags: i32) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = PROGRAM[at];
            at += 1;
            let code = u32::from(code);
            if code == BPF_RET | BPF_K {
                return k;
            } else if code == BPF_LD | BPF_W | BPF_ABS {
                value = match k {
                    NUMBER => number as u32,
                    ARCHITECTURE => arch,
                    FLAGS => flags as u32,
                    other => panic!("{other}"),
                };
            } else if code == BPF_JMP {
                at += k as usize;
            } else {
                let holds = if code == BPF_JMP | BPF_JEQ | BPF_K { value == k } else { value & k != 0 };
                at += usize::from(if holds { jt } else { jf });
            }
        }
    }

    #[test]
    fn only_calls_that_tell_something_are_held_back() {
        for call in CALLS {
            assert_eq!(verdict(NATIVE, call, 0), SECCOMP_RET_USER_NOTIF, "{call}");
            assert_eq!(verdict(NATIVE ^ 1, call, 0), SECCOMP_RET_ALLOW, "{call}");
        }
        for call in [libc::SYS_read, libc::SYS_write, libc::SYS_mmap, libc::SYS_newfstatat] {
            assert_eq!(verdict(NATIVE, call, 0), SECCOMP_RET_ALLOW, "{call}");
        }
        assert_eq!(verdict(NATIVE, libc::SYS_openat, libc::O_DIRECTORY), SECCOMP_RET_ALLOW);
        assert_eq!(verdict(NATIVE, libc::SYS_openat, libc::O_WRONLY | libc::O_CREAT), SECCOMP_RET_USER_NOTIF);
        // Flags are no flags in other calls.
        assert_eq!(verdict(NATIVE, libc::SYS_linkat, libc::O_DIRECTORY), SECCOMP_RET_USER_NOTIF);
    }
}
