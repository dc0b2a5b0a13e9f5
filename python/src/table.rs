//! Results as columns: for numpy and pandas as buffers, for everything else through the Arrow C stream.

use std::sync::Arc;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{ArrowError, Field, Schema};
use chrono::{Datelike, NaiveDate};
use holotype::query::{ColumnData, TableColumn};
use pyo3::exceptions::{PyIndexError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyCapsule, PyList, PyString, PyTuple};

use crate::convert;

/// Rows of a query, column by column.
#[pyclass(frozen, module = "holotype._native")]
pub struct Table {
    pub inner: holotype::query::Table,
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
        let plain = match &column.data {
            ColumnData::Int(values) => {
                let whole: Option<Vec<i64>> = values.iter().copied().collect();
                whole.map(|values| ("int64", bytes(py, &values)))
            }
            ColumnData::Bool(values) => {
                let whole: Option<Vec<u8>> = values.iter().map(|value| value.map(u8::from)).collect();
                whole.map(|values| ("bool", PyBytes::new(py, &values).into_any()))
            }
            ColumnData::Float(values) => {
                let reals = values.iter().flat_map(|value| value.unwrap_or(f64::NAN).to_ne_bytes());
                Some(("float64", PyBytes::new(py, &reals.collect::<Vec<_>>()).into_any()))
            }
            ColumnData::Moment(values) => {
                let nanos =
                    |value: &Option<i64>| value.map_or(i64::MIN, |micros| micros.saturating_mul(1_000));
                let values: Vec<i64> = values.iter().map(nanos).collect();
                Some(("datetime64[ns]", bytes(py, &values)))
            }
            _ => None,
        };
        match plain {
            Some(plain) => Ok(plain),
            None => Ok(("object", list(py, column)?.into_any())),
        }
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
        let batch = py
            .detach(|| batch(&self.inner))
            .map_err(|error| PyRuntimeError::new_err(format!("Arrow refused the table: {error}")))?;
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

fn bytes<'py>(py: Python<'py>, values: &[i64]) -> Bound<'py, PyAny> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_ne_bytes()).collect();
    PyBytes::new(py, &bytes).into_any()
}

fn list<'py>(py: Python<'py>, column: &TableColumn) -> PyResult<Bound<'py, PyList>> {
    match &column.data {
        ColumnData::Bool(values) => {
            PyList::new(py, values.iter().map(|value| value.map(|flag| PyBool::new(py, flag).to_owned())))
        }
        ColumnData::Int(values) => PyList::new(py, values),
        ColumnData::Float(values) => PyList::new(py, values),
        ColumnData::Text(values) => texts(py, values),
        ColumnData::Moment(values) => each(py, values, |micros| {
            convert::to_python(py, &holotype::Value::DateTime(holotype::Timestamp(*micros)))
        }),
        ColumnData::Day(values) => each(py, values, |text| match text.parse() {
            Ok(day) => convert::date(py, day),
            Err(_) => Ok(PyString::new(py, text).into_any()),
        }),
        ColumnData::Json(values) => each(py, values, |text| match serde_json::from_str(text) {
            Ok(json) => convert::json_to_python(py, &json),
            Err(_) => Ok(PyString::new(py, text).into_any()),
        }),
    }
}

/// Returns texts, where equal neighbours share one object: columns such as suffixes repeat themselves.
fn texts<'py>(py: Python<'py>, values: &[Option<String>]) -> PyResult<Bound<'py, PyList>> {
    let mut last: Option<(&str, Bound<'py, PyString>)> = None;
    let mut cells = Vec::with_capacity(values.len());
    for value in values {
        let Some(text) = value else {
            cells.push(py.None().into_bound(py));
            continue;
        };
        let object = match &last {
            Some((known, object)) if known == text => object.clone(),
            _ => PyString::new(py, text),
        };
        cells.push(object.clone().into_any());
        last = Some((text, object));
    }
    PyList::new(py, cells)
}

fn each<'py, T>(
    py: Python<'py>,
    values: &[Option<T>],
    convert: impl Fn(&T) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let none = || py.None().into_bound(py);
    let cells: Vec<_> = values
        .iter()
        .map(|value| value.as_ref().map_or_else(|| Ok(none()), &convert))
        .collect::<PyResult<_>>()?;
    PyList::new(py, cells)
}

fn batch(table: &holotype::query::Table) -> Result<RecordBatch, ArrowError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for column in &table.columns {
        let array: ArrayRef = match &column.data {
            ColumnData::Bool(values) => Arc::new(BooleanArray::from(values.clone())),
            ColumnData::Int(values) => Arc::new(Int64Array::from(values.clone())),
            ColumnData::Float(values) => Arc::new(Float64Array::from(values.clone())),
            ColumnData::Text(values) | ColumnData::Json(values) => Arc::new(StringArray::from_iter(values)),
            ColumnData::Moment(values) => {
                Arc::new(TimestampMicrosecondArray::from(values.clone()).with_timezone("UTC"))
            }
            ColumnData::Day(values) => {
                let days =
                    |text: &String| text.parse().ok().map(|day: NaiveDate| day.num_days_from_ce() - 719_163);
                Arc::new(values.iter().map(|text| text.as_ref().and_then(days)).collect::<Date32Array>())
            }
        };
        fields.push(Field::new(&column.name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(table.rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}
