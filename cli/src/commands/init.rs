use clap::Args;
use holotype::instance::settings::parse_modules;
use holotype::{InitOptions, Instance};
use serde_json::json;

use crate::error::Result;
use crate::ui::Ui;

/// Make an instance: a database and a storage location
///
/// The working directory is bound to the instance, so that commands below it find it. Where the instance exists
/// already, it is connected and nothing changes. In a bucket, the database lies there as well: the instance is locked
/// until `disconnect`, and every command that writes sends the database back.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype init                             storage in ./storage, named after this directory
  holotype init --storage ./data --name atlas
  holotype init --storage ./data --modules bionty
  holotype init --storage s3://bucket/atlas")]
pub(crate) struct InitArgs {
    /// Folder or bucket for the database and the content of artifacts
    #[arg(long, default_value = "./storage", value_name = "FOLDER")]
    storage: String,
    /// Name of the instance; without it, that of the folder
    #[arg(long)]
    name: Option<String>,
    /// URL of a database server
    #[arg(long, value_name = "URL")]
    db: Option<String>,
    /// Registries beside the core, separated by commas
    #[arg(long, alias = "schema", value_name = "MODULES")]
    modules: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &InitArgs) -> Result<()> {
    let options = InitOptions {
        storage: Some(args.storage.clone()),
        name: args.name.clone(),
        db: args.db.clone(),
        modules: parse_modules(args.modules.as_deref().unwrap_or_default()),
    };
    let settings = ui.work_with(Instance::init(ui.env(), &options)?).settings();
    if ui.json() {
        ui.print_json(&json!({
            "instance": settings.slug().to_string(),
            "id": settings.id,
            "uid": settings.uid(),
            "storage": settings.storage_root,
            "db": settings.shown_database(ui.env())?,
            "modules": settings.modules,
        }));
    }
    Ok(())
}
