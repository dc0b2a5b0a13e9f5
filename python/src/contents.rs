//! Artifacts and collections: making, saving, reading and deleting them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use holotype::Artifact;
use holotype::collection::{NewCollection, Use};
use holotype::ingest::{ArtifactDeletion, NewArtifact, RunChoice};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::error;
use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::Record;
use crate::runtime;

/// Returns the keyword arguments of a call, which may have none.
pub fn keywords<'py>(py: Python<'py>, arguments: Option<&Bound<'py, PyDict>>) -> Bound<'py, PyDict> {
    arguments.cloned().unwrap_or_else(|| PyDict::new(py))
}

/// Returns a keyword argument; absent and None are the same.
pub fn option<'py, T>(arguments: &Bound<'py, PyDict>, name: &str) -> PyResult<Option<T>>
where
    T: for<'a> FromPyObject<'a, 'py, Error = PyErr>,
{
    match arguments.get_item(name)?.filter(|value| !value.is_none()) {
        Some(value) => value.extract().map(Some),
        None => Ok(None),
    }
}

/// Returns the run that a face asks for: False for none, an id, or None for the one that is tracked.
fn run_choice(run: &Bound<'_, PyAny>) -> PyResult<RunChoice> {
    if run.is_none() || run.is_instance_of::<PyBool>() && run.is_truthy()? {
        return Ok(RunChoice::Current);
    }
    if run.is_instance_of::<PyBool>() {
        return Ok(RunChoice::None);
    }
    run.extract().map(RunChoice::Id)
}

pub fn row(arguments: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<holotype::Record>> {
    let record = arguments.get_item(name)?.filter(|value| !value.is_none());
    record.map(|record| Ok(record.cast::<Record>()?.borrow().row().clone())).transpose()
}

/// Returns a new artifact for a path, or the registered one when the content is known.
#[pyfunction]
#[pyo3(signature = (instance, source, run, **arguments))]
fn artifact(
    py: Python<'_>,
    instance: &Instance,
    source: String,
    run: &Bound<'_, PyAny>,
    arguments: Option<&Bound<'_, PyDict>>,
) -> PyResult<Record> {
    let given = &keywords(py, arguments);
    let new = NewArtifact {
        source,
        temporary: option(given, "temporary")?.unwrap_or_default(),
        key: option(given, "key")?,
        description: option(given, "description")?,
        kind: option(given, "kind")?,
        otype: option(given, "otype")?,
        version_tag: option(given, "version_tag")?,
        n_observations: option(given, "n_observations")?,
        storage: option(given, "storage")?,
        branch: option(given, "branch")?,
        space: option(given, "space")?,
        schema: option(given, "schema")?,
        revises: row(given, "revises")?,
        overwrite_versions: option(given, "overwrite_versions")?,
        skip_hash_lookup: option(given, "skip_hash_lookup")?,
        key_is_virtual: option(given, "key_is_virtual")?,
        run: run_choice(run)?,
    };
    runtime::run(py, || instance.inner.artifact(new)).map(Record::from)
}

/// Returns one artifact per file of a folder.
#[pyfunction]
fn artifacts_from_dir(
    py: Python<'_>,
    instance: &Instance,
    path: &str,
    key: Option<&str>,
    run: &Bound<'_, PyAny>,
) -> PyResult<Vec<Record>> {
    let run = run_choice(run)?;
    let made = runtime::run(py, || instance.inner.artifacts_from_dir(path, key, run))?;
    Ok(made.into_iter().map(Record::from).collect())
}

/// Returns an artifact whose content is still to be written to its source path.
#[pyfunction]
fn lazy_artifact(
    py: Python<'_>,
    instance: &Instance,
    suffix: &str,
    overwrite_versions: bool,
    key: Option<&str>,
    description: Option<&str>,
    run: &Bound<'_, PyAny>,
) -> PyResult<Record> {
    let run = run_choice(run)?;
    runtime::run(py, || instance.inner.lazy_artifact(suffix, overwrite_versions, key, description, run))
        .map(Record::from)
}

/// Saves an artifact: its content if that is still to be stored, and its row.
///
/// `upload` brings content that was kept local to the default storage location.
#[pyfunction]
fn save_artifact(
    py: Python<'_>,
    instance: &Instance,
    record: &Bound<'_, Record>,
    upload: bool,
) -> PyResult<()> {
    let mut artifact = record.borrow().artifact();
    let artifact = runtime::run(py, || {
        let done = match upload {
            true => instance.inner.upload_artifact(&mut artifact),
            false => instance.inner.save_artifact(&mut artifact),
        };
        done.map(|()| artifact)
    })?;
    record.borrow_mut().replace(artifact);
    Ok(())
}

/// Saves many artifacts: their content in parallel, their rows in one transaction.
#[pyfunction]
fn save_artifacts(py: Python<'_>, instance: &Instance, records: Vec<Py<Record>>) -> PyResult<()> {
    let mut artifacts: Vec<Artifact> = records.iter().map(|record| record.borrow(py).artifact()).collect();
    let artifacts = runtime::run(py, || instance.inner.save_artifacts(&mut artifacts).map(|()| artifacts))?;
    for (record, artifact) in records.iter().zip(artifacts) {
        record.borrow_mut(py).replace(artifact);
    }
    Ok(())
}

/// Gives an artifact other content, to be saved; returns the one that holds it already, if there is one.
#[pyfunction]
fn replace_content(
    py: Python<'_>,
    instance: &Instance,
    record: &Bound<'_, Record>,
    source: &str,
    temporary: bool,
    run: &Bound<'_, PyAny>,
) -> PyResult<Option<Record>> {
    let run = run_choice(run)?;
    let mut artifact = record.borrow().artifact();
    let (found, artifact) = runtime::run(py, || {
        let found = instance.inner.replace_content(&mut artifact, source, temporary, run)?;
        Ok((found, artifact))
    })?;
    record.borrow_mut().replace(artifact);
    Ok(found.map(Record::from))
}

/// Returns where the content of an artifact lies, or will lie: a path, or a URL.
#[pyfunction]
fn artifact_path(py: Python<'_>, instance: &Instance, record: &Record) -> PyResult<OsString> {
    // Python's paths would take the slashes of a URL for one.
    runtime::run(py, || instance.inner.artifact_path(record.row())).map(PathBuf::into_os_string)
}

/// Returns where the content can be read in parts: a local path, or the URL of remote content that is not in the cache.
#[pyfunction]
fn readable(py: Python<'_>, instance: &Instance, record: &Record) -> PyResult<OsString> {
    runtime::run(py, || instance.inner.readable(record.row())).map(PathBuf::into_os_string)
}

/// Returns a local path from which the complete content can be read.
#[pyfunction]
fn cache(py: Python<'_>, instance: &Instance, record: &Record) -> PyResult<PathBuf> {
    runtime::run(py, || instance.inner.cache(record.row()))
}

/// Returns from where to where saving would move content, if it would.
#[pyfunction]
fn artifact_move(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
) -> PyResult<Option<(OsString, OsString)>> {
    let plan = runtime::run(py, || instance.inner.plan_artifact_move(record.row()))?;
    Ok(plan.map(|plan| (plan.from.into_os_string(), plan.to.into_os_string())))
}

/// What the permanent deletion of an artifact would remove.
#[pyclass(frozen, module = "holotype._native")]
pub struct Deletion {
    instance: holotype::Instance,
    plan: ArtifactDeletion,
}

#[pymethods]
impl Deletion {
    /// Where the content lies: a path, or a URL.
    #[getter]
    fn path(&self) -> OsString {
        self.plan.path.clone().into_os_string()
    }

    /// True when the user has to say whether the content goes as well.
    #[getter]
    fn question(&self) -> bool {
        self.plan.question
    }

    /// True when all versions go because they share one store.
    #[getter]
    fn all_versions(&self) -> bool {
        self.plan.all_versions
    }

    /// How many rows go, in all and by registry.
    #[getter]
    fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        self.plan.counts()
    }

    /// Deletes what was planned; `content` answers the question.
    fn apply(&self, py: Python<'_>, content: bool) -> PyResult<()> {
        runtime::run(py, || self.instance.apply_artifact_delete(&self.plan, content))
    }
}

/// Returns what the permanent deletion of an artifact would remove.
#[pyfunction]
fn plan_artifact_delete(
    py: Python<'_>,
    instance: &Instance,
    record: &Record,
    storage: Option<bool>,
) -> PyResult<Deletion> {
    let plan = runtime::run(py, || instance.inner.plan_artifact_delete(record.row(), storage))?;
    Ok(Deletion { instance: instance.inner.clone(), plan })
}

/// Returns a new collection of artifacts, or the registered one of the same artifacts.
#[pyfunction]
#[pyo3(signature = (instance, artifacts, run, **arguments))]
fn collection(
    py: Python<'_>,
    instance: &Instance,
    artifacts: Vec<Py<Record>>,
    run: &Bound<'_, PyAny>,
    arguments: Option<&Bound<'_, PyDict>>,
) -> PyResult<Record> {
    let given = &keywords(py, arguments);
    let new = NewCollection {
        artifacts: artifacts.iter().map(|artifact| artifact.borrow(py).row().clone()).collect(),
        key: option(given, "key")?,
        name: option(given, "name")?,
        description: option(given, "description")?,
        meta_artifact: row(given, "meta_artifact")?,
        reference: option(given, "reference")?,
        reference_type: option(given, "reference_type")?,
        revises: row(given, "revises")?,
        version_tag: option(given, "version_tag")?,
        run: run_choice(run)?,
        skip_hash_lookup: option(given, "skip_hash_lookup")?.unwrap_or_default(),
        branch: option(given, "branch")?,
        space: option(given, "space")?,
        schema: option(given, "schema")?,
    };
    runtime::run(py, || instance.inner.collection(new)).map(Record::from)
}

/// Saves a collection and its links.
#[pyfunction]
fn save_collection(py: Python<'_>, instance: &Instance, record: &Bound<'_, Record>) -> PyResult<()> {
    let mut made = record.borrow().collection();
    let made = runtime::run(py, || instance.inner.save_collection(&mut made).map(|()| made))?;
    record.borrow_mut().replace(made);
    Ok(())
}

/// Returns the artifacts of a collection in their order.
#[pyfunction]
fn ordered_artifacts(py: Python<'_>, instance: &Instance, record: &Record) -> PyResult<QuerySet> {
    let inner = runtime::run(py, || instance.inner.ordered_artifacts(record.row()))?;
    Ok(QuerySet { inner })
}

/// Returns local paths of the artifacts of a collection, in order.
#[pyfunction]
fn cache_collection(py: Python<'_>, instance: &Instance, record: &Record) -> PyResult<Vec<PathBuf>> {
    runtime::run(py, || instance.inner.cache_collection(record.row()))
}

/// Checks that a collection can be loaded (`load`) or opened (`open`) as one and returns the common suffix.
#[pyfunction]
fn collection_suffix(py: Python<'_>, instance: &Instance, record: &Record, wanted: &str) -> PyResult<String> {
    let wanted = match wanted {
        "load" => Use::Load,
        "open" => Use::Open,
        other => return Err(error::value(py, format!("A collection is not used by '{other}'"))),
    };
    runtime::run(py, || instance.inner.collection_suffix(record.row(), wanted))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Deletion>()?;
    module.add_function(wrap_pyfunction!(artifact, module)?)?;
    module.add_function(wrap_pyfunction!(artifacts_from_dir, module)?)?;
    module.add_function(wrap_pyfunction!(lazy_artifact, module)?)?;
    module.add_function(wrap_pyfunction!(save_artifact, module)?)?;
    module.add_function(wrap_pyfunction!(save_artifacts, module)?)?;
    module.add_function(wrap_pyfunction!(replace_content, module)?)?;
    module.add_function(wrap_pyfunction!(artifact_path, module)?)?;
    module.add_function(wrap_pyfunction!(readable, module)?)?;
    module.add_function(wrap_pyfunction!(cache, module)?)?;
    module.add_function(wrap_pyfunction!(artifact_move, module)?)?;
    module.add_function(wrap_pyfunction!(plan_artifact_delete, module)?)?;
    module.add_function(wrap_pyfunction!(collection, module)?)?;
    module.add_function(wrap_pyfunction!(save_collection, module)?)?;
    module.add_function(wrap_pyfunction!(ordered_artifacts, module)?)?;
    module.add_function(wrap_pyfunction!(cache_collection, module)?)?;
    module.add_function(wrap_pyfunction!(collection_suffix, module)?)
}
