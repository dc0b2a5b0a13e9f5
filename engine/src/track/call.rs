//! Runs of functions: each call is a run of its own, beside the one that the session tracks.

use serde_json::{Value as Json, json};

use super::file::{SourceFile, SourceKind};
use super::options::{Rename, Setting, TrackOptions};
use super::resolve::{self, Resolved, Wanted};
use super::{redact, run};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::instance::Instance;
use crate::record::Record;
use crate::surroundings;
use crate::uid;
use crate::value::Value;

/// Where the free data of a run tell of the call, and which arguments are no parameters.
const NOTE: &str = "call";
const UNKEPT: &str = "unkept";

/// Returns the names of the arguments of a call that are no parameters, as they had no form in JSON.
pub(crate) fn unkept(run: &Record) -> Vec<&str> {
    let Some(Value::Json(data)) = run.get("extra_data") else { return Vec::new() };
    let names = data.get(NOTE).and_then(|note| note.get(UNKEPT)).and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str).collect()
}

impl Instance {
    /// Finds or makes the transform of the file that defines a function; nothing starts to run.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a malformed uid, [`crate::ErrorKind::UpdateContext`] when the source
    /// no longer is what the given uid stands for.
    pub fn source_transform(&self, source: &SourceFile, uid: Option<&str>) -> Result<Record> {
        if let Some(transform) = self.transform_again(source)? {
            return Ok(transform);
        }
        let options = TrackOptions { uid: uid.map(str::to_owned), ..TrackOptions::default() };
        let setting = Setting::of(self, &options)?;
        let mut events = Vec::new();
        let wanted = Wanted {
            source,
            key: &source.key,
            uid: setting.uid.as_deref(),
            version_tag: None,
            description: source.title.clone(),
            generic_description: true,
            branch: setting.branch,
            space: setting.space,
            // A function must not stop to ask; a file that bears another name is another file.
            rename: setting.rename.or(Some(Rename::Copied)),
            keep: source.kind == SourceKind::Script,
        };
        let found = self.db().write(|tx| resolve::resolve(self, tx, &wanted, &mut events))?;
        events.into_iter().for_each(|event| self.env().emit(event));
        match found {
            Resolved::Found { mut transform, .. } => {
                transform.settle();
                Ok(transform)
            }
            Resolved::Ask(question) => Err(Error::invalid(question.text())),
        }
    }

    /// Starts a run of a function; the session goes on with the run it tracks.
    ///
    /// `options` may hold what belongs to the run: project, plan, branch, space, parameters, arguments, its parent.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for names that nothing answers to, [`crate::ErrorKind::NoWriteAccess`] on a
    /// read-only database.
    pub fn start_call(&self, transform: &Record, entrypoint: &str, options: &TrackOptions) -> Result<Record> {
        let setting = Setting::of(self, options)?;
        let params = options.params.as_ref().map(redact::params);
        let arguments = redact::arguments(&options.arguments);
        let again = self.calling_again(entrypoint, params.as_ref(), options.again)?;
        let run_uid = again.unwrap_or_else(|| uid::random(self.env(), 16));
        let extra = (!options.unkept.is_empty()).then(|| json!({NOTE: {UNKEPT: options.unkept}}));
        let started = self.db().write(|tx| {
            let start = run::Start {
                uid: &run_uid,
                source: None,
                setting: &setting,
                params: params.as_ref(),
                arguments: &arguments,
                entrypoint: Some(entrypoint),
                extra: extra.clone(),
                anew: Some(true),
            };
            let (started, _) = run::start(self, tx, transform, &start)?;
            if let Some(project) = setting.project {
                self.link_in(tx, &started, "projects", &[project])?;
            }
            Ok(started)
        })?;
        if let Some(process) = &options.process {
            surroundings::gather(self, &started, process);
        }
        let named = format!("started new Run('{run_uid}', entrypoint='{entrypoint}')");
        self.env().emit(Event::Note(named));
        if let Some(line) = run::params_line(&started, options.params.is_some()) {
            self.env().emit(Event::Note(line));
        }
        Ok(started)
    }
}
