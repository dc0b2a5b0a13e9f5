//! Interrupts that let work come to a safe end: noted at first, obeyed at once when they come again or last too long.

#![allow(unsafe_code, reason = "the standard library knows no signals")]

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use libc::c_int;

/// What a terminal sends for Ctrl-C, and what batch systems send.
const SIGNALS: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// How often somebody looks whether a signal came.
const PAUSE: Duration = Duration::from_millis(50);

/// How long work has for its end.
const GRACE: Duration = Duration::from_secs(10);

/// The signal that came, if one did.
static CAME: AtomicI32 = AtomicI32::new(0);

/// Whether signals are noted already.
static NOTING: AtomicBool = AtomicBool::new(false);

/// Interrupts are noted as long as this value lives, and [`interrupted`] tells of them; a second one, or one that nobody
/// heeds for ten seconds, ends the process as ever.
pub struct Interrupts {
    former: Vec<(c_int, libc::sigaction)>,
    over: Option<mpsc::Sender<()>>,
}

/// Returns true when the user wants to break off what is under way.
pub fn interrupted() -> bool {
    CAME.load(Ordering::Relaxed) != 0
}

extern "C" fn note(signal: c_int) {
    if CAME.swap(signal, Ordering::Relaxed) != 0 {
        end(signal);
    }
}

/// Lets a signal do what it does to any process.
fn end(signal: c_int) {
    // SAFETY: both calls are allowed in handlers, and have no conditions.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

impl Interrupts {
    /// Notes interrupts from now on; does nothing where they are noted already, or ignored as under `nohup`.
    pub fn note() -> Interrupts {
        let mut interrupts = Interrupts { former: Vec::new(), over: None };
        if NOTING.swap(true, Ordering::Relaxed) {
            return interrupts;
        }
        for signal in SIGNALS {
            // SAFETY: zero is a value of each of its fields; the handler does nothing but what handlers may.
            let (action, mut former): (libc::sigaction, libc::sigaction) = unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let handler: extern "C" fn(c_int) = note;
                action.sa_sigaction = handler as usize;
                action.sa_flags = libc::SA_RESTART;
                (action, std::mem::zeroed())
            };
            // SAFETY: the pointers are to values that live until the calls return.
            unsafe {
                if libc::sigaction(signal, &action, &mut former) == -1 {
                    continue;
                }
                if former.sa_sigaction == libc::SIG_IGN {
                    libc::sigaction(signal, &former, std::ptr::null_mut());
                    continue;
                }
            }
            interrupts.former.push((signal, former));
        }
        let (over, ended) = mpsc::channel();
        interrupts.over = Some(over);
        thread::spawn(move || {
            let mut since = None;
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(PAUSE) {
                let came = CAME.load(Ordering::Relaxed);
                if came != 0 && since.get_or_insert_with(Instant::now).elapsed() > GRACE {
                    end(came);
                }
            }
        });
        interrupts
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for (signal, former) in &self.former {
            // SAFETY: it is what the system gave us for this signal.
            unsafe { libc::sigaction(*signal, former, std::ptr::null_mut()) };
        }
        if self.over.take().is_some() {
            // What comes after, such as giving a lock back, is not to be broken off by what came before.
            CAME.store(0, Ordering::Relaxed);
            NOTING.store(false, Ordering::Relaxed);
        }
    }
}
