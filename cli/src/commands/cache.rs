use std::path::Path;

use clap::{Args, Subcommand};
use holotype::describe::format_size;
use holotype::instance::settings::{
    cache_dir, cache_limit, parse_size, plan_cache_clear, plan_cache_move, set_cache_limit,
};
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
    /// Move the cache to another directory, or limit its size
    Set {
        /// Absolute path of the directory, or null for the default
        #[arg(value_name = "FOLDER", required_unless_present = "max_size")]
        cache_dir: Option<String>,
        /// Size above which what was used longest ago goes, such as 20GB; null for none
        #[arg(long, value_name = "SIZE")]
        max_size: Option<String>,
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
            let (dir, limit) = (cache_dir(ui.env())?, cache_limit(ui.env())?);
            if ui.json() {
                ui.print_json(&json!({"cache_dir": dir, "max_size": limit}));
                return Ok(());
            }
            ui.print(format!("The cache directory is {}", dir.display()));
            if let Some(limit) = limit {
                ui.print(format!("It holds up to {}", size_text(limit)));
            }
            Ok(())
        }
        CacheCommand::Set { cache_dir, max_size } => {
            if let Some(max_size) = max_size {
                limit(ui, max_size)?;
            }
            match cache_dir {
                Some(dir) => move_to(ui, Some(dir).filter(|dir| dir.as_str() != "null")),
                None => Ok(()),
            }
        }
        CacheCommand::Reset => move_to(ui, None),
        CacheCommand::Clear { force } => clear(ui, *force),
    }
}

fn limit(ui: &Ui, size: &str) -> Result<()> {
    let limit = if size == "null" { None } else { Some(parse_size(size)?) };
    set_cache_limit(ui.env(), limit)?;
    let amount = limit.map_or("any amount".to_owned(), |limit| format!("up to {}", size_text(limit)));
    ui.say(Level::Important, format!("the cache holds {amount}"));
    Ok(())
}

fn size_text(bytes: u64) -> String {
    format_size(i64::try_from(bytes).unwrap_or(i64::MAX))
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
        let size = size_text(plan.bytes);
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
