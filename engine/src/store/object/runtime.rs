//! The one asynchronous runtime, private to object storage and made on first use.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind, Result};
use crate::threads::{PerProcess, entered};

/// How long the caller waits for the network before it looks whether the user wants to break off.
const TICK: Duration = Duration::from_millis(100);

/// Threads that sign, hash and talk to the network.
const THREADS: usize = 4;

/// How long putting away may take.
pub(super) const TIDY: Duration = Duration::from_secs(5);

static TIDYING: PerProcess<Mutex<Vec<JoinHandle<()>>>> = PerProcess::new();

static RUNTIME: PerProcess<Runtime> = PerProcess::new();

/// Called with the number of bytes just moved; its error breaks the operation off.
pub(super) type Progress<'a> = &'a (dyn Fn(u64) -> Result<()> + Sync);

/// Waits for `work`; meanwhile `progress` is asked every now and then whether to go on.
///
/// # Errors
/// What `work` or `progress` report.
pub(super) fn run<T>(progress: Progress<'_>, work: impl Future<Output = Result<T>>) -> Result<T> {
    runtime()?.block_on(async {
        let done = {
            let mut work = pin!(work);
            loop {
                match tokio::time::timeout(TICK, &mut work).await {
                    Ok(done) => break done,
                    Err(_) => match progress(0) {
                        Ok(()) => {}
                        Err(error) => break Err(error),
                    },
                }
            }
        };
        if done.is_err() {
            // The process may end right after this: what the work left behind is put away before.
            let left = tidying(std::mem::take);
            for tidying in left {
                let _ = tokio::time::timeout(TIDY, tidying).await;
            }
        }
        done
    })
}

/// Starts putting away what work leaves behind that is broken off; [`run`] waits for it, though not for long.
pub(super) fn tidy(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        tidying(|left| left.push(runtime.spawn(work)));
    }
}

fn tidying<T>(with: impl FnOnce(&mut Vec<JoinHandle<()>>) -> T) -> T {
    let own = TIDYING.own();
    let mut tidying = entered(own.lock());
    with(&mut tidying)
}

fn runtime() -> Result<Arc<Runtime>> {
    RUNTIME.get(|| {
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(THREADS));
        Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("holotype-object")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Io, "Cannot start threads for object storage").because(error)
            })
    })
}

/// Work on the runtime's threads, ended when nobody waits for it any more.
pub(super) struct Task<T>(JoinHandle<T>);

/// Starts work on the runtime's threads; for use inside [`run`].
pub(super) fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
    Task(tokio::spawn(work))
}

/// Starts work that reads files or computes.
pub(super) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    Task(tokio::task::spawn_blocking(work))
}

impl<T> Future for Task<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        Pin::new(&mut self.0).poll(context).map(|done| {
            done.map_err(|error| {
                Error::new(ErrorKind::Io, "A thread of object storage stopped").because(error)
            })
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
