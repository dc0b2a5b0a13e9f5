use clap::Args;
use holotype::instance::settings::logout;

use crate::error::Result;
use crate::ui::Ui;
use crate::voice::Level;

/// Become the anonymous user again
#[derive(Args)]
pub(crate) struct LogoutArgs {}

pub(crate) fn run(ui: &mut Ui) -> Result<()> {
    let was = logout(ui.env())?;
    ui.say(Level::Important, if was { "logged out" } else { "already logged out" });
    Ok(())
}
