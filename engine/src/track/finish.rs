//! The end of a run: its status, its report, and for notebooks the source as it is now.

use std::path::PathBuf;

use super::ended::Left;
use super::environment::EnvironmentFile;
use super::file::{SourceFile, SourceKind};
use super::{resolve, rows, update};
use crate::db::{Sql, Tx};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::hash;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::surroundings;
use crate::value::Timestamp;
use crate::write::{delete_in, promote_head};

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was to do.
    #[default]
    Completed,
    /// An error ended it.
    Errored,
    /// Somebody stopped it.
    Aborted,
}

impl Outcome {
    fn code(self) -> i64 {
        match self {
            Outcome::Completed => 0,
            Outcome::Errored => 1,
            Outcome::Aborted => 2,
        }
    }
}

/// The log of a script or the page made from a notebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// File.
    pub path: PathBuf,
    /// The file is taken away after storing.
    pub temporary: bool,
}

/// Answers to the questions of earlier calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// To [`Question::NotConsecutive`].
    pub proceed: Option<bool>,
    /// To [`Question::OverwriteSource`].
    pub overwrite_source: Option<bool>,
    /// To [`Question::OverwriteReport`].
    pub overwrite_report: Option<bool>,
}

/// How to finish.
#[derive(Clone, Debug, Default)]
pub struct FinishOptions {
    /// Id of the run; the current one by default.
    pub run: Option<i64>,
    /// The notebook as it lies on disk now; scripts were read when they started.
    pub source: Option<SourceFile>,
    /// Report.
    pub report: Option<Report>,
    /// Outcome.
    pub outcome: Outcome,
    /// Moment at which it ended, where that was not now.
    pub ended_at: Option<Timestamp>,
    /// `true` finishes in silence although cells did not run one after the other, `false` asks, absent warns.
    pub ignore_non_consecutive: Option<bool>,
    /// File that lists the software, where nothing gathers it beside the run.
    pub environment: Option<EnvironmentFile>,
    /// Answers.
    pub answers: Answers,
}

/// Something that only a person can decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Cells did not run one after the other.
    NotConsecutive,
    /// The transform holds another source.
    OverwriteSource {
        /// Hash of the source it holds.
        hash: String,
        /// Uid of the transform.
        transform: String,
    },
    /// The run holds another report.
    OverwriteReport {
        /// Hash of the report it holds.
        hash: String,
        /// Uid of the run.
        run: String,
    },
}

impl Question {
    /// Returns the field of [`Answers`] that takes the answer.
    pub fn answer(&self) -> &'static str {
        match self {
            Question::NotConsecutive => "proceed",
            Question::OverwriteSource { .. } => "overwrite_source",
            Question::OverwriteReport { .. } => "overwrite_report",
        }
    }

    /// Returns the question as people read it.
    pub fn text(&self) -> String {
        match self {
            Question::NotConsecutive => "   Do you still want to proceed with finishing? (y/n) ".to_owned(),
            Question::OverwriteSource { hash, transform } => format!(
                "You are about to overwrite existing source code (hash '{hash}') for Transform('{transform}'). Proceed? (y/n) "
            ),
            Question::OverwriteReport { hash, run } => format!(
                "You are about to overwrite an existing report (hash '{hash}') for Run('{run}'). Proceed? (y/n) "
            ),
        }
    }
}

/// What finishing led to.
#[derive(Clone, Debug)]
pub enum Finish {
    /// The run is finished.
    Done(Box<Finished>),
    /// The run goes on: a person has to say something first.
    Ask(Question),
    /// The run goes on, as a person wanted.
    Declined,
    /// There is no run, since the database is read-only.
    Skipped,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Run.
    pub run: Record,
    /// Its transform; an earlier version than before when the source turned out to be unchanged.
    pub transform: Record,
}

/// What becomes of the source of a notebook.
enum Kept {
    Settled(Box<Record>),
    Ask(Question),
    Declined,
}

impl Instance {
    /// Finishes a run; nothing is being tracked afterwards.
    ///
    /// # Errors
    /// [`ErrorKind::TrackNotCalled`] when no run is being tracked, and failures of the store for the report.
    pub fn finish(&self, options: &FinishOptions) -> Result<Finish> {
        if self.db().read_only() {
            return Ok(Finish::Skipped);
        }
        let Some(id) = options.run.or(self.context().run) else {
            return Err(Error::new(
                ErrorKind::TrackNotCalled,
                "Please run `ln.track()` before `ln.finish()`",
            ));
        };
        let mut run = self.by_id(model::require("Run")?, id)?;
        let notebook = options.source.as_ref().filter(|source| source.kind == SourceKind::Notebook);
        if let Some(stop) = notebook.and_then(|source| self.ask_about_gaps(source, options)) {
            return Ok(stop);
        }
        let report = match self.report_to_save(&run, options)? {
            Ok(report) => report,
            Err(question) => return Ok(Finish::Ask(question)),
        };
        let mut events = Vec::new();
        let answer = options.answers.overwrite_source;
        let kept = match notebook {
            Some(source) => {
                self.db().write(|tx| self.keep_notebook(tx, &run, source, answer, &mut events))?
            }
            None => Kept::Settled(Box::new(self.transform_of(&run)?)),
        };
        let transform = match kept {
            Kept::Settled(transform) => *transform,
            Kept::Ask(question) => return Ok(Finish::Ask(question)),
            Kept::Declined => {
                self.env()
                    .emit(Event::Warning("Please re-run `ln.track()` to make a new version".to_owned()));
                return Ok(Finish::Declined);
            }
        };
        events.into_iter().for_each(|event| self.env().emit(event));
        let gathered = surroundings::gathered(self, &run);
        let listed = gathered.as_ref().map(|gathered| &gathered.software);
        let listed = options.environment.as_ref().or(listed.filter(|_| is_program(&run, &transform)));
        run.set("transform_id", transform.id())?;
        let now = options.ended_at.unwrap_or_else(|| self.env().now());
        run.set("finished_at", now)?;
        run.set("_status_code", options.outcome.code())?;
        if let Some(source) = notebook {
            run.set("_is_consecutive", source.gaps.is_empty())?;
        }
        let surroundings = gathered.as_ref().and_then(|gathered| gathered.surroundings.as_ref());
        let left = Left { report, environment: listed, surroundings };
        let run = self.save_ended(&run, &transform, left)?;
        self.with_context(|context| context.run = context.run.filter(|current| Some(*current) != run.id()));
        // The call of a function is a small step on the way; what it did goes with the run that it belongs to.
        if run.text("entrypoint").is_none() {
            self.send()?;
        }
        // The end of a call within a notebook is nothing to stop and read about.
        if transform.text("kind") == Some("notebook") && run.text("entrypoint").is_none() {
            let started = run.moment("started_at").map_or(now.0, |started| started.0);
            self.env().emit(Event::RunFinished {
                run: run.uid().to_owned(),
                seconds: (now.0 - started) / 1_000_000,
                at: now.to_display(),
            });
        }
        Ok(Finish::Done(Box::new(Finished { run, transform })))
    }

    /// Returns the transform of a run.
    fn transform_of(&self, run: &Record) -> Result<Record> {
        let id = run.int("transform_id").unwrap_or_default();
        self.registry("Transform")?.filter(Q::is("id", id))?.first()?.ok_or_else(|| transform_gone(run))
    }

    fn ask_about_gaps(&self, source: &SourceFile, options: &FinishOptions) -> Option<Finish> {
        if source.gaps.is_empty() || options.ignore_non_consecutive == Some(true) {
            return None;
        }
        let answer = options.answers.proceed;
        if answer.is_none() {
            let count = |count: Option<i64>| count.map_or("None".to_owned(), |count| count.to_string());
            let cells: Vec<String> = source
                .gaps
                .iter()
                .map(|(before, after)| format!("({}, {})", count(*before), count(*after)))
                .collect();
            self.env()
                .emit(Event::Warning(format!("cells [{}] were not run consecutively", cells.join(", "))));
        }
        match (options.ignore_non_consecutive, answer) {
            (Some(false), None) => Some(Finish::Ask(Question::NotConsecutive)),
            (Some(false), Some(false)) => Some(Finish::Declined),
            _ => None,
        }
    }

    /// Returns the report unless the run holds the same one, or another one that is to stay.
    fn report_to_save<'a>(
        &self,
        run: &Record,
        options: &'a FinishOptions,
    ) -> Result<Result<Option<&'a Report>, Question>> {
        let Some(report) = &options.report else { return Ok(Ok(None)) };
        let Some(former) = self.former_report(run)? else { return Ok(Ok(Some(report))) };
        let held = former.text("hash").unwrap_or_default();
        if hash::hash_file(&report.path)?.hash == held {
            return Ok(Ok(None));
        }
        // A log grows by itself; a notebook was made by a person.
        let log = options.source.is_none();
        Ok(match options.answers.overwrite_report.or(log.then_some(true)) {
            Some(true) => {
                self.env().emit(Event::Note("overwriting run.report".to_owned()));
                Ok(Some(report))
            }
            Some(false) => Ok(None),
            None => Err(Question::OverwriteReport { hash: held.to_owned(), run: run.uid().to_owned() }),
        })
    }

    /// Keeps the source of a notebook in its transform and returns the transform of the run.
    fn keep_notebook(
        &self,
        tx: &Tx<'_>,
        run: &Record,
        source: &SourceFile,
        overwrite: Option<bool>,
        events: &mut Vec<Event>,
    ) -> Result<Kept> {
        let registry = model::require("Transform")?;
        let mut by_id = Sql::new("WHERE \"id\" = ");
        by_id.bind(run.int("transform_id"));
        let Some(mut transform) = rows::select(tx, registry, by_id)?.into_iter().next() else {
            return Err(transform_gone(run));
        };
        if transform.text("hash") == Some(source.hash.as_str()) {
            return Ok(Kept::Settled(Box::new(transform)));
        }
        if let Some(hash) = transform.text("hash").filter(|_| transform.text("source_code").is_some()) {
            let question =
                || Question::OverwriteSource { hash: hash.to_owned(), transform: transform.uid().to_owned() };
            match overwrite {
                None => return Ok(Kept::Ask(question())),
                Some(false) => return Ok(Kept::Declined),
                Some(true) => {}
            }
        }
        let mut twin = Sql::new("WHERE \"key\" = ");
        twin.bind(transform.text("key")).push(" AND \"hash\" = ").bind(source.hash.as_str());
        match rows::select(tx, registry, twin)?.into_iter().next() {
            // The version was made in advance of changes that did not come.
            Some(twin)
                if twin.stem_uid() == transform.stem_uid() && transform.text("source_code").is_none() =>
            {
                merge(tx, &transform, &twin)?;
                return Ok(Kept::Settled(Box::new(twin)));
            }
            Some(twin) => {
                return Err(Error::integrity(format!(
                    "Transform('{}') has the same key and source code: change the notebook or track it by that uid",
                    twin.uid()
                )));
            }
            None => {}
        }
        if let Some(title) =
            source.title.as_deref().filter(|title| transform.text("description") != Some(title))
        {
            transform.set("description", title)?;
        }
        resolve::keep_source(&mut transform, source, events)?;
        update(self, tx, &mut transform)?;
        Ok(Kept::Settled(Box::new(transform)))
    }
}

/// Returns true for the run of a file, and for the call of a function: other transforms have no software of their own.
fn is_program(run: &Record, transform: &Record) -> bool {
    run.text("entrypoint").is_some() || matches!(transform.text("kind"), Some("script" | "notebook"))
}

fn transform_gone(run: &Record) -> Error {
    Error::does_not_exist(format!(
        "The transform of Run('{}') is no longer in the database: call `ln.track()` again",
        run.uid()
    ))
}

/// Moves the runs of a version to its twin and removes it.
fn merge(tx: &Tx<'_>, version: &Record, twin: &Record) -> Result<()> {
    let mut runs = Sql::new("UPDATE \"lamindb_run\" SET \"transform_id\" = ");
    runs.bind(twin.id()).push(" WHERE \"transform_id\" = ").bind(version.id());
    tx.execute(&runs)?;
    match delete_in(tx, version.registry(), &[version.id().unwrap_or_default()]) {
        Ok(_) => promote_head(tx, version).map(|_| ()),
        // Somebody has come to point at it: an empty version does no harm.
        Err(error) if error.kind() == ErrorKind::Protected => Ok(()),
        Err(error) => Err(error),
    }
}
