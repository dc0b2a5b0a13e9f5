//! Rows in memory; for artifacts and collections, with what saving them still has to do.

use holotype::model::Registry;
use holotype::{Artifact, Collection, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::{convert, describe, error};

/// A row of a registry.
#[pyclass(module = "holotype._native")]
pub struct Record {
    body: Body,
}

/// What a row is to the engine.
#[derive(Clone)]
enum Body {
    Plain(holotype::Record),
    Artifact(Box<Artifact>),
    Collection(Box<Collection>),
}

impl From<holotype::Record> for Record {
    fn from(record: holotype::Record) -> Self {
        Record { body: Body::Plain(record) }
    }
}

impl From<Artifact> for Record {
    fn from(artifact: Artifact) -> Self {
        Record { body: Body::Artifact(Box::new(artifact)) }
    }
}

impl From<Collection> for Record {
    fn from(collection: Collection) -> Self {
        Record { body: Body::Collection(Box::new(collection)) }
    }
}

impl Record {
    /// Returns the order in which representations show columns.
    pub fn shown_columns(registry: &'static Registry) -> Vec<usize> {
        holotype::Record::shown_columns(registry)
    }

    /// Returns the row.
    pub fn row(&self) -> &holotype::Record {
        match &self.body {
            Body::Plain(record) => record,
            Body::Artifact(artifact) => &artifact.record,
            Body::Collection(collection) => &collection.record,
        }
    }

    pub fn row_mut(&mut self) -> &mut holotype::Record {
        match &mut self.body {
            Body::Plain(record) => record,
            Body::Artifact(artifact) => &mut artifact.record,
            Body::Collection(collection) => &mut collection.record,
        }
    }

    /// Returns the row as an artifact, with what saving it has to do.
    pub fn artifact(&self) -> Artifact {
        match &self.body {
            Body::Artifact(artifact) => (**artifact).clone(),
            _ => Artifact::from_record(self.row().clone()),
        }
    }

    /// Returns the row as a collection, with what saving it has to do.
    pub fn collection(&self) -> Collection {
        match &self.body {
            Body::Collection(collection) => (**collection).clone(),
            _ => Collection::from_record(self.row().clone()),
        }
    }

    /// Takes over the row that the engine worked on while this one could be read.
    pub fn replace(&mut self, other: impl Into<Record>) {
        self.body = other.into().body;
    }
}

#[pymethods]
impl Record {
    /// Returns a row with these values, one per column in the registry's order.
    #[new]
    fn new(py: Python<'_>, registry: &str, values: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
        let registry = describe::registry(py, registry)?;
        let mut cells = Vec::with_capacity(values.len());
        for (column, value) in registry.columns.iter().zip(&values) {
            let value = convert::from_python(value)?;
            cells.push(value.cast(column.kind).map_err(|failure| error::raise(py, &failure))?);
        }
        Ok(holotype::Record::from_values(registry, cells).into())
    }

    /// Qualified name of the registry.
    #[getter]
    fn registry(&self) -> String {
        self.row().registry().qualified_name()
    }

    /// Primary key, None before the row is saved.
    #[getter]
    fn id(&self) -> Option<i64> {
        self.row().id()
    }

    /// Uid.
    #[getter]
    fn uid(&self) -> &str {
        self.row().uid()
    }

    /// Part of the uid that all versions share.
    #[getter]
    fn stem_uid(&self) -> &str {
        self.row().stem_uid()
    }

    /// Version tag, or the end of the uid.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.row().version()
    }

    /// True while content, links or a place as the latest wait to be written.
    #[getter]
    fn pending(&self) -> bool {
        match &self.body {
            Body::Plain(_) => false,
            Body::Artifact(artifact) => artifact.is_pending(),
            Body::Collection(collection) => collection.is_pending(),
        }
    }

    /// Path of the content before it is saved.
    #[getter]
    fn source(&self) -> Option<String> {
        match &self.body {
            Body::Artifact(artifact) => artifact.source().map(|path| path.display().to_string()),
            _ => None,
        }
    }

    /// Returns the value of the column at a position.
    fn get<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyAny>> {
        convert::to_python(py, self.row().values().get(position).unwrap_or(&Value::Null))
    }

    /// Sets a field.
    fn set(&mut self, py: Python<'_>, field: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let value = convert::from_python(value)?;
        self.row_mut().set(field, value).map_err(|failure| error::raise(py, &failure))
    }

    /// Returns what a changed field held when the row was read; None when it has not changed.
    fn before<'py>(&self, py: Python<'py>, field: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.row().before(field).map(|value| convert::to_python(py, value)).transpose()
    }

    /// Returns the names of the fields that differ from the database.
    fn changed(&self) -> Vec<&'static str> {
        let row = self.row();
        row.changed().map(|position| row.registry().columns[position].name).collect()
    }

    /// Returns the values of all columns.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        self.row().values().iter().map(|value| convert::to_python(py, value)).collect()
    }

    /// Returns the text that messages show.
    fn repr(&self) -> String {
        self.row().repr()
    }

    /// Returns a copy that shares nothing with this row.
    fn copy(&self) -> Self {
        Record { body: self.body.clone() }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let this = slf.borrow();
        if this.pending() {
            return Err(PyTypeError::new_err(format!(
                "{} has content that is not stored yet: save it before sending it elsewhere",
                this.repr()
            )));
        }
        let arguments = PyTuple::new(
            slf.py(),
            [
                this.registry().into_pyobject(slf.py())?.into_any(),
                this.values(slf.py())?.into_pyobject(slf.py())?,
            ],
        )?;
        Ok((slf.get_type().into_any(), arguments))
    }
}
