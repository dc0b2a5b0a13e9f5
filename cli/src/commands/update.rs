use clap::Args;
use holotype::model::Registry;

use crate::entity;
use crate::error::{Failure, Result};
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;
use crate::voice::Level;

/// Change the description or the status of a record
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype update artifact --key raw/cells.parquet --description 'Cells of donor 7'
  holotype update branch --name review --status merged")]
pub(crate) struct UpdateArgs {
    /// artifact, transform, collection, project, branch, …
    entity: String,
    #[command(flatten)]
    which: Which,
    /// New status of a branch: standalone, draft, review, merged or closed; runs and projects have their own
    #[arg(long)]
    status: Option<String>,
    /// New description
    #[arg(long)]
    description: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &UpdateArgs) -> Result<()> {
    if args.status.is_none() && args.description.is_none() {
        return Err(Failure::Usage("Pass --description or --status".to_owned()));
    }
    let registry = entity::require(&args.entity)?;
    let status = args.status.as_ref().map(|word| status(registry, word)).transpose()?;
    let Found { instance, mut record } = records::find(ui, &args.entity, &args.which, Scope::Visible)?;
    let mut changes = Vec::new();
    if let Some((word, code)) = status {
        record.set("_status_code", code)?;
        changes.push(format!("status='{word}'"));
    }
    if let Some(description) = &args.description {
        record.set("description", description.as_str())?;
        changes.push("description".to_owned());
    }
    instance.save(&mut record)?;
    ui.say(Level::Important, format!("updated {}: {}", entity::noun(registry), changes.join(", ")));
    if ui.json() {
        ui.print_json(&records::json(&record));
    }
    Ok(())
}

/// Returns a status of a registry with its code.
fn status(registry: &'static Registry, word: &str) -> Result<(&'static str, i64)> {
    let known = registry.statuses();
    known.iter().find(|(status, _)| *status == word).copied().ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(status, _)| *status).collect();
        Failure::Usage(match words.is_empty() {
            true => format!("{} has no status", registry.name),
            false => format!("Invalid value for --status: '{word}' is none of {}", words.join(", ")),
        })
    })
}
