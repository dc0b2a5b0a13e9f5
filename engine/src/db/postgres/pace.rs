//! Waiting for answers that come at once.
//!
//! A thread that sleeps is woken tens of microseconds after its answer came, which is longer than a server nearby takes
//! for it. Where the last answer to a statement came soon, the next one is looked for all the time, for as long as that
//! may take.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::task::yield_now;

/// How long an answer is looked for before the thread sleeps, and what counts as soon.
const SOON: Duration = Duration::from_micros(250);

/// Set while a thread of this process looks: others then need its processor more than it does.
static LOOKING: AtomicBool = AtomicBool::new(false);

/// Where there is but one processor, looking keeps the server from answering.
static SEVERAL: LazyLock<bool> = LazyLock::new(|| available_parallelism().is_ok_and(|n| n.get() > 1));

/// How fast the answers to one statement come.
#[derive(Clone, Default)]
pub(super) struct Pace {
    soon: Arc<AtomicBool>,
}

impl Pace {
    /// Waits for `work`, looking at it all the time while it is likely to be done soon.
    pub(super) async fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let since = Instant::now();
        let mut work = pin!(work);
        let done = match Look::start(self.soon.load(Ordering::Relaxed)) {
            Some(_look) => {
                let looking = pin!(async {
                    while since.elapsed() < SOON {
                        // Whoever has work to do, such as the server, goes first.
                        std::thread::yield_now();
                        yield_now().await;
                    }
                });
                match select(work.as_mut(), looking).await {
                    Either::Left((done, _)) => Some(done),
                    Either::Right(_) => None,
                }
            }
            None => None,
        };
        let done = match done {
            Some(done) => done,
            // Whoever wakes this thread will do it late, but a thread that looks in vain keeps others from their work.
            None => work.await,
        };
        self.soon.store(since.elapsed() < SOON, Ordering::Relaxed);
        done
    }
}

/// The turn of a thread to look.
struct Look;

impl Look {
    fn start(wanted: bool) -> Option<Look> {
        let free = wanted && *SEVERAL && !LOOKING.swap(true, Ordering::Acquire);
        free.then_some(Look)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        LOOKING.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    fn run<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    /// Is done when it is asked the third time, and wakes nobody in between.
    async fn silent() {
        let mut asked = 0;
        poll_fn(|_| {
            asked += 1;
            if asked == 3 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    #[test]
    fn only_answers_that_come_soon_are_looked_for() {
        let pace = Pace::default();
        let patience = Duration::from_millis(20);
        let waiting = |pace: Pace| async move { tokio::time::timeout(patience, pace.wait(silent())).await };
        assert!(run(waiting(pace.clone())).is_err(), "the first one was looked for");
        run(pace.wait(async {}));
        assert_eq!(run(waiting(pace.clone())).is_ok(), *SEVERAL, "one that ought to come soon");
        run(async { pace.wait(tokio::time::sleep(patience)).await });
        assert!(run(waiting(pace.clone())).is_err(), "one after another that came late");
        assert!(!LOOKING.load(Ordering::Relaxed));
    }
}
