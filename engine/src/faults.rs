//! Fault points: named moments at which a test may end the process, compiled in only with the feature `faults`.

#[cfg(feature = "faults")]
use std::sync::OnceLock;
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

#[cfg(feature = "faults")]
type Hook = Box<dyn Fn(&str) + Send + Sync>;

#[cfg(feature = "faults")]
static HOOK: OnceLock<Hook> = OnceLock::new();

#[cfg(feature = "faults")]
static NO_EXCHANGE: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "faults")]
static INDEX_FROM: AtomicI64 = AtomicI64::new(-1);

/// Calls `hook` with the name of every fault point from now on; the first hook of a process stays.
#[cfg(feature = "faults")]
pub fn arm(hook: impl Fn(&str) + Send + Sync + 'static) {
    // A second hook would make two testers disturb each other: the first one wins.
    let _ = HOOK.set(Box::new(hook));
}

/// Makes the store swap folders in two steps, as it must where the file system cannot exchange two names at once.
#[cfg(feature = "faults")]
pub fn forbid_exchange() {
    NO_EXCHANGE.store(true, Ordering::SeqCst);
}

/// Makes registries with more rows than this have a search index.
#[cfg(feature = "faults")]
pub fn set_index_from(rows: i64) {
    INDEX_FROM.store(rows, Ordering::SeqCst);
}

/// Returns the number of rows from which on a registry has a search index; testers want it smaller.
pub(crate) fn index_from(rows: i64) -> i64 {
    #[cfg(feature = "faults")]
    return Some(INDEX_FROM.load(Ordering::SeqCst)).filter(|rows| *rows >= 0).unwrap_or(rows);
    #[cfg(not(feature = "faults"))]
    rows
}

/// Marks a moment between two steps.
#[cfg_attr(not(feature = "faults"), inline(always), allow(unused_variables))]
pub(crate) fn hit(point: &str) {
    #[cfg(feature = "faults")]
    if let Some(hook) = HOOK.get() {
        hook(point);
    }
}

/// Returns false when a tester wants folders swapped in two steps.
pub(crate) fn exchange_allowed() -> bool {
    #[cfg(feature = "faults")]
    return !NO_EXCHANGE.load(Ordering::SeqCst);
    #[cfg(not(feature = "faults"))]
    true
}
