//! The registry table as Python data: what the Python classes, the stubs and the reference are made of.

use holotype::model::{self, Column, Default, OnDelete, Registry, Relation, Via};
use holotype::write::construct;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{InRegistry, fields};

/// Returns the qualified names of all registries; those that the package's top level names come with `True`.
#[pyfunction]
pub fn registries() -> Vec<(String, bool)> {
    model::all().iter().map(|registry| (registry.qualified_name(), registry.traits.top_level)).collect()
}

/// Returns the declaration of a registry.
#[pyfunction]
pub fn describe(py: Python<'_>, registry: InRegistry) -> PyResult<Bound<'_, PyDict>> {
    let InRegistry(registry) = registry;
    let shown = holotype::Record::shown_columns(registry);
    let out = fields!(py, registry => name, table, doc, name_field, ontology_id_field, stem_len);
    out.set_item("module", registry.module.name())?;
    out.set_item("lookup_field", holotype::curate::lookup_field(registry))?;
    out.set_item("keywords", construct::keywords(registry))?;
    out.set_item("shown", shown.iter().map(|i| registry.columns[*i].column).collect::<Vec<_>>())?;
    out.set_item("statuses", registry.statuses().to_vec())?;
    let traits = fields!(py, registry.traits => versioned, can_curate, has_type, has_parents, branch_aware, link, top_level);
    out.set_item("traits", traits)?;
    let columns = registry.columns.iter().map(|column| describe_column(py, column));
    out.set_item("columns", columns.collect::<PyResult<Vec<_>>>()?)?;
    let relations = registry.relations.iter().map(|relation| describe_relation(py, relation));
    out.set_item("relations", relations.collect::<PyResult<Vec<_>>>()?)?;
    Ok(out)
}

fn describe_column<'py>(py: Python<'py>, column: &Column) -> PyResult<Bound<'py, PyDict>> {
    let out = fields!(py, column => name, column, null, unique, doc);
    out.set_item("kind", column.kind.field_class())?;
    out.set_item("required", !column.null && column.default == Default::None)?;
    out.set_item("private", column.private())?;
    if let Some(to) = column.to {
        out.update(fields!(py, to => reverse, one_to_one).as_mapping())?;
        out.set_item("target", target(to.target))?;
        out.set_item("protect", to.on_delete == OnDelete::Protect)?;
    }
    Ok(out)
}

fn describe_relation<'py>(py: Python<'py>, relation: &Relation) -> PyResult<Bound<'py, PyDict>> {
    let out = fields!(py, relation => name, private);
    out.set_item("target", target(relation.target))?;
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
