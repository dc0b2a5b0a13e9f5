use clap::{Args, Subcommand};

use crate::error::Result;
use crate::ui::Ui;
use crate::voice::Level;

/// Bring a database to the level of this version
#[derive(Args)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    command: MigrateCommand,
}

#[derive(Subcommand)]
enum MigrateCommand {
    /// Apply what the database lacks
    Deploy {
        #[arg(long, hide = true)]
        package_name: Option<String>,
        #[arg(long, hide = true)]
        number: Option<String>,
    },
    /// Write a migration for changed registries
    #[command(hide = true)]
    Create,
}

pub(crate) fn run(ui: &mut Ui, args: &MigrateArgs) -> Result<()> {
    match args.command {
        MigrateCommand::Deploy { .. } => {
            // Connecting refuses every level but the one this version writes.
            ui.connect()?;
            ui.say(
                Level::Important,
                "the database is at the level of this version: there is nothing to deploy",
            );
        }
        MigrateCommand::Create => ui.print("No changes detected"),
    }
    Ok(())
}
