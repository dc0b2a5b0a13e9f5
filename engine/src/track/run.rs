//! Runs: starting one, going on with one, and saying so.

use serde_json::{Map, Value as Json};

use super::file::SourceFile;
use super::options::{Named, Setting, TrackOptions, Tracked};
use super::{SourceKind, rows, update};
use crate::db::{Sql, Tx};
use crate::error::Result;
use crate::event::Event;
use crate::instance::Instance;
use crate::model;
use crate::record::{Record, python_literal};
use crate::value::Value;
use crate::write;

/// Status codes of the format.
pub(super) const SCHEDULED: i64 = -3;
const RESTARTED: i64 = -2;
pub(super) const STARTED: i64 = -1;

/// Characters that the column for the command line takes.
const ARGUMENTS: usize = 1024;

/// Characters that the column for the called function takes.
const ENTRYPOINT: usize = 255;

pub(super) struct Start<'a> {
    pub(super) uid: &'a str,
    /// The file that runs; `None` for a transform that is no file.
    pub(super) source: Option<&'a SourceFile>,
    pub(super) setting: &'a Setting,
    pub(super) params: Option<&'a Map<String, Json>>,
    pub(super) arguments: &'a str,
    /// Qualified name of the function that is called.
    pub(super) entrypoint: Option<&'a str>,
    /// Free data.
    pub(super) extra: Option<Json>,
    pub(super) anew: Option<bool>,
}

/// Starts a run of the transform, or goes on with the user's newest one; the flag says which.
pub(super) fn start(
    instance: &Instance,
    tx: &Tx<'_>,
    transform: &Record,
    start: &Start<'_>,
) -> Result<(Record, bool)> {
    let anew = start.anew.unwrap_or_else(|| !start.source.is_some_and(|source| source.interactive));
    let newest = if anew { None } else { newest(instance, tx, transform)? };
    let restarted = newest.is_some();
    let registry = model::require("Run")?;
    let mut run = newest.unwrap_or_else(|| Record::empty(registry));
    run.set("started_at", instance.env().now())?;
    run.set("finished_at", Value::Null)?;
    run.set("_status_code", if restarted { RESTARTED } else { STARTED })?;
    if let Some(params) = start.params {
        // A call has parameters even where it takes none.
        let kept = !params.is_empty() || start.entrypoint.is_some();
        let params = kept.then(|| Json::Object(params.clone()));
        run.set("params", params)?;
    }
    if !start.arguments.is_empty() {
        run.set("cli_args", start.arguments.chars().take(ARGUMENTS).collect::<String>())?;
    }
    if let Some(entrypoint) = start.entrypoint {
        run.set("entrypoint", entrypoint.chars().take(ENTRYPOINT).collect::<String>())?;
    }
    if let Some(plan) = start.setting.plan {
        run.set("plan_id", plan)?;
    }
    if let Some(parent) = start.setting.initiated_by_run.filter(|parent| Some(*parent) != run.id()) {
        run.set("initiated_by_run_id", parent)?;
    }
    if restarted {
        update(instance, tx, &mut run)?;
        return Ok((run, true));
    }
    run.set("uid", start.uid)?;
    run.set("extra_data", start.extra.clone())?;
    run.set("transform_id", transform.id())?;
    run.set("branch_id", start.setting.branch)?;
    run.set("created_on_id", start.setting.branch)?;
    run.set("space_id", start.setting.space)?;
    // A script runs from top to bottom by itself; of a notebook this shows at the end.
    let script = start.source.is_some_and(|source| source.kind == SourceKind::Script);
    run.set("_is_consecutive", script.then_some(true))?;
    write::fill(instance, &mut run)?;
    write::check(&run)?;
    let id = write::insert(tx, &run)?;
    run.put_id(id);
    run.settle();
    Ok((run, false))
}

/// Returns the newest run of the transform by the current user.
fn newest(instance: &Instance, tx: &Tx<'_>, transform: &Record) -> Result<Option<Record>> {
    let mut rest = Sql::new("WHERE \"transform_id\" = ");
    rest.bind(transform.id()).push(" AND \"created_by_id\" = ").bind(instance.context().user);
    rest.push(" AND \"branch_id\" <> -1 ORDER BY \"created_at\" DESC, \"id\" DESC LIMIT 1");
    Ok(rows::select(tx, model::require("Run")?, rest)?.into_iter().next())
}

/// Adds what is to be said about the run that started.
pub(super) fn announce(
    tracked: &Tracked,
    options: &TrackOptions,
    setting: &Setting,
    events: &mut Vec<Event>,
) {
    let (transform, run) = (&tracked.transform, &tracked.run);
    // That secrets were blanked out comes after what happened.
    let (later, first): (Vec<Event>, Vec<Event>) =
        std::mem::take(events).into_iter().partition(|event| matches!(event, Event::RedactedSource { .. }));
    events.extend(first);
    events.push(Event::RunStarted {
        verb: if tracked.created { "created" } else { "loaded" },
        transform: transform.uid().to_owned(),
        key: transform.text("key").unwrap_or_default().to_owned(),
        run: run.uid().to_owned(),
        run_verb: if tracked.restarted { "re-started Run" } else { "started new Run" },
        at: run.moment("started_at").map(crate::Timestamp::to_display).unwrap_or_default(),
    });
    events.extend(params_line(run, options.params.is_some()).map(Event::Note));
    let features: Vec<String> =
        options.features.iter().map(|(name, given)| format!("{name}={}", given.called())).collect();
    if !features.is_empty() {
        events.push(Event::Note(format!("features: {}", features.join(", "))));
    }
    let anonymous = options.transform.is_none() && setting.uid.is_none() && options.command_run.is_none();
    if let Some(source) = options.source.as_ref().filter(|_| anonymous) {
        let mut passed = vec![format!("\"{}\"", transform.stem_uid())];
        for (name, value) in
            [("project", &options.project), ("space", &options.space), ("plan", &options.plan)]
        {
            if let Some(Named::Text(text)) = value {
                passed.push(format!("{name}=\"{text}\""));
            }
        }
        if options.params.is_some() {
            passed.push("params={...}".to_owned());
        }
        let r = source
            .path
            .extension()
            .is_some_and(|suffix| matches!(suffix.to_str(), Some("R" | "Rmd" | "qmd")));
        let call = if r { "ln$track" } else { "ln.track" };
        events.push(Event::Tip(format!(
            "tip: to identify the {} across renames, pass the uid: {call}({})",
            source.kind.as_str(),
            passed.join(", ")
        )));
    }
    events.extend(later);
}

/// Returns the line that tells the parameters of a run, if any were given.
pub(super) fn params_line(run: &Record, given: bool) -> Option<String> {
    let Some(Json::Object(params)) = run.get("params").filter(|_| given).and_then(Value::as_json) else {
        return None;
    };
    let texts: Vec<String> =
        params.iter().map(|(key, value)| format!("{key}={}", python_literal(value))).collect();
    (!texts.is_empty()).then(|| format!("params: {}", texts.join(", ")))
}
