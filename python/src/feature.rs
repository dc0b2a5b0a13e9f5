//! Features: new ones, and the values that records hold.

use holotype::dtype::Dtype;
use pyo3::prelude::*;

use crate::convert::{Annotation, Annotations, Document, Given, InRegistry};
use crate::instance::Instance;
use crate::record::{Record, rows};
use crate::runtime::run;

#[pymethods]
impl Instance {
    /// Returns a new feature, or the existing one of that name.
    fn feature(&self, fields: Given, search_names: bool) -> PyResult<Record> {
        run(|| self.inner.feature(&fields.pairs(), search_names)).map(Record::from)
    }

    /// Gives an artifact, run or record values of features by name or uid: `add`, `set` or `update`.
    fn annotate(&self, record: &Record, values: Annotations, how: &str) -> PyResult<()> {
        run(|| self.inner.annotate(record.row(), &values.0, how.parse()?))
    }

    /// Takes values of features away: all, or those given, where None stands for all of a feature.
    fn remove_features(&self, record: &Record, wanted: Option<Annotations>) -> PyResult<()> {
        run(|| self.inner.remove_features(record.row(), wanted.as_ref().map(|wanted| &wanted.0[..])))
    }

    /// Returns what records of a registry hold of features, each with the labels that are values.
    fn features_of(&self, registry: InRegistry, ids: Vec<i64>) -> PyResult<Vec<(Document, Vec<Record>)>> {
        let held = run(|| self.inner.features_of(registry.0, &ids))?;
        Ok(held.into_iter().map(|held| (Document(held.json()), rows(held.labels))).collect())
    }
}

/// Returns what a type of features is made of.
#[pyfunction]
pub fn dtype_parts(text: &str) -> PyResult<Document> {
    run(|| text.parse()).map(|dtype: Dtype| Document(dtype.json()))
}

/// Returns the type that fits a value, None where nothing does.
#[pyfunction]
pub fn inferred_dtype(value: Annotation) -> Option<String> {
    holotype::feature::inferred(&value.0)
}
