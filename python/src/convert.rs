//! Values and conditions, from Python and to Python.

use chrono::{Datelike, NaiveDate, Timelike};
use holotype::{Operand, Q, Timestamp, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple, PyTzInfo,
};
use serde_json::{Map, Value as Json};

use crate::query::QuerySet;

/// Returns a value of a field as a Python object.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(int) => int.into_pyobject(py)?.into_any(),
        Value::Float(real) => PyFloat::new(py, *real).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Date(day) => date(py, *day)?,
        Value::DateTime(moment) => datetime(py, *moment)?,
        Value::Json(json) => json_to_python(py, json)?,
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
    })
}

pub fn date(py: Python<'_>, day: NaiveDate) -> PyResult<Bound<'_, PyAny>> {
    Ok(PyDate::new(py, day.year(), day.month() as u8, day.day() as u8)?.into_any())
}

fn datetime(py: Python<'_>, moment: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    let utc = chrono::DateTime::from_timestamp_micros(moment.0)
        .ok_or_else(|| PyValueError::new_err(format!("{} is no moment", moment.0)))?
        .naive_utc();
    let (day, time) = (utc.date(), utc.time());
    let zone = PyTzInfo::utc(py)?;
    let micros = time.nanosecond() / 1_000;
    let (month, dom) = (day.month() as u8, day.day() as u8);
    let (hour, minute, second) = (time.hour() as u8, time.minute() as u8, time.second() as u8);
    Ok(PyDateTime::new(py, day.year(), month, dom, hour, minute, second, micros, Some(&zone))?.into_any())
}

/// Returns a JSON document as Python objects.
pub fn json_to_python<'py>(py: Python<'py>, json: &Json) -> PyResult<Bound<'py, PyAny>> {
    Ok(match json {
        Json::Null => py.None().into_bound(py),
        Json::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => int.into_pyobject(py)?.into_any(),
            (None, Some(int)) => int.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Json::String(text) => PyString::new(py, text).into_any(),
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(json_to_python(py, item)?)?;
            }
            list.into_any()
        }
        Json::Object(map) => {
            let dict = PyDict::new(py);
            for (key, item) in map {
                dict.set_item(key, json_to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// Returns a Python object as a value of a field; lists and dicts become JSON documents.
pub fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Some(value) = scalar(object)? {
        return Ok(value);
    }
    Ok(Value::Json(json_from_python(object)?))
}

/// Returns texts, numbers, flags, days, moments and paths; `None` for anything that is none of them.
fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    if object.is_none() {
        return Ok(Some(Value::Null));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Some(Value::Text(text.extract()?)));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(Some(Value::Bool(flag.is_true())));
    }
    if object.is_instance_of::<PyInt>() {
        let int =
            object.extract::<i64>().map_err(|_| PyValueError::new_err(format!("{object} is too large")))?;
        return Ok(Some(Value::Int(int)));
    }
    if object.is_instance_of::<PyFloat>() {
        return Ok(Some(Value::Float(object.extract()?)));
    }
    // A datetime is a date too, so it comes first.
    if object.is_instance_of::<PyDateTime>() {
        return moment(object).map(Some);
    }
    if object.is_instance_of::<PyDate>() {
        let text: String = object.call_method0("isoformat")?.extract()?;
        let day = text.parse().map_err(|_| PyValueError::new_err(format!("{text} is no day")))?;
        return Ok(Some(Value::Date(day)));
    }
    if object.hasattr("__fspath__")? {
        return Ok(Some(Value::Text(object.call_method0("__fspath__")?.str()?.extract()?)));
    }
    // Scalars of numpy and pandas know how to become plain.
    if object.hasattr("item")? && object.getattr("ndim").is_ok_and(|ndim| ndim.eq(0).unwrap_or(false)) {
        return scalar(&object.call_method0("item")?);
    }
    Ok(None)
}

/// Returns a datetime in UTC; one without a zone is taken as UTC.
fn moment(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = object.py();
    let utc = PyTzInfo::utc(py)?;
    let aware = if object.getattr("tzinfo")?.is_none() {
        object.clone()
    } else {
        object.call_method1("astimezone", (utc,))?
    };
    let text: String = aware.call_method1("isoformat", (" ", "microseconds"))?.extract()?;
    let plain = text.get(..26).unwrap_or(&text);
    let parsed = Timestamp::parse_sql(plain);
    parsed.map(Value::DateTime).ok_or_else(|| PyValueError::new_err(format!("{text} is no moment")))
}

pub fn json_from_python(object: &Bound<'_, PyAny>) -> PyResult<Json> {
    if let Some(value) = scalar(object)? {
        return Ok(value.into_json());
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let mut map = Map::new();
        for (key, item) in dict {
            map.insert(key.str()?.extract()?, json_from_python(&item)?);
        }
        return Ok(Json::Object(map));
    }
    match items(object)? {
        Some(items) => Ok(Json::Array(items.iter().map(json_from_python).collect::<PyResult<_>>()?)),
        None => Err(PyTypeError::new_err(format!(
            "A {} cannot be stored: pass text, numbers, flags, dates, lists or dicts",
            object.get_type().name()?
        ))),
    }
}

/// Returns the items of a list, tuple, set, array or series.
fn items<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
    let listed = object.is_instance_of::<PyList>()
        || object.is_instance_of::<PyTuple>()
        || object.is_instance_of::<PySet>()
        || object.is_instance_of::<PyFrozenSet>();
    let object = if listed {
        object.clone()
    } else if object.hasattr("tolist")? {
        object.call_method0("tolist")?
    } else {
        return Ok(None);
    };
    object.try_iter()?.collect::<PyResult<Vec<_>>>().map(Some)
}

/// Returns the condition that the Python side spells as nested tuples: `("and", […])`, `("or", […])`, `("not", q)`,
/// `("is", path, operand)`.
pub fn condition(object: &Bound<'_, PyAny>) -> PyResult<Q> {
    let node = object.cast::<PyTuple>()?;
    let tag: String = node.get_item(0)?.extract()?;
    let parts = |object: Bound<'_, PyAny>| -> PyResult<Vec<Q>> {
        object.try_iter()?.map(|part| condition(&part?)).collect()
    };
    match tag.as_str() {
        "and" => Ok(Q::And(parts(node.get_item(1)?)?)),
        "or" => Ok(Q::Or(parts(node.get_item(1)?)?)),
        "not" => Ok(condition(&node.get_item(1)?)?.negate()),
        "is" => Ok(Q::Is(node.get_item(1)?.extract()?, operand(&node.get_item(2)?)?)),
        other => Err(PyTypeError::new_err(format!("'{other}' is no condition"))),
    }
}

/// Returns what a look-up is compared with; `(query, field)` stands for the values of a query.
fn operand(object: &Bound<'_, PyAny>) -> PyResult<Operand> {
    if let Ok(query) = object.cast::<QuerySet>() {
        return Ok(Operand::Query(Box::new(query.get().inner.clone()), None));
    }
    if let Ok((query, field)) = object.extract::<(Bound<'_, QuerySet>, String)>() {
        return Ok(Operand::Query(Box::new(query.get().inner.clone()), Some(field)));
    }
    if let Some(value) = scalar(object)? {
        return Ok(Operand::One(value));
    }
    match items(object)? {
        Some(items) => Ok(Operand::Many(items.iter().map(from_python).collect::<PyResult<_>>()?)),
        None => Ok(Operand::One(from_python(object)?)),
    }
}
