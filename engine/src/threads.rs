//! Threads, started on first use, and anew in a process that was forked: no thread follows a fork, and work given to the
//! threads of the parent would wait for ever.

use std::convert::Infallible;
use std::fs::{File, TryLockError};
use std::sync::{Arc, LockResult, Mutex, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Returns what a lock guards, also after a panic of somebody who held it: what the engine guards is true at every moment, or
/// looked at before it is used.
pub(crate) fn entered<G>(lock: LockResult<G>) -> G {
    lock.unwrap_or_else(PoisonError::into_inner)
}

/// Returns true while another process, or another part of this one, holds the lock on a file; this one lets go of it.
pub(crate) fn is_held(file: &File) -> bool {
    match file.try_lock() {
        Ok(()) => {
            // A process that another thread starts in this moment has the file as well, and would hold on to the lock.
            let _ = file.unlock();
            false
        }
        Err(error) => matches!(error, TryLockError::WouldBlock),
    }
}

/// What has threads, together with the process that made it.
pub(crate) struct PerProcess<T>(Mutex<Option<(u32, Arc<T>)>>);

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        PerProcess(Mutex::new(None))
    }

    /// Returns what this process made before, else what `make` makes.
    pub(crate) fn get<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut held = entered(self.0.lock());
        let process = std::process::id();
        if let Some((maker, made)) = &*held
            && *maker == process
        {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(make()?);
        if let Some((_, old)) = held.replace((process, Arc::clone(&made))) {
            // Its threads are in the parent process: waiting for them would never end.
            std::mem::forget(old);
        }
        Ok(made)
    }
}

impl<T: Default> PerProcess<T> {
    /// Returns what this process has, which begins as the default.
    pub(crate) fn own(&self) -> Arc<T> {
        let made: Result<_, Infallible> = self.get(|| Ok(T::default()));
        let Ok(own) = made;
        own
    }
}

static POOL: PerProcess<ThreadPool> = PerProcess::new();

/// Returns what `work` returns, whose parallel parts run on all processors.
///
/// Every use of rayon goes through here: its own pool is that of the process which first used it.
pub(crate) fn share<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = POOL.get(|| ThreadPoolBuilder::new().thread_name(|n| format!("holotype-{n}")).build());
    match pool {
        Ok(pool) => pool.install(work),
        // The system has no threads left.
        Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_for_a_lock_leaves_none_behind() {
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        let asked = open();
        // As a child has it that is being started.
        let inherited = asked.try_clone().unwrap();
        assert!(!is_held(&asked));
        drop(asked);
        assert!(!is_held(&open()), "nobody holds it, whoever else has the file");
        inherited.lock().unwrap();
        assert!(is_held(&open()));
    }
}
