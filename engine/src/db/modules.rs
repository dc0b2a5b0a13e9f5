//! Which modules a database holds: on a server, LaminDB makes the tables of those alone that an instance was made with.

use std::sync::atomic::Ordering;

use super::{Db, Tx};
use crate::error::Result;
use crate::model::Module;

/// A table that is there when its module is; the core always is.
fn mark(module: Module) -> Option<&'static str> {
    match module {
        Module::Lamindb => None,
        Module::Bionty => Some("bionty_source"),
    }
}

impl Db {
    /// Returns true when the tables of a module are there.
    pub(crate) fn holds(&self, module: Module) -> Result<bool> {
        let Some(table) = mark(module) else { return Ok(true) };
        // Modules come, but they do not go.
        if self.complete.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let found = !self.present(&[table])?.is_empty();
        self.complete.fetch_or(found, Ordering::Relaxed);
        Ok(found)
    }
}

impl Tx<'_> {
    /// Returns true when the tables of a module are there.
    pub(crate) fn holds(&self, module: Module) -> Result<bool> {
        match mark(module) {
            Some(table) => Ok(!self.present(&[table])?.is_empty()),
            None => Ok(true),
        }
    }
}
