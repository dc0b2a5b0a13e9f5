//! `holotype._native`: the engine as seen from Python.
//!
//! Nothing here decides anything: the engine holds the law, the Python package `holotype` holds the comfort. This
//! crate converts values, raises errors, and releases the interpreter lock around every call (`runtime`).

#![warn(missing_docs)]

use pyo3::prelude::*;

mod care;
mod contents;
mod convert;
mod curate;
mod describe;
mod error;
mod instance;
mod lineage;
mod places;
mod query;
mod record;
mod runtime;
mod suffixes;
mod table;
mod track;
mod voice;

/// The engine of Holotype.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<instance::Instance>()?;
    module.add_class::<query::QuerySet>()?;
    module.add_class::<record::Record>()?;
    module.add_class::<table::Table>()?;
    care::register(module)?;
    contents::register(module)?;
    curate::register(module)?;
    error::register(module)?;
    describe::register(module)?;
    lineage::register(module)?;
    places::register(module)?;
    runtime::register(module)?;
    suffixes::register(module)?;
    track::register(module)?;
    voice::register(module)
}
