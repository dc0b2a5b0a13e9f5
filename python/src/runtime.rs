//! The one place that releases the interpreter lock.

use pyo3::prelude::*;

use crate::error;

/// Returns what the engine returns for `call`, run while other Python threads go on.
///
/// The engine's calls are atomic: an interrupt that arrives meanwhile is raised by the interpreter after the call, or
/// breaks it off where content is moved, and nothing stays half-done.
pub fn run<T: Send>(py: Python<'_>, call: impl FnOnce() -> holotype::Result<T> + Send) -> PyResult<T> {
    py.detach(call).map_err(|error| error::raise(py, &error))
}
