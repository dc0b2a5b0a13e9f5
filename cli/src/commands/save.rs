use std::path::Path;

use clap::{Args, ValueEnum};
use holotype::track::{Named, SaveTransform};
use holotype::{Instance, NewArtifact, Record, RunChoice, model};
use serde_json::json;

use crate::error::{Failure, Result};
use crate::records::{self, is_source};
use crate::ui::Ui;
use crate::voice::Level;

/// Save a file or folder as an artifact, a script or notebook as a transform
///
/// Content that is known already is not stored twice; changed content under a known key becomes a new version.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype save cells.parquet --key raw/cells.parquet
  holotype save plate7/ --key plates/7 --description 'Images of plate 7'
  holotype save cells.parquet --key raw/cells.parquet --project atlas --branch review
  holotype save cells.parquet --key raw/cells.parquet --upload
  holotype save analysis.py                 a transform: its source is kept in the registry
  holotype save model.py --registry artifact --key models/model.py")]
pub(crate) struct SaveArgs {
    /// File or folder to save
    path: String,
    /// Key in the registry, such as raw/cells.parquet; sources have that of their path
    #[arg(long)]
    key: Option<String>,
    /// What it is, in words
    #[arg(long)]
    description: Option<String>,
    /// Kind of the artifact, such as dataset, model or plan
    #[arg(long)]
    kind: Option<String>,
    /// Uid without version of what to make a new version of
    #[arg(long, value_name = "UID")]
    stem_uid: Option<String>,
    /// Project to link, by name or uid
    #[arg(long)]
    project: Option<String>,
    /// Space to save in, by name or uid
    #[arg(long)]
    space: Option<String>,
    /// Branch to save on, by name or uid
    #[arg(long)]
    branch: Option<String>,
    /// Registry to save in; transform for scripts and notebooks, else artifact
    #[arg(long)]
    registry: Option<SaveRegistry>,
    /// Bring the content to the default storage location although artifacts are kept local
    #[arg(long)]
    upload: bool,
    /// Accepted for scripts written for other releases; this one needs no tuning
    #[arg(long, hide = true)]
    batch_size: Option<u64>,
    /// Accepted for scripts written for other releases; this one needs no tuning
    #[arg(long, hide = true)]
    store_kwargs: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SaveRegistry {
    Artifact,
    Transform,
}

pub(crate) fn run(ui: &mut Ui, args: &SaveArgs) -> Result<()> {
    let path = ui.env().absolute(&args.path);
    if !args.path.contains("://") && !path.exists() {
        return Err(Failure::Usage(format!("Invalid value for path: Path {} does not exist", args.path)));
    }
    let registry = args.registry.unwrap_or(match is_source(&args.path) && path.is_file() {
        true => SaveRegistry::Transform,
        false => SaveRegistry::Artifact,
    });
    match registry {
        SaveRegistry::Artifact => save_artifact(ui, args, &path),
        SaveRegistry::Transform => save_transform(ui, args, &path),
    }
}

fn save_artifact(ui: &Ui, args: &SaveArgs, path: &Path) -> Result<()> {
    let plan = is_plan(path);
    let key = args.key.clone().or_else(|| {
        let name = path.file_name().filter(|_| plan)?;
        Some(format!(".plans/{}", name.to_string_lossy()))
    });
    if key.is_none() && args.description.is_none() {
        return Err(Failure::Told("Please pass a key or description via --key or --description".to_owned()));
    }
    let instance = ui.connect()?;
    let project = args.project.as_ref().map(|name| label(&instance, "Project", name)).transpose()?;
    place(&instance, args)?;
    let registry = model::require("Artifact")?;
    let revises = args.stem_uid.as_ref().map(|uid| instance.get_uid(registry, uid)).transpose()?;
    let mut artifact = instance.artifact(NewArtifact {
        key,
        description: args.description.clone(),
        kind: args.kind.clone().or_else(|| plan.then(|| "plan".to_owned())),
        revises,
        run: RunChoice::None,
        ..NewArtifact::new(args.path.clone())
    })?;
    // From here on content may be under way, and wants a safe end.
    #[cfg(unix)]
    let _noted = holotype::trace::Interrupts::note();
    match args.upload {
        true => instance.upload_artifact(&mut artifact)?,
        false => instance.save_artifact(&mut artifact)?,
    }
    if let Some(project) = project.and_then(|project| project.id()) {
        instance.link(&artifact.record, "projects", &[project])?;
    }
    let stored = instance.artifact_path(&artifact.record)?;
    ui.say(Level::Important, format!("saved: {}", artifact.record.repr()));
    ui.say(Level::Important, format!("storage path: {}", stored.display()));
    if ui.json() {
        ui.print_json(&json!({"saved": records::json(&artifact.record), "storage_path": stored}));
    }
    Ok(())
}

/// Saves a source file; the engine tells whether it is new, changed or known.
fn save_transform(ui: &Ui, args: &SaveArgs, path: &Path) -> Result<()> {
    if args.upload {
        return Err(Failure::Usage(
            "--upload is for artifacts: a transform is kept in the registry".to_owned(),
        ));
    }
    if args.kind.is_some() {
        return Err(Failure::Usage(
            "--kind is for artifacts: that of a transform follows from its file".to_owned(),
        ));
    }
    let instance = ui.connect()?;
    let named = |name: &Option<String>| name.as_deref().map(Named::from);
    let saved = instance.save_transform_file(
        path,
        &SaveTransform {
            key: args.key.clone(),
            uid: args.stem_uid.clone(),
            description: args.description.clone(),
            project: named(&args.project),
            space: named(&args.space),
            branch: named(&args.branch),
            ..SaveTransform::default()
        },
    )?;
    if ui.json() {
        ui.print_json(&json!({"saved": records::json(&saved.transform), "created": saved.created}));
    }
    Ok(())
}

/// Plans of agents are artifacts of a kind of their own.
fn is_plan(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.ends_with(".plan.md") || text.contains("/.claude/plans/")
}

/// Makes the branch and space that were asked for those of this session.
fn place(instance: &Instance, args: &SaveArgs) -> Result<()> {
    if let Some(name) = &args.branch {
        let branch = label(instance, "Branch", name)?.id();
        instance.with_context(|context| context.branch = branch.unwrap_or(context.branch));
    }
    if let Some(name) = &args.space {
        let space = label(instance, "Space", name)?.id();
        instance.with_context(|context| context.space = space.unwrap_or(context.space));
    }
    Ok(())
}

/// Returns the record of that name or uid.
///
/// # Errors
/// A message that says how to make it.
pub(super) fn label(instance: &Instance, registry: &str, name: &str) -> Result<Record> {
    records::by_name_or_uid(instance, registry, name)?.ok_or_else(|| {
        Failure::Told(format!(
            "{registry} '{name}' not found, either create it with `ln.{registry}(name='...').save()` or fix typos."
        ))
    })
}
