//! The one place that releases the interpreter lock.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error;
use crate::instance::Instance;

/// The variable of the present thread and task that holds the call that is tracked: an instance and the id of a run.
static CALL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Returns the variable that holds the call that is tracked.
#[pyfunction]
pub fn call_variable(py: Python<'_>) -> PyResult<Py<PyAny>> {
    let made = CALL.get_or_try_init(py, || {
        let class = py.import("contextvars")?.getattr("ContextVar")?;
        Ok::<_, PyErr>(class.call1(("holotype_call",))?.unbind())
    })?;
    Ok(made.clone_ref(py))
}

/// Returns what the engine returns for `call`, run while other Python threads go on.
///
/// The engine's calls are atomic: an interrupt that arrives meanwhile is raised by the interpreter after the call, or
/// breaks it off where content is moved, and nothing stays half-done.
pub fn run<T: Send>(call: impl FnOnce() -> holotype::Result<T> + Send) -> PyResult<T> {
    Python::attach(|py| {
        let result = match tracked(py)? {
            Some((instance, run)) => py.detach(|| instance.during(run, call)),
            None => py.detach(call),
        };
        result.map_err(|error| error::raise(py, &error))
    })
}

/// Returns the call that is tracked; most processes never track one, and then nothing is looked up.
fn tracked(py: Python<'_>) -> PyResult<Option<(holotype::Instance, i64)>> {
    let Some(variable) = CALL.get(py) else { return Ok(None) };
    let held = variable.bind(py).call_method1("get", (py.None(),))?;
    if held.is_none() {
        return Ok(None);
    }
    let (instance, run): (PyRef<'_, Instance>, i64) = held.extract()?;
    Ok(Some((instance.inner.clone(), run)))
}
