//! Commands as runs: what a command line stands for, what it read and made, and whether it can be made again.
//!
//! A face plans a command ([`Instance::plan_command`]), starts its run ([`Instance::start_command`]), lets it run under
//! [`crate::trace::watch`], and hands in what became of it ([`Instance::finish_command`]): files that were read and are
//! registered become inputs, new and changed ones become outputs. [`Instance::plan_rerun`] does it all again elsewhere
//! and compares.
//!
//! ```
//! use holotype::command::{NewCommand, Ran};
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! # scratch.file("count.sh", "wc -l < reads.txt > count.txt\n")?;
//! # scratch.file("reads.txt", "one\ntwo\n")?;
//! let words = ["bash", "count.sh"].map(str::to_owned).to_vec();
//! let plan = instance.plan_command(&NewCommand { words, ..NewCommand::default() })?;
//! let started = instance.start_command(&plan)?;
//! assert_eq!(started.transform.text("key"), Some("count.sh"));
//!
//! // The command runs: the files that it opened are noted by `trace::watch`.
//! # let count = scratch.dir().join("work/count.txt");
//! let mut files = plan.watch().files;
//! files.open_to_write(&count, holotype::trace::Write::Anew);
//! std::fs::write(&count, "2\n").unwrap();
//!
//! let done = instance.finish_command(&plan, started, Ran { files, ..Ran::default() })?;
//! assert_eq!(done.outputs[0].record.text("key"), Some("count.txt"));
//! assert_eq!(done.outputs[0].record.int("run_id"), done.run.id());
//! # Ok::<(), holotype::Error>(())
//! ```

mod environment;
mod inputs;
mod journal;
mod nextflow;
mod note;
mod outputs;
mod pattern;
mod plan;
mod recognise;
mod rerun;
mod rules;
mod workflow;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::surroundings::Process;
use crate::trace::Files;
use crate::track::{
    EnvironmentFile, Finish, FinishOptions, Going, HashLookup, Named, Outcome, Rename, Report, TrackOptions,
    Tracking, redacted_arguments,
};
use crate::uid;
use crate::value::Timestamp;
use inputs::Read;
use note::Note;

pub use crate::surroundings::Difference;
pub use journal::{Entry, read_entry};
pub use nextflow::read_trace;
pub use note::Place;
pub use plan::{CommandPlan, NewCommand};
pub use rerun::{Compared, Judged, Prepared, Rerun, Verdict};
pub use workflow::{Job, NewWorkflow, Workflow, WorkflowEnd};

/// A command whose run has started.
#[derive(Debug)]
pub struct StartedCommand {
    /// Transform.
    pub transform: Record,
    /// Run.
    pub run: Record,
    /// Where the face writes what the command prints.
    pub log: PathBuf,
    going: Option<Going>,
}

/// What became of a command.
#[derive(Debug, Default)]
pub struct Ran {
    /// Code with which it ended; nothing where a signal ended it.
    pub code: Option<i32>,
    /// Signal that ended it.
    pub signal: Option<i32>,
    /// Somebody stopped it.
    pub stopped: bool,
    /// How long it took.
    pub elapsed: Duration,
    /// Processor time.
    pub cpu: Duration,
    /// Largest memory of any one of its processes, in bytes.
    pub peak_memory: u64,
    /// What it opened.
    pub files: Files,
    /// The files were not traced.
    pub untraced: bool,
}

/// A file of a command and the artifact that it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// Path as the command knows it.
    pub path: PathBuf,
    /// Artifact.
    pub record: Record,
}

/// A command whose run is finished.
#[derive(Debug)]
pub struct DoneCommand {
    /// Run.
    pub run: Record,
    /// Transform.
    pub transform: Record,
    /// What it read, sorted by path.
    pub inputs: Vec<Found>,
    /// What it made, sorted by path.
    pub outputs: Vec<Found>,
    /// Files that are no artifacts although they were to be, and why.
    pub failed: Vec<(PathBuf, Error)>,
}

/// How the run of a command begins.
#[derive(Default)]
struct Beginning {
    params: Map<String, Json>,
    /// The run that started it.
    within: Option<Named>,
    /// Moment at which it began, where that was not now.
    at: Option<Timestamp>,
    silent: bool,
}

/// How the run of a command ends.
struct Ending<'a> {
    ran: &'a Ran,
    read: &'a Read,
    outputs: &'a [Found],
    environment: EnvironmentFile,
    outcome: Outcome,
    /// Moment at which it ended, where that was not now.
    at: Option<Timestamp>,
}

impl Ran {
    fn outcome(&self) -> Outcome {
        match (self.stopped, self.code) {
            (_, Some(0)) => Outcome::Completed,
            (true, _) => Outcome::Aborted,
            // Without a code or a signal nothing is known to have gone wrong.
            (false, None) if self.signal.is_none() => Outcome::Completed,
            (false, _) => Outcome::Errored,
        }
    }
}

impl Instance {
    /// Starts the run of a planned command, which is the current run from now on.
    ///
    /// # Errors
    /// As [`Instance::track`]; [`ErrorKind::NoWriteAccess`] on a read-only database.
    pub fn start_command(&self, plan: &CommandPlan) -> Result<StartedCommand> {
        let beginning = Beginning {
            params: params(&plan.arguments),
            within: self.surrounding_run()?,
            ..Beginning::default()
        };
        self.begin_command(plan, beginning)
    }

    fn begin_command(&self, plan: &CommandPlan, beginning: Beginning) -> Result<StartedCommand> {
        let new = &plan.new;
        let named = |name: &Option<String>| name.clone().map(Named::from);
        // Marked before its row is there: whoever is killed in between leaves no run that nobody closes.
        let uid = uid::random(self.env(), 16);
        let going = self.mark_going(&uid)?;
        let transform = match &plan.source {
            Some(_) => None,
            None => Some(self.program_transform(&plan.key)?),
        };
        let tracking = self.track(&TrackOptions {
            source: plan.source.clone(),
            transform,
            key: Some(plan.key.clone()),
            project: named(&new.project),
            space: named(&new.space),
            branch: named(&new.branch),
            params: Some(beginning.params),
            arguments: plan.arguments.clone(),
            initiated_by_run: beginning.within,
            // A command must not stop to ask; a file that bears another name is another file.
            rename: Some(Rename::Copied),
            command_run: Some(uid.clone()),
            process: Some(Process {
                file: plan.script_path().map(Path::to_owned),
                ..Process::of_program(self.env(), &plan.program, &plan.folder, &plan.words)
            }),
            silent: beginning.silent,
            ..TrackOptions::default()
        })?;
        let mut tracked = match tracking {
            Tracking::Started(tracked) => *tracked,
            Tracking::Ask(question) => return Err(Error::invalid(question.text())),
            Tracking::Skipped => {
                let text = "The database is read-only: connect with write access to run a command";
                return Err(Error::new(ErrorKind::NoWriteAccess, text));
            }
        };
        if let Some(name) = &new.name {
            tracked.run.set("name", name.as_str())?;
        }
        if let Some(at) = beginning.at {
            tracked.run.set("started_at", at)?;
        }
        let note = Note::of(plan);
        tracked.run.set("extra_data", note.write_into(None))?;
        self.save(&mut tracked.run)?;
        Ok(StartedCommand {
            log: self.run_log(tracked.run.uid())?,
            transform: tracked.transform,
            run: tracked.run,
            going,
        })
    }

    /// Finishes the run of a command: saves what it made, links what it read, and keeps its log and environment.
    ///
    /// Files that cannot be saved are returned with the reason; the run is finished all the same.
    ///
    /// # Errors
    /// Failures of the database.
    pub fn finish_command(
        &self,
        plan: &CommandPlan,
        started: StartedCommand,
        mut ran: Ran,
    ) -> Result<DoneCommand> {
        if ran.untraced {
            plan.rules.declare(&mut ran.files);
        }
        let id = started.run.id().unwrap_or_default();
        let inner = self.runs_started_by(id)?;
        let mut failed = Vec::new();
        let read = self.command_inputs(&plan.rules, &ran.files, plan.script_path(), &mut failed)?;
        let mut inputs = Vec::new();
        for input in &read.artifacts {
            if !self.belongs_to(&input.record, id, &inner)? {
                self.track_input(&input.record, Some(id))?;
                inputs.push(input.clone());
            }
        }
        let outputs = self.command_outputs(&plan.rules, &ran.files, &inner, &mut failed)?;
        let environment = environment::record(self.env(), &plan.program, ran.files.programs());
        let outcome = ran.outcome();
        let ending = Ending { ran: &ran, read: &read, outputs: &outputs, environment, outcome, at: None };
        let (run, transform) = self.end_command(plan, started, ending)?;
        Ok(DoneCommand { run, transform, inputs, outputs, failed })
    }

    /// Writes down what became of a command, whose files are saved, and finishes its run.
    fn end_command(
        &self,
        plan: &CommandPlan,
        started: StartedCommand,
        ending: Ending<'_>,
    ) -> Result<(Record, Record)> {
        let StartedCommand { run, log, going, .. } = started;
        let mut note = Note::of(plan);
        note.ended(ending.ran, ending.read, ending.outputs);
        let mut run = self.by_id(model::require("Run")?, run.id().unwrap_or_default())?;
        run.set("extra_data", note.write_into(run.get("extra_data")))?;
        self.save(&mut run)?;
        let finish = self.finish(&FinishOptions {
            run: run.id(),
            report: printed(&log).then_some(Report { path: log, temporary: true }),
            outcome: ending.outcome,
            ended_at: ending.at,
            environment: Some(ending.environment),
            ..FinishOptions::default()
        })?;
        if let Some(going) = going {
            going.ended();
        }
        match finish {
            Finish::Done(finished) => Ok((finished.run, finished.transform)),
            _ => {
                Err(Error::integrity(format!("Run('{}') could not be finished: finish it again", run.uid())))
            }
        }
    }

    /// Returns the run that goes on in the process which called this one, if it is one of this instance.
    fn surrounding_run(&self) -> Result<Option<Named>> {
        let Some(uid) = self.env().var("LAMIN_RUN_UID") else { return Ok(None) };
        let run = self.registry("Run")?.filter(Q::is("uid", uid))?.first()?;
        Ok(run.and_then(|run| run.id()).map(Named::Id))
    }

    /// Returns the transform of a program, which has no source code.
    fn program_transform(&self, key: &str) -> Result<Record> {
        let all = self.registry("Transform")?;
        let same = all.filter(Q::is("key", key))?.filter(Q::is("kind", "pipeline"))?.visible()?;
        if let Some(found) = same.filter(Q::is("is_latest", true))?.order_by(["-id"])?.first()? {
            return Ok(found);
        }
        let given = [("key", key.into()), ("kind", "pipeline".into())];
        let mut transform = self.transform(&given, None, HashLookup::Skip)?.record;
        self.save_transform(&mut transform)?;
        Ok(transform)
    }

    /// Returns the runs that a run started, and those that they started.
    fn runs_started_by(&self, run: i64) -> Result<Vec<i64>> {
        let mut found: Vec<i64> = Vec::new();
        let mut last = vec![run];
        while !last.is_empty() {
            last = self.registry("Run")?.filter(Q::is("initiated_by_run_id__in", last))?.all_ids()?;
            last.retain(|id| !found.contains(id));
            found.extend(&last);
        }
        Ok(found)
    }

    /// Returns true for what the run, or a run within it that is tracked by itself, made or read.
    fn belongs_to(&self, artifact: &Record, run: i64, inner: &[i64]) -> Result<bool> {
        if artifact.int("run_id").is_some_and(|made| made == run || inner.contains(&made)) {
            return Ok(true);
        }
        if inner.is_empty() {
            return Ok(false);
        }
        let read = self.related(artifact, "input_of_runs")?.filter(Q::is("id__in", inner.to_vec()))?;
        read.exists()
    }
}

/// Returns true for a log that holds something; an empty one is taken away.
fn printed(log: &Path) -> bool {
    let size = fs::metadata(log).map_or(0, |found| found.len());
    if size == 0 {
        fs::remove_file(log).ok();
    }
    size > 0
}

/// Returns the arguments as parameters: those that name their value by name, and all of them in order.
fn params(arguments: &[String]) -> Map<String, Json> {
    let mut params = Map::new();
    for argument in arguments {
        if let Some((name, value)) = argument.split_once('=')
            && name.trim_start_matches('-').starts_with(char::is_alphabetic)
            && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c))
        {
            let value =
                serde_json::from_str(value).ok().filter(Json::is_number).unwrap_or_else(|| value.into());
            params.insert(name.trim_start_matches('-').to_owned(), value);
        }
    }
    params.insert("arguments".to_owned(), redacted_arguments(arguments).into());
    params
}
