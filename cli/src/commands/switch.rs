use clap::Args;
use serde_json::json;

use crate::error::{Failure, Result};
use crate::ui::Ui;

/// Work on another branch or in another space from here on
///
/// The choice holds in the directory that is bound to the instance, else everywhere on this machine.
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype switch review
  holotype switch -c review                 create the branch first
  holotype switch main
  holotype switch --space lab")]
pub(crate) struct SwitchArgs {
    /// Name or uid of the branch or space
    #[arg(required = true)]
    target: Vec<String>,
    /// Switch the space
    #[arg(long)]
    space: bool,
    /// Switch the branch, as is done without it
    #[arg(long, hide = true)]
    branch: bool,
    /// Create the branch first
    #[arg(short, long)]
    create: bool,
}

pub(crate) fn run(ui: &mut Ui, args: &SwitchArgs) -> Result<()> {
    let (branch, space) = match (args.target.as_slice(), args.space, args.branch) {
        ([target], true, false) => (None, Some(target)),
        ([target], false, _) => (Some(target), None),
        // `--branch X --space Y`, as release 1.9 wrote it.
        ([branch, space], true, true) => (Some(branch), Some(space)),
        _ => {
            return Err(Failure::Usage(
                "Pass the name of one branch, or of one space with --space".to_owned(),
            ));
        }
    };
    if args.create && branch.is_none() {
        return Err(Failure::Usage("--create is for branches".to_owned()));
    }
    let instance = ui.connect()?;
    if let Some(branch) = branch {
        instance.switch_branch(branch, args.create)?;
    }
    if let Some(space) = space {
        instance.switch_space(space)?;
    }
    if ui.json() {
        let context = instance.context();
        ui.print_json(&json!({"branch_id": context.branch, "space_id": context.space}));
    }
    Ok(())
}
