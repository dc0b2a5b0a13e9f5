//! How far the storing or checking of content is.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::env::Env;
use crate::error::Result;
use crate::event::Event;

/// Less content than this is stored before anybody could read a bar.
const WORTH_SHOWING: u64 = 32 << 20;

/// How many times a listener hears of one operation at the most.
const STEPS: u64 = 200;

/// Counts bytes, from any number of threads, and tells the listener now and then.
pub(crate) struct Progress<'a> {
    env: &'a Env,
    verb: &'static str,
    name: String,
    total: u64,
    done: AtomicU64,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(env: &'a Env, verb: &'static str, name: impl Into<String>, total: u64) -> Self {
        Progress { env, verb, name: name.into(), total, done: AtomicU64::new(0) }
    }

    /// Notes that so many more bytes have passed, and fails when the user wants to break off.
    pub(crate) fn step(&self, bytes: u64) -> Result<()> {
        self.add(bytes);
        self.env.keep_going()
    }

    /// Notes that so many more bytes have passed.
    pub(crate) fn add(&self, bytes: u64) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        let done = before + bytes;
        let step = (self.total / STEPS).max(1);
        if self.total < WORTH_SHOWING || (before / step == done / step && done < self.total) {
            return;
        }
        self.env.emit(Event::Progress { verb: self.verb, name: self.name.clone(), done, total: self.total });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::value::Timestamp;

    fn told(total: u64, steps: &[u64]) -> Vec<(u64, u64)> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = heard.clone();
        let env = Env::new(|| Timestamp(0), |_| {}, "/home", "/lab").with_voice(move |event| {
            if let Event::Progress { done, total, .. } = event {
                sink.lock().unwrap().push((done, total));
            }
        });
        let progress = Progress::new(&env, "storing", "x", total);
        steps.iter().for_each(|bytes| progress.add(*bytes));
        drop(env);
        heard.lock().unwrap().clone()
    }

    #[test]
    fn large_content_is_told_of_up_to_its_end_and_small_content_is_not() {
        let large = told(64 << 20, &[1 << 20; 64]);
        assert_eq!(large.last(), Some(&(64 << 20, 64 << 20)));
        assert!(large.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(told(64 << 20, &[4096; 16384]).len() as u64 <= STEPS + 2);
        assert!(told(1 << 20, &[1 << 20]).is_empty());
    }
}
