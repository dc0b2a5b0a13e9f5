use clap::Args;
use holotype::describe::{Body, Section};
use serde_json::{Map, Value as Json, json};

use crate::error::Result;
use crate::records::{self, Found, Scope, Which};
use crate::ui::Ui;
use crate::voice::Level;

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
    let Found { instance, record } = records::find(ui, entity, which, Scope::WithTrash)?;
    let tree = instance.describe(&record)?;
    for warning in &tree.warnings {
        ui.say(Level::Warning, warning);
    }
    if ui.json() {
        let mut data = records::json(&record);
        if let Json::Object(fields) = &mut data {
            let sections = tree.sections.iter().map(|section| (section.title.clone(), section_json(section)));
            fields.insert("sections".to_owned(), Json::Object(sections.collect()));
        }
        ui.print_json(&data);
        return Ok(());
    }
    ui.print(tree.to_text().trim_end());
    Ok(())
}

/// Returns what stands below a heading, or beside it.
fn section_json(section: &Section) -> Json {
    match &section.body {
        Body::Empty => json!(section.value),
        Body::Values(rows) => rows.iter().map(value_json).collect(),
        Body::Groups(groups) => groups
            .iter()
            .map(|(title, rows)| (title.clone(), rows.iter().map(value_json).collect()))
            .collect::<Map<String, Json>>()
            .into(),
        Body::Grid(rows) => json!(rows),
        Body::List(items) => {
            items.iter().map(|item| (item.label.clone(), json!(item.value))).collect::<Map<_, _>>().into()
        }
        Body::Text(lines) => json!(lines.join("\n")),
    }
}

fn value_json([name, dtype, value]: &[String; 3]) -> Json {
    json!({"name": name, "dtype": dtype, "value": value})
}
