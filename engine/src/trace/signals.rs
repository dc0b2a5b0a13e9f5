//! Signals that would end this process, handed on to a command.
//!
//! What a terminal sends reaches the whole group of processes by itself and is only noted. What somebody sends to this
//! process alone is sent on to every process of the command that lives.

#![allow(unsafe_code, reason = "the standard library knows no signals")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use libc::c_int;

const SIGNALS: [c_int; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];

/// How often somebody looks whether a signal came.
const PAUSE: Duration = Duration::from_millis(20);

/// The last signal of either kind, and those that are to be sent on, one bit each.
static LAST: AtomicI32 = AtomicI32::new(0);
static PENDING: AtomicU64 = AtomicU64::new(0);

/// Signals go to the command as long as this value lives; one at a time.
pub(super) struct Forwarding {
    former: Vec<(c_int, libc::sigaction)>,
    over: Arc<AtomicBool>,
    sender: Option<JoinHandle<()>>,
}

extern "C" fn note(signal: c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    LAST.store(signal, Ordering::Relaxed);
    // SAFETY: the system hands a valid pointer to handlers that asked for it.
    let from_process = unsafe { (*info).si_code } <= 0;
    if from_process {
        PENDING.fetch_or(1 << signal, Ordering::Relaxed);
    }
}

impl Forwarding {
    /// Takes the signals over.
    pub(super) fn start() -> io::Result<Forwarding> {
        LAST.store(0, Ordering::Relaxed);
        PENDING.store(0, Ordering::Relaxed);
        let mut forwarding =
            Forwarding { former: Vec::new(), over: Arc::new(AtomicBool::new(false)), sender: None };
        for signal in SIGNALS {
            // SAFETY: zero is a value of each of its fields; the handler does nothing but store numbers.
            let (action, mut former): (libc::sigaction, libc::sigaction) = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut libc::c_void) = note;
                action.sa_sigaction = handler as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
                (action, std::mem::zeroed())
            };
            // SAFETY: both pointers are to values that live until the call returns.
            if unsafe { libc::sigaction(signal, &action, &mut former) } == -1 {
                return Err(io::Error::last_os_error());
            }
            forwarding.former.push((signal, former));
            // Who ignores a signal, as under `nohup`, goes on to do so, and so does what it starts.
            if former.sa_sigaction == libc::SIG_IGN {
                forwarding.give_back(signal);
            }
        }
        let over = Arc::clone(&forwarding.over);
        forwarding.sender = Some(thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                send(PENDING.swap(0, Ordering::Relaxed));
                thread::sleep(PAUSE);
            }
        }));
        Ok(forwarding)
    }

    /// Gives the signals back and returns the last one that came.
    pub(super) fn stop(self) -> Option<i32> {
        Some(LAST.load(Ordering::Relaxed)).filter(|last| *last != 0)
    }

    fn give_back(&self, signal: c_int) {
        for (_, former) in self.former.iter().filter(|(known, _)| *known == signal) {
            // SAFETY: it is what the system gave us for this signal.
            unsafe { libc::sigaction(signal, former, std::ptr::null_mut()) };
        }
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(sender) = self.sender.take() {
            let _ = sender.join();
        }
        for signal in SIGNALS {
            self.give_back(signal);
        }
    }
}

fn send(pending: u64) {
    for signal in SIGNALS.into_iter().filter(|signal| pending & (1 << signal) != 0) {
        for pid in descendants() {
            // SAFETY: the call has no conditions; a process that is gone is no fault.
            unsafe { libc::kill(pid, signal) };
        }
    }
}

/// Returns the processes that this one started, and those that they started.
fn descendants() -> Vec<i32> {
    let parent = |pid: i32| -> Option<i32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program may hold anything.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let all: Vec<(i32, i32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![std::process::id().cast_signed()];
    let mut at = 0;
    while let Some(pid) = found.get(at).copied() {
        found.extend(all.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child));
        at += 1;
    }
    found.split_off(1)
}
