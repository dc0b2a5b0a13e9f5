//! Errors of the engine as exceptions of Python.

use holotype::{Error, ErrorKind, KINDS};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::voice;

fn name(kind: ErrorKind) -> String {
    format!("{kind:?}")
}

/// Returns the exception for an error: `holotype.errors.KINDS` says which class stands for its kind.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let message = voice::program().advise(error.message());
    let exception = || -> PyResult<PyErr> {
        let kinds = py.import("holotype.errors")?.getattr("KINDS")?;
        let class = kinds.cast::<PyDict>()?.get_item(name(error.kind()))?;
        Ok(match class {
            Some(class) => PyErr::from_value(class.call1((&message,))?),
            None => PyRuntimeError::new_err(message.clone()),
        })
    };
    exception().unwrap_or_else(|failure| failure)
}

/// Returns what a call of the engine that needs no time returned.
pub fn got<T>(result: holotype::Result<T>) -> PyResult<T> {
    result.map_err(|failure| Python::attach(|py| raise(py, &failure)))
}

/// Returns the exception for an error made on this side of the border.
pub fn value(message: impl Into<String>) -> PyErr {
    Python::attach(|py| raise(py, &Error::value(message)))
}

/// Returns the names of all kinds of errors.
#[pyfunction]
pub fn error_kinds() -> Vec<String> {
    KINDS.iter().map(|kind| name(*kind)).collect()
}
