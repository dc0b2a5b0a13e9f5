//! Artifacts and collections: making, saving, reading and deleting them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use holotype::collection::{NewCollection, Use};
use holotype::ingest::{ArtifactDeletion, NewArtifact};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert::{Run, choose, fill};
use crate::instance::Instance;
use crate::query::QuerySet;
use crate::record::{Record, change_all, change_as, rows};
use crate::runtime::run;

#[pymethods]
impl Instance {
    /// Returns a new artifact for a path, or the registered one when the content is known.
    #[pyo3(signature = (source, run_choice, **arguments))]
    fn artifact(
        &self,
        source: String,
        run_choice: Run,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Record> {
        let mut new = NewArtifact { run: run_choice.0, ..NewArtifact::new(source) };
        fill!(arguments => new: temporary, key, description, kind, otype, version_tag, n_observations, storage, branch, space,
            schema, revises, overwrite_versions, skip_hash_lookup, key_is_virtual);
        run(|| self.inner.artifact(new)).map(Record::from)
    }

    /// Returns one artifact per file of a folder.
    fn artifacts_from_dir(&self, path: &str, key: Option<&str>, run_choice: Run) -> PyResult<Vec<Record>> {
        run(|| self.inner.artifacts_from_dir(path, key, run_choice.0)).map(rows)
    }

    /// Returns an artifact whose content is still to be written to its source path.
    fn lazy_artifact(
        &self,
        suffix: &str,
        overwrite_versions: bool,
        key: Option<&str>,
        description: Option<&str>,
        run_choice: Run,
    ) -> PyResult<Record> {
        run(|| self.inner.lazy_artifact(suffix, overwrite_versions, key, description, run_choice.0))
            .map(Record::from)
    }

    /// Saves an artifact: its content if that is still to be stored, and its row.
    ///
    /// `upload` brings content that was kept local to the default storage location.
    fn save_artifact(&self, record: &Bound<'_, Record>, upload: bool) -> PyResult<()> {
        let save =
            if upload { holotype::Instance::upload_artifact } else { holotype::Instance::save_artifact };
        change_as(record, Record::artifact, |artifact| save(&self.inner, artifact))
    }

    /// Saves many artifacts: their content in parallel, their rows in one transaction.
    fn save_artifacts(&self, records: Vec<Bound<'_, Record>>) -> PyResult<()> {
        change_all(&records, Record::artifact, |artifacts| self.inner.save_artifacts(artifacts))
    }

    /// Gives an artifact other content, to be saved; returns the one that holds it already, if there is one.
    fn replace_content(
        &self,
        record: &Bound<'_, Record>,
        source: &str,
        temporary: bool,
        run_choice: Run,
    ) -> PyResult<Option<Record>> {
        let found = change_as(record, Record::artifact, |artifact| {
            self.inner.replace_content(artifact, source, temporary, run_choice.0)
        })?;
        Ok(found.map(Record::from))
    }

    /// Returns where the content of an artifact lies, or will lie: a path, or a URL.
    fn artifact_path(&self, record: &Record) -> PyResult<OsString> {
        // Python's paths would take the slashes of a URL for one.
        run(|| self.inner.artifact_path(record.row())).map(PathBuf::into_os_string)
    }

    /// Returns where the content can be read in parts: a local path, or the URL of remote content that is not in the cache.
    fn readable(&self, record: &Record) -> PyResult<OsString> {
        run(|| self.inner.readable(record.row())).map(PathBuf::into_os_string)
    }

    /// Returns what reads the content, which is one file, in parts from where it lies.
    fn parts(&self, record: &Record) -> PyResult<Parts> {
        run(|| self.inner.parts(record.row())).map(Parts)
    }

    /// Returns a local path from which the complete content can be read.
    fn cache(&self, record: &Record) -> PyResult<PathBuf> {
        run(|| self.inner.cache(record.row()))
    }

    /// Refuses to let the content of an artifact be changed where it lies, unless its next version has the same place.
    fn check_writable(&self, record: &Record) -> PyResult<()> {
        run(|| self.inner.check_writable(record.row()))
    }

    /// Makes a version of what was written to the folder of an artifact; nothing when it is what it was.
    fn save_written(&self, record: &Record, run_choice: Run) -> PyResult<Option<Record>> {
        let saved = run(|| self.inner.save_written(record.row(), run_choice.0))?;
        Ok(saved.map(Record::from))
    }

    /// Returns from where to where saving would move content, if it would.
    fn artifact_move(&self, record: &Record) -> PyResult<Option<(OsString, OsString)>> {
        let plan = run(|| self.inner.plan_artifact_move(record.row()))?;
        Ok(plan.map(|plan| (plan.from.into_os_string(), plan.to.into_os_string())))
    }

    /// Returns what the permanent deletion of an artifact would remove.
    fn plan_artifact_delete(&self, record: &Record, storage: Option<bool>) -> PyResult<Deletion> {
        let plan = run(|| self.inner.plan_artifact_delete(record.row(), storage))?;
        Ok(Deletion { instance: self.inner.clone(), plan })
    }

    /// Returns a new collection of artifacts, or the registered one of the same artifacts.
    #[pyo3(signature = (artifacts, run_choice, **arguments))]
    fn collection(
        &self,
        artifacts: Vec<PyRef<'_, Record>>,
        run_choice: Run,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Record> {
        let artifacts = artifacts.iter().map(|artifact| artifact.row().clone()).collect();
        let mut new = NewCollection { artifacts, run: run_choice.0, ..NewCollection::default() };
        fill!(arguments => new: key, name, description, meta_artifact, reference, reference_type, revises, version_tag,
            skip_hash_lookup, branch, space, schema);
        run(|| self.inner.collection(new)).map(Record::from)
    }

    /// Saves a collection and its links.
    fn save_collection(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change_as(record, Record::collection, |collection| self.inner.save_collection(collection))
    }

    /// Returns the artifacts of a collection in their order.
    fn ordered_artifacts(&self, record: &Record) -> PyResult<QuerySet> {
        run(|| self.inner.ordered_artifacts(record.row())).map(QuerySet::from)
    }

    /// Returns local paths of the artifacts of a collection, in order.
    fn cache_collection(&self, record: &Record) -> PyResult<Vec<PathBuf>> {
        run(|| self.inner.cache_collection(record.row()))
    }

    /// Checks that a collection can be loaded (`load`) or opened (`open`) as one and returns the common suffix.
    fn collection_suffix(&self, record: &Record, wanted: &str) -> PyResult<String> {
        let wanted = choose!(wanted, "is nothing that is done with a collection": "load" => Use::Load, "open" => Use::Open);
        run(|| self.inner.collection_suffix(record.row(), wanted))
    }
}

/// A file that is read in parts, as long as nobody changes it.
#[pyclass(frozen, module = "holotype._native")]
pub struct Parts(holotype::Parts);

#[pymethods]
impl Parts {
    /// How many bytes the file has.
    fn __len__(&self) -> usize {
        self.0.size() as usize
    }

    /// Returns the bytes from `start` to `end`.
    fn read<'py>(&self, py: Python<'py>, start: u64, end: u64) -> PyResult<Bound<'py, PyBytes>> {
        run(|| self.0.read(start, end)).map(|bytes| PyBytes::new(py, &bytes))
    }
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

    /// How many rows go, in all and by registry.
    #[getter]
    fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        self.plan.counts()
    }

    /// Deletes what was planned; `content` answers the question.
    fn apply(&self, content: bool) -> PyResult<()> {
        run(|| self.instance.apply_artifact_delete(&self.plan, content))
    }
}
