use clap::Args;

use crate::error::Result;
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;

/// Show a record with its labels, features and origin
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype describe --key raw/cells.parquet
  holotype describe ulabel --name healthy
  holotype describe https://example.org/ada/atlas/artifact/2ZSE9eBXxB3NpTeV0000 --json")]
pub(crate) struct DescribeArgs {
    /// artifact, collection, transform, run, record, … or the URL of a record
    #[arg(default_value = "artifact")]
    entity: String,
    #[command(flatten)]
    which: Which,
}

pub(crate) fn run(ui: &mut Ui, args: &DescribeArgs) -> Result<()> {
    show(ui, &args.entity, &args.which)
}

/// Prints the tree of a record.
pub(super) fn show(ui: &Ui, entity: &str, which: &Which) -> Result<()> {
    let Found { record, .. } = records::find(ui, entity, which, Scope::WithTrash)?;
    if ui.json() {
        ui.print_json(&records::json(&record));
        return Ok(());
    }
    ui.print(record.repr());
    Ok(())
}
