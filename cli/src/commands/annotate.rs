use clap::Args;
use holotype::feature::How;

use super::save::label;
use crate::entity;
use crate::error::Result;
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;
use crate::voice::Level;

/// Link labels and projects to a record, give it values of features, or set its version tag or description
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype annotate --key raw/cells.parquet --ulabel healthy --project atlas
  holotype annotate --key raw/cells.parquet --features temperature=21.5 --features cell_type='T cell'
  holotype annotate collection --key atlas --version 1.0")]
pub(crate) struct AnnotateArgs {
    /// artifact, transform, collection, … or the URL of a record
    #[arg(default_value = "artifact")]
    entity: String,
    #[command(flatten)]
    which: Which,
    /// Label to link, by name or uid
    #[arg(long)]
    ulabel: Vec<String>,
    /// Record to link, by name or uid
    #[arg(long)]
    record: Vec<String>,
    /// Project to link, by name or uid
    #[arg(long)]
    project: Vec<String>,
    /// Value of a feature, as name=value; several values of a list are separated by commas
    #[arg(long, value_name = "NAME=VALUE", value_parser = feature_value)]
    features: Vec<(String, String)>,
    /// Tag of this version, such as 1.0
    #[arg(long)]
    version: Option<String>,
    /// What it is, in words
    #[arg(long)]
    description: Option<String>,
    /// Registry, as release 1.9 named it
    #[arg(long, hide = true)]
    registry: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &AnnotateArgs) -> Result<()> {
    let entity = args.registry.as_deref().unwrap_or(&args.entity);
    let Found { instance, mut record } = records::find(ui, entity, &args.which, Scope::Visible)?;
    // Everything is looked up before anything is written, so that a typo leaves nothing half done.
    let mut links = Vec::new();
    for (registry, relation, names) in [
        ("ULabel", "ulabels", &args.ulabel),
        ("Record", "records", &args.record),
        ("Project", "projects", &args.project),
    ] {
        for name in names {
            links.push((relation, label(&instance, registry, name)?));
        }
    }
    if !args.features.is_empty() {
        // A record holds one value of a feature, which gives way to the new one.
        let how = if record.registry().name == "Record" { How::Update } else { How::Add };
        instance.annotate(&record, &instance.read_features(&args.features)?, how)?;
    }
    if let Some(version) = &args.version {
        record.set("version_tag", version.as_str())?;
    }
    if let Some(description) = &args.description {
        record.set("description", description.as_str())?;
    }
    if record.changed().next().is_some() {
        instance.save(&mut record)?;
    }
    for (relation, label) in links {
        instance.link(&record, relation, &label.id().into_iter().collect::<Vec<_>>())?;
    }
    let noun = entity::noun(record.registry());
    ui.say(Level::Important, format!("annotated {noun}: {}", records::caption(&record)));
    if ui.json() {
        ui.print_json(&records::json(&record));
    }
    Ok(())
}

fn feature_value(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name=value, such as temperature=21.5".to_owned()),
    }
}
