//! Who decides whether a database may be written now: asked before the first write, not again while the gate is open.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Result;

type Ask = Box<dyn Fn() -> Result<()> + Send + Sync>;

/// What stands before the writes of a database that is a copy of one elsewhere.
pub(crate) struct Gate {
    open: AtomicBool,
    ask: Ask,
}

impl Gate {
    /// Returns a closed gate that `ask` opens, or refuses to.
    pub(crate) fn new(ask: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        Gate { open: AtomicBool::new(false), ask: Box::new(ask) }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Asks again before the next write.
    pub(crate) fn close(&self) {
        self.open.store(false, Ordering::Release);
    }

    pub(super) fn pass(&self) -> Result<()> {
        if !self.is_open() {
            (self.ask)()?;
            self.open.store(true, Ordering::Release);
        }
        Ok(())
    }
}
