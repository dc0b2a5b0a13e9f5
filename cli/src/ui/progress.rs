//! Long operations show how far they are: a bar on terminals, a plain line elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::voice;
use holotype::Event;

/// Operations shorter than this stay silent.
const PATIENCE: Duration = Duration::from_secs(1);

/// Without a terminal, a line is enough so often.
const INTERVAL: Duration = Duration::from_secs(10);

/// The operation that is going on.
pub(super) struct Progress {
    terminal: bool,
    current: Option<Operation>,
}

struct Operation {
    verb: &'static str,
    name: String,
    started: Instant,
    told: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(terminal: bool) -> Self {
        Progress { terminal, current: None }
    }

    /// Takes note of progress and returns the line to print, if there is one.
    pub(super) fn advance(
        &mut self,
        verb: &'static str,
        name: &str,
        done: u64,
        total: u64,
    ) -> Option<String> {
        if !self.current.as_ref().is_some_and(|current| current.verb == verb && current.name == name) {
            self.finish();
            let started = Instant::now();
            self.current = Some(Operation { verb, name: name.to_owned(), started, told: None, bar: None });
        }
        let terminal = self.terminal;
        let current = self.current.as_mut()?;
        if current.started.elapsed() < PATIENCE {
            return None;
        }
        if terminal {
            let bar = current.bar.get_or_insert_with(|| bar(verb, name, total));
            bar.set_length(total);
            bar.set_position(done);
            if done >= total {
                self.finish();
            }
            return None;
        }
        let due = current.told.is_none_or(|told| told.elapsed() >= INTERVAL);
        if !due && done < total {
            return None;
        }
        current.told = Some(Instant::now());
        if done >= total {
            self.current = None;
        }
        Some(voice::word(&Event::Progress { verb, name: name.to_owned(), done, total }).1)
    }

    /// Runs `write` with the bar out of the way.
    pub(super) fn suspend(&self, write: impl FnOnce()) {
        match self.current.as_ref().and_then(|current| current.bar.as_ref()) {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&mut self) {
        if let Some(bar) = self.current.take().and_then(|current| current.bar) {
            bar.finish_and_clear();
        }
    }
}

fn bar(verb: &str, name: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} [{wide_bar}] {percent}% {eta}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(format!("{verb} {name}"));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_operations_stay_silent() {
        let mut progress = Progress::new(false);
        for done in 0..=10 {
            assert_eq!(progress.advance("copying", "x", done, 10), None);
        }
    }

    #[test]
    fn long_operations_tell_their_beginning_and_end() {
        let mut progress = Progress::new(false);
        assert_eq!(progress.advance("copying", "x", 0, 8), None);
        if let Some(current) = &mut progress.current {
            current.started -= PATIENCE;
        }
        assert_eq!(progress.advance("copying", "x", 1, 8).as_deref(), Some("... copying x: 12.5%"));
        assert_eq!(progress.advance("copying", "x", 2, 8), None);
        assert_eq!(progress.advance("copying", "x", 8, 8).as_deref(), Some("... copying x: 100.0%"));
        assert!(progress.current.is_none());
    }
}
