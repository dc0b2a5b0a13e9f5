use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use holotype::instance::settings::{
    InstanceSettings, Slot, bind, chosen, chosen_modules, current_instance, dev_dir, nearest_binding,
    parse_modules, set_chosen_modules, unbind,
};
use holotype::{Env, Error, ErrorKind};
use serde_json::json;

use super::cache::{self, CacheCommand};
use super::info::About;
use crate::error::{Failure, Result};
use crate::ui::Ui;
use crate::voice::Level;

/// Show and change settings
#[derive(Args)]
#[command(after_help = "\
Examples:
  holotype settings                         all of them
  holotype settings cache-dir set /scratch/cache
  holotype settings dev-dir get
  holotype settings modules set bionty
  holotype settings get branch
  holotype settings keep-artifacts-local on")]
pub(crate) struct SettingsArgs {
    #[command(subcommand)]
    command: Option<SettingsCommand>,
}

#[derive(Subcommand)]
enum SettingsCommand {
    /// Print one setting
    Get {
        /// The setting
        setting: Readable,
    },
    /// Change one setting
    Set {
        /// The setting
        setting: Writable,
        /// Its new value
        value: String,
    },
    /// The directory where downloaded content is kept
    CacheDir {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// The directory that is bound to the current instance
    DevDir {
        #[command(subcommand)]
        command: DevDirCommand,
    },
    /// Whether new artifacts stay in local storage until they are uploaded
    KeepArtifactsLocal {
        /// What it shall be; printed when absent
        value: Option<Switch>,
    },
    /// The modules for work without an instance
    Modules {
        #[command(subcommand)]
        command: ModulesCommand,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    #[value(aliases = ["true", "True", "yes", "1"])]
    On,
    #[value(aliases = ["false", "False", "no", "0"])]
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Readable {
    Branch,
    Space,
    DevDir,
    KeepArtifactsLocal,
    #[value(hide = true)]
    AutoConnect,
    #[value(hide = true)]
    PrivateDjangoApi,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Writable {
    DevDir,
    KeepArtifactsLocal,
    #[value(hide = true)]
    AutoConnect,
    #[value(hide = true)]
    PrivateDjangoApi,
}

#[derive(Subcommand)]
enum DevDirCommand {
    /// Print the directory, or None
    Get,
    /// Bind a directory to the current instance
    Set {
        /// The directory
        value: String,
    },
    /// Undo the binding
    Unset,
    /// Print the bound directory that a path belongs to
    Find {
        /// Where to start; the working directory when absent
        path: Option<String>,
    },
}

#[derive(Subcommand)]
enum ModulesCommand {
    /// Print the modules, or None
    Get,
    /// Choose modules
    Set {
        /// Names, separated by commas
        value: String,
    },
    /// Choose none
    Unset,
}

pub(crate) fn run(ui: &mut Ui, args: &SettingsArgs) -> Result<()> {
    match &args.command {
        None => {
            if ui.json() {
                return super::info::print(ui);
            }
            let about = About::of(ui.env())?;
            ui.print(format!("Configure: see `{} settings --help`\n{}", ui.program().name(), about.text()));
            Ok(())
        }
        Some(SettingsCommand::Get { setting }) => get(ui, *setting),
        Some(SettingsCommand::Set { setting, value }) => set(ui, *setting, value),
        Some(SettingsCommand::CacheDir { command }) => cache::run_command(ui, command),
        Some(SettingsCommand::DevDir { command }) => directory(ui, command),
        Some(SettingsCommand::KeepArtifactsLocal { value: None }) => get(ui, Readable::KeepArtifactsLocal),
        Some(SettingsCommand::KeepArtifactsLocal { value: Some(value) }) => {
            keep_artifacts_local(ui, *value == Switch::On)
        }
        Some(SettingsCommand::Modules { command }) => modules(ui, command),
    }
}

/// Prints a value as it is, so that scripts can use it.
fn print(ui: &Ui, name: &str, value: Option<&str>) {
    if ui.json() { ui.print_json(&json!({name: value})) } else { ui.print(value.unwrap_or("None")) }
}

fn get(ui: &Ui, setting: Readable) -> Result<()> {
    let env = ui.env();
    match setting {
        Readable::Branch => print(ui, "branch", Some(&choice(env, Slot::Branch, "main")?)),
        Readable::Space => print(ui, "space", Some(&choice(env, Slot::Space, "all")?)),
        Readable::DevDir => return directory(ui, &DevDirCommand::Get),
        Readable::KeepArtifactsLocal => {
            let on = current(env)?.keep_artifacts_local;
            if ui.json() { ui.print_json(&json!({"keep_artifacts_local": on})) } else { ui.print(python(on)) }
        }
        // Connecting is always automatic, and the registries are never private.
        Readable::AutoConnect => ui.print(python(true)),
        Readable::PrivateDjangoApi => ui.print(python(false)),
    }
    Ok(())
}

fn python(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

fn choice(env: &Env, slot: Slot, default: &str) -> Result<String> {
    let slug = current(env)?.slug();
    Ok(chosen(env, slot, &slug)?.map_or_else(|| default.to_owned(), |choice| choice.name))
}

/// Returns the settings of the current instance without opening its database.
fn current(env: &Env) -> Result<InstanceSettings> {
    let found = current_instance(env)?.map(|found| found.settings);
    found.ok_or_else(|| Error::new(ErrorKind::InstanceNotConfigured, "No instance is connected.").into())
}

fn set(ui: &Ui, setting: Writable, value: &str) -> Result<()> {
    match setting {
        Writable::DevDir => directory(ui, &DevDirCommand::Set { value: value.to_owned() }),
        Writable::KeepArtifactsLocal => {
            let on = Switch::from_str(value, true).map_err(|_| {
                Failure::Usage(format!("Invalid value for VALUE: '{value}' is not true or false"))
            })?;
            keep_artifacts_local(ui, on == Switch::On)
        }
        Writable::AutoConnect | Writable::PrivateDjangoApi => {
            ui.say(Level::Warning, "this setting has no effect: connecting is always automatic");
            Ok(())
        }
    }
}

/// Writes to the settings files whether artifacts stay local.
fn keep_artifacts_local(ui: &Ui, on: bool) -> Result<()> {
    let mut settings = current(ui.env())?;
    settings.keep_artifacts_local = on;
    settings.save(ui.env())?;
    // What is current everywhere is a copy of the instance's own file.
    let copy = InstanceSettings::find_global(ui.env())?;
    if copy.is_some_and(|copy| copy.slug() == settings.slug()) {
        settings.save_as_global(ui.env())?;
    }
    let state = if on { "stay local until they are uploaded" } else { "go to the default storage location" };
    ui.say(Level::Important, format!("new artifacts of {} {state}", settings.slug()));
    Ok(())
}

fn directory(ui: &Ui, command: &DevDirCommand) -> Result<()> {
    let env = ui.env();
    match command {
        DevDirCommand::Get => {
            let found = current_instance(env)?.and_then(|found| dev_dir(env, &found.settings.slug()));
            print(ui, "dev_dir", found.map(|dir| dir.display().to_string()).as_deref());
        }
        DevDirCommand::Set { value } if matches!(value.as_str(), "None" | "null") => {
            return directory(ui, &DevDirCommand::Unset);
        }
        DevDirCommand::Set { value } => {
            let dir = bind(env, Path::new(value), &current(env)?.slug())?;
            ui.say(Level::Important, format!("dev-dir is {}", dir.display()));
        }
        DevDirCommand::Unset => {
            if let Some(dir) = dev_dir(env, &current(env)?.slug()) {
                unbind(env, &dir)?;
                ui.say(Level::Important, format!("{} is no longer a dev-dir", dir.display()));
            }
        }
        DevDirCommand::Find { path } => {
            let mut there = env.clone();
            if let Some(path) = path {
                there.cwd = env.absolute(path);
            }
            print(
                ui,
                "dev_dir",
                nearest_binding(&there).map(|found| found.dir.display().to_string()).as_deref(),
            );
        }
    }
    Ok(())
}

fn modules(ui: &Ui, command: &ModulesCommand) -> Result<()> {
    match command {
        ModulesCommand::Get => {
            let modules = chosen_modules(ui.env())?;
            if ui.json() {
                ui.print_json(&json!({"modules": modules}));
            } else {
                ui.print(if modules.is_empty() { "None".to_owned() } else { modules.join(",") });
            }
        }
        ModulesCommand::Set { value } => set_chosen_modules(ui.env(), &parse_modules(value))?,
        ModulesCommand::Unset => set_chosen_modules(ui.env(), &[])?,
    }
    Ok(())
}
