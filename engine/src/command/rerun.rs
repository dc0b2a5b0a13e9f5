//! Doing it again: the code, the inputs and the outputs of a run, in a folder of its own.

mod call;
mod command;
mod files;
mod tracked;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::environment;
use super::note::Note;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::surroundings::Difference;
use crate::track::REDACTED;
use command::Command;
use tracked::Tracked;

/// What doing a run again takes.
#[derive(Clone, Debug)]
pub struct Rerun {
    /// The run.
    pub run: Record,
    /// Its transform.
    pub transform: Record,
    /// What of the surroundings is no longer as it was, sorted.
    pub differences: Vec<Difference>,
    how: How,
}

/// Who tracked the run.
#[derive(Clone, Debug)]
enum How {
    /// `holotype run` did.
    Command(Box<Command>),
    /// The script, notebook or function itself did: it will again, and so be a new run.
    Tracked(Box<Tracked>),
}

/// A folder in which a run can be done again.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The words of the command.
    pub words: Vec<String>,
    /// Where it is to run.
    pub folder: PathBuf,
    /// Variables that it needs beside those of the process.
    pub variables: Vec<(&'static str, String)>,
    /// What is not as it was.
    pub warnings: Vec<String>,
}

/// How an output came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every byte is the same.
    Same,
    /// Something else was made.
    Different,
    /// Nothing was made.
    Missing,
    /// The content that was made first is out of reach.
    Unknown,
}

impl Verdict {
    /// Returns the word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Different => "different",
            Verdict::Missing => "missing",
            Verdict::Unknown => "unknown",
        }
    }
}

/// An output of a run and what doing it again made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Where a command put it, or the key of what a script saved.
    pub path: PathBuf,
    /// Uid of the artifact.
    pub uid: String,
    /// How it came out.
    pub verdict: Verdict,
}

/// What came of doing a run again.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The outputs of the run, sorted by path.
    pub outputs: Vec<Compared>,
    /// The new run, where it was tracked.
    pub run: Option<Record>,
    /// What else is not as it was.
    pub warnings: Vec<String>,
}

impl Judged {
    /// Returns true when every output is the same, byte by byte.
    pub fn same(&self) -> bool {
        self.outputs.iter().all(|output| output.verdict == Verdict::Same)
    }
}

impl Instance {
    /// Returns what doing a run again takes; nothing is written.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a run of which too little is kept, whose command line held secrets, or which wrote
    /// outside of its project.
    pub fn plan_rerun(&self, run: &Record) -> Result<Rerun> {
        let uid = run.uid();
        let transform =
            self.by_id(model::require("Transform")?, run.int("transform_id").unwrap_or_default())?;
        let how = match Note::read_from(run).filter(|note| !note.words.is_empty()) {
            Some(note) => {
                refuse_secrets(uid, &note.words)?;
                How::Command(Box::new(Command::of(uid, note)?))
            }
            None => How::Tracked(Box::new(Tracked::of(self, run, &transform)?)),
        };
        let differences = match (&how, run.int("environment_id")) {
            (How::Tracked(tracked), _) => tracked.differences(self.env()),
            (How::Command(command), Some(id)) => {
                let kept = self.cache(&self.by_id(model::require("Artifact")?, id)?)?;
                let kept = fs::read(&kept).map_err(|error| Error::io(&kept, error))?;
                environment::differences(self.env(), command.program(), &kept)
            }
            (How::Command(_), None) => Vec::new(),
        };
        Ok(Rerun { run: run.clone(), transform, differences, how })
    }
}

impl Rerun {
    /// Fills an empty folder with code and inputs, and returns how to run the command there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::FileExists`] for a folder that holds something, [`crate::ErrorKind::DoesNotExist`] for a
    /// commit that is gone, and failures of the store.
    pub fn prepare(&self, instance: &Instance, root: &Path) -> Result<Prepared> {
        match &self.how {
            How::Command(command) => command.prepare(instance, &self.transform, root),
            How::Tracked(tracked) => tracked.prepare(instance, &self.run, &self.transform, root),
        }
    }

    /// Returns how the outputs of the run came out.
    ///
    /// # Errors
    /// Failures of the database and the file system.
    pub fn compare(&self, instance: &Instance, root: &Path) -> Result<Judged> {
        match &self.how {
            How::Command(command) => {
                let outputs = command.compare(instance, root)?;
                Ok(Judged { outputs, run: None, warnings: Vec::new() })
            }
            How::Tracked(tracked) => tracked.compare(instance, &self.run, root),
        }
    }

    /// Returns what came of it as data.
    pub fn json(&self, warnings: &[String], code: i64, judged: &Judged) -> Json {
        let differences = self.differences.iter().map(
            |difference| json!({"what": difference.what, "before": difference.before, "now": difference.now}),
        );
        let outputs = judged
            .outputs
            .iter()
            .map(|output| json!({"path": output.path, "uid": output.uid, "verdict": output.verdict.word()}));
        json!({
            "run": self.run.uid(),
            "new_run": judged.run.as_ref().map(Record::uid),
            "exit_code": code,
            "same": code == 0 && judged.same(),
            "outputs": outputs.collect::<Vec<_>>(),
            "differences": differences.collect::<Vec<_>>(),
            "warnings": warnings.iter().chain(&judged.warnings).collect::<Vec<_>>(),
        })
    }
}

/// Refuses a command line of which a part was not kept.
fn refuse_secrets(uid: &str, words: &[String]) -> Result<()> {
    match words.iter().any(|word| word.contains(REDACTED)) {
        false => Ok(()),
        true => Err(Error::value(format!(
            "The command line of Run('{uid}') held secrets that were not kept: run it again by hand"
        ))),
    }
}
