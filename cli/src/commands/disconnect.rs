use clap::Args;
use holotype::instance::settings::{InstanceSettings, current_instance, nearest_binding, unbind};
use holotype::{Event, Instance};

use crate::error::Result;
use crate::ui::Ui;

/// Forget the current instance
///
/// An instance whose database lies in a bucket gets what it does not have yet, and is unlocked.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype disconnect
  holotype disconnect --here                this directory is no longer bound to an instance")]
pub(crate) struct DisconnectArgs {
    /// Undo the binding of the working directory or its nearest bound parent
    #[arg(long)]
    here: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &DisconnectArgs) -> Result<()> {
    let env = ui.env().clone();
    if args.here {
        let Some(binding) = nearest_binding(&env) else {
            ui.tell(Event::Info("no local instance marker found".to_owned()));
            return Ok(());
        };
        unbind(&env, &binding.dir)?;
        ui.tell(Event::Done(format!(
            "disconnected local instance context: {} and unset dev-dir",
            binding.slug
        )));
        return Ok(());
    }
    match current_instance(&env)? {
        Some(current) => {
            let slug = current.settings.slug();
            Instance::disconnect_from(&env, &current.settings)?;
            InstanceSettings::forget_global(&env, &slug)?;
            ui.tell(Event::Done(format!("disconnected instance: {slug}")));
        }
        None => ui.tell(Event::Info("no instance loaded".to_owned())),
    }
    Ok(())
}
