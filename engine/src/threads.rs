//! The threads that share long work: started on first use, and anew in a process that was forked.

use std::sync::{Arc, Mutex};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The pool and the process that made it: threads do not survive a fork, and work given to them would wait for ever.
static POOL: Mutex<Option<(u32, Arc<ThreadPool>)>> = Mutex::new(None);

/// Returns what `work` returns, whose parallel parts run on all processors.
///
/// Every use of rayon goes through here: its own pool is that of the process which first used it.
pub(crate) fn share<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match pool() {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Returns the pool of this process; `None` when the system has no threads left.
fn pool() -> Option<Arc<ThreadPool>> {
    let mut pool = POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let process = std::process::id();
    if let Some((maker, pool)) = &*pool
        && *maker == process
    {
        return Some(Arc::clone(pool));
    }
    let threads = ThreadPoolBuilder::new().thread_name(|n| format!("holotype-{n}"));
    let made = Arc::new(threads.build().ok()?);
    if let Some((_, old)) = pool.replace((process, Arc::clone(&made))) {
        // Its threads are in the parent process: waiting for them would never end.
        std::mem::forget(old);
    }
    Some(made)
}
