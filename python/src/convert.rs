//! Values, rows and conditions: what they are in Python. A signature that names one of these types is the conversion.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use holotype::feature;
use holotype::ingest::RunChoice;
use holotype::model::{self, Registry};
use holotype::surroundings::Process;
use holotype::track::Named;
use holotype::{Operand, Q, Timestamp, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyDate, PyDateTime, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
    PyTzInfo,
};
use pyo3::{Borrowed, IntoPyObjectExt};
use serde_json::{Map, Value as Json};

use crate::error::{self, got};
use crate::query::QuerySet;
use crate::record::Record;

/// Returns the dict of fields of a value under their names.
macro_rules! fields {
    ($py:expr, $of:expr => $($field:ident),+) => {{
        let out = pyo3::types::PyDict::new($py);
        $(out.set_item(stringify!($field), &$of.$field)?;)+
        out
    }};
}

/// Fills fields of options from the keyword arguments of the same names; absent and None leave them as they are.
macro_rules! fill {
    ($given:expr => $options:ident: $($field:ident),+) => {
        $(if let Some(value) = crate::convert::option($given, stringify!($field))? {
            $options.$field = value;
        })+
    };
}

/// What a text chooses; another text is an error of the function that asks.
macro_rules! choose {
    ($given:expr, $error:literal: $($text:pat => $value:expr),+) => {
        match $given {
            $($text => $value,)+
            other => return Err(crate::error::value(format!(concat!("'{}' ", $error), other))),
        }
    };
}

pub(crate) use {choose, fields, fill};

/// A value of a field that Python gets.
pub struct Seen<'a>(pub &'a Value);

impl<'py> IntoPyObject<'py> for Seen<'_> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self.0 {
            Value::Null => Ok(py.None().into_bound(py)),
            Value::Bool(flag) => flag.into_bound_py_any(py),
            Value::Int(int) => int.into_bound_py_any(py),
            Value::Float(real) => real.into_bound_py_any(py),
            Value::Text(text) => text.into_bound_py_any(py),
            Value::Date(day) => day.into_bound_py_any(py),
            Value::DateTime(moment) => DateTime::<Utc>::from_timestamp_micros(moment.0)
                .ok_or_else(|| PyValueError::new_err(format!("{} is no moment", moment.0)))?
                .into_bound_py_any(py),
            Value::Json(json) => json_to_python(py, json),
            Value::Bytes(bytes) => bytes.into_bound_py_any(py),
        }
    }
}

/// A JSON document that Python gets.
pub struct Document(pub Json);

impl<'py> IntoPyObject<'py> for Document {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json_to_python(py, &self.0)
    }
}

/// Returns a JSON document as Python objects.
fn json_to_python<'py>(py: Python<'py>, json: &Json) -> PyResult<Bound<'py, PyAny>> {
    match json {
        Json::Null => Ok(py.None().into_bound(py)),
        Json::Bool(flag) => flag.into_bound_py_any(py),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => int.into_bound_py_any(py),
            (None, Some(int)) => int.into_bound_py_any(py),
            (None, None) => number.as_f64().unwrap_or(f64::NAN).into_bound_py_any(py),
        },
        Json::String(text) => text.into_bound_py_any(py),
        Json::Array(items) => {
            let items: PyResult<Vec<_>> = items.iter().map(|item| json_to_python(py, item)).collect();
            items?.into_bound_py_any(py)
        }
        Json::Object(map) => {
            let dict = PyDict::new(py);
            for (key, item) in map {
                dict.set_item(key, json_to_python(py, item)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// A value of a field that Python gives; lists and dicts become JSON documents.
pub struct Cell(pub Value);

/// Names and values of fields, from keyword arguments.
pub struct Given(Vec<(String, Value)>);

/// What Python gives to a feature: a record, a list, or anything plain.
pub struct Annotation(pub feature::Given);

/// Features by name or uid, with what they are given.
pub struct Annotations(pub Vec<(String, feature::Given)>);

/// A registry by name; the error names the nearest ones.
pub struct InRegistry(pub &'static Registry);

/// A condition, spelt as nested tuples: `("and", […])`, `("or", […])`, `("not", q)`, `("is", path, operand)`.
pub struct Condition(pub Q);

/// The run that is asked for: False for none, an id, or None for the one that is tracked.
pub struct Run(pub RunChoice);

impl Given {
    /// Returns the pairs as the engine takes them.
    pub fn pairs(&self) -> Vec<(&str, Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
    }
}

macro_rules! extracted {
    ($($name:ident: |$object:ident| $body:expr;)+) => {
        $(impl<'py> FromPyObject<'_, 'py> for $name {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                let $object: &Bound<'py, PyAny> = &object;
                $body.map($name)
            }
        })+
    };
}

extracted! {
    Annotation: |object| annotation(object);
    Annotations: |object| object.cast::<PyDict>()?.iter().map(|(name, value)| Ok((name.extract()?, annotation(&value)?))).collect::<PyResult<_>>();
    Cell: |object| from_python(object);
    Given: |object| object.cast::<PyDict>()?.iter().map(|(name, value)| Ok((name.extract()?, from_python(&value)?))).collect::<PyResult<_>>();
    InRegistry: |object| got(model::require(object.extract()?));
    Condition: |object| condition(object);
    Run: |object| RunChoice::taken(object);
}

/// What a keyword argument may be.
pub trait Taken: Sized {
    /// Returns the argument that an object is.
    fn taken(object: &Bound<'_, PyAny>) -> PyResult<Self>;
}

macro_rules! taken {
    ($($name:ty: |$object:ident| $body:expr;)+) => {
        $(impl Taken for $name {
            fn taken($object: &Bound<'_, PyAny>) -> PyResult<Self> {
                $body
            }
        })+
    };
}

taken! {
    String: |object| object.extract();
    bool: |object| object.extract();
    i64: |object| object.extract();
    PathBuf: |object| object.extract();
    Vec<String>: |object| object.extract();
    Vec<(Option<i64>, Option<i64>)>: |object| object.extract();
    Vec<(String, feature::Given)>: |object| object.extract().map(|given: Annotations| given.0);
    holotype::Record: |object| Ok(object.cast::<Record>()?.borrow().row().clone());
    Timestamp: |object| Ok(Timestamp((object.extract::<f64>()? * 1e6) as i64));
    Named: |object| object.extract().map(Named::Id).or_else(|_: PyErr| object.extract().map(Named::Text));
    Process: |object| {
        let (interpreter, program, prefix, path, folder, words, file) = object.extract()?;
        Ok(Process { interpreter, program, prefix, path, folder, words, file })
    };
    Map<String, Json>: |object| match json_from_python(object)? {
        Json::Object(map) => Ok(map),
        _ => Err(error::value("Pass `params` as a dict")),
    };
    RunChoice: |object| match object.cast::<PyBool>() {
        _ if object.is_none() => Ok(RunChoice::Current),
        Ok(flag) => Ok(if flag.is_true() { RunChoice::Current } else { RunChoice::None }),
        Err(_) => object.extract().map(RunChoice::Id),
    };
}

impl<T: Taken> Taken for Option<T> {
    fn taken(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        T::taken(object).map(Some)
    }
}

/// Returns a keyword argument; absent and None are the same.
pub fn option<T: Taken>(arguments: Option<&Bound<'_, PyDict>>, name: &str) -> PyResult<Option<T>> {
    let given = arguments.map(|arguments| arguments.get_item(name)).transpose()?.flatten();
    given.filter(|value| !value.is_none()).map(|value| T::taken(&value)).transpose()
}

fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    match scalar(object)? {
        Some(value) => Ok(value),
        None => json_from_python(object).map(Value::from),
    }
}

/// Returns texts, numbers, flags, days, moments and paths; `None` for anything that is none of them.
fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    let value = if object.is_none() {
        Value::Null
    } else if let Ok(text) = object.cast::<PyString>() {
        Value::Text(text.extract()?)
    } else if let Ok(flag) = object.cast::<PyBool>() {
        Value::Bool(flag.is_true())
    } else if object.is_instance_of::<PyInt>() {
        let int = object.extract();
        Value::Int(int.map_err(|_| PyValueError::new_err(format!("{object} is too large")))?)
    } else if object.is_instance_of::<PyFloat>() {
        Value::Float(object.extract()?)
    } else if object.is_instance_of::<PyDateTime>() {
        // A datetime is a date too, so it comes first.
        moment(object)?
    } else if object.is_instance_of::<PyDate>() {
        Value::Date(object.extract::<NaiveDate>()?)
    } else if object.hasattr("__fspath__")? {
        Value::Text(object.call_method0("__fspath__")?.str()?.extract()?)
    } else if object.hasattr("item")? && object.getattr("ndim").is_ok_and(|ndim| ndim.eq(0).unwrap_or(false))
    {
        // Scalars of numpy and pandas know how to become plain.
        return scalar(&object.call_method0("item")?);
    } else {
        return Ok(None);
    };
    Ok(Some(value))
}

/// Returns a datetime in UTC; one without a zone is taken as UTC.
fn moment(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    let utc = if object.getattr("tzinfo")?.is_none() {
        object.extract::<NaiveDateTime>()?.and_utc()
    } else {
        object.call_method1("astimezone", (PyTzInfo::utc(object.py())?,))?.extract::<DateTime<Utc>>()?
    };
    Ok(Value::DateTime(Timestamp(utc.timestamp_micros())))
}

fn annotation(object: &Bound<'_, PyAny>) -> PyResult<feature::Given> {
    if let Ok(items) = object.cast::<PyList>() {
        let items = items.iter().map(|item| annotation(&item)).collect::<PyResult<_>>();
        return items.map(feature::Given::Many);
    }
    match object.cast::<Record>() {
        Ok(record) => Ok(feature::Given::Label(Box::new(record.borrow().row().clone()))),
        Err(_) => from_python(object).map(feature::Given::from),
    }
}

fn json_from_python(object: &Bound<'_, PyAny>) -> PyResult<Json> {
    if let Some(value) = scalar(object)? {
        return Ok(value.into_json());
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let pair = |(key, item): (Bound<'_, PyAny>, _)| Ok((key.str()?.extract()?, json_from_python(&item)?));
        return dict.iter().map(pair).collect::<PyResult<_>>().map(Json::Object);
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

fn condition(object: &Bound<'_, PyAny>) -> PyResult<Q> {
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
        None => from_python(object).map(Operand::One),
    }
}
