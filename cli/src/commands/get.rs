use clap::Args;

use super::describe;
use super::load::{self, LoadArgs};
use crate::error::{Failure, Result};
use crate::records::{self, Scope, Which};
use crate::ui::Ui;

/// Show a record, or one of its fields alone
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype get --key raw/cells.parquet
  holotype get --key raw/cells.parquet --description
  holotype get branch --name review --status")]
pub(crate) struct GetArgs {
    /// artifact, collection, transform, … or the URL of a record
    entity: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Print the status of a branch alone
    #[arg(long, conflicts_with = "description")]
    status: bool,
    /// Print the description alone
    #[arg(long)]
    description: bool,
    /// Load the content and its environment file, as release 0.77 did
    #[arg(long, hide = true)]
    with_env: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &GetArgs) -> Result<()> {
    if args.with_env {
        return load::run(ui, &LoadArgs::of_get(args.entity.clone(), args.which.clone()));
    }
    let entity = args.entity.as_deref().unwrap_or("artifact");
    if !args.status && !args.description {
        return describe::show(ui, entity, &args.which);
    }
    let record = records::find(ui, entity, &args.which, Scope::Visible)?.record;
    let field = if args.status { "status" } else { "description" };
    let value = match field {
        "status" => records::status(&record).map(str::to_owned),
        _ => record.registry().column(field).map(|_| record.text(field).unwrap_or("None").to_owned()),
    };
    let value = value.ok_or_else(|| Failure::Told(format!("{} has no {field}", record.registry().name)))?;
    if ui.json() {
        ui.print_json(&serde_json::json!({field: value}))
    } else {
        ui.print(value)
    }
    Ok(())
}
