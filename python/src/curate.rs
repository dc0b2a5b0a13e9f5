//! Values against registries, graphs of records, and names for completion.

use holotype::curate::{FromValues, Keep, LookupPrefix, Scope, Standard, Standardize, lookup_keys};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{InRegistry, choose, fields};
use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::{Record, change, rows};
use crate::runtime::run;

/// Organism, source, whether the source is strict, type, and whether nothing is said.
type Where = (Option<i64>, Option<i64>, bool, Option<i64>, bool);

fn scope((organism, source, strict_source, within, mute): Where) -> Scope {
    Scope { organism, source, strict_source, within, mute }
}

#[pymethods]
impl Instance {
    /// Returns for every value whether a record holds it.
    fn validate(
        &self,
        registry: InRegistry,
        values: Vec<String>,
        field: Option<&str>,
        within: Where,
    ) -> PyResult<Vec<bool>> {
        run(|| self.inner.validate(registry.0, &values, field, &scope(within)))
    }

    /// Returns what is known of values.
    fn inspect<'py>(
        &self,
        py: Python<'py>,
        registry: InRegistry,
        values: Vec<String>,
        field: Option<&str>,
        within: Where,
    ) -> PyResult<Bound<'py, PyDict>> {
        let found = run(|| self.inner.inspect(registry.0, &values, field, &scope(within)))?;
        Ok(fields!(py, found => field, validated, non_validated, synonyms, frac_validated, n_empty, n_unique))
    }

    /// Returns values with synonyms replaced by the standard ones.
    #[allow(clippy::too_many_arguments)]
    fn standardize<'py>(
        &self,
        py: Python<'py>,
        registry: InRegistry,
        values: Vec<String>,
        field: Option<&str>,
        return_field: Option<&str>,
        case_sensitive: bool,
        keep: &str,
        synonyms_field: &str,
        within: Where,
    ) -> PyResult<Standardized<'py>> {
        let keep = choose!(keep, "is nothing that keep takes: pass 'first', 'last' or False":
            "first" => Keep::First, "last" => Keep::Last, "all" => Keep::All);
        let how =
            Standardize { field, return_field, case_sensitive, keep, synonyms_field, scope: scope(within) };
        let found = run(|| self.inner.standardize(registry.0, &values, &how))?;
        let all = found.values.iter().map(|value| standard(py, value)).collect::<PyResult<_>>()?;
        let mapper = found.mapper.into_iter().map(|(value, for_it)| Ok((value, standard(py, &for_it)?)));
        Ok((all, mapper.collect::<PyResult<_>>()?))
    }

    /// Returns the records that hold values, or with `create` one record per value.
    fn records_from_values(
        &self,
        registry: InRegistry,
        values: Vec<String>,
        field: Option<&str>,
        create: bool,
        standardize: bool,
        within: Where,
    ) -> PyResult<Vec<Record>> {
        let how = FromValues { field, create, standardize, scope: scope(within) };
        run(|| self.inner.from_values(registry.0, &values, &how)).map(rows)
    }

    /// Adds synonyms to a record.
    fn add_synonym(
        &self,
        record: &Bound<'_, Record>,
        synonyms: Vec<String>,
        force: bool,
        save: Option<bool>,
    ) -> PyResult<()> {
        change(record, |row| self.inner.add_synonym(row, &synonyms, force, save))
    }

    /// Takes synonyms away from a record.
    fn remove_synonym(&self, record: &Bound<'_, Record>, synonyms: Vec<String>) -> PyResult<()> {
        change(record, |row| self.inner.remove_synonym(row, &synonyms))
    }

    /// Sets the abbreviation of a record.
    fn set_abbr(&self, record: &Bound<'_, Record>, abbr: &str) -> PyResult<()> {
        change(record, |row| self.inner.set_abbr(row, abbr))
    }

    /// Returns the records that a record reaches: its `parents`, `children`, `types` or `members`.
    fn reach(&self, record: &Record, what: &str, depth: Option<usize>) -> PyResult<QuerySet> {
        run(|| self.inner.reached(record.row(), what, depth)).map(QuerySet::from)
    }
}

fn standard<'py>(py: Python<'py>, standard: &Standard) -> PyResult<Bound<'py, PyAny>> {
    match standard {
        Standard::One(value) => value.into_bound_py_any(py),
        Standard::Many(values) => values.into_bound_py_any(py),
    }
}

/// What stands for each value, and the values that were replaced with what stands for them.
type Standardized<'py> = (Vec<Bound<'py, PyAny>>, Vec<(String, Bound<'py, PyAny>)>);

/// Returns the attribute names under which values are offered for completion, with the values.
#[pyfunction]
pub fn attribute_names(values: Vec<String>, public: bool) -> Vec<(String, String)> {
    let prefix = if public { LookupPrefix::Public } else { LookupPrefix::Record };
    let keys = lookup_keys(values.iter().map(String::as_str), prefix);
    keys.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}
