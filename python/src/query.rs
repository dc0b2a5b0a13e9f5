//! Lazy queries.

use holotype::query::Case;
use holotype::{Aggregate, Q};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert;
use crate::record::Record;
use crate::runtime;
use crate::table::Table;

/// A query over one registry; nothing is read before a method asks for it.
#[pyclass(frozen, module = "holotype._native")]
pub struct QuerySet {
    pub inner: holotype::QuerySet,
}

impl QuerySet {
    fn made(inner: holotype::QuerySet) -> Self {
        QuerySet { inner }
    }
}

#[pymethods]
impl QuerySet {
    /// Qualified name of the registry.
    #[getter]
    fn registry(&self) -> String {
        self.inner.registry().qualified_name()
    }

    /// True once the rows have an order of their own.
    #[getter]
    fn ordered(&self) -> bool {
        self.inner.ordered()
    }

    /// True once a slice was taken.
    #[getter]
    fn sliced(&self) -> bool {
        self.inner.sliced()
    }

    /// Returns true when a condition names one of these fields first.
    fn mentions(&self, fields: Vec<String>) -> bool {
        self.inner.mentions(&fields.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Returns the query restricted by a condition.
    fn filter(&self, py: Python<'_>, condition: &Bound<'_, PyAny>) -> PyResult<Self> {
        let condition: Q = convert::condition(condition)?;
        runtime::run(py, || self.inner.filter(condition)).map(Self::made)
    }

    /// Returns the query with the default visibility added.
    fn visible(&self, py: Python<'_>) -> PyResult<Self> {
        runtime::run(py, || self.inner.visible()).map(Self::made)
    }

    /// Returns the query sorted by look-ups.
    fn order_by(&self, py: Python<'_>, paths: Vec<String>) -> PyResult<Self> {
        runtime::run(py, || self.inner.order_by(paths.iter().map(String::as_str))).map(Self::made)
    }

    /// Returns the query whose records each have aggregates, given as name, function and look-up.
    fn annotate(&self, py: Python<'_>, wanted: Vec<(String, String, String)>) -> PyResult<Self> {
        let wanted = wanted.iter().map(|(name, function, path)| Ok((name, aggregate(function)?, path)));
        let wanted: Vec<_> = wanted.collect::<PyResult<_>>()?;
        let annotate = |query: holotype::QuerySet, (name, function, path): &(&String, Aggregate, &String)| {
            query.annotate(name, *function, path)
        };
        runtime::run(py, || wanted.iter().try_fold(self.inner.clone(), annotate)).map(Self::made)
    }

    /// Names under which the records have aggregates.
    #[getter]
    fn annotations(&self) -> Vec<&str> {
        self.inner.annotations()
    }

    /// Returns the aggregates of records: a column of ids, then one per name.
    fn annotated(&self, py: Python<'_>, ids: Vec<i64>) -> PyResult<Table> {
        Ok(Table { inner: runtime::run(py, || self.inner.annotated(ids))? })
    }

    /// Returns the query with its order turned round.
    fn reverse(&self) -> Self {
        Self::made(self.inner.reverse())
    }

    /// Returns the rows from `start` up to but not including `stop`.
    fn slice(&self, start: usize, stop: Option<usize>) -> Self {
        Self::made(self.inner.slice(start, stop))
    }

    /// Returns the records that match a text, best first.
    fn search(
        &self,
        py: Python<'_>,
        text: &str,
        fields: Vec<String>,
        limit: Option<usize>,
        case_sensitive: bool,
    ) -> PyResult<Self> {
        let case = if case_sensitive { Case::Sensitive } else { Case::Ignored };
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        runtime::run(py, || self.inner.search(text, &fields, limit, case)).map(Self::made)
    }

    /// Returns all records.
    fn all(&self, py: Python<'_>) -> PyResult<Vec<Record>> {
        let records = runtime::run(py, || self.inner.all())?;
        Ok(records.into_iter().map(Record::from).collect())
    }

    /// Returns the first record.
    fn first(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        Ok(runtime::run(py, || self.inner.first())?.map(Record::from))
    }

    /// Returns the last record.
    fn last(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        Ok(runtime::run(py, || self.inner.last())?.map(Record::from))
    }

    /// Returns the one record.
    fn one(&self, py: Python<'_>) -> PyResult<Record> {
        runtime::run(py, || self.inner.one()).map(Record::from)
    }

    /// Returns the one record, or None.
    fn one_or_none(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        Ok(runtime::run(py, || self.inner.one_or_none())?.map(Record::from))
    }

    /// Returns the record whose uid starts with a text.
    fn get_uid(&self, py: Python<'_>, uid: &str) -> PyResult<Record> {
        runtime::run(py, || self.inner.get_uid(uid)).map(Record::from)
    }

    /// Returns the one visible record for which a condition holds.
    fn get_where(&self, py: Python<'_>, condition: &Bound<'_, PyAny>) -> PyResult<Record> {
        let condition = convert::condition(condition)?;
        runtime::run(py, || self.inner.get_where(condition)).map(Record::from)
    }

    /// Returns how the database reads the records.
    fn explain(&self, py: Python<'_>) -> PyResult<String> {
        runtime::run(py, || self.inner.explain())
    }

    /// Returns the number of records.
    fn count(&self, py: Python<'_>) -> PyResult<usize> {
        runtime::run(py, || self.inner.count())
    }

    /// Returns true when there is a record.
    fn exists(&self, py: Python<'_>) -> PyResult<bool> {
        runtime::run(py, || self.inner.exists())
    }

    /// Returns the ids of all records.
    fn ids(&self, py: Python<'_>) -> PyResult<Vec<i64>> {
        runtime::run(py, || self.inner.all_ids())
    }

    /// Returns look-ups of every record as columns.
    fn table(&self, py: Python<'_>, paths: Vec<String>) -> PyResult<Table> {
        let table = runtime::run(py, || self.inner.table(paths.iter().map(String::as_str)))?;
        Ok(Table { inner: table })
    }

    /// Returns pairs of record id and value for a look-up that leads to many records.
    fn related<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Vec<(i64, Bound<'py, PyAny>)>> {
        let pairs = runtime::run(py, || self.inner.related(path))?;
        pairs.iter().map(|(id, value)| Ok((*id, convert::to_python(py, value)?))).collect()
    }

    /// Returns aggregates, each given as a pair of its name and a look-up.
    fn aggregate<'py>(
        &self,
        py: Python<'py>,
        wanted: Vec<(String, String)>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let pairs = wanted.iter().map(|(name, path)| Ok((aggregate(name)?, path.as_str())));
        let pairs: Vec<(Aggregate, &str)> = pairs.collect::<PyResult<_>>()?;
        let values = runtime::run(py, || self.inner.aggregate(&pairs))?;
        let values: Vec<_> =
            values.iter().map(|value| convert::to_python(py, value)).collect::<PyResult<_>>()?;
        PyTuple::new(py, values)
    }
}

fn aggregate(name: &str) -> PyResult<Aggregate> {
    Ok(match name {
        "count" => Aggregate::Count,
        "count_distinct" => Aggregate::CountDistinct,
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        other => return Err(PyValueError::new_err(format!("'{other}' is no aggregate"))),
    })
}
