//! The world as the engine may see it: the one place, besides `main`, that touches clock, randomness and home.

use std::path::PathBuf;
use std::sync::OnceLock;

use holotype::{Env, Event, Timestamp};

/// Returns the environment of this process, with `voice` listening to the engine's events.
///
/// Nothing is read from disk before it is asked for: home and working directory come from the variables and the operating system.
pub fn system_env(voice: impl Fn(Event) + Send + Sync + 'static) -> Env {
    let vars: Vec<(String, String)> = std::env::vars_os()
        // The engine reads variables by name: one that is no text cannot be one of its own.
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    // Without a home, settings live in the working directory rather than nowhere.
    let home =
        std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).unwrap_or_else(|| cwd.clone());
    let env = Env::new(now, random, home, cwd).with_vars(vars).with_voice(voice).with_boot(boot);
    #[cfg(unix)]
    let env = env.with_interrupt(holotype::trace::interrupted);
    env
}

/// Returns what Linux calls the time since its start.
fn boot() -> Option<String> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let read = || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    BOOT.get_or_init(|| read().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())).clone()
}

fn now() -> Timestamp {
    Timestamp(chrono::Utc::now().timestamp_micros())
}

/// Fills `bytes` from the operating system's generator.
fn random(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Uids drawn from anything weaker could collide silently: stopping is the only safe answer.
        panic!("The operating system gives no random numbers: {error}");
    }
}
