//! Results as columns: for numpy and pandas as buffers, for everything else through the Arrow C stream.

use arrow_array::RecordBatchIterator;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use holotype::query::{ColumnData, TableColumn};
use holotype::{Timestamp, Value};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyCapsule, PyList, PyString, PyTuple};
use serde_json::Value as Json;

use crate::convert::Seen;
use crate::runtime::run;

/// Rows of a query, column by column.
#[pyclass(frozen, module = "holotype._native")]
pub struct Table {
    inner: holotype::query::Table,
}

impl From<holotype::query::Table> for Table {
    fn from(inner: holotype::query::Table) -> Self {
        Table { inner }
    }
}

#[pymethods]
impl Table {
    fn __len__(&self) -> usize {
        self.inner.rows
    }

    /// Names of the columns.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.inner.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// Returns the values of a column as a list.
    fn values<'py>(&self, py: Python<'py>, position: usize) -> PyResult<Bound<'py, PyList>> {
        list(py, self.column(position)?)
    }

    /// Returns a column as the name of a numpy type and its bytes, or as `"object"` and a list.
    ///
    /// Moments are nanoseconds since 1970, with the least number for none.
    fn buffer<'py>(&self, py: Python<'py>, position: usize) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
        let column = self.column(position)?;
        let plain: Option<(&'static str, Vec<u8>)> = match &column.data {
            ColumnData::Int(values) => {
                let whole = values.iter().map(|value| value.map(i64::to_ne_bytes));
                whole.collect::<Option<Vec<_>>>().map(|values| ("int64", values.concat()))
            }
            ColumnData::Bool(values) => values
                .iter()
                .map(|value| value.map(u8::from))
                .collect::<Option<_>>()
                .map(|values| ("bool", values)),
            ColumnData::Float(values) => {
                let reals = values.iter().flat_map(|value| value.unwrap_or(f64::NAN).to_ne_bytes());
                Some(("float64", reals.collect()))
            }
            ColumnData::Moment(values) => {
                let nanos =
                    |value: &Option<i64>| value.map_or(i64::MIN, |micros| micros.saturating_mul(1_000));
                Some(("datetime64[ns]", values.iter().flat_map(|value| nanos(value).to_ne_bytes()).collect()))
            }
            _ => None,
        };
        Ok(match plain {
            Some((name, bytes)) => (name, PyBytes::new(py, &bytes).into_any()),
            None => ("object", list(py, column)?.into_any()),
        })
    }

    /// Returns the rows as tuples.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let columns: Vec<Bound<'py, PyList>> =
            self.inner.columns.iter().map(|column| list(py, column)).collect::<PyResult<_>>()?;
        let row = |i: usize| {
            let cells: Vec<_> = columns.iter().map(|column| column.get_item(i)).collect::<PyResult<_>>()?;
            PyTuple::new(py, cells)
        };
        (0..self.inner.rows).map(row).collect()
    }

    /// Returns the rows as an Arrow C stream, which pyarrow, polars, duckdb and others take without a copy.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The protocol lets the producer ignore a wish.
        drop(requested_schema);
        let batch = run(|| self.inner.to_arrow())?;
        let schema = batch.schema();
        let reader = RecordBatchIterator::new([Ok(batch)], schema);
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), c"arrow_array_stream")
    }
}

impl Table {
    fn column(&self, position: usize) -> PyResult<&TableColumn> {
        let columns = &self.inner.columns;
        columns.get(position).ok_or_else(|| PyIndexError::new_err(format!("No column {position}")))
    }
}

fn list<'py>(py: Python<'py>, column: &TableColumn) -> PyResult<Bound<'py, PyList>> {
    match &column.data {
        ColumnData::Bool(values) => {
            PyList::new(py, values.iter().map(|value| value.map(|flag| PyBool::new(py, flag).to_owned())))
        }
        ColumnData::Int(values) => PyList::new(py, values),
        ColumnData::Float(values) => PyList::new(py, values),
        ColumnData::Text(values) => texts(py, values),
        ColumnData::Moment(values) => each(py, values, |micros| Value::DateTime(Timestamp(*micros))),
        ColumnData::Day(values) => {
            each(py, values, |text| text.parse().map_or_else(|_| Value::Text(text.clone()), Value::Date))
        }
        ColumnData::Json(values) => each(py, values, |text| {
            serde_json::from_str::<Json>(text).map_or_else(|_| Value::Text(text.clone()), Value::from)
        }),
    }
}

/// Returns texts, where equal neighbours share one object: columns such as suffixes repeat themselves.
fn texts<'py>(py: Python<'py>, values: &[Option<String>]) -> PyResult<Bound<'py, PyList>> {
    let mut last: Option<(&str, Bound<'py, PyString>)> = None;
    let cells = values.iter().map(|value| {
        let text = value.as_deref()?;
        let object = match &last {
            Some((known, object)) if *known == text => object.clone(),
            _ => PyString::new(py, text),
        };
        last = Some((text, object.clone()));
        Some(object)
    });
    PyList::new(py, cells.collect::<Vec<_>>())
}

fn each<'py, T>(
    py: Python<'py>,
    values: &[Option<T>],
    value: impl Fn(&T) -> Value,
) -> PyResult<Bound<'py, PyList>> {
    let cell = |cell: &Option<T>| Seen(&cell.as_ref().map_or(Value::Null, &value)).into_pyobject(py);
    PyList::new(py, values.iter().map(cell).collect::<PyResult<Vec<_>>>()?)
}
