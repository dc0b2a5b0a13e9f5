//! What a face passes to tracking, and what it gets back.

use serde_json::{Map, Value as Json};

use super::environment::EnvironmentFile;
use super::file::SourceFile;
use crate::error::{Error, Result};
use crate::feature::Given;
use crate::instance::Instance;
use crate::model;
use crate::query::Q;
use crate::record::Record;
use crate::surroundings::Process;
use crate::uid;

/// How a user says which record is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Named {
    /// By id: the user passed a saved record.
    Id(i64),
    /// By name or uid; artifacts by key or uid.
    Text(String),
}

impl From<&str> for Named {
    fn from(text: &str) -> Self {
        Named::Text(text.to_owned())
    }
}

impl From<String> for Named {
    fn from(text: String) -> Self {
        Named::Text(text)
    }
}

/// The answer to a [`RenameQuestion`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rename {
    /// The file was renamed: the transform takes the new key.
    Renamed,
    /// The file is a copy: it becomes a transform of its own.
    Copied,
}

/// What to track.
#[derive(Clone, Debug, Default)]
pub struct TrackOptions {
    /// The source file that runs; see [`Instance::source_file`].
    pub source: Option<SourceFile>,
    /// A transform that is no file, such as a pipeline; it wins over `source`.
    pub transform: Option<Record>,
    /// Uid of the transform: 12 characters for a family of versions, 16 for one version.
    pub uid: Option<String>,
    /// Key of the transform instead of the one that its path gives.
    pub key: Option<String>,
    /// Label of the version.
    pub version_tag: Option<String>,
    /// Description of the transform instead of the title of the notebook.
    pub description: Option<String>,
    /// Project that the transform and the run belong to.
    pub project: Option<Named>,
    /// Space of everything made from now on.
    pub space: Option<Named>,
    /// Branch of everything made from now on.
    pub branch: Option<Named>,
    /// Artifact that holds the plan which the run follows.
    pub plan: Option<Named>,
    /// Run that started this one.
    pub initiated_by_run: Option<Named>,
    /// Parameters, as JSON; secrets are blanked out.
    pub params: Option<Map<String, Json>>,
    /// Names of the arguments of a call that have no form in JSON, and so are no parameters.
    pub unkept: Vec<String>,
    /// This call is the one that the process was started to do again.
    pub again: bool,
    /// What features of the run are given, by name or uid.
    pub features: Vec<(String, Given)>,
    /// Whether a new run starts; by default always, except in a notebook that a person runs.
    pub new_run: Option<bool>,
    /// Arguments of the command line.
    pub arguments: Vec<String>,
    /// What the program knows of itself; its surroundings are gathered while it runs, and kept when it is finished.
    pub process: Option<Process>,
    /// File that lists the software.
    pub environment: Option<EnvironmentFile>,
    /// The answer to the question of an earlier call.
    pub rename: Option<Rename>,
    /// Uid of the run of a command, which need not call `track` itself: how to do so is not told.
    pub command_run: Option<String>,
    /// Nothing is said about the run that starts: who starts many says it in a way of its own.
    pub silent: bool,
}

/// What tracking led to.
#[derive(Clone, Debug)]
pub enum Tracking {
    /// A run goes on.
    Started(Box<Tracked>),
    /// Nothing was written: a person has to say something first.
    Ask(RenameQuestion),
    /// Nothing was written, since the database is read-only.
    Skipped,
}

/// A transform and its run.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Transform.
    pub transform: Record,
    /// Run, the current one from now on.
    pub run: Record,
    /// True when the transform is a new row.
    pub created: bool,
    /// True when an earlier run goes on.
    pub restarted: bool,
}

/// A transform of the same source exists under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameQuestion {
    /// Key of the transform.
    pub existing: String,
    /// `script` or `notebook`.
    pub kind: &'static str,
    /// Key of the file.
    pub key: String,
}

impl RenameQuestion {
    /// Returns the question as people read it; the answers are 1 for [`Rename::Renamed`], 2 for [`Rename::Copied`].
    pub fn text(&self) -> String {
        format!(
            "Found transform with same hash but different key: {}. Did you rename your {} to {} (1) or intentionally made \
             a copy (2)?",
            self.existing, self.kind, self.key
        )
    }
}

/// The options with every name resolved.
pub(super) struct Setting {
    pub(super) uid: Option<String>,
    pub(super) branch: i64,
    pub(super) space: i64,
    pub(super) project: Option<i64>,
    pub(super) plan: Option<i64>,
    pub(super) initiated_by_run: Option<i64>,
    /// The answer that stands where nobody can be asked.
    pub(super) rename: Option<Rename>,
}

impl Setting {
    pub(super) fn of(instance: &Instance, options: &TrackOptions) -> Result<Setting> {
        let variable = |name: &str| instance.env().var(name).map(Named::from);
        let context = instance.context();
        let project = options.project.clone().or_else(|| variable("LAMIN_CURRENT_PROJECT"));
        let parent = options.initiated_by_run.clone().or_else(|| variable("LAMIN_INITIATED_BY_RUN_UID"));
        let hub = "please check on the hub UI whether you have the correct `uid` or `name`.";
        Ok(Setting {
            uid: checked_uid(instance, options.uid.as_deref())?,
            project: named(instance, "Project", project.as_ref(), |text| {
                format!(
                    "Project '{text}' not found, either create it with `ln.Project(name='...').save()` or fix typos."
                )
            })?,
            space: named(instance, "Space", options.space.as_ref(), |text| format!("Space '{text}', {hub}"))?
                .unwrap_or(context.space),
            branch: named(instance, "Branch", options.branch.as_ref(), |text| {
                format!("Branch '{text}', {hub}")
            })?
            .unwrap_or(context.branch),
            plan: named(instance, "Artifact", options.plan.as_ref(), |text| {
                format!("Plan artifact '{text}' not found, either create it or use a valid key/uid.")
            })?,
            initiated_by_run: named(instance, "Run", parent.as_ref(), |text| {
                format!("Run '{text}' not found, please pass a valid run uid.")
            })?,
            rename: (instance.env().var("LAMIN_TESTING") == Some("true")).then_some(Rename::Renamed),
        })
    }
}

/// Returns the id of the record that is meant.
fn named(
    instance: &Instance,
    registry: &'static str,
    named: Option<&Named>,
    missing: impl FnOnce(&str) -> String,
) -> Result<Option<i64>> {
    let text = match named {
        None => return Ok(None),
        Some(Named::Id(id)) => {
            return instance.by_id(model::require(registry)?, *id).map(|record| record.id());
        }
        Some(Named::Text(text)) => text.as_str(),
    };
    let all = instance.registry(registry)?;
    let uid = Q::is("uid", text);
    let found = match registry {
        "Run" => all.filter(uid)?.first()?,
        "Artifact" => {
            let latest = all.filter(Q::is("key", text))?.filter(Q::is("is_latest", true))?.visible()?;
            match latest.order_by(["-id"])?.first()? {
                Some(found) => Some(found),
                None if text.len() >= 16 => instance.get_uid(all.registry(), text).ok(),
                None => None,
            }
        }
        _ => all.filter(uid.or(Q::is("name", text)))?.visible()?.first()?,
    };
    match found {
        Some(record) => Ok(record.id()),
        None => Err(Error::invalid(missing(text))),
    }
}

fn checked_uid(instance: &Instance, given: Option<&str>) -> Result<Option<String>> {
    match given {
        None => Ok(None),
        Some(given) if matches!(given.len(), 12 | 16) && uid::is_base62(given) => Ok(Some(given.to_owned())),
        Some(given) => Err(Error::invalid(format!(
            "Please pass an auto-generated uid instead of \"{given}\". Resolve by running: ln.track(\"{}\")",
            uid::random(instance.env(), 12)
        ))),
    }
}
