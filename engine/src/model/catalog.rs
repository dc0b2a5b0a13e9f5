//! The list of registries, resolved once.

use super::Registry;
use crate::error::Result;

/// Returns every registry and link table.
pub fn all() -> &'static [Registry] {
    &[]
}

/// Returns a registry by `Artifact`, `lamindb.Artifact` or `bionty.CellType`.
pub fn find(_name: &str) -> Option<&'static Registry> {
    None
}

/// Returns a registry by name.
///
/// # Errors
/// [`crate::ErrorKind::Field`] with the nearest names when there is none.
pub fn require(name: &str) -> Result<&'static Registry> {
    find(name).ok_or_else(|| crate::Error::field(format!("Registry '{name}' not found")))
}
