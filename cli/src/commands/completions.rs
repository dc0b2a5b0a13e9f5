use clap::{Args, ValueEnum};
use clap_complete::Shell;

use crate::args;
use crate::error::Result;
use crate::ui::Ui;

/// Print the completion script of a shell
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype completions bash > ~/.local/share/bash-completion/completions/holotype
  holotype completions zsh > ~/.zfunc/_holotype
  holotype completions fish > ~/.config/fish/completions/holotype.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Known,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Known {
    Bash,
    Fish,
    Zsh,
}

pub(crate) fn run(ui: &mut Ui, args: &CompletionsArgs) -> Result<()> {
    let shell = match args.shell {
        Known::Bash => Shell::Bash,
        Known::Fish => Shell::Fish,
        Known::Zsh => Shell::Zsh,
    };
    let mut script = Vec::new();
    let program = ui.program();
    clap_complete::generate(shell, &mut args::command(program), program.name(), &mut script);
    ui.print(String::from_utf8_lossy(&script).trim_end());
    Ok(())
}
