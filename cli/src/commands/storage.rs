use clap::{Args, Subcommand};
use holotype::describe::format_size;
use holotype::instance::root::StorageRoot;
use holotype::{Aggregate, Instance, NewStorage, Q, Record, Value, model};
use serde_json::json;

use super::list::{self, ListArgs};
use super::save::label;
use crate::error::{Failure, Result};
use crate::records;
use crate::ui::Ui;
use crate::voice::Level;

/// Register, show and remove storage locations
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype storage create ./shared --host lab-server --description 'Shared drive'
  holotype storage list
  holotype storage describe ./shared
  holotype storage delete ./shared           the folder itself stays")]
pub(crate) struct StorageArgs {
    #[command(subcommand)]
    command: StorageCommand,
}

#[derive(Subcommand)]
enum StorageCommand {
    /// Register a folder or bucket as a storage location
    Create(CreateStorageArgs),
    /// List the storage locations, newest first
    List,
    /// Show a storage location and how much lies there
    Describe {
        /// Root or uid
        location: String,
    },
    /// Remove an empty storage location from the registry; the folder itself stays
    Delete {
        /// Root or uid
        location: String,
    },
}

#[derive(Args)]
struct CreateStorageArgs {
    /// Folder or URL
    root: String,
    /// Name of the machine that a local folder is on
    #[arg(long)]
    host: Option<String>,
    /// What it is, in words
    #[arg(long)]
    description: Option<String>,
    /// Space that it belongs to, by name or uid
    #[arg(long)]
    space: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &StorageArgs) -> Result<()> {
    match &args.command {
        StorageCommand::Create(args) => create(ui, args),
        StorageCommand::List => list::run(ui, &ListArgs::of("storage")),
        StorageCommand::Describe { location } => describe(ui, location),
        StorageCommand::Delete { location } => delete(ui, location),
    }
}

fn create(ui: &Ui, args: &CreateStorageArgs) -> Result<()> {
    let instance = ui.connect()?;
    let space = args.space.as_ref().map(|name| label(&instance, "Space", name)).transpose()?;
    let storage = instance.create_storage(&NewStorage {
        root: args.root.clone(),
        description: args.description.clone(),
        host: args.host.clone(),
        space: space.and_then(|space| space.id()),
    })?;
    if ui.json() {
        ui.print_json(&records::json(&storage));
    }
    Ok(())
}

fn describe(ui: &Ui, location: &str) -> Result<()> {
    let instance = ui.connect()?;
    let storage = find(ui, &instance, location)?;
    let there = instance.query(model::require("Artifact")?);
    let there = there.filter(Q::is("storage_id", storage.id()))?;
    let (managed, n) = (instance.manages(&storage), there.count()?);
    let size = there.aggregate(&[(Aggregate::Sum, "size")])?.first().and_then(Value::as_int).unwrap_or(0);
    let default = storage.id() == Some(instance.context().storage);
    if ui.json() {
        let mut data = records::json(&storage);
        if let serde_json::Value::Object(fields) = &mut data {
            fields.insert("managed".to_owned(), managed.into());
            fields.insert("default".to_owned(), default.into());
            fields.insert("artifacts".to_owned(), n.into());
            fields.insert("bytes".to_owned(), size.into());
        }
        ui.print_json(&data);
        return Ok(());
    }
    ui.print(instance.describe(&storage)?.to_text().trim_end());
    let access = match (managed, default) {
        (true, true) => "read and write, default location",
        (true, false) => "read and write",
        (false, _) => "read only",
    };
    let text = |name| storage.text(name).unwrap_or("None");
    let (uid, protocol, region) = (storage.uid(), text("type"), text("region"));
    let (what, size) = (if protocol == "local" { "host" } else { "region" }, format_size(size));
    let about =
        format!("uid: {uid}\ndescription: {}\ntype: {protocol}\n{what}: {region}", text("description"));
    ui.print(format!("{about}\naccess: {access}\nartifacts: {n} ({size})"));
    Ok(())
}

fn delete(ui: &Ui, location: &str) -> Result<()> {
    let instance = ui.connect()?;
    let storage = find(ui, &instance, location)?;
    instance.delete_storage(&storage)?;
    let root = storage.text("root").unwrap_or_default();
    ui.say(Level::Important, format!("deleted storage: {root}"));
    if ui.json() {
        ui.print_json(&json!({"deleted": records::json(&storage)}));
    }
    Ok(())
}

/// Returns the storage location with this uid or root, however the root is spelled.
fn find(ui: &Ui, instance: &Instance, location: &str) -> Result<Record> {
    let query = instance.query(model::require("Storage")?);
    let root = StorageRoot::parse(ui.env(), location)?;
    let named = Q::is("uid", location).or(Q::is("root", root.as_str()));
    query.filter(named)?.first()?.ok_or_else(|| {
        Failure::Told(format!(
            "There is no storage location {location}: see `{} storage list`",
            ui.program().name()
        ))
    })
}
