use clap::Args;
use holotype::instance::settings::{UserSettings, login_local};
use serde_json::json;

use crate::error::{Failure, Result};
use crate::ui::Ui;
use crate::voice::Level;

/// Say who you are, so that records carry your name
///
/// The identity is kept on this machine; no account and no network are needed. The same handle always gives the
/// same identity here.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype login ada --name 'Ada Lovelace' --email ada@example.org
  holotype login ada@example.org            an identity that has been used on this machine")]
pub(crate) struct LoginArgs {
    /// Handle, or the address of an identity that is known here
    user: Option<String>,
    /// Name for people
    #[arg(long)]
    name: Option<String>,
    /// Address for mail
    #[arg(long)]
    email: Option<String>,
    /// Key of an account service
    #[arg(long, hide = true)]
    key: Option<String>,
}

pub(crate) fn run(ui: &mut Ui, args: &LoginArgs) -> Result<()> {
    if args.key.is_some() {
        ui.say(Level::Warning, "identities are kept on this machine: the key is not used");
    }
    let given = match &args.user {
        Some(user) => user.clone(),
        None => ui.ask("Handle: ")?,
    };
    let handle = match given.contains('@') {
        true => handle_of(ui, &given)?,
        false => given,
    };
    let user = login_local(ui.env(), &handle, args.name.as_deref(), args.email.as_deref())?;
    if ui.json() {
        ui.print_json(
            &json!({"handle": user.handle, "uid": user.uid, "name": user.name, "email": user.email}),
        );
    }
    ui.say(Level::Important, format!("logged in as {} (uid {})", user.handle, user.uid));
    Ok(())
}

/// Returns the handle that an address belongs to on this machine.
fn handle_of(ui: &Ui, email: &str) -> Result<String> {
    let known = UserSettings::find(ui.env(), email)?;
    known.map(|user| user.handle).ok_or_else(|| {
        let program = ui.program().name();
        Failure::Told(format!(
            "Nobody with address {email} has logged in here: choose a handle with {program} login HANDLE --email {email}"
        ))
    })
}
