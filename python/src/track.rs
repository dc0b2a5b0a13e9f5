//! Tracking: starting runs, ending them, and noting what they read.

use std::path::PathBuf;

use holotype::track::{
    Finish, FinishOptions, HashLookup, Notebook, Outcome, Rename, Report, SaveTransform, SourceFile,
    SourceKind, TrackOptions, Tracking,
};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{Document, Given, choose, fill, option};
use crate::instance::Instance;
use crate::record::{Record, change};
use crate::runtime::run;

/// The keyword arguments of a call, which may have none.
type Arguments<'a, 'py> = Option<&'a Bound<'py, PyDict>>;

/// Two neighbouring cells by execution count.
type Gap = (Option<i64>, Option<i64>);

/// A run and its transform.
type Pair = (Record, Record);

/// What is to be answered: the question, and the argument that takes the answer.
type Asked = (String, &'static str);

/// The source file that a call speaks of.
#[derive(Default)]
struct Source {
    notebook: bool,
    interactive: bool,
    gaps: Option<Vec<Gap>>,
}

impl Source {
    fn given(arguments: Arguments<'_, '_>) -> PyResult<Self> {
        let mut source = Source::default();
        fill!(arguments => source: notebook, interactive, gaps);
        Ok(source)
    }

    fn read(
        self,
        instance: &holotype::Instance,
        path: Option<PathBuf>,
    ) -> holotype::Result<Option<SourceFile>> {
        let Some(path) = path else { return Ok(None) };
        let mut file = instance.source_file(&path, self.interactive)?;
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

/// Returns what is given to a run.
fn track_options(given: Arguments<'_, '_>) -> PyResult<TrackOptions> {
    let renamed = option(given, "renamed")?;
    let rename = renamed.map(|renamed| if renamed { Rename::Renamed } else { Rename::Copied });
    let mut options = TrackOptions { rename, ..TrackOptions::default() };
    fill!(given => options: transform, uid, key, version_tag, description, project, space, branch, plan, initiated_by_run,
        params, unkept, again, features, new_run, arguments, process);
    Ok(options)
}

#[pymethods]
impl Instance {
    /// Starts a run; returns the run and its transform, or the question to answer first; None on a read-only connection.
    #[pyo3(signature = (path, **arguments))]
    fn track(
        &self,
        path: Option<PathBuf>,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<(Option<Pair>, Option<Asked>)> {
        let mut options = track_options(arguments)?;
        let source = Source::given(arguments)?;
        let tracking = run(|| {
            options.source = source.read(&self.inner, path)?;
            self.inner.track(&options)
        })?;
        Ok(match tracking {
            Tracking::Skipped => (None, None),
            Tracking::Ask(question) => (None, Some((question.text(), "renamed"))),
            Tracking::Started(tracked) => (Some((tracked.run.into(), tracked.transform.into())), None),
        })
    }

    /// Returns the transform of the file that defines a function.
    fn source_transform(&self, path: PathBuf, uid: Option<&str>) -> PyResult<Record> {
        let inner = &self.inner;
        run(|| inner.source_transform(&inner.source_file(&path, false)?, uid)).map(Record::from)
    }

    /// Starts a run of a function, beside the one that the session tracks.
    #[pyo3(signature = (transform, entrypoint, **arguments))]
    fn start_call(
        &self,
        transform: &Record,
        entrypoint: &str,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Record> {
        let options = track_options(arguments)?;
        run(|| self.inner.start_call(transform.row(), entrypoint, &options)).map(Record::from)
    }

    /// Ends a run; returns the run and its transform, or the question to answer first; neither when a person declined, and on a
    /// read-only connection.
    #[pyo3(signature = (path, **arguments))]
    fn finish(
        &self,
        path: Option<PathBuf>,
        arguments: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<(Option<Pair>, Option<Asked>)> {
        let outcome: Option<String> = option(arguments, "outcome")?;
        let report: Option<PathBuf> = option(arguments, "report")?;
        let mut options = FinishOptions {
            report: report.map(|path| Report { path, temporary: true }),
            outcome: choose!(outcome.as_deref().unwrap_or("completed"), "is no outcome of a run":
                "completed" => Outcome::Completed, "errored" => Outcome::Errored, "aborted" => Outcome::Aborted),
            ..FinishOptions::default()
        };
        let answers = &mut options.answers;
        fill!(arguments => answers: proceed, overwrite_source, overwrite_report);
        fill!(arguments => options: run, ended_at, ignore_non_consecutive);
        let source = Source::given(arguments)?;
        let finish = run(|| {
            options.source = source.read(&self.inner, path)?;
            self.inner.finish(&options)
        })?;
        Ok(match finish {
            Finish::Declined | Finish::Skipped => (None, None),
            Finish::Ask(question) => (None, Some((question.text(), question.answer()))),
            Finish::Done(finished) => (Some((finished.run.into(), finished.transform.into())), None),
        })
    }

    /// Returns a new transform, the next version of the one with its key, or the one with the same source.
    fn transform(&self, revises: Option<&Record>, skip_hash_lookup: bool, fields: Given) -> PyResult<Record> {
        let hashes = if skip_hash_lookup { HashLookup::Skip } else { HashLookup::Look };
        let made = run(|| self.inner.transform(&fields.pairs(), revises.map(Record::row), hashes))?;
        Ok(made.record.into())
    }

    /// Saves a transform, new or changed.
    fn save_transform(&self, record: &Bound<'_, Record>) -> PyResult<()> {
        change(record, |row| self.inner.save_transform(row))
    }

    /// Saves a script or notebook as a transform, without a run.
    fn transform_from_path(
        &self,
        path: PathBuf,
        key: Option<String>,
        version_tag: Option<String>,
        description: Option<String>,
    ) -> PyResult<Record> {
        let save = SaveTransform { key, version_tag, description, ..SaveTransform::default() };
        run(|| self.inner.save_transform_file(&path, &save)).map(|saved| saved.transform.into())
    }

    /// Returns a new run of a transform.
    fn new_run(&self, transform: Option<&Record>, fields: Given) -> PyResult<Record> {
        run(|| self.inner.run(transform.map(Record::row), &fields.pairs())).map(Record::from)
    }

    /// Notes that a run, the tracked one by default, reads a record; returns whether it counts as an input.
    fn track_input(&self, record: &Record, by: Option<i64>) -> PyResult<bool> {
        run(|| self.inner.track_input(record.row(), by))
    }

    /// Notes that a run goes on in this process.
    fn mark_going(&self, uid: &str) -> PyResult<Going> {
        run(|| self.inner.mark_going(uid)).map(|sign| Going { sign })
    }

    /// Returns where what a run prints is written until it is finished.
    fn run_log(&self, uid: &str) -> PyResult<PathBuf> {
        run(|| self.inner.run_log(uid))
    }

    /// Marks the runs of processes that were killed as aborted; returns their uids.
    fn close_killed(&self) -> PyResult<Vec<String>> {
        run(|| self.inner.close_killed())
    }

    /// Returns what is kept of the surroundings of a run, None where that is nothing.
    fn surroundings(&self, record: &Record) -> PyResult<Option<Document>> {
        Ok(run(|| self.inner.surroundings(record.row()))?.map(|found| Document(found.json())))
    }

    /// Puts code and inputs of a run into a new folder.
    fn prepare_rerun(&self, record: &Record, folder: PathBuf) -> PyResult<Prepared> {
        let prepared = run(|| self.inner.plan_rerun(record.row())?.prepare(&self.inner, &folder))?;
        Ok((prepared.words, prepared.folder, prepared.variables, prepared.warnings))
    }

    /// Returns how the outputs of a run came out in the folder in which its command ran again.
    fn judge_rerun(
        &self,
        record: &Record,
        folder: PathBuf,
        warnings: Vec<String>,
        code: i64,
    ) -> PyResult<Document> {
        run(|| {
            let rerun = self.inner.plan_rerun(record.row())?;
            Ok(rerun.json(&warnings, code, &rerun.compare(&self.inner, &folder)?))
        })
        .map(Document)
    }
}

/// Returns the neighbouring cells of a notebook that did not run one after the other.
#[pyfunction]
pub fn notebook_gaps(text: &str) -> PyResult<Vec<Gap>> {
    run(|| Notebook::parse(text)).map(|notebook| notebook.gaps())
}

/// The sign that a run goes on in this process; once it is gone without `ended` the run counts as killed.
#[pyclass(module = "holotype._native")]
pub struct Going {
    sign: Option<holotype::track::Going>,
}

#[pymethods]
impl Going {
    /// Takes the sign away: the run is finished, or its process ends as it should.
    fn ended(&mut self) {
        if let Some(sign) = self.sign.take() {
            sign.ended();
        }
    }
}

/// The command, where it runs, its variables, and what is not as it was.
type Prepared = (Vec<String>, PathBuf, Vec<(&'static str, String)>, Vec<String>);
