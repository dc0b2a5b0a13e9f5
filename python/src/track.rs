//! Tracking: starting runs, ending them, and noting what they read.

use std::path::PathBuf;

use holotype::Timestamp;
use holotype::surroundings::Process;
use holotype::track::{
    Answers, EnvironmentFile, Finish, FinishOptions, Finished, HashLookup, Named, Notebook, Outcome,
    Question, Rename, Report, SaveTransform, SourceFile, SourceKind, TrackOptions, Tracking,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value as Json;

use crate::contents::{keywords, option, row};
use crate::convert;
use crate::error;
use crate::instance::{self, Instance};
use crate::record::Record;
use crate::runtime;

/// Two neighbouring cells by execution count.
type Gap = (Option<i64>, Option<i64>);

/// The source file that a call speaks of.
struct Source {
    path: Option<PathBuf>,
    notebook: bool,
    interactive: bool,
    gaps: Option<Vec<Gap>>,
}

impl Source {
    fn given(path: Option<PathBuf>, arguments: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Source {
            path,
            notebook: option(arguments, "notebook")?.unwrap_or_default(),
            interactive: option(arguments, "interactive")?.unwrap_or_default(),
            gaps: option(arguments, "gaps")?,
        })
    }

    fn read(self, instance: &holotype::Instance) -> holotype::Result<Option<SourceFile>> {
        let Some(path) = &self.path else { return Ok(None) };
        let mut file = instance.source_file(path, self.interactive)?;
        if self.notebook {
            // Some notebooks are Python files: only the face knows.
            file.kind = SourceKind::Notebook;
            file.interactive = self.interactive;
        }
        if let Some(gaps) = self.gaps {
            file.gaps = gaps;
        }
        Ok(Some(file))
    }
}

/// Returns a record that is named by id or by text.
fn named(arguments: &Bound<'_, PyDict>, name: &str) -> PyResult<Option<Named>> {
    let Some(given) = arguments.get_item(name)?.filter(|value| !value.is_none()) else { return Ok(None) };
    Ok(Some(match given.extract::<i64>() {
        Ok(id) => Named::Id(id),
        Err(_) => Named::Text(given.extract()?),
    }))
}

fn environment(arguments: &Bound<'_, PyDict>) -> PyResult<Option<EnvironmentFile>> {
    let file: Option<(String, Vec<u8>)> = option(arguments, "environment")?;
    Ok(file.map(|(name, content)| EnvironmentFile { name, content }))
}

/// Returns what a program that tracks itself knows of itself.
fn process(arguments: &Bound<'_, PyDict>) -> PyResult<Option<Process>> {
    type Given = (String, PathBuf, Vec<PathBuf>, PathBuf, Vec<String>, Option<PathBuf>);
    let given: Option<Given> = option(arguments, "process")?;
    Ok(given.map(|(interpreter, program, path, folder, words, file)| Process {
        interpreter,
        program,
        path,
        folder,
        words,
        file,
    }))
}

/// Returns what is given to a run.
fn track_options(py: Python<'_>, given: &Bound<'_, PyDict>) -> PyResult<TrackOptions> {
    let params = given.get_item("params")?.filter(|params| !params.is_none());
    let params = match params.map(|params| convert::json_from_python(&params)).transpose()? {
        Some(Json::Object(map)) => Some(map),
        Some(_) => return Err(error::value(py, "Pass `params` as a dict")),
        None => None,
    };
    let renamed: Option<bool> = option(given, "renamed")?;
    Ok(TrackOptions {
        transform: row(given, "transform")?,
        uid: option(given, "uid")?,
        key: option(given, "key")?,
        version_tag: option(given, "version_tag")?,
        description: option(given, "description")?,
        project: named(given, "project")?,
        space: named(given, "space")?,
        branch: named(given, "branch")?,
        plan: named(given, "plan")?,
        initiated_by_run: named(given, "initiated_by_run")?,
        params,
        new_run: option(given, "new_run")?,
        arguments: option(given, "arguments")?.unwrap_or_default(),
        environment: environment(given)?,
        process: process(given)?,
        rename: renamed.map(|renamed| if renamed { Rename::Renamed } else { Rename::Copied }),
        ..TrackOptions::default()
    })
}

/// Starts a run; returns the run and its transform, or the question to answer first; None on a read-only connection.
#[pyfunction]
#[pyo3(signature = (instance, path, **arguments))]
fn track<'py>(
    py: Python<'py>,
    instance: &Instance,
    path: Option<PathBuf>,
    arguments: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let given = &keywords(py, arguments);
    let mut options = track_options(py, given)?;
    let source = Source::given(path, given)?;
    let tracking = runtime::run(py, || {
        options.source = source.read(&instance.inner)?;
        instance.inner.track(&options)
    })?;
    let out = PyDict::new(py);
    match tracking {
        Tracking::Skipped => return Ok(None),
        Tracking::Ask(question) => out.set_item("question", question.text())?,
        Tracking::Started(tracked) => {
            out.set_item("transform", Record::from(tracked.transform))?;
            out.set_item("run", Record::from(tracked.run))?;
        }
    }
    Ok(Some(out))
}

/// Returns the transform of the file that defines a function.
#[pyfunction]
fn source_transform(
    py: Python<'_>,
    instance: &Instance,
    path: PathBuf,
    uid: Option<&str>,
) -> PyResult<Record> {
    runtime::run(py, || {
        let source = instance.inner.source_file(&path, false)?;
        instance.inner.source_transform(&source, uid)
    })
    .map(Record::from)
}

/// Starts a run of a function, beside the one that the session tracks.
#[pyfunction]
#[pyo3(signature = (instance, transform, entrypoint, **arguments))]
fn start_call(
    py: Python<'_>,
    instance: &Instance,
    transform: &Record,
    entrypoint: &str,
    arguments: Option<&Bound<'_, PyDict>>,
) -> PyResult<Record> {
    let options = track_options(py, &keywords(py, arguments))?;
    runtime::run(py, || instance.inner.start_call(transform.row(), entrypoint, &options)).map(Record::from)
}

/// Ends a run; returns the run and its transform, or the question to answer first; None when a person declined, and on a
/// read-only connection.
#[pyfunction]
#[pyo3(signature = (instance, path, **arguments))]
fn finish<'py>(
    py: Python<'py>,
    instance: &Instance,
    path: Option<PathBuf>,
    arguments: Option<&Bound<'py, PyDict>>,
) -> PyResult<Option<Bound<'py, PyDict>>> {
    let given = &keywords(py, arguments);
    let outcome: Option<String> = option(given, "outcome")?;
    let report: Option<PathBuf> = option(given, "report")?;
    let ended_at: Option<f64> = option(given, "ended_at")?;
    let mut options = FinishOptions {
        run: option(given, "run")?,
        source: None,
        report: report.map(|path| Report { path, temporary: true }),
        outcome: match outcome.as_deref() {
            None | Some("completed") => Outcome::Completed,
            Some("errored") => Outcome::Errored,
            Some("aborted") => Outcome::Aborted,
            Some(other) => return Err(error::value(py, format!("'{other}' is no outcome of a run"))),
        },
        ended_at: ended_at.map(|seconds| Timestamp((seconds * 1e6) as i64)),
        ignore_non_consecutive: option(given, "ignore_non_consecutive")?,
        environment: environment(given)?,
        answers: Answers {
            proceed: option(given, "proceed")?,
            overwrite_source: option(given, "overwrite_source")?,
            overwrite_report: option(given, "overwrite_report")?,
        },
    };
    let source = Source::given(path, given)?;
    let finish = runtime::run(py, || {
        options.source = source.read(&instance.inner)?;
        instance.inner.finish(&options)
    })?;
    let out = PyDict::new(py);
    match finish {
        Finish::Declined | Finish::Skipped => return Ok(None),
        Finish::Ask(question) => {
            out.set_item("question", question.text())?;
            out.set_item(
                "answer",
                match question {
                    Question::NotConsecutive => "proceed",
                    Question::OverwriteSource { .. } => "overwrite_source",
                    Question::OverwriteReport { .. } => "overwrite_report",
                },
            )?;
        }
        Finish::Done(finished) => {
            let Finished { run, transform } = *finished;
            out.set_item("transform", Record::from(transform))?;
            out.set_item("run", Record::from(run))?;
        }
    }
    Ok(Some(out))
}

/// Returns a new transform, the next version of the one with its key, or the one with the same source.
#[pyfunction]
#[pyo3(signature = (instance, revises, skip_hash_lookup, **fields))]
fn transform(
    py: Python<'_>,
    instance: &Instance,
    revises: Option<&Record>,
    skip_hash_lookup: bool,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<Record> {
    let pairs = fields.map(instance::given).transpose()?.unwrap_or_default();
    let hashes = if skip_hash_lookup { HashLookup::Skip } else { HashLookup::Look };
    let revises = revises.map(Record::row);
    runtime::run(py, || instance.inner.transform(&instance::borrowed(&pairs), revises, hashes))
        .map(|made| made.record.into())
}

/// Saves a transform, new or changed.
#[pyfunction]
fn save_transform(instance: &Instance, record: &Bound<'_, Record>) -> PyResult<()> {
    instance::change(record, |row| instance.inner.save_transform(row))
}

/// Saves a script or notebook as a transform, without a run.
#[pyfunction]
fn transform_from_path(
    py: Python<'_>,
    instance: &Instance,
    path: PathBuf,
    key: Option<String>,
    version_tag: Option<String>,
    description: Option<String>,
) -> PyResult<Record> {
    let save = SaveTransform { key, version_tag, description, ..SaveTransform::default() };
    runtime::run(py, || instance.inner.save_transform_file(&path, &save)).map(|saved| saved.transform.into())
}

/// Returns a new run of a transform.
#[pyfunction]
#[pyo3(signature = (instance, transform, **fields))]
fn run(
    py: Python<'_>,
    instance: &Instance,
    transform: Option<&Record>,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<Record> {
    let pairs = fields.map(instance::given).transpose()?.unwrap_or_default();
    let transform = transform.map(Record::row);
    runtime::run(py, || instance.inner.run(transform, &instance::borrowed(&pairs))).map(Record::from)
}

/// Returns the neighbouring cells of a notebook that did not run one after the other.
#[pyfunction]
fn notebook_gaps(py: Python<'_>, text: &str) -> PyResult<Vec<Gap>> {
    runtime::run(py, || Ok(Notebook::parse(text)?.gaps()))
}

/// Notes that a run, the tracked one by default, reads a record; returns whether it counts as an input.
#[pyfunction]
fn track_input(py: Python<'_>, instance: &Instance, record: &Record, run: Option<i64>) -> PyResult<bool> {
    runtime::run(py, || instance.inner.track_input(record.row(), run))
}

/// Marks the runs of processes that were killed as aborted; returns their uids.
#[pyfunction]
fn close_killed(py: Python<'_>, instance: &Instance) -> PyResult<Vec<String>> {
    runtime::run(py, || instance.inner.close_killed())
}

/// Returns what is kept of the surroundings of a run, None where that is nothing.
#[pyfunction]
fn surroundings<'py>(
    py: Python<'py>,
    instance: &Instance,
    run: &Record,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let found = runtime::run(py, || instance.inner.surroundings(run.row()))?;
    found.map(|found| convert::json_to_python(py, &found.json())).transpose()
}

/// Words, where they run, variables, and what is not as it was.
type Prepared = (Vec<String>, PathBuf, Vec<(&'static str, String)>, Vec<String>);

/// Puts code and inputs of a run into a new folder; returns the command, where it runs, its variables, and what is not as it
/// was.
#[pyfunction]
fn prepare_rerun(py: Python<'_>, instance: &Instance, run: &Record, folder: PathBuf) -> PyResult<Prepared> {
    let prepared =
        runtime::run(py, || instance.inner.plan_rerun(run.row())?.prepare(&instance.inner, &folder))?;
    Ok((prepared.words, prepared.folder, prepared.variables, prepared.warnings))
}

/// Returns how the outputs of a run came out in the folder in which its command ran again.
#[pyfunction]
fn judge_rerun<'py>(
    py: Python<'py>,
    instance: &Instance,
    run: &Record,
    folder: PathBuf,
    warnings: Vec<String>,
    code: i64,
) -> PyResult<Bound<'py, PyAny>> {
    let json = runtime::run(py, || {
        let rerun = instance.inner.plan_rerun(run.row())?;
        Ok(rerun.json(&warnings, code, &rerun.compare(&instance.inner, &folder)?))
    })?;
    convert::json_to_python(py, &json)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(track, module)?)?;
    module.add_function(wrap_pyfunction!(source_transform, module)?)?;
    module.add_function(wrap_pyfunction!(start_call, module)?)?;
    module.add_function(wrap_pyfunction!(finish, module)?)?;
    module.add_function(wrap_pyfunction!(transform, module)?)?;
    module.add_function(wrap_pyfunction!(save_transform, module)?)?;
    module.add_function(wrap_pyfunction!(transform_from_path, module)?)?;
    module.add_function(wrap_pyfunction!(run, module)?)?;
    module.add_function(wrap_pyfunction!(notebook_gaps, module)?)?;
    module.add_function(wrap_pyfunction!(close_killed, module)?)?;
    module.add_function(wrap_pyfunction!(surroundings, module)?)?;
    module.add_function(wrap_pyfunction!(prepare_rerun, module)?)?;
    module.add_function(wrap_pyfunction!(judge_rerun, module)?)?;
    module.add_function(wrap_pyfunction!(track_input, module)?)
}
