use std::path::PathBuf;

use clap::{Args, Subcommand};
use holotype::instance::migrate::{self, Destination, MigrationPlan, Stage};
use holotype::instance::settings::current_instance;
use holotype::{Error, ErrorKind};
use serde_json::{Map, json};

use super::verify::count;
use crate::error::Result;
use crate::table::{Sheet, SheetColumn};
use crate::ui::Ui;
use crate::voice::Level;

/// Move the database to another server or file, or bring it to the level of this version
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
    /// Move the database from its file or bucket to a PostgreSQL server
    ///
    /// Every row is copied and compared while nobody else can write; only then the copy is taken into use. The old file is
    /// kept under another name. Broken off at any moment, the same command goes on or begins anew. On other machines that
    /// know the instance, the same command makes them follow.
    #[command(after_help = "\
Examples:
  holotype migrate to-postgres postgresql://me:secret@db.lab/atlas --dry-run
  holotype migrate to-postgres postgresql://me:secret@db.lab/atlas")]
    ToPostgres {
        /// URL of an empty database
        url: String,
        #[command(flatten)]
        how: How,
    },
    /// Move the database from its PostgreSQL server to a file or bucket
    ///
    /// As `to-postgres`, the other way round. The database on the server is kept as it is.
    ToSqlite {
        /// File that does not exist; without it, .lamindb/lamin.db in the default storage location, also in a bucket
        path: Option<PathBuf>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Args)]
struct How {
    /// Only show what would be done
    #[arg(long, visible_alias = "plan")]
    dry_run: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &MigrateArgs) -> Result<()> {
    match &args.command {
        MigrateCommand::Deploy { .. } => {
            // Connecting refuses every level but the one this version writes.
            ui.connect()?;
            ui.say(
                Level::Important,
                "the database is at the level of this version: there is nothing to deploy",
            );
        }
        MigrateCommand::Create => ui.print("No changes detected"),
        MigrateCommand::ToPostgres { url, how } => {
            relocate(ui, &Destination::Postgres(url.clone()), how)?;
        }
        MigrateCommand::ToSqlite { path, how } => relocate(ui, &Destination::Sqlite(path.clone()), how)?,
    }
    Ok(())
}

fn relocate(ui: &Ui, destination: &Destination, how: &How) -> Result<()> {
    // Not connected: the database may have moved already.
    let current = current_instance(ui.env())?
        .ok_or_else(|| Error::new(ErrorKind::InstanceNotConfigured, "No instance is connected."))?;
    let plan = migrate::plan(ui.env(), &current.settings, destination)?;
    let what = match plan.stage {
        Stage::Follow => format!("{}, which is there already", plan.slug),
        _ => format!("{} with {} in {}", plan.slug, rows(plan.rows()), count(plan.tables.len(), "table")),
    };
    if how.dry_run {
        show(ui, &plan);
        ui.say(
            Level::Important,
            format!("would move {what} from {} to {}; nothing was changed", plan.from, plan.to),
        );
        return Ok(());
    }
    let migrated = plan.apply(ui.env())?;
    if ui.json() {
        ui.print_json(&json!({"instance": plan.slug.to_string(), "db": plan.to, "rows": plan.rows(), "kept": migrated.kept}));
    }
    ui.say(Level::Important, format!("moved {what} to {}", plan.to));
    ui.say(Level::ImportantHint, format!("the old database is kept and no longer used: {}", migrated.kept));
    Ok(())
}

fn show(ui: &Ui, plan: &MigrationPlan) {
    if ui.json() {
        let tables: Map<String, serde_json::Value> =
            plan.tables.iter().map(|(table, rows)| (table.clone(), json!(rows))).collect();
        ui.print_json(&json!({
            "instance": plan.slug.to_string(), "from": plan.from, "to": plan.to, "rows": plan.rows(), "tables": tables,
        }));
    } else if !plan.tables.is_empty() {
        let column = |name: &str, cell: &dyn Fn(&(String, u64)) -> String, number| SheetColumn {
            name: name.to_owned(),
            cells: plan.tables.iter().map(cell).collect(),
            number,
        };
        let sheet = Sheet::new(vec![
            column("table", &|(table, _)| table.clone(), false),
            column("rows", &|(_, rows)| rows.to_string(), true),
        ]);
        ui.print(sheet.fit(ui.width()).0);
    }
}

fn rows(n: u64) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), "row")
}
