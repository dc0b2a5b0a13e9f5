//! `holotype._native`: the engine as seen from Python.
//!
//! Nothing here decides anything: the engine holds the law, the Python package `holotype` holds the comfort. This
//! crate converts values, raises errors, and releases the interpreter lock around every call (`runtime`).

#![warn(missing_docs)]

use pyo3::pymodule;

mod care;
mod contents;
mod convert;
mod curate;
mod describe;
mod error;
mod feature;
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
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        contents::{Deletion, Parts},
        curate::attribute_names,
        describe::{describe, registries},
        error::error_kinds,
        feature::{dtype_parts, inferred_dtype},
        instance::Instance,
        lineage::{Graph, diff_tables},
        places::{
            bind_dir, cache_dir, current_user, delete_instance, dev_dir, disconnect, find_instance, login,
            logout, normalize_root, set_cache_dir, settings_dir, system_dir, unbind_dir,
        },
        query::QuerySet,
        record::Record,
        runtime::call_variable,
        suffixes::{name_suffixes, set_suffix, split_suffix, suffixes},
        table::Table,
        track::{Going, notebook_gaps},
        voice::{command, levels, set_verbosity, speak_as_lamin, verbosity},
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
