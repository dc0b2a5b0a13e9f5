//! The registry table as Python data: what the Python classes, the stubs and the reference are made of.

use holotype::model::{self, Column, OnDelete, Registry, Relation, Via};
use holotype::write::construct;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::error;
use crate::record::Record;

/// Returns a registry by name, or the exception that names the nearest ones.
pub fn registry(py: Python<'_>, name: &str) -> PyResult<&'static Registry> {
    model::require(name).map_err(|error| error::raise(py, &error))
}

/// Returns the qualified names of all registries; those that the package's top level names come with `True`.
#[pyfunction]
fn registries() -> Vec<(String, bool)> {
    model::all().iter().map(|registry| (registry.qualified_name(), registry.traits.top_level)).collect()
}

/// Returns the declaration of a registry.
#[pyfunction]
fn describe<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyDict>> {
    let registry = registry(py, name)?;
    let shown: Vec<&str> =
        Record::shown_columns(registry).into_iter().map(|i| registry.columns[i].column).collect();
    let out = PyDict::new(py);
    out.set_item("name", registry.name)?;
    out.set_item("module", registry.module.name())?;
    out.set_item("table", registry.table)?;
    out.set_item("doc", registry.doc)?;
    out.set_item("name_field", registry.name_field)?;
    out.set_item("lookup_field", holotype::curate::lookup_field(registry))?;
    out.set_item("ontology_id_field", registry.ontology_id_field)?;
    out.set_item("stem_len", registry.stem_len)?;
    out.set_item("keywords", construct::keywords(registry))?;
    out.set_item("shown", shown)?;
    out.set_item("statuses", registry.statuses().to_vec())?;
    out.set_item("traits", traits(py, registry)?)?;
    let columns = PyList::empty(py);
    for column in &registry.columns {
        columns.append(describe_column(py, column)?)?;
    }
    out.set_item("columns", columns)?;
    let relations = PyList::empty(py);
    for relation in &registry.relations {
        relations.append(describe_relation(py, relation)?)?;
    }
    out.set_item("relations", relations)?;
    Ok(out)
}

fn traits<'py>(py: Python<'py>, registry: &Registry) -> PyResult<Bound<'py, PyDict>> {
    let traits = registry.traits;
    let out = PyDict::new(py);
    out.set_item("versioned", traits.versioned)?;
    out.set_item("can_curate", traits.can_curate)?;
    out.set_item("has_type", traits.has_type)?;
    out.set_item("has_parents", traits.has_parents)?;
    out.set_item("branch_aware", traits.branch_aware)?;
    out.set_item("link", traits.link)?;
    out.set_item("top_level", traits.top_level)?;
    Ok(out)
}

fn describe_column<'py>(py: Python<'py>, column: &Column) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("name", column.name)?;
    out.set_item("column", column.column)?;
    out.set_item("kind", column.kind.field_class())?;
    out.set_item("null", column.null)?;
    out.set_item("unique", column.unique)?;
    out.set_item("required", !column.null && column.default == model::Default::None)?;
    out.set_item("private", column.private())?;
    out.set_item("doc", column.doc)?;
    if let Some(to) = column.to {
        out.set_item("target", target(to.target))?;
        out.set_item("reverse", to.reverse)?;
        out.set_item("protect", to.on_delete == OnDelete::Protect)?;
        out.set_item("one_to_one", to.one_to_one)?;
    }
    Ok(out)
}

fn describe_relation<'py>(py: Python<'py>, relation: &Relation) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("name", relation.name)?;
    out.set_item("target", target(relation.target))?;
    out.set_item("private", relation.private)?;
    match relation.via {
        Via::Foreign { column } => out.set_item("column", column)?,
        Via::Link { registry, .. } => out.set_item("through", target(registry))?,
    }
    Ok(out)
}

/// Returns the qualified name of the registry that a declaration names.
fn target(name: &str) -> String {
    model::find(name).map_or_else(|| name.to_owned(), Registry::qualified_name)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(registries, module)?)?;
    module.add_function(wrap_pyfunction!(describe, module)?)
}
