use std::fs;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use holotype::instance::settings::dev_dir;
use holotype::track::{Notebook, notebook_text};
use holotype::{Error, ErrorKind, Instance, Record, model};
use serde_json::{Value as Json, json};

use crate::entity;
use crate::error::{Failure, Result};
use crate::records::{self, Found, Scope, Which, is_source};
use crate::ui::Ui;
use crate::voice::{self, Level};

/// Bring content to this machine and say where it is
///
/// The content of artifacts and collections comes into the cache, unless it is on this machine already; the source
/// of a transform is written into the directory that is bound to the instance.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype load --key raw/cells.parquet
  holotype load artifact --uid 2ZSE9eBX
  holotype load transform --key analysis.py --with-env
  holotype load https://example.org/ada/atlas/artifact/2ZSE9eBXxB3NpTeV0000")]
pub(crate) struct LoadArgs {
    /// artifact, collection, transform, or the URL of one; without it, the suffix decides
    entity: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Bring the environment file of the transform as well
    #[arg(long)]
    with_env: bool,
    /// Accepted for scripts written for other releases; this one needs no tuning
    #[arg(long, hide = true)]
    batch_size: Option<u64>,
    /// Accepted for scripts written for other releases; this one needs no tuning
    #[arg(long, hide = true)]
    store_kwargs: Option<String>,
}

impl LoadArgs {
    /// Returns the arguments that `get --with-env`, the old name of this command, stands for.
    pub(super) fn of_get(entity: Option<String>, which: Which) -> LoadArgs {
        LoadArgs { entity, which, with_env: true, batch_size: None, store_kwargs: None }
    }
}

pub(crate) fn run(ui: &mut Ui, args: &LoadArgs) -> Result<()> {
    let Found { instance, record } = find(ui, args)?;
    let mut places = Vec::new();
    match record.registry().name {
        "Artifact" => places.push(instance.cache(&record)?),
        "Collection" => places = instance.cache_collection(&record)?,
        "Transform" => places.push(write_source(ui, &instance, &record)?),
        other => return Err(Failure::Told(format!("{other} records have no content to load"))),
    }
    let noun = entity::noun(record.registry());
    for place in &places {
        ui.say(Level::Important, format!("{noun} is here: {}", place.display()));
    }
    let environment = match args.with_env {
        true => environment(&instance, &record)?,
        false => None,
    };
    if let Some(place) = &environment {
        ui.say(Level::Important, format!("environment is here: {}", place.display()));
    }
    if ui.json() {
        let mut answer = json!({"entity": noun, "uid": record.uid(), "paths": places});
        if let (Some(place), Json::Object(map)) = (environment, &mut answer) {
            map.insert("environment".to_owned(), json!(place));
        }
        ui.print_json(&answer);
    }
    Ok(())
}

fn find(ui: &Ui, args: &LoadArgs) -> Result<Found> {
    let which = &args.which;
    if let Some(entity) = &args.entity {
        return records::find(ui, entity, which, Scope::Visible);
    }
    match (&which.key, &which.uid) {
        (Some(key), _) if is_source(key) => records::find(ui, "transform", which, Scope::Visible),
        (None, Some(uid)) => by_uid(ui, uid),
        _ => records::find(ui, "artifact", which, Scope::Visible),
    }
}

/// Returns the artifact, transform or collection of that uid.
fn by_uid(ui: &Ui, uid: &str) -> Result<Found> {
    let instance = ui.connect()?;
    for registry in ["Artifact", "Transform", "Collection"] {
        match instance.get_uid(model::require(registry)?, uid) {
            Ok(record) => return Ok(Found { instance, record }),
            Err(error) if error.kind() == ErrorKind::DoesNotExist => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::Told(format!("No artifact, transform or collection with uid={uid} exists.")))
}

/// Writes the source of a transform below the bound directory, after asking where a file is in the way.
fn write_source(ui: &mut Ui, instance: &Instance, transform: &Record) -> Result<PathBuf> {
    let key = transform.text("key").unwrap_or(transform.uid());
    let Some(source) = transform.text("source_code") else {
        return Err(Failure::Told(format!(
            "Transform '{key}' has no source code yet: finish a run of it first"
        )));
    };
    if !Path::new(key).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(Failure::Told(format!("The key '{key}' is no place inside the working directory")));
    }
    let base = dev_dir(ui.env(), &instance.settings().slug()).unwrap_or_else(|| ui.env().cwd.clone());
    let path = base.join(key);
    let notebook = key.ends_with(".ipynb");
    if path.exists() {
        // A notebook with its outputs is as good as the stored one when both hold the same source.
        let same = match fs::read_to_string(&path) {
            Ok(present) if notebook => {
                Notebook::parse(&present).is_ok_and(|notebook| notebook.to_script() == source)
            }
            Ok(present) => present == source,
            Err(_) => false,
        };
        if same {
            return Ok(path);
        }
        let question = format!("{} exists: replace? (y/n) ", path.display());
        if !ui.confirm(&voice::line(Level::Warning, &question, false))? {
            return Err(Failure::Aborted);
        }
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    }
    let text = match notebook {
        true => notebook_text(source, transform.text("description")),
        false => source.to_owned(),
    };
    fs::write(&path, text).map_err(|error| Error::io(&path, error))?;
    Ok(path)
}

/// Returns the environment file of the latest run of a transform.
fn environment(instance: &Instance, record: &Record) -> Result<Option<PathBuf>> {
    if record.registry().name != "Transform" {
        return Ok(None);
    }
    let runs = instance.related(record, "runs")?.order_by(["-started_at"])?;
    let latest = runs.first()?.and_then(|run| run.int("environment_id"));
    let Some(id) = latest.or(record.int("environment_id")) else {
        return Err(Failure::Told(format!(
            "No run of transform '{}' kept its environment",
            records::caption(record)
        )));
    };
    let artifact = instance.by_id(model::require("Artifact")?, id)?;
    Ok(Some(instance.cache(&artifact)?))
}
