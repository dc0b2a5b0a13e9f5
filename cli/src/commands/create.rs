use clap::Args;
use holotype::model::Registry;
use holotype::{Event, Instance, Record, Value};

use crate::entity;
use crate::error::{Failure, Result};
use crate::records;
use crate::ui::Ui;

/// Create a branch, a project or another record by its name
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype create branch review
  holotype create project atlas
  holotype create ulabel 'healthy' --description 'No finding'
  holotype create feature temperature --dtype float")]
pub(crate) struct CreateArgs {
    /// Registry: branch, project, ulabel, record, feature, …
    registry: String,
    /// Name of the new record
    #[arg(required_unless_present = "name_option")]
    name: Option<String>,
    /// What it is, in words
    #[arg(long)]
    description: Option<String>,
    /// Data type of a feature, such as float, list[str] or cat[ULabel]
    #[arg(long)]
    dtype: Option<String>,
    /// The name, as release 1.9 took it
    #[arg(long = "name", id = "name_option", value_name = "NAME", hide = true)]
    name_option: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &CreateArgs) -> Result<()> {
    let registry = entity::find(&args.registry)
        .filter(|registry| registry.name_field == Some("name") && !registry.traits.versioned)
        .ok_or_else(|| {
            Failure::Usage(format!(
                "Invalid value for REGISTRY: '{}' is no registry whose records are created by name alone, such as branch, \
                 project, ulabel or record",
                args.registry
            ))
        })?;
    let name = args.name.as_ref().or(args.name_option.as_ref()).map(String::as_str).unwrap_or_default();
    let instance = ui.connect()?;
    let record = match registry.name {
        "Branch" => {
            let mut branch = instance.create_branch(name)?;
            if let Some(description) = &args.description {
                branch.set("description", description.as_str())?;
                instance.save(&mut branch)?;
            }
            branch
        }
        _ => construct(ui, &instance, registry, name, args)?,
    };
    if ui.json() {
        ui.print_json(&records::json(&record));
    }
    Ok(())
}

/// Makes a record, or returns the one of that name with the new description.
fn construct(
    ui: &Ui,
    instance: &Instance,
    registry: &'static Registry,
    name: &str,
    args: &CreateArgs,
) -> Result<Record> {
    let mut given = vec![("name", Value::from(name))];
    if registry.traits.has_type {
        // A name alone means a record without a type.
        given.push(("type", Value::Null));
    }
    given.extend(args.description.as_deref().map(|text| ("description", Value::from(text))));
    let mut record = if registry.name == "Feature" {
        given.extend(args.dtype.as_deref().map(|dtype| ("dtype", Value::from(dtype))));
        instance.feature(&given, true)?
    } else {
        instance.construct(registry, &given)?.record
    };
    let existing = record.id().is_some();
    instance.save(&mut record)?;
    if !existing {
        ui.tell(Event::Created { registry: registry.name, name: name.to_owned() });
    }
    Ok(record)
}
