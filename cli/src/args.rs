//! The command tree: names, groups and help; each command declares its own arguments in `commands/`.

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands as c;
use crate::voice::Program;

/// The release of LaminDB whose command line and format this one follows.
const LAMINDB: (&str, &str) = ("lamindb-core,", "version 2.12.1");

/// Register, find, version and load datasets
///
/// Holotype keeps files, folders and arrays as artifacts with identity, storage, labels, versions and lineage.
#[derive(Parser)]
#[command(
    name = "holotype",
    disable_help_subcommand = true,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "\
Examples:
  holotype init --storage ./data          make an instance in this directory
  holotype save cells.parquet --key raw/cells.parquet
  holotype list artifact --filter key__startswith=raw/
  holotype load --key raw/cells.parquet   where is the content?
  holotype describe --key raw/cells.parquet

Every command explains itself: holotype COMMAND --help"
)]
pub(crate) struct Cli {
    /// Print data as JSON, and messages on standard error
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// Everything that the command can do.
#[derive(Subcommand)]
pub(crate) enum Command {
    // Configure your environment
    Connect(c::connect::ConnectArgs),
    Info(c::info::InfoArgs),
    Init(c::init::InitArgs),
    Disconnect(c::disconnect::DisconnectArgs),
    Unlock(c::unlock::UnlockArgs),
    // Save, load, create and delete
    Save(c::save::SaveArgs),
    Load(c::load::LoadArgs),
    Create(c::create::CreateArgs),
    Delete(c::delete::DeleteArgs),
    // Describe, update, annotate and list
    Describe(c::describe::DescribeArgs),
    Get(c::get::GetArgs),
    Update(c::update::UpdateArgs),
    Annotate(c::annotate::AnnotateArgs),
    List(c::list::ListArgs),
    // Run commands
    Run(c::run::RunArgs),
    Rerun(c::rerun::RerunArgs),
    Record(c::record::RecordArgs),
    // Follow what happened
    Diff(c::diff::DiffArgs),
    Lineage(c::lineage::LineageArgs),
    Log(c::log::LogArgs),
    // Manage changes
    Switch(c::switch::SwitchArgs),
    // Look after content
    Verify(c::verify::VerifyArgs),
    Repair(c::repair::RepairArgs),
    Gc(c::gc::GcArgs),
    // Administer
    Settings(c::settings::SettingsArgs),
    Storage(c::storage::StorageArgs),
    Migrate(c::migrate::MigrateArgs),
    #[command(hide = true)]
    Cache(c::cache::CacheArgs),
    Completions(c::completions::CompletionsArgs),
    // Authenticate
    Login(c::login::LoginArgs),
    Logout(c::logout::LogoutArgs),
}

/// The commands as the help of the whole groups them.
const GROUPS: [(&str, &[&str]); 9] = [
    ("Configure your environment", &["connect", "info", "init", "disconnect", "unlock"]),
    ("Save, load, create & delete", &["save", "load", "create", "delete"]),
    ("Describe, update, annotate & list", &["describe", "get", "update", "annotate", "list"]),
    ("Run commands", &["run", "rerun", "record"]),
    ("Follow what happened", &["lineage", "log", "diff"]),
    ("Manage changes", &["switch"]),
    ("Look after content", &["verify", "repair", "gc"]),
    ("Administer", &["settings", "storage", "migrate", "completions"]),
    ("Authenticate", &["login", "logout"]),
];

/// Returns the command tree under the name it was called by.
pub(crate) fn command(program: Program) -> clap::Command {
    let command = Cli::command().max_term_width(100);
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}Options:\n{{options}}{{after-help}}",
        groups(&command)
    );
    let command = command.help_template(template);
    match program {
        Program::Holotype => command.version(env!("CARGO_PKG_VERSION")),
        Program::Lamin => {
            let (name, version) = LAMINDB;
            let command = renamed(command, program.name()).name(program.name()).bin_name(program.name());
            command.display_name(name).version(version)
        }
    }
}

/// Returns the commands with what they do, group by group.
fn groups(command: &clap::Command) -> String {
    let mut text = String::new();
    for (heading, names) in GROUPS {
        text.push_str(&format!("{heading}:\n"));
        for sub in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:<12} {about}\n", sub.get_name()));
        }
        text.push('\n');
    }
    text
}

/// Returns the command with examples that call it by another name.
fn renamed(mut command: clap::Command, name: &str) -> clap::Command {
    if let Some(text) = command.get_after_help().map(|text| text.to_string().replace("holotype", name)) {
        command = command.after_help(text);
    }
    let subcommands: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    subcommands
        .into_iter()
        .fold(command, |command, sub| command.mut_subcommand(sub, |sub| renamed(sub, name)))
}

/// Returns the usage of the command that `words` call, and how to see its help.
pub(crate) fn usage_of(command: &mut clap::Command, words: &[OsString]) -> String {
    command.build();
    for (i, word) in words.iter().enumerate() {
        if let Some(sub) = word.to_str().and_then(|word| command.find_subcommand_mut(word)) {
            return usage_of(sub, &words[i + 1..]);
        }
    }
    format!("{}\n\nFor more information, try '--help'.", command.render_usage())
}

/// Returns the help of every command that is shown, one after the other.
pub(crate) fn reference(program: Program) -> String {
    let mut text = String::new();
    let mut command = command(program).term_width(100);
    command.build();
    describe(&mut command, &mut text);
    text
}

fn describe(command: &mut clap::Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    text.push_str(&format!("## {name}\n\n{}\n", command.render_long_help().to_string().trim_end()));
    for sub in command.get_subcommands_mut().filter(|sub| !sub.is_hide_set()) {
        text.push('\n');
        describe(sub, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_stands_in_one_group() {
        let command = Cli::command();
        let mut shown: Vec<&str> =
            command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(clap::Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        shown.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(shown, grouped);
    }

    #[test]
    fn the_tree_is_well_formed() {
        command(Program::Holotype).debug_assert();
        command(Program::Lamin).debug_assert();
    }
}
