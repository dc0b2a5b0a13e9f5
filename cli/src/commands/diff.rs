use clap::Args;
use holotype::diff::Options;
use holotype::{Instance, Q, Record};

use crate::commands::lineage::anywhere;
use crate::error::{Failure, Result};
use crate::ui::Ui;

/// Compare two records: fields, text by line, folders by file, tables by row
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype diff 2ZSE9eBXxB3NpTeV0000 2ZSE9eBXxB3NpTeV0001
  holotype diff 2ZSE9eBX                      against the version before
  holotype diff 2ZSE9eBX hrKjgpEM --by sample,gene --most 20")]
pub(crate) struct DiffArgs {
    /// Uid of the first record; alone, of the one that is compared with the version before it
    first: String,
    /// Uid of the second record
    second: Option<String>,
    /// Columns that tell the rows of a table apart
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    by: Vec<String>,
    /// Lines of context around changes of a text
    #[arg(long, short = 'U', default_value_t = 3, value_name = "N")]
    context: usize,
    /// Lines, rows or files told at most
    #[arg(long, default_value_t = 100, value_name = "N")]
    most: usize,
}

pub(crate) fn run(ui: &mut Ui, args: &DiffArgs) -> Result<()> {
    let instance = ui.connect()?;
    let first = anywhere(&instance, &args.first)?;
    let (a, b) = match &args.second {
        Some(second) => (first, anywhere(&instance, second)?),
        None => (before(&instance, &first)?, first),
    };
    let options = Options { key: args.by.clone(), context: args.context, most: args.most };
    let diff = instance.diff(&a, &b, &options)?;
    if ui.json() {
        ui.print_json(&diff.json());
    } else {
        ui.print(diff.to_text().trim_end());
    }
    Ok(())
}

/// Returns the version before a record.
fn before(instance: &Instance, record: &Record) -> Result<Record> {
    let registry = record.registry();
    let none = || Failure::Told(format!("{} has no version before it: pass a second uid", record.uid()));
    if !registry.traits.versioned {
        return Err(none());
    }
    let earlier = Q::family(record.stem_uid()).and(Q::is("uid__lt", record.uid()));
    instance.query(registry).filter(earlier)?.order_by(["-uid"])?.first()?.ok_or_else(none)
}
