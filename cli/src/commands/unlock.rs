use clap::Args;
use holotype::instance::settings::{InstanceSettings, current_instance};
use holotype::instance::{Holder, Locks, find_or_join};
use holotype::{Error, ErrorKind};
use serde_json::{Value as Json, json};

use crate::error::{Failure, Result};
use crate::ui::Ui;
use crate::voice::Level;

/// Take the lock of an instance in a bucket from clients that are gone
///
/// Whoever has the lock and still works loses nothing: what they send from then on is refused if somebody else sent
/// something meanwhile, and stays on their machine. `disconnect` gives your own lock back and sends your changes.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype unlock --plan                    who has the lock, and since when?
  holotype unlock
  holotype unlock ada/atlas --force")]
pub(crate) struct UnlockArgs {
    /// Name, owner/name or URL of the instance, or that of its bucket; the current one when absent
    instance: Option<String>,
    /// Show who has the lock and change nothing
    #[arg(long)]
    plan: bool,
    /// Answer every question with yes
    #[arg(long, conflicts_with = "plan")]
    force: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &UnlockArgs) -> Result<()> {
    let settings = settings(ui, args)?;
    let slug = settings.slug().to_string();
    let Some(locks) = Locks::find(ui.env(), &settings)? else {
        ui.say(Level::Important, format!("{slug} needs no lock: its database lies in no bucket"));
        return Ok(());
    };
    if args.plan || locks.holders.is_empty() {
        if ui.json() {
            ui.print_json(&json!({"instance": slug, "unlocked": false, "holders": all(&locks)}));
        } else {
            ui.print(lines(&slug, &locks));
        }
        return Ok(());
    }
    if !args.force {
        let question =
            format!("{}\nAre you sure you want to take the lock from them? (y/n) ", lines(&slug, &locks));
        if !ui.confirm(&question)? {
            return Err(Failure::Aborted);
        }
    }
    locks.break_open()?;
    ui.say(Level::Important, format!("unlocked instance: {slug}"));
    if ui.json() {
        ui.print_json(&json!({"instance": slug, "unlocked": true, "holders": all(&locks)}));
    }
    Ok(())
}

fn settings(ui: &Ui, args: &UnlockArgs) -> Result<InstanceSettings> {
    match &args.instance {
        Some(identifier) => Ok(find_or_join(ui.env(), identifier)?),
        None => {
            let found = current_instance(ui.env())?.map(|found| found.settings);
            found.ok_or_else(|| {
                Error::new(ErrorKind::InstanceNotConfigured, "No instance is connected.").into()
            })
        }
    }
}

fn lines(slug: &str, locks: &Locks) -> String {
    if locks.holders.is_empty() {
        return format!("{slug} is not locked");
    }
    let mut lines: Vec<String> =
        locks.holders.iter().map(|holder| format!("{slug} is {}", state(holder))).collect();
    if locks.unsent && locks.holders.iter().any(|holder| holder.here) {
        lines.push(
            "The working copy here holds changes that are not in the cloud yet: disconnecting sends them."
                .to_owned(),
        );
    }
    lines.join("\n")
}

/// Returns what a holder does, to follow the name of an instance.
pub(super) fn state(holder: &Holder) -> String {
    let who = holder.who();
    let since = holder.since.map(|since| format!(" since {}", since.to_display()));
    let Some(since) = since else { return format!("about to be locked by {who}") };
    match &holder.copy {
        _ if holder.here => format!("locked from here by {who}{since}"),
        Some(copy) => format!("locked by {who}{since} with the working copy {copy}"),
        None => format!("locked by {who}{since}"),
    }
}

/// Returns all holders for programs.
pub(super) fn all(locks: &Locks) -> Json {
    let one = |holder: &Holder| {
        json!({
            "uid": holder.uid,
            "handle": holder.handle,
            "name": holder.name,
            "since": holder.since.map(|since| since.to_display()),
            "copy": holder.copy,
            "here": holder.here,
        })
    };
    locks.holders.iter().map(one).collect()
}
