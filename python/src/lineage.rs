//! Lineage: graphs and what they look like; how records differ.

use holotype::diff::{self, Column, Options, Sheet};
use holotype::lineage::{Direction, Limits, Lineage, Walk};
use pyo3::prelude::*;

use crate::convert::choose;
use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime::run;

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
    fn text(&self, form: &str, everything: bool) -> PyResult<String> {
        let graph = &self.inner;
        let limits = if everything { Limits::NONE } else { Limits::default() };
        let draw: fn(&Lineage, &Limits) -> String = choose!(form, "is no form of a graph":
            "text" => |graph, _| graph.to_text(), "svg" => Lineage::draw, "html" => Lineage::page,
            "mermaid" => |graph, _| graph.mermaid(), "dot" => |graph, _| graph.dot(),
            "json" => |graph, _| graph.json().to_string());
        run(|| Ok(draw(graph, &limits)))
    }
}

fn walk(direction: &str, depth: Option<usize>, everything: bool) -> PyResult<Walk> {
    let direction = choose!(direction, "is no direction":
        "up" => Direction::Upstream, "down" => Direction::Downstream, "both" => Direction::Both);
    let limit = if everything { usize::MAX } else { Walk::default().limit };
    Ok(Walk { direction, depth, limit })
}

#[pymethods]
impl Instance {
    /// Returns the graph around an artifact, collection, record, run or transform.
    fn lineage(
        &self,
        record: &Record,
        direction: &str,
        depth: Option<usize>,
        everything: bool,
    ) -> PyResult<Graph> {
        let walk = walk(direction, depth, everything)?;
        run(|| self.inner.lineage(record.row(), &walk)).map(|inner| Graph { inner })
    }

    /// Returns the graph of what stands above and below a record with parents.
    fn family_tree(
        &self,
        record: &Record,
        field: Option<&str>,
        direction: &str,
        depth: Option<usize>,
    ) -> PyResult<Graph> {
        let walk = walk(direction, depth, false)?;
        run(|| self.inner.family_tree(record.row(), field, &walk)).map(|inner| Graph { inner })
    }

    /// Returns the artifacts that a record was made from, or that were made from it.
    fn along(&self, record: &Record, upstream: bool, depth: Option<usize>) -> PyResult<QuerySet> {
        let along = if upstream { holotype::Instance::upstream } else { holotype::Instance::downstream };
        run(|| along(&self.inner, record.row(), depth)).map(QuerySet::from)
    }

    /// Returns how two records differ, as text and as JSON.
    fn diff_records(
        &self,
        first: &Record,
        second: &Record,
        key: Vec<String>,
        context: usize,
        most: usize,
    ) -> PyResult<(String, String)> {
        let options = Options { key, context, most };
        let found = run(|| self.inner.diff(first.row(), second.row(), &options))?;
        Ok((found.to_text(), found.json().to_string()))
    }
}

/// A table by columns: name, type, values as text.
type Columns = Vec<(String, String, Vec<Option<String>>)>;

/// Returns how two tables differ, as text and as JSON.
#[pyfunction]
pub fn diff_tables(
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
    let found = run(|| diff::tables(&sheet(first), &sheet(second), &options))?;
    Ok((found.to_text(), found.json().to_string()))
}
