//! The lists of file formats, which a user may extend for the whole process.

use std::ffi::OsString;
use std::sync::{PoisonError, RwLock};

use holotype::suffix::{Format, Formats, Suffix};
use pyo3::prelude::*;

use crate::error;

static FORMATS: RwLock<Option<Formats>> = RwLock::new(None);

/// Returns the lists as they are at present.
pub fn formats() -> Formats {
    FORMATS.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

fn format(py: Python<'_>, name: &str) -> PyResult<Format> {
    match name {
        "simple" => Ok(Format::Simple),
        "composite" => Ok(Format::Composite),
        "encoding" => Ok(Format::Encoding),
        other => Err(error::value(py, format!("There is no list of {other} formats"))),
    }
}

fn change(call: impl FnOnce(&mut Formats) -> holotype::Result<()>) -> holotype::Result<()> {
    let mut formats = FORMATS.write().unwrap_or_else(PoisonError::into_inner);
    call(formats.get_or_insert_default())
}

/// Returns the suffixes of a list, `simple`, `composite` or `encoding`, sorted.
#[pyfunction]
fn suffixes(py: Python<'_>, list: &str) -> PyResult<Vec<String>> {
    Ok(formats().all(format(py, list)?).into_iter().collect())
}

/// Adds a suffix to a list.
#[pyfunction]
fn add_suffix(py: Python<'_>, list: &str, suffix: &str) -> PyResult<()> {
    let format = format(py, list)?;
    change(|formats| formats.add(format, suffix)).map_err(|failure| error::raise(py, &failure))
}

/// Takes a suffix off a list.
#[pyfunction]
fn remove_suffix(py: Python<'_>, list: &str, suffix: &str) -> PyResult<()> {
    let format = format(py, list)?;
    change(|formats| {
        formats.remove(format, suffix);
        Ok(())
    })
    .map_err(|failure| error::raise(py, &failure))
}

/// Returns the canonical and the raw suffix of a file or folder name.
///
/// The canonical suffix is empty if the format is unknown; the raw one then is the last suffix of the name. Of a path
/// only the part after the last slash counts: `x.fastq.gz` has `.fastq.gz` twice, `x.bam.bai` has the empty one and `.bai`.
#[pyfunction]
fn split_suffix(name: OsString) -> (String, String) {
    let suffix = Suffix::of_name(&name.to_string_lossy(), &formats());
    (suffix.canonical, suffix.raw)
}

/// Returns all suffixes of a file name in lower case, each with its dot; leading dots start none.
#[pyfunction]
fn name_suffixes(name: OsString) -> Vec<String> {
    holotype::suffix::chain(&name.to_string_lossy().to_lowercase()).into_iter().map(str::to_owned).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(suffixes, module)?)?;
    module.add_function(wrap_pyfunction!(add_suffix, module)?)?;
    module.add_function(wrap_pyfunction!(remove_suffix, module)?)?;
    module.add_function(wrap_pyfunction!(split_suffix, module)?)?;
    module.add_function(wrap_pyfunction!(name_suffixes, module)?)
}
