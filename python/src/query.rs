//! Lazy queries.

use holotype::Aggregate;
use holotype::query::Case;
use pyo3::prelude::*;

use crate::convert::{Condition, Seen, choose};
use crate::record::{Record, rows};
use crate::runtime::run;
use crate::table::Table;

/// A query over one registry; nothing is read before a method asks for it.
#[pyclass(frozen, module = "holotype._native")]
pub struct QuerySet {
    pub inner: holotype::QuerySet,
}

impl From<holotype::QuerySet> for QuerySet {
    fn from(inner: holotype::QuerySet) -> Self {
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
        self.inner.mentions(&texts(&fields))
    }

    /// Returns the query restricted by a condition.
    fn filter(&self, condition: Condition) -> PyResult<Self> {
        run(|| self.inner.filter(condition.0)).map(Self::from)
    }

    /// Returns the query with the default visibility added.
    fn visible(&self) -> PyResult<Self> {
        run(|| self.inner.visible()).map(Self::from)
    }

    /// Returns the query sorted by look-ups.
    fn order_by(&self, paths: Vec<String>) -> PyResult<Self> {
        run(|| self.inner.order_by(texts(&paths))).map(Self::from)
    }

    /// Returns the query whose records each have aggregates, given as name, function and look-up.
    fn annotate(&self, wanted: Vec<(String, String, String)>) -> PyResult<Self> {
        wanted.iter().try_fold(Self::from(self.inner.clone()), |query, (name, function, path)| {
            let function = aggregate(function)?;
            run(|| query.inner.annotate(name, function, path)).map(Self::from)
        })
    }

    /// Names under which the records have aggregates.
    #[getter]
    fn annotations(&self) -> Vec<&str> {
        self.inner.annotations()
    }

    /// Returns the aggregates of records: a column of ids, then one per name.
    fn annotated(&self, ids: Vec<i64>) -> PyResult<Table> {
        run(|| self.inner.annotated(ids)).map(Table::from)
    }

    /// Returns the query with its order turned round.
    fn reverse(&self) -> Self {
        self.inner.reverse().into()
    }

    /// Returns the rows from `start` up to but not including `stop`.
    fn slice(&self, start: usize, stop: Option<usize>) -> Self {
        self.inner.slice(start, stop).into()
    }

    /// Returns the records that match a text, best first.
    fn search(
        &self,
        text: &str,
        fields: Vec<String>,
        limit: Option<usize>,
        exact_case: bool,
    ) -> PyResult<Self> {
        let case = if exact_case { Case::Sensitive } else { Case::Ignored };
        run(|| self.inner.search(text, &texts(&fields), limit, case)).map(Self::from)
    }

    /// Returns all records.
    fn all(&self) -> PyResult<Vec<Record>> {
        run(|| self.inner.all()).map(rows)
    }

    /// Returns the first record.
    fn first(&self) -> PyResult<Option<Record>> {
        Ok(run(|| self.inner.first())?.map(Record::from))
    }

    /// Returns the last record.
    fn last(&self) -> PyResult<Option<Record>> {
        Ok(run(|| self.inner.last())?.map(Record::from))
    }

    /// Returns the one record.
    fn one(&self) -> PyResult<Record> {
        run(|| self.inner.one()).map(Record::from)
    }

    /// Returns the one record, or None.
    fn one_or_none(&self) -> PyResult<Option<Record>> {
        Ok(run(|| self.inner.one_or_none())?.map(Record::from))
    }

    /// Returns the record whose uid starts with a text.
    fn get_uid(&self, uid: &str) -> PyResult<Record> {
        run(|| self.inner.get_uid(uid)).map(Record::from)
    }

    /// Returns the one visible record for which a condition holds.
    fn get_where(&self, condition: Condition) -> PyResult<Record> {
        run(|| self.inner.get_where(condition.0)).map(Record::from)
    }

    /// Returns how the database reads the records.
    fn explain(&self) -> PyResult<String> {
        run(|| self.inner.explain())
    }

    /// Returns the number of records.
    fn count(&self) -> PyResult<usize> {
        run(|| self.inner.count())
    }

    /// Returns true when there is a record.
    fn exists(&self) -> PyResult<bool> {
        run(|| self.inner.exists())
    }

    /// Returns the ids of all records.
    fn ids(&self) -> PyResult<Vec<i64>> {
        run(|| self.inner.all_ids())
    }

    /// Returns look-ups of every record as columns.
    fn table(&self, paths: Vec<String>) -> PyResult<Table> {
        run(|| self.inner.table(texts(&paths))).map(Table::from)
    }

    /// Returns pairs of record id and value for a look-up that leads to many records.
    fn related<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Vec<(i64, Bound<'py, PyAny>)>> {
        let pairs = run(|| self.inner.related(path))?;
        pairs.iter().map(|(id, value)| Ok((*id, Seen(value).into_pyobject(py)?))).collect()
    }

    /// Returns aggregates, each given as a pair of its name and a look-up.
    fn aggregate<'py>(
        &self,
        py: Python<'py>,
        wanted: Vec<(String, String)>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let pairs = wanted.iter().map(|(name, path)| Ok((aggregate(name)?, path.as_str())));
        let pairs: Vec<(Aggregate, &str)> = pairs.collect::<PyResult<_>>()?;
        run(|| self.inner.aggregate(&pairs))?.iter().map(|value| Seen(value).into_pyobject(py)).collect()
    }
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

fn aggregate(name: &str) -> PyResult<Aggregate> {
    Ok(choose!(name, "is no aggregate":
        "count" => Aggregate::Count, "count_distinct" => Aggregate::CountDistinct, "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg, "min" => Aggregate::Min, "max" => Aggregate::Max))
}
