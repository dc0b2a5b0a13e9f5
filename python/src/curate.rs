//! Values against registries, graphs of records, and names for completion.

use holotype::curate::{FromValues, Keep, LookupPrefix, Scope, Standard, Standardize, lookup_keys};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::describe::registry;
use crate::error;
use crate::instance::{Instance, change};
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime;

/// Organism, source, whether the source is strict, type, and whether nothing is said.
type Where = (Option<i64>, Option<i64>, bool, Option<i64>, bool);

fn scope((organism, source, strict_source, within, mute): Where) -> Scope {
    Scope { organism, source, strict_source, within, mute }
}

/// Returns for every value whether a record holds it.
#[pyfunction]
fn validate(
    py: Python<'_>,
    instance: &Instance,
    name: &str,
    values: Vec<String>,
    field: Option<&str>,
    within: Where,
) -> PyResult<Vec<bool>> {
    let registry = registry(py, name)?;
    runtime::run(py, || instance.inner.validate(registry, &values, field, &scope(within)))
}

/// Returns what is known of values.
#[pyfunction]
fn inspect<'py>(
    py: Python<'py>,
    instance: &Instance,
    name: &str,
    values: Vec<String>,
    field: Option<&str>,
    within: Where,
) -> PyResult<Bound<'py, PyDict>> {
    let registry = registry(py, name)?;
    let found = runtime::run(py, || instance.inner.inspect(registry, &values, field, &scope(within)))?;
    let out = PyDict::new(py);
    out.set_item("field", found.field)?;
    out.set_item("validated", found.validated)?;
    out.set_item("non_validated", found.non_validated)?;
    out.set_item("synonyms", found.synonyms)?;
    out.set_item("frac_validated", found.frac_validated)?;
    out.set_item("n_empty", found.n_empty)?;
    out.set_item("n_unique", found.n_unique)?;
    Ok(out)
}

fn standard<'py>(py: Python<'py>, standard: &Standard) -> PyResult<Bound<'py, PyAny>> {
    Ok(match standard {
        Standard::One(value) => PyString::new(py, value).into_any(),
        Standard::Many(values) => PyList::new(py, values)?.into_any(),
    })
}

/// What stands for each value, and the values that were replaced with what stands for them.
type Standardized<'py> = (Vec<Bound<'py, PyAny>>, Vec<(String, Bound<'py, PyAny>)>);

/// Returns values with synonyms replaced by the standard ones.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn standardize<'py>(
    py: Python<'py>,
    instance: &Instance,
    name: &str,
    values: Vec<String>,
    field: Option<&str>,
    return_field: Option<&str>,
    case_sensitive: bool,
    keep: &str,
    synonyms_field: &str,
    within: Where,
) -> PyResult<Standardized<'py>> {
    let registry = registry(py, name)?;
    let keep = match keep {
        "first" => Keep::First,
        "last" => Keep::Last,
        "all" => Keep::All,
        other => return Err(error::value(py, format!("keep takes 'first', 'last' or False, not '{other}'"))),
    };
    let how = Standardize { field, return_field, case_sensitive, keep, synonyms_field, scope: scope(within) };
    let found = runtime::run(py, || instance.inner.standardize(registry, &values, &how))?;
    let all = found.values.iter().map(|value| standard(py, value)).collect::<PyResult<_>>()?;
    let mapper = found.mapper.into_iter().map(|(value, for_it)| Ok((value, standard(py, &for_it)?)));
    Ok((all, mapper.collect::<PyResult<_>>()?))
}

/// Returns the records that hold values, or with `create` one record per value.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn from_values(
    py: Python<'_>,
    instance: &Instance,
    name: &str,
    values: Vec<String>,
    field: Option<&str>,
    create: bool,
    standardize: bool,
    within: Where,
) -> PyResult<Vec<Record>> {
    let registry = registry(py, name)?;
    let how = FromValues { field, create, standardize, scope: scope(within) };
    let found = runtime::run(py, || instance.inner.from_values(registry, &values, &how))?;
    Ok(found.into_iter().map(Record::from).collect())
}

/// Adds synonyms to a record.
#[pyfunction]
fn add_synonym(
    instance: &Instance,
    record: &Bound<'_, Record>,
    synonyms: Vec<String>,
    force: bool,
    save: Option<bool>,
) -> PyResult<()> {
    change(record, |row| instance.inner.add_synonym(row, &synonyms, force, save))
}

/// Takes synonyms away from a record.
#[pyfunction]
fn remove_synonym(instance: &Instance, record: &Bound<'_, Record>, synonyms: Vec<String>) -> PyResult<()> {
    change(record, |row| instance.inner.remove_synonym(row, &synonyms))
}

/// Sets the abbreviation of a record.
#[pyfunction]
fn set_abbr(instance: &Instance, record: &Bound<'_, Record>, abbr: &str) -> PyResult<()> {
    change(record, |row| instance.inner.set_abbr(row, abbr))
}

/// Returns the records that a record reaches: its `parents`, `children`, `types` or `members`.
#[pyfunction]
fn reach(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
    what: &str,
    depth: Option<usize>,
) -> PyResult<QuerySet> {
    let row = record.row();
    let inner = runtime::run(py, || match what {
        "parents" => instance.inner.query_parents(row),
        "children" => instance.inner.query_children(row),
        "types" => instance.inner.query_types(row),
        "members" => instance.inner.query_members(row, depth),
        other => Err(holotype::Error::value(format!("'{other}' is not reached"))),
    })?;
    Ok(QuerySet { inner })
}

/// Returns the attribute names under which values are offered for completion, with the values.
#[pyfunction]
fn attribute_names(values: Vec<String>, public: bool) -> Vec<(String, String)> {
    let prefix = if public { LookupPrefix::Public } else { LookupPrefix::Record };
    let keys = lookup_keys(values.iter().map(String::as_str), prefix);
    keys.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(validate, module)?)?;
    module.add_function(wrap_pyfunction!(inspect, module)?)?;
    module.add_function(wrap_pyfunction!(standardize, module)?)?;
    module.add_function(wrap_pyfunction!(from_values, module)?)?;
    module.add_function(wrap_pyfunction!(add_synonym, module)?)?;
    module.add_function(wrap_pyfunction!(remove_synonym, module)?)?;
    module.add_function(wrap_pyfunction!(set_abbr, module)?)?;
    module.add_function(wrap_pyfunction!(reach, module)?)?;
    module.add_function(wrap_pyfunction!(attribute_names, module)?)
}
