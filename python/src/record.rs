//! Rows in memory; for artifacts and collections, with what saving them still has to do.

use holotype::{Artifact, Collection, Value};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{Cell, InRegistry, Seen};
use crate::error::got;
use crate::runtime::run;

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
    /// Returns the row.
    pub fn row(&self) -> &holotype::Record {
        match &self.body {
            Body::Plain(record) => record,
            Body::Artifact(artifact) => &artifact.record,
            Body::Collection(collection) => &collection.record,
        }
    }

    fn row_mut(&mut self) -> &mut holotype::Record {
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
}

/// Returns the Python rows of rows of the engine.
pub fn rows<T>(made: Vec<T>) -> Vec<Record>
where
    Record: From<T>,
{
    made.into_iter().map(Record::from).collect()
}

/// Lets the engine work on a copy of a row while other threads may read it, then takes the result over.
pub fn change<T: Send>(
    record: &Bound<'_, Record>,
    call: impl FnOnce(&mut holotype::Record) -> holotype::Result<T> + Send,
) -> PyResult<T> {
    let mut row = record.borrow().row().clone();
    let result = run(|| call(&mut row))?;
    *record.borrow_mut().row_mut() = row;
    Ok(result)
}

/// As `change`, with what saving an artifact or a collection has to do.
pub fn change_as<B: Send, T: Send>(
    record: &Bound<'_, Record>,
    body: impl Fn(&Record) -> B,
    call: impl FnOnce(&mut B) -> holotype::Result<T> + Send,
) -> PyResult<T>
where
    Record: From<B>,
{
    let mut changed = body(&record.borrow());
    let result = run(|| call(&mut changed))?;
    *record.borrow_mut() = changed.into();
    Ok(result)
}

/// As `change_as`, for many at a time.
pub fn change_all<B: Send, T: Send>(
    records: &[Bound<'_, Record>],
    body: impl Fn(&Record) -> B,
    call: impl FnOnce(&mut [B]) -> holotype::Result<T> + Send,
) -> PyResult<T>
where
    Record: From<B>,
{
    let mut bodies: Vec<B> = records.iter().map(|record| body(&record.borrow())).collect();
    let result = run(|| call(&mut bodies))?;
    for (record, body) in records.iter().zip(bodies) {
        *record.borrow_mut() = body.into();
    }
    Ok(result)
}

#[pymethods]
impl Record {
    /// Returns a row with these values, one per column in the registry's order.
    #[new]
    fn new(registry: InRegistry, values: Vec<Cell>) -> PyResult<Self> {
        let columns = registry.0.columns.iter().zip(values);
        let cells = columns.map(|(column, value)| got(value.0.cast(column.kind))).collect::<PyResult<_>>()?;
        Ok(holotype::Record::from_values(registry.0, cells).into())
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
    fn get(&self, position: usize) -> Seen<'_> {
        Seen(self.row().values().get(position).unwrap_or(&Value::Null))
    }

    /// Sets a field.
    fn set(&mut self, field: &str, value: Cell) -> PyResult<()> {
        got(self.row_mut().set(field, value.0))
    }

    /// Returns what a changed field held when the row was read; None when it has not changed.
    fn before(&self, field: &str) -> Option<Seen<'_>> {
        self.row().before(field).map(Seen)
    }

    /// Returns the names of the fields that differ from the database.
    fn changed(&self) -> Vec<&'static str> {
        let row = self.row();
        row.changed().map(|position| row.registry().columns[position].name).collect()
    }

    /// Returns the values of all columns.
    fn values(&self) -> Vec<Seen<'_>> {
        self.row().values().iter().map(Seen).collect()
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
        let (py, this) = (slf.py(), slf.borrow());
        if this.pending() {
            return Err(PyTypeError::new_err(format!(
                "{} has content that is not stored yet: save it before sending it elsewhere",
                this.repr()
            )));
        }
        let arguments = [this.registry().into_bound_py_any(py)?, this.values().into_bound_py_any(py)?];
        Ok((slf.get_type().into_any(), PyTuple::new(py, arguments)?))
    }
}
