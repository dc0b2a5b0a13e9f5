//! Workflows that a manager such as Snakemake or Nextflow runs: a run of the workflow, and within it one for each job.
//!
//! The manager knows what its jobs read and make, so nothing is traced. What is told may come while the workflow goes
//! on or long after; the moments are those that are told.
//!
//! ```
//! use holotype::command::{Job, NewWorkflow, WorkflowEnd};
//! # let scratch = holotype::testing::Scratch::new()?;
//! # let instance = scratch.instance();
//! let snakefile = scratch.file("Snakefile", "rule count: …")?;
//! scratch.file("reads.txt", "one\ntwo\n")?;
//! scratch.file("count.txt", "2\n")?;
//! let mut workflow = instance.start_workflow(&NewWorkflow { source: snakefile, ..NewWorkflow::default() })?;
//! let done = instance.record_job(&mut workflow, &Job {
//!     name: "count".to_owned(),
//!     code: Some("rule count: …".to_owned()),
//!     inputs: vec!["reads.txt".into()],
//!     outputs: vec!["count.txt".into()],
//!     ..Job::default()
//! })?;
//! assert_eq!(done.transform.text("key"), Some("Snakefile:count"));
//! assert_eq!(done.outputs[0].record.text("key"), Some("count.txt"));
//! let run = instance.finish_workflow(workflow, &WorkflowEnd::default())?;
//! assert_eq!(done.run.int("initiated_by_run_id"), run.id());
//! # Ok::<(), holotype::Error>(())
//! ```

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value as Json};

use super::inputs::Read;
use super::plan::text_source;
use super::rules::Rules;
use super::{
    Beginning, CommandPlan, DoneCommand, Ending, Found, NewCommand, Ran, StartedCommand, environment,
};
use crate::content::Content;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Stamp;
use crate::ingest::RunChoice;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::trace::{Files, plain};
use crate::track::{EnvironmentFile, Named, Outcome, SourceFile};
use crate::value::Timestamp;

/// A workflow that begins.
#[derive(Clone, Debug, Default)]
pub struct NewWorkflow {
    /// The file that says what is to be done, such as a Snakefile.
    pub source: PathBuf,
    /// The command line of the manager.
    pub words: Vec<String>,
    /// The folder to which paths are relative; the working directory by default.
    pub folder: Option<PathBuf>,
    /// Settings of the workflow.
    pub params: Map<String, Json>,
    /// Moment at which it began, where that was not now.
    pub started_at: Option<Timestamp>,
}

/// A job of a workflow that has ended.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// Rule or process.
    pub name: String,
    /// The text of the rule or process, the same for all of its jobs.
    pub code: Option<String>,
    /// The command line; none where the job is no command.
    pub words: Vec<String>,
    /// What tells the job from the others of the same rule.
    pub params: Map<String, Json>,
    /// Files and folders that it was given.
    pub inputs: Vec<PathBuf>,
    /// Files and folders that it made.
    pub outputs: Vec<PathBuf>,
    /// Outputs and where else the job put them: what was published is known by its place there.
    pub copies: Vec<(PathBuf, PathBuf)>,
    /// Files with what it printed.
    pub logs: Vec<PathBuf>,
    /// How it ended.
    pub outcome: Outcome,
    /// Code with which it ended, where that is known.
    pub exit_code: Option<i32>,
    /// Moment at which it began, where that was not now.
    pub started_at: Option<Timestamp>,
    /// Moment at which it ended, where that was not now.
    pub ended_at: Option<Timestamp>,
    /// Processor time.
    pub cpu: Duration,
    /// Largest memory, in bytes.
    pub peak_memory: u64,
}

/// The end of a workflow.
#[derive(Clone, Debug, Default)]
pub struct WorkflowEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// Files with what the manager printed.
    pub logs: Vec<PathBuf>,
    /// Moment at which it ended, where that was not now.
    pub at: Option<Timestamp>,
}

/// A workflow whose run has started.
#[derive(Debug)]
pub struct Workflow {
    /// Run.
    pub run: Record,
    /// Its transform.
    pub transform: Record,
    plan: CommandPlan,
    /// What is to be finished; nothing where `holotype run` around the manager finishes the run.
    started: Option<StartedCommand>,
    started_at: Option<Timestamp>,
    /// What files were when they were looked at last, and which artifacts they are, by real path.
    known: HashMap<PathBuf, (Option<Stamp>, Record)>,
    /// Surroundings by program.
    surroundings: HashMap<PathBuf, EnvironmentFile>,
}

impl Instance {
    /// Starts the run of a workflow; within a `holotype run` of the same source that run is the one of the workflow.
    ///
    /// # Errors
    /// [`ErrorKind::FileNotFound`] for a source that is not there, and those of [`Instance::start_command`].
    pub fn start_workflow(&self, new: &NewWorkflow) -> Result<Workflow> {
        let folder = new.folder.clone().unwrap_or_else(|| self.env().cwd.clone());
        let folder = fs::canonicalize(&folder).map_err(|error| Error::io(&folder, error))?;
        let path = folder.join(&new.source);
        let path = fs::canonicalize(&path).map_err(|error| Error::io(&path, error))?;
        let mut source = self.source_file(&path, false)?;
        source.key = self.key_of(&path, &folder)?;
        let rules = Rules::new(self, &NewCommand::default(), &new.words, &folder)?;
        let program = new.words.first().and_then(|name| self.program(name, &folder).ok()).unwrap_or(path);
        let around = self.surrounding_command(&source)?;
        let key = source.key.clone();
        let arguments = new.words.iter().skip(1).cloned().collect();
        let words = new.words.clone();
        let plan = CommandPlan::of_others(words, arguments, program, folder, Some(source), key, rules);
        let (run, transform, started) = match around {
            Some((run, transform)) => (run, transform, None),
            None => {
                let beginning =
                    Beginning { params: new.params.clone(), at: new.started_at, ..Beginning::default() };
                let started = self.begin_command(&plan, beginning)?;
                (started.run.clone(), started.transform.clone(), Some(started))
            }
        };
        Ok(Workflow {
            run,
            transform,
            plan,
            started,
            started_at: new.started_at,
            known: HashMap::new(),
            surroundings: HashMap::new(),
        })
    }

    /// Makes a job that has ended a run within the workflow, and its files inputs and outputs of it.
    ///
    /// Files that are not there any more, or cannot be saved, are returned with the reason.
    ///
    /// # Errors
    /// As [`Instance::start_command`] and [`Instance::finish_command`].
    pub fn record_job(&self, workflow: &mut Workflow, job: &Job) -> Result<DoneCommand> {
        let mut plan = self.plan_job(workflow, job);
        let beginning = Beginning {
            params: job.params.clone(),
            within: workflow.run.id().map(Named::Id),
            at: job.started_at,
            silent: true,
        };
        let started = self.begin_command(&plan, beginning)?;
        let id = started.run.id();
        let mut failed = Vec::new();
        plan.rules.declare_inputs(job.inputs.iter().map(|path| real(&plan.folder.join(path))));
        let mut read = Read::default();
        for called in job.inputs.iter().map(|path| plain(&plan.folder.join(path))) {
            match self.job_input(workflow, &plan.rules, &called) {
                Ok(record) if read.artifacts.iter().any(|found| found.record.id() == record.id()) => {}
                Ok(record) => {
                    self.track_input(&record, id)?;
                    read.artifacts.push(Found { path: called, record });
                }
                Err(error) => failed.push((called, error)),
            }
        }
        let mut outputs = Vec::new();
        for called in job.outputs.iter().map(|path| plain(&plan.folder.join(path))) {
            match self.job_output(workflow, &plan.rules, &called) {
                Ok(record) => {
                    for (_, copy) in job.copies.iter().filter(|(made, _)| *made == called) {
                        workflow.learn(real(copy), &record);
                    }
                    outputs.push(Found { path: called, record });
                }
                // Managers remove what a job that failed has made.
                Err(error)
                    if error.kind() == ErrorKind::FileNotFound && job.outcome != Outcome::Completed => {}
                Err(error) => failed.push((called, error)),
            }
        }
        join_logs(&job.logs, &plan.folder, &started.log);
        let ran = Ran {
            code: job.exit_code,
            elapsed: elapsed(job.started_at, job.ended_at),
            cpu: job.cpu,
            peak_memory: job.peak_memory,
            untraced: true,
            ..Ran::default()
        };
        let environment = workflow.surroundings_of(self, &plan.program);
        let (outcome, at) = (job.outcome, job.ended_at);
        let ending = Ending { ran: &ran, read: &read, outputs: &outputs, environment, outcome, at };
        let (run, transform) = self.end_command(&plan, started, ending)?;
        Ok(DoneCommand { run, transform, inputs: read.artifacts, outputs, failed })
    }

    /// Finishes the run of a workflow and returns it.
    ///
    /// # Errors
    /// Failures of the database.
    pub fn finish_workflow(&self, mut workflow: Workflow, end: &WorkflowEnd) -> Result<Record> {
        let Some(started) = workflow.started.take() else { return Ok(workflow.run) };
        join_logs(&end.logs, &workflow.plan.folder, &started.log);
        let ran = Ran {
            code: (end.outcome == Outcome::Completed).then_some(0),
            elapsed: elapsed(workflow.started_at, end.at),
            untraced: true,
            ..Ran::default()
        };
        let environment = workflow.surroundings_of(self, &workflow.plan.program.clone());
        let read = Read::default();
        let (outcome, at) = (end.outcome, end.at);
        let ending = Ending { ran: &ran, read: &read, outputs: &[], environment, outcome, at };
        Ok(self.end_command(&workflow.plan, started, ending)?.0)
    }

    /// Returns the run of the command around this process and its transform, if that is this source.
    fn surrounding_command(&self, source: &SourceFile) -> Result<Option<(Record, Record)>> {
        let Some(uid) = self.env().var("LAMIN_INITIATED_BY_RUN_UID") else { return Ok(None) };
        let Some(run) = self.registry("Run")?.filter(Q::is("uid", uid))?.first()? else { return Ok(None) };
        let transform =
            self.by_id(model::require("Transform")?, run.int("transform_id").unwrap_or_default())?;
        let same = transform.text("key") == Some(&source.key) && transform.text("hash") == Some(&source.hash);
        Ok((same && run.moment("finished_at").is_none()).then_some((run, transform)))
    }

    fn plan_job(&self, workflow: &Workflow, job: &Job) -> CommandPlan {
        let around = &workflow.plan;
        let key = format!("{}:{}", around.key, job.name);
        let source = job.code.as_ref().map(|code| text_source(&key, code, &around.folder));
        let program = job.words.first().and_then(|name| self.program(name, &around.folder).ok());
        let mut plan = CommandPlan::of_others(
            job.words.clone(),
            // Its words are code for the most part, not what that is called with.
            Vec::new(),
            program.unwrap_or_else(|| around.program.clone()),
            around.folder.clone(),
            source,
            key,
            around.rules.clone(),
        );
        let folders = job.logs.iter().filter_map(|log| log.parent());
        plan.folders = folders.map(|folder| plain(&around.folder.join(folder))).collect();
        plan
    }

    /// Returns the artifact that a job was given; one that is not registered yet is.
    fn job_input(&self, workflow: &mut Workflow, rules: &Rules, called: &Path) -> Result<Record> {
        let path = real(called);
        if let Some(known) = workflow.known(&path) {
            return Ok(known.clone());
        }
        if !path.exists() {
            return Err(gone(called));
        }
        let found = if path.is_dir() {
            self.folder_read(rules, &path)?
        } else {
            let mut files = Files::inside(path.parent().map(Path::to_owned));
            files.open_to_read(called);
            files.read().next().map(|seen| self.artifact_read(rules, seen)).transpose()?.flatten()
        };
        let record = found.ok_or_else(|| {
            Error::value(format!("{} is kept for the instance itself: it is no input", called.display()))
        })?;
        workflow.learn(path, &record);
        Ok(record)
    }

    /// Returns the artifact that a folder is, by place, by content, else registered now.
    fn folder_read(&self, rules: &Rules, path: &Path) -> Result<Option<Record>> {
        if let Some(kept) = self.kept_at(rules, path)? {
            return Ok(Some(kept));
        }
        let (hash, _) = Content::identify(path)?;
        let same = Q::is("hash", hash.hash).and(Q::is("n_files__isnull", false));
        let same = self.registry("Artifact")?.filter(same)?.filter(Q::untrashed())?;
        if let Some(found) = same.order_by(["-is_latest", "-id"])?.first()? {
            return Ok(Some(found));
        }
        let mut artifact = self.artifact(self.new_artifact(rules, path, RunChoice::None)?)?;
        self.save_artifact(&mut artifact)?;
        Ok(Some(artifact.record))
    }

    fn job_output(&self, workflow: &mut Workflow, rules: &Rules, called: &Path) -> Result<Record> {
        if !called.exists() {
            return Err(gone(called));
        }
        let record = self.save_made(rules, called)?;
        workflow.learn(real(called), &record);
        Ok(record)
    }
}

impl Workflow {
    /// Returns the artifact that a file is known to be: unchanged since it was looked at, or gone by now.
    fn known(&self, path: &Path) -> Option<&Record> {
        let (then, record) = self.known.get(path)?;
        let same = match Stamp::of(path) {
            Ok(now) => path.is_file() && *then == Some(now),
            Err(_) => true,
        };
        same.then_some(record)
    }

    fn learn(&mut self, path: PathBuf, record: &Record) {
        let stamp = Stamp::of(&path).ok();
        self.known.insert(path, (stamp, record.clone()));
    }

    /// Returns the surroundings of a program, which are looked at once.
    fn surroundings_of(&mut self, instance: &Instance, program: &Path) -> EnvironmentFile {
        let look = || environment::record(instance.env(), program, []);
        self.surroundings.entry(program.to_owned()).or_insert_with(look).clone()
    }
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| plain(path))
}

fn gone(path: &Path) -> Error {
    let text = format!("{} is not there any more: keep it until the job is recorded", path.display());
    Error::new(ErrorKind::FileNotFound, text)
}

fn elapsed(from: Option<Timestamp>, to: Option<Timestamp>) -> Duration {
    let micros = from.zip(to).map_or(0, |(from, to)| to.0 - from.0);
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Writes what is in the logs into one file; a log that cannot be read is left out.
fn join_logs(logs: &[PathBuf], folder: &Path, into: &Path) {
    let text: Vec<u8> = logs.iter().filter_map(|log| fs::read(folder.join(log)).ok()).flatten().collect();
    if !text.is_empty() {
        // A run without its log is worth more than no run.
        let _ = fs::write(into, text);
    }
}
