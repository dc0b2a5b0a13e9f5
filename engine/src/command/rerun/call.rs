//! The call of a tracked function, done again: its file is imported, and the function called with what was recorded.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::files::moved;
use crate::error::{Error, Result};
use crate::instance::Instance;
use crate::model;
use crate::record::Record;
use crate::surroundings::Process;
use crate::track::{REDACTED, unkept};
use crate::value::Value;

/// Tells the module that calls what to call, in the folder where it runs.
const NOTE: &str = ".holotype-call.json";

/// The module that calls.
const CALLER: &str = "holotype._call_again";

/// What is recorded of a call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// Qualified name of the function.
    entrypoint: String,
    params: Map<String, Json>,
}

impl Call {
    /// Returns what is recorded of a call; nothing for the run of a whole file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Value`] for a function that only a running program holds, and for arguments that were not kept.
    pub(super) fn of(instance: &Instance, run: &Record, transform: &Record) -> Result<Option<Call>> {
        let Some(entrypoint) = run.text("entrypoint") else { return Ok(None) };
        let refuse = |reason: &str| -> Error {
            let caller = caller(instance, run).map(|uid| format!("do Run('{uid}') again, which called it"));
            let next = caller.unwrap_or_else(|| "call it again by hand".to_owned());
            Error::value(format!("Run('{}') was a call of {entrypoint}, {reason}: {next}", run.uid()))
        };
        if transform.text("kind") == Some("notebook") {
            return Err(refuse("which a notebook defines"));
        }
        if entrypoint.contains("<locals>") || entrypoint.contains("<lambda>") {
            return Err(refuse("which has no name in its file"));
        }
        if let Some(name) = unkept(run).first() {
            return Err(refuse(&format!("whose argument '{name}' had no form that could be kept")));
        }
        let params = run.get("params").and_then(Value::as_json).and_then(Json::as_object);
        let params = params.cloned().unwrap_or_default();
        if let Some((name, _)) = params.iter().find(|(_, value)| value.to_string().contains(REDACTED)) {
            return Err(refuse(&format!("whose argument '{name}' held a secret that was not kept")));
        }
        Ok(Some(Call { entrypoint: entrypoint.to_owned(), params }))
    }

    /// Writes down what to call, and returns the words after the interpreter that do so.
    pub(super) fn words(
        &self,
        path: &[PathBuf],
        base: &Path,
        root: &Path,
        file: &Path,
    ) -> Result<Vec<String>> {
        let inside = path.iter().filter_map(|folder| folder.strip_prefix(base).ok());
        let path: Vec<PathBuf> =
            inside.map(|rest| root.join(rest)).filter(|folder| folder.is_dir()).collect();
        let params: Map<String, Json> = self
            .params
            .iter()
            .map(|(name, value)| (name.clone(), with_places_moved(value, base, root)))
            .collect();
        let note =
            json!({"file": file, "path": path, "entrypoint": self.entrypoint, "params": params}).to_string();
        let place = root.join(NOTE);
        fs::write(&place, note).map_err(|error| Error::io(&place, error))?;
        Ok(vec!["-m".to_owned(), CALLER.to_owned(), place.to_string_lossy().into_owned()])
    }
}

/// Returns where the file of a transform lies that another file of the program imported.
pub(super) fn found(process: &Process, transform: &Record) -> PathBuf {
    let key = Path::new(transform.text("key").unwrap_or_default());
    let beside = process.file.as_deref().and_then(Path::parent).unwrap_or(&process.folder);
    let folders = [process.folder.as_path(), beside];
    let mut places = folders.into_iter().chain(process.path.iter().map(PathBuf::as_path));
    let there = places.find_map(|folder| {
        let below = key.ancestors().count().saturating_sub(1);
        // The key may begin above the folder: shorter ends of it are looked for as well.
        (0..below).map(|skip| folder.join(key.iter().skip(skip).collect::<PathBuf>())).find(|at| at.is_file())
    });
    there.unwrap_or_else(|| beside.join(key.file_name().unwrap_or_default()))
}

/// Returns a parameter in which the places below one folder are those below another.
pub(super) fn with_places_moved(value: &Json, from: &Path, to: &Path) -> Json {
    match value {
        Json::String(text) => moved(text, from, to).into(),
        Json::Array(items) => items.iter().map(|item| with_places_moved(item, from, to)).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), with_places_moved(value, from, to)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Returns the uid of the run that called.
fn caller(instance: &Instance, run: &Record) -> Option<String> {
    let caller = instance.by_id(model::require("Run").ok()?, run.int("initiated_by_run_id")?).ok()?;
    Some(caller.uid().to_owned())
}
