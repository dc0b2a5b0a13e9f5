//! What only a test may do to the engine, compiled in only with the feature `faults`: end the process at named moments, and
//! let it meet its limits early.

#[cfg(feature = "faults")]
use std::collections::BTreeMap;
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(feature = "faults")]
use std::sync::{OnceLock, RwLock};

#[cfg(feature = "faults")]
type Hook = Box<dyn Fn(&str) + Send + Sync>;

#[cfg(feature = "faults")]
static HOOK: OnceLock<Hook> = OnceLock::new();

#[cfg(feature = "faults")]
static NO_EXCHANGE: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "faults")]
static LIMITS: RwLock<BTreeMap<String, u64>> = RwLock::new(BTreeMap::new());

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

/// Gives a limit of the engine another value for the whole process: one of those that `limit` is asked for.
#[cfg(feature = "faults")]
pub fn set_limit(name: &str, value: u64) {
    crate::threads::entered(LIMITS.write()).insert(name.to_owned(), value);
}

/// Returns a limit, which a tester may have changed.
#[cfg_attr(not(feature = "faults"), inline(always), allow(unused_variables))]
pub(crate) fn limit(name: &str, usual: u64) -> u64 {
    #[cfg(feature = "faults")]
    return crate::threads::entered(LIMITS.read()).get(name).copied().unwrap_or(usual);
    #[cfg(not(feature = "faults"))]
    usual
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
