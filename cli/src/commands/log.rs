use clap::Args;
use holotype::Timestamp;
use holotype::history::{Entry, Wanted};
use serde_json::{Value as Json, json};

use crate::entity;
use crate::error::{Failure, Result};
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;

/// Show what happened and by whom, newest first
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype log
  holotype log artifact run --limit 100
  holotype log --by ada --since 2026-03-01 --name counts
  holotype log --json")]
pub(crate) struct LogArgs {
    /// Registries: artifact, run, ulabel, …; all by default
    registries: Vec<String>,
    /// How many entries at most
    #[arg(short = 'n', long, default_value_t = 30)]
    limit: usize,
    /// Handle of the user
    #[arg(long, value_name = "USER")]
    by: Option<String>,
    /// From this day or moment on (UTC)
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// Before this day or moment (UTC)
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Part of the key or name
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &LogArgs) -> Result<()> {
    let wanted = Wanted {
        registries: args.registries.iter().map(|word| entity::require(word)).collect::<Result<_>>()?,
        by: args.by.clone(),
        since: moment("--since", args.since.as_deref())?,
        until: moment("--until", args.until.as_deref())?,
        name: args.name.clone(),
        limit: args.limit,
    };
    let instance = ui.connect()?;
    let log = instance.log(&wanted)?;
    if ui.json() {
        ui.print_json(&log.iter().map(data).collect());
        return Ok(());
    }
    let column = |name: &str, cell: &dyn Fn(&Entry) -> String| SheetColumn {
        name: name.to_owned(),
        cells: log.iter().map(cell).collect(),
        number: false,
    };
    let sheet = Sheet::new(vec![
        column("at", &|entry| entry.at.to_display()),
        column("what", &|entry| format!("{} {}", entry.deed.word(), entry.registry.to_lowercase())),
        column("name", &|entry| entry.name.clone()),
        column("by", &|entry| entry.by.clone()),
        column("uid", &|entry| entry.uid.clone()),
        column("run", &|entry| entry.run.clone()),
    ]);
    ui.print(sheet.fit(ui.width()).0);
    Ok(())
}

fn data(entry: &Entry) -> Json {
    json!({
        "at": entry.at.to_display(),
        "what": entry.deed.word(),
        "registry": entry.registry,
        "uid": entry.uid,
        "name": entry.name,
        "by": entry.by,
        "run": (!entry.run.is_empty()).then_some(&entry.run),
    })
}

/// Returns the moment that a text names, if there is one.
fn moment(option: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    let found = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text} 00:00:00")));
    found.map(Some).ok_or_else(|| {
        Failure::Usage(format!("Invalid value for {option}: '{text}' is no date such as 2026-03-01"))
    })
}
