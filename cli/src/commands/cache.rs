use std::path::Path;

use clap::{Args, Subcommand};
use holotype::describe::format_size;
use holotype::instance::settings::{cache_dir, plan_cache_clear, plan_cache_move};
use holotype::{Event, Instance};
use serde_json::json;

use crate::error::{Failure, Result};
use crate::ui::Ui;
use crate::voice::Level;

/// Former name of `settings cache-dir`
#[derive(Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

/// What can be done with the cache directory.
#[derive(Subcommand)]
pub(crate) enum CacheCommand {
    /// Print the cache directory
    Get,
    /// Move the cache to another directory
    Set {
        /// Absolute path of the directory, or null for the default
        #[arg(value_name = "FOLDER")]
        cache_dir: String,
    },
    /// Move the cache back to the default directory
    Reset,
    /// Remove everything from the cache
    Clear {
        /// Do not ask
        #[arg(long)]
        force: bool,
    },
}

pub(crate) fn run(ui: &mut Ui, args: &CacheArgs) -> Result<()> {
    let program = ui.program().name();
    ui.say(
        Level::Warning,
        format!("'{program} cache' is deprecated. Use '{program} settings cache-dir' instead."),
    );
    run_command(ui, &args.command)
}

/// Runs a command on the cache directory.
pub(super) fn run_command(ui: &mut Ui, command: &CacheCommand) -> Result<()> {
    match command {
        CacheCommand::Get => {
            let dir = cache_dir(ui.env())?;
            if ui.json() {
                ui.print_json(&json!({"cache_dir": dir}));
            } else {
                ui.print(format!("The cache directory is {}", dir.display()));
            }
            Ok(())
        }
        CacheCommand::Set { cache_dir } => move_to(ui, Some(cache_dir).filter(|dir| dir.as_str() != "null")),
        CacheCommand::Reset => move_to(ui, None),
        CacheCommand::Clear { force } => clear(ui, *force),
    }
}

fn move_to(ui: &Ui, dir: Option<&String>) -> Result<()> {
    let plan = plan_cache_move(ui.env(), dir.map(Path::new))?;
    plan.apply(ui.env())?;
    ui.say(Level::Important, format!("the cache directory is {}", plan.to.display()));
    Ok(())
}

fn clear(ui: &mut Ui, force: bool) -> Result<()> {
    let plan = plan_cache_clear(ui.env())?;
    let n = plan.files.len();
    if n > 0 && !force {
        let files = if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
        let size = format_size(i64::try_from(plan.bytes).unwrap_or(i64::MAX));
        let question = format!("Remove {files} ({size}) from {}? (y/n) ", plan.root.display());
        if !ui.confirm(&question)? {
            return Err(Failure::Aborted);
        }
    }
    // The working copies of databases in buckets lie there as well.
    Instance::disconnect_from_all(ui.env())?;
    plan.apply()?;
    ui.tell(Event::Done("the cache directory was cleared".to_owned()));
    Ok(())
}
