//! Tracking: which code ran, when, with what, on which inputs, and what came of it.
//!
//! [`Instance::track`] finds or makes the transform for a source file and starts a run; [`Instance::finish`] ends it.
//! Where only a person can decide, both return the question as data and are called again with the answer.
//!
//! ```
//! use holotype::track::{Finish, FinishOptions, TrackOptions, Tracking};
//!
//! let scratch = holotype::testing::Scratch::new()?;
//! let instance = scratch.instance();
//! let script = scratch.file("count.py", "print(1 + 1)")?;
//!
//! let source = Some(instance.source_file(&script, false)?);
//! let Tracking::Started(tracked) = instance.track(&TrackOptions { source, ..TrackOptions::default() })? else {
//!     panic!("a new script asks nothing");
//! };
//! assert_eq!(tracked.transform.text("key"), Some("count.py"));
//!
//! let Finish::Done(finished) = instance.finish(&FinishOptions::default())? else { panic!("a script asks nothing") };
//! assert_eq!(finished.run.uid(), tracked.run.uid());
//! assert!(finished.run.moment("finished_at").is_some());
//! # Ok::<(), holotype::Error>(())
//! ```

mod again;
mod call;
mod construct;
mod ended;
mod environment;
mod file;
mod finish;
mod going;
mod inputs;
mod leaks;
mod magic;
mod notebook;
mod options;
mod percent;
mod redact;
mod resolve;
mod rows;
mod run;
mod save;

pub use again::AGAIN;
pub(crate) use call::unkept;
pub use construct::HashLookup;
pub use environment::EnvironmentFile;
pub(crate) use environment::HIDDEN;
pub use file::{SourceFile, SourceKind};
pub use finish::{Answers, Finish, FinishOptions, Finished, Outcome, Question, Report};
pub use going::Going;
pub(crate) use leaks::prepare_redaction;
pub use leaks::redacted_text;
pub use notebook::Notebook;
pub use options::{Named, Rename, RenameQuestion, TrackOptions, Tracked, Tracking};
pub use percent::notebook_text;
pub use redact::{REDACTED, arguments, is_secret_name, is_secret_value, params, redacted_arguments, source};
pub use save::{SaveTransform, SavedTransform};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::surroundings;
use crate::uid;
use crate::write;
use options::Setting;
use resolve::{Resolved, Wanted};

impl Instance {
    /// Finds or makes the transform of a source file and starts a run of it, which is the current run from now on.
    ///
    /// Many processes may track the same source at once: they share one transform and get a run each.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for names that nothing answers to and for uids of a wrong form,
    /// [`crate::ErrorKind::Validation`] for features that do not exist or cannot have these values,
    /// [`crate::ErrorKind::UpdateContext`] when the source no longer is what the given uid stands for or the version is
    /// taken, [`crate::ErrorKind::Value`] for a transform that stands for a file.
    pub fn track(&self, options: &TrackOptions) -> Result<Tracking> {
        if self.db().read_only() {
            self.env().emit(Event::Warning("skipping track(), connected in read-only mode".to_owned()));
            return Ok(Tracking::Skipped);
        }
        let setting = Setting::of(self, options)?;
        let key = match (&options.key, &options.source) {
            (Some(key), _) => key.clone(),
            (None, Some(source)) => source.key.clone(),
            (None, None) => String::new(),
        };
        let mut events = Vec::new();
        let arguments = redact::arguments(&options.arguments);
        if !arguments.is_empty() {
            events.push(Event::Note(format!("script invoked with: {arguments}")));
        }
        let params = options.params.as_ref().map(redact::params);
        let again = self.doing_again(options.source.as_ref().filter(|_| options.transform.is_none()))?;
        let chosen = options.command_run.clone().or_else(|| again.as_ref().map(|again| again.uid.clone()));
        let run_uid = chosen.unwrap_or_else(|| uid::random(self.env(), 16));
        // What features cannot be given is told before anything is written.
        let mut planned = Record::empty(model::require("Run")?);
        planned.set("uid", run_uid.as_str())?;
        let features = self.checked_for(&planned, &options.features)?;
        let announced = events.len();
        let found = self.db().write_contended(|tx| {
            events.truncate(announced);
            let (mut transform, created) = match (&options.transform, &options.source, &again) {
                (_, _, Some(again)) => (again.transform.clone(), false),
                (Some(given), _, None) => (given_transform(self, given)?, false),
                (None, Some(source), None) => {
                    let wanted = Wanted {
                        source,
                        key: &key,
                        uid: setting.uid.as_deref(),
                        version_tag: options.version_tag.as_deref(),
                        description: options.description.clone().or_else(|| description(source, &arguments)),
                        generic_description: options.description.is_none(),
                        branch: setting.branch,
                        space: setting.space,
                        rename: options.rename.or(setting.rename),
                        keep: source.kind == SourceKind::Script,
                    };
                    match resolve::resolve(self, tx, &wanted, &mut events)? {
                        Resolved::Found { transform, created, .. } => (transform, created),
                        Resolved::Ask(question) => return Ok(Err(question)),
                    }
                }
                (None, None, None) => {
                    return Err(Error::invalid(
                        "Nothing to track: pass the path of a source file or a Transform",
                    ));
                }
            };
            let start = run::Start {
                uid: &run_uid,
                source: options.source.as_ref().filter(|_| options.transform.is_none()),
                setting: &setting,
                params: params.as_ref(),
                arguments: &arguments,
                entrypoint: None,
                extra: None,
                anew: options.new_run,
            };
            let (run, restarted) = run::start(self, tx, &transform, &start)?;
            if let Some(project) = setting.project {
                self.link_in(tx, &transform, "projects", &[project])?;
                self.link_in(tx, &run, "projects", &[project])?;
            }
            self.annotate_in(tx, &run, &features)?;
            transform.settle();
            Ok(Ok(Tracked { transform, run, created, restarted }))
        })?;
        let mut tracked = match found {
            Ok(tracked) => tracked,
            Err(question) => return Ok(Tracking::Ask(question)),
        };
        self.with_context(|context| {
            context.run = tracked.run.id();
            context.branch = setting.branch;
            context.space = setting.space;
        });
        if let Some(process) = &options.process {
            surroundings::gather(self, &tracked.run, process);
        }
        if !options.silent {
            run::announce(&tracked, options, &setting, &mut events);
        }
        events.into_iter().for_each(|event| self.env().emit(event));
        if let Some(environment) = &options.environment
            && let Err(error) = self.attach_environment(&mut tracked.run, environment)
        {
            // A run without its list of packages is worth more than no run.
            self.env().emit(Event::Warning(format!("could not track the environment: {error}")));
        }
        Ok(Tracking::Started(Box::new(tracked)))
    }
}

/// Returns the transform that a user passed, checked to be one that has runs of its own.
fn given_transform(instance: &Instance, given: &Record) -> Result<Record> {
    if given.registry().name != "Transform" {
        return Err(Error::type_(format!("Pass a Transform to track, not a {}", given.registry().name)));
    }
    if matches!(given.text("kind"), Some("notebook" | "script")) {
        return Err(Error::value(
            "Use `ln.track()` without passing transform in a notebook or script - metadata is automatically parsed",
        ));
    }
    match given.id() {
        Some(id) => instance.by_id(model::require("Transform")?, id),
        None => Err(Error::value("Please save transform record before creating a run")),
    }
}

/// Returns what describes a source: the title of a notebook, or that a script was called with arguments.
fn description(source: &SourceFile, arguments: &str) -> Option<String> {
    let called = !arguments.is_empty() && source.kind == SourceKind::Script;
    let name = || source.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    source.title.clone().or_else(|| called.then(|| format!("CLI: {}", name())))
}

/// Writes the changed fields of a row that was read in the same transaction.
fn update(instance: &Instance, tx: &crate::db::Tx<'_>, record: &mut Record) -> Result<()> {
    write::check(record)?;
    write::update(instance, tx, record)?;
    record.settle();
    Ok(())
}
