//! What a run keeps of its command beside the fields of the format: enough to do it all again.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::inputs::Read;
use super::{CommandPlan, Found, Ran};
use crate::hash::Digest;
use crate::record::Record;
use crate::surroundings::commit;
use crate::track::redacted_arguments;
use crate::value::Value;

/// Where the note lies in the free data of a run.
const KEY: &str = "command";

/// A file of a command that is an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path below the project, else an absolute one.
    pub path: PathBuf,
    /// Uid of the artifact.
    pub uid: String,
}

/// The note.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    /// The command line, without secrets.
    pub(super) words: Vec<String>,
    /// The folder to which paths are relative.
    pub(super) project: PathBuf,
    /// Where the command ran, below the project.
    pub(super) folder: PathBuf,
    /// The script, below the project or absolute; nothing for text on the command line and for programs.
    pub(super) script: Option<PathBuf>,
    /// The program as it was found.
    pub(super) program: PathBuf,
    pub(super) inputs: Vec<Place>,
    pub(super) outputs: Vec<Place>,
    /// Files that were read and are no artifacts.
    pub(super) read: Vec<(PathBuf, Digest)>,
    /// Folders that it found beside those of its outputs, below the project.
    pub(super) folders: Vec<PathBuf>,
    /// How it ended and what it needed.
    measured: Map<String, Json>,
}

impl Note {
    pub(super) fn of(plan: &CommandPlan) -> Note {
        let project = plan.rules.project();
        let mut measured = Map::new();
        measured.extend(commit(project).map(|git| ("git".to_owned(), git)));
        Note {
            words: redacted_arguments(&plan.words),
            project: project.to_owned(),
            folder: below(project, &plan.folder),
            script: plan.script_path().map(|path| below(project, path)),
            program: plan.program.clone(),
            folders: plan.folders.iter().map(|folder| below(project, folder)).collect(),
            measured,
            ..Note::default()
        }
    }

    /// Takes in what became of the command.
    pub(super) fn ended(&mut self, ran: &Ran, read: &Read, outputs: &[Found]) {
        let places = |found: &[Found]| {
            let place = |found: &Found| Place {
                path: below(&self.project, &found.path),
                uid: found.record.uid().to_owned(),
            };
            found.iter().map(place).collect()
        };
        self.inputs = places(&read.artifacts);
        self.outputs = places(outputs);
        self.read = read.others.iter().map(|(path, digest)| (below(&self.project, path), *digest)).collect();
        let seconds = |time: std::time::Duration| (time.as_secs_f64() * 1000.0).round() / 1000.0;
        let measured = json!({
            "exit_code": ran.code,
            "signal": ran.signal,
            "seconds": seconds(ran.elapsed),
            "cpu_seconds": seconds(ran.cpu),
            "peak_memory": ran.peak_memory,
            "traced": !ran.untraced,
        });
        self.measured.extend(measured.as_object().cloned().unwrap_or_default());
    }

    /// Returns the free data of a run with the note in it; what else is there stays.
    pub(super) fn write_into(&self, present: Option<&Value>) -> Json {
        let places = |places: &[Place]| -> Vec<Json> {
            places.iter().map(|place| json!({"path": place.path, "uid": place.uid})).collect()
        };
        let mut note = json!({
            "words": self.words,
            "project": self.project,
            "folder": self.folder,
            "script": self.script,
            "program": self.program,
        });
        if let Json::Object(note) = &mut note {
            note.extend(self.measured.clone());
            if !self.folders.is_empty() {
                note.insert("folders".to_owned(), json!(self.folders));
            }
            note.insert("inputs".to_owned(), places(&self.inputs).into());
            note.insert("outputs".to_owned(), places(&self.outputs).into());
            let read =
                self.read.iter().map(|(path, digest)| json!({"path": path, "digest": digest.to_hex()}));
            note.insert("read".to_owned(), read.collect());
        }
        let present = present.and_then(Value::as_json).and_then(Json::as_object);
        let mut data = present.cloned().unwrap_or_default();
        data.insert(KEY.to_owned(), note);
        Json::Object(data)
    }

    /// Returns the note of a run; nothing where no command was run.
    pub(super) fn read_from(run: &Record) -> Option<Note> {
        let Some(Value::Json(data)) = run.get("extra_data") else { return None };
        let note = data.get(KEY)?;
        let path = |json: &Json| json.as_str().map(PathBuf::from);
        let list = |name: &str| note.get(name).and_then(Json::as_array).cloned().unwrap_or_default();
        let places = |name: &str| {
            let place = |json: &Json| {
                Some(Place { path: path(json.get("path")?)?, uid: json.get("uid")?.as_str()?.to_owned() })
            };
            list(name).iter().filter_map(place).collect()
        };
        let read =
            |json: &Json| Some((path(json.get("path")?)?, json.get("digest")?.as_str()?.parse().ok()?));
        Some(Note {
            words: list("words").iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            project: path(note.get("project")?)?,
            folder: path(note.get("folder")?)?,
            script: note.get("script").and_then(path),
            program: note.get("program").and_then(path).unwrap_or_default(),
            inputs: places("inputs"),
            outputs: places("outputs"),
            read: list("read").iter().filter_map(read).collect(),
            folders: list("folders").iter().filter_map(path).filter(|path| path.is_relative()).collect(),
            measured: Map::new(),
        })
    }
}

fn below(project: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(project).unwrap_or(path).to_owned()
}
