//! The lists of file formats, which a user may extend for the whole process.

use std::ffi::OsString;
use std::sync::{PoisonError, RwLock};

use holotype::suffix::{Format, Formats, Suffix};
use pyo3::prelude::*;

use crate::convert::choose;
use crate::error::got;

static FORMATS: RwLock<Option<Formats>> = RwLock::new(None);

/// Returns the lists as they are at present.
pub fn formats() -> Formats {
    FORMATS.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

fn format(name: &str) -> PyResult<Format> {
    Ok(choose!(name, "is no list of formats":
        "simple" => Format::Simple, "composite" => Format::Composite, "encoding" => Format::Encoding))
}

/// Returns the suffixes of a list, `simple`, `composite` or `encoding`, sorted.
#[pyfunction]
pub fn suffixes(list: &str) -> PyResult<Vec<String>> {
    Ok(formats().all(format(list)?).into_iter().collect())
}

/// Adds a suffix to a list, or takes it off.
#[pyfunction]
pub fn set_suffix(list: &str, suffix: &str, known: bool) -> PyResult<()> {
    let format = format(list)?;
    let mut formats = FORMATS.write().unwrap_or_else(PoisonError::into_inner);
    let formats = formats.get_or_insert_default();
    if known {
        return got(formats.add(format, suffix));
    }
    formats.remove(format, suffix);
    Ok(())
}

/// Returns the canonical and the raw suffix of a file or folder name.
///
/// The canonical suffix is empty if the format is unknown; the raw one then is the last suffix of the name. Of a path
/// only the part after the last slash counts: `x.fastq.gz` has `.fastq.gz` twice, `x.bam.bai` has the empty one and `.bai`.
#[pyfunction]
pub fn split_suffix(name: OsString) -> (String, String) {
    let suffix = Suffix::of_name(&name.to_string_lossy(), &formats());
    (suffix.canonical, suffix.raw)
}

/// Returns all suffixes of a file name in lower case, each with its dot; leading dots start none.
#[pyfunction]
pub fn name_suffixes(name: OsString) -> Vec<String> {
    holotype::suffix::chain(&name.to_string_lossy().to_lowercase()).into_iter().map(str::to_owned).collect()
}
