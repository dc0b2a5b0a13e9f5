//! Lineage: graphs and what they look like.

use holotype::diff::{self, Column, Options, Sheet};
use holotype::lineage::{Direction, Limits, Lineage, Walk};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime;

/// The graph around a record.
#[pyclass(frozen, module = "holotype._native")]
pub struct Graph {
    inner: Lineage,
}

#[pymethods]
impl Graph {
    /// Number of nodes.
    fn __len__(&self) -> usize {
        self.inner.nodes.len()
    }

    /// Returns the graph in one of its forms: text, svg, html, mermaid, dot, json.
    fn text(&self, py: Python<'_>, form: &str, everything: bool) -> PyResult<String> {
        let limits = if everything { Limits::NONE } else { Limits::default() };
        let made = runtime::run(py, || {
            Ok(Some(match form {
                "text" => self.inner.to_text(),
                "svg" => self.inner.draw(&limits),
                "html" => self.inner.page(&limits),
                "mermaid" => self.inner.mermaid(),
                "dot" => self.inner.dot(),
                "json" => self.inner.json().to_string(),
                _ => return Ok(None),
            }))
        })?;
        made.ok_or_else(|| PyValueError::new_err(format!("'{form}' is no form of a graph")))
    }
}

fn walk(direction: &str, depth: Option<usize>, everything: bool) -> PyResult<Walk> {
    let direction = match direction {
        "up" => Direction::Upstream,
        "down" => Direction::Downstream,
        "both" => Direction::Both,
        _ => return Err(PyValueError::new_err(format!("'{direction}' is no direction"))),
    };
    let limit = if everything { usize::MAX } else { Walk::default().limit };
    Ok(Walk { direction, depth, limit })
}

/// Returns the graph around an artifact, collection, record, run or transform.
#[pyfunction]
fn lineage(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
    direction: &str,
    depth: Option<usize>,
    everything: bool,
) -> PyResult<Graph> {
    let walk = walk(direction, depth, everything)?;
    runtime::run(py, || instance.inner.lineage(record.row(), &walk)).map(|inner| Graph { inner })
}

/// Returns the graph of what stands above and below a record with parents.
#[pyfunction]
fn family_tree(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
    field: Option<&str>,
    direction: &str,
    depth: Option<usize>,
) -> PyResult<Graph> {
    let walk = walk(direction, depth, false)?;
    runtime::run(py, || instance.inner.family_tree(record.row(), field, &walk)).map(|inner| Graph { inner })
}

/// Returns the artifacts that a record was made from, or that were made from it.
#[pyfunction]
fn along(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
    upstream: bool,
    depth: Option<usize>,
) -> PyResult<QuerySet> {
    let inner = runtime::run(py, || match upstream {
        true => instance.inner.upstream(record.row(), depth),
        false => instance.inner.downstream(record.row(), depth),
    })?;
    Ok(QuerySet { inner })
}

/// Returns how two records differ, as text and as JSON.
#[pyfunction]
fn diff_records(
    py: Python<'_>,
    instance: &Instance,
    first: &Record,
    second: &Record,
    key: Vec<String>,
    context: usize,
    most: usize,
) -> PyResult<(String, String)> {
    let options = Options { key, context, most };
    runtime::run(py, || {
        let found = instance.inner.diff(first.row(), second.row(), &options)?;
        Ok((found.to_text(), found.json().to_string()))
    })
}

/// A table by columns: name, type, values as text.
type Columns = Vec<(String, String, Vec<Option<String>>)>;

/// Returns how two tables differ, as text and as JSON.
#[pyfunction]
fn diff_tables(
    py: Python<'_>,
    first: Columns,
    second: Columns,
    key: Vec<String>,
    most: usize,
) -> PyResult<(String, String)> {
    let sheet = |columns: Columns| {
        let columns = columns.into_iter().map(|(name, dtype, cells)| Column { name, dtype, cells });
        Sheet { columns: columns.collect() }
    };
    let options = Options { key, most, ..Options::default() };
    runtime::run(py, || {
        let found = diff::tables(&sheet(first), &sheet(second), &options)?;
        Ok((found.to_text(), found.json().to_string()))
    })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Graph>()?;
    module.add_function(wrap_pyfunction!(lineage, module)?)?;
    module.add_function(wrap_pyfunction!(family_tree, module)?)?;
    module.add_function(wrap_pyfunction!(along, module)?)?;
    module.add_function(wrap_pyfunction!(diff_records, module)?)?;
    module.add_function(wrap_pyfunction!(diff_tables, module)?)
}
