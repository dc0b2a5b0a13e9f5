use std::time::Duration;

use clap::Args;
use holotype::instance::find_or_join;
use holotype::instance::settings::{dev_dir, refuse_foreign_binding};
use holotype::{Event, Instance};
use serde_json::json;

use crate::error::Result;
use crate::ui::Ui;
use crate::voice::Level;

/// Use an instance from here on
///
/// An instance whose database lies in a bucket is locked for everybody else until `disconnect`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype connect atlas                    an instance of your own
  holotype connect ada/atlas
  holotype connect ada/atlas --here         only in this directory and below
  holotype connect s3://bucket/atlas        an instance in a bucket that somebody else made
  holotype connect postgresql://ada@db.lab/atlas    one on a server (passwords: PGPASSWORD or ~/.pgpass)
  holotype connect ada/atlas --wait 60      wait a minute for somebody's lock")]
pub(crate) struct ConnectArgs {
    /// Name, owner/name or URL of the instance; that of its bucket or database, if this machine does not know it yet
    instance: String,
    /// Bind the working directory to the instance instead of making it the current one everywhere
    #[arg(long)]
    here: bool,
    /// How long to wait for the lock of an instance in a bucket
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    wait: u64,
    /// Meant for instances behind a proxy; local ones need none
    #[arg(long, hide = true)]
    use_proxy_db: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &ConnectArgs) -> Result<()> {
    let env = ui.env().clone();
    let settings = find_or_join(&env, &args.instance)?;
    let slug = settings.slug();
    refuse_foreign_binding(&env, &slug)?;
    if args.here {
        ui.hush();
    }
    // What cannot be opened does not become the current instance.
    let patience = Duration::from_secs(args.wait);
    let instance = ui.work_with(Instance::connect_and_hold(&env, &settings, patience)?);
    if args.here {
        instance.bind_directory(&env.cwd)?;
        ui.say(Level::Important, format!("connected database {slug} to {}", env.cwd.display()));
    } else {
        settings.save_as_global(&env)?;
        if dev_dir(&env, &slug).is_none() {
            ui.tell(Event::Tip(format!(
                "tip: connect the database to the current directory to keep your files in one place: {} connect {slug} --here",
                ui.program().name()
            )));
        }
    }
    if ui.json() {
        ui.print_json(&json!({"instance": slug.to_string(), "storage": settings.storage_root}));
    }
    Ok(())
}
